"""Repair with real programs: what a disk or a mistake changed at the hub is found, healed, and on record."""

import shutil
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from replication.digests import record_digest
from tests.system.counties import County, changed, fetched, rows, write_csv
from tests.system.programs import until

pytestmark = pytest.mark.timeout(240)

VILLAGE = "330523108204"


@pytest.fixture
async def county(tmp_path: Path, free_port: Callable[[], int], store_of_homes: str) -> AsyncIterator[County]:
    async with AsyncExitStack() as stack:
        made = County(tmp_path, free_port, stack)
        await made.open()
        yield made


async def test_a_row_changed_behind_the_hubs_back_is_found_deep_down_and_told_again(county: County) -> None:
    village = await county.join(VILLAGE)
    write_csv(village.home / "catalogues" / "目录.csv", rows(1_200))
    await county.settled(VILLAGE, holding=1_200)
    database = county.hub.home / "hub.db"
    before = county.held(VILLAGE)
    docid, body = fetched(database, "SELECT docid, body FROM entry ORDER BY docid LIMIT 1 OFFSET 600")[0]
    wrong = body.replace("林地".encode(), "水田".encode())
    changed(database, "UPDATE entry SET body = ?, digest = ? WHERE docid = ?", (wrong, record_digest(wrong), docid))
    applied = (await county.board())[0]["applied"]

    report = await county.hub.json("verify", "--deep", expect=1)
    assert [(site["state"], site["differing"]) for site in report["sites"]] == [("different", 1)]

    async def healed() -> list[dict[str, object]]:
        told = await county.hub.json("verify", "--repairs", expect=None)
        return [line["repair"] for line in told["repairs"] if line["repair"]["state"] == "healed"]

    (repair,) = await until("the repair to be healed", healed, 60)
    assert (repair["remedy"], repair["cause"], repair["described"]) == ("redescribed", "asked", 1)
    report = await county.hub.json("verify", "--deep")
    assert [site["state"] for site in report["sites"]] == ["equal"]
    assert county.held(VILLAGE) == before
    assert (await county.board())[0]["applied"] == applied + 1


@pytest.mark.parametrize("store_of_homes", ["sqlite"], indirect=True)
async def test_frames_that_the_broker_no_longer_has_are_made_again_from_the_sites_history(county: County) -> None:
    """The hub comes back from an old backup; what the node was told to forget is nowhere but in its records."""
    village = await county.join(VILLAGE)
    sheet = village.home / "catalogues" / "目录.csv"
    write_csv(sheet, rows(300))
    await county.settled(VILLAGE, holding=300)
    await county.hub.stop()
    shutil.copy(county.hub.home / "hub.db", county.root / "old.db")
    await county.start_hub()
    write_csv(sheet, rows(700))
    await until("the second sheet", lambda: len(county.held(VILLAGE)) == 700)
    await county.settled(VILLAGE)
    expected = county.held(VILLAGE)
    await until(
        "the outbox to empty", lambda: fetched(village.home / "node.db", "SELECT count(*) FROM outbox") == [(0,)]
    )

    await county.hub.stop()
    shutil.rmtree(county.hub.home / "broker" / "data")
    shutil.copy(county.root / "old.db", county.hub.home / "hub.db")
    await county.start_hub()
    assert len(county.held(VILLAGE)) == 300

    await until("the gap to close", lambda: len(county.held(VILLAGE)) == 700, 150)
    await county.settled(VILLAGE)
    assert county.held(VILLAGE) == expected
    assert "hub_is_behind" in village.log.read_text(encoding="utf-8")
