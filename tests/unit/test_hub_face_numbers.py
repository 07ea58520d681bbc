"""SQLite's numbers of faces say of every entry what its row says, whoever has written it."""

import datetime
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path

import pytest
from sqlalchemy import Connection

from hub.storage.faces import FACE_SEPARATOR, face_of, faces_numbered
from protocol.vocabularies import AccessStatus
from replication.database import Database, opened
from replication.migrations import migrations_in, statements
from tests.catalogue import VILLAGE, access_changed, described, fictitious, withdrawn
from tests.hubs import MIGRATIONS, Hub

_DAYS = "coalesce(date_earliest, date_latest), coalesce(date_latest, date_earliest)"
_OF_ROWS = f"SELECT docid, face, {_DAYS} FROM entry WHERE body IS NOT NULL ORDER BY docid"
_OF_NUMBERS = f"SELECT docid, value, {_DAYS} FROM entry_faces JOIN face ON number = face ORDER BY docid"


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    async with opened(tmp_path / "hub.db", MIGRATIONS) as made:
        yield made


async def both(database: Database) -> list[tuple[object, ...]]:
    """What the numbers say, which is what the rows say."""
    told = await database.fetch(_OF_NUMBERS)
    assert told == await database.fetch(_OF_ROWS)
    return told


async def test_numbers_follow_descriptions_closings_and_withdrawals(database: Database) -> None:
    hub = Hub(database)
    await hub.tell(*(described(seq, fictitious(seq)) for seq in range(1, 5)))
    assert len(await both(database)) == 4

    await hub.tell(described(5, fictitious(1, fonds_no="J009", filing_year=1999)))
    await hub.tell(access_changed(6, fictitious(2), AccessStatus.RESTRICTED))
    await hub.tell(withdrawn(7, fictitious(3).record_id))
    told = await both(database)

    assert len(told) == 3
    assert {face_of(str(face))[1] for _, face, _, _ in told} >= {"J009"}
    assert str(AccessStatus.RESTRICTED) in {face_of(str(face))[3] for _, face, _, _ in told}


async def test_numbers_follow_whatever_else_changes_a_row(database: Database) -> None:
    """Repairs give a row another number, take its body and put it back; tombstones are forgotten."""
    hub = Hub(database)
    await hub.tell(*(described(seq, fictitious(seq)) for seq in range(1, 5)))
    changes = (
        "UPDATE entry SET docid = docid + 1000 WHERE docid = (SELECT min(docid) FROM entry)",
        "UPDATE entry SET date_latest = '2001-02-03' WHERE docid = (SELECT max(docid) FROM entry)",
        "UPDATE entry SET date_latest = NULL WHERE docid = (SELECT max(docid) FROM entry)",
        "UPDATE entry SET date_earliest = NULL, date_latest = '2001' WHERE docid = (SELECT max(docid) FROM entry)",
        "UPDATE entry SET body = NULL WHERE docid = (SELECT min(docid) FROM entry)",
        "UPDATE entry SET body = x'7b7d' WHERE body IS NULL",
        "DELETE FROM entry WHERE docid = (SELECT max(docid) FROM entry)",
    )
    for change, left in zip(changes, (4, 4, 4, 4, 3, 4, 3), strict=True):
        await database.write(partial(_run, sql=change))
        assert len(await both(database)) == left


def _run(connection: Connection, sql: str) -> None:
    connection.exec_driver_sql(sql)


async def test_faces_of_before_get_their_numbers(tmp_path: Path) -> None:
    """A file of before the numbers is brought up to date with all its entries."""
    file = tmp_path / "hub.db"
    async with opened(file, MIGRATIONS) as database:
        await Hub(database).tell(*(described(seq, fictitious(seq)) for seq in range(1, 5)))
        await database.write(_as_before)
    async with opened(file, MIGRATIONS) as database:
        assert len(await both(database)) == 4


def _as_before(connection: Connection) -> None:
    for sql in (
        *("DROP TRIGGER entry_faces_added", "DROP TRIGGER entry_faces_changed", "DROP TRIGGER entry_faces_removed"),
        *(
            "DROP TABLE entry_faces",
            "DROP TABLE face",
            "DELETE FROM migration WHERE package = 'hub' AND number IN (95, 96, 101, 102, 103)",
        ),
        "CREATE INDEX entry_face ON entry (docid, face, date_earliest, date_latest) WHERE body IS NOT NULL",
    ):
        connection.exec_driver_sql(sql)


async def test_a_date_that_stood_twice_stands_once_after_the_upgrade(tmp_path: Path) -> None:
    file = tmp_path / "hub.db"
    longer = {"date_earliest": datetime.date(1986, 1, 1), "date_latest": datetime.date(1987, 1, 1)}
    async with opened(file, MIGRATIONS) as database:
        await Hub(database).tell(described(1, fictitious(1)), described(2, fictitious(2, **longer)))
        await database.write(_with_both_dates)
    async with opened(file, MIGRATIONS) as database:
        assert len(await both(database)) == 2
        kept = await database.fetch("SELECT date_latest FROM entry_faces WHERE date_latest IS NOT NULL")
        assert kept == [("1987-01-01",)]


def _with_both_dates(connection: Connection) -> None:
    """As the lines of faces were before: the triggers' words tell nothing of it, and are dropped by the upgrade."""
    connection.exec_driver_sql("UPDATE entry_faces SET date_latest = coalesce(date_latest, date_earliest)")
    connection.exec_driver_sql("DELETE FROM migration WHERE package = 'hub' AND number IN (101, 102, 103)")


async def test_a_number_is_looked_up_once_by_a_connection(database: Database) -> None:
    await Hub(database).tell(described(1, fictitious(1)))

    def look(connection: Connection) -> tuple[list[tuple[str, ...]], list[tuple[str, ...]]]:
        first = faces_numbered(connection, [1, 1])
        connection.exec_driver_sql("DELETE FROM face")
        return first, faces_numbered(connection, [1])

    first, later = await database.write(look)

    assert first == [later[0], later[0]]
    assert later[0][0] == VILLAGE.code
    ((face,),) = await database.fetch("SELECT face FROM entry")
    assert FACE_SEPARATOR.join(later[0]) == face


def test_a_trigger_is_one_statement() -> None:
    package, folder = MIGRATIONS[-1]
    (made,) = [one for one in migrations_in(package, folder) if one.name == "face-numbers"]
    triggers = [one for one in statements(made.sql) if one.startswith("CREATE TRIGGER")]

    assert len(triggers) == 3
    assert all(one.endswith("END") for one in triggers)
