import datetime

import pytest

from protocol.dates import DateSpan, contradicts_year, parse_date

Expected = tuple[str, str, str, tuple[str, ...]]


def read(raw: str | float) -> Expected:
    span = parse_date(raw)
    return span.edtf, str(span.earliest or ""), str(span.latest or ""), span.findings


@pytest.mark.parametrize(
    "raw",
    [
        "20140305",
        "2014-03-05",
        "2014/3/5",
        "2014.3.5",
        "2014年3月5日",
        "2014年03月05",
        "2014年3月5号",
        " 2014 年 3 月 5 日 ",
        "２０１４年３月５日",
        "二〇一四年三月五日",
        "二○一四年三月五日",
        "二O一四年三月五日",
        "2014-03-05T00:00:00",
        "2014-03-05 00:00:00",
        "2014-03-05T08:30:00.000+08:00",
        "2014/3/5 0:00",
        "41703",
        "41703.0",
        "成文日期：2014年3月5日",
        "2014年3月5日，",
        "公元2014年3月5日",
    ],
)
def test_every_spelling_of_a_day_is_that_day(raw: str | float) -> None:
    assert read(raw) == ("2014-03-05", "2014-03-05", "2014-03-05", ())


def test_a_number_of_days_may_come_as_a_number() -> None:
    assert (parse_date(41703).edtf, parse_date(41703.0).edtf) == ("2014-03-05", "2014-03-05")


@pytest.mark.parametrize(
    ("raw", "edtf", "earliest", "latest"),
    [
        ("2014", "2014", "2014-01-01", "2014-12-31"),
        ("1986年", "1986", "1986-01-01", "1986-12-31"),
        ("20110000", "2011", "2011-01-01", "2011-12-31"),
        ("2014-03", "2014-03", "2014-03-01", "2014-03-31"),
        ("201403", "2014-03", "2014-03-01", "2014-03-31"),
        ("20140300", "2014-03", "2014-03-01", "2014-03-31"),
        ("一九八六年二月", "1986-02", "1986-02-01", "1986-02-28"),
        ("五十年代", "195X", "1950-01-01", "1959-12-31"),
        ("1950年代", "195X", "1950-01-01", "1959-12-31"),
        ("20世纪50年代", "195X", "1950-01-01", "1959-12-31"),
        ("上世纪八十年代末", "198X~", "1980-01-01", "1989-12-31"),
        ("十九世纪", "18XX", "1800-01-01", "1899-12-31"),
        ("1958年第三季度", "1958-07/1958-09", "1958-07-01", "1958-09-30"),
        ("1958年下半年", "1958-07/1958-12", "1958-07-01", "1958-12-31"),
        ("1986年3月上旬", "1986-03-01/1986-03-10", "1986-03-01", "1986-03-10"),
        ("1986年3月中旬", "1986-03-11/1986-03-20", "1986-03-11", "1986-03-20"),
        ("1988年2月下旬", "1988-02-21/1988-02-29", "1988-02-21", "1988-02-29"),
        ("1958年底", "1958~", "1958-01-01", "1958-12-31"),
        ("1958年3月底", "1958-03~", "1958-03-01", "1958-03-31"),
    ],
)
def test_a_partial_date_is_an_interval(raw: str, edtf: str, earliest: str, latest: str) -> None:
    """A missing month is never forced to January."""
    assert read(raw) == (edtf, earliest, latest, ())


@pytest.mark.parametrize(
    ("raw", "edtf", "earliest", "latest"),
    [
        ("1958年春", "1958-21", "1958-02-01", "1958-05-31"),
        ("1958年夏季", "1958-22", "1958-05-01", "1958-08-31"),
        ("1958秋", "1958-23", "1958-08-01", "1958-11-30"),
        ("1959年冬", "1959-24", "1959-11-01", "1960-02-29"),
    ],
)
def test_a_season_covers_both_ways_of_counting_it(raw: str, edtf: str, earliest: str, latest: str) -> None:
    assert read(raw) == (edtf, earliest, latest, ())


@pytest.mark.parametrize(
    ("raw", "edtf"),
    [
        ("[19450815]", "1945-08-15?"),
        ("〔1945年8月〕", "1945-08?"),
        ("1945?", "1945?"),
        ("约1945年", "1945~"),
        ("1945年左右", "1945~"),
        ("[约1945年]", "1945%"),
        ("[1945-1949]", "1945?/1949?"),
    ],
)
def test_a_researched_or_estimated_date_is_qualified(raw: str, edtf: str) -> None:
    assert parse_date(raw).edtf == edtf


@pytest.mark.parametrize(
    ("raw", "edtf", "earliest", "latest"),
    [
        ("19860101-19861231", "1986-01-01/1986-12-31", "1986-01-01", "1986-12-31"),
        ("19860101-1231", "1986-01-01/1986-12-31", "1986-01-01", "1986-12-31"),
        ("1986-1990", "1986/1990", "1986-01-01", "1990-12-31"),
        ("1986-87", "1986/1987", "1986-01-01", "1987-12-31"),
        ("1986.1-12", "1986-01/1986-12", "1986-01-01", "1986-12-31"),
        ("1986.1-1987.2", "1986-01/1987-02", "1986-01-01", "1987-02-28"),
        ("1986年3-5月", "1986-03/1986-05", "1986-03-01", "1986-05-31"),
        ("2014.3.5-8", "2014-03-05/2014-03-08", "2014-03-05", "2014-03-08"),
        ("2014.3.5-4.1", "2014-03-05/2014-04-01", "2014-03-05", "2014-04-01"),
        ("2014年3月5日至8日", "2014-03-05/2014-03-08", "2014-03-05", "2014-03-08"),
        ("2014年3月5日—2014年4月1日", "2014-03-05/2014-04-01", "2014-03-05", "2014-04-01"),
        ("2014-03-05~2014-04-01", "2014-03-05/2014-04-01", "2014-03-05", "2014-04-01"),
        ("2014-03-05-2014-04-01", "2014-03-05/2014-04-01", "2014-03-05", "2014-04-01"),
        ("2014-03-05/2014-04-01", "2014-03-05/2014-04-01", "2014-03-05", "2014-04-01"),
        ("民国三十六年至三十八年", "1947/1949", "1947-01-01", "1949-12-31"),
        ("1986年至今", "1986/..", "1986-01-01", ""),
    ],
)
def test_a_range_may_leave_out_what_its_ends_share(raw: str, edtf: str, earliest: str, latest: str) -> None:
    assert read(raw) == (edtf, earliest, latest, ())


@pytest.mark.parametrize(
    ("raw", "edtf"),
    [
        ("民国三十六年", "1947"),
        ("民國三十六年", "1947"),
        ("民国卅六年", "1947"),
        ("民国36年", "1947"),
        ("民国元年", "1912"),
        ("民国三十六年三月五日", "1947-03-05"),
        ("民国36.3.5", "1947-03-05"),
        ("民国时期", "1912/1949"),
        ("伪满康德三年", "1936"),
    ],
)
def test_a_year_of_the_republic_is_1911_years_behind(raw: str, edtf: str) -> None:
    assert (parse_date(raw).edtf, parse_date(raw).findings) == (edtf, ())


@pytest.mark.parametrize(
    "raw", ["光绪二十三年", "光緒二十三年", "清光绪廿三年", "大清光绪23年", "光绪丁酉年", "光緒丁酉"]
)
def test_a_reign_year_reaches_into_two_gregorian_years(raw: str) -> None:
    """The lunar year ran from 1897-02-02 to 1898-01-21; the interval holds it without a lunar calendar."""
    assert read(raw) == ("1897~", "1897-01-20", "1898-02-20", ())


@pytest.mark.parametrize("raw", ["光绪二十三年五月初五", "农历1897年八月十五", "1897年腊月", "1897年闰三月"])
def test_a_lunar_day_is_kept_to_its_year(raw: str) -> None:
    assert read(raw) == ("1897~", "1897-01-20", "1898-02-20", ("date_lunar_calendar",))


def test_a_cycle_that_a_reign_holds_twice_gives_both_years() -> None:
    assert read("康熙壬寅") == ("1662/1722", "1662-01-20", "1723-02-20", ("date_cycle_ambiguous",))


def test_a_cycle_without_a_reign_is_no_date() -> None:
    assert read("丁酉年") == ("", "", "", ("date_cycle_ambiguous",))


def test_a_reign_of_one_year_has_no_tenth() -> None:
    assert read("洪熙十年") == ("", "", "", ("date_unreadable",))


@pytest.mark.parametrize("raw", ["无日期", "不详", "无", "[无日期]", " 日期不详 ", "n.d.", "—"])
def test_an_undated_entry_is_no_mistake(raw: str) -> None:
    assert read(raw) == ("", "", "", ())


def test_an_empty_date_is_missing() -> None:
    assert read(" ") == ("", "", "", ("date_missing",))


@pytest.mark.parametrize(
    ("raw", "edtf", "latest"),
    [
        ("2015-02-30", "2015-02", "2015-02-28"),
        ("2015年2月30日", "2015-02", "2015-02-28"),
        ("20150230", "2015-02", "2015-02-28"),
        ("2014-13-05", "2014", "2014-12-31"),
        ("20188927", "2018", "2018-12-31"),
        ("20140005", "2014", "2014-12-31"),
    ],
)
def test_an_impossible_date_keeps_its_credible_part(raw: str, edtf: str, latest: str) -> None:
    assert (parse_date(raw).edtf, str(parse_date(raw).latest), parse_date(raw).findings) == (
        edtf,
        latest,
        ("date_impossible",),
    )


@pytest.mark.parametrize(
    ("raw", "edtf"),
    [("86.3.5", "1986-03-05?"), ("860305", "1986-03-05?"), ("86年3月", "1986-03?"), ("08-3-5", "2008-03-05?")],
)
def test_a_century_is_guessed_and_reported(raw: str, edtf: str) -> None:
    assert (parse_date(raw).edtf, parse_date(raw).findings) == (edtf, ("date_two_digit_year",))


def test_day_and_month_are_not_guessed() -> None:
    assert read("3/5/2014") == ("2014", "2014-01-01", "2014-12-31", ("date_order_unclear",))
    assert parse_date("13/5/2014").edtf == "2014-05-13"


def test_a_reversed_range_is_swapped_and_reported() -> None:
    assert read("1990-1986") == ("1986/1990", "1986-01-01", "1990-12-31", ("date_range_reversed",))


@pytest.mark.parametrize(
    "raw", ["2019000", "99999999", "3月5日", "abc", "五", "9999999", "1" * 5000, "年月日", "86", "[]", "0"]
)
def test_what_cannot_be_read_has_no_interval(raw: str) -> None:
    assert read(raw) == ("", "", "", ("date_unreadable",))


@pytest.mark.parametrize(
    ("raw", "filing_year", "expected"),
    [
        ("民国卅六年", 1979, True),
        ("2014-03-05", 2014, False),
        ("2012-01-10", 2011, False),
        ("2010-12-30", 2011, False),
        ("2010-12-30", 2012, True),
        ("1986-1990", 1988, False),
        ("无日期", 1988, False),
        ("1986至今", 2020, False),
    ],
)
def test_a_date_may_miss_its_filing_year_by_one(raw: str, filing_year: int, expected: bool) -> None:
    """What is finished in January is filed with the year it is about."""
    assert contradicts_year(parse_date(raw), filing_year) is expected


def test_what_is_given_is_kept() -> None:
    assert parse_date(" 2014.3 ") == DateSpan(
        raw=" 2014.3 ", edtf="2014-03", earliest=datetime.date(2014, 3, 1), latest=datetime.date(2014, 3, 31)
    )
