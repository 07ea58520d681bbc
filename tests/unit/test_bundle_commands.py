"""The commands of the courier's round trip, as people type them at both ends."""

import asyncio
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from hub import __main__ as hub_program
from node import __main__ as node_program
from node.home import home_at
from protocol.limits import BUNDLE_BYTES_MAX
from protocol.wording import Text
from replication import command_line, progress
from replication.keys import load_identity
from tests.node_site import CODE, node_site, rows, write_csv

Command = Callable[..., tuple[int, str, str]]


@pytest.fixture(autouse=True)
def _plain_surroundings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DANGLIAN_LANG", "en")
    monkeypatch.delenv("DANGLIAN_HOME", raising=False)
    monkeypatch.setattr(command_line, "configure_logs", lambda **_settings: None)


@pytest.fixture
def stick(tmp_path: Path) -> Path:
    folder = tmp_path / "stick"
    folder.mkdir()
    return folder


@pytest.fixture
def hub(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Command:
    home = tmp_path / "hub"
    made = ["init", "--home", str(home), "--county", "330523000000", "--name", "某县档案馆", "--host", "127.0.0.1"]
    assert hub_program.main(made) == 0
    return _command(hub_program.main, home, capsys)


@pytest.fixture
def node(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Command:
    return _command(node_program.main, tmp_path / "node", capsys)


def _command(main: Callable[[list[str]], int], home: Path, capsys: pytest.CaptureFixture[str]) -> Command:
    def run(*words: str) -> tuple[int, str, str]:
        capsys.readouterr()
        code = main([*words, "--home", str(home)])
        told = capsys.readouterr()
        return code, told.out, told.err

    return run


def answer(result: tuple[int, str, str]) -> Any:  # noqa: ANN401 - a command's answer
    return json.loads(result[1])


def enrol(hub: Command, node: Command, stick: Path) -> None:
    issued = answer(hub("enrol", CODE, "--name", "某村", "--courier", "--json"))
    assert node("init", "--courier", str(stick), "--code", issued["code"])[0] == 0
    assert hub("bundle", "in", str(stick))[0] == 0
    assert hub("bundle", "out", str(stick))[0] == 0


async def fill(tmp_path: Path) -> None:
    async with node_site(tmp_path / "node") as site:
        site.writer.identity = load_identity(home_at(tmp_path / "node").seed)
        write_csv(site.folder / "a.csv", rows(3))
        await site.take("a.csv")


async def test_the_round_trip_is_told_step_by_step(tmp_path: Path, hub: Command, node: Command, stick: Path) -> None:
    """In a thread of its own per command: they bring their own loops."""

    def whole() -> list[str]:
        told = []
        issued = answer(hub("enrol", CODE, "--name", "某村", "--courier", "--json"))
        told.append(node("init", "--courier", str(stick), "--code", issued["code"])[1])
        told.append(hub("bundle", "in", str(stick))[1])
        told.append(hub("bundle", "out", str(stick))[1])
        told.append(node("bundle", "in", str(stick))[1])
        return told

    applied, admitted, replied, welcomed = await asyncio.to_thread(whole)
    assert "Neither the code nor the key is on the stick" in applied
    assert "is enrolled" in admitted
    assert "Next: danglian-hub bundle out" in admitted
    assert f"for site {CODE}" in replied
    assert f"Enrolled: site {CODE}" in welcomed
    await fill(tmp_path)

    def carried() -> list[tuple[int, str, str]]:
        return [
            node("bundle", "out", str(stick)),
            hub("bundle", "in", str(stick)),
            hub("bundle", "out", str(stick)),
            node("bundle", "in", str(stick)),
            hub("sites"),
            hub("bundle", "in", str(stick)),
            node("status"),
        ]

    out, taken, _, back, board, again, status = await asyncio.to_thread(carried)
    assert "positions after 0 up to 3, 1 frame" in out[1]
    assert "3 changes applied, up to position 3; both ends hold the same" in taken[1]
    assert "confirmed up to position 3; compared at the hub: both ends hold the same" in back[1]
    assert "by courier, last bundle of" in board[1]
    assert "was taken before; nothing was changed" in again[1]
    assert re.search(r"last written \d{4}-.*last reply taken \d{4}-", status[1])
    assert {code for code, _, _ in (out, taken, back, board, again)} == {0}


def test_a_home_that_is_none_says_what_to_do(node: Command, stick: Path) -> None:
    for words in (("bundle", "out", str(stick)), ("bundle", "in", str(stick))):
        code, _, err = node(*words)
        assert code == 2
        assert "danglian-node init" in err


def test_a_node_that_never_ran_has_nothing_to_write(hub: Command, node: Command, stick: Path) -> None:
    enrol(hub, node, stick)
    assert node("bundle", "in", str(stick))[0] == 0
    code, _, err = node("bundle", "out", str(stick))
    assert code == 2
    assert "the node has never run" in err


def test_one_bad_file_does_not_stop_the_others(hub: Command, node: Command, stick: Path) -> None:
    (stick / "notes.dlb").write_text("不是信使包" * 200, encoding="utf-8")
    issued = answer(hub("enrol", CODE, "--courier", "--json"))
    assert node("init", "--courier", str(stick), "--code", issued["code"])[0] == 0
    code, out, _ = hub("bundle", "in", str(stick))
    assert code == 1
    assert "no courier bundle" in out
    assert "what to do: Write it again" in out
    assert "is enrolled" in out


def test_a_wrong_code_is_refused_at_the_hub_in_words(hub: Command, node: Command, stick: Path) -> None:
    first = answer(hub("enrol", CODE, "--courier", "--json"))["code"]
    assert node("init", "--courier", str(stick), "--code", first)[0] == 0
    # A new code takes the place of the one before.
    answer(hub("enrol", CODE, "--courier", "--json"))
    code, out, _ = hub("bundle", "in", str(stick))
    assert code == 1
    assert "the hub does not know this code" in out


def test_replies_need_somebody_to_go_to(hub: Command, stick: Path) -> None:
    code, _, err = hub("bundle", "out", str(stick))
    assert (code, "no site comes by courier yet" in err) == (1, True)
    code, _, err = hub("bundle", "out", str(stick), CODE)
    assert (code, "has no enrolled node" in err) == (1, True)


def test_a_stick_that_is_not_there_is_told(hub: Command, node: Command, stick: Path) -> None:
    enrol(hub, node, stick)
    code, _, err = hub("bundle", "out", str(stick / "E"))
    assert (code, "cannot write" in err) == (1, True)
    code, out, _ = hub("bundle", "in", str(stick / "E" / "x.dlb"))
    assert (code, "cannot read" in out) == (1, True)


def test_enrolment_needs_a_way(node: Command) -> None:
    with pytest.raises(SystemExit):
        node("init", "--code", "X")


@pytest.mark.parametrize("program", [hub_program, node_program])
def test_help_teaches_the_round_trip_in_both_languages(program: Any, capsys: pytest.CaptureFixture[str]) -> None:  # noqa: ANN401 - a module
    with pytest.raises(SystemExit):
        program.main(["bundle", "--help"])
    text = capsys.readouterr().out
    for step in (
        "danglian-node bundle out",
        "danglian-hub bundle in",
        "danglian-hub bundle out",
        "danglian-node bundle in",
    ):
        assert text.count(step) >= 2
    assert "一次往返" in text
    assert "--courier" in text


def test_progress_is_drawn_only_where_somebody_watches(capsys: pytest.CaptureFixture[str]) -> None:
    label = Text(zh="写", en="writing")
    with progress.progress(label, 100) as unseen:
        unseen.add(50)
    assert capsys.readouterr().err == ""
    shown = progress.Progress(label, 100, is_watched=True)
    shown.add(50)
    shown.close()
    assert "50%" in capsys.readouterr().err


def test_a_bundle_fits_any_stick() -> None:
    """FAT32 holds no file of 4 GiB."""
    assert BUNDLE_BYTES_MAX < 4 * 1024**3 - 1
