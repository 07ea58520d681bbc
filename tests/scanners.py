"""A stand-in for the virus scanner clamd, for tests that have none."""

import socket
import struct
import threading
from collections.abc import Callable, Iterator

from replication.checks import virus_scanner
from replication.checks.virus_scanner import VirusScanner


def clamd(answer: Callable[[bytes], bytes]) -> Iterator[tuple[VirusScanner, list[bytes]]]:
    """A stand-in that speaks clamd's own protocol on a real socket."""
    server = socket.create_server(("127.0.0.1", 0))
    taken: list[bytes] = []

    def serve() -> None:
        while True:
            try:
                line, _ = server.accept()
            except OSError:
                return
            with line, line.makefile("rb") as heard:
                command = b""
                while not command.endswith(b"\0"):
                    command += heard.read(1)
                if command == b"zVERSION\0":
                    line.sendall(b"ClamAV 1.4.3/27400/Sun Nov 22 2026\0")
                    continue
                content = b""
                while size := struct.unpack("!L", heard.read(4))[0]:
                    content += heard.read(size)
                taken.append(content)
                line.sendall(answer(content))

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield VirusScanner(virus_scanner.scanner_address(f"tcp:127.0.0.1:{server.getsockname()[1]}")), taken
    finally:
        # Closing does not wake who waits in accept; a last visitor does.
        server.shutdown(socket.SHUT_RDWR)
        server.close()
        thread.join()
