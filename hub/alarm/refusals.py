"""Keys that the broker refused: read from its log, where alone it says so.

A node whose key is refused cannot say so itself; without this its silence would look like an empty room.
"""

import re
from pathlib import Path

LOG_BYTES_MAX = 256 * 1024
"""Bytes of log read in one look: two thousand refusals; what is beyond is skipped, its keys knock again."""

_REFUSED = re.compile(rb'authentication error - Nkey "(U[A-Z2-7]{55})"')


class Refusals:
    """Follows the log of a broker from now on; a log that began anew is read from its beginning."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._seen = self._size()

    def read(self) -> frozenset[str]:
        """Return the public keys that were refused since the last look (this blocks)."""
        size = self._size()
        if size < self._seen:
            self._seen = 0
        if size == self._seen:
            return frozenset()
        start, self._seen = max(self._seen, size - LOG_BYTES_MAX), size
        try:
            with self._path.open("rb") as file:
                file.seek(start)
                words = file.read(size - start)
        except OSError:
            return frozenset()
        return frozenset(key.decode("ascii") for key in _REFUSED.findall(words))

    def _size(self) -> int:
        try:
            return self._path.stat().st_size
        except OSError:
            return 0
