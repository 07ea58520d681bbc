"""The tables of a node's newer parts are what their migrations make."""

import pytest
from sqlalchemy import MetaData

from node import consignment_tables
from node.certifying import order_tables
from node.tables import SCHEMA
from tests.table_shapes import shape_of


@pytest.mark.parametrize(
    "metadata", [order_tables.metadata, consignment_tables.metadata], ids=["orders", "consignments"]
)
def test_the_migration_makes_the_tables(metadata: MetaData) -> None:
    assert shape_of(metadata, SCHEMA) == shape_of(metadata, None)
