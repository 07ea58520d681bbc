"""The packages of a transfer's rounds at one end: where each is, how much of it has come, what its checks found."""

from collections.abc import Iterable
from uuid import UUID

import msgspec
from sqlalchemy import Connection, delete, insert, select, update

from protocol.check_results import CheckResult, Outcome
from protocol.wording import Text
from replication.dialects import upsert
from replication.transfer_tables import transfer_fault, transfer_work

FAULTS_KEPT_MAX = 20_000
"""Faults of one round that are kept in the table: one for each item of the largest transfer. The report has all."""


class Round(msgspec.Struct, frozen=True, kw_only=True):
    """The package of one round at this end."""

    round: int
    package: str
    """Folder of the package, relative to the home."""
    done_bytes: int = 0
    total_bytes: int = 0
    standing: str = ""
    """Verdict of the checks (``protocol.check_results.Standing``); empty before they have run."""
    report: str = ""
    """File with every result, relative to the home; empty before the checks have run."""
    trouble: Text | None = None
    """What keeps the work from going on now."""
    at_ms: int = 0


def note(connection: Connection, transfer_id: UUID, work: Round) -> None:
    """Write down how a round stands here."""
    values: dict[str, object] = {
        "package": work.package,
        "done_bytes": work.done_bytes,
        "total_bytes": work.total_bytes,
        "standing": work.standing,
        "report": work.report,
        "trouble_zh": work.trouble.zh if work.trouble else "",
        "trouble_en": work.trouble.en if work.trouble else "",
        "at_ms": work.at_ms,
    }
    statement = upsert(transfer_work).values(transfer_id=str(transfer_id), round=work.round, **values)
    keys = [transfer_work.c.transfer_id, transfer_work.c.round]
    connection.execute(statement.on_conflict_do_update(index_elements=keys, set_=values))


def note_progress(connection: Connection, transfer_id: UUID, number: int, done_bytes: int, now_ms: int) -> None:
    """Write down how much has come; what kept it from coming is over."""
    connection.execute(
        update(transfer_work)
        .where(transfer_work.c.transfer_id == str(transfer_id), transfer_work.c.round == number)
        .values(done_bytes=done_bytes, at_ms=now_ms, trouble_zh="", trouble_en="")
    )


def rounds_of(connection: Connection, transfer_id: UUID) -> list[Round]:
    """Return the rounds that there is something of here, the first one first."""
    statement = select(transfer_work).where(transfer_work.c.transfer_id == str(transfer_id))
    return [
        Round(
            round=row.round,
            package=row.package,
            done_bytes=row.done_bytes,
            total_bytes=row.total_bytes,
            standing=row.standing,
            report=row.report,
            trouble=Text(zh=row.trouble_zh, en=row.trouble_en) if row.trouble_zh else None,
            at_ms=row.at_ms,
        )
        for row in connection.execute(statement.order_by(transfer_work.c.round))
    ]


def round_of(connection: Connection, transfer_id: UUID, number: int) -> Round | None:
    """Return one round; None if there is nothing of it here."""
    return next((one for one in rounds_of(connection, transfer_id) if one.round == number), None)


class Fault(msgspec.Struct, frozen=True, kw_only=True):
    """Something that the checks of a round found not to be in order."""

    ref_code: str
    """Item that it concerns; empty for the whole package."""
    path: str
    rule: str
    outcome: Outcome
    is_mandatory: bool
    evidence: Text
    remedy: Text
    tool: str
    checked_at_ms: int


def fault_of(result: CheckResult, *, is_mandatory: bool) -> Fault:
    """Return a result that is not in order as a fault."""
    return Fault(
        ref_code=result.entry,
        path=result.path,
        rule=result.rule,
        outcome=result.outcome,
        is_mandatory=is_mandatory,
        evidence=result.evidence,
        remedy=result.remedy,
        tool=f"{result.tool} {result.tool_version}".strip(),
        checked_at_ms=result.checked_at_ms,
    )


def put_faults(connection: Connection, transfer_id: UUID, number: int, faults: Iterable[Fault]) -> int:
    """Replace the faults of a round; returns how many there are."""
    connection.execute(
        delete(transfer_fault).where(transfer_fault.c.transfer_id == str(transfer_id), transfer_fault.c.round == number)
    )
    rows = [
        {
            "transfer_id": str(transfer_id),
            "round": number,
            "number": place,
            "ref_code": one.ref_code,
            "path": one.path,
            "rule": one.rule,
            "outcome": one.outcome.value,
            "is_mandatory": int(one.is_mandatory),
            "evidence_zh": one.evidence.zh,
            "evidence_en": one.evidence.en,
            "remedy_zh": one.remedy.zh,
            "remedy_en": one.remedy.en,
            "tool": one.tool,
            "checked_at_ms": one.checked_at_ms,
        }
        for place, one in enumerate(faults)
        if place < FAULTS_KEPT_MAX
    ]
    if rows:
        connection.execute(insert(transfer_fault), rows)
    return len(rows)


def faults_of(
    connection: Connection,
    transfer_id: UUID,
    number: int,
    *,
    ref_code: str | None = None,
    mandatory_only: bool = False,
    limit: int = FAULTS_KEPT_MAX,
) -> list[Fault]:
    """Return what the checks of a round found, the mandatory rules first; of one item, or of all."""
    statement = (
        select(transfer_fault)
        .where(transfer_fault.c.transfer_id == str(transfer_id), transfer_fault.c.round == number)
        .order_by(transfer_fault.c.is_mandatory.desc(), transfer_fault.c.number)
        .limit(limit)
    )
    if ref_code is not None:
        statement = statement.where(transfer_fault.c.ref_code == ref_code)
    if mandatory_only:
        statement = statement.where(transfer_fault.c.is_mandatory == 1)
    return [
        Fault(
            ref_code=row.ref_code,
            path=row.path,
            rule=row.rule,
            outcome=Outcome(row.outcome),
            is_mandatory=bool(row.is_mandatory),
            evidence=Text(zh=row.evidence_zh, en=row.evidence_en),
            remedy=Text(zh=row.remedy_zh, en=row.remedy_en),
            tool=row.tool,
            checked_at_ms=row.checked_at_ms,
        )
        for row in connection.execute(statement)
    ]
