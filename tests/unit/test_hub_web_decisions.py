"""The decision queues over real HTTP and a real store: what waits, what a person decides, and that it can be undone."""

import re
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import quote

import msgspec
import pytest
from sqlalchemy import Connection, func, select

from hub import audit
from hub.decisions import duplicates
from hub.decisions.ruling_tables import ruling
from hub.repair import repairs
from hub.staff.roles import Role
from hub.tables import conflict, entry
from hub.web.reach import Reach
from protocol.records import Record
from protocol.sites import parse_site
from protocol.vocabularies import AccessStatus
from replication import quarantine
from replication.asking import Asker
from tests.answering_sites import AnsweringSite, answering
from tests.catalogue import described
from tests.catalogue_desks import tell
from tests.consoles import Browser, Desk, browsing, desk, words_in
from tests.decisions import HELD, LATE, NOTICE, OFFERED, SAME_NOTICE, SITE, fill_queues
from tests.fakes import FakeBroker

OBJECT = f"{SITE}/{HELD.record_id}/1/1"


@pytest.fixture
async def here(tmp_path: Path) -> AsyncIterator[Desk]:
    async with desk(tmp_path, fill=fill_queues) as made:
        yield made


@pytest.fixture
async def keeper(here: Desk) -> AsyncIterator[Browser]:
    browser = await here.signed_in(Role.ARCHIVIST, login="lin.min")
    async with browsing(browser):
        yield browser


async def told(here: Desk) -> list[tuple[str, str]]:
    """What the audit log says was done, the oldest line first."""
    found = await here.database.read(lambda connection: audit.listed(connection, limit=100))
    return [(one.who, one.action) for one in reversed(found) if one.action != "sign_in"]


async def aside(here: Desk) -> list[tuple[int, int]]:
    found = await here.database.read(quarantine.listed)
    return [(one.id, one.seq) for one in reversed(found)]


async def contradictions(here: Desk) -> int:
    return await here.database.read(
        lambda connection: connection.execute(select(func.count()).select_from(conflict)).scalar_one()
    )


def conflict_address(html: str) -> str:
    found = re.search(r'/decisions/conflict\?name=[^"]+', html)
    assert found is not None, html
    return found[0]


def name_in(html: str) -> str:
    found = re.search(r'name="name" value="([^"]+)"', html)
    assert found is not None, html
    return found[1]


def seal_in(html: str) -> str:
    found = re.search(r'name="seal" value="([^"]+)"', html)
    assert found is not None, html
    return found[1]


async def test_restricted_titles_in_a_queue_are_noted_with_their_ids(here: Desk, keeper: Browser) -> None:
    """Whoever looks into who has seen an entry asks the log for its id."""
    closed = [msgspec.structs.replace(one, access_status=AccessStatus.RESTRICTED) for one in (HELD, NOTICE)]
    events = [described(seq, one) for seq, one in enumerate(closed, 3)]
    await here.database.write(lambda connection: tell(connection, SITE, events, here.backstage.clock_ms()))
    pages = [await keeper.get(f"/decisions/{queue}") for queue in ("conflicts", "duplicates")]

    found = await here.database.read(lambda connection: audit.listed(connection, limit=100))
    lines = [(one.action, one.object, one.detail) for one in reversed(found) if one.action.startswith("entr")]
    assert [title in page.text for title, page in zip((HELD.title, NOTICE.title), pages, strict=True)] == [True, True]
    assert lines == [
        ("entries_listed", "/decisions/conflicts", f"1: {HELD.record_id}"),
        ("entries_listed", "/decisions/duplicates", f"1: {NOTICE.record_id}"),
    ]


# Quarantine


async def test_what_is_understood_by_now_is_applied_and_the_rest_stays(here: Desk, keeper: Browser) -> None:
    (unknown, _), (good, _) = await aside(here)
    ids = {"id": [str(unknown), str(good)]}
    answer = await keeper.post("/decisions/quarantine/retry", ids, shown_at="/decisions/quarantine")
    page = await keeper.get(answer.headers["location"])
    held = await here.database.read(
        lambda connection: connection.execute(
            select(func.count()).select_from(entry).where(entry.c.record_id == LATE.record_id.bytes)
        ).scalar_one()
    )

    assert (held, await aside(here)) == (1, [(unknown, 90)])
    assert "补入 1 项，已被取代 0 项，留下 1 项" in words_in(page.text)
    assert ("lin.min", "redriven") in await told(here)


async def test_what_arrived_stands_beside_what_is_held(here: Desk, keeper: Browser) -> None:
    _, (good, _) = await aside(here)
    page = words_in((await keeper.get(f"/decisions/quarantine/{good}")).text)

    assert LATE.title in page
    assert "县级现有" in page
    assert ("lin.min", "entry_read") in await told(here)


async def test_a_dropped_thing_is_out_of_the_queue_and_comes_back_when_undone(here: Desk, keeper: Browser) -> None:
    (unknown, _), _ = await aside(here)
    path = f"/decisions/quarantine/{unknown}"
    seal = seal_in((await keeper.get(path)).text)
    dropped = await keeper.post(f"{path}/drop", {"seal": seal, "note": "测试电脑误报"}, shown_at="/decisions")
    left = await aside(here)
    page = await keeper.get("/decisions")
    await keeper.post("/decisions/rulings/1/undo", {}, shown_at="/decisions")
    again = await keeper.post("/decisions/rulings/1/undo", {}, shown_at="/decisions")
    back = await here.database.read(lambda connection: quarantine.listed(connection, SITE))

    assert (dropped.headers["location"], [seq for _, seq in left]) == ("/decisions/quarantine?done=dropped", [91])
    assert ("测试电脑误报" in page.text, "lin.min" in page.text) == (True, True)
    assert (again.status_code, sorted(one.seq for one in back)) == (303, [90, 91])
    assert [one.content for one in back if one.seq == 90] == [b'{"kind":"lent","seq":90,"previous":89,"at_ms":0}']
    assert [action for _, action in await told(here)].count("undecided") == 1


async def test_nothing_is_dropped_without_a_reason_or_under_another_things_number(here: Desk, keeper: Browser) -> None:
    """A number may be given to another thing after the page was shown: the form says what it means."""
    (unknown, _), (good, _) = await aside(here)
    seal = seal_in((await keeper.get(f"/decisions/quarantine/{unknown}")).text)
    silent = await keeper.post(
        f"/decisions/quarantine/{unknown}/drop", {"seal": seal, "note": " "}, shown_at="/decisions"
    )
    other = await keeper.post(f"/decisions/quarantine/{good}/drop", {"seal": seal, "note": "x"}, shown_at="/decisions")

    assert (silent.status_code, "没有写明理由" in silent.text) == (400, True)
    assert other.headers["location"] == "/decisions/quarantine?done=gone"
    assert [seq for _, seq in await aside(here)] == [90, 91]


# Alike records


async def test_alike_records_wait_side_by_side_until_somebody_decides(here: Desk, keeper: Browser) -> None:
    before = words_in((await keeper.get("/decisions/duplicates")).text)
    pair = {"one": str(NOTICE.record_id), "other": str(SAME_NOTICE.record_id)}
    answer = await keeper.post("/decisions/duplicates", pair | {"verdict": "apart"})
    after = words_in((await keeper.get("/decisions/duplicates")).text)
    parted = await here.database.read(lambda connection: duplicates.decisions_about(connection, NOTICE.record_id))
    await keeper.post("/decisions/rulings/1/undo", {}, shown_at="/decisions")
    undone = words_in((await keeper.get("/decisions/duplicates")).text)

    assert [page.count(SAME_NOTICE.ref_code) > 0 for page in (before, after, undone)] == [True, False, True]
    assert (answer.status_code, [one.decided_by for one in parted]) == (303, ["lin.min"])
    assert before.count("关于做好防汛工作的通知") >= 2


async def test_a_decision_sent_twice_is_one_and_the_opposite_asks_to_undo_first(here: Desk, keeper: Browser) -> None:
    pair = {"one": str(NOTICE.record_id), "other": str(SAME_NOTICE.record_id)}
    turned = {"one": pair["other"], "other": pair["one"]}
    codes = [
        (await keeper.post("/decisions/duplicates", pair | {"verdict": "same"})).status_code,
        (await keeper.post("/decisions/duplicates", turned | {"verdict": "same"})).status_code,
        (await keeper.post("/decisions/duplicates", pair | {"verdict": "apart"})).status_code,
    ]
    kept = await here.database.read(
        lambda connection: connection.execute(select(func.count()).select_from(ruling)).scalar_one()
    )

    assert (codes, kept) == ([303, 303, 400], 1)
    assert [action for _, action in await told(here)].count("decided") == 1


# Contradictions


async def test_a_contradiction_is_settled_and_waits_again_when_undone(here: Desk, keeper: Browser) -> None:
    listed = (await keeper.get("/decisions/conflicts")).text
    shown = (await keeper.get(conflict_address(listed))).text
    settled = await keeper.post(
        "/decisions/conflicts/settle", {"name": name_in(shown), "note": "已电话核实"}, shown_at="/decisions"
    )
    twice = await keeper.post("/decisions/conflicts/settle", {"name": name_in(shown)}, shown_at="/decisions")
    none = await contradictions(here)
    await keeper.post("/decisions/rulings/1/undo", {}, shown_at="/decisions")

    assert (HELD.title in listed, "问不到该站点" in shown) == (True, True)
    assert (settled.headers["location"], twice.headers["location"]) == (
        "/decisions/conflicts?done=settled",
        "/decisions/conflicts?done=gone",
    )
    assert (none, await contradictions(here)) == (0, 1)


async def test_asking_the_site_again_opens_a_repair_once(here: Desk, keeper: Browser) -> None:
    """The repair outlives a restart and ends with a comparison, like every other."""
    shown = (await keeper.get(conflict_address((await keeper.get("/decisions/conflicts")).text))).text
    asked = await keeper.post("/decisions/conflicts/ask", {"name": name_in(shown)}, shown_at="/decisions")
    again = await keeper.post("/decisions/conflicts/ask", {"name": name_in(shown)}, shown_at="/decisions")

    def opened(connection: Connection) -> list[tuple[str, list[bytes]]]:
        return [
            (one.site, [record.record_id.bytes for record in repairs.records_of(connection, one.id)])
            for one in repairs.open_repairs(connection)
        ]

    assert (asked.headers["location"], again.status_code) == ("/decisions/conflicts?done=asked", 400)
    assert await here.database.read(opened) == [(SITE, [HELD.record_id.bytes])]


@pytest.mark.parametrize(
    ("records", "words"), [([HELD], "与县级现有一致"), ([OFFERED], "是另一种"), ([], "站点现在没有此条目")]
)
async def test_what_the_site_has_now_is_asked_and_said(tmp_path: Path, records: list[Record], words: str) -> None:
    bus = FakeBroker().bus()
    site = AnsweringSite(parse_site(SITE), records)
    async with (
        answering(bus, [site]),
        Asker(bus, "console").opened() as asker,
        desk(tmp_path, fill=fill_queues, reach=Reach(asker=asker)) as here,
    ):
        keeper = await here.signed_in(Role.ARCHIVIST)
        async with browsing(keeper):
            listed = (await keeper.get("/decisions/conflicts")).text
            shown = (await keeper.get(conflict_address(listed))).text

    assert words in words_in(shown)


# Who may, and what does not exist


@pytest.mark.parametrize("role", [Role.CLERK, Role.REVIEWER, Role.ADMINISTRATOR, Role.AUDITOR])
async def test_only_an_archivist_decides(here: Desk, role: Role) -> None:
    browser = await here.signed_in(role)
    paths = ("/decisions", "/decisions/quarantine", "/decisions/duplicates", "/decisions/conflicts")
    async with browsing(browser):
        codes = {path: (await browser.get(path)).status_code for path in paths}
        posted = await browser.post("/decisions/rulings/1/undo", {}, shown_at="/account")

    assert (set(codes.values()), posted.status_code) == ({403}, 403)


async def test_forged_names_and_cursors_find_nothing_and_break_nothing(keeper: Browser) -> None:
    forged = [
        *("/decisions/conflict?name=" + quote(name) for name in ("", "a/b", f"{OBJECT}/{2**70}", "x/y/1/1/1")),
        *("/decisions/quarantine/999999", "/decisions/quarantine/99999999999999999999"),
    ]
    missing = [(await keeper.get(path)).status_code for path in forged]
    cursors = [
        (await keeper.get(f"/decisions{queue}?before={quote(before)}&site={quote(before)}")).status_code
        for queue in ("", "/quarantine", "/duplicates", "/conflicts")
        for before in ("-1", "x", "9" * 40, "' OR 1=1", "\u0661")
    ]
    posted = [
        (await keeper.post("/decisions/duplicates", fields)).status_code
        for fields in ({}, {"one": "x", "other": "y", "verdict": "same"}, {"one": str(HELD.record_id)})
    ]
    undone = await keeper.post("/decisions/rulings/77/undo", {}, shown_at="/decisions")

    assert (missing, set(cursors), posted, undone.status_code) == ([404] * 6, {200}, [404] * 3, 404)
