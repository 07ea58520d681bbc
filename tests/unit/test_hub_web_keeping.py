"""The receiving plan and the keeping of files in the console: agreed, made, read now, noted, each with who and why."""

import datetime
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest
from sqlalchemy import Connection, update

from hub import audit
from hub.backup.backup_settings import TargetKind
from hub.keeping import fixity_orders, held_files, holding_notes, keeping_findings
from hub.keeping.fixity import Fixity
from hub.keeping.holding_notes import Verified
from hub.keeping.keeping_settings import HoldingCopy, HoldingSettings
from hub.keeping.keeping_tables import held_file
from hub.staff.administration import Actor
from hub.staff.roles import Role
from hub.transfers import planning, year_counts
from hub.window.coverage import Counter
from protocol.consignments import ConsignedFile
from protocol.county_time import ZONE
from protocol.errors import BadValue, Refused
from protocol.sites import parse_site
from tests.catalogue import described, fictitious
from tests.consoles import Browser, Desk, browsing, desk, fill_county, words_in
from tests.handovers import receiving
from tests.hubs import Hub

TOWN = parse_site("330599001000")
VILLAGE = parse_site("330599001200")
YEAR = datetime.datetime.now(ZONE).year
WHO = Actor(who="lin.min")
COPIES = (
    HoldingCopy(name="nas-files", kind=TargetKind.ONLINE, path="/nowhere/nas"),
    HoldingCopy(name="depot", kind=TargetKind.OFF_SITE, path="/nowhere/depot"),
)


@pytest.fixture
async def here(tmp_path: Path) -> AsyncIterator[Desk]:
    reach = receiving(tmp_path)
    assert reach.receiving is not None
    held = msgspec.structs.replace(reach.receiving, holdings=HoldingSettings(copy=COPIES))
    async with desk(tmp_path, fill=fill_county, reach=msgspec.structs.replace(reach, receiving=held)) as made:
        yield made


@pytest.fixture
async def keeper(here: Desk) -> AsyncIterator[Browser]:
    browser = await here.signed_in(Role.ARCHIVIST, login="lin.min")
    async with browsing(browser):
        yield browser


async def tell(here: Desk, site: object, kind: str = "marriage") -> None:
    """Three records of twelve years ago."""
    day = datetime.date(YEAR - 12, 5, 1)
    records = [
        fictitious(
            number,
            filing_year=day.year,
            livelihood_kind=kind,
            date_raw=str(day.year),
            date_edtf=str(day.year),
            date_earliest=day,
            date_latest=day,
        )
        for number in range(1, 4)
    ]
    told = (described(seq, one) for seq, one in enumerate(records, 1))
    await Hub(here.database).tell(*told, site=site)  # type: ignore[arg-type]


async def actions(here: Desk) -> list[str]:
    """What was done, by the audit log, the oldest first."""
    found = await here.database.read(lambda connection: audit.listed(connection, who="lin.min", limit=50))
    return [one.action for one in reversed(found) if one.action != "sign_in"]


# The plan


async def test_a_plan_is_made_and_its_terms_are_said_in_both_languages(here: Desk, keeper: Browser) -> None:
    await tell(here, TOWN)
    made = await keeper.post("/plan/make", {"year": str(YEAR)}, shown_at="/plan")
    shown = words_in((await keeper.get(made.headers["location"])).text)
    english = here.browser("en")
    async with browsing(english):
        await english.sign_in("lin.min")
        told = words_in((await english.get("/plan")).text)

    assert made.headers["location"] == f"/plan?year={YEAR}&done=made"
    assert ("婚姻登记" in shown, "满 10 年 按规定" in shown, "已编制" in shown) == (True, True, True)
    assert ("marriage registration" in told, "after 10 years by the rule" in told) == (True, True)
    assert await actions(here) == ["plan_changed"]


@pytest.mark.parametrize(("after", "word"), [("1", "提前"), ("15", "推迟")])
async def test_an_earlier_or_later_term_is_agreed_with_its_reason(
    here: Desk, keeper: Browser, after: str, word: str
) -> None:
    await tell(here, TOWN)
    await keeper.post("/plan/make", {"year": str(YEAR + 5)}, shown_at="/plan")
    fields = {"year": str(YEAR + 5), "site": TOWN.code, "kind": "marriage", "after": after, "agreed_by": "县档案局"}
    without = await keeper.post("/plan/agree", fields, shown_at="/plan")
    agreed = await keeper.post("/plan/agree", {**fields, "reason": "利用频繁"}, shown_at="/plan")
    await keeper.post("/plan/make", {"year": str(YEAR + 5)}, shown_at="/plan")
    shown = words_in((await keeper.get(f"/plan?year={YEAR + 5}")).text)

    assert (without.status_code, agreed.status_code) == (400, 303)
    assert (f"满 {after} 年 约定 · {word}" in shown, "利用频繁" in shown) == (True, True)
    assert await actions(here) == ["plan_changed"] * 3


async def test_a_village_comes_into_the_plan_by_agreement_and_leaves_it_when_that_is_taken_back(
    here: Desk, keeper: Browser
) -> None:
    await tell(here, VILLAGE)
    fields = {"site": VILLAGE.code, "kind": "", "after": "5", "agreed_by": "县档案局", "reason": "无库房"}
    await keeper.post("/plan/agree", fields, shown_at="/plan")
    await keeper.post("/plan/make", {}, shown_at="/plan")
    within = (await keeper.get("/plan")).text
    gone = await keeper.post("/plan/retract", {"site": VILLAGE.code, "kind": ""}, shown_at="/plan")
    again = await keeper.post("/plan/retract", {"site": VILLAGE.code, "kind": ""}, shown_at="/plan")
    await keeper.post("/plan/make", {}, shown_at="/plan")
    lines = await here.database.read(lambda c: planning.due_lines(c, parse_site("330599000000"), YEAR))

    assert (f'href="/sites/{VILLAGE.code}"' in within, gone.status_code, again.status_code, lines) == (
        *(True, 303, 400, []),
    )


@pytest.mark.parametrize(
    "wrong",
    [
        {"site": "x"},
        {"site": ""},
        {"kind": "no_such"},
        {"after": "101"},
        {"after": "-1"},
        {"after": "soon"},
        {"agreed_by": " "},
        {"reason": ""},
    ],
)
async def test_an_agreement_that_says_too_little_or_cannot_be_is_refused(
    here: Desk, keeper: Browser, wrong: dict[str, str]
) -> None:
    good = {"site": TOWN.code, "kind": "", "after": "5", "agreed_by": "县档案局", "reason": "利用频繁"}
    answer = await keeper.post("/plan/agree", good | wrong, shown_at="/plan")
    agreed = await here.database.read(planning.agreements)

    assert (answer.status_code, agreed, await actions(here)) == (400, [], [])


@pytest.mark.parametrize("path", ["/plan/make", "/plan/agree", "/plan/retract", "/keeping/read", "/keeping/note"])
async def test_only_archivists_change_plan_and_keeping(here: Desk, path: str) -> None:
    clerk = await here.signed_in(Role.CLERK)
    async with browsing(clerk):
        answer = await clerk.post(path, {}, shown_at="/account")

    assert answer.status_code == 403


# Counts by year


async def test_counts_that_are_held_say_what_counting_says(here: Desk) -> None:
    await tell(here, TOWN)
    await tell(here, VILLAGE, kind="")
    sites = [TOWN.code, VILLAGE.code]
    direct = await here.database.read(lambda c: list(year_counts.known(c, sites)))
    await Counter(here.database, here.clock).look()
    marked = await here.database.read(year_counts.marked)
    held = await here.database.read(lambda c: list(year_counts.known(c, sites)))

    assert ({TOWN.code, VILLAGE.code} <= marked or marked == set(), held) == (True, direct)
    assert [(one.site, one.kind, one.year, one.records) for one in held] == [
        (TOWN.code, "marriage", YEAR - 12, 3),
        (VILLAGE.code, "", YEAR - 12, 3),
    ]


async def test_a_site_whose_records_changed_hands_is_counted_again(here: Desk) -> None:
    await tell(here, TOWN)

    def stale(connection: Connection) -> tuple[int, int]:
        year_counts.keep(connection, TOWN.code, [], 1)
        before = sum(one.records for one in year_counts.known(connection, [TOWN.code]))
        year_counts.forget(connection, TOWN.code)
        return before, sum(one.records for one in year_counts.known(connection, [TOWN.code]))

    assert await here.database.write(stale) == (0, 3)


# Reading every file now


def hold(connection: Connection, root: Path, count: int, now_ms: int) -> None:
    """Take files in that lie where they should."""
    files = []
    for number in range(count):
        path = root / TOWN.code / "t1" / f"{number}.tif"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"scan")
        sha = "59ad1b2fc74287ded1bba7af67765d23ad4a49f1ae51902cc2ed3f8ebee96cfa"
        files.append(ConsignedFile(path=f"{number}.tif", size_bytes=4, sha256=sha))
    held_files.hold(connection, TOWN, "t1", files, now_ms)


async def test_an_order_to_read_everything_is_done_and_said_so(here: Desk, keeper: Browser, tmp_path: Path) -> None:
    await here.database.write(lambda c: hold(c, tmp_path / "held", 3, here.clock() - 1000))
    ordered = await keeper.post("/keeping/read", {}, shown_at="/keeping")
    twice = await here.database.write(lambda c: refusal(c, here.clock()))
    during = words_in((await keeper.get("/keeping")).text)
    fixity = Fixity(here.database, tmp_path / "held", (), "330599000000", 60.0, here.clock, sleep=no_rest)
    found = await fixity.look()
    after = words_in((await keeper.get("/keeping")).text)

    assert (ordered.headers["location"], twice) == ("/keeping?done=ordered", "every file is being read already")
    assert ("lin.min 于" in during, "0 / 3" in during, len(found)) == (True, True, 3)
    assert ("lin.min 要求的全部核验已于" in after, "现在核验全部文件" in after) == (True, True)
    assert await actions(here) == ["fixity_ordered"]


async def no_rest(_: float) -> None:
    """The test does not wait for the disk's rest."""


def refusal(connection: Connection, now_ms: int) -> str:
    with pytest.raises(Refused) as told:
        fixity_orders.order(connection, WHO, now_ms)
    return told.value.reason.en


async def test_an_order_stands_until_nothing_is_left_that_was_read_before_it(here: Desk, tmp_path: Path) -> None:
    def step(connection: Connection) -> list[object]:
        hold(connection, tmp_path / "held", 2, here.clock() - 1000)
        made = fixity_orders.order(connection, WHO, here.clock())
        connection.execute(update(held_file).where(held_file.c.path == "0.tif").values(looked_at_ms=here.clock() + 1))
        half = fixity_orders.progress(connection, made, 2)
        early = fixity_orders.close(connection, made, here.clock())
        connection.execute(update(held_file).values(looked_at_ms=here.clock() + 1))
        return [
            half.read,
            early,
            fixity_orders.close(connection, made, here.clock()),
            fixity_orders.standing(connection),
        ]

    assert await here.database.write(step) == [1, False, True, None]


async def test_nothing_is_read_where_nothing_is_held(here: Desk, keeper: Browser) -> None:
    answer = await keeper.post("/keeping/read", {}, shown_at="/plan")

    assert (answer.status_code, "还没有馆藏文件" in answer.text, await actions(here)) == (400, True, [])


# Copies that a person verified


async def test_a_copy_in_another_building_is_noted_as_verified_and_its_alarm_ends(
    here: Desk, keeper: Browser, tmp_path: Path
) -> None:
    await here.database.write(lambda c: hold(c, tmp_path / "held", 1, here.clock()))
    today = datetime.datetime.now(ZONE).date()
    fields = {"target": "depot", "day": today.isoformat(), "how": "用 bagit 核对全部校验和", "faulty": "0"}
    before = words_in((await keeper.get("/keeping")).text)
    noted = await keeper.post("/keeping/note", fields, shown_at="/keeping")
    after = words_in((await keeper.get("/keeping")).text)
    faulty = await keeper.post("/keeping/note", {**fields, "faulty": "2"}, shown_at="/keeping")
    spoilt = words_in((await keeper.get("/keeping")).text)

    assert (noted.status_code, faulty.status_code) == (303, 303)
    assert ("馆藏副本 depot：从未完整核验" in before, "馆藏副本 depot" in after) == (True, False)
    assert f"{today} 已核验，lin.min 注明：用 bagit 核对全部校验和" in after
    assert "核验发现 2 个文件有问题（lin.min 注明）" in spoilt
    assert await actions(here) == ["copy_noted", "copy_noted"]


@pytest.mark.parametrize(
    "wrong",
    [
        {"target": "nas-files"},
        {"target": "no-such"},
        {"day": "tomorrow"},
        {"day": "2199-01-01"},
        {"day": "2001-01-01"},
        {"how": "  "},
        {"faulty": ""},
        {"faulty": "-1"},
    ],
)
async def test_a_note_that_cannot_be_is_refused(here: Desk, keeper: Browser, wrong: dict[str, str]) -> None:
    day = datetime.datetime.now(ZONE).date().isoformat()
    good = {"target": "depot", "day": day, "how": "bagit", "faulty": "0"}
    answer = await keeper.post("/keeping/note", good | wrong, shown_at="/keeping")

    assert (answer.status_code, await actions(here)) == (400, [])


async def test_what_the_hub_read_itself_later_stands_before_an_older_word(here: Desk) -> None:
    settings = HoldingSettings(copy=COPIES)
    yesterday = (datetime.datetime.now(ZONE) - datetime.timedelta(days=1)).date().isoformat()

    def step(connection: Connection) -> list[str]:
        hold(connection, here.path.parent / "held", 1, here.clock())
        said = Verified(target="depot", day=yesterday, how="bagit", faulty=3)
        holding_notes.note(connection, WHO, settings, said, here.clock())
        run = held_files.HoldingRun(
            target="depot",
            began_at_ms=here.clock() - 1,
            ended_at_ms=here.clock(),
            files=1,
            copied=1,
            verified=1,
            faulty=0,
        )
        held_files.note_run(connection, run)
        known = keeping_findings.known(connection, settings)
        return [one.en for one in keeping_findings.sentences(settings, known, here.clock()) if "depot" in one.en]

    assert await here.database.write(step) == []


async def test_notes_need_a_copy_that_is_set_up(here: Desk) -> None:
    said = Verified(target="depot", day="2026-01-01", how="bagit", faulty=0)
    with pytest.raises(BadValue):
        await here.database.write(
            lambda connection: holding_notes.note(connection, WHO, HoldingSettings(), said, here.clock())
        )
