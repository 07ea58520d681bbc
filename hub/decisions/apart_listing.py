"""Decisions of people that two records are different things, as a list that is paged."""

from uuid import UUID

from sqlalchemy import Connection, select

from hub.decisions.duplicates import Decision
from hub.tables import apart


def listed(connection: Connection, *, below: int | None, limit: int) -> list[tuple[int, Decision]]:
    """Return decisions with their numbers, the newest first, standing and reversed."""
    statement = select(apart).order_by(apart.c.id.desc()).limit(limit)
    if below is not None:
        statement = statement.where(apart.c.id < below)
    return [
        (
            row.id,
            Decision(
                first=UUID(bytes=row.first),
                second=UUID(bytes=row.second),
                decided_by=row.decided_by,
                decided_at_ms=row.decided_at_ms,
                reversed_by=row.reversed_by,
                reversed_at_ms=row.reversed_at_ms,
            ),
        )
        for row in connection.execute(statement)
    ]
