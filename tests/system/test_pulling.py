"""Streams and their reader over a real broker: declared twice, deleted, rewound, restarted in the middle."""

import asyncio
import time
from collections.abc import AsyncIterator

import pytest
from nats.js.api import ConsumerConfig, DeliverPolicy, RetentionPolicy, StreamConfig

from protocol.errors import BadSetting, LinkDown
from replication import streams
from replication.connection import Link, connected
from replication.faults import FaultKind
from replication.pulling import Delivery, PullSource
from replication.streams import StreamPlan, declare_consumer, declare_stream
from tests.conftest import StartServer
from tests.servers import NatsServer
from tests.system.test_connection_life import QUICK, kinds, settings, until

PLAN = StreamPlan(name="DL_EVENTS", subjects=("dl.evt.>",), bytes_max=50_000_000, ack_wait_s=30.0)
SUBJECT = "dl.evt.330523.108.204._"


@pytest.fixture
async def server(nats_server: StartServer) -> NatsServer:
    return await nats_server()


@pytest.fixture
async def link(server: NatsServer) -> AsyncIterator[Link]:
    async with connected(settings(server.url), QUICK) as bus:
        await asyncio.wait_for(bus.until_connected(), 15)
        yield bus


@pytest.fixture
async def source(link: Link) -> AsyncIterator[PullSource]:
    await declare_stream(link, PLAN)
    source = link.pull(PLAN, "hub")
    yield source
    await source.close()


async def publish(link: Link, first: int, last: int) -> None:
    for number in range(first, last + 1):
        await link.publish_durable(SUBJECT, b"%d" % number, f"id-{number}-{time.monotonic_ns()}", 5.0)


async def read(source: PullSource, count: int, *, acknowledge: bool = True, within_s: float = 10.0) -> list[int]:
    """Fetch until so many messages came; returns what they carried, in order of arrival."""
    numbers: list[int] = []
    async with asyncio.timeout(within_s):
        while len(numbers) < count:
            for delivery in await source.fetch(count - len(numbers), 1.0):
                numbers.append(int(delivery.data))
                if acknowledge:
                    await delivery.ack()
    return numbers


class TestDeclaration:
    async def test_stream_is_as_planned(self, link: Link) -> None:
        await declare_stream(link, streams.EVENTS)
        config = (await link.manage(lambda manager: manager.stream_info("DL_EVENTS"))).config

        assert (config.max_bytes, config.max_age, config.duplicate_window, config.max_msg_size) == (
            streams.STREAM_BYTES_MAX,
            streams.STREAM_AGE_S,
            streams.DUPLICATE_WINDOW_S,
            256 * 1024 + 1024,
        )
        assert (str(config.discard), str(config.storage), str(config.retention)) == ("new", "file", "limits")

    async def test_declaring_again_changes_nothing(self, link: Link) -> None:
        first = await declare_stream(link, PLAN)
        await declare_consumer(link, PLAN, "hub", 0, 0)
        updates: list[object] = []
        watching = await link.subscribe("$JS.EVENT.ADVISORY.STREAM.UPDATED.>", updates.append)

        second = await declare_stream(link, PLAN)
        state = await declare_consumer(link, PLAN, "hub", 0, 0)
        await declare_stream(link, StreamPlan(name="DL_EVENTS", subjects=("dl.evt.>",), bytes_max=1_000_000))
        await until(lambda: bool(updates))
        await watching.close()

        # The one update is that of the other plan.
        assert (first, state.was_made, len(updates)) == (second, False, 1)

    async def test_changed_bound_is_updated_and_the_rest_kept(self, link: Link) -> None:
        """An update from a blank configuration would reset what it does not name (trap 25)."""
        await declare_stream(link, PLAN)
        found = await link.manage(lambda manager: manager.stream_info("DL_EVENTS"))
        by_hand = found.config.evolve(description="by the administrator", max_msgs_per_subject=7_000)
        await link.manage(lambda manager: manager.update_stream(by_hand))
        larger = StreamPlan(name="DL_EVENTS", subjects=("dl.evt.>",), bytes_max=60_000_000)
        await declare_stream(link, larger)
        config = (await link.manage(lambda manager: manager.stream_info("DL_EVENTS"))).config

        assert (config.max_bytes, config.description, config.max_msgs_per_subject) == (
            60_000_000,
            "by the administrator",
            7_000,
        )
        assert str(config.discard) == "new"

    async def test_reader_gets_changed_bounds(self, link: Link) -> None:
        await declare_stream(link, PLAN)
        await declare_consumer(link, PLAN, "hub", 0, 0)
        changed = StreamPlan(name="DL_EVENTS", subjects=("dl.evt.>",), ack_wait_s=7.0, ack_pending_max=9)
        await declare_consumer(link, changed, "hub", 0, 0)
        config = (await link.manage(lambda manager: manager.consumer_info("DL_EVENTS", "hub"))).config

        assert (config.ack_wait, config.max_ack_pending, config.max_deliver) == (7.0, 9, -1)

    async def test_stream_of_another_making_is_not_taken_over(self, link: Link) -> None:
        other = StreamConfig(name="DL_EVENTS", subjects=["dl.evt.>"], retention=RetentionPolicy.WORK_QUEUE)
        await link.manage(lambda manager: manager.add_stream(other))

        with pytest.raises(BadSetting, match="retention"):
            await declare_stream(link, PLAN)

    async def test_declaring_without_a_link_is_retryable(self, server: NatsServer, link: Link) -> None:
        await server.kill()
        await asyncio.sleep(0.1)

        with pytest.raises(LinkDown):
            await declare_stream(link, PLAN)


class TestReading:
    async def test_messages_come_in_order_and_once(self, link: Link, source: PullSource) -> None:
        await publish(link, 1, 100)

        assert await read(source, 100) == list(range(1, 101))
        assert await source.fetch(10, 0.2) == []

    async def test_waiting_reader_gets_a_new_message_at_once(self, link: Link, source: PullSource) -> None:
        fetching = asyncio.create_task(source.fetch(16, 60.0))
        await asyncio.sleep(0.2)
        begun = time.monotonic()
        await publish(link, 1, 1)
        deliveries = await fetching

        assert [(d.subject, d.data, d.place, d.times) for d in deliveries] == [(SUBJECT, b"1", 1, 1)]
        assert time.monotonic() - begun < 20

    async def test_idle_reader_returns_nothing_in_time(self, source: PullSource) -> None:
        begun = time.monotonic()

        assert await source.fetch(16, 0.5) == []
        assert 0.4 < time.monotonic() - begun < 30

    async def test_message_after_many_idle_fetches_is_not_held_up(self, link: Link, source: PullSource) -> None:
        """A request that outlived its fetch would swallow the message and stall the next fetch (trap 19)."""
        for number in range(1, 21):
            assert await source.fetch(4, 0.05) == []
            begun = time.monotonic()
            await publish(link, number, number)
            assert await read(source, 1) == [number]
            assert time.monotonic() - begun < 10

    async def test_unacknowledged_messages_come_again_to_the_next_reader_in_order(
        self, server: NatsServer, link: Link, source: PullSource
    ) -> None:
        """Without a reset they would come after the acknowledgement wait of a minute, behind newer ones."""
        await publish(link, 1, 10)
        assert await read(source, 4) == [1, 2, 3, 4]
        assert await read(source, 3, acknowledge=False) == [5, 6, 7]

        async with connected(settings(server.url, "next"), QUICK) as other:
            again = other.pull(PLAN, "hub")
            assert await read(again, 6) == [5, 6, 7, 8, 9, 10]

    async def test_stray_status_header_of_a_message_is_content(self, link: Link, source: PullSource) -> None:
        """A site could put the header of a status message on its frame."""
        client = link._client
        assert client is not None
        await client.jetstream().publish(SUBJECT, b"1", headers={"Status": "408"})

        assert await read(source, 1) == [1]


class TestFailures:
    async def test_fetch_in_flight_over_a_restart_goes_on_at_once(
        self, server: NatsServer, link: Link, source: PullSource
    ) -> None:
        """The library's fetch waits its whole timeout (trap 18)."""
        await publish(link, 1, 2)
        assert await read(source, 2) == [1, 2]
        fetching = asyncio.create_task(source.fetch(16, 30.0))
        await asyncio.sleep(0.1)
        await server.restart(kill=True)
        begun = time.monotonic()
        assert await asyncio.wait_for(fetching, 10) == []
        await link.until_connected()
        await publish(link, 3, 3)
        # The broker writes down acknowledgements lazily: after a power cut some messages come once more.
        while await read(source, 1) != [3]:
            pass

        assert time.monotonic() - begun < 8.0

    async def test_messages_in_hand_over_a_restart_come_again_in_order(
        self, server: NatsServer, link: Link, source: PullSource
    ) -> None:
        await publish(link, 1, 20)
        first: list[Delivery] = await source.fetch(5, 1.0)
        await server.restart(kill=True)
        await link.until_connected()
        for delivery in first:
            await delivery.ack()
        # Whether the broker still knew of the first five when their acknowledgement came is its own affair.
        numbers: list[int] = []
        while 20 not in numbers:
            numbers += await read(source, 1)

        assert set(numbers) | {1, 2, 3, 4, 5} == set(range(1, 21))
        assert numbers == sorted(numbers)

    async def test_reader_deleted_in_flight_is_made_again_at_the_right_place(
        self, link: Link, source: PullSource
    ) -> None:
        """The library's fetch returns nothing, and then fails for ever (trap 20)."""
        await publish(link, 1, 6)
        assert await read(source, 4) == [1, 2, 3, 4]
        assert await read(source, 1, acknowledge=False) == [5]
        await source.fetch(1, 0.2)
        fetching = asyncio.create_task(source.fetch(16, 60.0))
        await asyncio.sleep(0.1)
        await link.manage(lambda manager: manager.delete_consumer("DL_EVENTS", "hub"))
        await asyncio.wait_for(fetching, 30)
        await publish(link, 7, 7)

        # 5 was not acknowledged, 6 was handed out and not acknowledged: both come again, 1 to 4 do not.
        assert await read(source, 3) == [5, 6, 7]
        assert FaultKind.CONSUMER_REMADE in kinds(link)

    async def test_reader_deleted_between_fetches_is_made_again(self, link: Link, source: PullSource) -> None:
        await publish(link, 1, 2)
        assert await read(source, 2) == [1, 2]
        assert await source.fetch(4, 0.1) == []
        await link.manage(lambda manager: manager.delete_consumer("DL_EVENTS", "hub"))
        await publish(link, 3, 3)

        assert await read(source, 1) == [3]

    async def test_stream_deleted_and_made_anew_is_read_from_its_beginning(
        self, link: Link, source: PullSource
    ) -> None:
        """The places of the new stream start over: going on behind the old place would skip messages."""
        await publish(link, 1, 5)
        assert await read(source, 5) == [1, 2, 3, 4, 5]
        await link.manage(lambda manager: manager.delete_stream("DL_EVENTS"))
        await declare_stream(link, PLAN)
        await publish(link, 6, 13)

        assert await read(source, 8) == list(range(6, 14))

    async def test_deleted_stream_is_made_again_by_its_reader(self, link: Link, source: PullSource) -> None:
        await source.fetch(1, 0.1)
        await link.manage(lambda manager: manager.delete_stream("DL_EVENTS"))
        async with asyncio.timeout(10):
            while True:
                await source.fetch(1, 0.1)
                try:
                    await publish(link, 1, 1)
                    break
                except LinkDown:
                    continue

        assert await read(source, 1) == [1]

    async def test_reader_ahead_of_a_rewound_stream_starts_over(self, link: Link) -> None:
        """A broker that lost its disk's last minutes hands out the same places again (promise 3)."""
        await declare_stream(link, PLAN)
        await publish(link, 1, 3)
        ahead = ConsumerConfig(durable_name="hub", deliver_policy=DeliverPolicy.BY_START_SEQUENCE, opt_start_seq=50)
        await link.manage(lambda manager: manager.add_consumer("DL_EVENTS", ahead))
        source = link.pull(PLAN, "hub")

        assert await read(source, 3) == [1, 2, 3]

    async def test_fetch_without_a_broker_waits_and_returns_nothing(
        self, server: NatsServer, source: PullSource
    ) -> None:
        await source.fetch(1, 0.1)
        await server.kill()
        await asyncio.sleep(0.2)
        begun = time.monotonic()

        assert await source.fetch(1, 0.5) == []
        assert time.monotonic() - begun < 30

    async def test_acknowledgement_without_a_link_does_not_fail(
        self, server: NatsServer, link: Link, source: PullSource
    ) -> None:
        await publish(link, 1, 1)
        (delivery,) = await source.fetch(1, 1.0)
        await server.kill()
        await asyncio.sleep(0.2)

        await delivery.ack()
        await server.start()
        await link.until_connected()

        assert await read(source, 1) == [1]
