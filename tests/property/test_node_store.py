"""The store stays in order over any sequence of sheets: index, history and tallies say the same as the records."""

import asyncio
import tempfile
from functools import partial
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from node import indexing, store
from node.indexing import Indexing, catch_up
from node.search import digests
from protocol.calls import CompareDigests, Digests
from protocol.codec import decode_record
from protocol.events import AccessChanged, Described, Withdrawn
from replication.digests import Tally, record_digest
from tests.node_site import NodeSite, node_site, rows, write_csv
from tests.tallies import tally_of

TITLES = ("林地承包合同", "宅基地审批表", "会议记录")
STEP_ROWS = 2
"""Records that the index takes in one step."""

DATES = ("19860101", "2011", "")


@st.composite
def sheets(draw: st.DrawFn) -> list[list[str]]:
    """A sheet whose rows come, go, move to other years and become secret."""
    table = []
    for row in rows(draw(st.integers(1, 12))):
        row[1] = draw(st.sampled_from(TITLES)) + row[0][-2:] * draw(st.integers(0, 1))
        row[4] = draw(st.sampled_from(DATES))
        row[7] = draw(st.sampled_from(("", "", "", "机密")))
        row[8] = draw(st.sampled_from(("开放", "控制")))
        table.append(row)
    return draw(st.permutations(table))


@settings(max_examples=15, deadline=None)
@given(st.lists(st.tuples(sheets(), st.integers(0, 3)), min_size=1, max_size=4))
def test_everything_that_is_derived_agrees_with_the_records(history: list[tuple[list[list[str]], int]]) -> None:
    """The index may lag behind by any number of records and sheets: what it takes in the end is what stands."""
    expected, found = asyncio.run(_derived(history))
    assert found == expected


class _LateIndexing(Indexing):
    """As if the program were killed, after a sheet, in the middle of letting the index catch up."""

    steps = 0

    async def settle(self) -> None:
        for _ in range(self.steps):
            await self._database.write(partial(catch_up, most=STEP_ROWS))


async def _derived(history: list[tuple[list[list[str]], int]]) -> tuple[dict[str, object], dict[str, object]]:
    """Return what follows from the records after some sheets were taken, and what the store has of it."""
    with tempfile.TemporaryDirectory() as folder:
        async with node_site(Path(folder)) as site:
            site.importer.indexing = late = _LateIndexing(site.database)
            for table, steps in history:
                late.steps = steps
                write_csv(site.folder / "a.csv", table)
                await site.take("a.csv")
            await Indexing(site.database).settle()
            listed = await _listed(site)
            found: dict[str, object] = {
                "index": await _index(site),
                "replayed": await _replayed(site),
                "caught up": await _caught_up(site),
                "digests": await _told_digests(site),
            }
            expected: dict[str, object] = {
                "index": await _rebuilt_index(site),
                "replayed": listed,
                "caught up": listed,
                "digests": _digests(listed),
            }
    return expected, found


async def _index(site: NodeSite) -> list[tuple[object, ...]]:
    await site.database.write(
        lambda connection: connection.exec_driver_sql(
            "CREATE VIRTUAL TABLE IF NOT EXISTS temp.terms USING fts5vocab('main', 'search', 'instance')"
        )
    )

    places = "SELECT term, doc, col, offset FROM temp.terms ORDER BY 1, 2, 3, 4"
    return await site.database.write(lambda connection: [tuple(row) for row in connection.exec_driver_sql(places)])


async def _rebuilt_index(site: NodeSite) -> list[tuple[object, ...]]:
    await site.database.write(indexing.rebuild)
    return await _index(site)


async def _listed(site: NodeSite) -> dict[object, bytes]:
    found = await site.database.fetch("SELECT body FROM record WHERE standing = 'listed'")
    return {decode_record(body).record_id: body for (body,) in found if isinstance(body, bytes)}


async def _replayed(site: NodeSite) -> dict[object, bytes]:
    """What a receiver of all events has in the end."""
    held: dict[object, bytes] = {}
    for event in await site.events():
        if isinstance(event, Withdrawn):
            del held[event.record_id]
        elif isinstance(event, Described | AccessChanged):
            held[decode_record(event.record).record_id] = bytes(event.record)
    return held


async def _caught_up(site: NodeSite) -> dict[object, bytes]:
    """What a receiver has who missed everything and is told only what still holds."""
    held: dict[object, bytes] = {}
    after = 0
    while events := await site.database.read(partial(store.changes_after, seq=after, limit=3)):
        for event in events:
            assert event.previous == after
            assert event.seq > after
            after = event.seq
            if isinstance(event, Withdrawn):
                held.pop(event.record_id, None)
            elif isinstance(event, Described):
                held[decode_record(event.record).record_id] = bytes(event.record)
    return held


async def _told_digests(site: NodeSite) -> dict[str, str]:
    question = CompareDigests(asker="a", question="q")
    _, told, _ = await site.database.read(lambda connection: digests(connection, question))
    assert isinstance(told, Digests)
    return {line.part: line.digest for line in told.lines}


def _digests(listed: dict[object, bytes]) -> dict[str, str]:
    tallies: dict[str, Tally] = {}
    for body in listed.values():
        fonds_no = decode_record(body).fonds_no
        tallies[fonds_no] = tallies.get(fonds_no, Tally()).joined(tally_of([record_digest(body)]))
    return {fonds_no: tally.digest for fonds_no, tally in tallies.items()}
