"""Letters between a real hub's and a real site's database, over a bus in memory that loses what a test wants lost."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from uuid import UUID, uuid4

import msgspec
import pytest
from sqlalchemy import Connection, insert

from hub.correspondence import Correspondent
from node.correspondence import LetterDesk
from protocol.beats import Beat
from protocol.calls import Correspond
from protocol.errors import BadValue, Refused
from protocol.letters import Letter
from protocol.limits import LETTER_BYTES_MAX
from protocol.sites import parse_site
from protocol.transfers import LETTER_KIND
from protocol.wording import Text
from replication import letters
from replication.answering import answer_calls
from replication.asking import Asker
from replication.database import Database, opened
from replication.letters import HUB_PEER, Handlers
from replication.migrations import REPLICATION
from replication.transfer_tables import transfer, transfer_step
from tests.fakes import FakeBroker, FakeBus

SITE = "330523108204"
TOPIC = UUID(int=7)
NOW_MS = 1_790_000_000_000


class Note(msgspec.Struct, frozen=True, kw_only=True):
    """What the letters of these tests say."""

    words: str = ""


class End:
    """One end: its database, and what its handlers heard."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.heard: list[str] = []
        self.failure: Callable[[str], None] = lambda _words: None

    def hear(self, _connection: Connection, _peer: str, letter: Letter) -> None:
        """Act on a letter."""
        words = msgspec.json.decode(letter.body, type=Note).words
        self.failure(words)
        self.heard.append(words)

    def hear_step(self, _connection: Connection, _peer: str, letter: Letter) -> None:
        """Note a step of a transfer."""
        self.heard.append(str(letter.topic))

    @property
    def handlers(self) -> Handlers:
        """By kind."""
        return {"note": self.hear, LETTER_KIND: self.hear_step}

    async def write(self, peer: str, *words: str, kind: str = "note", expires_at_ms: int = 0) -> None:
        """Write letters, one transaction for all."""

        def write(connection: Connection) -> None:
            for one in words:
                body = Note(words=one)
                letters.write(
                    connection, peer, kind=kind, topic=TOPIC, body=body, now_ms=NOW_MS, expires_at_ms=expires_at_ms
                )

        await self.database.write(write)

    async def due(self, peer: str) -> int:
        """How many letters wait."""
        found, _ = await self.database.read(lambda connection: letters.due(connection, peer, NOW_MS))
        return len(found)


class County:
    """Hub and site, joined."""

    def __init__(self, hub: End, site: End, broker: FakeBroker) -> None:
        self.hub, self.site, self.broker = hub, site, broker
        self.epoch = "e1"
        self.hub_bus: FakeBus = broker.bus()
        self.now_s = 0.0

    @asynccontextmanager
    async def running(self) -> AsyncIterator[Correspondent]:
        """Both ends at work."""
        async with AsyncExitStack() as stack:
            asker = await stack.enter_async_context(Asker(self.hub_bus, "hub").opened())
            correspondent = Correspondent(
                self.hub.database, asker, self.hub.handlers, lambda: NOW_MS, lambda: self.now_s
            )
            desk = LetterDesk(self.site.database, self.site.handlers, lambda: None, lambda: NOW_MS)
            answering = answer_calls(
                self.broker.bus(), parse_site(SITE), lambda: (self.epoch, 1), {Correspond: desk.handler()}
            )
            tasks = [asyncio.create_task(answering), asyncio.create_task(correspondent.run())]
            await asyncio.sleep(0)
            try:
                yield correspondent
            finally:
                for task in tasks:
                    task.cancel()
                await asyncio.gather(*tasks, return_exceptions=True)

    def beat(self, *, letters_waiting: int = 0) -> Beat:
        """A sign of life of the site."""
        return Beat(site=SITE, node="U", epoch=self.epoch, seq=1, letters=letters_waiting)


@pytest.fixture
async def county(tmp_path: Path) -> AsyncIterator[County]:
    async with (
        opened(tmp_path / "hub.db", [REPLICATION]) as hub,
        opened(tmp_path / "node.db", [REPLICATION]) as node,
    ):
        yield County(End(hub), End(node), FakeBroker())


async def settled(county: County) -> None:
    """Wait until nothing is due at either end."""
    async with asyncio.timeout(20):
        while await county.hub.due(SITE) or await county.site.due(HUB_PEER):
            await asyncio.sleep(0.01)


async def test_letters_go_both_ways_in_their_order_and_once(county: County) -> None:
    await county.hub.write(SITE, "first", "second")
    await county.site.write(HUB_PEER, "from the site")
    async with county.running() as correspondent:
        await correspondent.hear(county.beat(letters_waiting=1))
        await settled(county)

    assert (county.site.heard, county.hub.heard) == (["first", "second"], ["from the site"])


async def test_a_lost_answer_is_asked_for_again_and_nothing_is_acted_on_twice(county: County) -> None:
    lost: list[str] = []

    def first_reply(message: object) -> bool:
        subject = str(getattr(message, "subject", ""))
        if subject.startswith("dl.rsp") and not lost:
            lost.append(subject)
            return True
        return False

    county.broker.lost = first_reply
    await county.hub.write(SITE, "only once")
    async with county.running():
        async with asyncio.timeout(20):
            while not lost:
                await asyncio.sleep(0.01)
    async with county.running() as again:
        again.wake()
        await settled(county)

    assert (len(lost), county.site.heard) == (1, ["only once"])


async def test_a_site_that_was_put_back_is_told_again_what_is_not_settled(county: County, tmp_path: Path) -> None:
    await county.hub.write(SITE, "before")
    async with county.running():
        await settled(county)
    async with opened(tmp_path / "fresh.db", [REPLICATION]) as fresh:
        county.site = End(fresh)
        county.epoch = "e2"
        await county.hub.write(SITE, "after")
        async with county.running():
            await settled(county)
            # The call that told "after" showed the new memory; the look behind it tells the rest.
            async with asyncio.timeout(20):
                while len(county.site.heard) < 2:
                    await asyncio.sleep(0.01)

        assert sorted(county.site.heard) == ["after", "before"]


async def test_a_hub_that_was_put_back_hears_everything_again_that_is_not_settled(county: County) -> None:
    await county.site.write(HUB_PEER, "kept")
    async with county.running() as correspondent:
        await correspondent.hear(county.beat(letters_waiting=1))
        await settled(county)

        def forget(connection: Connection) -> None:
            connection.exec_driver_sql("DELETE FROM letter_in")
            letters.renew_incarnation(connection)

        await county.hub.database.write(forget)
        await county.hub.write(SITE, "we are back")
        await settled(county)
        async with asyncio.timeout(20):
            while len(county.hub.heard) < 2:
                await asyncio.sleep(0.01)

    assert county.hub.heard == ["kept", "kept"]


def _with_a_transfer(peer: str) -> Callable[[Connection], None]:
    """Have an end hold a step that its peer wrote."""

    def hold(connection: Connection) -> None:
        known = {"site": SITE, "state": "planned", "turn": "giver", "title": "", "nature": "", "plan": ""}
        counted = {
            "round": 0,
            "items": 0,
            "accepted": 0,
            "size_bytes": 0,
            "opened_at_ms": NOW_MS,
            "moved_at_ms": NOW_MS,
        }
        connection.execute(insert(transfer).values(transfer_id=str(TOPIC), peer=peer, folded=b"", **known, **counted))
        told = {"side": "giver", "number": 1, "digest": "", "noted_at_ms": NOW_MS, "key": "", "seal": b"", "step": b""}
        connection.execute(insert(transfer_step).values(transfer_id=str(TOPIC), **told))

    return hold


async def test_a_site_that_was_put_back_gets_the_steps_of_its_transfers_that_it_wrote(
    county: County, tmp_path: Path
) -> None:
    await county.hub.database.write(_with_a_transfer(SITE))
    await county.hub.write(SITE, "before")
    async with county.running():
        await settled(county)
    async with opened(tmp_path / "fresh.db", [REPLICATION]) as fresh:
        county.site, county.epoch = End(fresh), "e2"
        await county.hub.write(SITE, "after")
        async with county.running(), asyncio.timeout(20):
            while len(county.site.heard) < 3:
                await asyncio.sleep(0.01)

    assert sorted(county.site.heard) == sorted([str(TOPIC), "after", "before"])


async def test_a_hub_that_was_put_back_gets_the_steps_of_transfers_that_it_wrote(county: County) -> None:
    await county.site.database.write(_with_a_transfer(HUB_PEER))
    await county.site.write(HUB_PEER, "kept")
    async with county.running() as correspondent:
        await correspondent.hear(county.beat(letters_waiting=1))
        await settled(county)
        await county.hub.database.write(letters.renew_incarnation)
        await county.hub.write(SITE, "we are back")
        async with asyncio.timeout(20):
            while len(county.hub.heard) < 2:
                await asyncio.sleep(0.01)

    assert county.hub.heard == ["kept", str(TOPIC)]


async def test_what_is_settled_is_never_told_again(county: County) -> None:
    await county.hub.write(SITE, "done with")
    async with county.running():
        await settled(county)

    def settle_and_meet(connection: Connection) -> int:
        letters.settle(connection, TOPIC)
        letters.meet(connection, SITE, "another memory")
        return letters.count_due(connection, NOW_MS)

    assert await county.hub.database.write(settle_and_meet) == 0


async def test_a_topic_that_is_settled_on_the_way_is_told_once_and_forgotten(county: County) -> None:
    await county.hub.write(SITE, "late")
    await county.hub.database.write(lambda connection: letters.settle(connection, TOPIC))
    async with county.running():
        await settled(county)

    rows = await county.hub.database.read(
        lambda connection: connection.exec_driver_sql("SELECT count(*) FROM letter_out").scalar_one()
    )
    assert (county.site.heard, rows) == (["late"], 0)


async def test_a_letter_that_is_refused_is_set_aside_and_the_next_one_is_acted_on(county: County) -> None:
    def refuse(words: str) -> None:
        if words == "bad":
            raise Refused(Text(zh="不受理", en="not taken"))
        if words == "worse":
            raise RuntimeError(words)

    county.site.failure = refuse
    await county.hub.write(SITE, "bad", "worse", "good")
    async with county.running():
        await settled(county)
    aside = await county.site.database.read(letters.set_aside)

    county.site.failure = lambda _words: None
    cured = await county.site.database.write(lambda connection: letters.retry(connection, county.site.handlers))

    assert [(one.fault, one.reason.zh) for one in aside] == [
        ("Refused", "不受理"),
        ("defect", "本端程序出错，已记录。"),
    ]
    assert (cured, sorted(county.site.heard)) == (2, ["bad", "good", "worse"])
    assert await county.site.database.read(letters.set_aside) == []


async def test_a_refusing_handler_leaves_nothing_behind(county: County) -> None:
    def half(connection: Connection, _peer: str, _letter: Letter) -> None:
        letters.write(connection, "nobody", kind="x", topic=uuid4(), body=Note(), now_ms=NOW_MS)
        raise Refused(Text(zh="不受理", en="not taken"))

    letter = Letter(letter_id=uuid4(), topic=TOPIC, kind="note", body=msgspec.Raw(b"{}"), written_at_ms=NOW_MS)

    def take(connection: Connection) -> int:
        letters.take(connection, HUB_PEER, [letter], {"note": half}, NOW_MS)
        return letters.count_due(connection, NOW_MS)

    assert await county.site.database.write(take) == 0


async def test_a_letter_of_an_unknown_kind_waits_for_an_upgrade(county: County) -> None:
    await county.hub.write(SITE, "of tomorrow", kind="later_kind")
    async with county.running():
        await settled(county)
    (aside,) = await county.site.database.read(letters.set_aside)

    upgraded: Handlers = {"later_kind": county.site.hear}
    await county.site.database.write(lambda connection: letters.retry(connection, upgraded))

    assert (aside.fault, county.site.heard) == (letters.UNKNOWN_KIND, ["of tomorrow"])


async def test_a_letter_that_expired_is_not_told(county: County) -> None:
    await county.hub.write(SITE, "too late", expires_at_ms=NOW_MS)

    assert await county.hub.due(SITE) == 0


async def test_more_letters_than_one_call_holds_go_in_several(county: County) -> None:
    words = [f"{number} " + "字" * 30_000 for number in range(5)]
    await county.hub.write(SITE, *words)
    async with county.running():
        await settled(county)
    calls = [one for one in county.broker.sent if one.subject.startswith("dl.ask")]

    assert county.site.heard == words
    assert len(calls) >= 3


async def test_a_body_beyond_its_bound_is_refused_where_it_is_written(county: County) -> None:
    with pytest.raises(BadValue, match="a letter of"):
        await county.hub.write(SITE, "x" * LETTER_BYTES_MAX)


async def test_a_site_that_could_not_be_reached_is_tried_when_it_is_heard(county: County) -> None:
    county.hub_bus.down()
    await county.hub.write(SITE, "waiting")
    async with county.running() as correspondent:
        async with asyncio.timeout(20):
            while SITE not in correspondent.put_off:
                await asyncio.sleep(0.01)
        county.hub_bus.up()
        await correspondent.hear(county.beat())
        await settled(county)

    assert county.site.heard == ["waiting"]


async def test_a_site_that_comes_back_while_it_is_asked_in_vain_is_asked_again_at_once(county: County) -> None:
    """A village PC that is switched on in the middle of a call need not wait for the call's pause as well."""
    lost: list[str] = []

    def first_question(message: object) -> bool:
        subject = str(getattr(message, "subject", ""))
        is_first = subject.startswith("dl.ask") and not lost
        lost.extend([subject] if is_first else [])
        return is_first

    county.broker.lost = first_question
    await county.hub.write(SITE, "waiting")
    async with county.running() as correspondent:
        async with asyncio.timeout(20):
            while not lost:
                await asyncio.sleep(0.01)
        await correspondent.hear(county.beat())
        await settled(county)

        assert (county.site.heard, SITE in correspondent.put_off) == (["waiting"], False)
