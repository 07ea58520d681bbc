"""Receiving: the row of bytes of a consignment becomes files, each written once, verified, and on the disk.

A file grows under a number in a folder of its own, beside its final place; when it is whole and its digest is right it
is synced, made read-only and renamed. Syncing is done by several threads while the next files are being written: the
file system then makes many files durable in one go. ``commit`` waits for all of them and says how far the row has
come; what is not committed is fetched again after a crash.

All methods but ``commit`` belong to one thread at a time; ``commit`` runs beside them.
"""

import bisect
import errno
import hashlib
import os
import shutil
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from hub.backup.bags import sync_folder
from hub.draws.draw_book import DrawMark, FaultyFile
from hub.draws.settling import Settling
from protocol.consignments import STAGING, ConsignedFile, FileFault, starts_of
from protocol.errors import Retryable, StorageFull
from protocol.file_lists import FileList
from protocol.wording import Text

SYNC_THREADS = 8
"""Threads that sync files: measured, more gain nothing."""

SETTLING_MAX = 64
"""Files that wait to be synced, and so open files."""

DISK_RESERVE_BYTES = 512 * 1024 * 1024
"""Bytes that stay free on the disk of the holdings, for the catalogue beside it."""

READ_BYTES = 1024 * 1024
"""Bytes read at once where a part that is here already is summed again."""

FILE_MODE = 0o440
"""Mode of a file that has arrived: nobody changes it any more."""

FOLDER_MODE = 0o750

_EMPTY_SHA256 = hashlib.sha256().hexdigest()
_NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT})
_FREE_SOME = Text(
    zh="请清理枢纽磁盘或换更大的磁盘；腾出空间后会从断点继续。",
    en="Free space on the hub's disk, or move to a larger one: it goes on from where it stopped.",
)


class Receiver:
    """The files of one consignment on their way to the disk."""

    def __init__(
        self,
        into: Path,
        files: Sequence[ConsignedFile],
        progress: DrawMark,
        free_bytes: Callable[[Path], int] = lambda path: shutil.disk_usage(path).free,
    ) -> None:
        self._into = into
        self._staging = into / STAGING
        self._files = files
        self._starts = files.starts if isinstance(files, FileList) else starts_of(files)
        self._mark = min(progress.mark, self._starts[-1])
        self._faulty = {one.position: one.fault for one in progress.faulty if one.position < len(files)}
        self._free_bytes = free_bytes
        self._place = self._mark
        self._descriptor = -1
        self._position = -1
        self._sha = hashlib.sha256()
        self._is_resumed = False
        """The open file was begun by a run that ended before its time."""
        self._doubtful: list[int] = []
        """Files that were begun by such a run and came out wrong: that may be our disk's fault, not the site's."""
        self._made: set[Path] = set()
        self._to_sync: set[Path] = set()
        self._settling = Settling()
        self._slots = threading.Semaphore(SETTLING_MAX)
        self._pool = ThreadPoolExecutor(SYNC_THREADS, thread_name_prefix="settling")

    @property
    def total_bytes(self) -> int:
        """Bytes of the whole row."""
        return self._starts[-1]

    @property
    def faulty(self) -> tuple[FaultyFile, ...]:
        """The files that cannot be had, in the order of the list."""
        return tuple(FaultyFile(position=at, fault=fault) for at, fault in sorted(self._faulty.items()))

    # Where it stands

    def prepare(self) -> None:
        """See what is here already; takes up what was cut short.

        Raises:
            StorageFull: there is no room for the rest.
            Retryable: the folder cannot be written.

        """
        try:
            self._staging.mkdir(mode=FOLDER_MODE, parents=True, exist_ok=True)
            self._to_sync |= {self._into, self._into.parent}
            self._take_up()
            # The name of a file is its proof, and it has that only now.
            self._settling.wait()
            self._note_lost()
        except OSError as error:
            raise unwritable(error, self._into) from error
        self._check_room(sum(end - start for start, end in self.spans()))

    def spans(self) -> list[tuple[int, int]]:
        """Return which spans of the row are wanted, in order."""
        lost = [self._span(at) for at in sorted(self._faulty) if self._starts[at] < self._mark]
        return [span for span in (*lost, (self._mark, self._starts[-1])) if span[0] < span[1]]

    def spans_again(self) -> list[tuple[int, int]]:
        """Return what must be fetched once more from its beginning, because what was here of it was wrong."""
        doubtful, self._doubtful = self._doubtful, []
        return [self._span(at) for at in doubtful]

    def _span(self, at: int) -> tuple[int, int]:
        return self._starts[at], self._starts[at + 1]

    def file_at(self, offset: int) -> tuple[int, int, int]:
        """Return the number of the file that lies at a place, and where it begins and ends."""
        at = self._at(offset)
        return at, *self._span(at)

    def _at(self, offset: int) -> int:
        # Of files that begin at the same place, all but the last are empty.
        return bisect.bisect_right(self._starts, offset, hi=len(self._files)) - 1

    def _take_up(self) -> None:
        """Pass what was finished behind the mark just before a crash, and go on with the file that was cut short.

        What a part holds behind the mark is believed until its digest is known.
        """
        while self._mark < self._starts[-1]:
            at = self._at(self._mark)
            listed, start = self._files[at], self._starts[at]
            part_bytes = min(max(_size_of(self._part(at)), 0), listed.size_bytes)
            if _is_whole(self._into / listed.path, listed):
                self._faulty.pop(at, None)
                self._to_sync.add((self._into / listed.path).parent)
                self._mark = self._starts[at + 1]
                continue
            self._mark = start + part_bytes if start + part_bytes >= self._mark else start
            if self._mark > start:
                self._reopen(at, part_bytes)
            if self._mark < self._starts[at + 1]:
                break
            self._finish()
        self._place = self._mark
        # They are among the faulty ones, and so wanted anyway.
        self._doubtful.clear()

    def _reopen(self, at: int, part_bytes: int) -> None:
        self._descriptor = os.open(self._part(at), os.O_RDWR | os.O_CLOEXEC)
        self._position, self._is_resumed, self._sha = at, True, hashlib.sha256()
        os.ftruncate(self._descriptor, part_bytes)
        while piece := os.read(self._descriptor, READ_BYTES):
            self._sha.update(piece)

    def _note_lost(self) -> None:
        """Want again what had come and is not here any more."""
        for at in range(self._at(self._mark) if self._mark < self._starts[-1] else len(self._files)):
            listed = self._files[at]
            if at not in self._faulty and listed.size_bytes and _size_of(self._into / listed.path) != listed.size_bytes:
                self._faulty[at] = FileFault.MISSING

    def make_empty(self) -> None:
        """Make the files that have no bytes; once it is known that the site offers this list.

        Raises:
            Retryable: the disk does not take them.

        """
        try:
            self._make_empty()
        except OSError as error:
            raise unwritable(error, self._into) from error

    def _make_empty(self) -> None:
        for at, listed in enumerate(self._files):
            if listed.size_bytes:
                continue
            if listed.sha256 != _EMPTY_SHA256:
                self._faulty[at] = FileFault.CHANGED
            elif _size_of(self._into / listed.path) != 0:
                self._faulty.pop(at, None)
                self._begin(at)
                self._finish()

    # Bytes

    def feed(self, offset: int, data: bytes) -> None:
        """Write what belongs at a place; places come in order, with gaps only where ``fail`` or ``spans`` left them.

        Raises:
            StorageFull, Retryable: the disk does not take it.

        """
        rest = memoryview(data)
        try:
            if self._descriptor < 0 or offset != self._place:
                self._turn_to(offset)
            while rest:
                if self._descriptor < 0:
                    self._begin(self._at(self._place))
                piece = rest[: self._starts[self._position + 1] - self._place]
                self._sha.update(piece)
                _write_all(self._descriptor, piece)
                self._place += len(piece)
                rest = rest[len(piece) :]
                if self._place == self._starts[self._position + 1]:
                    self._finish()
        except OSError as error:
            raise unwritable(error, self._into) from error

    def fail(self, offset: int, fault: FileFault) -> int:
        """Give up the file that lies at a place; return where the next one begins."""
        at = self._at(offset)
        if self._position == at:
            self._drop_part()
        if self._position < 0:
            self._place = self._starts[at + 1]
        self._faulty[at] = fault
        return self._starts[at + 1]

    def _turn_to(self, offset: int) -> None:
        self._drop_part()
        self._place, at = offset, self._at(offset)
        if offset > self._starts[at]:
            # Files that were lost are fetched before the one that was cut short is gone on with.
            self._reopen(at, offset - self._starts[at])

    def _begin(self, at: int) -> None:
        self._descriptor = os.open(self._part(at), os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        self._position = at
        self._is_resumed = False
        self._sha = hashlib.sha256()

    def _finish(self) -> None:
        at, descriptor = self._position, self._descriptor
        self._descriptor = self._position = -1
        listed = self._files[at]
        if self._sha.hexdigest() != listed.sha256:
            os.close(descriptor)
            self._part(at).unlink()
            self._faulty[at] = FileFault.MISSING if self._is_resumed else FileFault.CHANGED
            if self._is_resumed:
                self._doubtful.append(at)
            return
        self._faulty.pop(at, None)
        final = self._into / listed.path
        self._make_folder(final.parent)
        self._to_sync.add(final.parent)
        self._slots.acquire()
        self._settling.begin()
        self._pool.submit(self._settle, descriptor, self._part(at), final, self._settling)

    def _settle(self, descriptor: int, part: Path, final: Path, settling: Settling) -> None:
        fault = None
        try:
            try:
                os.fsync(descriptor)
                os.fchmod(descriptor, FILE_MODE)
            finally:
                os.close(descriptor)
            os.replace(part, final)  # noqa: PTH105 - as fast as it goes
        except OSError as error:
            fault = error
        finally:
            self._slots.release()
            settling.end(fault)

    def _make_folder(self, folder: Path) -> None:
        if folder in self._made:
            return
        for parent in (*reversed(folder.parents), folder):
            if self._into in parent.parents and parent not in self._made:
                parent.mkdir(mode=FOLDER_MODE, exist_ok=True)
                self._made.add(parent)
                self._to_sync.add(parent.parent)

    def _part(self, at: int) -> Path:
        return self._staging / str(at)

    def _drop_part(self) -> None:
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = self._position = -1

    # What is certain

    def snapshot(self) -> Callable[[], DrawMark]:
        """Take note of all that was fed until now; the function returned makes it durable, beside further feeding.

        That function raises:
            StorageFull, Retryable: the disk does not keep it; what was committed before stays.

        """
        settling, self._settling = self._settling, Settling()
        folders, self._to_sync = self._to_sync, set()
        partial = os.dup(self._descriptor) if self._descriptor >= 0 else -1
        progress = DrawMark(mark=max(self._mark, self._place), faulty=self.faulty)
        self._mark = progress.mark

        def commit() -> DrawMark:
            try:
                try:
                    if partial >= 0:
                        os.fsync(partial)
                finally:
                    if partial >= 0:
                        os.close(partial)
                settling.wait()
                for folder in (*sorted(folders), self._staging):
                    sync_folder(folder)
            except OSError as error:
                raise unwritable(error, self._into) from error
            self._check_room(0)
            return progress

        return commit

    def close(self) -> None:
        """Let go of everything; parts stay, to be taken up again."""
        self._drop_part()
        self._pool.shutdown(wait=True)

    def clear(self) -> None:
        """Remove the folder of parts: everything is at its place."""
        shutil.rmtree(self._staging, ignore_errors=True)

    def _check_room(self, wanted_bytes: int) -> None:
        free = self._free_bytes(self._into)
        if free < wanted_bytes + DISK_RESERVE_BYTES:
            raise StorageFull(
                Text(
                    zh=f"枢纽磁盘空间不足：剩余 {free // 2**20} MB，还需 {wanted_bytes // 2**20} MB"
                    f"（并须留 {DISK_RESERVE_BYTES // 2**20} MB）",
                    en=f"the hub's disk has {free // 2**20} MB free and {wanted_bytes // 2**20} MB are still to come"
                    f" ({DISK_RESERVE_BYTES // 2**20} MB stay free)",
                ),
                _FREE_SOME,
            )


def unwritable(error: OSError, into: Path) -> Retryable:
    """Return our error for one of the disk's."""
    if error.errno in _NO_ROOM:
        return StorageFull(Text(zh=f"枢纽磁盘已满：{into}", en=f"the hub's disk is full: {into}"), _FREE_SOME)
    return Retryable(
        Text(zh=f"无法写入 {into}：{error.strerror}", en=f"cannot write to {into}: {error.strerror}"),
        Text(zh="请检查该文件夹的权限和磁盘。", en="Look at the folder's rights and at the disk."),
    )


def _write_all(descriptor: int, piece: memoryview) -> None:
    while piece:
        piece = piece[os.write(descriptor, piece) :]


def _size_of(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return -1


def _is_whole(path: Path, listed: ConsignedFile) -> bool:
    if _size_of(path) != listed.size_bytes:
        return False
    sha = hashlib.sha256()
    with path.open("rb") as file:
        while piece := file.read(READ_BYTES):
            sha.update(piece)
    return sha.hexdigest() == listed.sha256
