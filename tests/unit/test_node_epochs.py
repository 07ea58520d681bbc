"""Epochs and baselines of a site: when they begin, and that a power cut only interrupts them."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import Connection

from node import baseline, store
from node.daemon import MIGRATIONS
from node.epochs import Epochs
from node.home import NodeHome, home_at
from protocol.beats import Receipt, Want
from protocol.codec import decode_event
from protocol.events import BaselineMarked, BaselinePhase, Event
from replication import outbox
from replication.database import Database, opened
from replication.seal import unseal
from tests.builders import VILLAGE, drafts, frame_writer


@pytest.fixture
def home(tmp_path: Path) -> NodeHome:
    return home_at(tmp_path)


@pytest.fixture
async def database(home: NodeHome) -> AsyncIterator[Database]:
    async with opened(home.database, MIGRATIONS) as opened_database:
        yield opened_database


def epochs(database: Database) -> Epochs:
    return Epochs(database, frame_writer(), lambda: None)


async def events(database: Database) -> list[Event]:
    """Return all events that wait in the outbox."""
    key = frame_writer().identity.public_key
    frames = await database.read(lambda c: outbox.frames_after(c, 0, 1000))
    return [decode_event(raw) for frame in frames for raw in unseal(frame.sealed, [key]).events]


async def describe_all(database: Database) -> None:
    """Carry a baseline to its end."""
    while await database.write(lambda c: baseline.go_on(c, frame_writer())):
        pass


async def epoch_of(database: Database) -> str:
    here = await database.read(outbox.head)
    assert here is not None
    return here.epoch


async def test_a_new_database_begins_with_a_baseline_of_nothing(database: Database, home: NodeHome) -> None:
    await epochs(database).begin(home)
    await describe_all(database)
    marks = [event for event in await events(database) if isinstance(event, BaselineMarked)]
    assert [(mark.phase, mark.record_count) for mark in marks] == [(BaselinePhase.BEGIN, 0), (BaselinePhase.END, 0)]


async def test_starting_again_keeps_the_epoch(database: Database, home: NodeHome) -> None:
    await epochs(database).begin(home)
    before = await epoch_of(database)
    await epochs(database).begin(home)
    assert await epoch_of(database) == before


async def test_a_database_that_was_put_back_starts_a_new_epoch_that_retires_the_old(
    database: Database, home: NodeHome
) -> None:
    await epochs(database).begin(home)
    before = await epoch_of(database)
    home.incarnation.write_text("another start since this backup", encoding="ascii")
    await epochs(database).begin(home)
    here = await database.read(outbox.head)
    assert here is not None
    assert (here.epoch != before, before in here.retires) == (True, True)


async def test_a_divergence_retires_the_hubs_epoch_too(database: Database, home: NodeHome) -> None:
    site = epochs(database)
    await site.begin(home)
    before = await epoch_of(database)
    await site.diverged(Receipt(site=VILLAGE.code, epoch="theirs", applied=9), Want.NEW_EPOCH)
    here = await database.read(outbox.head)
    assert here is not None
    assert {before, "theirs"} <= set(here.retires)


async def test_a_wanted_baseline_is_opened_once_however_often_it_is_asked_for(
    database: Database, home: NodeHome
) -> None:
    site = epochs(database)
    await site.begin(home)
    await describe_all(database)
    asked = Receipt(site=VILLAGE.code, epoch=await epoch_of(database), applied=2, want=Want.BASELINE)
    await site.diverged(asked, Want.BASELINE)
    await site.diverged(asked, Want.BASELINE)
    begun = [event for event in await events(database) if isinstance(event, BaselineMarked)]
    assert [mark.phase for mark in begun].count(BaselinePhase.BEGIN) == 2


async def test_a_baseline_goes_on_where_a_power_cut_left_it(database: Database, home: NodeHome) -> None:
    await epochs(database).begin(home)
    before = await database.read(baseline.progress)
    await describe_all(database)
    after = await database.read(baseline.progress)
    assert before is not None
    assert after is not None
    assert (before.is_done, after.is_done, after.began_at) == (False, True, before.began_at)


async def test_an_empty_store_has_nothing_to_catch_up(database: Database) -> None:
    def changes(connection: Connection) -> int:
        return len(store.changes_after(connection, 0, 10))

    assert await database.read(changes) == 0


async def test_a_hub_from_before_all_memory_is_described_everything_anew(database: Database, home: NodeHome) -> None:
    """Nobody can tell any more whether it has this history, so changes alone could leave it wrong for ever."""
    site = epochs(database)
    await site.begin(home)
    await describe_all(database)
    before = await epoch_of(database)
    for _ in range(2):
        await database.write(lambda c: outbox.append(c, frame_writer(), drafts(1)))
    await database.write(lambda c: outbox.forget(c, 4))
    behind = Receipt(site=VILLAGE.code, epoch=before, applied=3)
    await site.diverged(behind, Want.NOTHING)
    assert await epoch_of(database) == before
    await database.write(lambda c: c.exec_driver_sql("DELETE FROM forgotten_frame"))
    await site.diverged(behind, Want.NOTHING)
    assert await epoch_of(database) != before
