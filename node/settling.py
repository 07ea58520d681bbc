"""Settling: when a dropped file is whole, and which names are no catalogues at all.

Spreadsheet programs and copying write a file in many steps, and a watcher reports each of them; a pause in the reports
proves nothing. A file has settled when two looks at it, ``settle_s`` apart, show the same size and the same time of
change. Times are not compared with the clock: a copied file may carry a time from years ago while it is being written.
"""

import re
from pathlib import Path
from typing import Final

import msgspec

from node.catalogues.formats import SUFFIXES
from node.catalogues.rejects import REJECT_SUFFIX

CATALOGUE_SUFFIXES: Final = SUFFIXES
"""Kinds of files that are read; anything else in a folder is somebody's own business."""

UNREADABLE_SUFFIXES: Final = frozenset((".xlsm", ".xlsb", ".ods", ".et", ".tsv"))
"""Spreadsheets that are not read: somebody may believe that they are, so they are reported."""


EMPTY_SETTLE_S: Final = 60.0
"""Seconds that a file of 0 bytes may take before it counts as empty: some programs create first and write later."""

UNREADABLE_RETRY_S: Final = 5.0
"""Seconds until a file that somebody holds open is tried again."""

_EDITORS_OWN: Final = re.compile(
    r"~\$.*"  # Excel's and WPS's owner files
    r"|\..*"  # hidden files, among them LibreOffice's .~lock. and our marker
    r"|~WR.*"  # Word's and Excel's work files
    r"|[0-9A-Fa-f]{8}"  # Excel's work files have eight hex digits and no suffix
    r"|.*(?:~|\.tmp|\.part|\.partial|\.crdownload|\.bak)",
    re.IGNORECASE,
)


def is_catalogue_name(name: str) -> bool:
    """Tell whether a file of this name is looked at: a spreadsheet that is neither a work file nor our own."""
    if _EDITORS_OWN.fullmatch(name) or name.lower().endswith(REJECT_SUFFIX):
        return False
    return Path(name).suffix.lower() in CATALOGUE_SUFFIXES | UNREADABLE_SUFFIXES


class Look(msgspec.Struct, frozen=True, kw_only=True):
    """What one look at a file showed."""

    size_bytes: int
    mtime_ns: int


class _Waiting(msgspec.Struct, kw_only=True):
    seen: Look | None
    since_s: float
    due_s: float


class SettleBook:
    """The files that may still be changing, and when to look at each again.

    - It never touches the file system or a clock: the caller looks, and says what it saw and when.
    - ``notice`` asks for a look at once; ``look`` answers whether the file has settled.
    - A settled file leaves the book; it comes back when it is noticed again.
    """

    def __init__(self) -> None:
        self._waiting: dict[Path, _Waiting] = {}

    def __len__(self) -> int:
        return len(self._waiting)

    def notice(self, path: Path, now_s: float) -> None:
        """Something may have happened to this file: look at it now, whatever was seen before stays to be compared."""
        known = self._waiting.get(path)
        if known is None:
            self._waiting[path] = _Waiting(seen=None, since_s=now_s, due_s=now_s)
        elif known.seen is None:
            known.due_s = now_s

    def due(self, now_s: float) -> list[Path]:
        """Files to look at now, in the order in which they came due."""
        waiting = self._waiting
        return sorted((path for path in waiting if waiting[path].due_s <= now_s), key=lambda path: waiting[path].due_s)

    def next_due_s(self) -> float | None:
        """When the next look is due, or None if nothing is waiting."""
        return min((entry.due_s for entry in self._waiting.values()), default=None)

    def look(self, path: Path, seen: Look | None, now_s: float, settle_s: float) -> bool:
        """Say what a look showed (None: no such file); returns whether the file has settled."""
        entry = self._waiting.get(path)
        if entry is None:
            return False
        if seen is None:
            del self._waiting[path]
            return False
        if seen != entry.seen:
            entry.seen, entry.since_s = seen, now_s
        ripe_s = entry.since_s + (settle_s if seen.size_bytes else max(settle_s, EMPTY_SETTLE_S))
        if now_s < ripe_s:
            entry.due_s = ripe_s
            return False
        del self._waiting[path]
        return True

    def postpone(self, path: Path, now_s: float, pause_s: float = UNREADABLE_RETRY_S) -> None:
        """Try again later: somebody holds the file open, or it changed while it was read."""
        self._waiting[path] = _Waiting(seen=None, since_s=now_s, due_s=now_s + pause_s)
