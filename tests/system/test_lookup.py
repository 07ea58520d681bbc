"""The mediator's forest contract with real parts: two papers at two sites, one of which is dark when he asks."""

import json
from collections.abc import Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest

from hub.home import home_at
from hub.storage import store
from hub.window import desk
from hub.window.requests import Purpose, Question
from hub.window.states import Step
from tests.system.counties import County, fetched, write_csv
from tests.system.programs import Program, until
from tests.window import KEY, LIN, draft, uuid

pytestmark = pytest.mark.timeout(180)

OLD, NEW = "330523108204", "330523108205"
HEADER = ("档号", "题名", "责任者", "日期", "保管期限", "开放标识")
PAPERS = {
    OLD: ("Z109-WS·1986·Y-0001", "大溪村山林承包合同", "大溪村民委员会", "19861203", "永久", "开放"),
    NEW: ("Z110-WS·2014·Y-0001", "大溪村与横路村山林流转合同", "横路村民委员会", "20140506", "永久", "开放"),
}


async def accepted(home: Path) -> str:
    """Put a mediator's request on the register, as the window does, and return its number."""
    question = Question(question_id=uuid(9), text="山林承包", place="大溪村")
    asked = draft(1, purpose=Purpose.LAND_AND_FOREST, questions=(question,))
    async with store.opened(home_at(home)) as database:
        request = await database.write(lambda connection: desk.draft(connection, LIN, asked, KEY, 1))
        for step in (Step.SUBMIT, Step.CHECK_IDENTITY, Step.ACCEPT):
            await database.write(
                lambda connection, one=step: desk.take(connection, LIN, request.request_id, one, 2)  # type: ignore[misc]
            )
    return request.number


async def shown(hub: Program, number: str) -> Any:  # noqa: ANN401 - a command's answer
    (view,) = json.loads(await hub.run("lookup", "show", number, "--json"))
    return view


def outcomes(view: Any) -> dict[str, str]:  # noqa: ANN401 - a command's answer
    return {site["site"]: site["outcome"] for site in view["sites"]}


async def test_a_question_outlives_the_night_of_a_site_that_is_dark(
    tmp_path: Path, free_port: Callable[[], int]
) -> None:
    async with AsyncExitStack() as stack:
        county = County(tmp_path, free_port, stack)
        await county.open()
        for site, paper in PAPERS.items():
            node = await county.join(site, start=False)
            write_csv(node.home / "catalogues" / "目录.csv", [paper], HEADER)
            await node.start()
        catalogue = county.hub.home / "hub.db"
        counted = "SELECT count(*) FROM entry WHERE body IS NOT NULL"
        await until("both papers to be in the catalogue", lambda: fetched(catalogue, counted) == [(2,)])
        await county.nodes[NEW].stop()
        number = await accepted(county.hub.home)

        asked = await county.hub.run("lookup", "ask", number, "山林", "--site", "330523108*", "--json")
        (view,) = json.loads(asked)
        assert (outcomes(view)[OLD], view["state"]) == ("answered", "partial")
        assert outcomes(view)[NEW] == "pending"
        assert fetched(catalogue, "SELECT state FROM lookup_request") == [("partial",)]

        await county.nodes[NEW].start()

        said = "SELECT outcome FROM lookup_site WHERE site = ?"
        await until("the dark site to answer", lambda: fetched(catalogue, said, (NEW,)) == [("answered",)], 60.0)
        after = await shown(county.hub, number)
        assert after["state"] == "found"
        assert {hit["record"]["title"] for hit in after["hits"] if hit["live"]} == {
            paper[1] for paper in PAPERS.values()
        }
        assert fetched(catalogue, "SELECT state FROM lookup_request") == [("found",)]

        for site, way in ((OLD, "live"), (NEW, "letter")):
            lines = json.loads(await county.nodes[site].run("audit", "show", "--json"))
            assert [(line["origin"], line["detail"]["case_ref"]) for line in lines] == [(way, number)]
        verdict = json.loads(await county.nodes[NEW].run("audit", "verify", "--json"))
        assert (verdict["lines"], verdict["contradictions"]) == (1, [])
        statement = tmp_path / "statement.json"
        await county.hub.run("statement", "make", number, "--out", str(statement))
        assert "The signature is right" in await county.hub.run("statement", "verify", str(statement))
