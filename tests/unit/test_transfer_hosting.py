"""代管 within one node: a township keeps its villages' fonds in its own node, and takes them into custody there."""

import argparse
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy import Connection

from hub.transfers.relaying import TransferRelay
from node.__main__ import parser
from node.commands import transfer_receiving, transfer_work
from node.config import BrokerLink, FolderSettings, NodeConfig
from node.home import home_at
from node.transfers import kept, submitting
from node.transfers.custody import CustodyMover
from node.transfers.desk import GivingDesk
from node.transfers.office import Office, giver_log, receiver_log
from node.transfers.receiving import ReceivingDesk
from node.transfers.relayed import transfer_letters
from protocol.errors import BadValue, Refused
from protocol.file_lists import FileList
from protocol.transfer_folds import Transfer
from protocol.transfers import Side, TransferState
from replication import letters
from replication.checks.running import NO_TOOLS
from replication.database import Database, opened
from replication.keys import Identity, new_seed
from replication.letters import HUB_PEER
from replication.transfer_log import WITNESS, TransferLog, role_of, transfer_of
from replication.transfer_signing import signed_by
from tests.hubs import MIGRATIONS
from tests.node_site import NodeSite, node_site, rows, write_csv
from tests.unit.test_transfer_thread import COUNTY, HEADER, HUB, NOW_MS, WAIVED, scan

VILLAGE, TOWN = "330523108204", "330523108000"
SEAL = Identity(new_seed(b"v" * 32))
"""The village's own key, on its stick."""


class Host:
    """A township's node that has a village's fonds, and the hub that witnesses what it does."""

    def __init__(self, root: Path, site: NodeSite, hub: Database) -> None:
        self.root, self.site, self.hub = root, site, hub
        config = NodeConfig(site=TOWN, name="某镇档案馆", hub=BrokerLink(urls=("tls://x",), key=HUB.public_key))
        key = site.writer.identity
        self.office = Office(
            home=home_at(root / "site"),
            config=config,
            database=site.database,
            log=giver_log(config, key),
            receiver=receiver_log(key),
        )
        self.keys: dict[str, Collection[str]] = {TOWN: [key.public_key], VILLAGE: [SEAL.public_key]}
        self.relay = TransferRelay(HUB, COUNTY, self.keys_of, lambda: NOW_MS)
        self.own = TransferLog(Side.RECEIVER, HUB, self.keys_of, lambda: NOW_MS)
        mover = CustodyMover(site.database, site.writer, self.office.log, lambda: None, lambda: NOW_MS)
        self.giving = GivingDesk(site.database, mover, (HUB.public_key,), lambda: None)
        home = self.office.home
        self.desk = ReceivingDesk(
            site.database,
            self.office.receiver,
            _nobody(),
            home.transfers,
            home.kept,
            lambda: NOW_MS,
            lambda: None,
            NO_TOOLS,
        )

    def keys_of(self, _connection: Connection, site: str) -> Collection[str]:
        return self.keys.get(site, ())

    async def begin(self) -> Transfer:
        sheet = [[*row[:6], "1", *row[7:], "依申请公开"] for row in rows(3)]
        write_csv(self.site.folder / "目录.csv", sheet, HEADER)
        await self.site.take("目录.csv")
        for row in rows(3):
            scan(self.root / "scans" / row[0].replace("·", "_") / "0001.jpg", 1)
        given = ("transfer", "new", "--years", "2011", "--nature", "delegated_custody", "--giver", VILLAGE)
        args = parser().parse_args((*given, "--scans", str(self.root / "scans"), "--giver-name", "某村"))
        now = await transfer_work.begin(self.office, args)
        now, _ = await transfer_work.pack_and_check(self.office, now, [], [str(self.root / "scans")])
        return await transfer_work.send_out(self.office, now)

    async def look(self) -> None:
        for _ in range(2):
            for now in await self.desk.due():
                await self.desk.attend(now)

    async def now(self, number: object) -> Transfer:
        found = await self.site.database.read(lambda c: transfer_of(c, number))  # type: ignore[arg-type]
        assert found is not None
        return found

    async def accept(self, number: object) -> None:
        actions = argparse.ArgumentParser()
        transfer_receiving.add_receiving(actions.add_subparsers(dest="action"))
        waived = [part for rule, why in WAIVED.items() for part in ("--waive", f"{rule}={why}")]
        args = actions.parse_args(["accept", str(number), *waived])
        args.json = True
        await transfer_receiving.RECEIVING_ACTIONS["accept"](self.office, args)

    async def owner_signs(self, number: object, seal: Identity) -> None:
        await self.site.database.write(
            lambda c: submitting.sign(c, self.office.log, number, "甲", seal=seal)  # type: ignore[arg-type]
        )

    async def keeper_signs(self, number: object) -> None:
        args = argparse.Namespace(signer="丙", json=True, number=str(number))
        await transfer_receiving.sign_received(self.office, args, await self.now(number))

    async def post(self) -> None:
        some, _ = await self.site.database.read(lambda c: letters.due(c, HUB_PEER, NOW_MS))
        handlers = self.relay.handlers(self.own)
        taken = await self.hub.write(lambda c: letters.take(c, TOWN, some, handlers, NOW_MS))
        await self.site.database.write(lambda c: letters.confirm(c, HUB_PEER, taken))
        given, _ = await self.hub.read(lambda c: letters.due(c, TOWN, NOW_MS))
        here = transfer_letters(TOWN, HUB.public_key, self.office.log, self.office.receiver)
        heard = await self.site.database.write(lambda c: letters.take(c, HUB_PEER, given, here, NOW_MS))
        await self.hub.write(lambda c: letters.confirm(c, TOWN, heard))

    async def custodians(self) -> set[str]:
        return {one.custodian for one in (await self.site.records()).values()}


class _nobody:  # noqa: N801 - a stand-in without a life of its own
    """Nothing is fetched where giver and receiver share a disk."""

    async def fetch(self, *_arguments: object) -> FileList:
        message = "nothing is to be fetched within one node"
        raise AssertionError(message)


SETTINGS = FolderSettings(owner=VILLAGE, custodian=VILLAGE)


@asynccontextmanager
async def hosting(folder: Path) -> AsyncIterator[Host]:
    """A township whose node has the fonds of a village, and the county's store."""
    async with (
        node_site(folder / "site", settings=SETTINGS, code=TOWN) as site,
        opened(folder / "hub.db", MIGRATIONS) as hub,
    ):
        yield Host(folder, site, hub)


async def accepted(here: Host) -> UUID:
    """Begin a transfer and bring it to where the owner signs."""
    number = (await here.begin()).transfer_id
    await here.look()
    await here.accept(number)
    return number


async def test_custody_moves_within_one_node_with_both_signatures_and_the_hub_as_witness(tmp_path: Path) -> None:
    async with hosting(tmp_path) as here:
        number = (await here.begin()).transfer_id
        await here.look()
        assert (await here.now(number)).state is TransferState.CHECKING
        await here.accept(number)
        await here.owner_signs(number, SEAL)
        with pytest.raises(Refused, match="has not looked at the owner's key"):
            await here.keeper_signs(number)
        await here.post()
        await here.keeper_signs(number)
        await here.giving.step()
        await here.look()
        await here.post()
        records = (await here.site.records()).values()
        (line,) = await here.site.database.read(kept.packages)
        witnessed = await here.hub.read(lambda c: (role_of(c, number), transfer_of(c, number)))
        waiting = await here.hub.read(lambda c: letters.peers_due(c, NOW_MS))

    assert {(one.owner, one.custodian, one.releaser) for one in records} == {(VILLAGE, TOWN, VILLAGE)}
    assert (line.site, line.items) == (VILLAGE, 3)
    role, now = witnessed
    assert now is not None
    assert (role, now.state, now.giver.site if now.giver else "") == (WITNESS, TransferState.CLOSED, VILLAGE)
    assert waiting == []


async def test_no_custody_moves_within_one_node_while_the_county_does_not_know_the_owners_key(tmp_path: Path) -> None:
    async with hosting(tmp_path) as here:
        number = await accepted(here)
        await here.owner_signs(number, stranger := Identity(new_seed(b"x" * 32)))
        await here.post()
        await here.look()
        await here.giving.step()
        refused, kept_by = await here.now(number), await here.custodians()
        await here.post()
        county = await here.hub.read(lambda c: transfer_of(c, number))

        here.keys[VILLAGE] = [stranger.public_key]
        await here.owner_signs(number, stranger)
        await here.post()
        await here.keeper_signs(number)
        await here.giving.step()
        await here.look()
        await here.post()
        healed = await here.hub.read(lambda c: transfer_of(c, number))
        aside = await here.hub.read(letters.set_aside)

    assert county is not None
    assert healed is not None
    assert (refused.state, refused.giver_signature, kept_by) == (TransferState.ACCEPTED, None, {VILLAGE})
    assert "not enrolled" in (refused.signature_refused.en if refused.signature_refused else "")
    assert (county.state, county.giver_signature) == (TransferState.ACCEPTED, None)
    assert (healed.state, aside) == (TransferState.CLOSED, [])


async def test_a_village_that_did_not_sign_with_its_own_key_has_not_signed_for_the_county(tmp_path: Path) -> None:
    """A node that signs for the keeper before the county has spoken is not believed."""
    async with hosting(tmp_path) as here:
        number = await accepted(here)
        await here.owner_signs(number, Identity(new_seed(b"x" * 32)))
        now = await here.now(number)
        hasty = signed_by(now, here.site.writer.identity, "丙")
        await here.site.database.write(lambda c: here.office.receiver.append(c, number, hasty))
        await here.post()
        county = await here.hub.read(lambda c: transfer_of(c, number))
        aside = await here.hub.read(letters.set_aside)

    assert county is not None
    assert county.state is TransferState.ACCEPTED
    assert any(f"not enrolled for {VILLAGE}" in one.reason.en for one in aside)


async def test_legal_control_does_not_move_within_one_node(tmp_path: Path) -> None:
    async with hosting(tmp_path) as here:
        args = parser().parse_args(("transfer", "new", "--years", "2011", "--giver", VILLAGE))
        with pytest.raises(BadValue, match="custody of another"):
            await transfer_work.begin(here.office, args)
