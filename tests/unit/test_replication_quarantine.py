"""The quarantine: what is set aside is kept once, and no site can fill the hub's disk with it."""

from collections.abc import AsyncIterator, Sequence

import pytest

from protocol.wording import Text
from replication import quarantine
from replication.acceptance import SpoiltEvent
from replication.database import Database
from replication.migrations import REPLICATION
from replication.quarantine import BAD_FRAME, FORK, FRAMES_MAX, NOT_KEPT
from tests.builders import TOWN, VILLAGE
from tests.stores import Store

WORDS = Text(zh="坏", en="bad")


@pytest.fixture
async def database(store: Store) -> AsyncIterator[Database]:
    async with store.opened([REPLICATION]) as database:
        yield database


def spoilt(fault: str, *seqs: int) -> list[SpoiltEvent]:
    return [SpoiltEvent(seq=seq, fault=fault, reason=WORDS, hint=WORDS, content=b"x") for seq in seqs]


async def put(database: Database, things: Sequence[SpoiltEvent], site: str = VILLAGE.code) -> None:
    await database.write(lambda c: quarantine.set_all_aside(c, site, "e1", things, 0))


async def faults(database: Database, site: str = VILLAGE.code) -> dict[str, int]:
    rows = await database.fetch("SELECT fault, count(*) FROM quarantine WHERE site = ? GROUP BY fault", (site,))
    return {str(fault): int(str(count)) for fault, count in rows}


async def test_the_same_thing_is_kept_once(database: Database) -> None:
    for _ in range(3):
        await put(database, spoilt("unknown_kind", 1, 2))
    assert await faults(database) == {"unknown_kind": 2}


async def test_events_beyond_the_bound_are_not_kept_and_one_entry_says_so(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A site of a later version may describe its whole catalogue in a kind that this hub does not know."""
    bound, step = 1_000, 250
    monkeypatch.setattr(quarantine, "EVENTS_MAX", bound)
    for first in range(1, bound + 2 * step, step):
        await put(database, spoilt("unknown_kind", *range(first, first + step)))
    assert await faults(database) == {"unknown_kind": bound, NOT_KEPT: 1}


async def test_frames_beyond_the_bound_are_not_kept(database: Database) -> None:
    """A site with a broken program sends a different bad frame every minute."""
    for number in range(FRAMES_MAX + 20):
        await put(database, spoilt(FORK if number % 2 else f"{BAD_FRAME}:{number:016x}", number))
    held = await faults(database)
    assert sum(held.values()) == FRAMES_MAX + 1
    assert held[NOT_KEPT] == 1


async def test_frames_leave_room_for_events_and_sites_for_one_another(database: Database) -> None:
    for number in range(FRAMES_MAX):
        await put(database, spoilt(f"{BAD_FRAME}:{number:016x}", 0))
    await put(database, spoilt("unknown_kind", 1))
    await put(database, spoilt(f"{BAD_FRAME}:0", 0), TOWN.code)
    assert (await faults(database))["unknown_kind"] == 1
    assert NOT_KEPT not in await faults(database)
    assert await faults(database, TOWN.code) == {f"{BAD_FRAME}:0": 1}
