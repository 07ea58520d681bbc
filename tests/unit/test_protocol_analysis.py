import hashlib
import sqlite3
import unicodedata
from collections.abc import Callable, Iterator
from contextlib import closing

import pytest

from protocol.analysis import _FOLDS, ANALYSIS_VERSION, fold, index_lines, index_terms, phrases
from protocol.limits import QUERY_CHARS_MAX, WORD_CHARS_MAX
from tests.plain_queries import match_query

Search = Callable[[str], list[str]]

TITLES = (
    "关于印发《安吉县林地承包合同管理办法》的通知",
    "某政发〔2014〕12号",
    "某政发〔2014〕112号",
    "Z109-WS·2011·Y-BGS-0001",
    "王某某、李四 结婚登记",
    "王　伟",
    "王伟明 独生子女证",
    "張三關於林權糾紛的信訪件",
    "𠮷𡘙 土地证",
    "G20峰会 COVID19防控 第3期",
    "甲乙 丙丁，戊己",
    "裏山村土改清册",
    "葛\U000e0100某档案",
    "ＡＢＣ１２３全角",
    "民国三十六年契约",
    "二○一四年工作总结",
    "\ue000某私有字",
)


@pytest.fixture
def search() -> Iterator[Search]:
    """Search through a real index, set up as the node and the hub do."""
    with closing(sqlite3.connect(":memory:")) as store:
        store.execute(
            "create virtual table terms using fts5"
            "(title, content='', columnsize=0, tokenize='unicode61 remove_diacritics 0')"
        )
        store.executemany(
            "insert into terms (rowid, title) values (?, ?)",
            [(rowid, index_terms(title)) for rowid, title in enumerate(TITLES, 1)],
        )

        def found(query: str) -> list[str]:
            expression = match_query(query)
            rows = store.execute("select rowid from terms where terms match ? order by rowid", (expression,))
            return [TITLES[rowid - 1] for (rowid,) in rows]

        yield found


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        # Two-character names and words.
        ("李四", ["王某某、李四 结婚登记"]),
        ("林地", ["关于印发《安吉县林地承包合同管理办法》的通知"]),
        ("合同管理", ["关于印发《安吉县林地承包合同管理办法》的通知"]),
        # One character, at the beginning, inside and at the end of a run.
        ("王", ["王某某、李四 结婚登记", "王　伟", "王伟明 独生子女证"]),
        ("期", ["G20峰会 COVID19防控 第3期"]),
        ("丙", ["甲乙 丙丁，戊己"]),
        ("丁", ["甲乙 丙丁，戊己"]),
        # A two-character name padded with a blank.
        ("王伟", ["王　伟", "王伟明 独生子女证"]),
        # Rare characters beyond U+FFFF, and those of a private code page.
        ("𠮷", ["𠮷𡘙 土地证"]),
        ("𡘙", ["𠮷𡘙 土地证"]),
        ("𠮷𡘙", ["𠮷𡘙 土地证"]),
        ("\ue000某", ["\ue000某私有字"]),
        # Latin letters and digits beside Han.
        ("G20峰会", ["G20峰会 COVID19防控 第3期"]),
        ("g20", ["G20峰会 COVID19防控 第3期"]),
        ("covid19防控", ["G20峰会 COVID19防控 第3期"]),
        ("第3期", ["G20峰会 COVID19防控 第3期"]),
        ("abc123", ["ＡＢＣ１２３全角"]),
        # Document numbers, whole and in parts, with any brackets.
        ("某政发〔2014〕12号", ["某政发〔2014〕12号"]),
        ("某政发[2014]12号", ["某政发〔2014〕12号"]),
        ("〔2014〕12号", ["某政发〔2014〕12号"]),
        ("12号", ["某政发〔2014〕12号"]),
        ("发〔2014〕", ["某政发〔2014〕12号", "某政发〔2014〕112号"]),
        # Reference codes, whole and in parts, with any separators.
        ("Z109-WS·2011·Y-BGS-0001", ["Z109-WS·2011·Y-BGS-0001"]),
        ("z109—ws.2011", ["Z109-WS·2011·Y-BGS-0001"]),
        ("BGS-0001", ["Z109-WS·2011·Y-BGS-0001"]),
        ("Z109", ["Z109-WS·2011·Y-BGS-0001"]),
        # Traditional, simplified and variant characters find each other.
        ("张三", ["張三關於林權糾紛的信訪件"]),
        ("關於林權", ["張三關於林權糾紛的信訪件"]),
        ("里山村", ["裏山村土改清册"]),
        ("裡山", ["裏山村土改清册"]),
        ("葛某", ["葛\U000e0100某档案"]),
        ("二〇一四年", ["二○一四年工作总结"]),
        # Title marks and quotation marks are left out by readers.
        ("印发安吉县", ["关于印发《安吉县林地承包合同管理办法》的通知"]),
        ("《安吉县林地承包合同管理办法》", ["关于印发《安吉县林地承包合同管理办法》的通知"]),
        # Several words, in any order; a quoted phrase.
        ("登记 李四", ["王某某、李四 结婚登记"]),
        ('"李四 结婚"', ["王某某、李四 结婚登记"]),
        ("“李四 结婚” 王", ["王某某、李四 结婚登记"]),
    ],
)
def test_a_query_finds(search: Search, query: str, expected: list[str]) -> None:
    assert search(query) == expected


@pytest.mark.parametrize(
    "query",
    [
        "乙丙",  # across a blank
        "丁戊",  # across a comma
        "甲乙丙丁",
        "某李",  # across 、
        "2号",  # inside a number
        "Z10",  # inside a word
        "S·2011",
        '"结婚 李四"',
        "登记李四",
        "王李四",
        "伟某",
    ],
)
def test_a_query_does_not_find_across_word_boundaries(search: Search, query: str) -> None:
    assert search(query) == []


@pytest.mark.parametrize(
    "query",
    [
        *(
            '"',
            "'",
            "*",
            "王*",
            "王-伟",
            "AND",
            "a AND",
            "NOT 王",
            "NEAR(王 李)",
            "title:王",
            "王 OR 李",
            "(",
            "^王",
            "+",
            "{a}: b",
        ),
        *(
            '""',
            '"王',
            '王"',
            '" "',
            "“",
            "\x00王",
            "王" * 500,
            "a " * 500,
            "王 李 " * 100,
            "\ud800",
            "🙂",
            "١٢",
            "é́",
            "％＿",
        ),
    ],
)
def test_nothing_a_reader_types_is_syntax(search: Search, query: str) -> None:
    """FTS5 has a language of its own; a reader's text must never reach it as such."""
    expression = match_query(query)

    assert expression is None or isinstance(search(query), list)


@pytest.mark.parametrize("query", ["", " ", "、。", "《》", "-", "\u200b", "🙂", '""'])
def test_a_query_without_anything_to_search_is_none(query: str) -> None:
    assert match_query(query) is None


def test_a_long_query_is_bounded() -> None:
    assert match_query("安" * 10_000) == match_query("安" * QUERY_CHARS_MAX)
    assert match_query("ab " * 10_000) == '"ab"'
    assert match_query("安吉 " + "a" * 10_000) == '"安吉"'


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("王", '"王"*'),
        ("林地", '"林地"'),
        ("林地承包", '"林地 地承 承包"'),
        ("某政发〔2014〕12号", '"某政 政发 发 2014 12 号"*'),
        ("林地 承包", '"林地" AND "承包"'),
        ("林地 林地", '"林地"'),
        ("Z109-WS", '"z109 ws"'),
        ("張", '"张"*'),
    ],
)
def test_a_query_becomes_phrases(query: str, expected: str) -> None:
    assert match_query(query) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ""),
        ("县", "县"),
        ("安吉县", "安吉 吉县 县"),
        ("安吉縣", "安吉 吉县 县"),
        ("第12号令", "第 12 号令 令"),
        ("Z109-WS·2011", "z109 ws 2011"),
        ("王　伟", "王伟 伟"),
        ("王　伟结婚", "王伟 伟结 结婚 婚"),
        ("河 道 采 砂 管理", "河道 道采 采砂 砂管 管理 理"),
        ("欧阳 锋", "欧阳 阳 锋"),
        ("王\n伟", "王 伟"),
        ("《安》《吉》", "安吉 吉"),
        ("阿不都·热合曼", "阿不 不都 都热 热合 合曼 曼"),
        ("阿不都 • 热合曼", "阿不 不都 都热 热合 合曼 曼"),
        ("阿不都．热合曼", "阿不 不都 都热 热合 合曼 曼"),
        ("安。吉", "安 吉"),
        ("Y·办公室", "y 办公 公室 室"),
    ],
)
def test_terms_are_pairs_and_words(text: str, expected: str) -> None:
    assert index_terms(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("安吉縣", "安吉县"),
        ("ＡＢＣ〔２０１４〕１２號", "abc(2014)12号"),
        ("Z109—WS・2011", "z109-ws·2011"),
        ("《通知》", "通知"),
        ("神", "神"),
        ("⽂件", "文件"),
        ("二○一四", "二〇一四"),
        ("葛\U000e0100", "葛"),
        ("Straße", "strasse"),
    ],
)
def test_folding_makes_spellings_equal(text: str, expected: str) -> None:
    assert fold(text) == expected


@pytest.mark.parametrize("text", ["ΐ", "ǰ", "é", "Å", "각"])
def test_what_is_folded_is_composed(text: str) -> None:
    """Lower case takes some characters apart."""
    assert unicodedata.is_normalized("NFC", fold(text))


def test_a_word_is_cut_where_an_engine_would_refuse_it() -> None:
    """PostgreSQL takes terms of at most 2,046 bytes."""
    word = "я" * 3_000

    assert index_terms(f"安 {word}") == f"安 {word[:WORD_CHARS_MAX]}"
    assert index_lines([word, "安"]) == [word[:WORD_CHARS_MAX], "安"]
    assert phrases(word) == (((word[:WORD_CHARS_MAX],), False),)
    assert len(("𝔞" * WORD_CHARS_MAX).encode()) <= 2_046


def test_single_characters_with_blanks_between_are_a_name_or_the_edges_of_two() -> None:
    assert phrases("王　伟") == ((("王伟",), False), (("王", "伟"), True))


def test_a_changed_table_needs_a_new_version() -> None:
    """Indexes of two tables must never be mixed: raise ANALYSIS_VERSION and pin the new digest here."""
    digest = hashlib.sha256(repr(sorted(_FOLDS.items())).encode()).hexdigest()[:16]

    assert (ANALYSIS_VERSION, digest) == (3, "9b463f0b94e2a151")
