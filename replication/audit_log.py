"""An audit log as it is kept at either end: lines appended in the transaction of what they tell, and proved later.

What a line means is each end's own business; the chain's rule is that of ``protocol.audit_chain``.
"""

from collections.abc import Sequence
from typing import Final

import msgspec
from sqlalchemy import Connection, Row, Table, insert, select

from protocol.audit_chain import AuditHead, AuditLine, first_broken, head_of, sealed
from replication.database import Database

LINES_CHECKED_AT_ONCE: Final = 5_000
"""Lines that one step of a verification reads."""


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """What a verification found."""

    lines: int
    head: AuditHead
    broken_at: int | None = None
    """The first line that does not follow from the one before; None if all do."""
    head_missing: bool = False
    """A head that somebody had kept is not in the log, or has another digest."""

    @property
    def is_whole(self) -> bool:
        """True if nothing was changed, removed or put in."""
        return self.broken_at is None and not self.head_missing


class AuditLog:
    """The lines of one end, in a table whose columns are the fields of ``AuditLine``."""

    def __init__(self, table: Table) -> None:
        self._table = table
        # Made once: a lookup writes a line for every site that answers.
        self._insert = insert(table)
        self._newest = select(table.c.seq, table.c.digest).order_by(table.c.seq.desc()).limit(1)

    def append(self, connection: Connection, line: AuditLine) -> AuditLine:
        """Write a line behind the newest one; its number and digest are given here."""
        return self.append_all(connection, [line])[0]

    def append_all(self, connection: Connection, lines: Sequence[AuditLine]) -> list[AuditLine]:
        """Write lines in their order; a hundred cost little more than one."""
        written: list[AuditLine] = []
        last = self.head(connection)
        for line in lines:
            written.append(sealed(line, last))
            last = head_of(written[-1])
        if written:
            connection.execute(self._insert, [msgspec.structs.asdict(line) for line in written])
        return written

    def head(self, connection: Connection) -> AuditHead:
        """Return the number and digest of the newest line."""
        found = connection.execute(self._newest).one_or_none()
        return AuditHead() if found is None else AuditHead(seq=found.seq, digest=found.digest)

    def after(self, connection: Connection, seq: int) -> list[AuditLine]:
        """Return the next lines behind a number."""
        number = self._table.c.seq
        statement = select(self._table).where(number > seq).order_by(number).limit(LINES_CHECKED_AT_ONCE)
        return [line_of(row) for row in connection.execute(statement)]

    async def verify(self, database: Database, expected: AuditHead | None = None) -> Verdict:
        """Check every line against the one before, in steps that keep nobody waiting.

        Args:
            database: where the table is.
            expected: a head that somebody has kept, and that must be among the lines.

        """
        lines, at, is_seen = 0, AuditHead(), expected is None
        while True:
            some = await database.read(lambda connection, seq=at.seq: self.after(connection, seq))  # type: ignore[misc]
            broken_at = first_broken(some, at.seq, at.digest)
            if broken_at is not None:
                return Verdict(lines=lines, head=at, broken_at=broken_at)
            if not some:
                return Verdict(lines=lines, head=at, head_missing=not is_seen)
            is_seen = is_seen or any(head_of(line) == expected for line in some)
            lines, at = lines + len(some), head_of(some[-1])


def line_of(row: Row[*tuple[object, ...]]) -> AuditLine:
    """Return a row of such a table as a line."""
    return msgspec.convert(row, AuditLine, from_attributes=True)
