"""The federated answer: what the hub's index holds and what the sites say now, merged record by record.

The index answers first; its hits are shown while the sites are still being asked. How the pieces are put together is
in ``hub.searching.gathering``.
"""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing, suppress
from functools import partial

from sqlalchemy import Connection

from hub.courier import couriers
from hub.membership import keyring
from hub.repair import rebuilds
from hub.searching.gathering import Gathering, SiteFacts
from hub.searching.search import Names, Query, readings_of, search, totals_by_site
from hub.sites.board import NodeState, is_away, marks, matches, node_states
from protocol.calls import Search as SearchCall
from protocol.errors import Retryable
from protocol.limits import SCREEN_DEADLINE_S
from protocol.plans import Readings
from protocol.sites import parse_site
from protocol.wording import Text
from replication.asking import Asker
from replication.database import Database

ASK_EVERYONE_FROM = 16
"""Sites from which on one question to all costs less than one to each."""

COUNT_AFTER_S = 0.5
"""Seconds after which the hub's copy is counted for sites that have not answered yet, so that the count is there at the
deadline; if all answer before, nobody needs it."""


def sites_in_question(connection: Connection, query: Query) -> list[SiteFacts]:
    """Return every site that is expected, was seen or is applied, and that the query's site filter lets through."""
    names = keyring.site_names(connection)
    applied, seen, renewing = marks(connection), node_states(connection), rebuilds.pending(connection)
    carried = couriers.last_taken(connection)
    return [
        SiteFacts(
            site=site,
            name=names.get(site, ""),
            expected=site in names,
            mark=applied.get(site),
            node=seen.get(site),
            rebuilding=site in renewing,
            by_courier=_by_courier(carried[site], seen.get(site)) if site in carried else None,
        )
        for site in sorted(names.keys() | applied.keys() | seen.keys() | renewing.keys())
        if matches(site, query.site_glob)
    ]


def _by_courier(courier_at_ms: int | None, node: NodeState | None) -> Text | None:
    """Say why a site is not asked whose last word came on a stick; None for one that was heard on the line since."""
    seen_at_ms = node.seen_at_ms if node is not None else None
    return couriers.not_on_the_line(courier_at_ms) if couriers.has_last_word(courier_at_ms, seen_at_ms) else None


async def federated(
    database: Database,
    asker: Asker | None,
    query: Query,
    now_ms: int,
    *,
    deadline_s: float = SCREEN_DEADLINE_S,
    link_up: Callable[[], Awaitable[object]] | None = None,
    names: Names | None = None,
) -> AsyncGenerator[Gathering, None]:
    """Answer a query from the index and, with an asker, from the sites; yields the growing answer at each piece.

    The first piece is the index's; the last state has ``finished`` set, when every site has answered or ``deadline_s``
    is over. Sites that are offline by ``now_ms``, or come by courier, are not asked. ``link_up`` is awaited before the
    sites are asked; ``names`` says what words may also be read as. Raises BadQuery, and BadSetting for a cursor.
    """
    gathering, readings = await _begun(database, query, names)
    yield gathering
    silence = asyncio.Event()
    if any(facts.by_courier is not None for facts in gathering.facts.values()):
        silence.set()
    counting = asyncio.create_task(_counted(database, query, silence, names))
    try:
        if asker is not None:
            if link_up is not None:
                await link_up()
            async for state in _asked(gathering, asker, partial(query.call, readings=readings), now_ms, deadline_s):
                if state.latest is not None and state.latest.live_total is None:
                    silence.set()
                yield state
    finally:
        silence.set()
        await _take_totals(gathering, counting)
    gathering.finished = True
    yield gathering


async def whole_answer(
    database: Database, asker: Asker | None, query: Query, now_ms: int, names: Names | None
) -> Gathering:
    """Return the answer of index and sites when all have spoken, or the screen's deadline is over."""
    async with aclosing(federated(database, asker, query, now_ms, names=names)) as growing:
        # One and the same answer, as it grows: the last state is the whole of it.
        return [state async for state in growing][-1]


async def _begun(database: Database, query: Query, names: Names | None) -> tuple[Gathering, Readings]:
    """Return the answer of the index alone, and what words were read as for it."""
    sites, page = await database.read(
        lambda connection: (sites_in_question(connection, query), search(connection, query, names))
    )
    readings = readings_of(names, page)
    gathering = Gathering(query, sites, readings)
    gathering.take_index(page)
    return gathering, readings


async def _take_totals(gathering: Gathering, counting: asyncio.Task[tuple[dict[str, int], bool]]) -> None:
    if gathering.is_spoken_for:
        counting.cancel()
    # Awaited even if nobody listens any more, so that no error is lost with it.
    await asyncio.wait([counting])
    if not counting.cancelled():
        totals, exact = counting.result()
        gathering.take_totals(totals, exact=exact)


async def _counted(
    database: Database, query: Query, silence: asyncio.Event, names: Names | None
) -> tuple[dict[str, int], bool]:
    """Count the hits in the hub's copy as soon as that is wanted for some site, or may soon be."""
    with suppress(TimeoutError):
        async with asyncio.timeout(COUNT_AFTER_S):
            await silence.wait()
    return await database.read(lambda connection: totals_by_site(connection, query, names))


async def _asked(
    gathering: Gathering, asker: Asker, call: Callable[[str, str], SearchCall], now_ms: int, deadline_s: float
) -> AsyncGenerator[Gathering, None]:
    sites = {facts.site: parse_site(facts.site) for facts in gathering.facts.values() if facts.by_courier is None}
    offline = [site for code, site in sites.items() if _away(gathering.facts[code], now_ms)]
    everyone = not gathering.query.site_glob and len(sites) - len(offline) >= ASK_EVERYONE_FROM
    answers = asker.ask(call, list(sites.values()), deadline_s, offline=offline, everyone=everyone)
    try:
        async with aclosing(answers):
            async for heard in answers:
                gathering.take_answer(heard)
                yield gathering
    except Retryable as error:
        gathering.take_unasked(error.reason)


def _away(facts: SiteFacts, now_ms: int) -> bool:
    return facts.node is None or is_away(facts.node, now_ms)
