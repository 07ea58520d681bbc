"""The console's words: complete in both languages, all of them used, and chosen as the reader wishes."""

import ast
import re
import string
from pathlib import Path

import msgspec
import pytest

from hub.web.languages import Language, Theme, chosen_language, chosen_theme
from hub.web.words import in_language
from hub.web.words.chinese import CHINESE
from hub.web.words.english import ENGLISH
from hub.web.words.fields import Words

WEB = Path(__file__).parents[2] / "hub" / "web"


def every_word(words: Words) -> dict[str, str]:
    return {
        f"{section.name}.{field.name}": getattr(getattr(words, section.name), field.name)
        for section in msgspec.structs.fields(Words)
        for field in msgspec.structs.fields(section.type)
    }


def test_no_word_is_empty_in_any_language() -> None:
    empty = [name for words in (CHINESE, ENGLISH) for name, word in every_word(words).items() if not word.strip()]

    assert empty == []


def test_both_languages_fill_in_the_same_places() -> None:
    def places(word: str) -> set[str | None]:
        return {name for _, name, _, _ in string.Formatter().parse(word) if name is not None}

    chinese, english = every_word(CHINESE), every_word(ENGLISH)

    assert {name: places(word) for name, word in chinese.items()} == {
        name: places(word) for name, word in english.items()
    }


def test_chinese_is_chinese_and_english_is_english() -> None:
    han = re.compile(r"[\u4e00-\u9fff]")
    same = {"frame.other_language"}

    assert [name for name, word in every_word(CHINESE).items() if not han.search(word) and name not in same] == []
    assert [name for name, word in every_word(ENGLISH).items() if han.search(word) and name not in same] == []


def test_every_word_is_used() -> None:
    """A word that no page says is a word that nobody translates well."""
    templates = "\n".join(path.read_text(encoding="utf-8") for path in (WEB / "templates").rglob("*.html"))
    asked = {f"{found[1]}.{found[2]}" for found in re.finditer(r"\bw\.(\w+)\.(\w+)", templates)}
    attributes: set[str] = set()
    for path in WEB.rglob("*.py"):
        if "words" not in path.parts:
            tree = ast.parse(path.read_text(encoding="utf-8"))
            attributes |= {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}

    unused = {name for name in every_word(CHINESE) if name not in asked and name.partition(".")[2] not in attributes}

    assert unused == set()


def test_templates_ask_for_no_word_that_is_not_there() -> None:
    known = every_word(CHINESE)
    asked = {
        f"{found[1]}.{found[2]}"
        for path in (WEB / "templates").rglob("*.html")
        for found in re.finditer(r"\bw\.(\w+)\.(\w+)", path.read_text(encoding="utf-8"))
    }

    assert asked - known.keys() == set()


def test_templates_hold_no_words_of_their_own() -> None:
    """Whatever a reader sees comes from the words; the names of the languages are in themselves."""
    found = {
        path.name: set(re.findall(r"[\u4e00-\u9fff]+", path.read_text(encoding="utf-8")))
        for path in (WEB / "templates").rglob("*.html")
    }

    assert {name: words for name, words in found.items() if words} == {"account.html": {"简体中文"}}


def test_pages_hold_no_inline_script_style_or_handler() -> None:
    """The content policy would not run them; a page must not ask."""
    wrong = re.compile(r"<style|style=|<script(?![^>]*src=)|\son\w+=|javascript:|https?://|\|\s*safe\b")
    found = {
        path.name: hits
        for path in (WEB / "templates").rglob("*.html")
        if (hits := wrong.findall(path.read_text(encoding="utf-8")))
    }

    assert found == {}


@pytest.mark.parametrize(
    ("cookie", "accepted", "language"),
    [
        ("", "", Language.CHINESE),
        ("", "en-GB,en;q=0.9", Language.ENGLISH),
        ("", "fr,zh-TW;q=0.8,en;q=0.7", Language.CHINESE),
        ("", "en;q=0.2,zh-CN;q=0.9", Language.CHINESE),
        ("", "en;q=0,de", Language.CHINESE),
        ("", "en;q=x", Language.CHINESE),
        ("en", "zh-CN", Language.ENGLISH),
        ("klingon", "en", Language.ENGLISH),
    ],
)
def test_the_language_is_what_the_reader_chose_else_what_the_browser_asks_for(
    cookie: str, accepted: str, language: Language
) -> None:
    assert chosen_language(cookie, accepted) is language


def test_each_language_has_its_words_and_unknown_themes_follow_the_machine() -> None:
    assert (in_language(Language.CHINESE), in_language(Language.ENGLISH)) == (CHINESE, ENGLISH)
    assert (chosen_theme("dark"), chosen_theme("<b>")) == (Theme.DARK, Theme.AUTOMATIC)
