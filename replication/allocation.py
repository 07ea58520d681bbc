"""How the C library hands out memory while large pieces pass through a program.

Each piece of a file is half a megabyte and lives for a millisecond. The GNU C library gets such pieces from the system
and gives them back at once, and the system clears every page of them anew: measured, a third of the processor time of
whoever sends, and a fifth of whoever receives.
"""

import ctypes
import platform

_TRIM_THRESHOLD = -1
_MMAP_THRESHOLD = -3
_ARENA_MAX = -8

ARENAS = 2
"""Pools of memory that the threads share: each would else keep its own pieces."""

KEPT_BYTES = 8 * 1024 * 1024
"""Bytes of free memory that a program keeps for the next pieces."""

PIECE_BYTES_MAX = 2 * 1024 * 1024
"""Bytes of a piece up to which it is taken from what is kept."""


def keep_pieces() -> None:
    """Have this process keep the memory of pieces for the next ones; changes nothing where that cannot be said.

    What is free at this moment is given back: a list of files was made and looked through before, and what that left
    has other places than pieces will have.
    """
    if platform.system() != "Linux":
        return
    try:
        library = ctypes.CDLL(None)
        mallopt, malloc_trim = library.mallopt, library.malloc_trim
    except (OSError, AttributeError):
        # Another C library, which does it in its own way.
        return
    mallopt(_MMAP_THRESHOLD, PIECE_BYTES_MAX)
    mallopt(_TRIM_THRESHOLD, KEPT_BYTES)
    mallopt(_ARENA_MAX, ARENAS)
    malloc_trim(0)
