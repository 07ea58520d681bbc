"""Routing: which sites a question is put to, because they can hold the answer; the others learn nothing of it. Pure.

A question about a person is itself personal. A site is asked if its copy at the hub has hits, or if what it is known to
hold speaks for it: the places, fonds, years and kinds that the question names. A question that names none of these, or
nothing but a place that no site is called by, is put only to sites whose copy has hits; whoever wants the others asked
says why (``lookup_opening``). Every decision has its words, for the clerk and for the statement of completeness.
"""

from collections.abc import Collection, Sequence
from typing import Final

import msgspec

from hub.searching.search import Names, Query
from hub.vocabulary.place_forms import place_name
from hub.window.coverage import Coverage, Holding
from protocol.analysis import fold
from protocol.lookups import Route
from protocol.plans import plan
from protocol.queries import parse
from protocol.query_dates import Period
from protocol.query_fields import Field
from protocol.sites import SiteRank, parse_site
from protocol.vocabularies import LIVELIHOOD_KINDS
from protocol.wording import Text


class Clues(msgspec.Struct, frozen=True, kw_only=True):
    """What a question says about where its answer may lie."""

    periods: tuple[Period, ...] = ()
    """The record is of all of them."""
    fonds: frozenset[str] = frozenset()
    kinds: frozenset[str] = frozenset()
    places: tuple[str, ...] = ()
    """Names of the places with their other names, folded."""
    has_site: bool = False
    """The clerk named sites."""
    has_unknown_place: bool = False
    """A place is named, and no site is called by it."""

    @property
    def is_empty(self) -> bool:
        """Whether nothing is said."""
        return not (self.periods or self.fonds or self.kinds or self.places or self.has_site)


class Candidate(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of one site before it is asked."""

    site: str
    name: str = ""
    coverage: Coverage | None = None
    """None if nothing of it has arrived, or nobody has counted it yet."""
    has_copy: bool = False
    index_total: int = 0
    """Hits in the hub's copy."""
    is_named: bool = True
    """The question's site filter lets it through."""


class Routed(msgspec.Struct, frozen=True, kw_only=True):
    """Whether a site is asked, and why."""

    site: str
    route: Route
    why: Text

    @property
    def is_asked(self) -> bool:
        """Whether it hears the question."""
        return self.route is not Route.NOT_ASKED


def clues_of(query: Query, places: Sequence[str], names: Names | None) -> Clues:
    """Return what a question says: its filters, those and the dates among its words, its places with old names."""
    made = plan(parse(query.words))
    periods = made.periods
    if query.date_from is not None or query.date_to is not None:
        periods = (*periods, Period(first=query.date_from, last=query.date_to))
    wanted: dict[Field, set[str]] = {Field.FONDS: set(), Field.KIND: set(), Field.SITE: set()}
    for selection in made.selections:
        if not selection.is_excluded and selection.field in wanted:
            wanted[selection.field].update(selection.values)
    return Clues(
        periods=periods,
        fonds=frozenset(wanted[Field.FONDS] | {query.fonds_no} - {""}),
        kinds=frozenset(wanted[Field.KIND] | {query.livelihood_kind} - {""}),
        places=tuple(dict.fromkeys(form for place in places for form in place_forms(place, names))),
        has_site=bool(query.site_glob or wanted[Field.SITE]),
    )


def place_forms(place: str, names: Names | None) -> list[str]:
    """Return a place's name, its other names, and of each what remains without the generic part; all folded."""
    folded = "".join(fold(place).split())
    if not folded:
        return []
    told = [folded, *(reading.text for reading in (names.of(place) if names is not None else ()))]
    return list(dict.fromkeys(form for one in told for form in (one, place_name(one).short) if form))


def routed(clues: Clues, candidates: Sequence[Candidate]) -> list[Routed]:
    """Return for every site whether it is asked, in the order given."""
    there = _sites_at(clues.places, candidates)
    if clues.places and there is None:
        # Said or not, such a place speaks for nobody.
        clues = msgspec.structs.replace(clues, places=(), has_unknown_place=True)
    return [_decided(clues, one, there) for one in candidates]


def _sites_at(places: Collection[str], candidates: Sequence[Candidate]) -> frozenset[str] | None:
    """Return the sites at the places, those above, which may keep their records, and those below; None if unknown."""
    if not places:
        return None
    sites = {one.site: parse_site(one.site) for one in candidates}
    named = [sites[one.site] for one in candidates if any(place in "".join(fold(one.name).split()) for place in places)]
    # A place that no site is called by narrows nothing.
    return (
        frozenset(
            code
            for code, site in sites.items()
            if any(one.contains(site) or site.contains(one) or site.rank is SiteRank.COUNTY for one in named)
        )
        if named
        else None
    )


def _decided(clues: Clues, one: Candidate, there: frozenset[str] | None) -> Routed:
    if not one.is_named:
        return _left_out(one, Text(zh="不在所选站点之列", en="not among the sites chosen"))
    if one.index_total:
        why = Text(zh=f"县级目录中有 {one.index_total} 条", en=f"the county's copy has {one.index_total}")
        return Routed(site=one.site, route=Route.LIKELY, why=why)
    if clues.is_empty:
        return _left_out(one, _UNKNOWN_PLACE if clues.has_unknown_place else _NO_CLUE)
    is_there = there is not None and one.site in there
    if there is not None and not is_there:
        return _left_out(one, Text(zh="不属于所问地点", en="not at the places named"))
    if one.coverage is None or not one.coverage.holdings:
        return _unknown(one, is_asked=is_there or clues.has_site)
    against = _against(clues, one.coverage)
    if against is not None:
        return _left_out(one, against)
    if is_there or clues.has_site:
        return Routed(site=one.site, route=Route.LIKELY, why=Text(zh="属于所问地点", en="at the places named"))
    if clues.kinds & {held.livelihood_kind for held in one.coverage.holdings}:
        return Routed(
            site=one.site, route=Route.LIKELY, why=Text(zh="保管所问种类的档案", en="holds records of that kind")
        )
    return Routed(site=one.site, route=Route.POSSIBLE, why=_POSSIBLE)


_NO_CLUE: Final = Text(zh="提问没有地点、年份、种类或全宗的线索", en="the question names no place, year, kind or fonds")
_UNKNOWN_PLACE: Final = Text(
    zh="所问地点不是任何站点的名称，也没有其他线索",
    en="no site is called by the place named, and nothing else is a clue",
)
_POSSIBLE: Final = Text(zh="已知馆藏不排除有", en="nothing that it is known to hold speaks against it")


def _left_out(one: Candidate, why: Text) -> Routed:
    return Routed(site=one.site, route=Route.NOT_ASKED, why=why)


def _unknown(one: Candidate, *, is_asked: bool) -> Routed:
    counted = one.coverage is not None
    if one.has_copy and not counted:
        why = Text(zh="馆藏范围尚未统计", en="its holdings have not been counted yet")
        return Routed(site=one.site, route=Route.POSSIBLE, why=why)
    why = Text(zh="没有已编目的档案", en="nothing of it is catalogued")
    return Routed(site=one.site, route=Route.POSSIBLE if is_asked else Route.NOT_ASKED, why=why)


def _against(clues: Clues, coverage: Coverage) -> Text | None:
    """Return what of a site's holdings speaks against it; None if they may hold the answer."""
    held: Sequence[Holding] = coverage.holdings
    if clues.kinds:
        # An entry whose kind nobody stated may be of any.
        held = [one for one in held if not one.livelihood_kind or one.livelihood_kind in clues.kinds]
        if not held:
            return Text(zh=f"没有{_kinds(clues.kinds).zh}档案", en=f"holds no {_kinds(clues.kinds).en}")
    if clues.fonds:
        held = [one for one in held if one.fonds_no in clues.fonds]
        if not held:
            return Text(zh="没有所问全宗", en="holds no such fonds")
    if clues.periods and not any(_reaches(one, clues.periods) for one in held):
        return Text(zh="没有所问年份的档案", en="holds nothing of those years")
    return None


def _kinds(kinds: Collection[str]) -> Text:
    known = [LIVELIHOOD_KINDS[kind] for kind in sorted(kinds) if kind in LIVELIHOOD_KINDS]
    return Text(zh="、".join(one.zh for one in known) or "该类", en=", ".join(one.en for one in known) or "such kind")


def _reaches(one: Holding, periods: Sequence[Period]) -> bool:
    if one.undated or one.year_from is None or one.year_to is None:
        return True
    return all(
        (period.first is None or one.year_to >= period.first.year)
        and (period.last is None or one.year_from <= period.last.year)
        for period in periods
    )
