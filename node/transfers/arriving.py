"""Files that come in a row of bytes become files again: each written once, synced, verified, and given its name last.

What has its name is whole and right. What was cut short lies beside under ``.part`` and is gone on with; if it comes
out wrong it is fetched again from its beginning.
"""

import errno
import hashlib
import os
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO

from protocol.consignments import STAGING, ConsignedFile, starts_of
from protocol.errors import BadFile, Retryable, StorageFull
from protocol.wording import Text

READ_BYTES = 1024 * 1024
"""Bytes read at once where something that is here already is summed again."""

RESERVE_BYTES = 256 * 1024 * 1024
"""Bytes that stay free on the disk of the node, for the catalogue beside it."""

SPOILT_MAX = 3
"""Times that one file may come out wrong before a person has to look."""

_NO_ROOM = frozenset({errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC)})


class Arrival:
    """The files of one consignment on their way to the disk; one thread at a time works with it."""

    def __init__(self, into: Path, files: Sequence[ConsignedFile]) -> None:
        self._into = into
        self._files = files
        self._starts = starts_of(files)
        self._part = into / STAGING / "part"
        self._position = 0
        self._done = 0
        self._sha = hashlib.sha256()
        self._open: BinaryIO | None = None
        self._spoilt = 0

    @property
    def total_bytes(self) -> int:
        """Bytes of the whole row."""
        return self._starts[-1]

    @property
    def mark(self) -> int:
        """How far the row is here: what is wanted next begins there."""
        return self._starts[self._position] + self._done

    @property
    def wanted(self) -> str:
        """Path of the file that is wanted next; there is one until all are here."""
        return self._files[self._position].path

    @property
    def is_whole(self) -> bool:
        """True once every file has its name."""
        return self._position == len(self._files)

    def prepare(self) -> None:
        """See what is here already.

        Raises:
            StorageFull: there is no room for the rest.
            Retryable: the folder cannot be written.

        """
        try:
            self._part.parent.mkdir(parents=True, exist_ok=True)
            self._pass_by()
            self._take_up()
            free = shutil.disk_usage(self._into).free
        except OSError as error:
            raise _unwritable(error, self._into) from error
        wanted = self.total_bytes - self.mark
        if wanted + RESERVE_BYTES > free:
            raise _no_room(wanted, free)

    def feed(self, piece: bytes) -> None:
        """Take the bytes that come next.

        Raises:
            BadFile: a file came out wrong every time.
            StorageFull: the disk is full; what is here stays.
            Retryable: the disk cannot be written.

        """
        view = memoryview(piece)
        try:
            while view and not self.is_whole:
                listed = self._files[self._position]
                some = view[: listed.size_bytes - self._done]
                self._write(some)
                view = view[len(some) :]
                if self._done == listed.size_bytes and not self._finish(listed):
                    return
                self._pass_by()
        except OSError as error:
            raise _unwritable(error, self._into) from error

    def close(self) -> None:
        """Leave what was begun as it is, on the disk.

        Raises:
            StorageFull: the disk is full; what is on it is gone on with.
            Retryable: the disk cannot be written.

        """
        if self._open is None:
            return
        file, self._open = self._open, None
        try:
            with file:
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            raise _unwritable(error, self._into) from error

    def _write(self, some: memoryview) -> None:
        if self._open is None:
            self._open = self._part.open("ab" if self._done else "wb")
        self._open.write(some)
        self._sha.update(some)
        self._done += len(some)

    def _finish(self, listed: ConsignedFile) -> bool:
        """Give a whole file its name; False if it is not what the list says."""
        self.close()
        self._done = 0
        digest, self._sha = self._sha.hexdigest(), hashlib.sha256()
        if digest != listed.sha256:
            self._spoilt += 1
            self._part.unlink()
            if self._spoilt >= SPOILT_MAX:
                raise BadFile(
                    Text(zh=f"{listed.path} 多次收到的内容与清单不符", en=f"{listed.path} came out wrong every time"),
                    Text(zh="请与县馆联系，查线路和磁盘。", en="Ask the county; look at the line and the disk."),
                )
            return False
        target = self._into / listed.path
        target.parent.mkdir(parents=True, exist_ok=True)
        self._part.replace(target)
        self._position += 1
        self._spoilt = 0
        return True

    def _pass_by(self) -> None:
        """Go on to the first file that is not here; empty ones are made at once."""
        while not self.is_whole:
            listed = self._files[self._position]
            target = self._into / listed.path
            if not listed.size_bytes:
                target.parent.mkdir(parents=True, exist_ok=True)
                target.touch()
            elif not target.is_file() or target.stat().st_size != listed.size_bytes:
                return
            self._position += 1

    def _take_up(self) -> None:
        """Go on with the file that was cut short; what does not fit any more is thrown away."""
        if self.is_whole or not self._part.is_file():
            return
        if self._part.stat().st_size >= self._files[self._position].size_bytes:
            self._part.unlink()
            return
        with self._part.open("rb") as file:
            while piece := file.read(READ_BYTES):
                self._sha.update(piece)
                self._done += len(piece)


def cleared(into: Path) -> None:
    """Remove what the work has left beside the files."""
    shutil.rmtree(into / STAGING, ignore_errors=True)


def _no_room(wanted: int, free: int) -> StorageFull:
    return StorageFull(
        Text(
            zh=f"磁盘空间不足：还需 {wanted // 2**20 + 1} MB，剩余 {free // 2**20} MB",
            en=f"too little room: {wanted // 2**20 + 1} MB are wanted, {free // 2**20} MB are free",
        ),
        Text(zh="请清理磁盘；腾出空间后自动继续。", en="Free some space: it goes on by itself."),
    )


def _unwritable(error: OSError, into: Path) -> Retryable:
    if error.errno in _NO_ROOM:
        return StorageFull(
            Text(zh="磁盘已满。", en="the disk is full"),
            Text(zh="请清理磁盘；腾出空间后自动继续。", en="Free some space: it goes on by itself."),
        )
    return Retryable(
        Text(zh=f"无法写入 {into}：{error.strerror}", en=f"cannot write to {into}: {error.strerror}"),
        Text(zh="请检查磁盘和权限。", en="Look at the disk and at the rights."),
    )
