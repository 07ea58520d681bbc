"""Which records a transfer takes, and which scans show them."""

import errno
import os
from collections.abc import AsyncIterator
from pathlib import Path
from uuid import UUID

import pytest

from node.transfers.beginning import boxes_in
from node.transfers.choosing import Selection, chosen
from node.transfers.scans import ScanIndex, code_key
from protocol.errors import BadFile, BadQuery, BadValue
from protocol.records import Record
from tests.node_site import NodeSite, node_site, write_csv

COUNTY = "330523000000"
VOLUMES = ("档号", "案卷题名", "起止日期", "保管期限", "密级")
ITEMS = ("档号", "题名", "责任者", "日期", "密级")


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[NodeSite]:
    async with node_site(tmp_path / "home") as opened:
        write_csv(opened.folder / "a.csv", [[f"001-2-{n}", f"山林卷{n}", "1986", "永久", ""] for n in (1, 2)], VOLUMES)
        items = [[f"001-2-1-00{n}", f"承包合同{n}", "村委会", f"198{n}0305", ""] for n in (1, 2, 3)]
        items.append(["001-2-1-004", "机密登记", "村委会", "19840305", "机密"])
        write_csv(opened.folder / "b.csv", items, ITEMS)
        for name in ("a.csv", "b.csv"):
            await opened.take(name)
        yield opened


async def codes(site: NodeSite, selection: Selection) -> list[str]:
    found = await site.database.read(lambda c: chosen(c, selection, COUNTY))
    return [one.record.ref_code for one in found]


async def test_a_volume_goes_with_the_last_of_its_items_and_what_is_secret_stays(site: NodeSite) -> None:
    assert await codes(site, Selection(volumes=("001-2-1",))) == [
        *("001-2-1", "001-2-1-001", "001-2-1-002", "001-2-1-003")
    ]
    assert await codes(site, Selection(codes=("001-2-1", "001-2-1-002"))) == ["001-2-1-002"]


async def test_a_volume_that_nobody_described_item_by_item_goes_by_itself(site: NodeSite) -> None:
    assert await codes(site, Selection(volumes=("001-2-2",))) == ["001-2-2"]


async def test_years_and_words_narrow_what_is_taken(site: NodeSite) -> None:
    assert await codes(site, Selection(fonds_no="001", year_first=1982, year_last=1982)) == ["001-2-1-002"]
    assert await codes(site, Selection(query="承包合同3")) == ["001-2-1-003"]


@pytest.mark.parametrize("query", ["fonds:001 -承包合同3", "承包合同 -承包合同3"])
async def test_what_a_search_excludes_stays(site: NodeSite, query: str) -> None:
    assert "001-2-1-003" not in await codes(site, Selection(query=query))
    assert "001-2-1-002" in await codes(site, Selection(query=query))


@pytest.mark.parametrize("query", ["-承包合同3", "kind:没有这一类", '"', "(", " "])
async def test_a_search_that_cannot_be_understood_hands_nothing_over(site: NodeSite, query: str) -> None:
    """At a site a call that is not understood finds everything; here everything would be handed over."""
    with pytest.raises(BadQuery):
        await codes(site, Selection(query=query))


@pytest.mark.parametrize("written", ["档号,盒号\nA-1,盒1\n", "题名, box ,code\n某件,盒1,a-1 \n\n某件,,A-2\n短\n"])
def test_boxes_are_read_by_their_header(tmp_path: Path, written: str) -> None:
    (tmp_path / "boxes.csv").write_text(written, encoding="utf-8")
    assert boxes_in(tmp_path / "boxes.csv") == {"A-1": "盒1"}


@pytest.mark.parametrize("written", ["", "档号,件号\n", f"档号,盒号\n{'长' * 140_000},盒1\n"])
def test_what_is_no_list_of_boxes_is_refused(tmp_path: Path, written: str) -> None:
    (tmp_path / "boxes.csv").write_text(written, encoding="utf-8")
    with pytest.raises(BadFile):
        boxes_in(tmp_path / "boxes.csv")


async def test_nothing_is_taken_where_nothing_is_asked_for(site: NodeSite) -> None:
    with pytest.raises(BadValue):
        await codes(site, Selection())


def record(code: str, page_no: str = "", page_count: int | None = None) -> Record:
    return Record(
        record_id=UUID(int=1),
        repository_id="330523108204",
        title="",
        ref_code=code,
        page_no=page_no,
        page_count=page_count,
    )


def put(folder: Path, *names: str) -> None:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(b"x")


def test_scans_are_found_by_folders_files_and_codes_spread_over_folders(tmp_path: Path) -> None:
    put(tmp_path, "Z109-WS_2011/0002.jpg", "Z109-WS_2011/0001.jpg", "001-2-15-003.pdf", "001/2/16/004-2.tif")
    put(tmp_path, "说明.docx", ".hidden/0001.jpg")
    index = ScanIndex([tmp_path])

    assert [scan.path.name for scan in index.of(record("Z109-WS·2011"))] == ["0001.jpg", "0002.jpg"]
    assert [scan.path.name for scan in index.of(record("001-2-15-003"))] == ["001-2-15-003.pdf"]
    assert [scan.path.name for scan in index.of(record("001-2-16-004"))] == ["004-2.tif"]
    assert index.unused() == []
    assert index.count == 4
    assert index.of(record("001-21-5-003")) == []


def test_pages_of_an_item_are_taken_from_the_folder_of_its_volume(tmp_path: Path) -> None:
    put(tmp_path, *(f"001-2-15/{number:04d}.jpg" for number in range(1, 9)))
    index = ScanIndex([tmp_path])

    assert [scan.page for scan in index.of(record("001-2-15-002", "4-6"), "001-2-15")] == [4, 5, 6]
    assert [scan.page for scan in index.of(record("001-2-15-003", "7", 2), "001-2-15")] == [7, 8]
    assert len(index.unused()) == 3
    assert code_key("Z109—WS・2011") == code_key("z109 ws_2011")


def test_a_folder_that_cannot_be_read_stops_the_transfer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its scans would be left behind without a word: records would travel with fewer pages than they have."""
    spoilt = tmp_path / "001-2-1"
    spoilt.mkdir()
    scandir = os.scandir

    def failing(folder: Path) -> object:
        if Path(folder) == spoilt:
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
        return scandir(folder)

    monkeypatch.setattr(os, "scandir", failing)
    with pytest.raises(BadFile, match="001-2-1"):
        ScanIndex([tmp_path])
