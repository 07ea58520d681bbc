"""Fixity of what a township keeps for others: each file within 90 days, at night, and damage told to the county."""

import datetime
import hashlib
from collections.abc import AsyncIterator
from pathlib import Path
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import insert

from node.condition import Condition
from node.tables import SCHEMA
from node.transfers import kept, kept_fixity
from node.transfers.kept_fixity import BY_DAY_DAYS, DAY_MS, FIXITY_DAYS, READING_BYTES_S, KeptFixity
from node.transfers.kept_tables import kept_package
from protocol.consignments import ConsignedFile
from replication.database import Database, opened
from replication.migrations import REPLICATION
from replication.transfer_packages import list_of, write_list

ZONE = "Asia/Shanghai"
VILLAGE = "330523108204"


def at(day: int, hour: int) -> int:
    """Return a moment of some day after the handover, by the clock on the wall, in milliseconds."""
    moment = datetime.datetime(2026, 1, 1, hour, tzinfo=ZoneInfo(ZONE)) + datetime.timedelta(days=day)
    return int(moment.timestamp() * 1000)


class Township:
    """What a township keeps, and its clock."""

    def __init__(self, database: Database, root: Path) -> None:
        self.database, self.root = database, root
        self.now_ms = at(0, 12)
        self.slept_s: list[float] = []
        self.fixity = KeptFixity(database, root, ZONE, lambda: self.now_ms, sleep=self._sleep)

    async def _sleep(self, seconds: float) -> None:
        self.slept_s.append(seconds)

    async def keep(self, number: int, files: int = 3, size_bytes: int = 4) -> Path:
        """Keep a package of so many files; returns its folder."""
        folder = self.root / VILLAGE / str(UUID(int=number)) / "01"
        listed = []
        for name in (f"{one}.jpg" for one in range(files)):
            content = f"{number}{name}".encode().ljust(size_bytes, b".")
            (folder / "电子档案").mkdir(parents=True, exist_ok=True)
            (folder / "电子档案" / name).write_bytes(content)
            sha256 = hashlib.sha256(content).hexdigest()
            listed.append(ConsignedFile(path=f"电子档案/{name}", size_bytes=len(content), sha256=sha256))
        write_list(folder, listed)
        values = {"transfer_id": str(UUID(int=number)), "site": VILLAGE, "title": "某年文书", "items": files}
        row = {**values, "files": files, "size_bytes": files * size_bytes, "certificate": "", "kept_at_ms": self.now_ms}
        accession = f"2026-{number:04d}"
        await self.database.write(lambda c: c.execute(insert(kept_package).values(accession=accession, **row)).close())
        return folder / "电子档案"

    async def night(self, day: int, hour: int = 22) -> int:
        """Have one night, or another hour of a day; returns how often something was read."""
        self.now_ms, looks = at(day, hour), 0
        while await self.fixity.look():
            looks += 1
        return looks

    async def faulty(self) -> int:
        """Return what the next sign of life says."""
        beat = Condition(self.database, VILLAGE, "U", lambda: 0, lambda: False, lambda: self.now_ms)
        return (await beat.beat()).kept_faulty


@pytest.fixture
async def township(tmp_path: Path) -> AsyncIterator[Township]:
    async with opened(tmp_path / "node.db", (REPLICATION, SCHEMA)) as database:
        yield Township(database, tmp_path / "kept")


async def test_what_came_is_read_again_at_night_and_not_before_its_day(township: Township) -> None:
    await township.keep(1)

    looks = [await township.night(day) for day in (1, FIXITY_DAYS - 1, FIXITY_DAYS, FIXITY_DAYS + 1)]
    by_day = await township.night(2 * FIXITY_DAYS, hour=9)
    (one,) = await township.database.read(kept.packages)

    assert (looks, by_day) == ([0, 0, 1, 0], 0)
    assert (one.verified_at_ms, one.faulty) == (at(FIXITY_DAYS, 22), 0)


async def test_a_pc_that_is_off_at_night_reads_by_day_before_ninety_days_are_over(township: Township) -> None:
    await township.keep(1)

    looks = [await township.night(day, hour=14) for day in (FIXITY_DAYS, BY_DAY_DAYS - 1, BY_DAY_DAYS)]

    assert looks == [0, 0, 1]


async def test_damage_is_told_with_the_next_sign_of_life_until_it_is_put_right(township: Township) -> None:
    folder = await township.keep(1)
    sound = (folder / "1.jpg").read_bytes()
    (folder / "1.jpg").write_bytes(b"rot")
    (folder / "2.jpg").unlink()

    await township.night(FIXITY_DAYS)
    named = await township.database.fetch("SELECT path FROM kept_fault WHERE accession = '2026-0001' ORDER BY path")
    found = await township.faulty(), [path for (path,) in named]
    (folder / "1.jpg").write_bytes(sound)
    await township.night(2 * FIXITY_DAYS + 1)

    assert found == (2, ["01/电子档案/1.jpg", "01/电子档案/2.jpg"])
    assert await township.faulty() == 1


async def test_a_list_that_is_gone_is_a_fault(township: Township) -> None:
    folder = await township.keep(1)
    list_of(folder.parent).unlink()

    await township.night(FIXITY_DAYS)

    assert await township.faulty() == 1


async def test_a_look_that_was_cut_goes_on_with_the_next_file(
    township: Township, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kept_fixity, "FILES_AT_ONCE", 2)
    folder = await township.keep(1, files=5)
    township.now_ms = at(FIXITY_DAYS, 22)
    await township.fixity.look()
    (folder / "0.jpg").write_bytes(b"spoilt behind the look")
    again = KeptFixity(township.database, township.root, ZONE, lambda: township.now_ms, sleep=township._sleep)

    looks = 0
    while await again.look():
        looks += 1
    (one,) = await township.database.read(kept.packages)

    assert (looks, one.faulty, one.look_line) == (2, 0, 0)
    assert one.look_began_at_ms == at(FIXITY_DAYS, 22)


async def test_reading_keeps_to_its_rate(township: Township, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("node.transfers.kept_fixity.time.monotonic", lambda: 0.0)
    await township.keep(1, files=2, size_bytes=1_000_000)

    await township.night(FIXITY_DAYS)

    assert township.slept_s == [2_000_000 / READING_BYTES_S]


async def test_each_file_is_read_within_ninety_days_however_many_there_are(township: Township) -> None:
    for number in range(1, 6):
        await township.keep(number)

    read: list[int] = []
    for day in range(1, 181):
        await township.night(day)
        lines = await township.database.read(kept.packages)
        read.append(max((township.now_ms - max(one.kept_at_ms, one.verified_at_ms)) // DAY_MS for one in lines))

    assert max(read) <= 90
