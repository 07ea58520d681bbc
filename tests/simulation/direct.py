"""A connection that goes straight to SQLite: half of a simulation's time was SQLAlchemy's.

It runs plain SQL as it is, and statements that are built once (``functools.cache``) from their compiled text. Every
other statement goes through the SQLAlchemy connection on the same database, in the same transaction. A test proves
that schedules run the same way with and without it.
"""

import re
import sqlite3
import weakref
from collections import namedtuple
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, cast

import msgspec
from sqlalchemy import Connection, Executable, Select
from sqlalchemy.dialects.sqlite import dialect
from sqlalchemy.sql.elements import ClauseElement

_Row = tuple[Any, ...]
_LIST = re.compile(r"__\[POSTCOMPILE_(\w+)\]")
_DIALECT = dialect(paramstyle="named")


class _Compiled(msgspec.Struct, frozen=True):
    """A statement's text, the parameters that it brings itself, and what makes a row of it."""

    sql: str
    own: dict[str, object]
    lists: tuple[str, ...]
    """Names of the parameters that are lists."""
    row: Callable[..., _Row]


class DirectResult:
    """What a statement returned; as much of SQLAlchemy's result as steps use."""

    def __init__(self, cursor: sqlite3.Cursor, row: Callable[..., _Row]) -> None:
        self._cursor = cursor
        self._row = row

    @property
    def rowcount(self) -> int:
        """How many rows were changed."""
        return self._cursor.rowcount

    def __iter__(self) -> Iterator[_Row]:
        row = self._row
        for found in self._cursor:
            yield row(*found)

    def all(self) -> list[_Row]:
        """Return every row."""
        found = self._cursor.fetchall()
        return found if self._row is _plain else [self._row(*one) for one in found]

    def one_or_none(self) -> _Row | None:
        """Return the only row, if there is one."""
        rows = self.all()
        assert len(rows) <= 1
        return rows[0] if rows else None

    def one(self) -> _Row:
        """Return the only row."""
        (row,) = self.all()
        return row

    def scalar_one_or_none(self) -> object:
        """Return the first column of the only row, if there is one."""
        row = self.one_or_none()
        return None if row is None else row[0]

    def scalar_one(self) -> object:
        """Return the first column of the only row."""
        return self.one()[0]


def _plain(*columns: object) -> _Row:
    return columns


_seen: "weakref.WeakKeyDictionary[ClauseElement, _Compiled | None]" = weakref.WeakKeyDictionary()


def _compiled(statement: ClauseElement) -> _Compiled | None:
    """Return the text of a statement that was seen before: those that are built anew each time never are."""
    known = _seen.get(statement)
    if known is None:
        if statement not in _seen:
            _seen[statement] = None
            return None
        text = statement.compile(dialect=_DIALECT)
        row: Callable[..., _Row] = _plain
        if isinstance(statement, Select):
            names = [column.key or f"column_{number}" for number, column in enumerate(statement.selected_columns)]
            row = namedtuple("row", names, rename=True)  # type: ignore[misc,no-redef]  # noqa: PYI024 - names are data
        lists = tuple(_LIST.findall(str(text)))
        known = _seen[statement] = _Compiled(str(text), dict(text.params), lists, row)
    return known


class DirectConnection:
    """A connection of a simulated database."""

    def __init__(self, raw: sqlite3.Connection, built: Connection) -> None:
        self._raw = raw
        self._built = built
        # By it a statement knows in whose words it is said, and reaches the driver.
        self.dialect = built.dialect
        self.connection = built.connection

    def exec_driver_sql(self, sql: str, parameters: Sequence[Any] | Mapping[str, Any] | None = None) -> DirectResult:
        """Run plain SQL, once or with each of many tuples."""
        if isinstance(parameters, list):
            return DirectResult(self._raw.executemany(sql, parameters), _plain)
        return DirectResult(self._raw.execute(sql, parameters or ()), _plain)

    def execute(self, statement: Executable, parameters: Mapping[str, Any] | None = None) -> object:
        """Run a statement."""
        known = _compiled(cast("ClauseElement", statement))
        if known is None:
            return self._built.execute(statement, parameters)
        given: dict[str, Any] = {**known.own, **(parameters or {})}
        sql = known.sql
        for name in known.lists:
            # Not json_each: SQLite forgets tables of that sort badly when a database is given another image.
            members = {f"{name}_{number}": member for number, member in enumerate(given[name])}
            sql = sql.replace(f"__[POSTCOMPILE_{name}]", ", ".join(f":{member}" for member in members))
            given |= members
        cursor = self._raw.execute(sql, given)
        return DirectResult(cursor, known.row)


def direct(raw: sqlite3.Connection, built: Connection) -> Connection:
    """Return a direct connection in the place of a built one."""
    return cast("Connection", DirectConnection(raw, built))
