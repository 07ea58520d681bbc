"""Writing behind: one transaction is stored while the next one is being prepared.

SQLite works without Python's lock, so an import that stores one chunk while it reads and describes the next takes as
long as the longer of the two, and not as both. There is never more than one write under way: chunks are stored in
their order, and a kill leaves a beginning of the file as before.
"""

import asyncio
from collections.abc import Coroutine
from types import TracebackType
from typing import Any, Self


class WriteBehind:
    """At most one write under way; leaving the block waits for it, and raises what it raised."""

    def __init__(self) -> None:
        self._writing: asyncio.Task[None] | None = None

    async def begin(self, write: Coroutine[Any, Any, None]) -> None:
        """Begin a write once the one before is on disk.

        Raises what the write before raised; then this one never begins.
        """
        try:
            await self.settled()
        except BaseException:
            write.close()
            raise
        self._writing = asyncio.create_task(write, name="write behind")

    async def settled(self) -> None:
        """Return when what was begun is on disk, or raise what it raised."""
        writing, self._writing = self._writing, None
        if writing is not None:
            await writing

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._writing is not None and isinstance(error, asyncio.CancelledError):
            # Whoever stops the program wants it to stop, whatever became of the write.
            await asyncio.gather(self._writing, return_exceptions=True)
            return
        # A full disk weighs more than what stopped the reading: the file is to be taken again then.
        await self.settled()
