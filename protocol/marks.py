"""Marks: terms of the index that no text can contain, for what is asked as a whole: a filter's value, a year, a code.

A mark begins with a sign that the analysis of texts never lets into a term, so no typed word finds a mark by accident
and no title can forge one. What follows is the value, written so that every engine takes it for one term: characters
of ASCII other than digits and small letters stand there in their full-width forms.
"""

import unicodedata
import zlib
from typing import Final

from protocol.expressions import AnyOf, Column, Expression, Run

MARK_CHARS_MAX: Final = 80
"""Characters of a value that stand in its mark; a longer value is cut and told apart by a checksum."""

YEARS_MARKED_MAX: Final = 12
"""Years that a record may span and still be marked year by year; a longer span is marked by its decades."""

SITE: Final = "§"
FONDS: Final = "¶"
KIND: Final = "¤"
ACCESS: Final = "¢"
LEVEL: Final = "£"
YEAR: Final = "¥"
"""One year that a record of few years touches; the first three digits with a prefix ask for a decade."""
WIDE_DECADE: Final = "±"
"""One decade that a record of many years touches."""
REF_CODE: Final = "¬"
DOC_NO: Final = "¦"
NOWHERE: Final = "¿"
"""The mark that no entry has."""

_ESCAPED: Final = str.maketrans(
    {
        **{
            chr(code): chr(code + 0xFEE0)
            for code in range(0x21, 0x7F)
            if not (chr(code).isdigit() or chr(code).islower())
        },
        **dict.fromkeys(map(chr, (*range(0x21), *range(0x7F, 0xA1))), "\u3000"),
    }
)


def mark(sign: str, value: str) -> str:
    """Return the mark of a value; a value that is a prefix of another has a mark that is a prefix of the other's."""
    escaped = unicodedata.normalize("NFC", value).translate(_ESCAPED)
    if len(escaped) <= MARK_CHARS_MAX:
        return sign + escaped
    return f"{sign}{escaped[:MARK_CHARS_MAX]}{zlib.crc32(escaped.encode('utf-8', 'replace')):08x}"


def year_marks(first: int, last: int) -> list[str]:
    """Return the marks of a record that touches the years from ``first`` to ``last``."""
    if last - first < YEARS_MARKED_MAX:
        return [f"{YEAR}{year:04d}" for year in range(first, last + 1)]
    return [f"{WIDE_DECADE}{decade:03d}" for decade in range(first // 10, last // 10 + 1)]


def period(first: int, last: int) -> Expression:
    """Return what finds every record that touches the years from ``first`` to ``last``.

    Where the period begins or ends within a decade, some records of many years are found that only touch that decade.
    """
    decades = range(first // 10, last // 10 + 1)
    terms = [*_beginnings(YEAR, first, last, 4), *_beginnings(WIDE_DECADE, decades[0], decades[-1], 3)]
    return AnyOf(parts=tuple(Run(terms=(term,), columns=(Column.MARKS,), is_prefix=cut) for term, cut in terms))


def _beginnings(sign: str, first: int, last: int, digits: int) -> list[tuple[str, bool]]:
    """Return the marks of all numbers of a range; those of a whole decade or century by their common beginning."""
    found = []
    while first <= last:
        zeros = next(
            zeros for zeros in range(digits - 1, -1, -1) if first % 10**zeros == 0 and first + 10**zeros - 1 <= last
        )
        found.append((f"{sign}{first:0{digits}d}"[: 1 + digits - zeros], zeros > 0))
        first += 10**zeros
    return found
