"""The console over real HTTP and a real store: who gets in, who may see what, what happens when something is amiss."""

import asyncio
import datetime
import json
import re
import sqlite3
import threading
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path

import httpx
import pyotp
import pytest
from litestar.handlers import HTTPRouteHandler
from sqlalchemy import Connection

from hub import audit
from hub.alarm import alarm_book
from hub.alarm.alarm_settings import AlarmSettings
from hub.alarm.alarms import AlarmKind, Cause, Finding
from hub.home import home_at
from hub.membership import certificates
from hub.staff import first_use
from hub.staff.lockouts import FAILURES_FREE
from hub.staff.roles import Permission, Role
from hub.web import visitors
from hub.web.admission import NEEDS, SAFE_METHODS, Door
from hub.web.console import HANDLERS
from hub.web.throttling import ATTEMPTS_BURST, Throttle
from hub.web_settings import WebTls
from hub.window import audit_heads
from protocol.audit_chain import AuditHead
from protocol.wording import Text
from tests.consoles import PASSWORD, Browser, Desk, browsing, desk, fill_county, token_in, words_in


@pytest.fixture
async def here(tmp_path: Path) -> AsyncIterator[Desk]:
    async with desk(tmp_path, fill=fill_county) as made:
        yield made


async def lines(here: Desk) -> list[tuple[str, str, str, str]]:
    """The audit log, the oldest line first."""
    found = await here.database.read(lambda connection: audit.listed(connection, limit=500))
    return [(one.who, one.action, one.object, one.outcome) for one in reversed(found)]


# Signing in


async def test_the_first_link_makes_an_administrator_who_can_sign_in(here: Desk) -> None:
    secret = await here.database.write(lambda connection: first_use.invite(connection, here.clock()))
    browser = here.browser()
    path = f"/set-up/{secret}"
    fields = {"login": "Guan.Li", "name": "管理员甲", "password": PASSWORD, "again": PASSWORD}
    async with browsing(browser):
        made = await browser.post(path, fields)
        again = await browser.get(path)
        admitted = await browser.sign_in("guan.li")
        users = await browser.get("/users")

    assert (made.status_code, made.headers["location"]) == (303, "/sign-in?login=guan.li&why=done")
    assert (again.status_code, admitted.headers["location"], users.status_code) == (410, "/today", 200)
    assert await here.database.write(lambda connection: first_use.invite(connection, here.clock())) is None
    assert ("guan.li", "link_used", "guan.li", "done") in await lines(here)


@pytest.mark.parametrize(
    ("login", "password"), [("lin.min", "错误的密码错误的密码"), ("nobody", PASSWORD), ("", ""), ("lin.min", "")]
)
async def test_wrong_names_and_wrong_passwords_are_answered_alike(here: Desk, login: str, password: str) -> None:
    await here.person("lin.min", Role.CLERK)
    browser = here.browser()
    async with browsing(browser):
        answer = await browser.sign_in(login, password)

    assert (answer.status_code, "登录名或密码不正确" in answer.text) == (401, True)
    assert "danglian-session" not in answer.headers.get("set-cookie", "")


async def test_what_was_typed_as_an_unknown_name_is_not_written_down(here: Desk) -> None:
    """Often it is a password, typed in the wrong field."""
    browser = here.browser()
    async with browsing(browser):
        await browser.sign_in("my-secret-password")

    assert await lines(here) == [("", "sign_in", "", "refused")]


async def test_failures_make_the_next_attempt_wait_even_with_the_right_password(here: Desk) -> None:
    await here.person("lin.min", Role.CLERK)
    browser = here.browser()
    async with browsing(browser):
        for _ in range(FAILURES_FREE):
            await browser.sign_in("lin.min", "错误的密码错误的密码")
        early = await browser.sign_in("lin.min")
        here.clock.forward(31)
        late = await browser.sign_in("lin.min")

    assert (early.status_code, "失败次数过多" in early.text, late.status_code) == (401, True, 303)


async def test_attempts_of_one_address_are_throttled(here: Desk) -> None:
    here.clock.stand()
    browser = here.browser()
    async with browsing(browser):
        codes = [(await browser.sign_in(f"nobody{at}", "x")).status_code for at in range(ATTEMPTS_BURST + 2)]

    assert codes == [401] * ATTEMPTS_BURST + [429, 429]


def test_a_throttle_fills_again_with_time() -> None:
    now = [0]
    throttle = Throttle(2, 60, lambda: now[0])
    first = [throttle.wait_s("a"), throttle.wait_s("a"), throttle.wait_s("a"), throttle.wait_s("b")]
    now[0] += 1000

    assert (first, throttle.wait_s("a"), throttle.wait_s("a")) == ([0, 0, 1, 0], 0, 1)


async def test_an_idle_visitor_is_signed_out_and_told_why(here: Desk) -> None:
    browser = await here.signed_in(Role.CLERK)
    async with browsing(browser):
        here.clock.forward(29 * 60)
        used = await browser.get("/today")
        here.clock.forward(29 * 60)
        still = await browser.get("/today")
        here.clock.forward(31 * 60)
        over = await browser.get("/sites")

    assert (used.status_code, still.status_code) == (200, 200)
    assert (over.status_code, over.headers["location"]) == (303, "/sign-in?next=%2Fsites&why=idle")


async def test_signing_out_ends_the_session_at_the_hub_too(here: Desk) -> None:
    browser = await here.signed_in(Role.CLERK)
    async with browsing(browser):
        cookie = browser.client.cookies["danglian-session"]
        await browser.post("/sign-out", {}, shown_at="/today")
        browser.client.cookies.set("danglian-session", cookie, domain="127.0.0.1")
        kept = await browser.get("/today")

    assert kept.status_code == 303


async def test_a_second_factor_is_asked_for_and_its_code_counts_once(here: Desk) -> None:
    browser, other = await here.signed_in(Role.CLERK, login="lin.min"), here.browser()
    async with browsing(browser, other):
        await browser.post("/account/codes/begin", {}, shown_at="/account")
        key = re.search(r'class="key">([A-Z2-7 ]+)<', (await browser.get("/account")).text)
        assert key is not None
        codes = pyotp.TOTP(key[1].replace(" ", ""))
        wrong = await browser.post("/account/codes/confirm", {"code": "000000"}, shown_at="/account")
        on = await browser.post("/account/codes/confirm", {"code": codes.at(here.clock() // 1000)}, shown_at="/account")
        here.clock.forward(60)
        half = await other.sign_in("lin.min")
        before = await other.get("/today")
        used = codes.at(here.clock() // 1000)
        whole = await other.post("/sign-in/code", {"code": used, "next": "/sites"})
        after = await other.get("/sites")
        await other.post("/sign-out", {}, shown_at="/today")
        await other.sign_in("lin.min")
        again = await other.post("/sign-in/code", {"code": used})

    assert (wrong.status_code, on.headers["location"]) == (400, "/account?done=added")
    assert (half.headers["location"], before.headers["location"]) == ("/sign-in/code?next=%2Ftoday", "/sign-in/code")
    assert (whole.headers["location"], after.status_code, again.status_code) == ("/sites", 200, 401)


async def test_a_changed_password_ends_the_other_sessions(here: Desk) -> None:
    first, second = await here.signed_in(Role.CLERK, login="lin.min"), here.browser()
    new = "江流 有声 断岸 千尺"
    async with browsing(first, second):
        await second.sign_in("lin.min")
        wrong = await first.post("/account/password", {"old": "x", "new": new, "again": new}, shown_at="/account")
        weak = await first.post(
            "/account/password", {"old": PASSWORD, "new": "12345", "again": "12345"}, shown_at="/account"
        )
        done = await first.post("/account/password", {"old": PASSWORD, "new": new, "again": new}, shown_at="/account")
        kept, ended = await first.get("/today"), await second.get("/today")

    assert (wrong.status_code, weak.status_code, done.headers["location"]) == (400, 400, "/account?done=changed")
    assert (kept.status_code, ended.status_code) == (200, 303)


@pytest.mark.parametrize(
    "wanted", ["//evil.example/", "https://evil.example", "/\\evil", "javascript:alert(1)", "/a\nb"]
)
async def test_after_signing_in_nobody_is_sent_elsewhere(here: Desk, wanted: str) -> None:
    await here.person("lin.min", Role.CLERK)
    browser = here.browser()
    async with browsing(browser):
        answer = await browser.post("/sign-in", {"login": "lin.min", "password": PASSWORD, "next": wanted})

    assert answer.headers["location"] == "/today"


# Who may see what


def test_every_route_says_what_it_needs() -> None:
    """Nothing is open by mistake: a route without a word about it would answer to nobody."""
    needed = {handler.fn.__name__: handler.opt.get(NEEDS) for handler in HANDLERS}
    openly = {name for name, need in needed.items() if need is Door.OPEN}

    assert {name for name, need in needed.items() if not isinstance(need, Door | Permission)} == set()
    assert openly == {
        *("show_file", "do_prefer", "show_root", "show_set_up", "do_set_up"),
        *("show_sign_in", "do_sign_in", "show_code", "do_code"),
        # By the provider of identities, where the settings name one.
        *("do_go", "come_back"),
        # The screen at the counter: numbers only, under an address that nobody guesses.
        *("show_counter", "stream_counter"),
    }


def routes(*, safe: bool) -> list[tuple[str, HTTPRouteHandler]]:
    found = []
    for handler in HANDLERS:
        (path,) = handler.paths
        filled = re.sub(r"\{\w+:int\}", "1", re.sub(r"\{\w+:str\}", "330599001203", path))
        if bool(set(handler.http_methods) & SAFE_METHODS) is safe and not path.startswith("/stream"):
            found.append((filled, handler))
    return found


async def test_a_stranger_is_led_to_the_sign_in_from_every_closed_page(here: Desk) -> None:
    browser = here.browser()
    async with browsing(browser):
        closed = [path for path, handler in routes(safe=True) if handler.opt[NEEDS] is not Door.OPEN]
        answers = {path: (await browser.get(path)).headers.get("location", "") for path in closed}

    assert len(closed) > 5
    assert {path: where for path, where in answers.items() if not where.startswith("/sign-in?next=")} == {}


@pytest.mark.parametrize("role", list(Role))
async def test_each_role_sees_its_pages_and_no_others(here: Desk, role: Role) -> None:
    browser = await here.signed_in(role)
    pages = {"/today": {*Role}, "/sites": {*Role}, "/account": {*Role}}
    pages |= {"/users": {Role.ADMINISTRATOR}, "/audit": {Role.AUDITOR}}
    async with browsing(browser):
        codes = {path: (await browser.get(path)).status_code for path in pages}
        menu = set(re.findall(r'<a href="(/\w+)"', (await browser.get("/today")).text))

    assert codes == {path: 200 if role in roles else 403 for path, roles in pages.items()}
    assert menu & {"/users", "/audit"} == {path for path in ("/users", "/audit") if role in pages[path]}


async def test_a_refusal_is_in_the_audit_log(here: Desk) -> None:
    browser = await here.signed_in(Role.CLERK)
    async with browsing(browser):
        await browser.get("/users")

    assert ("clerk", "access_refused", "/users", "refused") in await lines(here)


@pytest.mark.parametrize("role", [Role.CLERK, Role.ARCHIVIST, Role.REVIEWER, Role.AUDITOR])
async def test_only_an_administrator_changes_accounts(here: Desk, role: Role) -> None:
    await here.person("victim", Role.CLERK)
    browser = await here.signed_in(role)
    posts = [path for path, handler in routes(safe=False) if handler.opt[NEEDS] is Permission.MANAGE_ACCOUNTS]
    async with browsing(browser):
        codes = [
            (
                await browser.post(path.replace("330599001203", "victim"), {"role": "auditor"}, shown_at="/account")
            ).status_code
            for path in posts
        ]

    assert (len(codes), set(codes)) == (9, {403})


# Forms


async def test_no_form_is_taken_without_its_token(here: Desk) -> None:
    """Whatever is added later is covered: every route that changes something is tried."""
    browser = await here.signed_in(Role.ADMINISTRATOR)
    other = await here.signed_in(Role.CLERK)
    async with browsing(browser, other):
        foreign = token_in((await other.get("/account")).text)
        codes = {
            (path, token): (await browser.client.post(path, data={"token": token})).status_code
            for path, _ in routes(safe=False)
            for token in ("", "0" * 64, foreign)
            if path != "/audit/verify" and "set-up" not in path and "sign-in" not in path
        }

    assert len(codes) > 30
    assert set(codes.values()) == {403}


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "https://evil.example"},
        {"origin": "null"},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
    ],
)
async def test_a_form_from_another_site_is_refused_even_with_its_token(here: Desk, headers: dict[str, str]) -> None:
    browser = await here.signed_in(Role.CLERK)
    async with browsing(browser):
        token = token_in((await browser.get("/account")).text)
        answer = await browser.client.post("/sign-out", data={"token": token}, headers=headers)
        after = await browser.get("/today")

    assert (answer.status_code, after.status_code) == (403, 200)


@pytest.mark.parametrize(
    ("content", "kind", "code"),
    [
        (b"{}", "application/json", 403),
        (b"token=" + b"x" * 70_000, "application/x-www-form-urlencoded", 413),
        (b"&".join(b"a=1" for _ in range(200)), "application/x-www-form-urlencoded", 403),
        (b"token=\xff\xfe", "application/x-www-form-urlencoded", 403),
        (b"--x\r\n\r\n--x--", "multipart/form-data; boundary=x", 403),
        (b"", "", 403),
    ],
)
async def test_bodies_that_are_no_form_are_refused(here: Desk, content: bytes, kind: str, code: int) -> None:
    browser = here.browser()
    async with browsing(browser):
        answer = await browser.client.post("/preferences", content=content, headers={"content-type": kind})

    assert answer.status_code == code


@pytest.mark.slow
@pytest.mark.timeout(240)
async def test_hostile_text_in_every_field_breaks_no_page(here: Desk, shared_data: Path) -> None:
    """A page stays a page: no fault of ours, nothing of the text outside quotes, no tag of it."""
    naughty = json.loads(
        (shared_data / "12_test_vectors" / "big_list_of_naughty_strings.json").read_text(encoding="utf-8")
    )
    hostile = [
        *naughty,
        "\x00\x01\x7f",
        "\ud7ff" * 10,
        "</title><script>x</script>",
        '"><img src=x onerror=x>',
        "长" * 600,
    ]
    browser = await here.signed_in(Role.ADMINISTRATOR, login="guan.li")
    seen: set[int] = set()
    async with browsing(browser):
        token = token_in((await browser.get("/users")).text)

        def check(answer: httpx.Response) -> None:
            seen.add(answer.status_code)
            assert "<script>" not in answer.text
            assert not re.search(r"<img(?![^>]*mark\.)", answer.text)
            assert answer.text.count("<main") == answer.text.count("</main>") == (0 if answer.is_redirect else 1)

        for at, text in enumerate(hostile):
            here.clock.forward(3)
            fields = {"token": token, "login": text, "name": text, "role": text, "note": text, "next": text}
            fields |= {"language": text, "theme": text, "number": text, "code": text}
            for path in ("/users", "/alarms/1/attend"):
                check(await browser.client.post(path, data=fields))
            if at % 10 == 0:
                check(await browser.client.post("/preferences", data=fields))
                check(await browser.client.post("/account/sessions/end", data=fields))
                check(await browser.client.post("/account/codes/confirm", data=fields))
                check(await browser.client.get("/sites", params={"find": text, "state": text}))
                check(await browser.client.get("/sign-in", params={"next": text, "why": text, "login": text}))

    assert seen <= {200, 303, 400}


async def test_a_name_with_marks_is_shown_as_it_is_and_does_nothing(here: Desk) -> None:
    browser = await here.signed_in(Role.ADMINISTRATOR)
    name = "<b>林&敏</b>\"'"
    async with browsing(browser):
        made = await browser.post("/users", {"login": "lin.min", "name": name, "role": "clerk"})
        listed = await browser.get("/users")

    assert (made.status_code, name in words_in(listed.text.replace("&lt;b&gt;", "&lt;b&gt;"))) == (200, True)
    assert "<b>林" not in listed.text


# Accounts


async def test_an_administrator_adds_a_person_who_chooses_the_own_password(here: Desk) -> None:
    browser, guest = await here.signed_in(Role.ADMINISTRATOR), here.browser()
    async with browsing(browser, guest):
        made = await browser.post("/users", {"login": "lin.min", "name": "林敏", "role": ["clerk", "archivist"]})
        link = re.search(r"/set-up/[\w-]+", made.text)
        assert link is not None
        differ = await guest.post(link[0], {"password": PASSWORD, "again": "另一个密码另一个密码"})
        weak = await guest.post(link[0], {"password": "lin.min-1234", "again": "lin.min-1234"})
        chosen = await guest.post(link[0], {"password": PASSWORD, "again": PASSWORD})
        twice = await guest.get(link[0])
        await guest.sign_in("lin.min")
        today = await guest.get("/today")

    assert [one.status_code for one in (differ, weak, chosen, twice, today)] == [400, 400, 303, 410, 200]


async def test_roles_that_are_separated_are_refused_in_words(here: Desk) -> None:
    browser = await here.signed_in(Role.ADMINISTRATOR)
    async with browsing(browser):
        answer = await browser.post("/users", {"login": "lin.min", "name": "林敏", "role": ["reviewer", "auditor"]})

    assert (answer.status_code, "不能由同一人担任" in answer.text) == (400, True)


async def test_a_locked_person_is_out_at_once_and_comes_back_unlocked(here: Desk) -> None:
    browser, other = await here.signed_in(Role.ADMINISTRATOR), await here.signed_in(Role.CLERK, login="lin.min")
    async with browsing(browser, other):
        await browser.post("/users/lin.min/lock", {}, shown_at="/users/lin.min")
        out = await other.get("/today")
        refused = await other.sign_in("lin.min")
        await browser.post("/users/lin.min/unlock", {}, shown_at="/users/lin.min")
        back = await other.sign_in("lin.min")

    assert (out.status_code, refused.status_code, back.status_code) == (303, 401, 303)


# Languages, headers, cookies


@pytest.mark.parametrize(("language", "tag", "title"), [("zh", "zh-CN", "今日"), ("en", "en", "Today")])
async def test_pages_are_in_the_readers_language(here: Desk, language: str, tag: str, title: str) -> None:
    browser = await here.signed_in(Role.ADMINISTRATOR, language=language)
    async with browsing(browser):
        page = await browser.get("/today")

    assert (f'<html lang="{tag}"' in page.text, f"<h1>{title}</h1>" in page.text) == (True, True)


async def test_a_chosen_language_goes_with_the_person_to_another_browser(here: Desk) -> None:
    first, second = await here.signed_in(Role.CLERK, login="lin.min"), here.browser()
    async with browsing(first, second):
        await first.post("/preferences", {"language": "en", "theme": "dark", "next": "/account"}, shown_at="/account")
        await second.sign_in("lin.min")
        page = await second.get("/today")

    assert ('<html lang="en">' in page.text, 'media="screen">' in page.text) == (True, True)


async def test_every_answer_forbids_what_no_page_needs(here: Desk) -> None:
    browser = await here.signed_in(Role.CLERK)
    async with browsing(browser):
        answers = [await browser.get(path) for path in ("/today", "/nowhere", "/users", "/sign-in", "/stream/nowhere")]

    for answer in answers:
        policy = answer.headers["content-security-policy"]
        assert ("default-src 'none'" in policy, "unsafe" in policy) == (True, False)
        assert (answer.headers["x-content-type-options"], answer.headers["cache-control"]) == ("nosniff", "no-store")
        assert "server" not in answer.headers


async def test_the_stylesheet_may_be_kept_for_ever_because_its_name_changes_with_it(here: Desk) -> None:
    browser = here.browser()
    async with browsing(browser):
        path = re.search(r'href="(/static/console\.[0-9a-f]{12}\.css)"', (await browser.get("/sign-in")).text)
        assert path is not None
        found, other = await browser.get(path[1]), await browser.get("/static/console.css")

    assert (found.status_code, "immutable" in found.headers["cache-control"], other.status_code) == (200, True, 404)


async def test_a_session_cookie_is_out_of_reach_of_scripts(here: Desk) -> None:
    await here.person("lin.min", Role.CLERK)
    browser = here.browser()
    async with browsing(browser):
        cookie = (await browser.sign_in("lin.min")).headers["set-cookie"]

    assert ("HttpOnly" in cookie, "SameSite=lax" in cookie, "Path=/" in cookie) == (True, True, True)


# Sites


async def test_the_board_shows_every_site_and_filters_them(here: Desk) -> None:
    browser = await here.signed_in(Role.CLERK)
    async with browsing(browser):
        every = await browser.get("/sites")
        offline = await browser.get("/sites?state=offline")
        found = await browser.get("/sites?find=枫树")

    assert [page.text.count('class="tile ') for page in (every, offline, found)] == [20, 2, 1]


async def test_a_site_says_what_is_wrong_and_why(here: Desk) -> None:
    browser = await here.signed_in(Role.CLERK)
    async with browsing(browser):
        page = words_in((await browser.get("/sites/330599001203")).text)
        unknown = await browser.get("/sites/330599009999")

    assert ("已 3 小时没有声息" in page, "电脑未开机或网络不通" in page, unknown.status_code) == (True, True, 404)


async def test_who_looks_after_an_alarm_is_named_and_noted(here: Desk) -> None:
    browser, clerk = await here.signed_in(Role.ARCHIVIST), await here.signed_in(Role.CLERK)
    async with browsing(browser, clerk):
        refused = await clerk.post("/alarms/1/attend", {"note": "x"}, shown_at="/account")
        done = await browser.post("/alarms/1/attend", {"note": "已电话联系"}, shown_at="/sites/330599001203")
        site = words_in((await browser.get(done.headers["location"])).text)
        today = words_in((await browser.get("/today")).text)
        missing = await browser.post("/alarms/999/attend", {"note": "x"}, shown_at="/account")

    assert (refused.status_code, missing.status_code) == (403, 404)
    assert ("林敏，" in site, "已电话联系" in site, "林敏 处理中" in today) == (True, True, True)
    assert ("archivist", "alarm_attended", "330599001203 #1", "done") in await lines(here)


async def test_an_alarm_of_no_single_site_has_a_page_on_which_somebody_takes_it_on(here: Desk) -> None:
    """A backup that is overdue is the county's: its alarm bears the county's code, which is no site of the board."""
    overdue = Finding(
        site="330599000000",
        kind=AlarmKind.BACKUP_OVERDUE,
        cause=Cause.BACKUP,
        evidence=(Text(zh="最近一份核验过的备份已有 5 天", en="its newest verified backup is 5 days old"),),
    )
    await here.database.write(
        lambda connection: alarm_book.turn(connection, [overdue], {}, AlarmSettings(), here.clock())
    )
    await here.backstage.live.read()
    browser = await here.signed_in(Role.ARCHIVIST)
    async with browsing(browser):
        today = (await browser.get("/today")).text
        page = (await browser.get("/sites/330599000000")).text
        number = page.partition('action="/alarms/')[2].partition("/")[0]
        done = await browser.post(f"/alarms/{number}/attend", {"note": "已换盘"}, shown_at="/sites/330599000000")
        after = words_in((await browser.get(done.headers["location"])).text)
        nothing = await browser.get("/sites/330598000000")

    assert '<a href="/sites/330599000000">县级枢纽</a>' in today
    assert ("最近一份核验过的备份已有 5 天" in page, "林敏，" in after, "已换盘" in after) == (True, True, True)
    assert nothing.status_code == 404


# The audit log


async def test_the_auditor_verifies_the_log_and_sees_that_it_was_tampered_with(here: Desk) -> None:
    browser = await here.signed_in(Role.AUDITOR)
    async with browsing(browser):
        whole = words_in((await browser.post("/audit/verify", {}, shown_at="/audit")).text)
        with closing(sqlite3.connect(here.path)) as raw:
            raw.execute("UPDATE audit_line SET who = 'nobody' WHERE seq = 1")
            raw.commit()
        broken = words_in((await browser.post("/audit/verify", {}, shown_at="/audit")).text)

    assert ("完好" in whole, "第 1 条与前一条不符" in broken) == (True, True)


async def test_the_auditor_finds_the_lines_of_a_case_and_of_a_site(here: Desk) -> None:
    def write(connection: Connection) -> None:
        for number, site in (("12", "330523108204"), ("12", "330523108205"), ("13", "330523108204")):
            entry = audit.AuditEntry(
                who="lin.min",
                action=audit.Action.LOOKUP_ANSWERED,
                origin=site,
                detail=f"case 安调字第{number}号; {site} told",
            )
            audit.append(connection, entry, here.clock())

    await here.database.write(write)
    browser = await here.signed_in(Role.AUDITOR)
    async with browsing(browser):
        of_case = words_in((await browser.get("/audit?case=安调字第12号")).text)
        of_both = words_in((await browser.get("/audit?case=安调字第12号&site=330523108205")).text)

    assert [of_case.count(f"{site} told") for site in ("330523108204", "330523108205")] == [1, 1]
    assert [of_both.count(f"{site} told") for site in ("330523108204", "330523108205")] == [0, 1]


async def test_the_auditor_is_told_of_a_sites_log_that_was_changed(here: Desk) -> None:
    def write(connection: Connection) -> None:
        now_ms = here.clock()
        for later_ms, head in enumerate((AuditHead(seq=4, digest="a" * 64), AuditHead(seq=3, digest="b" * 64))):
            # The second is the answer to a question that was put when the first was known.
            audit_heads.keep(connection, "330523108204", head, now_ms + later_ms, now_ms)

    await here.database.write(write)
    browser = await here.signed_in(Role.AUDITOR)
    async with browsing(browser):
        told = words_in((await browser.post("/audit/verify", {}, shown_at="/audit")).text)

    assert "站点 330523108204 的日志第 4 条与县级保存的不符" in told


@pytest.mark.parametrize("query", ["before=-1", "before=99999999999999999999", "before=x", "who=%00", "action=<b>"])
async def test_a_forged_query_of_the_log_is_harmless(here: Desk, query: str) -> None:
    browser = await here.signed_in(Role.AUDITOR)
    async with browsing(browser):
        answer = await browser.get(f"/audit?{query}")

    assert answer.status_code == 200


# When something is away


async def test_the_pages_say_that_the_broker_is_away(tmp_path: Path) -> None:
    linked = [False]
    async with desk(tmp_path, fill=fill_county, is_linked=lambda: linked[0]) as here:
        browser = await here.signed_in(Role.CLERK)
        async with browsing(browser):
            away = words_in((await browser.get("/today")).text)
            linked[0] = True
            back = words_in((await browser.get("/today")).text)

    assert ("连不上消息服务器" in away, "连不上消息服务器" in back) == (True, False)


async def test_the_pages_say_that_the_store_is_away_and_recover(here: Desk) -> None:
    browser = await here.signed_in(Role.CLERK)
    async with browsing(browser):
        with closing(sqlite3.connect(here.path)) as raw:
            raw.execute("ALTER TABLE web_session RENAME TO elsewhere")
            away = await browser.get("/today")
            raw.execute("ALTER TABLE elsewhere RENAME TO web_session")
        back = await browser.get("/today")

    assert (away.status_code, away.headers["retry-after"], back.status_code) == (503, "10", 200)
    assert ("数据库暂时无法访问" in away.text, 'data-retry-s="10"' in away.text) == (True, True)


async def test_over_tls_the_session_is_bound_to_this_host(tmp_path: Path) -> None:
    home = home_at(tmp_path)
    certificates.provide(home, "330599000000", ("127.0.0.1",), datetime.datetime.now(datetime.UTC))
    async with desk(tmp_path, tls=WebTls.COUNTY) as here:
        await here.person("lin.min", Role.CLERK)
        browser = Browser(here.url, "zh", str(home.authority))
        async with browsing(browser):
            cookie = (await browser.sign_in("lin.min")).headers["set-cookie"]
            today = await browser.get("/today")

    assert (cookie.startswith("__Host-danglian-session="), "Secure" in cookie, today.status_code) == (True, True, 200)


async def test_a_page_that_waits_too_long_for_the_store_says_so(here: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing waits for ever: three readings that hang keep every reader of the store."""
    browser = await here.signed_in(Role.CLERK)
    monkeypatch.setattr(visitors, "PAGE_S", 0.5)
    free = threading.Event()
    begun: list[bool] = []

    def hang(_: Connection) -> None:
        begun.append(True)
        free.wait(60)

    hanging = [asyncio.create_task(here.database.read(hang)) for _ in range(3)]
    async with asyncio.timeout(30):
        while len(begun) < 3:
            await asyncio.sleep(0.01)
    async with browsing(browser):
        away = await browser.get("/account")
        free.set()
        await asyncio.gather(*hanging)
        back = await browser.get("/account")

    assert (away.status_code, back.status_code) == (503, 200)
