"""Disks in memory, and the stand-in for ``replication.database.Database`` that keeps its data on one.

The stand-in keeps the contract: ``write`` runs a step in one transaction that is stored when it returns, or leaves
nothing behind; ``read`` sees the last committed state. There is no thread and no file, so a step costs what its
statements cost. A crash can fall before the step, between the step and its commit, and after the commit before the
caller hears of it. A backup is the image of the database at a moment, as SQLite's own online backup makes it.
"""

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from sqlalchemy import Connection, Engine, create_engine
from sqlalchemy.pool import StaticPool

from protocol.errors import StorageFull
from protocol.wording import Text
from replication.database import SqliteDatabase
from replication.migrations import migrate
from tests.simulation.direct import direct
from tests.simulation.processes import Process

T = TypeVar("T")

_idle: list["Drive"] = []


class Drive:
    """One SQLite database in memory with its connections; made once and used by many schedules."""

    builds = False
    """Give steps SQLAlchemy's own connection, to prove that the direct one changes nothing."""

    def __init__(self) -> None:
        self.raw = sqlite3.connect(":memory:", isolation_level=None)
        self.built = create_engine("sqlite://", creator=lambda: self.raw, poolclass=StaticPool).connect()
        self.direct = direct(self.raw, self.built)

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        """Run statements that are stored together or not at all."""
        self.raw.execute("BEGIN IMMEDIATE")
        try:
            yield self.connection
        except BaseException:
            self.built.rollback()
            self.raw.rollback()
            raise
        self.built.commit()
        self.raw.commit()

    def close(self) -> None:
        """Throw the drive away."""
        self.built.close()
        self.raw.close()

    @property
    def connection(self) -> Connection:
        """The connection that steps are given."""
        return self.built if Drive.builds else self.direct

    def end_reading(self) -> None:
        """Forget what a reading step has seen."""
        self.built.rollback()


class Disk:
    """What a machine keeps: one database.

    A drive whose full-text index was used cannot be given another image: such a disk ``wears`` its drives.
    """

    def __init__(self, image: bytes, *, wears: bool = False) -> None:
        self._wears = wears
        self.drive = _idle.pop() if _idle and not wears else Drive()
        self.drive.raw.deserialize(image)
        self.room_rows: int | None = None
        """Rows that may still be written before the disk is full; None: as many as anybody likes."""
        self.on_full: Callable[[], None] = lambda: None
        """Hears of it when a disk that had room has none any more."""
        self.latency_s = 0.0
        self.on_commit: Callable[[], None] = lambda: None
        """Hears of every transaction that was stored."""
        self.note: Callable[[str], None] = lambda _what: None
        """Hears of what its faults do."""

    def image(self) -> bytes:
        """Return a backup of the database as it is now."""
        return self.drive.raw.serialize()

    def put_back(self, image: bytes) -> None:
        """Replace the database by a backup."""
        if self._wears:
            self.drive.close()
            self.drive = Drive()
        self.drive.raw.deserialize(image)

    def takes(self, rows: int) -> bool:
        """Tell whether a transaction that wrote so many rows has room; once one had none, the disk is full."""
        if self.room_rows is None:
            return True
        if rows < self.room_rows:
            self.room_rows -= rows
            return True
        if self.room_rows:
            self.room_rows = 0
            self.on_full()
        return False

    def rows(self, sql: str, *parameters: object) -> list[tuple[object, ...]]:
        """Return the rows of a query: for those who look at the disk from outside of the process."""
        return self.drive.raw.execute(sql, parameters).fetchall()

    def pairs(self, sql: str, *parameters: object) -> list[tuple[object, object]]:
        """Return the rows of a query for two columns."""
        return self.drive.raw.execute(sql, parameters).fetchall()

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """Give a connection to read with."""
        try:
            yield self.drive.connection
        finally:
            self.drive.end_reading()

    def release(self) -> None:
        """Give the drive back for the next schedule."""
        if self._wears:
            self.drive.close()
        else:
            _idle.append(self.drive)


class SimulatedDatabase(SqliteDatabase):
    """A database on a simulated disk, as one process sees it."""

    def __init__(self, disk: Disk, process: Process) -> None:
        # The real one's connections are what this one stands in for.
        self.path = Path("simulated.db")
        self._disk = disk
        self._process = process

    async def write(self, step: Callable[[Connection], T]) -> T:
        """Run a step in one transaction."""
        disk = self._disk
        if disk.latency_s:
            disk.note("slow write")
        await self._process.point(disk.latency_s)
        with disk.drive.transaction() as connection:
            before = disk.drive.raw.total_changes
            result = step(connection)
            if not disk.takes(disk.drive.raw.total_changes - before):
                # At the last moment: what the step did beside the database must not count either.
                disk.note("write refused by a full disk")
                raise StorageFull(Text(zh="磁盘已满。", en="disk full"))
            self._process.pass_point()
        disk.on_commit()
        await self._process.point()
        return result

    async def read(self, step: Callable[[Connection], T]) -> T:
        """Run a step on the last committed state."""
        await self._process.point()
        drive = self._disk.drive
        try:
            return step(drive.connection)
        finally:
            drive.end_reading()


def engine_on(image: bytes) -> Engine:
    """Return an engine on a database of its own in memory: much cheaper than to migrate one for each example."""
    raw = sqlite3.connect(":memory:")
    raw.deserialize(image)
    return create_engine("sqlite://", creator=lambda: raw, poolclass=StaticPool)


def new_image(packages: Sequence[tuple[str, Path]], *statements: str) -> bytes:
    """Return a new database with the schema of some packages, and what some statements add."""
    drive = Drive()
    with drive.transaction() as connection:
        migrate(drive.built, packages)
        for statement in statements:
            connection.exec_driver_sql(statement)
    return drive.raw.serialize()
