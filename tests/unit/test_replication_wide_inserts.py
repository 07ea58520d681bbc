"""Rows arrive whole and in order, however many statements they take."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Connection, NullPool, create_engine
from sqlalchemy.exc import IntegrityError

from replication.wide_inserts import WIDTHS, insert_rows

COUNTS = (0, 1, WIDTHS[1] - 1, WIDTHS[1], WIDTHS[0], WIDTHS[0] + WIDTHS[1] + 1, 2 * WIDTHS[0] - 1)


@pytest.fixture
def connection(tmp_path: Path) -> Iterator[Connection]:
    engine = create_engine(f"sqlite:///{tmp_path / 'rows.db'}", poolclass=NullPool)
    with engine.connect() as opened:
        opened.exec_driver_sql("CREATE TABLE kept (place INTEGER PRIMARY KEY, body BLOB, note TEXT)")
        yield opened


def kept(connection: Connection) -> list[tuple[object, ...]]:
    return [tuple(row) for row in connection.exec_driver_sql("SELECT * FROM kept ORDER BY place")]


@pytest.mark.parametrize("count", COUNTS)
def test_every_row_arrives_whatever_their_number(connection: Connection, count: int) -> None:
    rows = [(place, b"%d" % place, None if place % 3 else "安吉") for place in range(count)]

    insert_rows(connection, "INSERT INTO kept", rows)

    assert kept(connection) == rows


def test_only_named_columns_are_given(connection: Connection) -> None:
    insert_rows(connection, "INSERT INTO kept (note, place)", [("安吉", 7)])

    assert kept(connection) == [(7, None, "安吉")]


def test_arrays_of_bytes_are_stored_as_the_bytes_they_hold(connection: Connection) -> None:
    """The hot paths hand them over in place of bytes, and what was stored before must stay equal to it."""
    insert_rows(connection, "INSERT INTO kept", [(1, bytearray(b"\x00\xff"), None)])

    assert connection.exec_driver_sql("SELECT body, typeof(body) FROM kept").one() == (b"\x00\xff", "blob")


def test_a_row_that_stands_already_is_an_error(connection: Connection) -> None:
    """Nothing is passed over in silence: the caller's transaction ends."""
    rows = [(place, b"", "") for place in range(WIDTHS[0])]
    insert_rows(connection, "INSERT INTO kept", rows[-1:])

    with pytest.raises(IntegrityError):
        insert_rows(connection, "INSERT INTO kept", rows)
