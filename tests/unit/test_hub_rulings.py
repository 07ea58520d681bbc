"""Rulings: one stands for an object, what it takes away is kept until it is undone; migration and table agree."""

from collections.abc import AsyncIterator

import pytest
from sqlalchemy import MetaData, create_engine, inspect

from hub.decisions import ruling_tables, rulings
from hub.decisions.rulings import Decided, Order, Queue
from hub.home import SCHEMA
from hub.staff.administration import Actor
from protocol.errors import Refused
from replication.database import Database
from replication.migrations import migrate
from tests.stores import Store

LIN, NOW_MS = Actor(who="lin.min"), 1_790_000_000_000
DROPPED = Order(queue=Queue.QUARANTINE, site="330599001203", object="x", verdict=Decided.DROPPED, taken=b"frame")


@pytest.fixture
async def database(store: Store) -> AsyncIterator[Database]:
    async with store.opened() as database:
        yield database


def shape(metadata: MetaData | None) -> tuple[object, ...]:
    engine = create_engine("sqlite://")
    with engine.connect() as connection:
        if metadata is None:
            migrate(connection, [SCHEMA])
        else:
            metadata.create_all(connection)
        inspector = inspect(connection)
        columns = [
            (one["name"], str(one["type"]).replace("BIGINT", "INTEGER").replace("BLOB", "BINARY"))
            for one in inspector.get_columns("ruling")
        ]
        indexes = [(one["name"], tuple(one["column_names"]), one["unique"]) for one in inspector.get_indexes("ruling")]
    engine.dispose()
    return columns, indexes


def test_the_migration_makes_the_table() -> None:
    assert shape(None) == shape(ruling_tables.metadata)


async def test_ruling_twice_is_ruling_once_on_every_store(database: Database) -> None:
    done = [await database.write(lambda connection: rulings.rule(connection, LIN, DROPPED, NOW_MS)) for _ in range(2)]
    (kept,) = await database.read(lambda connection: rulings.listed(connection, 10))

    assert (done, kept.taken, kept.decided_by) == ([True, False], b"frame", "lin.min")


async def test_an_undone_ruling_makes_room_for_another(database: Database) -> None:
    stands = Order(queue=Queue.QUARANTINE, site="", object="x", verdict=Decided.HELD_STANDS)
    await database.write(lambda connection: rulings.rule(connection, LIN, DROPPED, NOW_MS))
    with pytest.raises(Refused):
        await database.write(lambda connection: rulings.rule(connection, LIN, stands, NOW_MS))
    (first,) = await database.read(lambda connection: rulings.listed(connection, 10))
    undone = [
        await database.write(lambda connection: rulings.undo(connection, LIN, first, NOW_MS + 1)) for _ in range(2)
    ]
    ruled = await database.write(lambda connection: rulings.rule(connection, LIN, stands, NOW_MS + 2))
    kept = await database.read(lambda connection: rulings.listed(connection, 10))

    assert (undone, ruled, [one.undone_at_ms for one in kept]) == ([True, False], True, [None, NOW_MS + 1])
