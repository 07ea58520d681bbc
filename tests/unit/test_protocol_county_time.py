"""The county's time: the legal day is China's, wherever a PC believes to be."""

import ast
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from hub.commands import listing
from hub.courier.couriers import not_on_the_line
from node import wording
from node.commands import transfer_work
from protocol import county_time
from replication.carriage import target_in

NEW_YEAR_MS = 1_798_732_800_000
"""2027-01-01 00:00 in China; eleven in the morning of the day before in New York."""

ROOT = Path(__file__).parents[2]


@pytest.fixture(params=["America/New_York", "Pacific/Kiritimati", "UTC"])
def _abroad(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", request.param)
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.mark.usefixtures("_abroad")
def test_a_machine_with_another_zone_tells_the_same_time() -> None:
    assert str(county_time.day_of(NEW_YEAR_MS)) == "2027-01-01"
    assert county_time.second(NEW_YEAR_MS) == "2027-01-01 00:00:00"
    assert wording.moment(NEW_YEAR_MS) == listing.moment(NEW_YEAR_MS) == "2027-01-01 00:00:00"
    assert "2027-01-01" in not_on_the_line(NEW_YEAR_MS).zh
    assert target_in(Path("stick"), "a", NEW_YEAR_MS).name == "a-20270101-000000.dlb"


@pytest.mark.usefixtures("_abroad")
def test_a_paper_bears_the_legal_day(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time, "time_ns", lambda: NEW_YEAR_MS * 1_000_000)
    assert str(transfer_work.today()) == "2027-01-01"


def test_no_module_asks_the_machine_for_its_zone() -> None:
    """``astimezone()``, ``fromtimestamp(x)``, ``now()``, ``today()`` and ``time.strftime(form)`` do so in silence."""
    asking = [
        f"{path.relative_to(ROOT)}:{call.lineno}"
        for package in ("protocol", "replication", "node", "hub", "deploy")
        for path in sorted((ROOT / package).rglob("*.py"))
        for call in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute) and asks_the_machine(call, call.func)
    ]
    assert asking == []


def asks_the_machine(call: ast.Call, called: ast.Attribute) -> bool:
    of = called.value.id if isinstance(called.value, ast.Name) else getattr(called.value, "attr", "")
    given = len(call.args) + len(call.keywords)
    if of == "time":
        return called.attr in {"localtime", "ctime"} or (called.attr == "strftime" and given < 2)
    if called.attr in {"astimezone", "now"} and of in {"datetime", ""}:
        return given == 0
    if called.attr == "fromtimestamp":
        return given < 2
    return (called.attr == "astimezone" and given == 0) or (called.attr == "today" and of in {"date", "datetime"})
