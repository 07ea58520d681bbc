"""As many files as one consignment may have, all of them tiny: ``python -m tests.bench --crowd 200000``.

What grows with the number of files is the list at both ends, so it is memory that is measured, each end with the
packages of its site.
"""

import os
import random
from collections.abc import Sequence
from pathlib import Path

from tests.bench.carriage import Pythons, carry
from tests.bench.figures import Figure
from tests.bench.village import village

SIZES = (100, 900)
"""Bytes of the smallest and the largest file."""

FOLDER_FILES = 400
"""Files of one folder."""


async def measure_crowd(folder: Path, files: int) -> Sequence[Figure]:
    """Carry so many files once, and say how much memory each end had at most."""
    source = folder / "crowd"
    _write(source, files, random.Random(5))
    pythons = Pythons(node=await village(folder), hub=await village(folder, "hub"))
    os.sync()
    carried = await carry(folder / "carried", source, pythons)
    what = f"{files:,} files of {SIZES[0]}-{SIZES[1]} bytes"
    memory = (("hub", pythons.hub.packages, carried.hub_mb), ("node", pythons.node.packages, carried.node_mb))
    return [
        Figure(bench="carriage", what=f"{what}, synced", unit="files/s", ours=files / carried.took_s),
        *(
            Figure(bench="carriage", what=f"{what}: {end} ({has}), peak resident", unit="MB", ours=mb, target="≤ 100")
            for end, has, mb in memory
        ),
    ]


def _write(folder: Path, files: int, chance: random.Random) -> None:
    for number in range(files):
        inside = folder / f"{number // FOLDER_FILES:03d}"
        inside.mkdir(parents=True, exist_ok=True)
        (inside / f"{number:06d}.jpg").write_bytes(os.urandom(chance.randint(*SIZES)))
