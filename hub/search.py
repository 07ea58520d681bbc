"""Searching the unified catalogue: words and filters, newest first, an honest total, and why each hit was found.

The index holds only what has a body, so withdrawn records are never found. Totals are exact up to ``TOTAL_MAX`` and
"more than" beyond: nobody reads on, and counting further would cost more than the search. Row ids are year-major, so
"newest first" and the earlier bound of a date filter are a walk along the index.
"""

import datetime
from collections.abc import Mapping, Sequence
from uuid import UUID

import msgspec
from sqlalchemy import Connection

from hub.catalogue import SERIALS_A_YEAR, with_access
from hub.duplicates import Entry, Likeness, likeness_of
from hub.preparation import indexed_fields
from hub.reindexing import index_state
from hub.text_index import TextIndex, index_of
from protocol.analysis import explain, match_query
from protocol.calls import Match
from protocol.calls import Search as SearchCall
from protocol.codec import decode_record
from protocol.errors import BadValue
from protocol.limits import SEARCH_HITS_DEFAULT, SEARCH_HITS_MAX
from protocol.records import Record
from protocol.vocabularies import AccessStatus, Level

TOTAL_MAX = 20_000
"""Hits that are counted; beyond, the total is said to be more than this."""

SITES_ENTRIES_MAX = 10_000
"""Entries of the sites that a site filter lets through, up to which their row numbers are gathered first and compared
with what the index finds: a word that most of the county's entries hold then costs a fifth. A town has thousands."""

WALK_FROM_PAGES = 10
"""Pages of hits from which on the newest page is met soon enough by a walk over all that the index finds."""


class Query(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What somebody looks for; empty filters do not narrow, empty words find all that the filters let through."""

    words: str = ""
    site_glob: str = ""
    """Site codes, with ``*`` and ``?``: 330523108* is a town and its villages."""
    date_from: datetime.date | None = None
    date_to: datetime.date | None = None
    fonds_no: str = ""
    livelihood_kind: str = ""
    access_status: AccessStatus | None = None
    level: Level | None = None
    limit: int = SEARCH_HITS_DEFAULT

    def call(self, asker: str, question: str) -> SearchCall:
        """Return the same question as it is asked of a site; the few hits that are shown are explained here."""
        return SearchCall(
            asker=asker,
            question=question,
            query=self.words,
            limit=self.hits_max,
            date_from=self.date_from,
            date_to=self.date_to,
            fonds_no=self.fonds_no,
            livelihood_kind=self.livelihood_kind,
            access_status=self.access_status,
            level=self.level,
            with_matches=False,
        )

    @property
    def hits_max(self) -> int:
        """Hits to show, within bounds."""
        return max(1, min(self.limit, SEARCH_HITS_MAX))


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """One entry of the catalogue that matches."""

    site: str
    epoch: str
    """The site's own name for the epoch that numbers ``seq``."""
    seq: int
    record: Record
    matches: tuple[Match, ...] = ()
    likeness: Likeness = Likeness()


class Page(msgspec.Struct, frozen=True, kw_only=True):
    """The newest entries that match, and how many there are."""

    total: int
    exact: bool
    """False if there are more than ``total``."""
    hits: tuple[Found, ...]


def search(connection: Connection, query: Query) -> Page:
    """Search the catalogue; several statements on one snapshot."""
    # While a new index is built the old one still names entries that are gone.
    stale = index_state(connection).is_building
    numbered = not stale and _is_numbered(connection, query)
    chosen = _chosen(index_of(connection), query, numbered=numbered, stale=stale)
    if chosen is None:
        return Page(total=0, exact=True, hits=())
    total = _total(connection, *chosen, needs_entry=_narrows(query, numbered=numbered) or stale)
    if numbered and total >= WALK_FROM_PAGES * query.hits_max:
        chosen = _chosen(index_of(connection), query) or chosen
    hits = _hits(connection, *chosen, query) if total else ()
    return Page(total=min(total, TOTAL_MAX), exact=total <= TOTAL_MAX and not stale, hits=hits)


def totals_by_site(connection: Connection, query: Query) -> tuple[dict[str, int], bool]:
    """Return how many hits each site has in the index, and whether all hits were counted."""
    stale = index_state(connection).is_building
    chosen = _chosen(index_of(connection), query, numbered=not stale and _is_numbered(connection, query), stale=stale)
    if chosen is None:
        return {}, True
    source, clauses, values = chosen
    rows = connection.exec_driver_sql(
        f"SELECT site, count(*) FROM (SELECT entry.site AS site FROM {source} WHERE {clauses} LIMIT ?) AS found"  # noqa: S608 - built from constants
        " GROUP BY site",
        (*values, TOTAL_MAX + 1),
    )
    counts: dict[str, int] = {site: count for site, count in rows}  # noqa: C416 - rows are not pairs to a type checker
    return counts, sum(counts.values()) <= TOTAL_MAX and not stale


_Chosen = tuple[str, str, list[object]]
_OF_SITES = "glob(?, entry.site)"
# The plus sign: compared for each row that the index finds. Without it the index would be asked for each number.
_NUMBERED = "+search.rowid IN (SELECT docid FROM entry WHERE glob(?, site) AND body IS NOT NULL)"


def _is_numbered(connection: Connection, query: Query) -> bool:
    """Tell whether words are looked for at so few sites that the numbers of their entries are gathered first."""
    if not query.site_glob or not query.words.strip():
        return False
    held: int = connection.exec_driver_sql(
        "SELECT count(*) FROM (SELECT 1 FROM entry WHERE glob(?, site) AND body IS NOT NULL LIMIT ?) AS held",
        (query.site_glob, SITES_ENTRIES_MAX + 1),
    ).scalar_one()
    return held <= SITES_ENTRIES_MAX


def _chosen(index: TextIndex, query: Query, *, numbered: bool = False, stale: bool = False) -> _Chosen | None:
    """Return source, clauses and values, or None for words in which nothing can be searched."""
    narrowed, values = _filters(query)
    if numbered:
        narrowed = [_NUMBERED if clause == _OF_SITES else clause for clause in narrowed]
    if not query.words.strip():
        return "entry", " AND ".join(["entry.body IS NOT NULL", *narrowed]), values
    match = match_query(query.words)
    if match is None:
        return None
    clauses = [index.matching, *(["entry.body IS NOT NULL"] if stale else [])]
    matched: list[object] = [index.question(match)]
    if query.date_from is not None:
        # The latest date sorts a row, so nothing below this year can reach the filter.
        clauses.append("search.rowid >= ?")
        matched.append(query.date_from.year * SERIALS_A_YEAR)
    return index.joined, " AND ".join([*clauses, *narrowed]), [*matched, *values]


def _filters(query: Query) -> tuple[list[str], list[object]]:
    given: Sequence[tuple[str, object]] = (
        (_OF_SITES, query.site_glob),
        ("entry.date_latest >= ?", query.date_from and query.date_from.isoformat()),
        ("entry.date_earliest <= ?", query.date_to and query.date_to.isoformat()),
        ("entry.fonds_no = ?", query.fonds_no),
        ("entry.livelihood_kind = ?", query.livelihood_kind),
        ("entry.access_status = ?", query.access_status and query.access_status.value),
        ("entry.level = ?", query.level and query.level.value),
    )
    present = [(clause, value) for clause, value in given if value]
    return [clause for clause, _ in present], [value for _, value in present]


def _narrows(query: Query, *, numbered: bool) -> bool:
    clauses = _filters(query)[0]
    return any(not numbered or clause != _OF_SITES for clause in clauses)


def _total(connection: Connection, source: str, clauses: str, values: list[object], *, needs_entry: bool) -> int:
    # Without filters the index alone can count.
    counted = source if needs_entry or source == "entry" else "search"
    total: int = connection.exec_driver_sql(
        f"SELECT count(*) FROM (SELECT 1 FROM {counted} WHERE {clauses} LIMIT ?) AS found",  # noqa: S608 - built from constants
        (*values, TOTAL_MAX + 1),
    ).scalar_one()
    return total


def _hits(connection: Connection, source: str, clauses: str, values: list[object], query: Query) -> tuple[Found, ...]:
    order = "entry.docid" if source == "entry" else "search.rowid"
    rows = connection.exec_driver_sql(
        "SELECT entry.site, site_epoch.epoch, entry.seq, entry.access_status, entry.body"  # noqa: S608 - built from constants
        f" FROM {source} LEFT JOIN site_epoch ON site_epoch.site = entry.site AND site_epoch.ordinal = entry.epoch"
        f" WHERE {clauses} ORDER BY {order} DESC LIMIT ?",
        (*values, query.hits_max),
    ).all()
    found = [
        (site, epoch or "", seq, with_access(record, AccessStatus(status)))
        for site, epoch, seq, status, body in rows
        if (record := _readable(body)) is not None
    ]
    alike = likeness_of(connection, [Entry(site=site, record=record) for site, _, _, record in found])
    return tuple(_found(query, *one, alike) for one in found)


def _readable(body: bytes) -> Record | None:
    # One entry that the disk has spoilt must not fail the search; the nightly check finds and repairs it.
    try:
        return decode_record(body)
    except BadValue:
        return None


def _found(
    query: Query, site: str, epoch: str, seq: int, record: Record, alike: Mapping[tuple[str, UUID], Likeness]
) -> Found:
    return Found(
        site=site,
        epoch=epoch,
        seq=seq,
        record=record,
        matches=matches_in(query.words, record),
        likeness=alike.get((site, record.record_id), Likeness()),
    )


def matches_in(words: str, record: Record) -> tuple[Match, ...]:
    """Return in which fields of a record the words stand, and what had to be done to find them there."""
    if not words.strip():
        return ()
    return tuple(Match(field=field, how=how.value) for field, how in explain(words, indexed_fields(record)))
