"""Literal substrings: pieces of titles, cut at random, that must find the records from which they were cut.

What a piece must find is decided by Python's ``in`` over the titles as written, never by the search's own rules. Pieces
do not begin or end inside a Latin word or a number: those are found as words. A piece that more records hold than a
page shows says nothing and is cut longer.
"""

import random
import re
from collections.abc import Mapping
from typing import Final

from tests.search_contract.catalogue import Line
from tests.search_contract.questions import HITS, Filters, Question

PIECE_CHARS: Final = (2, 14)
"""Characters of the shortest and the longest piece."""

PIECES_A_RECORD: Final = 3
"""Pieces cut from the title of each written record; of a plain record it is one."""

KIND: Final = "random_substring"
"""The class in which they count."""

_SEED: Final = 20261122
_WORD: Final = re.compile(r"[A-Za-z0-9Ａ-Ｚａ-ｚ０-９\u00c0-\u024f\u0300-\u036f]")
_OUTER: Final = re.compile(r"^[\W_]+|[\W_]+$")
_WRITTEN_OUT: Final = re.compile(r"[\w\W]*[\w][\w\W]*[\w][\w\W]*")


def pieces(lines: Mapping[str, Line]) -> list[Question]:
    """Return a question for each piece of each record that can be found at all."""
    draw = random.Random(_SEED)
    titles = {name: line.cells["title"] for name, line in lines.items() if _can_be_found(line)}
    asked = []
    for name, title in titles.items():
        for number in range(1 if name.startswith("plain-") else PIECES_A_RECORD):
            piece = _piece(title, draw)
            holders = [one for one, other in titles.items() if piece in other]
            if piece and len(holders) <= HITS:
                asked.append(_question(f"{name}#{number}", piece, holders))
    return asked


def _can_be_found(line: Line) -> bool:
    return not line.is_withdrawn and line.cells.get("secrecy", "内部") == "内部"


def _piece(title: str, draw: random.Random) -> str:
    """Cut a piece; empty if the title has none of two characters or more."""
    for _ in range(20):
        length = draw.randint(*PIECE_CHARS)
        start = draw.randint(0, max(0, len(title) - length))
        end = min(len(title), start + length)
        while start > 0 and _cuts_word(title, start):
            start -= 1
        while end < len(title) and _cuts_word(title, end):
            end += 1
        piece = _OUTER.sub("", title[start:end])
        if _WRITTEN_OUT.fullmatch(piece):
            return piece
    return ""


def _cuts_word(title: str, at: int) -> bool:
    return _WORD.match(title[at - 1]) is not None and _WORD.match(title[at]) is not None


def _question(name: str, piece: str, holders: list[str]) -> Question:
    return Question(
        id=name,
        kind=KIND,
        query=piece,
        filters=Filters(homophones="no"),
        expected=(tuple(holders),),
        unwanted=(),
        tolerated=(),
        why="cut from a title",
    )
