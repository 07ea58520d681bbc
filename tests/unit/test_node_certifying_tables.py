"""The tables of orders for copies at a site are what their migrations make."""

from sqlalchemy import MetaData, create_engine, inspect

from node.certifying.order_tables import metadata
from node.tables import SCHEMA
from replication.migrations import migrate


def shape(metadata: MetaData, *, migrated: bool) -> dict[str, object]:
    engine = create_engine("sqlite://")
    with engine.connect() as connection:
        if migrated:
            migrate(connection, [SCHEMA])
        else:
            metadata.create_all(connection)
        found = inspect(connection)
        made = {
            name: (
                [(one["name"], one["nullable"]) for one in found.get_columns(name)],
                found.get_pk_constraint(name)["constrained_columns"],
                sorted((str(one["name"]), tuple(one["column_names"])) for one in found.get_indexes(name)),
            )
            for name in sorted(metadata.tables)
        }
    engine.dispose()
    return {**made}


def test_the_migration_makes_the_tables() -> None:
    assert shape(metadata, migrated=True) == shape(metadata, migrated=False)
