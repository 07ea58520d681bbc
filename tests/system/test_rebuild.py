"""Rebuilding the catalogue from the nodes alone, with real programs, through a power cut."""

import json
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from tests.system.counties import County, fetched, rows, write_csv
from tests.system.programs import until

pytestmark = pytest.mark.timeout(300)

VILLAGES = ("330523108204", "330523108205")
COUNT = 4_000


@pytest.fixture
async def county(tmp_path: Path, free_port: Callable[[], int], store_of_homes: str) -> AsyncIterator[County]:
    async with AsyncExitStack() as stack:
        made = County(tmp_path, free_port, stack)
        await made.open()
        yield made


async def test_an_empty_hub_is_filled_by_its_nodes_through_a_power_cut(county: County, store_of_homes: str) -> None:
    for number, village in enumerate(VILLAGES):
        node = await county.join(village)
        write_csv(node.home / "catalogues" / "目录.csv", rows(COUNT, 1 + number * COUNT))
    await county.settled(*VILLAGES, holding=COUNT)
    before = {village: county.held(village) for village in VILLAGES}
    assert (await county.hub.result("rebuild", "--yes", "--json"))[0] == 2, "a running hub is not touched"

    await county.hub.stop()
    done = await county.hub.json("rebuild", "--yes")
    assert (done["renewed"]["expected"], done["pending"]) == (2 * COUNT, 2)
    aside = done["renewed"]["aside"]
    if store_of_homes == "sqlite":
        assert fetched(Path(aside), "SELECT count(*) FROM entry") == [(2 * COUNT,)]
    else:
        assert fetched(county.hub.home / "hub.db", f"SELECT count(*) FROM {aside}.entry") == [(2 * COUNT,)]
    assert {line["word"] for line in await county.board()} == {"rebuilding"}
    found = await county.hub.json("search", "林地承包", expect=None)
    assert (found["total"], found["exact"], found["complete"]) == (0, False, False)
    assert all(site["rebuilding"] for site in found["sites"])

    await county.start_hub()
    database = county.hub.home / "hub.db"
    await until("some of it to be back", lambda: fetched(database, "SELECT count(*) FROM entry")[0][0] > 0, 120)
    await county.hub.kill()
    killed_at = fetched(database, "SELECT count(*) FROM entry")[0][0]
    code, out, _ = await county.hub.result("rebuild", "--json")
    if out:
        assert sum(site["held"] for site in json.loads(out)["sites"]) == killed_at
    else:
        # Quick nodes have told everything before the kill: nothing is under way, and another rebuild wants a --yes.
        assert (code, killed_at) == (2, 2 * COUNT)
    await county.start_hub()

    await county.settled(*VILLAGES, patience_s=150)
    assert {village: county.held(village) for village in VILLAGES} == before
    told = await county.hub.json("rebuild", "--follow")
    assert (told["pending"], [site["held"] for site in told["sites"]]) == (0, [COUNT, COUNT])
    report = await county.hub.json("verify", "--deep")
    assert [site["state"] for site in report["sites"]] == ["equal", "equal"]
    found = await county.hub.json("search", "林地承包", expect=None)
    assert (found["total"], found["exact"]) == (2 * COUNT, True)
    assert killed_at > 0
