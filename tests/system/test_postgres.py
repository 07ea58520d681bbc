"""A county whose catalogue is on PostgreSQL: through the server's death, and from its file to there."""

import asyncio
import signal
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from hub.storage import store
from tests.postgres_server import PostgresServer, programs
from tests.stores import PostgresStore
from tests.system.counties import County, fetched, rows, write_csv
from tests.system.programs import until

VILLAGE = "330523108204"
FIRST, SECOND = 3_000, 6_000


@pytest.fixture
def server() -> Iterator[PostgresServer]:
    """A server that the test may end."""
    found = programs()
    if found is None:
        pytest.skip("no PostgreSQL 15 or newer is installed (Debian: apt-get install postgresql)")
    made = PostgresServer(found)
    try:
        made.make()
        made.start()
        yield made
    finally:
        made.remove()


@pytest.fixture
async def stack() -> AsyncIterator[AsyncExitStack]:
    async with AsyncExitStack() as made:
        yield made


@pytest.mark.timeout(240)
async def test_a_server_that_dies_in_the_middle_of_a_load_loses_nothing_and_the_hub_goes_on(
    server: PostgresServer,
    stack: AsyncExitStack,
    tmp_path: Path,
    free_port: Callable[[], int],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv(store.URL_VARIABLE, PostgresStore(server, tmp_path).url)
    county = County(tmp_path, free_port, stack)
    await county.open()
    node = await county.join(VILLAGE)
    write_csv(node.home / "catalogues" / "目录.csv", rows(SECOND))
    path = county.hub.home / "hub.db"
    await until("some of it to be there", lambda: fetched(path, "SELECT count(*) FROM entry")[0][0] > 0, 90)

    await asyncio.to_thread(server.stop, signal.SIGQUIT)
    await asyncio.sleep(3)
    await asyncio.to_thread(server.start)

    await county.settled(VILLAGE, holding=SECOND, patience_s=150)
    assert fetched(path, "SELECT count(*), count(DISTINCT record_id) FROM entry") == [(SECOND, SECOND)]
    assert await county.hub.stop() == 0, county.hub.tail()


@pytest.mark.timeout(240)
async def test_a_county_moves_while_its_nodes_go_on(
    postgres_store: PostgresStore, stack: AsyncExitStack, tmp_path: Path, free_port: Callable[[], int]
) -> None:
    """What the sites have to tell during the move waits there and comes to the new store."""
    county = County(tmp_path, free_port, stack)
    await county.open()
    node = await county.join(VILLAGE)
    write_csv(node.home / "catalogues" / "目录.csv", rows(FIRST))
    await county.settled(VILLAGE, holding=FIRST)
    empty = await asyncio.to_thread(postgres_store._server.database)
    url = postgres_store._server.url(empty)

    assert (await county.hub.result("migrate-store", "--to", url, "--json"))[0] == 2, "a running hub is not moved"
    await county.hub.stop()
    write_csv(node.home / "catalogues" / "又一本.csv", rows(FIRST, 1 + FIRST))
    done = await county.hub.json("migrate-store", "--to", url)
    assert (done["moved"]["records"], done["moved"]["faults"]) == (FIRST, [])
    found = await county.hub.json("search", "林地承包", expect=None)
    assert found["total"] == FIRST, "the old file answers until the switch"
    await county.hub.json("migrate-store", "--switch")
    await county.start_hub()

    await county.settled(VILLAGE, holding=2 * FIRST, patience_s=150)
    report = await county.hub.json("verify", "--deep")
    assert [site["state"] for site in report["sites"]] == ["equal"]
    assert fetched(county.hub.home / "hub.db", "SELECT count(*) FROM entry") == [(2 * FIRST,)]
    assert not (county.hub.home / "hub.db").exists()
    assert await county.hub.stop() == 0, county.hub.tail()
    postgres_store._server.drop(empty)
