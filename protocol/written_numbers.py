"""Words of a query that may be a reference code or a document number as a whole, and the marks that find it so."""

import re
from typing import Final

from protocol.marks import MARK_CHARS_MAX, REF_CODE, mark
from protocol.query_fields import Field
from protocol.reference_codes import REF_CODE_CHARS_MAX, fold_code
from protocol.whole_codes import code_mark, doc_no_mark, whole_code

_CODE_LIKE: Final = re.compile(
    r"(?=.*[0-9０-９])[0-9A-Za-z０-９Ａ-Ｚａ-ｚ]+(?:[\s·・‧•⋅∙･.．。‐‑‒–—―−－─━﹣﹘/-]+[\w]{1,12})+"
)
_DIGIT: Final = "[0-9０-９〇○零一二三四五六七八九十]"
_NUMBER_LIKE: Final = re.compile(
    rf"(?=.*{_DIGIT}).*(?:[〔［【〖\[(（《<〈「『{{｛]{_DIGIT}{{2,4}}年?[〕］】〗\])）》>〉」』}}｝]|[字第].*[号號]?|[号號])"
)
_CODE_NAMED: Final = re.compile("(?:档号|档案号|编号)(?=[0-9A-Za-z０-９Ａ-Ｚａ-ｚ])")
_CODE_ENDED: Final = re.compile("(?<=[0-9０-９])[号號]")
_ONE_AS_DASH: Final = re.compile("(?<=[0-9A-Za-z０-９Ａ-Ｚａ-ｚ])一(?=[0-9A-Za-z０-９Ａ-Ｚａ-ｚ])")
_UNPARTED: Final = re.compile(
    "([A-Z]?[0-9]{1,4})([A-Z]{2})((?:18|19|20)[0-9]{2})(Y|C|D[0-9]{2,3})([A-Z]{2,6})?([0-9]{3,5})", re.IGNORECASE
)
"""A code with nothing between its parts, as far as its parts can be told."""
_END: Final = re.compile(r"(?=.*[A-Za-z])(.*[0-9A-Za-z\u4e00-\u9fff][-·._/])([1-9][0-9]{0,3})")

SERIAL_WIDTHS: Final = (3, 4, 5)
"""Digits of the numbers at the end of codes, filled up with zeros."""


def whole_marks(text: str, field: Field | None = None) -> tuple[str, ...]:
    """Return the marks of the codes and numbers that a word may be as a whole, none for a word that is neither."""
    if len(text) > REF_CODE_CHARS_MAX:
        return ()
    found = []
    code = _plain_code(text)
    if field is Field.CODE or (field is None and _CODE_LIKE.fullmatch(code)):
        found.append(code_mark(code))
    if field is Field.DOC_NO or (field is None and _NUMBER_LIKE.fullmatch(text)):
        found.append(doc_no_mark(text))
    return tuple(term for term in found if len(term) > 1)


def code_beginning(text: str, field: Field | None = None) -> str:
    """Return how the marks of those codes begin that a word is the beginning of; "" for a word that is no code."""
    if len(text) > REF_CODE_CHARS_MAX:
        return ""
    code = _plain_code(text)
    if not (field is Field.CODE or (field is None and _CODE_LIKE.fullmatch(code))):
        return ""
    whole = whole_code(code)
    # A longer code is told by a checksum, which has no beginning.
    return mark(REF_CODE, f"{whole}-") if 0 < len(whole) < MARK_CHARS_MAX else ""


def other_ends(text: str, field: Field | None = None) -> tuple[str, ...]:
    """Return a part of a code with the zeros that its last number may have lost: BGS-12 is BGS-0012 in most schemes."""
    if len(text) > REF_CODE_CHARS_MAX or field not in {None, Field.CODE}:
        return ()
    match = _END.fullmatch(fold_code(text))
    if match is None:
        return ()
    return tuple(match[1] + match[2].zfill(width) for width in SERIAL_WIDTHS if width > len(match[2]))


def _plain_code(text: str) -> str:
    """Return a code without what people write around it, parted where nothing parts it."""
    plain = _ONE_AS_DASH.sub("-", _CODE_ENDED.sub("", _CODE_NAMED.sub("", text)))
    if match := _UNPARTED.fullmatch(plain):
        return "-".join(part for part in match.groups() if part)
    return plain
