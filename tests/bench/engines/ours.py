"""Our own search over the same titles: through the hub's sink, asked as the hub's commands and pages ask."""

import asyncio
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from functools import partial
from itertools import islice
from pathlib import Path

from sqlalchemy import Connection

from hub.searching.search import Page, Query, search
from hub.storage.tidying import merge
from protocol.sites import parse_site
from replication.acceptance import AcceptedFrame
from replication.database import Database, opened
from tests.bench import rows
from tests.bench.engines.rounds import Answer, contend, folder_bytes
from tests.bench.engines.titles import PAGE_HITS, Question, Title
from tests.catalogue import accepted, described
from tests.hubs import MIGRATIONS, Hub

FRAME_ROWS = 500
FRAMES_AT_ONCE = 16
READER_CACHE_KIB = 200 * 1024


class Danglian:
    """The hub's catalogue in a file."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._runner = asyncio.Runner()
        self._opened = AsyncExitStack()
        self._database = self._runner.run(self._opened.enter_async_context(self.opening()))

    def opening(self) -> AbstractAsyncContextManager[Database]:
        """Open the file."""
        return opened(self._folder / "hub.db", MIGRATIONS, readers=1, reader_cache_kib=READER_CACHE_KIB)

    def settle(self) -> None:
        """Put the index in order, as the hub does while nothing arrives; part of building it."""
        while self._runner.run(self._database.write(merge)):
            pass

    def build(self, titles: Iterable[Title]) -> float:
        """Apply frames of records, several a transaction, as the hub's inbox does."""
        preparing_s = self._runner.run(self._apply(titles))
        self.settle()
        return preparing_s

    async def _apply(self, titles: Iterable[Title]) -> float:
        hub, frames, preparing_s = Hub(self._database), _frames(titles), 0.0
        while True:
            began = time.perf_counter()
            some = list(islice(frames, FRAMES_AT_ONCE))
            preparing_s += time.perf_counter() - began
            if not some:
                return preparing_s
            await hub.apply(*some)

    def size_bytes(self) -> int:
        """Bytes of the whole catalogue: entries with all their fields, history and index."""
        return folder_bytes(self._folder)

    def answer(self, question: Question) -> Answer:
        """One page as the API gives it: ranked, explained, with what is alike."""
        return self._answer(partial(search, query=_query(question)))

    def bare(self, question: Question) -> Answer:
        """The same hits in the same ranks, without reasons and without what is alike, as the others answer."""
        return self._answer(partial(search, query=_query(question), is_bare=True))

    def _answer(self, step: Callable[[Connection], Page]) -> Answer:
        # Not ``Runner.run``: at each call it exchanges the handler of Ctrl-C, and ``signal`` then writes out the whole
        # task with its page: 0.8 ms that nobody waits for at a hub, whose loop runs all the time.
        page = self._runner.get_loop().run_until_complete(self._database.read(step))
        return Answer(page.total, [hit.record.date_latest.year for hit in page.hits if hit.record.date_latest])

    def close(self) -> None:
        """Close the file."""
        self._runner.run(self._opened.aclose())
        self._runner.close()


def _query(question: Question) -> Query:
    without = f" -{question.without}" if question.without else ""
    years = f" {question.years[0]}-{question.years[1]}" if question.years else ""
    return Query(words=" ".join(question.words) + without + years, site_glob=question.site, limit=PAGE_HITS)


def _frames(titles: Iterable[Title]) -> Iterator[AcceptedFrame]:
    """Full frames of each site, one behind the other."""
    waiting: dict[str, list[Title]] = {}
    told: dict[str, int] = {}
    for title in titles:
        some = waiting.setdefault(title.site, [])
        some.append(title)
        if len(some) == FRAME_ROWS:
            yield _frame(waiting.pop(title.site), told)
    for some in waiting.values():
        yield _frame(some, told)


def _frame(titles: list[Title], told: dict[str, int]) -> AcceptedFrame:
    site = titles[0].site
    first = told.get(site, 0) + 1
    told[site] = first + len(titles) - 1
    records = [rows.record(rows.row(title.number), site) for title in titles]
    return accepted([described(seq, record) for seq, record in enumerate(records, first)], parse_site(site), "e1")


if __name__ == "__main__":
    contend(Danglian)
