"""Tables that the county keeps: text files and workbooks of every make, and those that are refused."""

import datetime
import zipfile
from pathlib import Path

import openpyxl
import pytest

from hub.vocabulary.county_sheets import (
    CELL_CHARS_MAX,
    SHEET_BYTES_MAX,
    SHEET_COLUMNS_MAX,
    SHEET_ROWS_MAX,
    read_sheet,
    sheet_of,
    written,
)
from protocol.errors import BadFile

ROWS = [("地名", "起"), ("竹坞乡", "2014"), ("青石镇", "")]
TEXT = "地名,起\r\n竹坞乡,2014\r\n青石镇,\r\n"


def workbook(path: Path, rows: list[tuple[object, ...]], *, hidden: bool = False) -> Path:
    book = openpyxl.Workbook()
    first = book.active
    assert first is not None
    if hidden:
        first.sheet_state = "hidden"
        first = book.create_sheet("表")
    for row in rows:
        first.append(row)
    book.save(path)
    return path


def read(path: Path) -> list[tuple[str, ...]]:
    return [row.cells for row in read_sheet(path).rows]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
def test_text_is_read_in_every_encoding_that_people_save(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "places.csv"
    path.write_bytes(TEXT.encode(encoding))

    assert read(path) == ROWS


def test_tabs_separate_as_well(tmp_path: Path) -> None:
    path = tmp_path / "places.txt"
    path.write_text(TEXT.replace(",", "\t"), encoding="utf-8", newline="")

    assert read(path) == ROWS


def test_workbook_is_read_as_people_see_it(tmp_path: Path) -> None:
    """Years are numbers in a workbook, and dates are dates."""
    rows: list[tuple[object, ...]] = [
        ("地名", "起", "止"),
        ("竹坞乡", 1984, datetime.date(2014, 1, 15)),
        (None, None),
        ("青石镇",),
    ]
    found = read_sheet(workbook(tmp_path / "places.xlsx", rows)).rows

    assert [(row.line, row.cells) for row in found] == [
        (1, ("地名", "起", "止")),
        (2, ("竹坞乡", "1984", "2014-01-15")),
        (4, ("青石镇", "", "")),
    ]


def test_hidden_sheet_is_passed_over(tmp_path: Path) -> None:
    assert read(workbook(tmp_path / "places.xlsx", [("地名",)], hidden=True)) == [("地名",)]


def test_name_of_a_file_does_not_decide_what_it_is(tmp_path: Path) -> None:
    assert read(workbook(tmp_path / "places.xlsx", [("地名",)]).rename(tmp_path / "places.csv")) == [("地名",)]


def test_rows_keep_their_lines_when_written_and_read_again() -> None:
    """A fault that is found later is in the line that people see."""
    first = sheet_of("a.csv", '地名,说明\n\n"竹坞乡","两行\n说明"\n\n青石镇,"逗,号"\n'.encode())
    again = sheet_of("a.csv", written(first))

    assert [row.line for row in again.rows] == [1, 3, 6]
    assert [row.cells for row in again.rows] == [("地名", "说明"), ("竹坞乡", "两行 说明"), ("青石镇", "逗,号")]
    assert written(again) == written(first)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"\xff\xff\xff\xff", "第 1 行附近不是 UTF-8 或 GB18030 文字"),
        ("地名\n竹坞乡".encode("utf-16-le"), "不是文本表格"),
        ('地名\n"竹坞乡\n青石镇\n'.encode(), "第 2 行起引号没有配对"),
        (bytes.fromhex("d0cf11e0a1b11ae1"), "旧版 .xls 或加密的工作簿"),
        (b"PK\x03\x04 cut off", "工作簿不完整"),
        (b"a," * SHEET_COLUMNS_MAX + b"a", f"超过 {SHEET_ROWS_MAX} 行或 {SHEET_COLUMNS_MAX} 列"),
        (b"a" * (CELL_CHARS_MAX + 1), f"第 1 行有单元格超过 {CELL_CHARS_MAX} 字"),
        (b"a\n" * (SHEET_ROWS_MAX + 1), f"超过 {SHEET_ROWS_MAX} 行或 {SHEET_COLUMNS_MAX} 列"),
        (b"\n" * (SHEET_BYTES_MAX + 1), "文件过大"),
    ],
    ids=str,
)
def test_what_is_no_table_is_refused_with_its_reason(tmp_path: Path, content: bytes, reason: str) -> None:
    path = tmp_path / "places.csv"
    path.write_bytes(content)
    with pytest.raises(BadFile) as refused:
        read_sheet(path)

    assert refused.value.reason.zh == f"places.csv：{reason}"


def test_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadFile):
        read_sheet(tmp_path / "none.csv")


def test_stray_cell_far_away_is_refused_before_the_sheet_is_laid_out(tmp_path: Path) -> None:
    """The reader would ask for 400 GB."""
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet["A1"], sheet["XFD1048576"] = "地名", "x"
    book.save(tmp_path / "places.xlsx")
    with pytest.raises(BadFile) as refused:
        read_sheet(tmp_path / "places.xlsx")

    assert "超过" in refused.value.reason.zh


def test_workbook_that_unpacks_to_too_much_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "places.xlsx"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as package:
        package.writestr("xl/worksheets/sheet1.xml", b" " * (5 * SHEET_BYTES_MAX))
    with pytest.raises(BadFile) as refused:
        read_sheet(path)

    assert refused.value.reason.zh == "places.xlsx：解压后过大"


def test_workbook_with_a_spoilt_part_is_refused(tmp_path: Path) -> None:
    """A bad sector in the middle of a part: the packer's own error is none of the archive's."""
    path = workbook(tmp_path / "places.xlsx", [*ROWS] * 50)
    with zipfile.ZipFile(path) as package:
        part = package.getinfo("xl/worksheets/sheet1.xml")
    raw = bytearray(path.read_bytes())
    begins = part.header_offset + 30 + len(part.filename)
    raw[begins : begins + 20] = b"\xff" * 20
    path.write_bytes(raw)
    with pytest.raises(BadFile):
        read_sheet(path)
