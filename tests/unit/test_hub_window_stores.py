"""The window on both stores: a request, its review, its case and its research go the whole way on each."""

import datetime

from sqlalchemy import Connection

from hub import audit
from hub.window import access_book, access_reviews, cases, compiling, desk, ledger
from hub.window.access_book import RecordAsked
from hub.window.access_reviews import Reviewed, RulesNow
from hub.window.applicants import Paper, PaperShown, Requester
from hub.window.cases import CaseView
from hub.window.dispute_counts import DisputeReport
from hub.window.mediation import CaseDocument, Item
from hub.window.requests import Purpose, Request, Use
from hub.window.research import Line, LineSource, Part, PartState, Plan, Research
from hub.window.rules import Relation
from hub.window.states import State, Step
from protocol.vocabularies import AccessStatus
from tests.catalogue import VILLAGE, described, fictitious, record_id
from tests.golden.test_golden_rules import RULES
from tests.hubs import Hub
from tests.stores import Store
from tests.window import KEY, KINDS, LIN, MONDAY, NOW_MS, TO_FOUND, WU, closed, draft, given, uuid

HOSTILE = "甲'; DROP TABLE lookup_request; --\x00<b>𠀀"


def requested(connection: Connection) -> Reviewed:
    organ = given(
        Requester.MEDIATION,
        organ=HOSTILE,
        papers=(PaperShown(kind=Paper.UNIT_LETTER), PaperShown(kind=Paper.WORK_CARD)),
    )
    asked = draft(applicant=organ, case_ref="(2026)某人调字第1号", purpose=Purpose.MEDIATION)
    one, again = (desk.draft(connection, LIN, asked, KEY, NOW_MS) for _ in range(2))
    assert one == again
    for step in TO_FOUND:
        desk.take(connection, LIN, one.request_id, step, NOW_MS, reason=HOSTILE)
    record = RecordAsked(
        site=VILLAGE.code, record_id=record_id(1), status=AccessStatus.UNREVIEWED, relation=Relation.CASE
    )
    now = RulesNow(version=3, rules=RULES)
    return access_reviews.review(connection, LIN, one.request_id, [record], now, NOW_MS)


def approved(connection: Connection) -> tuple[Request, bool]:
    desk.take(connection, WU, uuid(1), Step.APPROVE, NOW_MS)
    may = access_book.may_have(connection, uuid(1), VILLAGE.code, record_id(1), Use.COPY)
    return ledger.present(connection, uuid(1)), may


def case_of_it(connection: Connection) -> tuple[CaseView, DisputeReport]:
    for _ in range(2):
        cases.record(connection, LIN, closed(9), KINDS, NOW_MS)
        cases.link(connection, LIN, uuid(1), uuid(9), NOW_MS)
        evidence = CaseDocument(document_id=uuid(70), item=Item.EVIDENCE, pages=3, request_id=uuid(1))
        cases.add_document(connection, LIN, uuid(9), evidence, NOW_MS)
    cases.add_document(connection, LIN, uuid(9), CaseDocument(document_id=uuid(71), item=Item.RECORD, pages=1), NOW_MS)
    cases.drop_document(connection, LIN, uuid(9), uuid(71), NOW_MS)
    for number in range(20, 24):
        cases.record(connection, LIN, closed(number), KINDS, NOW_MS)
    year = (datetime.date(MONDAY.year, 1, 1), datetime.date(MONDAY.year, 12, 31))
    return cases.shown(connection, LIN, uuid(9), KINDS, NOW_MS), cases.reported(connection, *year)


def compiled(connection: Connection) -> Research:
    plan = Plan(request_id=uuid(1), title="五十年代迁入人员名单", columns=("姓名", "迁入时间"))
    part = Part(part_id=uuid(50), title="名册", site=VILLAGE.code)
    source = LineSource(site=VILLAGE.code, record_id=record_id(1), ref_code="typed by hand")
    line = Line(line_id=uuid(60), cells=(HOSTILE, "1955"), sources=(source,), part_id=uuid(50))
    for state in (PartState.ASSIGNED, PartState.DONE):
        compiling.begin(connection, LIN, plan, NOW_MS)
        moved = Part(part_id=part.part_id, title=part.title, site=part.site, assignee="lin.min", state=state)
        compiling.put_part(connection, LIN, uuid(1), moved, NOW_MS)
        compiling.put_line(connection, LIN, uuid(1), line, NOW_MS)
    compiling.put_line(connection, LIN, uuid(1), Line(line_id=uuid(61), cells=("乙某", "")), NOW_MS)
    compiling.drop_line(connection, LIN, uuid(1), uuid(61), NOW_MS)
    return compiling.exported(connection, LIN, uuid(1), NOW_MS)


async def test_the_window_works_alike_on_both_stores(store: Store) -> None:
    async with store.opened() as database:
        await Hub(database).tell(described(1, fictitious(1)))
        reviewed = await database.write(requested)
        request, may_copy = await database.write(approved)
        view, report = await database.write(case_of_it)
        research = await database.write(compiled)
        verdict = await audit.LOG.verify(database)

    assert (reviewed.request.standing.state, request.standing.state, may_copy) == (
        *(State.ACCESS_REVIEW, State.APPROVED, True),
    )
    assert request.content.applicant.organ == "甲'; DROP TABLE lookup_request; -- <b>𠀀"
    assert [line.item for line in view.files.lines if line.documents] == [Item.EVIDENCE]
    assert ([one.number for one in view.requests], report.cases) == ([request.number], 5)
    assert [(len(line.sources), line.sources[0].ref_code) for line in research.lines] == [(1, fictitious(1).ref_code)]
    assert [part.state for part in research.parts] == [PartState.DONE]
    assert verdict.is_whole
