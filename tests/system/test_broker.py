"""The broker that the hub starts, against the real bundled nats-server."""

import asyncio
import os
import signal
import socket
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import nats.errors
import pytest
from nats.aio.msg import Msg
from nats.js.api import ConsumerConfig

from hub import broker as broker_module
from hub.broker import Broker, bundled_program, configure
from hub.config import BrokerSettings
from hub.membership.broker_config import server_name, users_text
from hub.web import serving
from protocol import subjects
from protocol.errors import BadSetting, LinkDown
from protocol.sites import parse_site
from replication import lifetime
from replication.claim import CLAIM_NAME, claimed
from replication.connection import inbox_prefix
from replication.keys import load_identity
from replication.streams import StreamPlan
from tests.conftest import StartServer
from tests.gates import HubUnderTest, hub_home, opened_gate
from tests.servers import stop_where_it_stands

VILLAGE, OTHER = "330523108204", "330523108205"
SOON_S = 10


@pytest.fixture
async def hub(tmp_path: Path, free_port: Callable[[], int]) -> AsyncIterator[HubUnderTest]:
    """The home's name has a blank and Chinese in it, as homes have."""
    async with hub_home(tmp_path / "县级 节点", free_port) as made:
        yield made


def broker_of(hub: HubUnderTest) -> Broker:
    hub_key = load_identity(hub.home.hub_seed).public_key
    configure(hub.home, hub.settings, hub_key)
    return Broker(bundled_program(), hub.home, hub.settings.broker, server_name(hub.settings, hub_key))


async def is_connected_soon(hub: HubUnderTest) -> bool:
    async with asyncio.timeout(SOON_S):
        while True:
            try:
                client = await hub.connect_hub()
            except (OSError, nats.errors.Error):
                await asyncio.sleep(0.05)
                continue
            await client.close()
            return True


# Its life


async def test_a_started_broker_takes_connections_at_once(hub: HubUnderTest) -> None:
    async with broker_module.running(broker := broker_of(hub)):
        client = await hub.connect_hub()
        info = await client.jetstream().account_info()
        await client.close()

        assert broker.pid is not None
        assert info.streams == 0
    assert broker.pid is None


def test_the_hubs_own_word_about_the_brokers_memory_outranks_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GOGC", raising=False)
    ours = broker_module.broker_environment()
    monkeypatch.setenv("GOGC", "100")

    assert (ours["GOGC"], broker_module.broker_environment()["GOGC"]) == ("300", "100")
    assert ours.items() >= {name: value for name, value in os.environ.items() if name != "GOGC"}.items()


async def test_the_store_outlives_a_stop(hub: HubUnderTest) -> None:
    for expected in (0, 1):
        async with broker_module.running(broker_of(hub)):
            client = await hub.connect_hub()
            assert (await client.jetstream().account_info()).streams == expected
            await client.jetstream().add_stream(StreamPlan(name="KEEP", subjects=("dl.evt.>",)).config())
            await client.close()


async def test_a_broker_that_dies_is_started_again(hub: HubUnderTest) -> None:
    async with broker_module.running(broker := broker_of(hub)):
        watching = asyncio.create_task(broker.supervise())
        first = broker.pid
        assert first is not None
        os.kill(first, signal.SIGKILL)
        await asyncio.sleep(0.1)

        assert await is_connected_soon(hub)
        assert broker.pid not in (None, first)
        watching.cancel()


async def test_a_broker_that_does_not_obey_is_killed(hub: HubUnderTest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(broker_module, "STOP_S", 0.3)
    broker = broker_of(hub)
    await broker.start()
    assert broker.pid is not None
    stop_where_it_stands(broker.pid)

    await broker.stop()

    assert broker.pid is None


def test_a_broker_that_does_not_obey_is_killed_while_its_hub_still_closes() -> None:
    """The hub ends itself at its deadline, wherever it is; its broker would go on without it."""
    assert serving.STOP_S + broker_module.STOP_S < lifetime.STOP_DEADLINE_S


async def test_what_an_earlier_hub_left_behind_is_replaced(hub: HubUnderTest) -> None:
    """A hub that is killed cannot stop its broker; the next start on this home must not fail for that."""
    left = broker_of(hub)
    await left.start()
    orphan = left.pid

    async with broker_module.running(broker := broker_of(hub)):
        assert broker.pid not in (None, orphan)
        assert left.pid is None or (await asyncio.wait_for(left._process.wait(), SOON_S)) is not None  # type: ignore[union-attr]
        assert await is_connected_soon(hub)


async def test_a_foreign_server_on_the_port_is_named_and_left_alone(
    hub: HubUnderTest, nats_server: StartServer
) -> None:
    other = await nats_server(port=hub.settings.broker.port, jetstream=None)

    with pytest.raises(BadSetting, match=f"port {hub.settings.broker.port} is taken"):
        await broker_of(hub).start()

    assert other.pid


async def test_a_hub_of_another_home_on_the_port_is_left_alone(
    hub: HubUnderTest, tmp_path: Path, free_port: Callable[[], int]
) -> None:
    """Same program, same kind of name: still not ours."""
    async with hub_home(tmp_path / "other", free_port) as second:
        port = hub.settings.broker.port
        second.settings = type(second.settings)(
            county=second.settings.county, name="另一县", broker=BrokerSettings(host="127.0.0.1", port=port)
        )
        async with broker_module.running(first := broker_of(hub)):
            with pytest.raises(BadSetting, match="is taken"):
                await broker_of(second).start()

            assert first.pid is not None


async def test_a_port_that_only_listens_is_named(hub: HubUnderTest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(broker_module, "PROBE_S", 0.2)
    with socket.create_server(("127.0.0.1", hub.settings.broker.port)), pytest.raises(BadSetting) as raised:
        await broker_of(hub).start()

    assert str(hub.settings.broker.port) in raised.value.reason.zh
    assert "port = " in raised.value.hint.zh


async def test_a_refused_configuration_is_told_in_the_servers_words(hub: HubUnderTest) -> None:
    broker = broker_of(hub)
    hub.home.broker_users.write_text("users: [ { nkey: nonsense } ]", encoding="utf-8")

    with pytest.raises(BadSetting, match=r"(?i)nkey"):
        await broker.start()

    assert broker.pid is None


async def test_two_hubs_on_one_home_are_refused(tmp_path: Path) -> None:
    first = claimed(tmp_path, "danglian-hub")
    first.__enter__()
    with pytest.raises(BadSetting, match="another danglian-hub"), claimed(tmp_path, "danglian-hub"):
        pass

    first.__exit__(None, None, None)

    with claimed(tmp_path, "danglian-hub"):
        assert (tmp_path / CLAIM_NAME).exists()


async def test_a_claim_on_a_missing_home_says_so(tmp_path: Path) -> None:
    with pytest.raises(BadSetting, match="cannot use"), claimed(tmp_path / "nowhere", "danglian-hub"):
        pass


async def test_a_second_hub_on_an_open_home_is_refused(hub: HubUnderTest) -> None:
    async with opened_gate(hub):
        with pytest.raises(BadSetting, match="another danglian-hub"):
            async with opened_gate(hub):
                pass


# Reloads


async def test_a_reload_that_fails_is_an_error_and_keeps_the_old_users(hub: HubUnderTest) -> None:
    """Silence here would leave a revoked node connected."""
    async with broker_module.running(broker := broker_of(hub)):
        hub.home.broker_users.write_text("users: [", encoding="utf-8")

        with pytest.raises(BadSetting, match="refused"):
            await broker.reload()

        assert await is_connected_soon(hub)


async def test_a_reload_leaves_the_others_connected(hub: HubUnderTest) -> None:
    async with broker_module.running(broker := broker_of(hub)):
        client = await hub.connect_hub()
        hub_key = load_identity(hub.home.hub_seed).public_key
        hub.home.broker_users.write_text(users_text(hub_key, []) + "# again\n", encoding="utf-8")

        await broker.reload()
        await client.flush(SOON_S)

        assert client.is_connected
        await client.close()


async def test_a_reload_without_a_broker_says_that_it_is_down(hub: HubUnderTest) -> None:
    with pytest.raises(LinkDown):
        await broker_of(hub).reload()


# Rights


@pytest.fixture
async def open_hub(hub: HubUnderTest, tmp_path: Path) -> AsyncIterator[HubUnderTest]:
    async with opened_gate(hub):
        client = await hub.connect_hub()
        await client.jetstream().add_stream(
            StreamPlan(name=subjects.EVENT_STREAM, subjects=(subjects.EVENT_SUBJECTS,)).config()
        )
        await client.jetstream().add_consumer(
            subjects.EVENT_STREAM,
            ConsumerConfig(durable_name="hub", ack_policy="explicit"),  # type: ignore[arg-type]
        )
        await client.close()
        yield hub


async def test_a_node_may_do_what_a_node_does(open_hub: HubUnderTest, tmp_path: Path) -> None:
    home, _ = await open_hub.node(tmp_path / "node", VILLAGE)
    site, errors, heard = parse_site(VILLAGE), list[str](), list[str]()

    async def note(message: Msg) -> None:
        heard.append(message.subject)

    node, asker = await open_hub.connect_node(home, VILLAGE, errors), await open_hub.connect_hub()
    for subject in (subjects.ASK_ALL, subjects.ask_every(site), subjects.receipt(site)):
        await node.subscribe(subject, cb=note)
    for subject in (subjects.BEAT_SUBJECTS, ALL_REPLIES):
        await asker.subscribe(subject, cb=note)
    await asyncio.gather(node.flush(SOON_S), asker.flush(SOON_S))
    acknowledged = await node.jetstream().publish(subjects.events(site), b"frame")
    sent = [subjects.ask_all("search"), subjects.ask(site, "get"), subjects.receipt(site)]
    answered = [subjects.beat(site), subjects.reply(site, "hub", "q1")]
    for subject in sent:
        await asker.publish(subject, b"{}")
    for subject in answered:
        await node.publish(subject, b"{}")
    async with asyncio.timeout(SOON_S):
        while len(heard) < len(sent) + len(answered):
            await asyncio.sleep(0.01)

    assert acknowledged.seq == 1
    assert sorted(heard) == sorted([*sent, *answered])
    assert errors == []
    await asyncio.gather(node.close(), asker.close())


ALL_REPLIES = "dl.rsp.>"
FORBIDDEN_TO_PUBLISH = [
    subjects.events(parse_site(OTHER)),
    subjects.events(parse_site("330523108000")),
    subjects.beat(parse_site(OTHER)),
    subjects.reply(parse_site(OTHER), "hub", "q1"),
    subjects.receipt(parse_site(VILLAGE)),
    subjects.receipt(parse_site(OTHER)),
    subjects.ask_all("search"),
    subjects.ask(parse_site(OTHER), "search"),
    "_INBOX_hub.x",
    f"{inbox_prefix(parse_site(OTHER))}.x",
    "$JS.API.INFO",
    "$JS.API.STREAM.DELETE.DL_EVENTS",
    "$JS.API.STREAM.PURGE.DL_EVENTS",
    "$JS.API.STREAM.UPDATE.DL_EVENTS",
    "$JS.API.STREAM.MSG.GET.DL_EVENTS",
    "$JS.API.DIRECT.GET.DL_EVENTS",
    "$JS.API.CONSUMER.CREATE.DL_EVENTS",
    "$JS.API.CONSUMER.MSG.NEXT.DL_EVENTS.hub",
    "$JS.ACK.DL_EVENTS.hub.1.1.1.1.1",
    "$SYS.REQ.SERVER.PING",
    "anything.else",
]
FORBIDDEN_TO_HEAR = [
    ">",
    "dl.>",
    "dl.evt.>",
    subjects.events(parse_site(OTHER)),
    subjects.events(parse_site(VILLAGE)),
    subjects.BEAT_SUBJECTS,
    ALL_REPLIES,
    subjects.replies_to("hub"),
    "dl.rcpt.>",
    subjects.receipt(parse_site(OTHER)),
    "dl.ask.>",
    subjects.ask_every(parse_site(OTHER)),
    "_INBOX.>",
    "_INBOX_hub.>",
    f"{inbox_prefix(parse_site(OTHER))}.>",
    "$JS.>",
    "$SYS.>",
]


async def test_a_node_may_do_nothing_else(open_hub: HubUnderTest, tmp_path: Path) -> None:
    """Each forbidden act is denied by name, nothing of it arrives, and the stream stays as it is."""
    home, _ = await open_hub.node(tmp_path / "node", VILLAGE)
    errors, arrived = list[str](), list[str]()

    async def note(message: Msg) -> None:
        arrived.append(message.subject)

    asker, node = await open_hub.connect_hub(), await open_hub.connect_node(home, VILLAGE, errors)
    for subject in ("dl.>", "_INBOX_hub.>", "anything.>"):
        await asker.subscribe(subject, cb=note)
    await asker.flush(SOON_S)

    for subject in FORBIDDEN_TO_PUBLISH:
        await node.publish(subject, b"{}", reply=f"{inbox_prefix(parse_site(VILLAGE))}.r")
    for subject in FORBIDDEN_TO_HEAR:
        await node.subscribe(subject, cb=note)
    await node.flush(SOON_S)
    for subject in (subjects.receipt(parse_site(OTHER)), subjects.reply(parse_site(OTHER), "hub", "q")):
        await node.publish(subject, b"{}")
    async with asyncio.timeout(SOON_S):
        while len(errors) < len(FORBIDDEN_TO_PUBLISH) + len(FORBIDDEN_TO_HEAR):
            await asyncio.sleep(0.01)

    denied = {error.partition('"')[2].partition('"')[0] for error in errors if "permissions violation" in error}
    assert {subject.lower() for subject in (*FORBIDDEN_TO_PUBLISH, *FORBIDDEN_TO_HEAR)} - denied == set()
    assert arrived == []
    state = (await asker.jetstream().stream_info(subjects.EVENT_STREAM)).state
    assert (state.messages, state.consumer_count) == (0, 1)
    await asyncio.gather(asker.close(), node.close())


REACHED_BY_ACKNOWLEDGEMENT = [
    "STREAM.PURGE.DL_EVENTS",
    "STREAM.DELETE.DL_EVENTS",
    "STREAM.MSG.DELETE.DL_EVENTS",
    "STREAM.UPDATE.DL_EVENTS",
    "STREAM.CREATE.EVIL",
    "STREAM.RESTORE.EVIL",
    "STREAM.SNAPSHOT.DL_EVENTS",
    "STREAM.LEADER.STEPDOWN.DL_EVENTS",
    "STREAM.PEER.REMOVE.DL_EVENTS",
    "CONSUMER.CREATE.DL_EVENTS",
    "CONSUMER.CREATE.DL_EVENTS.evil",
    "CONSUMER.DURABLE.CREATE.DL_EVENTS.evil",
    "CONSUMER.DELETE.DL_EVENTS.hub",
    "CONSUMER.PAUSE.DL_EVENTS.hub",
    "CONSUMER.RESET.DL_EVENTS.hub",
    "CONSUMER.UNPIN.DL_EVENTS.hub",
    "CONSUMER.MSG.NEXT.DL_EVENTS.hub",
    "ACCOUNT.PURGE.ARCH",
    "SERVER.REMOVE",
    "META.LEADER.STEPDOWN",
]


async def test_an_acknowledgement_cannot_be_aimed_at_the_stream(open_hub: HubUnderTest, tmp_path: Path) -> None:
    """The server sends acknowledgements with its own rights to any subject that the publisher names.

    On a server that reads requests loosely, the first of these empties the stream.
    """
    home, _ = await open_hub.node(tmp_path / "node", VILLAGE)
    node, asker = await open_hub.connect_node(home, VILLAGE, []), await open_hub.connect_hub()
    stream = asker.jetstream()

    for api in REACHED_BY_ACKNOWLEDGEMENT:
        await node.publish(subjects.events(parse_site(VILLAGE)), b"frame", reply=f"$JS.API.{api}")
    await node.flush(SOON_S)
    async with asyncio.timeout(SOON_S):
        while (await stream.stream_info(subjects.EVENT_STREAM)).state.last_seq < len(REACHED_BY_ACKNOWLEDGEMENT):
            await asyncio.sleep(0.05)
    await asyncio.sleep(0.2)

    state = (await stream.stream_info(subjects.EVENT_STREAM)).state
    names = [found.config.name for found in await stream.streams_info()]
    consumers = [(found.name, found.delivered.consumer_seq) for found in await stream.consumers_info("DL_EVENTS")]  # type: ignore[union-attr]
    assert (state.first_seq, state.messages) == (1, len(REACHED_BY_ACKNOWLEDGEMENT))
    assert names == [subjects.EVENT_STREAM]
    assert consumers == [("hub", 0)]
    await asyncio.gather(node.close(), asker.close())


async def test_a_stranger_and_a_plain_connection_get_nowhere(open_hub: HubUnderTest, tmp_path: Path) -> None:
    port = open_hub.settings.broker.port
    plain = nats.connect(f"nats://127.0.0.1:{port}", allow_reconnect=False, connect_timeout=2)
    with pytest.raises((nats.errors.Error, OSError)):
        await plain

    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b'CONNECT {"verbose":false}\r\nSUB > 1\r\nPING\r\n')
    async with asyncio.timeout(SOON_S):
        said = await reader.read()
    writer.close()
    await writer.wait_closed()
    assert b"PONG" not in said
