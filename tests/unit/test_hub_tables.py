"""The hub's migrations and its tables say the same."""

from pathlib import Path
from typing import Any

from sqlalchemy import Inspector, MetaData, create_engine, inspect

from hub import tables
from replication.migrations import migrate

HUB = ("hub", Path(__file__).parents[2] / "hub" / "migrations")


def shape(inspector: Inspector, names: list[str]) -> dict[str, Any]:
    """Columns, keys and indexes; SQLite knows but one kind of integer."""
    return {
        name: (
            [
                (column["name"], str(column["type"]).replace("BIGINT", "INTEGER"), column["nullable"])
                for column in inspector.get_columns(name)
            ],
            inspector.get_pk_constraint(name)["constrained_columns"],
            sorted(
                (index["name"], tuple(index["column_names"]), index["unique"]) for index in inspector.get_indexes(name)
            ),
        )
        for name in names
    }


def made_by(metadata: MetaData, names: list[str]) -> dict[str, Any]:
    engine = create_engine("sqlite://")
    with engine.connect() as connection:
        metadata.create_all(connection)
        return shape(inspect(connection), names)


def test_migrations_make_the_tables_of_the_catalogue() -> None:
    names = sorted(table.name for table in tables.metadata.sorted_tables)
    engine = create_engine("sqlite://")
    with engine.connect() as connection:
        migrate(connection, [HUB])
        migrated = shape(inspect(connection), names)
    engine.dispose()
    expected = made_by(tables.metadata, names)

    def named(shapes: dict[str, Any]) -> dict[str, Any]:
        # SQLite counts text keys as nullable unless told otherwise; the key itself is compared.
        return {
            name: ([(column, kind) for column, kind, _ in columns], key, indexes)
            for name, (columns, key, indexes) in shapes.items()
        }

    assert named(migrated) == named(expected)


def test_columns_outside_keys_agree_in_what_may_be_missing() -> None:
    names = sorted(table.name for table in tables.metadata.sorted_tables)
    engine = create_engine("sqlite://")
    with engine.connect() as connection:
        migrate(connection, [HUB])
        migrated = shape(inspect(connection), names)
    engine.dispose()
    expected = made_by(tables.metadata, names)
    nullable = {
        name: {column for column, _, may in columns if may and column not in key}
        for name, (columns, key, _) in migrated.items()
    }

    assert nullable == {
        name: {column for column, _, may in columns if may and column not in key}
        for name, (columns, key, _) in expected.items()
    }
