"""A consignment on a courier's disk: the same list and the same book as by the line."""

import shutil
from pathlib import Path

import pytest

from hub.draws.disk_drawing import Brought, take_in
from hub.draws.draw_book import DrawState
from node.consigning import offered
from node.disk_consigning import files_of, write_to_disk
from protocol.consignments import Consignment
from protocol.disk_consignments import DATA_NAME, LIST_NAME, folder_name
from protocol.errors import BadFile, BadFiles, Refused, StorageFull
from replication.consigned_files import ConsignedFolder
from replication.disk_reading import read_disk
from tests.carriages import NOW_MS, SITE, CarriageEnds, carriage_ends, some_files, there, written


async def on_disk(ends: CarriageEnds, consigned: Consignment) -> Path:
    offer = await ends.node.read(lambda connection: offered(connection, consigned.consignment_id))
    assert offer is not None
    files = await ends.node.read(lambda connection: files_of(connection, offer))
    disk = ends.root / "disk"
    disk.mkdir(exist_ok=True)
    write_to_disk(offer, files, disk, SITE, ends.node_key, ends.heard)
    return disk / folder_name(consigned.consignment_id)


async def bring(ends: CarriageEnds, folder: Path) -> None:
    brought = read_disk(folder, lambda _site: ends.keys)
    source = ConsignedFolder(folder / DATA_NAME)
    carried = Brought(site=brought.site, consignment=brought.consignment, source=source)
    await take_in(ends.hub, carried, ends.into, lambda: NOW_MS, ends.heard)


async def consigned_in(ends: CarriageEnds, files: dict[str, bytes]) -> Consignment:
    consigned = written(ends.root / "scans", files)
    await ends.offer(consigned, ends.root / "scans")
    return consigned


async def test_a_disk_brings_what_the_line_would_and_the_line_then_brings_nothing(tmp_path: Path) -> None:
    files = some_files(50)
    async with carriage_ends(tmp_path) as ends:
        consigned = await consigned_in(ends, files)
        await bring(ends, await on_disk(ends, consigned))
        line = await ends.line(consigned)
        # The site is not even asked.
        await ends.draw(consigned)

    assert (there(ends.into), line.state, line.carried_bytes) == (files, DrawState.DONE, 0)
    assert ends.broker.sent == []


async def test_a_disk_that_is_brought_twice_changes_nothing(tmp_path: Path) -> None:
    files = some_files(10)
    async with carriage_ends(tmp_path) as ends:
        consigned = await consigned_in(ends, files)
        folder = await on_disk(ends, consigned)
        await bring(ends, folder)
        before = {path: path.stat().st_mtime_ns for path in ends.into.rglob("*")}
        await bring(ends, folder)

    assert {path: path.stat().st_mtime_ns for path in ends.into.rglob("*")} == before


async def test_what_the_disk_lacks_is_named_and_comes_by_the_line(tmp_path: Path) -> None:
    files = some_files(50)
    lost, spoilt = sorted(files)[5], sorted(files)[9]
    async with carriage_ends(tmp_path) as ends:
        consigned = await consigned_in(ends, files)
        folder = await on_disk(ends, consigned)
        (folder / DATA_NAME / lost).unlink()
        (folder / DATA_NAME / spoilt).write_bytes(bytes(len(files[spoilt])))
        with pytest.raises(BadFiles) as caught:
            await bring(ends, folder)
        async with ends.giving():
            await ends.draw(consigned)
        line = await ends.line(consigned)

    assert sorted(caught.value.faults) == sorted([(lost, "missing"), (spoilt, "changed")])
    assert (there(ends.into), line.carried_bytes) == (files, len(files[lost]) + len(files[spoilt]))


async def test_a_list_that_was_changed_on_the_way_is_refused(tmp_path: Path) -> None:
    async with carriage_ends(tmp_path) as ends:
        consigned = await consigned_in(ends, {"a.jpg": b"a", "b.jpg": b"b"})
        folder = await on_disk(ends, consigned)
        (folder / LIST_NAME).write_bytes((folder / LIST_NAME).read_bytes().replace(b"b.jpg", b"c.jpg"))
        with pytest.raises(Refused):
            await bring(ends, folder)


async def test_a_disk_of_a_revoked_node_is_refused(tmp_path: Path) -> None:
    async with carriage_ends(tmp_path) as ends:
        folder = await on_disk(ends, await consigned_in(ends, {"a.jpg": b"a"}))
        ends.keys = []
        with pytest.raises(Refused):
            await bring(ends, folder)


async def test_a_disk_that_was_pulled_out_while_it_was_written_holds_no_consignment(tmp_path: Path) -> None:
    async with carriage_ends(tmp_path) as ends:
        folder = await on_disk(ends, await consigned_in(ends, {"a.jpg": b"a"}))
        (folder / LIST_NAME).unlink()
        with pytest.raises(BadFile):
            await bring(ends, folder)


async def test_a_file_that_changed_is_not_written_to_the_disk(tmp_path: Path) -> None:
    async with carriage_ends(tmp_path) as ends:
        consigned = await consigned_in(ends, {"a.jpg": b"a", "b.jpg": b"b"})
        (tmp_path / "scans" / "a.jpg").write_bytes(b"x")
        with pytest.raises(BadFiles) as caught:
            await on_disk(ends, consigned)

    assert caught.value.faults == (("a.jpg", "changed"),)
    assert there(tmp_path / "disk" / folder_name(consigned.consignment_id) / DATA_NAME) == {"b.jpg": b"b"}


async def test_a_disk_without_room_is_said_before_anything_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = shutil.disk_usage(tmp_path)
    monkeypatch.setattr("node.disk_consigning.shutil.disk_usage", lambda _path: usage._replace(free=10))
    async with carriage_ends(tmp_path) as ends:
        consigned = await consigned_in(ends, some_files(3))
        with pytest.raises(StorageFull):
            await on_disk(ends, consigned)

    assert there(tmp_path / "disk") == {}
