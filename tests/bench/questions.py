"""Puts questions to every site as the hub does for a person at its screen, one after the other, over one warm link.

Worker: ``python -m tests.bench.questions HUB_HOME WORDS COUNT``; says ``asked`` for each question.
"""

import asyncio
import sys
import time
from pathlib import Path

from hub import config
from hub.commands.live import Reach, reaching
from hub.home import SCHEMA, HubHome, home_at
from hub.searching.federation import federated
from hub.searching.gathering import LIVE
from hub.searching.search import Query
from protocol.calls import Outcome
from replication.database import Database, opened
from replication.migrations import REPLICATION
from tests.bench.programs import say

WARM_QUESTIONS = 5
"""Questions before the measured ones."""


async def ask_all(home: HubHome, words: str, count: int) -> None:
    """Ask ``count`` questions and tell of each: first hits, last live answer, end (ms), and the sites by outcome."""
    async with (
        opened(home.database, [REPLICATION, SCHEMA], read_only=True, readers=2) as database,
        reaching(home, config.load(home.settings)) as reach,
    ):
        await reach.up()
        say("ready")
        for number in range(-WARM_QUESTIONS, count):
            await _ask(database, reach, Query(words=words), is_told=number >= 0)


async def _ask(database: Database, reach: Reach, query: Query, *, is_told: bool) -> None:
    began = time.monotonic()
    first = answered = live = late = 0.0
    async for state in federated(database, reach.asker, query, time.time_ns() // 10**6):
        if not first and state.page.hits:
            first = _ms(began)
        if state.latest is not None and state.latest.outcome in LIVE and not state.finished:
            answered, live = _ms(began), live + 1
    hits = state.newest()
    late = sum(report.outcome is Outcome.LATE for report in state.reports.values())
    if is_told:
        say("asked", first, answered, _ms(began), live, late, state.summary().total, len(hits))


def _ms(began: float) -> float:
    return (time.monotonic() - began) * 1e3


if __name__ == "__main__":
    asyncio.run(ask_all(home_at(Path(sys.argv[1])), sys.argv[2], int(sys.argv[3])))
