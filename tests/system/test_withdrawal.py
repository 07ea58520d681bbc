"""Withdrawing and closing with real programs: gone from search, outranked by nothing, and confirmed copy by copy."""

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.system.counties import County, rows, write_csv
from tests.system.programs import Program, until

pytestmark = pytest.mark.timeout(180)

VILLAGE = "330523108204"


@pytest.fixture
async def county(tmp_path: Path, free_port: Callable[[], int], store_of_homes: str) -> AsyncIterator[County]:
    async with AsyncExitStack() as stack:
        made = County(tmp_path, free_port, stack)
        await made.open()
        yield made


async def retractions(node: Program) -> dict[str, Any]:
    status = await node.json("status", expect=None)
    return {one["kind"]: one for one in status["retractions"]}


async def titles(hub: Program, *options: str) -> list[str]:
    answer = await hub.json("search", "林地承包合同", *options, expect=None)
    return sorted(hit["title"] for hit in answer["hits"])


async def test_what_is_withdrawn_or_closed_is_so_at_the_hub_and_the_site_can_show_who_confirmed_it(
    county: County,
) -> None:
    village = await county.join(VILLAGE)
    sheet = village.home / "catalogues" / "目录.csv"
    table = rows(12)
    write_csv(sheet, table)
    await county.settled(VILLAGE, holding=12)
    assert len(await titles(county.hub, "--access", "open")) == 12

    await county.hub.stop()
    table[0][8] = "控制"
    write_csv(sheet, table[:11])
    await until("the site to take it", lambda: _both(village))
    unconfirmed = await retractions(village)
    assert [one["confirmed"] for one in unconfirmed.values()] == [{}, {}]

    await county.start_hub()
    await until("the county to confirm", lambda: _confirmed(village), 60)
    closed, gone = "关于第1号林地承包合同的批复", "关于第12号林地承包合同的批复"
    shown = await titles(county.hub)
    assert (closed in shown, gone in shown, len(shown)) == (True, False, 11)
    assert closed not in await titles(county.hub, "--access", "open")
    status = await village.json("status", expect=None)
    assert status["retractions_unconfirmed"] == 0
    confirmed = await retractions(village)
    assert all(one["confirmed"]["hub"] >= one["minted_at_ms"] for one in confirmed.values())
    await county.settled(VILLAGE)


async def _both(village: Program) -> bool:
    return len(await retractions(village)) == 2


async def _confirmed(village: Program) -> bool:
    return all(one["confirmed"] for one in (await retractions(village)).values())
