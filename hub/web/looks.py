"""What a page of the catalogue shows, as its address says it: the number of the words, the limits, where it begins.

Nothing in an address is trusted: what cannot be read does not narrow.
"""

import datetime
from collections.abc import Mapping
from enum import StrEnum
from typing import Final, TypeVar
from urllib.parse import urlencode

import msgspec

from hub.searching.search import Query
from hub.web.asked_words import AskedWords
from hub.web.forms import clean
from protocol.vocabularies import LIVELIHOOD_KINDS, AccessStatus, Level

PAGE_HITS: Final = 20
"""Hits of one page."""

LIMIT_CHARS_MAX: Final = 60
"""Characters of a limit: site codes and fonds numbers are much shorter."""

LIMITS: Final = ("site", "year", "fonds", "kind", "access", "level")
"""The names of the limits, as facets are called, in the order in which they are shown."""

_E = TypeVar("_E", bound=StrEnum)


class Look(msgspec.Struct, frozen=True, kw_only=True):
    """One page of results."""

    number: str = ""
    """Number of the words (``hub.web.asked_words``)."""
    words: str = ""
    site: str = ""
    year: str = ""
    fonds: str = ""
    kind: str = ""
    access: str = ""
    level: str = ""
    cursor: str = ""
    is_forgotten: bool = False
    """The number stands for words that are not kept any more."""

    @property
    def limits(self) -> dict[str, str]:
        """What narrows the search, by name."""
        return {name: getattr(self, name) for name in LIMITS if getattr(self, name)}

    @property
    def is_blank(self) -> bool:
        """True if nobody has asked for anything yet."""
        return not (self.words or self.limits)

    def path(self, page: str = "/catalogue", **changes: str) -> str:
        """Return the address of this page with some changes; changed limits begin at the first page."""
        named = {"q": self.number, **self.limits, "cursor": "" if changes else self.cursor, **changes}
        query = urlencode({name: value for name, value in named.items() if value})
        return f"{page}?{query}" if query else page

    def narrowed(self, limit: str) -> str:
        """Return the address of the first page with one more limit, up to where its value stands."""
        return self.path(**{limit: "-"})[:-1]

    def query(self, *, with_facets: bool) -> Query:
        """Return what is asked of the index."""
        year = int(self.year) if self.year else None
        return Query(
            words=self.words,
            site_glob=self.site,
            date_from=None if year is None else datetime.date(year, 1, 1),
            date_to=None if year is None else datetime.date(year, 12, 31),
            fonds_no=self.fonds,
            livelihood_kind=self.kind,
            access_status=_among(AccessStatus, self.access),
            level=_among(Level, self.level),
            limit=PAGE_HITS,
            cursor=self.cursor,
            with_facets=with_facets,
        )


def look_of(parameters: Mapping[str, str], asked: AskedWords, login: str) -> Look:
    """Return what an address asks for."""

    def line(name: str) -> str:
        return clean(parameters.get(name, ""))[:LIMIT_CHARS_MAX]

    number, year, kind = line("q"), line("year"), line("kind")
    words = asked.of(login, number)
    return Look(
        number=number if words else "",
        words=words or "",
        site=line("site"),
        year=year if year.isdecimal() and year.isascii() and len(year) == 4 and int(year) else "",
        fonds=line("fonds"),
        kind=kind if kind in LIVELIHOOD_KINDS else "",
        access=line("access") if line("access") in tuple(AccessStatus) else "",
        level=line("level") if line("level") in tuple(Level) else "",
        cursor=clean(parameters.get("cursor", "")),
        is_forgotten=words is None,
    )


def _among(kind: type[_E], value: str) -> _E | None:
    return kind(value) if value in tuple(kind) else None
