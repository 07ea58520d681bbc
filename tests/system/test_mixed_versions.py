"""Neighbouring versions over a real broker: a node of 1.0 and one of tomorrow at today's hub, and the other way round.

The node of 1.0 says the very bytes that are frozen in `tests/golden/v1.0`. The partner of tomorrow is made of today's
messages with fields, kinds and calls that nobody knows yet.
"""

import asyncio
import contextlib
import sqlite3
import uuid
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from node.config import load
from node.daemon import link_settings
from node.home import NodeHome, home_at
from protocol import codec, subjects
from protocol.beats import Beat, Receipt
from protocol.calls import AskHealth, Health, Outcome, question_digest
from protocol.codec import encode_event, encode_record
from protocol.events import AccessChanged, Described, Withdrawn
from protocol.frames import Frame
from protocol.records import Record
from protocol.rhythms import Rhythm, parse_hours
from protocol.sites import parse_site
from protocol.vocabularies import AccessStatus
from replication.answering import Said, answer_calls
from replication.beats import BeatRhythm, hear_receipts, send_beats
from replication.bus import Message
from replication.connection import Link, connected, inbox_prefix
from replication.faults import FaultKind
from replication.keys import load_identity, new_seed, write_seed
from replication.seal import seal
from tests.builders import record
from tests.conftest import StartServer
from tests.system.programs import Program, until
from tests.system.test_connection_life import QUICK, kinds, settings

pytestmark = pytest.mark.timeout(120)

GOLDEN = Path(__file__).parents[1] / "golden" / "v1.0"
SITE = "330523108204"
EPOCH = "00000000000000e1"
LINK_S = 20.0


@pytest.fixture
async def hub(tmp_path: Path, free_port: Callable[[], int]) -> AsyncIterator[Program]:
    program = Program("hub", tmp_path / "hub")
    await program.run(
        *("init", "--county", "330523000000", "--name", "安吉县档案馆", "--host", "127.0.0.1", "--listen", "127.0.0.1"),
        *("--port", str(free_port()), "--enrol-port", str(free_port())),
    )
    await program.start()
    try:
        await until("the hub to listen", lambda: "hub_ready" in program.tail())
        yield program
    finally:
        assert await program.stop() == 0, program.tail()


class Partner:
    """A node of another version: enrolled as every node is, and then saying what the test makes it say."""

    def __init__(self, home: NodeHome, link: Link) -> None:
        self.identity = load_identity(home.seed)
        self.link = link
        self.site = parse_site(SITE)
        self.receipts: list[bytes] = []

    async def beat(self, raw: bytes) -> None:
        await self.link.publish(subjects.beat(self.site), raw)

    async def frame(self, sealed: bytes) -> None:
        await self.link.publish_durable(subjects.events(self.site), sealed, uuid.uuid4().hex, LINK_S)

    def applied(self) -> int:
        """The position of the latest receipt, as a reader of 1.0 reads it."""
        return msgspec.json.decode(self.receipts[-1], type=ReceiptOf10).applied if self.receipts else -1


class ReceiptOf10(msgspec.Struct, frozen=True, kw_only=True):
    """A receipt as version 1.0 knew it."""

    site: str
    epoch: str
    applied: int
    chain: str = ""
    want: str = "nothing"
    at_ms: int = 0


class BeatOf10(msgspec.Struct, frozen=True, kw_only=True):
    """A sign of life as version 1.0 knew it."""

    site: str
    node: str
    epoch: str
    seq: int
    published: int = 0
    outbox_frames: int = 0
    disk_free_bytes: int = 0


@contextlib.asynccontextmanager
async def enrolled(hub: Program, folder: Path, seed: bytes | None = None) -> AsyncIterator[Partner]:
    """Enrol a node of SITE and give its link; with a seed it has that key."""
    home = home_at(folder)
    if seed is not None:
        write_seed(home.seed, seed)
    text = (hub.home / "hub.toml").read_text(encoding="utf-8")
    door = next(line for line in text.split("[enrolment]")[1].splitlines() if line.startswith("port")).split("=")[1]
    issued = await hub.json("enrol", SITE, "--name", "档案室")
    await Program("node", folder).run("init", "--hub", f"127.0.0.1:{door.strip()}", "--code", issued["code"])
    async with connected(link_settings(load(home.settings), home)) as link:
        await asyncio.wait_for(link.until_connected(), LINK_S)
        partner = Partner(home, link)
        hearing = await link.subscribe(subjects.receipt(partner.site), lambda m: partner.receipts.append(m.data))
        yield partner
        await hearing.close()


async def line_of(hub: Program) -> dict[str, Any]:
    """The site's line of the board."""
    board = await hub.json("sites", "--site", SITE)
    return next((line for line in board["sites"]), {})


async def test_a_node_of_1_0_is_a_full_member_of_todays_county(hub: Program, tmp_path: Path) -> None:
    """Its frame and its sign of life are the frozen bytes: no rhythm, no goodbye, no word about its folders."""
    async with enrolled(hub, tmp_path / "old", new_seed((1).to_bytes(32, "big"))) as old:
        await old.frame((GOLDEN / "frame.sealed").read_bytes())
        await old.beat((GOLDEN / "beat.json").read_bytes().rstrip(b"\n"))
        await until("a receipt for the frame of 1.0", lambda: old.applied() == 4)
        line = await until("the board to know it", lambda: seen(hub, 4))
        alarms = await hub.json("alarms")
        health = await hub.json("health", expect=None)

    assert (line["applied"], line.get("lag", 0), line["rejected"]) == (4, 0, 2)
    assert [one["alarm"]["kind"] for one in alarms["alarms"]] == []
    assert health["standing"] != "bad", [one for one in health["checks"] if one["standing"] == "bad"]


async def seen(hub: Program, applied: int) -> dict[str, Any]:
    """The site's line once its sign of life was noted and so much of it is applied."""
    line = await line_of(hub)
    return line if line.get("seen_at_ms") and line["applied"] == applied else {}


class FrameOfTomorrow(Frame, frozen=True, kw_only=True):
    """A frame with a field that nobody knows."""

    weather: str = ""


def frame_of_tomorrow(partner: Partner) -> bytes:
    """A frame with an unknown field, a record with one, an event with one, and an event of an unknown kind."""
    first, third = record(title="关于明日版本的通知"), record(title="关于次日版本的通知")
    whole = encode_record(first)[:-1] + b',"shelf_mark":"A-3"}'
    known = encode_event(Described(seq=1, previous=0, at_ms=1, record=msgspec.Raw(whole)))
    unknown = b'{"kind":"transfer_offered","seq":2,"previous":1,"at_ms":1,"boxes":[1,2]}'
    odd = encode_event(Described(seq=3, previous=2, at_ms=1, record=msgspec.Raw(encode_record(third))))
    frame = FrameOfTomorrow(
        site=SITE,
        node=partner.identity.public_key,
        epoch=EPOCH,
        previous=0,
        last=3,
        events=(msgspec.Raw(known), msgspec.Raw(unknown), msgspec.Raw(odd[:-1] + b',"mood":"fine"}')),
        weather="rain",
    )
    return seal(frame, partner.identity)


async def test_a_node_of_tomorrow_is_understood_as_far_as_possible_and_loses_nothing(
    hub: Program, tmp_path: Path
) -> None:
    async with enrolled(hub, tmp_path / "new") as new:
        beat = codec.encode(Beat(site=SITE, node=new.identity.public_key, epoch=EPOCH, seq=3, started_at_ms=1))
        await new.frame(frame_of_tomorrow(new))
        await new.beat(beat[:-1] + b',"mood":"fine","rhythm":{"tides":true,"heartbeat_s":20}}')
        await until("a receipt for the frame of tomorrow", lambda: new.applied() == 3)
        await until("the board to know it", lambda: seen(hub, 3))
        answers = await new.link.subscribe(subjects.ask_every(new.site), answering_as_tomorrow(new))
        everyone = await new.link.subscribe(subjects.ASK_ALL, answering_as_tomorrow(new))
        live = await hub.json("search", "明日版本", "--live")
        await answers.close()
        await everyone.close()
    found = await hub.json("search", "日版本")
    aside = await hub.json("quarantine")
    retried = await hub.json("quarantine", "retry", "--all", expect=1)

    assert sorted(hit["record"]["title"] for hit in found["hits"]) == ["关于明日版本的通知", "关于次日版本的通知"]
    assert (live["sites"][0]["outcome"], live["sites"][0]["live_total"]) == ("answered", 7)
    (kept,) = aside["quarantined"]
    assert (kept["fault"], kept["seq"], "transfer_offered" in kept["reason"]["en"]) == ("unknown_kind", 2, True)
    assert "upgrade" in kept["remedy"]["en"]
    assert (retried["counts"]["kept"], (await hub.json("quarantine"))["counts"]) == (1, {SITE: 1})
    assert stored_bodies(hub) == 1


def stored_bodies(hub: Program) -> int:
    """How many records the hub holds with the field that it does not know, byte for byte."""
    with contextlib.closing(sqlite3.connect(hub.home / "hub.db")) as raw:
        count: int = raw.execute(
            'SELECT count(*) FROM entry WHERE instr(CAST(body AS TEXT), \'"shelf_mark":"A-3"\') > 0'
        ).fetchone()[0]
    return count


def answering_as_tomorrow(partner: Partner) -> Callable[[Message], None]:
    """Answer searches with fields that today's hub does not know."""
    tasks: set[asyncio.Task[None]] = set()

    def hear(message: Message) -> None:
        asked = msgspec.json.decode(message.data)
        answer = {
            "site": SITE,
            "epoch": EPOCH,
            "seq": 3,
            "took_ms": 1.0,
            "question_digest": question_digest(message.data),
            "outcome": "answered",
            "body": {"type": "hits", "total": 7, "hits": [], "facets": {"1986": 7}},
            "signature": "of tomorrow",
        }
        reply = subjects.reply(partner.site, asked["asker"], asked["question"])
        tasks.add(asyncio.ensure_future(partner.link.publish(reply, msgspec.json.encode(answer))))

    return hear


def retractions_of_tomorrow(partner: Partner, kept: Record, gone: Record) -> bytes:
    """A frame that describes two open records, withdraws one and closes the other, both in words of its own version."""
    status = b'"access_status":"open"'
    closed = encode_record(kept).replace(status, b'"access_status":"sealed_by_court"')
    described = [
        encode_event(Described(seq=seq, previous=seq - 1, at_ms=1, record=msgspec.Raw(encode_record(one))))
        for seq, one in ((1, kept), (2, gone))
    ]
    withdrawn = encode_event(Withdrawn(seq=3, previous=2, at_ms=1, record_id=gone.record_id, cause="court_order"))
    changed = encode_event(
        AccessChanged(
            seq=4,
            previous=3,
            at_ms=1,
            record_id=kept.record_id,
            access_status="sealed_by_court",
            record=msgspec.Raw(closed),
        )
    )
    frame = Frame(
        site=SITE,
        node=partner.identity.public_key,
        epoch=EPOCH,
        previous=0,
        last=4,
        events=tuple(map(msgspec.Raw, (*described, withdrawn, changed))),
    )
    return seal(frame, partner.identity)


async def test_a_node_of_tomorrow_withdraws_and_closes_in_words_of_its_own(hub: Program, tmp_path: Path) -> None:
    kept = record(title="关于水库的协议", access_status=AccessStatus.OPEN)
    gone = record(title="关于水渠的协议", access_status=AccessStatus.OPEN)
    async with enrolled(hub, tmp_path / "new") as new:
        await new.frame(retractions_of_tomorrow(new, kept, gone))
        await until("a receipt", lambda: new.applied() == 4)
    view = await hub.json("record", str(gone.record_id))
    closed = await hub.json("record", str(kept.record_id))
    aside = await hub.json("quarantine")

    assert await titles(hub, "协议") == ["关于水库的协议"]
    assert (view["entries"][0]["withdrawn"], view["entries"][0].get("record")) == ("court_order", None)
    assert closed["entries"][0]["access_status"] == "restricted"
    assert [(one["seq"], one["fault"]) for one in aside["quarantined"]] == [(4, "unreadable_access_change")]


async def test_what_an_older_hub_set_aside_is_applied_when_the_upgraded_one_starts(
    hub: Program, tmp_path: Path
) -> None:
    """The quarantine holds a kind that its writer did not know and this version does."""
    async with enrolled(hub, tmp_path / "node") as node:
        await node.frame(frame_of_tomorrow(node))
        await until("the frame to be applied", lambda: applied_of(hub))
    assert await hub.stop() == 0
    known = encode_event(
        Described(seq=2, previous=1, at_ms=1, record=msgspec.Raw(encode_record(record(title="补入的条目"))))
    )
    with contextlib.closing(sqlite3.connect(hub.home / "hub.db")) as raw, raw:
        raw.execute("UPDATE quarantine SET content = ?", (known,))
    await hub.start()

    await until("the record to be found", lambda: titles(hub, "补入"))
    assert await titles(hub, "补入") == ["补入的条目"]
    assert (await hub.json("quarantine"))["quarantined"] == []


async def applied_of(hub: Program) -> bool:
    return bool((await line_of(hub)).get("applied") == 3)


async def titles(hub: Program, words: str) -> list[str]:
    return [hit["record"]["title"] for hit in (await hub.json("search", words, expect=None))["hits"]]


# Today's node and another hub


async def healthy(_question: AskHealth) -> Said:
    return Outcome.ANSWERED, Health(version="1")


@contextlib.asynccontextmanager
async def todays_node(url: str) -> AsyncIterator[tuple[Link, list[Receipt]]]:
    """The parts of today's node that hear and speak: signs of life, receipts, calls."""
    site, heard = parse_site(SITE), list[Receipt]()
    rhythm = Rhythm(hours=(parse_hours("1-5 09:00-17:00"),))
    beat = Beat(site=SITE, node="U", epoch=EPOCH, seq=9, rhythm=rhythm, faults=("link_lost",), folders_unread=1)

    async def describe() -> Beat:
        return beat

    async def confirm(receipt: Receipt) -> None:
        heard.append(receipt)

    async with connected(settings(url, inbox_prefix(site).removeprefix("_INBOX_")), QUICK) as link:
        await asyncio.wait_for(link.until_connected(), LINK_S)
        programs = [
            asyncio.create_task(answer_calls(link, site, lambda: (EPOCH, 9), {AskHealth: healthy})),
            asyncio.create_task(send_beats(link, site, describe, asyncio.Event(), BeatRhythm(every_s=0.3, gap_s=0.1))),
            asyncio.create_task(hear_receipts(link, site, confirm)),
        ]
        await asyncio.sleep(0.1)
        try:
            yield link, heard
        finally:
            for program in programs:
                program.cancel()
            await asyncio.wait(programs)


@pytest.fixture
async def other_hub(nats_server: StartServer) -> AsyncIterator[tuple[str, Link]]:
    """A broker, and the link of a hub of another version."""
    server = await nats_server()
    async with connected(settings(server.url, "hub"), QUICK) as link:
        await asyncio.wait_for(link.until_connected(), LINK_S)
        yield server.url, link


async def test_a_hub_of_1_0_reads_what_todays_node_says(other_hub: tuple[str, Link]) -> None:
    url, hub_link = other_hub
    beats: list[BeatOf10] = []
    hearing = await hub_link.subscribe(
        subjects.BEAT_SUBJECTS, lambda m: beats.append(msgspec.json.decode(m.data, type=BeatOf10))
    )
    old_receipt = (GOLDEN / "receipt.json").read_bytes().rstrip(b"\n")
    async with todays_node(url) as (_, heard):
        await hub_link.publish(subjects.receipt(parse_site(SITE)), old_receipt)
        await until("beats and the receipt", lambda: beats and heard)
    await hearing.close()

    assert (beats[0].site, beats[0].seq) == (SITE, 9)
    assert codec.encode(heard[0]) == old_receipt


async def test_a_hub_of_tomorrow_is_answered_by_todays_node_or_refused_in_words(other_hub: tuple[str, Link]) -> None:
    """An unknown call, an unknown field of a known call, and a receipt with an unknown field and an unknown wish."""
    url, hub_link = other_hub
    site, answers = parse_site(SITE), dict[str, Any]()
    hearing = await hub_link.subscribe(
        subjects.replies_to("hub"), lambda m: answers.update({m.subject.split(".")[-1]: msgspec.json.decode(m.data)})
    )
    receipt = b'{"site":"330523108204","epoch":"e","applied":7,"want":"poetry","moon":"full"}'
    async with todays_node(url) as (link, heard):
        for call, name in (("appraise", "0a"), ("health", "0b")):
            question = msgspec.json.encode({"call": call, "asker": "hub", "question": name, "of_tomorrow": [1]})
            await hub_link.publish(subjects.ask(site, call), question)
        await hub_link.publish(subjects.receipt(site), receipt)
        await until("both answers and the receipt", lambda: len(answers) == 2 and heard)
        faults = kinds(link)
    await hearing.close()

    assert [answers[name]["outcome"] for name in ("0a", "0b")] == ["refused", "answered"]
    assert "appraise" in answers["0a"]["body"]["reason_en"]
    assert (heard[0].applied, heard[0].want.value) == (7, "nothing")
    assert FaultKind.BAD_MESSAGE not in faults
