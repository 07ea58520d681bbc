"""How the catalogue spreads over years, livelihood kinds and access: one walk along the index of faces.

Counting five million entries takes seconds, so nobody waits for it: the console counts now and then, in the background.
"""

from collections import Counter
from typing import Final

import msgspec
from sqlalchemy import Connection

from hub.catalogue import SERIALS_A_YEAR
from hub.searching.walks import FACE_SEPARATOR

_COUNTED: Final = f"SELECT docid / {SERIALS_A_YEAR}, face, count(*) FROM entry WHERE body IS NOT NULL GROUP BY 1, 2"  # noqa: S608 - a constant


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
    """Count every entry."""
    years, kinds, access = Counter[int](), Counter[str](), Counter[str]()
    for year, face, count in connection.exec_driver_sql(_COUNTED):
        _, _, kind, status, _ = face.split(FACE_SEPARATOR)
        years[int(year)] += count
        kinds[kind] += count
        access[status] += count
    return Spread(
        at_ms=now_ms, total=sum(years.values()), years=dict(years), kinds=dict(kinds.most_common()), access=dict(access)
    )
