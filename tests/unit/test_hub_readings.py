"""All readings of a word together."""

import pytest

from hub.vocabulary.readings import WORD_CHARS_MAX
from protocol.readings import READINGS_MAX, ReadingKind
from tests.word_tables import readings, texts


def test_places_come_before_equal_words_and_these_before_both_together() -> None:
    found = readings().of("竹坞乡林地承包")
    kinds = [one.kind for one in found]

    assert texts(found)[:6] == [
        "竹坞里林地承包",
        "松源街道林地承包",
        "竹坞公社林地承包",
        "竹坞人民公社林地承包",
        "竹坞镇林地承包",
        "竹坞乡山林承包",
    ]
    assert "松源街道山林承包" in texts(found)
    assert kinds[:7] == [ReadingKind.PLACE] * 5 + [ReadingKind.SYNONYM] * 2


def test_name_is_read_in_its_other_spellings() -> None:
    assert [(one.text, one.kind) for one in readings().of("傅明")] == [("付明", ReadingKind.NAME_FORM)]


def test_word_is_taken_as_typed() -> None:
    """Script, width and padding are folded here, as the index folds them."""
    assert texts(readings().of(" 竹塢鄉 ")) == texts(readings().of("竹坞乡"))


@pytest.mark.parametrize("word", ["竹坞乡", "青石", "林权", "林地承包", "老虎洞大队"])
def test_place_or_word_of_the_county_is_no_name(word: str) -> None:
    """青, 林 and 老 begin names as well."""
    assert readings().homophones(word) is None


def test_name_has_homophones() -> None:
    found = readings().homophones("麻竹生")

    assert found is not None
    assert [alike.character for alike in found.characters] == list("麻竹生")


@pytest.mark.parametrize(
    "word", ["", " ", "。", "\0", "a", "1986", "' OR 1=1 --", "“”", "王" * (WORD_CHARS_MAX + 1), "乡" * 10_000]
)
def test_nonsense_has_no_readings(word: str) -> None:
    assert readings().of(word) == ()
    assert readings().homophones(word) is None


def test_readings_are_bounded() -> None:
    assert len(readings().of("竹坞乡林地承包老虎洞村山林权承包青石镇")) <= READINGS_MAX
