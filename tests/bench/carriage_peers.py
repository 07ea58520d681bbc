"""The peers of a carriage: rsync and Syncthing, where they are installed, on the same files in the same run.

Both copy between two folders of this machine over 127.0.0.1: rsync from its own daemon, Syncthing between two of its
own processes, whose sender has summed its files before the clock starts.
"""

import asyncio
import re
import shutil
import time
import urllib.error
import urllib.request
from asyncio.subprocess import DEVNULL
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec

from tests.servers import free_port

_KEY = "bench"
_POLL_S = 0.1
_PATIENCE_S = 280.0
_OFFLINE = {
    "globalAnnounceEnabled": "false",
    "localAnnounceEnabled": "false",
    "relaysEnabled": "false",
    "natEnabled": "false",
    "urAccepted": "-1",
    "crashReportingEnabled": "false",
    "startBrowser": "false",
    "autoUpgradeIntervalH": "0",
    "reconnectionIntervalS": "1",
    "apikey": _KEY,
}


def count_in(folder: Path) -> int:
    """Files under a folder."""
    return sum(1 for path in folder.rglob("*") if path.is_file())


async def rsync_s(source: Path, into: Path, folder: Path) -> float | None:
    """Seconds that ``rsync -a --fsync`` takes; None where it is not installed."""
    program = shutil.which("rsync")
    if program is None:
        return None
    folder.mkdir(parents=True, exist_ok=True)
    port = free_port()
    (folder / "rsyncd.conf").write_text(
        f"address = 127.0.0.1\nport = {port}\nuse chroot = no\npid file = {folder}/pid\nlog file = {folder}/log\n"
        f"[f]\npath = {source}\nread only = yes\n"
    )
    daemon = await asyncio.create_subprocess_exec(
        program, "--daemon", "--no-detach", f"--config={folder}/rsyncd.conf", stdin=DEVNULL
    )
    try:
        await asyncio.sleep(0.5)
        began = time.monotonic()
        copying = await asyncio.create_subprocess_exec(
            program, "-a", "--fsync", f"rsync://127.0.0.1:{port}/f/", str(into), stdin=DEVNULL
        )
        code = await copying.wait()
        took_s = time.monotonic() - began
    finally:
        daemon.terminate()
        await daemon.wait()
    return took_s if code == 0 and count_in(into) == count_in(source) else None


class _Status(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    state: str = ""
    local_files: int = 0
    global_files: int = 0
    need_files: int = 0
    need_bytes: int = 0


class _Syncthing:
    """One Syncthing with a home and ports of its own."""

    def __init__(self, home: Path, device: str, page: int, port: int) -> None:
        self.home = home
        self.device = device
        self.page = page
        self.port = port

    def call(self, method: str, path: str, body: object = None) -> bytes:
        """Call its interface."""
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.page}/rest/{path}",
            method=method,
            headers={"X-API-Key": _KEY},
            data=msgspec.json.encode(body) if body is not None else None,
        )
        with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310 - as above
            return bytes(answer.read())

    def know(self, other: "_Syncthing", *, paused: bool = False) -> None:
        """Take another one for a peer; while it is paused, nothing moves."""
        self.call(
            "PUT",
            f"config/devices/{other.device}",
            {
                "deviceID": other.device,
                "name": "peer",
                "addresses": [f"tcp://127.0.0.1:{other.port}"],
                "compression": "metadata",
                "paused": paused,
            },
        )

    def share(self, folder: Path, other: "_Syncthing") -> None:
        """Share a folder."""
        folder.mkdir(parents=True, exist_ok=True)
        self.call(
            "PUT",
            "config/folders/f",
            {"id": "f", "label": "f", "path": str(folder), "devices": [{"deviceID": other.device}]},
        )

    def status(self) -> _Status:
        """How far the folder is; nothing while it does not answer."""
        try:
            return msgspec.json.decode(self.call("GET", "db/status?folder=f"), type=_Status)
        except (urllib.error.URLError, OSError):
            return _Status()


@asynccontextmanager
async def _syncthing(program: str, home: Path) -> AsyncIterator[_Syncthing]:
    made = await asyncio.create_subprocess_exec(
        program, "generate", f"--home={home}", "--no-default-folder", stdin=DEVNULL, stdout=DEVNULL, stderr=DEVNULL
    )
    await made.wait()
    config = (home / "config.xml").read_text()
    page, port = free_port(), free_port()
    for name, value in {**_OFFLINE, "listenAddress": f"tcp://127.0.0.1:{port}"}.items():
        config = re.sub(rf"<{name}>.*?</{name}>", f"<{name}>{value}</{name}>", config)
    (home / "config.xml").write_text(config)
    device = re.search(r'<device id="([^"]+)"', config)
    process = await asyncio.create_subprocess_exec(
        program,
        *("serve", f"--home={home}", "--no-browser", "--no-restart", "--no-upgrade"),
        *(f"--gui-address=127.0.0.1:{page}", f"--gui-apikey={_KEY}", f"--logfile={home}/log"),
        stdin=DEVNULL,
        stdout=DEVNULL,
        stderr=DEVNULL,
    )
    one = _Syncthing(home, device[1] if device else "", page, port)
    try:
        async with asyncio.timeout(30):
            while True:
                try:
                    await asyncio.to_thread(one.call, "GET", "system/ping")
                    break
                except OSError:
                    await asyncio.sleep(_POLL_S)
        yield one
    finally:
        process.terminate()
        await process.wait()


async def syncthing_s(source: Path, into: Path, folder: Path) -> float | None:
    """Seconds that Syncthing takes from meeting its peer until everything is there; None where it is not installed."""
    program = shutil.which("syncthing")
    if program is None:
        return None
    wanted = count_in(source)
    try:
        async with (
            asyncio.timeout(_PATIENCE_S),
            _syncthing(program, folder / "a") as sender,
            _syncthing(program, folder / "b") as receiver,
        ):
            sender.know(receiver, paused=True)
            receiver.know(sender)
            sender.share(source, receiver)
            while (status := await asyncio.to_thread(sender.status)).state != "idle" or status.local_files < wanted:
                await asyncio.sleep(_POLL_S)
            receiver.share(into, sender)
            await asyncio.sleep(2)
            began = time.monotonic()
            sender.know(receiver)
            while not _is_complete(await asyncio.to_thread(receiver.status), wanted):
                await asyncio.sleep(_POLL_S)
            return time.monotonic() - began
    except TimeoutError:
        return None
    finally:
        shutil.rmtree(source / ".stfolder", ignore_errors=True)


def _is_complete(status: _Status, wanted: int) -> bool:
    return status.state == "idle" and status.global_files >= wanted and not status.need_files and not status.need_bytes
