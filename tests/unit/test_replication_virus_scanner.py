"""clamd's own protocol on a real socket, as its manual describes it, and everything that is no answer."""

import socket
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from replication.checks import virus_scanner
from replication.checks.virus_scanner import ScannerAddress, VirusScanner


@contextmanager
def speaking(talk: Callable[[socket.socket], None]) -> Iterator[VirusScanner]:
    """A scanner that serves one visitor after the other with ``talk``."""
    server = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        while True:
            try:
                line, _ = server.accept()
            except OSError:
                return
            with line:
                talk(line)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield VirusScanner(ScannerAddress(host="127.0.0.1", port=server.getsockname()[1]))
    finally:
        server.shutdown(socket.SHUT_RDWR)
        server.close()
        thread.join()


def exactly(line: socket.socket, count: int) -> bytes:
    heard = b""
    while len(heard) < count and (piece := line.recv(count - len(heard))):
        heard += piece
    return heard


@pytest.fixture
def scan(tmp_path: Path) -> Path:
    path = tmp_path / "a.tif"
    path.write_bytes(bytes(range(256)) * 10_000)
    return path


def test_what_is_sent_is_the_manuals_stream_of_pieces(scan: Path) -> None:
    heard: list[bytes] = []

    def talk(line: socket.socket) -> None:
        heard.append(exactly(line, len(b"zINSTREAM\0")))
        content = b""
        while size := struct.unpack("!L", exactly(line, 4))[0]:
            content += exactly(line, size)
        heard.append(content)
        line.sendall(b"stream: OK\0")

    with speaking(talk) as scanner:
        found = scanner.scan(scan)

    assert found.is_clean is True
    assert heard == [b"zINSTREAM\0", scan.read_bytes()]


def test_a_scanner_that_closes_its_ear_at_its_limit_is_not_clean(scan: Path) -> None:
    """It answers before it has heard all, and closes; what was not read resets the line."""

    def talk(line: socket.socket) -> None:
        exactly(line, 1000)
        line.sendall(b"INSTREAM size limit exceeded. ERROR\0")

    with speaking(talk) as scanner:
        try:
            assert scanner.scan(scan).is_clean is None
        except OSError:
            # The reset took the answer with it; the rule says that it has not run.
            return


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        (b"stream: Eicar-Signature FOUND\0", False),
        (b"stream: Heuristics.Encrypted.Zip FOUND\0", False),
        (b"INSTREAM size limit exceeded. ERROR\0", None),
        (b"stream: Can't allocate memory ERROR\0", None),
        (b"UNKNOWN COMMAND\0", None),
        (b"stream: NOT OK\0", None),
        (b"\0", None),
    ],
)
def test_only_its_own_words_are_a_verdict(scan: Path, said: bytes, expected: bool | None) -> None:
    def talk(line: socket.socket) -> None:
        exactly(line, len(b"zINSTREAM\0"))
        while size := struct.unpack("!L", exactly(line, 4))[0]:
            exactly(line, size)
        line.sendall(said)

    with speaking(talk) as scanner:
        assert scanner.scan(scan).is_clean is expected


@pytest.mark.parametrize("said", [b"", b"stream: OK"])
def test_an_answer_that_was_cut_is_none(scan: Path, said: bytes) -> None:
    def talk(line: socket.socket) -> None:
        exactly(line, len(b"zINSTREAM\0"))
        while size := struct.unpack("!L", exactly(line, 4))[0]:
            exactly(line, size)
        line.sendall(said)

    with speaking(talk) as scanner, pytest.raises(OSError, match="without an answer"):
        scanner.scan(scan)


def test_a_scanner_that_says_nothing_is_given_up(scan: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(virus_scanner, "ANSWER_S", 0.2)
    over = threading.Event()

    def talk(line: socket.socket) -> None:
        over.wait(30)
        line.close()

    with speaking(talk) as scanner:
        with pytest.raises(TimeoutError):
            scanner.scan(scan)
        over.set()


def test_a_scanner_that_drips_is_given_up(scan: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each byte comes in time, the answer never does."""
    monkeypatch.setattr(virus_scanner, "SCAN_S", 0.3)

    def talk(line: socket.socket) -> None:
        exactly(line, len(b"zINSTREAM\0"))
        while size := struct.unpack("!L", exactly(line, 4))[0]:
            exactly(line, size)
        try:
            while True:
                line.sendall(b".")
        except OSError:
            return

    monkeypatch.setattr(virus_scanner, "ANSWER_BYTES_MAX", 1_000_000_000)
    with speaking(talk) as scanner, pytest.raises(TimeoutError):
        scanner.scan(scan)


def test_the_age_of_the_signatures_is_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """A hub runs for months; signatures come every day, and they date what was found."""
    told = iter(range(10))

    def talk(line: socket.socket) -> None:
        exactly(line, len(b"zVERSION\0"))
        line.sendall(f"ClamAV 1.4.3/{next(told)}\0".encode())

    with speaking(talk) as scanner:
        assert (scanner.version(), scanner.version()) == ("ClamAV 1.4.3/0", "ClamAV 1.4.3/0")
        monkeypatch.setattr(virus_scanner, "VERSION_KEPT_S", -1.0)
        assert scanner.version() == "ClamAV 1.4.3/1"
