"""Comparing in the background: so that "in sync" on the board is proved soon after each change, and stays proved.

A site that is online and wholly applied, but was not compared at its present position, is compared; so is one that was
found to differ, until it does no longer. Every night each site is compared once more with all that the hub holds of it,
for bytes can change without any event; of a site that comes by courier, what is held here is read. What differs is
repaired (``hub.repair.repairing``, promise 4).
"""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from functools import partial

import structlog
from sqlalchemy import Connection

from hub.courier.couriers import not_on_the_line
from hub.repair import night, tombstones
from hub.repair.comparisons import Sameness
from hub.repair.night import NightHour
from hub.repair.repairing import Repairer
from hub.repair.repairs import Cause
from hub.repair.verification import IN_BACKGROUND, NOBODY, Depth, Scope, Verdict, verify
from hub.sites.board import Facts, compared_here, gathered, is_away, is_by_courier, lag_of
from protocol.beats import Want
from protocol.errors import Retryable
from protocol.sites import Site, parse_site
from protocol.wording import Text
from replication.asking import Asker
from replication.database import Database

COMPARE_EVERY_S = 5.0
"""Seconds between looks for sites to compare."""

SITES_AT_ONCE = 32
"""Sites compared in one go: their answers are small, but each sums up its whole catalogue for it."""

NIGHTLY_AT_ONCE = 4
"""Sites checked in one go at night: the hub reads all that it holds of each."""

AGAIN_AFTER_MS = 60_000
"""Milliseconds before a site that could not be compared, or differed, is tried again."""

AT_NIGHT = Scope(depth=Depth.BODIES, cause=Cause.NIGHTLY)

log = structlog.get_logger(__name__)


class Comparer:
    """Compares what needs comparing; ``run`` is its loop."""

    def __init__(
        self,
        database: Database,
        asker: Asker,
        now_ms: Callable[[], int],
        *,
        hour: NightHour | None = None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._database = database
        self._asker = asker
        self._now_ms = now_ms
        self._hour = hour or NightHour()
        self._sleep = sleep
        self._repairer = Repairer(database, asker, now_ms)
        self._tried_at_ms: dict[str, int] = {}
        self._tried_tonight_ms: dict[str, int] = {}

    async def run(self) -> None:
        """Compare, for ever."""
        while True:
            try:
                await self.step()
                await self.nightly_step()
            except Retryable as error:
                log.warning("comparison_postponed", reason=error.reason.en)
            await self._sleep(COMPARE_EVERY_S)

    async def step(self) -> list[Verdict]:
        """Compare the sites that need it now, and see to those that differ."""
        facts = await self._database.read(lambda connection: gathered(connection, with_counts=False))
        chosen = to_compare(facts, self._now_ms(), self._tried_at_ms)[:SITES_AT_ONCE]
        verdicts = await self._verified(chosen, IN_BACKGROUND, self._tried_at_ms)
        carried = frozenset(one.site for one in facts if is_by_courier(one))
        for site in await self._repairer.step(carried):
            # It is compared again as soon as what it was asked for has arrived.
            self._tried_at_ms.pop(site, None)
        return verdicts

    async def nightly_step(self) -> list[Verdict]:
        """Check the sites whose turn of this night has come, or came while they were away."""
        facts = await self._database.read(lambda connection: gathered(connection, with_counts=False))
        checked = await self._database.read(night.checked_at)
        now_ms = self._now_ms()
        due = frozenset(
            one.site for one in facts if checked.get(one.site, 0) < self._hour.latest_turn(one.site, now_ms)
        )
        chosen = nightly_due(facts, due, now_ms, self._tried_tonight_ms)[:NIGHTLY_AT_ONCE]
        carried = {
            parse_site(one.site): not_on_the_line(one.courier_at_ms)
            for one in facts
            if one.site in chosen and is_by_courier(one)
        }
        verdicts = await self._verified(chosen, AT_NIGHT, self._tried_tonight_ms, carried)
        for verdict in verdicts:
            compared = verdict.state is not Sameness.NOT_COMPARABLE and verdict.is_comparable
            if compared or parse_site(verdict.site) in carried:
                await self._database.write(partial(_checked, verdict=verdict, now_ms=self._now_ms()))
                pruning = partial(tombstones.prune, site=verdict.site, now_ms=self._now_ms())
                while await self._database.write(pruning):
                    log.info("tombstones_pruned", site=verdict.site)
        return verdicts

    async def _verified(
        self, chosen: Sequence[str], scope: Scope, tried_at_ms: dict[str, int], away: Mapping[Site, Text] = NOBODY
    ) -> list[Verdict]:
        verdicts: list[Verdict] = []
        sites = [parse_site(one) for one in chosen]
        async for verdict in verify(self._database, self._asker, sites, self._now_ms, away=away, scope=scope):
            verdicts.append(verdict)
            if verdict.state is Sameness.EQUAL:
                tried_at_ms.pop(verdict.site, None)
            else:
                tried_at_ms[verdict.site] = self._now_ms()
        return verdicts


def _checked(connection: Connection, verdict: Verdict, now_ms: int) -> None:
    night.note(connection, verdict.site, verdict.state, now_ms)
    tombstones.note_horizon(connection, verdict.site, now_ms)


def to_compare(facts: Sequence[Facts], now_ms: int, tried_at_ms: Mapping[str, int]) -> list[str]:
    """Return the sites that are online and applied but not equal where they stand; longest waiting first."""
    due = [
        one.site
        for one in facts
        if _needs_comparing(one, now_ms) and now_ms - tried_at_ms.get(one.site, 0) >= AGAIN_AFTER_MS
    ]
    return sorted(due, key=lambda site: tried_at_ms.get(site, 0))


def _needs_comparing(one: Facts, now_ms: int) -> bool:
    compared = compared_here(one)
    return _is_applied(one, now_ms) and (compared is None or compared.state is Sameness.DIFFERENT)


def _is_applied(one: Facts, now_ms: int) -> bool:
    """Tell whether a site is online, and everything that it has minted is applied here."""
    node, mark = one.node, one.mark
    if node is None or not one.enrolled_nodes or is_away(node, now_ms) or is_by_courier(one):
        # A bundle is a sign of life, and yet nobody there can be asked: it was compared when it was taken.
        return False
    is_asked = mark is not None and mark.want is not Want.NOTHING
    return not is_asked and not lag_of(node, mark)


def _is_carried(one: Facts) -> bool:
    return one.enrolled_nodes > 0 and is_by_courier(one)


def nightly_due(facts: Sequence[Facts], due: Collection[str], now_ms: int, tried_at_ms: Mapping[str, int]) -> list[str]:
    """Return the sites of ``due`` that are online and wholly applied, or come by courier; longest waiting first.

    Of a courier's site only what is held here is read: its bundle was compared when it was taken.
    """
    chosen = [
        one.site
        for one in facts
        if one.site in due
        and (_is_applied(one, now_ms) or _is_carried(one))
        and now_ms - tried_at_ms.get(one.site, 0) >= AGAIN_AFTER_MS
    ]
    return sorted(chosen, key=lambda site: tried_at_ms.get(site, 0))
