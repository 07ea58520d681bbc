"""Files over a real broker while both ends are killed without warning and the broker loses everything once."""

import os
import random
import shutil
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from hub.membership.broker_config import PAYLOAD_BYTES_MAX
from tests.bench.programs import Program, running, worker
from tests.carriages import some_files, there
from tests.conftest import StartServer

RATE = 6_000_000
"""Bytes a second that the site gives: some seconds for all, so that there is something to kill."""


class Ends:
    """Both ends as programs of their own."""

    def __init__(self, url: str, folder: Path) -> None:
        self.folder = folder
        self._giver = worker("carriage_ends", "give", url, "-", folder, folder / "scans", RATE)
        self._drawer = worker("carriage_ends", "draw", url, "-", folder, folder / "held")

    @asynccontextmanager
    async def giving(self) -> AsyncIterator[Program]:
        async with running(*self._giver, log=self.folder / "node.log") as program:
            await program.heard("ready", 30)
            yield program

    @asynccontextmanager
    async def drawing(self) -> AsyncIterator[Program]:
        async with running(*self._drawer, log=self.folder / "hub.log") as program:
            yield program


async def moved_beyond(drawer: Program, wanted: float) -> float:
    """Wait until so many bytes are at the hub."""
    while True:
        done, _ = (await drawer.heard("moved", 30)).values
        if done >= wanted:
            return done


@pytest.mark.slow
async def test_both_ends_killed_and_a_broker_wiped_leave_every_file_right(
    tmp_path: Path, nats_server: StartServer
) -> None:
    server = await nats_server(config=f"max_payload: {PAYLOAD_BYTES_MAX}", jetstream=None)
    chance = random.Random(7)
    files = {**some_files(400), **{f"大/{number}.tif": chance.randbytes(4_000_000) for number in range(3)}}
    for path, content in files.items():
        (tmp_path / "scans" / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "scans" / path).write_bytes(content)
    total = sum(map(len, files.values()))
    ends = Ends(server.url, tmp_path)

    async with ends.giving() as giver, ends.drawing() as drawer:
        first = await moved_beyond(drawer, total * 0.2)
        os.kill(drawer.pid, signal.SIGKILL)
        os.kill(giver.pid, signal.SIGKILL)
    async with ends.giving() as giver:
        async with ends.drawing() as drawer:
            second = await moved_beyond(drawer, total * 0.4)
            os.kill(drawer.pid, signal.SIGKILL)
        async with ends.drawing() as drawer:
            third = await moved_beyond(drawer, total * 0.6)
            # The site alone goes, and comes back; the hub waits for it.
            os.kill(giver.pid, signal.SIGKILL)
            async with ends.giving():
                await moved_beyond(drawer, total * 0.8)
                await server.kill()
                shutil.rmtree(server.store, ignore_errors=True)
                await server.start()
                *_, carried = (await drawer.heard("done", 45)).values

    assert there(tmp_path / "held") == files
    assert first <= second <= third <= total
    # A new hub begins where the last one was killed; what it counts is what came since the last note in its book.
    assert carried < total * 1.5
