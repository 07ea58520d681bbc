"""Other ways to write the same word that folding leaves apart, because they differ in more than single characters.

A year in figures and in Chinese numerals (2003年, 二〇〇三年), a type with and without a hyphen before its number
(GN121, GN-121), a standard with and without its stroke and blank (GB/T 22239, GBT22239). They are looked for with the
word itself: nobody who types one of them means that one only. Quotation marks change nothing here, as they change
nothing about width or traditional forms.
"""

import re
from typing import Final

from protocol.analysis import Phrase, phrases

SPELLED_CHARS_MAX: Final = 200
"""Characters of a text whose other spellings are looked for; what is longer says enough."""

_FIGURES: Final = re.compile("(?<![0-9０-９])[12１２][0-9０-９]{3}(?=年)")
_NUMERALS: Final = re.compile("[一二][〇○零一二三四五六七八九]{3}(?=年)")
_TO_NUMERALS: Final = str.maketrans("0123456789０１２３４５６７８９", "〇一二三四五六七八九" * 2)
_TO_FIGURES: Final = str.maketrans("〇○零一二三四五六七八九", "000123456789")
_STANDARD: Final = re.compile("([A-Za-z]{2}[0-9]{0,2})/?[Tt]\\s*(?=[0-9])")
_BORDER: Final = re.compile("(?<=[A-Za-zＡ-Ｚａ-ｚ])(?=[0-9０-９])")


def spellings(text: str) -> tuple[str, ...]:
    """Return a text and its other spellings, the text first."""
    if len(text) > SPELLED_CHARS_MAX:
        return (text,)
    found = {
        text: None,
        _FIGURES.sub(lambda year: year[0].translate(_TO_NUMERALS), text): None,
        _NUMERALS.sub(lambda year: year[0].translate(_TO_FIGURES), text): None,
    }
    if _STANDARD.match(text):
        found |= {_STANDARD.sub(rf"\1/T{blank}", text, count=1): None for blank in (" ", "")}
    # Of a code with several parts nobody leaves out one sign.
    if text.isalnum() and len(_BORDER.findall(text)) == 1:
        found[_BORDER.sub("-", text)] = None
    return tuple(found)


def spelt_phrases(text: str) -> tuple[Phrase, ...]:
    """Return the phrases of a text in each of its spellings: one of them stands wherever the text may be meant."""
    return tuple(dict.fromkeys(one for form in spellings(text) for one in phrases(form)))
