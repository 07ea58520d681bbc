"""Counts in the console's words: one and many."""

import re

import msgspec

from hub.web.languages import Language
from hub.web.words import in_language
from hub.web.words.english import ENGLISH
from hub.web.words.phrases import Phrase

NOUNS = "years|days|minutes|seconds|rows|records|entries|files|lines|changes|places|characters|pages|sites|requests"


def test_a_number_takes_the_word_for_one_or_for_many() -> None:
    """Templates give numbers as they are, or as people write them."""
    phrase = Phrase("after {years:year|years}")

    assert [phrase.format(years=value) for value in (0, 1, 20, "1", "1,001")] == [
        "after 0 years",
        "after 1 year",
        "after 20 years",
        "after 1 year",
        "after 1,001 years",
    ]


def test_other_places_are_filled_as_ever() -> None:
    assert Phrase("{who} of {count:05.1f}% {{}}").format(who="lin", count=2.25) == "lin of 002.2% {}"


def test_one_of_a_thing_is_told_rightly_in_english_and_chinese_needs_no_second_word() -> None:
    english, chinese = in_language(Language.ENGLISH), in_language(Language.CHINESE)

    assert english.keeping.term_years.format(years=1) == "after 1 year"
    assert english.catalogue.total.format(count="1,204") == "1,204 entries"
    assert chinese.keeping.term_years.format(years=1) == "满 1 年"


def texts(words: msgspec.Struct) -> list[str]:
    values = [getattr(words, name) for name in words.__struct_fields__]
    return [text for value in values for text in (texts(value) if isinstance(value, msgspec.Struct) else [str(value)])]


def test_no_english_word_has_a_plural_that_does_not_follow_its_number() -> None:
    assert [one for one in texts(ENGLISH) if re.search(rf"{{\w+}} (working )?({NOUNS})\b", one)] == []
