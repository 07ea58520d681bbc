"""Held files: read again and again, put back from a copy, copied and read back; and the accession register."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from hub.backup.backup_settings import TargetKind
from hub.backup.backup_targets import prepare
from hub.keeping import held_files
from hub.keeping.accessions import NewAccession, accessions, register
from hub.keeping.fixity import DAY_S, LOOK_EVERY_S, Fixity
from hub.keeping.held_copies import CopyKeeper, go_over
from hub.keeping.held_files import HeldState, hold, last_run, place, tally
from hub.keeping.keeping_findings import known, sentences
from hub.keeping.keeping_settings import HoldingCopy, HoldingSettings
from protocol.county_time import local_time
from protocol.errors import Refused
from replication.database import Database
from tests.carriages import SITE, some_files, written
from tests.stores import Store

COUNTY = "330523000000"
NOW_MS = 1_790_000_000_000
DAY_MS = int(DAY_S * 1000)
BUNDLE = "0b6fd3c2"


class Keeping:
    """Held files on a disk of a test, and two copies."""

    def __init__(self, root: Path, database: Database) -> None:
        self.database = database
        self.root = root / "holdings"
        self.copies = (
            HoldingCopy(name="second", kind=TargetKind.ONLINE, path=str(root / "second")),
            HoldingCopy(name="usb", kind=TargetKind.OFFLINE, path=str(root / "usb")),
        )
        self.settings = HoldingSettings(path=str(self.root), copy=self.copies)
        self.now_ms = NOW_MS
        self.slept_s = 0.0

    def clock(self) -> int:
        return self.now_ms

    async def sleep(self, seconds: float) -> None:
        self.slept_s += seconds

    async def hold(self, files: dict[str, bytes]) -> None:
        consigned = written(place(self.root, SITE, BUNDLE), files)
        await self.database.write(lambda connection: hold(connection, SITE, BUNDLE, consigned.files, self.now_ms))

    async def go_over(self, number: int) -> held_files.HoldingRun:
        target = self.copies[number]
        prepare(target.as_target, COUNTY, self.now_ms)
        return await go_over(self.database, self.root, target, COUNTY, self.clock)

    def fixity(self, days: float = 60) -> Fixity:
        return Fixity(self.database, self.root, self.copies, COUNTY, days, self.clock, sleep=self.sleep)

    def path(self, name: str, root: Path | None = None) -> Path:
        return (root or self.root) / SITE.code / BUNDLE / name

    async def said(self) -> list[str]:
        found = await self.database.read(lambda connection: known(connection, self.settings))
        return [text.en for text in sentences(self.settings, found, self.now_ms)]


@asynccontextmanager
async def keeping(root: Path, store: Store) -> AsyncIterator[Keeping]:
    async with store.opened() as database:
        yield Keeping(root, database)


async def test_every_file_is_read_within_the_days_that_are_set(tmp_path: Path, store: Store) -> None:
    files = some_files(30)
    async with keeping(tmp_path, store) as here:
        await here.hold(files)
        looked: set[str] = set()
        # At this pace a whole round is thirty looks and a little.
        days = len(files) * LOOK_EVERY_S / DAY_S
        for _ in range(len(files)):
            here.now_ms += int(LOOK_EVERY_S * 1000)
            looked |= {found.held.path for found in await here.fixity(days).look()}

    assert looked == set(files)


async def test_a_hub_that_was_off_catches_up(tmp_path: Path, store: Store) -> None:
    async with keeping(tmp_path, store) as here:
        await here.hold(some_files(30))
        here.now_ms += 61 * DAY_MS
        found = await here.fixity().look()

    assert len(found) == 31


async def test_a_spoilt_file_is_put_back_from_a_copy(tmp_path: Path, store: Store) -> None:
    files = {"a.tif": b"a" * 5_000, "b.tif": b"b" * 5_000, "c.tif": b"c"}
    async with keeping(tmp_path, store) as here:
        await here.hold(files)
        await here.go_over(0)
        here.path("a.tif").write_bytes(b"a" * 4_999 + b"x")
        here.path("b.tif").unlink()
        here.now_ms += 61 * DAY_MS
        found = await here.fixity().look()
        held = await here.database.read(lambda connection: held_files.oldest(connection, 10))

    assert [(one.held.path, one.state, one.repaired_from) for one in found] == [
        ("a.tif", HeldState.SOUND, "second"),
        ("b.tif", HeldState.SOUND, "second"),
        ("c.tif", HeldState.SOUND, ""),
    ]
    assert {name: here.path(name).read_bytes() for name in files} == files
    assert {one.path: one.repaired_from for one in held} == {"a.tif": "second", "b.tif": "second", "c.tif": ""}


async def test_nothing_is_put_back_into_an_empty_folder_by_itself(tmp_path: Path, store: Store) -> None:
    """The disk of the holdings is not mounted: the copies would fill the disk below."""
    async with keeping(tmp_path, store) as here:
        await here.hold({"a.tif": b"a" * 500, "b.tif": b"b"})
        await here.go_over(0)
        here.root.rename(tmp_path / "unmounted")
        here.root.mkdir()
        here.now_ms += 61 * DAY_MS
        found = await here.fixity().look()
        said = await here.said()
        left = list(here.root.iterdir())

    assert ({one.state for one in found}, left) == ({HeldState.MISSING}, [])
    assert "2 held files are damaged or missing" in said[0]


async def test_a_copy_that_is_spoilt_too_is_never_put_in_the_place_of_anything(tmp_path: Path, store: Store) -> None:
    async with keeping(tmp_path, store) as here:
        await here.hold({"a.tif": b"a" * 500})
        await here.go_over(0)
        for root in (here.root, tmp_path / "second"):
            here.path("a.tif", root).chmod(0o600)
            here.path("a.tif", root).write_bytes(b"x" * 500)
        here.now_ms += 61 * DAY_MS
        (found,) = await here.fixity().look()
        counted = await here.database.read(tally)
        said = await here.said()

    assert (found.state, counted.damaged) == (HeldState.DAMAGED, 1)
    assert "1 held file is damaged or missing" in said[0]
    assert here.path("a.tif").read_bytes() == b"x" * 500


async def test_a_copy_is_written_and_read_back_and_the_run_remembered(tmp_path: Path, store: Store) -> None:
    files = some_files(20)
    async with keeping(tmp_path, store) as here:
        await here.hold(files)
        first = await here.go_over(1)
        again = await here.go_over(1)
        last = await here.database.read(lambda connection: last_run(connection, "usb", whole=True))

    assert (first.files, first.copied, first.verified, first.faulty) == (21, 21, 21, 0)
    assert (again.copied, again.verified) == (0, 21)
    assert last is not None
    assert {path: here.path(path, tmp_path / "usb").read_bytes() for path in files} == files


async def test_damage_on_a_copy_is_mended_from_the_holdings(tmp_path: Path, store: Store) -> None:
    async with keeping(tmp_path, store) as here:
        await here.hold({"a.tif": b"a" * 500})
        await here.go_over(0)
        spoilt = here.path("a.tif", tmp_path / "second")
        spoilt.chmod(0o600)
        spoilt.write_bytes(b"x" * 500)
        run = await here.go_over(0)

    assert (run.copied, run.verified, spoilt.read_bytes()) == (1, 1, b"a" * 500)


async def test_a_disk_without_a_mark_is_not_written(tmp_path: Path, store: Store) -> None:
    async with keeping(tmp_path, store) as here:
        await here.hold({"a.tif": b"a"})
        with pytest.raises(Refused):
            await go_over(here.database, here.root, here.copies[0], COUNTY, here.clock)

    assert not (tmp_path / "second").exists()


async def test_the_nightly_going_over_reads_only_what_is_getting_old(tmp_path: Path, store: Store) -> None:
    async with keeping(tmp_path, store) as here:
        await here.hold(some_files(20))
        prepare(here.copies[0].as_target, COUNTY, NOW_MS)
        keeper = CopyKeeper(here.database, here.root, here.copies, COUNTY, 60, here.clock, sleep=here.sleep)
        (first,) = await keeper.look()
        here.now_ms += DAY_MS
        (second,) = await keeper.look()
        assert await keeper.look() == []
        here.now_ms += 60 * DAY_MS
        (third,) = await keeper.look()

    assert [(one.copied, one.verified) for one in (first, second, third)] == [(21, 21), (0, 0), (0, 21)]


async def test_what_is_missing_to_the_rule_is_said_only_where_something_is_held(tmp_path: Path, store: Store) -> None:
    async with keeping(tmp_path, store) as here:
        before = await here.said()
        await here.hold({"a.tif": b"a"})
        after = await here.said()
        await here.go_over(0)
        await here.go_over(1)
        copied = await here.said()
        here.now_ms += 40 * DAY_MS
        old = await here.said()

    assert before == []
    assert [text.split(" ", 3)[:3] for text in after] == [
        ["copy", "second", "of"],
        ["copy", "usb", "of"],
        ["fewer", "copies", "of"],
    ]
    assert len(copied) == 1
    assert "last found whole 40 days ago" in old[0]


async def test_other_files_are_never_held_under_the_same_name(tmp_path: Path, store: Store) -> None:
    async with keeping(tmp_path, store) as here:
        await here.hold({"a.tif": b"a"})
        await here.hold({"a.tif": b"a"})
        with pytest.raises(Refused):
            await here.hold({"a.tif": b"b"})


async def test_the_register_has_one_line_a_transfer_and_no_gaps(store: Store) -> None:
    year = local_time(NOW_MS).year
    new = NewAccession(bundle="t1", nature="移交", title="林权档案", items=12, files=40, registered_by="王")
    async with store.opened() as database:
        first = await database.write(lambda connection: register(connection, SITE, new, NOW_MS))
        again = await database.write(lambda connection: register(connection, SITE, new, NOW_MS + 5))
        other = NewAccession(bundle="t2", nature="移交", title="婚姻登记档案", registered_by="王")
        second = await database.write(lambda connection: register(connection, SITE, other, NOW_MS))
        lines = await database.read(lambda connection: accessions(connection, 10))
        changed = NewAccession(bundle="t1", nature="捐赠", title="林权档案", registered_by="王")
        with pytest.raises(Refused):
            await database.write(lambda connection: register(connection, SITE, changed, NOW_MS))

    assert (first.code, again, second.code) == (f"{year}-0001", first, f"{year}-0002")
    assert lines == [second, first]
