"""The table of sites: public codes and names, and which 232 of them."""

from random import Random

import pytest

from deploy.demo.county import (
    STORY_TOWN_CODE,
    STORY_VILLAGE_CODE,
    WINDOW_CODE,
    all_places,
    chosen_places,
    home_of,
)
from protocol.errors import BadSetting
from protocol.sites import SiteRank, parse_site


def test_the_county_has_232_sites() -> None:
    """One archive, one window, 15 townships, 215 villages and communities."""
    ranks = [place.site.rank for place in all_places()]
    assert {rank: ranks.count(rank) for rank in SiteRank} == {
        SiteRank.COUNTY: 1,
        SiteRank.UNIT: 1,
        SiteRank.TOWNSHIP: 15,
        SiteRank.VILLAGE: 215,
    }


def test_codes_and_names_are_unique_and_every_village_has_its_township() -> None:
    places = all_places()
    assert len({place.code for place in places}) == len(places)
    assert len({place.official_name for place in places}) == len(places)
    assert {place.site.parent in {other.site for other in places} for place in places[1:]} == {True}


@pytest.mark.parametrize(
    ("code", "name", "archive", "unit"),
    [
        ("330523000000", "安吉县", "安吉县档案馆", "安吉县人民政府"),
        ("330523108204", "余村村", "余村村档案室", "余村村村民委员会"),
        ("330523001012", "桃城社区", "桃城社区档案室", "桃城社区居民委员会"),
        ("330523001211", "鲁家村", "鲁家村档案室", "鲁家村村民委员会"),
        ("330523002000", "昌硕街道", "昌硕街道档案室", "昌硕街道办事处"),
        ("330523205000", "上墅乡", "上墅乡档案室", "上墅乡人民政府"),
    ],
)
def test_places_are_called_as_people_call_them(code: str, name: str, archive: str, unit: str) -> None:
    place = next(place for place in all_places() if place.code == code)
    assert (place.name, place.archive_name, place.unit_name) == (name, archive, unit)


def test_a_small_county_begins_with_the_story() -> None:
    codes = [place.code for place in chosen_places(5)]
    assert codes == ["330523000000", WINDOW_CODE, STORY_TOWN_CODE, STORY_VILLAGE_CODE, "330523001000"]
    assert {place.code for place in chosen_places(232)} == {place.code for place in all_places()}


@pytest.mark.parametrize("count", [0, 233])
def test_a_wrong_number_of_sites_is_refused_with_the_bounds(count: int) -> None:
    with pytest.raises(BadSetting) as refused:
        chosen_places(count)
    assert "232" in refused.value.reason.en


def test_a_record_is_about_a_village_of_its_site() -> None:
    town = next(place for place in all_places() if place.code == STORY_TOWN_CODE)
    assert parse_site(STORY_TOWN_CODE).contains(home_of(town, Random(1)).site)
    window = next(place for place in all_places() if place.code == WINDOW_CODE)
    assert home_of(window, Random(1)).site.rank is SiteRank.VILLAGE
