"""Transfers on the keeper's page: what came, what the checks say in plain words, and the buttons of whose turn it is.

Village staff see what came back and what to mend, send it again and sign; township staff see what came with its scans,
return, hold, accept and sign. It does what the commands do, by the same functions.
"""

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from pathlib import Path
from typing import Final
from uuid import UUID

import msgspec
from sqlalchemy import Connection

from node.certifying.local_page import Answered, told_as_json, unreadable
from node.commands.transfer_mending import URGENCIES, Urgency, by_urgency
from node.commands.transfer_receiving import sign_for_receiver
from node.commands.transfer_report import FAULTS_KEPT, SHOWN_MAX, as_page
from node.commands.transfer_work import pack_and_check, send_out, today
from node.home import NodeHome
from node.transfers import submitting
from node.transfers.beginning import note_of
from node.transfers.office import Office, office_opened
from protocol.check_results import Outcome
from protocol.errors import BadFile, BadValue
from protocol.handover_texts import as_text
from protocol.handovers import certificate_of
from protocol.transfer_folds import Transfer
from protocol.transfers import Party, Ruling, Side
from protocol.transfers import TransferState as _States
from protocol.wording import Text
from replication import transfer_deciding, transfer_items, transfer_rounds
from replication.checks.rule_table import default_rules
from replication.transfer_deciding import Conclusion
from replication.transfer_items import ItemState, TransferItem
from replication.transfer_log import HOST, RECEIVING, opened_transfers, role_of, transfer_named
from replication.transfer_packages import package_of
from replication.transfer_rounds import Fault
from replication.transfer_scans import files_of, picture_of
from replication.transfer_words import ITEM_STATES, NATURES, SIDES, STATES, advice


class _Said(msgspec.Struct, frozen=True, kw_only=True):
    """What a person says with a button."""

    items: tuple[str, ...] = ()
    """Codes of the items that are meant; with none and a return, the whole package."""
    reason: str = ""
    unit: str = ""
    leader: str = ""
    handler: str = ""
    waived: dict[str, str] = {}
    is_final: bool = False
    signer: str = ""
    despite_faults: bool = False


class _Line(msgspec.Struct, frozen=True, kw_only=True):
    """One transfer in the list."""

    name: str
    title: str
    state_words: Text
    other: str
    """The other party's site code."""
    is_coming: bool
    """This site receives it."""
    items: int
    accepted: int
    is_ours: bool
    """It waits for this site."""
    advice: Text


class _Finding(msgspec.Struct, frozen=True, kw_only=True):
    place: str
    evidence: Text
    remedy: Text


class _Group(msgspec.Struct, frozen=True, kw_only=True):
    urgency: Urgency
    words: Text
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


class _Shown(msgspec.Struct, frozen=True, kw_only=True):
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


class TransfersRoom:
    """The transfers of one home; works beside the daemon and without it."""

    def __init__(self, home: NodeHome) -> None:
        self._home = home

    async def answer(self, parts: list[str], body: bytes | None) -> Answered:
        """Answer as ``Room`` says: the list, a transfer, one of its scans, or what a button does."""
        async with office_opened(self._home) as office:
            if not parts:
                return told_as_json(await office.database.read(_lines))
            now = await office.database.read(lambda c: transfer_named(c, parts[0]))
            if body is not None:
                now = await _done(office, now, parts[1:], body)
                parts = parts[:1]
            if len(parts) == 1:
                return told_as_json(await office.database.read(lambda c: _shown(c, office, now)))
            return _scan(office, now, parts[1:])


def _lines(connection: Connection) -> list[_Line]:
    return [_line(connection, one) for one in reversed(opened_transfers(connection))]


def _line(connection: Connection, now: Transfer) -> _Line:
    side, is_coming = _side(connection, now)
    giver = now.giver.site if now.giver is not None else ""
    return _Line(
        name=str(now.transfer_id),
        title=now.title,
        state_words=STATES[now.state],
        other=giver if is_coming else now.receiver_site,
        is_coming=is_coming,
        items=now.items,
        accepted=now.accepted,
        is_ours=bool(_actions(connection, now, side)),
        advice=_advice(connection, now, side),
    )


def _side(connection: Connection, now: Transfer) -> tuple[Side, bool]:
    """Return which end this site acts as now, and whether it receives the transfer."""
    role = role_of(connection, now.transfer_id)
    if role == HOST:
        return now.turn or Side.RECEIVER, True
    return (Side.RECEIVER, True) if role == RECEIVING else (Side.GIVER, False)


def _actions(connection: Connection, now: Transfer, side: Side) -> list[str]:
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
        return ["return", "hold", "accept"]
    return ["sign"] if now.state is _States.ACCEPTED else []


_ADVICE: Final[Mapping[str, Text]] = {
    "send": Text(zh="改好后按“检测并提交”。", en="Press “Check and send” once it is mended."),
    "sign": Text(zh="核对下面的交接文据，然后签字。", en="Read the papers below, then sign."),
    "return": Text(
        zh="看检测结果和扫描件，退回有问题的，其余接收。", en="Look, return what is wrong, accept the rest."
    ),
}


def _advice(connection: Connection, now: Transfer, side: Side) -> Text:
    actions = _actions(connection, now, side)
    if actions:
        return _ADVICE[actions[0]]
    if now.turn is side and now.state is _States.SUBMITTED:
        return Text(zh="文件正在送来，请保持节点运行。", en="The files are on their way: keep the node running.")
    if now.turn is side and now.state is _States.CHECKING:
        return Text(zh="文件已到齐，正在检测。", en="Every file is here and being checked.")
    return advice(now, side)


def _shown(connection: Connection, office: Office, now: Transfer) -> _Shown:
    side, is_coming = _side(connection, now)
    report = as_page(connection, now).data
    faults = transfer_rounds.faults_of(connection, now.transfer_id, max(now.round, 1), limit=FAULTS_KEPT)
    certificate = certificate_of(now)
    return _Shown(
        name=str(now.transfer_id),
        title=now.title,
        state_words=STATES[now.state],
        facts=_facts(now, report.done_bytes, report.total_bytes),
        advice=_advice(connection, now, side),
        notices=[one for one in (now.sent_back, now.signature_refused, report.trouble) if one is not None],
        groups=[
            _Group(urgency=urgency, words=URGENCIES[urgency], findings=list(map(_finding, some)))
            for urgency, some in by_urgency(faults)
        ],
        items=_items(connection, office, now, faults, is_coming=is_coming),
        unproven=_unproven(faults),
        steps=[(SIDES[step.side], step.words, step.at_ms) for step in report.steps],
        papers="" if certificate is None else as_text(certificate, now.giver_signature, now.receiver_signature),
        actions=_actions(connection, now, side),
    )


def _facts(now: Transfer, done_bytes: int, total_bytes: int) -> list[tuple[Text, str]]:
    giver = now.giver.site if now.giver is not None else ""
    share = f"{done_bytes / total_bytes:.0%}" if now.state is _States.SUBMITTED and total_bytes else ""
    parcel = now.prepared
    files = f"{parcel.files}（{parcel.size_bytes / 1e6:,.1f} MB）" if parcel is not None else ""
    told = (
        (Text(zh="性质", en="nature"), NATURES[now.nature].both()),
        (Text(zh="移交单位", en="giver"), giver),
        (Text(zh="接收单位", en="receiver"), now.receiver_site),
        (Text(zh="条目", en="items"), f"{now.accepted}/{now.items}" if now.accepted else str(now.items or "")),
        (Text(zh="本批文件", en="files of this round"), files),
        (Text(zh="已收到", en="has come"), share),
    )
    return [(label, said) for label, said in told if said]


def _finding(fault: Fault) -> _Finding:
    place = " ".join(part for part in (fault.ref_code, Path(fault.path).name) if part)
    return _Finding(place=place, evidence=fault.evidence, remedy=fault.remedy)


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
        scans=len(_scans_of(office, now, item.record_id)) if is_coming else 0,
        folders=folders,
    )


def _scans_of(office: Office, now: Transfer, record_id: UUID | str) -> list[Path]:
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


def _scan(office: Office, now: Transfer, parts: list[str]) -> Answered:
    """Return one scan of an item: ``items/RECORD/NUMBER``."""
    if len(parts) != 3 or parts[0] != "items" or not parts[2].isdecimal():
        raise unreadable()
    files = _scans_of(office, now, parts[1])
    number = int(parts[2])
    picture = picture_of(files[number - 1]) if 0 < number <= len(files) else None
    if picture is None:
        raise BadValue(
            Text(zh="这个文件不是图像，或过大，不能在网页上显示。", en="this file is no picture, or too large"),
            Text(zh="请到保存移交包的目录里打开。", en="Open it in the folder of the package."),
        )
    return Answered(picture.kind, picture.content)


async def _done(office: Office, now: Transfer, parts: list[str], body: bytes) -> Transfer:
    try:
        said = msgspec.json.decode(body, type=_Said)
    except msgspec.DecodeError as error:
        raise unreadable() from error
    side, _ = await office.database.read(lambda c: _side(c, now))
    allowed = await office.database.read(lambda c: _actions(c, now, side))
    action = parts[0] if parts else ""
    if len(parts) != 1 or action not in allowed:
        raise unreadable()
    return await _DOING[action](office, now, side, said)


async def _returned(office: Office, now: Transfer, _side: Side, said: _Said) -> Transfer:
    if said.items:
        return await _ruled(office, now, said, Ruling.RETURN)
    if not said.reason.strip():
        raise BadValue(
            Text(zh="整包退回须写明理由。", en="sending the whole package back needs its reason"),
            Text(zh="写给移交单位看：要改什么。", en="Say what the giver is to mend."),
        )
    reason = Text(zh=said.reason, en=said.reason)
    return await office.database.write(
        lambda c: transfer_deciding.send_back(c, office.receiver, now.transfer_id, reason)
    )


async def _held(office: Office, now: Transfer, _side: Side, said: _Said) -> Transfer:
    return await _ruled(office, now, said, Ruling.HOLD)


async def _ruled(office: Office, now: Transfer, said: _Said, ruling: Ruling) -> Transfer:
    def step(connection: Connection) -> Transfer:
        rulings = transfer_deciding.rulings_on(connection, now.transfer_id, said.items, ruling, said.reason)
        return transfer_deciding.rule(connection, office.receiver, now.transfer_id, rulings)

    return await office.database.write(step)


async def _accepted(office: Office, now: Transfer, _side: Side, said: _Said) -> Transfer:
    party = Party(
        site=now.receiver_site, name=said.unit or office.config.name, leader=said.leader, handler=said.handler
    )
    conclusion = Conclusion(
        receiver=party, opinion=said.reason, dated=today(), is_final=said.is_final, waived=said.waived
    )
    return await office.database.write(
        lambda c: transfer_deciding.decide(c, office.receiver, now.transfer_id, conclusion)
    )


async def _signed(office: Office, now: Transfer, side: Side, said: _Said) -> Transfer:
    if side is Side.RECEIVER:
        return await office.database.write(lambda c: sign_for_receiver(c, office, now, said.signer))
    return await office.database.write(lambda c: submitting.sign(c, office.log, now.transfer_id, said.signer))


async def _sent(office: Office, now: Transfer, _side: Side, said: _Said) -> Transfer:
    now, _ = await pack_and_check(office, now, [], [])
    if now.prepared is not None and now.prepared.items and now.checks_open and not said.despite_faults:
        raise BadValue(
            Text(
                zh=f"{now.checks_open} 条未通过检测，没有提交。", en=f"{now.checks_open} items did not pass: not sent"
            ),
            Text(
                zh="按下面“必须改”的各条改好再提交；确需提交，请勾选“仍要提交”。",
                en="Mend what is listed, or tick “send all the same”.",
            ),
        )
    return await send_out(office, now)


_DOING: Final[Mapping[str, Callable[[Office, Transfer, Side, _Said], Awaitable[Transfer]]]] = {
    "return": _returned,
    "hold": _held,
    "accept": _accepted,
    "sign": _signed,
    "send": _sent,
}
