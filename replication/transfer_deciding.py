"""The receiver's decisions: rulings on items, the end of a round, counting boxes: the same for county and township.

An item that a mandatory rule found faulty is accepted by nobody: it is returned or held, or the package as a whole goes
back. A rule that has not run, or waits for a person, may be waived with a reason, which then stands in the certificate.
"""

import datetime
from collections.abc import Collection, Mapping, Sequence
from uuid import UUID

import msgspec
from sqlalchemy import Connection

from protocol.check_results import Outcome
from protocol.errors import BadValue, Refused
from protocol.reference_codes import fold_code
from protocol.transfer_codec import items_digest
from protocol.transfer_folds import Transfer, last_rulings
from protocol.transfers import (
    BOXES_PER_STEP_MAX,
    RULINGS_PER_STEP_MAX,
    WORDS_CHARS_MAX,
    BoxCount,
    Cancelled,
    Counted,
    Decided,
    ItemRuling,
    Party,
    Ruled,
    Ruling,
    SentBack,
    TransferState,
)
from protocol.wording import Count, Text
from replication import transfer_items, transfer_rounds
from replication.transfer_items import ItemState, TransferItem
from replication.transfer_log import TransferLog, no_such, transfer_of
from replication.transfer_rounds import Fault

IN_PLAY = (ItemState.CARRIED, ItemState.HELD)
"""Items that can be ruled on."""


class Conclusion(msgspec.Struct, frozen=True, kw_only=True):
    """What the receiver says when a round is decided."""

    receiver: Party
    opinion: str = ""
    dated: datetime.date | None = None
    is_final: bool = False
    waived: Mapping[str, str] = {}
    """Rules that have not run or wait for a person, each with the reason why that is no hindrance."""


def rule(
    connection: Connection,
    log: TransferLog,
    transfer_id: UUID,
    rulings: Sequence[ItemRuling],
) -> Transfer:
    """Rule on items of the round that is being checked.

    Raises:
        BadValue: an item is not in this transfer, or not open any more.
        Refused: the transfer is not being checked.

    """
    now = found(connection, transfer_id)
    open_items = {one.record_id for one in transfer_items.listed(connection, transfer_id, states=IN_PLAY)}
    stray = [one.record_id for one in rulings if one.record_id not in open_items]
    if stray:
        raise BadValue(
            Text(
                zh=f"{len(stray)} 条不在待审之列。", en=f"{Count(len(stray)):item is|items are} not open to be ruled on"
            ),
            Text(zh="用 transfer show 查看待审条目。", en="See the open items with transfer show."),
        )
    for start in range(0, len(rulings), RULINGS_PER_STEP_MAX):
        some = tuple(rulings[start : start + RULINGS_PER_STEP_MAX])
        now = log.append(connection, transfer_id, Ruled(round=now.round, rulings=some), by="archivist")
    return now


def rulings_on(
    connection: Connection, transfer_id: UUID, codes: Collection[str], ruling: Ruling, reason: str
) -> list[ItemRuling]:
    """Return one ruling on each of the items with these codes.

    Raises:
        BadValue: a code is not among the open items, or a return has no reason.

    """
    if ruling is not Ruling.ACCEPT and not reason.strip():
        raise BadValue(
            Text(zh="退回或暂缓须写明理由。", en="a return or a hold needs its reason"),
            Text(zh="用 --reason 写给移交单位看。", en="Say with --reason what the giver is to mend."),
        )
    by_code: dict[str, list[TransferItem]] = {}
    for item in transfer_items.listed(connection, transfer_id, states=IN_PLAY):
        by_code.setdefault(fold_code(item.ref_code), []).append(item)
    unknown = [code for code in codes if fold_code(code) not in by_code]
    if unknown:
        raise BadValue(
            Text(zh=f"待审条目中没有 {unknown[0]}。", en=f"{unknown[0]} is not among the open items"),
            Text(zh="用 transfer show 查看待审条目。", en="See the open items with transfer show."),
        )
    said = Text(zh=reason[:WORDS_CHARS_MAX], en=reason[:WORDS_CHARS_MAX]) if reason else None
    return [
        ItemRuling(record_id=item.record_id, ruling=ruling, reason=said)
        for code in codes
        for item in by_code[fold_code(code)]
    ]


def rulings_on_faults(connection: Connection, now: Transfer, ruling: Ruling = Ruling.RETURN) -> list[ItemRuling]:
    """Return a ruling on every open item that a mandatory rule found faulty and nobody has ruled on: in plain words."""
    faulty = faults_by_item(connection, now)
    settled = {one.record_id for one in now.rulings}
    return [
        ItemRuling(record_id=item.record_id, ruling=ruling, reason=_reason_of(faulty[item.ref_code]))
        for item in transfer_items.listed(connection, now.transfer_id, states=IN_PLAY)
        if item.ref_code in faulty and item.record_id not in settled
    ]


def _reason_of(faults: Sequence[Fault]) -> Text:
    def told(language: str) -> str:
        said = [f"{one.evidence.in_language(language)} {one.remedy.in_language(language)}".strip() for one in faults]
        return "；".join(dict.fromkeys(said))[:WORDS_CHARS_MAX]

    return Text(zh=told("zh"), en=told("en"))


def rulings_with_codes(connection: Connection, now: Transfer, codes: Mapping[str, str]) -> list[ItemRuling]:
    """Return an acceptance with the archive's code for each open item that is given one and not ruled on otherwise.

    Raises:
        BadValue: a code belongs to no item of the transfer.

    """
    if not codes:
        return []
    every = {fold_code(item.ref_code) for item in transfer_items.listed(connection, now.transfer_id)}
    stray = sorted(set(codes) - every)
    if stray:
        raise BadValue(
            Text(zh=f"馆编档号清单中的 {stray[0]} 不在这次移交里。", en=f"{stray[0]} is not in this transfer"),
            Text(zh="请核对“室编档号”列。", en="Check the column 室编档号."),
        )
    ruled = {one.record_id for one in now.rulings if one.ruling is not Ruling.ACCEPT}
    return [
        ItemRuling(record_id=item.record_id, ruling=Ruling.ACCEPT, archive_code=codes[fold_code(item.ref_code)])
        for item in transfer_items.listed(connection, now.transfer_id, states=IN_PLAY)
        if fold_code(item.ref_code) in codes and item.record_id not in ruled
    ]


def faults_by_item(connection: Connection, now: Transfer) -> dict[str, list[Fault]]:
    """Return the mandatory faults of the present round by the code of their item; "" is the package as a whole."""
    found_faults: dict[str, list[Fault]] = {}
    for fault in transfer_rounds.faults_of(connection, now.transfer_id, now.round, mandatory_only=True):
        found_faults.setdefault(fault.ref_code, []).append(fault)
    return found_faults


def decide(
    connection: Connection,
    log: TransferLog,
    transfer_id: UUID,
    conclusion: Conclusion,
) -> Transfer:
    """Close the look at a round: what was not returned or held is accepted.

    Raises:
        Refused: the checks have not run, something faulty is not ruled on, or boxes are not counted.

    """
    now = found(connection, transfer_id)
    _refuse_unready(connection, now, conclusion)
    accepted = transfer_items.accepted_if_decided(connection, now)
    waived = "；".join(f"{name} 未执行：{reason}" for name, reason in sorted(conclusion.waived.items()))
    opinion = "；".join(part for part in (conclusion.opinion, waived) if part)
    decided = Decided(
        round=now.round,
        receiver=conclusion.receiver,
        opinion=opinion,
        dated=conclusion.dated,
        is_final=conclusion.is_final,
        items_digest=items_digest(accepted),
    )
    return log.append(connection, transfer_id, decided, by="archivist")


def _refuse_unready(connection: Connection, now: Transfer, conclusion: Conclusion) -> None:
    if now.state is not TransferState.CHECKING:
        raise Refused(
            Text(zh="这次移交不在审核中。", en="the transfer is not being checked"),
            Text(zh="用 transfer show 查看由谁处理。", en="See with transfer show whose turn it is."),
        )
    work = transfer_rounds.round_of(connection, now.transfer_id, now.round)
    if work is None or not work.standing:
        raise Refused(
            Text(zh="四性检测还没有做完。", en="the checks have not run to their end"),
            Text(zh="请等枢纽检测完毕；未执行不等于通过。", en="Wait for the hub: what has not run is not passed."),
        )
    ruled = {one.record_id: one.ruling for one in last_rulings(now)}
    faulty = faults_by_item(connection, now)
    hindering = [
        fault
        for item in transfer_items.listed(connection, now.transfer_id, states=IN_PLAY)
        if ruled.get(item.record_id, Ruling.ACCEPT) is Ruling.ACCEPT
        for fault in faulty.get(item.ref_code, ())
        if not _is_waived(fault, conclusion.waived)
    ]
    hindering += [fault for fault in faulty.get("", ()) if not _is_waived(fault, conclusion.waived)]
    if hindering:
        first = hindering[0]
        raise Refused(
            Text(
                zh=f"还有 {len(hindering)} 处必查项未通过，例如 {first.ref_code or '整包'}：{first.evidence.zh}",
                en=f"{Count(len(hindering)):mandatory finding stands|mandatory findings stand}, as"
                f" {first.ref_code or 'package'}: {first.evidence.en}",
            ),
            Text(
                zh="用 transfer return --faults 退回有问题的条目，或 --hold 暂缓；未执行的规则可用 --waive 说明理由。",
                en="Return the faulty items (transfer return --faults) or hold them; waive what did not run.",
            ),
        )
    if now.volumes_expected and not now.boxes:
        raise Refused(
            Text(zh="实物还没有清点。", en="the physical boxes have not been counted"),
            Text(zh="用 transfer count 录入每盒实点卷数和架位。", en="Enter what was seen with transfer count."),
        )


def _is_waived(fault: Fault, waived: Mapping[str, str]) -> bool:
    return fault.outcome in (Outcome.NOT_RUN, Outcome.MANUAL) and bool(waived.get(fault.rule, "").strip())


def send_back(connection: Connection, log: TransferLog, transfer_id: UUID, reason: Text) -> Transfer:
    """Send the whole package of a round back: it is made and submitted again.

    Raises:
        Refused: there is no package at the receiver now.

    """
    now = found(connection, transfer_id)
    return log.append(connection, transfer_id, SentBack(round=now.round, reason=reason), by="archivist")


def count(connection: Connection, log: TransferLog, transfer_id: UUID, boxes: Sequence[BoxCount]) -> Transfer:
    """Write down what was counted of the physical boxes; a box that is counted again replaces its count."""
    now = found(connection, transfer_id)
    for start in range(0, len(boxes), BOXES_PER_STEP_MAX):
        some = tuple(boxes[start : start + BOXES_PER_STEP_MAX])
        now = log.append(connection, transfer_id, Counted(boxes=some), by="archivist")
    return now


def expected_boxes(connection: Connection, transfer_id: UUID) -> dict[str, int]:
    """Return how many physical volumes the giver says are in each box."""
    expected: dict[str, int] = {}
    for item in transfer_items.listed(connection, transfer_id):
        if item.box and item.state is not ItemState.LEFT_OUT:
            expected[item.box] = expected.get(item.box, 0) + 1
    return expected


def cancel(connection: Connection, log: TransferLog, transfer_id: UUID, reason: str) -> Transfer:
    """Give a transfer up before both have signed.

    Raises:
        Refused: both have signed, or it is over.

    """
    return log.append(connection, transfer_id, Cancelled(reason=reason[:WORDS_CHARS_MAX]), by="archivist")


def found(connection: Connection, transfer_id: UUID) -> Transfer:
    """Return a transfer; raises BadValue where there is none."""
    now = transfer_of(connection, transfer_id)
    if now is None:
        raise no_such(str(transfer_id))
    return now
