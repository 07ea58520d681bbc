"""Cutting the terms of many texts at once gives those of each text by itself, as a slow and plain reading of the rules.

The rules stand at the head of ``protocol.analysis``. Nothing here shares more with it than the tables.
"""

import json
import re
import unicodedata
from itertools import groupby, pairwise
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from protocol.analysis import _FOLDS, HAN, index_lines, index_terms
from protocol.limits import WORD_CHARS_MAX

AWKWARD = (
    "安吉縣档王伟裏々〇○か\u3099アｱーゖ𠮷𪜎\ue000\U000f0000神⼀0aBéßİǅΐſＡｂ１①Ⅻ가\u1100\u1161١"
    "\u0301\u0345\u0338\U000e0100\ufe0f \u3000\u00a0\t\n\r\x00\x01\x1c\u2028《》“\"'\u200b"
    "·・-—_〔〕（）、。，,;；|ﾞ゛🙂\ud800"
)
ANY_TEXT = st.text(st.one_of(st.sampled_from(AWKWARD), st.characters()), max_size=12)
USUAL = st.text("关于印发安吉县林地承包合同的通知（第12号）〔2014〕Z109-WS·Y、ABab", max_size=20)

_IS_HAN = re.compile(f"[{HAN}]")


def reference(text: str) -> str:
    """The terms of a text, character by character."""
    return " ".join(term for run in _runs(_folded(text)) for term in _terms(run))


def _folded(text: str) -> str:
    composed = unicodedata.normalize("NFC", text)
    plain = "".join(_FOLDS.get(ord(character), character) or "" for character in composed)
    # An accent may stand behind its letter only once what parted them is gone.
    bare = re.sub("(?<=[a-z])[\u0300-\u036f]+", "", plain.casefold())
    return unicodedata.normalize("NFC", bare)


def _closed_up(runs: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """Runs of Han characters with middle dots alone, or one full stop, between are one; blanks around dots are none."""
    closed: list[tuple[str, str]] = []
    for kind, run in runs:
        stripped = run.strip(" ")
        joins = set(stripped) == {"·"} or run == "."
        if kind == "han" and len(closed) > 1 and closed[-1][0] == "dot" and closed[-2][0] == "han":
            closed[-2:] = [("han", closed[-2][1] + run)]
        else:
            closed.append(("dot" if joins else kind, run))
    return closed


def _runs(text: str) -> list[str]:
    """What stands together, of one kind: Han or words; blanks alone part no single Han character from the next."""
    found: list[tuple[str, str]] = [("mark", "")]
    for kind, characters in groupby(text, _kind):
        run = "".join(characters)
        is_padded = kind == "han" and found[-1][0] == "blank" and found[-2][0] == "padded"
        if is_padded:
            found[-2:] = [("padded" if len(run) == 1 else "han", found[-2][1] + run)]
        else:
            found.append(("padded" if kind == "han" and len(run) == 1 else kind, run))
    marked = [("han" if kind == "padded" else kind, run) for kind, run in found[1:]]
    # Marks and blanks that stand side by side are one gap.
    gaps = [
        (kind, "".join(run for _, run in group))
        for kind, group in groupby(marked, lambda one: "gap" if one[0] in {"mark", "blank"} else one[0])
    ]
    return [run for kind, run in _closed_up(gaps) if kind in {"han", "word"}]


def _kind(character: str) -> str:
    if _IS_HAN.match(character):
        return "han"
    if character.isalnum():
        return "word"
    return "blank" if character == " " else "mark"


def _terms(run: str) -> list[str]:
    if not _IS_HAN.match(run):
        return [run[:WORD_CHARS_MAX]]
    return [*(one + following for one, following in pairwise(run)), run[-1]]


@given(st.lists(st.one_of(ANY_TEXT, USUAL), max_size=8))
@example(["王\n伟", "王 伟", "", "A", "é B", "王　伟 明天"])
@example(["ABC", "①"])
@example(["一··一", "一· ·一", "一..一", "一 ·· 一"])
@example(["e《\u0301", "か《\u3099", "\u0345ΐ", "Ａ\u030a"])
@settings(max_examples=500)
def test_many_texts_at_once_have_the_terms_of_each(texts: list[str]) -> None:
    expected = [reference(text) for text in texts]

    assert index_lines(texts) == expected
    assert [index_terms(text) for text in texts] == expected


@given(st.lists(USUAL, min_size=1, max_size=8))
def test_usual_titles_have_the_same_terms_in_any_company(texts: list[str]) -> None:
    """One unusual text must not change how its neighbours are read."""
    alone = [reference(text) for text in texts]

    assert index_lines(texts) == alone
    assert index_lines([*texts, "①é𠮷\u0301"])[:-1] == alone


@pytest.mark.parametrize("around", ["{}", "安{}吉", "a{}b", "王 {} 伟", "か{}"])
def test_every_character_of_the_basic_plane_is_read_alike(around: str) -> None:
    texts = [around.format(chr(code)) for code in range(0x10000)]

    assert index_lines(texts) == [index_terms(text) for text in texts]


def test_hostile_strings_are_read_alike(shared_data: Path) -> None:
    vectors = next(shared_data.rglob("big_list_of_naughty_strings.json"))
    texts: list[str] = json.loads(vectors.read_text("utf-8"))

    assert index_lines(texts) == [reference(text) for text in texts]
