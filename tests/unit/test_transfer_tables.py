"""The tables of transfers are the same at both ends, and are what the migrations make."""

from sqlalchemy import MetaData, create_engine, inspect

from hub.home import SCHEMA as HUB
from hub.transfers import plan_tables
from node.tables import SCHEMA as NODE
from node.transfers import planned
from replication import transfer_tables
from replication.migrations import migrate


def shape(metadata: MetaData, schema: tuple[str, object] | None) -> dict[str, object]:
    engine = create_engine("sqlite://")
    with engine.connect() as connection:
        if schema is not None:
            migrate(connection, [schema])  # type: ignore[list-item]
        else:
            metadata.create_all(connection)
        found = inspect(connection)
        made = {
            name: (
                [
                    (one["name"], str(one["type"]).replace("BIGINT", "INTEGER"), one["nullable"])
                    for one in found.get_columns(name)
                ],
                found.get_pk_constraint(name)["constrained_columns"],
                sorted((str(one["name"]), tuple(one["column_names"])) for one in found.get_indexes(name)),
            )
            for name in sorted(metadata.tables)
        }
    engine.dispose()
    return {**made}


def test_both_ends_have_the_tables_of_transfers() -> None:
    wanted = shape(transfer_tables.metadata, None)

    assert shape(transfer_tables.metadata, HUB) == wanted
    assert shape(transfer_tables.metadata, NODE) == wanted


def test_the_hub_has_the_tables_of_the_plan_and_the_node_its_lines() -> None:
    assert shape(plan_tables.metadata, HUB) == shape(plan_tables.metadata, None)
    assert shape(planned.metadata, NODE) == shape(planned.metadata, None)
