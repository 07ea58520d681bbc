"""The files that the demonstration writes: workbooks that our reader's library opens, and text in old encodings."""

import csv
import tracemalloc
from pathlib import Path

import pytest
from python_calamine import CalamineWorkbook, ZipError

from deploy.demo.catalogues import catalogues_of
from deploy.demo.cells import Fate, FileForm
from deploy.demo.county import chosen_places
from deploy.demo.files import BROKEN_COPY_POSITION, write_catalogue, write_site
from deploy.demo.manifest import Counts, SiteManifest, Tally, total
from protocol.codec import decode_record
from protocol.vocabularies import Level
from tests.node_site import node_site

ENCODINGS = {
    FileForm.CSV_GB18030: "gb18030",
    FileForm.TXT_GB18030: "gb18030",
    FileForm.CSV_UTF8_BOM: "utf-8-sig",
    FileForm.CSV_BIG5: "big5",
    FileForm.TXT_UTF16: "utf-16",
}


def sheets_of(path: Path, form: FileForm) -> list[list[list[object]]]:
    """Read a file as plainly as possible."""
    if form is FileForm.XLSX:
        workbook = CalamineWorkbook.from_path(path)
        sheets = [workbook.get_sheet_by_name(name).to_python(skip_empty_area=False) for name in workbook.sheet_names]
        return [[list(line) for line in lines] for lines in sheets]
    text = path.read_bytes().decode(ENCODINGS[form])
    reader = csv.reader(text.splitlines(keepends=True), delimiter="\t" if path.suffix == ".txt" else ",")
    return [[list(line) for line in reader]]


@pytest.mark.parametrize("position", range(8))
def test_every_file_reads_back_as_it_was_made(tmp_path: Path, position: int) -> None:
    place = chosen_places(8)[position]
    made = list(catalogues_of(place, position, rows=120, seed=1))
    again = list(catalogues_of(place, position, rows=120, seed=1))
    for catalogue, same in zip(made, again, strict=True):
        path = write_catalogue(tmp_path, catalogue, Tally())
        for sheet, lines in zip(same.sheets, sheets_of(path, catalogue.form), strict=True):
            expected = [*sheet.header, *(row.cells for row in sheet.rows)]
            found = lines[len(sheet.titles) :]
            assert [line[0] for line in lines[: len(sheet.titles)]] == list(sheet.titles)
            for wanted, got in zip(expected, found, strict=True):
                texts = {column: cell for column, cell in enumerate(wanted) if isinstance(cell, str)}
                assert {column: got[column] for column in texts} == texts


def test_titles_and_headings_are_merged_like_those_of_a_printed_list(tmp_path: Path) -> None:
    place = chosen_places(1)[0]
    catalogue = next(catalogues_of(place, 0, rows=600, seed=1))
    path = write_catalogue(tmp_path, catalogue, Tally())
    ranges = CalamineWorkbook.from_path(path).get_sheet_by_index(0).merged_cell_ranges
    assert ranges is not None
    assert ((0, 0), (0, 8)) in ranges
    assert ((2, 2), (2, 4)) in ranges
    assert ((2, 0), (3, 0)) in ranges
    assert any(first[0] > 3 and last[0] - first[0] == 2 for first, last in ranges)


async def test_items_of_a_made_up_workbook_lie_in_the_volumes_of_its_other_sheet(tmp_path: Path) -> None:
    """Position 5 keeps its list of volumes and what lies in them in one workbook, dirt and all."""
    async with node_site(tmp_path / "home") as site:
        write_site(site.folder, chosen_places(6)[5], 5, rows=300, seed=1)
        workbook = next(path for path in site.folder.glob("*卷内文件目录.xlsx") if not path.name.startswith("~$"))
        await site.take(workbook.name)
        # Not by title: several volumes of a made-up list may be called the same.
        rows = await site.database.fetch("SELECT body FROM record WHERE standing = 'listed'")
    records = [decode_record(body) for (body,) in rows if isinstance(body, bytes)]
    volumes = {record.record_id: record for record in records if record.level is Level.VOLUME}
    items = [record for record in records if record.parent_id is not None]
    assert len(volumes) >= 10
    assert len(items) > 120
    assert all(item.ref_code.startswith(f"{volumes[item.parent_id].ref_code}-") for item in items if item.parent_id)


def test_the_manifest_counts_what_was_written(tmp_path: Path) -> None:
    place = chosen_places(3)[2]
    manifest = write_site(tmp_path, place, 2, rows=200, seed=1)
    fates = [
        row.fate for file in catalogues_of(place, 2, rows=200, seed=1) for sheet in file.sheets for row in sheet.rows
    ]
    assert manifest.counts == Counts(**{fate.value: fates.count(fate) for fate in Fate})
    assert manifest.counts is not None
    assert manifest.counts.entries == 200
    assert manifest.files == len([path for path in tmp_path.iterdir() if not path.name.startswith("~$")])


def test_a_copy_that_stopped_half_way_and_an_editors_leftover_lie_among_the_files(tmp_path: Path) -> None:
    place = chosen_places(6)[BROKEN_COPY_POSITION]
    manifest = write_site(tmp_path, place, BROKEN_COPY_POSITION, rows=60, seed=1)
    assert manifest.unreadable_files == 1
    with pytest.raises(ZipError):
        CalamineWorkbook.from_path(tmp_path / "旧目录（复制中断）.xlsx")
    assert [path.name[:2] for path in tmp_path.iterdir() if path.name.startswith("~")] == ["~$"]


def test_totals_are_unknown_as_soon_as_one_site_is() -> None:
    known = SiteManifest(site="330523000000", files=1, counts=Counts(taken=3, rejected=1))
    assert total([known, known]) == Counts(taken=6, rejected=2)
    assert total([known, SiteManifest(site="330523001000", files=1)]) is None


def test_memory_does_not_grow_with_the_list(tmp_path: Path) -> None:
    """A list of 20,000 rows needs hardly more than one of 2,000: nothing is kept but the row at hand."""

    def peak_bytes(rows: int) -> int:
        place = chosen_places(7)[6]
        tracemalloc.start()
        write_site(tmp_path / str(rows), place, 6, rows=rows, seed=1)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return peak

    peak_bytes(500)
    assert peak_bytes(12_000) < peak_bytes(2_000) + 2_000_000
