"""A store that is busy, or a disk that refuses, puts work off: none of the loops that run for ever ends over it."""

import asyncio
import errno
from collections.abc import Awaitable, Callable, Coroutine
from pathlib import Path
from typing import Any, cast
from uuid import UUID

import pytest

from hub.home import home_at
from hub.membership.access import Access
from hub.transfers.witnessing import WitnessDesk
from hub.window.copyist import Copyist
from node.correspondence import LetterDesk
from node.history import SiteHistory
from protocol.errors import Refused, Retryable
from protocol.wording import Text
from replication.database import Database


class Away:
    """A store that is away at first, and then knows nothing."""

    def __init__(self, times: int = 2) -> None:
        self.times = times
        self.calls = 0

    async def read(self, _step: object) -> Any:  # noqa: ANN401 - as the store's own
        self.calls += 1
        await asyncio.sleep(0)
        if self.calls <= self.times:
            raise Retryable(Text(zh="忙", en="busy"))
        return None

    async def write(self, step: object) -> Any:  # noqa: ANN401 - as the store's own
        return await self.read(step)


def store(away: Away) -> Database:
    return cast("Database", away)


async def goes_on(loop: Coroutine[Any, Any, None], is_past: Callable[[], bool]) -> bool:
    """Tell whether a loop lives until something has happened."""
    running = asyncio.create_task(loop)
    async with asyncio.timeout(30):
        while not running.done() and not is_past():
            await asyncio.sleep(0.001)
    lives = not running.done()
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    return lives


async def test_letters_wait_for_the_store(monkeypatch: pytest.MonkeyPatch) -> None:
    away = Away()

    async def read(_step: object) -> int:
        await asyncio.sleep(0)
        return 0

    monkeypatch.setattr(away, "read", read)
    monkeypatch.setattr(away, "write", Away.read.__get__(away))
    desk = LetterDesk(store(away), {}, lambda: None, lambda: 0, look_s=0.001)
    assert await goes_on(desk.run(), lambda: away.calls > away.times)


async def test_the_position_is_read_again(monkeypatch: pytest.MonkeyPatch) -> None:
    away = Away()
    history = SiteHistory(store(away))
    monkeypatch.setattr("node.history.LOOK_S", 0.001)
    assert await goes_on(history.run(), lambda: away.calls > away.times)


async def test_the_list_of_users_is_written_when_the_disk_lets_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried = 0

    async def settle() -> None:
        nonlocal tried
        tried += 1
        await asyncio.sleep(0)
        raise OSError(errno.ENOSPC, "no space left on device")

    access = Access(cast("Any", None), home_at(tmp_path), "U", None)
    monkeypatch.setattr(access, "settle", settle)
    monkeypatch.setattr("hub.membership.access.KEYRING_POLL_S", 0.0)
    assert await goes_on(access.follow(), lambda: tried > 2)


async def test_packages_between_two_sites_wait_for_the_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tried = 0

    async def step() -> list[object]:
        nonlocal tried
        tried += 1
        raise OSError(errno.EACCES, "permission denied")

    desk = WitnessDesk(store(Away()), cast("Any", None), cast("Any", None), tmp_path, {}, lambda: 0, lambda: 0.0)
    monkeypatch.setattr(desk, "step", step)
    monkeypatch.setattr("hub.transfers.witnessing.LOOK_S", 0.0)
    assert await goes_on(desk.run(), lambda: tried > 2)


@pytest.mark.parametrize(
    "fault",
    [
        Retryable(Text(zh="忙", en="busy")),
        Refused(Text(zh="不", en="no")),
        OSError(errno.ENOSPC, "no space left on device"),
    ],
)
async def test_a_certificate_is_put_off_where_nobody_can_note_why(tmp_path: Path, fault: Exception) -> None:
    """The work failed because the store is away, and so does the note of it."""
    copyist = Copyist(store(Away(99)), home_at(tmp_path), cast("Any", None), cast("Any", None), cast("Any", None), int)
    work: Callable[[], Awaitable[None]] = failing(fault)

    await copyist._done(UUID(int=1), work)

    assert UUID(int=1) in copyist._put_off
    assert copyist._busy == set()


def failing(fault: Exception) -> Callable[[], Awaitable[None]]:
    async def work() -> None:
        await asyncio.sleep(0)
        raise fault

    return work
