"""The Python of a village PC: the lock's packages without those of the hub, the development and the benchmarks.

Some libraries load others where those happen to be installed (the log library takes rich, the NATS client aiohttp), so
a node's memory is measured with what a village gets, and nothing else within reach.
"""

import os
import sys
from pathlib import Path

import msgspec

from tests.bench.programs import PROJECT, finished

UV = Path(sys.executable).with_name("uv")
"""What made the environment that this runs in."""

SYNC = ("sync", "--frozen", "--no-dev", "--offline", "--quiet")
"""Only what the node itself needs, from the packages that are on this machine already."""


class Village(msgspec.Struct, frozen=True, kw_only=True):
    """A Python to run nodes with, and which packages it has."""

    python: Path
    packages: str


async def village(folder: Path) -> Village:
    """Make an environment in a folder; where that cannot be done, take our own and say so in ``packages``."""
    place = folder / "village"
    environment = {"UV_PROJECT_ENVIRONMENT": str(place), "UV_PYTHON_DOWNLOADS": "never"}
    command = (UV, *SYNC, "--project", PROJECT, "--python", sys.executable)
    try:
        await finished(*command, log=folder / "village.log", environment=environment)
    except (OSError, RuntimeError) as error:
        sys.stderr.write(f"no environment of a village could be made, the development's is measured: {error}\n")
        return Village(python=Path(sys.executable), packages="the development's packages")
    scripts = "Scripts" if os.name == "nt" else "bin"
    return Village(python=place / scripts / "python", packages="a village's packages")
