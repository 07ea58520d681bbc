"""A held mass change decided at the county: the console's page, the call, and the node's own answer, over a bus."""

import asyncio
import contextlib
import re
from collections.abc import AsyncIterator, Mapping
from pathlib import Path

import msgspec
import pytest
from sqlalchemy import Connection

from hub import audit
from hub.staff.roles import Role
from hub.web.reach import Reach
from node import brake
from node.brake import BrakeState, Cause, HeldChange
from node.brake_answers import answered, brakes_handler
from node.tables import SCHEMA
from protocol.calls import Brakes, QuestionHead
from protocol.sites import parse_site
from replication.answering import Handler, answer_calls
from replication.asking import Asker
from replication.database import Database, opened
from replication.migrations import REPLICATION
from tests.consoles import Browser, Desk, browsing, desk, fill_county, words_in
from tests.fakes import FakeBroker

SITE = "330599001205"
"""Its last beat says that it holds a change."""
NOW_MS = 1_790_000_000_000
CHANGE = HeldChange(
    brake_id=0,
    folder="f",
    file_id=None,
    path="林权.xlsx",
    cause=Cause.FOLDER_UNAVAILABLE,
    row_count=1_200,
    of_count=3_400,
    state=BrakeState.HELD,
    held_at_ms=NOW_MS - 5_000,
)


@pytest.fixture
async def node(tmp_path: Path) -> AsyncIterator[Database]:
    async with opened(tmp_path / "node.db", (REPLICATION, SCHEMA)) as database:
        await database.write(lambda connection: brake.hold(connection, CHANGE))
        yield database


class Both:
    """The console's reader, its desk, and the site that answers."""

    def __init__(self, here: Desk, keeper: Browser) -> None:
        self.here = here
        self.keeper = keeper

    async def decide(self, decision: str, **other: str) -> str:
        page = (await self.keeper.get(f"/sites/{SITE}/brakes")).text
        fields = {name: value_in(page, name) for name in ("number", "held")} | {"decision": decision} | other
        answer = await self.keeper.post(f"/sites/{SITE}/brakes", fields, shown_at="/decisions")
        return str(answer.headers.get("location", answer.status_code))


@contextlib.asynccontextmanager
async def talking(tmp_path: Path, handlers: Mapping[type[QuestionHead], Handler]) -> AsyncIterator[Both]:
    bus = FakeBroker().bus()
    answering = asyncio.create_task(answer_calls(bus, parse_site(SITE), lambda: ("e1", 1), handlers))
    await asyncio.sleep(0.01)
    try:
        async with (
            Asker(bus, "console").opened() as asker,
            desk(tmp_path / "hub", fill=fill_county, reach=Reach(asker=asker)) as here,
        ):
            keeper = await here.signed_in(Role.ARCHIVIST, login="lin.min")
            async with browsing(keeper):
                yield Both(here, keeper)
    finally:
        answering.cancel()


def value_in(html: str, name: str) -> str:
    found = re.search(rf'name="{name}" value="([^"]+)"', html)
    return "0" if found is None else found[1]


async def states(node: Database) -> list[str]:
    held = await node.read(lambda connection: brake.held(connection, with_past=True))
    return [one.state.value for one in held]


@pytest.mark.parametrize(
    ("decision", "state", "opposite"), [("release", "release_asked", "reject"), ("reject", "rejected", "release")]
)
async def test_a_decision_at_the_county_is_written_down_at_the_site_once(
    tmp_path: Path, node: Database, decision: str, state: str, opposite: str
) -> None:
    (tmp_path / "hub").mkdir()
    async with talking(tmp_path, {Brakes: brakes_handler(node, lambda: NOW_MS)}) as both:
        shown = words_in((await both.keeper.get(f"/sites/{SITE}/brakes")).text)
        first = await both.decide(decision)
        number, held = "1", str(CHANGE.held_at_ms)
        again = await both.decide(decision, number=number, held=held)
        too_late = await both.decide(opposite, number=number, held=held)
        lines = await both.here.database.read(lambda connection: audit.listed(connection, limit=10))
    told = [(one.who, one.object, one.outcome, one.detail) for one in reversed(lines) if one.action == "brake_decided"]

    assert ("1,200" in shown, first, again, too_late) == (
        True,
        f"/sites/{SITE}/brakes?done={decision}",
        f"/sites/{SITE}/brakes?done={decision}",
        "400",
    )
    assert await states(node) == [state]
    assert told == [
        ("lin.min", f"{SITE} brake 1", "done", decision),
        ("lin.min", f"{SITE} brake 1", "done", decision),
        ("lin.min", f"{SITE} brake 1", "refused", opposite),
    ]


async def test_a_site_of_an_older_version_refuses_and_nothing_is_overclaimed(tmp_path: Path) -> None:
    (tmp_path / "hub").mkdir()
    async with talking(tmp_path, {}) as both:
        page = words_in((await both.keeper.get(f"/sites/{SITE}/brakes")).text)
        decided = await both.decide("release", number="1", held="1")

    assert ("问不到该站点：拒绝" in page, decided) == (True, "400")


@pytest.mark.parametrize(
    "question",
    [
        Brakes(asker="a", question="q", brake_id=1, held_at_ms=1, decision="release"),
        Brakes(asker="a", question="q", brake_id=2, held_at_ms=CHANGE.held_at_ms, decision="release"),
        Brakes(asker="a", question="q", brake_id=1, held_at_ms=CHANGE.held_at_ms, decision="forget"),
    ],
)
async def test_what_was_not_shown_is_not_decided(node: Database, question: Brakes) -> None:
    """A number may name another change after the site's database was put back."""
    said = await node.write(lambda connection: answered(connection, question, NOW_MS))

    assert (said.is_decided, said.total, await states(node)) == (False, 1, ["held"])


async def test_a_long_list_is_cut_and_its_total_said(node: Database) -> None:
    def hold_many(connection: Connection) -> None:
        for number in range(60):
            brake.hold(connection, msgspec.structs.replace(CHANGE, folder=f"f{number}"))

    await node.write(hold_many)
    said = await node.read(lambda connection: answered(connection, Brakes(asker="a", question="q"), 0))

    assert (len(said.lines), said.total) == (50, 61)
