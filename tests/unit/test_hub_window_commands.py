"""``danglian-hub request``, ``rules`` and ``disputes``: run as a person runs them."""

import asyncio
import json
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from sqlalchemy import Connection

from hub.__main__ import main
from hub.home import home_at
from hub.storage import store
from hub.window import cases, desk
from hub.window.requests import Request
from hub.window.states import Step
from tests.window import DAY_MS, KEY, KINDS, LIN, TO_FOUND, case, draft

Command = Callable[..., tuple[int, str, str]]
NOW_MS = time.time_ns() // 10**6


@pytest.fixture
def home(tmp_path: Path) -> Path:
    folder = tmp_path / "hub"
    words = ["init", "--home", str(folder), "--county", "330523000000", "--name", "某县档案馆", "--host", "127.0.0.1"]
    assert main([*words, "--web-port", "0"]) == 0
    return folder


@pytest.fixture
def command(home: Path, capsys: pytest.CaptureFixture[str]) -> Command:
    def run(*arguments: str) -> tuple[int, str, str]:
        capsys.readouterr()
        code = main([*arguments, "--home", str(home)])
        said = capsys.readouterr()
        return code, said.out, said.err

    return run


def request(home: Path, steps: Sequence[Step] = (), days_ago: int = 0, number: int = 1) -> Request:
    """Make a request in a hub's home, all of its steps so many days ago."""
    at_ms = NOW_MS - days_ago * DAY_MS

    def done(connection: Connection) -> Request:
        one = desk.draft(connection, LIN, draft(number), KEY, at_ms)
        for step in steps:
            one = desk.take(connection, LIN, one.request_id, step, at_ms)
        return one

    async def work() -> Request:
        async with store.opened(home_at(home)) as database:
            return await database.write(done)

    return asyncio.run(work())


def test_requests_are_listed_without_names(home: Path, command: Command) -> None:
    made = request(home, TO_FOUND)
    code, out, _ = command("request")
    _, found, _ = command("request", "list", "--state", "found", "--json")
    _, drafts, _ = command("request", "list", "--state", "drafted", "--json")

    assert (code, made.number in out, "已查到" in out, "甲" in out) == (0, True, True, False)
    assert [one["number"] for one in json.loads(found)["requests"]] == [made.number]
    assert json.loads(drafts)["requests"] == []


def test_one_request_is_shown_with_its_history_and_that_is_logged(home: Path, command: Command) -> None:
    made = request(home, TO_FOUND[:3])
    code, out, _ = command("request", "show", made.number.lower())
    _, as_json, _ = command("request", "show", made.number, "--json")
    _, audited, _ = command("audit", "verify", "--json")

    assert (code, "核验身份" in out, "分送各馆室" in out, "结婚登记" in out) == (0, True, True, False)
    assert [line["step"] for line in json.loads(as_json)["history"]] == ["draft", *TO_FOUND[:3]]
    assert json.loads(audited)["lines"] == 6


def test_what_is_overdue_is_told_with_an_exit_code(home: Path, command: Command) -> None:
    request(home, TO_FOUND[:3])
    before = command("request", "overdue")[0]
    late = request(home, TO_FOUND[:3], days_ago=40, number=2)
    code, out, _ = command("request", "overdue")
    _, as_json, _ = command("request", "overdue", "--json")

    assert (before, code, late.number in out, "应告知分管馆领导" in out) == (0, 1, True, True)
    assert json.loads(as_json)["told"]["leader"] == [late.number]


@pytest.mark.parametrize("arguments", [("show",), ("list", "CD2026-000001"), ("overdue", "--state", "found")])
def test_arguments_that_do_not_go_together_are_refused(home: Path, command: Command, arguments: Sequence[str]) -> None:
    request(home)

    assert command("request", *arguments)[0] == 2


def test_a_number_that_nobody_has_is_said(home: Path, command: Command) -> None:
    request(home)
    code, _, err = command("request", "show", "CD2026-999999")

    assert (code, "CD2026-999999" in err) == (2, True)


def test_the_rules_in_force_are_shown(command: Command) -> None:
    code, out, _ = command("rules")
    _, as_json, _ = command("rules", "--json")

    assert (code, "R04" in out, "第 0 版" in out) == (0, True, True)
    assert (json.loads(as_json)["version"], len(json.loads(as_json)["rules"]["rows"])) == (0, 15)


def test_rules_with_a_gap_are_refused_and_the_old_ones_stay(home: Path, command: Command) -> None:
    sheet = home / "words" / "rules.csv"
    text = sheet.read_text(encoding="utf-8-sig")
    sheet.write_text(text[: text.index("R99")], encoding="utf-8-sig")
    code, out, _ = command("rules", "load", "--json")
    _, shown, _ = command("rules", "--json")
    faults = json.loads(out)["faults"]

    assert (code, json.loads(shown)["version"]) == (1, 0)
    assert faults[0]["reason"]["zh"].startswith("没有一行规定：")


def test_rules_that_are_loaded_are_a_version_and_a_line_in_the_log(home: Path, command: Command) -> None:
    sheet = home / "words" / "rules.csv"
    sheet.write_text(sheet.read_text(encoding="utf-8-sig").replace("R13", "R13a"), encoding="utf-8-sig")
    checked, loaded = command("rules", "check")[0], command("rules", "load")[0]
    _, shown, _ = command("rules", "--json")
    _, audited, _ = command("audit", "verify", "--json")
    back = command("rules", "load", "--version", "0")[0]

    assert (checked, loaded, back, json.loads(shown)["version"]) == (0, 0, 0, 1)
    assert "R13a" in [row["id"] for row in json.loads(shown)["rules"]["rows"]]
    assert json.loads(audited)["lines"] == 1


def test_kinds_of_disputes_are_shown_checked_and_counted(home: Path, command: Command) -> None:
    async def fill() -> None:
        async with store.opened(home_at(home)) as database:
            for number in range(4):
                await database.write(
                    lambda connection, number=number: cases.record(connection, LIN, case(number), KINDS, NOW_MS)  # type: ignore[misc]
                )

    asyncio.run(fill())
    shown, checked = command("disputes"), command("disputes", "check")
    code, out, _ = command("disputes", "show", "2026")
    none = command("disputes", "show", "2026年")[0]

    assert (shown[0], "永久" in shown[1], checked[0], none) == (0, True, 0, 2)
    assert (code, "上石村\t4" in out, "案件合计：4" in out) == (0, True, True)
