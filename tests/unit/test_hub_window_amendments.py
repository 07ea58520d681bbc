"""Correcting a request: what may still be changed, what is kept of what it said, and the page on which it is done."""

from collections.abc import AsyncIterator
from pathlib import Path
from uuid import uuid4

import pytest

from hub import audit
from hub.staff.roles import Role
from hub.window import amendments, desk, ledger
from hub.window.amendments import Correction, Scope, scope_of
from hub.window.applicants import Paper, PaperShown, Requester
from hub.window.requests import Purpose, Request, Use, fold
from hub.window.states import TABLE, State, Step
from protocol.errors import BadValue, Refused
from replication.database import Database
from tests.consoles import Browser, browsing, words_in
from tests.stores import SqliteStore
from tests.window import KEY, LIN, MONDAY, NOW_MS, NUMBER, TO_ACCEPTED, TO_FOUND, case, draft, given, history, uuid
from tests.window_desks import WindowDesk, window_desk

OTHER_NUMBER = "33052319000101004X"


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    async with SqliteStore(tmp_path / "hub.db").opened() as database:
        yield database


def correction(**more: object) -> Correction:
    fields: dict[str, object] = {"applicant": given(papers=()), "kept_papers": (0,), "purpose": Purpose.MARRIAGE}
    return Correction(**{**fields, **more})  # type: ignore[arg-type]


async def submitted(database: Database, *steps: Step) -> Request:
    await database.write(lambda connection: desk.draft(connection, LIN, draft(), KEY, NOW_MS))
    for step in (Step.SUBMIT, *steps):
        await database.write(lambda connection, s=step: desk.take(connection, LIN, uuid(1), s, NOW_MS))  # type: ignore[misc]
    return await database.read(lambda connection: ledger.present(connection, uuid(1)))


async def corrected(database: Database, asked: Correction, seq: int | None = None) -> Request:
    return await database.write(
        lambda connection: desk.correct(connection, LIN, uuid(1), asked, KEY, NOW_MS + 1, expected_seq=seq)
    )


@pytest.mark.parametrize("state", list(State))
def test_nothing_is_changed_where_the_table_does_not_let_it(state: State) -> None:
    standing = fold(history((Step.SUBMIT, MONDAY)))
    allowed = state in TABLE[Step.AMEND].origins

    at = type(standing)(state=state, seq=3, since_ms=0, before=None, past=frozenset())

    assert (scope_of(at) is not Scope.NOTHING) == allowed


def test_after_the_check_only_papers_are_in_reach() -> None:
    before = fold(history((Step.SUBMIT, MONDAY)))
    after = fold(history(*[(step, MONDAY) for step in TO_ACCEPTED]))

    assert (scope_of(before), scope_of(after)) == (Scope.ALL, Scope.PAPERS)


async def test_a_wrong_purpose_and_a_wrong_name_are_put_right_and_what_they_were_is_kept(database: Database) -> None:
    await submitted(database)

    done = await corrected(
        database, correction(applicant=given(name="乙某", papers=()), purpose=Purpose.HOUSING, uses=(Use.VIEW,))
    )
    told = await database.read(lambda connection: amendments.of_request(connection, uuid(1)))

    assert (done.content.applicant.name, done.content.purpose, done.standing.state) == (
        "乙某",
        Purpose.HOUSING,
        State.SUBMITTED,
    )
    assert [one.text for one in done.content.questions] == [one.text for one in draft().questions]
    (changed,) = told.values()
    assert {(one.what.zh, one.before.zh, one.after.zh) for one in changed} == {
        ("申请人", "甲某", "乙某"),
        ("目的", "婚姻", "房产、宅基地"),
        ("要得到", "查阅、复制", "查阅"),
    }
    assert list(told) == [done.standing.seq]


async def test_another_document_takes_the_place_of_the_wrong_one(database: Database) -> None:
    known = await submitted(database)
    retyped = given(papers=(PaperShown(kind=Paper.IDENTITY, document="household_book", number=NUMBER),))  # type: ignore[arg-type]

    done = await corrected(database, correction(applicant=retyped))

    assert [paper.document for paper in done.content.applicant.evidence] == ["household_book"]
    assert done.content.applicant.identity_key == known.content.applicant.identity_key


async def test_a_citizen_becomes_a_mediator_with_a_case_number_and_back(database: Database) -> None:
    """A citizen's case is the number in the register: it must come back by itself."""
    await submitted(database)
    organ = given(Requester.MEDIATION, organ="某镇人民调解委员会", papers=())
    with pytest.raises(BadValue):
        await corrected(database, correction(applicant=organ, purpose=Purpose.MEDIATION))

    as_organ = await corrected(
        database, correction(applicant=organ, purpose=Purpose.MEDIATION, case_ref=case().case_no)
    )
    back = await corrected(database, correction())

    assert (as_organ.content.case_ref, back.content.case_ref) == (case().case_no, back.number)


async def test_after_the_check_a_forgotten_paper_is_added_and_the_name_stays(database: Database) -> None:
    await submitted(database, *TO_FOUND[1:])
    asked = correction(
        applicant=given(name="乙某", papers=(PaperShown(kind=Paper.KINSHIP),)), purpose=Purpose.HOUSING, kept_papers=()
    )

    done = await corrected(database, asked)

    assert (done.content.applicant.name, done.content.purpose) == ("甲某", Purpose.MARRIAGE)
    assert [paper.kind for paper in done.content.applicant.evidence] == [Paper.IDENTITY, Paper.KINSHIP]


async def test_the_same_correction_again_changes_nothing_and_a_screen_that_is_behind_is_told_so(
    database: Database,
) -> None:
    known = await submitted(database)
    first = await corrected(database, correction(purpose=Purpose.HOUSING), known.standing.seq)
    again = await corrected(database, correction(purpose=Purpose.HOUSING), known.standing.seq)
    with pytest.raises(Refused):
        await corrected(database, correction(purpose=Purpose.OTHER, purpose_note="某事"), known.standing.seq)

    assert again == first


async def test_the_log_says_that_it_was_amended_and_not_what(database: Database) -> None:
    await submitted(database)
    await corrected(database, correction(applicant=given(name="乙某", papers=())))

    (line, *_) = await database.read(lambda connection: audit.listed(connection, limit=1))

    assert (line.who, line.detail, "乙某" in f"{line}") == ("lin.min", "amend -> submitted", False)


# The page


WHO: dict[str, str | list[str]] = {
    "requester": "person",
    "name": "甲某",
    "document": "resident",
    "number": NUMBER,
    "purpose": "marriage",
    "use": ["view"],
}


@pytest.fixture
async def here(tmp_path: Path) -> AsyncIterator[WindowDesk]:
    async with window_desk(tmp_path) as made:
        yield made


@pytest.fixture
async def clerk(here: WindowDesk) -> AsyncIterator[Browser]:
    browser = await here.signed_in(Role.CLERK, login="lin.min")
    async with browsing(browser):
        yield browser


async def registered(clerk: Browser) -> str:
    path = f"/window/new/{uuid4()}"
    await clerk.post(path, {**WHO, "go": "next"})
    sent = await clerk.post(f"{path}/question", {"q-count": "1", "q-text-1": "结婚登记", "go": "submit"})
    return str(sent.headers["location"])


async def test_the_page_corrects_a_purpose_and_the_course_says_what_it_was(clerk: Browser) -> None:
    path = await registered(clerk)
    shown = (await clerk.get(f"{path}/amend")).text
    sent = await clerk.post(
        f"{path}/amend",
        {"requester": "person", "name": "甲某", "purpose": "housing", "use": ["view"], "kept": ["0"], "seq": "2"},
    )
    after = words_in((await clerk.get(path)).text)

    assert ("330523********0015" in shown, NUMBER in shown) == (True, False)
    assert (sent.status_code, sent.headers["location"]) == (303, f"{path}?done=amended")
    assert ("修改" in after, "婚姻 → 房产、宅基地" in " ".join(after.split())) == (True, True)


async def test_the_page_says_what_is_wrong_with_a_correction(clerk: Browser) -> None:
    path = await registered(clerk)

    wrong = await clerk.post(
        f"{path}/amend", {"requester": "person", "name": "甲某", "purpose": "marriage", "number": NUMBER[:-1] + "6"}
    )

    assert (wrong.status_code, "校验位" in words_in(wrong.text), NUMBER[:-1] + "6" in words_in(wrong.text)) == (
        400,
        True,
        False,
    )


async def test_whoever_works_no_requests_corrects_none(here: WindowDesk, clerk: Browser) -> None:
    path = await registered(clerk)
    reviewer = await here.signed_in(Role.REVIEWER, login="wu.hai")
    async with browsing(reviewer):
        refused = await reviewer.get(f"{path}/amend")

    assert refused.status_code == 403
