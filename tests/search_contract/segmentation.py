"""What word segmentation finds: the same records and questions, cut into words by a dictionary instead of into pairs.

The dictionary is jieba's, used as search engines use it: ``cut_for_search`` over the records, ``cut`` over the query,
every word of the query must be in the record, best rank first. Texts and queries are folded as ours are, so that
nothing but the cutting differs. It stands beside our figures in the table; it is needed for nothing else.
"""

import sqlite3
import warnings
from collections.abc import Mapping
from typing import Any, Final

from protocol.analysis import fold
from tests.search_contract.catalogue import Line
from tests.search_contract.engines import Ask, Part
from tests.search_contract.questions import HITS, Question

NAME: Final = "jieba"

PLAIN_KINDS: Final = frozenset(
    (
        *("literal", "random_substring", "two_character_name", "one_character_apart", "one_character", "script"),
        *("padded_name", "dotted_name", "rare_character", "compatibility", "width_and_punctuation", "damaged"),
        *("long_title", "latin", "scope_and_note"),
    )
)
"""Classes that need no query language, no tables and no filters: the cutting alone decides."""

_SHOWN: Final = ("title", "party", "no", "code", "date", "scope", "note", "old")


def is_installed() -> bool:
    """Tell whether the library is there; only the benchmarks' group of dependencies brings it."""
    try:
        _library()
    except ImportError:
        return False
    return True


def segmented(lines: Mapping[str, Line]) -> Ask:
    """Return an engine over an index of words that a dictionary cut."""
    jieba = _library()
    standing = {name: line for name, line in lines.items() if not line.is_withdrawn and "secrecy" not in line.cells}
    index = sqlite3.connect(":memory:")
    index.execute("CREATE VIRTUAL TABLE entry USING fts5(name UNINDEXED, words, tokenize='unicode61')")
    index.executemany(
        "INSERT INTO entry VALUES (?, ?)",
        [(name, " ".join(jieba.cut_for_search(fold(_text(line))))) for name, line in standing.items()],
    )
    held = frozenset(standing)

    async def ask(question: Question) -> list[Part]:
        words = [word for word in jieba.cut(fold(question.query)) if any(map(str.isalnum, word))]
        if not words:
            return [Part(found=[], held=held)]
        match = " AND ".join('"' + word.replace('"', "") + '"' for word in words)
        rows = index.execute("SELECT name FROM entry WHERE words MATCH ? ORDER BY rank LIMIT ?", (match, HITS))
        return [Part(found=[name for (name,) in rows], held=held)]

    return ask


def _text(line: Line) -> str:
    return "\n".join(line.cells.get(key, "") for key in _SHOWN)


def _library() -> Any:  # noqa: ANN401 - a library without types
    with warnings.catch_warnings():
        # Its patterns are written in a way that newer interpreters warn of.
        warnings.simplefilter("ignore")
        import jieba  # noqa: PLC0415 - a peer that is absent from most installations

    jieba.setLogLevel("ERROR")
    return jieba
