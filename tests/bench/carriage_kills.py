"""One large carriage whose ends are killed again and again: ``python -m tests.bench --kill --large-gb 10 --seed 1``.

The broker is not killed: it counts every byte that comes in, so what crosses the line twice is counted by somebody who
knows nothing of resuming. The files are sparse, a random page in every megabyte: the giver's side needs no disk.
"""

import asyncio
import os
import random
import shutil
import signal
import time
import urllib.request
from collections.abc import Sequence
from contextlib import AsyncExitStack
from pathlib import Path

import msgspec

from hub.broker import broker_environment
from hub.membership.broker_config import PAYLOAD_BYTES_MAX
from tests.bench.figures import Figure
from tests.bench.programs import Program, peak_rss_mb, running, worker
from tests.identities import County
from tests.servers import NatsServer, free_port

KILLS = 8
"""Kills of one run, at random places: of the hub, of the node, or of both at once."""

FILE_BYTES = 200 * 1024 * 1024 + 4_711
"""Bytes of one file: no multiple of anything that travels."""

PAGE_BYTES = 4_096
"""Random bytes at the head of every megabyte."""

VICTIMS = (("hub",), ("node",), ("hub", "node"))

ROOM = 1.3
"""Free bytes that a run wants, for each byte that is carried."""


class Broken(msgspec.Struct, frozen=True, kw_only=True):
    """What the kills cost."""

    took_s: float
    kills: int
    carried_bytes: int
    """Bytes that came into the broker from both ends, seals and questions included."""
    hub_mb: float
    node_mb: float


async def measure_kills(folder: Path, large_gb: float, chance: random.Random) -> Sequence[Figure]:
    """Carry so much, with kills at random, verify every file, and say what was sent again; leaves nothing on the disk.

    Raises:
        OSError: the disk has no room.
        RuntimeError: a file that arrived is not the file that was sent.

    """
    folder.mkdir(parents=True, exist_ok=True)
    total = int(large_gb * 1e9)
    if shutil.disk_usage(folder).free < total * ROOM:
        raise OSError(f"{total * ROOM / 1e9:.0f} GB must be free in {folder}")
    source = folder / "large"
    try:
        total = _write_sparse(source, total, chance)
        broken = await _broken(folder, source, total, chance)
        wrong = await asyncio.to_thread(_differing, source, folder / "into")
    finally:
        shutil.rmtree(folder / "into", ignore_errors=True)
        shutil.rmtree(source, ignore_errors=True)
    if wrong:
        raise RuntimeError(f"not as they were sent: {wrong}")
    return _figures(total, broken)


def _figures(total: int, broken: Broken) -> list[Figure]:
    what = f"{total / 1e9:.1f} GB, {broken.kills} kills of either end or both: "

    def figure(of: str, unit: str, ours: float, target: str = "") -> Figure:
        return Figure(bench="carriage", what=what + of, unit=unit, ours=ours, target=target)

    return [
        figure("bytes that came into the broker beyond those of the files", "%", share_again(total, broken), "≤ 1"),
        figure("whole, restarts included", "MB/s", total / 1e6 / broken.took_s),
        figure("hub, peak resident", "MB", broken.hub_mb, "≤ 100"),
        figure("node, peak resident", "MB", broken.node_mb, "≤ 100"),
    ]


def share_again(total: int, broken: Broken) -> float:
    """Return how many per cent more than the files crossed the line; seals and questions count against us."""
    return (broken.carried_bytes - total) / total * 100


class _Ends:
    """The two programs, which of them run, and the most memory that either has had."""

    def __init__(self, folder: Path, source: Path, url: str, authority: Path, stack: AsyncExitStack) -> None:
        self._commands = {
            "node": worker("carriage_ends", "give", url, authority, folder, source),
            "hub": worker("carriage_ends", "draw", url, authority, folder, folder / "into"),
        }
        self._folder = folder
        self._stack = stack
        self._running: dict[str, Program] = {}
        self.peak_mb = {"hub": 0.0, "node": 0.0}

    @property
    def hub(self) -> Program:
        return self._running["hub"]

    async def start(self, name: str) -> None:
        program = running(*self._commands[name], log=self._folder / f"{name}.log")
        self._running[name] = await self._stack.enter_async_context(program)
        if name == "node":
            await self._running[name].heard("ready")

    def look(self) -> None:
        """Take note of the memory of both, which is forgotten with the process."""
        for name, program in self._running.items():
            self.peak_mb[name] = max(self.peak_mb[name], peak_rss_mb(program.pid))

    async def kill(self, names: Sequence[str]) -> None:
        """Kill some, as a power cut does, and start them again."""
        self.look()
        for name in names:
            os.kill(self._running[name].pid, signal.SIGKILL)
        for name in names:
            await self._running[name].stop()
            await self.start(name)


async def _broken(folder: Path, source: Path, total: int, chance: random.Random) -> Broken:
    county, page = County(folder / "tls"), free_port()
    config = f"max_payload: {PAYLOAD_BYTES_MAX}\nhttp: 127.0.0.1:{page}\n{county.config}"
    server = NatsServer(folder / "nats", jetstream=None, config=config, environment=broker_environment())
    await server.start()
    places = sorted(chance.uniform(0.02, 0.98) * total for _ in range(KILLS))
    try:
        async with AsyncExitStack() as stack:
            url = f"tls://127.0.0.1:{server.port}"
            ends = _Ends(folder, source, url, county.ca_file, stack)
            await ends.start("node")
            began = time.monotonic()
            await ends.start("hub")
            for place in places:
                moved = 0.0
                while moved < place:
                    moved, _ = (await ends.hub.heard("moved")).values
                await ends.kill(chance.choice(VICTIMS))
            _, hub_mb, *_ = (await ends.hub.heard("done", within_s=total / 1e6)).values
            took_s = time.monotonic() - began
            ends.look()
            carried = await asyncio.to_thread(_bytes_in, page)
    finally:
        await server.kill()
    return Broken(
        took_s=took_s,
        kills=len(places),
        carried_bytes=carried,
        hub_mb=max(hub_mb, ends.peak_mb["hub"]),
        node_mb=ends.peak_mb["node"],
    )


class _Counted(msgspec.Struct):
    in_bytes: int


def _bytes_in(page: int) -> int:
    with urllib.request.urlopen(f"http://127.0.0.1:{page}/varz", timeout=10) as answer:
        return msgspec.json.decode(answer.read(), type=_Counted).in_bytes


def _write_sparse(folder: Path, total: int, chance: random.Random) -> int:
    """Write files of so many bytes in all; return how many they have."""
    folder.mkdir(parents=True)
    written = number = 0
    while written < total:
        size = min(FILE_BYTES, total - written)
        with (folder / f"{number:03}.tif").open("wb") as file:
            for place in range(0, size, 2**20):
                file.seek(place)
                file.write(chance.randbytes(min(PAGE_BYTES, size - place)))
            file.truncate(size)
        written, number = written + size, number + 1
    return written


def _differing(source: Path, into: Path) -> list[str]:
    """Return the files that did not arrive as they are."""
    return [path.name for path in sorted(source.iterdir()) if not _is_same(path, into / path.name)]


def _is_same(one: Path, other: Path) -> bool:
    if not other.is_file() or one.stat().st_size != other.stat().st_size:
        return False
    with one.open("rb") as left, other.open("rb") as right:
        while piece := left.read(2**20):
            if piece != right.read(2**20):
                return False
    return True
