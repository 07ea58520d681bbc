"""Incarnations: how a start sees that its database was put back from a backup, or copied, since it last ran here.

A database that was put back has forgotten events that the county has already applied, so it must not go on numbering
where it stands (promise 5). Each start writes a new random token into the database and into a small file beside it; a
backup of the database alone comes back with an old token. A copy of the whole home is not seen here: then two chains of
frames part, which the hub sees.

The file is written before the database and again after it, with both tokens in between, so that a power cut at any
moment leaves a pair that fits.
"""

import os
from collections.abc import Callable
from pathlib import Path

from sqlalchemy import Connection

from replication.database import Database
from replication.files import write_whole

TOKEN_BYTES = 16
"""Random bytes of a token."""

_FACT = "incarnation"


async def begin(
    database: Database,
    beside: Path,
    on_put_back: Callable[[Connection], None],
    randomness: Callable[[int], bytes] = os.urandom,
) -> bool:
    """Start a new incarnation; returns whether the database had been put back.

    Args:
        database: the node's database, before anything else is written into it.
        beside: the small file beside it (``NodeHome.incarnation``).
        on_put_back: what to do in that case, in the same transaction as the new token: start a new epoch.
        randomness: where random bytes come from.

    Raises:
        OSError: the file cannot be read or written.

    """
    known = _tokens(beside)
    before = await database.read(_token)
    put_back = before is not None and before not in known
    token = randomness(TOKEN_BYTES).hex()
    write_whole(beside, "\n".join([*known, token]).encode("ascii"))

    def renew(connection: Connection) -> None:
        if put_back:
            on_put_back(connection)
        connection.exec_driver_sql("INSERT OR REPLACE INTO fact (name, value) VALUES (?, ?)", (_FACT, token))

    await database.write(renew)
    write_whole(beside, token.encode("ascii"))
    return put_back


def _token(connection: Connection) -> str | None:
    found = connection.exec_driver_sql("SELECT value FROM fact WHERE name = ?", (_FACT,)).scalar_one_or_none()
    return None if found is None else str(found)


def _tokens(beside: Path) -> list[str]:
    try:
        return beside.read_text(encoding="ascii").split()
    except FileNotFoundError:
        return []
