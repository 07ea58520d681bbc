"""A question of the query language as the site's index is asked: ranked stages in the language of FTS5, and filters.

The same question comes to a hundred sites of one machine in a benchmark and again from everybody who looks at the next
page, so what it means is kept.
"""

import functools
from typing import Final

import msgspec

from protocol.calls import Search, WordReading
from protocol.fts5 import fts5_match
from protocol.matching import Matcher
from protocol.plans import Plan, plan
from protocol.query_dates import Period
from protocol.query_fields import Field
from protocol.search_calls import query_of, readings_of

PLANS_CACHED: Final = 32
"""Questions of which the meaning is kept."""

_COLUMNS: Final = {
    Field.FONDS: "fonds_no",
    Field.KIND: "livelihood_kind",
    Field.ACCESS: "access_status",
    Field.LEVEL: "level",
}
"""Columns that filters compare; which sites are meant the asker knows, who chose whom to ask."""


class SearchPlan(msgspec.Struct, frozen=True, kw_only=True):
    """What a question means here."""

    stages: tuple[tuple[str, str], ...]
    """Name of each rank and what finds the hits that no rank before it finds, the best first; none without words."""
    found_by: str | None
    """What finds the hits of all ranks; None for whatever the filters let through."""
    unwanted: str | None
    """What no hit is found by, where there are no ranks that say so."""
    clauses: tuple[str, ...]
    values: tuple[object, ...]
    matcher: Matcher
    is_exact: bool
    """Whether the index finds nothing that is not meant."""


def plan_of(question: Search) -> SearchPlan | None:
    """Return what a question means; None for one that has words, but none that can be searched."""
    return _planned(question.language, question.query, question.readings)


@functools.lru_cache(maxsize=PLANS_CACHED)
def _planned(language: str, words: str, told: tuple[WordReading, ...]) -> SearchPlan | None:
    question = Search(asker="", question="", query=words, language=language, readings=told)
    query, readings = query_of(question), readings_of(question)
    if not query.parts and query.text.strip():
        return None
    made = plan(query, readings)
    clauses, values = _clauses(made)
    return SearchPlan(
        stages=tuple((stage.name.value, fts5_match(made.fresh(at))) for at, stage in enumerate(made.stages)),
        found_by=fts5_match(made.found_by) if made.found_by is not None else None,
        unwanted=fts5_match(made.unwanted) if made.found_by is None and made.unwanted is not None else None,
        clauses=tuple(clauses),
        values=tuple(values),
        matcher=Matcher(made.query, readings),
        is_exact=made.is_exact,
    )


def _clauses(made: Plan) -> tuple[list[str], list[object]]:
    clauses: list[str] = []
    values: list[object] = []
    for selection in made.selections:
        if selection.field not in _COLUMNS:
            continue
        marks = ", ".join("?" * len(selection.values))
        clauses.append(f"record.{_COLUMNS[selection.field]} {'NOT ' if selection.is_excluded else ''}IN ({marks})")
        values += selection.values
    for period in made.periods:
        more, bounds = period_clauses(period)
        clauses += more
        values += bounds
    return clauses, values


def period_clauses(period: Period) -> tuple[list[str], list[object]]:
    """Return how the dates of a record are compared with a period."""
    clauses: list[str] = []
    values: list[object] = []
    if period.first is not None:
        clauses.append("coalesce(record.date_latest, record.date_earliest) >= ?")
        values.append(period.first.isoformat())
    if period.last is not None:
        clauses.append("coalesce(record.date_earliest, record.date_latest) <= ?")
        values.append(period.last.isoformat())
    return clauses, values
