"""Wide inserts: many rows with one statement.

SQLite's driver gives Python's lock away at every statement and waits for it again behind it, so row by row a writer
waits for every other thread thousands of times a transaction; and a statement's beginning and end cost a tenth of a
row. Widths are few, because each connection keeps every statement that it has seen prepared.
"""

from collections.abc import Sequence
from functools import cache
from itertools import chain

from sqlalchemy import Connection

WIDTHS = (256, 16, 1)
"""Rows of a statement, the widest first: with 24 columns a fifth of the variables that SQLite allows, and half a
megabyte."""


def insert_rows(connection: Connection, into: str, rows: Sequence[tuple[object, ...]]) -> None:
    """Insert rows in their order.

    Args:
        connection: inside a transaction that ends if this raises.
        into: ``INSERT INTO table`` with the names of the columns, or without them for all.
        rows: values for these columns.

    """
    start = 0
    for width in WIDTHS:
        while len(rows) - start >= width:
            values = tuple(chain.from_iterable(rows[start : start + width]))
            connection.exec_driver_sql(_statement(into, len(rows[0]), width), values)
            start += width


@cache
def _statement(into: str, columns: int, rows: int) -> str:
    one = f"({', '.join('?' * columns)})"
    return f"{into} VALUES {', '.join([one] * rows)}"
