"""What looks like a person's name, and how else people write it."""

import pytest

from hub.vocabulary.person_names import (
    COMPOUND_SURNAMES,
    GIVEN_FORMS,
    NAME_FORMS_MAX,
    SURNAME_FORMS,
    SURNAMES,
    PersonName,
    name_forms,
    person_name,
)
from protocol.analysis import fold
from tests.word_tables import texts


@pytest.mark.parametrize(
    ("word", "surname", "given"),
    [
        ("王伟", "王", "伟"),
        ("麻竹生", "麻", "竹生"),
        ("歐陽建國", "欧阳", "建国"),
        ("诸葛亮", "诸葛", "亮"),
        ("欧阳", "欧", "阳"),
        ("王李秀英", "王", "李秀英"),
        ("傅堃", "傅", "堃"),
        ("张\U00020000", "张", "\U00020000"),
    ],
)
def test_name_is_taken_apart(word: str, surname: str, given: str) -> None:
    assert person_name(word) == PersonName(surname=surname, given=given)


@pytest.mark.parametrize(
    "word",
    [
        "王",
        "的士",
        "林地承包",
        "林权纠纷",
        "安吉县",
        "金属材料",
        "王伟2",
        "Wang",
        "",
        "金额合计情况",
        "方案通知",
        "周边村",
    ],
)
def test_other_words_are_no_names(word: str) -> None:
    assert person_name(word) is None


def test_surname_is_read_in_both_spellings() -> None:
    name = person_name("傅正华")

    assert name is not None
    assert texts(name_forms(name)) == ["付正华"]


def test_one_changed_character_comes_before_two() -> None:
    name = person_name("付喆")

    assert name is not None
    assert texts(name_forms(name)) == ["付哲", "傅喆", "傅哲"]


def test_reason_names_the_characters() -> None:
    name = person_name("肖明")

    assert name is not None
    assert [one.note.zh for one in name_forms(name)] == ["肖与萧常通写"]


def test_forms_are_bounded() -> None:
    assert len(name_forms(PersonName(surname="傅", given="岩昺皓"))) <= NAME_FORMS_MAX


def test_tables_are_folded_and_say_nothing_that_folding_says() -> None:
    """A pair that folding makes equal would be a reading that finds nothing new."""
    pairs = [*SURNAME_FORMS.split(), *GIVEN_FORMS.split()]

    assert [pair for pair in pairs if len(pair) != 2 or fold(pair[0]) == fold(pair[1])] == []
    assert [one for one in {*SURNAMES, *COMPOUND_SURNAMES} if fold(one) != one] == []
