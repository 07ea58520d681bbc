"""One SQLite file: one writer, some readers, every write a whole transaction that is on disk when it returns.

``Database`` is what the rest of the programs sees of it; ``hub.storage.postgres`` is the second implementation.

- ``write`` runs a step on the only writing connection, inside one transaction with an fsync at its end. Steps queue.
- ``read`` runs a step on a reading connection; it sees one committed state throughout and never waits for the writer.
- ``fetch`` runs one query, for what must cost as little as possible: live searches.
- A step is a plain function of a connection. It runs as a whole in the connection's thread: many statements cost one
  hop, and nothing else runs in between. A step whose caller is cancelled still ends whole or not at all.

``synchronous=FULL`` because an event or a watermark that was reported as stored must survive a power cut (promise 2).
"""

import asyncio
import errno
import sqlite3
import threading
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from functools import cache
from pathlib import Path
from typing import Protocol, TypeVar
from urllib.parse import quote

import aiosqlite
import structlog
from sqlalchemy import Connection, Engine, NullPool, create_engine, event
from sqlalchemy.exc import DBAPIError

from protocol.errors import BrokenStore, Retryable, StorageFull
from protocol.wording import Text
from replication.migrations import Migration, Progress, advance, migrate, pending

T = TypeVar("T")

BUSY_TIMEOUT_MS = 20_000
"""Milliseconds that a statement waits for a lock held by another process, for example a command beside the daemon."""

WRITER_CACHE_KIB = 16 * 1024
"""KiB of page cache of the writing connection."""

READER_CACHE_KIB = 2 * 1024
"""KiB of page cache of a reading connection; a hub gives its readers more."""

WAL_PAGES = 2_000
"""Pages after which the write-ahead log is folded back into the file: 16 MB of log at most."""

PAGE_BYTES = 8 * 1024
"""Bytes of a page of a new file: measured a tenth faster to index than the usual 4 KiB."""

PROGRESS_EVERY_S = 2.0
"""Seconds between two words about a migration that takes long."""

STATEMENTS_CACHED = 256
"""Statements that each connection keeps prepared: more than the programs have."""

_BEGIN_READING = "BEGIN"
# A writer takes the lock at once: upgrading a reading transaction later can fail with "locked".
_BEGIN_WRITING = "BEGIN IMMEDIATE"


log = structlog.get_logger(__name__)

_opening = threading.local()


@cache
def _engine() -> Engine:
    """Return the engine of this process: all connections share what it has compiled, whatever file they are on."""
    engine = create_engine("sqlite://", creator=lambda: _opening.raw, poolclass=NullPool)

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        # The driver's own transactions begin with the first change, so a reading step could see two states.
        raw = connection.connection.cursor()
        raw.execute(connection.get_execution_options()["begin_with"])

    return engine


class _Worker(aiosqlite.Connection):
    """A connection that lives in its own thread and runs whole steps there."""

    def __init__(self, path: Path, begin: str, pragmas: Sequence[str], *, read_only: bool) -> None:
        super().__init__(self._connected, iter_chunk_size=64)
        mode = "ro" if read_only else "rwc"
        # Quoted: a folder may be called 50% or #1.
        self._address = f"file:{quote(path.as_posix(), safe='/:')}?mode={mode}"
        self._begin = begin
        self._pragmas = pragmas
        self._connection_in_thread: Connection | None = None

    def _connected(self) -> sqlite3.Connection:
        raw = sqlite3.connect(self._address, uri=True, isolation_level=None, cached_statements=STATEMENTS_CACHED)
        try:
            for pragma in self._pragmas:
                raw.execute(f"PRAGMA {pragma}")
            _opening.raw = raw
            self._connection_in_thread = _engine().connect().execution_options(begin_with=self._begin)
        except BaseException:
            raw.close()
            raise
        return raw

    async def run(self, step: Callable[[Connection], T]) -> T:
        """Run a step in one transaction and return its result."""
        # The thread holds what it was given until something else is asked of it: a list of files, a batch of frames.
        given = [step]
        del step
        result: T = await self._execute(self._step, given)  # type: ignore[no-untyped-call]
        return result

    async def close(self) -> None:
        """Close the connection in its own thread, after the steps that wait for it."""
        await self._execute(self._release)  # type: ignore[no-untyped-call]
        await super().close()

    def _release(self) -> None:
        connection, self._connection_in_thread = self._connection_in_thread, None
        if connection is not None:
            connection.close()

    def join(self) -> None:
        """Wait until the thread of a connection that could not be opened has ended."""
        self._thread.join()

    def _step(self, given: list[Callable[[Connection], T]]) -> T:
        step, connection = given.pop(), self._connection_in_thread
        if connection is None:
            message = "the connection is not open"
            raise RuntimeError(message)
        with connection.begin():
            return step(connection)


@asynccontextmanager
async def _working(path: Path, begin: str, pragmas: Sequence[str], *, read_only: bool) -> AsyncIterator[_Worker]:
    worker = _Worker(path, begin, pragmas, read_only=read_only)
    try:
        await worker
    except BaseException:
        # Its thread ends by itself, but must not outlive the loop that it reports to.
        await asyncio.to_thread(worker.join)
        raise
    try:
        yield worker
    finally:
        await worker.close()


class Database(Protocol):
    """A store: whole transactions of plain functions, on SQLite or on PostgreSQL."""

    @property
    def folder(self) -> Path:
        """A folder on the disk that must not fill up."""

    async def write(self, step: Callable[[Connection], T]) -> T:
        """Run a step in one transaction, alone, and return its result once it is on disk.

        A step that raises leaves nothing behind.

        Raises:
            StorageFull: the disk has no room.
            Retryable: the store is busy or away; nothing was changed, or the step was done and its word got lost.
            BrokenStore: it is damaged.

        """

    async def read(self, step: Callable[[Connection], T]) -> T:
        """Run a step on the last committed state, which stays the same throughout, and return its result.

        Raises:
            Retryable: the store is busy or away.
            BrokenStore: it is damaged.

        """

    async def fetch(self, sql: str, parameters: Sequence[object] = ()) -> list[tuple[object, ...]]:
        """Run one query on the last committed state and return its rows.

        Raises:
            Retryable: the store is busy or away.
            BrokenStore: it is damaged.

        """


class SqliteDatabase:
    """The open file; made by ``opened``."""

    def __init__(self, path: Path, writer: _Worker, readers: Sequence[_Worker]) -> None:
        self.path = path
        self._writer = writer
        self._idle: asyncio.LifoQueue[_Worker] = asyncio.LifoQueue()
        for reader in readers:
            self._idle.put_nowait(reader)

    @property
    def folder(self) -> Path:
        """The folder that holds the file and its log."""
        return self.path.parent

    async def write(self, step: Callable[[Connection], T]) -> T:
        """Run a step in one transaction and return its result once it is on disk.

        A step that raises leaves nothing behind.

        Raises:
            StorageFull: the disk has no room.
            Retryable: another process held the file for longer than ``BUSY_TIMEOUT_MS``.
            BrokenStore: the file is damaged.

        """
        try:
            return await self._writer.run(step)
        except (DBAPIError, sqlite3.Error) as error:
            raise translated(error, self.path) from error

    async def read(self, step: Callable[[Connection], T]) -> T:
        """Run a step on the last committed state and return its result.

        Raises:
            Retryable: another process held the file for longer than ``BUSY_TIMEOUT_MS``.
            BrokenStore: the file is damaged.

        """
        reader = await self._idle.get()
        try:
            return await reader.run(step)
        except (DBAPIError, sqlite3.Error) as error:
            raise translated(error, self.path) from error
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
            return [tuple(row) for row in await reader.execute_fetchall(sql, parameters)]
        except sqlite3.Error as error:
            raise translated(error, self.path) from error
        finally:
            self._idle.put_nowait(reader)


@asynccontextmanager
async def opened(
    path: Path,
    migrations: Sequence[tuple[str, Path]],
    *,
    readers: int = 1,
    reader_cache_kib: int = READER_CACHE_KIB,
    read_only: bool = False,
) -> AsyncIterator[SqliteDatabase]:
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
    reading = [*_pragmas(read_only=read_only), f"cache_size = -{reader_cache_kib}"]
    writing = [*_pragmas(read_only=read_only), f"cache_size = -{WRITER_CACHE_KIB}"]
    async with AsyncExitStack() as connections:
        try:
            begin = _BEGIN_READING if read_only else _BEGIN_WRITING
            writer = await connections.enter_async_context(_working(path, begin, writing, read_only=read_only))
            if not read_only:
                await _migrated(writer, path, migrations)
            others = [
                await connections.enter_async_context(_working(path, _BEGIN_READING, reading, read_only=read_only))
                for _ in range(readers)
            ]
        except (DBAPIError, sqlite3.Error) as error:
            raise translated(error, path) from error
        yield SqliteDatabase(path, writer, others)


async def _migrated(writer: _Worker, path: Path, packages: Sequence[tuple[str, Path]]) -> None:
    """Bring the schema up to date, each migration or chunk in a transaction of its own; of a new file, all in one."""
    missing = await writer.run(lambda connection: _made_or_missing(connection, packages))
    clock = asyncio.get_running_loop().time
    told_at_s = began_s = clock()
    for migration in missing:
        # A new file is not worth a word; a long upgrade says where it stands.
        while not (progress := await writer.run(lambda connection, it=migration: advance(connection, it))).is_done:  # type: ignore[misc]
            if clock() - told_at_s >= PROGRESS_EVERY_S:
                told_at_s = clock()
                log.info("database_migrating", database=path.name, **_told(progress))
        if clock() - began_s >= PROGRESS_EVERY_S:
            log.info("database_migrated", database=path.name, **_told(progress), took_s=round(clock() - began_s, 1))


def _made_or_missing(connection: Connection, packages: Sequence[tuple[str, Path]]) -> list[Migration]:
    """Return what is missing; a file without a table gets its whole schema here, and waits for the disk once."""
    if is_made(connection):
        return pending(connection, packages)
    migrate(connection, packages)
    return []


def is_made(connection: Connection) -> bool:
    """Tell whether a file has its tables: for a moment the program that makes it has only the file."""
    return connection.exec_driver_sql("SELECT 1 FROM sqlite_master LIMIT 1").first() is not None


def _told(progress: Progress) -> dict[str, object]:
    return {"migration": f"{progress.package} {progress.number}", "done": progress.done, "total": progress.total}


def _pragmas(*, read_only: bool) -> list[str]:
    common = [f"busy_timeout = {BUSY_TIMEOUT_MS}", "foreign_keys = ON", "temp_store = MEMORY"]
    if read_only:
        return common
    return [
        f"page_size = {PAGE_BYTES}",
        *common,
        "journal_mode = WAL",
        "synchronous = FULL",
        f"wal_autocheckpoint = {WAL_PAGES}",
    ]


_FULL = Text(
    zh="请清理磁盘空间；腾出空间后系统会自动继续，数据不会丢失。",
    en="Free some disk space; work goes on by itself then, and nothing is lost.",
)
_BUSY = Text(
    zh="请稍后重试；若长期如此，请检查是否有别的程序占用该文件。", en="Try again; if it stays so, see who holds it."
)
_NOT_UPGRADED = Text(
    zh="请重新启动本机的 run 程序，它会先升级数据库；升级期间稍后重试。",
    en="Restart the daemon (the run command): it upgrades the database first. While it does, try again.",
)
_BROKEN = Text(
    zh="请停止使用该文件，从备份恢复，或让本站从县级枢纽重建。",
    en="Stop using this file: restore it from a backup, or rebuild the site from the county's hub.",
)


def translated(error: BaseException, path: Path) -> Retryable | BrokenStore:
    """Return our error for one of the database driver's."""
    cause = error.orig if isinstance(error, DBAPIError) and error.orig is not None else error
    words = str(cause)
    if "disk is full" in words or (isinstance(cause, OSError) and cause.errno == errno.ENOSPC):
        return StorageFull(
            Text(zh=f"磁盘已满，无法写入 {path.name}。", en=f"disk full while writing {path.name}"), _FULL
        )
    if "no such column" in words or "no such table" in words:
        return Retryable(
            Text(zh=f"数据库 {path.name} 尚未升级。", en=f"{path.name} is not upgraded yet"), _NOT_UPGRADED
        )
    if "locked" in words:
        return Retryable(Text(zh=f"数据库 {path.name} 正被占用。", en=f"{path.name} is locked"), _BUSY)
    if "disk I/O error" in words:
        return StorageFull(Text(zh=f"磁盘读写失败：{path.name}。", en=f"disk input/output error on {path.name}"), _FULL)
    return BrokenStore(Text(zh=f"数据库 {path.name} 出错：{words}", en=f"database {path.name}: {words}"), _BROKEN)
