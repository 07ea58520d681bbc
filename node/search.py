"""The site's answers to calls: search, one record, digests, health; and the search that its keeper makes at the site.

What must not travel is in no answer to a call (promise 8); the keeper's own search finds it. An answer to a search is
made by one statement in one hop to the database's thread, because 232 sites may answer at the same moment on one
machine.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from uuid import UUID

import msgspec
from sqlalchemy import Connection

from node.explaining import Explainer
from node.search_plans import SearchPlan, plan_of
from node.search_statements import Statement, statement_of
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
from protocol.codec import decode_record
from protocol.limits import DIGEST_ROWS_MAX, SEARCH_HITS_MAX
from protocol.record_facts import subject_of
from replication import outbox
from replication.answering import AsOf, Handler, Said
from replication.database import Database
from replication.digests import Tally, digest_name, record_digest

CHECKED_HITS_MAX = 500
"""Records that are looked at one by one where the index finds more than is meant."""


class FoundRecord(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One record that was found."""

    seq: int
    body: bytes
    stage: str = ""
    """The rank in which it was found, "" where there are none."""


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """What a search found: how many in all, and the best of them."""

    total: int
    best: tuple[FoundRecord, ...]
    waiting: int = 0
    """Records, at most, that the index does not hold yet."""
    as_of: int | None = None
    """The position up to which it holds all, where records wait."""


def handlers(
    database: Database, position: Callable[[], AsOf], health: Callable[[], Awaitable[Health]]
) -> Mapping[type[QuestionHead], Handler]:
    """Return what answers each call.

    Args:
        database: the site's store.
        position: where the site's history stands.
        health: how the site is, as its signs of life say.

    """

    async def search(question: Search) -> Said:
        epoch, seq = position()
        finding = await find(database, question)
        hits = explained(finding, question) if question.with_matches else named(finding)
        outcome = Outcome.ANSWERED if finding.total else Outcome.NOTHING
        if finding.as_of is None:
            return outcome, hits
        # Of an epoch that has begun meanwhile, what waits knows no position yet: 0.
        return outcome, hits, (epoch, min(seq, finding.as_of))

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
    """Find records, the best rank first, newest first in each; an empty query finds all that filters let through."""
    plan = plan_of(question)
    if plan is None:
        return Finding(total=0, best=())
    return _meant(question, plan, await database.fetch(*_statement(question, plan, with_withheld=with_withheld)))


def find_in(connection: Connection, question: Search) -> Finding:
    """Do the same inside a transaction: for an answer that is logged as it is given."""
    plan = plan_of(question)
    if plan is None:
        return Finding(total=0, best=())
    sql, values = _statement(question, plan, with_withheld=False)
    return _meant(question, plan, [tuple(row) for row in connection.exec_driver_sql(sql, tuple(values))])


def _limit(question: Search) -> int:
    return max(0, min(question.limit, SEARCH_HITS_MAX))


def _statement(question: Search, plan: SearchPlan, *, with_withheld: bool) -> Statement:
    wanted = _limit(question) if plan.is_exact else CHECKED_HITS_MAX
    return statement_of(question, plan, limit=wanted, with_withheld=with_withheld)


def _meant(question: Search, plan: SearchPlan, rows: Sequence[tuple[object, ...]]) -> Finding:
    finding = _found(rows, plan.stages)
    if plan.is_exact:
        return finding
    meant = [one for one in finding.best if plan.matcher.satisfies(subject_of(decode_record(one.body)))]
    # Where there is too much to look at all of it, the total may be too high by what was not looked at.
    total = finding.total - (len(finding.best) - len(meant))
    return msgspec.structs.replace(finding, total=total, best=tuple(meant[: _limit(question)]))


def _found(rows: Sequence[tuple[object, ...]], stages: Sequence[tuple[str, str]]) -> Finding:
    *best, (total, as_of, waiting) = rows
    names = [name for name, _ in stages] or [""]
    return Finding(
        total=_number(total),
        waiting=_number(waiting or 0),
        as_of=None if as_of is None else _number(as_of),
        best=tuple(
            [FoundRecord(seq=_number(seq), body=_bytes(body), stage=names[_number(rank)]) for rank, seq, body in best]
        ),
    )


def named(finding: Finding) -> Hits:
    """Return what was found as an answer to one who does not ask for the reasons."""
    return Hits(
        total=finding.total,
        waiting=finding.waiting,
        hits=tuple([Hit(record=msgspec.Raw(one.body), seq=one.seq, stage=one.stage) for one in finding.best]),
    )


def explained(finding: Finding, question: Search) -> Hits:
    """Return what was found as an answer: each record with the fields in which the words were found."""
    explainer = Explainer(question)
    return Hits(
        total=finding.total,
        waiting=finding.waiting,
        hits=tuple(
            Hit(record=msgspec.Raw(one.body), seq=one.seq, stage=one.stage, matches=explainer.matches(one.body))
            for one in finding.best
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
