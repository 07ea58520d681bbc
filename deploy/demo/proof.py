"""The proof: what the hub's own code says of the county, the digests of every site and one live search."""

import time
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager

from deploy.demo.foundation import Foundation
from deploy.demo.look import Look, look
from deploy.demo.report import LiveSample
from hub.daemon import link_settings
from hub.repair.verification import verify
from hub.searching.federation import federated
from hub.searching.search import Query
from hub.storage import store
from protocol.limits import CALL_DEADLINE_S
from protocol.sites import parse_site
from replication.asking import Asker
from replication.connection import connected
from replication.database import Database
from replication.wall_clock import clock_ms

LIVE_QUERY = "林权"
"""A word that catalogues of forest villages have: every site is asked for it."""

ASKER = "demo"


class Prover:
    """Looks at the county and proves it, beside the running hub; made by `proving`."""

    def __init__(self, database: Database, asker: Asker, codes: Collection[str]) -> None:
        self._database = database
        self._asker = asker
        self._codes = codes

    async def look(self) -> Look:
        """Look at how far every site has come."""
        return await self._database.read(lambda found: look(found, self._codes))

    async def digests(self, codes: Collection[str]) -> dict[str, str]:
        """Compare both ends at these sites; a word for each, `equal` where they are."""
        sites = [parse_site(code) for code in codes]
        return {
            verdict.site: verdict.state.value async for verdict in verify(self._database, self._asker, sites, clock_ms)
        }

    async def live_sample(self) -> LiveSample:
        """Ask every node one question, as `danglian-hub search --live` does."""
        began_s = time.perf_counter()
        hits, outcomes = 0, {}
        query = Query(words=LIVE_QUERY)
        async for gathering in federated(self._database, self._asker, query, clock_ms(), deadline_s=CALL_DEADLINE_S):
            if gathering.finished:
                summary = gathering.summary()
                hits = summary.total
                outcomes = {outcome.value: count for outcome, count in summary.outcomes.items()}
        took_ms = (time.perf_counter() - began_s) * 1000
        return LiveSample(query=LIVE_QUERY, hits=hits, sites_by_outcome=outcomes, took_ms=round(took_ms, 1))


@asynccontextmanager
async def proving(foundation: Foundation) -> AsyncIterator[Prover]:
    """Open the hub's database and a link of our own to its broker, as a command of the hub does."""
    settings = link_settings(foundation.settings, foundation.hub, "danglian-demo")
    async with (
        store.opened(foundation.hub) as database,
        connected(settings) as link,
        Asker(link, ASKER).opened() as asker,
    ):
        yield Prover(database, asker, foundation.codes)
