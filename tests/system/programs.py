"""The two programs as their users run them: processes of their own, commands with JSON answers."""

import asyncio
import json
import os
import signal
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import IO, Any

from tests.system.launching import Launched, launch

PATIENCE_S = 60.0
"""Seconds that a test waits for something that takes a second on a quiet machine."""


class Program:
    """One daemon process with its home and its commands.

    ``within`` are words before the command line (``ip netns exec NAME``), ``patience_s`` what a command may take. It is
    started by our ``launcher``, which has its imports behind it.
    """

    def __init__(self, module: str, home: Path, *, within: Sequence[str] = (), patience_s: float = PATIENCE_S) -> None:
        self.module = module
        self.home = home
        self.within = tuple(within)
        self.patience_s = patience_s
        self.process: Launched | None = None
        self.log = home.with_suffix(".log")

    async def start(self) -> None:
        """Start the daemon."""
        with self.log.open("ab") as log:
            self.process = await self._launched(("run",), environment(), log)

    async def stop(self) -> int:
        """Stop the daemon in order and return its exit code."""
        return await self._end(signal.SIGTERM)

    async def kill(self) -> int:
        """Cut its power."""
        return await self._end(signal.SIGKILL)

    async def _end(self, how: signal.Signals) -> int:
        if self.process is None:
            return 0
        process, self.process = self.process, None
        if process.returncode is None:
            process.send_signal(how)
        async with asyncio.timeout(self.patience_s):
            return await process.wait()

    async def run(self, *arguments: str, expect: int | None = 0) -> str:
        """Run a command of the program and return what it printed."""
        code, out, err = await self.result(*arguments)
        assert expect is None or code == expect, f"{arguments}: exit {code}\n{out}\n{err}\n{self.tail()}"
        return out

    async def result(self, *arguments: str) -> tuple[int, str, str]:
        """Run a command and return exit code, output and errors; a hub has a console only if the test asks for it."""
        if (self.module, arguments[0]) == ("hub", "init") and "--web-port" not in arguments:
            arguments = (*arguments, "--web-port", "0")
        process = await self._launched(arguments, environment() | {"DANGLIAN_LANG": "en"})
        async with asyncio.timeout(self.patience_s):
            out, err = await process.communicate()
        return process.returncode or 0, out.decode(), err.decode()

    async def interrupted(self, after_s: float, *arguments: str) -> int:
        """Run a command, end it with SIGTERM after a while, and return its exit code; it may have been done before."""
        # What it writes is not read: it is in the log, should somebody look.
        with self.log.open("ab") as log:
            process = await self._launched(arguments, environment(), log)
        await asyncio.sleep(after_s)
        if process.returncode is None:
            process.terminate()
        async with asyncio.timeout(self.patience_s):
            return await process.wait()

    async def _launched(
        self, arguments: Sequence[str], environment: Mapping[str, str], log: IO[bytes] | None = None
    ) -> Launched:
        words = (*arguments, "--home", str(self.home))
        return await launch(self.module, words, environment, log=log, within=self.within)

    async def json(self, *arguments: str, expect: int | None = 0) -> Any:  # noqa: ANN401 - a command's answer
        """Run a command with --json and return its answer."""
        return json.loads(await self.run(*arguments, "--json", expect=expect))

    def tail(self) -> str:
        """Return the end of the daemon's log."""
        return self.log.read_text(encoding="utf-8")[-3000:] if self.log.exists() else ""


def environment() -> dict[str, str]:
    """Return our environment for a program that is run as it is installed.

    An installed program has its bytecode; a developer's shell may forbid writing it, which triples every start.
    """
    return {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}


async def until(what: str, look: Callable[[], Any], patience_s: float = PATIENCE_S) -> Any:  # noqa: ANN401 - what was seen
    """Look until something true is seen and return it; fail with its description otherwise."""
    seen: Any = None
    try:
        async with asyncio.timeout(patience_s):
            while True:
                seen = look()
                if asyncio.iscoroutine(seen):
                    seen = await seen
                if seen:
                    return seen
                await asyncio.sleep(0.2)
    except TimeoutError:
        message = f"waited {patience_s} s for: {what}; last seen: {seen!r}"
        raise AssertionError(message) from None
