"""代管 with real programs: a village hands records over to its township, through the hub that keeps none of them."""

from collections.abc import Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.system.counties import County, write_csv
from tests.system.programs import Program, until
from tests.system.test_transfer import HEADER, WAIVED, custody, reaches, scans, sheet

pytestmark = pytest.mark.timeout(300)

VILLAGE, TOWN = "330523108204", "330523108000"


async def checked(town: Program, number: str) -> dict[str, Any]:
    """Wait until the township has checked the present round; return what it shows."""

    async def look() -> dict[str, Any] | None:
        if number not in [one["transfer_id"] for one in await town.json("transfer", "status")]:
            return None
        told: dict[str, Any] = await town.json("transfer", "status", number)
        return told if told["state"] == "checking" and told["standing"] else None

    found: dict[str, Any] = await until("the township to have checked", look, 120.0)
    return found


async def test_a_village_gives_its_records_into_the_custody_of_its_township_and_stays_their_owner(
    tmp_path: Path, free_port: Callable[[], int]
) -> None:
    async with AsyncExitStack() as stack:
        county = County(tmp_path, free_port, stack)
        await county.open()
        village, town = await county.join(VILLAGE), await county.join(TOWN)
        write_csv(village.home / "catalogues" / "目录.csv", sheet(4), HEADER)
        scans(village.home / "scans", 4)
        await county.settled(VILLAGE, holding=4)

        begun = await village.json("transfer", "new", "--years", "2011", "--nature", "delegated_custody")
        number = begun["transfer_id"]
        assert begun["receiver"] == TOWN
        await village.json("transfer", "send", number, "--despite-faults")

        await checked(town, number)
        await town.json("transfer", "accept", number, "--unit", "某镇档案馆", *WAIVED)
        await reaches(village, number, "accepted")
        await village.json("transfer", "sign", number, "--signer", "甲")
        await until("the village's signature to arrive", lambda: has_signature(town, number))
        await town.json("transfer", "sign", number, "--signer", "丙")
        for end in (town, village, county.hub):
            await reaches(end, number, "closed")

        hits = (await county.hub.json("search", "林地承包合同", expect=None))["hits"]
        assert len(hits) == 4
        for hit in hits:
            entry = await county.hub.json("record", hit["record_id"])
            assert custody(entry) == (VILLAGE, TOWN, VILLAGE)
            assert entry["entries"][0]["record"]["handover"] == number
        (kept,) = (await town.json("transfer", "kept", "--verify"))["kept"]
        assert (kept["site"], kept["items"], kept["faulty"]) == (VILLAGE, 4, 0)
        assert not list((county.hub.home / "transfers" / "between").glob("*"))
        refused, _, said = await county.hub.result("transfer", "sign", number)
        assert (refused, "only witnesses it" in said) == (1, True)


async def has_signature(program: Program, number: str) -> bool:
    return bool((await program.json("transfer", "status", number))["giver_signed"])
