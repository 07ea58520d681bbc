"""Renewal on PostgreSQL: the schema of before is set aside under another name, and an empty one takes its place.

Both happen in one transaction, together with carrying over what the nodes cannot tell again: a kill at any moment
leaves the old catalogue or the new one.
"""

from collections.abc import Mapping

from sqlalchemy import Connection, MetaData, Table

from hub.home import SCHEMA
from hub.repair import rebuilds
from hub.sites.board import gathered
from hub.storage.postgres_index import is_part_of_an_index
from hub.storage.postgres_parts import narrowed
from hub.storage.told_again import TOLD_AGAIN
from protocol.county_time import stamp
from replication.migrations import REPLICATION, migrate

_OF_HEALED = "SELECT id FROM {aside}.repair WHERE healed_at_ms IS NOT NULL"


def renewed(connection: Connection, now_ms: int) -> tuple[str, Mapping[str, int]]:
    """Put an empty catalogue in place; returns the schema of before, and how many records it held of each site."""
    facts = gathered(connection)
    held = {one.site: one.hub_records or 0 for one in facts if one.enrolled_nodes or one.hub_records}
    aside = f"aside_{stamp(now_ms).replace('-', '_')}"
    connection.exec_driver_sql("SET LOCAL statement_timeout = 0")
    connection.exec_driver_sql(f"ALTER SCHEMA public RENAME TO {aside}")
    connection.exec_driver_sql("CREATE SCHEMA public")
    migrate(connection, [REPLICATION, SCHEMA])
    while narrowed(connection):
        continue
    metadata = MetaData()
    metadata.reflect(connection)
    for table in metadata.sorted_tables:
        if table.name not in TOLD_AGAIN and not is_part_of_an_index(table.name):
            _carry_over(connection, table, aside)
    healed = _OF_HEALED.format(aside=aside)
    _carry_over(connection, metadata.tables["repair"], aside, f"id IN ({healed})")
    _carry_over(connection, metadata.tables["repair_record"], aside, f"repair_id IN ({healed})")
    rebuilds.begin(connection, held, now_ms)
    return aside, held


def _carry_over(connection: Connection, table: Table, aside: str, chosen: str = "TRUE") -> None:
    named = ", ".join(f'"{column.name}"' for column in table.columns)
    connection.exec_driver_sql(
        f'INSERT INTO public."{table.name}" ({named}) SELECT {named} FROM {aside}."{table.name}"'  # noqa: S608 - our own names
        f" WHERE {chosen} ON CONFLICT DO NOTHING"
    )
    for column in table.columns:
        if column.identity is not None:
            number_behind(connection, table.name, column.name)


def number_behind(connection: Connection, table: str, column: str) -> None:
    """Have a column numbered behind what is in it."""
    connection.exec_driver_sql(
        f"SELECT setval(pg_get_serial_sequence('{table}', '{column}'),"  # noqa: S608 - names of our own schema
        f' (SELECT greatest(coalesce(max("{column}"), 0), 1) FROM "{table}"))'
    )
