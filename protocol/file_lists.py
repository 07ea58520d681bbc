"""Lists of consigned files as programs hold them: 200,000 files in some twenty megabytes.

A ``ConsignedFile`` takes 290 bytes of objects; the same in three rows of plain bytes takes its path and fifty more.
"""

from array import array
from collections.abc import Iterable, Iterator, Sequence
from typing import Self, overload

from protocol.consignments import ConsignedFile

SHA256_BYTES = 32


class FileList(Sequence[ConsignedFile]):
    """The files of a consignment in their order; files are added at the end, and made when they are looked at."""

    __slots__ = ("_ends", "_paths", "_shas", "starts")

    def __init__(self, files: Iterable[ConsignedFile] = ()) -> None:
        self._paths = bytearray()
        self._ends = array("Q", (0,))
        self._shas = bytearray()
        self.starts = array("Q", (0,))
        """Where each file begins in the row of bytes, and at last where the row ends."""
        self.extend(files)

    def extend(self, files: Iterable[ConsignedFile]) -> Self:
        """Add files, and return the list.

        Raises:
            ValueError: a digest is none; what stood before it was added.
            OverflowError: a size is none.

        """
        for one in files:
            sha, end = bytes.fromhex(one.sha256), self.starts[-1] + one.size_bytes
            if len(sha) != SHA256_BYTES or one.size_bytes < 0:
                message = "not the digest or the size of a file"
                raise ValueError(message)
            self.starts.append(end)
            self._paths += one.path.encode("utf-8", "surrogatepass")
            self._ends.append(len(self._paths))
            self._shas += sha
        return self

    @property
    def size_bytes(self) -> int:
        """Bytes of all files."""
        return self.starts[-1]

    def __len__(self) -> int:
        return len(self._ends) - 1

    @overload
    def __getitem__(self, at: int) -> ConsignedFile: ...
    @overload
    def __getitem__(self, at: slice) -> tuple[ConsignedFile, ...]: ...
    def __getitem__(self, at: int | slice) -> ConsignedFile | tuple[ConsignedFile, ...]:
        if isinstance(at, slice):
            return tuple(map(self._file, range(*at.indices(len(self)))))
        return self._file(range(len(self))[at])

    def __iter__(self) -> Iterator[ConsignedFile]:
        return map(self._file, range(len(self)))

    def _file(self, at: int) -> ConsignedFile:
        return ConsignedFile(
            path=self._paths[self._ends[at] : self._ends[at + 1]].decode("utf-8", "surrogatepass"),
            size_bytes=self.starts[at + 1] - self.starts[at],
            sha256=self._shas[SHA256_BYTES * at : SHA256_BYTES * (at + 1)].hex(),
        )
