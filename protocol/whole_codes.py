"""Codes and numbers as wholes: the form in which a reference code or document number is compared, in one piece.

A code is written in three dialects that differ in their separators, with and without leading zeros, in any width and
case; a document number in any brackets. As wholes they are equal where only that differs. Their parts are found as
words; the whole, or its beginning, is a mark of the index (``protocol.marks``).
"""

import functools
import re
from typing import Final

from protocol.analysis import fold
from protocol.chinese_numerals import read_number
from protocol.document_numbers import fold_doc_no
from protocol.marks import DOC_NO, REF_CODE, mark
from protocol.reference_codes import fold_code

HEADS_CACHED: Final = 16_384
"""Beginnings of codes whose whole form is kept ready: every fonds, year and retention period of a county."""

_HEAD_CHARS_MAX: Final = 60
"""Characters of a beginning that leave room for a number in a mark."""

_SEPARATORS: Final = re.compile(r"[-·./_:()\[\]〔〕（）\s]+")
_LEADING_ZEROS: Final = re.compile(r"(?<![^-])0+(?=[0-9])")

_SERIAL: Final = re.compile(r"第(?=[0-9])|(?<![0-9])0+(?=[0-9])")

SHORT_YEAR_PIVOT: Final = 30
"""Years of two digits below it are of this century."""

_CORNERS: Final = str.maketrans("「『」』", "〔〔〕〕")
_READ_AS: Final = str.maketrans("OoＯｏlIｌＩ", "00001111")
# What a scanner makes of the opening bracket, and of 0 and 1, is told by the closing bracket and a digit among them.
_SCANNED_YEAR: Final = re.compile(r"(?<=[\u3400-\u9fff])[〔\[(（［【CcGtf]([12lI][0-9OoＯｏlI]{3})[〕\])）］】]")
_NUMERAL_YEAR: Final = re.compile("[〔［【〖\\[(（]([一二][〇○零一二三四五六七八九]{3})[〕］】〗\\])）]")
_NUMERAL_SERIAL: Final = re.compile("(?<=[字第〕］】〗\\])）])([〇○零一二三四五六七八九十百]{1,5})(?=[号號])")
_SHORT_YEAR: Final = re.compile(r"(?<=\()([0-9]{2})(?=\))")


def whole_code(text: str) -> str:
    """Return a reference code as it is compared as a whole; codes that begin alike have wholes that begin alike."""
    return _LEADING_ZEROS.sub("", _SEPARATORS.sub("-", fold(fold_code(text)))).strip("-")


def whole_doc_no(text: str) -> str:
    """Return a document number as it is compared as a whole; empty where the text says that there is none.

    Figures and Chinese numerals are the same, two digits of a year and four, and what a scanner reads for them.
    """
    plain = _SCANNED_YEAR.sub(_year_read, text.translate(_CORNERS))
    plain = _NUMERAL_SERIAL.sub(_in_figures, _NUMERAL_YEAR.sub(_in_figures, plain))
    plain = _SHORT_YEAR.sub(_year_in_full, fold(fold_doc_no(plain)[0]))
    return _SERIAL.sub("", _SEPARATORS.sub("-", plain)).strip("-")


def _year_read(match: re.Match[str]) -> str:
    return f"〔{match[1].translate(_READ_AS)}〕"


def _in_figures(match: re.Match[str]) -> str:
    number = read_number(match[1])
    return match[0] if number is None else match[0].replace(match[1], str(number))


def _year_in_full(match: re.Match[str]) -> str:
    return f"{'20' if int(match[1]) < SHORT_YEAR_PIVOT else '19'}{match[1]}"


def code_mark(text: str) -> str:
    """Return the mark of a reference code."""
    head, separator, number = text.rpartition("-")
    if not separator or not (number.isascii() and number.isdigit()):
        return mark(REF_CODE, whole_code(text))
    beginning = _head_mark(head)
    # A long code is cut, which only its whole can tell.
    return f"{beginning}－{number.lstrip('0') or '0'}" if beginning else mark(REF_CODE, whole_code(text))


@functools.lru_cache(maxsize=HEADS_CACHED)
def _head_mark(head: str) -> str:
    """Return the mark of all but the last number of a code, "" where the whole might be too long for its own mark."""
    whole = whole_code(head)
    return mark(REF_CODE, whole) if 0 < len(whole) <= _HEAD_CHARS_MAX else ""


def doc_no_mark(text: str) -> str:
    """Return the mark of a document number."""
    head, bracket, serial = text.partition("〕")
    if bracket and serial.endswith("号") and serial[:-1].isascii() and serial[:-1].isdigit() and serial[0] != "0":
        beginning = _issue_mark(head)
        if beginning:
            return beginning + serial
    return mark(DOC_NO, whole_doc_no(text))


@functools.lru_cache(maxsize=HEADS_CACHED)
def _issue_mark(head: str) -> str:
    """Return the mark of a number's issuer and year, "" where the whole might be too long for its own mark."""
    whole = whole_doc_no(f"{head}〕1号")
    return mark(DOC_NO, whole.removesuffix("1号")) if whole.endswith("-1号") and len(whole) <= _HEAD_CHARS_MAX else ""
