"""What ``danglian-node transfer`` prints: how a transfer stands, and in plain words what is to be mended."""

import datetime
from collections.abc import Sequence
from typing import NamedTuple
from uuid import UUID

import msgspec
from sqlalchemy import Connection

from node.commands.transfer_mending import FAULTS_SHOWN_MAX, mending_told
from node.wording import moment
from protocol.check_results import Outcome
from protocol.receiving_plans import PlannedLine
from protocol.transfer_folds import Transfer
from protocol.transfers import Nature, Side, TransferState
from protocol.wording import Text
from replication import transfer_items, transfer_log, transfer_rounds
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
        f"{str(one.transfer_id)[:NUMBER_CHARS]}  {STATES[one.state].both()}  {one.accepted}/{one.items}  {one.title}"
        for one in found
    ] or ["还没有移交。用 transfer new 开始。· No transfers yet: begin with transfer new."]
    lines += [
        f"计划 · plan {line.year}  {str(line.plan)[:8]}  {line.kind or '—'}  {line.year_first}–{line.year_last}"
        f"  {line.records} 条 · records：transfer new --plan {str(line.plan)[:8]}"
        for line in expected
    ]
    return "\n".join(lines) + "\n"


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
    lines = [
        f"{report.transfer_id}  {report.title}",
        f"  {NATURES[report.nature].both()}: {report.giver} → {report.receiver}",
        f"  状态 · state: {STATES[report.state].both()}",
        f"  条目 · items: {report.items}；"
        + "，".join(f"{ITEM_STATES[state].both()} {count}" for state, count in sorted(report.counts.items())),
    ]
    if now.prepared is not None:
        parcel = now.prepared
        lines.append(f"  第 {parcel.round} 批 · round: {parcel.files} 个文件 · files, {parcel.size_bytes:,} B")
    if report.side is Side.RECEIVER and report.state is TransferState.SUBMITTED:
        share = report.done_bytes / report.total_bytes if report.total_bytes else 0.0
        lines.append(f"  已收 · drawn: {share:.0%}")
    if report.trouble is not None:
        lines.append(f"  暂时受阻 · held up: {report.trouble.both()}")
    if now.sent_back is not None:
        lines.append(f"  整包退回 · sent back: {now.sent_back.both()}")
    if now.signature_refused is not None:
        lines.append(f"  签字未被接受 · signature refused: {now.signature_refused.both()}")
    if report.to_mend:
        lines += ["", *mending_told(report.to_mend, ours=report.side is Side.GIVER)]
    if report.open_items and report.state is TransferState.CHECKING:
        lines += ["", *_open_told(report)]
    lines += ["", *_course_told(report.steps)]
    lines.append(f"下一步 · next: {report.advice.zh}\n               {report.advice.en}")
    return "\n".join(lines) + "\n"


def _course_told(steps: Sequence[StepLine]) -> list[str]:
    return [
        f"  {moment(step.at_ms)}  {SIDES[step.side].zh}：{step.words.zh} · {step.words.en}"
        for step in steps[-STEPS_SHOWN_MAX:]
    ]


def _open_told(report: Report) -> list[str]:
    verdict = report.standing or "检测中 · being checked"
    lines = [f"等你裁定 · to be ruled on: {len(report.open_items)}（检测 · checks: {verdict}）"]
    faulty = {one.ref_code for one in report.faults if one.is_mandatory and one.outcome is Outcome.FAILED}
    lines += [
        f"  {'✗' if item.ref_code in faulty else ' '} {item.ref_code}  {item.title}"
        for item in report.open_items[:FAULTS_SHOWN_MAX]
    ]
    return lines
