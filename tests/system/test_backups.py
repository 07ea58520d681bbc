"""Yesterday's hub: backed up while it works, killed, put back, and made equal again by its nodes alone."""

import asyncio
import json
import shutil
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from hub import config
from hub.backup.backing_up import Outcome, back_up
from hub.backup.snapshots import inventory, reading
from hub.home import home_at
from hub.keeping.course import Course
from tests.system.programs import Program, until
from tests.system.test_county_thread import TOWN, VILLAGE, equal, joined

pytestmark = [pytest.mark.timeout(300), pytest.mark.slow]

LATE = "330523108205"

ROWS = 20_000
"""Rows that a node brings while backups are made."""

HEADER = "档号,题名,责任者,文号,日期,保管期限,页数\n"


def sheet(fonds: str, first: int, last: int, word: str = "批复") -> bytes:
    """A catalogue of fictitious files as an archive room saves it."""
    rows = (
        f"{fonds}-WS·2011·Y-BGS-{number:05d},关于第{number}号山林承包合同的{word},某镇人民政府,某政发〔2011〕{number}号,"
        f"2011.3.5,永久,4\n"
        for number in range(first, last + 1)
    )
    return (HEADER + "".join(rows)).encode("gb18030")


@pytest.fixture
async def hub(tmp_path: Path, free_port: Callable[[], int]) -> AsyncIterator[Program]:
    program = Program("hub", tmp_path / "hub")
    await program.run(
        *("init", "--county", "330523000000", "--name", "安吉县档案馆", "--host", "127.0.0.1", "--listen", "127.0.0.1"),
        *("--port", str(free_port()), "--enrol-port", str(free_port())),
    )
    with (program.home / "hub.toml").open("a", encoding="utf-8") as settings:
        settings.write(f'\n[[backup.target]]\nname = "nas"\nkind = "online"\npath = "{tmp_path / "nas"}"\nkeep = 3\n')
    await program.run("backup", "prepare")
    await started(program)
    try:
        yield program
    finally:
        await program.stop()


async def started(hub: Program) -> None:
    await hub.start()
    await until("the hub to listen", lambda: "hub_ready" in hub.tail())


def held(hub: Program) -> dict[str, int]:
    """Records of every site at the hub."""
    with reading(home_at(hub.home).database, Course()) as connection:
        return {one.site: one.records for one in inventory(connection).sites}


async def settled(hub: Program, wanted: dict[str, int]) -> None:
    await until(f"the hub to hold {wanted}", lambda: held(hub) == wanted, 90)
    await until("every site to be proven equal", lambda: equal(hub), 60)


async def test_a_hub_put_back_from_yesterday_is_made_equal_again_by_its_nodes(hub: Program, tmp_path: Path) -> None:
    """Zero lost, zero doubled: what was applied after the backup, changed or withdrawn, comes again from the nodes."""
    async with AsyncExitStack() as stack:
        village = await joined(hub, stack, tmp_path / "village", VILLAGE)
        town = await joined(hub, stack, tmp_path / "town", TOWN)
        (village.home / "catalogues" / "甲.csv").write_bytes(sheet("Z109", 1, 1_500))
        (town.home / "catalogues" / "乙.csv").write_bytes(sheet("Z108", 1, 400))
        await settled(hub, {VILLAGE: 1_500, TOWN: 400})
        (backup,) = (await hub.json("backup"))["targets"]
        assert (backup["fault"], backup["records"]) == (None, 1_900)

        # The day goes on: more rows, other words in old ones, rows that vanish.
        (village.home / "catalogues" / "甲.csv").write_bytes(sheet("Z109", 3, 1_500, "通知"))
        (village.home / "catalogues" / "丙.csv").write_bytes(sheet("Z109", 1_501, 2_000))
        (town.home / "catalogues" / "丁.csv").write_bytes(sheet("Z108", 401, 600))
        late = await joined(hub, stack, tmp_path / "late", LATE)
        (late.home / "catalogues" / "戊.csv").write_bytes(sheet("Z110", 1, 50))
        await settled(hub, {VILLAGE: 1_998, TOWN: 600, LATE: 50})
        today = Program("hub", tmp_path / "today")
        await hub.kill()
        await end_broker(hub)
        shutil.move(hub.home, today.home)

        restored = await hub.json("restore", str(tmp_path / "nas"))
        assert (restored["backup"], restored["records"]) == (backup["backup"], 1_900)
        assert held(hub) == {VILLAGE: 1_500, TOWN: 400}
        await started(hub)
        await settled(hub, {VILLAGE: 1_998, TOWN: 600})

        # The backup does not know the site that was enrolled since: it takes a new code, and keeps its key.
        await late.stop()
        await enrolled_again(hub, late, LATE)
        await late.start()
        await settled(hub, {VILLAGE: 1_998, TOWN: 600, LATE: 50})

        assert tallies(hub) == tallies(today)
        (deep,) = {(one["state"], one["differing"]) for one in (await hub.json("verify", "--deep"))["sites"]}
        assert deep == ("equal", 0)
        listing = await hub.json("backup", "list")
        assert "not_reviewed" in {one["alarm"] for one in listing["findings"]}


async def enrolled_again(hub: Program, node: Program, site: str) -> None:
    """Have a node show a new code at the door."""
    door = config.load(home_at(hub.home).settings).enrolment.port
    issued = await hub.json("enrol", site)
    await node.run("init", "--hub", f"127.0.0.1:{door}", "--code", issued["code"])


def tallies(hub: Program) -> dict[str, tuple[int, str]]:
    """Count and digest of what the hub holds of every site."""
    with reading(home_at(hub.home).database, Course()) as connection:
        return {one.site: (one.records, one.digest) for one in inventory(connection).sites}


async def end_broker(hub: Program) -> None:
    """Cut the power of the broker too, which a killed hub leaves running."""
    pid = int(home_at(hub.home).broker_pid.read_text(encoding="ascii"))
    process = await asyncio.create_subprocess_exec("kill", "-9", str(pid))
    await process.wait()


async def test_backups_of_a_hub_under_load_are_sound_and_cost_it_nothing(hub: Program, tmp_path: Path) -> None:
    async with AsyncExitStack() as stack:
        village = await joined(hub, stack, tmp_path / "village", VILLAGE)
        half = ROWS // 2
        (village.home / "catalogues" / "甲.csv").write_bytes(sheet("Z109", 1, half))
        home = home_at(hub.home)
        settings = config.load(home.settings)
        (target,) = settings.backup.target

        def backed_up() -> Outcome:
            return back_up(home, settings, target, lambda: time.time_ns() // 10**6, Course())

        made: list[Outcome] = []
        # The second half comes when a backup has held the first: however quick the machine is, one lies in between.
        for until_records, then in ((half, sheet("Z110", half + 1, ROWS)), (ROWS, b"")):
            while not made or made[-1].records < until_records:
                made.append(await asyncio.to_thread(backed_up))
            if then:
                (village.home / "catalogues" / "乙.csv").write_bytes(then)
        report = json.loads(await hub.run("backup", "verify", "--all", "--deep", "--json"))

        counts = [one.records for one in made]
        assert counts == sorted(counts)
        assert [count for count in counts if 0 < count < ROWS] != [], "some were made in the middle of the load"
        assert [one["faults"] for one in report["backups"]] == [[]] * min(3, len(made))
        await until("the site to be proven equal", lambda: equal(hub), 60)

        drill = await hub.json("restore", "--drill")
        assert (drill["succeeded"], drill["records"], drill["faults"]) == (True, ROWS, [])
