"""The contract of `replication.bus`, over the real bus and over the one in memory that other tests use."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable

import msgspec
import pytest

from protocol.errors import LinkDown
from replication.broker_client import LinkSettings
from replication.bus import Bus, Message
from replication.connection import connected
from tests.conftest import StartServer
from tests.fakes import FakeBroker
from tests.system.test_connection_life import QUICK, until


class Ends(msgspec.Struct, frozen=True, kw_only=True):
    """Two buses on one broker, and a way to cut and restore the link of the first."""

    here: Bus
    there: Bus
    cut: Callable[[], Awaitable[None]]
    restore: Callable[[], Awaitable[None]]


@contextlib.asynccontextmanager
async def fake_ends() -> AsyncIterator[Ends]:
    broker = FakeBroker()
    here, there = broker.bus(), broker.bus()

    async def cut() -> None:
        here.down()
        there.down()

    async def restore() -> None:
        here.up()
        there.up()

    yield Ends(here=here, there=there, cut=cut, restore=restore)


@contextlib.asynccontextmanager
async def real_ends(start: StartServer) -> AsyncIterator[Ends]:
    server = await start()

    def settings(name: str) -> LinkSettings:
        return LinkSettings(urls=(server.url,), name=name, inbox_prefix=f"_INBOX_{name}")

    async with connected(settings("here"), QUICK) as here, connected(settings("there"), QUICK) as there:
        await asyncio.wait_for(here.until_connected(), 15)
        await asyncio.wait_for(there.until_connected(), 15)
        await here.manage(lambda manager: manager.add_stream(name="S", subjects=["stored.>"]))

        async def cut() -> None:
            await server.kill()
            await until(lambda: not here.is_connected and not there.is_connected)

        async def restore() -> None:
            await server.start()
            await asyncio.wait_for(here.until_connected(), 15)
            await asyncio.wait_for(there.until_connected(), 15)

        yield Ends(here=here, there=there, cut=cut, restore=restore)


@pytest.fixture(params=["fake", "real"])
async def ends(request: pytest.FixtureRequest, nats_server: StartServer) -> AsyncIterator[Ends]:
    async with fake_ends() if request.param == "fake" else real_ends(nats_server) as given:
        yield given


async def hearing(bus: Bus, subject: str) -> list[Message]:
    heard: list[Message] = []
    await bus.subscribe(subject, heard.append)
    return heard


async def test_messages_arrive_in_order_with_subject_and_reply(ends: Ends) -> None:
    heard = await hearing(ends.here, "a.b")
    for number in range(50):
        await ends.here.publish("a.b", b"%d" % number, reply="answer.here")
    await until(lambda: len(heard) == 50)

    assert [message.data for message in heard] == [b"%d" % number for number in range(50)]
    assert {(message.subject, message.reply) for message in heard} == {("a.b", "answer.here")}


@pytest.mark.parametrize(
    ("pattern", "fits"),
    [
        ("a.b.c", {"a.b.c"}),
        ("a.*.c", {"a.b.c", "a.x.c"}),
        ("a.>", {"a.b", "a.b.c", "a.x.c"}),
        ("*", {"a"}),
    ],
)
async def test_patterns_select_subjects(ends: Ends, pattern: str, fits: set[str]) -> None:
    heard = await hearing(ends.here, pattern)
    last = await hearing(ends.here, "end.of.test")
    for subject in ("a", "a.b", "a.b.c", "a.x.c", "b.b.c", "end.of.test"):
        await ends.here.publish(subject, b"")
    await until(lambda: bool(last))

    assert {message.subject for message in heard} == fits


async def test_closed_subscription_hears_nothing(ends: Ends) -> None:
    heard: list[Message] = []
    subscription = await ends.here.subscribe("a", heard.append)
    last = await hearing(ends.here, "a")
    await subscription.close()
    await subscription.close()
    await ends.here.publish("a", b"")
    await until(lambda: bool(last))

    assert heard == []


async def test_nothing_is_sent_without_a_link_and_nothing_later(ends: Ends) -> None:
    heard = await hearing(ends.there, "a")
    await ends.cut()
    with pytest.raises(LinkDown):
        await ends.here.publish("a", b"lost")
    with pytest.raises(LinkDown):
        await ends.here.publish_durable("stored.a", b"lost", "id", 1.0)
    await ends.restore()
    await ends.here.publish("a", b"sent")
    await until(lambda: bool(heard))

    assert [message.data for message in heard] == [b"sent"]


async def test_callback_at_each_connection_finds_the_link_up(ends: Ends) -> None:
    seen: list[bool] = []
    withdraw = ends.here.on_connected(lambda: seen.append(ends.here.is_connected))
    for _ in range(2):
        await ends.cut()
        await ends.restore()
    withdraw()
    await ends.cut()
    await ends.restore()

    assert seen == [True, True]


async def test_durable_message_with_a_known_id_is_stored_once(ends: Ends) -> None:
    places = [await ends.here.publish_durable("stored.a", b"x", f"id-{number}", 5.0) for number in (1, 2, 1, 3)]

    assert places == [1, 2, 1, 3]
