"""When records are due to be handed over, and how the archive tells a site what it expects. Pure.

A county archive takes records in ten years after they were made, an archive of a city or province after twenty
(档案法实施条例). Township bodies are within that duty; villages, collectives, firms and persons hand over by agreement
only (国家档案局令第 9 号). With consent records may come earlier (an abolished unit, much-used kinds) or later.
"""

from enum import StrEnum
from typing import Final
from uuid import UUID

import msgspec

from protocol.sites import Site, SiteRank

COUNTY_YEARS: Final = 10
"""Years after creation at which a county archive takes records in."""

CITY_YEARS: Final = 20
"""Years after creation at which an archive of a city or a province does."""

LETTER_KIND: Final = "receiving_plan"
"""Kind of the letters that tell a site its lines of the plan."""

PLAN_LINES_MAX: Final = 200
"""Lines of one site's plan in a letter: thirty livelihood kinds, and the categories beside them."""


class Basis(StrEnum):
    """Why records are due."""

    STATUTORY = "statutory"
    AGREED = "agreed"


class PlannedLine(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What the archive expects of one kind from a site in a year."""

    plan: UUID
    year: int
    kind: str = ""
    """Livelihood kind; empty for all others."""
    records: int
    """Records due when the plan was made."""
    year_first: int
    year_last: int
    """Years under which these records were filed."""


class PlanTold(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A site's whole plan of a year; it replaces what was told of that year before."""

    year: int
    lines: tuple[PlannedLine, ...] = ()


def years_before_transfer(archive: Site) -> int:
    """Return after how many years an archive takes records in, by the level of its own code."""
    return CITY_YEARS if archive.county.endswith("00") else COUNTY_YEARS


def is_bound(site: Site) -> bool:
    """Tell whether a site hands over by statute; villages and units without a territory do so by agreement."""
    return site.rank in (SiteRank.TOWNSHIP, SiteRank.COUNTY)


def due_in(filing_year: int, after_years: int) -> int:
    """Return the year in which records of a filing year are due: the first after so many full years."""
    return filing_year + after_years + 1
