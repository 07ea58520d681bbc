"""The board of sites, and a page for each."""

from collections import Counter

import msgspec
from litestar import get, post
from litestar.params import FromPath
from litestar.response import Redirect
from sqlalchemy import Connection

from hub.alarm import alarm_book
from hub.alarm.alarms import CAUSES, KINDS, Alarm
from hub.membership import keyring
from hub.membership.keyring import EnrolledNode
from hub.sites import contacts, site_orders
from hub.sites.board import WORDS, NodeState, SiteState, Word, node_state_of
from hub.sites.contacts import CONTACTS, Contact, Turn
from hub.sites.declared import declared
from hub.sites.site_story import story_of
from hub.staff.roles import Permission
from hub.web.admission import NEEDS
from hub.web.answers import Notice, Page, away_to, page
from hub.web.asking import AnyRequest
from hub.web.backstage import backstage_of
from hub.web.contact_days import days_of
from hub.web.faults import Missing
from hub.web.forms import clean, line_of
from hub.web.pages.deciding import actor_of
from hub.web.pieces import Tile, chips_of, groups_of, tiles_of
from hub.web.visitors import visitor_of
from hub.web.words import in_language
from protocol.errors import BadValue
from protocol.sites import parse_site
from replication import quarantine
from replication.quarantine import Quarantined

NOTE_CHARS_MAX = 500
"""Characters of a note to an alarm."""

ALARMS_SHOWN_MAX = 20
"""Alarms on a site's page, closed ones too."""

ASIDE_SHOWN_MAX = 10
"""Things in quarantine on a site's page."""

STORY_SHOWN = 8
"""Happenings on a site's page; the earlier ones are folded away."""

_SEE = {NEEDS: Permission.SEE_SITES}


class SiteBook(msgspec.Struct, frozen=True, kw_only=True):
    """What stands in the books about one site."""

    alarms: list[Alarm]
    nodes: list[EnrolledNode]
    aside: list[Quarantined]
    turns: list[Turn]
    said: NodeState | None
    """Its last sign of life."""


@get("/sites", opt=_SEE)
async def show_sites(request: AnyRequest) -> Page:
    """Show the board, or those of its sites that fit."""
    backstage, visitor = backstage_of(request), visitor_of(request)
    outlook = await backstage.live.now()
    state, sought = request.query_params.get("state", ""), clean(request.query_params.get("find", ""))
    every = tiles_of(outlook)
    chosen = [tile for tile in every if _fits(tile, state, sought)]
    values = {
        "pieces": backstage.pieces.of_sites(outlook, visitor.language),
        "groups": groups_of(chosen),
        "every": {tile.line.site: tile for tile in every},
        "count": len(every),
        "chips": chips_of(outlook),
        "alarmed": sum(tile.has_alarm for tile in every),
        "tones": Counter(tile.tone for tile in every),
        "words": WORDS,
        "state": state,
        "sought": sought,
        "admit": Permission.ADMIT_SITES,
    }
    return page(request, "sites.html", stream="/stream/sites", values=values)


@get("/sites/{code:str}", opt=_SEE)
async def show_site(request: AnyRequest, code: FromPath[str]) -> Page:
    """Show one site.

    Raises:
        Missing: nobody knows a site of this code.

    """
    words = in_language(visitor_of(request).language)
    done = {
        "attended": words.sites.attend_done,
        "baseline": words.orders.baseline_done,
        "revoked": words.orders.revoked_done,
        "as_before": words.orders.as_before,
    }
    told = done.get(request.query_params.get("done", ""))
    return await site_page(request, code, None if told is None else Notice(words=told))


async def site_page(request: AnyRequest, code: str, notice: Notice | None) -> Page:
    """Return the page of one site, with what is to be said at its top.

    Raises:
        Missing: nobody knows a site of this code.

    """
    backstage, visitor = backstage_of(request), visitor_of(request)
    outlook = await backstage.live.now()
    line = next((one for one in outlook.sites if one.site == code), None)
    if line is None:
        return await _county_page(request, code, notice)
    book = await backstage.database.read(lambda connection: _book_of(connection, code))
    values = {
        "site": line,
        "pieces": backstage.pieces.of_site(outlook, visitor.language, code),
        "book": book,
        "kinds": KINDS,
        "causes": CAUSES,
        "may_attend": visitor.may(Permission.ATTEND_ALARMS),
        "note_chars": NOTE_CHARS_MAX,
        "may_tend": visitor.may(Permission.TEND_SITES),
        "may_admit": visitor.may(Permission.ADMIT_SITES),
        "may_decide": visitor.may(Permission.DECIDE),
        "notice": notice,
        **_story(book, line, backstage.clock_ms()),
    }
    status = 400 if notice is not None and notice.is_fault else 200
    return page(request, "site.html", status=status, stream=f"/stream/site/{code}", values=values)


async def _county_page(request: AnyRequest, code: str, notice: Notice | None) -> Page:
    """Return the page of alarms that are of no site: what the hub itself does not do, and what is overdue at it."""
    backstage, visitor = backstage_of(request), visitor_of(request)
    alarms = await backstage.database.read(lambda connection: alarms_of(connection, code))
    if not alarms:
        raise Missing
    values = {
        "code": code,
        "alarms": alarms,
        "kinds": KINDS,
        "causes": CAUSES,
        "may_attend": visitor.may(Permission.ATTEND_ALARMS),
        "note_chars": NOTE_CHARS_MAX,
        "notice": notice,
    }
    return page(request, "county_alarms.html", values=values)


def alarms_of(connection: Connection, code: str) -> list[Alarm]:
    """Return the latest alarms of a site, or of the county, open ones first."""
    return alarm_book.listed(connection, with_closed=True, limit=ALARMS_SHOWN_MAX, site=code)


@post("/alarms/{number:int}/attend", opt={NEEDS: Permission.ATTEND_ALARMS}, status_code=200)
async def do_attend(request: AnyRequest, number: FromPath[int]) -> Redirect:
    """Note that the visitor looks after an alarm.

    Raises:
        Missing: there is no such alarm.

    """
    backstage, visitor = backstage_of(request), visitor_of(request)
    note, now_ms = (await line_of(request, "note"))[:NOTE_CHARS_MAX], backstage.clock_ms()
    name = "" if visitor.account is None else visitor.account.name

    try:
        alarm = await backstage.database.write(
            lambda connection: site_orders.attend(connection, actor_of(request), number, name, note, now_ms)
        )
    except BadValue as error:
        raise Missing from error
    await backstage.live.read()
    return away_to(f"/sites/{alarm.site}", done="attended")


def _fits(tile: Tile, state: str, sought: str) -> bool:
    if state == "alarm" and not tile.has_alarm:
        return False
    if state in tuple(Word) and tile.line.word is not Word(state):
        return False
    return sought.casefold() in tile.line.name.casefold() or sought in tile.line.site


def _book_of(connection: Connection, code: str) -> SiteBook:
    try:
        nodes = keyring.nodes(connection, site=parse_site(code), with_revoked=True)
    except BadValue:
        nodes = []
    return SiteBook(
        alarms=alarms_of(connection, code),
        nodes=nodes,
        aside=quarantine.listed(connection, code, ASIDE_SHOWN_MAX),
        turns=contacts.of_site(connection, code),
        said=node_state_of(connection, code),
    )


def _story(book: SiteBook, line: SiteState, now_ms: int) -> dict[str, object]:
    """Return how the site could be heard and what it says of itself, as the page shows it."""
    days = days_of(book.turns, now_ms)
    seen = {span.contact for day in days for span in day.spans}
    return {
        "days": days if seen else [],
        "contacts": CONTACTS,
        "shown_contacts": [one for one in Contact if one in seen],
        "story": story_of(book.turns, book.alarms, book.nodes, line),
        "story_shown": STORY_SHOWN,
        "declared": [] if book.said is None else declared(book.said, now_ms),
    }
