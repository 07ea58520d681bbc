"""Copying a hub's catalogue from its file to PostgreSQL, so that it can be killed anywhere and goes on.

Every table goes over in lots, in the order of SQLite's row numbers; a lot and how far it brings the table are one
transaction. The text index is made from the bodies on the way. At the end both stores are held against each other: the
rows of every table by number and digest, the records by the digests of each site and fonds. The file does not change
meanwhile (``moving``).
"""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import islice
from operator import itemgetter
from typing import Final

import msgspec
from sqlalchemy import BigInteger, Column, Connection, Engine, LargeBinary, MetaData, Table, inspect

from hub.backup import snapshots
from hub.backup.snapshots import inventory
from hub.catalogue import fonds_tallies, tally_from
from hub.keeping.course import Course, Stage
from hub.storage import postgres
from hub.storage.moving import MOVE_TABLE
from hub.storage.postgres_index import is_part_of_an_index
from hub.storage.postgres_renewal import number_behind
from hub.storage.reindexing import INDEX_VERSION, index_row_of
from hub.storage.text_index import PRESENT, index_of
from protocol.errors import BadSetting
from protocol.wording import Text
from replication.dialects import insert_rows

LOT_ROWS: Final = 2_000
"""Rows in one transaction: some megabytes, a fraction of a second."""

MIGRATION_TABLES: Final = ("migration", "migration_progress", MOVE_TABLE)
"""Tables that each store fills by itself."""

_VERIFIED = "(verified)"
_MASK = 2**64 - 1
_NUL = "\0"
_NUL_SIGN = "\N{SYMBOL FOR NULL}"


class TableDigest(msgspec.Struct, frozen=True, kw_only=True):
    """The rows of a table, in any order."""

    rows: int
    digest: int


class Moved(msgspec.Struct, frozen=True, kw_only=True):
    """What was copied, and how the two stores compare."""

    tables: dict[str, int]
    """Rows of every table."""
    records: int
    sites: int
    faults: tuple[Text, ...] = ()
    """Empty: both hold the same."""


def begin(engine: Engine, *, anew: bool) -> None:
    """Take possession of an empty database, or go on with a move that was begun there.

    Args:
        engine: of the database.
        anew: no move is under way: what an abandoned one has left there is of another day.

    Raises:
        BadSetting: something is in it that is no beginning of this move.

    """
    with engine.begin() as connection:
        names = set(inspect(connection).get_table_names())
        if MOVE_TABLE in names and not (anew and _rows_moved(connection)):
            return
        if names:
            raise BadSetting(
                Text(
                    zh=f"目标数据库不是空的（其中有 {min(names)} 等表）。",
                    en=f"the database is not empty: it holds {min(names)} and others",
                ),
                Text(zh="请新建一个空数据库：createdb 名称。", en="Make an empty one: createdb NAME."),
            )
        columns = 'name TEXT COLLATE "C" PRIMARY KEY, after_row BIGINT NOT NULL, rows BIGINT NOT NULL'
        connection.exec_driver_sql(f"CREATE TABLE {MOVE_TABLE} ({columns})")


def _rows_moved(connection: Connection) -> int:
    counted: int = connection.exec_driver_sql(f"SELECT count(*) FROM {MOVE_TABLE}").scalar_one()  # noqa: S608 - a constant
    return counted


def copy(source: Connection, engine: Engine, course: Course) -> None:
    """Copy what is not there yet.

    Args:
        source: reads one state of the file.
        engine: of the store, which has its schema and whose ``store_move`` says how far the copy is.
        course: told of the rows, and says when to stop.

    Raises:
        Stopped: as the course said; what was copied stays.

    """
    tables = tables_of(engine)
    total = sum(_count(source, table.name) for table in tables)
    with engine.connect() as connection:
        reached = _reached(connection)
        done = sum(rows for _, rows in reached.values())
        if "" not in reached:
            with connection.begin():
                _empty(connection, tables)
        for table in tables:
            after = reached.get(table.name, (None, 0))[0]
            for lot in _lots(source, table, after):
                course.at(Stage.COPY, done, total)
                with connection.begin():
                    _put(connection, table, lot)
                done += len(lot)
        course.at(Stage.COPY, total, total)
        with connection.begin():
            _finish(connection, tables)


def tables_of(engine: Engine) -> list[Table]:
    """Return the tables that are copied; what a row refers to comes first."""
    metadata = MetaData()
    metadata.reflect(engine)
    names = [table for table in metadata.sorted_tables if table.name not in MIGRATION_TABLES]
    return [table for table in names if not is_part_of_an_index(table.name)]


def _reached(connection: Connection) -> dict[str, tuple[int, int]]:
    with connection.begin():
        rows = connection.exec_driver_sql(f"SELECT name, after_row, rows FROM {MOVE_TABLE}").all()  # noqa: S608 - a constant
    return {name: (after, count) for name, after, count in rows}


def _empty(connection: Connection, tables: Sequence[Table]) -> None:
    """Take out what the migrations put in, for the file has its own; and make the index at the end, which is faster."""
    for table in reversed(tables):
        connection.exec_driver_sql(f'DELETE FROM "{table.name}"')  # noqa: S608 - names of our own schema
    connection.exec_driver_sql("DROP INDEX IF EXISTS search_terms")
    _note(connection, "", 0, 0)


def _note(connection: Connection, name: str, after: int, rows: int) -> None:
    connection.exec_driver_sql(
        f"INSERT INTO {MOVE_TABLE} (name, after_row, rows) VALUES (?, ?, ?) ON CONFLICT (name)"  # noqa: S608 - a constant
        f" DO UPDATE SET after_row = excluded.after_row, rows = {MOVE_TABLE}.rows + excluded.rows",
        (name, after, rows),
    )


def _lots(source: Connection, table: Table, after: int | None) -> Iterator[list[tuple[object, ...]]]:
    """Return the rows of a table behind a row number, each led by its own."""
    named = ", ".join(f'"{column.name}"' for column in _written(table))
    sql = f'SELECT rowid, {named} FROM "{table.name}" WHERE rowid > ? ORDER BY rowid LIMIT ?'  # noqa: S608 - as above
    while True:
        rows = source.exec_driver_sql(sql, (-(2**63) if after is None else after, LOT_ROWS)).all()
        if not rows:
            return
        yield [tuple(row) for row in rows]
        after = rows[-1][0]


def _put(connection: Connection, table: Table, lot: Sequence[tuple[object, ...]]) -> None:
    columns = [column.name for column in _written(table)]
    convert = [_converter(column.type) for column in _written(table)]
    rows = [tuple(one(value) for one, value in zip(convert, row[1:], strict=True)) for row in lot]
    insert_rows(connection, f'"{table.name}"', [f'"{name}"' for name in columns], rows)
    if table.name == "entry":
        indexed = itemgetter(*(columns.index(name) + 1 for name in ("docid", "site", "access_status", "body")))
        terms = [(row[0], words) for row in map(indexed, lot) if (words := index_row_of(*row)) is not None]
        index_of(connection).write(connection, PRESENT, (), terms)
    _note(connection, table.name, lot[-1][0], len(lot))  # type: ignore[arg-type]


def _written(table: Table) -> list[Column[object]]:
    """The columns that are not computed from others."""
    return [column for column in table.columns if column.computed is None]


def _converter(kind: object) -> Callable[[object], object]:
    """Return what makes a value of the kind that a column has: SQLite keeps whatever it was given."""
    if isinstance(kind, BigInteger):
        return lambda value: None if value is None else int(value)  # type: ignore[call-overload]
    if isinstance(kind, LargeBinary):
        return lambda value: value.encode() if isinstance(value, str) else value
    return lambda value: value if value is None else _text(value)


def _text(value: object) -> str:
    return (value.decode() if isinstance(value, bytes) else str(value)).replace(_NUL, _NUL_SIGN)


def _finish(connection: Connection, tables: Sequence[Table]) -> None:
    """Make the index, put the numbering behind what is there, and gather what the planner wants to know."""
    connection.exec_driver_sql("SET LOCAL maintenance_work_mem = '256MB'")
    connection.exec_driver_sql("SET LOCAL statement_timeout = 0")
    connection.exec_driver_sql(
        "CREATE INDEX IF NOT EXISTS search_terms ON search USING gin (terms) WITH (gin_pending_list_limit = 4096)"
    )
    connection.exec_driver_sql(
        "UPDATE catalogue_state SET index_version = ?, building_version = 0, built_to = -1, built_rows = 0,"
        " building_rows = 0",
        (INDEX_VERSION,),
    )
    for table in tables:
        for column in table.columns:
            if column.identity is not None:
                number_behind(connection, table.name, column.name)
    connection.exec_driver_sql("ANALYZE")


# Holding both against each other


def compared(source: Connection, engine: Engine, course: Course) -> Moved:
    """Compare the two stores row by row, and site by site and fonds by fonds."""
    tables = tables_of(engine)
    counts = {table.name: _count(source, table.name) for table in tables}
    total, done = 2 * sum(counts.values()), 0
    faults: list[Text] = []
    with engine.connect() as target, target.begin():
        target.exec_driver_sql("SET LOCAL statement_timeout = 0")
        for table in tables:
            sums = []
            for connection in (source, target):
                course.at(Stage.EXAMINE, done, total)
                sums.append(_digest(connection, table, partial(_told, course, done, total)))
                done += sums[-1].rows
            if sums[0] != sums[1]:
                zh, en = (
                    f"表 {table.name} 不一致",
                    f"table {table.name} differs: {sums[0].rows} and {sums[1].rows} rows",
                )
                faults.append(Text(zh=zh, en=en))
        held = inventory(source)
        for one in held.sites:
            course.at(Stage.EXAMINE, done, total)
            here, there = (_fonds(connection, one.site) for connection in (source, target))
            faults += [
                Text(zh=f"{one.site} 全宗 {fonds} 的摘要不同", en=f"{one.site}, fonds {fonds}: other digests")
                for fonds in sorted(here.keys() | there.keys())
                if here.get(fonds) != there.get(fonds)
            ]
        faults += _other_inventories(held, inventory(target))
    return Moved(tables=counts, records=held.records, sites=len(held.sites), faults=tuple(faults))


def _told(course: Course, before: int, total: int, rows: int) -> None:
    course.at(Stage.EXAMINE, before + rows, total)


def _other_inventories(held: snapshots.Inventory, there: snapshots.Inventory) -> list[Text]:
    faults = []
    if held.sites != there.sites:
        faults.append(Text(zh="各站点的摘要或位置不同", en="the sites' digests or positions differ"))
    if held.migrations != there.migrations:
        faults.append(Text(zh="数据库结构的版本不同", en="the schemas are of different versions"))
    return faults


def _digest(connection: Connection, table: Table, told: Callable[[int], None]) -> TableDigest:
    names = [column.name for column in table.columns]
    if table.name == "catalogue_state":
        # The index is new there.
        names = ["only_row", "next_serial"]
    convert = [_converter(table.columns[name].type) for name in names]
    named = ", ".join(f'"{name}"' for name in names)
    streamed = connection.execution_options(stream_results=True, yield_per=LOT_ROWS)
    rows = iter(streamed.exec_driver_sql(f'SELECT {named} FROM "{table.name}"'))  # noqa: S608 - names of our own schema
    count = digest = 0
    while lot := list(islice(rows, LOT_ROWS)):
        for row in lot:
            values = [one(value) for one, value in zip(convert, row, strict=True)]
            line = hashlib.blake2b(msgspec.msgpack.encode(values), digest_size=8).digest()
            digest = (digest + int.from_bytes(line, "big")) & _MASK
        count += len(lot)
        told(count)
    return TableDigest(rows=count, digest=digest)


def _fonds(connection: Connection, site: str) -> dict[str, tuple[int, str]]:
    found = {}
    for row in connection.execute(fonds_tallies(site)):
        tally = tally_from(tuple(row))
        found[row.fonds_no] = (tally.count, tally.digest)
    return found


def _count(connection: Connection, name: str) -> int:
    counted: int = connection.exec_driver_sql(f'SELECT count(*) FROM "{name}"').scalar_one()  # noqa: S608 - as above
    return counted


def note_verified(engine: Engine) -> None:
    """Note in the new store that it was found equal."""
    with engine.begin() as connection:
        _note(connection, _VERIFIED, 0, 0)


def is_ready(engine: Engine) -> bool:
    """Tell whether a store was found equal, or is open to its hub already."""
    with engine.begin() as connection:
        if not inspect(connection).has_table(MOVE_TABLE):
            return inspect(connection).has_table("entry")
        sql = f"SELECT count(*) FROM {MOVE_TABLE} WHERE name = ?"  # noqa: S608 - a constant
        return bool(connection.exec_driver_sql(sql, (_VERIFIED,)).scalar_one())


def end(engine: Engine) -> None:
    """Open the store to its hub."""
    with engine.begin() as connection:
        connection.exec_driver_sql(f"DROP TABLE IF EXISTS {MOVE_TABLE}")


def engine_of(url: str) -> Engine:
    """Return an engine for moving into a store; one lot a transaction."""
    return postgres.engine_for(lambda: postgres.transactional(url))
