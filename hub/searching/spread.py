"""How the catalogue spreads over years, livelihood kinds and access.

Counting five million entries takes half a minute, so it is not done for a page: what is counted of each site whenever
its copy has moved is added up here.
"""

from collections import Counter

import msgspec
from sqlalchemy import Connection

from hub.transfers import year_counts


class Spread(msgspec.Struct, frozen=True, kw_only=True):
    """How many entries there are of what."""

    at_ms: int
    total: int
    years: dict[int, int]
    """By year; 0 for entries that do not say."""
    kinds: dict[str, int]
    """By livelihood kind, the largest first; "" for entries of none."""
    access: dict[str, int]


def read(connection: Connection, now_ms: int) -> Spread:
    """Add up what is counted of every site."""
    years, kinds, access = Counter[int](), Counter[str](), Counter[str]()
    for one in year_counts.known(connection, year_counts.sites(connection)):
        years[one.year] += one.records
        kinds[one.kind] += one.records
        access[one.access] += one.records
    return Spread(
        at_ms=now_ms, total=sum(years.values()), years=dict(years), kinds=dict(kinds.most_common()), access=dict(access)
    )
