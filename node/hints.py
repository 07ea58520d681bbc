"""Hints: the operating system's reports that something happened in a folder, for all nodes of a process.

Linux gives a user some hundred watchers, and a process may run many nodes, so one watcher serves them all. Hints are
never complete: whenever the watcher starts, or starts anew because a folder came or was replaced, every listener walks
through its folders once, and while the system refuses to watch, it does so often.
"""

import asyncio
import contextlib
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Final, Protocol

import anyio.to_thread
import structlog
from watchfiles import awatch

HINT_STEP_MS: Final = 500
"""Milliseconds between two looks of the watcher at its queue: its default wakes the machine 20 times a second."""

HINT_TIMEOUT_MS: Final = 60_000
"""Milliseconds after which the watcher's thread comes back without news."""

REWATCH_S: Final = 0.3
"""Seconds in which several new folders are gathered before the watcher starts anew."""

REFUSED_RETRY_S: Final = 60.0
"""Seconds after which a refused watcher is tried again."""

log = structlog.get_logger(__name__)


class Listener(Protocol):
    """Who wants hints."""

    def watchable(self) -> Sequence[Path]:
        """The folders to watch, as they are there now."""

    def hear(self, paths: Iterable[Path]) -> None:
        """Something happened to these paths."""

    def hear_start(self, *, is_refused: bool) -> None:
        """The watcher has started, so that what happened before is not reported; or the system refuses to watch."""


class HintSource:
    """One watcher for any number of listeners; ``run`` is its loop, to be started once."""

    def __init__(self) -> None:
        self._listeners: list[Listener] = []
        self._renewed = asyncio.Event()

    @contextlib.contextmanager
    def joined(self, listener: Listener) -> Iterator[None]:
        """Give a listener its hints while this is open."""
        self._listeners.append(listener)
        self._renewed.set()
        try:
            yield
        finally:
            self._listeners.remove(listener)
            self._renewed.set()

    def renew(self) -> None:
        """Watch anew: a folder has come, gone or been replaced."""
        self._renewed.set()

    async def run(self) -> None:
        """Collect reports until cancelled."""
        limiter = anyio.to_thread.current_default_thread_limiter()
        # The watcher keeps one thread of this pool for good; whoever else uses the pool must not miss it.
        limiter.total_tokens += 1
        try:
            while True:
                if self._renewed.is_set():
                    await asyncio.sleep(REWATCH_S)
                    self._renewed.clear()
                roots = [root for listener in self._listeners for root in listener.watchable()]
                if roots:
                    await self._watch(roots)
                else:
                    await self._renewed.wait()
        finally:
            limiter.total_tokens -= 1

    async def _watch(self, roots: Sequence[Path]) -> None:
        reports = awatch(
            *roots,
            watch_filter=None,
            debounce=2 * HINT_STEP_MS,
            step=HINT_STEP_MS,
            rust_timeout=HINT_TIMEOUT_MS,
            stop_event=self._renewed,
            ignore_permission_denied=True,
        )
        self._tell_start(is_refused=False)
        try:
            async with contextlib.aclosing(reports):
                async for batch in reports:
                    self._tell([Path(path) for _change, path in batch])
        except (OSError, RuntimeError) as error:
            # Too many watchers on this machine, or a folder went away just now.
            log.warning("watcher_refused", error=str(error), retry_s=REFUSED_RETRY_S)
            self._tell_start(is_refused=True)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._renewed.wait(), REFUSED_RETRY_S)

    def _tell(self, paths: Sequence[Path]) -> None:
        for listener in self._listeners:
            listener.hear(paths)

    def _tell_start(self, *, is_refused: bool) -> None:
        for listener in self._listeners:
            listener.hear_start(is_refused=is_refused)
