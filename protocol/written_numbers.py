"""Words of a query that may be a reference code or a document number as a whole, and the marks that find it so."""

import re
from typing import Final

from protocol.marks import MARK_CHARS_MAX, REF_CODE, mark
from protocol.query_fields import Field
from protocol.reference_codes import REF_CODE_CHARS_MAX
from protocol.whole_codes import code_mark, doc_no_mark, whole_code

_CODE_LIKE: Final = re.compile(
    r"(?=.*[0-9０-９])[0-9A-Za-z０-９Ａ-Ｚａ-ｚ]+(?:[\s·・‧•⋅∙･.．。‐‑‒–—―−－─━﹣﹘/-]+[\w]{1,12})+"
)
_NUMBER_LIKE: Final = re.compile(
    r"(?=.*[0-9０-９]).*(?:[〔［【\[(（《<〈][0-9０-９]{2,4}年?[〕］】\])）》>〉]|[字第].*[号號]?|[号號])"
)


def whole_marks(text: str, field: Field | None = None) -> tuple[str, ...]:
    """Return the marks of the codes and numbers that a word may be as a whole, none for a word that is neither."""
    if len(text) > REF_CODE_CHARS_MAX:
        return ()
    found = []
    if field is Field.CODE or (field is None and _CODE_LIKE.fullmatch(text)):
        found.append(code_mark(text))
    if field is Field.DOC_NO or (field is None and _NUMBER_LIKE.fullmatch(text)):
        found.append(doc_no_mark(text))
    return tuple(term for term in found if len(term) > 1)


def code_beginning(text: str, field: Field | None = None) -> str:
    """Return how the marks of those codes begin that a word is the beginning of; "" for a word that is no code."""
    if len(text) > REF_CODE_CHARS_MAX or not (field is Field.CODE or (field is None and _CODE_LIKE.fullmatch(text))):
        return ""
    whole = whole_code(text)
    # A longer code is told by a checksum, which has no beginning.
    return mark(REF_CODE, f"{whole}-") if 0 < len(whole) < MARK_CHARS_MAX else ""
