"""Starting a program for a test without the second of processor time that its imports take.

A county of tests runs some thousand commands, and each took longer to import than to do its work. One ``launcher`` for
each process of pytest imports the programs once; what it starts is a process of its own all the same, with its own
files, environment and signals, and it runs the program's ``__main__``. Whoever wants a start as cold as an operator's
asks ``asyncio`` for it.
"""

import asyncio
import atexit
import os
import signal
import socket
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO

import msgspec

from tests.system.launcher import Launch

PROJECT = Path(__file__).parents[2]

_launchers: dict[tuple[int, tuple[str, ...]], socket.socket] = {}
"""The way to the launchers of each process that asked for some, by the words before their command lines: a fork of
pytest must not use its parent's, and what is to run in a namespace is forked in it."""


class Launched:
    """A program that was started: as much of ``asyncio.subprocess.Process`` as tests use."""

    def __init__(self, told: int, output: IO[bytes] | None, errors: IO[bytes] | None) -> None:
        self.pid = 0
        self.returncode: int | None = None
        self._told = told
        self._output = output
        self._errors = errors
        self._heard = b""
        self._started = asyncio.Event()
        self._ended = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(told, self._hear)

    def _hear(self) -> None:
        """Take in the process id, and at the end the exit code."""
        part = os.read(self._told, 64)
        self._heard += part
        lines = self._heard.split(b"\n")[:-1]
        if lines and not self.pid:
            self.pid = int(lines[0])
            self._started.set()
        if len(lines) > 1 or not part:
            self._loop.remove_reader(self._told)
            os.close(self._told)
            # A launcher that ends before its program can tell nothing of it.
            self.returncode = int(lines[1]) if len(lines) > 1 else -signal.SIGKILL
            self._started.set()
            self._ended.set()

    async def started(self) -> None:
        """Wait until it has a process id."""
        await self._started.wait()

    async def wait(self) -> int:
        """Wait for its end and return its exit code."""
        await self._ended.wait()
        return self.returncode or 0

    async def communicate(self) -> tuple[bytes, bytes]:
        """Wait for its end and return what it wrote, as far as it was to be kept."""
        try:
            await self.wait()
        except asyncio.CancelledError:
            # Nobody waits for it any more, so nobody reads what it writes.
            for kept in (self._output, self._errors):
                if kept is not None:
                    kept.close()
            raise
        return _content(self._output), _content(self._errors)

    def send_signal(self, how: int) -> None:
        """Send it a signal.

        Raises:
            ProcessLookupError: it has ended.

        """
        if self.returncode is not None:
            raise ProcessLookupError
        os.kill(self.pid, how)

    def terminate(self) -> None:
        """Ask it to end."""
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """End it."""
        self.send_signal(signal.SIGKILL)


def _content(kept: IO[bytes] | None) -> bytes:
    if kept is None:
        return b""
    with kept:
        kept.seek(0)
        return kept.read()


async def launch(
    module: str,
    arguments: Sequence[str],
    environment: Mapping[str, str],
    *,
    log: IO[bytes] | None = None,
    within: Sequence[str] = (),
) -> Launched:
    """Start a program; what it writes is kept for ``communicate``, or goes to ``log``.

    ``within`` are words before the command line of the launcher itself, such as ``ip netns exec NAME``.
    """
    asked = _launcher(tuple(within))
    told, telling = os.pipe()
    os.set_blocking(told, False)
    # Files and no pipes: nobody has to read while it writes. Whoever waits for the answer closes them.
    output = tempfile.TemporaryFile() if log is None else log  # noqa: SIM115 - as above
    errors = tempfile.TemporaryFile() if log is None else log  # noqa: SIM115 - as above
    message = Launch(module=module, arguments=list(arguments), environment=dict(environment), folder=str(Path.cwd()))
    launched = Launched(told, *((output, errors) if log is None else (None, None)))
    socket.send_fds(asked, [msgspec.json.encode(message)], [output.fileno(), errors.fileno(), telling])
    os.close(telling)
    await launched.started()
    return launched


def _launcher(within: tuple[str, ...]) -> socket.socket:
    """Return the way to our launcher, which is started at the first use."""
    known = _launchers.get((os.getpid(), within))
    if known is None:
        known, other = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with other:
            other.set_inheritable(True)
            command = [*within, sys.executable, "-m", "tests.system.launcher", str(other.fileno())]
            # Bytecode is written, as where a program is installed.
            environment = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}
            process = os.posix_spawnp(
                command[0],
                command,
                environment | {"PYTHONPATH": str(PROJECT)},
                file_actions=[(os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0)],
            )
        _launchers[os.getpid(), within] = known
        atexit.register(_end, known, process)
    return known


def _end(asked: socket.socket, process: int) -> None:
    asked.close()
    os.waitpid(process, 0)
