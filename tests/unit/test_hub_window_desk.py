"""What is done with requests: one request however often it is sent, every step in its history and in the log."""

from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from uuid import UUID

import msgspec
import pytest
from sqlalchemy import Connection

from hub import audit
from hub.alarm.office_hours import Calendar
from hub.audit import Action
from hub.staff.roles import Permission
from hub.window import access_book, access_reviews, cases, deadlines, desk, findings, ledger
from hub.window.access_book import RecordAsked
from hub.window.access_reviews import RulesNow
from hub.window.amendments import Correction
from hub.window.applicants import Paper, PaperShown, Requester
from hub.window.clocks import Told, Urgency
from hub.window.requests import Draft, Purpose, Request, Use
from hub.window.rules import Outcome, Relation
from hub.window.settings import WindowSettings
from hub.window.states import State, Step
from hub.window.timekeeping import Timekeeper
from hub.window.working_days import official
from protocol.audit_chain import AuditLine
from protocol.county_time import day_of
from protocol.errors import BadValue, Refused
from protocol.vocabularies import AccessStatus
from replication.database import Database
from tests.golden.test_golden_rules import RULES
from tests.stores import SqliteStore
from tests.window import (
    DAY_MS,
    KEY,
    KINDS,
    LIN,
    NOW_MS,
    NUMBER,
    TO_FOUND,
    WU,
    case,
    draft,
    given,
    identity,
    uuid,
)

SITE = "330523108204"
RULES_NOW = RulesNow(version=3, rules=RULES)
TERMS, CALENDAR = WindowSettings(), official(Calendar())


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    """A file; ``test_hub_window_stores`` goes the whole way on both stores."""
    async with SqliteStore(tmp_path / "hub.db").opened() as database:
        yield database


async def drafted(database: Database, asked: Draft | None = None, now_ms: int = NOW_MS) -> Request:
    wanted = asked or draft()
    return await database.write(lambda connection: desk.draft(connection, LIN, wanted, KEY, now_ms))


async def taken(
    database: Database, request_id: UUID, *steps: Step, reason: str = "理由", now_ms: int = NOW_MS
) -> Request:
    def work(connection: Connection) -> Request:
        for step in steps:
            days = 2 if step is Step.EXTEND else 0
            desk.take(connection, LIN, request_id, step, now_ms, reason=reason, days=days)
        return ledger.present(connection, request_id)

    return await database.write(work)


async def corrected(database: Database, correction: Correction) -> Request:
    return await database.write(lambda connection: desk.correct(connection, LIN, uuid(1), correction, KEY, NOW_MS))


async def lines(database: Database) -> list[AuditLine]:
    return await database.read(lambda connection: audit.LOG.after(connection, 0))


async def test_a_request_goes_from_draft_to_closing(database: Database) -> None:
    one = await drafted(database)
    rest = (Step.REVIEW_ACCESS,)
    await taken(database, one.request_id, *TO_FOUND, *rest)
    await database.write(lambda connection: desk.take(connection, WU, one.request_id, Step.APPROVE, NOW_MS))
    done = await taken(database, one.request_id, Step.CERTIFY, Step.ISSUE, Step.DELIVER, Step.CLOSE)
    said = await lines(database)

    assert (done.standing.state, [line.seq for line in done.history]) == (State.CLOSED, list(range(1, 14)))
    assert [line.detail for line in said][:2] == ["draft -> drafted", "submit -> submitted"]
    assert len(said) == len(done.history)


async def test_the_same_draft_sent_again_is_one_request(database: Database) -> None:
    first, again = await drafted(database), await drafted(database, now_ms=NOW_MS + 5)
    await taken(database, first.request_id, Step.SUBMIT)
    late = await drafted(database, now_ms=NOW_MS + 9)
    stored = await database.read(lambda connection: ledger.listed(connection, limit=10))

    assert (first.number, again.number, late.number) == ("CD2026-000001",) * 3
    assert (first == again, [each.standing.state for each in stored]) == (True, [State.SUBMITTED])


async def test_the_same_id_with_another_content_is_refused(database: Database) -> None:
    await drafted(database)
    with pytest.raises(Refused) as refused:
        await drafted(database, draft(purpose=Purpose.HOUSING))
    kept = await database.read(lambda connection: ledger.present(connection, uuid(1)))

    assert ("CD2026-000001" in refused.value.reason.zh, kept.content.purpose) == (True, Purpose.MARRIAGE)


async def test_numbers_of_the_register_go_on_by_year(database: Database) -> None:
    numbers = [(await drafted(database, draft(number))).number for number in (1, 2)]
    later = await drafted(database, draft(3), now_ms=NOW_MS + 365 * DAY_MS)

    assert [*numbers, later.number] == ["CD2026-000001", "CD2026-000002", "CD2027-000001"]


async def test_a_citizen_without_a_case_is_asked_for_under_the_registers_number(database: Database) -> None:
    own = await drafted(database)
    organ = given(Requester.MEDIATION, organ="某镇调委会", papers=(PaperShown(kind=Paper.UNIT_LETTER),))
    theirs = await drafted(
        database, draft(2, applicant=organ, purpose=Purpose.MEDIATION, case_ref="(2026)某人调字第12号")
    )

    assert (own.content.case_ref, theirs.content.case_ref) == ("CD2026-000001", "(2026)某人调字第12号")


async def test_a_button_pressed_twice_is_one_step(database: Database) -> None:
    one = await drafted(database)
    await taken(database, one.request_id, Step.SUBMIT)
    again = await taken(database, one.request_id, Step.SUBMIT)

    assert [line.step for line in again.history] == [Step.DRAFT, Step.SUBMIT]


async def test_a_screen_that_is_behind_is_told_so(database: Database) -> None:
    one = await drafted(database)
    await taken(database, one.request_id, Step.SUBMIT)

    with pytest.raises(Refused) as refused:
        await database.write(
            lambda connection: desk.take(
                connection, WU, one.request_id, Step.WITHDRAW, NOW_MS, reason="不查了", expected_seq=1
            )
        )

    assert "新的办理" in refused.value.reason.zh


async def test_expired_papers_stop_the_check_and_more_papers_let_it_go_on(database: Database) -> None:
    old = identity(valid_until=day_of(NOW_MS - DAY_MS))
    one = await drafted(database, draft(applicant=given(papers=(old,))))
    await taken(database, one.request_id, Step.SUBMIT)
    with pytest.raises(Refused) as refused:
        await taken(database, one.request_id, Step.CHECK_IDENTITY)
    await taken(database, one.request_id, Step.ASK_SUPPLEMENT, reason="身份证已过期")
    await corrected(database, Correction(applicant=given(papers=(identity(),)), purpose=Purpose.MARRIAGE))
    done = await taken(database, one.request_id, Step.SUPPLEMENT, Step.CHECK_IDENTITY)

    assert ("到期" in refused.value.reason.zh, done.standing.state) == (True, State.IDENTITY_CHECKED)


async def test_after_the_check_only_papers_are_added(database: Database) -> None:
    """Else a checked citizen's request could become a stranger's."""
    one = await drafted(database)
    await taken(database, one.request_id, *TO_FOUND[:3], Step.ASK_SUPPLEMENT)
    kinship = PaperShown(kind=Paper.KINSHIP, number="某证第7号")
    other = Correction(applicant=given(name="乙某", papers=(kinship,)), purpose=Purpose.HOUSING)
    done = await corrected(database, other)
    kept = msgspec.structs.replace(one.content.applicant, evidence=done.content.applicant.evidence)

    assert [paper.kind for paper in done.content.applicant.evidence] == [Paper.IDENTITY, Paper.KINSHIP]
    assert done.content == msgspec.structs.replace(one.content, applicant=kept)


async def test_a_draft_is_amended_as_often_as_it_is_typed(database: Database) -> None:
    await drafted(database)
    changed = Correction(applicant=given(papers=()), kept_papers=(0,), purpose=Purpose.HOUSING)
    done, again = [await corrected(database, changed) for _ in range(2)]

    assert done == again
    assert (done.content.purpose, [line.step for line in done.history]) == (Purpose.HOUSING, [Step.DRAFT, Step.AMEND])


async def test_reading_is_written_down(database: Database) -> None:
    one = await drafted(database)
    await database.write(lambda connection: desk.shown(connection, WU, one.request_id, NOW_MS))
    last = (await lines(database))[-1]

    assert (last.who, last.action, last.object) == ("wu.hai", Action.REQUEST_READ, "request CD2026-000001")


async def test_no_name_number_or_question_is_in_the_log(database: Database) -> None:
    one = await drafted(database)
    await taken(database, one.request_id, Step.SUBMIT)
    await taken(database, one.request_id, Step.REFUSE, reason="甲某所述与档案不符")
    said = await lines(database)
    text = repr(said)

    assert [word in text for word in ("甲某", NUMBER, "结婚", "330523********0015")] == [False] * 4
    assert said[-1].outcome == "refused"


async def test_a_number_is_nowhere_in_the_store(database: Database) -> None:
    one = await drafted(database)
    await taken(database, one.request_id, *TO_FOUND)

    def everything(connection: Connection) -> str:
        tables = ("lookup_request", "request_history", "audit_line")
        return repr([connection.exec_driver_sql(f"SELECT * FROM {table}").all() for table in tables])

    assert NUMBER not in await database.read(everything)


async def test_who_is_not_there_is_said(database: Database) -> None:
    with pytest.raises(BadValue):
        await taken(database, uuid(404), Step.SUBMIT)


async def test_the_same_persons_requests_are_found_by_the_key_of_the_number(database: Database) -> None:
    one, _ = await drafted(database), await drafted(database, draft(2, applicant=given(papers=())))
    key = one.content.applicant.identity_key
    found = await database.read(lambda connection: ledger.listed(connection, identity_key=key, limit=10))

    assert [each.number for each in found] == ["CD2026-000001"]


def test_a_reviewers_steps_need_a_reviewers_permission() -> None:
    needed = {step for step in Step if desk.permission_for(step) is Permission.APPROVE_ACCESS}

    assert needed == {Step.APPROVE, Step.DENY}


async def test_the_standing_is_said_with_its_reason(database: Database) -> None:
    one = await drafted(database)
    searching = await taken(database, one.request_id, *TO_FOUND[:5], reason="")
    paused = await taken(database, one.request_id, Step.PAUSE, reason="下溪村离线")

    assert [desk.in_words(each).zh for each in (searching, paused)] == ["查找中", "查找中（已暂停：下溪村离线）"]
    assert Step.RESUME in [one.step for one in desk.next_steps(paused)]


# Access


async def found(database: Database, asked: Draft | None = None) -> Request:
    one = await drafted(database, asked)
    return await taken(database, one.request_id, *TO_FOUND)


def record(number: int = 1, relation: Relation = Relation.SUBJECT, **changes: object) -> RecordAsked:
    fields: dict[str, object] = {
        "site": SITE,
        "record_id": uuid(100 + number),
        "status": AccessStatus.RESTRICTED,
        "relation": relation,
        **changes,
    }
    return RecordAsked(**fields)  # type: ignore[arg-type]


async def reviewed(database: Database, one: Request, *asked: RecordAsked) -> access_reviews.Reviewed:
    return await database.write(
        lambda connection: access_reviews.review(connection, LIN, one.request_id, asked, RULES_NOW, NOW_MS)
    )


async def may(database: Database, one: Request, asked: RecordAsked, *uses: Use) -> list[bool]:
    return await database.read(
        lambda connection: [
            access_book.may_have(connection, one.request_id, asked.site, asked.record_id, use) for use in uses
        ]
    )


async def test_an_own_record_is_approved_by_the_rule_and_says_so(database: Database) -> None:
    one = await found(database)
    done = await reviewed(database, one, record())
    last = done.request.history[-1]

    assert (done.outcome, last.step, last.rule, last.state) == (Outcome.ALLOW, Step.APPROVE, "R04@3", State.APPROVED)
    assert await may(database, one, record(), *Use) == [True, True, False]


async def test_a_strangers_record_is_denied_with_the_rules_words(database: Database) -> None:
    one = await found(database)
    done = await reviewed(database, one, record(relation=Relation.NONE))
    said = (await lines(database))[-1]

    assert (done.request.standing.state, "R99" in done.request.history[-1].reason) == (State.DENIED, True)
    assert (said.outcome, said.detail) == ("refused", "deny -> denied by R99@3")


async def test_what_the_rules_refer_waits_for_another_person(database: Database) -> None:
    organ = given(
        Requester.MEDIATION,
        organ="某镇调委会",
        papers=(PaperShown(kind=Paper.UNIT_LETTER), PaperShown(kind=Paper.WORK_CARD, number="12345678")),
    )
    one = await found(database, draft(applicant=organ, purpose=Purpose.MEDIATION, case_ref="(2026)某人调字第12号"))
    waiting = await reviewed(database, one, record(relation=Relation.CASE))
    before = await may(database, one, record(), Use.VIEW)
    with pytest.raises(Refused):
        await taken(database, one.request_id, Step.APPROVE)
    done = await database.write(lambda connection: desk.take(connection, WU, one.request_id, Step.APPROVE, NOW_MS))
    (kept,) = await database.read(lambda connection: access_book.of_request(connection, one.request_id))

    assert (waiting.outcome, waiting.request.standing.state, before) == (Outcome.REFER, State.ACCESS_REVIEW, [False])
    assert (done.standing.state, kept.decided_by, kept.granted) == (State.APPROVED, "wu.hai", (Use.VIEW, Use.COPY))


async def test_a_reviewers_denial_grants_nothing(database: Database) -> None:
    one = await found(database)
    await reviewed(database, one, record(1), record(2, Relation.NONE))
    await database.write(
        lambda connection: desk.take(connection, WU, one.request_id, Step.DENY, NOW_MS, reason="涉及他人隐私")
    )

    assert await may(database, one, record(1), *Use) == [False] * 3


async def test_an_own_record_among_others_is_given_and_the_others_are_not(database: Database) -> None:
    one = await found(database)
    mixed = await reviewed(database, one, record(1), record(2, Relation.NONE))
    await database.write(lambda connection: desk.take(connection, WU, one.request_id, Step.APPROVE, NOW_MS))
    granted = [await may(database, one, record(number), Use.VIEW) for number in (1, 2)]

    assert (mixed.outcome, granted) == (Outcome.REFER, [[True], [False]])


async def test_what_a_rule_decided_stays_its_decision_when_a_person_decides_the_rest(database: Database) -> None:
    """Whoever reads the book later must find who decided what."""
    one = await found(database)
    waiting = (await reviewed(database, one, record(1), record(2, Relation.NONE))).judged
    by_rule = msgspec.structs.replace(waiting[0], granted=(Use.VIEW,), decided_by="rule R04@3")
    await database.write(lambda connection: access_book.put(connection, one.request_id, by_rule))
    await database.write(
        lambda connection: access_book.settle(connection, one.request_id, "wu.hai", NOW_MS, is_approved=False)
    )
    kept = await database.read(lambda connection: access_book.of_request(connection, one.request_id))

    assert {of.asked.record_id: (of.decided_by, of.granted) for of in kept} == {
        record(1).record_id: ("rule R04@3", (Use.VIEW,)),
        record(2).record_id: ("wu.hai", ()),
    }


async def test_while_papers_are_missing_nothing_is_decided(database: Database) -> None:
    agent = given(Requester.AGENT, on_behalf_of="乙某")
    one = await found(database, draft(applicant=agent))
    done = await reviewed(database, one, record())

    assert (done.outcome, done.request.standing.state) == (Outcome.MISSING, State.FOUND)
    assert done.judged[0].decision.missing == (Paper.PRINCIPAL_COPIES, Paper.NOTARISED_AUTHORISATION)


# Terms


async def test_terms_that_lapse_let_requests_expire_with_the_reason(database: Database) -> None:
    one = await drafted(database)
    month_later = NOW_MS + 30 * DAY_MS
    keeper = Timekeeper(database, TERMS, CALENDAR, lambda: month_later)
    expired = [await keeper.look(), await keeper.look()]
    done = await database.read(lambda connection: ledger.present(connection, one.request_id))

    assert (expired, done.standing.state, done.history[-1].who) == ([1, 0], State.EXPIRED, "hub:terms")
    assert "草稿期限 2026-03-09 已过" in done.history[-1].reason


async def test_what_is_late_is_listed_first_and_told_upwards(database: Database) -> None:
    late, new = await drafted(database), await drafted(database, draft(2), now_ms=NOW_MS + 6 * DAY_MS)
    await taken(database, late.request_id, *TO_FOUND[:3])
    await taken(database, new.request_id, *TO_FOUND[:3], now_ms=NOW_MS + 6 * DAY_MS)
    today = day_of(NOW_MS + 9 * DAY_MS)
    dues = await database.read(lambda connection: deadlines.due(connection, TERMS, CALENDAR, today))
    told = {who: [one.request.number for one in some] for who, some in deadlines.to_tell(dues).items()}

    assert [one.deadline.urgency for one in dues] == [Urgency.OVERDUE, Urgency.DUE_SOON]
    assert (told[Told.LEADER], dues[0].handler) == ([late.number], "lin.min")


async def test_an_answer_that_comes_while_the_clock_stands_moves_the_request_on(database: Database) -> None:
    """It stands for a holder that is offline: the answer is what was waited for."""
    one = await drafted(database)
    paused = await taken(database, one.request_id, *TO_FOUND[:5], Step.PAUSE, reason="下溪村离线")
    await database.write(lambda connection: findings.tell_request(connection, one.request_id, NOW_MS + DAY_MS))
    moved = await database.read(lambda connection: ledger.present(connection, one.request_id))

    assert (paused.standing.paused_for, moved.standing.paused_for) == ("下溪村离线", "")
    assert (moved.standing.state, moved.history[-1].who) == (State.NOT_FOUND, "hub:lookup")


# Cases


async def test_a_request_belongs_to_a_case_and_the_case_shows_it(database: Database) -> None:
    one = await drafted(database)

    def work(connection: Connection) -> Sequence[Request]:
        cases.record(connection, LIN, case(7), KINDS, NOW_MS)
        for _ in range(2):
            cases.link(connection, LIN, one.request_id, uuid(7), NOW_MS)
        return cases.shown(connection, LIN, uuid(7), KINDS, NOW_MS).requests

    (shown,) = await database.write(work)

    assert (shown.case_id, [line.step for line in shown.history]) == (uuid(7), [Step.DRAFT, Step.LINK_CASE])
