"""Cases and research requests at the desk: what is refused, and what the log says and does not say."""

from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
from sqlalchemy import Connection

from hub import audit
from hub.window import cases, compiling, desk
from hub.window.mediation import CaseDocument, Item
from hub.window.research import Line, LineSource, Part, Plan
from hub.window.states import Step
from protocol.errors import BadValue, Permanent, Refused
from replication.database import Database
from tests.stores import SqliteStore
from tests.window import KEY, KINDS, LIN, NOW_MS, case, draft, uuid

PLAN = Plan(request_id=uuid(1), title="名单", columns=("姓名",))
SITE = "330523108204"


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    async with SqliteStore(tmp_path / "hub.db").opened() as database:
        await database.write(lambda connection: desk.draft(connection, LIN, draft(1), KEY, NOW_MS))
        await database.write(lambda connection: desk.draft(connection, LIN, draft(2), KEY, NOW_MS))
        yield database


async def test_two_cases_of_a_body_have_two_numbers(database: Database) -> None:
    await database.write(lambda connection: cases.record(connection, LIN, case(1), KINDS, NOW_MS))
    with pytest.raises(Refused) as refused:
        await database.write(
            lambda connection: cases.record(connection, LIN, case(2, case_no=case(1).case_no), KINDS, NOW_MS)
        )

    assert case(1).case_no in refused.value.reason.zh


async def test_the_cause_of_a_case_is_not_in_the_log(database: Database) -> None:
    await database.write(lambda connection: cases.record(connection, LIN, case(cause="甲某与乙某争界"), KINDS, NOW_MS))
    await database.write(lambda connection: cases.shown(connection, LIN, uuid(1), KINDS, NOW_MS))
    said = await database.read(lambda connection: audit.LOG.after(connection, 2))

    assert [(one.action, one.object) for one in said] == [
        ("case_changed", f"case {case().case_no}"),
        ("case_read", f"case {case().case_no}"),
    ]
    assert "争界" not in repr(said)


def wrong_link(connection: Connection) -> None:
    cases.link(connection, LIN, uuid(1), uuid(404), NOW_MS)


def same_document_elsewhere(connection: Connection) -> None:
    for number in (1, 2):
        cases.record(connection, LIN, case(number), KINDS, NOW_MS)
        one = CaseDocument(document_id=uuid(9), item=Item.RECORD, pages=number)
        cases.add_document(connection, LIN, uuid(number), one, NOW_MS)


def no_plan(connection: Connection) -> None:
    compiling.put_line(connection, LIN, uuid(1), Line(line_id=uuid(5), cells=("甲某",)), NOW_MS)


def a_source_that_is_no_entry(connection: Connection) -> None:
    compiling.begin(connection, LIN, PLAN, NOW_MS)
    source = LineSource(site=SITE, record_id=uuid(404), ref_code="X001-1")
    compiling.put_line(connection, LIN, uuid(1), Line(line_id=uuid(5), cells=("甲某",), sources=(source,)), NOW_MS)


def anothers_line(connection: Connection) -> None:
    for number in (1, 2):
        plan = Plan(request_id=uuid(number), title="名单", columns=("姓名",))
        compiling.begin(connection, LIN, plan, NOW_MS)
        compiling.put_line(connection, LIN, uuid(number), Line(line_id=uuid(5), cells=("甲某",)), NOW_MS)


def other_columns(connection: Connection) -> None:
    compiling.begin(connection, LIN, PLAN, NOW_MS)
    compiling.put_line(connection, LIN, uuid(1), Line(line_id=uuid(5), cells=("甲某",)), NOW_MS)
    compiling.begin(connection, LIN, Plan(request_id=uuid(1), title="名单", columns=("姓名", "年份")), NOW_MS)


def an_ended_request(connection: Connection) -> None:
    desk.take(connection, LIN, uuid(1), Step.WITHDRAW, NOW_MS, reason="不查了")
    compiling.begin(connection, LIN, PLAN, NOW_MS)


@pytest.mark.parametrize(
    ("work", "error"),
    [
        (wrong_link, BadValue),
        (same_document_elsewhere, Refused),
        (no_plan, BadValue),
        (a_source_that_is_no_entry, BadValue),
        (anothers_line, Refused),
        (other_columns, Refused),
        (an_ended_request, Refused),
    ],
)
async def test_what_does_not_fit_is_refused_with_a_way_on(
    database: Database, work: Callable[[Connection], None], error: type[Permanent]
) -> None:
    with pytest.raises(error) as refused:
        await database.write(work)

    assert (bool(refused.value.hint.zh), bool(refused.value.hint.en)) == (True, True)


async def test_a_table_without_lines_may_have_other_columns(database: Database) -> None:
    def work(connection: Connection) -> Plan:
        compiling.begin(connection, LIN, PLAN, NOW_MS)
        compiling.put_part(connection, LIN, uuid(1), Part(part_id=uuid(5), title="名册", site=SITE), NOW_MS)
        return compiling.begin(
            connection, LIN, Plan(request_id=uuid(1), title="名单", columns=("姓名", "年份")), NOW_MS
        )

    assert (await database.write(work)).columns == ("姓名", "年份")
