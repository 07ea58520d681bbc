"""One SQLite file: one writer, some readers, every write a whole transaction that is on disk when it returns.

- ``write`` runs a step on the only writing connection, inside one transaction with an fsync at its end. Steps queue.
- ``read`` runs a step on a reading connection; it sees one committed state throughout and never waits for the writer.
- ``fetch`` runs one query in one hop to the reader's thread, several times cheaper than a step: for live searches.
- A step is a plain function of a connection. Many statements run in one step; nothing else runs in between.

``synchronous=FULL`` because an event or a watermark that was reported as stored must survive a power cut (promise 2).
"""

import asyncio
import errno
import sqlite3
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any, TypeVar

import aiosqlite
from sqlalchemy import Connection, event
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from protocol.errors import BrokenStore, Retryable, StorageFull
from protocol.wording import Text
from replication.migrations import migrate

T = TypeVar("T")

BUSY_TIMEOUT_MS = 20_000
"""Milliseconds that a statement waits for a lock held by another process, for example a command beside the daemon."""

WRITER_CACHE_KIB = 16 * 1024
"""KiB of page cache of the writing connection."""

READER_CACHE_KIB = 2 * 1024
"""KiB of page cache of a reading connection; a hub gives its readers more."""

WAL_PAGES = 4_000
"""Pages after which the write-ahead log is folded back into the file: 16 MB of log at most."""


class Database:
    """The open file; made by ``opened``."""

    def __init__(self, path: Path, writer: AsyncConnection, readers: Sequence[AsyncConnection]) -> None:
        self.path = path
        self._writer = writer
        self._writing = asyncio.Lock()
        self._idle: asyncio.LifoQueue[AsyncConnection] = asyncio.LifoQueue()
        for reader in readers:
            self._idle.put_nowait(reader)

    async def write(self, step: Callable[[Connection], T]) -> T:
        """Run a step in one transaction and return its result once it is on disk.

        A step that raises leaves nothing behind.

        Raises:
            StorageFull: the disk has no room.
            Retryable: another process held the file for longer than ``BUSY_TIMEOUT_MS``.
            BrokenStore: the file is damaged.

        """
        async with self._writing:
            try:
                # Not cancelled half way: a connection that is abandoned inside a transaction cannot be used again.
                return await _uninterrupted(self._in_transaction(step))
            except DBAPIError as error:
                raise translated(error.orig or error, self.path) from error

    async def _in_transaction(self, step: Callable[[Connection], T]) -> T:
        async with self._writer.begin():
            return await self._writer.run_sync(step)

    async def read(self, step: Callable[[Connection], T]) -> T:
        """Run a step on the last committed state and return its result.

        Raises:
            Retryable: another process held the file for longer than ``BUSY_TIMEOUT_MS``.
            BrokenStore: the file is damaged.

        """
        reader = await self._idle.get()
        try:
            return await _uninterrupted(self._and_release(reader, step))
        except DBAPIError as error:
            raise translated(error.orig or error, self.path) from error
        finally:
            self._idle.put_nowait(reader)

    async def fetch(self, sql: str, parameters: Sequence[object] = ()) -> list[tuple[object, ...]]:
        """Run one query on the last committed state and return its rows.

        Raises:
            Retryable: another process held the file for longer than ``BUSY_TIMEOUT_MS``.
            BrokenStore: the file is damaged.

        """
        reader = await self._idle.get()
        try:
            raw = (await reader.get_raw_connection()).driver_connection
            if not isinstance(raw, aiosqlite.Connection):
                message = f"expected an aiosqlite connection, not {type(raw).__name__}"
                raise TypeError(message)
            return [tuple(row) for row in await _uninterrupted(raw.execute_fetchall(sql, parameters))]
        except sqlite3.Error as error:
            raise translated(error, self.path) from error
        finally:
            self._idle.put_nowait(reader)

    @staticmethod
    async def _and_release(reader: AsyncConnection, step: Callable[[Connection], T]) -> T:
        try:
            return await reader.run_sync(step)
        finally:
            # Ends the snapshot, so that the next step sees what was committed meanwhile.
            await reader.rollback()


async def _uninterrupted(work: Coroutine[Any, Any, T]) -> T:
    task = asyncio.ensure_future(work)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait([task])
        raise


@asynccontextmanager
async def opened(
    path: Path,
    migrations: Sequence[tuple[str, Path]],
    *,
    readers: int = 1,
    reader_cache_kib: int = READER_CACHE_KIB,
    read_only: bool = False,
) -> AsyncIterator[Database]:
    """Open the database at ``path``, bring its schema up to date, and close it at the end.

    Args:
        path: the file; made when missing, unless ``read_only``.
        migrations: names of packages and their folders of numbered SQL files, applied in this order.
        readers: how many reading connections, and so threads, to keep.
        reader_cache_kib: page cache of each reading connection.
        read_only: for commands that look into the file of a running daemon; nothing is migrated.

    Raises:
        BrokenStore: the file is damaged, newer than this program, or not ours.

    """
    engine = _engine(path, reader_cache_kib, read_only=read_only)
    try:
        async with AsyncExitStack() as connections:
            try:
                plain = await connections.enter_async_context(engine.connect())
                writer = await plain.execution_options(writing=not read_only)
                if not read_only:
                    await _prepare(writer, migrations)
                others = [await connections.enter_async_context(engine.connect()) for _ in range(readers)]
            except DBAPIError as error:
                raise translated(error.orig or error, path) from error
            yield Database(path, writer, others)
    finally:
        # An open connection's thread would keep the process from ending.
        await engine.dispose()


async def _prepare(writer: AsyncConnection, migrations: Sequence[tuple[str, Path]]) -> None:
    await writer.exec_driver_sql(f"PRAGMA cache_size = -{WRITER_CACHE_KIB}")
    await writer.run_sync(migrate, migrations)
    await writer.commit()


def _engine(path: Path, reader_cache_kib: int, *, read_only: bool) -> AsyncEngine:
    mode = "ro" if read_only else "rwc"
    engine = create_async_engine(
        f"sqlite+aiosqlite:///file:{path.as_posix()}?mode={mode}&uri=true", pool_size=8, max_overflow=0
    )

    @event.listens_for(engine.sync_engine, "connect")
    def set_pragmas(connection: sqlite3.Connection, _record: object) -> None:
        cursor = connection.cursor()
        cursor.execute(f"PRAGMA busy_timeout = {BUSY_TIMEOUT_MS}")
        if not read_only:
            cursor.execute("PRAGMA journal_mode = WAL")
            cursor.execute("PRAGMA synchronous = FULL")
            cursor.execute(f"PRAGMA wal_autocheckpoint = {WAL_PAGES}")
        cursor.execute("PRAGMA foreign_keys = ON")
        cursor.execute(f"PRAGMA cache_size = -{reader_cache_kib}")
        cursor.execute("PRAGMA temp_store = MEMORY")
        cursor.close()
        # The driver's own transactions begin with the first change only, which would let a reading step see two states.
        connection.isolation_level = None

    @event.listens_for(engine.sync_engine, "begin")
    def begin(connection: Connection) -> None:
        # A writer takes the lock at once: upgrading a reading transaction later can fail with "locked".
        writing = connection.get_execution_options().get("writing", False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writing else "BEGIN")

    return engine


_FULL = Text(
    zh="请清理磁盘空间；腾出空间后系统会自动继续，数据不会丢失。",
    en="Free some disk space; work goes on by itself then, and nothing is lost.",
)
_BUSY = Text(
    zh="请稍后重试；若长期如此，请检查是否有别的程序占用该文件。",
    en="Try again; if it stays so, see who holds the file.",
)
_BROKEN = Text(
    zh="请停止使用该文件，从备份恢复，或让本站从县级节点重建。",
    en="Stop using this file: restore it from a backup, or rebuild the site from the county's hub.",
)


def translated(error: BaseException, path: Path) -> Retryable | BrokenStore:
    """Return our error for one of the database driver's."""
    words = str(error)
    if "disk is full" in words or (isinstance(error, OSError) and error.errno == errno.ENOSPC):
        return StorageFull(
            Text(zh=f"磁盘已满，无法写入 {path.name}。", en=f"disk full while writing {path.name}"), _FULL
        )
    if "locked" in words:
        return Retryable(Text(zh=f"数据库 {path.name} 正被占用。", en=f"{path.name} is locked"), _BUSY)
    if "disk I/O error" in words:
        return StorageFull(Text(zh=f"磁盘读写失败：{path.name}。", en=f"disk input/output error on {path.name}"), _FULL)
    return BrokenStore(Text(zh=f"数据库 {path.name} 出错：{words}", en=f"database {path.name}: {words}"), _BROKEN)
