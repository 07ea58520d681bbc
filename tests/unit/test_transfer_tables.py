"""The tables of transfers are the same at both ends, and are what the migrations make."""

from hub.home import SCHEMA as HUB
from hub.transfers import archive_code_tables, plan_tables, relay_tables
from node.tables import SCHEMA as NODE
from node.transfers import kept_tables, owner_signatures, planned, retained_tables
from replication import transfer_tables
from replication.migrations import REPLICATION
from tests.table_shapes import shape_of


def test_the_schema_of_both_ends_has_the_tables_of_transfers() -> None:
    assert shape_of(transfer_tables.metadata, REPLICATION) == shape_of(transfer_tables.metadata, None)


def test_the_hub_has_the_tables_of_the_plan_and_the_node_its_lines() -> None:
    assert shape_of(plan_tables.metadata, HUB) == shape_of(plan_tables.metadata, None)
    assert shape_of(planned.metadata, NODE) == shape_of(planned.metadata, None)


def test_the_hub_remembers_what_it_gave_on_and_a_township_what_it_keeps() -> None:
    assert shape_of(relay_tables.metadata, HUB) == shape_of(relay_tables.metadata, None)
    assert shape_of(archive_code_tables.metadata, HUB) == shape_of(archive_code_tables.metadata, None)
    assert shape_of(retained_tables.metadata, NODE) == shape_of(retained_tables.metadata, None)
    assert shape_of(kept_tables.metadata, NODE) == shape_of(kept_tables.metadata, None)
    assert shape_of(owner_signatures.metadata, NODE) == shape_of(owner_signatures.metadata, None)
