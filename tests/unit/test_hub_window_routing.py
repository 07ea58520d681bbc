"""Who is asked: who can hold the answer; everybody else learns nothing."""

import datetime

from hub.searching.search import Query
from hub.vocabulary.gazetteer import ChangeKind, Gazetteer, Place
from hub.vocabulary.place_forms import place_name
from hub.vocabulary.readings import Readings
from hub.vocabulary.synonyms import Synonyms
from hub.window.coverage import Coverage, Holding
from hub.window.routing import Candidate, Clues, clues_of, routed
from protocol.lookups import Route

TOWN, VILLAGE, SIBLING, ELSEWHERE = "330523108000", "330523108204", "330523108205", "330523106201"
COUNTY = "330523000000"


def holding(**changes: object) -> Holding:
    given: dict[str, object] = {
        "fonds_no": "J001",
        "livelihood_kind": "forest_contracts",
        "level": "item",
        "entries": 10,
        "undated": 0,
        "year_from": 1980,
        "year_to": 1990,
        **changes,
    }
    return Holding(**given)  # type: ignore[arg-type]


def candidate(site: str, name: str = "", *held: Holding, index_total: int = 0, is_named: bool = True) -> Candidate:
    coverage = Coverage(site=site, counted_at_ms=1, holdings=held) if held else None
    return Candidate(
        site=site, name=name, coverage=coverage, has_copy=bool(held), index_total=index_total, is_named=is_named
    )


def decided(clues: Clues, *candidates: Candidate) -> dict[str, Route]:
    return {one.site: one.route for one in routed(clues, candidates)}


def clues(words: str = "", places: tuple[str, ...] = (), **changes: object) -> Clues:
    return clues_of(Query(words=words, **changes), places, None)  # type: ignore[arg-type]


def test_a_name_alone_goes_only_to_sites_whose_copy_has_it() -> None:
    """Nobody else is told that somebody asks about this person."""
    found = decided(
        clues("王小明"), candidate(VILLAGE, "", holding(), index_total=1), candidate(SIBLING, "", holding())
    )

    assert found == {VILLAGE: Route.LIKELY, SIBLING: Route.NOT_ASKED}


def test_a_kind_goes_to_those_that_hold_it_or_do_not_say_what_they_hold() -> None:
    found = decided(
        clues("王小明", livelihood_kind="marriage"),
        candidate(VILLAGE, "", holding(livelihood_kind="marriage")),
        candidate(SIBLING, "", holding(livelihood_kind="")),
        candidate(ELSEWHERE, "", holding(livelihood_kind="forest_contracts")),
    )

    assert found == {VILLAGE: Route.LIKELY, SIBLING: Route.POSSIBLE, ELSEWHERE: Route.NOT_ASKED}


def test_years_leave_out_who_holds_nothing_of_them_but_not_what_is_undated() -> None:
    found = decided(
        clues("承包", date_from=datetime.date(2014, 1, 1), date_to=datetime.date(2014, 12, 31)),
        candidate(VILLAGE, "", holding(year_to=2020)),
        candidate(SIBLING, "", holding()),
        candidate(ELSEWHERE, "", holding(undated=1)),
    )

    assert found == {VILLAGE: Route.POSSIBLE, SIBLING: Route.NOT_ASKED, ELSEWHERE: Route.POSSIBLE}


def test_dates_and_kinds_among_the_words_count_as_well() -> None:
    asked = clues("山林 日期:1986")

    assert [period.first for period in asked.periods] == [datetime.date(1986, 1, 1)]
    assert decided(
        asked, candidate(VILLAGE, "", holding()), candidate(SIBLING, "", holding(year_from=2000, year_to=2001))
    ) == {
        VILLAGE: Route.POSSIBLE,
        SIBLING: Route.NOT_ASKED,
    }


def test_a_place_goes_to_its_site_its_town_and_the_county() -> None:
    """A town may keep its villages' records 村档乡管, and the county what was transferred."""
    found = decided(
        clues("承包", ("大溪村",)),
        candidate(COUNTY, "县档案馆", holding()),
        candidate(TOWN, "天荒坪镇档案馆", holding()),
        candidate(VILLAGE, "大溪村档案室", holding()),
        candidate(SIBLING, "横路村档案室", holding()),
    )

    assert found == {
        COUNTY: Route.LIKELY,
        TOWN: Route.LIKELY,
        VILLAGE: Route.LIKELY,
        SIBLING: Route.NOT_ASKED,
    }


def test_an_old_name_of_a_place_reaches_its_successor() -> None:
    old = Place(
        written="皈山乡", name=place_name("皈山乡"), valid_to="2014", change=ChangeKind.CONVERTED, successors=(1,)
    )
    new = Place(written="孝源街道", name=place_name("孝源街道"), valid_from="2014")
    names = Readings(Gazetteer([old, new]), Synonyms([]))
    asked = clues_of(Query(words="山林"), ("皈山乡",), names)
    found = decided(asked, candidate(TOWN, "孝源街道档案馆", holding()), candidate("330523106000", "报福镇", holding()))

    assert found == {TOWN: Route.LIKELY, "330523106000": Route.NOT_ASKED}


def test_a_place_that_nobody_knows_narrows_nothing() -> None:
    asked = clues("承包", ("不知何处村",), livelihood_kind="forest_contracts")

    assert decided(asked, candidate(VILLAGE, "大溪村档案室", holding())) == {VILLAGE: Route.LIKELY}


def test_a_place_that_nobody_knows_is_no_reason_to_ask_everybody() -> None:
    """The name of a hill would have told the whole county who is looked for."""
    (there, has_hits) = routed(
        clues("甲某", ("石鹰坞",)),
        [
            candidate(VILLAGE, "大溪村档案室", holding()),
            candidate(SIBLING, "横路村档案室", holding(), index_total=1),
        ],
    )

    assert (there.route, has_hits.route) == (Route.NOT_ASKED, Route.LIKELY)
    assert "no site is called by the place" in there.why.en


def test_a_site_of_which_nothing_is_catalogued_is_asked_only_if_it_is_named() -> None:
    nothing = Candidate(site=VILLAGE, name="大溪村档案室")

    assert decided(clues("承包", ("大溪村",)), nothing) == {VILLAGE: Route.POSSIBLE}
    assert decided(clues("承包", livelihood_kind="forest_contracts"), nothing) == {VILLAGE: Route.NOT_ASKED}


def test_a_copy_that_was_not_counted_yet_is_no_reason_to_leave_a_site_out() -> None:
    uncounted = Candidate(site=VILLAGE, name="", has_copy=True)

    assert decided(clues(livelihood_kind="marriage"), uncounted) == {VILLAGE: Route.POSSIBLE}


def test_a_site_that_the_clerk_did_not_choose_is_not_asked_though_it_has_hits() -> None:
    assert decided(clues("承包"), candidate(VILLAGE, "", holding(), index_total=3, is_named=False)) == {
        VILLAGE: Route.NOT_ASKED
    }
