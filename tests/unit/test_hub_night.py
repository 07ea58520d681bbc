"""The night: each site has one turn, always the same, and a turn that was missed is still due."""

import datetime

from sqlalchemy import create_engine, inspect

from hub.repair import night
from hub.repair.comparisons import Sameness
from hub.repair.night import SPREAD_S, NightHour, delay_s
from hub.repair.repair_tables import metadata
from replication.migrations import migrate
from tests.hubs import MIGRATIONS
from tests.stores import Store

SITE = "330523108204"
NIGHT = NightHour(hour=2, zone=datetime.UTC)


def at(day: int, hour: int) -> int:
    return int(datetime.datetime(2026, 3, day, hour, tzinfo=datetime.UTC).timestamp() * 1000)


def test_turn_is_after_the_hour_and_before_the_office_opens() -> None:
    turn = NIGHT.latest_turn(SITE, at(5, 12))

    assert at(5, 2) <= turn < at(5, 2) + SPREAD_S * 1000


def test_before_tonights_turn_yesterdays_counts() -> None:
    assert NIGHT.latest_turn(SITE, at(5, 1)) == NIGHT.latest_turn(SITE, at(4, 12))


def test_turns_of_many_sites_are_spread_over_the_night() -> None:
    turns = [delay_s(f"330523108{number:03d}") for number in range(1, 216)]
    quarters = [
        sum(quarter * SPREAD_S / 4 <= turn < (quarter + 1) * SPREAD_S / 4 for turn in turns) for quarter in range(4)
    ]

    assert min(quarters) > 30


async def test_check_is_remembered_over_a_restart(store: Store) -> None:
    for moment in (5, 7):
        async with store.opened() as database:
            await database.write(lambda c, moment=moment: night.note(c, SITE, Sameness.EQUAL, moment))  # type: ignore[misc]
    async with store.opened() as database:
        assert await database.read(night.checked_at) == {SITE: 7}


def test_migration_makes_the_tables_of_repairs() -> None:
    engine = create_engine("sqlite://")
    with engine.connect() as connection:
        migrate(connection, MIGRATIONS)
        made = {name: {one["name"] for one in inspect(connection).get_columns(name)} for name in metadata.tables}
    engine.dispose()

    assert made == {name: {column.name for column in table.columns} for name, table in metadata.tables.items()}
