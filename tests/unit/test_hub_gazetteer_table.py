"""The table of places: taken whole, or refused with every fault."""

from collections.abc import Sequence

import pytest

from hub.vocabulary.county_tables import FAULTS_MAX, BadTable
from hub.vocabulary.gazetteer import ChangeKind
from hub.vocabulary.place_forms import PlaceKind
from tests.word_tables import PLACES, gazetteer


def faults(text: str) -> list[tuple[int, str, str]]:
    """Line, column and reason of each fault."""
    with pytest.raises(BadTable) as refused:
        gazetteer(text)
    return [(one.line, one.column.zh, one.reason.zh) for one in refused.value.faults]


def table(*rows: Sequence[str]) -> str:
    return "\n".join(["地名,类别,代码,起,止,变更,去向,别名", *(",".join(row) for row in rows)])


def test_row_becomes_a_place() -> None:
    place = gazetteer().places[5]

    assert (place.written, place.name.stem, place.name.kind) == ("竹坞乡", "竹坞", PlaceKind.TOWNSHIP)
    assert (place.code, place.valid_from, place.valid_to) == ("999901204", "", "2014")
    assert (place.change, place.successors, place.aliases) == (ChangeKind.CONVERTED, (6,), ("竹坞里",))
    assert place.line == 7


def test_english_headers_and_words_mean_the_same() -> None:
    written = (
        "name,kind,code,from,to,change,successors,aliases,source\n"
        "竹坞乡,township,999901204,,2014,converted,松源街道,竹坞里,\n松源街道,subdistrict,,,,,,,\n"
    )

    assert [place.change for place in gazetteer(written).places] == [ChangeKind.CONVERTED, None]


def test_columns_that_nobody_knows_are_notes() -> None:
    assert len(gazetteer("地名,谁查的\n竹坞乡,老王\n").places) == 1


def test_successor_is_found_by_its_code() -> None:
    found = gazetteer("地名,代码,变更,去向\n康山村,999901001227,换码,999901001205\n康山村,999901001205,,\n")

    assert found.places[0].successors == (1,)


def test_traditional_name_of_a_successor_is_the_same() -> None:
    assert gazetteer("地名,变更,去向\n孝豐縣,并入,安吉縣\n安吉县,,\n").places[0].successors == (1,)


@pytest.mark.parametrize(
    ("row", "column", "reason"),
    [
        ("孤,,,,,,,", "地名", "不是地名"),
        ("上河县（旧）,,,,,,,", "地名", "不是地名"),
        ("东岭乡,星球,,,,,,", "类别", "不认识的类别“星球”"),
        ("东岭乡,,33052,,,,,", "代码", "不是区划代码“33052”"),
        ("东岭乡,,,后来,,,,", "起", "不是日期“后来”"),
        ("东岭乡,,,1990,1980,,,", "止", "早于起始时间"),
        ("东岭乡,,,,,消失,,", "变更", "不认识的变更“消失”"),
        ("东岭乡,,,,,,上河县,", "变更", "写了去向，没写变更"),
        ("东岭乡,,,,,并入,,", "去向", "“并入”须写明去向"),
        ("东岭乡,,,,,并入,西岭乡,", "去向", "表中没有“西岭乡”"),
        ("东岭乡,,,,,并入,东岭乡,", "去向", "去向是它自己"),
        ("东岭乡,,,,,,,岭", "别名", "不是地名“岭”"),
        ("上河县,,999901,,,,,", "地名", "与第 2 行是同一地名"),
    ],
)
def test_fault_is_told_with_line_column_and_reason(row: str, column: str, reason: str) -> None:
    header = PLACES.splitlines()[0].removesuffix(",来源")
    body = [line.rpartition(",")[0] for line in PLACES.splitlines()[1:]]

    assert faults("\n".join([header, *body, row])) == [(12, column, reason)]


def test_every_fault_is_told_at_once() -> None:
    found = faults(table(("东岭乡", "", "1"), ("西岭乡", "星球"), ("岭",)))

    assert [(line, column) for line, column, _ in found] == [(2, "代码"), (3, "类别"), (4, "地名")]


def test_faults_are_bounded() -> None:
    assert len(faults(table(*[("岭",)] * (FAULTS_MAX + 10)))) == FAULTS_MAX


def test_circle_is_refused() -> None:
    """A place that is its own grandchild has no beginning."""
    rows = (("东岭乡", "", "", "", "", "改名", "西岭乡"), ("西岭乡", "", "", "", "", "改名", "东岭乡"), ("中岭乡",))

    assert faults(table(*rows)) == [(line, "去向", "去向绕成一圈：东岭乡、西岭乡") for line in (2, 3)]


def test_name_that_came_back_is_a_row_of_its_own() -> None:
    rows = (
        ("东岭乡", "", "999901201", "", "1958", "改名", "999901101"),
        ("红旗乡", "", "999901101", "1958", "1980", "改名", "999901202"),
        ("东岭乡", "", "999901202", "1980"),
    )

    assert [place.successors for place in gazetteer(table(*rows)).places] == [(1,), (2,), ()]


def test_name_of_several_places_needs_a_code() -> None:
    rows = (
        ("西坑村", "", "999901001201"),
        ("西坑村", "", "999901002201"),
        ("东坑村", "", "", "", "", "并入", "西坑村"),
    )

    assert faults(table(*rows)) == [(4, "去向", "“西坑村”有 2 处")]


def test_successor_named_twice_counts_once() -> None:
    rows = (("东岭乡", "", "", "", "", "改名", "西岭乡、999901202"), ("西岭乡", "", "999901202"))

    assert gazetteer(table(*rows)).places[0].successors == (1,)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "表是空的"),
        ("名字,代码\n东岭乡,\n", "表头中没有“地名”列"),
        ("地名,代码,名称\n东岭乡,,\n", "此列出现两次"),
        ("地名,代码\n,999901\n", "不能为空"),
    ],
)
def test_table_without_its_columns_is_refused(text: str, reason: str) -> None:
    assert faults(text)[0][2] == reason


def test_refusal_names_the_file_in_both_languages() -> None:
    with pytest.raises(BadTable) as refused:
        gazetteer("地名,代码\n东岭乡,1\n")

    assert refused.value.reason.zh == "places.csv 第 2 行“代码”列：不是区划代码“1”"
    assert refused.value.reason.en == "places.csv line 2, column code: is no code: 1"
    assert refused.value.hint.en == "6, 9 or 12 digits, or nothing."
