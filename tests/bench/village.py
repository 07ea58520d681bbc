"""The Python of a village PC: the lock's packages without those of the hub, the development and the benchmarks.

That of a hub is the same with the hub's.

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


async def village(folder: Path, extra: str = "") -> Village:
    """Make an environment in a folder; where that cannot be done, take our own and say so in ``packages``.

    With ``extra`` it has the packages of one of the project's extras as well, for example ``hub``.
    """
    kind = extra or "village"
    place = folder / kind
    environment = {"UV_PROJECT_ENVIRONMENT": str(place), "UV_PYTHON_DOWNLOADS": "never"}
    extras = ("--extra", extra) if extra else ()
    command = (UV, *SYNC, *extras, "--project", PROJECT, "--python", sys.executable)
    try:
        await finished(*command, log=folder / f"{kind}.log", environment=environment)
    except (OSError, RuntimeError) as error:
        sys.stderr.write(f"no environment of a {kind} could be made, the development's is measured: {error}\n")
        return Village(python=Path(sys.executable), packages="the development's packages")
    scripts = "Scripts" if os.name == "nt" else "bin"
    return Village(python=place / scripts / "python", packages=f"a {kind}'s packages")
