"""Site codes and the subjects that follow from them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocol import subjects
from protocol.errors import BadValue
from protocol.sites import Site, SiteRank, parse_site, site_from_tokens

CODES = st.from_regex(r"[0-9]{12}(-[A-Z][0-9]{2,4})?", fullmatch=True).filter(str.isascii)


@pytest.mark.parametrize(
    ("code", "rank", "parent"),
    [
        ("330523000000", SiteRank.COUNTY, None),
        ("330523108000", SiteRank.TOWNSHIP, "330523000000"),
        ("330523108204", SiteRank.VILLAGE, "330523108000"),
        ("330523000000-W01", SiteRank.UNIT, "330523000000"),
        ("330523108000-E0007", SiteRank.UNIT, "330523108000"),
    ],
)
def test_rank_and_parent_are_read_from_the_code(code: str, rank: SiteRank, parent: str | None) -> None:
    site = parse_site(code)
    assert (site.code, site.rank) == (code, rank)
    assert (site.parent.code if site.parent else None) == parent


@pytest.mark.parametrize(
    "wrong",
    [
        "",
        "330523",
        "33052310820X",
        "330523108204-",
        "330523108204-w01",
        "３３０５２３１０８２０４",
        "330523108204 -W01",
    ],
)
def test_what_is_not_a_site_code_is_refused_with_an_example(wrong: str) -> None:
    with pytest.raises(BadValue) as refused:
        parse_site(wrong)
    assert "330523108204" in refused.value.hint.zh


@given(CODES)
def test_a_code_survives_its_subject_tokens(code: str) -> None:
    site = parse_site(code)
    assert site_from_tokens(site.tokens.split(".")) == site
    assert subjects.site_of(subjects.events(site)) == site
    assert subjects.site_of(subjects.beat(site)) == site
    assert subjects.events(site).isascii()


@given(CODES)
def test_a_reply_proves_who_answered_whom(code: str) -> None:
    site = parse_site(code)
    subject = subjects.reply(site, "hub-1", "00ff")
    assert subjects.site_of(subject) == site
    assert subject == f"dl.rsp.{site.tokens}.hub-1.00ff"


@pytest.mark.parametrize(("asker", "question"), [("a.b", "00"), ("hub", "0.*"), ("hub", ">"), ("", "00"), ("王", "00")])
def test_an_asker_cannot_smuggle_tokens_into_a_subject(asker: str, question: str) -> None:
    with pytest.raises(BadValue):
        subjects.reply(parse_site("330523108204"), asker, question)


def test_a_site_contains_what_lies_below_it() -> None:
    county, town, village = (parse_site(code) for code in ("330523000000", "330523108000", "330523108204"))
    unit = Site(county="330523", town="000", village="000", suffix="W01")
    other = parse_site("330523109001")
    assert [county.contains(site) for site in (county, town, village, unit)] == [True] * 4
    assert [town.contains(site) for site in (county, village, other)] == [False, True, False]
    assert unit.contains(county) is False
