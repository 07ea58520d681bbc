"""The site's answers to calls: search, one record, digests, health; and the search that its keeper makes at the site.

What must not travel is in no answer to a call (promise 8); the keeper's own search finds it. An answer to a search is
made by one statement in one hop to the database's thread, because 232 sites may answer at the same moment on one
machine.
"""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import Connection

from node.explaining import Explainer
from protocol.analysis import match_query
from protocol.calls import (
    AskHealth,
    Body,
    CompareDigests,
    DigestLine,
    Digests,
    Found,
    GetRecord,
    Health,
    Hit,
    Hits,
    Outcome,
    QuestionHead,
    Search,
)
from protocol.limits import DIGEST_ROWS_MAX, SEARCH_HITS_MAX
from replication import outbox
from replication.database import Database
from replication.digests import Tally, digest_name, record_digest

Handler = Callable[[Any], Awaitable[tuple[Outcome, Body | None] | tuple[Outcome, Body | None, tuple[str, int]]]]
"""Answers one kind of question (``replication.answering``)."""


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """What a search found: how many in all, and the newest of them as (position, body)."""

    total: int
    newest: tuple[tuple[int, bytes], ...]


def handlers(database: Database, health: Callable[[], Awaitable[Health]]) -> Mapping[type[QuestionHead], Handler]:
    """Return what answers each call.

    Args:
        database: the site's store.
        health: how the site is, as its signs of life say.

    """

    async def search(question: Search) -> tuple[Outcome, Body | None]:
        finding = await find(database, question)
        hits = explained(finding, question) if question.with_matches else named(finding)
        return (Outcome.ANSWERED if finding.total else Outcome.NOTHING), hits

    async def get(question: GetRecord) -> tuple[Outcome, Body | None]:
        rows = await database.fetch(
            "SELECT seq, body FROM record WHERE record_id = ? AND standing = 'listed'", (question.record_id.bytes,)
        )
        for seq, body in rows:
            return Outcome.ANSWERED, Found(record=msgspec.Raw(_bytes(body)), seq=_number(seq))
        return Outcome.NOTHING, None

    async def compare(question: CompareDigests) -> tuple[Outcome, Body | None, tuple[str, int]]:
        return await database.read(lambda connection: digests(connection, question))

    async def ask_health(_question: AskHealth) -> tuple[Outcome, Body | None]:
        return Outcome.ANSWERED, await health()

    return {Search: search, GetRecord: get, CompareDigests: compare, AskHealth: ask_health}


async def find(database: Database, question: Search, *, with_withheld: bool = False) -> Finding:
    """Find records, newest first; an empty query finds all that the filters let through."""
    statement = _statement(question, with_withheld=with_withheld)
    if statement is None:
        return Finding(total=0, newest=())
    *newest, (total, _) = await database.fetch(*statement)
    return Finding(total=_number(total), newest=tuple([(_number(seq), _bytes(body)) for seq, body in newest]))


def _statement(question: Search, *, with_withheld: bool) -> tuple[str, list[object]] | None:
    """Return the statement and its values, or None for a query in which nothing can be searched.

    Its rows are the hits as (position, body), and behind them the total as (number, NULL).
    """
    limit = max(0, min(question.limit, SEARCH_HITS_MAX))
    narrowed, filters = _filters(question)
    standing = "record.standing <> 'gone'" if with_withheld else "record.standing = 'listed'"
    if not question.query.strip():
        chosen, values = f"FROM record WHERE {standing}{narrowed}", filters
        total, total_values = f"SELECT count(*) {chosen}", values
        order = "record.docid"
    else:
        match = match_query(question.query)
        if match is None:
            return None
        chosen = f"FROM search JOIN record ON record.docid = search.rowid WHERE search MATCH ? AND {standing}{narrowed}"
        values = [match, *filters]
        order = "search.rowid"
        total, total_values = f"SELECT count(*) {chosen}", values
        if not narrowed:
            total, total_values = _total_of_words(match, with_withheld=with_withheld)
    # Two walks of the index, but nothing is put aside and sorted: a third of what one walk with a window costs. One
    # statement, so that both are of one moment and cost one hop.
    sql = (
        f"SELECT * FROM (SELECT record.seq, record.body {chosen} ORDER BY {order} DESC LIMIT ?)"  # noqa: S608 - built from constants
        f" UNION ALL SELECT ({total}), NULL"
    )
    return sql, [*values, limit, *total_values]


def _total_of_words(match: str, *, with_withheld: bool) -> tuple[str, list[object]]:
    """Return how the records that hold some words are counted when nothing else narrows them: by the index alone."""
    all_found = "SELECT count(*) FROM search WHERE search MATCH ?"
    if with_withheld:
        return all_found, [match]
    # Withdrawn records are not in the index and withheld ones are few: no need to visit every record.
    withheld = (
        "SELECT count(*) FROM record CROSS JOIN search ON search.rowid = record.docid"
        " WHERE standing = 'withheld' AND search MATCH ?"
    )
    return f"SELECT ({all_found}) - ({withheld})", [match, match]


def _filters(question: Search) -> tuple[str, list[object]]:
    clauses: list[str] = []
    values: list[object] = []

    def narrow(clause: str, value: object) -> None:
        clauses.append(f" AND {clause}")
        values.append(value)

    if question.date_from is not None:
        narrow("record.date_latest >= ?", question.date_from.isoformat())
    if question.date_to is not None:
        narrow("record.date_earliest <= ?", question.date_to.isoformat())
    if question.fonds_no:
        narrow("record.fonds_no = ?", question.fonds_no)
    if question.livelihood_kind:
        narrow("record.livelihood_kind = ?", question.livelihood_kind)
    if question.access_status is not None:
        narrow("record.access_status = ?", question.access_status.value)
    if question.level is not None:
        narrow("record.level = ?", question.level.value)
    return "".join(clauses), values


def named(finding: Finding) -> Hits:
    """Return what was found as an answer to one who does not ask for the reasons."""
    return Hits(
        total=finding.total, hits=tuple([Hit(record=msgspec.Raw(body), seq=seq) for seq, body in finding.newest])
    )


def explained(finding: Finding, question: Search) -> Hits:
    """Return what was found as an answer: each record with the fields in which the words were found."""
    explainer = Explainer(question)
    return Hits(
        total=finding.total,
        hits=tuple(
            Hit(record=msgspec.Raw(body), seq=seq, matches=explainer.matches(body)) for seq, body in finding.newest
        ),
    )


def digests(connection: Connection, question: CompareDigests) -> tuple[Outcome, Body | None, tuple[str, int]]:
    """Return digests at the depth asked, with the position at which they hold: both are of one moment."""
    here = outbox.head(connection)
    as_of = (here.epoch, here.seq) if here is not None else ("", 0)
    if question.fonds_no is None:
        lines = _tallies(connection, "fonds_no", "", ())
    elif question.bucket is None:
        lines = _tallies(connection, "bucket", " AND fonds_no = ?", (question.fonds_no,))
    else:
        return Outcome.ANSWERED, _records(connection, question.fonds_no, question.bucket, question), as_of
    return Outcome.ANSWERED, Digests(lines=lines), as_of


def _tallies(connection: Connection, part: str, narrowed: str, values: tuple[object, ...]) -> tuple[DigestLine, ...]:
    rows = connection.exec_driver_sql(
        f"SELECT {part}, count(*), sum(digest >> 32), sum(digest & 0xffffffff) FROM record"  # noqa: S608 - constants
        f" WHERE standing = 'listed'{narrowed} GROUP BY {part} ORDER BY {part}",
        values,
    )
    return tuple(
        DigestLine(part=str(name), count=count, digest=Tally(count=count, high=high, low=low).digest)
        for name, count, high, low in rows
    )


def _records(connection: Connection, fonds_no: str, bucket: int, question: CompareDigests) -> Digests:
    after = question.after.bytes if question.after is not None else b""
    until = bucket if question.until is None else question.until
    rows = connection.exec_driver_sql(
        "SELECT record_id, digest, CASE WHEN ? THEN body END FROM record INDEXED BY record_by_bucket"
        " WHERE standing = 'listed' AND fonds_no = ? AND bucket >= ? AND bucket <= ? AND (bucket > ? OR record_id > ?)"
        " ORDER BY bucket, record_id LIMIT ?",
        (question.anew, fonds_no, bucket, until, bucket, after, DIGEST_ROWS_MAX + 1),
    ).all()
    lines = tuple(
        DigestLine(
            part=str(UUID(bytes=record_id)),
            count=1,
            digest=digest_name(digest if body is None else record_digest(body)),
        )
        for record_id, digest, body in rows[:DIGEST_ROWS_MAX]
    )
    return Digests(lines=lines, more=len(rows) > DIGEST_ROWS_MAX)


def _number(value: object) -> int:
    if not isinstance(value, int):
        message = f"a number was expected, not {type(value).__name__}"
        raise TypeError(message)
    return value


def _bytes(value: object) -> bytes:
    if not isinstance(value, bytes):
        message = f"bytes were expected, not {type(value).__name__}"
        raise TypeError(message)
    return value
