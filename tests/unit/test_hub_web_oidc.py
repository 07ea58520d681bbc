"""Signing in by a provider of identities, which is a real one in a process of its own."""

import re
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from html import unescape
from pathlib import Path
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx
import pyotp
import pytest
from sqlalchemy import Connection, update

from hub import audit
from hub.staff import accounts, administration, lockouts, oidc_provider
from hub.staff.account_tables import oidc_journey
from hub.staff.administration import Actor
from hub.staff.lockouts import FAILURES_FREE
from hub.staff.oidc_journeys import JOURNEY_S
from hub.staff.roles import Role
from hub.web.reach import Reach
from tests.consoles import Browser, Desk, browsing, desk, words_in
from tests.providers import SECRET, RunningProvider, provider_running
from tests.servers import free_port

SUBJECT = "7f1c-42"
ADMINISTRATOR = Actor(who="guan.li")


@pytest.fixture(scope="module")
def provider() -> Iterator[RunningProvider]:
    with provider_running() as running:
        yield running


@asynccontextmanager
async def linked_desk(folder: Path, provider: RunningProvider, *, secret: str = SECRET) -> AsyncIterator[Desk]:
    """A console that knows the provider, and one clerk whom an administrator linked."""
    async with desk(folder, reach=Reach(provider=provider.reached(secret))) as made:
        await made.person("lin.min", Role.CLERK)
        await link(made, provider, "lin.min", SUBJECT)
        yield made


@pytest.fixture
async def here(tmp_path: Path, provider: RunningProvider) -> AsyncIterator[Desk]:
    async with linked_desk(tmp_path, provider) as made:
        yield made


async def link(here: Desk, provider: RunningProvider, login: str, subject: str) -> None:
    """As an administrator does."""
    settings = provider.settings()
    await here.database.write(
        lambda connection: administration.link(connection, ADMINISTRATOR, settings, login, subject, here.clock())
    )


async def go(browser: Browser, wanted: str = "/account") -> str:
    """Press the button; return the address at the provider to which the page goes on."""
    page = await browser.post("/sign-in/outside", {"next": wanted}, shown_at="/sign-in")
    assert page.status_code == 200, words_in(page.text)
    found = re.search(r'http-equiv="refresh" content="0; url=([^"]+)"', page.text)
    assert found is not None
    return unescape(found[1])


async def agree(address: str, subject: str = SUBJECT) -> str:
    """Sign in at the provider; return the path by which it sends the browser back."""
    async with httpx.AsyncClient(trust_env=False) as client:
        answer = await client.post(address, data={"sub": subject})
    assert answer.status_code == 302, answer.text
    back = urlsplit(answer.headers["location"])
    return f"{back.path}?{back.query}"


def asked(address: str, **other: str) -> str:
    """The address with other parameters."""
    parts = urlsplit(address)
    fields = {name: values[0] for name, values in parse_qs(parts.query).items()} | other
    return parts._replace(query=urlencode(fields)).geturl()


async def refusals(here: Desk) -> list[str]:
    """Why nobody was let in, as the audit log has it."""
    found = await here.database.read(lambda connection: audit.listed(connection, action="sign_in", limit=50))
    return [one.detail for one in reversed(found) if one.outcome == "refused"]


async def test_whom_an_administrator_linked_signs_in_and_lands_where_they_wanted(here: Desk) -> None:
    browser = here.browser()
    async with browsing(browser):
        shown = await browser.get("/sign-in")
        back = await browser.get(await agree(await go(browser, "/account")))
        account = await browser.get("/account")
    (line,) = await here.database.read(lambda connection: audit.listed(connection, action="sign_in", limit=5))

    assert "用“县统一身份认证”登录" in shown.text
    assert (back.status_code, back.headers["location"], account.status_code) == (303, "/account", 200)
    assert (line.who, line.outcome, line.detail) == ("lin.min", "done", "oidc")


async def test_the_way_there_asks_for_everything_that_is_checked_afterwards(here: Desk) -> None:
    browser = here.browser("en")
    async with browsing(browser):
        first, second = await go(browser), await go(browser)
    fields = {name: values[0] for name, values in parse_qs(urlsplit(first).query).items()}
    other = {name: values[0] for name, values in parse_qs(urlsplit(second).query).items()}

    assert fields["redirect_uri"] == f"{here.url}/sign-in/outside/back"
    assert (fields["response_type"], fields["code_challenge_method"], fields["prompt"], fields["scope"]) == (
        *("code", "S256", "login", "openid"),
    )
    assert [name for name in ("state", "nonce", "code_challenge") if fields[name] == other[name]] == []


async def test_the_rule_where_forms_may_go_stays_this_console_alone(here: Desk) -> None:
    browser = here.browser()
    async with browsing(browser):
        page = await browser.post("/sign-in/outside", {}, shown_at="/sign-in")

    assert "form-action 'self';" in page.headers["content-security-policy"]


async def test_another_state_is_refused(here: Desk) -> None:
    browser = here.browser()
    async with browsing(browser):
        back = await browser.get(await agree(asked(await go(browser), state="x" * 43)))
        entered = await browser.get("/account")

    assert (back.status_code, entered.status_code, await refusals(here)) == (400, 303, ["oidc: state"])


async def test_a_journey_of_another_browser_is_refused(here: Desk) -> None:
    """Or somebody could be signed in, unknowing, as the person who sent the link."""
    mine, other = here.browser(), here.browser()
    async with browsing(mine, other):
        path = await agree(await go(mine))
        await other.get("/sign-in")
        back = await other.get(path)

    assert (back.status_code, await refusals(here)) == (400, ["oidc: state"])


async def test_a_journey_is_good_once_and_for_some_minutes(here: Desk) -> None:
    browser, late = here.browser(), here.browser()
    async with browsing(browser, late):
        path, late_path = await agree(await go(browser)), await agree(await go(late))
        first = await browser.get(path)
        await browser.client.post("/sign-out", data={})
        browser.client.cookies.delete("danglian-session")
        again = await browser.get(path)
        here.clock.forward(JOURNEY_S + 1)
        too_late = await late.get(late_path)

    assert [one.status_code for one in (first, again, too_late)] == [303, 400, 400]
    assert await refusals(here) == ["oidc: state", "oidc: state"]


async def test_a_code_that_was_used_is_refused_by_the_provider(here: Desk) -> None:
    browser, other = here.browser(), here.browser()
    async with browsing(browser, other):
        path = await agree(await go(browser))
        await browser.get(path)
        mine = parse_qs(urlsplit(await agree(await go(other))).query)
        stolen = parse_qs(urlsplit(path).query)["code"][0]
        back = await other.get(f"/sign-in/outside/back?{urlencode({'state': mine['state'][0], 'code': stolen})}")

    assert (back.status_code, await refusals(here)) == (401, ["oidc: code"])


async def test_the_code_of_another_browser_is_of_no_use(here: Desk) -> None:
    """Its verifier never leaves the hub (PKCE)."""
    mine, other = here.browser(), here.browser()
    async with browsing(mine, other):
        stolen = parse_qs(urlsplit(await agree(await go(mine))).query)["code"][0]
        own = parse_qs(urlsplit(await agree(await go(other), "someone")).query)["state"][0]
        back = await other.get(f"/sign-in/outside/back?{urlencode({'state': own, 'code': stolen})}")

    assert (back.status_code, await refusals(here)) == (401, ["oidc: code"])


async def test_another_nonce_is_refused(here: Desk) -> None:
    browser = here.browser()
    async with browsing(browser):
        back = await browser.get(await agree(asked(await go(browser), nonce="of-another-sign-in")))

    assert (back.status_code, await refusals(here)) == (401, ["oidc: nonce"])


@pytest.mark.parametrize(("twist", "why"), [("audience", "audience"), ("expired", "expired"), ("key", "signature")])
async def test_a_token_that_is_not_for_here_and_now_is_refused(here: Desk, twist: str, why: str) -> None:
    browser = here.browser()
    async with browsing(browser):
        back = await browser.get(await agree(asked(await go(browser), twist=twist)))
        entered = await browser.get("/account")

    assert (back.status_code, entered.status_code, await refusals(here)) == (401, 303, [f"oidc: {why}"])


async def test_a_provider_of_another_name_is_refused(here: Desk) -> None:
    """Where a county has two, an answer of one must not pass for the other's (RFC 9207)."""
    browser = here.browser()
    async with browsing(browser):
        path = await agree(await go(browser))
        back = await browser.get(f"{path}&iss=https%3A%2F%2Fother.example")

    assert (back.status_code, await refusals(here)) == (401, ["oidc: issuer"])


async def test_whom_nobody_linked_is_told_the_subject_and_not_let_in(here: Desk) -> None:
    browser = here.browser("en")
    async with browsing(browser):
        back = await browser.get(await agree(await go(browser), "9a00-7"))
        entered = await browser.get("/account")
    accounts_now = await here.database.read(accounts.listed)

    assert (back.status_code, entered.status_code, "links it to your account: 9a00-7" in words_in(back.text)) == (
        *(403, 303, True),
    )
    assert [one.login for one in accounts_now] == ["lin.min"]
    assert await refusals(here) == ["oidc: unlinked sub=9a00-7"]


async def test_who_says_no_at_the_provider_is_asked_again(here: Desk) -> None:
    browser = here.browser()
    async with browsing(browser):
        address = await go(browser)
        async with httpx.AsyncClient(trust_env=False) as client:
            answer = await client.post(address, data={"action": "deny"})
        state = parse_qs(urlsplit(address).query)["state"][0]
        error = parse_qs(urlsplit(answer.headers["location"]).query)["error"][0]
        back = await browser.get(f"/sign-in/outside/back?{urlencode({'error': error, 'state': state})}")

    assert (back.status_code, "没有同意登录" in back.text, await refusals(here)) == (
        *(401, True, ["oidc: denied access_denied"]),
    )


async def test_a_locked_account_stays_locked_by_this_way(here: Desk) -> None:
    await here.database.write(
        lambda connection: administration.lock(connection, ADMINISTRATOR, "lin.min", here.clock())
    )
    browser = here.browser()
    async with browsing(browser):
        back = await browser.get(await agree(await go(browser)))

    assert (back.status_code, "你的账户已停用" in back.text, await refusals(here)) == (403, True, ["oidc: locked"])


async def test_guesses_at_the_password_keep_nobody_out_of_the_provider(here: Desk) -> None:
    def guess(connection: Connection) -> int:
        return [lockouts.begin_attempt(connection, "lin.min", here.clock()) for _ in range(FAILURES_FREE + 1)][-1]

    waiting_ms = await here.database.write(guess)
    browser = here.browser()
    async with browsing(browser):
        back = await browser.get(await agree(await go(browser)))
    still_ms = await here.database.write(guess)

    assert (waiting_ms > 0, back.headers["location"], still_ms > 0) == (True, "/account", True)


async def test_who_has_one_time_codes_is_asked_for_one(here: Desk) -> None:
    secret = pyotp.random_base32()

    def turn_on(connection: Connection) -> None:
        one = accounts.by_login(connection, "lin.min")
        assert one is not None
        accounts.set_totp(connection, one.id, secret)

    await here.database.write(turn_on)
    browser = here.browser()
    async with browsing(browser):
        back = await browser.get(await agree(await go(browser)))
        before = await browser.get("/account")
        code = pyotp.TOTP(secret).at(here.clock() // 1000)
        given = await browser.post("/sign-in/code", {"code": code, "next": "/account"})
        after = await browser.get("/account")

    assert (back.headers["location"], before.headers["location"]) == (
        *("/sign-in/code?next=%2Faccount", "/sign-in/code"),
    )
    assert (given.headers["location"], after.status_code) == ("/account", 200)


async def test_who_came_by_the_provider_is_signed_out_when_idle_like_everybody(here: Desk) -> None:
    browser = here.browser()
    async with browsing(browser):
        await browser.get(await agree(await go(browser)))
        here.clock.forward(here.backstage.settings.idle_minutes * 60 + 1)
        late = await browser.get("/account")

    assert late.headers["location"] == "/sign-in?next=%2Faccount&why=idle"


async def test_a_provider_that_is_down_leaves_the_password(tmp_path: Path, provider: RunningProvider) -> None:
    gone = RunningProvider(provider.process, free_port())
    async with linked_desk(tmp_path, gone) as here:
        browser = here.browser("en")
        async with browsing(browser):
            away = await browser.post("/sign-in/outside", {}, shown_at="/sign-in")
            entered = await browser.sign_in("lin.min")
        found = await refusals(here)

    assert (away.status_code, "cannot be reached" in away.text, entered.status_code) == (503, True, 303)
    assert found == ["oidc: away"]


async def test_a_provider_that_hangs_is_not_waited_for_long(
    here: Desk, provider: RunningProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither before somebody goes there, nor in the middle of it."""
    browser, second = here.browser(), here.browser()
    async with browsing(browser, second):
        await second.get("/sign-in")
        monkeypatch.setattr(oidc_provider, "ANSWER_S", 0.3)
        with provider.frozen():
            away = await second.post("/sign-in/outside", {}, shown_at="/sign-in")
        monkeypatch.undo()
        path = await agree(await go(browser))
        monkeypatch.setattr(oidc_provider, "ANSWER_S", 0.3)
        with provider.frozen():
            back = await browser.get(path)
            entered = await second.sign_in("lin.min")

    assert [one.status_code for one in (away, back, entered)] == [503, 503, 303]
    assert ("没有及时答复" in away.text, await refusals(here)) == (True, ["oidc: away", "oidc: away"])


async def test_a_wrong_secret_of_ours_lets_nobody_in(tmp_path: Path, provider: RunningProvider) -> None:
    async with linked_desk(tmp_path, provider, secret="another") as here:
        browser = here.browser()
        async with browsing(browser):
            back = await browser.get(await agree(await go(browser)))
        found = await refusals(here)

    assert (back.status_code, found) == (401, ["oidc: code"])


async def test_a_verifier_that_was_changed_in_the_store_opens_nothing(here: Desk) -> None:
    browser = here.browser()
    async with browsing(browser):
        path = await agree(await go(browser))
        await here.database.write(lambda connection: connection.execute(update(oidc_journey).values(verifier="v" * 43)))
        back = await browser.get(path)

    assert (back.status_code, await refusals(here)) == (401, ["oidc: code"])


async def test_without_a_provider_there_is_no_button_and_no_way(tmp_path: Path) -> None:
    async with desk(tmp_path) as here:
        browser = here.browser()
        async with browsing(browser):
            shown = await browser.get("/sign-in")
            gone = await browser.post("/sign-in/outside", {}, shown_at="/sign-in")
            back = await browser.get("/sign-in/outside/back?state=x&code=y")

    assert ("/sign-in/outside" in shown.text, gone.status_code, back.status_code) == (False, 404, 404)


async def test_an_administrator_links_and_unlinks_in_the_console(here: Desk) -> None:
    boss = await here.signed_in(Role.ADMINISTRATOR, login="guan.li")
    clerk = here.browser()
    async with browsing(boss, clerk):
        await here.person("xu.an", Role.CLERK)
        made = await boss.post("/users/xu.an/link", {"subject": " new-1 "}, shown_at="/users/xu.an")
        taken = await boss.post("/users/xu.an/link", {"subject": SUBJECT}, shown_at="/users/xu.an")
        shown = await boss.get("/users/xu.an")
        entered = await clerk.get(await agree(await go(clerk), "new-1"))
        gone = await boss.post("/users/xu.an/unlink", {"subject": "new-1"}, shown_at="/users/xu.an")
        out = await clerk.get("/account")
        again = await clerk.get(await agree(await go(clerk), "new-1"))
        own = await boss.post("/users/guan.li/link", {"subject": "boss"}, shown_at="/users/xu.an")
    log = await here.database.read(lambda connection: audit.listed(connection, about=["xu.an"], limit=20))

    assert [one.status_code for one in (made, taken, entered, gone, out, again, own)] == [
        303,
        400,
        303,
        303,
        303,
        403,
        400,
    ]
    assert ("<code>new-1</code>" in shown.text, "lin.min" in words_in(taken.text)) == (True, True)
    assert [one.action for one in log if "link" in one.action] == ["account_unlinked", "account_linked"]


async def test_only_administrators_link(here: Desk) -> None:
    archivist = await here.signed_in(Role.ARCHIVIST)
    async with browsing(archivist):
        answer = await archivist.post("/users/lin.min/link", {"subject": "mine"}, shown_at="/account")

    assert answer.status_code == 403


async def test_signing_out_leads_whoever_came_by_the_provider_to_its_sign_out_too(
    here: Desk, provider: RunningProvider
) -> None:
    """RP-initiated logout: the session here is over first; the provider asks the person and sends them back."""
    browser = here.browser()
    async with browsing(browser):
        await browser.get(await agree(await go(browser, "/account")))
        left = await browser.post("/sign-out", {}, shown_at="/account")
        entered = await browser.get("/account")
    found = re.search(r'http-equiv="refresh" content="0; url=([^"]+)"', left.text)
    assert found is not None
    address = urlsplit(unescape(found[1]))
    async with httpx.AsyncClient(trust_env=False) as client:
        asked_there = await client.get(address.geturl())

    assert (left.status_code, entered.status_code, asked_there.status_code) == (200, 303, 200)
    assert address.geturl().startswith(f"{provider.issuer}/oauth2/end_session?")
    assert parse_qs(address.query)["post_logout_redirect_uri"] == [f"{here.url}/sign-in?why=left"]


async def test_whoever_came_by_password_signs_out_here_alone(here: Desk) -> None:
    browser = here.browser()
    async with browsing(browser):
        await browser.sign_in("lin.min")
        left = await browser.post("/sign-out", {}, shown_at="/account")

    assert (left.status_code, left.headers["location"]) == (303, "/sign-in?why=left")


async def test_a_provider_that_is_away_keeps_nobody_signed_in(
    here: Desk, provider: RunningProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    browser = here.browser()
    async with browsing(browser):
        await browser.get(await agree(await go(browser, "/account")))
        monkeypatch.setattr(oidc_provider, "ANSWER_S", 0.3)
        # What it said of itself an hour ago is forgotten.
        monkeypatch.setattr(oidc_provider, "KEPT_S", 0.0)
        with provider.frozen():
            left = await browser.post("/sign-out", {}, shown_at="/account")
        entered = await browser.get("/account")

    assert (left.status_code, left.headers["location"], entered.status_code) == (303, "/sign-in?why=left", 303)
