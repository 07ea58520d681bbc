"""代管 through the real parts of three ends in one process: village, hub, township; the post between them is ours."""

import argparse
import asyncio
import errno
import os
from collections.abc import AsyncIterator, Callable, Collection
from contextlib import asynccontextmanager
from pathlib import Path
from uuid import UUID

import msgspec
import pytest
from sqlalchemy import Connection, update

from hub.transfers.passing import PassDesk
from hub.transfers.relaying import TransferRelay
from hub.transfers.witnessing import WitnessDesk, place_of
from node.carriage_rules import CarriageRules, Pacer
from node.commands import transfer_receiving, transfer_work
from node.config import BrokerLink, NodeConfig
from node.home import home_at
from node.tables import SCHEMA
from node.transfers import kept, submitting
from node.transfers.arriving import Arrival
from node.transfers.fetching import TRIES, Fetcher
from node.transfers.office import Office, giver_log, receiver_log
from node.transfers.receiving import ReceivingDesk
from node.transfers.relayed import transfer_letters
from protocol import subjects
from protocol.consignments import ConsignedFile
from protocol.errors import BadFiles, NotYet, Refused, StorageFull
from protocol.letters import Letter
from protocol.relays import Passed, decode_passed, encode_passed
from protocol.sites import parse_site
from protocol.transfer_folds import Transfer
from protocol.transfers import SentBack, Side, TransferState
from replication import letters
from replication.bus import Message
from replication.checks.running import NO_TOOLS
from replication.database import Database, opened
from replication.keys import Identity, new_seed
from replication.letters import HUB_PEER, Handlers
from replication.migrations import REPLICATION
from replication.tables import letter_out
from replication.transfer_log import WITNESS, TransferLog, logged, role_of, steps_of, transfer_of
from replication.transfer_packages import list_of, read_list
from tests.fakes import FakeBroker
from tests.hubs import MIGRATIONS
from tests.node_site import CODE, NodeSite, node_site
from tests.unit.test_transfer_thread import COUNTY, HUB, NOW_MS, WAIVED, Thread

TOWN = "330523108000"
STRETCH_SEEN = 4_000
"""Bytes of an answer that holds files, and not a page of their list."""
TOWN_SEED = new_seed(b"t" * 32)


class County:
    """Three ends: a village that gives, a township that receives, the hub between them."""

    def __init__(self, root: Path, village: Thread, town: Database) -> None:
        self.root = root
        self.village = village
        self.town = town
        self.town_key = Identity(TOWN_SEED)
        self.keys: dict[str, Collection[str]] = {
            CODE: [village.site.writer.identity.public_key],
            TOWN: [self.town_key.public_key],
        }
        self.relay = TransferRelay(HUB, COUNTY, self.keys_of, lambda: NOW_MS)
        config = NodeConfig(site=TOWN, name="某镇档案馆", hub=BrokerLink(urls=("tls://x",), key=HUB.public_key))
        self.office = Office(
            home=home_at(root / "town"),
            config=config,
            database=town,
            log=giver_log(config, self.town_key),
            receiver=receiver_log(self.town_key),
        )
        own = TransferLog(Side.RECEIVER, HUB, self.keys_of, lambda: NOW_MS)
        self.letters_of: dict[str, Handlers] = {
            HUB_PEER: self.relay.handlers(own),
            CODE: transfer_letters(
                CODE, HUB.public_key, village.office.log, receiver_log(village.site.writer.identity)
            ),
            TOWN: transfer_letters(TOWN, HUB.public_key, self.office.log, self.office.receiver),
        }
        broker = self.broker = FakeBroker()
        root_of_hub = root / "hub" / "transfers"
        self.witness = WitnessDesk(village.hub, self.relay, village.shelf, root_of_hub, {}, lambda: NOW_MS, lambda: 0.0)
        self.passing = PassDesk(village.hub, broker.bus(), root_of_hub, self.keys_of)
        rules = CarriageRules(None, "Asia/Shanghai", Pacer(0), lambda: NOW_MS)
        self.fetcher = Fetcher(broker.bus(), parse_site(TOWN), self.town_key, rules)
        home = self.office.home
        self.desk = ReceivingDesk(
            town, self.office.receiver, self.fetcher, home.transfers, home.kept, lambda: NOW_MS, lambda: None, NO_TOOLS
        )

    def keys_of(self, _connection: Connection, site: str) -> Collection[str]:
        return self.keys.get(site, ())

    @property
    def number(self) -> UUID:
        return self.village.number

    async def post(self) -> None:
        """Carry letters between the three until nobody has anything to say."""
        ends = ((self.village.site.database, CODE), (self.town, TOWN))
        moved = 1
        while moved:
            moved = 0
            for database, site in ends:
                moved += await self._carry(database, HUB_PEER, self.village.hub, site, self.letters_of[HUB_PEER])
                moved += await self._carry(self.village.hub, site, database, HUB_PEER, self.letters_of[site])

    async def _carry(self, sender: Database, to: str, reader: Database, writer: str, handlers: Handlers) -> int:
        some, _ = await sender.read(lambda c: letters.due(c, to, NOW_MS))
        taken = await reader.write(lambda c: letters.take(c, writer, some, handlers, NOW_MS))
        await sender.write(lambda c: letters.confirm(c, to, taken))
        return len(some)

    async def witnessed(self) -> None:
        """Let the hub fetch from the village what is on its way."""
        for now in await self.witness.step():
            await self.witness.fetch(now)

    async def received(self) -> None:
        """Let the township draw from the hub, and check."""
        for _ in range(2):
            for now in await self.desk.due():
                await self.desk.attend(now)
        await self.post()

    async def at_town(self) -> Transfer:
        now = await self.town.read(lambda c: transfer_of(c, self.number))
        assert now is not None
        return now

    async def at_hub(self) -> Transfer:
        return await self.village.receiver()

    async def town_does(self, action: str, *options: str) -> int:
        """Run an action of the township's command."""
        parser = argparse.ArgumentParser()
        transfer_receiving.add_receiving(parser.add_subparsers(dest="action"))
        named = (*options,) if action == "take" else (str(self.number), *options)
        args = parser.parse_args([action, *named])
        args.json = True
        return await transfer_receiving.RECEIVING_ACTIONS[action](self.office, args)

    async def accept(self) -> None:
        waived = [part for rule, why in WAIVED.items() for part in ("--waive", f"{rule}={why}")]
        await self.town_does("accept", "--unit", "某镇档案馆", *waived)
        await self.post()

    async def signed(self) -> None:
        """Have both sign, the village first."""
        village = self.village
        await village.site.database.write(lambda c: submitting.sign(c, village.node_log, self.number, "甲"))
        await self.post()
        args = argparse.Namespace(signer="丙", json=True, number=str(self.number))
        await transfer_receiving.sign_received(self.office, args, await self.at_town())
        await self.post()


@asynccontextmanager
async def county(root: Path) -> AsyncIterator[County]:
    (root / "town").mkdir(parents=True)
    async with (
        node_site(root / "site") as site,
        opened(root / "hub.db", MIGRATIONS) as hub,
        opened(home_at(root / "town").database, (REPLICATION, SCHEMA)) as town,
    ):
        made = County(root, village_of(root, site, hub), town)
        async with made.fetcher.hearing():
            answering = asyncio.create_task(made.passing.run())
            await asyncio.sleep(0)
            try:
                yield made
            finally:
                answering.cancel()
                await asyncio.gather(answering, return_exceptions=True)


def village_of(root: Path, site: NodeSite, hub: Database) -> Thread:
    return Thread(root, site, hub)


async def submitted(here: County, *, by_disk: bool = False) -> None:
    await here.village.begin(3, "--nature", "delegated_custody")
    office = here.village.office
    now, _ = await transfer_work.pack_and_check(office, await here.village.giver(), [], [str(here.village.scans)])
    await transfer_work.send_out(office, now, by_disk=by_disk)
    await here.post()


async def test_a_township_receives_through_the_hub_which_keeps_nothing(tmp_path: Path) -> None:
    async with county(tmp_path) as here:
        await submitted(here)
        with pytest.raises(NotYet):
            await here.desk.attend(await here.at_town())
        await here.witnessed()
        held = place_of(tmp_path / "hub" / "transfers", here.number, 1)
        assert list_of(held).is_file()
        await here.received()
        assert (await here.at_town()).state is TransferState.CHECKING
        await here.witnessed()
        assert not held.exists()
        role = await here.village.hub.read(lambda c: role_of(c, here.number))

        await here.accept()
        await here.signed()
        assert await here.village.node_desk(here.village.site.database).step() >= 1
        await here.post()
        # What the village says of its records has not come to the catalogue: the township is not told yet.
        assert (await here.at_town()).custody is None
        await here.village.carry()
        await here.witness.step()
        await here.post()
        await here.received()
        states = [one.state for one in (await here.at_town(), await here.at_hub(), await here.village.giver())]
        owners = {(one.owner, one.custodian, one.releaser) for one in await here.village.records()}
        (line,) = await here.town.read(kept.packages)
        faulty = [look for look in kept.looked_at(here.office.home.kept, line) if not look.is_sound]
        lost = list_of(kept.place_of(here.office.home.kept, CODE, here.number, 1))
        lost.unlink()
        unlisted = [look.path for look in kept.looked_at(here.office.home.kept, line) if not look.is_sound]

    assert unlisted == [lost.name]
    assert (role, states) == (WITNESS, [TransferState.CLOSED] * 3)
    assert owners == {(CODE, TOWN, CODE)}
    assert (line.site, line.items, faulty) == (CODE, 3, [])


async def test_a_disk_that_refuses_puts_a_transfer_off_and_ends_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def refused(_now: Transfer) -> None:
        raise OSError(errno.ENOSPC, "no space left on device")

    async with county(tmp_path) as here:
        await submitted(here)
        monkeypatch.setattr(here.desk, "attend", refused)
        running = asyncio.create_task(here.desk.run())
        async with asyncio.timeout(30):
            while not running.done() and here.number not in here.desk._put_off:
                await asyncio.sleep(0.01)
        is_over = running.done()
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
    assert is_over is False


def test_a_disk_that_is_full_when_the_work_stops_is_said_to_be(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the last write could not store the closing tries again: no bare OSError leaves it."""
    arrival = Arrival(tmp_path, (ConsignedFile(path="a.txt", size_bytes=5, sha256="0" * 64),))
    arrival.prepare()
    arrival.feed(b"12")

    def full(_descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "no space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(StorageFull):
        arrival.close()
    arrival.close()


async def test_a_returned_item_goes_back_through_the_hub_and_comes_in_the_second_round(tmp_path: Path) -> None:
    async with county(tmp_path) as here:
        await submitted(here)
        await here.witnessed()
        await here.received()
        code = (await here.village.records())[0].ref_code
        await here.town_does("return", "--item", code, "--reason", "模糊")
        await here.accept()
        back = await here.village.giver()
        assert (back.state, [one.reason.zh for one in back.returned if one.reason]) == (
            TransferState.RETURNED,
            ["模糊"],
        )

        await here.village.send()
        await here.post()
        await here.witnessed()
        await here.received()
        await here.accept()
        now = await here.village.giver()

    assert (now.state, now.accepted, len(now.parcels)) == (TransferState.ACCEPTED, 3, 2)


def spoil_answers(here: County, at_most: int, is_spoilt: Callable[[Passed], bool]) -> None:
    """Turn a bit of the next answers of the hub that are chosen."""
    deliver, spoilt = here.broker.deliver, [0]

    def bend(message: Message) -> None:
        if message.subject == subjects.held(parse_site(TOWN)) and spoilt[0] < at_most:
            answer = decode_passed(message.data)
            if answer.sealed and is_spoilt(answer):
                spoilt[0] += 1
                sealed = answer.sealed[:-1] + bytes([answer.sealed[-1] ^ 1])
                data = encode_passed(msgspec.structs.replace(answer, sealed=sealed))
                message = Message(subject=message.subject, data=data)
        deliver(message)

    here.broker.deliver = bend  # type: ignore[method-assign] # the way itself


async def test_an_answer_that_was_altered_on_the_way_is_asked_for_again(tmp_path: Path) -> None:
    async with county(tmp_path) as here:
        await submitted(here)
        await here.witnessed()
        # The first page of the list once, and once the first stretch behind it.
        spoil_answers(here, 1, lambda _answer: True)
        spoil_answers(here, 1, lambda answer: len(answer.sealed) > STRETCH_SEEN)
        await here.received()
        now = await here.at_town()

    assert (now.state, now.round, now.returned) == (TransferState.CHECKING, 1, ())


async def test_answers_that_are_altered_each_time_give_the_round_back_and_name_the_file(tmp_path: Path) -> None:
    async with county(tmp_path) as here:
        await submitted(here)
        await here.witnessed()
        files = read_list(place_of(tmp_path / "hub" / "transfers", here.number, 1))
        spoil_answers(here, TRIES, lambda answer: len(answer.sealed) > STRETCH_SEEN)
        await here.desk.attend(await here.at_town())
        last = (await here.town.read(lambda c: logged(c, here.number)))[-1].step.what

    assert files is not None
    assert isinstance(last, SentBack)
    assert last.reason.en == f"{files[0].path} came damaged each time"


async def test_the_disk_goes_from_the_village_to_the_township_past_the_hub(tmp_path: Path) -> None:
    async with county(tmp_path) as here:
        await submitted(here, by_disk=True)
        await here.witnessed()
        disk = tmp_path / "disk"
        disk.mkdir()
        await transfer_work.write_disk(here.village.office, await here.village.giver(), disk)
        assert await here.desk.due() == []
        await here.town_does("take", str(disk))
        await here.received()
        now = await here.at_town()
        again = await here.town_does("take", str(disk))

    assert (now.state, again) == (TransferState.CHECKING, 0)
    assert not (tmp_path / "hub" / "transfers" / "between").exists()


async def test_what_the_disk_lacks_comes_through_the_hub(tmp_path: Path) -> None:
    async with county(tmp_path) as here:
        await submitted(here, by_disk=True)
        disk = tmp_path / "disk"
        disk.mkdir()
        folder = await transfer_work.write_disk(here.village.office, await here.village.giver(), disk)
        next(folder.rglob("0002.jpg")).unlink()
        with pytest.raises(BadFiles, match="0002"):
            await here.town_does("take", str(disk))
        # The township asks, and so the hub knows that no courier will come.
        with pytest.raises(NotYet):
            await here.desk.attend(await here.at_town())
        await here.witnessed()
        await here.received()
        now = await here.at_town()

    assert now.state is TransferState.CHECKING


async def test_a_step_by_a_revoked_key_is_not_given_on(tmp_path: Path) -> None:
    async with county(tmp_path) as here:
        here.keys[CODE] = []
        await submitted(here)
        aside = await here.village.hub.read(letters.set_aside)
        heard = await here.town.read(lambda c: transfer_of(c, here.number))

    assert (heard, {"key that may write here" in one.reason.en for one in aside}) == (None, {True})


async def told_again(database: Database, peer: str) -> list[Letter]:
    """Return everything that was ever written to a peer, as after a loss of its memory."""
    await database.write(lambda c: c.execute(update(letter_out).values(is_taken=0)))
    some, _ = await database.read(lambda c: letters.due(c, peer, NOW_MS))
    assert some
    return list(some)


async def test_a_site_cannot_write_into_a_transfer_of_two_others(tmp_path: Path) -> None:
    async with county(tmp_path) as here:
        await submitted(here)
        first, *_ = await told_again(here.village.site.database, HUB_PEER)
        handler = here.letters_of[HUB_PEER][first.kind]
        with pytest.raises(Refused, match="another site"):
            await here.village.hub.write(lambda c: handler(c, "330523100000", first))


async def test_what_the_hub_did_not_sign_is_refused_by_a_site(tmp_path: Path) -> None:
    async with county(tmp_path) as here:
        await submitted(here)
        handlers = transfer_letters(TOWN, here.town_key.public_key, here.office.log, here.office.receiver)
        first, *_ = await told_again(here.village.hub, TOWN)
        with pytest.raises(Refused, match="vouch"):
            await here.town.write(lambda c: handlers[first.kind](c, HUB_PEER, first))


def _taking(peer: str, some: list[Letter], handlers: Handlers) -> Callable[[Connection], object]:
    return lambda connection: letters.take(connection, peer, some, handlers, NOW_MS)


async def test_a_hub_that_lost_its_memory_learns_the_log_from_both_ends(tmp_path: Path) -> None:
    """Even where the receiver is heard first: its steps wait until the giver's first one is here."""
    async with county(tmp_path) as here:
        await submitted(here)
        await here.witnessed()
        await here.received()
        async with opened(tmp_path / "anew.db", MIGRATIONS) as anew:
            for database, site in ((here.town, TOWN), (here.village.site.database, CODE)):
                some = await told_again(database, HUB_PEER)
                await anew.write(_taking(site, some, here.letters_of[HUB_PEER]))
            desk = WitnessDesk(
                anew, here.relay, here.village.shelf, tmp_path, here.letters_of[HUB_PEER], lambda: NOW_MS, lambda: 0.0
            )
            await desk.step()
            now = await anew.read(lambda c: transfer_of(c, here.number))
            steps = await anew.read(lambda c: [len(steps_of(c, here.number, side)) for side in Side])

    assert now is not None
    assert (now.state, steps) == (TransferState.CHECKING, [3, 1])
