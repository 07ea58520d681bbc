"""Mediation cases: what a file must hold, how long it is kept, and a report in which nobody is recognised."""

import datetime
from collections import Counter
from importlib.resources import files

import msgspec
import pytest

from hub.vocabulary.county_sheets import sheet_of
from hub.vocabulary.county_tables import BadTable
from hub.window.dispute_counts import SMALL, report, shown
from hub.window.dispute_table import kinds_of
from hub.window.mediation import (
    PAGES_MAX,
    Case,
    CaseDocument,
    Item,
    Result,
    checked,
    checked_document,
    file_list,
    kept,
)
from protocol.errors import BadValue
from tests.window import KINDS, MONDAY, NUMBER, case, closed, uuid

MUST = (Item.APPLICATION, Item.RIGHTS_NOTICE, Item.IDENTITY, Item.RECORD, Item.AGREEMENT, Item.BACK_COVER)


def document(item: Item, number: int = 1, **changes: object) -> CaseDocument:
    fields: dict[str, object] = {"document_id": uuid(500 + number), "item": item, "pages": 2, **changes}
    return CaseDocument(**fields)  # type: ignore[arg-type]


def whole(*items: Item, copies: int = 3) -> list[CaseDocument]:
    return [document(item, number, copies=copies) for number, item in enumerate(items)]


def test_a_file_without_anything_lacks_what_it_must_hold() -> None:
    found = file_list(closed(), [])

    assert (found.missing, found.is_complete, found.pages) == (MUST, False, 0)


def test_a_whole_file_is_complete_and_in_the_order_of_binding() -> None:
    found = file_list(closed(), whole(*reversed(MUST)))

    assert (found.missing, found.is_complete, found.pages) == ((), True, 12)
    assert [line.item for line in found.lines] == list(Item)


@pytest.mark.parametrize(
    ("result", "extra"),
    [
        (Result.AGREED_ORALLY, Item.AGREEMENT),
        (Result.FAILED, Item.FILE_NOTE),
        (Result.WITHDRAWN, Item.FILE_NOTE),
        (Result.REFERRED, Item.FILE_NOTE),
    ],
)
def test_what_else_is_needed_depends_on_the_result(result: Result, extra: Item) -> None:
    always = set(MUST) - {Item.AGREEMENT}

    assert set(file_list(closed(result=result), []).missing) == always | {extra}


def test_a_pending_case_needs_neither_agreement_nor_note() -> None:
    assert set(file_list(case(), []).missing) == set(MUST) - {Item.AGREEMENT}


def test_each_party_has_a_copy_of_the_agreement_and_one_is_kept() -> None:
    found = file_list(closed(party_count=4), whole(*MUST, copies=4))
    (wrong,) = [line for line in found.lines if line.fault is not None]

    assert (wrong.item, wrong.fault is not None and "应有 5 份" in wrong.fault.zh) == (Item.AGREEMENT, True)


@pytest.mark.parametrize(
    ("made", "until"),
    [
        (closed(kind="neighbours"), datetime.date(2036, 12, 31)),
        (closed(kind="forest_land"), None),
        (case(kind="neighbours"), None),
        (closed(kind="gone"), None),
    ],
)
def test_a_file_is_kept_by_its_kind_from_the_year_after_its_closing(made: Case, until: datetime.date | None) -> None:
    assert kept(made, KINDS).until == until


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"case_no": " "}, "案号"),
        ({"body": ""}, "调解组织"),
        ({"kind": "marriage"}, "纠纷类型"),
        ({"closed_on": MONDAY}, "结案日期"),
        ({"result": Result.FAILED}, "结案日期"),
        ({"result": Result.FAILED, "closed_on": MONDAY - datetime.timedelta(days=1)}, "结案日期"),
        ({"party_count": 0}, "当事人数"),
    ],
)
def test_a_case_that_cannot_be_is_refused(changes: dict[str, object], said: str) -> None:
    with pytest.raises(BadValue) as refused:
        checked(msgspec.structs.replace(case(), **changes), KINDS)

    assert said in refused.value.reason.zh


def test_identity_numbers_in_a_cause_are_masked() -> None:
    made = checked(case(cause=f"甲（{NUMBER}）与乙争界"), KINDS)

    assert made.cause == "甲（330523********0015）与乙争界"


@pytest.mark.parametrize("changes", [{"pages": 0}, {"pages": PAGES_MAX + 1}, {"copies": 0}])
def test_a_document_without_pages_is_none(changes: dict[str, object]) -> None:
    with pytest.raises(BadValue):
        checked_document(document(Item.RECORD, **changes))  # type: ignore[arg-type]


# The report


def test_small_counts_are_withheld_and_one_more_with_them() -> None:
    """Four, five and one of ten: with the total beside them the one would be seen."""
    assert shown(Counter(a=5, b=4, c=1)) == {"a": 5, "b": None, "c": None}


@pytest.mark.parametrize(
    ("counts", "said"),
    [
        (Counter(a=5, b=4), {"a": 5, "b": 4}),
        (Counter(a=9, b=2, c=1), {"a": 9, "b": None, "c": None}),
        (Counter(a=9, b=1, c=1), {"a": None, "b": None, "c": None}),
        (Counter(a=9, b=5, c=1, d=1), {"a": 9, "b": None, "c": None, "d": None}),
        (Counter(a=1, b=1, c=1), None),
        (Counter(a=2), None),
        (Counter(a=2, b=2, c=2, d=3), {"a": None, "b": None, "c": None, "d": None}),
        (Counter(), {}),
    ],
)
def test_what_a_total_would_give_away_is_withheld(counts: Counter[str], said: dict[str, int | None] | None) -> None:
    assert shown(counts) == said


def test_the_report_counts_kinds_places_and_results() -> None:
    many = [closed(number, place="上石村") for number in range(6)]
    many += [case(10 + number, kind="neighbours", place="下溪村") for number in range(4)]
    found = report(many)

    assert found.cases == 10
    assert [(one.value, one.cases) for one in found.kinds] == [("forest_land", 6), ("neighbours", 4)]
    assert [(one.value, one.cases) for one in found.places] == [("上石村", 6), ("下溪村", 4)]
    assert [(one.value, one.cases) for one in found.results] == [("agreed", 6), ("pending", 4)]


@pytest.mark.parametrize("count", range(1, SMALL))
def test_a_handful_of_cases_is_not_reported_at_all(count: int) -> None:
    found = report([case(number) for number in range(count)])

    assert (found.cases, found.kinds, found.places, found.results) == (None, (), (), ())


# The sheet

HEADER = "代号,纠纷类型,英文,保管期限,依据\n"


def test_the_shipped_kinds_have_a_retention_each() -> None:
    made = kinds_of(sheet_of("disputes.csv", (files("hub") / "defaults" / "disputes.csv").read_bytes()))
    terms = {one.id: one.retention.label().zh for one in made.kinds}

    assert (terms["forest_land"], terms["marriage_family"], terms["neighbours"]) == ("永久", "30年", "10年")


@pytest.mark.parametrize(
    ("rows", "fault"),
    [
        ("林地,山林,,永久,\n", (2, "代号", "代号写法不对")),
        ("forest,山林,,看情况,\n", (2, "保管期限", "读不懂的保管期限")),
        ("forest,山林,,永久,\nforest,林地,,30年,\n", (3, "代号", "代号与第 2 行相同")),
        ("forest,,,永久,\n", (2, "纠纷类型", "不能为空")),
        ("", (1, "", "应有 1 至 200 种类型")),
    ],
)
def test_a_wrong_sheet_of_kinds_is_refused_by_line(rows: str, fault: tuple[int, str, str]) -> None:
    with pytest.raises(BadTable) as refused:
        kinds_of(sheet_of("disputes.csv", (HEADER + rows).encode()))

    assert fault in [(one.line, one.column.zh, one.reason.zh) for one in refused.value.faults]
