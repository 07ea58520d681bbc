"""The hub's store on PostgreSQL: the same steps as on a SQLite file, for a county or a province that outgrew one.

- ``write`` runs a step alone: first of all its transaction takes a lock that all writers of this store share, in this
  process and in others. Every step was written for a single writer, as SQLite has it, and stays right by that.
- ``read`` runs a step on one snapshot and waits for nobody.
- A connection lives in a thread of its own and is made anew when the server was away. A step that it breaks off leaves
  nothing behind, or was done and only its word got lost: whoever repeats it finds its work done (promise 4).
- Deadlines are the server's (statements, locks, idle transactions) and the system's (a line that swallows everything).
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Final, TypeVar, cast

import psycopg
import structlog
from psycopg.types.string import StrDumper
from sqlalchemy import Connection, Engine, NullPool, create_engine, event
from sqlalchemy.engine import ExecutionContext
from sqlalchemy.exc import DBAPIError

from hub.storage.postgres_errors import refused, translated
from hub.storage.postgres_parts import narrowed
from protocol.errors import BadSetting
from protocol.wording import Text
from replication.database import PROGRESS_EVERY_S
from replication.dialects import spoken
from replication.migrations import Migration, advance, pending

T = TypeVar("T")

CONNECT_S: Final = 10
"""Seconds that a connection may take until the server has let it in."""

STATEMENT_MS: Final = 120_000
"""Milliseconds that one statement may take; a walk over ten million entries takes some seconds."""

LOCK_MS: Final = 20_000
"""Milliseconds that a step waits for another writer, as long as it would for a SQLite file."""

IDLE_MS: Final = 60_000
"""Milliseconds that a transaction may rest between two statements: a hub that hangs must not keep the lock."""

KEEPALIVE_IDLE_S: Final = 20
"""Seconds of silence after which the line is probed."""

KEEPALIVE_INTERVAL_S: Final = 5
"""Seconds between two probes."""

KEEPALIVE_COUNT: Final = 3
"""Probes without an answer after which the line counts as cut."""

UNHEARD_MS: Final = 30_000
"""Milliseconds after which a line counts as cut on which nothing that was sent is confirmed."""

VERSION_MIN: Final = 150_000
"""The oldest server: 15.0 in the server's own way of writing it."""

WRITER_LOCK: Final = 0x44414E474C49414E
"""Number of the lock that the writers of one store share: "DANGLIAN"."""

BEGIN_READING: Final = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"

# Read committed: what another writer did while this one waited for the lock must be seen.
_BEGIN_ALONE: Final = "BEGIN ISOLATION LEVEL READ COMMITTED; SELECT pg_advisory_xact_lock({lock})"

BEATS_LOCK: Final = WRITER_LOCK + 1
"""Number of the lock that the workers' signs of life share (``hub.workers.leases``): none waits for a long step."""

SHARED_IDLE_MS: Final = 5_000
"""``IDLE_MS`` where several workers share a store: one that is frozen in the middle of a step keeps nobody for longer.
A batch of the longest frames computes for a second between two statements."""

_SESSION: Final = (
    f"SET statement_timeout = {STATEMENT_MS}; SET lock_timeout = {LOCK_MS};"
    f" SET idle_in_transaction_session_timeout = {IDLE_MS}; SET client_encoding = 'UTF8';"
    # Compiling a query takes longer than any of ours runs.
    " SET jit = off; SET client_min_messages = warning"
)

_NUL = "\0"
_NUL_SIGN = "\N{SYMBOL FOR NULL}"

log = structlog.get_logger(__name__)


class _Words(StrDumper):
    """A text as PostgreSQL takes it: it knows no NUL, which a hostile event may hold and SQLite keeps."""

    def dump(self, obj: str) -> bytes | bytearray | memoryview | None:
        return super().dump(obj.replace(_NUL, _NUL_SIGN) if _NUL in obj else obj)


def connect(url: str) -> psycopg.Connection:
    """Open a connection of the driver, with every deadline set; the caller closes it.

    Raises:
        psycopg.Error: the server is away, or does not let us in.
        BadSetting: it is too old, or its database cannot hold Chinese.

    """
    raw = psycopg.connect(
        url,
        autocommit=True,
        connect_timeout=CONNECT_S,
        keepalives=1,
        keepalives_idle=KEEPALIVE_IDLE_S,
        keepalives_interval=KEEPALIVE_INTERVAL_S,
        keepalives_count=KEEPALIVE_COUNT,
        tcp_user_timeout=UNHEARD_MS,
        application_name="danglian-hub",
    )
    try:
        _check_server(raw)
        raw.execute(_SESSION)
        if raw.execute("SHOW synchronous_commit").fetchone() == ("off",):
            # What was reported as stored must survive a power cut (promise 2).
            raw.execute("SET synchronous_commit = on")
        raw.adapters.register_dumper(str, _Words)
    except BaseException:
        raw.close()
        raise
    return raw


def _resting(raw: psycopg.Connection, idle_ms: int) -> psycopg.Connection:
    if idle_ms != IDLE_MS:
        raw.execute(f"SET idle_in_transaction_session_timeout = {idle_ms:d}".encode("ascii"))
    return raw


def transactional(url: str) -> psycopg.Connection:
    """Open a connection whose transactions begin by themselves: for work in lots that nobody else waits for.

    Raises:
        psycopg.Error: as ``connect``.

    """
    raw = connect(url)
    raw.autocommit = False
    return raw


def _check_server(raw: psycopg.Connection) -> None:
    if raw.info.server_version < VERSION_MIN:
        raise BadSetting(
            Text(zh="PostgreSQL 版本低于 15。", en="the PostgreSQL server is older than 15"),
            Text(zh="请升级 PostgreSQL 后再试。", en="Upgrade PostgreSQL, then try again."),
        )
    if raw.info.parameter_status("server_encoding") != "UTF8":
        raise BadSetting(
            Text(zh="该 PostgreSQL 数据库的编码不是 UTF-8。", en="the PostgreSQL database is not encoded in UTF-8"),
            Text(
                zh="请用 createdb --encoding UTF8 --template template0 新建数据库。",
                en="Make a new one: createdb --encoding UTF8 --template template0 NAME.",
            ),
        )


def engine_for(creator: Callable[[], psycopg.Connection]) -> Engine:
    """Return an engine whose connections understand plain SQL in our words."""
    engine = create_engine(
        "postgresql+psycopg://",
        creator=creator,
        poolclass=NullPool,
        pool_reset_on_return=None,
        use_native_hstore=False,
        # Whether an insert found its place taken: the driver forgets it with the cursor, where SQLite's does not.
        execution_options={"preserve_rowcount": True},
    )

    @event.listens_for(engine, "before_cursor_execute", retval=True)
    def speak(
        _connection: Connection,
        _cursor: object,
        statement: str,
        parameters: object,
        context: ExecutionContext | None,
        _many: bool,  # noqa: FBT001 - as above
    ) -> tuple[str, object]:
        # What SQLAlchemy compiled is in the driver's words already.
        plain = context is not None and context.compiled is None
        return (spoken(statement) if plain else statement), parameters

    return engine


class _Worker:
    """A connection that lives in its own thread and runs whole steps there."""

    def __init__(self, engine: Engine, begin: str, name: str) -> None:
        self._engine = engine
        self._begin = begin
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix=name)
        self._connection: Connection | None = None

    async def run(self, step: Callable[[Connection], T]) -> T:
        """Run a step in one transaction and return its result."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._step, step)

    async def close(self) -> None:
        """Close the connection, after the steps that wait for it."""
        await asyncio.to_thread(self._close)

    def _close(self) -> None:
        self._thread.submit(self._drop).result()
        self._thread.shutdown()

    def _step(self, step: Callable[[Connection], T]) -> T:
        connection = self._begun()
        try:
            with connection.begin():
                return step(connection)
        except BaseException:
            if connection.invalidated or _raw(connection).closed:
                # What cannot be rolled back any more is undone by the server, once the connection is gone.
                self._drop()
            raise

    def _begun(self) -> Connection:
        """Begin a transaction; on a new connection if the old one does not live any more."""
        kept = self._connection
        if kept is not None:
            try:
                _raw(kept).execute(self._begin)
            except psycopg.OperationalError as error:
                alive = not _raw(kept).closed
                self._drop()
                if alive:
                    raise
                log.info("store_reconnecting", reason=type(error).__name__)
            else:
                return kept
        connection = self._connection = self._engine.connect()
        try:
            _raw(connection).execute(self._begin)
        except BaseException:
            self._drop()
            raise
        return connection

    def _drop(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.invalidate()
            connection.close()


def _raw(connection: Connection) -> psycopg.Connection:
    return cast("psycopg.Connection", connection.connection.driver_connection)


class PostgresDatabase:
    """The open store; made by ``opened``."""

    def __init__(self, folder: Path, writer: _Worker, readers: Sequence[_Worker]) -> None:
        self._folder = folder
        self._writer = writer
        self._idle: asyncio.LifoQueue[_Worker] = asyncio.LifoQueue()
        for reader in readers:
            self._idle.put_nowait(reader)

    @property
    def folder(self) -> Path:
        """The hub's home: the server looks after its own disk."""
        return self._folder

    async def write(self, step: Callable[[Connection], T]) -> T:
        """Run a step in one transaction, alone, and return its result once it is on disk.

        A step that raises leaves nothing behind.

        Raises:
            StorageFull: the server's disk has no room.
            Retryable: the server is away, or another writer held the lock for longer than ``LOCK_MS``.
            BrokenStore: the database is damaged.

        """
        try:
            return await self._writer.run(step)
        except (DBAPIError, psycopg.Error) as error:
            raise translated(error) from error

    async def read(self, step: Callable[[Connection], T]) -> T:
        """Run a step on the last committed state and return its result.

        Raises:
            Retryable: the server is away.
            BrokenStore: the database is damaged.

        """
        reader = await self._idle.get()
        try:
            return await reader.run(step)
        except (DBAPIError, psycopg.Error) as error:
            raise translated(error) from error
        finally:
            self._idle.put_nowait(reader)

    async def fetch(self, sql: str, parameters: Sequence[object] = ()) -> list[tuple[object, ...]]:
        """Run one query on the last committed state and return its rows.

        Raises:
            Retryable: the server is away.
            BrokenStore: the database is damaged.

        """
        return await self.read(
            lambda connection: [tuple(row) for row in connection.exec_driver_sql(sql, tuple(parameters))]
        )


@asynccontextmanager
async def opened(
    url: str,
    folder: Path,
    migrations: Sequence[tuple[str, Path]],
    *,
    readers: int = 1,
    read_only: bool = False,
    lock: int = WRITER_LOCK,
    idle_ms: int = IDLE_MS,
) -> AsyncIterator[PostgresDatabase]:
    """Open a store, bring its schema up to date, and close it at the end.

    Args:
        url: what libpq understands.
        folder: the hub's home.
        migrations: names of packages and their folders of numbered SQL files, applied in this order.
        readers: how many reading connections, and so threads, to keep.
        read_only: for commands that look into the store of a running daemon; nothing is migrated.
        lock: what the writing steps take first, in all processes.
        idle_ms: how long a transaction may rest between two statements.

    Raises:
        BadSetting: the address is wrong, the server does not let us in, or it does not fit.
        Retryable: the server is away.
        BrokenStore: the store was written by a newer version.

    """
    engine = engine_for(lambda: _resting(connect(url), idle_ms))
    async with AsyncExitStack() as workers:

        def worker(begin: str, name: str) -> _Worker:
            made = _Worker(engine, begin, name)
            workers.push_async_callback(made.close)
            return made

        writer = worker(BEGIN_READING if read_only else _BEGIN_ALONE.format(lock=lock), "postgres-writer")
        await _first_connected(writer, () if read_only else migrations)
        # The others connect when they are first needed.
        reading = [worker(BEGIN_READING, f"postgres-reader-{number}") for number in range(readers)]
        yield PostgresDatabase(folder, writer, reading)


async def _first_connected(writer: _Worker, migrations: Sequence[tuple[str, Path]]) -> None:
    try:
        if migrations:
            await _migrated(writer, migrations)
        else:
            await writer.run(lambda _connection: None)
    except (DBAPIError, psycopg.Error) as error:
        raise refused(error) from error


async def _migrated(writer: _Worker, packages: Sequence[tuple[str, Path]]) -> None:
    """Bring the schema up to date, each migration or chunk in a transaction of its own."""

    def step(connection: Connection, migration: Migration) -> bool:
        # An index on ten million entries takes its time.
        connection.exec_driver_sql("SET LOCAL statement_timeout = 0")
        return advance(connection, migration).is_done

    def narrowing(connection: Connection) -> bool:
        connection.exec_driver_sql("SET LOCAL statement_timeout = 0")
        return narrowed(connection)

    missing = await writer.run(lambda connection: pending(connection, packages))
    clock = asyncio.get_running_loop().time
    told_at_s = clock()
    for migration in missing:
        while not await writer.run(lambda connection, it=migration: step(connection, it)):  # type: ignore[misc]
            if clock() - told_at_s >= PROGRESS_EVERY_S:
                told_at_s = clock()
                log.info("database_migrating", migration=f"{migration.package} {migration.number}")
    while await writer.run(narrowing):
        if clock() - told_at_s >= PROGRESS_EVERY_S:
            told_at_s = clock()
            log.info("search_parts_narrowing")
