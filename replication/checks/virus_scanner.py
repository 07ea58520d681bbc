"""The virus scanner clamd over its socket: files are sent piece by piece (INSTREAM), so it may run anywhere.

The protocol is that of clamd's own manual: ``zINSTREAM`` and a zero, then pieces with their length in four bytes in the
order of the network, then a length of zero; the answer is ``stream: OK``, ``stream: NAME FOUND``, or says ``ERROR``.
Where no scanner is set, or it is down, the rule reads "not run": nobody looked, and that is never "clean".
"""

import socket
import struct
import time
from contextlib import closing
from pathlib import Path
from typing import Final

import msgspec

from protocol.errors import BadSetting
from protocol.wording import Text
from replication.packages.reading import PIECE_BYTES, pieces_of

CONNECT_S = 5.0
"""Seconds to reach the scanner."""

ANSWER_S = 120.0
"""Seconds that the scanner may take over one file."""

SCAN_S = 900.0
"""Seconds that sending one file and hearing of it may take in all."""

VERSION_KEPT_S = 600.0
"""Seconds after which the scanner is asked again how old its signatures are."""

ANSWER_BYTES_MAX = 4096
"""Bytes of its answer that are read."""

_FOUND: Final = b" FOUND"
_CLEAN: Final = b"stream: OK"


class ScannerAddress(msgspec.Struct, frozen=True, kw_only=True):
    """Where clamd listens: a host and port, or the path of a local socket."""

    host: str = ""
    port: int = 0
    path: str = ""


class Scan(msgspec.Struct, frozen=True, kw_only=True):
    """What the scanner said of one file; ``is_clean`` is None where it did not come to say."""

    is_clean: bool | None
    said: str


def scanner_address(setting: str) -> ScannerAddress:
    """Read ``tcp:127.0.0.1:3310`` or ``unix:/run/clamav/clamd.ctl``.

    Raises:
        BadSetting: it is neither.

    """
    kind, _, rest = setting.partition(":")
    host, _, port = rest.rpartition(":")
    if kind == "unix" and rest.startswith("/"):
        return ScannerAddress(path=rest)
    if kind == "tcp" and host and port.isdigit() and 0 < int(port) < 65536:
        return ScannerAddress(host=host, port=int(port))
    raise BadSetting(
        Text(zh=f"病毒扫描器地址“{setting}”无法识别", en=f"the scanner's address {setting!r} cannot be read"),
        Text(zh="写成 tcp:127.0.0.1:3310 或 unix:/路径。", en="Write tcp:127.0.0.1:3310 or unix:/path."),
    )


class VirusScanner:
    """Speaks to one clamd; a connection for each file, as clamd wants it."""

    def __init__(self, address: ScannerAddress) -> None:
        self.address = address
        self._version = ""
        self._told_at_s = 0.0

    def version(self) -> str:
        """Return program and signatures as the scanner names them; they date what was found.

        Raises:
            OSError: the scanner is down.

        """
        now_s = time.monotonic()
        if not self._version or now_s - self._told_at_s > VERSION_KEPT_S:
            with closing(self._connected()) as line:
                line.sendall(b"zVERSION\0")
                self._version = _answer(line, now_s + ANSWER_S).decode("utf-8", "replace")
                self._told_at_s = now_s
        return self._version

    def scan(self, path: Path) -> Scan:
        """Send a file and return what the scanner says of it.

        Raises:
            OSError: the scanner is down, or gave up; or the file cannot be read.

        """
        until_s = time.monotonic() + SCAN_S
        with closing(self._connected()) as line:
            line.settimeout(ANSWER_S)
            line.sendall(b"zINSTREAM\0")
            try:
                for piece in pieces_of(path):
                    if time.monotonic() > until_s:
                        raise TimeoutError(f"not taken within {SCAN_S:g} s")
                    line.sendall(struct.pack("!L", len(piece)) + piece)
                line.sendall(struct.pack("!L", 0))
            except ConnectionError:
                # It has closed its ear because the file is over its limit (StreamMaxLength); it says so.
                pass
            answer = _answer(line, until_s)
        said = answer.decode("utf-8", "replace").removeprefix("stream: ")
        if answer.endswith(_FOUND):
            return Scan(is_clean=False, said=said)
        return Scan(is_clean=True if answer == _CLEAN else None, said=said)

    def _connected(self) -> socket.socket:
        address = self.address
        if not address.path:
            return socket.create_connection((address.host, address.port), CONNECT_S)
        family = getattr(socket, "AF_UNIX", None)
        if family is None:
            raise OSError("this system has no sockets in the file system")
        line = socket.socket(family, socket.SOCK_STREAM)
        try:
            line.settimeout(CONNECT_S)
            line.connect(address.path)
        except OSError:
            line.close()
            raise
        return line


def _answer(line: socket.socket, until_s: float) -> bytes:
    """Return one answer, which ends in a zero as the command did; what was cut is none."""
    answer = b""
    while b"\0" not in answer and len(answer) < ANSWER_BYTES_MAX:
        if time.monotonic() > until_s:
            raise TimeoutError("the scanner does not come to an end")
        piece = line.recv(ANSWER_BYTES_MAX)
        if not piece:
            raise OSError("the scanner closed the line without an answer")
        answer += piece
    return answer.partition(b"\0")[0].rstrip(b"\n")


assert PIECE_BYTES < 2**32  # noqa: S101 - the length of a piece is sent in four bytes
