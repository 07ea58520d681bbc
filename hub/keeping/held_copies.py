"""Going over one copy of the holdings: what is missing there is written, and what lies there is read back.

A disk that was plugged in is read whole. A copy that is always there is gone over every night: new files are written,
and of the others those are read whose last reading is getting old, each at an age of its own, so that no night reads
everything.
"""

import asyncio
import random
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

import structlog
from sqlalchemy import Connection

from hub.backup.backup_settings import TargetKind
from hub.backup.backup_targets import check_presence
from hub.keeping import held_files
from hub.keeping.fixity import copied, state_of
from hub.keeping.held_files import HeldFile, HeldState, HoldingRun
from hub.keeping.keeping_settings import HoldingCopy
from protocol.errors import DanglianError
from replication.database import Database

PAGE_FILES = 50
"""Files between two notes in the book, and two words about how far it is."""

NIGHTLY_MS = 20 * 3_600_000
"""Milliseconds after which a copy that is always there is gone over again."""

LOOK_EVERY_S = 1_800.0
"""Seconds between two looks whether one is due, or is there again."""

DAY_MS = 86_400_000

Advance = Callable[[int, int], None]
"""Hears files that are done, and all files."""

log = structlog.get_logger(__name__)


async def go_over(
    database: Database,
    root: Path,
    target: HoldingCopy,
    county: str,
    clock_ms: Callable[[], int],
    advance: Advance = lambda _done, _total: None,
    *,
    trusted_days: float = 0.0,
) -> HoldingRun:
    """Bring one copy up to date, read it back, and note what was found.

    Args:
        database: with the book of held files.
        root: the folder of the holdings.
        target: the copy.
        county: whose target it must be.
        clock_ms: the hub's clock.
        advance: hears how far it has come.
        trusted_days: files that were found sound there within about so many days are not read again.

    Raises:
        Refused: the target is not plugged in, or is another's.
        Retryable: it cannot be written, or is full; the next going over goes on.

    """
    await asyncio.to_thread(check_presence, target.as_target, county)
    tour = _Tour(root, target, trusted_days, clock_ms())
    total = (await database.read(held_files.tally)).files
    await _go(database, tour, target, clock_ms, lambda: advance(tour.files, total))
    run = tour.run(clock_ms())
    await database.write(lambda connection: held_files.note_run(connection, run))
    return run


async def _go(
    database: Database,
    tour: "_Tour",
    target: HoldingCopy,
    clock_ms: Callable[[], int],
    advance: Callable[[], None],
) -> None:
    after = ("", "", "")
    while True:
        page, known = await database.read(
            lambda connection, behind=after: _page(connection, target.name, behind)  # type: ignore[misc]
        )
        if not page:
            return
        seen = await asyncio.to_thread(tour.seen, page, known)
        now_ms = clock_ms()
        await database.write(
            lambda connection, them=seen, at=now_ms: _note(connection, target.name, them, at)  # type: ignore[misc]
        )
        advance()
        after = (page[-1].site, page[-1].bundle, page[-1].path)


class _Tour:
    """One going over, and what was counted on it."""

    def __init__(self, root: Path, target: HoldingCopy, trusted_days: float, began_at_ms: int) -> None:
        self._root = root
        self._target = target
        self._trusted_days = trusted_days
        self._began_at_ms = began_at_ms
        self.files = self._copied = self._verified = self._faulty = 0

    def seen(
        self, page: Sequence[HeldFile], known: dict[tuple[str, str, str], int]
    ) -> list[tuple[HeldFile, HeldState]]:
        """Bring some files up to date and read them back; return how each was found that was read."""
        seen: list[tuple[HeldFile, HeldState]] = []
        for held in page:
            self.files += 1
            sound_at_ms = known.get((held.site, held.bundle, held.path), 0)
            if _is_fresh(held, sound_at_ms, self._trusted_days, self._began_at_ms):
                continue
            state, was_copied = _brought_up(held, self._root, Path(self._target.path))
            seen.append((held, state))
            self._copied += was_copied
            self._verified += state is HeldState.SOUND
            self._faulty += state is not HeldState.SOUND
        return seen

    def run(self, now_ms: int) -> HoldingRun:
        """Return what the book remembers of it."""
        return HoldingRun(
            target=self._target.name,
            began_at_ms=self._began_at_ms,
            ended_at_ms=now_ms,
            files=self.files,
            copied=self._copied,
            verified=self._verified,
            faulty=self._faulty,
        )


def _page(
    connection: Connection, target: str, after: tuple[str, str, str]
) -> tuple[list[HeldFile], dict[tuple[str, str, str], int]]:
    page = held_files.page_after(connection, after, PAGE_FILES)
    return page, held_files.sound_copies(connection, target, page) if page else {}


def _is_fresh(held: HeldFile, sound_at_ms: int, trusted_days: float, now_ms: int) -> bool:
    # An age between half of it and all of it, always the same for the same file.
    share = 0.5 + 0.5 * random.Random(held.sha256).random()  # noqa: S311 - spreads work, guards nothing
    return 0 <= now_ms - sound_at_ms < trusted_days * DAY_MS * share


def _brought_up(held: HeldFile, root: Path, target: Path) -> tuple[HeldState, bool]:
    state = state_of(held, target)
    if state is HeldState.SOUND or not copied(held, root, target):
        return state, False
    # Read back from the disk, not from memory.
    return state_of(held, target), True


def _note(connection: Connection, target: str, seen: Sequence[tuple[HeldFile, HeldState]], now_ms: int) -> None:
    for held, state in seen:
        held_files.note_copy(connection, target, held, state, now_ms)


class CopyKeeper:
    """Goes over the copies that are always there, every night; ``run`` is its loop."""

    def __init__(
        self,
        database: Database,
        root: Path,
        copies: Sequence[HoldingCopy],
        county: str,
        trusted_days: float,
        clock_ms: Callable[[], int],
        *,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._database = database
        self._root = root
        self._copies = tuple(one for one in copies if one.kind is TargetKind.ONLINE)
        self._county = county
        self._trusted_days = trusted_days
        self._clock_ms = clock_ms
        self._sleep = sleep

    async def run(self) -> None:
        """Go over what is due, for ever."""
        while True:
            await self.look()
            await self._sleep(LOOK_EVERY_S)

    async def look(self) -> list[HoldingRun]:
        """Go over the copies that are due and there; what cannot be done now is told by its age."""
        runs = []
        for target in self._copies:
            try:
                last = await self._database.read(
                    lambda connection, name=target.name: held_files.last_run(connection, name)  # type: ignore[misc]
                )
                if last is not None and 0 <= self._clock_ms() - last.began_at_ms < NIGHTLY_MS:
                    continue
                runs.append(
                    await go_over(
                        self._database,
                        self._root,
                        target,
                        self._county,
                        self._clock_ms,
                        trusted_days=self._trusted_days,
                    )
                )
            except DanglianError as error:
                log.warning("holdings_not_copied", target=target.name, reason=error.reason.en)
        return runs
