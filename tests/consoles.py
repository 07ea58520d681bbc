"""A console for tests: the real application behind the real server, over a real store with a fictitious county."""

import datetime
import re
import ssl
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from html import unescape
from pathlib import Path

import httpx
from argon2 import PasswordHasher
from sqlalchemy import Connection, insert

from hub.alarm import alarm_book
from hub.alarm.alarm_settings import AlarmSettings
from hub.alarm.alarms import AlarmKind, Cause, Finding
from hub.home import SCHEMA, home_at
from hub.membership import keyring
from hub.membership.keyring_tables import enrolled_node
from hub.repair import comparisons
from hub.repair.comparisons import Comparison, Sameness
from hub.sites.board import record_beats
from hub.staff import accounts, administration
from hub.staff.administration import Actor
from hub.staff.passwords import Sealer
from hub.staff.roles import Role
from hub.web.backstage import Backstage
from hub.web.console import backstage_for
from hub.web.reach import Reach
from hub.web.serving import served
from hub.web_settings import WebSettings, WebTls
from protocol.beats import Beat, Want
from protocol.sites import parse_site
from protocol.wording import Text
from replication.database import Database, opened
from replication.migrations import REPLICATION
from replication.precedence import Precedence
from replication.tables import watermark
from tests.servers import free_port

PASSWORD = "山高 水长 树青 云白"
COUNTY = "安吉县档案馆（演示）"
DAY_MS = 24 * 3600 * 1000

TOWNS = {
    "001": ("竹溪镇", ("上石村", "下溪村", "桃林村", "长坞村", "白茶村", "石门村", "双桥村", "里庚村")),
    "002": ("云岭乡", ("云上村", "双溪口村", "大坪村", "枫树岭村", "横塘村")),
    "003": ("青松街道", ("青松社区", "河西社区", "南门社区", "东湖村")),
}
"""Townships and villages that do not exist."""


class Clock:
    """A clock that the test sets forward; it begins at the real time, since cookies and beats live by it."""

    def __init__(self) -> None:
        self.ahead_ms = 0
        self._stands_at_ms: int | None = None

    def __call__(self) -> int:
        real_ms = int(datetime.datetime.now(datetime.UTC).timestamp() * 1000)
        return (real_ms if self._stands_at_ms is None else self._stands_at_ms) + self.ahead_ms

    def stand(self) -> None:
        """From now on time passes only by ``forward``: for what a slow machine would else change."""
        self._stands_at_ms = self() - self.ahead_ms

    def forward(self, seconds: float) -> None:
        """Let time pass."""
        self.ahead_ms += int(seconds * 1000)


def quick_sealer() -> Sealer:
    """Argon2id that costs nothing: the tests are about what is around it."""
    return Sealer(PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))


class Desk:
    """A console that runs, with its store."""

    def __init__(self, backstage: Backstage, clock: Clock, url: str, path: Path) -> None:
        self.backstage = backstage
        self.path = path
        self.database: Database = backstage.database
        self.clock = clock
        self.url = url

    async def person(self, login: str, *roles: Role, name: str = "林敏", password: str = PASSWORD) -> None:
        """Make an account with a password."""
        sealed = await self.backstage.sealer.sealed(password)

        def make(connection: Connection) -> None:
            made = administration.add(connection, Actor(who="test"), login, name, roles, self.clock())
            accounts.set_password(connection, made.account.id, sealed, self.clock())

        await self.database.write(make)

    def browser(self, language: str = "zh") -> "Browser":
        """Return a browser that nobody is signed in with."""
        return Browser(self.url, language)

    async def signed_in(self, *roles: Role, login: str = "", language: str = "zh") -> "Browser":
        """Make an account with these roles and sign in with it."""
        name = login or "-".join(roles)
        await self.person(name, *roles)
        browser = self.browser(language)
        answer = await browser.sign_in(name)
        assert answer.status_code == 303, answer.text
        return browser


class Browser:
    """Asks as a browser does: keeps cookies, sends the token of the form it was shown, follows nothing by itself."""

    def __init__(self, url: str, language: str, authority: str = "") -> None:
        context = ssl.create_default_context(cafile=authority) if authority else False
        headers = {"accept-language": language}
        self.client = httpx.AsyncClient(base_url=url, headers=headers, timeout=20, trust_env=False, verify=context)

    async def get(self, path: str) -> httpx.Response:
        """Look at a page."""
        return await self.client.get(path)

    async def post(self, path: str, fields: Mapping[str, str | list[str]], *, shown_at: str = "") -> httpx.Response:
        """Send a form that stands on a page."""
        page = await self.client.get(shown_at or path)
        while page.has_redirect_location:
            page = await self.client.get(page.headers["location"])
        return await self.client.post(path, data={"token": token_in(page.text), **fields})

    async def sign_in(self, login: str, password: str = PASSWORD) -> httpx.Response:
        """Sign in."""
        return await self.post("/sign-in", {"login": login, "password": password, "next": "/today"})

    async def close(self) -> None:
        """Close it."""
        await self.client.aclose()


def token_in(html: str) -> str:
    """Return the token of a page's forms."""
    found = re.search(r'name="token" value="([0-9a-f]+)"', html)
    assert found is not None, html[:2000]
    return found[1]


def words_in(html: str) -> str:
    """Return what a reader sees of a page, without its marks."""
    return " ".join(unescape(re.sub(r"<[^>]*>", " ", re.sub(r"(?s)<(script|style).*?</\1>", "", html))).split())


@asynccontextmanager
async def desk(
    folder: Path,
    *,
    fill: Callable[[Connection, int], None] | None = None,
    tls: WebTls = WebTls.NONE,
    is_linked: Callable[[], bool] = lambda: True,
    sealer: Sealer | None = None,
    oai_contact: str = "",
    reach: Reach | None = None,
) -> AsyncIterator[Desk]:
    """Run a console over a store in a folder."""
    clock, home = Clock(), home_at(folder)
    settings = WebSettings(port=free_port(), tls=tls, oai_contact=oai_contact)
    async with opened(home.database, [REPLICATION, SCHEMA], readers=3) as database:
        if fill is not None:
            await database.write(lambda connection: fill(connection, clock()))
        backstage = backstage_for(
            database,
            settings,
            COUNTY,
            clock_ms=clock,
            is_linked=is_linked,
            sealer=sealer or quick_sealer(),
            reach=reach,
        )
        async with served(backstage, home, Precedence()) as port:
            yield Desk(
                backstage, clock, f"{'https' if tls is WebTls.COUNTY else 'http'}://127.0.0.1:{port}", home.database
            )


@asynccontextmanager
async def browsing(*browsers: Browser) -> AsyncIterator[None]:
    """Close browsers at the end."""
    async with AsyncExitStack() as stack:
        for one in browsers:
            stack.push_async_callback(one.close)
        yield


# A fictitious county


def fill_county(connection: Connection, now_ms: int) -> None:
    """Fill a store with sites in every state, and alarms."""
    since = datetime.date(2026, 3, 1)
    for town, (name, villages) in TOWNS.items():
        keyring.expect(connection, parse_site(f"330599{town}000"), f"{name}档案室", since)
        for at, village in enumerate(villages, 200):
            keyring.expect(connection, parse_site(f"330599{town}{at}"), village, since)
    codes = [one.site for one in keyring.expected_sites(connection)]
    enrolled = codes[:-1]
    connection.execute(insert(enrolled_node), [_node(code, now_ms) for code in enrolled])
    beating = enrolled[:-1]
    record_beats(connection, [_beat(code, at) for at, code in enumerate(beating)], now_ms - 20_000)
    record_beats(connection, [_beat(beating[4], 4)], now_ms - 3 * 3600 * 1000)
    record_beats(connection, [_beat(beating[9], 9, stopping=True)], now_ms - 16 * 3600 * 1000)
    connection.execute(insert(watermark), [_mark(code, at, now_ms) for at, code in enumerate(beating)])
    for at, code in enumerate(beating):
        if at % 3 != 2:
            comparisons.keep(connection, _comparison(code, at, now_ms))
    findings = [
        _silent(beating[4]),
        Finding(
            site=beating[7],
            kind=AlarmKind.REJECTS_JUMPED,
            cause=Cause.SITE,
            evidence=(Text(zh="拒收 812 行，平时 3 行", en="812 rows rejected, usually 3"),),
        ),
    ]
    alarm_book.turn(connection, findings, {}, AlarmSettings(), now_ms - 2 * 3600 * 1000)


def _silent(code: str) -> Finding:
    evidence = (Text(zh="最后一次联系在 3 小时前", en="last heard 3 hours ago"),)
    return Finding(site=code, kind=AlarmKind.SILENT, cause=Cause.POWER_OR_LINK, evidence=evidence)


def _node(code: str, now_ms: int) -> dict[str, object]:
    key = f"U{code:A<55}"
    return {"public_key": key, "site": code, "name": "", "software": "1.0.0", "enrolled_at_ms": now_ms - 90 * DAY_MS}


def _beat(code: str, at: int, *, stopping: bool = False) -> Beat:
    return Beat(
        site=code,
        node=f"U{code:A<55}",
        epoch="e1",
        seq=4000 + 37 * at,
        records=3900 + 31 * at,
        rejected=at % 4 * 3,
        warned=at * 2,
        files=3 + at % 5,
        brakes_held=1 if at == 6 else 0,
        outbox_frames=0,
        disk_free_bytes=83 * 1024**3,
        software="1.0.0",
        stopping=stopping,
    )


def _mark(code: str, at: int, now_ms: int) -> dict[str, object]:
    behind = 250 if at == 11 else 0
    return {
        "site": code,
        "epoch": "e1",
        "position": 4000 + 37 * at - behind,
        "chain": "",
        "node": f"U{code:A<55}",
        "want": Want.NOTHING.value,
        "moved_at_ms": now_ms - at * 371_000,
    }


def _comparison(code: str, at: int, now_ms: int) -> Comparison:
    state = Sameness.DIFFERENT if at == 13 else Sameness.EQUAL
    held = 3900 + 31 * at
    return Comparison(
        site=code,
        state=state,
        epoch="e1",
        seq=4000 + 37 * at,
        site_records=held,
        hub_records=held,
        differing=4 if at == 13 else 0,
        compared_at_ms=now_ms - 3600 * 1000,
    )
