"""What a query asks of the index: its stages with the filters in them, and what has to be checked besides."""

import functools
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING

import msgspec
from sqlalchemy import Connection

from hub.preparation import entry_row
from hub.searching.narrowing import Narrowing, filter_values, narrowing_of
from hub.searching.ordering import ordered
from hub.searching.rarity import Rarity
from hub.searching.sought import Check, Sought
from hub.searching.thinning import thinned
from hub.searching.time_budgets import TimeBudget
from hub.searching.walks import RANKS_MAX
from hub.storage.reindexing import INDEX_VERSION, index_state
from hub.storage.text_index import index_of
from hub.vocabulary.sound_alikes import sounding
from protocol.expressions import Column, Expression
from protocol.matching import Matcher
from protocol.plans import Plan, Stage, plan
from protocol.queries import parse
from protocol.query_dates import Period
from protocol.readings import Reading
from protocol.record_facts import Facts, subject_of
from protocol.records import Record
from protocol.row_matching import holds, holds_in, words_only, written

if TYPE_CHECKING:
    from hub.searching.search import Names, Query


class Question(msgspec.Struct, frozen=True, kw_only=True):
    """A query, ready to be asked of the index."""

    plan: Plan
    narrowing: Narrowing
    periods: tuple[Period, ...]
    is_stale: bool
    """Another version made the index: it may know no columns and no marks, and be of other terms."""
    is_building: bool
    """Its successor is being built: meanwhile it names entries that are gone."""
    thin: Callable[[Expression], Expression]
    """Returns what is asked of the index instead of an expression (``hub.searching.thinning``)."""
    order: Callable[[Expression], Expression]
    """Returns the same in the order in which the index is quickest (``hub.searching.ordering``)."""
    ranks_counted: bool
    """Whether entries are ranked while they are counted."""
    rarity: Rarity
    """How rare the terms are, as far as it was asked."""
    names: "Names | None" = None
    sounds: Mapping[str, tuple[Reading, ...]] = {}
    """The names that sound like each word, as far as they were looked for."""

    @property
    def stages(self) -> Sequence[Stage]:
        """The ranks; none for a query without words."""
        return self.plan.stages

    def readings(self, word: str) -> Sequence[Reading]:
        """Return what a word may also be read as."""
        others = self.names.of(word) if self.names is not None else ()
        return (*others, *self.sounds.get(word, ()))

    @property
    def all_found(self) -> Sought:
        """What all stages find together; the last of them holds all others."""
        sought = self._sought(self.plan.found_by)
        if sought.check is not None or not self.ranks_counted or not 0 < len(self.stages) <= RANKS_MAX:
            return sought
        return msgspec.structs.replace(sought, ranks=tuple(stage.expression for stage in self.stages[:-1]))

    def stage(self, number: int) -> Sought:
        """Return what a stage finds that no stage before it does."""
        return self._sought(self.plan.fresh(number) if self.stages else None)

    def rank(self, site: str, record: Record) -> int:
        """Return the number of the first stage that finds a record of a site which some stage finds."""
        terms_of = _columns(Facts(subject_of(record, site=site)))
        found = (number for number, stage in enumerate(self.stages) if holds_in(stage.expression, terms_of))
        return next(found, max(0, len(self.stages) - 1))

    def with_sounds(self, connection: Connection, budget: TimeBudget) -> "Question":
        """Return the question with the names that sound alike as its last stage; itself if there are none."""
        if self.names is None or self.is_stale:
            return self
        alike = {word: self.names.homophones(word) for word in self.plan.words}
        sounds = {
            word: found
            for word, homophones in alike.items()
            if homophones is not None and (found := sounding(connection, homophones, budget))
        }
        if not sounds:
            return self
        louder = msgspec.structs.replace(self, sounds=sounds)
        return msgspec.structs.replace(louder, plan=plan(self.plan.query, louder.readings))

    def _sought(self, expression: Expression | None) -> Sought:
        if self.is_stale:
            wanted = self.narrowing.of(expression)
            asked = words_only(wanted) if wanted is not None else None
            return Sought(expression=asked, periods=self.periods, check=self._check(expression, wanted, None))
        asked = self.thin(expression) if expression is not None else None
        unproven = expression if asked != expression else None
        check = self._check(expression, None, unproven)
        narrowed = self.narrowing.of(asked)
        in_order = self.order(narrowed) if narrowed is not None else None
        return Sought(expression=in_order, periods=self.periods, check=check, rarity=self.rarity)

    def _check(
        self, expression: Expression | None, in_row: Expression | None, in_record: Expression | None
    ) -> Check | None:
        """What the index was not asked, or cannot be, and so has to be looked up in the records."""
        checks: list[Check] = []
        if in_row is not None:
            checks.append(lambda site, record: holds(in_row, entry_row(site, record)))
        left_out = (self.narrowing.leaves_out, self.plan.unwanted) if expression is None else ()
        unwanted = [one for one in left_out if one is not None]
        if unwanted:
            checks.append(lambda site, record: not any(holds(one, entry_row(site, record)) for one in unwanted))
        if not self.plan.is_exact:
            matcher = Matcher(self.plan.query, self.readings)
            checks.append(lambda site, record: matcher.satisfies(subject_of(record, site=site)))
        if in_record is not None:
            # What stands in the title as it is written needs no cutting.
            literal = written(in_record)
            checks.append(
                lambda site, record: (
                    (literal is not None and literal in record.title)
                    or holds_in(in_record, _columns(Facts(subject_of(record, site=site))))
                )
            )
        return (lambda site, record: all(check(site, record) for check in checks)) if checks else None


def _columns(facts: Facts) -> Callable[[Column], str]:
    """The terms of each column of a record, cut when they are first asked for."""
    return lambda column: f" {facts.row[-1]} " if column is Column.MARKS else facts.column(column).terms


def question_of(connection: Connection, query: "Query", names: "Names | None") -> Question | None:
    """Return what a query asks of the index; None if its filters let nothing through.

    Raises:
        BadQuery: the words cannot be understood.

    """
    parsed = parse(query.words)
    made = plan(parsed, names.of) if names is not None else plan(parsed)
    values = filter_values(query.fonds_no, query.livelihood_kind, query.access_status or "", query.level or "")
    narrowing = narrowing_of(connection, query.site_glob, values, made.selections)
    if narrowing.is_empty:
        return None
    periods = made.periods
    if query.date_from is not None or query.date_to is not None:
        periods = (*periods, Period(first=query.date_from, last=query.date_to))
    state, rarity = index_state(connection), Rarity(connection)
    return Question(
        plan=made,
        narrowing=narrowing,
        periods=periods,
        is_stale=state.is_building or state.index_version != INDEX_VERSION,
        is_building=state.is_building,
        thin=functools.cache(partial(thinned, rarity)),
        order=functools.cache(partial(ordered, rarity)),
        ranks_counted=index_of(connection).orders_last,
        rarity=rarity,
        names=names,
    )
