"""A transfer that a village has submitted to a console's archive, with a package of scans and what the checks found."""

import datetime
import io
import struct
import uuid
from pathlib import Path
from uuid import UUID

from PIL import Image, ImageDraw
from sqlalchemy import Connection, insert

from hub.membership import keyring
from hub.membership.keyring_tables import enrolled_node
from hub.web.reach import Reach, Receiving
from protocol.check_results import Outcome, Standing
from protocol.letters import Letter
from protocol.package_entries import PackageEntry
from protocol.sites import parse_site
from protocol.transfers import Checking, Parcel, Prepared, Quantity, Side, Submitted
from protocol.wording import Text
from replication import letters, transfer_items, transfer_rounds
from replication.database import Database
from replication.letters import HUB_PEER
from replication.packages.catalogue_xml import FURTHER, ITEMS, catalogue_pieces
from replication.transfer_items import TransferItem
from replication.transfer_log import TransferLog
from replication.transfer_rounds import Fault, Round
from tests.transfer_ends import COUNTY, NOW_MS, VILLAGE, End, identity, opened, signature

TRANSFER = UUID("0192b6a0-0000-7000-8000-000000000001")
RECORDS = tuple(UUID(int=number + 1) for number in range(4))
TITLES = ("上石村山林权属登记表", "毛竹林承包合同", "林权纠纷调解协议", "茶园四至图")
HOSTILE = "<script>alert(1)</script>"
GIVER_KEY, ARCHIVE_KEY = 1, 2


def receiving(home: Path) -> Reach:
    """What the console of the archive works on transfers with."""
    log = TransferLog(
        Side.RECEIVER, identity(ARCHIVE_KEY), lambda _c, _peer: {identity(GIVER_KEY).public_key}, lambda: NOW_MS
    )
    return Reach(receiving=Receiving(log=log, home=home, unit="安吉县档案馆", archive=parse_site(COUNTY)))


class Handover:
    """The village's end, and the post to the console's store."""

    def __init__(self, database: Database, home: Path) -> None:
        self.giver = End(Side.GIVER, identity(GIVER_KEY), identity(ARCHIVE_KEY))
        self.database = database
        self.home = home
        self.reach = receiving(home).receiving

    @property
    def log(self) -> TransferLog:
        """The archive's log."""
        assert self.reach is not None
        return self.reach.log

    async def carry(self) -> None:
        """Carry letters both ways."""
        up = self.giver.written()

        def take(connection: Connection) -> list[Letter]:
            letters.take(connection, VILLAGE, up, self.log.handlers(), NOW_MS)
            return letters.due(connection, VILLAGE, NOW_MS)[0]

        down = await self.database.write(take)
        self.giver.confirm([one.letter_id for one in up])
        self.giver.take(down)
        await self.database.write(
            lambda connection: letters.confirm(connection, VILLAGE, [one.letter_id for one in down])
        )

    async def submit(self, *, boxes: bool = False) -> None:
        """Have the village submit, and the files on their way."""
        await self.database.write(_enrol)
        self.giver.append(TRANSFER, opened())
        parcel = Parcel(
            round=1,
            items=len(RECORDS),
            files=6,
            size_bytes=3_400_000,
            manifest="ab" * 32,
            fonds=("J001",),
            year_first=1983,
            year_last=1986,
            quantities=(Quantity(category="forest_rights", items=len(RECORDS)),),
            boxes=1 if boxes else 0,
            volumes=2 if boxes else 0,
        )
        self.giver.append(TRANSFER, Prepared(parcel=parcel))
        consignment = uuid.uuid5(uuid.NAMESPACE_URL, "1")
        with self.giver.engine.begin() as connection:
            transfer_items.put(connection, TRANSFER, _items(boxes=boxes))
        self.giver.append(TRANSFER, Submitted(round=1, consignment=consignment, manifest=parcel.manifest))
        await self.carry()
        work = Round(round=1, package="transfers/one/01", done_bytes=1_300_000, total_bytes=3_400_000, at_ms=NOW_MS)
        await self.database.write(lambda connection: transfer_rounds.note(connection, TRANSFER, work))

    async def arrive(self, *, boxes: bool = False, faulty: bool = True) -> None:
        """Have every file there, and the checks run."""
        package = self.home / "transfers" / "one" / "01"
        write_package(package)
        work = Round(
            round=1,
            package="transfers/one/01",
            done_bytes=3_400_000,
            total_bytes=3_400_000,
            standing=(Standing.FAILED if faulty else Standing.PASSED).value,
            at_ms=NOW_MS,
        )

        def step(connection: Connection) -> None:
            transfer_items.put(connection, TRANSFER, _items(boxes=boxes))
            self.log.append(connection, TRANSFER, Checking(round=1, manifest="ab" * 32), by="checks")
            transfer_rounds.note(connection, TRANSFER, work)
            transfer_rounds.put_faults(connection, TRANSFER, 1, _faults() if faulty else ())

        await self.database.write(step)

    async def giver_signs(self) -> None:
        """Have the village take what was decided, and sign."""
        await self.carry()
        self.giver.append(TRANSFER, signature(self.giver, TRANSFER))
        await self.carry()


def _enrol(connection: Connection) -> None:
    keyring.expect(connection, parse_site(VILLAGE), "上石村档案室", datetime.date(2026, 3, 1))
    node = {"public_key": identity(GIVER_KEY).public_key, "site": VILLAGE, "name": "", "software": "1.0.0"}
    connection.execute(insert(enrolled_node).values(**node, enrolled_at_ms=NOW_MS))


def _items(*, boxes: bool) -> list[TransferItem]:
    return [
        TransferItem(
            record_id=record_id,
            sequence=place,
            ref_code=f"J001-WS·1986·Y-{place + 1:04d}",
            title=title,
            round=1,
            pages=2,
            box="1" if boxes and place < 2 else "",
        )
        for place, (record_id, title) in enumerate(zip(RECORDS, TITLES, strict=True))
    ]


def _fault(place: int, rule: str, evidence: Text, remedy: Text, outcome: Outcome = Outcome.FAILED) -> Fault:
    return Fault(
        ref_code=f"J001-WS·1986·Y-{place:04d}" if place else "",
        path="data/电子档案/02/0001.jpg" if place else "",
        rule=rule,
        outcome=outcome,
        is_mandatory=True,
        evidence=evidence,
        remedy=remedy,
        tool="danglian 1.0.0",
        checked_at_ms=NOW_MS,
    )


def _faults() -> list[Fault]:
    return [
        _fault(
            2,
            "pages_match",
            Text(zh="著录为 2 页，文件共 1 页。", en="2 pages described, the files have 1."),
            Text(zh="补扫缺少的页，或改正页数。", en="Scan what is missing, or correct the number."),
        ),
        _fault(
            3,
            "opinions_attached",
            Text(zh=f"没有开放审核意见 {HOSTILE}", en=f"no opening opinion {HOSTILE}"),
            Text(zh="请填写开放审核意见。", en="Fill in the opening opinion."),
        ),
        _fault(
            0,
            "virus_scan",
            Text(zh="杀毒程序没有应答。", en="the virus scanner did not answer."),
            Text(zh="启动杀毒程序后重新检测。", en="Start it and check again."),
            Outcome.NOT_RUN,
        ),
    ]


def write_package(package: Path) -> None:
    """Write a package in the official layout: scans as JPEG and TIFF, what is no picture, a name that leads out."""
    records = package / "data" / "电子档案"
    for name in ("01", "02", "03"):
        (records / name).mkdir(parents=True, exist_ok=True)
    (records / "01" / "0001.jpg").write_bytes(scan("上石村山林权属登记表", "JPEG"))
    (records / "01" / "0002.tif").write_bytes(scan("第二页", "TIFF"))
    (records / "02" / "0001.jpg").write_bytes(scan("毛竹林承包合同", "JPEG"))
    (records / "03" / "协议.pdf").write_bytes(b"%PDF-1.4\n<script>alert(1)</script>")
    (records / "03" / "broken.tif").write_bytes(b"II*\x00" + struct.pack("<I", 10**9))
    entries = [
        PackageEntry(
            sequence=str(place + 1),
            ref_code=f"J001-WS·1986·Y-{place + 1:04d}",
            title=title,
            file_name=("01", "02", "03", "../../../../hub.toml")[place],
            record_id=str(record_id),
        )
        for place, (record_id, title) in enumerate(zip(RECORDS, TITLES, strict=True))
    ]
    for name in (ITEMS, FURTHER):
        target = package / "data" / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(b"".join(catalogue_pieces(name, entries)))


def scan(words: str, kind: str) -> bytes:
    """A page that was scanned."""
    page = Image.new("RGB", (620, 877), "#fbfaf4")
    drawn = ImageDraw.Draw(page)
    for line in range(14):
        drawn.line((70, 140 + line * 46, 550 - line % 3 * 90, 140 + line * 46), fill="#3a3a3a", width=3)
    drawn.rectangle((440, 690, 540, 790), outline="#b3261e", width=5)
    drawn.text((70, 70), words.encode("ascii", "replace").decode(), fill="#222222")
    told = io.BytesIO()
    page.save(told, kind)
    return told.getvalue()


__all__ = ["HOSTILE", "HUB_PEER", "RECORDS", "TRANSFER", "Handover", "receiving", "write_package"]
