"""The table of variant characters is what OpenCC says it is.

When OpenCC moves, run this file's `derived` and write its two strings into protocol/variants.py, 54 characters a line.
"""

import opencc
import pytest

from protocol.variants import GIVEN, SIMPLIFIED

HAN_BLOCKS = (
    (0x3400, 0x4DBF),
    (0x4E00, 0x9FFF),
    (0x20000, 0x2A6DF),
    (0x2A700, 0x2EBE0),
    (0x2EBF0, 0x2EE5D),
    (0x30000, 0x323AF),
)


def derived() -> tuple[str, str]:
    """The table derived again: t2s to its end, hk2s where t2s changes nothing."""
    simplified, from_hong_kong = opencc.OpenCC("t2s").convert, opencc.OpenCC("hk2s").convert
    pairs = []
    for first, last in HAN_BLOCKS:
        for given in map(chr, range(first, last + 1)):
            plain = simplified(given)
            if plain == given:
                plain = from_hong_kong(given)
            while (next_plain := simplified(plain)) != plain:
                plain = next_plain
            if plain != given:
                pairs.append((given, plain))
    return "".join(given for given, _ in pairs), "".join(plain for _, plain in pairs)


def test_the_table_is_what_opencc_derives() -> None:
    assert derived() == (GIVEN, SIMPLIFIED)


def test_the_table_pairs_single_characters() -> None:
    assert len(GIVEN) == len(SIMPLIFIED) == len(set(GIVEN))


def test_what_a_character_becomes_is_final() -> None:
    assert set(GIVEN) & set(SIMPLIFIED) == set()


@pytest.mark.parametrize(
    ("given", "plain"),
    [
        ("縣", "县"),
        ("婚", "婚"),
        ("於", "于"),
        ("峯", "峰"),
        ("羣", "群"),
        ("裡", "里"),
        ("裏", "里"),
        ("衞", "卫"),
        ("戶", "户"),
    ],
)
def test_the_characters_of_a_county_are_in_it(given: str, plain: str) -> None:
    assert given.translate(str.maketrans(GIVEN, SIMPLIFIED)) == plain
