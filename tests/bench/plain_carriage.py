"""The raw floor of a carriage: ranges of files through the broker over TLS, by the bare libraries, in two processes.

Each range is asked for, read, sealed, sent, opened, summed and written; each file is synced. The messages have the size
of ours, and as many are under way. Nothing is listed, adapted, resumed, noted or named: what a real end adds is the
distance to this floor.

There are two floors, for the NATS library copies a large message nine times: ``nats`` is that library's requests,
``sockets`` the broker's protocol spoken by hand over blocking sockets, the least that this broker, this cipher and TLS
leave to Python.

Worker: ``python -m tests.bench.plain_carriage give|draw nats|sockets URL CA SOURCE [INTO]``. The drawer says ``done``
(seconds, processor seconds).
"""

import asyncio
import collections
import hashlib
import os
import socket
import ssl
import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from urllib.parse import urlsplit

import msgspec
import nats
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from nats.aio.msg import Msg

from hub.broker import broker_environment
from hub.membership.broker_config import PAYLOAD_BYTES_MAX
from protocol.limits import CHUNK_BYTES_MAX
from tests.bench.programs import cpu_s, running, say, worker
from tests.identities import County
from tests.servers import NatsServer

UNDER_WAY = 4
"""Ranges that are asked for and have not come."""

ASKED, ANSWERED = "bare.asked", "bare.answered"
WAIT_S = 30.0
NONCE_BYTES = 12
SEAL_BYTES = 16
_KEY = bytes(range(32))
_LINE_END = b"\r\n"


class Floor(msgspec.Struct, frozen=True, kw_only=True):
    """What a bare carriage took."""

    took_s: float
    cpu_s: tuple[float, float, float]
    """Seconds of processor time: of the receiver, the giver, the broker."""


class _Range(msgspec.Struct, array_like=True):
    file: int
    offset: int
    size_bytes: int


_ranges = msgspec.json.Decoder(_Range)


class _Given:
    """The giver's files."""

    def __init__(self, source: Path) -> None:
        self._files = [path.open("rb", buffering=0) for path in _listed(source)]
        self._cipher = ChaCha20Poly1305(_KEY)

        self._plain = memoryview(bytearray(CHUNK_BYTES_MAX))
        self._sealed = memoryview(bytearray(CHUNK_BYTES_MAX + SEAL_BYTES))

    def sealed(self, question: bytes) -> tuple[bytes, memoryview]:
        """Return what a question asks for: the nonce, and the range sealed, which lasts until the next question."""
        asked = _ranges.decode(question)
        nonce = os.urandom(NONCE_BYTES)
        plain, sealed = self._plain[: asked.size_bytes], self._sealed[: asked.size_bytes + SEAL_BYTES]
        os.preadv(self._files[asked.file].fileno(), [plain], asked.offset)
        self._cipher.encrypt_into(nonce, plain, question, sealed)
        return nonce, sealed


class _Taken:
    """The receiver's files: ranges come in their order."""

    def __init__(self, source: Path, into: Path) -> None:
        into.mkdir()
        self._sources = _listed(source)
        self._sizes = [path.stat().st_size for path in self._sources]
        self._into = into
        self._cipher = ChaCha20Poly1305(_KEY)
        self._plain = memoryview(bytearray(CHUNK_BYTES_MAX))
        self._sha = hashlib.sha256()
        self._file = -1
        self._syncing = ThreadPoolExecutor(1)
        self._synced: list[Future[None]] = []
        self.digests: list[str] = []

    def questions(self) -> Iterator[bytes]:
        """Every range of every file."""
        for at, size in enumerate(self._sizes):
            for offset in range(0, size, CHUNK_BYTES_MAX):
                yield msgspec.json.encode(_Range(at, offset, min(CHUNK_BYTES_MAX, size - offset)))

    def take(self, question: bytes, sealed: memoryview | bytes) -> None:
        """Open a range and write it."""
        asked = _ranges.decode(question)
        view = memoryview(sealed)
        plain = self._plain[: asked.size_bytes]
        self._cipher.decrypt_into(bytes(view[:NONCE_BYTES]), view[NONCE_BYTES:], question, plain)
        if not asked.offset:
            self._file = os.open(self._into / self._sources[asked.file].name, os.O_WRONLY | os.O_CREAT | os.O_EXCL)
            self._sha = hashlib.sha256()
        self._sha.update(plain)
        os.write(self._file, plain)
        if asked.offset + asked.size_bytes == self._sizes[asked.file]:
            self.digests.append(self._sha.hexdigest())
            self._synced.append(self._syncing.submit(_synced, self._file))

    def end(self) -> None:
        """Wait until everything is on the disk."""
        for one in self._synced:
            one.result()


def _synced(descriptor: int) -> None:
    os.fsync(descriptor)
    os.close(descriptor)


def _listed(source: Path) -> Sequence[Path]:
    return sorted(path for path in source.iterdir() if path.is_file())


# The library's requests


async def _give_nats(url: str, authority: Path, given: _Given) -> None:
    client = await nats.connect(url, tls=_context(authority))

    async def answer(message: Msg) -> None:
        await message.respond(b"".join(given.sealed(message.data)))

    await client.subscribe(ASKED, cb=answer)
    await client.flush()
    say("ready")
    await asyncio.Event().wait()


async def _draw_nats(url: str, authority: Path, taken: _Taken) -> None:
    async with await nats.connect(url, tls=_context(authority)) as client:
        questions = taken.questions()
        under_way: collections.deque[tuple[bytes, asyncio.Task[Msg]]] = collections.deque()
        while True:
            while len(under_way) < UNDER_WAY and (question := next(questions, None)) is not None:
                asked = client.request(ASKED, question, timeout=WAIT_S)
                under_way.append((question, asyncio.ensure_future(asked)))
            if not under_way:
                return
            question, answering = under_way.popleft()
            taken.take(question, (await answering).data)


# The protocol by hand


class _Socket:
    """One connection to the broker: blocking, large messages read into their place."""

    def __init__(self, url: str, authority: Path) -> None:
        place = urlsplit(url)
        plain = socket.create_connection((place.hostname, place.port), timeout=WAIT_S)
        plain.recv(4096)
        plain.settimeout(WAIT_S)
        self._socket = _context(authority).wrap_socket(plain, server_hostname=place.hostname)
        self._lines = bytearray()
        self._place = memoryview(bytearray(PAYLOAD_BYTES_MAX + len(_LINE_END)))
        self.send(b'CONNECT {"verbose":false,"pedantic":false,"tls_required":true,"lang":"bare","version":"0"}\r\n')

    def send(self, *parts: bytes | memoryview) -> None:
        """Write."""
        for part in parts:
            self._socket.sendall(part)

    def publish(self, subject: str, reply: str, *parts: bytes | memoryview) -> None:
        """Publish a message that is in several parts."""
        head = f"PUB {subject} {reply} {sum(map(len, parts))}".encode() + _LINE_END
        self.send(head, *parts, _LINE_END)

    def hear(self, subject: str) -> None:
        """Subscribe, and wait until the broker knows."""
        self.send(f"SUB {subject} 1\r\nPING\r\n".encode())
        while self._line() != b"PONG":
            pass

    def next(self) -> memoryview:
        """Return the next message's bytes, which last until the one behind it."""
        while not (line := self._line()).startswith(b"MSG "):
            if line == b"PING":
                self.send(b"PONG\r\n")
        size = int(line.split()[-1]) + len(_LINE_END)
        have, view = min(size, len(self._lines)), self._place[:size]
        view[:have] = self._lines[:have]
        del self._lines[:have]
        while have < size:
            have += self._socket.recv_into(view[have:])
        return view[: size - len(_LINE_END)]

    def _line(self) -> bytes:
        while (end := self._lines.find(_LINE_END)) < 0:
            more = self._socket.recv(1024)
            if not more:
                raise ConnectionResetError("the broker hung up")
            self._lines += more
        line = bytes(self._lines[:end])
        del self._lines[: end + len(_LINE_END)]
        return line


def _give_sockets(url: str, authority: Path, given: _Given) -> None:
    bus = _Socket(url, authority)
    bus.hear(ASKED)
    say("ready")
    while True:
        bus.publish(ANSWERED, "", *given.sealed(bytes(bus.next())))


def _draw_sockets(url: str, authority: Path, taken: _Taken) -> None:
    bus = _Socket(url, authority)
    bus.hear(ANSWERED)
    questions = taken.questions()
    under_way: collections.deque[bytes] = collections.deque()
    while True:
        while len(under_way) < UNDER_WAY and (question := next(questions, None)) is not None:
            bus.publish(ASKED, "", question)
            under_way.append(question)
        if not under_way:
            return
        # One giver answers one question after the other.
        taken.take(under_way.popleft(), bus.next())


def _context(authority: Path) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=str(authority))


async def bare_carriage(folder: Path, source: Path, how: str) -> Floor:
    """Carry every file of a folder once."""
    folder.mkdir(parents=True)
    county = County(folder / "tls")
    config = f"max_payload: {PAYLOAD_BYTES_MAX}\n{county.config}"
    server = NatsServer(folder / "nats", jetstream=None, config=config, environment=broker_environment())
    await server.start()
    url = f"tls://127.0.0.1:{server.port}"

    def command(what: str, *more: Path) -> tuple[str, ...]:
        return worker("plain_carriage", what, how, url, county.ca_file, source, *more)

    try:
        async with running(*command("give"), log=folder / "node.log") as giver:
            await giver.heard("ready")
            node_s, broker_s = giver.cpu_s(), cpu_s(server.pid)
            async with running(*command("draw", folder / "into"), log=folder / "hub.log") as drawer:
                took_s, hub_s = (await drawer.heard("done")).values
            used_s = hub_s, giver.cpu_s() - node_s, cpu_s(server.pid) - broker_s
            return Floor(took_s=took_s, cpu_s=used_s)
    finally:
        await server.kill()


def _draw(how: str, url: str, authority: Path, taken: _Taken) -> None:
    began, began_cpu_s = time.monotonic(), time.process_time()
    if how == "nats":
        asyncio.run(_draw_nats(url, authority, taken))
    else:
        _draw_sockets(url, authority, taken)
    taken.end()
    say("done", time.monotonic() - began, time.process_time() - began_cpu_s)


if __name__ == "__main__":
    what, how, url, *paths = sys.argv[1:]
    authority, source, *into = map(Path, paths)
    if what == "draw":
        _draw(how, url, authority, _Taken(source, into[0]))
    elif how == "nats":
        asyncio.run(_give_nats(url, authority, _Given(source)))
    else:
        _give_sockets(url, authority, _Given(source))
