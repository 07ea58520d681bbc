"""``make bench``: run the benchmarks and print their table.

Nothing here passes or fails: a figure is read beside the floor and the peer of the same run.
"""

import argparse
import asyncio
import datetime
import importlib
import os
import platform
import random
import sys
import tempfile
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

import msgspec

from tests.bench.carriage_crowd import measure_crowd
from tests.bench.carriage_kills import measure_kills
from tests.bench.figures import QUICK, Figure, Scale, table
from tests.bench.programs import Load

Bench = Callable[[Scale, Path], Awaitable[Sequence[Figure]]]

BENCHES = ("breakdown", "steady", "change", "outage", "live", "idle", "fairness", "beside", "carriage", "checks")
"""Modules of this folder, each with ``measure(scale, folder)``, in the order in which they run."""


def _arguments(given: Sequence[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("--only", action="append", choices=BENCHES, help="run this benchmark; may be repeated")
    parser.add_argument("--rows", type=int, help="rows of a sheet")
    parser.add_argument("--rounds", type=int, help="repetitions of a long measurement")
    parser.add_argument("--quick", action="store_true", help="a small run: shows that everything works, not how fast")
    parser.add_argument("--kill", action="store_true", help="kill both ends of one large carriage again and again")
    parser.add_argument("--large-gb", type=float, default=10.0, help="GB of that carriage (10)")
    parser.add_argument("--seed", type=int, default=1, help="of the kills (1)")
    parser.add_argument("--crowd", type=int, metavar="FILES", help="carry so many tiny files once, for their memory")
    parser.add_argument("--json", type=Path, help="also write the figures to this file")
    parser.add_argument("--folder", type=Path, help="work in this folder and leave it there")
    return parser.parse_args(given)


def _scale(arguments: argparse.Namespace) -> Scale:
    scale = QUICK if arguments.quick else Scale()
    given = {name: getattr(arguments, name) for name in ("rows", "rounds") if getattr(arguments, name) is not None}
    return msgspec.structs.replace(scale, **given)


def _heading(load: Load) -> str:
    now = datetime.datetime.now(datetime.UTC)
    machine = f"{os.cpu_count()} cores, {platform.system()} {platform.machine()}, Python {platform.python_version()}"
    return f"{now:%Y-%m-%d %H:%M} UTC · {machine} · {load.busy_cores():.1f} cores were busy before the run"


async def _measure(names: Sequence[str], scale: Scale, folder: Path) -> list[Figure]:
    figures: list[Figure] = []
    for name in names:
        sys.stderr.write(f"{name} …\n")
        measure: Bench = importlib.import_module(f"tests.bench.{name}").measure
        inside = folder / name
        inside.mkdir(parents=True, exist_ok=True)
        found = await measure(scale, inside)
        sys.stderr.write(table(found) + "\n\n")
        figures.extend(found)
    return figures


def main(given: Sequence[str] | None = None) -> int:
    """Run what was asked for."""
    arguments, load = _arguments(given), Load()
    with tempfile.TemporaryDirectory(prefix="danglian-bench-") as temporary:
        folder = arguments.folder or Path(temporary)
        heading = asyncio.run(_heading_after_a_second(load))
        figures = asyncio.run(_asked_for(arguments, folder))
    print(f"{heading}\n\n{table(figures)}")
    if arguments.json:
        arguments.json.write_bytes(msgspec.json.format(msgspec.json.encode(figures)))
    return 0


async def _asked_for(arguments: argparse.Namespace, folder: Path) -> Sequence[Figure]:
    if arguments.kill:
        return await measure_kills(folder / "kills", arguments.large_gb, random.Random(arguments.seed))
    if arguments.crowd:
        return await measure_crowd(folder / "crowd", arguments.crowd)
    return await _measure(arguments.only or BENCHES, _scale(arguments), folder)


async def _heading_after_a_second(load: Load) -> str:
    await asyncio.sleep(1)
    return _heading(load)


if __name__ == "__main__":
    sys.exit(main())
