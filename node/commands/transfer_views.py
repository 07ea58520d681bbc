"""What the keeper's page shows of transfers: a line of each, and one with its findings, items and papers.

Words that many files share are told once. What the program cannot judge stands last: nobody at the giver can mend it.
"""

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Final
from uuid import UUID

import msgspec
from sqlalchemy import Connection

from node.commands.transfer_mending import URGENCIES, Urgency, by_urgency
from node.commands.transfer_report import FAULTS_KEPT, SHOWN_MAX, as_page
from node.transfers.beginning import note_of
from node.transfers.office import Office
from protocol.check_results import Outcome
from protocol.errors import BadFile
from protocol.handover_texts import as_text
from protocol.handovers import certificate_of
from protocol.transfer_folds import Transfer
from protocol.transfers import Party, Side, TransferState
from protocol.wording import Text
from replication import transfer_items, transfer_rounds
from replication.checks.rule_table import default_rules
from replication.transfer_items import ItemState, TransferItem
from replication.transfer_log import HOST, RECEIVING, opened_transfers, role_of
from replication.transfer_packages import package_of
from replication.transfer_rounds import Fault
from replication.transfer_scans import files_of
from replication.transfer_words import ITEM_STATES, NATURES, SIDES, STATES, advice

PLACES_SHOWN_MAX: Final = 5
"""Places that are named of a finding; the others are counted."""

_States = TransferState
_DECIDED: Final = frozenset((_States.ACCEPTED, _States.SIGNED, _States.LOADED, _States.CLOSED))


class TransferLine(msgspec.Struct, frozen=True, kw_only=True):
    """One transfer in the list."""

    name: str
    title: str
    state_words: Text
    other: str
    """The other party: its name, as far as it is known here, and its code."""
    is_coming: bool
    """This site receives it."""
    items: int
    accepted: int
    is_ours: bool
    """It waits for this site."""
    advice: Text


class _Finding(msgspec.Struct, frozen=True, kw_only=True):
    """What was found, once, with the places where it was."""

    evidence: Text
    remedy: Text
    places: list[str]
    """The first few of them."""
    count: int


class _Group(msgspec.Struct, frozen=True, kw_only=True):
    urgency: Urgency
    words: Text
    count: int
    findings: list[_Finding]


class _Item(msgspec.Struct, frozen=True, kw_only=True):
    name: str
    """The record's id, by which its scans are asked for."""
    ref_code: str
    title: str
    state_words: Text
    reason: Text | None
    is_faulty: bool
    scans: int
    """Files that can be shown."""
    folders: tuple[str, ...] = ()
    """At the giver: where its scans lie."""


class _Rule(msgspec.Struct, frozen=True, kw_only=True):
    rule: str
    words: Text
    count: int


class TransferShown(msgspec.Struct, frozen=True, kw_only=True):
    """One transfer."""

    name: str
    title: str
    state_words: Text
    facts: list[tuple[Text, str]]
    advice: Text
    notices: list[Text]
    """What went wrong with it lately."""
    groups: list[_Group]
    items: list[_Item]
    unproven: list[_Rule]
    """Mandatory rules that have not run or wait for a person: accepting wants a reason for each."""
    steps: list[tuple[Text, Text, int]]
    papers: str
    actions: list[str]


def lines(connection: Connection) -> list[TransferLine]:
    """Return a line for every transfer, the latest first."""
    return [_line(connection, one) for one in reversed(opened_transfers(connection))]


def _line(connection: Connection, now: Transfer) -> TransferLine:
    side, is_coming = side_of(connection, now)
    return TransferLine(
        name=str(now.transfer_id),
        title=now.title,
        state_words=STATES[now.state],
        other=_named(now.giver) if is_coming else _receiver(now),
        is_coming=is_coming,
        items=now.items,
        accepted=now.accepted,
        is_ours=bool(actions_of(connection, now, side)),
        advice=_advice(connection, now, side),
    )


def _named(party: Party | None) -> str:
    return "" if party is None else f"{party.name}（{party.site}）" if party.name else party.site


def _receiver(now: Transfer) -> str:
    return _named(now.receiver) if now.receiver is not None else now.receiver_site


def side_of(connection: Connection, now: Transfer) -> tuple[Side, bool]:
    """Return which end this site acts as now, and whether it receives the transfer."""
    role = role_of(connection, now.transfer_id)
    if role == HOST:
        return now.turn or Side.RECEIVER, True
    return (Side.RECEIVER, True) if role == RECEIVING else (Side.GIVER, False)


def actions_of(connection: Connection, now: Transfer, side: Side) -> list[str]:
    """Return the buttons: what a person can do now."""
    if now.turn is not side:
        return []
    if side is Side.GIVER:
        # The owner of a hosted fonds signs with a key of its own, which no page asks for.
        by_state = {_States.PLANNED: ["send"], _States.PREPARED: ["send"], _States.RETURNED: ["send"]}
        signs = ["sign"] if now.state is _States.ACCEPTED and not now.host else []
        return by_state.get(now.state, signs)
    work = transfer_rounds.round_of(connection, now.transfer_id, now.round)
    if now.state is _States.CHECKING and work is not None and work.standing:
        return ["return", "hold", "send-back", "accept"]
    return ["sign"] if now.state is _States.ACCEPTED else []


_ADVICE: Final[Mapping[str, Text]] = {
    "send": Text(zh="改好后按“检测并提交”。", en="Press “Check and send” once it is mended."),
    "sign": Text(zh="核对下面的交接文据，然后签字。", en="Read the papers below, then sign."),
    "return": Text(
        zh="看检测结果和扫描件，退回有问题的，其余接收。", en="Look, return what is wrong, accept the rest."
    ),
}


def _advice(connection: Connection, now: Transfer, side: Side) -> Text:
    actions = actions_of(connection, now, side)
    if actions:
        return _ADVICE[actions[0]]
    if now.turn is side and now.state is _States.SUBMITTED:
        return Text(zh="文件正在送来，请保持节点运行。", en="The files are on their way: keep the node running.")
    if now.turn is side and now.state is _States.CHECKING:
        return Text(zh="文件已到齐，正在检测。", en="Every file is here and being checked.")
    return advice(now, side)


def shown(connection: Connection, office: Office, now: Transfer) -> TransferShown:
    """Return one transfer as the page shows it."""
    side, is_coming = side_of(connection, now)
    report = as_page(connection, now).data
    faults = transfer_rounds.faults_of(connection, now.transfer_id, max(now.round, 1), limit=FAULTS_KEPT)
    certificate = certificate_of(now)
    return TransferShown(
        name=str(now.transfer_id),
        title=now.title,
        state_words=STATES[now.state],
        facts=_facts(now, report.done_bytes, report.total_bytes),
        advice=_advice(connection, now, side),
        notices=[one for one in (now.sent_back, now.signature_refused, report.trouble) if one is not None],
        groups=[
            _Group(
                urgency=urgency,
                words=(_FOR_RECEIVER if is_coming else URGENCIES)[urgency],
                count=len(some),
                findings=_findings(some),
            )
            for urgency, some in by_urgency(faults)
        ],
        items=_items(connection, office, now, faults, is_coming=is_coming),
        unproven=_unproven(faults),
        steps=[(SIDES[step.side], step.words, step.at_ms) for step in report.steps],
        papers=""
        if certificate is None or now.state not in _DECIDED
        else as_text(certificate, now.giver_signature, now.receiver_signature),
        actions=actions_of(connection, now, side),
    )


def _facts(now: Transfer, done_bytes: int, total_bytes: int) -> list[tuple[Text, str]]:
    share = f"{done_bytes / total_bytes:.0%}" if now.state is _States.SUBMITTED and total_bytes else ""
    parcel = now.prepared
    files = f"{parcel.files}（{parcel.size_bytes / 1e6:,.1f} MB）" if parcel is not None else ""
    told = (
        (Text(zh="性质", en="nature"), NATURES[now.nature].both()),
        (Text(zh="移交单位", en="giver"), _named(now.giver)),
        (Text(zh="接收单位", en="receiver"), _receiver(now)),
        (Text(zh="条目", en="items"), f"{now.accepted}/{now.items}" if now.accepted else str(now.items or "")),
        (Text(zh="本批文件", en="files of this round"), files),
        (Text(zh="已收到", en="has come"), share),
    )
    return [(label, said) for label, said in told if said]


_FOR_RECEIVER: Final = {
    Urgency.MUST: Text(zh="必查项未过：退回或暂缓", en="mandatory checks failed: return or hold them"),
    Urgency.MAY: Text(zh="建议改，不影响接收", en="better mended; no hindrance"),
    Urgency.OTHERS: Text(zh="没有执行或要人看：请本站判断", en="not run, or for a person to see: yours to judge"),
}


def _findings(faults: Sequence[Fault]) -> list[_Finding]:
    """Return the same words once: a scanner that is not there is one thing to read, however many files there are."""
    alike: dict[tuple[str, str], list[Fault]] = {}
    for one in faults:
        alike.setdefault((one.evidence.zh, one.remedy.zh), []).append(one)
    return [
        _Finding(
            evidence=some[0].evidence,
            remedy=some[0].remedy,
            places=[" ".join(filter(None, (one.ref_code, Path(one.path).name))) for one in some[:PLACES_SHOWN_MAX]],
            count=len(some),
        )
        for some in alike.values()
    ]


def _items(
    connection: Connection, office: Office, now: Transfer, faults: Sequence[Fault], *, is_coming: bool
) -> list[_Item]:
    """Return what is to be ruled on, or at the giver what came back; all of it once nothing is open any more."""
    wanted = (ItemState.CARRIED, ItemState.HELD, ItemState.RETURNED) if is_coming else (ItemState.RETURNED,)
    found = transfer_items.listed(connection, now.transfer_id, states=wanted, limit=SHOWN_MAX)
    found = found or transfer_items.listed(connection, now.transfer_id, limit=SHOWN_MAX)
    faulty = {one.ref_code for one in faults if one.is_mandatory and one.outcome is Outcome.FAILED}
    ruled = {one.record_id for one in now.rulings}
    return [_item(office, now, one, ruled, faulty, is_coming=is_coming) for one in found]


def _item(
    office: Office,
    now: Transfer,
    item: TransferItem,
    ruled: Collection[UUID],
    faulty: Collection[str],
    *,
    is_coming: bool,
) -> _Item:
    folders = () if is_coming else tuple(sorted({str(Path(one.path).parent) for one in note_of(item).scans}))
    return _Item(
        name=str(item.record_id),
        ref_code=item.ref_code,
        title=item.title,
        state_words=ITEM_STATES[item.state],
        reason=item.reason,
        is_faulty=item.ref_code in faulty and item.record_id not in ruled,
        scans=len(scans_of(office, now, item.record_id)) if is_coming else 0,
        folders=folders,
    )


def scans_of(office: Office, now: Transfer, record_id: UUID | str) -> list[Path]:
    """Return the files of an item in the package of the present round; none where there is none."""
    if not now.round:
        return []
    package = package_of(office.home.transfers, now.transfer_id, now.round)
    try:
        return files_of(package, str(record_id))
    except (OSError, BadFile):
        return []


def _unproven(faults: Sequence[Fault]) -> list[_Rule]:
    names = {one.id: one.name for one in default_rules().rules}
    counts: dict[str, int] = {}
    for fault in faults:
        if fault.is_mandatory and fault.outcome in (Outcome.NOT_RUN, Outcome.MANUAL):
            counts[fault.rule] = counts.get(fault.rule, 0) + 1
    return [
        _Rule(rule=rule, words=names.get(rule, Text(zh=rule, en=rule)), count=count) for rule, count in counts.items()
    ]
