"""Large messages over a real broker, with and without encryption, among small ones."""

import asyncio
import os
from pathlib import Path

import pytest

from replication.broker_client import LinkSettings
from replication.broker_transport import BrokerTransport
from replication.bus import Message
from replication.connection import connected
from tests.conftest import StartServer
from tests.identities import County
from tests.system.test_connection_life import QUICK, until

SIZES = (1_048_576, 3, 32_767, 32_768, 0, 700_001, 1_048_575, 12)
"""Bytes of messages on both sides of what is large, the largest that the broker takes among them."""


@pytest.mark.parametrize("encrypted", [True, False])
async def test_large_and_small_messages_arrive_whole_and_in_order(
    nats_server: StartServer, tmp_path: Path, *, encrypted: bool
) -> None:
    county = County(tmp_path / "county")
    server = await nats_server(config=county.config if encrypted else "")
    scheme = "tls" if encrypted else "nats"

    def settings(name: str) -> LinkSettings:
        return LinkSettings(
            urls=(f"{scheme}://127.0.0.1:{server.port}",),
            name=name,
            inbox_prefix=f"_INBOX_{name}",
            ca_file=county.ca_file if encrypted else None,
        )

    sent = [os.urandom(size) for size in SIZES * 3]
    heard: list[Message] = []
    async with connected(settings("a"), QUICK) as here, connected(settings("b"), QUICK) as there:
        await asyncio.gather(here.until_connected(), there.until_connected())
        await there.subscribe("dl.large", heard.append)
        await asyncio.sleep(0.1)
        for payload in sent:
            await here.publish("dl.large", payload, "dl.back")
        await until(lambda: len(heard) == len(sent))

    assert [message.data for message in heard] == sent
    assert {type(message.data) for message in heard} == {bytes}
    assert {message.reply for message in heard} == {"dl.back"}


async def test_large_messages_pass_the_parser_of_the_library_by(
    nats_server: StartServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The library's internals that this rests on may move: then everything would go the long way, unseen."""
    taken: list[int] = []
    into = BrokerTransport.__init__

    def counting(self: BrokerTransport, deliver: object) -> None:
        async def counted(message: object) -> None:
            taken.append(len(message.payload))  # type: ignore[attr-defined]
            await deliver(message)  # type: ignore[operator]

        into(self, counted)

    monkeypatch.setattr(BrokerTransport, "__init__", counting)
    server = await nats_server()
    heard: list[Message] = []
    given = LinkSettings(urls=(server.url,), name="a", inbox_prefix="_INBOX_a")
    async with connected(given, QUICK) as link:
        await link.until_connected()
        await link.subscribe("dl.large", heard.append)
        await link.publish("dl.large", bytes(100_000))
        await until(lambda: len(heard) == 1)

    assert taken == [100_000]
