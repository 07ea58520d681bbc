"""Reading files piece by piece: in bounded memory, told of as it goes, from the disk itself where that can be had."""

import hashlib
import os
import stat
import sys
from collections.abc import Callable, Iterator, Sequence
from enum import StrEnum
from pathlib import Path

PIECE_BYTES = 1024 * 1024
"""Bytes read or written at once."""


class PlainKind(StrEnum):
    """What a name in a folder stands for, as far as it is followed."""

    FILE = "file"
    FOLDER = "folder"
    OTHER = "other"
    """A link, a junction, a pipe, a device: never opened."""


def plain_kind(state: os.stat_result) -> PlainKind:
    """Say whether what has this state (of itself, not of what it leads to) may be opened.

    Of Windows' junctions only the attributes tell.
    """
    if stat.S_ISLNK(state.st_mode):
        return PlainKind.OTHER
    if stat.S_ISDIR(state.st_mode):
        is_elsewhere = getattr(state, "st_file_attributes", 0) & stat.FILE_ATTRIBUTE_REPARSE_POINT
        return PlainKind.OTHER if is_elsewhere else PlainKind.FOLDER
    return PlainKind.FILE if stat.S_ISREG(state.st_mode) else PlainKind.OTHER


Told = Callable[[int], None]
"""Told of so many more bytes that were read; it raises where the work is to stop."""


def nobody(_more_bytes: int) -> None:
    """Tell nobody."""


def pieces_of(path: Path, *, from_disk: bool = False) -> Iterator[bytes]:
    """Read a file piece by piece.

    Args:
        path: the file.
        from_disk: pass by what lies in memory still: reading that again would prove nothing about the disk.

    """
    with path.open("rb", buffering=0) as file:
        if from_disk and sys.platform == "linux":
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
        while piece := file.read(PIECE_BYTES):
            yield piece


def digests_of(path: Path, algorithms: Sequence[str], told: Told = nobody) -> dict[str, str]:
    """Read a file once and return its digests by algorithm, in hex.

    Raises:
        OSError: it cannot be read.
        ValueError: this machine lacks an algorithm (``bag_tags.can_digest``).

    """
    digests = [hashlib.new(algorithm, usedforsecurity=False) for algorithm in algorithms]
    for piece in pieces_of(path):
        for digest in digests:
            digest.update(piece)
        told(len(piece))
    return {algorithm: digest.hexdigest() for algorithm, digest in zip(algorithms, digests, strict=True)}
