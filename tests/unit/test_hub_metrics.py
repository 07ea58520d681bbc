"""Figures and health for monitors: well formed, with a token, and without a word about persons or content."""

import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from hub.alarm.health import Counted, Health, HubReport, health_of
from hub.alarm.metrics import BOUNDS_S, Times
from hub.alarm.stalls import BrokerSigns
from hub.staff.tokens import Scope
from hub.web.reach import Reach
from protocol.errors import Retryable
from protocol.wording import Text
from tests.consoles import Desk, desk
from tests.interfaces import asking, interface

LINE = re.compile(r'([a-z_]+)(\{[a-z]+="[^"\\\n]*"(,[a-z]+="[^"\\\n]*")*\})? -?[0-9.e+-]+')


@pytest.fixture
async def here(tmp_path: Path) -> AsyncIterator[Desk]:
    async with interface(tmp_path) as made:
        yield made


async def figures(here: Desk) -> str:
    async with await asking(here, Scope.METRICS, Scope.SITES) as monitor:
        await monitor.get("/api/v1/sites")
        answer = await monitor.get("/metrics")
    assert (answer.status_code, answer.headers["content-type"].partition(";")[0]) == (200, "text/plain")
    return answer.text


async def test_figures_are_in_the_text_format_of_prometheus(here: Desk) -> None:
    lines = (await figures(here)).splitlines()
    told = [line for line in lines if not line.startswith("#")]
    typed = {line.split()[2] for line in lines if line.startswith("# TYPE")}

    assert [line for line in told if not LINE.fullmatch(line)] == []
    assert {re.sub("_(bucket|sum|count)$", "", line.partition("{")[0].split()[0]) for line in told} <= typed


async def test_figures_are_those_of_the_board(here: Desk) -> None:
    outlook = await here.backstage.live.now()
    text = await figures(here)
    states = dict(re.findall(r'danglian_sites\{state="(\w+)"\} (\d+)', text))

    assert {state: int(count) for state, count in states.items() if count != "0"} == {
        word.value: count for word, count in outlook.words.items()
    }
    assert f"danglian_records {outlook.records}\n" in text


async def test_figures_name_no_person_and_no_title(here: Desk) -> None:
    assert re.findall(r"[\u4e00-\u9fff]+", await figures(here)) == []


async def test_figures_need_a_token(here: Desk) -> None:
    async with await asking(here) as stranger:
        answer = await stranger.get("/metrics")

    assert answer.status_code == 401


async def test_answers_are_counted_by_how_long_they_took(here: Desk) -> None:
    assert 'danglian_answer_seconds_count{operation="listSites",status="200"} 1' in await figures(here)


def test_each_answer_is_counted_in_one_part() -> None:
    times = Times()
    for took_s in (0.0, BOUNDS_S[0], BOUNDS_S[-1] + 1):
        times.note("x", 200, took_s)

    assert times.taken["x", 200].counts == [2, *[0] * (len(BOUNDS_S) - 1), 1]


NOW_MS = 1_790_000_000_000
WELL = Counted(
    report=HubReport(broker=BrokerSigns(is_connected=True, pending=0), disk_free_bytes=10**12), reported_at_ms=NOW_MS
)


class Told:
    """A hub that is as a test says."""

    def __init__(self) -> None:
        self.counted = WELL
        self.fault: Retryable | None = None

    async def look(self) -> Health:
        if self.fault is not None:
            raise self.fault
        return health_of(self.counted, NOW_MS)


async def test_health_is_200_while_the_hub_works_and_503_while_it_does_not(tmp_path: Path) -> None:
    told = Told()
    async with desk(tmp_path, reach=Reach(health=told.look)) as here, await asking(here) as monitor:
        well = await monitor.get("/health")
        told.counted = Counted(report=None, reported_at_ms=0)
        never = await monitor.get("/health")
        told.fault = Retryable(Text(zh="正忙", en="busy"))
        busy = await monitor.get("/health")

    assert [one.status_code for one in (well, never, busy)] == [200, 503, 503]
    assert (well.json()["standing"], never.json()["checks"]["running"]) == ("ok", "bad")


async def test_health_tells_standings_and_no_words(tmp_path: Path) -> None:
    """Who asks has shown no token."""
    told = Told()
    async with desk(tmp_path, reach=Reach(health=told.look)) as here, await asking(here) as stranger:
        answer = await stranger.get("/health")

    assert (set(answer.json()), set(answer.json()["checks"].values())) == ({"standing", "checks", "at_ms"}, {"ok"})
    assert re.findall(r"[\u4e00-\u9fff]+", answer.text) == []


async def test_a_console_beside_no_hub_has_no_health(here: Desk) -> None:
    async with await asking(here) as stranger:
        assert (await stranger.get("/health")).status_code == 404
