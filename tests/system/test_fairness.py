"""Back-pressure with real daemons and a real broker: what may wait in the stream, and who waits for whom.

A frozen hub process stands for one that is gone: its broker goes on, and nobody sends receipts.
"""

import asyncio
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import pytest

from hub import config
from hub.commands.live import reaching
from hub.home import home_at
from protocol import codec
from protocol.limits import UNCONFIRMED_FRAMES_MAX
from protocol.sites import parse_site
from protocol.subjects import events as events_subject
from replication.brokers import backlog_of_parts
from replication.connection import Link
from replication.publisher import PROBE_FRAMES
from replication.streams import EVENTS, Backlog
from tests.servers import stop_where_it_stands
from tests.system.counties import County, fetched, rows, write_csv
from tests.system.programs import Program, until

pytestmark = pytest.mark.timeout(180)

BUSY, OTHER = "330523108204", "330523108205"
CROWD = ("330523108206", "330523108207", "330523108208", "330523108209")

STILL_S = 2.0
"""Seconds in which a node that may send more would have done so."""


@pytest.fixture
async def county(tmp_path: Path, free_port: Callable[[], int]) -> AsyncIterator[County]:
    async with AsyncExitStack() as stack:
        county = County(tmp_path, free_port, stack)
        await county.open()
        yield county


@asynccontextmanager
async def looking(county: County) -> AsyncIterator[Link]:
    """Look into the broker with the hub's key."""
    home = home_at(county.hub.home)
    async with reaching(home, config.load(home.settings)) as reach:
        assert await reach.up()
        yield reach.link


@asynccontextmanager
async def frozen(hub: Program) -> AsyncIterator[None]:
    """Stop the hub where it stands, and let it go on at the end; its broker is a process of its own."""
    assert hub.process is not None
    stop_where_it_stands(hub.process.pid)
    try:
        yield
    finally:
        hub.process.send_signal(signal.SIGCONT)


def drop(node: Program, first: int, files: int) -> None:
    """Put files of one row each into a node's folder: each is at least one frame."""
    for number in range(first, first + files):
        write_csv(node.home / "catalogues" / f"{number}.csv", rows(1, number))


def waiting(node: Program) -> int:
    """Count the frames of a node's outbox."""
    return int(fetched(node.home / "node.db", "SELECT count(*) FROM outbox")[0][0])


async def until_still(link: Link) -> Backlog:
    """Wait until nothing more comes into the stream, and return how it is."""
    before = await backlog_of_parts(link, EVENTS, 1)
    while True:
        await asyncio.sleep(STILL_S)
        now = await backlog_of_parts(link, EVENTS, 1)
        if now == before:
            return now
        before = now


async def places_of(link: Link, site: str) -> list[int]:
    """Return the places of a site's frames in the stream."""
    wanted, last = events_subject(parse_site(site)), (await backlog_of_parts(link, EVENTS, 1)).last
    subjects = [
        (await link.manage(lambda manager, place=place: manager.get_msg(EVENTS.name, place))).subject  # type: ignore[misc]
        for place in range(1, last + 1)
    ]
    return [place for place, subject in enumerate(subjects, 1) if subject == wanted]


async def test_a_backlog_leaves_room_for_the_single_change_of_another_site(county: County) -> None:
    """The change stands in the stream before what the busy site has still to send, and is applied before it."""
    busy, other = await county.join(BUSY), await county.join(OTHER)
    for node in (busy, other):
        drop(node, 1, 1)
    await county.settled(BUSY, OTHER)
    async with looking(county) as link:
        async with frozen(county.hub):
            drop(busy, 2, 2 * UNCONFIRMED_FRAMES_MAX)
            await until("the backlog to pile up", lambda: waiting(busy) >= 2 * UNCONFIRMED_FRAMES_MAX, 60)
            filled = await until_still(link)
            drop(other, 2, 1)
            await until("the change to be in the stream", lambda: _pending_above(link, filled.pending))
        await county.settled(BUSY, OTHER, patience_s=90)
        of_busy, of_other = await places_of(link, BUSY), await places_of(link, OTHER)

    assert filled.pending == UNCONFIRMED_FRAMES_MAX
    behind = [place for place in of_busy if place > of_other[-1]]
    assert len(behind) >= UNCONFIRMED_FRAMES_MAX
    assert len(county.held(BUSY)) == 1 + 2 * UNCONFIRMED_FRAMES_MAX


async def _pending_above(link: Link, pending: int) -> bool:
    return (await backlog_of_parts(link, EVENTS, 1)).pending > pending


async def test_a_node_whose_hub_is_gone_leaves_a_few_frames_in_the_stream(county: County) -> None:
    """Every morning a village PC is switched on and finds no hub; weeks of that must not fill the broker."""
    busy = await county.join(BUSY)
    drop(busy, 1, 1)
    await county.settled(BUSY)
    await busy.stop()
    async with looking(county) as link:
        before = (await backlog_of_parts(link, EVENTS, 1)).last
        async with frozen(county.hub):
            drop(busy, 2, 20)
            for _ in range(3):
                await busy.start()
                await until("the files to be taken", lambda: waiting(busy) >= 20)
                await until_still(link)
                await busy.stop()
            left = (await backlog_of_parts(link, EVENTS, 1)).last - before
            await busy.start()
        await county.settled(BUSY, patience_s=90)

    assert PROBE_FRAMES <= left <= 3 * PROBE_FRAMES
    assert len(county.held(BUSY)) == 21


async def test_windows_shrink_while_many_sites_send_and_recover(county: County) -> None:
    nodes = [await county.join(site) for site in CROWD]
    for node in nodes:
        drop(node, 1, 1)
    await county.settled(*CROWD)
    windows: list[int] = []
    async with looking(county) as link:
        hearing = await link.subscribe(
            "dl.rcpt.>", lambda message: windows.append(codec.decode_receipt(message.data).window_frames)
        )
        async with frozen(county.hub):
            for node in nodes:
                drop(node, 2, 30)
            for node in nodes:
                await until("the backlog to pile up", lambda node=node: waiting(node) >= 30, 60)  # type: ignore[misc]
        await county.settled(*CROWD, patience_s=90)
        shrunk = min(windows)
        windows.clear()
        # The next signs of life say that nothing waits any more.
        await until("the windows to recover", lambda: UNCONFIRMED_FRAMES_MAX in windows, 60)
        await hearing.close()

    assert shrunk <= UNCONFIRMED_FRAMES_MAX // 2
