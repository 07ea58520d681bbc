"""Places: what a word that names one is also read as."""

from itertools import pairwise

import pytest

from protocol.readings import ReadingKind
from protocol.wording import Text
from tests.word_tables import PLACES, gazetteer, texts


@pytest.mark.parametrize(
    ("word", "others"),
    [
        ("下河县", ["上河县"]),
        ("上河县", ["下河县"]),
        ("下河", ["上河县"]),
        ("青石镇", ["青石街道", "白水街道", "青石公社", "青石人民公社", "青石乡"]),
        ("青石街道", ["青石镇", "青石公社", "青石人民公社", "青石乡"]),
        ("竹坞乡", ["竹坞里", "松源街道", "竹坞公社", "竹坞人民公社", "竹坞镇"]),
        ("松源街道", ["竹坞乡", "竹坞里", "竹坞公社", "竹坞人民公社", "竹坞镇"]),
        ("竹坞公社", ["竹坞乡", "竹坞里", "松源街道", "竹坞人民公社", "竹坞镇"]),
        ("竹坞里", ["竹坞乡", "松源街道", "竹坞公社", "竹坞人民公社", "竹坞镇"]),
        ("竹坞", ["松源街道"]),
        ("老虎洞大队", ["老虎洞村", "东溪村", "老虎洞生产大队", "老虎洞社区", "东溪大队", "东溪生产大队", "东溪社区"]),
        (
            "东溪村委会",
            [
                "东溪村",
                "老虎洞村",
                "东溪大队",
                "东溪生产大队",
                "东溪社区",
                "老虎洞大队",
                "老虎洞生产大队",
                "老虎洞社区",
            ],
        ),
    ],
)
def test_name_finds_what_the_place_was_and_became(word: str, others: list[str]) -> None:
    """The place itself comes first, then facts of the table, then what a rule guesses."""
    assert texts(gazetteer().readings(word)) == others


def test_part_of_a_divided_town_does_not_find_the_other_parts() -> None:
    assert "青石街道" not in texts(gazetteer().readings("白水街道"))


def test_place_inside_a_longer_word_is_replaced_there() -> None:
    found = texts(gazetteer().readings("青石镇山林承包合同"))

    assert found[0] == "青石街道山林承包合同"


def test_short_name_inside_a_longer_word_is_replaced_by_both_forms() -> None:
    assert texts(gazetteer().readings("竹坞信用社"))[:2] == ["松源街道信用社", "松源信用社"]


def test_short_name_of_a_village_inside_a_longer_word_is_left_alone() -> None:
    """阳光, 高山, 太和 are villages and everyday words."""
    assert gazetteer().readings("东溪旅行社") == ()


def test_one_character_is_never_a_place() -> None:
    assert gazetteer().readings("李") == ()


def test_village_of_one_character_keeps_its_village_in_the_brigade() -> None:
    """李村村委会 is the village 李村, whose brigade was 李村大队."""
    assert texts(gazetteer().readings("李村")) == []
    assert "李村大队" in texts(gazetteer().readings("李村村"))


def test_longest_name_wins() -> None:
    """松源街道 is not 松源 with something behind it."""
    assert texts(gazetteer().readings("松源街道办事处"))[0] == "竹坞乡办事处"


def test_reason_says_what_happened_and_when() -> None:
    became = next(one for one in gazetteer().readings("竹坞乡") if one.text == "松源街道")

    assert became.kind is ReadingKind.PLACE
    assert became.note == Text(zh="竹坞乡 2014 年改设为松源街道", en="竹坞乡 became 松源街道 in 2014")


def test_guess_by_rule_says_so() -> None:
    by_rule = next(one for one in gazetteer().readings("竹坞乡") if one.text == "竹坞公社")

    assert by_rule.note.zh.startswith("按规则")
    assert by_rule.note.en.startswith("by rule")


def test_way_over_several_steps_is_told_step_by_step() -> None:
    table = "地名,止,变更,去向\n甲山乡,1984,改名,乙山乡\n乙山乡,1992,改设,丙山镇\n丙山镇,,,\n"
    last = next(one for one in gazetteer(table).readings("甲山乡") if one.text == "丙山镇")

    assert last.note.zh == "甲山乡 1984 年更名为乙山乡；乙山乡 1992 年改设为丙山镇"


def test_steps_are_bounded() -> None:
    """A chain of twenty names is read eight steps far, from either end."""
    names = [f"{chr(0x4E00 + number)}山乡" for number in range(20)]
    rows = [f"{one},改名,{other}" for one, other in pairwise(names)]
    found = gazetteer("\n".join(["地名,变更,去向", *rows, f"{names[-1]},,"]))

    assert len(found.relatives(0)) == 8
    assert set(found.relatives(10)) == {*range(2, 10), *range(11, 19)}


def test_two_villages_of_one_name_both_count() -> None:
    """Only the codes tell them apart, and no title has codes."""
    table = (
        "地名,代码,止,变更,去向\n西坑村,999901001201,2003,并入,大坑村\n西坑村,999901002201,2005,并入,小坑村\n"
        "大坑村,,,,\n小坑村,,,,\n"
    )

    assert texts(gazetteer(table).readings("西坑村"))[:2] == ["大坑村", "小坑村"]


@pytest.mark.parametrize(
    ("word", "others"),
    [
        ("北坡大队", ["北坡村", "北坡生产大队", "北坡社区"]),
        ("北坡生产大队承包合同", ["北坡大队承包合同", "北坡村承包合同", "北坡社区承包合同"]),
        ("北坡人民公社", ["北坡公社", "北坡乡", "北坡镇"]),
        ("北坡公社", ["北坡乡", "北坡镇", "北坡人民公社"]),
        ("北坡村", ["北坡大队", "北坡生产大队", "北坡社区"]),
        ("北坡村委会", ["北坡村", "北坡大队", "北坡生产大队", "北坡社区"]),
        ("北坡乡", ["北坡公社", "北坡人民公社", "北坡镇"]),
    ],
)
def test_rule_holds_for_places_that_no_table_knows(word: str, others: list[str]) -> None:
    assert texts(gazetteer().readings(word)) == others


@pytest.mark.parametrize(
    "word", ["农村", "新农村", "刑侦大队", "城镇", "知青下乡", "行政村", "民警大队", "大队", "公社"]
)
def test_words_that_only_end_like_a_place_are_left_alone(word: str) -> None:
    assert gazetteer().readings(word) == ()


def test_reading_is_never_what_the_word_itself_finds() -> None:
    """下河县 holds 下河: whoever looks for 下河 finds it already."""
    for word in ("下河", "竹坞", "青石", "东溪村", *PLACES.replace("\n", ",").split(",")):
        assert [one for one in texts(gazetteer().readings(word)) if word and word in one] == []
