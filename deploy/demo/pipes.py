"""Lines from standard input, on every system, and the life of a child process that must not outlive its parent."""

import asyncio
import contextlib
import os
import threading
from collections.abc import AsyncIterator, Coroutine
from typing import Any

_STANDARD_INPUT = 0
_CHUNK_BYTES = 64 * 1024


async def input_lines() -> AsyncIterator[bytes]:
    """Yield the lines of standard input until it ends.

    A thread reads the bare file: an event loop cannot wait for a console or a pipe on every system, and a thread inside
    Python's own buffered reader would keep the interpreter from ending.
    """
    loop = asyncio.get_running_loop()
    chunks: asyncio.Queue[bytes] = asyncio.Queue()

    def read() -> None:
        chunk = b" "
        # The loop is closed when the program has ended meanwhile: nobody wants to know any more.
        with contextlib.suppress(RuntimeError):
            while chunk:
                try:
                    chunk = os.read(_STANDARD_INPUT, _CHUNK_BYTES)
                except OSError:
                    # No standard input at all.
                    chunk = b""
                loop.call_soon_threadsafe(chunks.put_nowait, chunk)

    threading.Thread(target=read, name="standard input", daemon=True).start()
    pending = b""
    while chunk := await chunks.get():
        *whole, pending = (pending + chunk).split(b"\n")
        for one in whole:
            yield one
    if pending:
        yield pending


async def until_input_ends(program: Coroutine[Any, Any, None]) -> None:
    """Run a program until standard input ends: a parent that stops or dies closes it, so no child is left behind."""
    running = asyncio.ensure_future(program)
    watching = asyncio.ensure_future(_drained())
    try:
        await asyncio.wait((running, watching), return_when=asyncio.FIRST_COMPLETED)
    finally:
        watching.cancel()
        if not running.done():
            running.cancel()
            await asyncio.wait((running,))
    if not running.cancelled():
        running.result()


async def _drained() -> None:
    async for _ in input_lines():
        pass
