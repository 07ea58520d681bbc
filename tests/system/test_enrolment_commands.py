"""The commands of enrolment as people type them, each on real homes and, where it needs one, a real hub."""

import argparse
import asyncio
import csv
import io
import json
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest
import structlog

from hub import config
from hub.commands import enrol, init, nodes, revoke
from hub.home import home_at
from node.commands import init as node_init
from node.home import home_at as node_home_at
from protocol.enrolment import parse_code
from protocol.errors import BadFile, BadSetting, BadValue, Refused
from replication.keys import load_identity
from tests.gates import COUNTY, HubUnderTest, hub_home, opened_gate

VILLAGE, OTHER = "330523108204", "330523108205"


def typed(*words: str) -> argparse.Namespace:
    """What the command line makes of these words."""
    parser = argparse.ArgumentParser()
    parsers = parser.add_subparsers()
    for command in (init, enrol, revoke, nodes):
        command.add(parsers)
    return parser.parse_args(words)


def run_hub(*words: str) -> int:
    args = typed(*words)
    result: int = args.run(args)
    return result


def run_node(*words: str) -> int:
    parser = argparse.ArgumentParser()
    node_init.add(parser.add_subparsers())
    args = parser.parse_args(["init", *words])
    result: int = args.run(args)
    return result


@pytest.fixture(autouse=True)
def logs_apart() -> Iterator[None]:
    """As in the programs: the gate, which runs beside the commands, does not write between their words."""
    before = structlog.get_config()
    structlog.configure(logger_factory=lambda *_: structlog.PrintLogger(sys.stderr))
    yield
    structlog.configure(**before)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A hub's home made by the command itself."""
    root = tmp_path / "县级 节点"
    assert run_hub("init", "--home", str(root), "--county", COUNTY, "--name", "某县“档案馆”", "--host", "10.1.2.3") == 0
    return root


@pytest.fixture
async def hub(tmp_path: Path, free_port: Callable[[], int]) -> AsyncIterator[HubUnderTest]:
    async with hub_home(tmp_path / "hub", free_port) as made, opened_gate(made):
        yield made


# init


def test_init_makes_a_home_that_loads(home: Path) -> None:
    settings = config.load(home / "hub.toml")

    made = sorted(path.relative_to(home).as_posix() for path in home.rglob("*") if path.is_file())

    assert (settings.county, settings.name, settings.hosts) == (COUNTY, "某县“档案馆”", ("10.1.2.3",))
    assert made == [
        "broker/broker.conf",
        "broker/users.conf",
        "hub.toml",
        "keys/county.key",
        "keys/hub.nk",
        "tls/ca.key",
        "tls/ca.pem",
        "tls/server.key",
        "tls/server.pem",
        "words/disposal.csv",
        "words/disputes.csv",
        "words/gazetteer.csv",
        "words/rules.csv",
        "words/synonyms.csv",
    ]


def test_init_never_touches_an_existing_home(home: Path) -> None:
    before = {path: path.read_bytes() for path in home.rglob("*") if path.is_file()}

    with pytest.raises(BadSetting, match="there is a hub in this home"):
        run_hub("init", "--home", str(home), "--county", COUNTY, "--name", "另一馆")

    assert {path: path.read_bytes() for path in home.rglob("*") if path.is_file()} == before


def test_init_that_was_cut_off_goes_on_with_the_same_keys(home: Path) -> None:
    key = load_identity(home_at(home).hub_seed).public_key
    (home / "hub.toml").unlink()
    (home / "tls" / "server.pem").unlink()

    assert run_hub("init", "--home", str(home), "--county", COUNTY, "--name", "某县档案馆") == 0

    assert load_identity(home_at(home).hub_seed).public_key == key
    assert (home / "tls" / "server.pem").exists()


@pytest.mark.parametrize(
    ("words", "names"),
    [
        (("--county", VILLAGE, "--name", "某县"), "county"),
        (("--county", COUNTY, "--name", " "), "name"),
        (("--county", COUNTY, "--name", "某县", "--host", "档案馆"), "hosts"),
        (("--county", COUNTY, "--name", "某县", "--port", "0"), "broker.port"),
        (("--county", COUNTY, "--name", "某县", "--enrol-port", "99999"), "enrolment.port"),
    ],
)
def test_init_with_a_wrong_setting_makes_nothing(tmp_path: Path, words: tuple[str, ...], names: str) -> None:
    with pytest.raises(BadSetting, match=names):
        run_hub("init", "--home", str(tmp_path / "hub"), *words)

    assert not (tmp_path / "hub").exists()


def test_init_tells_the_hubs_key_to_programs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run_hub("init", "--home", str(tmp_path / "hub"), "--county", COUNTY, "--name", "某县", "--json")

    told = json.loads(capsys.readouterr().out)

    assert told["hub_key"] == load_identity(home_at(tmp_path / "hub").hub_seed).public_key


# enrol, nodes, revoke


def test_enrol_prints_a_code_and_the_line_to_type(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    capsys.readouterr()

    assert run_hub("enrol", "--home", str(home), VILLAGE, "--name", "某村") == 0

    said = capsys.readouterr().out
    line = next(line.strip() for line in said.splitlines() if "danglian-node init" in line)
    assert line.startswith("danglian-node init --hub 10.1.2.3:4223 --code ")
    assert len(parse_code(line.rpartition(" ")[2]).secret) == 10
    assert "某村" in said


def test_english_is_complete(home: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    capsys.readouterr()
    monkeypatch.setenv("DANGLIAN_LANG", "en")

    run_hub("enrol", "--home", str(home), VILLAGE)
    run_hub("nodes", "--home", str(home))

    assert capsys.readouterr().out.isascii()


def test_enrol_for_programs_is_one_object(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    capsys.readouterr()

    run_hub("enrol", "--home", str(home), VILLAGE, "--name", "某村", "--json")

    told = json.loads(capsys.readouterr().out)
    assert (told["site"], told["name"], len(told["code"])) == (VILLAGE, "某村", 48)


@pytest.mark.parametrize("words", [(), (VILLAGE, "--csv", "sites.csv"), (VILLAGE, "--valid-days", "0")])
def test_enrol_without_sense_is_refused_with_an_example(home: Path, words: tuple[str, ...]) -> None:
    with pytest.raises(BadSetting) as raised:
        run_hub("enrol", "--home", str(home), *words)

    assert "例如" in raised.value.hint.zh


def test_enrol_refuses_what_is_no_site(home: Path) -> None:
    with pytest.raises(BadValue, match="not a site code"):
        run_hub("enrol", "--home", str(home), "某村")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
@pytest.mark.parametrize("heading", ["", "代码,名称\r\n"])
def test_a_table_of_sites_becomes_a_table_of_codes(home: Path, tmp_path: Path, encoding: str, heading: str) -> None:
    """As a county office saves it from a spreadsheet; the bad row is told, the others get their codes."""
    sites = tmp_path / "各站.csv"
    sites.write_bytes(f"{heading}{VILLAGE},某村\r\n\r\n33052310,短码\r\n{OTHER},另一村\r\n".encode(encoding))

    assert run_hub("enrol", "--home", str(home), "--csv", str(sites)) == 1

    written = (tmp_path / "各站.codes.csv").read_bytes()
    rows = list(csv.DictReader(io.StringIO(written.decode("utf-8-sig"))))
    assert [(row["site"], row["name"], bool(row["code"]), bool(row["fault"])) for row in rows] == [
        (VILLAGE, "某村", True, False),
        ("33052310", "短码", False, True),
        (OTHER, "另一村", True, False),
    ]
    assert len({parse_code(row["code"]).secret for row in rows if row["code"]}) == 2
    assert "不是有效的站点代码" in rows[1]["fault"]


def test_a_table_that_is_none_is_named(home: Path, tmp_path: Path) -> None:
    empty = tmp_path / "empty.csv"
    empty.write_bytes(b"\r\n")

    for path in (empty, tmp_path / "missing.csv"):
        with pytest.raises(BadFile, match=path.name):
            run_hub("enrol", "--home", str(home), "--csv", str(path))


async def test_from_code_to_revocation_by_commands_alone(
    hub: HubUnderTest, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    root, node_root = str(hub.home.root), tmp_path / "node"
    await asyncio.to_thread(run_hub, "enrol", "--home", root, VILLAGE, "--name", "某村", "--json")
    code = json.loads(capsys.readouterr().out)["code"]
    await asyncio.to_thread(run_hub, "nodes", "--home", root, "--json")
    waiting = json.loads(capsys.readouterr().out)

    words = ("--home", str(node_root), "--hub", str(hub.door), "--code", code.lower(), "--name", "阅览室电脑")
    assert await asyncio.to_thread(run_node, *words) == 0
    first = capsys.readouterr().out
    assert await asyncio.to_thread(run_node, *words) == 0
    again = capsys.readouterr().out
    await asyncio.to_thread(run_hub, "nodes", "--home", root, "--json")
    enrolled = json.loads(capsys.readouterr().out)
    await asyncio.to_thread(run_hub, "revoke", "--home", root, VILLAGE, "--because", "换机")
    said = capsys.readouterr().out
    await asyncio.to_thread(run_hub, "nodes", "--home", root, "--all", "--json")
    after = json.loads(capsys.readouterr().out)

    key = load_identity(node_home_at(node_root).seed).public_key
    assert [(one["site"], one["site_name"]) for one in waiting["open_codes"]] == [(VILLAGE, "某村")]
    assert "登记成功" in first
    assert "某村" in first
    assert "早已登记" in again
    assert [(one["public_key"], one["name"]) for one in enrolled["nodes"]] == [(key, "阅览室电脑")]
    assert enrolled["open_codes"] == []
    assert key in said
    assert [one["revoked_because"] for one in after["nodes"]] == ["换机"]


async def test_a_site_with_a_node_needs_replace(hub: HubUnderTest, tmp_path: Path) -> None:
    await hub.node(tmp_path / "node", VILLAGE)
    root = str(hub.home.root)

    with pytest.raises(Refused, match="has a node already"):
        await asyncio.to_thread(run_hub, "enrol", "--home", root, VILLAGE)

    assert await asyncio.to_thread(run_hub, "enrol", "--home", root, VILLAGE, "--replace") == 0


async def test_a_node_can_be_revoked_by_its_key(hub: HubUnderTest, tmp_path: Path) -> None:
    _, done = await hub.node(tmp_path / "node", VILLAGE)

    assert await asyncio.to_thread(run_hub, "revoke", "--home", str(hub.home.root), done.public_key) == 0

    with pytest.raises(Refused, match="no node"):
        await asyncio.to_thread(run_hub, "revoke", "--home", str(hub.home.root), done.public_key)


def test_a_mistyped_code_is_noticed_before_anything_is_asked(tmp_path: Path) -> None:
    """The address is nobody's: the fault is found without a network."""
    code = "000G40-R40M30-E209CH-JPCSV8-D5N6PV-3DDSQQ-0WBJC4"

    with pytest.raises(BadValue, match="mistyped"):
        run_node("--home", str(tmp_path / "node"), "--hub", "192.0.2.1", "--code", code)

    assert not (tmp_path / "node").exists()
