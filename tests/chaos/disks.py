"""A small disk for one node: a tmpfs of its own, filled with ballast and emptied again."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.chaos.outcomes import Skipped

_PIECE_BYTES = 1024 * 1024


class SmallDisk:
    """The mounted disk."""

    def __init__(self, place: Path) -> None:
        self.place = place
        self._ballast = place / "ballast"

    @property
    def free_bytes(self) -> int:
        """Bytes that are left."""
        return shutil.disk_usage(self.place).free

    def fill(self, leave_bytes: int) -> None:
        """Fill it until only so much is left."""
        with self._ballast.open("ab") as ballast:
            while (room := self.free_bytes - leave_bytes) > 0:
                try:
                    ballast.write(bytes(min(room, _PIECE_BYTES)))
                    ballast.flush()
                except OSError:
                    return

    def empty(self) -> None:
        """Take the ballast away."""
        self._ballast.unlink(missing_ok=True)


@contextmanager
def small_disk(place: Path, size_bytes: int) -> Iterator[SmallDisk]:
    """Mount a tmpfs of this size; it is unmounted at the end.

    Raises:
        Skipped: this machine does not let us mount.

    """
    if os.geteuid() != 0:
        raise Skipped("mounting a small disk needs root")
    if shutil.which("mount") is None or shutil.which("umount") is None:
        raise Skipped("`mount` is missing")
    place.mkdir(parents=True, exist_ok=True)
    options = f"size={size_bytes},mode=0700"
    made = _tried("mount", "-t", "tmpfs", "-o", options, "danglian-chaos", str(place))
    if made.returncode:
        raise Skipped(f"a tmpfs cannot be mounted here: {made.stderr.strip()}")
    try:
        yield SmallDisk(place)
    finally:
        if _tried("umount", str(place)).returncode:
            # Somebody still looks into it: the mount goes when they do.
            _tried("umount", "--lazy", str(place))


def _tried(*command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=20)
