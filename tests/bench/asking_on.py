"""Puts a question to every site again and again, with a pause as a person makes, until it is ended.

Worker: ``python -m tests.bench.asking_on HUB_HOME WORDS SITE``; says ``asked`` for each question: when the hub's index
had answered, when SITE had, when all had (ms), and how many sites answered live.
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
from replication.database import Database, opened
from replication.lifetime import run_until_stopped
from replication.migrations import REPLICATION
from tests.bench.programs import say

PAUSE_S = 0.15
"""Seconds between two questions: several people at their screens."""


async def ask_on(home: HubHome, words: str, site: str) -> None:
    """Ask for ever."""
    async with (
        opened(home.database, [REPLICATION, SCHEMA], read_only=True, readers=2) as database,
        reaching(home, config.load(home.settings)) as reach,
    ):
        await reach.up()
        say("ready")
        while True:
            await _ask(database, reach, Query(words=words), site)
            await asyncio.sleep(PAUSE_S)


async def _ask(database: Database, reach: Reach, query: Query, site: str) -> None:
    began = time.monotonic()
    index_ms = site_ms = 0.0
    live = 0
    async for state in federated(database, reach.asker, query, time.time_ns() // 10**6):
        now_ms = (time.monotonic() - began) * 1e3
        index_ms = index_ms or now_ms
        if state.latest is not None and state.latest.outcome in LIVE and not state.finished:
            live += 1
            if state.latest.site == site:
                site_ms = now_ms
    say("asked", index_ms, site_ms, (time.monotonic() - began) * 1e3, live)


if __name__ == "__main__":
    sys.exit(run_until_stopped(ask_on(home_at(Path(sys.argv[1])), sys.argv[2], sys.argv[3])))
