"""A transfer through the real parts of both ends, without programs and network: what moves, and what survives."""

import datetime
import shutil
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TypeVar
from uuid import UUID

import msgspec
import pytest
from PIL import Image
from sqlalchemy import Connection, insert

from hub.application import Application
from hub.keeping import held_files
from hub.membership import keyring
from hub.membership.keyring_tables import enrolled_node
from hub.staff.administration import Actor
from hub.transfers import deciding, held, listing, papers, signing
from hub.transfers.accession import dossier
from hub.transfers.deciding import Conclusion
from hub.transfers.receiving import TransferDesk
from hub.window.certificate_settings import CertificateSettings
from node import amendments, consigning, store
from node.__main__ import parser
from node.commands import transfer_work
from node.config import BrokerLink, NodeConfig
from node.home import home_at
from node.revisions import EVENT_HEAD_BYTES_MAX
from node.transfers import custody, submitting
from node.transfers.custody import CustodyMover
from node.transfers.desk import GivingDesk
from node.transfers.office import Office, giver_log, receiver_log
from protocol.check_reports import ReportEnd, ReportHead
from protocol.check_results import Standing
from protocol.codec import decode_record
from protocol.consignments import ConsignedFile
from protocol.county_time import local_time
from protocol.errors import BadFile, BadValue, Refused
from protocol.file_lists import FileList
from protocol.handover_texts import as_text
from protocol.handovers import certificate_of
from protocol.limits import EVENT_BYTES_MAX
from protocol.records import Record
from protocol.sites import Site, parse_site
from protocol.transfer_folds import Transfer
from protocol.transfers import ItemRuling, Party, Ruling, Side, TransferState
from protocol.wording import Text
from replication import letters, outbox, transfer_arrivals, transfer_items, transfer_rounds
from replication.checks.reports import read_report
from replication.checks.running import NO_TOOLS
from replication.checks.survey import CheckTools
from replication.database import Database, opened
from replication.inbox import Inbox
from replication.keys import Identity, new_seed
from replication.transfer_checks import Checked, tools_of
from replication.transfer_items import ItemState
from replication.transfer_log import TransferLog, transfer_of
from replication.transfer_settings import TransferSettings
from tests.hubs import MIGRATIONS
from tests.node_site import CODE, NodeSite, node_site, rows, write_csv
from tests.scanners import clamd

HEADER = ("档号", "题名", "责任者", "文号", "日期", "保管期限", "页数", "密级", "开放标识", "公开属性")
COUNTY = "330523000000"
NOW_MS = 1_790_000_000_000
ACTOR = Actor(who="档案员")
HUB = Identity(new_seed(b"h" * 32))
WAIVED = {"virus_scan": "本机未装", "longterm_format": "照片"}
T = TypeVar("T")


class Killed(Exception):
    """The program was killed."""


class Mortal:
    """A database whose program is killed at one of its writes: before it is on disk, or right after."""

    def __init__(self, database: Database, lives: int, *, is_written: bool) -> None:
        self._database = database
        self._lives = lives
        self._is_written = is_written

    @property
    def folder(self) -> Path:
        return self._database.folder

    async def write(self, step: Callable[[Connection], T]) -> T:
        self._lives -= 1
        if self._lives == 0 and not self._is_written:
            raise Killed
        done = await self._database.write(step)
        if self._lives == 0:
            raise Killed
        return done

    async def read(self, step: Callable[[Connection], T]) -> T:
        return await self._database.read(step)

    async def fetch(self, sql: str, parameters: Sequence[object] = ()) -> list[tuple[object, ...]]:
        return await self._database.fetch(sql, parameters)


class Shelf:
    """Stands in for the line: copies the files that the node has offered."""

    def __init__(self, node: Database) -> None:
        self._node = node
        self.spoil: Callable[[Path], None] = lambda _into: None

    async def listed(self, _site: Site, consignment_id: UUID) -> FileList:
        def step(connection: Connection) -> FileList:
            stretch = consigning.stretch_from(connection, consignment_id, 0, 10_000)
            assert stretch is not None
            return FileList(stretch.files)

        return await self._node.read(step)

    async def draw_to_the_end(
        self,
        _site: Site,
        consignment_id: UUID,
        files: Sequence[ConsignedFile],
        into: Path,
        progress: Callable[[int, int], None],
    ) -> None:
        offer = await self._node.read(lambda c: consigning.offered(c, consignment_id))
        assert offer is not None
        for one in files:
            target = into / one.path
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(Path(offer.root) / one.path, target)
        progress(1, 1)
        self.spoil(into)


class Thread:
    """Both ends of one transfer."""

    def __init__(self, root: Path, site: NodeSite, hub: Database) -> None:
        self.root = root
        self.site = site
        self.hub = hub
        config = NodeConfig(site=CODE, name="某村", hub=BrokerLink(urls=("tls://x",), key=HUB.public_key))
        self.node_log = giver_log(config, site.writer.identity)
        self.office = Office(
            home=home_at(root / "site"),
            config=config,
            database=site.database,
            log=self.node_log,
            receiver=receiver_log(site.writer.identity),
        )
        self.hub_log = TransferLog(Side.RECEIVER, HUB, keyring.keys_now, lambda: NOW_MS)
        self.shelf = Shelf(site.database)
        self.desk = self.hub_desk(hub)
        self.number = UUID(int=0)

    def hub_desk(self, database: Database, tools: CheckTools = NO_TOOLS) -> TransferDesk:
        return TransferDesk(
            database,
            self.hub_log,
            self.shelf,
            self.root / "hub" / "transfers",
            self.root / "hub" / "holdings",
            lambda: NOW_MS,
            lambda: 0.0,
            tools,
        )

    def node_desk(self, database: Database) -> GivingDesk:
        mover = CustodyMover(database, self.site.writer, self.node_log, lambda: None, lambda: NOW_MS)
        return GivingDesk(database, mover, (HUB.public_key,), lambda: None)

    async def begin(self, count: int, *options: str) -> Transfer:
        """Drop a sheet with scans, let the hub hold it, and begin."""
        sheet = [[*row[:6], "2", *row[7:], "依申请公开"] for row in rows(count)]
        write_csv(self.site.folder / "目录.csv", sheet, HEADER)
        await self.site.take("目录.csv")
        for row in rows(count):
            for page in (1, 2):
                scan(self.scans / row[0].replace("·", "_") / f"{page:04d}.jpg", page)
        await self.carry()
        given = ("transfer", "new", "--years", "2011", "--title", "2011 年", "--scans", str(self.scans), *options)
        now = await transfer_work.begin(self.office, parser().parse_args(given))
        self.number = now.transfer_id
        return now

    @property
    def scans(self) -> Path:
        return self.root / "scans"

    async def send(self) -> Transfer:
        now, checked = await transfer_work.pack_and_check(self.office, await self.giver(), [], [str(self.scans)])
        assert [fault.evidence.en for fault in checked.failed] == []
        return await transfer_work.send_out(self.office, now)

    async def look(self) -> None:
        """Let the hub draw and check."""
        for _ in range(2):
            await self.post()
            await self.desk.attend(await self.receiver())

    async def decide(self, *returned: UUID, is_final: bool = False, waived: dict[str, str] = WAIVED) -> Transfer:
        def step(connection: Connection) -> Transfer:
            reason = Text(zh="模糊", en="blurred")
            rulings = [ItemRuling(record_id=one, ruling=Ruling.RETURN, reason=reason) for one in returned]
            if rulings:
                deciding.rule(connection, self.hub_log, ACTOR, self.number, rulings, NOW_MS)
            conclusion = Conclusion(
                receiver=Party(site=COUNTY, name="县档案馆"),
                dated=datetime.date(2026, 11, 23),
                is_final=is_final,
                waived=waived,
            )
            return deciding.decide(connection, self.hub_log, ACTOR, self.number, conclusion, NOW_MS)

        now = await self.hub.write(step)
        await self.post()
        return now

    async def sign(self) -> None:
        await self.site.database.write(lambda c: submitting.sign(c, self.node_log, self.number, "甲"))
        await self.post()
        await self.hub.write(lambda c: signing.sign(c, self.hub_log, ACTOR, self.number, "丙", NOW_MS))
        await self.post()

    async def post(self) -> None:
        """Carry letters both ways until nobody has more to say."""
        ends = (
            (self.site.database, letters.HUB_PEER, self.node_log, self.hub, CODE),
            (self.hub, CODE, self.hub_log, self.site.database, letters.HUB_PEER),
        )
        while True:
            moved = 0
            for sender, peer, _, reader, writer in ends:
                taker = self.hub_log if reader is self.hub else self.node_log
                some, _more = await sender.read(lambda c, peer=peer: letters.due(c, peer, NOW_MS))  # type: ignore[misc]
                taken = await reader.write(
                    lambda c, some=some, writer=writer, taker=taker: letters.take(  # type: ignore[misc]
                        c, writer, some, taker.handlers(), NOW_MS
                    )
                )
                await sender.write(lambda c, peer=peer, taken=taken: letters.confirm(c, peer, taken))  # type: ignore[misc]
                moved += len(some)
            if not moved:
                return

    async def carry(self) -> None:
        """Bring what the node has described to the hub's catalogue."""
        frames = await self.site.database.read(lambda c: outbox.frames_after(c, 0, 10_000))
        key = self.site.writer.identity.public_key
        inbox = Inbox(self.hub, Application(lambda: NOW_MS), lambda _site: [key], lambda: NOW_MS)
        await inbox.take(inbox.read([(parse_site(CODE), frame.sealed) for frame in frames]))

    async def giver(self) -> Transfer:
        return await known(self.site.database, self.number)

    async def receiver(self) -> Transfer:
        return await known(self.hub, self.number)

    async def records(self) -> list[Record]:
        bodies = await self.site.database.fetch("SELECT body FROM record WHERE standing = 'listed' ORDER BY ref_code")
        return [decode_record(body) for (body,) in bodies if isinstance(body, bytes)]

    async def items(self, database: Database) -> dict[ItemState, int]:
        return await database.read(lambda c: transfer_items.counts(c, self.number))


async def known(database: Database, number: UUID) -> Transfer:
    now = await database.read(lambda c: transfer_of(c, number))
    assert now is not None
    return now


def scan(path: Path, shade: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (30, 40), (shade * 40, 128, 200)).save(path, dpi=(300, 300))


@asynccontextmanager
async def thread(root: Path) -> AsyncIterator[Thread]:
    async with node_site(root / "site") as site, opened(root / "hub.db", MIGRATIONS) as hub:
        made = Thread(root, site, hub)

        def enrol(connection: Connection) -> None:
            keyring.expect(connection, parse_site(CODE), "", datetime.date(2026, 1, 1))
            row = {"site": CODE, "name": "", "software": "", "enrolled_at_ms": 1}
            connection.execute(insert(enrolled_node).values(public_key=site.writer.identity.public_key, **row))

        await hub.write(enrol)
        yield made


async def test_custody_moves_when_both_have_signed_and_not_before(tmp_path: Path) -> None:
    async with thread(tmp_path) as both:
        await both.begin(3, "--nature", "delegated_custody", "--to", COUNTY)
        await both.send()
        await both.look()
        await both.decide()
        assert await both.node_desk(both.site.database).step() == 1  # the offer is taken back
        assert {one.custodian for one in await both.records()} == {""}

        await both.sign()
        assert await both.node_desk(both.site.database).step() == 1
        await both.post()
        await both.desk.attend(await both.receiver())
        assert (await both.receiver()).state is TransferState.SIGNED  # the catalogue does not show it yet
        await both.carry()
        await both.desk.attend(await both.receiver())
        await both.post()

        one = (await both.records())[0]
        assert (one.owner, one.custodian, one.releaser, one.handover) == (CODE, COUNTY, CODE, both.number)
        assert [(alias.code, alias.scheme, alias.assigner) for alias in one.aliases] == [(one.ref_code, "室编", CODE)]
        assert await both.giver() == await both.receiver()
        assert (await both.receiver()).state is TransferState.CLOSED
        assert await both.items(both.hub) == await both.items(both.site.database) == {ItemState.MOVED: 3}
        year = local_time(NOW_MS).year
        assert (await both.receiver()).accession == f"{year}-0001"
        (line,) = await both.hub.read(lambda c: dossier(c, CODE))
        assert "代管县档案馆 3 件" in line.words.zh
        tally = await both.hub.read(held_files.tally)
        assert tally.files == len([one for one in (tmp_path / "hub" / "holdings").rglob("*") if one.is_file()])


async def test_the_papers_carry_both_signatures_and_the_digest_of_the_manifest(tmp_path: Path) -> None:
    async with thread(tmp_path) as both:
        await handed_over(both, 2)
        now = await both.receiver()
        pdf = papers.drawn(now, CertificateSettings(), datetime.datetime(2026, 11, 23, tzinfo=datetime.UTC))
        certificate = certificate_of(now)
        assert certificate is not None
        text = as_text(certificate, now.giver_signature, now.receiver_signature)

        assert pdf.startswith(b"%PDF-")
        assert certificate.packages[0].manifest_sha256.encode() in pdf
        for key in (both.site.writer.identity.public_key, HUB.public_key):
            assert key in text
            assert key.encode() in pdf


async def test_rows_that_are_read_again_do_not_take_custody_back(tmp_path: Path) -> None:
    async with thread(tmp_path) as both:
        await handed_over(both, 2)
        sheet = [[*row[:6], "2", *row[7:], "依申请公开"] for row in rows(2)]
        sheet[0][1] += "（更正）"
        write_csv(both.site.folder / "目录.csv", sheet, HEADER)
        await both.site.take("目录.csv")

        corrected = (await both.records())[0]
        assert corrected.title.endswith("（更正）")
        assert (corrected.custodian, corrected.releaser, corrected.handover) == (COUNTY, COUNTY, both.number)
        assert [alias.scheme for alias in corrected.aliases] == ["室编"]


async def handed_over(both: Thread, count: int) -> None:
    await both.begin(count)
    await both.send()
    await both.look()
    await both.decide()
    await both.sign()
    await both.node_desk(both.site.database).step()
    await both.post()
    await both.carry()
    await both.desk.attend(await both.receiver())
    await both.post()


@pytest.mark.parametrize("is_written", [True, False])
async def test_a_giver_killed_at_any_write_moves_custody_of_every_record_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, is_written: bool
) -> None:
    monkeypatch.setattr(custody, "MOVED_AT_ONCE", 2)
    async with thread(tmp_path) as both:
        await both.begin(5)
        await both.send()
        await both.look()
        await both.decide()
        await both.sign()
        before = await both.site.database.read(outbox.head)
        kills = 0
        while (await both.giver()).turn is Side.GIVER:
            mortal = Mortal(both.site.database, 1 + kills % 3, is_written=is_written)
            kills += 1
            try:
                await both.node_desk(mortal).step()
            except Killed:
                continue
        after = await both.site.database.read(outbox.head)

        assert before is not None
        assert after is not None
        assert kills > 2
        assert after.seq - before.seq == 5
        assert await both.items(both.site.database) == {ItemState.MOVED: 5}


@pytest.mark.parametrize("is_written", [True, False])
async def test_a_hub_killed_at_any_write_comes_to_the_same(tmp_path: Path, *, is_written: bool) -> None:
    async with thread(tmp_path) as both:
        await both.begin(3)
        await both.send()
        await both.post()
        kills = 0
        while not await checked(both):
            mortal = Mortal(both.hub, 1 + kills % 4, is_written=is_written)
            kills += 1
            try:
                await both.hub_desk(mortal).attend(await both.receiver())
            except Killed:
                continue

        now = await both.receiver()
        assert (now.state, now.receiver_steps) == (TransferState.CHECKING, 1)
        assert await both.items(both.hub) == {ItemState.CARRIED: 3}


async def checked(both: Thread) -> bool:
    view = await both.hub.read(lambda c: listing.view(c, both.number))
    return view.transfer.state is TransferState.CHECKING and bool(view.rounds[-1].standing)


async def test_a_signature_by_a_revoked_key_is_refused_and_custody_stays(tmp_path: Path) -> None:
    async with thread(tmp_path) as both:
        await both.begin(2)
        await both.send()
        await both.look()
        await both.decide()
        await both.site.database.write(lambda c: submitting.sign(c, both.node_log, both.number, "甲"))
        await both.post()
        key = both.site.writer.identity.public_key
        await both.hub.write(lambda c: keyring.revoke(c, [key], NOW_MS, "lost"))
        after = await both.hub.write(lambda c: signing.sign(c, both.hub_log, ACTOR, both.number, "丙", NOW_MS))

        assert (after.state, after.giver_signature, after.receiver_signature) == (TransferState.ACCEPTED, None, None)
        assert after.signature_refused is not None
        assert after.signature_refused.en == "the key of the signature is not enrolled, or was revoked"
        assert {one.custodian for one in await both.records()} == {""}


async def test_what_was_submitted_twice_is_one_transfer(tmp_path: Path) -> None:
    async with thread(tmp_path) as both:
        await both.begin(2)
        first = await both.send()
        again = await transfer_work.send_out(both.office, await both.giver())
        await both.post()

        assert again == first
        lines = await both.hub.read(listing.transfers)
        assert [(line.transfer_id, line.state) for line in lines] == [(both.number, TransferState.SUBMITTED)]


async def test_a_package_that_is_not_the_one_submitted_goes_back_as_a_whole(tmp_path: Path) -> None:
    async with thread(tmp_path) as both:
        await both.begin(2)
        await both.send()
        both.shelf.spoil = lambda into: (into / transfer_arrivals.MANIFEST).write_text("swapped\n")  # type: ignore[assignment]
        await both.post()
        await both.desk.attend(await both.receiver())
        await both.post()

        now = await both.giver()
        assert (now.state, now.turn) == (TransferState.PLANNED, Side.GIVER)
        assert now.sent_back is not None
        assert now.sent_back.en == "the manifest is not the one submitted"
        both.shelf.spoil = lambda _into: None
        await both.send()
        await both.look()
        assert (await both.receiver()).state is TransferState.CHECKING


async def packed_without_opinions(both: Thread) -> tuple[Transfer, Checked]:
    """Pack and check two entries of which nobody has said whether they may be opened."""
    await both.begin(2)
    sheet = [[*row[:6], "2", "", "未审核", ""] for row in rows(2)]
    write_csv(both.site.folder / "目录.csv", sheet, HEADER)
    await both.site.take("目录.csv")
    await both.carry()
    return await transfer_work.pack_and_check(both.office, await both.giver(), [], [str(both.scans)])


async def test_an_item_without_opinions_is_refused_by_the_checks_of_both_ends(tmp_path: Path) -> None:
    async with thread(tmp_path) as both:
        now, found = await packed_without_opinions(both)
        assert {fault.rule for fault in found.failed} >= {"opinions_attached"}

        await transfer_work.send_out(both.office, now)
        await both.look()
        with pytest.raises(Refused):
            await both.decide()


async def test_the_reports_of_both_ends_are_read_as_every_report_is(tmp_path: Path) -> None:
    """What a transfer alone asks for stands in the report's verdict, too."""
    async with thread(tmp_path) as both:
        now, _ = await packed_without_opinions(both)
        await transfer_work.send_out(both.office, now)
        await both.look()

    reports = [list(read_report(path)) for path in sorted(tmp_path.rglob("*.report.jsonl"))]
    assert len(reports) == 2
    for head, *results, end in reports:
        assert isinstance(head, ReportHead)
        assert isinstance(end, ReportEnd)
        assert (end.results, end.verdict.standing) == (len(results), Standing.FAILED)
        tally = next(one for one in end.verdict.tallies if one.rule == "opinions_attached")
        assert (tally.mandatory, len(tally.failed_items)) == (True, 2)


async def test_nothing_is_accepted_before_the_checks_have_run(tmp_path: Path) -> None:
    async with thread(tmp_path) as both:
        await both.begin(2)
        await both.send()
        await both.post()
        await both.desk.attend(await both.receiver())
        with pytest.raises(Refused, match="have not run"):
            await both.decide()


async def test_a_rule_that_has_not_run_is_not_passed_unless_it_is_waived_with_a_reason(tmp_path: Path) -> None:
    async with thread(tmp_path) as both:
        await both.begin(2)
        await both.send()
        await both.look()
        with pytest.raises(Refused):
            await both.decide(waived={})
        now = await both.decide()
        assert "virus_scan 未执行：本机未装" in now.opinion


async def test_the_scanner_that_is_set_looks_at_both_ends(tmp_path: Path) -> None:
    stand_in = clamd(lambda _content: b"stream: OK\0")
    scanner, taken = next(stand_in)
    try:
        async with thread(tmp_path) as both:
            settings = TransferSettings(scanner=f"tcp:127.0.0.1:{scanner.address.port}")
            config = msgspec.structs.replace(both.office.config, transfers=settings)
            both.office = msgspec.structs.replace(both.office, config=config)
            both.desk = both.hub_desk(both.hub, tools_of(settings))
            await both.begin(2)
            await both.send()
            sent = len(taken)
            await both.look()
            now = await both.decide(waived={"longterm_format": "照片"})
    finally:
        stand_in.close()  # type: ignore[attr-defined]  # it is a generator

    assert (sent > 0, len(taken)) == (True, 2 * sent)
    assert (now.state, "virus_scan" in now.opinion) == (TransferState.ACCEPTED, False)


async def test_a_code_that_the_giver_has_handed_over_before_is_found(tmp_path: Path) -> None:
    """Another record under a code that lies in the archive already is a fault; other sites may use that code."""
    async with thread(tmp_path) as both:
        await handed_over(both, 2)
        first = await both.receiver()

        def known_of(**changes: object) -> Callable[[Connection], frozenset[str]]:
            other = msgspec.structs.replace(first, transfer_id=UUID(int=9), **changes)
            return lambda connection: held.handed_over(connection, other)

        codes = frozenset(row[0] for row in rows(2))
        neighbour = Party(site="330523108299", name="邻村")
        assert await both.hub.read(known_of()) == codes
        assert await both.hub.read(lambda connection: held.handed_over(connection, first)) == frozenset()
        assert await both.hub.read(known_of(giver=neighbour)) == frozenset()


async def lengthen(both: Thread, ref_code: str) -> None:
    """Let one record say nearly all that an event can carry."""

    def step(connection: Connection) -> None:
        (stored, row) = next(
            one for one in amendments.standing(connection, ids) if decode_record(one[0].body).ref_code == ref_code
        )
        # The longest note with which the entry itself is not too large: a handover adds more than one letter.
        lengths = range((EVENT_BYTES_MAX - EVENT_HEAD_BYTES_MAX) // 3, 0, -1)
        said = (msgspec.structs.replace(decode_record(stored.body), note="长" * length) for length in lengths)
        told = (amendments.amended(stored, longer, by="test", reason="", now_ms=NOW_MS) for longer in said)
        revision = next(one for one in told if not one.is_too_large)
        events = [revision.event] if revision.event is not None else []
        positions = list(outbox.append(connection, both.site.writer, events))
        row = msgspec.structs.replace(row, record=revision.record)
        store.replace(connection, store.written([(revision, row, stored)], stored.file_id), positions)

    ids = [one.record_id for one in await both.records()]
    await both.site.database.write(step)


async def test_an_entry_without_room_for_the_handover_is_named_when_the_transfer_begins(tmp_path: Path) -> None:
    """An event holds 64 KB; who hears of it after the signatures can neither go on nor go back."""
    code = rows(2)[1][0]
    async with thread(tmp_path) as both:
        await both.begin(2)
        await both.site.database.write(lambda c: submitting.cancel(c, both.node_log, both.number, "再办"))
        await lengthen(both, code)
        with pytest.raises(Refused, match=code):
            await both.begin(2)


async def test_an_entry_that_grew_meanwhile_is_named_before_its_giver_signs(tmp_path: Path) -> None:
    code = rows(2)[1][0]
    async with thread(tmp_path) as both:
        await both.begin(2)
        await both.send()
        await both.look()
        await both.decide()
        await lengthen(both, code)
        with pytest.raises(Refused, match=code):
            await both.sign()
        assert (await both.giver()).giver_signature is None


async def test_an_entry_that_grew_after_the_signatures_holds_up_its_own_transfer_only(tmp_path: Path) -> None:
    code = rows(2)[1][0]
    async with thread(tmp_path) as both:
        await both.begin(2)
        await both.send()
        await both.look()
        await both.decide()
        await both.sign()
        await lengthen(both, code)
        desk = both.node_desk(both.site.database)
        # The first look may take the offer back, whose files have arrived.
        await desk.step()
        again = await desk.step()
        now = await both.giver()
        work = await both.site.database.read(lambda c: transfer_rounds.round_of(c, both.number, now.round))
        assert (again, now.state) == (0, TransferState.SIGNED)
        assert work is not None
        assert work.trouble is not None
        assert code in work.trouble.zh

        sheet = [[*row[:6], "2", *row[7:], "依申请公开"] for row in rows(2)]
        write_csv(both.site.folder / "目录.csv", [[*row[:1], row[1] + "。", *row[2:]] for row in sheet], HEADER)
        await both.site.take("目录.csv")
        assert await desk.step() == 1
        work = await both.site.database.read(lambda c: transfer_rounds.round_of(c, both.number, now.round))
        assert work is not None
        assert work.trouble is None


async def test_records_of_another_unfinished_transfer_are_not_chosen_again(tmp_path: Path) -> None:
    async with thread(tmp_path) as both:
        await both.begin(2)
        with pytest.raises(BadValue, match="no record was found"):
            await both.begin(2)


async def test_a_scan_that_is_gone_is_said_when_the_package_is_made(tmp_path: Path) -> None:
    async with thread(tmp_path) as both:
        await both.begin(2)
        shutil.rmtree(both.scans)
        with pytest.raises(BadFile):
            await transfer_work.pack_and_check(both.office, await both.giver(), [], [])
