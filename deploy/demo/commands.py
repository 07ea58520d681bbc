"""Our own programs, run as a person runs them at a terminal, for what happens in the demonstration's county."""

import asyncio
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from protocol.errors import DanglianError, LinkDown
from protocol.wording import Text

T = TypeVar("T")

COMMAND_S = 60.0
"""Seconds that a command may take."""

TRY_AGAIN_S = 1.0
"""Seconds between two tries of a command that waits for something."""

AT_ONCE = 2
"""Commands at once: each is a program to be loaded, beside a county at work."""

_TOLD_CHARS = 300


class Terminal:
    """Where commands are typed."""

    def __init__(self) -> None:
        self._free = asyncio.Semaphore(AT_ONCE)

    async def told(self, program: str, home: Path, *arguments: str) -> Any:  # noqa: ANN401 - what a command prints
        """Run a command and return what it prints as JSON.

        Raises:
            LinkDown: it failed, or took too long; its own words say why.

        """
        async with self._free:
            code, out, err = await _ended(program, (*arguments, "--json", "--home", str(home)))
        if code == 0:
            return msgspec.json.decode(out)
        named = f"danglian-{program} {' '.join(arguments)}"
        why = err.decode("utf-8", errors="replace").strip()[:_TOLD_CHARS]
        raise LinkDown(Text(zh=f"{named}：{why}", en=f"{named}: {why}"))


async def _ended(program: str, words: tuple[str, ...]) -> tuple[int, bytes, bytes]:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", program, *words),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        async with asyncio.timeout(COMMAND_S):
            out, err = await process.communicate()
    except TimeoutError:
        return -1, b"", b"too slow"
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    return process.returncode or 0, out, err


async def until(look: Callable[[], Awaitable[T | None]], patience_s: float) -> T:
    """Look again and again until there is something; what fails meanwhile may succeed later.

    Raises:
        DanglianError: the last look's, once patience is at its end.

    """
    loop = asyncio.get_running_loop()
    ends_at = loop.time() + patience_s
    while True:
        began_at = loop.time()
        fault: DanglianError = LinkDown(Text(zh="等得太久。", en="it took too long"))
        try:
            if (found := await look()) is not None:
                return found
        except DanglianError as error:
            fault = error
        if loop.time() >= ends_at:
            raise fault
        # On a machine that has much to do a look is a load itself: it rests as long as it took.
        await asyncio.sleep(max(TRY_AGAIN_S, loop.time() - began_at))
