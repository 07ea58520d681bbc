"""What ``danglian-node transfer`` prints: how a transfer stands, and in plain words what is to be mended."""

from collections.abc import Sequence
from typing import NamedTuple
from uuid import UUID

import msgspec
from sqlalchemy import Connection

from node.wording import moment
from protocol.receiving_plans import PlannedLine
from protocol.transfer_folds import Transfer
from protocol.transfers import Nature, Side, TransferState
from protocol.wording import Text
from replication import transfer_items, transfer_log, transfer_rounds
from replication.transfer_items import ItemState, TransferItem
from replication.transfer_rounds import Fault
from replication.transfer_words import ITEM_STATES, NATURES, STATES, advice

FAULTS_SHOWN_MAX = 40
"""Faults that are printed one by one; the others are counted."""

NUMBER_CHARS = 13
"""Characters of a transfer's number that tell it from the others in practice."""


class StepLine(msgspec.Struct, frozen=True, kw_only=True):
    """One step in the report."""

    side: Side
    number: int
    kind: str
    at_ms: int


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """How one transfer stands, as ``--json`` prints it."""

    transfer_id: UUID
    state: TransferState
    turn: Side | None
    title: str
    nature: Nature
    receiver: str
    round: int
    items: int
    accepted: int
    counts: dict[ItemState, int]
    to_mend: list[TransferItem]
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
    mend = transfer_items.listed(connection, now.transfer_id, states=(ItemState.RETURNED,))
    faults = transfer_rounds.faults_of(connection, now.transfer_id, max(now.round, 1), limit=FAULTS_SHOWN_MAX)
    steps = sorted(transfer_log.logged(connection, now.transfer_id), key=lambda one: one.noted_at_ms)
    report = Report(
        transfer_id=now.transfer_id,
        state=now.state,
        turn=now.turn,
        title=now.title,
        nature=now.nature,
        receiver=now.receiver_site,
        round=now.round,
        items=now.items or sum(transfer_items.counts(connection, now.transfer_id).values()),
        accepted=now.accepted,
        counts=transfer_items.counts(connection, now.transfer_id),
        to_mend=mend,
        faults=faults,
        steps=[
            StepLine(
                side=one.step.side,
                number=one.step.number,
                kind=str(one.step.what.__struct_config__.tag),
                at_ms=one.noted_at_ms,
            )
            for one in steps
        ],
        advice=advice(now, Side.GIVER),
    )
    return Page(text=_text(report, now), data=report)


def _text(report: Report, now: Transfer) -> str:
    lines = [
        f"{report.transfer_id}  {report.title}",
        f"  {NATURES[report.nature].both()} → {report.receiver}",
        f"  状态 · state: {STATES[report.state].both()}",
        f"  条目 · items: {report.items}；"
        + "，".join(f"{ITEM_STATES[state].both()} {count}" for state, count in sorted(report.counts.items())),
    ]
    if now.prepared is not None:
        parcel = now.prepared
        lines.append(f"  第 {parcel.round} 批 · round: {parcel.files} 个文件 · files, {parcel.size_bytes:,} B")
    if now.sent_back is not None:
        lines.append(f"  整包退回 · sent back: {now.sent_back.both()}")
    if now.signature_refused is not None:
        lines.append(f"  签字未被接受 · signature refused: {now.signature_refused.both()}")
    lines += [
        f"  要改 · mend  {item.ref_code}  {item.reason.zh if item.reason else ''}"
        for item in report.to_mend[:FAULTS_SHOWN_MAX]
    ]
    lines += [f"  {moment(step.at_ms)}  {step.side.value}  {step.kind}" for step in report.steps[-8:]]
    lines.append(f"下一步 · next: {report.advice.zh}\n               {report.advice.en}")
    return "\n".join(lines) + "\n"


def faults_told(faults: Sequence[Fault]) -> str:
    """Return in plain words what the checks found."""
    if not faults:
        return "检测全部通过。· Every check passed.\n"
    lines = [f"检测发现 {len(faults)} 处需要处理：· {len(faults)} findings:"]
    for fault in faults[:FAULTS_SHOWN_MAX]:
        where = " ".join(part for part in (fault.ref_code, fault.path) if part) or "整包 · package"
        mark = "必改 · must" if fault.is_mandatory else "建议 · may"
        lines.append(f"  [{mark}] {where}：{fault.evidence.zh} {fault.remedy.zh}".rstrip())
        lines.append(f"      {fault.evidence.en} {fault.remedy.en}".rstrip())
    if len(faults) > FAULTS_SHOWN_MAX:
        lines.append(f"  …… 另有 {len(faults) - FAULTS_SHOWN_MAX} 处 · and more")
    return "\n".join(lines) + "\n"
