"""A lookup from its question to its last late answer, between real stores over a bus in memory."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from uuid import UUID, uuid4

import msgspec
import pytest
from sqlalchemy import Connection
from structlog.testing import capture_logs

from hub import audit
from hub.searching.search import Query
from hub.window import late_answers, lookup_answers, lookup_ledger, lookup_reading, lookups
from hub.window.late_answers import answer_handler
from hub.window.lookup_ledger import StoredLookup
from hub.window.lookup_views import LookupView
from node.keeper import audit as site_audit
from protocol.calls import LookedUp, Outcome
from protocol.errors import BadValue, Retryable
from protocol.letters import Letter
from protocol.lookup_cases import LookupCase
from protocol.lookup_policy import Policy, PolicyRule, Treatment
from protocol.lookups import LOOKUP_ANSWERED, LookupAnswered, LookupState, Route, SiteOutcome
from protocol.wording import Text
from tests.window_county import DAY_MS, NOW_MS, REQUEST, County, county, order, row

OLD, NEW, FAR = "330523108204", "330523108205", "330523106201"
TOWN = "330523108000"


@pytest.fixture
async def made(tmp_path: Path) -> AsyncIterator[tuple[County, AsyncExitStack]]:
    async with county(tmp_path) as (one, stack):
        await one.add(stack, OLD, "大溪村档案室", [row(1, "大溪村山林承包合同", "19861203")])
        await one.add(stack, NEW, "横路村档案室", [row(2, "大溪村与横路村山林流转合同", "20140506")])
        await one.add(stack, FAR, "石岭村档案室", [row(3, "石岭村选举材料", "19900101")])
        yield one, stack


def outcomes(view: LookupView) -> dict[str, str]:
    return {one.site: one.outcome.value for one in view.sites}


def titles(view: LookupView) -> set[str]:
    return {hit.record.title for hit in view.hits}


async def kept(one: County, number: int) -> StoredLookup:
    found = await one.database.read(lambda connection: lookup_ledger.found(connection, UUID(int=number)))
    assert found is not None
    return found


BOTH = {"大溪村山林承包合同", "大溪村与横路村山林流转合同"}


async def test_the_index_answers_first_and_the_sites_confirm(made: tuple[County, AsyncExitStack]) -> None:
    one, _ = made
    views = await one.ask(order(1, "大溪村 山林"))

    first, last = views[0], views[-1]
    assert (first.state, titles(first), {hit.live for hit in first.hits}) == (LookupState.SEARCHING, BOTH, {False})
    assert (last.state, titles(last), {hit.live for hit in last.hits}) == (LookupState.FOUND, BOTH, {True})
    assert outcomes(last) == {OLD: "answered", NEW: "answered", FAR: "not_asked"}
    assert last.finished


async def test_whoever_watches_is_woken_by_each_answer_and_at_the_end(made: tuple[County, AsyncExitStack]) -> None:
    """A page's stream waits for news, not for an interval."""
    one, _ = made
    one.sites[NEW].hangs = True
    asked = order(1, "大溪村 山林")
    await one.desk.begin(asked)
    seen: list[dict[str, str]] = []
    async with asyncio.timeout(10):
        while (under_way := one.desk.under_way([asked.lookup_id])).lookups:
            await under_way.changed()
            seen.append(outcomes(await one.view(asked.lookup_id)))

    assert (seen[0][OLD], seen[0][NEW]) == ("answered", "waiting")
    assert (len(seen), seen[-1][NEW]) == (2, "pending")


async def test_sites_are_asked_behind_the_page_that_shows_the_index(
    made: tuple[County, AsyncExitStack], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two hundred questions and answers would be worked on before the page that the clerk waits for."""
    monkeypatch.setattr(lookups, "HEAD_START_S", 60.0)
    one, _ = made
    asked = order(1, "大溪村 山林")
    await one.desk.begin(asked)
    first, heard = await one.view(asked.lookup_id), await one.sites[OLD].lines()
    one.desk.index_shown([asked.lookup_id])
    views = [view async for view in one.desk.watch(asked.lookup_id)]

    assert (titles(first), outcomes(first)[OLD], heard) == (BOTH, "waiting", [])
    assert outcomes(views[-1])[OLD] == "answered"


async def test_the_live_part_of_a_lookup_goes_before_frames(made: tuple[County, AsyncExitStack]) -> None:
    """Its page watches by a stream that stays open, and nothing waits for that."""
    one, _ = made
    before = one.precedence.is_quiet
    await one.desk.begin(order(1, "大溪村 山林"))
    await asyncio.sleep(0)

    assert (before, one.precedence.is_quiet) == (True, False)


async def test_a_question_can_be_put_down_with_whatever_belongs_to_it(made: tuple[County, AsyncExitStack]) -> None:
    """What fails in the transaction takes the question with it; nobody is asked before it is on the disk."""
    one, _ = made
    asked = order(1, "大溪村 山林")
    prospect = await one.desk.foresee(asked.query, asked.places)

    def broken(connection: Connection) -> None:
        one.desk.put_down(connection, asked, prospect, NOW_MS)
        message = "what belongs to it fails"
        raise BadValue(Text(zh="", en=message))

    with pytest.raises(BadValue, match="fails"):
        await one.database.write(broken)
    gone = await one.database.read(lambda connection: lookup_ledger.found(connection, asked.lookup_id))
    opened = [
        await one.database.write(lambda connection: one.desk.put_down(connection, asked, prospect, NOW_MS))
        for _ in range(2)
    ]
    one.desk.set_off([asked.lookup_id])
    views = [view async for view in one.desk.watch(asked.lookup_id)]

    assert (gone, opened, outcomes(views[-1])[OLD]) == (None, [True, False], "answered")


async def test_who_cannot_hold_the_answer_learns_nothing(made: tuple[County, AsyncExitStack]) -> None:
    one, _ = made
    await one.ask(order(1, "大溪村 山林"))

    assert [message.subject for message in one.broker.sent if f".{FAR[6:9]}.{FAR[9:]}." in message.subject] == []
    assert await one.sites[FAR].lines() == []
    assert len(await one.sites[OLD].lines()) == 1


async def test_widening_asks_the_others_and_is_logged_with_its_reason(made: tuple[County, AsyncExitStack]) -> None:
    one, _ = made
    await one.ask(order(1, "大溪村 山林"))
    views = [view async for view in one.desk.widen(UUID(int=1001), because="老地名可能已划归石岭", by="lin.min")]

    (far,) = [site for site in views[-1].sites if site.site == FAR]
    lines = await one.database.read(lambda connection: audit.listed(connection, action="lookup_widened", limit=10))
    assert (far.route, far.outcome) == (Route.WIDENED, SiteOutcome.NOTHING)
    assert "老地名可能已划归石岭" in lines[0].detail
    assert views[-1].widened_because == "老地名可能已划归石岭"


async def test_a_number_in_the_reason_for_widening_stands_nowhere(made: tuple[County, AsyncExitStack]) -> None:
    one, _ = made
    await one.ask(order(1, "大溪村 山林"))
    because = "330523190001010015 本人称在石岭"
    views = [view async for view in one.desk.widen(UUID(int=1001), because=because, by="lin.min")]

    assert views[-1].widened_because == "330523********0015 本人称在石岭"


async def test_widening_without_a_reason_is_refused(made: tuple[County, AsyncExitStack]) -> None:
    one, _ = made
    await one.ask(order(1, "大溪村 山林"))
    with pytest.raises(BadValue, match="reason"):
        _ = [view async for view in one.desk.widen(UUID(int=1001), because="  ", by="lin.min")]


async def test_a_site_that_is_away_answers_on_its_return(made: tuple[County, AsyncExitStack]) -> None:
    """The forest contract's two papers: one holder is offline when the mediator asks."""
    one, _ = made
    await one.sites[NEW].go()
    before = (await one.ask(order(1, "大溪村 山林")))[-1]
    one.now_ms += 3 * DAY_MS
    await one.sites[NEW].start()
    await one.correspond()
    after = await one.view(UUID(int=1001))
    (late,) = [site for site in after.sites if site.site == NEW]
    news = await one.database.read(lambda connection: lookup_reading.with_news(connection, [REQUEST]))

    assert (before.state, outcomes(before)[NEW], before.waiting_for) == (LookupState.PARTIAL, "pending", (NEW,))
    assert (after.state, late.outcome, late.is_late) == (LookupState.FOUND, SiteOutcome.ANSWERED, True)
    assert {(hit.record.title, hit.live, hit.is_late) for hit in after.hits if hit.site == NEW} == {
        ("大溪村与横路村山林流转合同", True, True)
    }
    assert news == {REQUEST}
    assert after.ended_at_ms == one.now_ms


async def test_a_site_that_hangs_is_asked_by_letter(made: tuple[County, AsyncExitStack]) -> None:
    one, _ = made
    one.sites[NEW].hangs = True
    before = (await one.ask(order(1, "大溪村 山林")))[-1]
    one.sites[NEW].hangs = False
    await one.correspond()

    assert outcomes(before)[NEW] == "pending"
    assert outcomes(await one.view(UUID(int=1001)))[NEW] == "answered"


async def test_the_mark_goes_when_somebody_has_looked(made: tuple[County, AsyncExitStack]) -> None:
    one, _ = made
    await one.sites[NEW].go()
    await one.ask(order(1, "大溪村 山林"))
    await one.sites[NEW].start()
    await one.correspond()
    marked = await one.database.read(lambda connection: lookup_reading.with_news(connection, [REQUEST]))
    await one.database.write(lambda connection: lookup_reading.mark_seen(connection, REQUEST))
    after = await one.database.read(lambda connection: lookup_reading.with_news(connection, [REQUEST]))

    assert (marked, after) == ({REQUEST}, set())


async def test_a_question_ends_by_rule_and_says_so(made: tuple[County, AsyncExitStack]) -> None:
    one, _ = made
    await one.sites[NEW].go()
    await one.ask(order(1, "大溪村 山林"))
    one.now_ms += 15 * DAY_MS
    ended = await one.expire()
    view = await one.view(UUID(int=1001))
    again = await one.expire()

    assert (ended, again) == (1, 0)
    assert (view.is_expired, outcomes(view)[NEW], view.state) == (True, "expired", LookupState.FOUND)


async def test_many_questions_that_are_over_are_ended_in_turns(
    made: tuple[County, AsyncExitStack], monkeypatch: pytest.MonkeyPatch
) -> None:
    """After days at rest nobody waits for one long transaction."""
    monkeypatch.setattr(late_answers, "AT_ONCE", 2)
    one, _ = made
    await one.sites[NEW].go()
    for number in range(3):
        await one.ask(order(number, "大溪村 山林"))
    one.now_ms += 16 * DAY_MS

    assert [await one.expire() for _ in range(3)] == [2, 1, 0]


async def test_nothing_found_is_no_proof_while_a_site_is_silent(made: tuple[County, AsyncExitStack]) -> None:
    """Promise 10: an empty answer of whoever could be reached is not "there is none"."""
    one, _ = made
    await one.sites[NEW].go()
    query = Query(words="饮用水工程", livelihood_kind="")
    waiting = (await one.ask(order(1, "", query=query, places=("大溪村", "横路村"))))[-1]
    one.now_ms += 15 * DAY_MS
    await one.expire()
    over = await one.view(UUID(int=1001))
    await one.sites[NEW].start()
    await one.beat(one.sites[OLD])
    later = order(2, "", query=query, places=("大溪村", "横路村"), expires_at_ms=one.now_ms + DAY_MS)
    sure = (await one.ask(later))[-1]

    assert (waiting.state, over.state, sure.state) == (
        LookupState.WAITING,
        LookupState.INCONCLUSIVE,
        LookupState.NOT_FOUND,
    )


async def test_the_same_order_again_asks_nobody(made: tuple[County, AsyncExitStack]) -> None:
    one, _ = made
    await one.ask(order(1, "大溪村 山林"))
    again = await one.ask(order(1, "大溪村 山林"))

    assert len(await one.sites[OLD].lines()) == 1
    assert (again[-1].state, len(again)) == (LookupState.FOUND, 1)


async def test_a_question_without_a_purpose_goes_nowhere(made: tuple[County, AsyncExitStack]) -> None:
    one, _ = made
    with pytest.raises(BadValue, match="purpose"):
        await one.ask(order(1, "大溪村 山林", case=LookupCase(request_id=REQUEST)))
    assert await one.sites[OLD].lines() == []


async def test_a_holders_refusal_stands_at_both_ends_and_its_copy_is_gone(
    made: tuple[County, AsyncExitStack],
) -> None:
    one, _ = made
    await one.sites[OLD].stop()
    one.sites[OLD].policy = Policy(name="shut", rules=(PolicyRule(treatment=Treatment.REFUSE),))
    await one.sites[OLD].start()
    last = (await one.ask(order(1, "大溪村 山林")))[-1]
    (there,) = await one.sites[OLD].lines()
    here = await one.database.read(lambda connection: audit.listed(connection, action="lookup_answered", limit=10))

    assert outcomes(last)[OLD] == "refused"
    assert {hit.site for hit in last.hits} == {NEW}
    assert (there.outcome, site_audit.detail_of(there).withheld) == ("refused", 1)
    assert [(line.origin, line.outcome) for line in here if line.outcome == "refused"] == [(OLD, "refused")]


def answer(lookup_id: UUID, digest: str) -> Letter:
    body = LookupAnswered(lookup_id=lookup_id, question_digest=digest, outcome=Outcome.NOTHING, body=LookedUp(total=0))
    return Letter(
        letter_id=uuid4(),
        topic=lookup_id,
        kind=LOOKUP_ANSWERED,
        body=msgspec.Raw(msgspec.json.encode(body)),
        written_at_ms=NOW_MS,
    )


async def test_an_answer_to_another_question_or_to_none_is_refused_and_counted(
    made: tuple[County, AsyncExitStack],
) -> None:
    one, _ = made
    await one.sites[NEW].go()
    await one.ask(order(1, "大溪村 山林"))
    await one.ask(order(2, "横路村 山林"))
    first, second = [await kept(one, number) for number in (1001, 1002)]
    handle = answer_handler(one.clock)
    for site, letter in (
        (NEW, answer(second.lookup_id, first.digest)),
        (NEW, answer(UUID(int=9), first.digest)),
        (OLD, answer(first.lookup_id, first.digest)),
        (NEW, answer(UUID(int=9), first.digest)),
    ):
        await one.database.write(lambda connection, s=site, a=letter: handle(connection, s, a))  # type: ignore[misc]
    strays = await one.database.read(lambda connection: lookup_reading.stray_answers(connection, 10))

    assert {(stray.site, stray.fault, stray.times) for stray in strays} == {
        (NEW, "other_question", 1),
        (NEW, "never_asked", 2),
        (OLD, "never_asked", 1),
    }
    assert outcomes(await one.view(UUID(int=1002)))[NEW] == "pending"


async def test_an_answer_that_comes_again_or_too_late_changes_nothing(made: tuple[County, AsyncExitStack]) -> None:
    one, _ = made
    await one.sites[NEW].go()
    await one.ask(order(1, "大溪村 山林"))
    await one.ask(order(2, "横路村 山林"))
    stored = [await kept(one, number) for number in (1001, 1002)]
    handle = answer_handler(one.clock)

    async def come(number: int) -> None:
        letter = answer(stored[number].lookup_id, stored[number].digest)
        await one.database.write(lambda connection: handle(connection, NEW, letter))

    await come(0)
    await come(0)
    one.now_ms += 15 * DAY_MS
    await one.expire()
    await come(1)
    strays = await one.database.read(lambda connection: lookup_reading.stray_answers(connection, 10))

    assert {(stray.lookup_id, stray.fault) for stray in strays} == {
        (str(stored[0].lookup_id), "repeated"),
        (str(stored[1].lookup_id), "over"),
    }
    assert outcomes(await one.view(UUID(int=1002)))[NEW] == "expired"


async def test_what_a_restart_cut_off_goes_by_letter(made: tuple[County, AsyncExitStack]) -> None:
    one, _ = made
    one.sites[NEW].hangs = True
    async for _view in one.desk.start(order(1, "大溪村 山林")):
        break
    async with one.desk.opened():
        pass
    cut = await one.view(UUID(int=1001))
    one.now_ms += DAY_MS
    await one.expire()

    assert outcomes(cut)[NEW] == "waiting"
    assert outcomes(await one.view(UUID(int=1001)))[NEW] == "pending"


async def test_a_store_that_is_away_while_sites_answer_is_no_defect(
    made: tuple[County, AsyncExitStack], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was left waiting goes by letter as soon as the store is back."""

    def busy(*_: object, **__: object) -> None:
        raise Retryable(Text(zh="库忙", en="the store is busy"))

    one, _ = made
    with monkeypatch.context() as patch, capture_logs() as told:
        patch.setattr(lookup_answers, "take", busy)
        await one.ask(order(1, "大溪村 山林"))
    one.now_ms += DAY_MS
    await one.expire()

    assert [line["event"] for line in told if line["event"].startswith("lookup_")] == ["lookup_interrupted"]
    assert outcomes(await one.view(UUID(int=1001)))[OLD] == "pending"


async def test_a_watcher_that_goes_away_stops_nothing(made: tuple[County, AsyncExitStack]) -> None:
    one, _ = made
    async for _view in one.desk.start(order(1, "大溪村 山林")):
        break
    rest = [view async for view in one.desk.watch(UUID(int=1001))]

    assert (rest[-1].state, titles(rest[-1])) == (LookupState.FOUND, BOTH)
