"""Document numbers 文号: the issuer's word, the year in hexagonal brackets, a serial number (某政发〔2014〕12号).

Rules of GB/T 9704-2012: brackets U+3014 and U+3015, four digits of the year, no 第, no leading zero. Whatever else a
sheet writes is folded to that form for search; the caller keeps what was given.
"""

import re
from typing import Final

_OPEN: Final = "〔〖【［\\[（(｛{﹝＜<《〈"
_CLOSE: Final = "〕〗】］\\]）)｝}﹞＞>》〉"
_REGULAR: Final = re.compile(rf"[^{_OPEN}{_CLOSE}\s0-9０-９]*〔[0-9]{{4}}〕[1-9][0-9]*号")
_YEARED: Final = re.compile(
    rf"(?P<issuer>[^{_OPEN}{_CLOSE}]*)[{_OPEN}]+(?P<year>[0-9]{{2,4}})年?[{_CLOSE}]+[.·、]?第?0*(?P<serial>[0-9]+)(?P<rest>.*)"
)
_BARE: Final = re.compile(r"(?P<issuer>[^0-9]{2,20})(?P<year>(?:19|20)[0-9]{2})年第?0*(?P<serial>[0-9]{1,5})号")
"""Typed without brackets; anything less plain than 某政1993年12号 is left as it stands."""
_CASE: Final = re.compile(rf"[{_OPEN}]([0-9]{{4}})[{_CLOSE}]([^{_OPEN}{_CLOSE}]+第?[0-9]+号.*)")
_BRACKETED_DIGITS: Final = re.compile(rf"[{_OPEN}{_CLOSE}][^{_OPEN}{_CLOSE}]*[0-9]")
_HALF_WIDTH: Final = str.maketrans("０１２３４５６７８９．號", "0123456789.号")
_NONE: Final = frozenset(("", "无", "无文号", "-", "—", "/", "、"))


def fold_doc_no(raw: str) -> tuple[str, tuple[str, ...]]:
    """Return the document number in its regular form, and ``doc_no_irregular`` if it was written otherwise.

    Empty for a cell that says there is none. A number without a year (婚字第12号) is kept as it stands; the number of a
    case keeps its own form with the year in front, （2014）安民调字第15号; a bracketed one that cannot be read is kept
    and reported.
    """
    if _REGULAR.fullmatch(raw):
        return raw, ()
    text = "".join(raw.split()).translate(_HALF_WIDTH).rstrip("；;，,。")
    if text in _NONE:
        return "", ()
    if bare := _BARE.fullmatch(text):
        return f"{bare['issuer']}〔{bare['year']}〕{bare['serial']}号", ("doc_no_irregular",)
    match = _YEARED.fullmatch(text)
    if match is None:
        if case := _CASE.fullmatch(text):
            return f"（{case[1]}）{case[2]}", ()
        return text, ("doc_no_irregular",) if _BRACKETED_DIGITS.search(text) else ()
    folded = f"{match['issuer']}〔{match['year']}〕{match['serial']}{match['rest'] or '号'}"
    is_regular = folded == text and len(match["year"]) == 4
    return folded, () if is_regular else ("doc_no_irregular",)
