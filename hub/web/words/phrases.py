"""Phrases with counts: in English a number takes one of two words, which the phrase itself says.

``"after {years:year|years}"`` is told as "after 1 year" or "after 20 years". Chinese has one form and needs none of it.
Every word of the console is such a phrase, so that a template formats all of them alike.
"""

import string
from typing import Any, TypeVar

import msgspec

from protocol.wording import counted

_Words = TypeVar("_Words", bound=msgspec.Struct)


class _Counting(string.Formatter):
    """Formats as ``str.format`` does, and a place ``{count:one|many}`` with the word that its number takes."""

    def format_field(self, value: Any, format_spec: str) -> str:  # noqa: ANN401 - whatever stands in a phrase
        one, bar, many = format_spec.partition("|")
        return counted(value, one, many) if bar else super().format_field(value, format_spec)


_COUNTING = _Counting()


class Phrase(str):
    """One text of the console; ``format`` knows counts."""

    __slots__ = ()

    def format(self, *args: object, **values: object) -> str:
        """Return the text with its places filled."""
        return _COUNTING.vformat(self, args, values)


def phrased(words: _Words) -> _Words:
    """Return words of which every text, however deep, is a phrase."""
    return msgspec.structs.replace(words, **{name: _phrased(getattr(words, name)) for name in words.__struct_fields__})


def _phrased(value: object) -> object:
    if isinstance(value, msgspec.Struct):
        return phrased(value)
    return Phrase(value) if isinstance(value, str) else value
