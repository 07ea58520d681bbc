"""What ``danglian-node transfer`` prints: how a transfer stands, and in plain words what is to be mended."""

import datetime
from collections.abc import Iterator, Sequence
from typing import NamedTuple
from uuid import UUID

import msgspec
from sqlalchemy import Connection

from node.commands.transfer_mending import FAULTS_SHOWN_MAX, mending_told
from node.wording import moment
from protocol.check_results import STANDING_WORDS, Outcome, Standing
from protocol.receiving_plans import PlannedLine
from protocol.transfer_folds import Transfer
from protocol.transfers import Nature, Side, TransferState
from protocol.wording import Text
from replication import transfer_items, transfer_log, transfer_rounds
from replication.command_line import worded
from replication.transfer_items import ItemState, TransferItem
from replication.transfer_log import HOST, RECEIVING, LoggedStep
from replication.transfer_rounds import Fault
from replication.transfer_telling import told
from replication.transfer_words import ITEM_STATES, NATURES, SIDES, STATES, advice

FAULTS_KEPT = 200
"""Faults of a round that a report carries."""

SHOWN_MAX = 1_000
"""Items that a report carries."""

STEPS_SHOWN_MAX = 8
"""The latest steps that are printed."""

NUMBER_CHARS = 13
"""Characters of a transfer's number that tell it from the others in practice."""


class StepLine(msgspec.Struct, frozen=True, kw_only=True):
    """One step in the report."""

    side: Side
    number: int
    kind: str
    words: Text
    at_ms: int


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """How one transfer stands, as ``--json`` prints it."""

    transfer_id: UUID
    state: TransferState
    turn: Side | None
    side: Side
    """Our end of it."""
    title: str
    nature: Nature
    giver: str
    receiver: str
    round: int
    items: int
    accepted: int
    counts: dict[ItemState, int]
    to_mend: list[TransferItem]
    open_items: list[TransferItem]
    """At the receiver: what is to be ruled on."""
    standing: str
    """Verdict of this end's checks of the present round; empty before they have run."""
    done_bytes: int
    total_bytes: int
    trouble: Text | None
    giver_signed: bool
    receiver_signed: bool
    copy_kept_until: datetime.date | None
    faults: list[Fault]
    steps: list[StepLine]
    advice: Text


class Page(NamedTuple):
    """A report as text and as data."""

    text: str
    data: Report


def as_json(value: object) -> str:
    """Return a value as one line of JSON."""
    return msgspec.json.encode(value).decode() + "\n"


def as_lines(found: Sequence[Transfer], expected: Sequence[PlannedLine] = ()) -> str:
    """Return one line for each transfer, and what the archive's plan expects of this site."""
    lines = [
        f"{str(one.transfer_id)[:NUMBER_CHARS]}  {worded(STATES[one.state])}  {one.accepted}/{one.items}  {one.title}"
        for one in found
    ] or [worded(Text(zh="还没有移交。用 transfer new 开始。", en="No transfers yet: begin with transfer new."))]
    return "\n".join((*lines, *(_planned(line) for line in expected))) + "\n"


def _planned(line: PlannedLine) -> str:
    plan, years = str(line.plan)[:8], f"{line.year_first}–{line.year_last}"
    return worded(
        Text(
            zh=f"计划 {line.year}  {plan}  {line.kind or '—'}  {years}  {line.records} 条：transfer new --plan {plan}",
            en=f"plan {line.year}  {plan}  {line.kind or '—'}  {years}  records: {line.records}: transfer new --plan"
            f" {plan}",
        )
    )


def as_page(connection: Connection, now: Transfer) -> Page:
    """Return how a transfer stands, with what came back and what to do next."""
    role = transfer_log.role_of(connection, now.transfer_id)
    side = (now.turn or Side.GIVER) if role == HOST else Side.RECEIVER if role == RECEIVING else Side.GIVER
    mend = transfer_items.listed(connection, now.transfer_id, states=(ItemState.RETURNED,))
    in_play = (ItemState.CARRIED, ItemState.HELD) if side is Side.RECEIVER else ()
    open_items = transfer_items.listed(connection, now.transfer_id, states=in_play, limit=SHOWN_MAX) if in_play else []
    faults = transfer_rounds.faults_of(connection, now.transfer_id, max(now.round, 1), limit=FAULTS_KEPT)
    steps = sorted(transfer_log.logged(connection, now.transfer_id), key=lambda one: one.noted_at_ms)
    work = transfer_rounds.round_of(connection, now.transfer_id, now.round)
    counts = transfer_items.counts(connection, now.transfer_id)
    report = Report(
        transfer_id=now.transfer_id,
        state=now.state,
        turn=now.turn,
        side=side,
        title=now.title,
        nature=now.nature,
        giver=now.giver.site if now.giver is not None else "",
        receiver=now.receiver_site,
        round=now.round,
        items=now.items or sum(counts.values()),
        accepted=now.accepted,
        counts=counts,
        to_mend=mend,
        open_items=open_items,
        standing=work.standing if work is not None else "",
        done_bytes=work.done_bytes if work is not None else 0,
        total_bytes=work.total_bytes if work is not None else 0,
        trouble=work.trouble if work is not None else None,
        giver_signed=now.giver_signature is not None,
        receiver_signed=now.receiver_signature is not None,
        copy_kept_until=now.copy_kept_until,
        faults=faults,
        steps=[_step_line(one) for one in steps],
        advice=advice(now, side),
    )
    return Page(text=_text(report, now), data=report)


def _step_line(one: LoggedStep) -> StepLine:
    return StepLine(
        side=one.step.side,
        number=one.step.number,
        kind=str(one.step.what.__struct_config__.tag),
        words=told(one.step.what),
        at_ms=one.noted_at_ms,
    )


def _text(report: Report, now: Transfer) -> str:
    nature, state = NATURES[report.nature], STATES[report.state]
    counts = [(ITEM_STATES[one], count) for one, count in sorted(report.counts.items())]
    counted_zh = "，".join(f"{words.zh} {count}" for words, count in counts)
    counted_en = ", ".join(f"{words.en} {count}" for words, count in counts)
    course = f"{report.giver} → {report.receiver}"
    facts = [
        Text(zh=f"{nature.zh}：{course}", en=f"{nature.en}: {course}"),
        Text(zh=f"状态：{state.zh}", en=f"state: {state.en}"),
        Text(zh=f"条目：{report.items}；{counted_zh}", en=f"items: {report.items}; {counted_en}"),
        *_parcel_told(report, now),
    ]
    lines = [f"{report.transfer_id}  {report.title}", *(f"  {worded(one)}" for one in facts)]
    if report.to_mend:
        lines += ["", *mending_told(report.to_mend, ours=report.side is Side.GIVER)]
    if report.open_items and report.state is TransferState.CHECKING:
        lines += ["", *_open_told(report)]
    lines += ["", *_course_told(report.steps)]
    lines.append(worded(Text(zh=f"下一步：{report.advice.zh}", en=f"next: {report.advice.en}")))
    return "\n".join(lines) + "\n"


def _parcel_told(report: Report, now: Transfer) -> Iterator[Text]:
    """Say what travels, how far it has come, and what was not taken."""
    if now.prepared is not None:
        parcel = now.prepared
        size = f"{parcel.size_bytes:,} B"
        yield Text(
            zh=f"第 {parcel.round} 批：{parcel.files} 个文件，{size}",
            en=f"round {parcel.round}, files: {parcel.files}, {size}",
        )
    if report.side is Side.RECEIVER and report.state is TransferState.SUBMITTED:
        share = report.done_bytes / report.total_bytes if report.total_bytes else 0.0
        yield Text(zh=f"已收：{share:.0%}", en=f"drawn: {share:.0%}")
    if report.trouble is not None:
        yield Text(zh=f"暂时受阻：{report.trouble.zh}", en=f"held up: {report.trouble.en}")
    if now.sent_back is not None:
        yield Text(zh=f"整包退回：{now.sent_back.zh}", en=f"sent back: {now.sent_back.en}")
    if now.signature_refused is not None:
        refused = now.signature_refused
        yield Text(zh=f"签字未被接受：{refused.zh}", en=f"signature refused: {refused.en}")


def _course_told(steps: Sequence[StepLine]) -> list[str]:
    told = []
    for step in steps[-STEPS_SHOWN_MAX:]:
        side = SIDES[step.side]
        words = worded(Text(zh=f"{side.zh}：{step.words.zh}", en=f"{side.en}: {step.words.en}"))
        told.append(f"  {moment(step.at_ms)}  {words}")
    return told


def _open_told(report: Report) -> list[str]:
    count = len(report.open_items)
    standing = STANDING_WORDS[Standing(report.standing)] if report.standing else _CHECKING
    lines = [
        worded(
            Text(
                zh=f"等你裁定：{count}（检测：{standing.zh}）",
                en=f"to be ruled on: {count} (checks: {standing.en})",
            )
        )
    ]
    faulty = {one.ref_code for one in report.faults if one.is_mandatory and one.outcome is Outcome.FAILED}
    lines += [
        f"  {'✗' if item.ref_code in faulty else ' '} {item.ref_code}  {item.title}"
        for item in report.open_items[:FAULTS_SHOWN_MAX]
    ]
    return lines


_CHECKING = Text(zh="检测中", en="being checked")
