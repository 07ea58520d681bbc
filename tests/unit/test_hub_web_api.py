"""The interface over real HTTP: who may ask for what, what an open token never sees, how lists are paged."""

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from hub import audit
from hub.searching.cursors import Cursor, sealed
from hub.staff import tokens
from hub.staff.administration import Actor
from hub.staff.roles import Role
from hub.staff.tokens import Scope
from hub.web.api.cursors import _identity
from hub.web.api.operations import OPERATIONS
from hub.web.throttling import REQUESTS_BURST
from protocol.vocabularies import AccessStatus, Level, Secrecy
from tests.catalogue import described, fictitious
from tests.consoles import Desk
from tests.hubs import Hub
from tests.interfaces import CLOSED, GONE, OPEN, asking, interface, token

NAMED = {"record_id": str(fictitious(OPEN).record_id), "site": "330599001200"}
PATHS = {one.id: "/api/v1" + one.path.format_map(NAMED) for one in OPERATIONS}


@pytest.fixture
async def here(tmp_path: Path) -> AsyncIterator[Desk]:
    async with interface(tmp_path) as made:
        yield made


async def lines(here: Desk) -> list[tuple[str, str, str]]:
    found = await here.database.read(lambda connection: audit.listed(connection, limit=500))
    return [(one.action, one.object, one.outcome) for one in reversed(found)]


async def test_every_operation_answers_its_scope(here: Desk) -> None:
    async with await asking(here, *Scope) as system:
        answers = {name: (await system.get(path)).status_code for name, path in PATHS.items()}

    assert answers == dict.fromkeys(PATHS, 200)


async def test_every_operation_refuses_whoever_has_no_token(here: Desk) -> None:
    async with await asking(here) as system:
        answers = {name: await system.get(path) for name, path in PATHS.items()}

    assert {name: (one.status_code, one.headers["www-authenticate"]) for name, one in answers.items()} == dict.fromkeys(
        PATHS, (401, "Bearer")
    )


@pytest.mark.parametrize("scope", [*Scope])
async def test_a_token_answers_for_its_scope_alone(here: Desk, scope: Scope) -> None:
    async with await asking(here, scope) as system:
        answers = {one.id: (await system.get(PATHS[one.id])).status_code for one in OPERATIONS}

    assert answers == {one.id: 200 if scope in one.scopes else 403 for one in OPERATIONS}


async def test_a_refusal_is_a_problem_in_both_languages_and_a_line_in_the_audit_log(here: Desk) -> None:
    async with await asking(here, Scope.METRICS) as system:
        answer = await system.get("/api/v1/audit")
    told = answer.json()

    assert (answer.status_code, answer.headers["content-type"]) == (403, "application/problem+json")
    assert (told["status"], told["reason"]["zh"], told["hint"]["en"]) == (
        403,
        "令牌没有这一范围的权限。",
        "Ask the administrator for another token.",
    )
    assert ("access_refused", "/api/v1/audit", "refused") in await lines(here)


async def test_a_token_that_was_revoked_or_is_over_is_worthless(here: Desk) -> None:
    revoked, over = await token(here, Scope.SITES), await token(here, Scope.SITES, days=1)
    await here.database.write(
        lambda connection: tokens.revoke(connection, Actor(who="test"), revoked.token.id, here.clock())
    )
    here.clock.forward(25 * 3600)
    async with await asking(here) as system:
        answers = [
            (await system.get("/api/v1/sites", headers={"authorization": f"Bearer {one.secret}"})).status_code
            for one in (revoked, over)
        ]

    assert answers == [401, 401]


async def test_the_secret_of_a_token_is_nowhere_in_the_store(here: Desk) -> None:
    made = await token(here, Scope.SITES)
    stored = await here.database.fetch("SELECT * FROM api_token")

    assert (len(stored), made.secret in str(stored)) == (1, False)


async def test_an_open_token_finds_open_entries_alone(here: Desk) -> None:
    async with await asking(here, Scope.CATALOGUE) as system:
        found = (await system.get("/api/v1/search", params={"q": "山林承包合同"})).json()
        asked = (await system.get("/api/v1/search", params={"access": "restricted"})).json()
    async with await asking(here, Scope.CATALOGUE_CLOSED) as system:
        everything = (await system.get("/api/v1/search", params={"q": "山林承包合同"})).json()

    assert {hit["record"]["access_status"] for hit in found["hits"]} == {"open"}
    assert (found["total"], asked["total"], everything["total"]) == (2, 0, 3)


async def test_an_open_token_is_not_told_what_was_counted_with_others(here: Desk) -> None:
    """Totals beyond a page, facets, look-alikes and decisions count or name what may not be public."""
    async with await asking(here, Scope.CATALOGUE) as system:
        first = (await system.get("/api/v1/search", params={"limit": 1, "facets": True})).json()
        record = first["hits"][0]["record"]["record_id"]
        alike = (await system.get(f"/api/v1/entries/{record}/duplicates")).json()
    async with await asking(here, Scope.CATALOGUE_CLOSED) as system:
        everything = (await system.get("/api/v1/search", params={"limit": 1, "facets": True})).json()

    assert (first["exact"], first["facets"], alike["decisions"]) == (False, None, [])
    assert everything["facets"] is not None


async def test_titles_that_are_not_open_are_listed_with_a_line_in_the_audit_log(here: Desk) -> None:
    async with await asking(here, Scope.CATALOGUE_CLOSED) as system:
        await system.get("/api/v1/search", params={"q": "山林承包合同"})

    assert ("entries_listed", "search", "done") in await lines(here)
    found = await here.database.read(lambda connection: audit.listed(connection, action="entries_listed", limit=9))
    assert [one.detail for one in found] == [f"1: {fictitious(CLOSED).record_id}"]


async def test_an_open_token_cannot_tell_a_closed_entry_from_one_that_nobody_has(here: Desk) -> None:
    paths = [f"/api/v1/entries/{fictitious(one).record_id}" for one in (CLOSED, GONE, 99)]
    async with await asking(here, Scope.CATALOGUE) as system:
        answers = [await system.get(path) for path in paths]

    assert [(one.status_code, one.text) for one in answers] == [(404, answers[0].text)] * 3


async def test_an_open_token_is_not_told_what_lies_in_a_volume_under_a_mark_of_secrecy(here: Desk) -> None:
    """An entry may be open and still bear a mark; its title is not public."""
    volume = fictitious(70, title="1986年案卷", level=Level.VOLUME, access_status=AccessStatus.OPEN)
    inside = [
        fictitious(71, title="公开的合同", parent_id=volume.record_id, access_status=AccessStatus.OPEN),
        fictitious(
            72,
            title="内部的合同",
            parent_id=volume.record_id,
            access_status=AccessStatus.OPEN,
            secrecy=Secrecy.INTERNAL,
        ),
    ]
    await Hub(here.database).tell(*(described(seq, one) for seq, one in enumerate((volume, *inside), 6)))
    async with await asking(here, Scope.CATALOGUE) as system:
        entry = (await system.get(f"/api/v1/entries/{volume.record_id}")).json()["entries"][0]

    assert ([one["title"] for one in entry["contents"]["first"]], entry["contents"]["total"]) == (["公开的合同"], 1)


async def test_reading_a_closed_entry_is_in_the_audit_log(here: Desk) -> None:
    closed, opened = str(fictitious(CLOSED).record_id), str(fictitious(OPEN).record_id)
    async with await asking(here, Scope.CATALOGUE_CLOSED) as system:
        seen = await system.get(f"/api/v1/entries/{closed}")
        await system.get(f"/api/v1/entries/{opened}")

    assert seen.json()["entries"][0]["access_status"] == "restricted"
    assert [line for line in await lines(here) if line[0] == "entry_read"] == [("entry_read", closed, "done")]


async def test_keys_by_which_persons_are_matched_are_not_told(here: Desk) -> None:
    async with await asking(here, Scope.CATALOGUE_CLOSED) as system:
        answers = [
            await system.get("/api/v1/search"),
            await system.get(PATHS["readEntry"]),
            await system.get(PATHS["readDuplicates"]),
        ]

    assert [(one.status_code, "person_keys" in one.text) for one in answers] == [(200, False)] * 3


async def test_pages_of_a_search_hold_every_hit_once(here: Desk) -> None:
    seen, cursor = list[str](), ""
    async with await asking(here, Scope.CATALOGUE_CLOSED) as system:
        for _ in range(5):
            found = (await system.get("/api/v1/search", params={"limit": "1", "cursor": cursor})).json()
            seen += [hit["record"]["record_id"] for hit in found["hits"]]
            cursor = found["next"]
            if not cursor:
                break

    assert (len(seen), len(set(seen)), cursor) == (3, 3, "")


async def test_pages_of_the_audit_log_hold_every_line_once(here: Desk) -> None:
    for _ in range(3):
        await token(here, Scope.SITES)
    seen, cursor = list[int](), ""
    async with await asking(here, Scope.AUDIT) as system:
        for _ in range(10):
            found = (await system.get("/api/v1/audit", params={"limit": "2", "cursor": cursor})).json()
            seen += [line["seq"] for line in found["lines"]]
            cursor = found["next"]
            if not cursor:
                break

    assert seen == sorted(range(1, 5), reverse=True)


@pytest.mark.parametrize("path", ["/api/v1/search", "/api/v1/audit", "/api/v1/quarantine", "/api/v1/decisions"])
async def test_a_forged_cursor_is_refused_in_words(here: Desk, path: str) -> None:
    """Also one that is sealed rightly and names a place that no store takes."""
    place = Cursor(stage=0, below=5, ceiling=5, floor=0)
    beyond = Cursor(stage=0, below=2**63, ceiling=2**63, floor=0)
    forged = ["x", "💣", "A" * 300, sealed(place, b"another list")]
    forged += [sealed(beyond, _identity(path.rpartition("/")[2], filters)) for filters in ("", "\n")]
    async with await asking(here, *Scope) as system:
        answers = [await system.get(path, params={"cursor": cursor}) for cursor in forged]

    assert [(one.status_code, "zh" in one.json()["reason"]) for one in answers] == [(400, True)] * len(forged)


@pytest.mark.parametrize(
    "query",
    ["?limit=0", "?limit=999", "?limit=x", "?nothing=1", "?limit=1&limit=2", "?from=1986-13-01", "?q=日期:abc"],
)
async def test_a_wrong_parameter_is_refused_in_words(here: Desk, query: str) -> None:
    async with await asking(here, Scope.CATALOGUE) as system:
        answer = await system.get(f"/api/v1/search{query}")

    assert (answer.status_code, answer.json()["type"]) == (400, "urn:danglian:problem:bad-request")


async def test_a_query_that_cannot_be_understood_says_where(here: Desk) -> None:
    async with await asking(here, Scope.CATALOGUE) as system:
        told = (await system.get("/api/v1/search", params={"q": "山林 日期:abc"})).json()

    assert isinstance(told["start"], int)


async def test_who_asks_too_often_is_told_how_long_to_wait(here: Desk) -> None:
    made = await token(here, Scope.SITES)
    # On a busy machine the pause would be over before the request is there.
    here.clock.stand()
    for _ in range(REQUESTS_BURST + 200):
        here.backstage.requests.wait_s(f"token:{made.token.id}")
    async with await asking(here) as system:
        answer = await system.get("/api/v1/alarms", headers={"authorization": f"Bearer {made.secret}"})

    assert (answer.status_code, int(answer.headers["retry-after"]) >= 1) == (429, True)


async def test_an_unknown_path_and_another_method_are_problems(here: Desk) -> None:
    async with await asking(here, Scope.SITES) as system:
        answers = [await system.get("/api/v1/nothing"), await system.post("/api/v1/sites")]

    assert [(one.status_code, one.headers["content-type"]) for one in answers] == [
        (404, "application/problem+json"),
        (405, "application/problem+json"),
    ]
    assert answers[1].headers["allow"] == "GET"


async def test_a_session_of_the_console_is_no_token(here: Desk) -> None:
    """Otherwise another site could have a browser ask."""
    browser = await here.signed_in(Role.ADMINISTRATOR)
    answer: httpx.Response = await browser.get("/api/v1/sites")
    await browser.close()

    assert answer.status_code == 401
