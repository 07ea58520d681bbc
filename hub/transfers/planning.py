"""The yearly receiving plan: what is due by the catalogue, what was agreed, what has come, what is overdue."""

import uuid
from collections.abc import Iterable, Mapping, Sequence
from typing import Final
from uuid import UUID

import msgspec
from sqlalchemy import Connection, delete, insert, select

from hub import audit
from hub.audit import Action, AuditEntry
from hub.staff.administration import Actor
from hub.transfers import year_counts
from hub.transfers.plan_tables import transfer_agreement, transfer_plan
from protocol.errors import BadValue
from protocol.receiving_plans import (
    LETTER_KIND,
    PLAN_LINES_MAX,
    Basis,
    PlannedLine,
    PlanTold,
    due_in,
    is_bound,
    years_before_transfer,
)
from protocol.sites import Site, parse_site
from protocol.vocabularies import LIVELIHOOD_KINDS
from protocol.wording import Text
from replication import letters
from replication.dialects import upsert

FIRST_YEAR: Final = 1000
"""Records of before have no year: their number says 0."""

AFTER_YEARS_MAX: Final = 100
"""Years that an agreement may put records off."""

_PLANS: Final = uuid.UUID("5f0d1b3c-8a5e-5c1e-9a77-2f6f0a3c9b11")
"""Namespace of the ids of plan lines: the same line of a year always has the same."""


class Agreement(msgspec.Struct, frozen=True, kw_only=True):
    """What was agreed with a site about one kind; an empty kind is about everything that has none of its own."""

    site: str
    kind: str
    after_years: int
    agreed_by: str
    reason: str
    agreed_at_ms: int


class DueLine(msgspec.Struct, frozen=True, kw_only=True):
    """What is due of one kind at a site, as the catalogue stands."""

    site: str
    kind: str
    after_years: int
    basis: Basis
    agreed_by: str = ""
    due: int = 0
    """Records due in the year, or before, that have not come."""
    overdue: int = 0
    """Those of them that were due in a year before."""
    received: int = 0
    """Records of these years that have changed hands."""
    year_first: int = 0
    year_last: int = 0


class PlanLine(msgspec.Struct, frozen=True, kw_only=True):
    """A line of the plan with what has become of it."""

    plan_id: UUID
    year: int
    planned: int
    """Records due when the plan was made."""
    now: DueLine
    made_by: str
    made_at_ms: int

    @property
    def share(self) -> float:
        """Share of what was due that has come, 0 to 1."""
        whole = self.now.received + self.now.due
        return self.now.received / whole if whole else 1.0


def agree(connection: Connection, actor: Actor, agreement: Agreement, now_ms: int) -> None:
    """Write down what was agreed; it replaces what was agreed before about the same kind.

    Raises:
        BadValue: nobody is named who agreed, or years that cannot be.

    """
    parse_site(agreement.site)
    if not agreement.agreed_by.strip() or not agreement.reason.strip():
        raise BadValue(
            Text(zh="须写明由谁约定、为什么。", en="who agreed, and why, has to be said"),
            Text(zh="用 --by 和 --reason 写明。", en="Say it with --by and --reason."),
        )
    if not 0 <= agreement.after_years <= AFTER_YEARS_MAX:
        raise BadValue(
            Text(zh=f"年数应为 0 至 {AFTER_YEARS_MAX}。", en=f"years from 0 to {AFTER_YEARS_MAX}"),
            Text(zh="用 --after 写形成后满几年移交。", en="Say with --after how many years after creation."),
        )
    if agreement.kind and agreement.kind not in LIVELIHOOD_KINDS:
        raise BadValue(
            Text(zh=f"没有这个民生档案种类：{agreement.kind}", en=f"no such kind: {agreement.kind}"),
            Text(zh=f"可用：{', '.join(LIVELIHOOD_KINDS)}", en=f"There are: {', '.join(LIVELIHOOD_KINDS)}"),
        )
    values = msgspec.structs.asdict(agreement)
    statement = upsert(transfer_agreement).values(**values)
    keys = [transfer_agreement.c.site, transfer_agreement.c.kind]
    connection.execute(statement.on_conflict_do_update(index_elements=keys, set_=values))
    told = f"{agreement.kind or '*'}: {agreement.after_years} years, {agreement.agreed_by}: {agreement.reason}"
    _note(connection, actor, agreement.site, told, now_ms)


def retract(connection: Connection, actor: Actor, site: str, kind: str, now_ms: int) -> None:
    """Take back what was agreed about a kind: what the rule says holds again.

    Raises:
        BadValue: nothing was agreed about it.

    """
    named = (transfer_agreement.c.site == site, transfer_agreement.c.kind == kind)
    if not connection.execute(delete(transfer_agreement).where(*named)).rowcount:
        raise BadValue(
            Text(zh="没有这项约定。", en="nothing was agreed about this"),
            Text(zh="可能已由别人撤销，请刷新页面。", en="Perhaps somebody took it back; load the page again."),
        )
    _note(connection, actor, site, f"{kind or '*'}: taken back", now_ms)


def agreements(connection: Connection) -> list[Agreement]:
    """Return everything that was agreed."""
    rows = connection.execute(select(transfer_agreement).order_by(transfer_agreement.c.site, transfer_agreement.c.kind))
    return [msgspec.convert(row, Agreement, from_attributes=True) for row in rows]


def due_lines(connection: Connection, archive: Site, plan_year: int, *, site: str = "") -> list[DueLine]:
    """Return what is due in a year, or was before, from every site, or one, as the catalogue stands now.

    Villages and units owe nothing that was not agreed; of everybody else what the archive's level says is due.
    """
    agreed = {(one.site, one.kind): one for one in agreements(connection)}
    named = {name for name, _ in agreed}
    everybody = [site] if site else year_counts.sites(connection)
    asked = [one for one in everybody if one != archive.code and (one in named or is_bound(parse_site(one)))]
    lines: dict[tuple[str, str], DueLine] = {}
    for row in year_counts.known(connection, asked):
        terms = _terms(row.site, row.kind, agreed, archive)
        if terms is None or not row.is_item or row.year < FIRST_YEAR:
            continue
        line = lines.get((row.site, row.kind), terms)
        lines[(row.site, row.kind)] = _counted(line, row.year, row.records, plan_year, is_moved=row.is_moved)
    known = [line for line in lines.values() if line.due or line.received]
    return sorted(known, key=lambda line: (line.site, line.kind))


def _terms(site: str, kind: str, agreed: Mapping[tuple[str, str], Agreement], archive: Site) -> DueLine | None:
    agreement = agreed.get((site, kind)) or agreed.get((site, ""))
    if agreement is not None:
        return DueLine(
            site=site,
            kind=kind,
            after_years=agreement.after_years,
            basis=Basis.AGREED,
            agreed_by=agreement.agreed_by,
        )
    if not is_bound(parse_site(site)):
        return None
    return DueLine(site=site, kind=kind, after_years=years_before_transfer(archive), basis=Basis.STATUTORY)


def _counted(line: DueLine, filed: int, records: int, plan_year: int, *, is_moved: bool) -> DueLine:
    due_year = due_in(filed, line.after_years)
    if due_year > plan_year:
        return line
    change = msgspec.structs.replace
    if is_moved:
        return change(line, received=line.received + records)
    return change(
        line,
        due=line.due + records,
        overdue=line.overdue + (records if due_year < plan_year else 0),
        year_first=min(line.year_first or filed, filed),
        year_last=max(line.year_last, filed),
    )


def make(connection: Connection, actor: Actor, archive: Site, plan_year: int, now_ms: int) -> list[PlanLine]:
    """Make the plan of a year from what is due now, and tell every site its lines; made again it is brought up to date.

    A line whose records have come meanwhile stays, with the number that was planned.
    """
    lines = due_lines(connection, archive, plan_year)
    before = {(one.now.site, one.now.kind): one for one in plan_lines(connection, archive, plan_year, lines)}
    rows = []
    for line in lines:
        known = before.get((line.site, line.kind))
        if known is None and not line.due:
            continue
        rows.append(
            {
                "plan_id": str(plan_id(plan_year, line.site, line.kind)),
                "plan_year": plan_year,
                "site": line.site,
                "kind": line.kind,
                "after_years": line.after_years,
                "basis": line.basis.value,
                "agreed_by": line.agreed_by,
                "planned": line.due + line.received if known is not None else line.due,
                "year_first": line.year_first,
                "year_last": line.year_last,
                "made_by": actor.who,
                "made_at_ms": now_ms,
            }
        )
    connection.execute(delete(transfer_plan).where(transfer_plan.c.plan_year == plan_year))
    if rows:
        connection.execute(insert(transfer_plan), rows)
    made = plan_lines(connection, archive, plan_year, lines)
    _tell(connection, plan_year, made, now_ms)
    _note(connection, actor, str(plan_year), f"{len(made)} lines", now_ms)
    return made


def plan_id(plan_year: int, site: str, kind: str) -> UUID:
    """Return the id of a line of the plan."""
    return uuid.uuid5(_PLANS, f"{plan_year}/{site}/{kind}")


def plan_lines(
    connection: Connection, archive: Site, plan_year: int, due: Sequence[DueLine] | None = None, *, site: str = ""
) -> list[PlanLine]:
    """Return the plan of a year with what has become of each line; of one site, or of all."""
    now = {(one.site, one.kind): one for one in due or due_lines(connection, archive, plan_year, site=site)}
    statement = select(transfer_plan).where(transfer_plan.c.plan_year == plan_year)
    if site:
        statement = statement.where(transfer_plan.c.site == site)
    found = []
    for row in connection.execute(statement.order_by(transfer_plan.c.site, transfer_plan.c.kind)):
        basis = Basis(row.basis)
        nothing = DueLine(site=row.site, kind=row.kind, after_years=row.after_years, basis=basis)
        line = now.get((row.site, row.kind), nothing)
        found.append(
            PlanLine(
                plan_id=UUID(row.plan_id),
                year=row.plan_year,
                planned=row.planned,
                now=line,
                made_by=row.made_by,
                made_at_ms=row.made_at_ms,
            )
        )
    return found


def _tell(connection: Connection, plan_year: int, made: Iterable[PlanLine], now_ms: int) -> None:
    by_site: dict[str, list[PlannedLine]] = {}
    for line in made:
        by_site.setdefault(line.now.site, []).append(
            PlannedLine(
                plan=line.plan_id,
                year=plan_year,
                kind=line.now.kind,
                records=line.now.due,
                year_first=line.now.year_first,
                year_last=line.now.year_last,
            )
        )
    for site, lines in by_site.items():
        body = PlanTold(year=plan_year, lines=tuple(lines[:PLAN_LINES_MAX]))
        topic = uuid.uuid5(_PLANS, f"{plan_year}/{site}")
        letters.write(connection, site, kind=LETTER_KIND, topic=topic, body=body, now_ms=now_ms)


def _note(connection: Connection, actor: Actor, about: str, detail: str, now_ms: int) -> None:
    entry_made = AuditEntry(who=actor.who, origin=actor.origin, action=Action.PLAN_CHANGED, object=about, detail=detail)
    audit.append(connection, entry_made, now_ms)
