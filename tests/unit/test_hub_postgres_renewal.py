"""A rebuild on PostgreSQL: an empty catalogue in place, the old one aside, nothing lost that nodes cannot tell."""

import datetime
from collections.abc import AsyncIterator

import pytest
from sqlalchemy import Connection, insert

from hub.decisions import duplicates
from hub.membership import keyring
from hub.membership.keyring_tables import enrolled_node
from hub.repair import rebuilds
from hub.storage import postgres_renewal
from protocol.errors import DanglianError
from replication.database import Database
from tests.builders import identity
from tests.catalogue import VILLAGE, described, fictitious, record_id
from tests.hubs import Hub
from tests.stores import PostgresStore

NOW_MS = 1_790_000_000_000
KEY = identity(7).public_key


@pytest.fixture
async def database(postgres_store: PostgresStore) -> AsyncIterator[Database]:
    async with postgres_store.opened() as made:
        await Hub(made).tell(*(described(seq, fictitious(seq)) for seq in range(1, 31)))

        def known(connection: Connection) -> None:
            keyring.expect(connection, VILLAGE, "上石村", datetime.date(2026, 1, 1))
            row = {"site": VILLAGE.code, "name": "PC", "software": "", "enrolled_at_ms": 5}
            connection.execute(insert(enrolled_node).values(public_key=KEY, **row))
            duplicates.set_apart(connection, record_id(1), record_id(2), "甲某", NOW_MS)

        await made.write(known)
        yield made


async def test_what_nodes_cannot_tell_again_stays_and_the_rest_is_aside(database: Database) -> None:
    aside, held = await database.write(lambda connection: postgres_renewal.renewed(connection, NOW_MS))

    assert held == {VILLAGE.code: 30}
    assert await database.fetch(f"SELECT count(*) FROM {aside}.entry") == [(30,)]
    assert await database.fetch("SELECT count(*) FROM entry") == [(0,)]
    assert [one.public_key for one in await database.read(keyring.nodes)] == [KEY]
    assert await database.read(rebuilds.pending) == {VILLAGE.code: NOW_MS}
    assert len(await database.read(lambda c: duplicates.decisions_about(c, record_id(1)))) == 1


async def test_the_new_catalogue_takes_everything_anew(database: Database) -> None:
    await database.write(lambda connection: postgres_renewal.renewed(connection, NOW_MS))
    hub = Hub(database)
    await hub.tell(*(described(seq, fictitious(seq)) for seq in range(1, 31)))
    await database.write(lambda c: duplicates.set_apart(c, record_id(3), record_id(4), "乙某", NOW_MS))

    assert len(await hub.titles("关于")) == 30
    assert await database.fetch("SELECT id FROM apart ORDER BY id") == [(1,), (2,)]


async def test_a_rebuild_that_fails_leaves_the_old_catalogue(database: Database) -> None:
    def broken(connection: Connection) -> None:
        postgres_renewal.renewed(connection, NOW_MS)
        connection.exec_driver_sql("SELECT 1 FROM nowhere")

    with pytest.raises(DanglianError):
        await database.write(broken)

    assert await database.fetch("SELECT count(*) FROM entry") == [(30,)]
    assert await database.fetch("SELECT count(*) FROM pg_namespace WHERE nspname LIKE 'aside%'") == [(0,)]
