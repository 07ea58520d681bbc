"""The migrations, said in PostgreSQL's words, make what the tables say, in the order of SQLite."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, Inspector, MetaData, inspect

from hub import tables
from hub.alarm import alarm_tables
from hub.disclosure import disclosure_tables
from hub.draws import draw_tables
from hub.home import SCHEMA
from hub.keeping import keeping_tables
from hub.membership import keyring_tables
from hub.repair import rebuilds, repair_tables, tombstones
from hub.staff import account_tables, token_tables
from hub.storage import postgres
from hub.transfers import plan_tables
from hub.window import copy_tables, lookup_tables
from hub.window import tables as window_tables
from hub.workers import lease_tables
from replication import tables as replication_tables
from replication import transfer_tables
from replication.dialects import schema_words, spoken
from replication.migrations import REPLICATION, migrations_in
from tests.postgres_server import PostgresServer

METADATA: tuple[MetaData, ...] = (
    tables.metadata,
    account_tables.metadata,
    copy_tables.metadata,
    disclosure_tables.metadata,
    draw_tables.metadata,
    keeping_tables.metadata,
    token_tables.metadata,
    alarm_tables.alarm.metadata,
    keyring_tables.metadata,
    lease_tables.metadata,
    rebuilds.metadata,
    repair_tables.metadata,
    tombstones.metadata,
    window_tables.metadata,
    lookup_tables.metadata,
    transfer_tables.metadata,
    plan_tables.metadata,
    replication_tables.metadata,
)
NAMES = sorted({name for metadata in METADATA for name in metadata.tables})


def shape(inspector: Inspector) -> dict[str, Any]:
    """Columns, keys and indexes."""
    return {
        name: (
            [
                (column["name"], str(column["type"]).removesuffix(' COLLATE "C"'), column["nullable"])
                for column in inspector.get_columns(name)
            ],
            inspector.get_pk_constraint(name)["constrained_columns"],
            sorted(
                (index["name"], tuple(index["column_names"]), index["unique"], where(index))
                for index in inspector.get_indexes(name)
                if "duplicates_constraint" not in index
            ),
            sorted(
                (tuple(key["constrained_columns"]), key["referred_table"]) for key in inspector.get_foreign_keys(name)
            ),
        )
        for name in NAMES
    }


def stored(metadata: MetaData) -> MetaData:
    """The same tables; what SQLite computes when it is asked for, this server computes when it is written."""
    copied = MetaData()
    for table in metadata.sorted_tables:
        for column in table.to_metadata(copied).columns:
            if column.computed is not None:
                column.computed.persisted = True
    return copied


def where(index: Any) -> str:  # noqa: ANN401 - a part of SQLAlchemy's own dictionary
    return str(index.get("dialect_options", {}).get("postgresql_where", ""))


@pytest.fixture
def empty(postgres_server_of_run: PostgresServer) -> Iterator[Engine]:
    name = postgres_server_of_run.database()
    engine = postgres.engine_for(lambda: postgres.connect(postgres_server_of_run.url(name)))
    yield engine
    engine.dispose()
    postgres_server_of_run.drop(name)


def test_migrations_make_the_tables(
    postgres_server_of_run: PostgresServer, postgres_template: str, empty: Engine
) -> None:
    with empty.connect() as connection:
        for metadata in METADATA:
            stored(metadata).create_all(connection)
        wanted = shape(inspect(connection))
    migrated = postgres.engine_for(lambda: postgres.connect(postgres_server_of_run.url(postgres_template)))
    with migrated.connect() as connection:
        made = shape(inspect(connection))
    migrated.dispose()

    assert made == wanted


def test_every_text_is_in_the_order_of_its_bytes(
    postgres_server_of_run: PostgresServer, postgres_template: str
) -> None:
    """SQLite compares bytes; in the county's own collation, lists and ranges would be in another order."""
    engine = postgres.engine_for(lambda: postgres.connect(postgres_server_of_run.url(postgres_template)))

    def other(connection: Connection) -> list[tuple[str, str]]:
        rows = connection.exec_driver_sql(
            "SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = 'public'"
            " AND data_type = 'text' AND collation_name IS DISTINCT FROM 'C' AND table_name NOT LIKE 'migration%'"
        )
        return [(table, column) for table, column in rows]

    with engine.connect() as connection:
        found = other(connection)
    engine.dispose()
    assert found == []


@pytest.mark.parametrize("package", [REPLICATION, SCHEMA])
def test_both_stores_have_the_same_steps(package: tuple[str, Path]) -> None:
    """A backup, and a move from one store to the other, compare them by number and name."""
    on_sqlite, on_postgres = (migrations_in(*package, dialect) for dialect in ("sqlite", "postgresql"))

    assert [(one.number, one.name) for one in on_postgres] == [(one.number, one.name) for one in on_sqlite]


@pytest.mark.parametrize(
    ("sql", "said"),
    [
        ("SELECT 1 FROM a WHERE b = ? AND c LIKE '%?'", "SELECT 1 FROM a WHERE b = %s AND c LIKE '%%?'"),
        ("SELECT a % 2 FROM t INDEXED BY i WHERE b = ?", "SELECT a %% 2 FROM t WHERE b = %s"),
        ("UPDATE t SET a = a::text WHERE id > :after", "UPDATE t SET a = a::text WHERE id > %(after)s"),
        ("SELECT 'it''s ?' WHERE a = ?", "SELECT 'it''s ?' WHERE a = %s"),
    ],
)
def test_plain_sql_is_said_in_the_drivers_words(sql: str, said: str) -> None:
    assert spoken(sql) == said


def test_a_migration_is_said_in_the_servers_words() -> None:
    sql = (
        "-- The site's TEXT\nCREATE TABLE t (id INTEGER PRIMARY KEY, a BLOB, b TEXT NOT NULL DEFAULT 'TEXT', n INTEGER)"
    )

    assert schema_words(sql) == (
        "-- The site's TEXT\nCREATE TABLE t (id BIGINT GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY, a BYTEA,"
        " b TEXT COLLATE \"C\" NOT NULL DEFAULT 'TEXT', n BIGINT)"
    )
