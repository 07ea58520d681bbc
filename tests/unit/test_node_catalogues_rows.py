"""The rows of a sheet: ditto marks, merged cells, lines that are no records, and the digest of each row."""

from pathlib import Path

import pytest

from node.catalogues.catalogue_files import open_catalogue
from node.catalogues.rows import EMPTY_RUN_MAX, RawRow, RowCounts, SheetReading
from tests.workbooks import Table, read, write_text, write_xls, write_xlsx

HEADER = ("序号", "档号", "题名", "责任者", "日期", "页数")


def sheet_of(path: Path, fingerprint: bytes = b"") -> SheetReading:
    (sheet,) = open_catalogue(path, {}, fingerprint).sheets
    return sheet


def rows_of(path: Path) -> tuple[list[RawRow], RowCounts]:
    sheet = sheet_of(path)
    return list(sheet), sheet.counts


def item(number: int, title: str = "合同", maker: str = "某村", date: str = "1986") -> tuple[str, ...]:
    return (str(number), f"001-2-{number}", title, maker, date, "4")


@pytest.mark.parametrize("mark", ["同上", "〃", "″", '"', "”", "仝上", " 同上 "])
def test_ditto_repeats_the_cell_above(tmp_path: Path, mark: str) -> None:
    rows, _ = rows_of(write_text(tmp_path / "a.csv", [HEADER, item(1), item(2, title=mark), item(3, title=mark)]))
    assert [row.cells[2] for row in rows] == ["合同"] * 3


def test_ditto_looks_past_lines_that_are_no_records(tmp_path: Path) -> None:
    table = [HEADER, item(1), ("", "", "小计", "", "", "4"), HEADER, (), item(2, maker="〃")]
    rows, _ = rows_of(write_text(tmp_path / "a.csv", table))
    assert [row.cells[3] for row in rows] == ["某村", "某村"]


def test_ditto_inside_a_text_is_only_text(tmp_path: Path) -> None:
    rows, _ = rows_of(write_text(tmp_path / "a.csv", [HEADER, item(1), item(2, title="“十四五”规划同上次会议")]))
    assert rows[1].cells[2] == "“十四五”规划同上次会议"


def test_ditto_with_nothing_above_rejects_where_the_value_is_needed(tmp_path: Path) -> None:
    path = write_text(tmp_path / "a.csv", [HEADER, item(1, title="同上"), item(2, maker="同上")])
    reading = read(path)
    (rejected,), (taken,) = reading.rejected, reading.records
    assert [finding.code for finding in rejected.findings if finding.severity == "reject"] == [
        "ditto_without_previous",
        "title_missing",
    ]
    assert taken.record.responsible_parties == ("某村",)


def test_merged_cells_count_for_every_row_they_cover(tmp_path: Path) -> None:
    table: Table = [HEADER, item(1), ("2", "001-2-2", None, None, "1987", "2"), ("3", "001-2-3", None, None, "", "")]
    rows, _ = rows_of(write_xlsx(tmp_path / "a.xlsx", table, merged=["C2:C4", "D2:D3"]))
    assert [row.cells[2:4] for row in rows] == [("合同", "某村"), ("合同", "某村"), ("合同", "")]


def test_lines_that_are_no_records_are_counted_for_what_they_are(tmp_path: Path) -> None:
    table = [
        ("某镇归档文件目录", "", "", "", "", ""),
        HEADER,
        ("一、党群工作类", "", "", "", "", ""),
        item(1),
        ("", "", "小计", "", "", "4"),
        (),
        ("某镇归档文件目录", "", "", "", "", ""),
        HEADER,
        item(2),
        ("合  计", "", "", "", "", "8"),
        ("", "", "本页合计：2件", "", "", ""),
        ("制表人：某甲", "", "", "审核：某乙", "", ""),
        ("3", "", "", "", "", ""),
        ("第1页 共1页", "", "", "", "", ""),
    ]
    rows, counts = rows_of(write_text(tmp_path / "a.csv", table))
    assert [row.line for row in rows] == [4, 9]
    assert counts == RowCounts(read=2, blank=2, subtotals=3, repeated_headers=2, headings=3, unread=0)


@pytest.mark.parametrize("title", ["总计划任务书", "合计划拨款", "小计", "本页", "共青团合唱"])
def test_titles_that_look_like_totals_are_records(tmp_path: Path, title: str) -> None:
    rows, counts = rows_of(write_text(tmp_path / "a.csv", [HEADER, item(1, title=title)]))
    assert (len(rows), counts.subtotals) == (1, 0)


def test_title_that_is_missing_is_still_a_row(tmp_path: Path) -> None:
    rows, counts = rows_of(write_text(tmp_path / "a.csv", [HEADER, item(1, title="")]))
    assert (len(rows), counts.headings) == (1, 0)


def test_stated_values_change_with_the_pages_that_state_them(tmp_path: Path) -> None:
    head = ("顺序号", "题名", "责任者", "页号")
    table = [
        ("全宗号：001  目录号：2  案卷号：15", "", "", ""),
        head,
        ("1", "甲", "某村", "1-5"),
        ("全宗号：001  目录号：2  案卷号：16", "", "", ""),
        head,
        ("1", "乙", "某村", "1-3"),
    ]
    reading = read(write_text(tmp_path / "a.csv", table))
    assert [row.record.volume_no for row in reading.records] == ["15", "16"]


def test_long_run_of_empty_rows_ends_a_sheet_and_what_follows_is_counted(tmp_path: Path) -> None:
    table: Table = [HEADER, item(1), *[()] * (EMPTY_RUN_MAX + 5), ("", "", "远处的零散文字", "", "", "")]
    rows, counts = rows_of(write_xlsx(tmp_path / "a.xlsx", table))
    assert (len(rows), counts.blank, counts.unread) == (1, EMPTY_RUN_MAX, 1)


def test_shorter_run_of_empty_rows_ends_nothing(tmp_path: Path) -> None:
    table: Table = [HEADER, item(1), *[()] * (EMPTY_RUN_MAX - 1), item(2)]
    rows, counts = rows_of(write_xlsx(tmp_path / "a.xlsx", table))
    assert (len(rows), counts.unread) == (2, 0)


def test_short_and_long_rows_keep_their_cells(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("档号,题名,备注\n001-2-1,甲\n001-2-2,乙,注,多出,的格\n", encoding="utf-8")
    reading = read(path)
    assert reading.titles == ["甲", "乙"]
    assert reading.records[1].raw == (("", "多出"), ("", "的格"))


def test_digest_is_the_same_for_the_same_row_in_every_format(tmp_path: Path) -> None:
    table = [HEADER, item(1), item(2, title="〃")]
    digests = [
        [row.digest for row in sheet_of(path)]
        for path in (
            write_text(tmp_path / "a.csv", table),
            write_text(tmp_path / "b.csv", table, encoding="gb18030"),
            write_text(tmp_path / "c.txt", table, delimiter="\t"),
            write_xlsx(tmp_path / "d.xlsx", table),
            write_xls(tmp_path / "e.xls", table),
        )
    ]
    assert all(other == digests[0] for other in digests)
    assert digests[0][0] != digests[0][1]


def test_digest_changes_with_a_cell_a_header_and_the_settings(tmp_path: Path) -> None:
    path = write_text(tmp_path / "a.csv", [HEADER, item(1)])
    (before,) = sheet_of(path)
    (same,) = sheet_of(path)
    (other_settings,) = sheet_of(path, b"folder")
    (other_cell,) = sheet_of(write_text(path, [HEADER, item(1, date="1987")]))
    (other_header,) = sheet_of(write_text(path, [(*HEADER[:5], "页号"), item(1)]))
    assert before == same
    assert len({row.digest for row in (before, other_settings, other_cell, other_header)}) == 4


def test_digest_does_not_depend_on_the_line(tmp_path: Path) -> None:
    path = write_text(tmp_path / "a.csv", [HEADER, item(1)])
    (before,) = sheet_of(path)
    (moved,) = sheet_of(write_text(path, [("目录", *[""] * 5), HEADER, (), item(1)]))
    assert (before.digest, before.line, moved.line) == (moved.digest, 2, 4)
