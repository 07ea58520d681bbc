"""The search index follows the records: nothing is lost by a kill between, and no answer claims what it lacks."""

from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path

import pytest

from node import indexing, search
from node.indexing import Indexing, catch_up
from node.keeper.answers import LIVE, answered
from node.search import find
from node.transfers.choosing import Selection, chosen
from protocol.calls import Health, Hits, Outcome, Search
from protocol.errors import Retryable
from protocol.lookup_policy import DEFAULT_POLICY
from replication.answering import Said
from replication.database import Database
from tests.node_site import NodeSite, node_site, rows, write_csv
from tests.unit.test_node_keeper_answers import NOW_MS, lookup


class KilledBefore(Indexing):
    """As if the program had been killed before the index could follow."""

    async def settle(self) -> None:
        """Do nothing."""


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[NodeSite]:
    """A site with ten records in the index, and twenty more that wait."""
    async with node_site(tmp_path / "home") as opened:
        write_csv(opened.folder / "a.csv", rows(10))
        await opened.take("a.csv")
        opened.importer.indexing = KilledBefore(opened.database)
        write_csv(opened.folder / "b.csv", rows(20, first=11))
        await opened.take("b.csv")
        yield opened


def question(query: str, limit: int = 50) -> Search:
    return Search(asker="a", question="q", query=query, language=query, limit=limit)


async def told(site: NodeSite, query: str) -> Said:
    async def health() -> Health:
        return Health(version="1")

    handlers = search.handlers(site.database, lambda: ("e1", 30), health)
    return await handlers[Search](question(query))


async def catch_up_whole(site: NodeSite) -> None:
    await Indexing(site.database).settle()


async def test_events_leave_before_the_index_has_their_records(site: NodeSite) -> None:
    assert len(await site.events()) == 30
    assert (await find(site.database, question("林地承包"))).total == 10


async def test_an_answer_says_how_many_records_wait_and_speaks_as_of_before_them(site: NodeSite) -> None:
    outcome, hits, *as_of = await told(site, "林地承包")

    assert isinstance(hits, Hits)
    assert (outcome, hits.total, hits.waiting, as_of) == (Outcome.ANSWERED, 10, 20, [("e1", 10)])


async def test_an_answer_that_has_everything_says_nothing_of_waiting(site: NodeSite) -> None:
    await catch_up_whole(site)
    outcome, hits, *as_of = await told(site, "林地承包")

    assert isinstance(hits, Hits)
    assert (outcome, hits.total, hits.waiting, as_of) == (Outcome.ANSWERED, 30, 0, [])


async def test_what_is_found_without_words_is_there_at_once(site: NodeSite) -> None:
    finding = await find(site.database, question(""))
    assert (finding.total, finding.waiting) == (30, 0)


async def test_records_that_wait_do_not_pass_for_such_without_a_word(site: NodeSite) -> None:
    """Whether they hold the word that is left out, only the index could say."""
    finding = await find(site.database, question("fonds:Z109 -会议"))
    assert (finding.total, finding.waiting) == (10, 20)


async def test_the_next_start_goes_on_where_a_kill_left_the_index(site: NodeSite) -> None:
    await site.database.write(partial(catch_up, most=7))
    found = [(await find(site.database, question("林地承包"))).total]
    site.importer.indexing = Indexing(site.database)
    await site.settle()
    found.append((await find(site.database, question("林地承包"))).total)

    assert found == [17, 30]


async def test_a_lookup_for_a_case_is_answered_over_everything(site: NodeSite) -> None:
    _, body = await site.database.write(
        lambda connection: answered(connection, DEFAULT_POLICY, lookup("第15号林地"), LIVE, "d", NOW_MS)
    )
    assert not hasattr(body, "reason_zh")
    assert body.total == 1


async def test_a_transfer_is_not_chosen_by_words_that_the_index_cannot_find_yet(site: NodeSite) -> None:
    """What is handed over is handed over whole."""
    by_words = partial(chosen, selection=Selection(query="林地承包"), receiver="330523")
    with pytest.raises(Retryable) as refusal:
        await site.database.read(by_words)
    await catch_up_whole(site)

    assert "约 20 条" in refusal.value.reason.zh
    assert len(await site.database.read(by_words)) == 30


async def test_of_a_new_epoch_what_waits_has_no_position(site: NodeSite) -> None:
    await site.database.write(indexing.begin_epoch)
    finding = await find(site.database, question("林地承包"))

    assert (finding.as_of, finding.waiting) == (0, 20)


async def test_an_import_lets_the_index_catch_up_before_too_many_records_wait(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    waited: list[int] = []

    class Watched(Indexing):
        async def keep_up(self) -> None:
            await super().keep_up()
            waited.append((await find(self._database, question("林地"))).waiting)

    monkeypatch.setattr(indexing, "WAITING_MAX", 8)
    monkeypatch.setattr("node.importing.CHUNK_ROWS", 5)
    async with node_site(tmp_path / "home") as site:
        site.importer.indexing = Watched(site.database)
        write_csv(site.folder / "a.csv", rows(20))
        await site.take("a.csv")

    assert waited == [5, 0, 5, 0]


async def test_beside_questions_an_import_stores_little_at_once_and_all_of_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("node.courtesy.ROWS_BESIDE_QUESTIONS", 6)
    async with node_site(tmp_path / "home") as site:
        written: list[int] = []
        site.importer.indexing = _Noting(site.database, written)

        async def answered(_question: str) -> None:
            await site.take("a.csv")

        write_csv(site.folder / "a.csv", rows(20))
        await site.importer.courtesy.extended({"search": answered})["search"]("?")
        finding = await find(site.database, question("林地"))

    assert written == [6, 6, 6, 2]
    assert (finding.total, finding.waiting) == (20, 0)


class _Noting(Indexing):
    """Keeps of each transaction how many new records it stored."""

    def __init__(self, database: Database, written: list[int]) -> None:
        super().__init__(database)
        self._written = written

    def note(self, added: int) -> None:
        self._written.append(added)
        super().note(added)
