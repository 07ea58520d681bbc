"""A relay that makes every byte late: the line between the window and the county, for the tests' own use.

Bytes keep their order and their gaps; each piece arrives ``delay_s`` after it was sent, both ways, as over a long line.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

PIECE_BYTES = 64 * 1024
"""Bytes that are read at once."""


class Relay:
    """Where a client connects instead of the server, and how often it did."""

    def __init__(self, target: int, delay_s: float) -> None:
        self.target = target
        self.delay_s = delay_s
        self.port = 0
        self.connections = 0
        self.carrying: set[asyncio.Task[None]] = set()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Carry one connection until either end closes it."""
        self.connections += 1
        carrying = asyncio.ensure_future(self._carried(reader, writer))
        self.carrying.add(carrying)
        carrying.add_done_callback(self.carrying.discard)
        await asyncio.wait((carrying,))

    async def _carried(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        # A connection itself costs a round trip before the first byte.
        await asyncio.sleep(2 * self.delay_s)
        try:
            there, back = await asyncio.open_connection("127.0.0.1", self.target)
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._carry(reader, back))
                tasks.create_task(self._carry(there, writer))
        except* OSError:
            pass  # Either end hung up: a browser does.
        finally:
            writer.close()

    async def _carry(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        late: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue()
        clock = asyncio.get_running_loop().time

        async def deliver() -> None:
            while True:
                due, piece = await late.get()
                await asyncio.sleep(max(0.0, due - clock()))
                if not piece:
                    sink.close()
                    return
                sink.write(piece)
                await sink.drain()

        delivering = asyncio.ensure_future(deliver())
        try:
            while piece := await source.read(PIECE_BYTES):
                late.put_nowait((clock() + self.delay_s, piece))
            late.put_nowait((clock() + self.delay_s, b""))
            await delivering
        finally:
            delivering.cancel()


@asynccontextmanager
async def relayed(target: int, round_trip_s: float) -> AsyncIterator[Relay]:
    """Relay a port of this machine, each byte half a round trip late in either direction."""
    relay = Relay(target, round_trip_s / 2)
    server = await asyncio.start_server(relay.serve, "127.0.0.1", 0)
    relay.port = server.sockets[0].getsockname()[1]
    async with server:
        yield relay
        for one in tuple(relay.carrying):
            one.cancel()
