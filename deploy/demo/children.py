"""The processes that the demonstration starts: a log each, a clean end, and never anybody else's process.

A child runs in a session of its own, so that Ctrl-C at the terminal reaches the demonstration alone, which then ends
its children in order. Closing a child's standard input asks it to stop; one that does not is terminated, then killed.
One that has not said anything yet is still being loaded and hears no end of its input: it is terminated at once.
"""

import asyncio
import contextlib
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from deploy.demo.orders import Fact, Order, facts, line

STOP_S = 8.0
"""Seconds that a child may take to stop by itself."""

KILL_S = 20.0
"""Seconds that a terminated child may take before it is killed: a hub that is killed leaves its broker behind."""

_LINE_BYTES_MAX = 4 * 1024 * 1024


class Child:
    """One running child; made by `started`."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self._has_spoken = False

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    @property
    def is_running(self) -> bool:
        """Whether it has not ended yet."""
        return self._process.returncode is None

    async def send(self, order: Order) -> None:
        """Give a worker an order; one that has ended hears nothing."""
        if self._process.stdin is None or not self.is_running:
            return
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            self._process.stdin.write(line(order))
            await self._process.stdin.drain()

    async def ended(self) -> int:
        """Wait until it has ended; return its exit code."""
        return await self._process.wait()

    async def hear(self, on_fact: Callable[[Fact], None]) -> None:
        """Hand every fact that it tells to `on_fact`, until it has no more to say."""
        if self._process.stdout is None:
            return
        while (text := await self._process.stdout.readline()).endswith(b"\n"):
            # What a killed child did not say to its end is nothing.
            self._has_spoken = True
            on_fact(facts.decode(text))

    async def says(self, word: str, deadline_s: float) -> bool:
        """Wait for its next line; tell whether it is this word, and came in time."""
        if self._process.stdout is None:
            return False
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(deadline_s):
                said = await self._process.stdout.readline()
                self._has_spoken = bool(said)
                return said.decode("utf-8").strip() == word
        return False

    async def kill(self) -> None:
        """End it as a power cut does: it can say nothing any more."""
        with contextlib.suppress(ProcessLookupError):
            self._process.kill()
        await self._process.wait()

    async def stop(self) -> None:
        """End it; stopping twice is harmless."""
        process = self._process
        if process.stdin is not None:
            process.stdin.close()
        steps = [(STOP_S, process.terminate), (KILL_S, process.kill)]
        if not self._has_spoken and sys.platform != "win32":
            # A second signal would end it where it stands, and its own children would stay.
            steps = [(0.0, process.terminate), (STOP_S + KILL_S, process.kill)]
        for deadline_s, harder in steps:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(deadline_s):
                    await process.wait()
            if process.returncode is not None:
                return
            with contextlib.suppress(ProcessLookupError):
                harder()
        await process.wait()


async def start(module: str, arguments: tuple[str, ...], log_file: Path) -> Child:
    """Start a module of ours with this interpreter; what it logs goes to `log_file`."""
    log_file.parent.mkdir(parents=True, exist_ok=True)
    with log_file.open("ab") as log:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            module,
            *arguments,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=log,
            start_new_session=True,
            limit=_LINE_BYTES_MAX,
        )
    return Child(process)


@asynccontextmanager
async def workers(count: int, logs: Path, on_fact: Callable[[Fact], None]) -> AsyncIterator[tuple[Child, ...]]:
    """Keep worker processes for as long as the block lasts; their facts go to `on_fact`."""
    crew: list[Child] = []
    hearing: list[asyncio.Task[None]] = []
    try:
        for number in range(count):
            child = await start("deploy.demo.worker", (), logs / f"nodes-{number + 1}.log")
            crew.append(child)
            hearing.append(asyncio.create_task(child.hear(on_fact), name=f"facts of worker {number + 1}"))
        yield tuple(crew)
    finally:
        await asyncio.gather(*(child.stop() for child in crew))
        await asyncio.gather(*hearing)
