"""The tables of one concept each are what their migrations make."""

from typing import Any

import pytest
from sqlalchemy import Inspector, MetaData, create_engine, inspect

from hub.disclosure import disclosure_tables
from hub.draws import draw_tables
from hub.home import SCHEMA
from hub.keeping import keeping_tables
from hub.staff import token_tables
from hub.window import copy_tables, lookup_tables
from hub.window import tables as window_tables
from replication.migrations import migrate

METADATA = [
    token_tables.metadata,
    disclosure_tables.metadata,
    draw_tables.metadata,
    keeping_tables.metadata,
    window_tables.metadata,
    lookup_tables.metadata,
    copy_tables.metadata,
]


def shape(inspector: Inspector, metadata: MetaData) -> dict[str, Any]:
    return {
        name: (
            [(one["name"], str(one["type"]), one["nullable"]) for one in inspector.get_columns(name)],
            inspector.get_pk_constraint(name)["constrained_columns"],
            sorted((one["name"], tuple(one["column_names"]), one["unique"]) for one in inspector.get_indexes(name)),
        )
        for name in sorted(metadata.tables)
    }


@pytest.mark.parametrize("metadata", METADATA)
def test_the_migration_makes_the_tables(metadata: MetaData) -> None:
    engine = create_engine("sqlite://")
    with engine.connect() as connection:
        migrate(connection, [SCHEMA])
        migrated = shape(inspect(connection), metadata)
    engine.dispose()
    with engine.connect() as connection:
        metadata.create_all(connection)
        expected = shape(inspect(connection), metadata)
    engine.dispose()

    assert migrated == expected
