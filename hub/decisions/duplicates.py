"""Alike records: which entries of the catalogue may describe the same document, with the evidence, never merged.

A cluster is not stored: it is what the likeness keys find and ``likeness.evidence`` proves, seen from one record. A
person may decide that two records are apart; the decision is kept with who made it and when, and can be reversed,
which is kept as well.
"""

import functools
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from itertools import combinations
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import Connection, Row, Select, Update, insert, or_, select, update

from hub.catalogue import with_access
from hub.decisions.likeness import Evidence, Ground, alike, evidence, grounds, likeness_keys
from hub.searching.time_budgets import Cut
from hub.storage.text_index import index_of
from hub.tables import apart
from protocol.analysis import index_lines
from protocol.codec import decode_record
from protocol.errors import BadValue
from protocol.expressions import AnyOf, Column, Run
from protocol.records import Record
from protocol.vocabularies import AccessStatus
from protocol.wording import Text

ALIKE_MAX = 300
"""Alike records looked at for one record: more than a county has sites."""

LIKENESS_BUDGET_S = 2.0
"""Seconds that looking for what is alike may take."""

ALIKE_PAGE_MAX = 1_500
"""Candidates read for one page of hits; beyond, the numbers of alike records are said to be at least so many."""


Key = tuple[str, UUID]
"""Site and record id: the same record id at two sites is two entries."""


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """An entry of the catalogue by which likeness is judged."""

    site: str
    record: Record

    @property
    def key(self) -> Key:
        """What tells entries apart."""
        return self.site, self.record.record_id


class Alike(msgspec.Struct, frozen=True, kw_only=True):
    """One record that is like another, and why."""

    site: str
    record: Record
    evidence: tuple[Evidence, ...]
    apart: bool = False
    """Somebody decided that they are different things."""


class Likeness(msgspec.Struct, frozen=True, kw_only=True):
    """How many records are like one, and at which sites."""

    count: int = 0
    sites: tuple[str, ...] = ()
    at_least: bool = False
    """There were more candidates than were looked at."""


def alike_to(connection: Connection, one: Entry) -> list[Alike]:
    """Return the records that are like one, decisions noted, in the order of their sites."""
    candidates = _candidates(connection, _keys_of([one]), ALIKE_MAX + 1)
    parted = standing_decisions(connection, [one.record.record_id])
    found = [
        Alike(site=other.site, record=other.record, evidence=proof, apart=_pair(one, other) in parted)
        for other in candidates
        if other.key != one.key and alike(proof := evidence(one.record, other.record))
    ]
    return sorted(found, key=lambda like: (like.apart, like.site, like.record.ref_code))


def likeness_of(connection: Connection, entries: Sequence[Entry]) -> dict[Key, Likeness]:
    """Return how many records are like each of some entries; entries that nothing is like are left out.

    Takes one step an entry and one a candidate: a notice that three hundred villages filed is no dearer than others.
    """
    known = {one.key: one.record for one in entries}
    rows = _rows(connection, _keys_of(entries), ALIKE_PAGE_MAX)
    records = known | {
        (site, UUID(bytes=record_id)): decode_record(body)
        for site, record_id, _, body in rows
        if (site, UUID(bytes=record_id)) not in known
    }
    shared = _sharing(records)
    alike_ones = [key for key in known if key in shared]
    parted = _parted(standing_decisions(connection, [record_id for _, record_id in alike_ones])) if alike_ones else {}
    return {
        key: likeness
        for key in alike_ones
        if (likeness := _likeness(key, shared[key], parted, full=len(rows) == ALIKE_PAGE_MAX)).count
    }


class _Circle(msgspec.Struct, frozen=True, kw_only=True):
    """Records any of which share a ground with the one that is asked about."""

    keys: frozenset[Key]
    sites: Counter[str]


def _sharing(records: Mapping[Key, Record]) -> dict[Key, _Circle]:
    """Return the records that share a ground with others, each with all of them and itself."""
    members: dict[Ground, set[Key]] = {}
    grounds_of: dict[Key, tuple[Ground, ...]] = {}
    for key, record in records.items():
        grounds_of[key] = grounds(record)
        for ground in grounds_of[key]:
            members.setdefault(ground, set()).add(key)

    @functools.cache
    def circle(of: tuple[Ground, ...]) -> _Circle:
        keys = frozenset().union(*(members[ground] for ground in of))
        return _Circle(keys=keys, sites=Counter(site for site, _ in keys))

    return {key: found for key, of in grounds_of.items() if len((found := circle(of)).keys) > 1}


def _likeness(key: Key, circle: _Circle, parted: Mapping[bytes, Collection[bytes]], *, full: bool) -> Likeness:
    apart_from = parted.get(key[1].bytes, ())
    others = {key} | ({other for other in circle.keys if other[1].bytes in apart_from} if apart_from else set())
    sites = circle.sites - Counter(site for site, _ in others)
    return Likeness(count=sites.total(), sites=tuple(sorted(sites)), at_least=full)


def alike_on_page(connection: Connection, entries: Sequence[Entry]) -> set[tuple[Key, Key]]:
    """Return pairs of some entries that are like each other, so many that all who belong together hang together.

    Entries that nobody has set apart from anything hang on one of them; only the others are compared pair by pair, and
    of these there are no more than twice the decisions that persons have made.
    """
    members: dict[Ground, list[Key]] = {}
    for one in entries:
        for ground in grounds(one.record):
            members.setdefault(ground, []).append(one.key)
    crowded = [keys for keys in members.values() if len(keys) > 1]
    parted = _parted(standing_decisions(connection, [one.record.record_id for one in entries])) if crowded else {}
    pairs: set[tuple[Key, Key]] = set()
    for keys in crowded:
        free = next((key for key in keys if key[1].bytes not in parted), None)
        if free is not None:
            pairs |= {(free, key) for key in keys if key != free}
            continue
        pairs |= {(one, other) for one, other in combinations(keys, 2) if other[1].bytes not in parted[one[1].bytes]}
    return pairs


def _parted(pairs: Collection[tuple[bytes, bytes]]) -> dict[bytes, set[bytes]]:
    """Return what each record is apart from."""
    apart_from: dict[bytes, set[bytes]] = {}
    for first, second in pairs:
        apart_from.setdefault(first, set()).add(second)
        apart_from.setdefault(second, set()).add(first)
    return apart_from


def _keys_of(entries: Sequence[Entry]) -> set[str]:
    titles = index_lines([one.record.title for one in entries])
    return {key for one, title in zip(entries, titles, strict=True) for key in likeness_keys(one.record, title)}


def _candidates(connection: Connection, keys: Collection[str], limit: int) -> list[Entry]:
    return [
        Entry(site=site, record=with_access(decode_record(body), AccessStatus(status)))
        for site, _, status, body in _rows(connection, keys, limit)
    ]


def _rows(connection: Connection, keys: Collection[str], limit: int) -> Sequence[Row[*tuple[Any, ...]]]:
    """Return site, id, access status and body of the newest entries that have one of some keys."""
    if not keys:
        return ()
    index = index_of(connection)
    wanted = AnyOf(parts=tuple(Run(terms=(key,), columns=(Column.MARKS,)) for key in sorted(keys)))
    sql = (
        "SELECT entry.site, entry.record_id, entry.access_status, entry.body FROM"  # noqa: S608 - constants
        f" (SELECT rowid AS docid FROM {index.source} WHERE {index.matching} ORDER BY rowid DESC LIMIT ?) AS found"
        " JOIN entry ON entry.docid = found.docid WHERE entry.body IS NOT NULL"
    )
    try:
        with index.bounded(connection, LIKENESS_BUDGET_S, wanted):
            return connection.exec_driver_sql(sql, (index.question(connection, wanted), limit)).all()
    except Cut:
        # Which hits are alike is told beside them: better not told than waited for.
        return ()


# Decisions


class Decision(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody's word that two records are different things; reversed ones are kept."""

    first: UUID
    second: UUID
    decided_by: str
    decided_at_ms: int
    reversed_by: str | None = None
    reversed_at_ms: int | None = None


def set_apart(connection: Connection, one: UUID, other: UUID, by: str, now_ms: int) -> bool:
    """Note that two records are different things; False if that stands already.

    Raises:
        BadValue: a record cannot be set apart from itself.

    """
    if one == other:
        raise BadValue(Text(zh="不能把条目与它自己分开。", en="a record cannot be set apart from itself"))
    first, second = sorted((one.bytes, other.bytes))
    if (first, second) in standing_decisions(connection, [one]):
        return False
    connection.execute(insert(apart).values(first=first, second=second, decided_by=by, decided_at_ms=now_ms))
    return True


def bring_together(connection: Connection, one: UUID, other: UUID, by: str, now_ms: int) -> bool:
    """Reverse the decision that two records are apart; False if none stands."""
    return connection.execute(reversal(one, other, by, now_ms)).rowcount > 0


def reversal(one: UUID, other: UUID, by: str, now_ms: int) -> Update:
    """End a standing decision."""
    first, second = sorted((one.bytes, other.bytes))
    return (
        update(apart)
        .where(apart.c.first == first, apart.c.second == second, apart.c.reversed_at_ms.is_(None))
        .values(reversed_by=by, reversed_at_ms=now_ms)
    )


def decisions_statement(records: Iterable[UUID]) -> Select[*tuple[object, ...]]:
    """Every decision about some records, standing and reversed, oldest first."""
    ids = [record.bytes for record in records]
    return select(apart).where(or_(apart.c.first.in_(ids), apart.c.second.in_(ids))).order_by(apart.c.id)


def decisions_about(connection: Connection, record: UUID) -> list[Decision]:
    """Return every decision about a record, standing and reversed, oldest first."""
    return [
        Decision(
            first=UUID(bytes=row.first),
            second=UUID(bytes=row.second),
            decided_by=row.decided_by,
            decided_at_ms=row.decided_at_ms,
            reversed_by=row.reversed_by,
            reversed_at_ms=row.reversed_at_ms,
        )
        for row in connection.execute(decisions_statement([record]))
    ]


def standing_decisions(connection: Connection, records: Iterable[UUID]) -> set[tuple[bytes, bytes]]:
    """Return the pairs of ids that are apart and in which some records occur."""
    return {
        (row.first, row.second)
        for row in connection.execute(decisions_statement(records))
        if row.reversed_at_ms is None
    }


def _pair(one: Entry, other: Entry) -> tuple[bytes, bytes]:
    first, second = sorted((one.record.record_id.bytes, other.record.record_id.bytes))
    return first, second
