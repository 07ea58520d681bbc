"""The test server is the ground under every system test, so it is tested first."""

import asyncio
from collections.abc import Callable

import nats
import pytest

from tests.conftest import StartServer
from tests.servers import ServerFailedError, is_still

CONNECT_S = 30


async def test_a_stream_outlives_a_killed_server(nats_server: StartServer) -> None:
    """Port and store stay the same over a restart, so a test can cut the power and look again."""
    server = await nats_server()
    async with await nats.connect(server.url, connect_timeout=CONNECT_S) as client:
        await client.jetstream().add_stream(name="KEEP", subjects=["keep.>"])
        await client.jetstream().publish("keep.one", b"1")

    await server.restart(kill=True)

    async with await nats.connect(server.url, connect_timeout=CONNECT_S) as client:
        info = await client.jetstream().stream_info("KEEP")
    assert info.state.messages == 1


async def ping(port: int, answer_s: float = CONNECT_S) -> bytes:
    """The server's answer to a bare PING: no client library stands between the test and the server."""
    async with asyncio.timeout(answer_s):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        try:
            await reader.readline()
            writer.write(b'CONNECT {"verbose":false}\r\nPING\r\n')
            return await reader.readline()
        finally:
            writer.close()


async def test_a_frozen_server_has_stopped_when_the_call_returns(nats_server: StartServer) -> None:
    """The signal alone stops one thread at once; the others could answer what is sent behind it."""
    server = await nats_server()

    for _ in range(20):
        server.freeze()
        assert is_still(server.pid)
        server.thaw()
        # Its threads have woken: there is something to stop.
        assert await ping(server.port) == b"PONG\r\n"


async def test_a_frozen_server_answers_again_after_it_thaws(nats_server: StartServer) -> None:
    server = await nats_server(jetstream=None)

    server.freeze()
    with pytest.raises(TimeoutError):
        await ping(server.port, answer_s=0.3)
    server.thaw()

    assert await ping(server.port) == b"PONG\r\n"


async def test_a_frozen_server_can_be_stopped(nats_server: StartServer) -> None:
    server = await nats_server(jetstream=None)
    server.freeze()

    await server.stop()

    with pytest.raises(ConnectionRefusedError):
        await ping(server.port)


async def test_a_reload_lets_a_new_user_in(nats_server: StartServer) -> None:
    """Enrolment adds a user to a running broker: the reload must not need a restart."""
    users = "authorization {{ users: [{}] }}"
    first = '{ user: "first", password: "1" }'
    server = await nats_server(config=users.format(first), jetstream=None)
    server.configure(users.format(first + ', { user: "second", password: "2" }'))

    server.reload()

    async with asyncio.timeout(CONNECT_S):
        while "Reloaded server configuration" not in server.log:
            await asyncio.sleep(0.02)
    async with await nats.connect(server.url, user="second", password="2", connect_timeout=CONNECT_S) as client:
        assert client.is_connected


async def test_a_wrong_configuration_shows_the_servers_own_words(nats_server: StartServer) -> None:
    with pytest.raises(ServerFailedError, match="ended at once"):
        await nats_server(config="no_such_setting {}")


async def test_two_servers_run_side_by_side(nats_server: StartServer) -> None:
    one, two = await nats_server("hub"), await nats_server("relay", jetstream=None)

    assert one.port != two.port
    assert one.pid != two.pid


def test_free_ports_differ(free_port: Callable[[], int]) -> None:
    ports = {free_port() for _ in range(20)}

    assert len(ports) == 20
