"""Answering for missing events: what the site promises, and that the events then go out."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from node.ranges import range_handler
from protocol.calls import FetchRange, Outcome, Range, Refusal
from replication import outbox
from replication.database import Database, opened
from replication.migrations import REPLICATION
from tests.unit.test_replication_publisher import Site

EPOCH = "epoch-a"


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    async with opened(tmp_path / "site.db", [REPLICATION]) as made:
        yield made


@pytest.fixture
async def site(database: Database) -> Site:
    """Three frames that end at 2, 5 and 6, all of them sent once."""
    await database.write(lambda connection: outbox.start_epoch(connection, EPOCH, ()))
    made = Site(database)
    await made.mint(2, 3, 1)
    await made.send_all()
    return made


async def asked(site: Site, after: int, epoch: str = EPOCH) -> tuple[Outcome, Range | Refusal]:
    answer = range_handler(site.database, site.publisher)
    return await answer(FetchRange(asker="hub", question="q", epoch=epoch, after=after))


async def test_what_follows_a_position_is_promised_and_sent_again(site: Site) -> None:
    assert await asked(site, 2) == (Outcome.ANSWERED, Range(after=2, up_to=6))

    site.link.sent.clear()
    await site.send_all()
    assert site.ids() == ["2-5:1", "5-6:1"]


async def test_the_end_of_the_history_is_a_promise_of_nothing_more(site: Site) -> None:
    """So that the hub stops asking: the gap cannot be closed from here."""
    assert await asked(site, 6) == (Outcome.ANSWERED, Range(after=6, up_to=6))


async def test_beyond_the_history_and_of_another_epoch_there_is_nothing(site: Site) -> None:
    for after, epoch in ((7, EPOCH), (0, "epoch-b")):
        outcome, body = await asked(site, after, epoch)

        assert outcome is Outcome.REFUSED
        assert isinstance(body, Refusal)
        assert "no such part" in body.reason_en


async def test_a_site_without_a_history_refuses(database: Database) -> None:
    outcome, _ = await asked(Site(database), 0)

    assert outcome is Outcome.REFUSED
