"""Rows on a terminal: a table where it fits, blocks where it does not, and nothing lost in either."""

import io

import pytest
from rich.cells import cell_len
from rich.console import Console

from hub.commands.fitting import TIED, Rows

HEADERS = ("日期", "题名", "档号", "站点", "相似")
LONG = "皈山场村大坞里林地承包经营权流转合同（原承包户麻竹生，转入方云上竹业专业合作社，期限30年）"
ROWS = (
    ("2014-06-12", LONG, "001-WS·2014-Y-LY-0001", "皈山场村档案室 330523004206", ""),
    ("2005", "[草稿] 林权证存根", "001-11-3-8", "姚村村档案室 330523104218", ""),
)


def drawn(rows: Rows, width: int) -> list[str]:
    out = io.StringIO()
    Console(file=out, width=width, highlight=False, color_system=None).print(rows)
    return out.getvalue().splitlines()


@pytest.mark.parametrize("width", [40, 80, 120, 200])
def test_no_line_is_wider_than_the_terminal_and_no_word_is_lost(width: int) -> None:
    """A Chinese character takes two cells."""
    lines = drawn(Rows(headers=HEADERS, rows=ROWS), width)
    text = "".join("".join(lines).replace(TIED, "").split())
    said = [part for row in ROWS for cell in row for part in cell.split()]

    assert max(cell_len(line) for line in lines) <= width
    if width >= 200:
        assert [part for part in said if part not in text] == []
    else:
        letters = set("".join(said))
        assert letters - set(text) == set()


def test_where_a_table_fits_dates_and_codes_are_not_broken() -> None:
    """What is compared by eye down a column must stand on one line."""
    lines = drawn(Rows(headers=HEADERS, rows=ROWS), 120)

    assert [line for line in lines if "2014-06-12" in line and "001-WS·2014-Y-LY-0001" in line] != []


def test_where_a_table_does_not_fit_each_row_is_a_block_that_begins_with_its_first_two_cells() -> None:
    """At 80 cells seven columns of Chinese would be three characters wide each."""
    lines = drawn(Rows(headers=HEADERS, rows=ROWS), 60)

    assert lines[-3].replace(TIED, " ").rstrip() == "2005  [草稿] 林权证存根"
    assert lines[-2].replace(TIED, " ").rstrip() == "    档号 001-11-3-8  站点 姚村村档案室 330523104218"


def test_a_column_that_says_nothing_in_any_row_is_named_below_instead_of_drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever misses the column learns that all of it is zero or empty."""
    monkeypatch.delenv("DANGLIAN_LANG", raising=False)
    rows = Rows(headers=("代码", "落后", "条目"), rows=(("1", "0", "7"), ("2", "—", "0")))

    assert drawn(rows, 80)[-1] == "各行皆为零或空，未列出：落后"


def test_without_rows_the_headers_stand_alone() -> None:
    """An empty list still shows of what it is a list."""
    lines = drawn(Rows(headers=("代码", "名称"), rows=(), title="站点"), 80)

    assert [line.rstrip() for line in lines[:2]] == ["站点", "代码  名称"]
