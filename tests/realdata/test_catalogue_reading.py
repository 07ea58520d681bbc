"""Catalogues that nobody here wrote: published lists of documents, messy workbooks, samples of other systems.

Row counts were verified with another reader (openpyxl, csv), independently of the code under test.
"""

import csv
import json
import tarfile
from collections import Counter
from pathlib import Path

import openpyxl
import pytest

from node.catalogues.catalogue_files import parse_mapping
from node.catalogues.refusals import UnreadableFile
from node.catalogues.workbooks import open_tables
from protocol.vocabularies import Level
from tests.workbooks import codes, read, write_text, write_xlsx


def refusal(path: Path) -> str | None:
    """Read a file to its end; return what it is refused for, if it is."""
    try:
        read(path)
    except UnreadableFile as refused:
        return refused.finding
    return None


def findings_of(reading_rows: list[list[str]]) -> Counter[str]:
    return Counter(code for row in reading_rows for code in row)


@pytest.fixture(scope="session")
def easyexcel(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The 31 samples of another spreadsheet library, unpacked."""
    folder = tmp_path_factory.mktemp("easyexcel")
    with tarfile.open(shared_data / "13_messy_spreadsheets/easyexcel_xls_xlsx_csv_samples.tar.xz") as archive:
        archive.extractall(folder, filter="data")
    return folder


@pytest.fixture(scope="session")
def csv_spectrum(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The 12 CSV files that test readers of CSV, unpacked."""
    folder = tmp_path_factory.mktemp("csv-spectrum")
    with tarfile.open(shared_data / "13_messy_spreadsheets/csv-spectrum.tar.xz") as archive:
        archive.extractall(folder, filter="data")
    return folder


@pytest.mark.parametrize(
    ("name", "rows", "without_date"),
    [("guangdong", 4678, 1938), ("shanghai_half_A", 4654, 2339), ("state_council", 5781, 66)],
)
def test_lists_of_government_documents_are_taken_whole(
    shared_data: Path, name: str, rows: int, without_date: int
) -> None:
    path = shared_data / f"02_government_documents/gov_docs_{name}.csv"
    reading = read(path)
    assert (len(reading.records), len(reading.rejected)) == (rows, 0)
    noticed = findings_of([codes(row) for row in reading.rows])
    assert noticed["date_missing"] == without_date
    assert set(noticed) <= {"date_missing", "doc_no_irregular"}
    with path.open(encoding="utf-8", newline="") as source:
        titles = [row["title"] for row in csv.DictReader(source)]
    assert reading.titles == [title.replace("\n", "").strip() for title in titles]


def test_workbook_with_labels_inside_its_cells(shared_data: Path) -> None:
    path = shared_data / "02_government_documents/original_xlsx/Chongqing Municipal Government.xlsx"
    reading = read(path)
    sheet = openpyxl.load_workbook(path).worksheets[0]
    numbers = [str(row[2] or "").removeprefix("发文字号：").strip() for row in sheet.iter_rows(2, values_only=True)]
    assert (len(reading.records), len(reading.rejected)) == (1502, 18)
    assert len(reading.rows) == len(numbers) == 1520
    assert sum(map(bool, numbers)) == 1502
    first = reading.records[0].record
    assert (first.doc_no, first.date_raw, first.date_edtf) == ("渝府发〔2023〕15号", "2023-06-14", "2023-06-14")
    assert ("doc_number", "发文字号：渝府发〔2023〕15号") in reading.records[0].raw
    assert not any("发文字号" in row.record.doc_no for row in reading.records)
    assert not any("成文日期" in row.record.date_raw for row in reading.records)
    assert all(row.record.date_earliest for row in reading.records if row.record.date_raw)


def test_workbook_of_numbers_and_dates_only(shared_data: Path) -> None:
    path = shared_data / "02_government_documents/original_xlsx/Guangdong Provincial Government_sql.xlsx"
    reading = read(path)
    assert (len(reading.records), len(reading.rejected)) == (4426, 4)
    assert all(row.record.title_is_supplied for row in reading.records)
    assert reading.records[0].record.date_edtf == "2023-09-15"


def test_workbook_with_whole_documents_in_its_cells(shared_data: Path) -> None:
    reading = read(shared_data / "02_government_documents/original_xlsx/data.xlsx")
    assert (len(reading.records), len(reading.rejected)) == (50, 0)
    bodies = [dict(row.raw).get("Body", "") for row in reading.records]
    assert max(map(len, bodies)) > 1_000
    assert reading.records[0].record.filing_year == 2016


@pytest.mark.parametrize(
    ("sheet", "header_line", "rows", "named"),
    [("2018", 3, 499, 464), ("2017", 3, 564, 514), ("2016", 3, 829, 750), ("2015", 5, 903, 599), ("2014", 4, 807, 707)],
)
def test_messy_workbook_of_five_years(shared_data: Path, sheet: str, header_line: int, rows: int, named: int) -> None:
    """Title lines, header in row 3, 4 or 5, hundreds of merged cells; abolished places have no present name."""
    reading = read(shared_data / "13_messy_spreadsheets/sub-county-diff_2014-2018.xlsx")
    places = {one.name: place for place, one in enumerate(reading.file.sheets)}
    found = reading.file.sheets[places[sheet]]
    first = sum(one.counts.read for one in reading.file.sheets[: places[sheet]])
    outcomes = reading.rows[first : first + found.counts.read]
    taken = [row for row in outcomes if row in reading.records]
    assert (found.header.first_line, found.counts.read, len(taken)) == (header_line, rows, named)
    assert all(row.record.doc_no for row in taken[:5])


def test_merged_document_numbers_count_for_every_row(shared_data: Path) -> None:
    """In 2018, H365:H371 are merged: one decision about seven places."""
    path = shared_data / "13_messy_spreadsheets/sub-county-diff_2014-2018.xlsx"
    reading = read(path)
    sheet = openpyxl.load_workbook(path)["2018"]
    expected = str(sheet["H365"].value).strip()
    by_line = {row.line: row for row in reading.records[:464]}
    numbers = {by_line[line].record.doc_no_as_given for line in range(365, 372) if line in by_line}
    assert numbers == {expected}


def test_list_of_villages_in_gb18030(shared_data: Path) -> None:
    reading = read(shared_data / "13_messy_spreadsheets/anji_villages_2023_GB18030_CRLF.csv")
    same = read(shared_data / "01_admin_divisions/anji_330523_villages_2023.csv")
    assert reading.file.encoding is not None
    assert (reading.file.encoding.label, reading.file.encoding.is_uncertain) == ("GB18030", False)
    assert (len(reading.records), len(reading.rejected)) == (218, 0)
    assert reading.records == same.records


def test_samples_of_another_spreadsheet_library_are_read_or_refused(easyexcel: Path) -> None:
    samples = sorted(path for path in easyexcel.rglob("*") if path.suffix in (".xls", ".xlsx", ".csv"))
    assert len(samples) == 31
    assert {refusal(path) for path in samples} <= {None, "header_not_found"}


def test_samples_of_another_spreadsheet_library_open(easyexcel: Path) -> None:
    """None of them is a catalogue, but all of them are tables: old and new, from several programs, merged or not."""
    rows = {path.name: sum(1 for table in open_tables(path) for _ in table.rows) for path in easyexcel.rglob("*.xls*")}
    assert rows["dataformat.xls"] == rows["dataformat.xlsx"] == 28
    assert rows["multiplesheets.xls"] == rows["multiplesheets.xlsx"] == 12
    assert rows["t04.xlsx"] == 57
    assert min(rows.values()) >= 1


def test_cells_of_csv_samples_are_as_expected(csv_spectrum: Path) -> None:
    samples = sorted((csv_spectrum / "csvs").glob("*.csv"))
    assert len(samples) == 12
    for path in samples:
        header, *rows = [cells for _, cells in open_tables(path)[0].rows]
        found = [dict(zip(header, cells, strict=True)) for cells in rows]
        told = json.loads((csv_spectrum / "json" / f"{path.stem}.json").read_text(encoding="utf-8"))
        expected = told if isinstance(told, list) else [told]
        if path.stem == "location_coordinates":
            # The sample and its expectation name different numbers; everything else in them agrees.
            for row in (*found, *expected):
                row.pop("Contact Phone Number")
        assert found == expected, path.name


@pytest.mark.parametrize(
    ("name", "rows"),
    [
        ("atom_example.csv", 2),
        ("atom_example_information_objects_isad.csv", 2),
        ("atom_example_information_objects_rad.csv", 2),
        ("atom_example_accessions.csv", 2),
        ("aspace_bulk_import_VFIRST01_test01.xlsx", 2),
        ("aspace_checkingbugAug012023.xlsx", 9),
        ("aspace_Box36UploadDIDNT_WORK_test.xlsx", 28),
        ("atom_example_repositories.csv", None),
        ("atom_example_events.csv", None),
        ("aspace_test_digital_object_utf8_bom.csv", None),
        ("aspace_testTopLinkerUpload.xlsx", None),
    ],
)
def test_exports_of_other_archive_systems(shared_data: Path, name: str, rows: int | None) -> None:
    path = shared_data / "08_import_samples" / name
    if rows is None:
        with pytest.raises(UnreadableFile):
            read(path)
    else:
        assert len(read(path).rows) == rows


def test_every_other_import_sample_is_read_or_refused(shared_data: Path) -> None:
    samples = sorted((shared_data / "08_import_samples").iterdir())
    assert {refusal(path) for path in samples} <= {None, "header_not_found"}


def test_paper_finding_aid_is_refused_until_its_columns_are_mapped(shared_data: Path) -> None:
    path = shared_data / (
        "06_archival_catalogues/uma_ocr_64463_australian_foremen_stevedores_association_formatted.xlsx"
    )
    with pytest.raises(UnreadableFile):
        read(path)
    mapping = parse_mapping(
        {"title": "text_value", "ref_code": "finding_aid_reference_raw_value", "date": "start_date_original_value"}
    )
    reading = read(path, mapping=mapping)
    assert len(reading.rows) == 929
    assert reading.records[1].record.title == "Minute Books 1945-1965."


def test_national_archives_list_is_taken_whole(shared_data: Path) -> None:
    reading = read(shared_data / "06_archival_catalogues/naa_closed-20190101.csv")
    assert (len(reading.records), len(reading.rejected)) == (11953, 0)
    supplied = [row.record for row in reading.records if row.record.title_is_supplied]
    assert supplied[0].title == "Home Office suspect index"
    first = reading.records[0].record
    assert (first.ref_code, first.doc_no, first.date_edtf) == ("55545", "G1924/3039", "1918/1925")
    assert first.level is Level.ITEM


def naughty_strings(shared_data: Path) -> list[str]:
    strings = json.loads((shared_data / "12_test_vectors/big_list_of_naughty_strings.json").read_text(encoding="utf-8"))
    return [text for text in strings if text.strip()]


def test_naughty_strings_as_titles_survive_as_they_are(shared_data: Path, tmp_path: Path) -> None:
    """Only what a title cannot hold is gone, and reported: invisible control characters and line breaks."""
    strings = naughty_strings(shared_data)
    table = [("档号", "题名"), *((f"001-2-{number}", text) for number, text in enumerate(strings))]
    for path in (write_text(tmp_path / "a.csv", table), write_text(tmp_path / "a.txt", table, delimiter="\t")):
        reading = read(path)
        assert len(reading.rows) == len(strings)
        given = dict(enumerate(strings))
        for row in reading.records:
            text = given[int(row.record.ref_code.rpartition("-")[2])].strip()
            if text.isprintable() and not row.record.title_is_supplied and text not in {"″", '"', "''"}:
                assert row.record.title == text
        assert len(reading.rejected) <= 1
        assert {code for row in reading.rejected for code in codes(row)} <= {"title_missing", "value_too_long"}


def test_naughty_strings_in_a_workbook(shared_data: Path, tmp_path: Path) -> None:
    allowed = [text for text in naughty_strings(shared_data) if text.isprintable() and not text.startswith("=")]
    table = [("档号", "题名"), *((f"001-2-{number}", text) for number, text in enumerate(allowed))]
    reading = read(write_xlsx(tmp_path / "a.xlsx", table))
    assert len(reading.rows) == len(allowed)
    assert not reading.rejected


def test_every_shared_table_is_read_or_refused(shared_data: Path) -> None:
    suffixes = (".csv", ".xlsx", ".xls", ".txt")
    tables = [path for path in shared_data.rglob("*") if path.suffix in suffixes and path.stat().st_size < 1_000_000]
    assert {refusal(path) for path in tables} <= {None, "header_not_found"}
