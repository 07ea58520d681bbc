"""The search index is built anew beside the old one: in steps, resumable, with searches and imports going on."""

import random
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import Connection

from hub.searching.search import Page, Query, search, totals_by_site
from hub.storage import reindexing
from hub.storage.reindexing import INDEX_VERSION, IndexState, Reindexer, begin, build, index_state
from hub.storage.text_index import index_of
from hub.tables import catalogue_state
from protocol.expressions import Run
from replication.database import opened
from tests.catalogue import VILLAGE, described, fictitious, record_id, withdrawn
from tests.hubs import MIGRATIONS, Hub
from tests.stores import ONLY_SQLITE, Store

ROWS = 60
STEP = 7


@pytest.fixture
async def hub(store: Store, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Hub]:
    """A catalogue whose index another version made, and which counts as a large one."""
    monkeypatch.setattr(reindexing, "AT_ONCE_ROWS", 10)
    monkeypatch.setattr(reindexing, "STEP_ROWS", STEP)
    monkeypatch.setattr(reindexing, "PAUSE_S", 0.0)
    async with store.opened() as database:
        made = Hub(database)
        await made.tell(*(described(seq, fictitious(seq)) for seq in range(1, ROWS + 1)))
        await database.write(lambda c: c.execute(catalogue_state.update().values(index_version=-1)))
        yield made


async def state(hub: Hub) -> IndexState:
    return await hub.database.read(index_state)


async def step(hub: Hub) -> IndexState:
    return await hub.database.write(lambda connection: build(connection, STEP))


async def found(hub: Hub, words: str) -> Page:
    return await hub.database.read(lambda connection: search(connection, Query(words=words, limit=100)))


async def same_as_fresh(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> bool:
    """Whether the index holds exactly what one made at once would hold."""
    built = await hub.index()
    monkeypatch.setattr(reindexing, "AT_ONCE_ROWS", 10**6)
    return built == await hub.rebuilt_index()


async def test_the_new_index_is_the_one_that_is_made_at_once(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    await Reindexer(hub.database).run()
    after = await state(hub)

    assert (after.index_version, after.is_building) == (INDEX_VERSION, False)
    assert await same_as_fresh(hub, monkeypatch)


async def test_searches_are_answered_while_it_is_built_and_say_that_totals_are_not_exact(hub: Hub) -> None:
    before = await found(hub, "关于")
    await step(hub)
    during = await found(hub, "关于")
    by_site = await hub.database.read(lambda c: totals_by_site(c, Query(words="关于")))
    await Reindexer(hub.database).run()
    after = await found(hub, "关于")

    assert [(page.total, page.exact) for page in (before, during, after)] == [(ROWS, True), (ROWS, False), (ROWS, True)]
    assert by_site == ({VILLAGE.code: ROWS}, False)


async def test_what_changes_meanwhile_is_found_and_what_goes_is_not(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    """Entries on both sides of where the building stands are changed, withdrawn and added."""
    await step(hub)
    seq = ROWS
    for number in range(1, ROWS + 1, 3):
        seq += 1
        await hub.tell(described(seq, fictitious(number, title=f"改名的条目{number}")))
    for number in range(2, ROWS + 1, 3):
        seq += 1
        await hub.tell(withdrawn(seq, record_id(number)))
    await hub.tell(described(seq + 1, fictitious(1000, title="新来的条目")))
    during = await hub.titles_without_total("新来的条目")
    gone = await hub.database.read(lambda c: search(c, Query(words="关于", limit=200)))
    await Reindexer(hub.database).run()

    assert during == ["新来的条目"]
    withdrawn_ids = {record_id(number) for number in range(2, ROWS + 1, 3)}
    assert withdrawn_ids & {hit.record.record_id for hit in gone.hits} == set()
    assert len(await hub.titles("改名的条目")) == ROWS // 3
    assert await same_as_fresh(hub, monkeypatch)


@pytest.mark.parametrize("seed", range(8))
async def test_any_mixture_of_steps_and_changes_ends_in_the_same_index(
    hub: Hub, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    chance, seq = random.Random(seed), ROWS
    while True:
        if chance.random() < 0.4:
            if not (await step(hub)).is_building:
                break
            continue
        seq, number = seq + 1, chance.randint(1, ROWS + 20)
        if chance.random() < 0.3:
            await hub.tell(withdrawn(seq, record_id(number)))
        else:
            year = chance.choice((1950, 1987, 2020))
            await hub.tell(described(seq, fictitious(number, title=f"第{seq}版", filing_year=year)))

    assert await same_as_fresh(hub, monkeypatch)


async def test_a_building_that_was_killed_goes_on(hub: Hub, store: Store) -> None:
    for _ in range(3):
        await step(hub)
    before = await state(hub)

    async with store.opened() as database:
        after = await database.write(lambda connection: build(connection, STEP))

    assert (before.built_rows, after.built_rows, after.building_rows) == (3 * STEP, 4 * STEP, ROWS)


async def test_a_building_of_another_version_is_begun_again(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    await step(hub)
    await hub.database.write(lambda c: c.execute(catalogue_state.update().values(building_version=77)))
    await hub.tell(described(ROWS + 1, fictitious(1, title="改名")))
    again = await state(hub)
    await Reindexer(hub.database).run()

    assert (again.building_version, again.built_rows) == (INDEX_VERSION, 0)
    assert await same_as_fresh(hub, monkeypatch)


async def test_after_going_back_to_the_former_version_the_index_is_built_again(hub: Hub) -> None:
    """While a newer version built its own, it did not take terms out of ours."""

    def newer_began(connection: Connection) -> None:
        begin(connection)
        connection.execute(catalogue_state.update().values(index_version=INDEX_VERSION, building_version=77))

    await hub.database.write(newer_began)
    assert (await step(hub)).building_version == INDEX_VERSION


async def test_a_small_or_new_index_is_made_at_once(hub: Hub, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(reindexing, "AT_ONCE_ROWS", ROWS)
    await step(hub)
    assert (await state(hub)).index_version == INDEX_VERSION
    async with opened(tmp_path / "new.db", MIGRATIONS) as database:
        await Reindexer(database).run()
        assert (await database.read(index_state)).index_version == INDEX_VERSION


async def test_a_body_that_the_disk_has_spoilt_does_not_stop_the_others(hub: Hub) -> None:
    """A whole step of them neither: the building must not take that for its end."""

    def spoil(connection: Connection) -> None:
        connection.exec_driver_sql(
            "UPDATE entry SET body = ? WHERE docid IN (SELECT docid FROM entry ORDER BY docid LIMIT ?)",
            (b"\0", STEP + 1),
        )

    def count(connection: Connection) -> int:
        index = index_of(connection)
        asked = f"SELECT count(*) FROM search WHERE {index.matching}"
        return int(connection.exec_driver_sql(asked, (index.question(connection, Run(terms=("关于",))),)).scalar_one())

    await hub.database.write(spoil)
    await Reindexer(hub.database).run()
    indexed = await hub.database.read(count)

    assert ((await state(hub)).index_version, indexed) == (INDEX_VERSION, ROWS - STEP - 1)


@ONLY_SQLITE
async def test_the_new_index_is_merged_as_the_old_one_was_told_to(hub: Hub) -> None:
    def told(connection: Connection) -> list[tuple[object, ...]]:
        return [tuple(row) for row in connection.exec_driver_sql("SELECT k, v FROM search_config ORDER BY k")]

    await hub.database.write(
        lambda c: c.exec_driver_sql("INSERT INTO search (search, rank) VALUES ('crisismerge', 64)")
    )
    before = await hub.database.read(told)
    await Reindexer(hub.database).run()

    assert await hub.database.read(told) == before
