"""Child processes of a benchmark: started here, listened to, measured from /proc, ended here and nowhere else.

A worker of ours speaks in lines of JSON on its standard output, each with the key ``said``; other lines are ignored.
Times are ``time.monotonic()``, which all processes of one machine share.
"""

import asyncio
import contextlib
import os
import re
import sys
import time
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import AsyncIterator, Collection, Mapping
from pathlib import Path

import msgspec

PROJECT = Path(__file__).resolve().parents[2]

STOP_S = 15.0
"""Seconds that a process may take to end by itself before it is killed."""

SAY_S = 300.0
"""Seconds that a worker may take to say what is waited for."""


class Said(msgspec.Struct, frozen=True, kw_only=True):
    """One line of a worker."""

    said: str
    at: float = 0.0
    values: tuple[float, ...] = ()
    text: str = ""


def say(said: str, *values: float, text: str = "") -> None:
    """Tell the benchmark something, from inside a worker."""
    line = Said(said=said, at=time.monotonic(), values=values, text=text)
    sys.stdout.write(msgspec.json.encode(line).decode() + "\n")
    sys.stdout.flush()


class Program:
    """One running process."""

    def __init__(self, process: Process, log: Path) -> None:
        self._process = process
        self.log = log

    @property
    def pid(self) -> int:
        """The process id."""
        return self._process.pid

    @property
    def has_ended(self) -> bool:
        """Whether the process is gone."""
        return self._process.returncode is not None

    async def heard(self, said: str, within_s: float = SAY_S) -> Said:
        """The next line in which the worker says ``said``; what it says before that is dropped."""
        stream = self._process.stdout
        if stream is None:
            raise RuntimeError("this program's output is not read")
        async with asyncio.timeout(within_s):
            while line := await stream.readline():
                with contextlib.suppress(msgspec.DecodeError):
                    heard = msgspec.json.decode(line, type=Said)
                    if heard.said == said:
                        return heard
        raise RuntimeError(f"the program ended before it said {said!r}:\n{self.log.read_text()[-3000:]}")

    async def stop(self) -> None:
        """End the process as an operator would; one that does not obey is killed."""
        if self._process.returncode is not None:
            return
        with contextlib.suppress(ProcessLookupError):
            self._process.terminate()
        try:
            await asyncio.wait_for(self._process.wait(), STOP_S)
        except TimeoutError:
            self._process.kill()
            await self._process.wait()

    def cpu_s(self) -> float:
        """Seconds of processor time that the process has used."""
        return cpu_s(self.pid)


@contextlib.asynccontextmanager
async def running(
    *command: str | Path, log: Path, listen: bool = True, environment: Mapping[str, str] | None = None
) -> AsyncIterator[Program]:
    """Run a command until the block ends; its standard error goes to ``log``."""
    with log.open("ab") as errors:
        process = await asyncio.create_subprocess_exec(
            *command,
            cwd=PROJECT,
            stdin=DEVNULL,
            stdout=PIPE if listen else errors,
            stderr=errors,
            env=_environment(environment),
        )
    program = Program(process, log)
    try:
        yield program
    finally:
        await program.stop()


def _environment(given: Mapping[str, str] | None) -> dict[str, str]:
    # An installed program has its bytecode; a developer's shell may forbid writing it, which triples every start.
    inherited = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return {**inherited, "PYTHONUNBUFFERED": "1", **(given or {})}


def worker(module: str, *arguments: object, python: str | Path = sys.executable) -> tuple[str, ...]:
    """The command that runs a module of the benchmark as a worker."""
    return (str(python), "-m", f"tests.bench.{module}", *map(str, arguments))


async def finished(*command: str | Path, log: Path, environment: Mapping[str, str] | None = None) -> str:
    """Run a command to its end and return its standard output.

    Raises:
        RuntimeError: it failed; carries the end of what it wrote.

    """
    process = await asyncio.create_subprocess_exec(
        *command, cwd=PROJECT, stdin=DEVNULL, stdout=PIPE, stderr=PIPE, env=_environment(environment)
    )
    async with asyncio.timeout(SAY_S):
        output, errors = await process.communicate()
    with log.open("ab") as file:
        file.write(errors)
    if process.returncode:
        raise RuntimeError(f"{command}: exit {process.returncode}\n{(output + errors).decode()[-3000:]}")
    return output.decode()


def make_nicer(pid: int, niceness: int) -> None:
    """Have a process, and the threads that it will start, give others precedence: so much niceness more than ours."""
    own = os.getpriority(os.PRIO_PROCESS, 0)
    for task in Path(f"/proc/{pid}/task").iterdir():
        with contextlib.suppress(ProcessLookupError):
            os.setpriority(os.PRIO_PROCESS, int(task.name), own + niceness)


def keep_to(pid: int, cores: Collection[int]) -> None:
    """Have a process, and the threads that it will start, compute on some of the machine's cores alone."""
    for task in Path(f"/proc/{pid}/task").iterdir():
        with contextlib.suppress(ProcessLookupError):
            os.sched_setaffinity(int(task.name), cores)


# What /proc knows


def cpu_s(pid: int) -> float:
    """Seconds of processor time that a process has used, to a nanosecond, over all its threads that live."""
    tasks = Path(f"/proc/{pid}/task")
    total_ns = 0
    for task in tasks.iterdir():
        with contextlib.suppress(FileNotFoundError):
            total_ns += int((task / "schedstat").read_text().split()[0])
    return total_ns / 1e9


def peak_rss_mb(pid: int) -> float:
    """Peak resident memory of a process in MB (1024 kB)."""
    found = re.search(r"VmHWM:\s+(\d+)", Path(f"/proc/{pid}/status").read_text())
    return int(found[1]) / 1024 if found else 0.0


def switches(pid: int) -> int:
    """How often the threads of a process went to sleep by themselves: its wake-ups."""
    total = 0
    for task in Path(f"/proc/{pid}/task").iterdir():
        found = re.search(r"^voluntary_ctxt_switches:\s+(\d+)", (task / "status").read_text(), re.MULTILINE)
        total += int(found[1]) if found else 0
    return total


class Load:
    """How busy the machine was, all processes together, between two looks."""

    def __init__(self) -> None:
        self._before = self._look()

    @staticmethod
    def _look() -> tuple[int, int]:
        fields = [int(field) for field in Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:9]]
        return sum(fields), fields[3] + fields[4]

    def busy_cores(self) -> float:
        """Processor cores in use since the last look."""
        (total_before, idle_before), (total, idle) = self._before, self._look()
        self._before = (total, idle)
        return (os.cpu_count() or 1) * (1 - (idle - idle_before) / max(1, total - total_before))
