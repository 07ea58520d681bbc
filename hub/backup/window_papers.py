"""The papers of the window in a backup: only what changed is written, what the last backup holds is shared with it.

Each backup is a whole bag all the same, for restoring and for any BagIt program: a paper that did not change is a
second name of the same bytes on the disk (a hard link), and goes when the last backup that names it goes. Whether it
did not change is told by its digest, taken anew of the paper every night; and all of it is read back. Where a disk has
no second names, papers are copied.
"""

import os
from pathlib import Path

import msgspec

from hub.backup import bags
from hub.backup.backup_contents import window_files
from hub.backup.backup_targets import names_in
from hub.backup.bags import PAYLOAD
from hub.home import HubHome
from hub.keeping.course import Course
from protocol.errors import BrokenStore


class Earlier(msgspec.Struct, frozen=True, kw_only=True):
    """The last backup on a target."""

    folder: Path
    payload: dict[str, str]
    """Digests by path within the bag."""


class Papers(msgspec.Struct, frozen=True, kw_only=True):
    """What a bag holds of the window."""

    payload: dict[str, str]
    shared: int
    """Papers that it has in common with an earlier one."""


def earlier_on(target: Path, county: str) -> Earlier | None:
    """Return the last backup of a county on a target; None if there is none that can be read."""
    names = [name for name in names_in(target) if county in name]
    if not names:
        return None
    try:
        return Earlier(folder=target / names[-1], payload=bags.read_manifest(target / names[-1]).payload)
    except BrokenStore:
        return None


def put_in(home: HubHome, bag: Path, earlier: Earlier | None, course: Course) -> Papers:
    """Bring the papers of the window into a bag; what was only waiting and is gone meanwhile is let go.

    Raises:
        OSError: the disk does not take them.

    """
    payload, shared = {}, 0
    for path in window_files(home):
        name = f"{PAYLOAD}/{path.relative_to(home.root).as_posix()}"
        try:
            if earlier is not None and name in earlier.payload:
                digest = bags.digest_of(path, course)
                if digest == earlier.payload[name] and _linked(earlier.folder / name, bag / name):
                    payload[name], shared = digest, shared + 1
                    continue
            payload[name] = bags.write_file(bag / name, bags.chunks_of(path))
        except FileNotFoundError:
            (bag / name).unlink(missing_ok=True)
    return Papers(payload=payload, shared=shared)


def new_bytes(home: HubHome, earlier: Earlier | None) -> int:
    """Return about how many bytes of papers have to be written: what the last backup does not hold in this size."""
    held = earlier.payload.keys() if earlier is not None else set()
    total = 0
    for path in window_files(home):
        name = f"{PAYLOAD}/{path.relative_to(home.root).as_posix()}"
        size = _size_of(path)
        if name not in held or earlier is None or _size_of(earlier.folder / name) != size:
            total += max(0, size)
    return total


def _linked(kept: Path, name: Path) -> bool:
    """Give a file of an earlier backup a second name; False where the disk has none to give."""
    bags.make_folder(name.parent)
    try:
        os.link(kept, name)
    except OSError:
        return False
    return True


def _size_of(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return -1
