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
    runs: list[Expression] = []
    year = first
    while year <= last:
        if year % 10 == 0 and year + 9 <= last:
            runs.append(Run(terms=(f"{YEAR}{year // 10:03d}",), columns=(Column.MARKS,), is_prefix=True))
            year += 10
        else:
            runs.append(Run(terms=(f"{YEAR}{year:04d}",), columns=(Column.MARKS,)))
            year += 1
    decades = range(first // 10, last // 10 + 1)
    runs += [Run(terms=(f"{WIDE_DECADE}{decade:03d}",), columns=(Column.MARKS,)) for decade in decades]
    return AnyOf(parts=tuple(runs))
