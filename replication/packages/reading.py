"""Reading files piece by piece: in bounded memory, told of as it goes, from the disk itself where that can be had."""

import hashlib
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

PIECE_BYTES = 1024 * 1024
"""Bytes read or written at once."""

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
