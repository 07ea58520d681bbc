"""Calls, signs of life and receipts over a real broker: with sites' permissions, over restarts, through a relay."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Coroutine
from pathlib import Path

import msgspec
import pytest

from protocol import codec, subjects
from protocol.beats import Beat, Receipt
from protocol.calls import Answer, AskHealth, Health, Hit, Hits, Outcome, Search, question_digest
from protocol.errors import LinkDown
from protocol.sites import Site, parse_site
from replication.answering import Said, answer_calls
from replication.asking import Asker
from replication.beats import BeatRhythm, hear_beats, hear_receipts, send_beats, send_receipt
from replication.broker_client import LinkSettings
from replication.connection import Link, connected, inbox_prefix
from replication.faults import FaultKind
from tests.conftest import StartServer
from tests.identities import Identity, users
from tests.servers import NatsServer
from tests.system.test_connection_life import QUICK, kinds, settings, until

SITES = [parse_site(f"33052310820{number}") for number in range(5)]
FIRST, SECOND = SITES[:2]


def health(asker: str, name: str) -> AskHealth:
    return AskHealth(asker=asker, question=name)


def search(asker: str, name: str) -> Search:
    return Search(asker=asker, question=name, query="林地承包")


async def healthy(_question: AskHealth) -> Said:
    return Outcome.ANSWERED, Health(version="1")


@contextlib.asynccontextmanager
async def background(*programs: Coroutine[object, object, None]) -> AsyncIterator[None]:
    """Run programs that never end, for as long as the context lasts."""
    tasks = [asyncio.create_task(program) for program in programs]
    await asyncio.sleep(0.05)
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
        assert all(task.cancelled() for task in tasks)


@contextlib.asynccontextmanager
async def up(given: LinkSettings) -> AsyncIterator[Link]:
    async with connected(given, QUICK) as link:
        await asyncio.wait_for(link.until_connected(), 15)
        yield link


async def answering(url: str, site: Site) -> None:
    async with up(settings(url, inbox_prefix(site).removeprefix("_INBOX_"))) as link:
        await answer_calls(link, site, lambda: ("e", 1), {AskHealth: healthy})


async def ask(asker: Asker, sites: list[Site], deadline_s: float = 5.0, *, everyone: bool = False) -> dict[str, str]:
    given = asker.ask(health, sites, deadline_s, everyone=everyone)
    return {found.site.code: found.outcome.value async for found in given}


@pytest.fixture
async def server(nats_server: StartServer) -> NatsServer:
    return await nats_server()


@pytest.mark.parametrize("everyone", [False, True])
async def test_all_sites_answer_over_a_restart_of_the_broker(server: NatsServer, *, everyone: bool) -> None:
    expected = {site.code: "answered" for site in SITES}
    async with (
        background(*(answering(server.url, site) for site in SITES)),
        up(settings(server.url, "hub")) as link,
        Asker(link, "hub").opened() as asker,
    ):
        before = await until_all_answer(link, asker, everyone=everyone)
        await server.restart(kill=True)
        after = await until_all_answer(link, asker, everyone=everyone)

        assert (before, after) == (expected, expected)


async def until_all_answer(link: Link, asker: Asker, *, everyone: bool) -> dict[str, str]:
    """Ask until every site has answered: some may not have found the broker yet."""
    answers: dict[str, str] = {}
    async with asyncio.timeout(20):
        while set(answers.values()) != {"answered"}:
            await link.until_connected()
            with contextlib.suppress(LinkDown):
                answers = await ask(asker, SITES, 0.5, everyone=everyone)
    return answers


async def test_answer_too_large_for_a_reply_arrives_cut(server: NatsServer) -> None:
    hit = Hit(record=msgspec.Raw(b'"' + b"x" * 5_000 + b'"'))

    async def find(_question: Search) -> Said:
        return Outcome.ANSWERED, Hits(total=700, hits=(hit,) * 100)

    async with (
        up(settings(server.url, "site")) as site,
        background(answer_calls(site, FIRST, lambda: ("e", 1), {Search: find})),
        up(settings(server.url, "hub")) as link,
        Asker(link, "hub").opened() as asker,
    ):
        found = await asker.ask_one(search, FIRST, 5.0)

    assert found.answer is not None
    assert isinstance(found.answer.body, Hits)
    assert (found.answer.body.total, len(found.answer.body.hits)) == (700, 13)


async def test_site_cannot_answer_for_another(nats_server: StartServer, tmp_path: Path) -> None:
    """The broker refuses the subject; nobody else could have sent what arrives under it."""
    hub, site = Identity(tmp_path / "hub.nk"), Identity(tmp_path / "site.nk")
    allowed = f'publish: {{ allow: ["{subjects.replies_of(FIRST)}"] }}, subscribe: {{ allow: ["dl.ask.>"] }}'
    server = await nats_server(
        config=users(f"{{ nkey: {hub.public} }}", f"{{ nkey: {site.public}, permissions: {{ {allowed} }} }}")
    )

    def given(name: str, identity: Identity) -> LinkSettings:
        return LinkSettings(urls=(server.url,), name=name, inbox_prefix=f"_INBOX_{name}", seed_file=identity.seed_file)

    async with (
        up(given("site", site)) as rogue,
        up(given("hub", hub)) as link,
        Asker(link, "hub").opened() as asker,
    ):

        async def forge(data: bytes, name: str) -> None:
            answer = Answer(
                site=SECOND.code,
                epoch="e",
                seq=1,
                took_ms=0.0,
                question_digest=question_digest(data),
                outcome=Outcome.NOTHING,
            )
            await rogue.publish(subjects.reply(SECOND, "hub", name), codec.encode(answer))

        forged: list[asyncio.Task[None]] = []
        await rogue.subscribe(
            subjects.ASK_ALL,
            lambda message: forged.append(
                asyncio.ensure_future(forge(message.data, codec.decode_question(message.data).question))
            ),
        )
        while not forged:
            found = await ask(asker, [FIRST, SECOND], 0.3, everyone=True)

            assert found == {FIRST.code: "late", SECOND.code: "late"}
        await asyncio.gather(*forged)
        await until(lambda: FaultKind.PUBLISH_DENIED in kinds(rogue))


async def test_calls_pass_a_relay(nats_server: StartServer, free_port: Callable[[], int]) -> None:
    """Replies to inboxes are lost at a leaf that may not publish them; those under the site's name pass (trap 22)."""
    leaf_port = free_port()
    hub = await nats_server("hub", config=f'leafnodes {{ listen: "127.0.0.1:{leaf_port}" }}')
    relay = await nats_server(
        "relay",
        jetstream=None,
        config=f'leafnodes {{ reconnect: "1s", remotes: [ {{ urls: ["nats://127.0.0.1:{leaf_port}"] }} ] }}',
    )

    async with (
        background(answering(relay.url, FIRST), answering(hub.url, SECOND)),
        up(settings(hub.url, "hub")) as link,
        Asker(link, "hub").opened() as asker,
    ):
        found: dict[str, str] = {}
        async with asyncio.timeout(20):
            # The relay may need a moment to hear of the hub's subscription.
            while set(found.values()) != {"answered"}:
                found = await ask(asker, [FIRST, SECOND], 0.5)

    assert found == {FIRST.code: "answered", SECOND.code: "answered"}


async def test_beats_and_receipts_go_both_ways_over_a_restart(server: NatsServer) -> None:
    beats: list[Beat] = []
    receipts: list[Receipt] = []
    described = 0

    async def describe() -> Beat:
        nonlocal described
        described += 1
        return Beat(site=FIRST.code, node="N", epoch="e", seq=described)

    async with up(settings(server.url, "node")) as node, up(settings(server.url, "hub")) as hub:

        async def heard(beat: Beat) -> None:
            beats.append(beat)
            with contextlib.suppress(LinkDown):
                await send_receipt(hub, Receipt(site=beat.site, epoch=beat.epoch, applied=beat.seq))

        async def confirmed(receipt: Receipt) -> None:
            receipts.append(receipt)

        wake = asyncio.Event()
        async with background(
            hear_beats(hub, heard),
            hear_receipts(node, FIRST, confirmed),
            send_beats(node, FIRST, describe, wake, BeatRhythm(every_s=0.5, gap_s=0.02)),
        ):
            await until(lambda: bool(receipts))
            await server.restart(kill=True)
            seen = len(receipts)
            await until(lambda: len(receipts) > seen, 20)
            wake.set()
            seen = len(receipts)
            await until(lambda: len(receipts) > seen, 20)

    assert [receipt.applied for receipt in receipts] == sorted(receipt.applied for receipt in receipts)
