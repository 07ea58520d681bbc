"""Faces of entries: what the facets of a search are counted by, ten thousand at a time.

A face is the site, the fonds, the kind, the access status and the level of an entry. A catalogue has some thousands of
them. SQLite numbers them (table ``face``) and keeps the number of each entry in a table as narrow as can be
(``entry_faces``), which triggers keep right; PostgreSQL reads their texts from an index.
"""

import functools
import json
import sys
from collections.abc import Iterable
from typing import Final

from sqlalchemy import Connection

from replication.dialects import rows_of

FACE_PARTS: Final = 5
"""Parts of a face: site, fonds, kind, access status and level."""

FACE_SEPARATOR: Final = "␟"

FACES_CACHED: Final = 32_768
"""Faces that are kept taken apart: more than a county has."""

FACE_TABLES: Final = ("face", "entry_faces")
"""Made from the entries by triggers, and SQLite's alone."""

Face = tuple[str, ...]

_KNOWN: Final = "faces"


@functools.lru_cache(maxsize=FACES_CACHED)
def face_of(text: str) -> Face:
    """Return the parts of a face."""
    # One string for one value: comparing a thousand equal ones costs more than counting them.
    return tuple(map(sys.intern, text.split(FACE_SEPARATOR, FACE_PARTS - 1)))


def faces_numbered(connection: Connection, numbers: Iterable[int]) -> list[Face]:
    """Return the faces of some numbers of a SQLite file, in their order.

    A number never gets another meaning in one file, so each connection remembers those that it has read.
    """
    known: dict[int, Face] = connection.info.setdefault(_KNOWN, {})
    numbers = list(numbers)
    if missing := set(numbers) - known.keys():
        sql = "SELECT number, value FROM face WHERE number IN (SELECT value FROM json_each(?))"
        rows = rows_of(connection, sql, (json.dumps(list(missing)),))
        known |= {number: face_of(value) for number, value in rows}
    return [known[number] for number in numbers]
