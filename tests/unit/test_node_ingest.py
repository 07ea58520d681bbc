"""Taking catalogue files: what a changed, moved, renumbered, damaged or vanished file means for the records."""

import asyncio
import errno
import functools
import shutil
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
from sqlalchemy import Connection

from node import brake, files, store
from node.brake import Cause, Decision
from node.catalogues.rows import RawRow, SheetReading
from node.changes import IncomingRow
from node.config import BrakeBounds, FolderSettings
from node.files import RejectedRow
from node.folders import MARKER_NAME
from node.importing import CHUNK_ROWS
from node.ingest import Outcome
from node.reading import FileReading
from node.watching import SettledFile
from protocol.errors import StorageFull
from protocol.events import AccessChanged, Described, WithdrawalCause, Withdrawn
from protocol.records import Alias
from protocol.vocabularies import AccessStatus, Level
from replication import outbox
from tests.node_site import NodeSite, node_site, rows, write_csv

TITLE, CODE_COLUMN, SECRECY, ACCESS = 1, 0, 7, 8


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[NodeSite]:
    async with node_site(tmp_path / "home") as opened:
        yield opened


async def kinds(site: NodeSite, after: int = 0) -> Counter[str]:
    return Counter(type(event).__name__ for event in await site.events() if event.seq > after)


async def position(site: NodeSite) -> int:
    here = await site.database.read(outbox.head)
    assert here is not None
    return here.seq


async def test_new_file_is_described_row_by_row(site: NodeSite) -> None:
    write_csv(site.folder / "a.csv", rows(3))
    taken = await site.take("a.csv")
    events = await site.events()
    assert (taken.outcome, taken.tally.new, taken.rejected) == (Outcome.TAKEN, 3, 0)
    assert [type(event) for event in events] == [Described] * 3
    assert [event.seq for event in events] == [1, 2, 3]
    assert site.woken > 0
    records = await site.records()
    assert {record.ref_code for record in records.values()} == {row[0] for row in rows(3)}
    assert {record.version for record in records.values()} == {1}


async def test_unchanged_bytes_are_not_read_again(site: NodeSite) -> None:
    write_csv(site.folder / "a.csv", rows(3))
    await site.take("a.csv")
    assert (await site.take("a.csv")).outcome is Outcome.UNCHANGED
    assert await position(site) == 3


async def test_only_the_changed_row_travels(site: NodeSite) -> None:
    table = rows(200)
    write_csv(site.folder / "a.csv", table)
    await site.take("a.csv")
    before = await site.records()
    table[117][TITLE] = "更正后的题名"
    write_csv(site.folder / "a.csv", table)
    taken = await site.take("a.csv")
    assert (taken.tally.unchanged, taken.tally.changed, taken.tally.new) == (199, 1, 0)
    (event,) = [event for event in await site.events() if event.seq > 200]
    assert isinstance(event, Described)
    record = (await site.records())["更正后的题名"]
    old = before[rows(200)[117][TITLE]]
    assert record.record_id == old.record_id
    assert (record.version, record.reason) == (2, "corrected")
    assert record.previous_digest != ""


async def test_sorted_rows_change_nothing(site: NodeSite) -> None:
    write_csv(site.folder / "a.csv", rows(20))
    await site.take("a.csv")
    write_csv(site.folder / "a.csv", rows(20)[::-1])
    taken = await site.take("a.csv")
    assert taken.tally.unchanged == 20
    assert await position(site) == 20
    placed = await site.database.fetch("SELECT line FROM record ORDER BY ref_code LIMIT 1")
    assert placed == [(21,)]


async def test_renumbered_rows_keep_their_ids_and_remember_the_old_code(site: NodeSite) -> None:
    """A row inserted at the top renumbers the whole list; the records have not become one another."""
    table = rows(5)
    write_csv(site.folder / "a.csv", table)
    await site.take("a.csv")
    before = await site.records()
    shifted = rows(6)
    for old, new in zip(table, shifted[1:], strict=True):
        new[1:] = old[1:]
    shifted[0][TITLE] = "新插入的一件"
    write_csv(site.folder / "a.csv", shifted)
    taken = await site.take("a.csv")
    after = await site.records()
    assert (taken.tally.renumbered, taken.tally.new, taken.vanished.withdrawn) == (5, 1, 0)
    assert {title: after[title].record_id for title in before} == {
        title: record.record_id for title, record in before.items()
    }
    first = after[table[0][TITLE]]
    assert (first.ref_code, first.aliases) == (shifted[1][0], (Alias(code=table[0][0], scheme="旧号"),))


async def test_repeated_code_is_rejected_once(site: NodeSite) -> None:
    table = rows(3)
    table[2][CODE_COLUMN] = table[0][CODE_COLUMN]
    write_csv(site.folder / "a.csv", table)
    taken = await site.take("a.csv")
    assert (taken.tally.new, taken.tally.duplicates, taken.rejected) == (2, 1, 1)
    rejects = (site.folder / "a.csv.rejected.csv").read_text(encoding="utf-8-sig")
    assert "ref_code" in rejects
    write_csv(site.folder / "a.csv", rows(3))
    taken = await site.take("a.csv")
    assert (taken.tally.new, taken.rejected) == (1, 0)
    assert not (site.folder / "a.csv.rejected.csv").exists()


async def test_secret_rows_stay_at_home(site: NodeSite) -> None:
    table = rows(3)
    table[1][SECRECY] = "机密★20年"
    write_csv(site.folder / "a.csv", table)
    await site.take("a.csv")
    assert await site.standings() == {"listed": 2, "withheld": 1}
    assert len(await site.events()) == 2
    table[1][SECRECY] = ""
    write_csv(site.folder / "a.csv", table)
    await site.take("a.csv")
    assert await site.standings() == {"listed": 3}
    assert isinstance((await site.events())[-1], Described)


async def test_raised_secrecy_withdraws_what_had_travelled(site: NodeSite) -> None:
    table = rows(3)
    write_csv(site.folder / "a.csv", table)
    await site.take("a.csv")
    published = (await site.records())[table[1][TITLE]]
    table[1][SECRECY] = "秘密"
    write_csv(site.folder / "a.csv", table)
    await site.take("a.csv")
    event = (await site.events())[-1]
    assert isinstance(event, Withdrawn)
    assert (event.record_id, event.cause) == (published.record_id, WithdrawalCause.SECRECY_RAISED)
    again = await site.database.read(lambda c: store.changes_after(c, 3, 10))
    assert [(type(one), one.seq) for one in again] == [(Withdrawn, 4)]


async def test_closing_a_record_is_an_access_change(site: NodeSite) -> None:
    table = rows(2)
    write_csv(site.folder / "a.csv", table)
    await site.take("a.csv")
    table[0][ACCESS] = "控制"
    write_csv(site.folder / "a.csv", table)
    await site.take("a.csv")
    event = (await site.events())[-1]
    assert isinstance(event, AccessChanged)
    assert event.access_status == AccessStatus.RESTRICTED


async def test_a_few_vanished_rows_are_withdrawn_and_come_back_as_themselves(site: NodeSite) -> None:
    table = rows(100)
    write_csv(site.folder / "a.csv", table)
    await site.take("a.csv")
    before = await site.records()
    write_csv(site.folder / "a.csv", table[:-5])
    taken = await site.take("a.csv")
    assert (taken.vanished.withdrawn, taken.vanished.held) == (5, 0)
    assert await kinds(site, 100) == {"Withdrawn": 5}
    assert await site.standings() == {"listed": 95, "gone": 5}
    write_csv(site.folder / "a.csv", table)
    await site.take("a.csv")
    after = await site.records()
    assert {title: record.record_id for title, record in after.items()} == {
        title: record.record_id for title, record in before.items()
    }
    assert after[table[-1][TITLE]].reason == "returned"


async def test_truncated_file_is_held_and_can_be_released(site: NodeSite) -> None:
    table = rows(120)
    write_csv(site.folder / "a.csv", table)
    await site.take("a.csv")
    write_csv(site.folder / "a.csv", table[:60])
    taken = await site.take("a.csv")
    assert (taken.vanished.withdrawn, taken.vanished.held) == (0, 60)
    (change,) = await site.held()
    assert (change.cause, change.row_count, change.of_count) == (Cause.ROWS_VANISHED, 60, 120)
    assert await site.standings() == {"listed": 120}
    assert await position(site) == 120

    await site.database.write(lambda c: brake.decide(c, change.brake_id, Decision.RELEASE, 5))
    await site.withdrawals.carry_out()
    assert await site.standings() == {"listed": 60, "gone": 60}
    assert await kinds(site, 120) == {"Withdrawn": 60}
    assert await site.held() == []


async def test_rejected_change_keeps_the_records_until_the_file_changes_again(site: NodeSite) -> None:
    table = rows(120)
    write_csv(site.folder / "a.csv", table)
    await site.take("a.csv")
    write_csv(site.folder / "a.csv", table[:60])
    await site.take("a.csv")
    (change,) = await site.held()
    await site.database.write(lambda c: brake.decide(c, change.brake_id, Decision.REJECT, 5))
    await site.withdrawals.carry_out()
    assert await site.standings() == {"listed": 120}
    assert await site.held() == []
    write_csv(site.folder / "a.csv", table[:59])
    await site.take("a.csv")
    (change,) = await site.held()
    assert change.row_count == 61


async def test_held_rows_that_come_back_let_the_brake_lapse(site: NodeSite) -> None:
    table = rows(120)
    write_csv(site.folder / "a.csv", table)
    await site.take("a.csv")
    write_csv(site.folder / "a.csv", table[:60])
    await site.take("a.csv")
    write_csv(site.folder / "a.csv", table)
    await site.take("a.csv")
    assert await site.held() == []
    assert await position(site) == 120


async def test_emptied_small_file_is_held(site: NodeSite) -> None:
    """Twenty rows are under the bound, but all rows of a file are never a small change."""
    write_csv(site.folder / "a.csv", rows(20))
    await site.take("a.csv")
    write_csv(site.folder / "a.csv", rows(1, first=900))
    taken = await site.take("a.csv")
    assert (taken.tally.new, taken.vanished.held) == (1, 20)


async def test_unreadable_file_keeps_what_was_stored(site: NodeSite) -> None:
    write_csv(site.folder / "a.csv", rows(5))
    await site.take("a.csv")
    (site.folder / "a.csv").write_bytes(b"PK\x03\x04 half a workbook")
    assert (await site.take("a.csv")).outcome is Outcome.REFUSED
    assert await site.standings() == {"listed": 5}
    file = await site.database.read(lambda c: files.file_at(c, site.watched.name, "a.csv"))
    assert file is not None
    assert file.state is files.FileState.REFUSED
    assert file.reason.zh
    assert file.hint.en


async def test_spoilt_row_keeps_its_record(site: NodeSite) -> None:
    """A row that cannot be read any more is no reason to withdraw what it said before."""
    table = rows(5)
    write_csv(site.folder / "a.csv", table)
    await site.take("a.csv")
    table[2][TITLE] = ""
    write_csv(site.folder / "a.csv", table)
    taken = await site.take("a.csv")
    assert (taken.rejected, taken.vanished.withdrawn) == (1, 0)
    assert await site.standings() == {"listed": 5}
    write_csv(site.folder / "a.csv", rows(5))
    await site.take("a.csv")
    assert await position(site) == 5


async def test_renamed_file_is_the_same_file(site: NodeSite) -> None:
    write_csv(site.folder / "a.csv", rows(5))
    await site.settle()
    (site.folder / "a.csv").rename(site.folder / "目录 2011.csv")
    await site.settle()
    await site.settle(20.0)
    assert await position(site) == 5
    assert await site.held() == []
    assert [file.path for file in await site.database.read(files.files_in)] == ["目录 2011.csv"]


async def test_renamed_and_edited_file_keeps_its_ids(site: NodeSite) -> None:
    table = rows(80)
    write_csv(site.folder / "a.csv", table)
    await site.settle()
    before = await site.records()
    (site.folder / "a.csv").unlink()
    table[3][6] = "99"
    write_csv(site.folder / "b.csv", table)
    await site.settle()
    await site.settle(20.0)
    await site.settle()
    after = await site.records()
    ids = {title: record.record_id for title, record in before.items()}
    same = {title for title, record in after.items() if record.record_id == ids[title]}
    assert same == set(ids)
    assert await site.held() == []
    assert await site.standings() == {"listed": 80}


async def test_copied_file_is_reported_and_takes_over_when_the_original_goes(site: NodeSite) -> None:
    write_csv(site.folder / "a.csv", rows(80))
    await site.settle()
    before = await site.records()
    write_csv(site.folder / "a 副本.csv", rows(80))
    await site.settle()
    counts = await site.database.read(files.counts)
    assert (counts.files, counts.rejected) == (2, 80)
    assert await position(site) == 80
    (site.folder / "a.csv").unlink()
    await site.settle()
    await site.settle(20.0)
    await site.settle()
    assert await site.held() == []
    assert await position(site) == 80
    after = await site.records()
    assert {record.record_id for record in after.values()} == {record.record_id for record in before.values()}
    assert (await site.database.read(files.counts)).rejected == 0


async def test_vanished_file_is_held_and_its_return_lets_go(site: NodeSite) -> None:
    write_csv(site.folder / "a.csv", rows(8))
    await site.settle()
    kept = (site.folder / "a.csv").read_bytes()
    (site.folder / "a.csv").unlink()
    await site.settle()
    await site.settle(20.0)
    (change,) = await site.held()
    assert (change.cause, change.path, change.row_count) == (Cause.FILE_VANISHED, "a.csv", 8)
    (site.folder / "a.csv").write_bytes(kept)
    await site.settle()
    assert await site.held() == []
    assert await position(site) == 8


async def test_released_vanished_file_withdraws_its_records(site: NodeSite) -> None:
    write_csv(site.folder / "a.csv", rows(8))
    await site.settle()
    (site.folder / "a.csv").unlink()
    await site.settle()
    await site.settle(20.0)
    (change,) = await site.held()
    await site.database.write(lambda c: brake.decide(c, change.brake_id, Decision.RELEASE, 5))
    await site.settle()
    assert await site.standings() == {"gone": 8}
    write_csv(site.folder / "a.csv", rows(8))
    await site.settle()
    assert await site.standings() == {"listed": 8}


async def test_unmounted_folder_withdraws_nothing(site: NodeSite, tmp_path: Path) -> None:
    write_csv(site.folder / "a.csv", rows(8))
    await site.settle()
    assert (site.folder / MARKER_NAME).exists()
    site.folder.rename(tmp_path / "elsewhere")
    site.folder.mkdir()
    await site.settle()
    await site.settle(20.0)
    (change,) = await site.held()
    assert (change.cause, change.row_count) == (Cause.FOLDER_UNAVAILABLE, 8)
    assert await site.standings() == {"listed": 8}
    site.folder.rmdir()
    (tmp_path / "elsewhere").rename(site.folder)
    await site.settle()
    assert await site.held() == []


async def test_released_folder_is_taken_as_it_is(site: NodeSite, tmp_path: Path) -> None:
    write_csv(site.folder / "a.csv", rows(8))
    await site.settle()
    site.folder.rename(tmp_path / "elsewhere")
    site.folder.mkdir()
    await site.settle()
    (change,) = await site.held()
    await site.database.write(lambda c: brake.decide(c, change.brake_id, Decision.RELEASE, 5))
    await site.settle()
    await site.settle()
    assert await site.standings() == {"gone": 8}
    assert await site.held() == []
    assert (site.folder / MARKER_NAME).exists()


async def test_folder_without_records_is_taken_as_it_is(site: NodeSite) -> None:
    """Another disk in the place of an empty one is nobody's loss."""
    await site.settle()
    (site.folder / MARKER_NAME).write_text("of another folder\n")
    write_csv(site.folder / "a.csv", rows(3))
    await site.settle()
    await site.settle()
    assert await site.standings() == {"listed": 3}


async def test_foreign_folder_is_not_read(site: NodeSite, tmp_path: Path) -> None:
    """Another disk mounted in the place of ours must not become our catalogue."""
    write_csv(site.folder / "a.csv", rows(3))
    await site.settle()
    site.folder.rename(tmp_path / "elsewhere")
    write_csv(site.folder / "b.csv", rows(5, first=100))
    (site.folder / MARKER_NAME).write_text("of another folder\n")
    await site.settle()
    await site.settle(20.0)
    assert await site.standings() == {"listed": 3}
    assert [change.cause for change in await site.held()] == [Cause.FOLDER_UNAVAILABLE]


async def test_folder_that_moved_keeps_its_records(tmp_path: Path) -> None:
    """The settings name another place for the same catalogues: nothing is described twice, nothing is lost."""
    home = tmp_path / "home"
    async with node_site(home) as site:
        write_csv(site.folder / "a.csv", rows(3))
        await site.settle()
        before = await site.records()
    shutil.copytree(home / "catalogues", home / "moved")
    async with node_site(home, settings=FolderSettings(path="moved")) as site:
        assert [change.cause for change in await site.held()] == [Cause.FOLDER_UNAVAILABLE]
        await site.settle()
        assert await site.records() == before
        assert await position(site) == 3
    async with node_site(home, settings=FolderSettings(path="moved")) as site:
        assert await site.held() == []


async def test_interrupted_load_goes_on_where_it_was(
    site: NodeSite, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    count = CHUNK_ROWS + 1_000
    write_csv(site.folder / "a.csv", rows(count))
    real = site.database.write
    writes = 0

    async def failing(step: Callable[[Connection], object]) -> object:
        nonlocal writes
        writes += 1
        if writes == 3:
            raise asyncio.CancelledError
        return await real(step)

    monkeypatch.setattr(site.database, "write", failing)
    with pytest.raises(asyncio.CancelledError):
        await site.take("a.csv")
    monkeypatch.undo()
    assert 0 < (await site.standings())["listed"] < count
    taken = await site.take("a.csv")
    assert taken.tally.new + taken.tally.unchanged == count
    assert taken.tally.unchanged > 0
    assert await site.standings() == {"listed": count}
    assert await position(site) == count


async def test_first_rows_of_a_new_file_leave_early(site: NodeSite, monkeypatch: pytest.MonkeyPatch) -> None:
    """Else the hub has nothing to do while a whole transaction is described and stored."""
    monkeypatch.setattr("node.importing.FIRST_CHUNK_ROWS", 2)
    monkeypatch.setattr("node.importing.CHUNK_ROWS", 6)
    write_csv(site.folder / "a.csv", rows(20))
    await site.take("a.csv")
    assert await site.database.fetch("SELECT last - previous FROM outbox ORDER BY last") == [
        (2,),
        (4,),
        (6,),
        (6,),
        (2,),
    ]


async def test_rows_that_were_set_aside_keep_the_order_of_the_file(
    site: NodeSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The next rows are read while others are stored, which is when a repeated code shows."""
    monkeypatch.setattr("node.importing.CHUNK_ROWS", 3)
    table = rows(12)
    table[2][CODE_COLUMN] = table[0][CODE_COLUMN]
    table[4][TITLE] = ""
    table[7][CODE_COLUMN] = table[6][CODE_COLUMN]
    table[9][TITLE] = ""
    write_csv(site.folder / "a.csv", table)
    taken = await site.take("a.csv")
    assert (taken.tally.new, taken.rejected) == (8, 4)
    assert await site.database.fetch("SELECT line FROM reject ORDER BY rowid") == [(4,), (6,), (9,), (11,)]


async def test_what_is_being_read_ends_with_the_import(site: NodeSite, monkeypatch: pytest.MonkeyPatch) -> None:
    """The copy of the file goes when the import ends, and nobody may have it open then."""
    monkeypatch.setattr("node.importing.CHUNK_ROWS", 3)
    described, written = FileReading.described, site.database.write
    found: list[bool] = []

    def slow(self: FileReading, sheet: SheetReading, raw: RawRow) -> IncomingRow | RejectedRow:
        if raw.line > 4:
            time.sleep(0.05)
            found.append(any((site.folder.parent / "spool").rglob("a.csv")))
        return described(self, sheet, raw)

    async def failing(step: Callable[[Connection], object]) -> object:
        if isinstance(step, functools.partial) and "chunk" in step.keywords:
            raise StorageFull(brake.REMEDY)
        return await written(step)

    write_csv(site.folder / "a.csv", rows(40))
    monkeypatch.setattr(FileReading, "described", slow)
    monkeypatch.setattr(site.database, "write", failing)
    with pytest.raises(StorageFull):
        await site.take("a.csv")
    assert found == [True] * 3


async def test_full_disk_leaves_everything_as_it_was(site: NodeSite, monkeypatch: pytest.MonkeyPatch) -> None:
    write_csv(site.folder / "a.csv", rows(10))

    async def full(_step: object) -> None:
        raise StorageFull(brake.REMEDY)

    monkeypatch.setattr(site.database, "write", full)
    with pytest.raises(StorageFull):
        await site.take("a.csv")
    monkeypatch.undo()
    assert await site.standings() == {}
    assert (await site.take("a.csv")).tally.new == 10


async def test_database_that_runs_out_of_room_goes_on_when_there_is_room(site: NodeSite) -> None:
    """The real error of the database, in the middle of a file: records and events stay in step."""
    write_csv(site.folder / "a.csv", rows(6_000))
    pages = await site.database.write(lambda c: c.exec_driver_sql("PRAGMA max_page_count = 800").scalar_one())
    assert pages == 800
    with pytest.raises(StorageFull):
        await site.take("a.csv")
    stored = (await site.standings())["listed"]
    assert 0 < stored < 6_000
    assert await position(site) == stored
    await site.database.write(lambda c: c.exec_driver_sql("PRAGMA max_page_count = 1000000").scalar_one())
    taken = await site.take("a.csv")
    assert (taken.tally.unchanged, taken.tally.new) == (stored, 6_000 - stored)
    assert await position(site) == 6_000


async def test_full_spool_is_a_full_disk(site: NodeSite, monkeypatch: pytest.MonkeyPatch) -> None:
    write_csv(site.folder / "a.csv", rows(10))

    def full(*_args: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("node.ingest._spooled", full)
    with pytest.raises(StorageFull):
        await site.take("a.csv")


async def test_uncoded_rows_are_known_by_what_they_say(tmp_path: Path) -> None:
    """Sheets without reference codes: equal rows are counted, a corrected title is found by its document number."""
    async with node_site(tmp_path / "home") as site:
        header = ("题名", "责任者", "文号", "日期")
        table = [[f"会议记录 {i % 2}", "村委会", f"村〔2011〕{i}号" if i % 2 else "", "2011"] for i in range(10)]
        write_csv(site.folder / "a.csv", table, header)
        assert (await site.take("a.csv")).tally.new == 10
        table[3][0] = "村民代表会议记录"
        write_csv(site.folder / "a.csv", table, header)
        taken = await site.take("a.csv")
        assert (taken.tally.unchanged, taken.tally.changed, taken.tally.new) == (9, 1, 0)
        after = (await site.records())["村民代表会议记录"]
        assert (after.doc_no, after.version) == ("村〔2011〕3号", 2)


async def test_changed_settings_read_unchanged_bytes_again(tmp_path: Path) -> None:
    home = tmp_path / "home"
    async with node_site(home) as site:
        write_csv(site.folder / "a.csv", rows(3))
        await site.settle()
    async with node_site(home, settings=FolderSettings(level=Level.VOLUME)) as site:
        await site.settle()
        assert {record.level for record in (await site.records()).values()} == {Level.VOLUME}
        assert await kinds(site, 3) == {"Described": 3}


async def test_restart_reads_nothing_again(tmp_path: Path) -> None:
    home = tmp_path / "home"
    async with node_site(home) as site:
        write_csv(site.folder / "a.csv", rows(3))
        await site.settle()
    async with node_site(home) as site:
        site.watch.scan_soon()
        news = await site.watch.step(0)
        assert news.settled == ()
        assert site.watch.is_quiet


async def test_index_of_another_version_is_rebuilt(tmp_path: Path) -> None:
    home = tmp_path / "home"
    async with node_site(home) as site:
        write_csv(site.folder / "a.csv", rows(3))
        await site.settle()
        await site.database.write(lambda c: c.exec_driver_sql("UPDATE fact SET value = '0' WHERE name='search_terms'"))
    async with node_site(home) as site:
        found = await site.database.fetch("SELECT count(*) FROM search WHERE search MATCH ?", ('"承包"',))
        assert found == [(3,)]


async def test_baseline_reads_what_is_listed(site: NodeSite) -> None:
    table = rows(4)
    table[0][SECRECY] = "机密"
    write_csv(site.folder / "a.csv", table)
    await site.take("a.csv")
    page = await site.database.read(lambda c: store.all_records(c, -1, 10))
    assert len(page) == 3
    counted = await site.database.read(store.count_standing)
    assert counted == (3, 1)


async def test_bounds_of_the_brake_come_from_the_settings(tmp_path: Path) -> None:
    async with node_site(tmp_path / "home", BrakeBounds(rows=2, share=0.0)) as site:
        write_csv(site.folder / "a.csv", rows(10))
        await site.take("a.csv")
        write_csv(site.folder / "a.csv", rows(7))
        assert (await site.take("a.csv")).vanished.held == 3


async def test_file_that_changes_while_it_is_read_settles_again(site: NodeSite) -> None:
    write_csv(site.folder / "a.csv", rows(3))
    look = site.look("a.csv")
    write_csv(site.folder / "a.csv", rows(4))
    taken = await site.importer.take(SettledFile(folder=site.watched, relative="a.csv", look=look))
    assert taken.outcome is Outcome.CHANGED_MEANWHILE
    assert await site.standings() == {}
