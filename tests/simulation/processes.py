"""A process that can be killed at any of its awaits, as by ``kill -9`` or a power cut.

Whatever a process does to the outside world (its disk, its link) passes ``point`` before and after. A dead process does
nothing any more: its tasks are cancelled, and should one of them try to clean up, the outside world refuses.
"""

import asyncio
import types
from collections.abc import Callable, Coroutine, Generator
from typing import Any


@types.coroutine
def _let_others() -> Generator[None, None, None]:
    """Wait until everybody else who is ready has had a turn: ``asyncio.sleep(0)`` without its detour."""
    yield


class Process:
    """Some tasks that live and die together."""

    def __init__(self, loop: asyncio.AbstractEventLoop, name: str, on_death: Callable[[str], None]) -> None:
        self.name = name
        self.is_alive = True
        self.points_left: int | None = None
        """The process dies when it has passed this many points more; None: it does not."""
        self.on_point: Callable[[], None] = lambda: None
        """Hears of it when it dies so."""
        self._loop = loop
        self._on_death = on_death
        self._tasks: list[asyncio.Task[None]] = []

    def start(self, work: Coroutine[Any, Any, None], name: str) -> None:
        """Run a task of this process; should it end by an error, the process is dead."""
        task = self._loop.create_task(work, name=f"{self.name} {name}")
        self._tasks.append(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        if task.cancelled():
            return
        error = task.exception()
        if error is not None and self.is_alive:
            self.kill(f"{task.get_name()} ended by {error!r}")

    def kill(self, why: str) -> None:
        """End the process where it stands."""
        if self.is_alive:
            self.is_alive = False
            for task in self._tasks:
                task.cancel()
            self._on_death(why)

    async def point(self, delay_s: float = 0.0) -> None:
        """Wait, and die before or after if the time has come."""
        self.pass_point()
        await (asyncio.sleep(delay_s) if delay_s else _let_others())
        self.pass_point()

    def pass_point(self) -> None:
        """Die if the time has come.

        Raises:
            CancelledError: the process is dead.

        """
        if self.is_alive and self.points_left is not None:
            self.points_left -= 1
            if self.points_left <= 0:
                self.on_point()
                self.kill("")
        if not self.is_alive:
            raise asyncio.CancelledError
