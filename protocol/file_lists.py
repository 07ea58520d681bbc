"""Lists of consigned files as programs hold them: 200,000 files in ten megabytes.

A ``ConsignedFile`` takes 290 bytes of objects. Here a file takes the 40 bytes of its digest and its place, and its path
what is left of it when some hundred paths, which begin alike, are packed together.
"""

import zlib
from array import array
from collections.abc import Iterable, Iterator, Sequence
from typing import Final, Self, overload

from protocol.consignments import ConsignedFile

SHA256_BYTES: Final = 32

BLOCK_FILES: Final = 256
"""Files whose paths are packed together: whoever goes through a list unpacks each block once."""

_QUICK: Final = 1
"""Level of packing: paths are so much alike that more gains nothing."""

_BETWEEN: Final = "\0"


class FileList(Sequence[ConsignedFile]):
    """The files of a consignment in their order; files are added at the end, and made when they are looked at."""

    __slots__ = ("_blocks", "_latest", "_open", "_shas", "starts")

    def __init__(self, files: Iterable[ConsignedFile] = ()) -> None:
        self._blocks: list[bytes] = []
        self._open: list[str] = []
        """Paths behind the last whole block."""
        self._latest: tuple[int, list[str]] = (-1, [])
        """The block that was unpacked last."""
        self._shas = bytearray()
        self.starts = array("Q", (0,))
        """Where each file begins in the row of bytes, and at last where the row ends."""
        self.extend(files)

    def extend(self, files: Iterable[ConsignedFile]) -> Self:
        """Add files, and return the list.

        Raises:
            ValueError: a path or a digest is none; what stood before it was added.
            OverflowError: a size is none.

        """
        for one in files:
            sha = bytes.fromhex(one.sha256)
            if len(sha) != SHA256_BYTES or one.size_bytes < 0 or _BETWEEN in one.path:
                message = "not the path, the size or the digest of a file"
                raise ValueError(message)
            self.starts.append(self.starts[-1] + one.size_bytes)
            self._shas += sha
            self._open.append(one.path)
            if len(self._open) == BLOCK_FILES:
                packed = _BETWEEN.join(self._open).encode("utf-8", "surrogatepass")
                self._blocks.append(zlib.compress(packed, _QUICK))
                self._open = []
        return self

    @property
    def size_bytes(self) -> int:
        """Bytes of all files."""
        return self.starts[-1]

    def __len__(self) -> int:
        return len(self.starts) - 1

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
            path=self._block(at // BLOCK_FILES)[at % BLOCK_FILES],
            size_bytes=self.starts[at + 1] - self.starts[at],
            sha256=self._shas[SHA256_BYTES * at : SHA256_BYTES * (at + 1)].hex(),
        )

    def _block(self, number: int) -> list[str]:
        if number == len(self._blocks):
            return self._open
        latest = self._latest
        if latest[0] != number:
            plain = zlib.decompress(self._blocks[number]).decode("utf-8", "surrogatepass")
            # One assignment, so that several threads may read.
            latest = self._latest = (number, plain.split(_BETWEEN))
        return latest[1]
