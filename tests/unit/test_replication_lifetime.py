"""The life of a daemon, as whoever started the process sees it: real processes, real signals, exit codes."""

import asyncio
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from replication.lifetime import EXIT_OK, EXIT_OVERDUE

DAEMON = """
import asyncio, contextlib, sys
from replication import lifetime
from replication.logs import configure_logs

configure_logs(level="info")
lifetime.STOP_DEADLINE_S = 0.5

@contextlib.asynccontextmanager
async def part(name, closing_s):
    try:
        yield
    finally:
        await asyncio.sleep(closing_s)
        print("closed", name, flush=True)

async def program():
    async with part("first", {closing_s}), part("second", 0):
        print("ready", flush=True)
        {work}

sys.exit(lifetime.run_until_stopped(program()))
"""

FAILED = 1
"""What an interpreter ends with that an error has ended."""


async def started(
    project: Path, *, closing_s: float = 0.0, work: str = "await asyncio.sleep(60)"
) -> asyncio.subprocess.Process:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        DAEMON.format(closing_s=closing_s, work=work),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=project,
    )
    assert process.stdout is not None
    async with asyncio.timeout(30):
        assert await process.stdout.readline() == b"ready\n"
    return process


async def ended(process: asyncio.subprocess.Process) -> tuple[int, list[str], str]:
    """Wait for the end; return exit code, what was printed, and what was said on standard error."""
    async with asyncio.timeout(30):
        out, err = await process.communicate()
    assert process.returncode is not None
    return process.returncode, out.decode().splitlines(), err.decode()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_stop_signal_closes_the_parts_in_reverse_and_is_no_failure(project: Path, number: int) -> None:
    process = await started(project)
    process.send_signal(number)

    code, printed, said = await ended(process)

    assert (code, printed) == (EXIT_OK, ["closed second", "closed first"])
    assert "stopping" in said
    assert "stopped" in said


async def test_closing_that_takes_too_long_is_cut_off(project: Path) -> None:
    """A village PC that shuts down must not wait for us."""
    process = await started(project, closing_s=30.0)
    process.terminate()

    code, printed, _ = await ended(process)

    assert (code, printed) == (EXIT_OVERDUE, ["closed second"])


async def test_a_second_signal_ends_the_process_at_once(project: Path) -> None:
    process = await started(project, closing_s=0.4)
    process.terminate()
    assert process.stdout is not None
    assert await process.stdout.readline() == b"closed second\n"
    process.terminate()

    code, printed, _ = await ended(process)

    assert (code, printed) == (EXIT_OVERDUE, [])


async def test_a_stop_within_its_deadline_is_not_cut_off_afterwards(project: Path) -> None:
    process = await started(project, closing_s=0.2)
    process.terminate()

    assert (await ended(process))[:2] == (EXIT_OK, ["closed second", "closed first"])


async def test_an_unexpected_error_closes_everything_and_fails(project: Path) -> None:
    """The service manager starts the daemon again."""
    process = await started(project, work="raise LookupError('nobody expected this')")

    code, printed, said = await ended(process)

    assert (code, printed) == (FAILED, ["closed second", "closed first"])
    assert "LookupError: nobody expected this" in said


async def test_a_cancellation_from_inside_is_no_stop(project: Path) -> None:
    process = await started(project, work="raise asyncio.CancelledError")

    code, _, said = await ended(process)

    assert code == FAILED
    assert "CancelledError" in said


async def test_a_program_that_ends_by_itself_has_done_its_work(project: Path) -> None:
    process = await started(project, work="pass")

    assert (await ended(process))[:2] == (EXIT_OK, ["closed second", "closed first"])
