"""The commands about repair, rebuilding and restoring, run as a person runs them, on homes whose daemons do not run."""

import asyncio
import datetime
import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import Connection

from hub.__main__ import main as hub_main
from hub.home import HubHome
from hub.home import home_at as hub_home_at
from hub.membership import keyring
from hub.repair import repairs
from hub.repair.comparisons import Comparison, Sameness, keep
from hub.repair.differences import Difference, DifferenceKind
from hub.repair.repairs import Cause, Finding, Remedy, RepairKind
from hub.storage import store
from node.__main__ import main as node_main
from node.home import NodeHome
from node.home import home_at as node_home_at
from tests.catalogue import VILLAGE, described, fictitious, record_id
from tests.hubs import Hub
from tests.node_site import node_site

Output = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DANGLIAN_LOG", "error")
    monkeypatch.setenv("DANGLIAN_LANG", "en")


@pytest.fixture
def hub_home(tmp_path: Path, free_port: Callable[[], int], store_of_homes: str) -> HubHome:
    """A hub whose copy of a village once differed in one record."""
    ports = ["--port", str(free_port()), "--enrol-port", str(free_port())]
    arguments = ["--home", str(tmp_path / "hub"), "--county", "330523000000", "--name", "某县", "--host", "127.0.0.1"]
    assert hub_main(["init", *arguments, "--listen", "127.0.0.1", *ports]) == 0
    made = hub_home_at(tmp_path / "hub")

    def differ(connection: Connection) -> None:
        keyring.expect(connection, VILLAGE, "上石村", datetime.date(2026, 1, 1))
        found = Finding(
            site=VILLAGE.code,
            epoch="e1",
            seq=3,
            fonds=("J001",),
            counts=Counter({DifferenceKind.OTHER_CONTENT: 1}),
            named=[Difference(fonds_no="J001", record_id=record_id(2), kind=DifferenceKind.OTHER_CONTENT)],
        )
        repairs.note(connection, RepairKind.RECORDS, found, Cause.NIGHTLY, 1_790_000_000_000)
        (one,) = repairs.open_repairs(connection)
        repairs.asked(connection, one, Remedy.REDESCRIBED, 1_790_000_001_000, described=1, withdrawn=0, up_to=4)

    async def fill() -> None:
        async with store.opened(made) as database:
            await Hub(database).tell(*(described(seq, fictitious(seq)) for seq in (1, 2, 3)))
            await database.write(differ)

    asyncio.run(fill())
    return made


def heal(home: HubHome) -> None:
    async def step() -> None:
        equal = Comparison(
            site=VILLAGE.code,
            state=Sameness.EQUAL,
            epoch="e1",
            seq=4,
            site_records=3,
            hub_records=3,
            compared_at_ms=1_790_000_009_000,
        )
        async with store.opened(home) as database:
            await database.write(lambda connection: keep(connection, equal))

    asyncio.run(step())


def test_repairs_are_listed_with_cause_and_end(hub_home: HubHome, capsys: Output) -> None:
    home = ["--home", str(hub_home.root)]
    capsys.readouterr()
    open_code, told = hub_main(["verify", "--repairs", *home]), capsys.readouterr().out
    heal(hub_home)
    healed_code = hub_main(["verify", "--repairs", "--json", *home])
    (line,) = json.loads(capsys.readouterr().out)["repairs"]

    assert (open_code, healed_code) == (1, 0)
    assert "being repaired\tnightly\tother content 1\tJ001\tits site told these records again\t1\t0" in told
    assert [one["record_id"] for one in line["records"]] == [str(record_id(2))]
    assert (line["repair"]["state"], line["repair"]["healed_at_ms"]) == ("healed", 1_790_000_009_000)


def test_board_shows_the_open_repair(hub_home: HubHome, capsys: Output) -> None:
    capsys.readouterr()
    hub_main(["sites", "--json", "--home", str(hub_home.root)])
    (line,) = json.loads(capsys.readouterr().out)["sites"]

    assert (line["repair"]["state"], line["repair"]["other_content"]) == ("asked", 1)


def test_rebuild_wants_a_yes_and_then_tells_what_it_did(hub_home: HubHome, capsys: Output) -> None:
    home = ["--home", str(hub_home.root)]
    capsys.readouterr()
    unasked, question = hub_main(["rebuild", *home]), capsys.readouterr().out
    begun, told = hub_main(["rebuild", "--yes", *home]), capsys.readouterr().out
    progress, table = hub_main(["rebuild", *home]), capsys.readouterr().out

    assert (unasked, begun, progress) == (2, 0, 1)
    assert "Confirm with --yes" in question
    assert "aside" in told
    assert "1 site, 1 being rebuilt; 0 of 3 records." in table


@pytest.fixture
def node_home(tmp_path: Path) -> NodeHome:
    made = node_home_at(tmp_path / "node")
    made.catalogues.mkdir(parents=True)
    made.settings.write_text(
        'site = "330523108204"\nname = "村"\n[hub]\nurls = ["tls://127.0.0.1:4222"]\n', encoding="utf-8"
    )
    return made


def test_restoration_is_asked_for_and_taken_back(node_home: NodeHome, capsys: Output) -> None:
    home = ["--home", str(node_home.root)]
    codes = [node_main(["restore", *home]), node_main(["restore", "--now", *home]), node_main(["restore", *home])]
    told = capsys.readouterr().out
    skipped = node_main(["restore", "--skip", "--json", *home])

    assert codes == [0, 1, 1]
    assert "Waiting for the hub" in told
    assert (skipped, json.loads(capsys.readouterr().out)["is_due"]) == (0, False)


def test_node_with_a_catalogue_of_its_own_is_not_restored_over_it(node_home: NodeHome, capsys: Output) -> None:
    async def live() -> None:
        async with node_site(node_home.root):
            pass

    asyncio.run(live())
    code = node_main(["restore", "--now", "--home", str(node_home.root)])

    assert (code, node_home.restore_mark.exists()) == (2, False)
    assert "move node.db away" in capsys.readouterr().err
