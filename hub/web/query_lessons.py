"""The help of the query language as a page shows it: forms beside their meanings, from the text of the commands."""

import functools
import re
from typing import Final

import msgspec

from protocol.query_help import QUERY_HELP

_APART: Final = re.compile(r" {2,}")


class Lesson(msgspec.Struct, frozen=True, kw_only=True):
    """The help in one language."""

    lead: str
    forms: tuple[tuple[str, str], ...]
    """Each form with its meaning."""
    tail: str


@functools.cache
def help_in(language: str) -> Lesson:
    """Return the help in a language."""
    lead, *lines = QUERY_HELP.in_language(language).splitlines()
    forms, tail = list[tuple[str, str]](), list[str]()
    for line in lines:
        if line.startswith("  "):
            form, _, meaning = _APART.sub("\n", line.strip(" "), count=1).partition("\n")
            forms.append((form, meaning))
        else:
            tail.append(line)
    return Lesson(lead=lead, forms=tuple(forms), tail=" ".join(tail))
