"""The commands of the hub, run as a person would: what the demonstration says of the county, they said first."""

import asyncio
import sys
from pathlib import Path

import msgspec

COMMAND_DEADLINE_S = 120.0
"""Seconds that one command may take."""


class Said(msgspec.Struct, frozen=True, kw_only=True):
    """What a command answered."""

    exit_code: int
    output: bytes
    complaint: str


async def hub_command(home: Path, *arguments: str) -> Said:
    """Run `danglian-hub` with these arguments; one that takes too long is killed and counts as failed."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "hub",
        *arguments,
        "--home",
        str(home),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        start_new_session=True,
    )
    try:
        async with asyncio.timeout(COMMAND_DEADLINE_S):
            output, complaint = await process.communicate()
    except BaseException as error:
        process.kill()
        await process.wait()
        if isinstance(error, TimeoutError):
            return Said(exit_code=-1, output=b"", complaint=f"no answer in {COMMAND_DEADLINE_S:.0f} s")
        raise
    return Said(exit_code=process.returncode or 0, output=output, complaint=complaint.decode("utf-8", errors="replace"))
