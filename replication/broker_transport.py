"""How bytes come from the broker and go to it: large messages are read into their place and written from theirs.

The NATS library takes whatever the socket gives, puts it behind what it has, and cuts messages out of that: a range of
a scan of half a megabyte is copied nine times before anybody has it, and joined with its command before it is sent.
Measured, that was a third of the hub's processor time while files came in, and a fifth of a node's. Here a large
message is decrypted straight into the bytes that its reader gets. Everything else goes through the library's parser as
ever, in its order.

What is reached of the library's internals stands in ``BrokerTransport``; ``replication.broker_client`` has the rest.
"""

import asyncio
import collections
import io
from collections.abc import Awaitable, Callable, Iterable

import msgspec

from replication.nats_library import TcpTransport

READ_BYTES = 64 * 1024
"""Bytes that are read at once while no large message is coming."""

HEAD_BYTES = 1024
"""Bytes that are read at once behind a large message: the next one often is as large, and belongs into its place."""

LARGE_BYTES = 32 * 1024
"""Bytes from which a message is read into its place and written from its place."""

LARGE_BYTES_MAX = 8 * 1024 * 1024
"""Bytes beyond which nobody is believed that a message is coming: room is made before it has come."""

BEHIND_BYTES_MAX = 2 * 1024 * 1024
"""Bytes that have come and wait for the loop, beyond which nothing more is read."""

WRITE_BYTES = 256 * 1024
"""Bytes that are encrypted and written at once; the rest of a message waits as it is."""

_END = b"\r\n"


class LargeMessage(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A message that has come whole."""

    subject: bytes
    sid: int
    reply: bytes
    payload: bytes


class _Coming:
    """A large message, while its bytes come in."""

    def __init__(self, subject: bytes, sid: int, reply: bytes, size_bytes: int) -> None:
        self._subject, self._sid, self._reply, self._size_bytes = subject, sid, reply, size_bytes
        # Bytes that were made in a file in memory can be had from it without a copy.
        self._place = io.BytesIO()
        self._place.seek(size_bytes + len(_END) - 1)
        self._place.write(b"\n")
        self.room = self._place.getbuffer()
        """What has not come yet, the end of the line included."""

    def took(self, size_bytes: int) -> None:
        """Take note that so many bytes of the room were filled."""
        room, self.room = self.room, self.room[size_bytes:]
        room.release()

    def whole(self) -> LargeMessage:
        """Return the message; nothing of it is still to come."""
        self.room.release()
        self._place.truncate(self._size_bytes)
        return LargeMessage(subject=self._subject, sid=self._sid, reply=self._reply, payload=self._place.getvalue())


class Incoming(asyncio.BufferedProtocol):
    """Cuts what comes into large messages and the rest; whatever else happens is told to the protocol before."""

    def __init__(self, before: asyncio.Protocol, transport: asyncio.ReadTransport) -> None:
        self._before = before
        self._transport = transport
        self._scratch = bytearray(READ_BYTES)
        self._scratch_bytes = READ_BYTES
        self._coming: _Coming | None = None
        self._skip = 0
        """Bytes of a small message that are still to come."""
        self._line = bytearray()
        """The beginning of a line whose end has not come."""
        self._ready: collections.deque[bytes | LargeMessage] = collections.deque()
        self._ready_bytes = 0
        self._is_paused = False
        self._is_over = False
        self._fault: Exception | None = None
        self._news = asyncio.Event()

    @property
    def is_over(self) -> bool:
        """Whether everything was fetched and nothing more can come."""
        return self._is_over and not self._ready and self._fault is None

    async def next(self) -> bytes | LargeMessage:
        """Return what comes next: a message, or bytes for the library's parser; empty at the end.

        Raises:
            OSError: the connection was lost.

        """
        while not self._ready:
            if self._fault is not None:
                raise self._fault
            if self._is_over:
                return b""
            self._news.clear()
            await self._news.wait()
        found = self._ready.popleft()
        self._ready_bytes -= len(found if isinstance(found, bytes) else found.payload)
        if self._is_paused and self._ready_bytes <= BEHIND_BYTES_MAX // 2:
            self._is_paused = False
            self._transport.resume_reading()
        return found

    # What the event loop calls

    def get_buffer(self, sizehint: int) -> memoryview:  # noqa: ARG002 - the loop's guess
        """Return where the next bytes belong."""
        return self._coming.room if self._coming is not None else memoryview(self._scratch)[: self._scratch_bytes]

    def buffer_updated(self, nbytes: int) -> None:
        """Take what was put there."""
        if self._coming is not None:
            self._coming.took(nbytes)
            self._end_if_whole()
        else:
            self.take(self._scratch, nbytes)
        self._news.set()
        if not self._is_paused and self._ready_bytes > BEHIND_BYTES_MAX:
            self._is_paused = True
            self._transport.pause_reading()

    def eof_received(self) -> bool | None:
        """Take note that nothing more comes."""
        self._is_over = True
        self._news.set()
        return self._before.eof_received()

    def connection_lost(self, exc: Exception | None) -> None:
        """Take note that the connection is gone."""
        self._is_over, self._fault = True, exc
        self._news.set()
        self._before.connection_lost(exc)

    def pause_writing(self) -> None:
        """Have writers wait."""
        self._before.pause_writing()

    def resume_writing(self) -> None:
        """Have writers go on."""
        self._before.resume_writing()

    # How it is cut

    def take(self, data: bytes | bytearray, size_bytes: int) -> None:
        """Cut the first bytes of what was read."""
        view = memoryview(data)
        at = start = 0
        self._scratch_bytes = READ_BYTES
        while at < size_bytes:
            if self._skip:
                passed = min(self._skip, size_bytes - at)
                self._skip -= passed
                at += passed
                continue
            end = data.find(b"\n", at, size_bytes) + 1
            if not end:
                break
            line = bytes(self._line) + view[at:end]
            coming = _announced(line)
            if coming is None:
                # Its beginning, where it came before, stands before all that is here.
                self._pass_on(self._line)
                self._skip = _payload_bytes(line)
                at = end
            else:
                self._pass_on(view[start:at])
                start = at = end + self._begin(coming, view[end:size_bytes])
            self._line.clear()
        self._pass_on(view[start:at])
        self._line += view[at:size_bytes]

    def _begin(self, coming: _Coming, data: memoryview) -> int:
        """Put what is here of a large message into its place; return its bytes."""
        size_bytes = min(len(data), len(coming.room))
        coming.room[:size_bytes] = data[:size_bytes]
        coming.took(size_bytes)
        self._coming = coming
        self._end_if_whole()
        return size_bytes

    def _end_if_whole(self) -> None:
        if self._coming is not None and not self._coming.room:
            message, self._coming = self._coming.whole(), None
            self._ready.append(message)
            self._ready_bytes += len(message.payload)
            self._scratch_bytes = HEAD_BYTES

    def _pass_on(self, data: memoryview | bytearray) -> None:
        if data:
            self._ready.append(bytes(data))
            self._ready_bytes += len(data)


def _announced(line: bytes) -> _Coming | None:
    """Return the large message that a line announces."""
    if not line.startswith(b"MSG "):
        return None
    size_bytes = _payload_bytes(line) - len(_END)
    if not LARGE_BYTES <= size_bytes <= LARGE_BYTES_MAX:
        return None
    _, subject, sid, *reply, _ = line.split()
    return _Coming(subject, int(sid), reply[0] if reply else b"", size_bytes)


def _payload_bytes(line: bytes) -> int:
    """Return how many bytes follow a line, with the end of their line; 0 if it announces no message."""
    if not line.startswith((b"MSG ", b"HMSG ")):
        return 0
    fields = line.split()
    # What is malformed is the parser's to complain about.
    return int(fields[-1]) + len(_END) if len(fields) > 3 and fields[-1].isdigit() else 0


class BrokerTransport(TcpTransport):
    """The library's transport, for one connection; ``deliver`` is given what came whole."""

    def __init__(self, deliver: Callable[[LargeMessage], Awaitable[None]]) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._deliver = deliver
        self._incoming: Incoming | None = None

    def __bool__(self) -> bool:
        """Be taken for the transport that the library would else make."""
        return True

    async def read(self, buffer_size: int) -> bytes:  # noqa: ARG002 - the library's guess
        """Return bytes for the library's parser; large messages are delivered on the way."""
        if self._incoming is None:
            # The sign-in was read line by line: from here on every byte is ours.
            self._incoming = self._take_over()
        while isinstance(found := await self._incoming.next(), LargeMessage):
            await self._deliver(found)
        return found

    def at_eof(self) -> bool:
        """Tell whether everything was read."""
        if self._incoming is not None:
            return self._incoming.is_over
        return bool(super().at_eof())  # type: ignore[no-untyped-call]

    def _take_over(self) -> Incoming:
        reader, writer = self._io_reader, self._io_writer
        if reader is None or writer is None:
            raise ConnectionResetError("the connection was never made")
        transport = writer.transport
        # Of the standard library as well: who lets writers wait, and what came with the last line of the sign-in.
        incoming = Incoming(writer._protocol, transport)  # type: ignore[arg-type,attr-defined] # noqa: SLF001
        buffer: bytearray = reader._buffer  # type: ignore[attr-defined] # noqa: SLF001
        held = bytes(buffer)
        buffer.clear()
        incoming.take(held, len(held))
        if reader.at_eof():
            incoming.eof_received()
        elif (fault := reader.exception()) is not None:
            raise fault
        transport.set_protocol(incoming)
        return incoming

    def writelines(self, payload: Iterable[bytes]) -> None:
        """Write, what is large in pieces: none of it is copied as a whole."""
        if self._io_writer is None:
            raise ConnectionResetError("the connection was never made")
        for piece in payload:
            rest = memoryview(piece)
            while rest:
                self._io_writer.write(rest[:WRITE_BYTES])
                rest = rest[WRITE_BYTES:]
