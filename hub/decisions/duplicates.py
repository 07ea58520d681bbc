"""Alike records: which entries of the catalogue may describe the same document, with the evidence, never merged.

A cluster is not stored: it is what the likeness keys find and ``likeness.evidence`` proves, seen from one record. A
person may decide that two records are apart; the decision is kept with who made it and when, and can be reversed,
which is kept as well.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from itertools import combinations
from uuid import UUID

import msgspec
from sqlalchemy import Connection, Select, Update, insert, or_, select, update

from hub.catalogue import with_access
from hub.decisions.likeness import Evidence, alike, evidence, likeness_keys
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


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """An entry of the catalogue by which likeness is judged."""

    site: str
    record: Record

    @property
    def key(self) -> tuple[str, UUID]:
        """What tells entries apart: the same record id at two sites is two entries."""
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
    candidates = _candidates(connection, _keys_of([one])[one.key], ALIKE_MAX + 1, [one])
    parted = standing_decisions(connection, [one.record.record_id])
    found = [
        Alike(site=other.site, record=other.record, evidence=proof, apart=_pair(one, other) in parted)
        for other in candidates
        if other.key != one.key and alike(proof := evidence(one.record, other.record))
    ]
    return sorted(found, key=lambda like: (like.apart, like.site, like.record.ref_code))


def likeness_of(connection: Connection, entries: Sequence[Entry]) -> dict[tuple[str, UUID], Likeness]:
    """Return how many records are like each of some entries; entries that nothing is like are left out."""
    keys = _keys_of(entries)
    wanted = {key for some in keys.values() for key in some}
    candidates = _candidates(connection, wanted, ALIKE_PAGE_MAX, entries)
    # Nearly every candidate is one of the entries, which finds itself.
    theirs = keys | _keys_of([one for one in candidates if one.key not in keys])
    by_key: dict[str, list[Entry]] = {}
    for candidate in candidates:
        for key in theirs[candidate.key]:
            by_key.setdefault(key, []).append(candidate)
    crowded = {key for key, some in by_key.items() if len(some) > 1}
    entries = [one for one in entries if not crowded.isdisjoint(keys[one.key])]
    parted = standing_decisions(connection, [one.record.record_id for one in entries]) if entries else set()
    return {
        one.key: likeness
        for one in entries
        if (likeness := _likeness(one, keys[one.key], by_key, parted, full=len(candidates) == ALIKE_PAGE_MAX)).count
    }


def _likeness(
    one: Entry,
    keys: Collection[str],
    by_key: Mapping[str, list[Entry]],
    parted: Collection[tuple[bytes, bytes]],
    *,
    full: bool,
) -> Likeness:
    others = {other.key: other for key in keys for other in by_key.get(key, ())}
    others.pop(one.key, None)
    like = [
        other
        for other in others.values()
        if _pair(one, other) not in parted and alike(evidence(one.record, other.record))
    ]
    return Likeness(count=len(like), sites=tuple(sorted({other.site for other in like})), at_least=full)


def alike_on_page(connection: Connection, entries: Sequence[Entry]) -> set[tuple[tuple[str, UUID], tuple[str, UUID]]]:
    """Return the pairs of some entries that are like each other, each pair once, without those that are apart."""
    keys = _keys_of(entries)
    by_key: dict[str, list[Entry]] = {}
    for one in entries:
        for key in keys[one.key]:
            by_key.setdefault(key, []).append(one)
    pairs = {(one.key, other.key): (one, other) for some in by_key.values() for one, other in combinations(some, 2)}
    parted = standing_decisions(connection, [one.record.record_id for one in entries]) if pairs else set()
    return {
        pair
        for pair, (one, other) in pairs.items()
        if _pair(one, other) not in parted and alike(evidence(one.record, other.record))
    }


def _keys_of(entries: Sequence[Entry]) -> dict[tuple[str, UUID], list[str]]:
    titles = index_lines([one.record.title for one in entries])
    return {one.key: likeness_keys(one.record, title) for one, title in zip(entries, titles, strict=True)}


def _candidates(connection: Connection, keys: Collection[str], limit: int, known: Sequence[Entry]) -> list[Entry]:
    """Return the entries with one of some keys, the newest first; what is known already is not read again."""
    if not keys:
        return []
    index = index_of(connection)
    wanted = AnyOf(parts=tuple(Run(terms=(key,), columns=(Column.MARKS,)) for key in sorted(keys)))
    sql = (
        "SELECT entry.site, entry.record_id, entry.access_status, entry.body FROM"  # noqa: S608 - constants
        f" (SELECT rowid AS docid FROM {index.source} WHERE {index.matching} ORDER BY rowid DESC LIMIT ?) AS found"
        " JOIN entry ON entry.docid = found.docid WHERE entry.body IS NOT NULL"
    )
    try:
        with index.bounded(connection, LIKENESS_BUDGET_S, wanted):
            rows = connection.exec_driver_sql(sql, (index.question(connection, wanted), limit)).all()
    except Cut:
        # Which hits are alike is told beside them: better not told than waited for.
        return []
    held = {(one.site, one.record.record_id.bytes): one for one in known}
    return [
        held.get((site, record_id)) or Entry(site=site, record=with_access(decode_record(body), AccessStatus(status)))
        for site, record_id, status, body in rows
    ]


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
