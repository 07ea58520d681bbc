"""The link over a real broker: what stays true while the broker comes, goes, freezes and comes back."""

import asyncio
import contextlib
import socket
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
from nats.aio.client import Client

from protocol.errors import BadFrame, BadSetting, CallTimeout, LinkDown, StorageFull
from replication import streams, subscriptions
from replication.broker_client import BrokerClient, LinkRhythm, LinkSettings, dial, discard, vital_signs
from replication.broker_transport import BrokerTransport
from replication.bus import Message
from replication.connection import Link, connected
from replication.faults import FaultKind
from replication.retry import Backoff
from tests.conftest import StartServer
from tests.servers import NatsServer

QUICK = LinkRhythm(
    ping_s=0.3,
    pings_max=2,
    connect_s=2.0,
    watch_s=0.2,
    send_s=0.5,
    drain_s=2.0,
    stable_s=1.0,
    reconnect=Backoff(first_s=0.05, ceiling_s=0.3),
)
"""A link that notices in a second what the real one notices in a minute."""


def settings(url: str, name: str = "test") -> LinkSettings:
    return LinkSettings(urls=(url,), name=name, inbox_prefix=f"_INBOX_{name}")


async def until(condition: Callable[[], bool], within_s: float = 60.0) -> None:
    async with asyncio.timeout(within_s):
        while not condition():
            await asyncio.sleep(0.01)


async def fill(link: Link) -> None:
    """Publish until no more bytes are taken: 100 MB fit into no socket."""
    for _ in range(200):
        await link.publish("a.b", b"x" * 500_000)


def kinds(link: Link) -> set[FaultKind]:
    return {fault.kind for fault in link.faults}


@pytest.fixture
async def server(nats_server: StartServer) -> NatsServer:
    return await nats_server()


@pytest.fixture
async def link(server: NatsServer) -> AsyncIterator[Link]:
    async with connected(settings(server.url), QUICK) as bus:
        await asyncio.wait_for(bus.until_connected(), 15)
        yield bus


class TestFirstConnection:
    async def test_context_opens_without_a_server_and_connects_when_there_is_one(
        self, nats_server: StartServer, free_port: Callable[[], int]
    ) -> None:
        """A site starts without a network."""
        port = free_port()

        async with connected(settings(f"nats://127.0.0.1:{port}"), QUICK) as link:
            assert not link.is_connected
            await until(lambda: FaultKind.UNREACHABLE in kinds(link))
            await nats_server(port=port)
            await asyncio.wait_for(link.until_connected(), 15)

            # Why there was no link is no longer true.
            assert FaultKind.UNREACHABLE not in kinds(link)

    async def test_second_address_is_used_when_the_first_is_dead(
        self, server: NatsServer, free_port: Callable[[], int]
    ) -> None:
        both = LinkSettings(
            urls=(f"nats://127.0.0.1:{free_port()}", server.url), name="test", inbox_prefix="_INBOX_test"
        )

        async with connected(both, QUICK) as link:
            await until(lambda: link.is_connected)
            heard: list[bytes] = []
            await link.subscribe("a.b", lambda message: heard.append(message.data))
            await link.publish("a.b", b"there")
            await until(lambda: heard != [])

        assert heard == [b"there"]

    async def test_silent_port_counts_as_unreachable(self) -> None:
        """Something accepts and says nothing: the attempt has its own deadline."""
        rhythm = LinkRhythm(connect_s=0.3, reconnect=QUICK.reconnect)

        with socket.create_server(("127.0.0.1", 0)) as silent:
            url = f"nats://127.0.0.1:{silent.getsockname()[1]}"
            async with connected(settings(url), rhythm) as link:
                await until(lambda: FaultKind.UNREACHABLE in kinds(link))

                assert not link.is_connected

    async def test_missing_files_stop_the_program_at_once(self, tmp_path: Path) -> None:
        absent = LinkSettings(urls=("nats://127.0.0.1:1",), name="t", inbox_prefix="_I", seed_file=tmp_path / "no.nk")

        with pytest.raises(BadSetting, match=r"no\.nk"):
            async with connected(absent):
                pass

    async def test_leaving_before_the_first_connection_is_quick(self, free_port: Callable[[], int]) -> None:
        begun = time.monotonic()

        async with connected(settings(f"nats://127.0.0.1:{free_port()}"), QUICK):
            pass

        assert time.monotonic() - begun < 10


class TestRestart:
    async def test_subscription_outlives_a_restart(self, server: NatsServer, link: Link) -> None:
        heard: list[bytes] = []
        await link.subscribe("a.b", lambda message: heard.append(message.data))
        reconnected = asyncio.Event()
        link.on_connected(reconnected.set)

        await server.restart(kill=True)
        await asyncio.wait_for(reconnected.wait(), 15)
        await link.publish("a.b", b"after")
        await link.publish("a.b", b"end")
        await until(lambda: b"end" in heard)

        assert heard == [b"after", b"end"], "each once: there is one subscription, not one for each connection"

    async def test_closed_subscription_stays_closed_after_a_restart(self, server: NatsServer, link: Link) -> None:
        heard: list[bytes] = []
        subscription = await link.subscribe("a.b", lambda message: heard.append(message.data))
        marker: list[bytes] = []
        await link.subscribe("a.marker", lambda message: marker.append(message.data))
        await subscription.close()
        reconnected = asyncio.Event()
        link.on_connected(reconnected.set)

        await server.restart()
        await asyncio.wait_for(reconnected.wait(), 15)
        await link.publish("a.b", b"unheard")
        await link.publish("a.marker", b"")
        await until(lambda: bool(marker))

        assert heard == []

    async def test_publish_while_down_raises_and_is_never_delivered_later(self, server: NatsServer, link: Link) -> None:
        """The library alone would buffer it, and deliver a publish whose caller had given up (traps 15 and 17)."""
        heard: list[bytes] = []
        await link.subscribe("a.>", lambda message: heard.append(message.data))
        await link.manage(lambda manager: manager.add_stream(name="A", subjects=["a.>"]))
        reconnected = asyncio.Event()
        link.on_connected(reconnected.set)

        await server.kill()
        await until(lambda: not link.is_connected)
        with pytest.raises(LinkDown):
            await link.publish("a.core", b"lost")
        with pytest.raises(LinkDown):
            await link.publish_durable("a.durable", b"lost", "id-1", 1.0)
        await server.start()
        await asyncio.wait_for(reconnected.wait(), 15)
        place = await link.publish_durable("a.durable", b"kept", "id-2", 5.0)
        await until(lambda: b"kept" in heard)

        assert (heard, place) == ([b"kept"], 1)

    async def test_durable_publish_in_flight_ends_with_the_link(self, server: NatsServer, link: Link) -> None:
        """Its future would never resolve (trap 16): it must not wait for its whole deadline."""
        await link.manage(lambda manager: manager.add_stream(name="A", subjects=["a.>"]))
        server.freeze()
        publishing = asyncio.create_task(link.publish_durable("a.x", b"?", "id-1", 30.0))
        await asyncio.sleep(0.1)

        await server.kill()
        begun = time.monotonic()
        with pytest.raises(LinkDown):
            await publishing

        assert time.monotonic() - begun < 5.0

    async def test_close_ordered_by_the_server_is_not_final(self, link: Link) -> None:
        """A `-ERR` other than two closes the library's client for good, whatever its settings (trap 12)."""
        reconnected = asyncio.Event()
        link.on_connected(reconnected.set)
        client = link._client
        assert client is not None

        # A subject that the broker cannot parse: it answers with an error and hangs up.
        assert client._transport is not None
        client._transport.write(b"NONSENSE\r\n")
        await asyncio.wait_for(reconnected.wait(), 15)

        assert link.is_connected
        assert link._client is not client

    async def test_many_restarts_leave_no_tasks_behind(self, server: NatsServer, link: Link) -> None:
        await link.subscribe("a.b", lambda _message: None)

        async def again() -> None:
            reconnected = asyncio.Event()
            withdraw = link.on_connected(reconnected.set)
            await server.restart(kill=True)
            await asyncio.wait_for(reconnected.wait(), 15)
            withdraw()

        await again()
        before = len(asyncio.all_tasks())
        for _ in range(4):
            await again()

        assert len(asyncio.all_tasks()) <= before

    async def test_subscription_made_while_down_is_carried_by_the_next_connection(
        self, server: NatsServer, link: Link
    ) -> None:
        heard: list[bytes] = []
        reconnected = asyncio.Event()
        link.on_connected(reconnected.set)
        await server.kill()
        # Neither before nor after the loss is noticed does this fail.
        await link.subscribe("a.b", lambda message: heard.append(message.data))
        await until(lambda: not link.is_connected)
        await link.subscribe("a.b", lambda message: heard.append(message.data))

        await server.start()
        await asyncio.wait_for(reconnected.wait(), 15)
        await link.publish("a.b", b"1")
        await link.publish("a.b", b"2")
        await until(lambda: heard.count(b"2") == 2)

        assert sorted(heard) == [b"1", b"1", b"2", b"2"]

    async def test_subscription_made_in_the_moment_of_the_loss_is_carried_by_the_next_connection(
        self, link: Link
    ) -> None:
        """The library has closed already, and nobody has noticed yet."""
        heard: list[bytes] = []
        reconnected = asyncio.Event()
        link.on_connected(reconnected.set)
        assert link._client is not None
        link._client._status = Client.CLOSED

        await link.subscribe("a.b", lambda message: heard.append(message.data))
        await asyncio.wait_for(reconnected.wait(), 15)
        await link.publish("a.b", b"1")
        await until(lambda: heard == [b"1"])

    async def test_defect_in_the_keeping_of_the_link_ends_the_program(self, server: NatsServer) -> None:
        """A program without its link would look alive and do nothing."""

        def defective() -> None:
            raise ZeroDivisionError

        async def program() -> None:
            async with connected(settings(server.url), QUICK) as link:
                link.on_connected(defective)
                await asyncio.sleep(15)

        with pytest.raises(ZeroDivisionError):
            await program()


class TestBlackHole:
    async def test_silent_link_is_cut_and_remade(self, server: NatsServer, link: Link) -> None:
        server.freeze()
        await until(lambda: not link.is_connected, 20)
        server.thaw()
        await until(lambda: link.is_connected)

        assert kinds(link) & {FaultKind.LINK_LOST, FaultKind.LINK_STALLED}

    async def test_full_socket_does_not_hang_the_link(self, server: NatsServer, link: Link) -> None:
        """Trap 14: the library waits for ever to close a socket whose buffer nobody empties."""
        server.freeze()
        begun = time.monotonic()
        with contextlib.suppress(LinkDown, CallTimeout):
            await fill(link)
        await until(lambda: not link.is_connected, 5)
        noticed_s = time.monotonic() - begun
        server.thaw()
        await asyncio.wait_for(link.until_connected(), 15)

        assert noticed_s < 5.0

    async def test_publish_into_a_full_socket_ends_at_its_deadline(self, server: NatsServer) -> None:
        patient = LinkRhythm(ping_s=20.0, watch_s=1.0, send_s=0.3, drain_s=0.2, reconnect=QUICK.reconnect)
        async with connected(settings(server.url), patient) as link:
            await link.until_connected()
            server.freeze()

            with pytest.raises(CallTimeout):
                await fill(link)

            server.thaw()

    async def test_dead_reader_is_noticed(self, link: Link) -> None:
        """An error inside the library ends its reader while it goes on to call itself connected."""
        reconnected = asyncio.Event()
        link.on_connected(reconnected.set)
        assert link._client is not None
        assert link._client._reading_task is not None

        link._client._reading_task.cancel()
        await asyncio.wait_for(reconnected.wait(), 15)

        assert FaultKind.LINK_STALLED in kinds(link)

    async def test_program_stops_in_time_on_a_frozen_link(self, server: NatsServer) -> None:
        rhythm = LinkRhythm(drain_s=0.5)
        async with connected(settings(server.url), rhythm) as link:
            await link.until_connected()
            server.freeze()
            begun = time.monotonic()

        assert time.monotonic() - begun < 20
        server.thaw()


class TestDurablePublish:
    async def test_repeated_message_id_is_stored_once(self, link: Link) -> None:
        await link.manage(lambda manager: manager.add_stream(name="A", subjects=["a.>"]))

        places = [await link.publish_durable("a.x", b"1", "same", 5.0) for _ in range(2)]

        assert places == [1, 1]

    async def test_subject_without_a_stream_says_so_at_once(self, link: Link) -> None:
        begun = time.monotonic()

        with pytest.raises(LinkDown, match="no stream"):
            await link.publish_durable("nobody.home", b"1", "id", 60.0)

        assert time.monotonic() - begun < 30

    async def test_full_stream_is_a_retryable_lack_of_room(self, link: Link) -> None:
        plan = streams.StreamPlan(name="A", subjects=("a.>",), bytes_max=2_000)
        await streams.declare_stream(link, plan)

        await link.publish_durable("a.x", b"x" * 1_500, "id-1", 5.0)

        with pytest.raises(StorageFull):
            await link.publish_durable("a.x", b"x" * 1_500, "id-2", 5.0)

    async def test_message_too_large_for_stream_or_broker_is_permanent(self, link: Link) -> None:
        await streams.declare_stream(link, streams.StreamPlan(name="A", subjects=("a.>",), message_bytes_max=2_000))

        for size in (10_000, 2_000_000):
            with pytest.raises(BadFrame):
                await link.publish_durable("a.x", b"x" * size, f"id-{size}", 5.0)

    async def test_unanswered_publish_ends_at_its_own_deadline(self, server: NatsServer) -> None:
        async with connected(settings(server.url), LinkRhythm(drain_s=0.2)) as link:
            await link.until_connected()
            await link.manage(lambda manager: manager.add_stream(name="A", subjects=["a.>"]))
            server.freeze()
            begun = time.monotonic()

            with pytest.raises(CallTimeout):
                await link.publish_durable("a.x", b"1", "id", 0.3)

            assert 0.25 < time.monotonic() - begun < 30
            server.thaw()


class TestHandlers:
    async def test_failing_handler_is_counted_and_hears_the_next_message(self, link: Link) -> None:
        heard: list[bytes] = []

        def handler(message: Message) -> None:
            heard.append(message.data)
            raise RuntimeError(message.data)

        await link.subscribe("a.b", handler)
        await link.publish("a.b", b"1")
        await link.publish("a.b", b"2")
        await until(lambda: heard == [b"1", b"2"])
        fault = next(fault for fault in link.faults if fault.kind is FaultKind.HANDLER_FAILED)

        # Where, not what: the words may be content.
        assert fault.detail.startswith("RuntimeError at test_connection_life.py:")

    async def test_messages_that_come_too_fast_are_dropped_and_counted(
        self, server: NatsServer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The bound is what keeps a flood from filling the memory; it must not be silent (trap 27)."""
        monkeypatch.setattr(subscriptions, "PENDING_MESSAGES_MAX", 2)
        heard: list[bytes] = []
        async with connected(settings(server.url), QUICK) as link:
            await link.until_connected()
            await link.subscribe("a.b", lambda message: heard.append(message.data))
            for _ in range(100):
                await link.publish("a.b", b"")
            await until(lambda: FaultKind.MESSAGES_DROPPED in kinds(link))
            await link.publish("a.b", b"last")
            await until(lambda: b"last" in heard)
            fault = next(fault for fault in link.faults if fault.kind is FaultKind.MESSAGES_DROPPED)

        assert (fault.about, fault.count) == ("a.b", 101 - len(heard))

    async def test_goodbye_sends_what_is_pending(self, server: NatsServer, link: Link) -> None:
        heard: list[bytes] = []
        await link.subscribe("a.b", lambda message: heard.append(message.data))

        async with connected(settings(server.url, "other"), QUICK) as other:
            await other.until_connected()
            for number in range(100):
                await other.publish("a.b", b"%d" % number)
        await until(lambda: len(heard) == 100)

        assert heard == [b"%d" % number for number in range(100)]


class TestLibrary:
    """What we reach for inside nats-py: these fail when a new version moves it."""

    async def test_client_has_the_insides_that_we_use(self, server: NatsServer) -> None:
        client = await dial(server.url, settings(server.url), QUICK, lambda _e: None, lambda: None)
        subscription = await client.subscribe("a.b", cb=_ignore)

        before = vital_signs(client)
        await client.flush()
        after = vital_signs(client)
        await client.publish("a.b", b"")
        await until(lambda: vital_signs(client).messages == 1)
        tasks = [client._reading_task, client._ping_interval_task, client._flusher_task]
        tasks.append(subscription._wait_for_msgs_task)
        await discard(client)

        assert after.pongs > before.pongs
        assert after.is_reading
        assert all(task is not None and task.done() for task in tasks)
        assert client.is_closed
        assert not vital_signs(client).is_reading

    async def test_link_is_up_when_the_broker_knows_its_subscriptions(
        self, server: NatsServer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The library's ping overtakes what was said before it: its answer alone proves nothing of a subscription."""
        said: list[bytes] = []
        write, writelines = BrokerTransport.write, BrokerTransport.writelines

        def spy(self: BrokerTransport, payload: bytes) -> None:
            said.append(payload)
            write(self, payload)  # type: ignore[no-untyped-call]

        def spy_lines(self: BrokerTransport, payloads: list[bytes]) -> None:
            said.extend(payloads)
            writelines(self, payloads)

        monkeypatch.setattr(BrokerTransport, "write", spy)
        monkeypatch.setattr(BrokerTransport, "writelines", spy_lines)
        async with connected(settings(server.url)) as link:
            await link.subscribe("a.b", lambda _message: None)
            await link.until_connected()
            order = b"".join(said)

        assert order.index(b"SUB a.b") < order.rindex(b"PING")

    async def test_cancellation_that_the_library_loses_is_obeyed(
        self, free_port: Callable[[], int], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """`asyncio.wait_for` of Python 3.11 does this when the connection fails in the moment of the cancellation."""
        trying = asyncio.Event()

        async def connect(_self: Client, *_servers: object, **_options: object) -> None:
            trying.set()
            try:
                await asyncio.sleep(30)
            except asyncio.CancelledError:
                raise ConnectionRefusedError from None

        monkeypatch.setattr(Client, "connect", connect)
        patient = LinkRhythm(connect_s=20.0, reconnect=QUICK.reconnect)
        begun = time.monotonic()
        async with connected(settings(f"nats://127.0.0.1:{free_port()}"), patient):
            await trying.wait()

        assert time.monotonic() - begun < 5.0

    async def test_connect_command_is_what_signs_in(self, server: NatsServer, monkeypatch: pytest.MonkeyPatch) -> None:
        """The refusal to sign in without TLS hangs on this method being asked."""
        asked: list[BrokerClient] = []
        original = Client._connect_command

        def spy(self: BrokerClient) -> bytes:
            asked.append(self)
            return original(self)

        monkeypatch.setattr(Client, "_connect_command", spy)
        client = await dial(server.url, settings(server.url), QUICK, lambda _e: None, lambda: None)
        await discard(client)

        assert asked == [client]


async def _ignore(_message: object) -> None:
    """Hear and do nothing."""
