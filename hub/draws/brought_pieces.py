"""Pieces of consignments that couriers brought, kept on the disk until all of a consignment is there.

Each is a file that is named by its place in the row of bytes, and whole as soon as it has its name: sticks may come in
any order, twice, or with years between them. The folder is the book: nothing else says what is here.
"""

import re
import shutil
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Final
from uuid import UUID

from hub.draws.receiving import unwritable
from protocol.consignments import ConsignedFile, Consignment, FileFault, starts_of
from replication.consigned_files import FileUnfit
from replication.files import PRIVATE_MODE, write_whole
from replication.spans import Span, merged, without

_PLACE: Final = re.compile(r"(\d{1,15})-(\d{1,15})")


class BroughtPieces:
    """All that couriers brought of pages that are not whole yet."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def spans(self, consignment_id: UUID) -> tuple[Span, ...]:
        """Return what is here of a consignment."""
        return merged(self._pieces(consignment_id))

    def missing(self, consigned: Consignment) -> tuple[Span, ...]:
        """Return what is still to come of a consignment."""
        return without([(0, consigned.size_bytes)], self._pieces(consigned.consignment_id))

    def keep(self, consignment_id: UUID, first: int, content: bytes) -> None:
        """Keep one piece.

        Raises:
            StorageFull, Retryable: the disk does not take it.

        """
        path = self._place(consignment_id) / f"{first}-{first + len(content)}"
        try:
            write_whole(path, content, mode=PRIVATE_MODE)
        except OSError as error:
            raise unwritable(error, path.parent) from error

    def clear(self, consignment_id: UUID) -> None:
        """Forget a consignment: it is whole, or nobody waits for it any more."""
        shutil.rmtree(self._place(consignment_id), ignore_errors=True)

    def clear_but(self, awaited: Collection[UUID]) -> None:
        """Forget whatever nobody waits for."""
        names = [one.name for one in self._folder.iterdir()] if self._folder.is_dir() else []
        for name in set(names) - {str(one) for one in awaited}:
            shutil.rmtree(self._folder / name, ignore_errors=True)

    def row(self, consigned: Consignment) -> "BroughtRow":
        """Return what reads a consignment's files from its pieces."""
        return BroughtRow(
            self._place(consigned.consignment_id), self._pieces(consigned.consignment_id), consigned.files
        )

    def _place(self, consignment_id: UUID) -> Path:
        return self._folder / str(consignment_id)

    def _pieces(self, consignment_id: UUID) -> list[Span]:
        place = self._place(consignment_id)
        names = [_PLACE.fullmatch(one.name) for one in place.iterdir()] if place.is_dir() else []
        return sorted((int(one[1]), int(one[2])) for one in names if one is not None)


class BroughtRow:
    """The row of bytes of one consignment, as its pieces hold it."""

    def __init__(self, place: Path, pieces: Sequence[Span], files: Sequence[ConsignedFile]) -> None:
        self._place = place
        self._pieces = pieces
        self._starts = {listed.path: start for listed, start in zip(files, starts_of(files), strict=False)}

    def read(self, listed: ConsignedFile, skip: int, size_bytes: int) -> bytes:
        """Return a range of one file.

        Raises:
            FileUnfit: not all of it was brought.

        """
        at = self._starts[listed.path] + skip
        ends, parts = at + size_bytes, list[bytes]()
        while at < ends:
            piece = next((one for one in self._pieces if one[0] <= at < one[1]), None)
            if piece is None:
                raise FileUnfit(FileFault.MISSING)
            until = min(ends, piece[1])
            parts.append(self._part(piece, at - piece[0], until - at))
            at = until
        return b"".join(parts)

    def _part(self, piece: Span, skip: int, size_bytes: int) -> bytes:
        try:
            with (self._place / f"{piece[0]}-{piece[1]}").open("rb") as file:
                file.seek(skip)
                found = file.read(size_bytes)
        except OSError as error:
            raise FileUnfit(FileFault.UNREADABLE) from error
        if len(found) < size_bytes:
            raise FileUnfit(FileFault.CHANGED)
        return found
