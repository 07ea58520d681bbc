"""What the sites themselves say over the interface: a search that asks them all, and what a brake holds."""

import asyncio
from typing import Final

import msgspec

from hub.decisions.conflict_rulings import count, waiting
from hub.searching.federation import whole_answer
from hub.searching.gathering import Gathering, MergedHit, SiteReport
from hub.searching.search import Query
from hub.web.api.asked import Asked
from hub.web.api.catalogue import is_open, note_closed, public_part
from hub.web.api.shapes import (
    BrakesAnswer,
    BrakesOfSite,
    ContradictionsAnswer,
    ContradictionsAsked,
    LiveAnswer,
    LiveAsked,
    LiveHit,
    Nothing,
)
from hub.web.faults import Missing, TooMany
from hub.web.forms import clean
from hub.web.held_changes import ask_brakes
from protocol.calls import HeldLines
from protocol.errors import BadValue
from protocol.sites import parse_site
from protocol.vocabularies import AccessStatus

LIVE_COST: Final = 10
"""Requests for which a search of all sites counts: it has every one of them work."""


async def search_live(asked: Asked[LiveAsked]) -> LiveAnswer:
    """Ask the hub's copy and every site in question; the answer says what became of the question at each."""
    backstage, given, sees_closed = asked.backstage, asked.parameters, asked.bearer.sees_closed
    for _ in range(LIVE_COST - 1):
        wait_s = backstage.requests.wait_s(asked.bearer.who)
        if wait_s:
            raise TooMany(wait_s)
    query = Query(
        words=clean(given.q),
        site_glob=clean(given.site),
        date_from=given.date_from,
        date_to=given.date_to,
        fonds_no=clean(given.fonds),
        livelihood_kind=clean(given.kind),
        access_status=given.access if sees_closed else AccessStatus.OPEN,
        level=given.level,
        limit=given.limit,
    )
    if not sees_closed and given.access not in (None, AccessStatus.OPEN):
        return LiveAnswer(total=0, exact=True, complete=True, hits=[], sites=[])
    # The tables of words are files: reading them keeps nobody else waiting.
    names = await asyncio.to_thread(backstage.names)
    state = await whole_answer(backstage.database, backstage.reach.asker, query, backstage.clock_ms(), names)
    answer = _answer(state, given.limit)
    if not sees_closed:
        return _open_answer(answer)
    await note_closed(asked, "live search", [hit.record for hit in answer.hits])
    return answer


def _answer(state: Gathering, limit: int) -> LiveAnswer:
    summary = state.summary()
    return LiveAnswer(
        total=summary.total,
        exact=summary.exact,
        complete=summary.complete,
        hits=[_hit(one) for one in state.newest(limit)],
        sites=list(state.reports.values()),
    )


def _hit(one: MergedHit) -> LiveHit:
    record = public_part(one.record)
    return LiveHit(site=one.site, record=record, live=one.live, matches=one.matches, stage=one.stage)


def _open_answer(answer: LiveAnswer) -> LiveAnswer:
    """Return what a token may know that sees public entries alone: no counts that closed ones may stand in."""
    shown = [hit for hit in answer.hits if is_open(hit.record)]
    sites = [_without_counts(one) for one in answer.sites]
    return msgspec.structs.replace(answer, total=len(shown), exact=False, hits=shown, sites=sites)


def _without_counts(one: SiteReport) -> SiteReport:
    return msgspec.structs.replace(one, live_total=None, index_total=None)


async def list_brakes(asked: Asked[Nothing]) -> BrakesAnswer:
    """Return the sites whose brake holds mass changes, by their last sign of life."""
    outlook = await asked.backstage.live.now()
    held = [one for one in outlook.sites if one.brakes_held]
    return BrakesAnswer(
        at_ms=outlook.at_ms,
        sites=[
            BrakesOfSite(site=one.site, site_name=one.name, held=one.brakes_held, heard_at_ms=one.seen_at_ms)
            for one in held
        ],
    )


async def read_brakes(asked: Asked[Nothing]) -> BrakesOfSite:
    """Ask one site which mass changes it holds; says why not where it cannot be asked."""
    try:
        site = parse_site(asked.name)
    except BadValue as error:
        raise Missing from error
    outlook = await asked.backstage.live.now()
    line = next((one for one in outlook.sites if one.site == site.code), None)
    if line is None:
        raise Missing
    said = await ask_brakes(asked.backstage.reach, site)
    answer = BrakesOfSite(site=line.site, site_name=line.name, held=line.brakes_held, heard_at_ms=line.seen_at_ms)
    if not isinstance(said, HeldLines):
        return msgspec.structs.replace(answer, why_not=said)
    return msgspec.structs.replace(
        answer, held=said.total, changes=list(said.lines), heard_at_ms=asked.backstage.clock_ms()
    )


async def list_contradictions(asked: Asked[ContradictionsAsked]) -> ContradictionsAnswer:
    """Return places of records that two contents claim, the newest first."""
    given = asked.parameters
    found, total = await asked.backstage.database.read(
        lambda connection: (waiting(connection, given.limit, clean(given.site)), count(connection))
    )
    return ContradictionsAnswer(contradictions=found, total=total)
