"""Opening files: what a cell's text is, and every kind of file that is refused as a whole."""

import datetime
import struct
import tracemalloc
import zipfile
from pathlib import Path

import pytest
import xlwt

from node.catalogues import compound_files, extents, formats
from node.catalogues.refusals import UnreadableFile
from node.catalogues.workbooks import MergedRange, open_tables
from protocol.errors import BadFile
from tests.workbooks import write_text, write_xls, write_xlsx

HEADER = ("档号", "题名", "日期")
ROW = ("001-2-15", "林地承包合同", "1986年")

MORNING = datetime.datetime.fromisoformat("2014-03-05 09:30")

NAMESPACE = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
RELATIONS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
PACKAGE_RELATIONS = "http://schemas.openxmlformats.org/package/2006/relationships"
TYPES = "http://schemas.openxmlformats.org/package/2006/content-types"


def package(path: Path, sheet: str) -> Path:
    """Write the smallest .xlsx around the XML of one sheet."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as target:
        target.writestr(
            "[Content_Types].xml",
            f'<Types xmlns="{TYPES}"><Default Extension="xml" ContentType="application/xml"/></Types>',
        )
        target.writestr(
            "_rels/.rels",
            f'<Relationships xmlns="{PACKAGE_RELATIONS}"><Relationship Id="r1" Type="{RELATIONS}/officeDocument" '
            'Target="xl/workbook.xml"/></Relationships>',
        )
        target.writestr(
            "xl/workbook.xml",
            f'<workbook xmlns="{NAMESPACE}" xmlns:r="{RELATIONS}"><sheets>'
            '<sheet name="S" sheetId="1" r:id="r1"/></sheets></workbook>',
        )
        target.writestr(
            "xl/_rels/workbook.xml.rels",
            f'<Relationships xmlns="{PACKAGE_RELATIONS}"><Relationship Id="r1" Type="{RELATIONS}/worksheet" '
            'Target="worksheets/sheet1.xml"/></Relationships>',
        )
        target.writestr("xl/worksheets/sheet1.xml", sheet)
    return path


def sheet_xml(*cells: str) -> str:
    return f'<worksheet xmlns="{NAMESPACE}"><sheetData>{"".join(cells)}</sheetData></worksheet>'


def cell_xml(reference: str, text: str = "甲") -> str:
    row = reference.lstrip("ABCDEFGHIJKLMNOPQRSTUVWXYZ")
    return f'<row r="{row}"><c r="{reference}" t="inlineStr"><is><t>{text}</t></is></c></row>'


def refusal(path: Path) -> UnreadableFile:
    with pytest.raises(UnreadableFile) as raised:
        open_tables(path)
    assert isinstance(raised.value, BadFile)
    assert raised.value.reason.zh
    assert raised.value.reason.en
    assert raised.value.hint.zh
    assert raised.value.hint.en
    return raised.value


def cells_of(path: Path) -> list[list[str]]:
    return [cells for _, cells in open_tables(path)[0].rows]


def test_cells_read_as_a_person_sees_them(tmp_path: Path) -> None:
    row = (
        *(2001, 2001.0, 20140305, 1.5, True, False, "001", None),
        *(datetime.date(2014, 3, 5), MORNING, MORNING.time(), 330523199001011234),
    )
    path = write_xlsx(tmp_path / "a.xlsx", [row])
    assert cells_of(path) == [
        [
            *("2001", "2001", "20140305", "1.5", "TRUE", "FALSE", "001", ""),
            *("2014-03-05", "2014-03-05 09:30:00", "09:30:00", "330523199001011000"),
        ]
    ]


def test_formula_without_a_stored_value_is_empty(tmp_path: Path) -> None:
    assert cells_of(write_xlsx(tmp_path / "a.xlsx", [("=1+1", "题名")])) == [["", "题名"]]


def test_every_sheet_is_a_table_with_its_merged_cells(tmp_path: Path) -> None:
    path = write_xlsx(tmp_path / "a.xlsx", {"甲": [HEADER, ROW, ROW], "乙": [HEADER], "丙": []}, merged=["C2:C3"])
    first, second, third = open_tables(path)
    assert (first.name, first.height, second.height, third.height) == ("甲", 3, 1, 0)
    assert first.merged == (MergedRange(first_line=2, last_line=3, first_column=2, last_column=2),)


def test_rows_count_from_the_top_of_the_sheet(tmp_path: Path) -> None:
    path = write_xlsx(tmp_path / "a.xlsx", [(), (), (None, "档号")])
    assert [(line, cells) for line, cells in open_tables(path)[0].rows if any(cells)] == [(3, ["", "档号"])]


def test_hidden_sheet_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "a.xls"
    book = xlwt.Workbook(encoding="utf-8")
    book.add_sheet("甲").write(0, 0, "档号")
    book.add_sheet("乙").write(0, 0, "档号")
    book.get_sheet(1).visibility = 1
    book.save(str(path))
    first, second = open_tables(path)
    assert (first.is_hidden, second.is_hidden, list(second.rows)) == (False, True, [])


def test_old_workbook_is_read_whatever_its_name_says(tmp_path: Path) -> None:
    path = write_xls(tmp_path / "a.xls", [HEADER, ROW]).rename(tmp_path / "b.xlsx")
    assert cells_of(path) == [list(HEADER), list(ROW)]


@pytest.mark.parametrize(("name", "delimiter"), [("a.csv", ","), ("a.txt", "\t"), ("a.csv", ";"), ("a.txt", "|")])
def test_separator_is_found_by_content(tmp_path: Path, name: str, delimiter: str) -> None:
    rows = [HEADER, ("001-2-15", "甲，乙,丙;丁的合同", "1986"), ("001-2-16", '他说"好"\n第二行', "1987")]
    path = write_text(tmp_path / name, rows, delimiter=delimiter)
    assert cells_of(path) == [list(row) for row in rows]


def test_row_of_several_lines_has_the_line_it_starts_on(tmp_path: Path) -> None:
    path = write_text(tmp_path / "a.csv", [HEADER, ("1", "两\n行", ""), ROW])
    assert [line for line, _ in open_tables(path)[0].rows] == [1, 2, 4]


@pytest.mark.parametrize("encoding", ["utf-8-sig", "gb18030", "utf-16"])
def test_byte_order_mark_is_not_part_of_the_first_cell(tmp_path: Path, encoding: str) -> None:
    path = write_text(tmp_path / "a.csv", [HEADER, ROW], encoding=encoding)
    assert cells_of(path)[0] == list(HEADER)


def test_unclosed_quotation_mark_names_its_line(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("档号,题名\n" + "1,甲\n" * 5 + '2,"乙\n' + "3,丙\n" * 2_000, encoding="utf-8")
    with pytest.raises(UnreadableFile, match="line 7 "):
        list(open_tables(path)[0].rows)


def test_empty_file(tmp_path: Path) -> None:
    (tmp_path / "a.xlsx").touch()
    assert refusal(tmp_path / "a.xlsx").finding == "file_empty"


@pytest.mark.parametrize("name", ["a.xlsx", "a.xls", "a.csv"])
def test_zeros_left_by_a_power_cut(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(bytes(8_192))
    assert refusal(tmp_path / name).finding == "file_incomplete"


@pytest.mark.parametrize("name", ["a.xlsx", "a.xls"])
def test_noise(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(bytes(range(7, 255)) * 20)
    assert refusal(tmp_path / name).finding in {"file_unreadable", "file_format_unsupported"}


@pytest.mark.parametrize("share", [0.01, 0.3, 0.9, 0.999])
def test_half_written_workbook(tmp_path: Path, share: float) -> None:
    path = write_xlsx(tmp_path / "a.xlsx", [HEADER, *[ROW] * 500])
    whole = path.read_bytes()
    path.write_bytes(whole[: int(len(whole) * share)])
    assert refusal(path).finding == "file_incomplete"


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
def test_half_written_old_workbook(tmp_path: Path, share: float) -> None:
    path = write_xls(tmp_path / "a.xls", [HEADER, *[ROW] * 500])
    whole = path.read_bytes()
    path.write_bytes(whole[: int(len(whole) * share)])
    assert refusal(path).finding in {"file_incomplete", "file_unreadable"}


def test_protected_workbook(tmp_path: Path) -> None:
    """A protected .xlsx is an OLE file with a stream of that name."""
    path = write_xls(tmp_path / "a.xls", [HEADER, *[ROW] * 500])
    name = "EncryptedPackage".encode("utf-16-le")
    raw = path.read_bytes().replace("Workbook\0".encode("utf-16-le"), name, 1)
    (tmp_path / "b.xlsx").write_bytes(raw)
    assert refusal(tmp_path / "b.xlsx").finding == "file_encrypted"


def test_protected_old_workbook(tmp_path: Path) -> None:
    path = write_xls(tmp_path / "a.xls", [HEADER, *[ROW] * 500])
    raw = bytearray(path.read_bytes())
    first_record_after_begin = 512 + 4 + struct.unpack_from("<H", raw, 512 + 2)[0]
    struct.pack_into("<H", raw, first_record_after_begin, 0x2F)
    path.write_bytes(raw)
    assert refusal(path).finding == "file_encrypted"


def test_protected_zip(tmp_path: Path) -> None:
    path = write_xlsx(tmp_path / "a.xlsx", [HEADER])
    raw = bytearray(path.read_bytes())
    entry = raw.index(b"PK\x01\x02")
    raw[entry + 8] |= 1
    path.write_bytes(raw)
    assert refusal(path).finding == "file_encrypted"


@pytest.mark.parametrize(
    ("content", "seen"),
    [
        (b"<html><body><table><tr><td>1</td></tr></table>", "HTML"),
        (b"\xef\xbb\xbf\n<!DOCTYPE html><html>", "HTML"),
        (b'<?xml version="1.0"?><Workbook xmlns="urn:schemas-microsoft-com:office:spreadsheet"/>', "XML"),
        ("档号,题名\n001,甲\n".encode("gb18030"), "plain text"),
        (b"%PDF-1.7 ", "PDF"),
        (b"MIME-Version: 1.0\nContent-Type: multipart/related", "MHT"),
    ],
)
@pytest.mark.parametrize("name", ["a.xls", "a.xlsx"])
def test_other_files_called_workbooks(tmp_path: Path, name: str, content: bytes, seen: str) -> None:
    (tmp_path / name).write_bytes(content)
    refused = refusal(tmp_path / name)
    assert (refused.finding, seen in refused.reason.en) == ("file_format_unsupported", True)
    assert "*.xlsx" in refused.hint.zh


def test_workbook_called_text(tmp_path: Path) -> None:
    path = write_xlsx(tmp_path / "a.xlsx", [HEADER]).rename(tmp_path / "a.csv")
    assert refusal(path).finding == "file_format_unsupported"


def test_zip_without_a_workbook(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.xlsx", "w") as target:
        target.writestr("word/document.xml", "<document/>")
    assert refusal(tmp_path / "a.xlsx").finding == "file_format_unsupported"


def test_text_document_called_old_workbook(tmp_path: Path) -> None:
    path = write_xls(tmp_path / "a.xls", [HEADER, *[ROW] * 500])
    path.write_bytes(path.read_bytes().replace("Workbook".encode("utf-16-le"), "WordDocu".encode("utf-16-le"), 1))
    assert refusal(path).finding == "file_format_unsupported"


def test_zip_bomb_is_refused_by_its_directory(tmp_path: Path) -> None:
    path = tmp_path / "a.xlsx"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as target:
        target.writestr("xl/workbook.xml", "<workbook/>")
        with target.open("xl/worksheets/sheet1.xml", "w", force_zip64=True) as part:
            for _ in range(extents.PACKAGE_PLAIN_BYTES_MAX // 2**20 + 1):
                part.write(bytes(2**20))
    assert path.stat().st_size < 4 * 2**20
    assert refusal(path).finding == "file_too_large"


def test_a_directory_of_countless_parts_is_refused_before_it_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Half a kilobyte of memory a line: a directory of 250 MB would take more than the PC has."""
    path = tmp_path / "a.xlsx"
    with zipfile.ZipFile(path, "w") as target:
        target.writestr("xl/workbook.xml", "<workbook/>")
        for number in range(40):
            target.writestr(f"xl/media/{number:0200}.png", b"")
    monkeypatch.setattr(extents, "PACKAGE_PARTS_MAX", 10)
    monkeypatch.setattr(extents, "_check_directory", lambda _: pytest.fail("the directory was read"))
    assert refusal(path).finding == "file_too_large"


def test_directory_that_lies_about_sizes_is_found_out(tmp_path: Path) -> None:
    path = package(tmp_path / "a.xlsx", sheet_xml(*[cell_xml(f"A{row}") for row in range(1, 2_000)]))
    raw = bytearray(path.read_bytes())
    entry = raw.rindex(b"PK\x01\x02")
    struct.pack_into("<I", raw, entry + 24, 100)
    path.write_bytes(raw)
    assert refusal(path).finding == "file_incomplete"


def test_stray_cell_in_the_last_corner_is_refused_not_laid_out(tmp_path: Path) -> None:
    """Laid out, two cells would be 17 thousand million: the process would end, not just the reading."""
    path = package(tmp_path / "a.xlsx", sheet_xml(cell_xml("A1"), cell_xml("XFD1048576")))
    refused = refusal(path)
    assert (refused.finding, "17,179,869,184" in refused.reason.en) == ("too_many_rows", True)


@pytest.mark.parametrize(
    "cell",
    [
        "<row r='1048576'><c r = 'XFD1048576'><v>1</v></c></row>",
        '<row r="1048576"><c\nt="n" r="XFD1048576"><v>1</v></c></row>',
        '<row r="1048576"><c s="1" r="xfd1048576"><v>1</v></c></row>',
    ],
)
def test_stray_cell_is_found_however_it_is_written(tmp_path: Path, cell: str) -> None:
    path = package(tmp_path / "a.xlsx", sheet_xml(cell_xml("A1"), cell))
    assert refusal(path).finding == "too_many_rows"


def test_cells_without_places_are_counted(tmp_path: Path) -> None:
    wide = f"<row>{'<c><v>1</v></c>' * 3_000}</row>"
    path = package(tmp_path / "a.xlsx", sheet_xml(wide, "<row><c><v>1</v></c></row>" * 2_000))
    refused = refusal(path)
    assert (refused.finding, "6,003,000" in refused.reason.en) == ("too_many_rows", True)


def test_formatted_empty_cells_cost_nothing(tmp_path: Path) -> None:
    path = package(tmp_path / "a.xlsx", sheet_xml(cell_xml("A1"), '<row r="1048576"><c r="XFD1048576" s="1"/></row>'))
    assert cells_of(path) == [["甲"]]


def test_wide_sheet_of_a_few_rows_is_read(tmp_path: Path) -> None:
    path = write_xlsx(tmp_path / "a.xlsx", [[f"列{column}" for column in range(200)]] * 5)
    assert len(cells_of(path)[4]) == 200


def long_sheet(path: Path, rows: int) -> Path:
    """Write a sheet with texts in A and D of every row."""
    with (
        zipfile.ZipFile(package(path, "<x/>"), "a", zipfile.ZIP_DEFLATED, compresslevel=1) as target,
        target.open("xl/worksheets/sheet2.xml", "w") as part,
    ):
        part.write(f'<worksheet xmlns="{NAMESPACE}"><sheetData>'.encode())
        for n in range(1, rows + 1):
            part.write(b'<row r="%d"><c r="A%d"><v>1</v></c><c r="D%d"><v>2</v></c></row>' % (n, n, n))
        part.write(b"</sheetData></worksheet>")
    return path


def test_sheet_of_a_million_rows_is_refused_with_the_limit_and_the_remedy(tmp_path: Path) -> None:
    refused = refusal(long_sheet(tmp_path / "a.xlsx", 1_048_576))
    assert refused.finding == "too_many_rows"
    assert f"{extents.WORKBOOK_CELLS_MAX:,}" in refused.reason.en
    assert "CSV" in refused.hint.zh


def test_large_sheet_is_measured_in_little_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = long_sheet(tmp_path / "a.xlsx", 60_000)
    monkeypatch.setattr(extents, "WORKBOOK_CELLS_MAX", 200_000)
    tracemalloc.start()
    finding = refusal(path).finding
    _, peak_bytes = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert finding == "too_many_rows"
    assert peak_bytes < 20 * 2**20


def test_a_cell_without_end_is_refused_in_little_memory(tmp_path: Path) -> None:
    """What has to be measured is kept from one tag to the next: half a gigabyte of blanks packs to half a megabyte."""
    with (
        zipfile.ZipFile(package(tmp_path / "a.xlsx", "<x/>"), "a", zipfile.ZIP_DEFLATED, compresslevel=1) as target,
        target.open("xl/worksheets/sheet2.xml", "w") as part,
    ):
        part.write(f'<worksheet xmlns="{NAMESPACE}"><sheetData><row r="1"><c r="A1"><v>'.encode())
        for _ in range(64):
            part.write(b" " * 2**20)
        part.write(b"</v></c></row></sheetData></worksheet>")
    tracemalloc.start()
    refused = refusal(tmp_path / "a.xlsx")
    _, peak_bytes = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert (refused.finding, "8 MB" in refused.reason.en) == ("file_too_large", True)
    assert peak_bytes < 30 * 2**20


def test_a_part_that_is_no_sheet_may_be_one_long_text(tmp_path: Path) -> None:
    """Workbooks carry queries and settings of other programs in texts of many megabytes."""
    path = write_xlsx(tmp_path / "a.xlsx", [HEADER, ROW])
    with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED, compresslevel=1) as target:
        target.writestr("customXml/item1.xml", "<DataMashup>" + "A" * (12 * 2**20) + "</DataMashup>")

    assert cells_of(path) == [list(HEADER), list(ROW)]


def test_long_text_is_read_in_little_memory(tmp_path: Path) -> None:
    """A list too long for a workbook is read as CSV: a million rows take no more memory than these."""
    path = tmp_path / "a.csv"
    with path.open("w", encoding="utf-8") as target:
        target.write("档号,题名\n")
        target.writelines(f"001-2-{n},第{n}号合同\n" for n in range(150_000))
    tracemalloc.start()
    (table,) = open_tables(path)
    count = sum(1 for _ in table.rows)
    _, peak_bytes = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert count == 150_001
    assert peak_bytes < 8 * 2**20 + path.stat().st_size // 8


def test_stray_cell_of_an_old_workbook_is_refused(tmp_path: Path) -> None:
    book = xlwt.Workbook()
    for name in ("a", "b"):
        sheet = book.add_sheet(name)
        sheet.write(0, 0, "x")
        sheet.write(65_535, 255, "x")
    book.save(str(tmp_path / "a.xls"))
    assert refusal(tmp_path / "a.xls").finding == "too_many_rows"


@pytest.mark.parametrize(
    ("kind", "offset", "value"),
    [
        pytest.param(0x200, 4, 0xFF500002, id="dimensions"),
        pytest.param(0x200, 0, 0x7FFFFFFF, id="dimensions reversed"),
        pytest.param(0xFC, 4, 0x7FFFFFFF, id="strings"),
        pytest.param(0x85, 0, 0x00000014, id="place of a sheet"),
    ],
)
def test_announced_sizes_that_would_exhaust_memory_are_refused(
    tmp_path: Path, kind: int, offset: int, value: int
) -> None:
    """The reader reserves memory for what a record announces, and an allocation that fails ends the process."""
    path = write_xls(tmp_path / "a.xls", [HEADER, *[ROW] * 500])
    raw = bytearray(path.read_bytes())
    place = 512
    while struct.unpack_from("<H", raw, place)[0] != kind:
        place += 4 + struct.unpack_from("<H", raw, place + 2)[0]
    struct.pack_into("<I", raw, place + 4 + offset, value)
    path.write_bytes(raw)
    assert refusal(path).finding == "file_unreadable"


@pytest.mark.parametrize("offset", [40, 44, 64, 72])
def test_announced_sectors_that_are_not_there_are_refused(tmp_path: Path, offset: int) -> None:
    path = write_xls(tmp_path / "a.xls", [HEADER, *[ROW] * 500])
    raw = bytearray(path.read_bytes())
    struct.pack_into("<I", raw, offset, 0x7FFFFFFF)
    path.write_bytes(raw)
    assert refusal(path).finding == "file_unreadable"


def test_circle_of_sectors_is_refused(tmp_path: Path) -> None:
    path = write_xls(tmp_path / "a.xls", [HEADER, *[ROW] * 500])
    raw = bytearray(path.read_bytes())
    table = 512 * (1 + struct.unpack_from("<I", raw, 76)[0])
    struct.pack_into("<I", raw, table + 4, 0)
    path.write_bytes(raw)
    assert refusal(path).finding == "file_unreadable"


def test_sizes_are_refused_by_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write_xlsx(tmp_path / "a.xlsx", [HEADER])
    monkeypatch.setattr(formats, "FILE_BYTES_MAX", 100)
    assert refusal(path).finding == "file_too_large"


def test_ordinary_old_workbook_passes_the_checks(tmp_path: Path) -> None:
    path = write_xls(tmp_path / "a.xls", [HEADER, *[("001-2-1", "合同", 1.5)] * 3_000])
    compound_files.check_compound_file(path)
    assert len(cells_of(path)) == 3_001
