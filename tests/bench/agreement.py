"""Whether both stores answer alike: every question of ``tests.bench.search``, the whole first page, total and facets.

    python -m tests.bench.agreement --rows 10000000 --file FILE --url URL

Both catalogues are those that ``tests.bench.search`` makes; one that is empty is filled first. A total that is an upper
bound on one store ("at most": SQLite asks for less than a long phrase) agrees with any that is not above it.
"""

import argparse
import asyncio
import sys
from functools import partial
from pathlib import Path

from hub.searching.search import Page, Query, search
from replication.database import Database
from tests.bench.search import BUSY_BUDGET_S, filled, queries

QUESTIONS_A_CLASS = 10


def differing(one: Page, other: Page) -> list[str]:
    """Return what of two answers to a question is not the same."""
    found = []
    if [(hit.site, hit.record.record_id, hit.stage) for hit in one.hits] != [
        (hit.site, hit.record.record_id, hit.stage) for hit in other.hits
    ]:
        found.append("page")
    exact, bounded = sorted((one, other), key=lambda page: page.is_upper_bound)
    if bounded.is_upper_bound:
        if not exact.is_upper_bound and exact.total > bounded.total:
            found.append("total")
        return found
    if (one.total, one.exact) != (other.total, other.exact):
        found.append("total")
    if one.facets != other.facets:
        found.append("facets")
    return found


async def _asked(database: Database, query: Query) -> Page:
    return await database.read(partial(search, query=query, budget_s=BUSY_BUDGET_S))


async def compared(rows: int, file: Path, url: str) -> tuple[int, int, list[str]]:
    """Ask both stores everything; return the questions, the upper bounds among their totals, and what differs."""
    asked, bounds, found = 0, 0, []
    async with filled(rows, file) as in_file, filled(rows, file, url) as on_server:
        for name, some in queries(rows, QUESTIONS_A_CLASS).items():
            for query in some:
                one, other = await _asked(in_file, query), await _asked(on_server, query)
                asked += 1
                bounds += one.is_upper_bound or other.is_upper_bound
                if what := differing(one, other):
                    totals = f"{one.total:,} and {other.total:,}"
                    found.append(f"{name}: {query.words} {query.site_glob}: {', '.join(what)} ({totals})")
    return asked, bounds, found


def main() -> int:
    """Compare and print; 1 if anything differs."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.agreement", description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--file", type=Path, required=True)
    parser.add_argument("--url", required=True, help="of a PostgreSQL database, postgresql://...")
    arguments = parser.parse_args()
    asked, bounds, found = asyncio.run(compared(arguments.rows, arguments.file, arguments.url))
    print(f"{asked} questions, {len(found)} answers differ, {bounds} totals are an upper bound on one store")
    print("\n".join(found))
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
