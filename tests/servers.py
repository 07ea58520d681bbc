"""A real nats-server for a test: its own port, its own store, and the ways a server can fail.

The server is the one that the `[hub]` extra installs. It listens on 127.0.0.1 only, and a test ends nothing but the
processes started here. A frozen server (`freeze`) keeps its sockets open and answers nothing: from the other end it
looks like a link that swallows everything.
"""

import asyncio
import contextlib
import os
import shutil
import signal
import socket
import sysconfig
import time
from asyncio.subprocess import DEVNULL, Process
from collections.abc import Mapping
from pathlib import Path

READY_S = 20.0
"""Seconds that a server may take until it accepts connections."""

STOP_S = 10.0
"""Seconds that a server may take to stop by itself before it is killed."""

FREEZE_S = 10.0
"""Seconds that a process may go on after it was told to stop where it stands."""

_POLL_S = 0.02

_STILL = frozenset("TtZXx")
"""States of a thread that runs no more, in Linux's letters: stopped, or ended."""

_LOOPBACK = "127.0.0.1"


class ServerFailedError(AssertionError):
    """The server did not start; carries the end of its log."""


def nats_server_program() -> Path:
    """Where the environment's nats-server is."""
    found = shutil.which("nats-server", path=sysconfig.get_path("scripts"))
    if found is None:
        raise ServerFailedError("nats-server is missing: run `make test`, which installs the [hub] extra")
    return Path(found)


def free_port() -> int:
    """A TCP port of 127.0.0.1 that nobody uses at this moment."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.bind((_LOOPBACK, 0))
        return int(probe.getsockname()[1])


def stop_where_it_stands(process_id: int) -> None:
    """Stop a process, and return when none of its threads runs any more.

    The signal is handed to one thread, and the others go on until that one has had a processor: measured on a busy
    machine, a broker still acknowledged one publish of four that was sent after the signal.
    """
    os.kill(process_id, signal.SIGSTOP)
    give_up_at = time.monotonic() + FREEZE_S
    while not is_still(process_id):
        if time.monotonic() > give_up_at:
            raise ServerFailedError(f"process {process_id} still runs {FREEZE_S} s after it was stopped")
        time.sleep(0.001)


def is_still(process_id: int) -> bool:
    """Whether no thread of a process runs."""
    for thread in Path(f"/proc/{process_id}/task").glob("*/stat"):
        # One that has ended since it was listed runs no more either.
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            # The name before the state is in parentheses, and may hold some itself.
            if thread.read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()[0] not in _STILL:
                return False
    return True


class NatsServer:
    """One nats-server process and the folder it lives in.

    - `config` is NATS configuration text, appended to what every test server has (listen address, server name, log).
    - `jetstream` is the text inside the `jetstream` block, beside the store folder; `None` leaves JetStream off.
    - `environment` is the process's whole environment; `None` gives it ours.
    - The port and the store stay the same over `restart`, so clients find the same server with the same streams.
    """

    def __init__(
        self,
        directory: Path,
        *,
        name: str = "hub",
        config: str = "",
        jetstream: str | None = "sync_interval: always",
        port: int | None = None,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self.directory = directory
        self.name = name
        self.port = free_port() if port is None else port
        self.store = directory / "store"
        self.config_file = directory / f"{name}.conf"
        self.log_file = directory / f"{name}.log"
        self._jetstream = jetstream
        self._environment = environment
        self._process: Process | None = None
        directory.mkdir(parents=True, exist_ok=True)
        self.configure(config)

    @property
    def url(self) -> str:
        """Where a plain client connects; a test with `tls` in its configuration builds its own address from `port`."""
        return f"nats://{_LOOPBACK}:{self.port}"

    @property
    def pid(self) -> int:
        """The process id of the running server."""
        return self._running().pid

    @property
    def log(self) -> str:
        """All that the server has logged since it was first started."""
        return self.log_file.read_text(encoding="utf-8", errors="replace") if self.log_file.exists() else ""

    def configure(self, config: str) -> None:
        """Write the configuration file; a running server reads it at `reload` or `restart`."""
        lines = [f'listen: "{_LOOPBACK}:{self.port}"', f'server_name: "{self.name}"', f'log_file: "{self.log_file}"']
        if self._jetstream is not None:
            lines.append(f'jetstream {{\n  store_dir: "{self.store}"\n  {self._jetstream}\n}}')
        self.config_file.write_text("\n".join([*lines, config, ""]), encoding="utf-8")

    async def start(self) -> None:
        """Start the process and return when it accepts connections (and JetStream answers, where it is on)."""
        if self._process is not None and self._process.returncode is None:
            raise ServerFailedError(f"{self.name} runs already")
        seen = len(self.log)
        self._process = await asyncio.create_subprocess_exec(
            nats_server_program(),
            *("--config", self.config_file),
            stdin=DEVNULL,
            stdout=DEVNULL,
            stderr=DEVNULL,
            env=self._environment,
        )
        try:
            async with asyncio.timeout(READY_S):
                while "Server is ready" not in self.log[seen:]:
                    if self._process.returncode is not None:
                        raise ServerFailedError(f"{self.name} ended at once:\n{self.log[-2000:]}")
                    await asyncio.sleep(_POLL_S)
        except TimeoutError as error:
            await self.kill()
            raise ServerFailedError(f"{self.name} not ready after {READY_S} s:\n{self.log[-2000:]}") from error

    async def stop(self) -> None:
        """Stop the process as an operator would; one that does not obey is killed. Stopping twice is harmless."""
        await self._end(signal.SIGTERM)

    async def kill(self) -> None:
        """End the process without warning, as a power cut would; harmless when it has ended."""
        await self._end(signal.SIGKILL)

    async def restart(self, *, down_s: float = 0.0, kill: bool = False) -> None:
        """End the server, leave it down for a while, start it again on the same port and store."""
        await (self.kill() if kill else self.stop())
        await asyncio.sleep(down_s)
        await self.start()

    def freeze(self) -> None:
        """Stop the process where it stands: connections stay open and nothing is answered, from now on."""
        stop_where_it_stands(self.pid)

    def thaw(self) -> None:
        """Let a frozen process go on."""
        self._running().send_signal(signal.SIGCONT)

    def reload(self) -> None:
        """Have the server read its configuration file again; clients whose rights did not change stay connected."""
        self._running().send_signal(signal.SIGHUP)

    def _running(self) -> Process:
        if self._process is None or self._process.returncode is not None:
            raise ServerFailedError(f"{self.name} does not run")
        return self._process

    async def _end(self, how: signal.Signals) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        with contextlib.suppress(ProcessLookupError):
            process.send_signal(how)
            # A frozen process acts on the signal only once it goes on.
            process.send_signal(signal.SIGCONT)
        try:
            await asyncio.wait_for(process.wait(), STOP_S)
        except TimeoutError:
            process.kill()
            await process.wait()
