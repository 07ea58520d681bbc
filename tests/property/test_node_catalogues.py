"""Whatever stands in a sheet, its rows are taken or set aside, and the same text gives the same row."""

from collections.abc import Sequence

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from node.catalogues.description import DescribedRow, SheetDescription
from node.catalogues.fields import Field
from node.catalogues.rows import SheetReading
from node.catalogues.workbooks import RawTable
from protocol.codec import decode_record, encode_record
from protocol.findings import Severity
from tests.workbooks import CONTEXT

HEADER = [
    "序号",
    "档号",
    "题名",
    "责任者",
    "文号",
    "日期",
    "保管期限",
    "页数",
    "密级",
    "姓名",
    "身份证号",
    "备注",
    "库位",
]
LIKELY = st.sampled_from(
    ["", "同上", "〃", "001-2-15", "3月5日", "WS·2011·Y-0001", "小计", "题名", "1986年", "题名：甲", "#REF!", "甲、乙"]
)
CELL = st.one_of(LIKELY, st.text(max_size=30), st.from_regex(r"[0-9:：\-. 年月日号]{0,20}", fullmatch=True))
ROWS = st.lists(st.lists(CELL, max_size=len(HEADER) + 2), max_size=6)


def sheet(rows: Sequence[Sequence[str]]) -> SheetReading:
    lines = ((line, list(cells)) for line, cells in enumerate([HEADER, *rows], 1))
    return SheetReading(RawTable(name="目录", rows=lines), {})


@settings(deadline=None)
@given(ROWS)
def test_any_rows_are_taken_or_set_aside(rows: list[list[str]]) -> None:
    reading = sheet(rows)
    description = SheetDescription(reading.columns, CONTEXT)
    for row in reading:
        outcome = description.describe(row)
        if isinstance(outcome, DescribedRow):
            assert outcome.record.title
            assert decode_record(encode_record(outcome.record)) == outcome.record
        else:
            assert any(finding.severity is Severity.REJECT for finding in outcome.findings)
    counts = reading.counts
    assert counts.read + counts.blank + counts.subtotals + counts.repeated_headers + counts.headings == len(rows)


@settings(deadline=None)
@given(ROWS)
def test_same_rows_have_the_same_digests_and_records(rows: list[list[str]]) -> None:
    first, second = sheet(rows), sheet(rows)
    rows_again = list(second)
    assert list(first) == rows_again
    once = [SheetDescription(first.columns, CONTEXT).describe(row) for row in rows_again]
    other = SheetDescription(second.columns, CONTEXT)
    assert once == [other.describe(row) for row in rows_again]


@settings(deadline=None)
@given(st.text(min_size=1, max_size=60).filter(lambda name: name.strip() == name and name.isprintable()))
def test_names_of_an_index_never_leave_the_site(name: str) -> None:
    reading = sheet([["1", "001-2-15", "登记表", "", "", "", "", "", "", f"某{name}某", "", "", ""]])
    description = SheetDescription(reading.columns, CONTEXT)
    (outcome,) = [description.describe(row) for row in reading]
    assert isinstance(outcome, DescribedRow)
    assert msgspec.json.encode(f"某{name}某")[1:-1] not in encode_record(outcome.record)


def test_header_of_these_tests_is_understood() -> None:
    present = sheet([]).columns.present
    assert {Field.TITLE, Field.REF_CODE, Field.PERSON, Field.IDENTITY} <= present
