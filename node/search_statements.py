"""The one statement by which a site's catalogue is searched, and its values. Pure.

One statement, so that hits and total are of one moment and cost one hop; two walks of the index, but nothing is put
aside and sorted: a third of what one walk with a window costs. A rank is only looked at if the ranks before it gave
less than was asked for.
"""

from collections.abc import Sequence

import msgspec

from node.indexing import IS_INDEXED, WAITING
from node.search_plans import SearchPlan, period_clauses
from protocol.calls import Search
from protocol.query_dates import Period

Statement = tuple[str, list[object]]

_FOUND = "FROM search JOIN record ON record.docid = search.rowid WHERE search MATCH ?"


class Narrowed(msgspec.Struct, frozen=True, kw_only=True):
    """The clauses behind ``WHERE`` that every hit passes, and their values."""

    clauses: Sequence[str]
    values: Sequence[object]

    @property
    def words(self) -> str:
        """The clauses, each with an AND before it."""
        return "".join(f" AND {clause}" for clause in self.clauses)


def statement_of(question: Search, plan: SearchPlan, *, limit: int, with_withheld: bool) -> Statement:
    """Return the statement; its rows are (rank, position, body), the best hit first.

    The last is (total, position up to which the index speaks, records that wait), with two NULLs if none waits.

    Args:
        question: what was asked.
        plan: what it means.
        limit: hits wanted.
        with_withheld: whether the keeper of the site asks.

    """
    standing = "record.standing <> 'gone'" if with_withheld else "record.standing = 'listed'"
    narrowed = _narrowed(question, plan)
    if plan.found_by is None:
        chosen = f"FROM record WHERE {standing}{narrowed.words}"
        # Without words and without words to leave out nothing is asked of the index.
        state = WAITING if plan.unwanted is not None else "SELECT NULL, NULL"
        hits = f"SELECT 0, record.seq, record.body {chosen} ORDER BY record.docid DESC LIMIT ?"
        return (
            f"SELECT * FROM ({hits}) UNION ALL SELECT (SELECT count(*) {chosen}), * FROM ({state})",  # noqa: S608 - constants
            [*narrowed.values, limit, *narrowed.values],
        )
    values: list[object] = []
    ranks = []
    for rank, (_, match) in enumerate(plan.stages):
        one = f"SELECT {rank}, record.seq, record.body {_FOUND} AND {standing}{narrowed.words}"
        ranks.append(f"SELECT * FROM ({one} ORDER BY search.rowid DESC LIMIT ?)")  # noqa: S608 - constants
        values += [match, *narrowed.values, limit]
    hits = f"SELECT * FROM ({' UNION ALL '.join(ranks)} LIMIT ?)"  # noqa: S608 - constants
    total, totalled = _total(plan.found_by, standing, narrowed, with_withheld=with_withheld)
    return f"{hits} UNION ALL SELECT ({total}), * FROM ({WAITING})", [*values, limit, *totalled]  # noqa: S608 - constants


def _total(match: str, standing: str, narrowed: Narrowed, *, with_withheld: bool) -> Statement:
    if narrowed.clauses:
        return f"SELECT count(*) {_FOUND} AND {standing}{narrowed.words}", [match, *narrowed.values]
    # When nothing else narrows them, records are counted by the index alone.
    all_found = "SELECT count(*) FROM search WHERE search MATCH ?"
    if with_withheld:
        return all_found, [match]
    # Withdrawn records are not in the index and withheld ones are few: no need to visit every record.
    withheld = (
        "SELECT count(*) FROM record CROSS JOIN search ON search.rowid = record.docid"
        " WHERE standing = 'withheld' AND search MATCH ?"
    )
    return f"SELECT ({all_found}) - ({withheld})", [match, match]


def _narrowed(question: Search, plan: SearchPlan) -> Narrowed:
    clauses, values = period_clauses(Period(first=question.date_from, last=question.date_to))
    given = (
        ("fonds_no", question.fonds_no),
        ("livelihood_kind", question.livelihood_kind),
        ("access_status", question.access_status and question.access_status.value),
        ("level", question.level and question.level.value),
    )
    for column, value in given:
        if value:
            clauses.append(f"record.{column} = ?")
            values.append(value)
    clauses += plan.clauses
    values += plan.values
    if plan.unwanted is not None:
        clauses += ["record.docid NOT IN (SELECT rowid FROM search WHERE search MATCH ?)", IS_INDEXED]
        values.append(plan.unwanted)
    return Narrowed(clauses=clauses, values=values)
