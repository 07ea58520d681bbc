"""The window's pages over HTTP and real stores: who may come in, forms that are kept, forged ids, hostile text."""

import datetime
import io
import json
import re
from collections.abc import AsyncIterator
from functools import partial
from html import unescape
from pathlib import Path
from urllib.parse import quote
from uuid import UUID, uuid4

import httpx
import pytest
import python_calamine
from sqlalchemy import Connection, insert, select, update

from hub import audit
from hub.staff.roles import Role
from hub.tables import entry
from hub.web import counter
from hub.web.counter import link_of
from hub.web.pages.window_copies import pages_of
from hub.window import access_book, clocks, compiling, desk, ledger, unsent
from hub.window.access_book import Judged, RecordAsked
from hub.window.lookup_tables import lookup
from hub.window.requests import Request, Use
from hub.window.research import Line, LineSource, Part, PartState
from hub.window.rules import Decision, Outcome, Relation
from hub.window.states import State, Step
from hub.window.tables import lookup_request, request_history
from hub.window.working_days import Warned, WorkCalendar, warning_of
from protocol.errors import BadValue, Refused
from protocol.masking import UNTOLD_TITLE
from protocol.vocabularies import AccessStatus
from protocol.wording import Text
from tests.consoles import Browser, browsing, token_in, words_in
from tests.window import LIN, draft
from tests.window_desks import FAR, KEY, NEW, NUMBER, OFFICE, WindowDesk, add_sites, window_desk

WHO: dict[str, str | list[str]] = {
    "requester": "person",
    "name": "甲某",
    "document": "resident",
    "number": NUMBER,
    "purpose": "marriage",
    "use": ["view", "certified"],
    "seen": "yes",
}
QUESTION = {"q-count": "1", "q-text-1": "结婚登记", "q-place-1": "天荒坪镇"}


@pytest.fixture
async def here(tmp_path: Path) -> AsyncIterator[WindowDesk]:
    async with window_desk(tmp_path) as made:
        yield made


@pytest.fixture
async def clerk(here: WindowDesk) -> AsyncIterator[Browser]:
    browser = await here.signed_in(Role.CLERK, login="lin.min")
    async with browsing(browser):
        yield browser


async def registered(here: WindowDesk) -> list[Request]:
    return await here.database.read(lambda connection: ledger.listed(connection, limit=50))


async def submitted(clerk: Browser, who: dict[str, str | list[str]] | None = None) -> str:
    """Send both pages of a form; returns the address of the request."""
    path = f"/window/new/{uuid4()}"
    first = await clerk.post(path, {**(who or WHO), "go": "next"})
    assert first.status_code == 303, words_in(first.text)
    second = await clerk.post(f"{path}/question", {**QUESTION, "go": "submit"})
    assert second.status_code == 303, words_in(second.text)
    return str(second.headers["location"])


async def test_a_year_without_published_holidays_sends_clerks_to_the_administrator(
    here: WindowDesk, clerk: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Files of settings are named to nobody who may not write them."""

    def unknown(_known: WorkCalendar, first: datetime.date, last: datetime.date) -> Warned | None:
        return warning_of(WorkCalendar(), first, last)

    monkeypatch.setattr(clocks, "warning_of", unknown)
    address = await submitted(clerk)
    told = words_in((await clerk.get(address)).text)
    both = await here.signed_in(Role.CLERK, Role.ADMINISTRATOR, login="gao.fei")
    async with browsing(both):
        told_both = words_in((await both.get(address)).text)

    assert ("放假调休" in told, "请告知系统管理员" in told, "hub.toml" in told) == (True, True, False)
    assert ("hub.toml" in told_both, "请告知系统管理员" in told_both) == (True, False)


# Who may come in


@pytest.mark.parametrize(
    ("role", "desk", "new"),
    [
        (Role.CLERK, 200, 200),
        (Role.REVIEWER, 200, 403),
        (Role.ARCHIVIST, 200, 200),
        (Role.ADMINISTRATOR, 403, 403),
        (Role.AUDITOR, 403, 403),
    ],
)
async def test_clerks_work_reviewers_look_and_nobody_else_comes_in(
    here: WindowDesk, role: Role, desk: int, new: int
) -> None:
    browser = await here.signed_in(role)
    async with browsing(browser):
        pages = [
            (await browser.get(path)).status_code for path in ("/window", "/window/find?number=x", "/window/rules")
        ]
        forms = [
            (await browser.get(path)).status_code
            for path in (f"/window/new/{uuid4()}", "/window/cases", f"/window/cases/{uuid4()}", "/window/cases/report")
        ]

    assert pages == [desk, 404 if desk == 200 else 403, desk]
    assert set(forms) == {new}


async def test_a_stranger_is_sent_to_the_sign_in(here: WindowDesk) -> None:
    browser = here.browser()
    async with browsing(browser):
        answer = await browser.get("/window")

    assert (answer.status_code, answer.headers["location"].partition("?")[0]) == (303, "/sign-in")


# Forms that are kept


async def test_what_is_typed_is_kept_sealed_and_gone_when_it_is_sent(here: WindowDesk, clerk: Browser) -> None:
    """The number stands nowhere in the store: neither while it is typed nor afterwards."""
    path = f"/window/new/{uuid4()}"
    kept = await clerk.post(f"{path}/kept", {"name": "甲某", "number": NUMBER, "requester": "person"}, shown_at=path)
    shown = await clerk.get(path)
    stored = here.path.read_bytes() + here.path.with_name("hub.db-wal").read_bytes()
    await clerk.post(path, {**WHO, "go": "next"})
    await clerk.post(f"{path}/question", {**QUESTION, "go": "submit"})
    after = here.path.read_bytes() + here.path.with_name("hub.db-wal").read_bytes()
    left = await here.database.read(lambda c: unsent.listed(c, unsent.sealing_key(KEY), "lin.min"))

    assert set(kept.json()) == {"number-check", "who-more"}
    assert "330523********0015" in kept.json()["number-check"]
    assert (f'value="{NUMBER}"' in shown.text, NUMBER.encode() in stored, NUMBER.encode() in after) == (
        True,
        False,
        False,
    )
    assert left == []


async def test_a_page_and_the_stream_that_it_opens_are_one_reading(here: WindowDesk, clerk: Browser) -> None:
    """A later stream, which no page has just opened, is a reading of its own."""
    path = await submitted(clerk)
    await clerk.get(path)
    counted = []
    for seconds in (0, 60):
        here.clock.forward(seconds)
        async with clerk.client.stream("GET", f"/stream/window/{path.rpartition('/')[2]}") as stream:
            await anext(stream.aiter_lines())
            lines = await here.database.read(
                lambda c: audit.listed(c, who="lin.min", action=audit.Action.REQUEST_READ.value, limit=9)
            )
            counted.append(len(lines))

    assert counted == [1, 2]


async def test_words_that_no_search_understands_leave_nothing_but_the_form(here: WindowDesk, clerk: Browser) -> None:
    path = f"/window/new/{uuid4()}"
    await clerk.post(path, {**WHO, "go": "next"})
    answer = await clerk.post(f"{path}/question", {**QUESTION, "q-text-1": "日期:某年", "go": "submit"})
    kept = await clerk.get(f"{path}/question")

    assert (answer.status_code, await registered(here), 'value="日期:某年"' in kept.text) == (400, [], True)


async def test_a_form_sent_twice_is_one_request_and_a_late_word_of_it_changes_nothing(
    here: WindowDesk, clerk: Browser
) -> None:
    path = f"/window/new/{uuid4()}"
    await clerk.post(path, {**WHO, "go": "next"})
    first = await clerk.post(f"{path}/question", {**QUESTION, "go": "submit"})
    again = await clerk.post(f"{path}/question", {**QUESTION, "go": "submit"}, shown_at="/window")
    late = await clerk.post(f"{path}/kept", {"name": "乙某"}, shown_at="/window")
    back = await clerk.get(path)

    assert [one.headers.get("location") for one in (again, back)] == [first.headers["location"]] * 2
    assert (late.json(), [one.content.applicant.name for one in await registered(here)]) == ({}, ["甲某"])


async def test_somebody_elses_draft_is_neither_shown_nor_changed(here: WindowDesk, clerk: Browser) -> None:
    path = f"/window/new/{uuid4()}"
    await clerk.post(f"{path}/kept", {"name": "甲某"}, shown_at=path)
    other = await here.signed_in(Role.CLERK, login="zhao.liu")
    async with browsing(other):
        shown = await other.get(path)
        written = await other.post(f"{path}/kept", {"name": "乙某"}, shown_at="/window")
        dropped = await other.post(f"{path}/discard", {}, shown_at="/window")
        listed = await other.get("/window")
    mine = await clerk.get(path)

    assert (shown.status_code, written.status_code, dropped.status_code) == (404, 400, 303)
    assert ("甲某" in listed.text, 'value="甲某"' in mine.text) == (False, True)


async def test_an_unsent_form_is_forgotten_after_its_time_and_never_read_under_another_key(here: WindowDesk) -> None:
    key, draft_id = unsent.sealing_key(KEY), UUID(int=9)

    def keep(connection: object) -> None:
        unsent.keep(connection, key, draft_id, "lin.min", {"name": ("甲某",)}, 1_000)  # type: ignore[arg-type]

    await here.database.write(keep)
    found = await here.database.read(lambda c: unsent.found(c, key, draft_id, "lin.min"))
    other = await here.database.read(lambda c: unsent.found(c, unsent.sealing_key(b"another"), draft_id, "lin.min"))
    soon = await here.database.write(lambda c: unsent.tidy(c, 1_000 + unsent.KEPT_MS))
    late = await here.database.write(lambda c: unsent.tidy(c, 1_001 + unsent.KEPT_MS))

    assert (found is not None and found.line("name"), other, soon, late) == ("甲某", None, 0, 1)


async def test_nobody_keeps_more_unsent_forms_than_allowed(here: WindowDesk) -> None:
    key = unsent.sealing_key(KEY)
    for number in range(unsent.UNSENT_MAX):
        draft_id = UUID(int=number + 1)
        await here.database.write(lambda c, one=draft_id: unsent.keep(c, key, one, "lin.min", {}, 1))  # type: ignore[misc]
    with pytest.raises(Refused, match="unsent"):
        await here.database.write(lambda c: unsent.keep(c, key, UUID(int=999), "lin.min", {}, 1))


# What is wrong is said on the page where it was typed


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"name": ""}, "没有填写申请人姓名"),
        ({"number": "330523190001010016"}, "身份证号码有误"),
        ({"number": "33052319000101"}, "身份证号码应为 18 位"),
        ({"number": ""}, "没有出示有效身份证件"),
        ({"valid_until": "2020-01-01"}, "到期"),
        ({"valid_until": "昨天"}, "证件有效期不是日期"),
        ({"requester": "mediation"}, "没有填写单位名称"),
        ({"requester": "agent"}, "没有填写代谁申请"),
        ({"requester": "lawyer"}, "没有填写案号"),
        ({"purpose": "official"}, "与申请人类型不符"),
        ({"purpose": ""}, "没有说明"),
    ],
)
async def test_a_wrong_first_page_says_what_is_wrong(
    here: WindowDesk, clerk: Browser, changes: dict[str, str], words: str
) -> None:
    answer = await clerk.post(f"/window/new/{uuid4()}", {**WHO, **changes, "go": "next"})

    assert (answer.status_code, words in words_in(answer.text)) == (400, True)
    assert await registered(here) == []


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"q-text-1": "", "q-place-1": ""}, "1 至 20 个问题"),
        ({"q-from-1": "八六年"}, "年份应为四位数字"),
        ({"q-from-1": "1990", "q-to-1": "1980"}, "起始年份晚于终止年份"),
        ({"q-text-1": "类别:结昏"}, "结昏"),
        ({"q-text-1": NUMBER}, "目录里查不到号码"),
    ],
)
async def test_a_wrong_question_is_said_before_anything_is_on_the_register(
    here: WindowDesk, clerk: Browser, changes: dict[str, str], words: str
) -> None:
    path = f"/window/new/{uuid4()}"
    await clerk.post(path, {**WHO, "go": "next"})
    answer = await clerk.post(f"{path}/question", {**QUESTION, **changes, "go": "submit"})

    assert (answer.status_code, words in words_in(answer.text)) == (400, True)
    assert await registered(here) == []


async def test_a_number_among_the_words_hides_nothing_that_they_find(here: WindowDesk, clerk: Browser) -> None:
    """Nobody is told that there is no record because a number, which no catalogue has, stood in the question."""
    await add_sites(here)
    path = f"/window/new/{uuid4()}"
    await clerk.post(path, {**WHO, "go": "next"})
    sent = await clerk.post(f"{path}/question", {**QUESTION, "q-text-1": f"甲某{NUMBER}结婚登记", "go": "submit"})
    (one,) = await registered(here)
    view = await here.county.view(one.content.questions[0].question_id)

    assert (sent.status_code, view.query.words, [hit.site for hit in view.hits]) == (303, "甲某 结婚登记", [OFFICE])


async def test_an_identity_that_nobody_checked_waits_and_its_button_goes_on(here: WindowDesk, clerk: Browser) -> None:
    address = await submitted(clerk, {**WHO, "seen": ""})
    page = await clerk.get(address)
    token = {"step": "check_identity", "seq": "2"}
    done = await clerk.post(f"{address}/step", token, shown_at=address)
    twice = await clerk.post(f"{address}/step", token, shown_at=address)

    assert ("核验身份" in page.text, done.status_code, twice.status_code) == (True, 303, 303)
    (one,) = await registered(here)
    assert (one.standing.state, len(one.history)) == (State.IDENTITY_CHECKED, 3)


async def test_a_step_that_is_not_the_visitors_is_not_taken(here: WindowDesk, clerk: Browser) -> None:
    address = await submitted(clerk)
    reviewer = await here.signed_in(Role.REVIEWER, login="wu.hai")
    async with browsing(reviewer):
        page = await reviewer.get(address)
        answers = [
            (await reviewer.post(f"{address}/step", {"step": step, "reason": "x"}, shown_at=address)).status_code
            for step in ("withdraw", "approve", "no-such-step", "draft")
        ]
        search = await reviewer.post(f"{address}/search", {}, shown_at=address)

    assert ("甲某" in page.text, answers, search.status_code) == (True, [409] * 4, 403)


# A refusal of access by the rules, and what the clerk is told


async def test_access_that_lacks_papers_is_not_decided_and_the_page_says_what_is_missing(
    here: WindowDesk, clerk: Browser
) -> None:
    await add_sites(here)
    organ = {**WHO, "requester": "mediation", "organ": "某调委会", "case_ref": "12号", "paper": "work_card"}
    organ["purpose"] = "mediation"
    address = await submitted(clerk, organ)
    (one,) = await registered(here)
    async for _ in here.county.desk.watch(one.content.questions[0].question_id):
        pass
    page = await clerk.get(address)
    entry = re.search(r'name="entry" value="([^"]+)"', page.text)
    assert entry is not None
    missing = await clerk.post(f"{address}/review", {"entry": entry[1], "relation": "case"}, shown_at=address)
    unrelated = await clerk.post(f"{address}/review", {"entry": entry[1], "relation": "none"}, shown_at=address)
    nothing = await clerk.post(f"{address}/review", {"entry": "x y", "relation": "case"}, shown_at=address)
    denied = await clerk.get(address)

    assert (missing.status_code, "单位介绍信" in words_in(missing.text)) == (400, True)
    assert (unrelated.status_code, nothing.status_code, "不同意利用" in denied.text) == (303, 400, True)
    lines = await here.database.read(lambda c: audit.listed(c, limit=20))
    assert [(line.who, line.outcome) for line in lines if "denied" in line.detail] == [("lin.min", "refused")]


async def test_a_copy_is_ordered_only_of_what_may_be_certified(here: WindowDesk, clerk: Browser) -> None:
    """Whoever may look at a paper may not therefore take a certified copy of it home."""
    await add_sites(here)
    organ = {**WHO, "requester": "mediation", "organ": "某调委会", "case_ref": "12号", "paper": "work_card"}
    address = await submitted(clerk, {**organ, "purpose": "mediation"})
    (one,) = await registered(here)
    async for _ in here.county.desk.watch(one.content.questions[0].question_id):
        pass
    entry = re.search(r'name="entry" value="([^"]+)"', (await clerk.get(address)).text)
    assert entry is not None
    site, record_id = entry[1].split()
    statuses = []
    for granted in ((Use.VIEW, Use.COPY), (Use.VIEW, Use.COPY, Use.CERTIFIED)):
        decision = Decision(
            outcome=Outcome.ALLOW,
            rule="R01",
            version=1,
            allowed=granted,
            referred=(),
            refused=(),
            missing=(),
            not_good=(),
            basis="",
            reason=Text(zh="可以", en="may"),
        )
        asked = RecordAsked(site=site, record_id=UUID(record_id), status=AccessStatus.OPEN, relation=Relation.CASE)
        judged = Judged(asked=asked, decision=decision, granted=granted, decided_by="R01@1", decided_at_ms=1)
        await here.database.write(partial(access_book.put, request_id=one.request_id, judged=judged))
        shown = await clerk.get(f"{address}/copy?entry={site}%20{record_id}")
        statuses.append(shown.status_code)

    assert statuses == [404, 200]


# Ids that nobody gave out, and text that means harm


async def test_forged_ids_find_nothing_and_break_nothing(here: WindowDesk, clerk: Browser) -> None:
    address = await submitted(clerk)
    forged = ("x", str(uuid4()), "00000000-0000-0000-0000-00000000000g", "%2e%2e", "9" * 200)
    pages = [
        (await clerk.get(f"/window/requests/{name}{rest}")).status_code
        for name in forged
        for rest in ("", "/form", "/receipt", "/statement", "/copy", "/research")
    ]
    posts = [
        (await clerk.post(f"/window/requests/{name}/{verb}", {"serial": "x"}, shown_at="/window")).status_code
        for name in forged[:3]
        for verb in ("step", "search", "widen", "review", "copy", "print", "revoke", "research", "no-record")
    ]
    inner = [
        (await clerk.post(f"{address}/{verb}", fields, shown_at=address)).status_code
        for verb, fields in (
            ("copy", {"entry": "x y", "copy": str(uuid4())}),
            ("print", {"serial": "330523-2026-000001-9"}),
            ("revoke", {"serial": "x", "because": "y"}),
            ("withdraw", {"copy": "x"}),
            ("widen", {"question": "x"}),
        )
    ]
    names = ("x.pdf", "..%2Fhub.db", "330523-2026-000001-9.pdf")
    files = [(await clerk.get(f"/window/certificates/{name}")).status_code for name in names]
    screens = [(await clerk.get(f"/counter/{link}")).status_code for link in ("x", "0" * 24, link_of(b"another"))]

    assert (set(pages), set(posts), inner, set(files), set(screens)) == ({404}, {404}, [404] * 5, {404}, {404})


@pytest.mark.slow
@pytest.mark.timeout(240)
async def test_hostile_text_in_every_field_breaks_no_page(here: WindowDesk, clerk: Browser, shared_data: Path) -> None:
    """A page stays a page: no fault of ours, nothing of the text outside quotes, no tag of it."""
    naughty = json.loads(
        (shared_data / "12_test_vectors" / "big_list_of_naughty_strings.json").read_text(encoding="utf-8")
    )
    hostile = [*naughty[::7], "\x00\x01\x7f", "</title><script>x</script>", '"><img src=x onerror=x>', "长" * 600]
    address = await submitted(clerk)
    token = token_in((await clerk.get("/window")).text)
    seen: set[int] = set()

    def check(answer: httpx.Response) -> None:
        seen.add(answer.status_code)
        assert "<script>" not in answer.text
        assert not re.search(r"<img(?![^>]*mark\.)", answer.text)
        assert answer.is_redirect or answer.text.count("<main") == answer.text.count("</main>") == 1

    for text in hostile:
        here.clock.forward(3)
        path, case = f"/window/new/{uuid4()}", f"/window/cases/{uuid4()}"
        who = dict.fromkeys(("name", "organ", "phone", "number", "case_ref", "purpose_note", "on_behalf_of"), text)
        who |= {"requester": "mediation", "purpose": "other", "paper": text, "use": text, "document": text}
        check(await clerk.client.post(path, data={"token": token, **who, "go": "next"}))
        asked = {f"q-{name}-1": text for name in ("text", "persons", "kind", "place", "from", "to")}
        check(
            await clerk.client.post(f"{path}/question", data={"token": token, **asked, "q-count": text, "go": "submit"})
        )
        step = {"token": token, "step": "withdraw", "reason": text, "days": text, "seq": text, "because": text}
        check(await clerk.client.post(f"{address}/step", data={**step, "step": text}))
        check(await clerk.client.post(f"{address}/paper", data={"token": token, "first": text, "last": text}))
        fields = dict.fromkeys(("case_no", "body", "kind", "place", "cause", "law_used", "opened_on"), text)
        check(await clerk.client.post(case, data={"token": token, **fields}))
        plan = {"token": token, "title": text, "columns": text}
        check(await clerk.client.post(f"{address}/research", data=plan))
        for page in (f"/window/find?number={quote(text[:300])}", f"/window/cases/report?from={quote(text[:300])}&to=x"):
            check(await clerk.get(page))

    assert seen <= {200, 303, 400, 404, 409}


# Pages that show no names


async def test_the_screen_at_the_counter_shows_numbers_without_names_to_anybody(
    here: WindowDesk, clerk: Browser
) -> None:
    await submitted(clerk)
    stranger = here.browser()
    async with browsing(stranger):
        screen = await stranger.get(f"/counter/{link_of(KEY)}")

    (one,) = await registered(here)
    assert (screen.status_code, one.number[-6:] in screen.text, "甲" in screen.text) == (200, True, False)


async def test_who_waits_longest_is_on_the_screen_however_many_came_since(
    here: WindowDesk, clerk: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(counter, "LOOKED_AT_MAX", 2)
    for _ in range(3):
        await submitted(clerk)
        here.clock.forward(60)
    numbers = sorted(one.number for one in await registered(here))
    columns = await here.database.read(lambda c: counter.columns_of(c, here.clock()))

    assert [one.numbers for one in columns if one.name == "going"] == [tuple(map(counter.short, numbers[:2]))]


async def test_a_refusal_is_called_out_at_the_counter_for_a_day(here: WindowDesk, clerk: Browser) -> None:
    """Refused requests of last year would fill the screen, and nobody's number of today would be on it."""
    await submitted(clerk, {**WHO, "seen": ""})
    (one,) = await registered(here)
    await here.database.write(
        lambda c: desk.take(c, LIN, one.request_id, Step.REFUSE, here.clock(), reason="不属本馆受理范围")
    )
    stranger, seen = here.browser(), []
    async with browsing(stranger):
        for days in (0, 1):
            here.clock.forward(days * 86_400)
            seen.append(one.number[-6:] in (await stranger.get(f"/counter/{link_of(KEY)}")).text)

    assert seen == [True, False]


async def test_lists_and_the_audit_log_name_nobody(here: WindowDesk, clerk: Browser) -> None:
    await submitted(clerk)
    listed = await clerk.get("/window?view=all")
    lines = await here.database.read(lambda c: audit.listed(c, limit=100))

    assert ("甲某" in words_in(listed.text), "甲**" in listed.text or "甲*" in listed.text) == (False, True)
    assert [line for line in lines if "甲某" in line.detail or NUMBER in line.detail] == []


async def test_copies_that_nobody_collects_hide_no_request_that_is_overdue(here: WindowDesk, clerk: Browser) -> None:
    """The desk has a hundred lines, and a busy window that many uncollected copies after a day."""

    def write(connection: Connection) -> None:
        for number in range(1, 104):
            asked, at_ms = draft(number), here.clock() - (5 * 86_400_000 if number == 1 else 0)
            desk.draft(connection, LIN, asked, KEY, at_ms)
            desk.take(connection, LIN, asked.request_id, Step.SUBMIT, at_ms)
        issued = [one.request_id.bytes for one in ledger.listed(connection, limit=102)]
        mine = request_history.c.request_id.in_(issued)
        connection.execute(update(request_history).where(mine, request_history.c.seq == 2).values(state="issued"))
        connection.execute(update(lookup_request).where(lookup_request.c.request_id.in_(issued)).values(state="issued"))

    await here.database.write(write)
    pages = [(await clerk.get(f"/window?view={view}")).text for view in ("mine", "all")]

    assert [("-000001" in page, "逾期" in words_in(page), page.count("-0000") >= 90) for page in pages] == [
        (True, True, True),
        (True, True, True),
    ]


async def test_a_new_answer_is_marked_on_the_desk_however_many_questions_were_asked_before(
    here: WindowDesk, clerk: Browser
) -> None:
    """Three hundred questions of other requests, of which nothing is new, hide nothing."""
    await add_sites(here)
    path = await submitted(clerk)
    request_id = path.rpartition("/")[2]

    def write(connection: Connection) -> None:
        (known,) = connection.execute(select(lookup).where(lookup.c.request_id == request_id)).all()
        others = [
            {**known._mapping, "lookup_id": str(uuid4()), "request_id": str(uuid4()), "changed_at_ms": 1}
            for _ in range(300)
        ]
        connection.execute(insert(lookup), others)
        connection.execute(update(lookup).where(lookup.c.request_id == request_id).values(news_at_ms=2))

    before = await clerk.get("/window")
    await here.database.write(write)
    after = await clerk.get("/window")

    assert ("新答复" in words_in(before.text), "新答复" in words_in(after.text)) == (False, True)


# Cases, research, papers, rules


async def test_a_case_says_what_is_missing_links_requests_and_counts_without_names(
    here: WindowDesk, clerk: Browser
) -> None:
    await submitted(clerk)
    (one,) = await registered(here)
    kinds = (await clerk.get(f"/window/cases/{uuid4()}")).text
    kind = re.search(r'id="kind" name="kind"><option value="([^"]+)"', kinds)
    assert kind is not None
    path = f"/window/cases/{uuid4()}"
    fields = {"case_no": "(2026)某人调字第12号", "body": "某镇人民调解委员会", "kind": kind[1], "place": "某村"}
    fields |= {"party_count": "2", "opened_on": "2026-03-02", "result": "pending", "source": "applied"}
    saved = await clerk.post(path, fields)
    shown = words_in((await clerk.get(path)).text)
    document = {"document": str(uuid4()), "item": "application", "pages": "3", "copies": "1"}
    await clerk.post(f"{path}/add", document, shown_at=path)
    added = words_in((await clerk.get(path)).text)
    linked = await clerk.post(f"{path}/link", {"number": one.number}, shown_at=path)
    wrong = await clerk.post(f"{path}/link", {"number": "CD1999-000001"}, shown_at=path)
    report = words_in((await clerk.get("/window/cases/report?from=2026-01-01&to=2026-12-31")).text)

    assert (saved.status_code, "还缺：申请书或受理登记表" in shown) == (303, True)
    assert "还缺：权利义务告知书" in added
    assert (linked.status_code, wrong.status_code, "件数太少，不予显示" in report) == (303, 400, True)
    assert one.number in (await clerk.get(path)).text


async def test_research_is_planned_filled_in_and_taken_out_as_a_file(here: WindowDesk, clerk: Browser) -> None:
    address = f"{await submitted(clerk)}/research"
    begun = await clerk.post(address, {"title": "五十年代迁入人员", "columns": "姓名、迁入时间"})
    part = {"part": str(uuid4()), "title": "迁入名册", "site": "330523108000", "scope": "", "assignee": "lin.min"}
    await clerk.post(f"{address}/part", {**part, "state": "assigned", "note": ""}, shown_at=address)
    await clerk.post(
        f"{address}/line", {"line": str(uuid4()), "cell": ["乙某", "1955"], "entry": "", "page": ""}, shown_at=address
    )
    wrong = await clerk.post(
        f"{address}/line", {"line": str(uuid4()), "cell": ["丙某"], "entry": "x"}, shown_at=address
    )
    shown = words_in((await clerk.get(address)).text)
    taken = await clerk.post(f"{address}/file", {"kind": "csv"}, shown_at=address)
    book = await clerk.post(f"{address}/file", {"kind": "xlsx"}, shown_at=address)

    assert (begun.status_code, wrong.status_code, "没有出处" in shown) == (303, 400, True)
    assert ("乙某" in taken.content.decode("utf-8-sig"), book.content[:2]) == (True, b"PK")


async def test_ninety_people_compiled_from_the_papers_of_two_sites_with_a_source_for_each_fact(
    here: WindowDesk, clerk: Browser
) -> None:
    """The county's own case: who settled here in the 1950s, for the petition bureau."""
    await add_sites(here)
    path = await submitted(clerk)
    request_id, address = UUID(path.rpartition("/")[2]), f"{path}/research"
    found = await here.database.read(
        lambda c: {row.site: row.record_id for row in c.execute(select(entry.c.site, entry.c.record_id))}
    )
    register, lease = UUID(bytes=found[OFFICE]), UUID(bytes=found[NEW])
    await clerk.post(address, {"title": "五十年代迁入人员", "columns": "姓名、迁入时间"})

    def compile_lines(connection: Connection) -> None:
        for site, state, note in ((OFFICE, "done", ""), (NEW, "done", ""), (FAR, "unreachable", "该村目录未录入")):
            part = Part(part_id=uuid4(), title=site, site=site, assignee="li", state=PartState(state), note=note)
            compiling.put_part(connection, LIN, request_id, part, here.clock())
        for number in range(90):
            source = LineSource(site=OFFICE, record_id=register, ref_code="", page_no=str(number + 1))
            line = Line(line_id=UUID(int=number), cells=(f"迁{number:02}", "1955"), sources=(source,))
            compiling.put_line(connection, LIN, request_id, line, here.clock())

    await here.database.write(compile_lines)
    second = {"line": str(UUID(int=7)), "page": "3", "proves": "迁入时间"}
    copied = f"{here.url}/catalogue/{NEW}/{lease}?q=1"
    sent = [await clerk.post(f"{address}/source", {**second, "entry": copied}, shown_at=address) for _ in range(2)]
    gone = await clerk.post(f"{address}/source", {**second, "line": str(uuid4()), "entry": copied}, shown_at=address)
    book = await clerk.post(f"{address}/file", {"kind": "xlsx"}, shown_at=address)
    with python_calamine.load_workbook(io.BytesIO(book.content)) as taken:
        table, scope = (taken.get_sheet_by_index(at).to_python() for at in (0, 1))

    assert [one.status_code for one in (*sent, gone)] == [303, 303, 400]
    assert (len(table), len(scope)) == (91, 4)
    assert all(OFFICE in str(row[3]) and str(register) in str(row[4]) for row in table[1:])
    assert [str(row[3]).count("；") for row in table[1:]] == [0] * 7 + [1] + [0] * 82
    assert (NEW in str(table[8][3]), "证“迁入时间”" in str(table[8][3])) == (True, True)
    assert any("未能查" in map(str, row) and "该村目录未录入" in map(str, row) for row in scope)


async def test_a_line_is_corrected_where_it_stands_and_a_wrong_source_taken_off(
    here: WindowDesk, clerk: Browser
) -> None:
    """A slip of the pen must not cost the sources that were found for the line."""
    await add_sites(here)
    path = await submitted(clerk)
    request_id, address, line = UUID(path.rpartition("/")[2]), f"{path}/research", UUID(int=7)
    found = await here.database.read(
        lambda c: {row.site: row.record_id for row in c.execute(select(entry.c.site, entry.c.record_id))}
    )
    await clerk.post(address, {"title": "五十年代迁入人员", "columns": "姓名、迁入时间"})
    for site in (OFFICE, NEW):
        source = {"line": str(line), "entry": f"{site}/{UUID(bytes=found[site])}", "page": "3"}
        added: dict[str, str | list[str]] = {**source, "cell": ["迁乙", "1595"]}
        verb = "line" if site == OFFICE else "source"
        await clerk.post(f"{address}/{verb}", added, shown_at=address)
    form = (await clerk.get(address)).text
    offered = [unescape(one) for one in re.findall(r'name="off" value="([^"]*)"', form)]
    wrong = [one for one in offered if OFFICE in one]
    corrections: tuple[dict[str, str | list[str]], ...] = (
        {"cell": ["迁乙", "1955"], "off": wrong},
        {"cell": ["", "1955"]},
        {"cell": ["迁乙", "1955"], "off": "nonsense"},
    )
    sent = [
        await clerk.post(f"{address}/correct", {"line": str(line), **fields}, shown_at=address)
        for fields in corrections
    ]
    made = await here.database.read(lambda c: compiling.present(c, request_id).lines)

    assert ([one.status_code for one in sent], len(offered), len(wrong)) == ([303, 400, 400], 2, 1)
    assert [(one.cells, [source.site for source in one.sources]) for one in made] == [(("迁乙", "1955"), [NEW])]


@pytest.mark.parametrize(("language", "title"), [("zh", "查档申请登记表"), ("en", "Request for records")])
async def test_papers_and_rules_are_in_the_readers_language(here: WindowDesk, language: str, title: str) -> None:
    browser = await here.signed_in(Role.CLERK, language=language)
    async with browsing(browser):
        address = await submitted(browser)
        form = await browser.get(f"{address}/form")
        rules = await browser.get("/window/rules")
        nothing = await browser.get(f"{address}/statement")

    assert (title in form.text, "330523********0015" in form.text, NUMBER in form.text) == (True, True, False)
    assert ("R04" in rules.text, nothing.status_code) == (True, 200)


async def test_a_title_that_a_holder_keeps_back_is_said_to_be_in_the_readers_language(here: WindowDesk) -> None:
    await add_sites(here)
    browser = await here.signed_in(Role.CLERK, language="en")
    async with browsing(browser):
        address = await submitted(browser)
        (one,) = await registered(here)
        async for _ in here.county.desk.watch(one.content.questions[0].question_id):
            pass
        page = words_in((await browser.get(address)).text)

    assert ("(its title is not shown)" in page, UNTOLD_TITLE in page) == (True, False)


async def test_a_request_is_found_by_its_number_and_another_is_said_not_to_exist(
    here: WindowDesk, clerk: Browser
) -> None:
    address = await submitted(clerk)
    (one,) = await registered(here)
    found = await clerk.get(f"/window/find?number=%20{one.number.lower()}%20")
    missing = await clerk.get("/window/find?number=CD2026-999999")

    assert (found.headers["location"], missing.status_code) == (address, 404)
    assert "没有登记号为 CD2026-999999 的申请" in words_in(missing.text)


@pytest.mark.parametrize(("text", "pages"), [("", ()), ("1-3、5", (1, 2, 3, 5)), (" 7 ", (7,)), ("2,2;1", (1, 2))])
def test_page_numbers_are_read_as_clerks_type_them(text: str, pages: tuple[int, ...]) -> None:
    assert pages_of(text) == pages


@pytest.mark.parametrize("text", ["0", "3-1", "x", "1-9999", "１", "-3"])
def test_page_numbers_that_are_none_are_refused(text: str) -> None:
    with pytest.raises(BadValue, match="page numbers"):
        pages_of(text)
