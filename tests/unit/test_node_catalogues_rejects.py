"""The reject file beside a catalogue."""

import csv
import os
from pathlib import Path

import pytest

from node.catalogues import rejects
from node.catalogues.rejects import Reject, reject_path, rejects_of, write_rejects
from protocol.findings import finding
from tests.workbooks import read, write_text

HEADER = ["工作表 sheet", "行 line", "栏目 field", "内容 value", "原因", "reason", "处理办法", "remedy"]


def reject(line: int, value: str = "3月5日") -> Reject:
    found = finding("ref_code_damaged_by_spreadsheet", field="ref_code", value=value)
    return Reject(sheet="归档文件目录", line=line, finding=found, column="档号")


def lines_of(path: Path) -> list[list[str]]:
    with path.open(encoding="utf-8-sig", newline="") as source:
        return list(csv.reader(source))


def test_reject_file_says_what_why_and_what_to_do_in_both_languages(tmp_path: Path) -> None:
    catalogue = write_text(
        tmp_path / "目录.csv", [("档号", "题名"), ("3月5日", "甲"), ("001-2-1", ""), ("001-2-2", "丙")]
    )
    reading = read(catalogue)
    headers = dict(reading.columns.mapping)
    written = write_rejects(catalogue, [line for row in reading.rejected for line in rejects_of("目录", row, headers)])
    assert written == tmp_path / "目录.csv.rejected.csv"
    header, first, second = lines_of(written)
    assert header == HEADER
    assert first[:4] == ["目录", "2", "档号 (ref_code)", "3月5日"]
    assert second[:4] == ["目录", "3", "题名 (title)", ""]
    assert all(first[4:])
    assert (first[4][-1], first[5][-1]) == ("。", ".")


def test_reject_file_opens_in_a_spreadsheet_with_its_characters_right(tmp_path: Path) -> None:
    written = write_rejects(tmp_path / "a.xlsx", [reject(2)])
    assert written is not None
    assert written.read_bytes().startswith(b"\xef\xbb\xbf")


def test_reject_file_goes_with_the_last_rejected_row(tmp_path: Path) -> None:
    write_rejects(tmp_path / "a.xlsx", [reject(2)])
    assert write_rejects(tmp_path / "a.xlsx", []) is None
    assert list(tmp_path.iterdir()) == []


def test_rewriting_leaves_nothing_else_behind(tmp_path: Path) -> None:
    for count in (3, 1):
        write_rejects(tmp_path / "a.xlsx", [reject(line) for line in range(count)])
    assert [path.name for path in tmp_path.iterdir()] == ["a.xlsx.rejected.csv"]
    assert len(lines_of(reject_path(tmp_path / "a.xlsx"))) == 2


def test_failure_keeps_the_old_file_and_leaves_no_half_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_rejects(tmp_path / "a.xlsx", [reject(2)])

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        write_rejects(tmp_path / "a.xlsx", [reject(3)])
    assert [path.name for path in tmp_path.iterdir()] == ["a.xlsx.rejected.csv"]
    assert lines_of(reject_path(tmp_path / "a.xlsx"))[1][1] == "2"


@pytest.mark.parametrize("value", ["=1+1", "@SUM(A1)", "+86", "-1", "\tx"])
def test_values_are_shown_and_not_calculated(tmp_path: Path, value: str) -> None:
    written = write_rejects(tmp_path / "a.xlsx", [reject(2, value)])
    assert written is not None
    assert lines_of(written)[1][3] == f"'{value}"


def test_identity_numbers_are_masked(tmp_path: Path) -> None:
    written = write_rejects(tmp_path / "a.xlsx", [reject(2, "330523199001010016")])
    assert written is not None
    assert "19900101" not in written.read_text(encoding="utf-8-sig")


def test_very_many_rejects_are_counted_and_not_all_listed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rejects, "REJECT_LINES_MAX", 3)
    written = write_rejects(tmp_path / "a.xlsx", (reject(line) for line in range(10)))
    assert written is not None
    *_, last = lines_of(written)
    assert (len(lines_of(written)), last[5]) == (5, "7 more are not listed.")
