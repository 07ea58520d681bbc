"""Searching the catalogue: the hub's copy at once, and the sites themselves where that is wished.

Words come as a form and stand in no address. A page with ``live=1`` shows the hub's copy and lets the stream fill in
what the sites say (``hub.web.pages.live_search``); without the script the browser goes on to ``live=wait``, which
answers when the sites have.
"""

import asyncio
from urllib.parse import quote_plus

import msgspec
from litestar import get, post
from litestar.response import Redirect
from sqlalchemy import Connection

from hub.commands.fields import ACCESS
from hub.membership import keyring
from hub.searching.facets import Facet, Facets
from hub.searching.federation import whole_answer
from hub.searching.gathering import Gathering
from hub.searching.search import Names, Query, Tally, search
from hub.searching.search import Page as Results
from hub.staff.roles import Permission
from hub.web.admission import NEEDS
from hub.web.answers import Page, away_to, page
from hub.web.asking import AnyRequest
from hub.web.backstage import backstage_of
from hub.web.exporting import EXPORT_ENTRIES_MAX
from hub.web.forms import line_of
from hub.web.hits import groups_of, restricted_in
from hub.web.levels import LEVELS
from hub.web.looks import LIMITS, Look, look_of
from hub.web.outcomes import outcomes_of
from hub.web.pages.deciding import actor_of
from hub.web.query_lessons import help_in
from hub.web.sightings import note_listed
from hub.web.turns import keep_turn
from hub.web.visitors import Visitor, visitor_of
from hub.web.words import in_language
from protocol.errors import BadQuery, BadSetting
from protocol.limits import QUERY_CHARS_MAX, SCREEN_DEADLINE_S
from protocol.vocabularies import LIVELIHOOD_KINDS, AccessStatus, Level
from protocol.wording import Text

FACET_VALUES_SHOWN: int = 8
"""Values of a facet that stand on the page at once; the others unfold."""

OPT = {NEEDS: Permission.SEARCH_CATALOGUE}


class Choice(msgspec.Struct, frozen=True, kw_only=True):
    """One value of a facet, as a link."""

    words: Text
    count: int
    path: str
    """Empty for entries that do not say: nothing can be asked for that."""


class FacetView(msgspec.Struct, frozen=True, kw_only=True):
    """One facet on the page."""

    name: str
    choices: tuple[Choice, ...]
    more: int


class Limit(msgspec.Struct, frozen=True, kw_only=True):
    """One limit that is set, and the address without it."""

    name: str
    words: Text
    path: str


@post("/catalogue", opt=OPT, status_code=200)
async def do_ask(request: AnyRequest) -> Redirect:
    """Take words, and go to where they are answered; limits that were set stay."""
    backstage, visitor = backstage_of(request), visitor_of(request)
    # A query that could not be understood has a button with what it may have meant.
    words = (await line_of(request, "instead") or await line_of(request, "words"))[: QUERY_CHARS_MAX + 1]
    given = {name: await line_of(request, name) for name in LIMITS}
    look = look_of(given, backstage.asked, visitor.login)
    live = "1" if await line_of(request, "live") else ""
    return away_to("/catalogue", q=backstage.asked.keep(visitor.login, words), **look.limits, live=live)


@get("/catalogue", opt=OPT)
async def show_catalogue(request: AnyRequest) -> Page:
    """Show a page of results; with ``live``, those of the sites too."""
    backstage, visitor = backstage_of(request), visitor_of(request)
    parameters = request.query_params
    look = look_of(parameters, backstage.asked, visitor.login)
    live = parameters.get("live", "")
    names = await asyncio.to_thread(backstage.names)
    query = look.query(with_facets=True)
    tally = backstage.tallies.of(visitor.login, query)
    try:
        sites, found = await backstage.database.read(lambda connection: _found(connection, query, names, tally))
    except BadQuery as error:
        return _not_understood(request, look, error)
    except BadSetting:
        # A cursor that was forged, or is of another search: the first page is what its reader can use.
        return _without_results(request, msgspec.structs.replace(look, cursor=""), status=400)
    if found.tally is not None and not query.cursor and not found.was_cut:
        backstage.tallies.keep(visitor.login, query, found.tally)
    if live == "wait":
        query = look.query(with_facets=False)
        asker, now_ms = backstage.reach.asker, backstage.clock_ms()
        gathering = await whole_answer(backstage.database, asker, query, now_ms, names)
        return await _shown(request, look, found, sites, gathering=gathering)
    return await _shown(request, look, found, sites, is_asking=live == "1" and backstage.reach.asker is not None)


def _found(
    connection: Connection, query: Query, names: Names | None, tally: Tally | None
) -> tuple[dict[str, str], Results]:
    return keyring.site_names(connection), search(connection, query, names, tally=tally)


async def _shown(
    request: AnyRequest,
    look: Look,
    found: Results,
    sites: dict[str, str],
    *,
    gathering: Gathering | None = None,
    is_asking: bool = False,
) -> Page:
    backstage, visitor = backstage_of(request), visitor_of(request)
    hits = found.hits if gathering is None else gathering.newest()
    groups = groups_of(hits, sites, sees_all=visitor.may(Permission.READ_RESTRICTED))
    await note_listed(backstage, actor_of(request), "/catalogue", restricted_in(groups))
    values = _frame(look, visitor) | {
        "limits": limits_of(look, sites),
        "facets": facet_views(look, found.facets, sites),
        "values_shown": FACET_VALUES_SHOWN,
        "groups": groups,
        "results": found,
        "summary": None if gathering is None else gathering.summary(),
        "outcomes": None if gathering is None else outcomes_of(gathering),
        "is_asking": is_asking,
        "may_export": visitor.may(Permission.EXPORT_CATALOGUE),
        "entries_max": EXPORT_ENTRIES_MAX,
        "deadline_s": int(SCREEN_DEADLINE_S),
    }
    stream = look.path("/stream/catalogue") if is_asking else ""
    if stream:
        keep_turn(request.scope)
    return page(request, "catalogue.html", stream=stream, values=values)


def _frame(look: Look, visitor: Visitor) -> dict[str, object]:
    words = in_language(visitor.language).catalogue
    facet_words = {
        "site": words.facet_site,
        "year": words.facet_year,
        "fonds": words.facet_fonds,
        "kind": words.facet_kind,
        "access": words.facet_access,
        "level": words.facet_level,
    }
    return {
        "facet_words": facet_words,
        "look": look,
        "here": look.path(),
        "help": help_in(visitor.language.value),
        "summary": None,
        "query_chars": QUERY_CHARS_MAX,
        "limits": [],
        "fault": None,
        "marked": (),
        "results": None,
        "is_asking": False,
    }


def _not_understood(request: AnyRequest, look: Look, error: BadQuery) -> Page:
    text = look.words
    marked = (text[: error.start], text[error.start : error.end] or " ", text[error.end :])
    values = _frame(look, visitor_of(request)) | {"fault": error, "marked": marked}
    return page(request, "catalogue.html", status=400, values=values)


def _without_results(request: AnyRequest, look: Look, status: int) -> Page:
    return page(request, "catalogue.html", status=status, values=_frame(look, visitor_of(request)))


# Facets and limits


def limits_of(look: Look, sites: dict[str, str]) -> list[Limit]:
    """Return the limits that are set."""
    return [
        Limit(name=name, words=value_words(name, value, sites), path=look.path(**{name: ""}))
        for name, value in look.limits.items()
    ]


def facet_views(look: Look, facets: Facets | None, sites: dict[str, str]) -> list[FacetView]:
    """Return the facets that can still narrow the search."""
    if facets is None:
        return []
    views = [_facet_view(look, name, getattr(facets, name), sites) for name in LIMITS if name not in look.limits]
    return [one for one in views if len(one.choices) > 1]


def _facet_view(look: Look, name: str, facet: Facet, sites: dict[str, str]) -> FacetView:
    narrowed = look.narrowed(name)
    choices = tuple(
        Choice(
            words=value_words(name, one.value, sites),
            count=one.count,
            path=narrowed + quote_plus(one.value) if one.value else "",
        )
        for one in facet.values
    )
    return FacetView(name=name, choices=choices, more=facet.more)


def value_words(name: str, value: str, sites: dict[str, str]) -> Text:
    """Return the words for a value of a facet; the value itself where it has none."""
    if name == "access" and value in tuple(AccessStatus):
        return ACCESS[AccessStatus(value)]
    if name == "level" and value in tuple(Level):
        return LEVELS[Level(value)]
    if name == "kind" and value in LIVELIHOOD_KINDS:
        kind = LIVELIHOOD_KINDS[value]
        return Text(zh=kind.zh, en=kind.en)
    told = sites.get(value, value) or value if name == "site" else value
    return Text(zh=told, en=told)
