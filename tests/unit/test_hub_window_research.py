"""Research requests: parts, lines with their sources, and a table that says what it does not know."""

import csv
import io

import openpyxl
import pytest

from hub.window.research import (
    COLUMNS_MAX,
    SOURCES_MAX,
    Line,
    LineSource,
    Part,
    PartState,
    Plan,
    Research,
    checked_line,
    checked_part,
    checked_plan,
    remarks,
)
from hub.window.research_files import csv_bytes, scope_rows, table_rows, xlsx_bytes
from protocol.errors import BadValue
from tests.window import NUMBER, uuid

SITE, OTHER = "330523108204", "330523110000"
PLAN = Plan(request_id=uuid(1), title="五十年代迁入人员名单", columns=("姓名", "迁入时间", "迁出地"))


def source(number: int = 1, **changes: object) -> LineSource:
    fields: dict[str, object] = {"site": SITE, "record_id": uuid(number), "ref_code": f"X001-{number}", **changes}
    return LineSource(**fields)  # type: ignore[arg-type]


def line(number: int, name: str, *sources: LineSource) -> Line:
    return Line(line_id=uuid(number), cells=(name, "1955", "某省某县"), sources=sources)


def part(number: int = 1, **changes: object) -> Part:
    fields: dict[str, object] = {"part_id": uuid(50 + number), "title": "移民名册", "site": SITE, **changes}
    return Part(**fields)  # type: ignore[arg-type]


TABLE = Research(
    plan=PLAN,
    parts=(
        part(1, state=PartState.DONE, assignee="lin.min"),
        part(2, site=OTHER, state=PartState.UNREACHABLE, assignee="lin.min", note="该镇目录未录入"),
        part(3),
    ),
    lines=(
        line(1, "甲某", source(1, page_no="12", proves="迁入时间"), source(2)),
        line(2, "乙某"),
        line(3, "甲某", source(3)),
    ),
)


def test_a_table_says_what_is_open_unsourced_or_twice() -> None:
    assert [(one.line, one.words.zh) for one in remarks(TABLE)] == [
        (None, f"“移民名册”（{OTHER}）：未能查，该镇目录未录入"),
        (None, f"“移民名册”（{SITE}）：待分派"),
        (2, "没有出处"),
        (3, "与第 1 行姓名相同，请核对是否同一人"),
    ]


def test_every_line_has_its_sources_beside_it() -> None:
    rows = table_rows(TABLE, "zh")

    assert rows[0] == ["序号", "姓名", "迁入时间", "迁出地", "出处", "出处条目标识", "备注"]
    assert rows[1][4] == f"{SITE} X001-1 第 12 页（证“迁入时间”）；{SITE} X001-2"
    assert rows[2][4:] == ["", "", "没有出处"]
    assert rows[1][5].split() == [str(uuid(1)), str(uuid(2))]


def test_what_was_not_gone_through_stands_in_the_file() -> None:
    assert [row[4:] for row in scope_rows(TABLE, "en")] == [
        ["state", "note"],
        ["done", ""],
        ["could not be searched", "该镇目录未录入"],
        ["planned", ""],
    ]


def test_csv_and_workbook_say_the_same() -> None:
    text = csv_bytes(TABLE, "zh").decode("utf-8-sig")
    rows = list(csv.reader(io.StringIO(text)))
    book = openpyxl.load_workbook(io.BytesIO(xlsx_bytes(TABLE, "zh")))
    cells = [[cell or "" for cell in row] for row in book["名单"].iter_rows(values_only=True)]

    assert (rows[:4], book.sheetnames) == (cells, ["名单", "查找范围"])


@pytest.mark.parametrize("text", ["=HYPERLINK(1)", "+1", "-1", "@x", "\x01甲"])
def test_a_cell_is_never_calculated(text: str) -> None:
    hostile = Research(plan=PLAN, parts=(), lines=(line(1, text, source()),))
    book = openpyxl.load_workbook(io.BytesIO(xlsx_bytes(hostile, "zh")))
    first = next(csv.reader(io.StringIO(csv_bytes(hostile, "zh").decode("utf-8-sig").split("\r\n", 1)[1])))

    assert book["名单"]["B2"].data_type == "s"
    assert first[1][:1] not in "=+-@"


@pytest.mark.parametrize(
    "plan",
    [
        Plan(request_id=uuid(1), title=" ", columns=("姓名",)),
        Plan(request_id=uuid(1), title="名单", columns=()),
        Plan(request_id=uuid(1), title="名单", columns=("姓名", "姓名")),
        Plan(request_id=uuid(1), title="名单", columns=("姓名", "")),
        Plan(request_id=uuid(1), title="名单", columns=tuple(f"列{n}" for n in range(COLUMNS_MAX + 1))),
    ],
)
def test_a_plan_that_cannot_be_is_refused(plan: Plan) -> None:
    with pytest.raises(BadValue):
        checked_plan(plan)


@pytest.mark.parametrize(
    "wrong",
    [
        part(title=" "),
        part(site="330523"),
        part(site="村里"),
        part(state=PartState.ASSIGNED),
        part(state=PartState.UNREACHABLE, assignee="lin.min"),
    ],
)
def test_a_part_that_cannot_be_is_refused(wrong: Part) -> None:
    with pytest.raises(BadValue):
        checked_part(wrong)


@pytest.mark.parametrize(
    "wrong",
    [
        Line(line_id=uuid(1), cells=("甲某",)),
        Line(line_id=uuid(1), cells=("", "1955", "")),
        line(1, "甲某", *[source()] * (SOURCES_MAX + 1)),
        line(1, "甲某", source(proves="年龄")),
        line(1, "甲某", source(site="x")),
    ],
)
def test_a_line_that_does_not_fit_the_plan_is_refused(wrong: Line) -> None:
    with pytest.raises(BadValue):
        checked_line(PLAN, wrong)


def test_identity_numbers_in_cells_are_masked() -> None:
    assert checked_line(PLAN, line(1, f"甲某 {NUMBER}")).cells[0] == "甲某 330523********0015"
