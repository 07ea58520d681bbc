"""A relay that makes every byte late: the line between the window and the county, for the tests' own use.

Bytes keep their order; each piece arrives half a round trip after it was sent, both ways, as over a long line.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

PIECE_BYTES = 64 * 1024
"""Bytes that are read at once."""


class Relay:
    """Where a client connects instead of the server."""

    def __init__(self, target: int, delay_s: float) -> None:
        self.target = target
        self.delay_s = delay_s
        self.port = 0
        self.connections = 0
        self._open: set[asyncio.Task[None]] = set()

    def accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Begin to carry a connection."""
        self.connections += 1
        carrying = asyncio.ensure_future(self._carried(reader, writer))
        self._open.add(carrying)
        carrying.add_done_callback(self._open.discard)

    async def close(self) -> None:
        """Cut every connection."""
        for one in tuple(self._open):
            one.cancel()
        await asyncio.gather(*self._open, return_exceptions=True)

    async def _carried(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        # A connection costs a round trip before its first byte.
        await asyncio.sleep(2 * self.delay_s)
        there, back = await asyncio.open_connection("127.0.0.1", self.target)
        ways = (asyncio.ensure_future(self._way(reader, back)), asyncio.ensure_future(self._way(there, writer)))
        try:
            await asyncio.wait(ways)
        finally:
            for one in ways:
                one.cancel()
            await asyncio.gather(*ways, return_exceptions=True)
            for end in (writer, back):
                end.close()
                with suppress(OSError):
                    await end.wait_closed()

    async def _way(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        """Carry one direction until its end, or until either side hangs up, as browsers do."""
        late: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue()
        clock = asyncio.get_running_loop().time

        async def read() -> None:
            with suppress(OSError):
                while piece := await source.read(PIECE_BYTES):
                    late.put_nowait((clock() + self.delay_s, piece))
            late.put_nowait((clock() + self.delay_s, b""))

        reading = asyncio.ensure_future(read())
        try:
            with suppress(OSError):
                while True:
                    due, piece = await late.get()
                    await asyncio.sleep(max(0.0, due - clock()))
                    if not piece:
                        break
                    sink.write(piece)
                    await sink.drain()
                sink.write_eof()
        finally:
            reading.cancel()
            await asyncio.gather(reading, return_exceptions=True)


@asynccontextmanager
async def relayed(target: int, round_trip_s: float) -> AsyncIterator[Relay]:
    """Relay a port of this machine, each byte half a round trip late in either direction."""
    relay = Relay(target, round_trip_s / 2)
    server = await asyncio.start_server(relay.accept, "127.0.0.1", 0)
    relay.port = server.sockets[0].getsockname()[1]
    try:
        async with server:
            yield relay
    finally:
        await relay.close()
