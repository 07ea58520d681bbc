"""The archive's list of its own codes: what a spreadsheet exports is read, anything else refused in words."""

from pathlib import Path

import pytest

from protocol.errors import BadFile
from replication.archive_code_list import codes_in


@pytest.mark.parametrize(
    ("content", "encoding"),
    [
        ("室编档号,馆编档号\nA-1,G-1\nA-2,G-2\n", "utf-8-sig"),
        ("题名, 馆编档号 ,室编档号 \n某件,G-1, A-1\n\n某件,G-2,A-2 \n某件,,A-3\n短\n", "gb18030"),
    ],
)
def test_a_list_is_read_by_its_header(tmp_path: Path, content: str, encoding: str) -> None:
    (tmp_path / "codes.csv").write_bytes(content.encode(encoding))
    assert codes_in(tmp_path / "codes.csv") == {"A-1": "G-1", "A-2": "G-2"}


def test_a_line_that_stands_there_twice_is_one(tmp_path: Path) -> None:
    (tmp_path / "codes.csv").write_text("室编档号,馆编档号\nA-1,G-1\na－1,G-1\n", encoding="utf-8")
    assert codes_in(tmp_path / "codes.csv") == {"A-1": "G-1"}


@pytest.mark.parametrize(
    ("lines", "told"),
    [
        ("A-1,G-1\nA-2,G-2\nA-1,G-3\n", "lines 2 and 4 give A-1 two archive codes"),
        ("A-1,G-1\n\nA-2,G-1\n", "two items have one archive code G-1: lines 2 and 4"),
    ],
)
def test_a_contradiction_names_both_lines(tmp_path: Path, lines: str, told: str) -> None:
    """Which of the two is meant, only the person who made the list knows."""
    (tmp_path / "codes.csv").write_text(f"室编档号,馆编档号\n{lines}", encoding="utf-8")
    with pytest.raises(BadFile, match=told):
        codes_in(tmp_path / "codes.csv")


@pytest.mark.parametrize(
    "content",
    [
        "",
        "室编档号,档号\nA-1,G-1\n",
        "室编档号,馆编档号\nA-1,G-1\nA-2,G-1\n",
        f"室编档号,馆编档号\n{'长' * 140_000},G-1\n",
    ],
)
def test_what_is_no_such_list_is_refused(tmp_path: Path, content: str) -> None:
    (tmp_path / "codes.csv").write_text(content, encoding="utf-8")
    with pytest.raises(BadFile):
        codes_in(tmp_path / "codes.csv")
