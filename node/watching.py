"""Watching: turns whatever happens in the folders into files that have settled.

The operating system's reports are hints: they miss network drives, moved-in folders and folders that were deleted and
made again, and they stop without a word. The walk through the folders is the truth; hints only make it early. Every
part is steppable: ``step`` waits for the next thing to do, does it, and says what it found.
"""

import asyncio
import contextlib
import random
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, Final, TypeVar

import msgspec
import structlog

from node.config import FolderSettings
from node.folders import FolderLook, FolderState, can_be_read, identity, look_at, look_into
from node.hints import HintSource
from node.settling import Look, SettleBook, is_catalogue_name

ROOT_CHECK_S: Final = 5.0
"""Seconds between two looks at the folders themselves, because a watcher does not notice that one was replaced."""

HINT_SCAN_S: Final = 1.0
"""Seconds from a hint about a folder or a deleted file to the walk: saving a file deletes and makes it."""

NETWORK_SCAN_S: Final = 10.0
"""Seconds between two walks through a network drive, which sends no hints."""

HINTLESS_SCAN_S: Final = 30.0
"""Seconds between two walks while the operating system refuses to watch (its number of watches is used up)."""

SCAN_DEADLINE_S: Final = 120.0
"""Seconds after which a walk is given up: the drive does not answer."""

LOOK_DEADLINE_S: Final = 30.0
"""Seconds after which a look at single files is given up, so that the other folders are looked at."""

JITTER: Final = 0.1
"""Share by which the time between walks varies, so that 232 sites do not walk at once."""

T = TypeVar("T")

log = structlog.get_logger(__name__)


class WatchedFolder(msgspec.Struct, frozen=True, kw_only=True):
    """A folder to watch: how the settings name it, where it is, and how long its files settle."""

    settings: FolderSettings
    place: Path
    settle_s: float

    @property
    def name(self) -> str:
        """How the database names it."""
        return str(self.place)


class SettledFile(msgspec.Struct, frozen=True, kw_only=True):
    """A file that has settled, as it was when it did."""

    folder: WatchedFolder
    relative: str
    look: Look

    @property
    def path(self) -> Path:
        """Where it is."""
        return self.folder.place / self.relative


class News(msgspec.Struct, frozen=True, kw_only=True):
    """What one step found: files to read, and folders that were walked through."""

    settled: tuple[SettledFile, ...] = ()
    walked: tuple[tuple[WatchedFolder, FolderLook], ...] = ()


class FolderWatch:
    """Watches folders for one reader of catalogues.

    - ``known`` holds how each file was when it was last read; the reader keeps it. A file that looks otherwise is news.
    - ``tokens`` holds what each folder's marker says, by its name.
    - ``hints`` runs beside ``step`` and is not needed for correctness; it makes this a listener of `node.hints`.
    """

    def __init__(
        self,
        folders: Sequence[WatchedFolder],
        rescan_s: float,
        clock: Callable[[], float] = time.monotonic,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self.folders = folders
        self.known: dict[Path, Look] = {}
        self.tokens: dict[str, str] = {}
        self._rescan_s = rescan_s
        self._clock = clock
        self._chance = chance
        self._book = SettleBook()
        self._hinted: set[Path] = set()
        self._woken = asyncio.Event()
        self._source: HintSource | None = None
        self._is_hintless = False
        self._is_foreign: dict[str, bool] = {}
        self._scan_at_s = dict.fromkeys(self._names(), self._clock())
        self._walking: dict[str, asyncio.Future[FolderLook]] = {}
        self._looking: dict[str, asyncio.Future[Any]] = {}
        self._roots = {folder.name: identity(folder.place) for folder in folders}
        self._root_check_at_s = self._clock() + ROOT_CHECK_S

    def _names(self) -> Iterable[str]:
        return (folder.name for folder in self.folders)

    @property
    def is_quiet(self) -> bool:
        """True if no file is settling."""
        return len(self._book) == 0

    def wake(self) -> None:
        """End the wait of ``step`` now."""
        self._woken.set()

    def retry(self, file: SettledFile) -> None:
        """Look at a file again soon: it changed while it was read, or could not be stored now."""
        self.known.pop(file.path, None)
        self._book.postpone(file.path, self._clock())

    def scan_soon(self, pause_s: float = 0.0) -> None:
        """Walk through all folders in the next step, or after a pause."""
        at_s = self._clock() + pause_s
        for name, due_s in self._scan_at_s.items():
            self._scan_at_s[name] = min(due_s, at_s)
        self.wake()

    async def step(self, wait_s_max: float = 60.0) -> News:
        """Wait until something is due, at most so long, and do it."""
        await self._pause(wait_s_max)
        self._take_hints()
        self._check_roots()
        walked = [(folder, await self._walk(folder)) for folder in self.folders if self._is_scan_due(folder)]
        return News(settled=tuple(await self._looked()), walked=tuple(walked))

    async def _pause(self, wait_s_max: float) -> None:
        due = [*self._scan_at_s.values(), self._root_check_at_s]
        next_look_s = self._book.next_due_s()
        if next_look_s is not None:
            due.append(next_look_s)
        wait_s = min(wait_s_max, min(due) - self._clock())
        if wait_s > 0:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._woken.wait(), wait_s)
        self._woken.clear()

    def _take_hints(self) -> None:
        hinted, self._hinted = self._hinted, set()
        for path in hinted:
            if is_catalogue_name(path.name) and path.is_file():
                if not _is_hidden(path, self.folders):
                    self._book.notice(path, self._clock())
            elif is_catalogue_name(path.name) or path.is_dir() or not (path.suffix or path.exists()):
                # A catalogue that is gone, a folder, or something gone that may have been a folder.
                self._scan_around(path)

    def _scan_around(self, path: Path) -> None:
        for folder in self.folders:
            if path.is_relative_to(folder.place):
                soon_s = self._clock() + HINT_SCAN_S
                self._scan_at_s[folder.name] = min(self._scan_at_s[folder.name], soon_s)

    def _check_roots(self) -> None:
        if self._clock() < self._root_check_at_s:
            return
        self._root_check_at_s = self._clock() + ROOT_CHECK_S
        for folder in self.folders:
            seen = identity(folder.place) if not folder.settings.network_drive else None
            if seen != self._roots[folder.name] and not folder.settings.network_drive:
                log.info("folder_replaced", folder=folder.name, is_there=seen is not None)
                self._roots[folder.name] = seen
                self._scan_at_s[folder.name] = self._clock()
                if self._source is not None:
                    self._source.renew()

    def _is_scan_due(self, folder: WatchedFolder) -> bool:
        return self._scan_at_s[folder.name] <= self._clock()

    async def _walk(self, folder: WatchedFolder) -> FolderLook:
        period_s = self._rescan_s
        if folder.settings.network_drive:
            period_s = NETWORK_SCAN_S
        elif self._is_hintless:
            period_s = HINTLESS_SCAN_S
        self._scan_at_s[folder.name] = self._clock() + period_s * (1 + JITTER * (2 * self._chance() - 1))
        look = await self._walked(folder)
        self._is_foreign[folder.name] = look.state is FolderState.FOREIGN
        if look.state is not FolderState.FOREIGN:
            for relative, seen in look.files.items():
                path = folder.place / relative
                if self.known.get(path) != seen:
                    self._book.notice(path, self._clock())
        return look

    async def _walked(self, folder: WatchedFolder) -> FolderLook:
        running = self._walking.get(folder.name)
        if running is None:
            token = self.tokens.get(folder.name, "")
            running = asyncio.ensure_future(asyncio.to_thread(look_into, folder.place, token))
            self._walking[folder.name] = running
        done, _ = await asyncio.wait([running], timeout=SCAN_DEADLINE_S)
        if not done:
            # A thread that hangs on a dead drive cannot be ended; the next walk waits for the same one.
            log.warning("folder_does_not_answer", folder=folder.name, waited_s=SCAN_DEADLINE_S)
            return FolderLook(state=FolderState.ABSENT)
        del self._walking[folder.name]
        return running.result()

    async def _looked(self) -> list[SettledFile]:
        due: dict[str, list[Path]] = {}
        for path in self._book.due(self._clock()):
            due.setdefault(_folder_of(path, self.folders).name, []).append(path)
        found = [await self._looked_in(folder, due[folder.name]) for folder in self.folders if folder.name in due]
        return [file for some in found for file in some]

    async def _looked_in(self, folder: WatchedFolder, paths: Sequence[Path]) -> list[SettledFile]:
        looks = await self._answered(folder, lambda: [look_at(path) for path in paths])
        if looks is None:
            self._postpone(paths)
            return []
        seen = zip(paths, looks, strict=True)
        ripe = {path: look for path, look in seen if self._is_ripe(folder, path, look) and look is not None}
        can = await self._answered(folder, lambda: [can_be_read(path) for path in ripe]) if ripe else []
        readable = {path for path, is_so in zip(ripe, can or [False] * len(ripe), strict=True) if is_so}
        self._postpone([path for path in ripe if path not in readable])
        return [
            SettledFile(folder=folder, relative=path.relative_to(folder.place).as_posix(), look=ripe[path])
            for path in ripe
            if path in readable
        ]

    def _is_ripe(self, folder: WatchedFolder, path: Path, look: Look | None) -> bool:
        if look is None or self._is_foreign.get(folder.name) or look == self.known.get(path):
            # Gone; or noticed, but not ours, or as it was read: looked at, and let go.
            self._book.look(path, None, self._clock(), folder.settle_s)
            return False
        return self._book.look(path, look, self._clock(), folder.settle_s)

    def _postpone(self, paths: Iterable[Path]) -> None:
        for path in paths:
            self._book.postpone(path, self._clock())

    async def _answered(self, folder: WatchedFolder, look: Callable[[], list[T]]) -> list[T] | None:
        """Return what a thread sees in a folder; None while its drive does not answer."""
        hanging = self._looking.get(folder.name)
        if hanging is not None and not hanging.done():
            # A thread that hangs on a dead drive cannot be ended, and a second one would hang beside it.
            return None
        running = asyncio.ensure_future(asyncio.to_thread(look))
        self._looking[folder.name] = running
        done, _ = await asyncio.wait([running], timeout=LOOK_DEADLINE_S)
        if not done:
            log.warning("folder_does_not_answer", folder=folder.name, waited_s=LOOK_DEADLINE_S)
            return None
        return running.result()

    async def hints(self, source: HintSource | None = None) -> None:
        """Take hints until cancelled: from a source that serves other nodes too, or from one of its own."""
        self._source = source or HintSource()
        with self._source.joined(self):
            if source is None:
                await self._source.run()
            else:
                await asyncio.Event().wait()

    def watchable(self) -> Sequence[Path]:
        """The folders whose changes the operating system can report."""
        return [folder.place for folder in self.folders if not folder.settings.network_drive and identity(folder.place)]

    def hear(self, paths: Iterable[Path]) -> None:
        """Take a hint about paths, of which some may be in other nodes' folders."""
        mine = [path for path in paths if any(path.is_relative_to(folder.place) for folder in self.folders)]
        if mine:
            self._hinted.update(mine)
            self.wake()

    def hear_start(self, *, is_refused: bool) -> None:
        """Walk through the folders, because nothing was reported before now."""
        self._is_hintless = is_refused
        self.scan_soon(HINT_SCAN_S)


def _is_hidden(path: Path, folders: Sequence[WatchedFolder]) -> bool:
    inside = path.relative_to(_folder_of(path, folders).place).parts[:-1]
    return any(part.startswith((".", "$")) for part in inside)


def _folder_of(path: Path, folders: Sequence[WatchedFolder]) -> WatchedFolder:
    """Return the innermost watched folder that holds a path; raises LookupError for a path outside of all."""
    holding = [folder for folder in folders if path.is_relative_to(folder.place)]
    if not holding:
        raise LookupError(path)
    return max(holding, key=lambda folder: len(folder.place.parts))
