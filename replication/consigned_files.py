"""Reading consigned files where they lie, at the giver or on a courier's disk.

Only what the list says is read, from inside its folder, without following links.
"""

import os
import stat
from io import FileIO
from pathlib import Path

from protocol.consignments import ConsignedFile, FileFault

FOLDERS_KNOWN_MAX = 4_096
"""Folders of one consignment that were looked at and need no second look."""

_FLAGS = os.O_RDONLY | getattr(os, "O_BINARY", 0) | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0)


class FileUnfit(Exception):
    """One file cannot be read as the list says."""

    def __init__(self, fault: FileFault) -> None:
        super().__init__(fault.value)
        self.fault = fault


class ConsignedFolder:
    """The folder of one consignment, from which its files are read."""

    def __init__(self, root: Path) -> None:
        self._root = os.path.realpath(root)
        self._known: set[str] = {""}

    def read(self, listed: ConsignedFile, skip: int, size_bytes: int) -> bytes:
        """Return a range of one file.

        Raises:
            FileUnfit: the file is not what the list says.

        """
        try:
            path = self._checked(listed)
            with FileIO(os.open(path, _FLAGS), "rb") as file:
                if skip:
                    file.seek(skip)
                return _filled(file, size_bytes)
        except OSError as error:
            raise _unfit(error) from error

    def check(self, listed: ConsignedFile) -> None:
        """Go on only if one file is there, of the size that the list says.

        Raises:
            FileUnfit: it is not.

        """
        try:
            self._checked(listed)
        except OSError as error:
            raise _unfit(error) from error

    def _checked(self, listed: ConsignedFile) -> str:
        self._check_folder(listed.path.rpartition("/")[0])
        path = f"{self._root}/{listed.path}"
        found = os.lstat(path)
        if not stat.S_ISREG(found.st_mode):
            raise FileUnfit(FileFault.LINK)
        if found.st_size != listed.size_bytes:
            raise FileUnfit(FileFault.CHANGED)
        return path

    def _check_folder(self, folder: str) -> None:
        if folder in self._known:
            return
        expected = os.path.normpath(f"{self._root}/{folder}")
        real = os.path.realpath(expected)
        if os.path.normcase(real) != os.path.normcase(expected):
            raise FileUnfit(FileFault.LINK)
        if os.path.isdir(real) and len(self._known) < FOLDERS_KNOWN_MAX:  # noqa: PTH112 - beside realpath
            self._known.add(folder)


def _unfit(error: OSError) -> FileUnfit:
    is_gone = isinstance(error, FileNotFoundError | NotADirectoryError)
    return FileUnfit(FileFault.MISSING if is_gone else FileFault.UNREADABLE)


def _filled(file: FileIO, size_bytes: int) -> bytes:
    """Read so many bytes; a system may give fewer at a time."""
    data = file.read(size_bytes)
    while len(data) < size_bytes:
        more = file.read(size_bytes - len(data))
        if not more:
            # It became shorter since it was looked at.
            raise FileUnfit(FileFault.CHANGED)
        data += more
    return data
