"""How a query is cut into its pieces: the signs of the language, and where quotations, brackets and words end."""

import re
from typing import Final

QUOTES: Final = dict(
    [
        *(('"', '"“”＂'), ("“", '”"“＂'), ("”", '“”"＂'), ("＂", '＂"“”'), ("「", "」"), ("『", "』"), ("﹁", "﹂")),
        *(("﹃", "﹄"), ("《", "》"), ("〈", "〉"), ("‘", "’"), ("'", "'")),
    ]
)
"""Quotation marks that open a phrase, and those that close it: keyboards mix them up."""

INNER_QUOTES: Final = frozenset("“「『《〈‘")
"""Those that are told from their closing mark, and so hold together what stands in them in the middle of a word."""

MUST_CLOSE: Final = frozenset('"“”＂「『')
"""Those that are never mere punctuation: if they are not closed, nobody knows where the phrase was to end."""

OPENING: Final = "(（"
CLOSING: Final = ")）"
ALTERNATIVE: Final = "|｜"
MINUS: Final = "-－"
COLONS: Final = ":：﹕"
STARS: Final = "*＊"
PARTING: Final = re.compile("[,，、丶;；+＋]")
"""What may part words where somebody leaves out blanks."""

_FIELD: Final = re.compile(rf"([^\W\d_][^\s{COLONS}|｜\"“”＂「『《〈()（）]{{0,15}})[{COLONS}]")
_SPACED_NUMBER: Final = re.compile(
    r"[^\s|｜\"“”]{0,20}[〔［【\[(（][0-9０-９]{2,4}年?[〕］】\])）]\s+第?\s?[0-9０-９]{1,6}\s?号?(?=\s|$)"
    r"|[A-Za-z]{2}[0-9]{0,2}/T\s+[0-9][0-9.-]*(?=\s|$)"
)


def field_at(text: str, at: int, end: int) -> re.Match[str] | None:
    """Return what may be a field's name with its colon at a place, the name as group 1."""
    return _FIELD.match(text, at, end)


def spaced_number_at(text: str, at: int, end: int) -> int:
    """Return where a number ends that has blanks in it, a document's or a standard's, ``at`` if none begins here."""
    match = _SPACED_NUMBER.match(text, at, end)
    return match.end() if match else at


def quote_end(text: str, at: int, end: int) -> int:
    """Return where the quotation closes that opens at a place, -1 if it does not."""
    closing = QUOTES[text[at]]
    return next((place for place in range(at + 1, end) if text[place] in closing), -1)


def word_end(text: str, at: int, end: int) -> int:
    """Return where the word ends that begins at a place: at a blank or a sign of alternatives outside quotations."""
    place = at
    while place < end:
        sign = text[place]
        if sign.isspace() or sign in ALTERNATIVE:
            return place
        if sign in INNER_QUOTES or (place == at and sign in QUOTES):
            closed = quote_end(text, place, end)
            place = closed if closed > 0 else place
        place += 1
    return end


def bracket_pairs(text: str) -> dict[int, int]:
    """Return where each bracket closes that does."""
    pairs: dict[int, int] = {}
    open_places: list[int] = []
    for place, sign in enumerate(text):
        if sign in OPENING:
            open_places.append(place)
        elif sign in CLOSING and open_places:
            pairs[open_places.pop()] = place
    return pairs


def after_blanks(text: str, at: int, end: int) -> int:
    """Return the first place from ``at`` on that is no blank, or ``end``."""
    while at < end and text[at].isspace():
        at += 1
    return at
