"""A transfer with real programs: from choosing records to both signatures, and the custody that follows."""

from collections.abc import Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from tests.system.counties import County, rows, write_csv
from tests.system.programs import Program, until

pytestmark = pytest.mark.timeout(180)

TOWN, COUNTY = "330523108000", "330523000000"
HEADER = ("档号", "题名", "责任者", "文号", "日期", "保管期限", "页数", "密级", "开放标识", "公开属性")
WAIVED = ("--waive", "virus_scan=本机未装")


def sheet(count: int) -> list[list[str]]:
    """Rows that bring all opinions which a transfer asks for; each item has two pages."""
    made = []
    for row in rows(count):
        row[6] = "2"
        made.append([*row, "依申请公开"])
    return made


def scans(folder: Path, count: int) -> None:
    """Two pages for each item, in folders that are named by the codes."""
    for row in rows(count):
        item = folder / row[0].replace("·", "_")
        item.mkdir(parents=True)
        for page in (1, 2):
            scan(item / f"{page:04d}.jpg", page)


def scan(path: Path, shade: int) -> None:
    """A small page, of a shade that tells it from the others."""
    Image.new("RGB", (60, 80), (shade * 40, 128, 200)).save(path, dpi=(300, 300))


async def state_of(program: Program, number: str) -> str:
    if program.module == "node":
        return str((await program.json("transfer", "status", number))["state"])
    shown = await program.json("transfer", "show", number)
    return str(shown["view"]["transfer"].get("state", "planned"))


async def reaches(program: Program, number: str, state: str) -> None:
    async def look() -> bool:
        return await state_of(program, number) == state

    await until(f"the {program.module} to say {state}", look)


async def checked(hub: Program, number: str) -> dict[str, Any]:
    """Wait until the hub has checked the present round; return what it shows."""

    async def look() -> dict[str, Any] | None:
        shown: dict[str, Any] = await hub.json("transfer", "show", number, "--items")
        done = shown["view"]["transfer"].get("state") == "checking" and shown["view"]["rounds"][-1]["standing"]
        return shown if done else None

    found: dict[str, Any] = await until("the hub to have checked", look)
    return found


async def test_records_are_chosen_sent_checked_signed_by_both_and_kept_by_the_county_then(
    tmp_path: Path, free_port: Callable[[], int]
) -> None:
    async with AsyncExitStack() as stack:
        county = County(tmp_path, free_port, stack)
        await county.open()
        town = await county.join(TOWN)
        write_csv(town.home / "catalogues" / "目录.csv", sheet(6), HEADER)
        scans(town.home / "scans", 6)
        await county.settled(TOWN, holding=6)

        begun = await town.json("transfer", "new", "--years", "2011", "--title", "2011 年文书档案", "--handler", "乙")
        number = begun["transfer_id"]
        assert (begun["state"], begun["items"]) == ("planned", 6)
        sent = await town.json("transfer", "send", number, "--despite-faults")
        assert sent["state"] == "submitted"
        await until("the hub to hear of it", lambda: is_listed(county.hub, number))

        shown = await checked(county.hub, number)
        assert len(shown["items"]) == 6
        code = shown["items"][0]["ref_code"]
        await county.hub.json("transfer", "return", number, "--item", code, "--reason", "第 2 页模糊，请重扫")
        await county.hub.json("transfer", "accept", number, "--unit", "县档案馆", "--handler", "丁", *WAIVED)
        await reaches(town, number, "returned")
        told = await town.json("transfer", "status", number)
        assert [(item["ref_code"], item["reason"]["zh"]) for item in told["to_mend"]] == [(code, "第 2 页模糊，请重扫")]

        scan(town.home / "scans" / code.replace("·", "_") / "0002.jpg", 5)
        again = await town.json("transfer", "send", number, "--despite-faults")
        assert (again["state"], again["round"]) == ("submitted", 2)
        second = await checked(county.hub, number)
        assert second["view"]["counts"] == {"accepted": 5, "carried": 1}
        accepted = await county.hub.json("transfer", "accept", number, "--unit", "县档案馆", *WAIVED)
        assert accepted["view"]["transfer"]["state"] == "accepted"

        await reaches(town, number, "accepted")
        await town.json("transfer", "sign", number, "--signer", "甲")
        await until("the hub to hear the signature", lambda: has_signed(county.hub, number))
        await county.hub.json("transfer", "sign", number, "--signer", "丙")
        await reaches(county.hub, number, "closed")
        await reaches(town, number, "closed")

        hits = (await county.hub.json("search", "林地承包合同", expect=None))["hits"]
        assert len(hits) == 6
        entry = await county.hub.json("record", hits[0]["record_id"])
        assert custody(entry) == (TOWN, COUNTY, COUNTY)
        await county.settled(TOWN, holding=6)


async def is_listed(hub: Program, number: str) -> bool:
    return number in [one["transfer_id"] for one in await hub.json("transfer", "list")]


async def has_signed(hub: Program, number: str) -> bool:
    shown = await hub.json("transfer", "show", number)
    return "giver_signature" in shown["view"]["transfer"]


def custody(entry: dict[str, Any]) -> tuple[str, str, str]:
    """Who owns, who keeps, who releases."""
    (one,) = entry.get("entries", [entry])
    return one["owner"], one["custodian"], one["releaser"]
