"""The console under load: signed-in people page and search at the real hub while a real node brings rows.

    python -m tests.bench.console [--rows 5000000] [--people 50] [--arriving 250000] [--seconds 60] [--store FILE]

The catalogue is written into the store directly, as ``tests.bench.search`` does; ``--store`` names a file that is made
once and copied for each run (five million entries take half an hour). 232 sites are enrolled; one of them is a real
node whose sheet arrives while people work. Each person has a session and an address of their own and thinks for two
seconds between clicks. A page alone is measured before that, the live feed by how long after a change of the store an
open page hears of it. Nothing here passes or fails.
"""

import argparse
import asyncio
import csv
import datetime
import itertools
import json
import random
import re
import secrets
import shutil
import sqlite3
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, closing
from functools import partial
from pathlib import Path

import httpx
import msgspec
from sqlalchemy import Connection, insert

from hub.home import home_at
from hub.membership import keyring
from hub.membership.keyring_tables import enrolled_node
from hub.sites.board import record_beats
from hub.staff import accounts, sessions
from hub.staff.roles import Role
from hub.staff.sessions import Stage
from hub.web.visitors import SESSION_COOKIE
from hub.web.words.chinese import CHINESE
from protocol.beats import Beat, Want
from protocol.sites import Site, parse_site
from replication.database import opened
from replication.keys import Identity, new_seed
from replication.tables import watermark
from replication.wall_clock import clock_ms
from tests.bench import search
from tests.bench.county import County, county, enrolled, node, settling
from tests.bench.figures import percentile
from tests.bench.programs import Load, finished, peak_rss_mb
from tests.bench.rows import HEADINGS, rows
from tests.bench.steady import drop
from tests.hubs import MIGRATIONS
from tests.servers import free_port

COUNTY = "330523000000"
PUBLISHER = "330523120299"
"""The site of the real node; no other row of the catalogue is its."""

THINKING_S = 2.0
"""Seconds between two clicks of one person, on average."""

ALONE = 10
"""Times that a page is asked for while nobody else asks."""

WORDS = ("林地承包", "村民 登记", "宅基审批 1986", "题名:饮水工程", "关于 换届选举", "退耕还林 -通知", "茶园改造")
ASK_S = 30.0
COUNTED_S = 900.0
WATCH_S = 0.02
LATE_S = 6.0
"""Seconds after the end in which a page may still tell what changed before it."""

SHEETS_EVERY_S = 3.0
SHEET_ROWS = 2_000
"""Rows of one sheet unless told: what a township types in a day, arriving every few seconds."""

PAGE = "p95 ≤ 300, alone ≤ 100 at 5 M"


class Person(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody with a browser."""

    number: int
    client: httpx.AsyncClient
    token: str


class Figures(msgspec.Struct, kw_only=True):
    """What was measured, in milliseconds."""

    alone: dict[str, list[float]]
    loaded: dict[str, list[float]]
    feed: list[float]
    arrived: int
    hub_mb: float
    failures: list[str]
    others_cores: float
    alone_cpu: dict[str, float] = {}
    """Processor time of the hub for a page while nobody else asks: what a busy neighbour does not change."""
    hub_cpu_ms: float = 0.0
    """Processor time of the hub for each page, with what arrived meanwhile."""


# The county


def prepared(connection: Connection, people: int, now_ms: int) -> list[str]:
    """Enrol the sites, let them give signs of life, make accounts; return the secrets of their sessions."""
    since = datetime.date(2026, 3, 1)
    codes = sorted({search.site_of(number) for number in range(0, search.SITES * 250, 250)})
    keys = {code: Identity(new_seed(secrets.token_bytes(32))).public_key for code in codes}
    for code in codes:
        keyring.expect(connection, parse_site(code), f"{code[6:9]} 镇 {code[9:]} 村档案室", since)
    connection.execute(insert(enrolled_node), [_node(code, keys[code], now_ms) for code in codes])
    record_beats(connection, [_beat(code, keys[code]) for code in codes], now_ms)
    connection.execute(insert(watermark), [_mark(code, keys[code], now_ms) for code in codes])
    begun = []
    for number in range(people):
        made = accounts.add(connection, f"person.{number}", f"人员{number}", (Role.ARCHIVIST, Role.REVIEWER), now_ms)
        begun.append(sessions.begin(connection, made.id, Stage.FULL, "127.0.0.1", "bench", now_ms))
    return begun


def _node(code: str, key: str, now_ms: int) -> dict[str, object]:
    return {"public_key": key, "site": code, "name": "", "software": "1.0.0", "enrolled_at_ms": now_ms - 86_400_000}


def _beat(code: str, key: str) -> Beat:
    return Beat(
        site=code,
        node=key,
        epoch="e1",
        seq=4_000,
        records=4_000,
        rejected=3,
        warned=2,
        files=4,
        brakes_held=0,
        outbox_frames=0,
        disk_free_bytes=83 * 1024**3,
        software="1.0.0",
    )


def _mark(code: str, key: str, now_ms: int) -> dict[str, object]:
    values = {"site": code, "epoch": "e1", "position": 4_000, "chain": "", "node": key, "want": Want.NOTHING.value}
    return values | {"moved_at_ms": now_ms}


async def filled(folder: Path, count: int, store: Path | None) -> None:
    """Write the catalogue of a hub's home, or take one that was written before."""
    home = home_at(folder / "hub")
    if store is not None and store.exists():
        await asyncio.to_thread(shutil.copyfile, store, home.database)
        return
    async with search.filled(count, home.database):
        pass
    if store is not None:
        await asyncio.to_thread(shutil.copyfile, home.database, store)


@asynccontextmanager
async def working(
    folder: Path, count: int, people: int, store: Path | None
) -> AsyncIterator[tuple[County, list[Person]]]:
    """Run the hub over the catalogue, with people who are signed in."""
    home, port = home_at(folder / "hub"), free_port()
    ports = ("--port", str(free_port()), "--enrol-port", str(free_port()), "--web-port", str(port))
    await finished(
        *(sys.executable, "-m", "hub", "init", "--home", str(home.root), "--county", COUNTY, "--name", "测试县档案馆"),
        *("--host", "127.0.0.1", "--listen", "127.0.0.1", *ports),
        log=folder / "init.log",
    )
    text = home.settings.read_text(encoding="utf-8")
    # People come from addresses of their own, as they do in a county, so that no throttle takes them for one.
    home.settings.write_text(text.replace("[web]", '[web]\ntrusted-proxies = ["127.0.0.1"]'), encoding="utf-8")
    await filled(folder, count, store)
    async with opened(home.database, MIGRATIONS) as database:
        begun = await database.write(partial(prepared, people=people, now_ms=clock_ms()))
    url = f"http://127.0.0.1:{port}"
    async with county(folder) as made:
        here = msgspec.structs.replace(made, door=_door(text))
        some = [await _person(url, number, secret) for number, secret in enumerate(begun)]
        try:
            yield here, some
        finally:
            for one in some:
                await one.client.aclose()


def _door(settings: str) -> str:
    table = settings[settings.index("[enrolment]") :]
    found = re.search(r"port = (\d+)", table)
    return f"127.0.0.1:{found[1] if found else 0}"


async def _person(url: str, number: int, secret: str) -> Person:
    client = httpx.AsyncClient(
        base_url=url,
        headers={"x-forwarded-for": f"10.20.{number // 250}.{number % 250 + 1}", "accept-language": "zh"},
        cookies={SESSION_COOKIE: secret},
        timeout=ASK_S,
        trust_env=False,
    )
    shown = (await client.get("/account")).text
    found = re.search(r'name="token" value="([0-9a-f]+)"', shown)
    if found is None:
        raise RuntimeError(f"nobody is signed in: {shown[:400]}")
    return Person(number=number, client=client, token=found[1])


# What people do


PATHS = {
    "today": "/today",
    "sites": "/sites",
    "site": f"/sites/{search.site_of(0)}",
    "catalogue": "/catalogue",
    "decisions": "/decisions",
    "duplicates": "/decisions/duplicates",
    "conflicts": "/decisions/conflicts",
    "quarantine": "/decisions/quarantine",
    "transfers": "/transfers",
    "plan": "/plan",
    "keeping": "/keeping",
    "requests": "/window",
}
PAGES = (*PATHS, "entry", "search")


async def way(one: Person, name: str, count: int, draw: random.Random) -> str:
    """Return where a page lies this time."""
    if name == "search":
        return await asked(one, draw.choice(WORDS))
    if name == "entry":
        site, found = search.entry(draw.randint(1, count))
        return f"/catalogue/{site}/{found.record_id}"
    return PATHS[name]


async def asked(one: Person, words: str) -> str:
    """Type words; return where they are answered."""
    answer = await one.client.post("/catalogue", data={"token": one.token, "words": words})
    return str(answer.headers.get("location", "/nowhere"))


async def looked(one: Person, path: str, times: list[float], failures: list[str]) -> str:
    """Look at a page and note what it took."""
    began = time.perf_counter()
    try:
        answer = await one.client.get(path)
    except httpx.HTTPError as error:
        failures.append(f"{path}: {error!r}")
        return ""
    times.append((time.perf_counter() - began) * 1000)
    if answer.status_code != 200:
        failures.append(f"{path}: {answer.status_code}")
    return answer.text


async def _works(one: Person, count: int, end: float, found: Figures) -> None:
    draw = random.Random(one.number)
    # A search and its next page are what people do most.
    wanted = [*PAGES, "search", "search", "entry", "today"]
    turns = itertools.cycle(draw.sample(wanted, len(wanted)))
    while time.monotonic() < end:
        await asyncio.sleep(draw.random() * 2 * THINKING_S)
        name = next(turns)
        path = await way(one, name, count, draw)
        shown = await looked(one, path, found.loaded[name], found.failures)
        following = re.search(r'rel="next" href="([^"]*)"', shown) if name == "search" else None
        if following is not None:
            await looked(one, following[1].replace("&amp;", "&"), found.loaded["next page"], found.failures)


async def _counted(here: County) -> None:
    """Wait until the hub has counted what every site holds, which it does once after it was set up."""
    with closing(sqlite3.connect(f"file:{here.home.database}?mode=ro", uri=True)) as connection:
        async with asyncio.timeout(COUNTED_S):
            while connection.execute("SELECT count(*) FROM site_year_mark").fetchone()[0] < search.SITES:
                await asyncio.sleep(0.5)


async def _alone(here: County, one: Person, count: int, found: Figures) -> None:
    draw = random.Random(7)
    for name in PAGES:
        before_s = here.hub.cpu_s()
        for turn in range(ALONE + 1):
            path = await way(one, name, count, draw)
            await looked(one, path, found.alone[name] if turn else [], found.failures)
        found.alone_cpu[name] = 1000 * (here.hub.cpu_s() - before_s) / (ALONE + 1)


# The live feed


async def _watched(here: County, one: Person, site: str, end: float, feed: list[float]) -> None:
    """Note how long after a change of the store an open page of its site tells it."""
    moved: list[tuple[float, int]] = []
    shown: list[tuple[float, int]] = []

    async def watch() -> None:
        with closing(sqlite3.connect(f"file:{here.home.database}?mode=ro", uri=True)) as connection:
            while time.monotonic() < end:
                row = connection.execute("SELECT position FROM watermark WHERE site = ?", (site,)).fetchone()
                if row and (not moved or moved[-1][1] != row[0]):
                    moved.append((time.monotonic(), int(row[0])))
                await asyncio.sleep(WATCH_S)

    async def hear() -> None:
        pattern = re.compile(rf"<dt>{CHINESE.sites.position}</dt><dd>([\d,]+)</dd>")
        async with one.client.stream("GET", f"/stream/site/{site}", timeout=None) as answer:
            async for line in answer.aiter_lines():
                told = line.startswith("data:") and pattern.search("".join(json.loads(line[5:]).values()))
                if told:
                    shown.append((time.monotonic(), int(told[1].replace(",", ""))))
                if time.monotonic() > end + LATE_S:
                    return

    hearing = asyncio.create_task(hear())
    await watch()
    await asyncio.sleep(LATE_S)
    hearing.cancel()
    await asyncio.gather(hearing, return_exceptions=True)
    for at, position in moved[1:]:
        later = [heard for heard, told in shown if told >= position and heard >= at]
        if later:
            feed.append((later[0] - at) * 1000)


async def _arrived(here: County, home_site: Site, arriving: int, sheet_rows: int, end: float) -> None:
    (home,) = await enrolled(here, [home_site])
    settling(home, 0.2)
    async with node(home):
        for number, first in enumerate(range(0, arriving, sheet_rows)):
            if time.monotonic() >= end:
                break
            sheet = here.folder / f"arriving-{number}.csv"
            some = rows(min(sheet_rows, arriving - first), fonds=f"Y{number:03d}", seed=100 + number)
            with sheet.open("w", encoding="utf-8-sig", newline="") as file:
                csv.writer(file).writerows([HEADINGS, *some])
            await drop(sheet, home)
            await asyncio.sleep(SHEETS_EVERY_S)
        while time.monotonic() < end:
            await asyncio.sleep(0.2)


async def measured(
    folder: Path, *, count: int, people: int, arriving: int, sheet_rows: int, seconds: float, store: Path | None
) -> Figures:
    """Fill a hub, look at its pages alone, then load it."""
    found = Figures(
        alone=defaultdict(list),
        loaded=defaultdict(list),
        feed=[],
        arrived=0,
        hub_mb=0.0,
        failures=[],
        others_cores=0.0,
        alone_cpu={},
    )
    async with working(folder, count, people + 1, store) as (here, some):
        watcher, *workers = some
        await _counted(here)
        await _alone(here, watcher, count, found)
        site = parse_site(PUBLISHER)
        load, spent_s, end = Load(), here.hub.cpu_s(), time.monotonic() + seconds
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(_arrived(here, site, arriving, sheet_rows, end))
            tasks.create_task(_watched(here, watcher, site.code, end, found.feed))
            for one in workers:
                tasks.create_task(_works(one, count, end, found))
        found.others_cores = load.busy_cores()
        pages = sum(map(len, found.loaded.values()))
        found.hub_cpu_ms = 1000 * (here.hub.cpu_s() - spent_s) / max(1, pages)
        found.arrived = here.watermark(site.code)
        found.hub_mb = peak_rss_mb(here.hub.pid)
    return found


def told(found: Figures) -> str:
    """Return the table."""
    lines = [f"{'ms':14}{'alone p50':>10}{'alone max':>10}{'cpu':>7}{'n':>7}{'p50':>9}{'p95':>9}{'max':>9}"]
    for name in [*found.alone, "next page"]:
        alone, loaded = found.alone.get(name, []), found.loaded.get(name, [])
        lines.append(
            f"{name:14}"
            + _cells(alone, (50, 100))
            + f"{found.alone_cpu.get(name, 0):7.1f}{len(loaded):7}"
            + _cells(loaded, (50, 95, 100))
        )
    every = [one for some in found.loaded.values() for one in some]
    lines.append(f"{'all pages':14}{'':27}{len(every):7}" + _cells(every, (50, 95, 100)) + f"   ({PAGE})")
    lines.append(f"{'live feed':14}{'':27}{len(found.feed):7}" + _cells(found.feed, (50, 95, 100)) + "   (p95 ≤ 2,000)")
    lines.append(f"hub: peak {found.hub_mb:,.0f} MB (≤ 1,024); {found.arrived:,} rows arrived meanwhile")
    lines.append(f"{found.hub_cpu_ms:.0f} ms of the hub's processor time a page, what arrived included")
    lines.append(f"{found.others_cores:.1f} cores were busy, everything here and elsewhere together")
    lines += [f"failed: {one}" for one in found.failures[:10]]
    return "\n".join(lines)


def _cells(times: Sequence[float], points: Sequence[int]) -> str:
    return "".join(f"{percentile(times, at):9.1f} " if times else f"{'—':>9} " for at in points)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=200_000, help="entries before it begins")
    parser.add_argument("--people", type=int, default=50, help="people who click, each every two seconds")
    parser.add_argument("--arriving", type=int, default=250_000, help="rows that arrive meanwhile at most")
    parser.add_argument("--sheet-rows", type=int, default=SHEET_ROWS, help="rows of one sheet; one every three seconds")
    parser.add_argument("--seconds", type=float, default=60.0, help="how long")
    parser.add_argument("--store", type=Path, help="a store made by an earlier run, or where to leave this one's")
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        found = asyncio.run(
            measured(
                Path(folder),
                count=args.rows,
                people=args.people,
                arriving=args.arriving,
                sheet_rows=args.sheet_rows,
                seconds=args.seconds,
                store=args.store,
            )
        )
    print(msgspec.json.encode(found).decode() if args.json else told(found))


if __name__ == "__main__":
    main()
