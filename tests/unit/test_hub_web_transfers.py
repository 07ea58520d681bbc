"""Transfers in the console: seen, ruled on item by item, decided, signed; over real HTTP and a real store."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from uuid import uuid4

import msgspec
import pytest

from hub import audit
from hub.keeping import accessions
from hub.keeping.accessions import NewAccession
from hub.staff.roles import Role
from hub.transfers.waiting import waiting
from hub.web.pages.receiving import counted_boxes
from hub.window.certificate_settings import CertificateSettings
from protocol.sites import parse_site
from protocol.transfers import Ruling, TransferState
from replication import transfer_log, transfer_rounds
from tests.builders import record
from tests.catalogue import described
from tests.consoles import Browser, Desk, browsing, desk, fill_county, words_in
from tests.handovers import HOSTILE, RECORDS, TRANSFER, Handover, receiving
from tests.hubs import Hub
from tests.transfer_ends import VILLAGE

PAGE = f"/transfers/{TRANSFER}"


@pytest.fixture
async def here(tmp_path: Path) -> AsyncIterator[Desk]:
    async with desk(tmp_path, fill=fill_county, reach=receiving(tmp_path)) as made:
        yield made


@pytest.fixture
async def handover(here: Desk, tmp_path: Path) -> Handover:
    return Handover(here.database, tmp_path)


@pytest.fixture
async def keeper(here: Desk) -> AsyncIterator[Browser]:
    browser = await here.signed_in(Role.ARCHIVIST, login="lin.min")
    async with browsing(browser):
        yield browser


async def state_of(here: Desk) -> TransferState:
    now = await here.database.read(lambda connection: transfer_log.transfer_of(connection, TRANSFER))
    assert now is not None
    return now.state


async def rule(keeper: Browser, record: int, ruling: str, reason: str = "") -> str:
    path = f"{PAGE}/items/{RECORDS[record]}"
    answer = await keeper.post(path, {"ruling": ruling, "reason": reason}, shown_at=path)
    return str(answer.headers.get("location", answer.status_code))


PAPERS = (f"{PAGE}/certificate", f"{PAGE}/papers")
DECIDE = {"unit": "安吉县档案馆", "handler": "林敏", "opinion": "同意接收", "waive-virus_scan": "已另行杀毒"}


async def test_a_transfer_goes_from_submission_to_both_signatures(
    here: Desk, handover: Handover, keeper: Browser
) -> None:
    await handover.submit()
    coming = words_in((await keeper.get(PAGE)).text)
    await handover.arrive()
    to_rule = words_in((await keeper.get(PAGE)).text)
    await keeper.post(f"{PAGE}/return-faults", {}, shown_at=PAGE)
    early = await keeper.post(f"{PAGE}/decide", {**DECIDE, "waive-virus_scan": ""}, shown_at=PAGE)
    decided = await keeper.post(f"{PAGE}/decide", DECIDE, shown_at=PAGE)

    assert ("正在从该站提取文件" in coming, "上石村山林权属登记表" in coming) == (True, False)
    assert ("著录为 2 页，文件共 1 页" in to_rule, "要处理的条目 2" in to_rule) == (True, True)
    assert (early.status_code, decided.headers.get("location")) == (400, f"{PAGE}?done=decided")
    assert await state_of(here) is TransferState.RETURNED


async def test_a_sound_transfer_is_signed_by_both(here: Desk, handover: Handover, keeper: Browser) -> None:
    await handover.submit()
    await handover.arrive(faulty=False)
    await keeper.post(f"{PAGE}/decide", DECIDE, shown_at=PAGE)
    too_early = await keeper.post(f"{PAGE}/sign", {"signer": "林敏"}, shown_at=PAGE)
    await handover.giver_signs()
    signed = await keeper.post(f"{PAGE}/sign", {"signer": "林敏"}, shown_at=PAGE)
    paper = words_in((await keeper.get(f"{PAGE}/certificate")).text)
    known = await here.database.read(lambda connection: audit.listed(connection, limit=20))

    assert (too_early.status_code, signed.headers.get("location")) == (400, f"{PAGE}?done=signed")
    assert await state_of(here) is TransferState.SIGNED
    assert ("档案交接文据" in paper, "SHA-256 " + "ab" * 32 in paper, "签字人 林敏" in paper) == (True, True, True)
    assert {one.action for one in known} >= {"transfer_decided", "transfer_signed"}


async def test_what_waits_for_the_archive_is_a_need_and_what_waits_for_others_is_none(
    here: Desk, handover: Handover, keeper: Browser
) -> None:
    async def waits() -> list[tuple[int, int]]:
        found = await here.database.read(waiting)
        return [(one.to_decide, one.to_sign) for one in found.values()]

    await handover.submit()
    coming = await waits()
    await handover.arrive(faulty=False)
    checked = await waits()
    here.clock.forward(5)
    today = (await keeper.get("/today")).text
    led = await keeper.get(f"/needs/transfer/{VILLAGE}")
    there = await keeper.get(led.headers["location"])
    await keeper.post(f"{PAGE}/decide", DECIDE, shown_at=PAGE)
    decided = await waits()
    await handover.giver_signs()
    to_sign = await waits()
    await keeper.post(f"{PAGE}/sign", {"signer": "林敏"}, shown_at=PAGE)

    assert (coming, checked, decided, to_sign, await waits()) == ([], [(1, 0)], [], [(0, 1)], [])
    assert ("1 批移交已检测，等待审定" in words_in(today), f"/needs/transfer/{VILLAGE}" in today) == (True, True)
    assert (led.headers["location"], there.status_code) == (f"/transfers?site={VILLAGE}", 200)


async def test_the_papers_are_a_file_and_who_took_them_is_written_down(
    here: Desk, handover: Handover, keeper: Browser
) -> None:
    await handover.submit()
    await handover.arrive(faulty=False)
    too_early = await keeper.get(f"{PAGE}/papers")
    early = (await keeper.get(PAGE)).text
    await keeper.post(f"{PAGE}/decide", DECIDE, shown_at=PAGE)
    await handover.giver_signs()
    await keeper.post(f"{PAGE}/sign", {"signer": "林敏"}, shown_at=PAGE)
    page = (await keeper.get(PAGE)).text
    papers = await keeper.get(f"{PAGE}/papers")
    known = await here.database.read(lambda connection: audit.listed(connection, limit=20))

    assert (too_early.status_code, f"{PAGE}/papers" in early, f'href="{PAGE}/papers"' in page) == (404, False, True)
    assert (papers.status_code, papers.headers["content-type"], papers.content[:5]) == (
        200,
        "application/pdf",
        b"%PDF-",
    )
    assert papers.headers["content-disposition"] == f'attachment; filename="handover-{TRANSFER}.pdf"'
    assert (papers.content[:5], b"pdfaid" in papers.content) == (b"%PDF-", True)
    assert [(one.who, one.object) for one in known if one.action == "handover_exported"] == [
        ("lin.min", f"transfer {TRANSFER}")
    ]


async def test_papers_that_no_font_can_write_are_said_on_the_page_and_not_written_down(
    here: Desk, handover: Handover, keeper: Browser, tmp_path: Path
) -> None:
    await handover.submit()
    await handover.arrive(faulty=False)
    await keeper.post(f"{PAGE}/decide", DECIDE, shown_at=PAGE)
    receiving = here.backstage.reach.receiving
    assert receiving is not None
    settings = CertificateSettings(font_file=str(tmp_path / "gone.ttf"))
    fontless = msgspec.structs.replace(receiving, certificates=settings)
    reach = msgspec.structs.replace(here.backstage.reach, receiving=fontless)
    msgspec.structs.force_setattr(here.backstage, "reach", reach)

    papers = await keeper.get(f"{PAGE}/papers")
    known = await here.database.read(lambda connection: audit.listed(connection, limit=20))

    assert (papers.status_code, "gone.ttf" in papers.text) == (400, True)
    assert "handover_exported" not in {one.action for one in known}


async def test_who_receives_no_transfers_is_led_from_their_need_to_the_site(here: Desk) -> None:
    browser = await here.signed_in(Role.CLERK)
    async with browsing(browser):
        led = await browser.get(f"/needs/transfer/{VILLAGE}")

    assert led.headers["location"] == f"/sites/{VILLAGE}"


async def test_items_are_ruled_on_one_by_one(here: Desk, handover: Handover, keeper: Browser) -> None:
    await handover.submit()
    await handover.arrive()
    answers = [
        await rule(keeper, 1, "return", "缺第 2 页"),
        await rule(keeper, 2, "hold", "等村里回复"),
        await rule(keeper, 0, "accept"),
        await rule(keeper, 2, "return"),
        await rule(keeper, 2, "burn", "甲"),
    ]
    now = await here.database.read(lambda connection: transfer_log.transfer_of(connection, TRANSFER))
    page = words_in((await keeper.get(PAGE)).text)

    assert answers[:3] == [f"{PAGE}?done=ruled"] * 3
    assert (answers[3], answers[4]) == ("400", "404")
    assert now is not None
    assert {one.record_id: one.ruling for one in now.rulings} == {
        RECORDS[1]: Ruling.RETURN,
        RECORDS[2]: Ruling.HOLD,
        RECORDS[0]: Ruling.ACCEPT,
    }
    assert "本批接收 2 条，退回 1 条，暂缓 1 条，有问题而未裁定 0 条" in page


async def test_boxes_are_counted(here: Desk, handover: Handover, keeper: Browser) -> None:
    await handover.submit(boxes=True)
    await handover.arrive(boxes=True, faulty=False)
    before = await keeper.post(f"{PAGE}/decide", DECIDE, shown_at=PAGE)
    nonsense = await keeper.post(f"{PAGE}/count", {"seen-1": "许多", "shelf-1": "3-2-1"}, shown_at=PAGE)
    nothing = await keeper.post(f"{PAGE}/count", {"seen-1": "", "seen-7": "3"}, shown_at=PAGE)
    counted = await keeper.post(f"{PAGE}/count", {"seen-1": "2", "shelf-1": "3-2-1"}, shown_at=PAGE)
    after = await keeper.post(f"{PAGE}/decide", DECIDE, shown_at=PAGE)

    assert (before.status_code, nonsense.status_code, counted.status_code, after.status_code) == (400, 400, 303, 303)
    # What was typed stays in sight, and nothing is said to be saved that was not.
    assert ("盒 1 的实点卷数读不出：许多" in nonsense.text, 'value="许多"' in nonsense.text) == (True, True)
    assert (nothing.status_code, "没有写清点结果" in nothing.text) == (400, True)
    assert await state_of(here) is TransferState.ACCEPTED


def test_a_count_is_of_the_box_beside_which_it_was_typed() -> None:
    """Names of boxes are sorted one way on the page and another way by a program: a place in a list names none."""
    given = {"seen-a1": "2", "seen-B2": "3", "shelf-B2": "4-1"}

    found = counted_boxes(given, {"a1": 2, "B2": 3, "C3": 1})

    assert [(one.box, one.expected, one.seen, one.shelf) for one in found] == [("B2", 3, 3, "4-1"), ("a1", 2, 2, "")]


async def test_a_transfer_of_many_boxes_is_counted_in_one_form(handover: Handover, keeper: Browser) -> None:
    await handover.submit(boxes=True)
    await handover.arrive(boxes=True, faulty=False)
    form = {f"{field}-{box}": "2" for box in range(1, 301) for field in ("seen", "shelf")}

    counted = await keeper.post(f"{PAGE}/count", form, shown_at=PAGE)

    assert counted.headers.get("location") == f"{PAGE}?done=counted"


async def test_a_day_that_is_none_is_not_taken_for_today(here: Desk, handover: Handover, keeper: Browser) -> None:
    await handover.submit()
    await handover.arrive(faulty=False)

    answer = await keeper.post(f"{PAGE}/decide", {**DECIDE, "dated": "2026-02-30"}, shown_at=PAGE)

    assert (answer.status_code, "文据日期不对" in answer.text) == (400, True)
    assert await state_of(here) is TransferState.CHECKING


async def test_rules_of_archive_codes_are_set_looked_at_and_used_in_the_console(
    here: Desk, handover: Handover, keeper: Browser
) -> None:
    """A preview gives nothing; an acceptance without the tick gives nothing; with it every item has its code."""
    held = [record(record_id=one, repository_id=VILLAGE, fonds_no="X013") for one in RECORDS]
    told = [described(number, one) for number, one in enumerate(held, 1)]
    await Hub(here.database).tell(*told, site=parse_site(VILLAGE))
    await handover.submit()
    await handover.arrive(faulty=False)
    without = await keeper.get(f"/transfers/codes?of={TRANSFER}")
    path = "/transfers/codes"
    wrong = await keeper.post(path, {"pattern": "WS·{nothing}"}, shown_at=path)
    made = await keeper.post(path, {"site": VILLAGE, "fonds": "M001", "pattern": "{fonds}-WS·{item:4}"}, shown_at=path)
    shown = words_in((await keeper.get(f"{path}?of={TRANSFER}")).text)
    given_before = await here.database.fetch("SELECT count(*) FROM archive_code")
    decided = await keeper.post(f"{PAGE}/decide", {**DECIDE, "codes": "1"}, shown_at=PAGE)
    given = await here.database.fetch("SELECT code FROM archive_code ORDER BY code")

    assert (without.status_code, wrong.status_code, made.headers.get("location")) == (400, 400, f"{path}?done=set")
    assert ("M001-WS·0001" in shown, "{fonds}-WS·{item:4}" in shown) == (True, True)
    assert (given_before, decided.headers.get("location")) == ([(0,)], f"{PAGE}?done=decided")
    assert [code for (code,) in given] == [f"M001-WS·{number:04}" for number in range(1, len(RECORDS) + 1)]


async def test_a_package_is_sent_back_and_a_transfer_given_up(here: Desk, handover: Handover, keeper: Browser) -> None:
    await handover.submit()
    await handover.arrive()
    silent = await keeper.post(f"{PAGE}/send-back", {"reason": " "}, shown_at=PAGE)
    back = await keeper.post(f"{PAGE}/send-back", {"reason": "目录与实物不符"}, shown_at=PAGE)
    given_up = await keeper.post(f"{PAGE}/cancel", {"reason": "重复发起"}, shown_at=PAGE)
    again = await keeper.post(f"{PAGE}/cancel", {"reason": "重复发起"}, shown_at=PAGE)

    assert (silent.status_code, back.status_code, given_up.status_code, again.status_code) == (400, 303, 303, 400)
    assert await state_of(here) is TransferState.CANCELLED


# Scans


async def test_scans_are_shown_beside_what_was_found(handover: Handover, keeper: Browser) -> None:
    await handover.submit()
    await handover.arrive()
    path = f"{PAGE}/items/{RECORDS[0]}"
    page = (await keeper.get(path)).text
    jpeg, tiff = await keeper.get(f"{path}/files/1"), await keeper.get(f"{path}/files/2")

    assert f'src="{path}/files/1"' in page
    assert (jpeg.headers["content-type"], jpeg.content[:3]) == ("image/jpeg", b"\xff\xd8\xff")
    assert (tiff.headers["content-type"], tiff.content[:3]) == ("image/jpeg", b"\xff\xd8\xff")
    assert jpeg.headers["x-content-type-options"] == "nosniff"


async def test_what_is_no_picture_is_only_given_out(here: Desk, handover: Handover, keeper: Browser) -> None:
    """A page that a sender put into a package never becomes a page of the console; who was given it is noted."""
    await handover.submit()
    await handover.arrive()
    path = f"{PAGE}/items/{RECORDS[2]}/files"
    answers = [await keeper.get(f"{path}/{number}") for number in (1, 2, 3, 0)]

    codes = [one.status_code for one in answers]
    given = codes.index(200)
    pdf, kept = answers[given], await keeper.get(f"{path}/{given + 1}?keep=1")
    assert sorted(codes) == [200, 404, 404, 404]
    assert (pdf.headers["content-type"], pdf.headers["content-disposition"].split(";")[0]) == (
        "application/octet-stream",
        "attachment",
    )
    lines = await here.database.read(lambda connection: audit.listed(connection, action="entry_read", limit=9))
    assert kept.content == pdf.content
    assert [one.object for one in lines] == [f"transfer {TRANSFER} {RECORDS[2]} file {given + 1}"] * 2


async def test_a_name_that_leads_out_of_the_package_opens_nothing(
    handover: Handover, keeper: Browser, tmp_path: Path
) -> None:
    (tmp_path / "hub.toml").write_text("secret", encoding="utf-8")
    await handover.submit()
    await handover.arrive()
    page = words_in((await keeper.get(f"{PAGE}/items/{RECORDS[3]}")).text)
    file = await keeper.get(f"{PAGE}/items/{RECORDS[3]}/files/1")

    assert ("包中没有此条目的文件" in page, file.status_code) == (True, 404)


# Who may, and what is forged


@pytest.mark.parametrize("role", [Role.CLERK, Role.REVIEWER, Role.ADMINISTRATOR, Role.AUDITOR])
async def test_only_archivists_see_and_work_on_transfers(here: Desk, handover: Handover, role: Role) -> None:
    await handover.submit()
    await handover.arrive()
    browser = await here.signed_in(role)
    async with browsing(browser):
        seen = [
            (await browser.get(path)).status_code
            for path in ("/transfers", PAGE, f"{PAGE}/items", f"{PAGE}/items/{RECORDS[0]}", *PAPERS)
        ]
        seen.append((await browser.get(f"{PAGE}/items/{RECORDS[0]}/files/1")).status_code)
        seen.append((await browser.get(f"/stream/transfer/{TRANSFER}")).status_code)
        seen += [
            (await browser.post(f"{PAGE}/{step}", {"reason": "甲"}, shown_at="/account")).status_code
            for step in ("decide", "sign", "count", "cancel", "send-back", "return-faults", f"items/{RECORDS[0]}")
        ]

    assert set(seen) == {403}
    assert await state_of(here) is TransferState.CHECKING


@pytest.mark.parametrize("name", ["52de0c6d-8f5a-494c-aa4c-ef5f5ababcfc", "nowhere", "%00", "0"])
async def test_a_forged_transfer_is_nothing(here: Desk, keeper: Browser, name: str) -> None:
    codes = [
        (await keeper.get(path)).status_code
        for path in (f"/transfers/{name}", f"/transfers/{name}/items", f"/transfers/{name}/items/{RECORDS[0]}")
    ]
    codes.append(
        (
            await keeper.post(f"/transfers/{name}/items/{RECORDS[0]}", {"ruling": "accept"}, shown_at="/account")
        ).status_code
    )

    assert set(codes) == {404}


async def test_an_item_of_no_transfer_is_nothing(handover: Handover, keeper: Browser) -> None:
    await handover.submit()
    await handover.arrive()
    codes = [
        (await keeper.get(f"{PAGE}/items/{name}")).status_code for name in (str(uuid4()), "x", f"{RECORDS[0]}/files/9")
    ]

    assert codes == [404, 404, 404]


@pytest.mark.parametrize("language", ["zh", "en"])
async def test_hostile_words_of_a_giver_are_only_text(here: Desk, handover: Handover, language: str) -> None:
    await handover.submit()
    await handover.arrive()
    browser = await here.signed_in(Role.ARCHIVIST, login="other", language=language)
    async with browsing(browser):
        fields = dict.fromkeys(("unit", "leader", "handler", "opinion", "dated", "reason", "signer"), HOSTILE)
        for step in ("decide", "sign", "count"):
            await browser.post(f"{PAGE}/{step}", fields, shown_at=PAGE)
        await browser.post(f"{PAGE}/items/{RECORDS[1]}", {"ruling": "return", "reason": HOSTILE}, shown_at=PAGE)
        pages = [(await browser.get(path)).text for path in ("/transfers", PAGE, f"{PAGE}/items/{RECORDS[2]}")]

    assert [page.count("<script>alert") for page in pages] == [0, 0, 0]
    assert "&lt;script&gt;" in pages[2]


@pytest.mark.parametrize("query", ["?state=nonsense", "?state=all", "?after=x", "?site=%00", "?state=submitted"])
async def test_the_lists_bear_any_address(handover: Handover, keeper: Browser, query: str) -> None:
    await handover.submit()
    codes = {(await keeper.get(path + query)).status_code for path in ("/transfers", f"{PAGE}/items")}

    assert codes == {200}


# What moves


async def test_the_progress_moves_by_itself(here: Desk, handover: Handover, keeper: Browser) -> None:
    await handover.submit()
    seen: list[str] = []

    async def listen() -> None:
        async with keeper.client.stream("GET", f"/stream/transfer/{TRANSFER}") as stream:
            async for line in stream.aiter_lines():
                if line.startswith("data:"):
                    seen.append(line)
                if len(seen) == 2:
                    return

    listening = asyncio.create_task(listen())
    async with asyncio.timeout(20):
        while not seen:
            await asyncio.sleep(0.05)
        await here.database.write(
            lambda connection: transfer_rounds.note_progress(connection, TRANSFER, 1, 3_000_000, 1)
        )
        await listening

    assert ('value=\\"1300000\\"' in seen[0], 'value=\\"3000000\\"' in seen[1]) == (True, True)


# The plan and the keeping


@pytest.mark.parametrize("path", ["/plan", "/plan?year=1999", "/plan?year=x&site=%00", "/keeping"])
async def test_plan_and_keeping_are_read_by_archivists_alone(here: Desk, keeper: Browser, path: str) -> None:
    clerk = await here.signed_in(Role.CLERK)
    async with browsing(clerk):
        codes = [(await browser.get(path)).status_code for browser in (keeper, clerk)]

    assert codes == [200, 403]


async def test_the_register_shows_what_came(here: Desk, keeper: Browser) -> None:
    new = NewAccession(bundle="t1", nature="移交", title=HOSTILE, items=3, files=9, registered_by="县档案馆")
    await here.database.write(lambda c: accessions.register(c, parse_site("330599001203"), new, here.clock()))
    page = (await keeper.get("/keeping")).text

    assert ("-0001" in page, "<script>alert" in page, "&lt;script&gt;" in page) == (True, False, True)
