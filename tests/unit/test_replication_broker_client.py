"""The broker's client: sockets are cut in whatever state they are."""

import asyncio

from replication.broker_client import cut

FULL = b"x" * (8 * 1024 * 1024)
"""More than the buffers of a socket hold."""


async def test_a_socket_that_emptied_itself_while_it_closed_is_cut_without_a_word() -> None:
    """It happens when a frozen broker thaws: aborting such a transport fails inside the event loop's own code."""
    reading, over = asyncio.Event(), asyncio.Event()

    async def slow(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reading.wait()
        while await reader.read(len(FULL)):
            pass
        writer.close()
        over.set()

    async with await asyncio.start_server(slow, "127.0.0.1", 0) as server:
        _, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
        writer.write(FULL)
        writer.transport.close()
        reading.set()
        async with asyncio.timeout(10):
            await over.wait()
            await writer.wait_closed()
        cut(writer.transport)
        cut(writer.transport)

        assert writer.transport.is_closing()


async def test_a_socket_that_nobody_reads_is_cut_at_once() -> None:
    gone = asyncio.Event()

    async def deaf(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await gone.wait()
        writer.close()

    async with await asyncio.start_server(deaf, "127.0.0.1", 0) as server:
        _, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
        writer.write(FULL)
        async with asyncio.timeout(5):
            cut(writer.transport)
            await writer.wait_closed()
        gone.set()

        assert writer.transport.is_closing()
