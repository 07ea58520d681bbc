"""Verification: proving that the hub holds of a site exactly what the site holds, or naming the records that differ.

A site says what it has as tallies of digests, at a position of its history that the answer names. The hub's own tallies
are compared only if everything up to that very position, and nothing more, is applied here; otherwise the two are not
comparable now, which is a third outcome and never taken for equal (promise 12). Where a fonds differs, its buckets are
compared, then the records of the buckets that differ.

The outcome is kept for the board, so that it can say "in sync" and mean it.
"""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Collection, Mapping, Sequence
from contextlib import aclosing
from enum import StrEnum
from uuid import UUID

import msgspec
from sqlalchemy import Connection, select

from hub import comparisons
from hub.board import Mark, marks
from hub.catalogue import bucket_digests, bucket_tallies, fonds_tallies, tally_from
from hub.comparisons import Comparison, Sameness
from hub.tables import entry
from protocol.calls import Answer, CompareDigests, DigestLine, Digests, Outcome
from protocol.errors import Retryable
from protocol.limits import CALL_DEADLINE_S
from protocol.sites import Site
from protocol.wording import Text
from replication.asking import Asker, SiteAnswer
from replication.database import Database
from replication.digests import Tally, digest_name, record_digest

ATTEMPTS_MAX = 3
"""Times that a site is asked again because it moved on while it was compared."""

PAUSE_S = 0.3
"""Seconds between such attempts: an event in flight is applied within less."""

BODIES_AT_ONCE = 1_000
"""Bodies read at once by a deep verification: under a megabyte."""

DIFFERING_MAX = 200
"""Differing records that are named; the others are counted."""


class DifferenceKind(StrEnum):
    """How one record differs."""

    MISSING_HERE = "missing_here"
    MISSING_THERE = "missing_there"
    OTHER_CONTENT = "other_content"


class Difference(msgspec.Struct, frozen=True, kw_only=True):
    """One record that the two ends do not hold alike."""

    fonds_no: str
    record_id: UUID
    kind: DifferenceKind


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """One site compared: the outcome, why, and what differs."""

    site: str
    state: Sameness
    reason: Text
    epoch: str = ""
    seq: int = 0
    site_records: int = 0
    hub_records: int = 0
    fonds: tuple[str, ...] = ()
    """Fonds that differ."""
    differing: int = 0
    differences: tuple[Difference, ...] = ()
    """The first ``DIFFERING_MAX`` of them."""
    damaged: int = 0
    """Bodies held here whose digest is not the stored one; looked for only when asked."""


EQUAL = Text(zh="两端一致", en="equal at both ends")
DIFFERENT = Text(zh="两端不一致", en="the two ends differ")
DAMAGED = Text(zh="县级节点保存的内容已损坏", en="bodies held at the hub are damaged")
OFFLINE = Text(zh="站点离线，无法核对", en="the site is offline")
LATE = Text(zh="站点未按时答复", en="the site did not answer in time")
SILENT = Text(zh="站点未能答复", en="the site could not answer")
NOT_APPLIED = Text(zh="站点的变更尚未全部到达", en="events of the site are still on their way")
MOVING = Text(zh="站点正在变更，稍后再核对", en="the site kept changing while it was compared")
LINK_DOWN = Text(zh="与消息服务器的连接中断", en="no connection to the broker")

_UNANSWERED = {Outcome.OFFLINE: OFFLINE, Outcome.LATE: LATE}


class _Moved(Exception):
    """The site's position changed between two questions of one comparison."""


async def verify(
    database: Database,
    asker: Asker,
    sites: Sequence[Site],
    now_ms: Callable[[], int],
    *,
    offline: Collection[Site] = (),
    deep: bool = False,
    deadline_s: float = CALL_DEADLINE_S,
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
) -> AsyncGenerator[Verdict, None]:
    """Compare sites and yield a verdict for each, as they come; every verdict is kept for the board.

    Args:
        database: the hub's.
        asker: opened.
        sites: whom to compare.
        now_ms: the wall clock.
        offline: sites that are known to be away; they cost nothing.
        deep: also read every body held here again and check it against its stored digest.
        deadline_s: seconds for each question.
        sleep: waits between attempts.

    """
    pending = list(sites)
    for attempt in range(ATTEMPTS_MAX):
        again: list[Site] = []
        last = attempt == ATTEMPTS_MAX - 1
        async for site, verdict in _round(database, asker, pending, offline, deadline_s):
            if verdict.reason in (NOT_APPLIED, MOVING) and not last:
                again.append(site)
                continue
            checked = await _deepened(database, site, verdict) if deep else verdict
            await database.write(lambda connection, one=checked: _keep(connection, one, now_ms()))  # type: ignore[misc]
            yield checked
        if not again:
            return
        pending = again
        await sleep(PAUSE_S)


async def _round(
    database: Database, asker: Asker, sites: Sequence[Site], offline: Collection[Site], deadline_s: float
) -> AsyncGenerator[tuple[Site, Verdict], None]:
    told: set[Site] = set()
    try:
        async with aclosing(asker.ask(_whole, sites, deadline_s, offline=offline)) as answers:
            async for heard in answers:
                told.add(heard.site)
                yield heard.site, await _judged(database, asker, heard, deadline_s)
    except Retryable:
        for site in sites:
            if site not in told:
                yield site, Verdict(site=site.code, state=Sameness.NOT_COMPARABLE, reason=LINK_DOWN)


def _whole(asker: str, question: str) -> CompareDigests:
    return CompareDigests(asker=asker, question=question)


async def _judged(database: Database, asker: Asker, heard: SiteAnswer, deadline_s: float) -> Verdict:
    lines = _lines(heard)
    if lines is None or heard.answer is None:
        reason = _UNANSWERED.get(heard.outcome, SILENT)
        return Verdict(site=heard.site.code, state=Sameness.NOT_COMPARABLE, reason=reason)
    answer, code = heard.answer, heard.site.code
    mark, held = await database.read(lambda connection: (_mark(connection, code), _fonds(connection, code)))
    verdict = Verdict(
        site=code,
        state=Sameness.NOT_COMPARABLE,
        reason=NOT_APPLIED,
        epoch=answer.epoch,
        seq=answer.seq,
        site_records=sum(line.count for line in lines),
        hub_records=sum(tally.count for tally in held.values()),
    )
    # A site that has never minted anything stands at 0, and so does the hub that has applied nothing of it.
    here = (mark.epoch, mark.position) if mark is not None else (answer.epoch, 0)
    if here != (answer.epoch, answer.seq):
        return verdict
    differing = _differing({line.part: line.digest for line in lines}, held)
    if not differing:
        return msgspec.structs.replace(verdict, state=Sameness.EQUAL, reason=EQUAL)
    try:
        found = await _drill(database, asker, heard.site, answer, differing, deadline_s)
    except _Moved:
        return msgspec.structs.replace(verdict, reason=MOVING)
    return msgspec.structs.replace(
        verdict,
        state=Sameness.DIFFERENT,
        reason=DIFFERENT,
        fonds=tuple(differing),
        differing=len(found),
        differences=tuple(found[:DIFFERING_MAX]),
    )


def _lines(heard: SiteAnswer) -> tuple[DigestLine, ...] | None:
    answer = heard.answer
    if heard.outcome not in (Outcome.ANSWERED, Outcome.NOTHING) or answer is None:
        return None
    if answer.body is None and heard.outcome is Outcome.NOTHING:
        return ()
    return answer.body.lines if isinstance(answer.body, Digests) else None


def _differing(there: Mapping[str, str], here: Mapping[str, Tally]) -> list[str]:
    """Return the parts whose digests differ; a part that one end does not have is empty there."""
    empty = Tally().digest
    parts = sorted(there.keys() | here.keys())
    return [part for part in parts if there.get(part, empty) != here.get(part, Tally()).digest]


# Down to the records


async def _drill(
    database: Database, asker: Asker, site: Site, at: Answer, fonds: Sequence[str], deadline_s: float
) -> list[Difference]:
    found: list[Difference] = []
    for fonds_no in fonds:
        there = {line.part: line.digest for line in await _asked(asker, site, at, deadline_s, fonds_no=fonds_no)}
        here = await database.read(lambda connection, part=fonds_no: _buckets(connection, site.code, part))  # type: ignore[misc]
        for bucket in _differing(there, here):
            found += await _records(database, asker, site, at, fonds_no, int(bucket), deadline_s)
    mark = await database.read(lambda connection: _mark(connection, site.code))
    if mark is not None and (mark.epoch, mark.position) != (at.epoch, at.seq):
        raise _Moved
    return found


async def _records(
    database: Database, asker: Asker, site: Site, at: Answer, fonds_no: str, bucket: int, deadline_s: float
) -> list[Difference]:
    there = {
        UUID(line.part): line.digest
        for line in await _asked(asker, site, at, deadline_s, fonds_no=fonds_no, bucket=bucket)
    }
    rows = await database.read(lambda connection: connection.execute(bucket_digests(site.code, fonds_no, bucket)).all())
    here = {UUID(bytes=record_id): digest_name(digest) for record_id, digest in rows}
    return [
        Difference(fonds_no=fonds_no, record_id=record_id, kind=_kind(record_id in here, record_id in there))
        for record_id in sorted(here.keys() | there.keys())
        if here.get(record_id) != there.get(record_id)
    ]


def _kind(is_here: bool, is_there: bool) -> DifferenceKind:  # noqa: FBT001 - two facts of the same rank
    if is_here and is_there:
        return DifferenceKind.OTHER_CONTENT
    return DifferenceKind.MISSING_THERE if is_here else DifferenceKind.MISSING_HERE


async def _asked(
    asker: Asker, site: Site, at: Answer, deadline_s: float, *, fonds_no: str, bucket: int | None = None
) -> list[DigestLine]:
    """Return all lines of one depth, asking on while the site has more; raises ``_Moved`` if it stands elsewhere."""
    lines: list[DigestLine] = []
    while True:
        after = UUID(lines[-1].part) if lines and bucket is not None else None

        def compose(name: str, question: str, after: UUID | None = after) -> CompareDigests:
            return CompareDigests(asker=name, question=question, fonds_no=fonds_no, bucket=bucket, after=after)

        heard = await asker.ask_one(compose, site, deadline_s)
        more = _lines(heard)
        if more is None or heard.answer is None or (heard.answer.epoch, heard.answer.seq) != (at.epoch, at.seq):
            raise _Moved
        lines += more
        body = heard.answer.body
        if not more or not isinstance(body, Digests) or not body.more:
            return lines


# The hub's side


def _mark(connection: Connection, site: str) -> Mark | None:
    return marks(connection).get(site)


def _fonds(connection: Connection, site: str) -> dict[str, Tally]:
    return {row.fonds_no: tally_from(tuple(row)) for row in connection.execute(fonds_tallies(site))}


def _buckets(connection: Connection, site: str, fonds_no: str) -> dict[str, Tally]:
    return {str(row.bucket): tally_from(tuple(row)) for row in connection.execute(bucket_tallies(site, fonds_no))}


def _keep(connection: Connection, verdict: Verdict, now_ms: int) -> None:
    """Keep a verdict for the board; one that says nothing about the records leaves the last one that did."""
    if verdict.state is Sameness.NOT_COMPARABLE and verdict.site in comparisons.kept(connection):
        return
    comparisons.keep(
        connection,
        Comparison(
            site=verdict.site,
            state=verdict.state,
            epoch=verdict.epoch,
            seq=verdict.seq,
            site_records=verdict.site_records,
            hub_records=verdict.hub_records,
            differing=verdict.differing,
            compared_at_ms=now_ms,
        ),
    )


async def _deepened(database: Database, site: Site, verdict: Verdict) -> Verdict:
    damaged = await database.read(lambda connection: damaged_bodies(connection, site.code))
    if not damaged:
        return verdict
    return msgspec.structs.replace(verdict, state=Sameness.DIFFERENT, reason=DAMAGED, damaged=damaged)


def damaged_bodies(connection: Connection, site: str) -> int:
    """Return how many bodies of a site do not have their stored digest any more."""
    docids = connection.execute(select(entry.c.docid).where(entry.c.site == site, entry.c.body.is_not(None)))
    damaged = 0
    for some in batched(list(docids.scalars()), BODIES_AT_ONCE):
        rows = connection.execute(select(entry.c.digest, entry.c.body).where(entry.c.docid.in_(some)))
        damaged += sum(record_digest(body) != digest for digest, body in rows)
    return damaged


def batched(docids: Sequence[int], size: int) -> list[Sequence[int]]:
    """Return the ids in runs of at most ``size``."""
    return [docids[start : start + size] for start in range(0, len(docids), size)]
