"""Dumps of a hub's store on PostgreSQL: made, read back, and put back by the server's own programs.

What a dump says of itself (``Inventory``) is read on the very snapshot that is dumped. That a dump is whole is shown by
its digest and by reading it to its end; that it would come back, only by putting it back: into a database that is made
for that on the same server and dropped afterwards.
"""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final
from uuid import uuid4

import psycopg
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from sqlalchemy import Connection, inspect
from sqlalchemy.exc import DBAPIError

from hub.backup.snapshots import Inventory, inventory
from hub.keeping.course import Course, Stage, Stopped
from hub.storage import postgres
from hub.storage.postgres_errors import refused
from protocol.errors import BadSetting, BrokenStore
from protocol.wording import Count, Text

POLL_S: Final = 0.1
"""Seconds between looks how far a program of the server is, and whether it is still wanted."""

PROGRAM_S_MAX: Final = 6 * 3_600.0
"""Seconds that one of the server's programs may take."""

_FOLDERS: Final = Path("/usr/lib/postgresql")
# It rests while the server's program, or whoever reads, is at work beside it.
_SNAPSHOT: Final = (
    "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SET LOCAL statement_timeout = 0;"
    " SET LOCAL idle_in_transaction_session_timeout = 0"
)


def dump(url: str, target: Path, course: Course) -> Inventory:
    """Write one committed state of a store into a new file, and return what that state holds.

    Args:
        url: of a store that may be in use.
        target: the file; not there yet.
        course: told of the bytes written; their whole is not known beforehand.

    Raises:
        BadSetting: the programs are not installed, or the server does not let us in.
        Retryable: the server is away.
        BrokenStore: it could not be dumped.
        Stopped: as the course said.

    """
    with reading(url) as connection:
        snapshot: str = connection.exec_driver_sql("SELECT pg_export_snapshot()").scalar_one()
        held = inventory(connection)

        def told() -> None:
            course.at(Stage.COPY, target.stat().st_size if target.exists() else 0, 0)

        flags = ("--format=custom", f"--snapshot={snapshot}", "--schema=public", "--no-owner", "--no-privileges")
        _run("pg_dump", url, (*flags, f"--file={target}"), told, course)
    return held


def read_through(path: Path, course: Course) -> list[Text]:
    """Read a dump to its end and say what is wrong with it."""
    try:
        _run("pg_restore", "", ("--file=/dev/null", str(path)), lambda: course.at(Stage.EXAMINE, 0, 0), course)
    except BrokenStore as error:
        return [error.reason]
    return []


def put_back(url: str, path: Path, course: Course) -> None:
    """Put a dump into an empty database, whole or not at all.

    Raises:
        BadSetting: something is in the database, or the server does not let us in.
        Retryable: the server is away.
        BrokenStore: it cannot be put back; the database is as it was.
        Stopped: as the course said.

    """
    check_empty(url)
    flags = ("--single-transaction", "--exit-on-error", "--no-owner", "--no-privileges", "--schema=public")
    _run("pg_restore", url, (*flags, str(path)), lambda: course.at(Stage.PUT_BACK, 0, 0), course)


def check_empty(url: str) -> None:
    """Go on only if nothing can be overwritten.

    Raises:
        BadSetting: something is in the database.

    """
    if not url:
        raise BadSetting(
            Text(
                zh="这份备份的统一目录在 PostgreSQL 上，但没有指明数据库。",
                en="this backup holds a catalogue on PostgreSQL, and no database is named for it",
            ),
            Text(
                zh="请新建空数据库（createdb），把地址放在环境变量 DANGLIAN_DATABASE_URL 中。",
                en="Make an empty one (createdb), and name it in DANGLIAN_DATABASE_URL.",
            ),
        )
    with reading(url) as connection:
        there = inspect(connection).get_table_names()
    if there:
        raise BadSetting(
            Text(
                zh=f"数据库不是空的，不会覆盖：其中有 {len(there)} 张表。",
                en=f"the database is not empty, nothing is overwritten: it holds {Count(len(there)):table|tables}",
            ),
            Text(
                zh="请新建空数据库（createdb），把地址放在环境变量 DANGLIAN_DATABASE_URL 中再恢复；"
                "运行时也须如此，或随后修改新目录中的 hub.toml。",
                en="Make an empty one (createdb) and name it in DANGLIAN_DATABASE_URL for the restore; the hub needs"
                " that then too, or the new address in the new home's hub.toml.",
            ),
        )


@contextmanager
def reading(url: str) -> Iterator[Connection]:
    """Read one state of a store for as long as the block lasts, in this thread.

    Raises:
        BadSetting: the server does not let us in.
        Retryable: it is away.
        BrokenStore: the store is damaged.

    """
    engine = postgres.engine_for(lambda: postgres.connect(url))
    try:
        with engine.connect() as connection, connection.begin():
            connection.exec_driver_sql(_SNAPSHOT)
            yield connection
    except (DBAPIError, psycopg.Error) as error:
        raise refused(error) from error
    finally:
        engine.dispose()


@contextmanager
def changing(url: str) -> Iterator[Connection]:
    """Change a store that nobody else uses, in one transaction."""
    engine = postgres.engine_for(lambda: postgres.transactional(url))
    try:
        with engine.begin() as connection:
            yield connection
    except (DBAPIError, psycopg.Error) as error:
        raise refused(error) from error
    finally:
        engine.dispose()


@contextmanager
def scratch(url: str) -> Iterator[str]:
    """Make an empty database beside a store, give its address, and drop it at the end.

    Raises:
        BadSetting: the user may not make one.
        Retryable: the server is away.

    """
    name = f"danglian_drill_{uuid4().hex[:12]}"
    there = sql.Identifier(name)
    made = sql.SQL("CREATE DATABASE {} TEMPLATE template0 ENCODING 'UTF8'").format(there)
    try:
        with postgres.connect(url) as raw:
            raw.execute("SET statement_timeout = 0")
            raw.execute(made)
    except psycopg.errors.InsufficientPrivilege as error:
        raise BadSetting(
            Text(
                zh="数据库用户无权新建数据库，不能演练恢复。", en="the database's user may not make one to restore into"
            ),
            Text(
                zh="请由管理员执行：ALTER ROLE 用户 CREATEDB。",
                en="Have the administrator say: ALTER ROLE user CREATEDB.",
            ),
        ) from error
    except psycopg.Error as error:
        raise refused(error) from error
    try:
        yield make_conninfo(url, dbname=name)
    finally:
        with postgres.connect(url) as raw:
            raw.execute("SET statement_timeout = 0")
            raw.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(there))


def size_of(url: str) -> int:
    """Return how many bytes a store takes on its server."""
    with reading(url) as connection:
        size: int = connection.exec_driver_sql("SELECT pg_database_size(current_database())").scalar_one()
        return size


def program(name: str) -> Path:
    """Return where one of the server's programs is.

    Raises:
        BadSetting: it is not installed.

    """
    found = shutil.which(name)
    if found is not None:
        return Path(found)
    versions = sorted(_FOLDERS.glob(f"*/bin/{name}"), key=lambda path: path.parent.parent.name.zfill(3))
    if versions:
        return versions[-1]
    raise BadSetting(
        Text(zh=f"找不到程序 {name}。", en=f"the program {name} is not installed"),
        Text(
            zh="请安装不低于服务器版本的 postgresql-client。",
            en="Install postgresql-client, of the server's version or newer.",
        ),
    )


def _run(name: str, url: str, flags: tuple[str, ...], told: Callable[[], None], course: Course) -> None:
    """Run a program until it ends, or until it is no longer wanted; its password travels in the environment."""
    environment = dict(os.environ)
    where: tuple[str, ...] = ()
    if url:
        parts = conninfo_to_dict(url)
        password = parts.pop("password", None)
        if password is not None:
            environment["PGPASSWORD"] = str(password)
        parts["connect_timeout"] = postgres.CONNECT_S
        where = (f"--dbname={make_conninfo('', **parts)}",)
    environment["LC_MESSAGES"] = "C"
    with tempfile.TemporaryFile() as words:
        process = subprocess.Popen(
            [program(name), *where, *flags], stdin=subprocess.DEVNULL, stdout=words, stderr=words, env=environment
        )
        try:
            _wait(process, told, course)
        finally:
            if process.poll() is None:
                process.kill()
                process.wait()
        if process.returncode:
            words.seek(0)
            said = words.read(4_096).decode(errors="replace").strip()
            raise BrokenStore(
                Text(zh=f"{name} 失败：{said}", en=f"{name} failed: {said}"),
                Text(
                    zh="请核对其版本不低于服务器版本、用户权限和磁盘空间。",
                    en="See that it is not older than the server, and the user's rights and the space on the disk.",
                ),
            )


def _wait(process: subprocess.Popen[bytes], told: Callable[[], None], course: Course) -> None:
    waited_s = 0.0
    while waited_s < PROGRAM_S_MAX:
        try:
            process.wait(POLL_S)
        except subprocess.TimeoutExpired:
            waited_s += POLL_S
            told()
            continue
        if course.is_stopped:
            raise Stopped
        return
    raise BrokenStore(Text(zh="超时", en="it took too long"))
