"""Tokens made and revoked in the console; brakes, contradictions and the sites' own words over the interface."""

import re
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from hub import audit
from hub.staff.roles import Role
from hub.staff.tokens import Scope
from hub.web.reach import Reach
from protocol.sites import parse_site
from protocol.vocabularies import AccessStatus
from replication.asking import Asker
from tests.answering_sites import AnsweringSite, answering
from tests.catalogue import VILLAGE, fictitious
from tests.consoles import Desk, browsing, desk, fill_county, words_in
from tests.decisions import SITE, fill_queues
from tests.fakes import FakeBroker
from tests.interfaces import asking

ON_LINE = "330599001202"
"""Beats, and answers."""


@pytest.fixture
async def here(tmp_path: Path) -> AsyncIterator[Desk]:
    async with desk(tmp_path, fill=fill_queues) as made:
        yield made


async def test_a_token_is_shown_once_works_and_is_revoked(here: Desk) -> None:
    keeper = await here.signed_in(Role.ADMINISTRATOR)
    async with browsing(keeper):
        fields: dict[str, str | list[str]] = {
            "name": "省档案馆目录平台",
            "days": "30",
            "scope": ["sites", "decisions"],
        }
        made = await keeper.post("/tokens", fields)
        found = re.search(r'id="secret">(dl_[^<]+)<', made.text)
        assert found is not None
        again = await keeper.get("/tokens")
        headers = {"authorization": f"Bearer {found[1]}"}
        async with httpx.AsyncClient(base_url=here.url, headers=headers, trust_env=False) as system:
            before = (await system.get("/api/v1/brakes")).status_code
            number = re.search(r"/tokens/([0-9a-f]+)/revoke", again.text)
            assert number is not None
            gone = await keeper.post(f"/tokens/{number[1]}/revoke", {}, shown_at="/tokens")
            after = (await system.get("/api/v1/brakes")).status_code
        known = await here.database.read(lambda connection: audit.listed(connection, limit=10))

    assert (made.status_code, found[1] in again.text, before, after) == (200, False, 200, 401)
    assert gone.headers["location"] == "/tokens?done=revoked"
    assert {one.action for one in known} >= {"token_added", "token_revoked"}


@pytest.mark.parametrize(
    "fields",
    [
        {"name": "", "days": "30", "scope": "sites"},
        {"name": "甲", "days": "30"},
        {"name": "甲", "days": "0", "scope": "sites"},
        {"name": "甲", "days": "9999", "scope": "sites"},
        {"name": "甲", "days": "x", "scope": "sites"},
        {"name": "长" * 300, "days": "30", "scope": "sites"},
        # Who administers neither reads the audit log nor entries that are not open: no token made here does.
        {"name": "甲", "days": "30", "scope": "audit"},
        {"name": "甲", "days": "30", "scope": "catalogue-closed"},
    ],
)
async def test_a_token_that_cannot_be_is_refused(here: Desk, fields: dict[str, str]) -> None:
    keeper = await here.signed_in(Role.ADMINISTRATOR)
    async with browsing(keeper):
        answer = await keeper.post("/tokens", fields)

    assert (answer.status_code, "dl_" in answer.text) == (400, False)


async def test_a_hostile_name_is_only_text_and_a_forged_id_is_nothing(here: Desk) -> None:
    keeper = await here.signed_in(Role.ADMINISTRATOR)
    async with browsing(keeper):
        await keeper.post("/tokens", {"name": "<img src=x onerror=alert(1)>", "days": "3", "scope": "metrics"})
        page = await keeper.get("/tokens")
        forged = await keeper.post("/tokens/deadbeef/revoke", {}, shown_at="/tokens")

    assert ("<img src=x" in page.text, "&lt;img src=x" in page.text, forged.status_code) == (False, True, 404)


# Today's needs


@pytest.mark.parametrize(
    ("role", "matter", "path"),
    [
        (Role.ARCHIVIST, "brake", f"/sites/{SITE}/brakes"),
        (Role.ARCHIVIST, "conflict", f"/decisions/conflicts?site={SITE}"),
        (Role.ARCHIVIST, "quarantine", f"/decisions/quarantine?site={SITE}"),
        (Role.ARCHIVIST, "nonsense", f"/sites/{SITE}"),
        (Role.CLERK, "conflict", f"/sites/{SITE}"),
    ],
)
async def test_a_need_leads_to_its_queue_whoever_may_decide(here: Desk, role: Role, matter: str, path: str) -> None:
    browser = await here.signed_in(role)
    async with browsing(browser):
        answer = await browser.get(f"/needs/{matter}/{SITE}")
        there = await browser.get(answer.headers["location"])

    assert (answer.headers["location"], there.status_code) == (path, 200)


async def test_every_need_on_the_first_page_leads_somewhere(here: Desk) -> None:
    browser = await here.signed_in(Role.ARCHIVIST)
    async with browsing(browser):
        page = (await browser.get("/today")).text
        paths = set(re.findall(r'href="(/needs/[^"]+)"', page))
        codes = set()
        for path in paths:
            codes.add((await browser.get((await browser.get(path)).headers["location"])).status_code)

    assert (any("/needs/brake/" in path for path in paths), any("/conflict/" in path for path in paths)) == (True, True)
    assert codes == {200}


# The interface


async def test_brakes_and_contradictions_are_told_without_what_they_say(here: Desk) -> None:
    async with await asking(here, Scope.DECISIONS) as system:
        brakes = (await system.get("/api/v1/brakes")).json()
        one = (await system.get(f"/api/v1/brakes/{brakes['sites'][0]['site']}")).json()
        found = (await system.get("/api/v1/contradictions", params={"site": SITE})).json()
        none = (await system.get("/api/v1/contradictions", params={"site": "330599001204"})).json()

    assert (brakes["sites"][0]["held"], "why_not" in one, one["held"]) == (1, True, 1)
    assert (found["total"], [one["site"] for one in found["contradictions"]]) == (1, [SITE])
    assert (none["contradictions"], "title" in str(found)) == ([], False)


async def test_a_live_search_says_what_became_of_it_at_each_site(tmp_path: Path) -> None:
    bus = FakeBroker().bus()
    records = [
        fictitious(1, title="开放的山林承包合同", access_status=AccessStatus.OPEN, repository_id=ON_LINE),
        fictitious(2, title="未开放的山林承包合同", access_status=AccessStatus.RESTRICTED, repository_id=ON_LINE),
    ]
    site = AnsweringSite(parse_site(ON_LINE), records, epoch="e1", seq=4000 + 37 * 4)
    async with (
        answering(bus, [site]),
        Asker(bus, "console").opened() as asker,
        desk(tmp_path, fill=fill_county, reach=Reach(asker=asker)) as here,
    ):
        async with await asking(here, Scope.CATALOGUE_CLOSED) as system:
            every = (await system.get("/api/v1/search/live", params={"q": "山林", "site": ON_LINE})).json()
        async with await asking(here, Scope.CATALOGUE) as system:
            public = (await system.get("/api/v1/search/live", params={"q": "山林", "site": ON_LINE})).json()
            closed = (await system.get("/api/v1/search/live", params={"q": "山林", "access": "restricted"})).json()

    titles = sorted(hit["record"]["title"] for hit in every["hits"])
    assert (titles, every["hits"][0].get("live", False)) == (["开放的山林承包合同", "未开放的山林承包合同"], True)
    assert [hit["record"]["title"] for hit in public["hits"]] == ["开放的山林承包合同"]
    assert ([one["site"] for one in every["sites"]], "live_total" in public["sites"][0]) == ([ON_LINE], False)
    assert (closed["hits"], "未开放" in str(public)) == ([], False)


@pytest.mark.parametrize("name", [VILLAGE.code, "nowhere", "330599009999"])
async def test_brakes_of_a_site_that_nobody_knows_are_nothing(here: Desk, name: str) -> None:
    async with await asking(here, Scope.DECISIONS) as system:
        answer = await system.get(f"/api/v1/brakes/{name}")

    assert answer.status_code == 404


async def test_each_operation_needs_its_scope(here: Desk) -> None:
    async with await asking(here, Scope.METRICS) as system:
        codes = {
            (await system.get(f"/api/v1/{path}")).status_code for path in ("search/live", "brakes", "contradictions")
        }

    assert codes == {403}


async def test_the_page_of_tokens_is_in_both_languages(here: Desk) -> None:
    keeper = await here.signed_in(Role.ADMINISTRATOR, language="en")
    async with browsing(keeper):
        page = words_in((await keeper.get("/tokens")).text)

    assert "Tokens" in page
