"""The course of one draw: asks for ranges, puts what comes in order, has it written, and commits now and then."""

import asyncio
import time
from collections.abc import Awaitable, Callable

import msgspec

from hub.draws.draw_book import DrawMark
from hub.draws.draw_flow import Flow
from hub.draws.draw_session import Arrived, DrawSession, damaged, said, silent
from hub.draws.receiving import Receiver
from protocol.consignments import FileFault
from protocol.draws import HEAD_BYTES, SEAL_BYTES, ChunkHead, DrawWordKind, Sealed
from protocol.errors import BadFrame, Retryable

Progress = Callable[[int, int], None]
"""Hears bytes that are here, and all bytes."""

Commit = Callable[[DrawMark, int], Awaitable[None]]
"""Notes how far the draw has come, and how many bytes the line has carried since the last note."""

ASK_AGAIN_S = 15.0
"""Seconds without anything from the site after which what is under way counts as lost, before its pace is known."""

SILENCE_S = 60.0
"""Seconds without anything from the site after which the attempt is given up."""

LINK_LOOK_S = 0.5
"""Seconds between two attempts to ask while the link is away."""

COMMIT_EVERY_S = 2.0
"""Seconds between two commits: a village line carries 64 KB in that time."""

COMMIT_PARTS = 400
"""Commits of one consignment at least: a power cut costs less than one part in a hundred, with what was under way."""

COMMIT_BYTES_MIN = 8 * 1024 * 1024
"""Bytes between two commits at least, within ``COMMIT_EVERY_S``."""

COMMIT_BYTES_MAX = 32 * 1024 * 1024
"""Bytes between two commits at most: what a disk writes in a tenth of a second."""

BATCH = 2
"""Ranges written in one go in the thread that writes."""


class _Gap(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A file that cannot be had, in the place of its bytes."""

    fault: FileFault


class DrawCourse:
    """One attempt at a draw; ``run`` ends when everything has come that could."""

    def __init__(
        self,
        session: DrawSession,
        receiver: Receiver,
        spans: list[tuple[int, int]],
        progress: Progress,
        commit: Commit,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._session = session
        self._receiver = receiver
        self._progress = progress
        self._note = commit
        self._clock = clock
        self._flow = Flow(spans)
        self._early: dict[int, Arrived | _Gap] = {}
        """What has come before something that belongs before it, by its place."""
        self._ready: asyncio.Queue[tuple[int, Arrived | _Gap] | None] = asyncio.Queue()
        self._heard_at_s = clock()
        self._here_bytes = receiver.total_bytes - sum(end - start for start, end in spans)
        self._carried_bytes = 0
        self._commit_bytes = min(COMMIT_BYTES_MAX, max(COMMIT_BYTES_MIN, receiver.total_bytes // COMMIT_PARTS))
        self._uncommitted_bytes = 0
        self._committed_at_s = clock()
        self._committing: asyncio.Task[None] | None = None

    async def run(self) -> None:
        """Fetch, write and commit.

        Raises:
            Retryable: the site fell silent, gives nothing now, or the disk takes no more.
            Permanent: the site took its offer back.

        """
        try:
            async with asyncio.TaskGroup() as tasks:
                writing = tasks.create_task(self._write(), name="draw: writing")
                await self._fetch()
                self._ready.put_nowait(None)
                await writing
                await self._finish_committing()
                self._begin_committing()
                await self._finish_committing()
        except BaseExceptionGroup as group:
            # One task fails and takes the other with it: what matters is why.
            raise _first_of(group) from group
        finally:
            await self._stop_committing()

    # What is asked for, and what comes

    async def _fetch(self) -> None:
        while True:
            self._session.news.clear()
            while self._session.arrivals:
                self._take(self._session.arrivals.popleft())
            if self._flow.is_done:
                return
            if await self._ask():
                await self._wait()

    async def _ask(self) -> bool:
        """Ask for as much as may be under way; False if the link was away."""
        try:
            while (wanted := self._flow.next_range(self._clock())) is not None:
                await self._session.ask(*wanted)
            return True
        except Retryable:
            # The link is away for a moment; what was asked for last did not get out, and the rest may be lost.
            self._check_silence()
            await asyncio.sleep(LINK_LOOK_S)
            self._flow.ask_again()
            return False

    async def _wait(self) -> None:
        try:
            async with asyncio.timeout(self._flow.patience_s(ASK_AGAIN_S)):
                await self._session.news.wait()
        except TimeoutError:
            if self._flow.is_waiting:
                self._check_silence()
                self._flow.ask_again()

    def _check_silence(self) -> None:
        if self._clock() - self._heard_at_s > SILENCE_S:
            raise silent()

    def _take(self, arrived: Arrived) -> None:
        self._heard_at_s = self._clock()
        word, head = arrived.word, arrived.head
        if word is not None:
            if word.kind != DrawWordKind.FILE or word.fault is None:
                raise said(word)
            self._give_up(word.offset, word.fault)
        elif head is not None and head.kind == Sealed.CHUNK:
            size = len(arrived.frame) - HEAD_BYTES - SEAL_BYTES
            self._carried_bytes += size
            if self._flow.came(head.offset, size, self._clock()):
                self._early[head.offset] = arrived
        self._release()

    def _give_up(self, offset: int, fault: FileFault) -> None:
        """Leave out the file that lies at a place, and whatever of it has come or is under way."""
        if not self._flow.is_flying(offset):
            return
        *_, end = self._receiver.file_at(offset)
        self._flow.drop(offset, end)
        for start in [start for start in self._early if offset <= start < end]:
            later = self._early.pop(start)
            if isinstance(later, Arrived):
                size = len(later.frame) - HEAD_BYTES - SEAL_BYTES
                self._flow.behind_bytes -= size
                self._flow.want(end, start + size)
        self._early[offset] = _Gap(fault=fault)

    def _release(self) -> None:
        while self._early:
            first = min(self._early)
            if first > self._flow.first_missing:
                return
            self._ready.put_nowait((first, self._early.pop(first)))

    # What is written, and what is certain

    async def _write(self) -> None:
        while (first := await self._ready.get()) is not None:
            batch = [first]
            is_last = False
            while len(batch) < BATCH and not self._ready.empty():
                following = self._ready.get_nowait()
                if following is None:
                    is_last = True
                    break
                batch.append(following)
            del first
            written = await asyncio.to_thread(self._written, batch)
            self._flow.behind_bytes -= written
            self._here_bytes += written
            self._uncommitted_bytes += written
            self._session.news.set()
            self._progress(self._here_bytes, self._receiver.total_bytes)
            await self._commit_if_due()
            if is_last:
                return

    def _written(self, batch: list[tuple[int, Arrived | _Gap]]) -> int:
        written = 0
        # Each is let go of as soon as it is written: together they are some megabytes.
        batch.reverse()
        while batch:
            offset, one = batch.pop()
            if isinstance(one, _Gap):
                self._receiver.fail(offset, one.fault)
            elif one.head is not None:
                plain = self._opened(one.head, one.frame)
                self._receiver.feed(offset, plain)
                written += len(plain)
        return written

    def _opened(self, head: ChunkHead, frame: bytes) -> bytes:
        try:
            return self._session.seal.opened(head, frame)
        except BadFrame as error:
            raise damaged() from error

    async def _commit_if_due(self) -> None:
        is_due = self._uncommitted_bytes >= self._commit_bytes or self._clock() - self._committed_at_s >= COMMIT_EVERY_S
        if not is_due:
            return
        is_busy = self._committing is not None and not self._committing.done()
        if is_busy and self._uncommitted_bytes < 2 * self._commit_bytes:
            return
        # Beyond that the disk is slower than the line, which waits for it.
        await self._finish_committing()
        self._begin_committing()

    def _begin_committing(self) -> None:
        commit, carried = self._receiver.snapshot(), self._carried_bytes
        self._carried_bytes = self._uncommitted_bytes = 0
        self._committed_at_s = self._clock()

        async def committed() -> None:
            await self._note(await asyncio.to_thread(commit), carried)

        self._committing = asyncio.create_task(committed(), name="draw: committing")

    async def _finish_committing(self) -> None:
        if self._committing is not None:
            await self._committing

    async def _stop_committing(self) -> None:
        if self._committing is not None:
            # It is in a thread, or in the store, and ends by itself; why the draw ends is known already.
            await asyncio.gather(self._committing, return_exceptions=True)


def _first_of(group: BaseExceptionGroup[BaseException]) -> BaseException:
    found: BaseException = group
    while isinstance(found, BaseExceptionGroup):
        found = found.exceptions[0]
    return found
