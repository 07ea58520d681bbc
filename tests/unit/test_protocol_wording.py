"""Counts in English sentences: one and many, told by the number in one place."""

import ast
import re
from pathlib import Path

import pytest

from protocol.wording import Count

PROJECT = Path(__file__).parents[2]
NOUNS = (
    "years|days|minutes|hours|rows|records|entries|files|changes|places|characters|pages|sites|requests|items|letters"
    "|transfers|boxes|frames|nodes|codes|alarms|copies|accounts|volumes|lines|sheets|bundles|keys"
)
SENTENCES = {"Text", "_text", "_in", "passed", "failed", "_wrong"}
"""What makes words for people of two texts."""


def test_a_number_takes_the_word_for_one_or_for_many() -> None:
    assert [f"{Count(value):file is|files are} missing" for value in (0, 1, 2, 1_001)] == [
        "0 files are missing",
        "1 file is missing",
        "2 files are missing",
        "1001 files are missing",
    ]


@pytest.mark.parametrize(("value", "told"), [(1, "1 row"), (1_234, "1,234 rows"), (1_000_001, "1,000,001 rows")])
def test_long_numbers_are_grouped_where_the_sentence_says_so(value: int, told: str) -> None:
    assert f"{Count(value):,row|rows}" == told


def test_without_words_it_is_a_number_like_any_other() -> None:
    assert (f"{Count(7)}", f"{Count(7):03}", f"{Count(7):,}", Count(7) + 1) == ("7", "007", "7", 8)


def test_no_sentence_has_a_plural_that_does_not_follow_its_number() -> None:
    """Constants are above one, sizes in bytes never are one, and what has a fraction is many."""
    fixed = [
        f"{path.relative_to(PROJECT).as_posix()}:{place.lineno}: {told}"
        for package in ("protocol", "replication", "node", "hub", "deploy")
        for path in sorted((PROJECT / package).rglob("*.py"))
        for place in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(place, ast.Call) and ast.unparse(place.func) in SENTENCES
        for told in fixed_plurals(place)
    ]

    assert fixed == []


def fixed_plurals(call: ast.Call) -> list[str]:
    found = []
    for sentence in ast.walk(call):
        if isinstance(sentence, ast.JoinedStr):
            for number, words in zip(sentence.values, sentence.values[1:], strict=False):
                if (
                    isinstance(number, ast.FormattedValue)
                    and (number.format_spec is None or "," in ast.unparse(number.format_spec))
                    and isinstance(words, ast.Constant)
                    and not re.fullmatch(r"[\w.]*?([A-Z_]{3,}|_max)( [-/+*]+ \S+)*", ast.unparse(number.value))
                    and re.match(rf" (?:working |held |open )?(?:{NOUNS})\b", str(words.value))
                ):
                    found.append(ast.unparse(number.value) + str(words.value)[:30])
    return found
