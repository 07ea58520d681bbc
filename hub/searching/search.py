"""Searching the unified catalogue: the query language and filters, in ranks, honest totals, and why each hit is there.

A query becomes a plan of ranked stages (``protocol.plans``); each stage is walked newest first, for row ids are
year-major, and finds only what no stage before it found. Totals and facets are those of all stages together: exact up
to ``TOTAL_MAX``, "more than" beyond, for nobody reads on, and counting further would cost more than the search. The
index holds only what has a body, so withdrawn records are never found. Every search has a time budget; one that was cut
says so.
"""

import datetime
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Protocol

import msgspec
from msgspec.structs import replace
from sqlalchemy import Connection

from hub.decisions.duplicates import Likeness
from hub.searching.cursors import Cursor, opened, sealed
from hub.searching.facets import Facets, facets_of, sites_of
from hub.searching.hit_rows import HitRow, Look, hit_rows, in_groups, one_by_one
from hub.searching.questions import Question, question_of
from hub.searching.sought import ABOVE_ALL
from hub.searching.stage_walk import Ranked, of_counted, ranked
from hub.searching.time_budgets import SEARCH_BUDGET_S, TimeBudget
from hub.searching.walks import TOTAL_MAX, Faces, faces_of, total_of
from protocol.calls import Match
from protocol.calls import Search as SearchCall
from protocol.limits import SEARCH_HITS_DEFAULT, SEARCH_HITS_MAX
from protocol.matching import Matcher
from protocol.plans import Readings, StageName
from protocol.queries import parse
from protocol.readings import Homophones, Reading
from protocol.record_facts import subject_of
from protocol.records import Record
from protocol.search_calls import with_language
from protocol.vocabularies import AccessStatus, Level

GROUPED_PAGES_MAX = 3
"""Pages of hits that are looked at to fill one page with groups."""


class Names(Protocol):
    """What words may also be read as (``hub.vocabulary.readings``)."""

    def of(self, word: str) -> Sequence[Reading]:
        """Return the other readings of a word."""

    def homophones(self, word: str) -> Homophones | None:
        """Return what a person's name sounds like."""


class Query(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What somebody looks for; empty filters do not narrow, empty words find all that the filters let through."""

    words: str = ""
    """In the language of ``protocol.queries``."""
    site_glob: str = ""
    """Site codes, with ``*`` and ``?``: 330523108* is a town and its villages."""
    date_from: datetime.date | None = None
    date_to: datetime.date | None = None
    fonds_no: str = ""
    livelihood_kind: str = ""
    access_status: AccessStatus | None = None
    level: Level | None = None
    limit: int = SEARCH_HITS_DEFAULT
    cursor: str = ""
    """Where the page before ended; empty for the first."""
    sounds: bool | None = None
    """Whether names that sound alike are looked for as well; None for: where there is less than a page without."""
    with_facets: bool = False

    def call(self, asker: str, question: str, readings: Readings = lambda _: ()) -> SearchCall:
        """Return the same question as it is asked of a site; the few hits that are shown are explained here."""
        plain = SearchCall(
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
        return with_language(plain, parse(self.words), readings)

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
    stage: StageName | None = None
    """The rank in which it was found first; None where the query has no words."""
    group: int = 0
    """Number of its group on the page: an item and its volume, or entries that are alike, stand together."""


class Tally(msgspec.Struct, frozen=True, kw_only=True):
    """What was counted for a page, so that the pages behind it need not count again."""

    total: int
    is_whole: bool
    is_upper_bound: bool
    is_sounding: bool
    """Whether names that sound alike were counted too."""
    facets: Facets | None


class Page(msgspec.Struct, frozen=True, kw_only=True):
    """The best entries that match, and how many there are."""

    total: int
    exact: bool
    """False if there are more than ``total``, or nobody knows."""
    hits: tuple[Found, ...]
    is_upper_bound: bool = False
    """There may be fewer than ``total``: the index finds more than was meant, and not all of it was looked at."""
    was_cut: bool = False
    """The time was over before everything was looked at: there may be more, and better ones."""
    facets: Facets | None = None
    cursor: str = ""
    """Where the next page begins; empty if there is none."""
    sounds: Mapping[str, tuple[Reading, ...]] = {}
    """The names that sound like words of the query and were looked for as well."""
    tally: Tally | None = None
    """None where nothing can be found."""


def search(
    connection: Connection,
    query: Query,
    names: Names | None = None,
    *,
    budget_s: float = SEARCH_BUDGET_S,
    is_bare: bool = False,
    tally: Tally | None = None,
) -> Page:
    """Search the catalogue on one snapshot; ``is_bare``: neither groups, nor what is like a hit, nor why it is there.

    With the ``tally`` of the page before, total and facets are those of that page. Raises BadQuery for words that
    cannot be understood, and BadSetting for the cursor of another query.
    """
    budget = TimeBudget(budget_s)
    question = question_of(connection, query, names)
    if question is None:
        return Page(total=0, exact=True, hits=(), facets=Facets() if query.with_facets else None)
    look = one_by_one if is_bare else partial(in_groups, connection)
    counted = _counted(connection, query, question, budget, tally)
    question, tally = counted.question, counted.tally
    hits, last = _found(connection, query, counted, budget, look)
    return Page(
        total=max(min(tally.total, TOTAL_MAX), len(hits)),
        exact=tally.is_whole and not tally.is_upper_bound and not question.is_building,
        hits=_explained(question, hits, is_bare=is_bare),
        is_upper_bound=tally.is_upper_bound,
        was_cut=budget.was_cut,
        facets=tally.facets,
        cursor=sealed(last, _identity(query)) if last is not None else "",
        sounds=question.sounds,
        tally=tally,
    )


def _found(
    connection: Connection, query: Query, counted: "_Counted", budget: TimeBudget, look: Look
) -> tuple[list[HitRow], Cursor | None]:
    """Return the hits of a page, and where it ended; None at the end of all."""
    question, tally = counted.question, counted.tally
    if counted.named is not None and len(counted.named) <= query.hits_max and not query.cursor:
        return look(_ranked_here(question, hit_rows(connection, counted.named)))[0], None
    if not tally.total and tally.is_whole:
        return [], None
    # What was counted a moment ago tells when everything is found: the ranks behind it need not be walked.
    is_known = tally.is_whole and not tally.is_upper_bound and not query.cursor
    most = tally.total if is_known else None
    walk = _Walk(question=question, begin=counted.begin, known=counted.best, most=most, budget=budget)
    return _page(connection, walk, query.hits_max, look)


class _Counted(msgspec.Struct, frozen=True, kw_only=True):
    """What was learnt before the first hit is read."""

    question: Question
    tally: Tally
    begin: Cursor
    best: Sequence[Ranked] = ()
    """The first hits, where they were ranked while they were counted."""
    named: Sequence[int] | None = None
    """All that is found, newest first, where it is so little that the count has named it."""


def _counted(
    connection: Connection, query: Query, question: Question, budget: TimeBudget, known: Tally | None
) -> _Counted:
    """Count what a question finds; its question has the names that sound alike if it needs them."""
    begin = opened(query.cursor, _identity(query)) if query.cursor else None
    if begin is not None and known is not None:
        question = question.with_sounds(connection, budget) if known.is_sounding else question
        return _Counted(question=question, tally=known, begin=begin)
    plain, counted = question, _count(connection, question, query, budget)
    if _wants_sounds(query, question, counted, begin):
        question = question.with_sounds(connection, budget)
        if question is not plain:
            counted = _count(connection, question, query, budget)
    tally = Tally(
        total=counted.total,
        is_whole=counted.is_whole,
        is_upper_bound=counted.is_upper_bound,
        is_sounding=question is not plain,
        facets=facets_of(counted) if query.with_facets else None,
    )
    first = _beginning(counted)
    best = of_counted(counted.best, first) if begin is None and not budget.was_cut else []
    return _Counted(question=question, tally=tally, begin=begin or first, best=best, named=counted.docids)


def readings_of(names: Names | None, found: Page) -> Readings:
    """Return the readings with which an answer was found; names that sound alike as far as the index held them."""
    if names is None:
        return lambda _: ()
    return lambda word: (*names.of(word), *found.sounds.get(word, ()))


def totals_by_site(connection: Connection, query: Query, names: Names | None = None) -> tuple[dict[str, int], bool]:
    """Return how many hits each site has in the index, and whether all hits were counted."""
    question = question_of(connection, query, names)
    if question is None:
        return {}, True
    counted = faces_of(connection, question.all_found, TimeBudget(), TOTAL_MAX)
    return sites_of(counted), counted.is_whole and not counted.is_upper_bound and not question.is_building


def _identity(query: Query) -> bytes:
    """What a cursor belongs to: the query without what only says how much of it is shown."""
    return msgspec.json.encode(replace(query, cursor="", with_facets=False, limit=SEARCH_HITS_DEFAULT))


def _count(connection: Connection, question: Question, query: Query, budget: TimeBudget) -> Faces:
    count = faces_of if query.with_facets else total_of
    return count(connection, question.all_found, budget, TOTAL_MAX)


def _wants_sounds(query: Query, question: Question, counted: Faces, begin: Cursor | None) -> bool:
    """Tell whether names that sound alike are a stage of this page: asked for, or because there is so little."""
    if query.sounds is not None:
        return query.sounds
    is_last = begin is not None and begin.stage >= len(question.stages) > 0
    return is_last or (counted.is_whole and counted.total < query.hits_max)


def _beginning(counted: Faces) -> Cursor:
    """Where the first page begins: among the newest entries, if more were found than are counted."""
    floor, near = (0, 0) if counted.is_whole else (counted.lowest, counted.near)
    return Cursor(stage=0, below=ABOVE_ALL, ceiling=ABOVE_ALL, floor=floor, near=near)


class _Walk(msgspec.Struct, frozen=True, kw_only=True):
    """Where the hits of a page are found."""

    question: Question
    begin: Cursor
    known: Sequence[Ranked]
    """The first of them, if they are known already."""
    most: int | None
    """How many there are from ``begin`` on; None where nobody knows."""
    budget: TimeBudget

    def next(self, connection: Connection, read: Sequence[Ranked], limit: int) -> Sequence[Ranked]:
        """Return the hits behind those that were read."""
        end = len(read) + limit
        if len(self.known) >= (end if self.most is None else min(end, self.most)):
            return self.known[len(read) : end]
        stages = [partial(self.question.stage, number) for number in range(len(self.question.stages) or 1)]
        place = read[-1].place if read else self.begin
        rest = self.most - len(read) if self.most is not None else None
        return ranked(connection, stages, self.question.all_found, place, limit, self.budget, rest)


def _page(connection: Connection, walk: _Walk, limit: int, look: Look) -> tuple[list[HitRow], Cursor | None]:
    """Return the hits of a page in the order in which they are shown, and where it ended; None at the end of all."""
    rows: list[HitRow] = []
    read: list[Ranked] = []
    shown: list[HitRow] = []
    groups, wanted, more = 0, limit, False
    while wanted > 0 and len(read) < GROUPED_PAGES_MAX * limit:
        # One more than is shown tells whether there is a next page.
        part = walk.next(connection, read, wanted + 1)
        more = len(part) > wanted
        read += part[:wanted]
        stage_of = {hit.docid: hit.stage for hit in part[:wanted]}
        rows += [replace(row, stage=stage_of[row.docid]) for row in hit_rows(connection, list(stage_of))]
        shown, groups = look(rows)
        wanted = limit - groups if more else 0
    if not read or not more:
        return shown, None
    return shown, read[-1].place


def _ranked_here(question: Question, rows: Sequence[HitRow]) -> list[HitRow]:
    """Return all that is found in its ranks: those of a page of records are told sooner than walked along."""
    told = [replace(row, stage=question.rank(row.site, row.record)) for row in rows]
    return sorted(told, key=lambda row: row.stage)


def _explained(question: Question, rows: Sequence[HitRow], *, is_bare: bool) -> tuple[Found, ...]:
    has_reasons = bool(question.stages and rows) and not is_bare
    matcher = Matcher(question.plan.query, question.readings) if has_reasons else None
    return tuple(
        Found(
            site=row.site,
            epoch=row.epoch,
            seq=row.seq,
            record=row.record,
            matches=matcher.why(subject_of(row.record, site=row.site)) if matcher is not None else (),
            likeness=row.likeness,
            stage=question.stages[row.stage].name if question.stages else None,
            group=row.group,
        )
        for row in rows
    )
