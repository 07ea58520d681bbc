"""Verification: proving that the hub holds of a site exactly what the site holds, or naming the records that differ.

A site says what it has as tallies of digests, at a position of its history that the answer names. The hub's own tallies
are compared only if everything up to that very position, and nothing more, is applied here; otherwise the two are not
comparable now, which is a third outcome and never taken for equal (promise 12). Where a fonds differs, its buckets are
compared, then the records of the buckets that differ.

The outcome is kept for the board, so that it can say "in sync" and mean it.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from contextlib import aclosing
from enum import StrEnum
from functools import partial
from types import MappingProxyType
from uuid import UUID

import msgspec
from sqlalchemy import Connection

from hub.catalogue import fonds_tallies, tally_from
from hub.repair import comparisons, repairs
from hub.repair.comparisons import Comparison, Sameness
from hub.repair.descent import Descent, Moved, differing, lines_of
from hub.repair.differences import Difference, DifferenceKind
from hub.repair.holdings import Cursor, HeldBody, page_of
from hub.repair.repairs import Cause, Finding, RepairKind
from hub.sites.board import Mark, marks
from protocol.calls import CompareDigests, DigestLine, Outcome
from protocol.errors import Retryable
from protocol.limits import CALL_DEADLINE_S
from protocol.sites import Site
from protocol.wording import Text
from replication.asking import Asker, SiteAnswer
from replication.database import Database
from replication.digests import Tally, record_digest

ATTEMPTS_MAX = 3
"""Times that a site is asked again because it moved on while it was compared."""

PAUSE_S = 0.3
"""Seconds between such attempts: an event in flight is applied within less."""

BODIES_AT_ONCE = 1_000
"""Bodies read at once when they are checked: under a megabyte."""

DIFFERING_MAX = 2_000
"""Differing records that are named, and repaired one by one; the others are counted."""


class Depth(StrEnum):
    """How far a comparison goes."""

    SUMS = "sums"
    """Sums of digests, and down to the records only where they differ."""
    BODIES = "bodies"
    """Also every body held here against the digest under which it is stored."""
    RECORDS = "records"
    """Every record of both ends, with digests taken anew from the bytes."""


class Scope(msgspec.Struct, frozen=True, kw_only=True):
    """How far a comparison goes, and why it is made: the cause stands in the repairs that it opens."""

    depth: Depth = Depth.SUMS
    cause: Cause = Cause.BACKGROUND


IN_BACKGROUND = Scope()


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
    kinds: Counter[DifferenceKind] = msgspec.field(default_factory=Counter)
    """How many records differ in which way."""
    is_comparable: bool = True
    """False if the site did not take part: only what is held here was checked."""


EQUAL = Text(zh="两端一致", en="equal at both ends")
DIFFERENT = Text(zh="两端不一致", en="the two ends differ")
DAMAGED = Text(zh="县级枢纽保存的内容已损坏", en="bodies held at the hub are damaged")
OFFLINE = Text(zh="站点离线，无法核对", en="the site is offline")
LATE = Text(zh="站点未按时答复", en="the site did not answer in time")
SILENT = Text(zh="站点未能答复", en="the site could not answer")
NOT_APPLIED = Text(zh="站点的变更尚未全部到达", en="events of the site are still on their way")
MOVING = Text(zh="站点正在变更，稍后再核对", en="the site kept changing while it was compared")
LINK_DOWN = Text(zh="与消息服务器的连接中断", en="no connection to the broker")

NOBODY: Mapping[Site, Text] = MappingProxyType({})
"""No site is known to be away."""


async def verify(
    database: Database,
    asker: Asker,
    sites: Sequence[Site],
    now_ms: Callable[[], int],
    *,
    away: Mapping[Site, Text] = NOBODY,
    scope: Scope = IN_BACKGROUND,
    deadline_s: float = CALL_DEADLINE_S,
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
) -> AsyncGenerator[Verdict, None]:
    """Compare sites and yield a verdict for each, as they come.

    Every verdict is kept for the board; one that differs opens a repair, one that is equal closes it.

    Args:
        database: the hub's.
        asker: opened.
        sites: whom to compare.
        now_ms: the wall clock.
        away: sites that are not asked, because they are offline or not on the line by design, and why.
        scope: how far to go, and why.
        deadline_s: seconds for each question.
        sleep: waits between attempts.

    """
    pending = list(sites)
    for attempt in range(ATTEMPTS_MAX):
        again: list[Site] = []
        last = attempt == ATTEMPTS_MAX - 1
        async for site, verdict in _round(database, asker, pending, away, scope.depth, deadline_s):
            if verdict.reason in (NOT_APPLIED, MOVING) and not last:
                again.append(site)
                continue
            checked = await _with_bodies(database, site, verdict) if scope.depth is Depth.BODIES else verdict
            await database.write(partial(_keep, verdict=checked, scope=scope, now_ms=now_ms()))
            yield checked
        if pending := again:
            await sleep(PAUSE_S)


def _unasked(site: Site, reason: Text) -> Verdict:
    return Verdict(site=site.code, state=Sameness.NOT_COMPARABLE, reason=reason)


async def _round(
    database: Database,
    asker: Asker,
    sites: Sequence[Site],
    away: Mapping[Site, Text],
    depth: Depth,
    deadline_s: float,
) -> AsyncGenerator[tuple[Site, Verdict], None]:
    told = {site for site in sites if site in away}
    for site in told:
        yield site, _unasked(site, away[site])
    try:
        asked = [site for site in sites if site not in told]
        async with aclosing(asker.ask(_whole, asked, deadline_s)) as answers:
            async for heard in answers:
                told.add(heard.site)
                yield heard.site, await _judged(database, asker, heard, depth, deadline_s)
    except Retryable:
        for site in sites:
            if site not in told:
                yield site, _unasked(site, LINK_DOWN)


def _whole(asker: str, question: str) -> CompareDigests:
    return CompareDigests(asker=asker, question=question)


async def _judged(database: Database, asker: Asker, heard: SiteAnswer, depth: Depth, deadline_s: float) -> Verdict:
    lines = lines_of(heard)
    if lines is None or heard.answer is None:
        reason = LATE if heard.outcome is Outcome.LATE else SILENT
        return Verdict(site=heard.site.code, state=Sameness.NOT_COMPARABLE, reason=reason)
    answer, code = heard.answer, heard.site.code
    mark, held = await database.read(lambda connection: (_mark(connection, code), _fonds(connection, code)))
    verdict = _counted(code, answer.epoch, answer.seq, lines, held)
    # A site that has never minted anything stands at 0, and so does the hub that has applied nothing of it.
    here = (mark.epoch, mark.position) if mark is not None else (answer.epoch, 0)
    if here != (answer.epoch, answer.seq):
        return verdict
    there = {line.part: line.digest for line in lines}
    unlike, all_fonds = differing(there, held), sorted(there.keys() | held.keys())
    if not unlike and depth is not Depth.RECORDS:
        return msgspec.structs.replace(verdict, state=Sameness.EQUAL, reason=EQUAL)
    descent = Descent(database, asker, heard.site, answer, deadline_s)
    try:
        found = await descent.whole(all_fonds) if depth is Depth.RECORDS else await descent.down(unlike)
    except Moved:
        return msgspec.structs.replace(verdict, reason=MOVING)
    mark = await database.read(lambda connection: _mark(connection, code))
    if mark is not None and (mark.epoch, mark.position) != (answer.epoch, answer.seq):
        return msgspec.structs.replace(verdict, reason=MOVING)
    return _with_differences(verdict, found)


def _counted(site: str, epoch: str, seq: int, lines: Sequence[DigestLine], held: dict[str, Tally]) -> Verdict:
    return Verdict(
        site=site,
        state=Sameness.NOT_COMPARABLE,
        reason=NOT_APPLIED,
        epoch=epoch,
        seq=seq,
        site_records=sum(line.count for line in lines),
        hub_records=sum(tally.count for tally in held.values()),
    )


def _with_differences(verdict: Verdict, found: Sequence[Difference]) -> Verdict:
    """Return the verdict of a comparison that went down to records."""
    damaged = sum(one.kind is DifferenceKind.DAMAGED_HERE for one in found)
    if not found:
        return msgspec.structs.replace(verdict, state=Sameness.EQUAL, reason=EQUAL)
    return msgspec.structs.replace(
        verdict,
        state=Sameness.DIFFERENT,
        reason=DIFFERENT if len(found) > damaged else DAMAGED,
        fonds=tuple(dict.fromkeys(one.fonds_no for one in found)),
        differing=len(found) - damaged,
        damaged=damaged,
        kinds=Counter(one.kind for one in found),
        differences=tuple(found[:DIFFERING_MAX]),
    )


# The hub's side


def _mark(connection: Connection, site: str) -> Mark | None:
    return marks(connection).get(site)


def _fonds(connection: Connection, site: str) -> dict[str, Tally]:
    return {row.fonds_no: tally_from(tuple(row)) for row in connection.execute(fonds_tallies(site))}


def _keep(connection: Connection, verdict: Verdict, scope: Scope, now_ms: int) -> None:
    """Keep a verdict for the board; one that says nothing about the records leaves the last one that did."""
    for kind in RepairKind:
        _note(connection, verdict, kind, scope.cause, now_ms)
    # The bodies here are read without the site; records are read with it.
    read = scope.depth is Depth.BODIES or (
        scope.depth is Depth.RECORDS and verdict.state is not Sameness.NOT_COMPARABLE
    )
    if read and not verdict.damaged:
        repairs.heal(connection, verdict.site, RepairKind.BODIES, now_ms)
    compared = verdict.state is not Sameness.NOT_COMPARABLE and verdict.is_comparable
    if not compared and verdict.site in comparisons.kept(connection):
        return
    # Damaged bodies have a repair of their own; by their stored digests the two ends hold the same.
    state = Sameness.DIFFERENT if verdict.differing else Sameness.EQUAL
    comparisons.keep(
        connection,
        Comparison(
            site=verdict.site,
            state=state if compared else Sameness.NOT_COMPARABLE,
            epoch=verdict.epoch,
            seq=verdict.seq,
            site_records=verdict.site_records,
            hub_records=verdict.hub_records,
            differing=verdict.differing,
            compared_at_ms=now_ms,
        ),
    )


def _note(connection: Connection, verdict: Verdict, kind: RepairKind, cause: Cause, now_ms: int) -> None:
    """Open a repair of a kind, if the verdict shows that one is needed."""
    is_body = kind is RepairKind.BODIES
    named = [one for one in verdict.differences if (one.kind is DifferenceKind.DAMAGED_HERE) == is_body]
    counts = Counter(
        {one: count for one, count in verdict.kinds.items() if (one is DifferenceKind.DAMAGED_HERE) == is_body}
    )
    if counts:
        found = Finding(
            site=verdict.site,
            epoch=verdict.epoch,
            seq=verdict.seq,
            fonds=tuple(dict.fromkeys(one.fonds_no for one in named)),
            counts=counts,
            named=named,
        )
        repairs.note(connection, kind, found, cause, now_ms)


async def _with_bodies(database: Database, site: Site, verdict: Verdict) -> Verdict:
    """Return the verdict with the bodies that have lost their digest, which needs no answer of the site."""
    damaged = await damaged_bodies(database, site.code)
    if not damaged:
        return verdict
    whole = _with_differences(verdict, [*verdict.differences, *damaged])
    is_comparable = verdict.state is not Sameness.NOT_COMPARABLE
    # What was only counted stays counted.
    kinds = verdict.kinds + Counter({DifferenceKind.DAMAGED_HERE: len(damaged)})
    return msgspec.structs.replace(whole, differing=verdict.differing, kinds=kinds, is_comparable=is_comparable)


async def damaged_bodies(database: Database, site: str) -> list[Difference]:
    """Return the records of a site whose bodies held here do not have their stored digest any more."""
    found: list[Difference] = []
    after = Cursor()
    while page := await database.read(partial(page_of, site=site, after=after, limit=BODIES_AT_ONCE)):
        found += damaged_of(page)
        after = page[-1].cursor
    return found


def damaged_of(bodies: Sequence[HeldBody]) -> list[Difference]:
    """Return those of some bodies that do not have their stored digest any more."""
    return [
        Difference(fonds_no=one.fonds_no, record_id=UUID(bytes=one.record_id), kind=DifferenceKind.DAMAGED_HERE)
        for one in bodies
        if record_digest(one.body) != one.digest
    ]
