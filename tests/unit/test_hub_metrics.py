"""Figures and health for monitors: well formed, with a token, and without a word about persons or content."""

import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from hub.alarm.metrics import BOUNDS_S, Times
from hub.staff.tokens import Scope
from tests.consoles import Desk
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


async def test_health_tells_standings_and_no_words(here: Desk) -> None:
    """The hub of this test has never reported: it does not work."""
    async with await asking(here) as stranger:
        answer = await stranger.get("/health")

    assert (answer.status_code, answer.json()["standing"], answer.json()["checks"]["running"]) == (503, "bad", "bad")
    assert re.findall(r"[\u4e00-\u9fff]+", answer.text) == []
