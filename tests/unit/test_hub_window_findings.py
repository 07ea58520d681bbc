"""What lookups do to the state of their request, up to late answers for one that was closed long ago."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy import Connection, func, select

from hub.searching.search import Query
from hub.window import desk, ledger, lookup_answers
from hub.window.requests import Request
from hub.window.states import State, Step
from protocol.errors import Refused
from protocol.lookup_cases import LookupCase
from replication.tables import letter_out
from tests.node_site import write_csv
from tests.window import KEY, LIN, WU, draft, uuid
from tests.window_county import DAY_MS, HEADER, NOW_MS, County, county, order, row

OLD, NEW = "330523108204", "330523108205"
CASE = LookupCase(request_id=uuid(1), case_ref="CD2026-000001", purpose="land_and_forest", requester="person")
ACCEPTED = (Step.SUBMIT, Step.CHECK_IDENTITY, Step.ACCEPT)


@pytest.fixture
async def one(tmp_path: Path) -> AsyncIterator[County]:
    """Two holders and an accepted request."""
    async with county(tmp_path) as (made, stack):
        await add(made, stack)
        yield made


async def add(made: County, stack: AsyncExitStack) -> None:
    await made.add(stack, OLD, "大溪村档案室", [row(1, "大溪村山林承包合同", "19861203")])
    await made.add(stack, NEW, "横路村档案室", [row(2, "大溪村与横路村山林流转合同", "20140506")])

    def write(connection: Connection) -> None:
        desk.draft(connection, LIN, draft(), KEY, NOW_MS)
        for step in ACCEPTED:
            desk.take(connection, LIN, uuid(1), step, NOW_MS)

    await made.database.write(write)


async def request(one: County) -> Request:
    return await one.database.read(lambda connection: ledger.present(connection, uuid(1)))


async def take(one: County, *steps: Step) -> None:
    def write(connection: Connection) -> None:
        for step in steps:
            desk.take(connection, LIN, uuid(1), step, one.now_ms, reason="理由")

    await one.database.write(write)


async def ask(one: County, number: int, words: str, **changes: object) -> None:
    await one.ask(order(number, words, case=CASE, **changes))


async def test_a_request_whose_sites_all_answered_is_found(one: County) -> None:
    await ask(one, 1, "大溪村 山林")
    found = await request(one)

    assert found.standing.state is State.FOUND
    assert [line.step for line in found.history[-3:]] == [Step.ROUTE, Step.SEARCH, Step.FIND]
    assert {line.who for line in found.history[-3:]} == {"hub:lookup"}


async def test_a_request_with_a_silent_site_is_partly_found_and_found_when_it_answers(one: County) -> None:
    await one.sites[NEW].go()
    await ask(one, 1, "大溪村 山林")
    before = (await request(one)).standing.state
    await one.sites[NEW].start()
    await one.correspond()

    assert (before, (await request(one)).standing.state) == (State.PARTIAL, State.FOUND)


async def test_a_request_that_asks_nobody_live_knows_at_once_what_was_found(one: County) -> None:
    """Nothing is left to do behind the transaction, so a hub that stops after it leaves no request searching."""
    for site in (OLD, NEW):
        await one.sites[site].go()
    states = []
    for number, words in ((1, "大溪村 山林"), (2, "没有人问的事")):
        asked = order(number, words, case=CASE)
        prospect = await one.desk.foresee(asked.query, asked.places)
        await one.database.write(lambda c, a=asked, p=prospect: one.desk.put_down(c, a, p, one.now_ms))  # type: ignore[misc]
        states.append(((await request(one)).standing.state, (await one.view(asked.lookup_id)).ended_at_ms))

    assert states == [(State.PARTIAL, None), (State.PARTIAL, one.now_ms)]


async def test_the_last_answer_ends_the_question_in_its_own_transaction(
    one: County, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The hub stops behind it."""

    def stop(*_: object) -> None:
        message = "the hub stops here"
        raise RuntimeError(message)

    monkeypatch.setattr(lookup_answers, "close_live", stop)
    await ask(one, 1, "大溪村 山林")

    assert (await request(one)).standing.state is State.FOUND
    assert (await one.view(UUID(int=1001))).ended_at_ms == one.now_ms


async def test_a_site_that_was_away_hears_nothing_of_a_request_that_was_withdrawn_meanwhile(one: County) -> None:
    await one.sites[NEW].go()
    await ask(one, 1, "大溪村 山林")
    await take(one, Step.WITHDRAW)
    ended = await one.expire()
    await one.sites[NEW].start()
    await one.correspond()
    view = await one.view(UUID(int=1001))
    kept = await one.database.read(lambda connection: connection.scalar(select(func.count()).select_from(letter_out)))

    assert (ended, await one.sites[NEW].lines(), kept) == (1, [], 0)
    assert [line.reason.zh for line in view.sites if line.site == NEW and line.reason] == ["申请已撤回或失效，不再询问"]
    assert (view.ended_at_ms, (await request(one)).standing.state) == (one.now_ms, State.WITHDRAWN)


async def test_the_letters_of_a_question_go_with_its_time(one: County) -> None:
    """They hold its words; a site that never comes back would have kept them in the store for ever."""
    await one.sites[NEW].go()
    await ask(one, 1, "大溪村 山林")
    before = await one.database.read(lambda connection: connection.scalar(select(func.count()).select_from(letter_out)))
    one.now_ms += 16 * DAY_MS
    await one.expire()
    after = await one.database.read(lambda connection: connection.scalar(select(func.count()).select_from(letter_out)))

    assert (before, after) == (1, 0)


async def test_nobody_is_asked_for_a_request_that_is_over_or_was_not_accepted(one: County) -> None:
    """Not from an old page, and not by a command: who is asked learns of a person."""
    await ask(one, 1, "大溪村 山林", query=Query(words="大溪村 山林", site_glob=OLD))
    await one.database.write(lambda connection: desk.draft(connection, LIN, draft(2), KEY, NOW_MS))
    await take(one, Step.WITHDRAW)
    asked = len(await one.sites[OLD].lines()), len(await one.sites[NEW].lines())

    for number, request_id in ((2, uuid(1)), (3, uuid(2))):
        case = LookupCase(request_id=request_id, case_ref="CD2026-000001", purpose="marriage", requester="person")
        with pytest.raises(Refused, match="no site is asked"):
            await one.ask(order(number, "大溪村 山林", case=case))
    with pytest.raises(Refused, match="no site is asked"):
        _ = [view async for view in one.desk.widen(UUID(int=1001), because="当事人称在横路村", by="lin.min")]
    assert (len(await one.sites[OLD].lines()), len(await one.sites[NEW].lines())) == asked == (1, 0)


async def test_what_nobody_has_is_not_found(one: County) -> None:
    await ask(one, 1, "饮用水工程", places=("大溪村",))

    assert (await request(one)).standing.state is State.NOT_FOUND


async def test_an_empty_answer_waits_for_silent_sites_and_says_at_the_end_that_it_is_incomplete(one: County) -> None:
    await one.sites[NEW].go()
    await ask(one, 1, "饮用水工程", places=("大溪村", "横路村"))
    waiting = (await request(one)).standing.state
    one.now_ms += 15 * DAY_MS
    await one.expire()
    over = await request(one)

    assert (waiting, over.standing.state) == (State.SEARCHING, State.NOT_FOUND)
    assert over.history[-1].reason == "所问站点答复不全"


async def test_what_was_found_without_a_site_that_never_answered_says_so(one: County) -> None:
    await one.sites[NEW].go()
    await ask(one, 1, "大溪村 山林")
    one.now_ms += 15 * DAY_MS
    await one.expire()
    over = await request(one)

    assert (over.standing.state, over.history[-1].reason) == (State.FOUND, "所问站点答复不全")


async def find_late(one: County) -> None:
    """The 2014 paper lies at a village that was dark while the 1986 one was handed over."""
    node = one.sites[NEW].node
    write_csv(node.folder / "新.csv", [row(5, "横路村山林确权结论", "20200101")], HEADER[:7])
    await node.settle()
    await one.sites[NEW].go()
    await ask(one, 1, "确权结论", query=Query(words="确权结论", site_glob=NEW))
    await take(one, Step.FIND_NOTHING, Step.DELIVER, Step.CLOSE)
    await one.sites[NEW].start()
    await one.correspond()


async def test_a_late_answer_opens_a_closed_request_again(one: County) -> None:
    await find_late(one)
    after = await request(one)

    assert [line.step for line in after.history[-2:]] == [Step.REOPEN, Step.FIND]
    assert after.standing.state is State.FOUND


async def test_a_closed_request_stays_closed_when_a_silent_site_says_nothing_or_a_question_ends(one: County) -> None:
    """It was opened again once for what was found late; it is not for every later word of others."""
    node = one.sites[NEW].node
    write_csv(node.folder / "新.csv", [row(5, "横路村山林确权结论", "20200101")], HEADER[:7])
    await node.settle()
    for site in (OLD, NEW):
        await one.sites[site].go()
    await ask(one, 1, "确权结论", places=("大溪村", "横路村"))
    await one.sites[NEW].start()
    await one.correspond()
    await take(one, Step.REVIEW_ACCESS)
    await one.database.write(lambda c: desk.take(c, WU, uuid(1), Step.APPROVE, one.now_ms))
    await take(one, Step.DELIVER, Step.CLOSE)
    await one.sites[OLD].start()
    await one.correspond()

    assert (await one.view(UUID(int=1001))).waiting_for == ()
    assert (await request(one)).standing.state is State.CLOSED


async def test_a_closed_request_stays_closed_when_what_the_index_had_is_confirmed(one: County) -> None:
    await one.sites[NEW].go()
    await ask(one, 1, "大溪村 山林")
    await take(one, Step.REVIEW_ACCESS)
    await one.database.write(lambda c: desk.take(c, WU, uuid(1), Step.APPROVE, one.now_ms))
    await take(one, Step.DELIVER, Step.CLOSE)
    await one.sites[NEW].start()
    await one.correspond()
    view = await one.view(UUID(int=1001))

    assert ({hit.live for hit in view.hits}, view.waiting_for) == ({True}, ())
    assert (await request(one)).standing.state is State.CLOSED


async def test_a_closed_request_stays_closed_when_the_time_of_its_question_is_over(one: County) -> None:
    """It has been opened for a late record before."""
    await find_late(one)
    await one.sites[OLD].go()
    await ask(one, 2, "饮用水工程", places=("大溪村",))
    await take(one, Step.REVIEW_ACCESS)
    await one.database.write(lambda c: desk.take(c, WU, uuid(1), Step.APPROVE, one.now_ms))
    await take(one, Step.DELIVER, Step.CLOSE)
    one.now_ms += 16 * DAY_MS
    ended = await one.expire()

    assert (ended, (await request(one)).standing.state) == (1, State.CLOSED)


async def test_a_late_answer_leaves_a_request_alone_on_which_people_work(one: County) -> None:
    await one.sites[NEW].go()
    await ask(one, 1, "大溪村 山林")
    await take(one, Step.REVIEW_ACCESS)
    await one.sites[NEW].start()
    await one.correspond()

    assert (await request(one)).standing.state is State.ACCESS_REVIEW
    assert (await one.view(UUID(int=1001))).news_at_ms == one.now_ms


async def test_a_lookup_of_a_request_that_nobody_knows_stands_by_itself(one: County) -> None:
    """A research list asks as well; its requests have no state machine here."""
    await one.ask(order(2, "大溪村 山林"))

    assert (await request(one)).standing.state is State.ACCEPTED
