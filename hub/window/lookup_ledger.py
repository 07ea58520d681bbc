"""How lookups are written and read: the question, one line for each site of the county, and what was found."""

from collections.abc import Collection, Mapping, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any
from uuid import UUID

import msgspec
from sqlalchemy import (
    Connection,
    Delete,
    Row,
    Select,
    Update,
    bindparam,
    delete,
    exists,
    func,
    insert,
    select,
    update,
)

from hub.searching.search import Query
from hub.window.lookup_tables import lookup, lookup_hit, lookup_site, lookup_stray
from hub.window.lookup_views import LookupOrder, SiteView, StrayAnswer
from protocol.calls import Lookup
from protocol.lookups import OPEN_OUTCOMES, Route, SiteOutcome, decoded_lookup
from protocol.wording import Text
from replication.dialects import upsert

if TYPE_CHECKING:
    from sqlalchemy.dialects.postgresql import Insert


class StoredLookup(msgspec.Struct, frozen=True, kw_only=True):
    """A question as it is kept."""

    lookup_id: UUID
    request_id: UUID
    question: Lookup
    """As its letters carry it."""
    digest: str
    query: Query
    places: tuple[str, ...]
    asked_by: str
    asked_at_ms: int
    live_until_ms: int
    expires_at_ms: int
    ended_at_ms: int | None
    is_expired: bool
    changed_at_ms: int
    news_at_ms: int | None
    widened_because: str


class StoredHit(msgspec.Struct, frozen=True, kw_only=True):
    """One record that was found, as far as it may be told."""

    site: str
    record_id: str
    is_live: bool
    is_late: bool = False
    seq: int
    stage: str
    treatment: str
    body: bytes


def add(
    connection: Connection, order: LookupOrder, body: bytes, digest: str, *, asked_at_ms: int, live_until_ms: int
) -> None:
    """Write a question down."""
    connection.execute(
        insert(lookup).values(
            lookup_id=str(order.lookup_id),
            request_id=str(order.case.request_id),
            body=body,
            digest=digest,
            query=msgspec.json.encode(order.query).decode(),
            places=msgspec.json.encode(order.places).decode(),
            asked_by=order.asked_by,
            asked_at_ms=asked_at_ms,
            live_until_ms=live_until_ms,
            expires_at_ms=order.expires_at_ms,
            changed_at_ms=asked_at_ms,
        )
    )


def add_sites(connection: Connection, lookup_id: UUID, sites: Sequence[SiteView]) -> None:
    """Write down what becomes of a question at each site, to begin with."""
    rows = [{"lookup_id": str(lookup_id), **_site_values(one)} for one in sites]
    if rows:
        connection.execute(insert(lookup_site), rows)


def add_hits(connection: Connection, lookup_id: UUID, hits: Sequence[StoredHit]) -> None:
    """Write down what was found; a record that is there already is put in the place of the one before."""
    if not hits:
        return
    rows = [
        {
            "lookup_id": str(lookup_id),
            **msgspec.structs.asdict(one),
            "is_live": int(one.is_live),
            "is_late": int(one.is_late),
        }
        for one in hits
    ]
    connection.execute(_finding(), rows)


@cache
def _finding() -> "Insert":
    statement = upsert(lookup_hit)
    keys = [lookup_hit.c.lookup_id, lookup_hit.c.site, lookup_hit.c.record_id]
    others = {column.name: statement.excluded[column.name] for column in lookup_hit.c if column not in keys}
    return statement.on_conflict_do_update(index_elements=keys, set_=others)


def drop_copies(connection: Connection, lookup_id: UUID, sites: Sequence[str]) -> None:
    """Take the hub's own copies of some sites away: they have spoken for themselves."""
    if sites:
        rows = [{"of_lookup": str(lookup_id), "at_site": site} for site in sites]
        connection.execute(_dropping(), rows)


@cache
def _dropping() -> Delete:
    return delete(lookup_hit).where(
        lookup_hit.c.lookup_id == bindparam("of_lookup"),
        lookup_hit.c.site == bindparam("at_site"),
        lookup_hit.c.is_live == 0,
    )


def put_site(connection: Connection, lookup_id: UUID, site: str, values: Mapping[str, object]) -> None:
    """Change the line of a site."""
    put_sites(connection, lookup_id, {site: values})


def put_sites(connection: Connection, lookup_id: UUID, changes: Mapping[str, Mapping[str, object]]) -> None:
    """Change the lines of some sites: those in which the same columns change by one statement."""
    alike: dict[tuple[str, ...], list[dict[str, object]]] = {}
    for site, values in changes.items():
        row = {"of_lookup": str(lookup_id), "at_site": site, **{_new(name): value for name, value in values.items()}}
        alike.setdefault(tuple(sorted(values)), []).append(row)
    for names, rows in alike.items():
        connection.execute(_changing(names), rows)


@cache
def _changing(names: tuple[str, ...]) -> Update:
    return (
        update(lookup_site)
        .where(lookup_site.c.lookup_id == bindparam("of_lookup"), lookup_site.c.site == bindparam("at_site"))
        .values({name: bindparam(_new(name)) for name in names})
    )


def _new(name: str) -> str:
    """Return the name of a parameter that is none of the columns'."""
    return f"new_{name}"


def still_waiting(connection: Connection, lookup_id: UUID, sites: Sequence[str]) -> set[str]:
    """Return which of some sites are being asked."""
    found = connection.execute(_waiting(), {"of_lookup": str(lookup_id), "those": list(sites)})
    return {row.site for row in found}


@cache
def _waiting() -> Select[str]:
    return select(lookup_site.c.site).where(
        lookup_site.c.lookup_id == bindparam("of_lookup"),
        lookup_site.c.outcome == SiteOutcome.WAITING.value,
        lookup_site.c.site.in_(bindparam("those", expanding=True)),
    )


def put(connection: Connection, lookup_id: UUID, values: Mapping[str, object]) -> None:
    """Change a question's own line."""
    connection.execute(update(lookup).where(lookup.c.lookup_id == str(lookup_id)).values(dict(values)))


def found(connection: Connection, lookup_id: UUID) -> StoredLookup | None:
    """Return a question; None if there is none."""
    row = connection.execute(_one(), {"of_lookup": str(lookup_id)}).one_or_none()
    return None if row is None else _stored(row)


@cache
def _one() -> Select[*tuple[Any, ...]]:
    return select(lookup).where(lookup.c.lookup_id == bindparam("of_lookup"))


def of_request(connection: Connection, request_id: UUID) -> list[StoredLookup]:
    """Return the questions of a request, the first first."""
    statement = select(lookup).where(lookup.c.request_id == str(request_id))
    return [_stored(row) for row in connection.execute(statement.order_by(lookup.c.asked_at_ms, lookup.c.lookup_id))]


def due_to_expire(connection: Connection, now_ms: int, limit: int) -> list[UUID]:
    """Return the questions whose time is over while sites have still to answer, those that ended longest ago first."""
    statement = select(lookup.c.lookup_id).where(lookup.c.ended_at_ms.is_(None), lookup.c.expires_at_ms <= now_ms)
    return [UUID(one) for one in connection.scalars(statement.order_by(lookup.c.expires_at_ms).limit(limit))]


def open_of(connection: Connection, requests: Collection[UUID], limit: int) -> list[UUID]:
    """Return the questions of some requests that sites have still to answer."""
    mine = lookup.c.request_id.in_([str(one) for one in requests])
    statement = select(lookup.c.lookup_id).where(mine, lookup.c.ended_at_ms.is_(None))
    return [UUID(one) for one in connection.scalars(statement.limit(limit))]


def left_waiting(connection: Connection, before_ms: int, limit: int) -> list[UUID]:
    """Return the questions whose live part was over before a moment and never closed: the hub stopped in between."""
    statement = (
        select(lookup.c.lookup_id)
        .join(lookup_site, lookup_site.c.lookup_id == lookup.c.lookup_id)
        .where(
            lookup.c.ended_at_ms.is_(None),
            lookup.c.live_until_ms < before_ms,
            lookup_site.c.outcome == SiteOutcome.WAITING.value,
        )
    )
    return [UUID(one) for one in connection.scalars(statement.distinct().limit(limit))]


def sites_of(connection: Connection, lookup_id: UUID, outcomes: Collection[SiteOutcome] = ()) -> list[SiteView]:
    """Return the sites of a question in the order of their codes; those with some outcomes, or all."""
    wanted = [one.value for one in outcomes or SiteOutcome]
    rows = connection.execute(_sites(), {"of_lookup": str(lookup_id), "outcomes": wanted})
    return [_site(row) for row in rows]


@cache
def _sites() -> Select[*tuple[Any, ...]]:
    mine = lookup_site.c.lookup_id == bindparam("of_lookup")
    wanted = lookup_site.c.outcome.in_(bindparam("outcomes", expanding=True))
    return select(lookup_site).where(mine, wanted).order_by(lookup_site.c.site)


def site_of(connection: Connection, lookup_id: UUID, site: str) -> tuple[SiteView, bool] | None:
    """Return the line of a site, and whether it was asked by letter; None if there is none."""
    row = connection.execute(select(lookup_site).where(_line(lookup_id, site))).one_or_none()
    return None if row is None else (_site(row), bool(row.is_by_letter))


def hits_of(connection: Connection, lookup_id: UUID) -> list[StoredHit]:
    """Return what was found."""
    return [
        StoredHit(
            site=site,
            record_id=record_id,
            is_live=bool(is_live),
            is_late=bool(is_late),
            seq=seq,
            stage=stage,
            treatment=treatment,
            body=bytes(body),
        )
        for site, record_id, is_live, is_late, seq, stage, treatment, body in connection.execute(
            _hits(), {"of_lookup": str(lookup_id)}
        )
    ]


@cache
def _hits() -> Select[*tuple[Any, ...]]:
    columns = [lookup_hit.c[name] for name in StoredHit.__struct_fields__]
    mine = lookup_hit.c.lookup_id == bindparam("of_lookup")
    return select(*columns).where(mine).order_by(lookup_hit.c.site, lookup_hit.c.record_id)


def records_at(connection: Connection, lookup_id: UUID, site: str) -> set[str]:
    """Return the ids of the records of a site that were found."""
    mine = (lookup_hit.c.lookup_id == str(lookup_id)) & (lookup_hit.c.site == site)
    return set(connection.scalars(select(lookup_hit.c.record_id).where(mine)))


def count_hits(connection: Connection, lookup_id: UUID) -> int:
    """Return how many records were found."""
    return connection.execute(_hit_count(), {"of_lookup": str(lookup_id)}).scalar_one()


@cache
def _hit_count() -> Select[int]:
    return select(func.count()).select_from(lookup_hit).where(lookup_hit.c.lookup_id == bindparam("of_lookup"))


def being_asked(connection: Connection, request_id: UUID) -> set[UUID]:
    """Return the questions of a request that sites are being asked now."""
    found = connection.execute(_being_asked(), {"of_request": str(request_id)})
    return {UUID(row.lookup_id) for row in found}


@cache
def _being_asked() -> Select[str]:
    waits = (lookup_site.c.lookup_id == lookup.c.lookup_id) & (lookup_site.c.outcome == SiteOutcome.WAITING.value)
    return select(lookup.c.lookup_id).where(lookup.c.request_id == bindparam("of_request"), exists().where(waits))


def has_open_sites(connection: Connection, lookup_id: UUID) -> bool:
    """Tell whether somebody may still answer."""
    return not OPEN_OUTCOMES.isdisjoint(outcomes_of(connection, lookup_id))


def outcomes_of(connection: Connection, lookup_id: UUID) -> list[SiteOutcome]:
    """Return which outcomes there are at the sites of a question, each once."""
    found = connection.execute(_outcomes(), {"of_lookup": str(lookup_id)})
    return [SiteOutcome(row.outcome) for row in found]


@cache
def _outcomes() -> Select[str]:
    return select(lookup_site.c.outcome).where(lookup_site.c.lookup_id == bindparam("of_lookup")).distinct()


def note_stray(connection: Connection, site: str, lookup_id: str, fault: str, now_ms: int) -> None:
    """Count an answer that fits no question."""
    statement = upsert(lookup_stray).values(site=site, lookup_id=lookup_id, fault=fault, heard_at_ms=now_ms, times=1)
    keys = [lookup_stray.c.site, lookup_stray.c.lookup_id, lookup_stray.c.fault]
    values = {"heard_at_ms": now_ms, "times": lookup_stray.c.times + 1}
    connection.execute(statement.on_conflict_do_update(index_elements=keys, set_=values))


def strays(connection: Connection, limit: int) -> list[StrayAnswer]:
    """Return the answers that were refused, the latest first."""
    statement = select(lookup_stray).order_by(lookup_stray.c.heard_at_ms.desc()).limit(limit)
    return [msgspec.convert(row, StrayAnswer, from_attributes=True) for row in connection.execute(statement)]


def _line(lookup_id: UUID, site: str) -> Any:  # noqa: ANN401 - SQLAlchemy's type of a condition is not worth its name
    return (lookup_site.c.lookup_id == str(lookup_id)) & (lookup_site.c.site == site)


def _stored(row: Row[*tuple[Any, ...]]) -> StoredLookup:
    return StoredLookup(
        lookup_id=UUID(row.lookup_id),
        request_id=UUID(row.request_id),
        question=decoded_lookup(row.body),
        digest=row.digest,
        query=msgspec.json.decode(row.query, type=Query),
        places=msgspec.json.decode(row.places, type=tuple[str, ...]),
        asked_by=row.asked_by,
        asked_at_ms=row.asked_at_ms,
        live_until_ms=row.live_until_ms,
        expires_at_ms=row.expires_at_ms,
        ended_at_ms=row.ended_at_ms,
        is_expired=bool(row.is_expired),
        changed_at_ms=row.changed_at_ms,
        news_at_ms=row.news_at_ms,
        widened_because=row.widened_because,
    )


def _site(row: Row[*tuple[Any, ...]]) -> SiteView:
    return SiteView(
        site=row.site,
        name=row.name,
        route=Route(row.route),
        why=Text(zh=row.why_zh, en=row.why_en),
        outcome=SiteOutcome(row.outcome),
        total=row.total,
        withheld=row.withheld,
        index_total=row.index_total,
        reason=Text(zh=row.reason_zh, en=row.reason_en) if row.reason_en else None,
        epoch=row.epoch,
        seq=row.seq,
        took_ms=float(row.took_ms),
        copied_at_ms=row.copied_at_ms,
        seen_at_ms=row.seen_at_ms,
        answered_at_ms=row.answered_at_ms,
        is_late=bool(row.is_late),
    )


def _site_values(one: SiteView) -> dict[str, object]:
    return {
        "site": one.site,
        "name": one.name,
        "route": one.route.value,
        "why_zh": one.why.zh,
        "why_en": one.why.en,
        "outcome": one.outcome.value,
        "index_total": one.index_total,
        "reason_zh": one.reason.zh if one.reason else "",
        "reason_en": one.reason.en if one.reason else "",
        "epoch": one.epoch,
        "seq": one.seq,
        "copied_at_ms": one.copied_at_ms,
        "seen_at_ms": one.seen_at_ms,
        "is_by_letter": int(one.outcome is SiteOutcome.PENDING),
    }
