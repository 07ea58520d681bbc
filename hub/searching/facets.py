"""Facets: how many of the counted hits are of which site, year, fonds, kind, access status and level. Pure."""

from collections import Counter
from operator import itemgetter
from typing import Final

import msgspec

from hub.searching.walks import Faces
from hub.storage.faces import FACE_PARTS

FACET_VALUES_MAX: Final = 50
"""Values of one facet that are told, those with most hits: a county has hundreds of sites, and nobody reads so many."""


class FacetCount(msgspec.Struct, frozen=True, kw_only=True):
    """One value of a facet."""

    value: str
    """"" for entries that have none."""
    count: int


class Facet(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One facet, the values with most hits first; years the newest first."""

    values: tuple[FacetCount, ...] = ()
    more: int = 0
    """Further values that are not told."""


class Facets(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What the counted hits are like."""

    site: Facet = Facet()
    year: Facet = Facet()
    fonds: Facet = Facet()
    kind: Facet = Facet()
    access: Facet = Facet()
    level: Facet = Facet()


def facets_of(counted: Faces) -> Facets:
    """Return the facets of what was counted."""
    site, fonds, kind, access, level = (
        _facet(_most_first(Counter(map(itemgetter(place), counted.faces)))) for place in range(FACE_PARTS)
    )
    years = [(str(year or ""), count) for year, count in sorted(counted.years.items(), reverse=True)]
    return Facets(site=site, year=_facet(years), fonds=fonds, kind=kind, access=access, level=level)


def _most_first(counts: Counter[str]) -> list[tuple[str, int]]:
    """The values with most hits first, of equal ones the lower: in whatever order they were counted."""
    return sorted(counts.items(), key=lambda one: (-one[1], one[0]))


def sites_of(counted: Faces) -> dict[str, int]:
    """Return how many of the counted hits each site has."""
    return dict(Counter(map(itemgetter(0), counted.faces)))


def _facet(counts: list[tuple[str, int]]) -> Facet:
    shown = counts[:FACET_VALUES_MAX]
    return Facet(
        values=tuple([FacetCount(value=value, count=count) for value, count in shown]), more=len(counts) - len(shown)
    )
