"""A replaced PC, with real programs: its site's records come back from the hub and the folder, with their ids."""

import shutil
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from tests.system.counties import County, fetched, rows, write_csv
from tests.system.programs import until

pytestmark = pytest.mark.timeout(240)

VILLAGE = "330523108204"
COUNT = 5_000


@pytest.fixture
async def county(tmp_path: Path, free_port: Callable[[], int]) -> AsyncIterator[County]:
    async with AsyncExitStack() as stack:
        made = County(tmp_path, free_port, stack)
        await made.open()
        yield made


def ids_at(home: Path) -> set[tuple[str, str]]:
    found = fetched(home / "node.db", "SELECT ref_code, hex(record_id) FROM record WHERE standing = 'listed'")
    return {(code, record_id) for code, record_id in found}


async def test_replaced_pc_gets_its_ids_back_through_a_power_cut(county: County) -> None:
    old = await county.join(VILLAGE)
    table = rows(COUNT)
    table[4][7] = "机密"
    sheet = old.home / "catalogues" / "目录.csv"
    write_csv(sheet, table)
    await county.settled(VILLAGE, holding=COUNT - 1, patience_s=90)
    table[2][0] = "Z109-WS·2011·Y-BGS-9999"
    write_csv(sheet, table)
    await until(
        "the new code", lambda: fetched(old.home / "node.db", "SELECT 1 FROM record WHERE ref_code LIKE '%9999'")
    )
    withdrawn = table.pop()
    write_csv(sheet, table)
    await until("the withdrawal", lambda: stones_at(county.hub.home))
    await county.settled(VILLAGE, patience_s=90)
    before, held, stones = ids_at(old.home), county.held(VILLAGE), stones_at(county.hub.home)
    await old.kill()

    new = await county.join(VILLAGE, "new", "--replace", start=False)
    assert (await new.json("restore", expect=1))["is_due"] is True
    shutil.copy(sheet, new.home / "catalogues" / "目录.csv")
    # An old sheet, which still lists what was withdrawn.
    write_csv(new.home / "catalogues" / "旧目录.csv", [withdrawn])
    await new.start()
    await until("the first page", lambda: (new.home / "node.db").exists() and ids_received(new.home))
    await new.kill()
    await new.start()

    async def restored() -> bool:
        report = await new.json("restore", expect=None)
        return report["restoration"] is not None and not report["is_due"] and report["unlisted"] == 0

    await until("the restoration and the folder", restored, 90)
    await county.settled(VILLAGE, patience_s=120)
    assert ids_at(new.home) == before
    assert county.held(VILLAGE) == held
    assert fetched(new.home / "node.db", "SELECT count(*) FROM record WHERE standing = 'withheld'") == [(1,)]
    report = await county.hub.json("verify", "--deep")
    assert [(site["state"], site["site_records"]) for site in report["sites"]] == [("equal", COUNT - 2)]
    assert (len(stones), stones_at(county.hub.home)) == (1, stones)
    assert fetched(new.home / "node.db", "SELECT code FROM reject") == [("row_withdrawn_before",)]
    assert (await new.json("restore"))["kept_back"] == 1


def stones_at(home: Path) -> list[tuple[str, str]]:
    return fetched(home / "hub.db", "SELECT hex(record_id), withdrawn FROM entry WHERE withdrawn IS NOT NULL")


def ids_received(home: Path) -> bool:
    try:
        return bool(fetched(home / "node.db", "SELECT 1 FROM record LIMIT 1"))
    except Exception:  # noqa: BLE001 - the schema is only being made
        return False


async def test_node_that_lost_its_database_takes_its_records_back(county: County) -> None:
    village = await county.join(VILLAGE)
    write_csv(village.home / "catalogues" / "目录.csv", rows(800))
    await county.settled(VILLAGE, holding=800)
    before = ids_at(village.home)
    await village.stop()
    for name in ("node.db", "node.db-wal", "node.db-shm"):
        (village.home / name).unlink(missing_ok=True)
    await village.start()

    async def listed() -> bool:
        report = await village.json("restore", expect=None)
        return report["restoration"] is not None and not report["is_due"] and report["unlisted"] == 0

    await until("the restoration and the folder", listed, 90)
    await county.settled(VILLAGE, patience_s=120)
    assert ids_at(village.home) == before
