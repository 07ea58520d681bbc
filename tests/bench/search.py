"""Searching the unified catalogue: the first page with its total and facets, by class of query, as the hub does.

    python -m tests.bench.search --rows 1000000 [--rounds 5] [--file FILE | --url URL]

The catalogue is made once and kept if ``--file`` names it; a file that is there already is searched as it is. ``--url``
names a PostgreSQL database in its stead, which is filled if it is empty. Times are
those of the call in a reading connection of ``replication.database``, its thread hop included, and the garbage
collector is set as a daemon sets it. Not part of ``make bench`` by itself: a million rows take two minutes to write.
"""

import argparse
import asyncio
import datetime
import json
import random
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from functools import partial
from itertools import islice
from pathlib import Path

import msgspec
import psycopg
from sqlalchemy import Connection

from hub.catalogue import DESCRIBED_COLUMNS, docid_of
from hub.preparation import entry_rows
from hub.searching.search import Page, Query, search
from hub.searching.time_budgets import SEARCH_BUDGET_S
from hub.storage import postgres
from hub.storage.reindexing import INDEX_VERSION
from hub.storage.text_index import PRESENT, index_of
from protocol.codec import encode_record
from protocol.index_rows import year_of
from protocol.records import Record
from protocol.vocabularies import AccessStatus
from replication.database import Database, opened
from replication.dialects import insert_rows
from replication.digests import bucket_of, record_digest
from replication.lifetime import spare_the_collector
from tests.bench.figures import Figure, Scale, percentile
from tests.bench.rows import record, row
from tests.hubs import MIGRATIONS

BATCH = 5_000
"""Rows of one transaction."""

SITES = 232
KINDS = ("marriage", "forest_rights", "land_contract", "settlement", "", "", "", "", "", "")
CACHE_KIB = 64 * 1024
"""Page cache of the reading connection, as a hub gives its readers."""

TELL_EVERY_ROWS = 100_000
BUSY_BUDGET_S = 60.0
"""Seconds by the clock that a search may take whose processor time is measured."""


def site_of(number: int) -> str:
    """The site of a row: villages of one town follow each other."""
    place = number // 250 % SITES
    return f"3305231{place // 16 + 1:02d}{200 + place % 16:03d}"


def entry(number: int) -> tuple[str, Record]:
    """One entry of the catalogue, the same for the same number."""
    site = site_of(number)
    plain = record(row(number, fonds=f"X{number // 250 % SITES % 120:03d}"), site)
    statuses = tuple(AccessStatus)
    return site, msgspec.structs.replace(
        plain, livelihood_kind=KINDS[number % len(KINDS)], access_status=statuses[number % 7 % len(statuses)]
    )


def _columns(number: int, site: str, one: Record) -> dict[str, object]:
    body = encode_record(one)
    values = {
        "docid": docid_of(year_of(one), number),
        "site": site,
        "epoch": 1,
        "record_id": one.record_id.bytes,
        "seq": number,
        "at_ms": number,
        "digest": record_digest(body),
        "bucket": bucket_of(one.record_id),
        "level": str(one.level),
        "secrecy": str(one.secrecy),
        "access_status": str(one.access_status),
        "livelihood_kind": one.livelihood_kind,
        "fonds_no": one.fonds_no,
        "ref_code": one.ref_code,
        "date_earliest": str(one.date_earliest),
        "date_latest": str(one.date_latest),
        "body": body,
        "parent_id": None,
    }
    return {name: values[name] for name in DESCRIBED_COLUMNS}


def _write(connection: Connection, numbers: Sequence[int]) -> None:
    made = [(number, *entry(number)) for number in numbers]
    rows = [_columns(number, site, one) for number, site, one in made]
    by_site: dict[str, list[int]] = {}
    for place, (_, site, _) in enumerate(made):
        by_site.setdefault(site, []).append(place)
    indexed = {
        place: terms
        for site, places in by_site.items()
        for place, terms in zip(places, entry_rows(site, [made[place][2] for place in places]), strict=True)
    }
    new = sorted((int(str(rows[place]["docid"])), terms) for place, terms in indexed.items())
    insert_rows(connection, "entry", DESCRIBED_COLUMNS, sorted(tuple(one.values()) for one in rows))
    index_of(connection).write(connection, PRESENT, (), new)


def _begin(connection: Connection, rows: int) -> None:
    index_of(connection).clear(connection)
    connection.exec_driver_sql(
        "UPDATE catalogue_state SET next_serial = ?, index_version = ?", (rows + 1, INDEX_VERSION)
    )
    sites = sorted({site_of(number) for number in range(0, SITES * 250, 250)})
    connection.exec_driver_sql("INSERT INTO site_epoch VALUES (?, 'e1', 1)", [(site,) for site in sites])


async def fill(database: Database, rows: int) -> None:
    """Write a catalogue of so many entries."""
    await database.write(partial(_begin, rows=rows))
    began = time.monotonic()
    for first in range(1, rows + 1, BATCH):
        await database.write(partial(_write, numbers=range(first, min(first + BATCH, rows + 1))))
        if first // TELL_EVERY_ROWS != (first + BATCH) // TELL_EVERY_ROWS:
            sys.stderr.write(f"{first + BATCH - 1:,} of {rows:,} rows, {time.monotonic() - began:.0f} s\n")


def _is_empty(connection: Connection) -> bool:
    return connection.exec_driver_sql("SELECT 1 FROM entry LIMIT 1").first() is None


@asynccontextmanager
async def filled(rows: int, file: Path, url: str = "") -> AsyncIterator[Database]:
    """Open the catalogue, made first unless it is there, its index in order, as a quiet hub keeps it."""
    opening = (
        postgres.opened(url, file.parent, MIGRATIONS) if url else opened(file, MIGRATIONS, reader_cache_kib=CACHE_KIB)
    )
    async with opening as database:
        if await database.read(_is_empty):
            await fill(database, rows)
            if url:
                # Housekeeping that a server does by itself, some minutes later.
                with psycopg.connect(url, autocommit=True) as connection:
                    connection.execute("VACUUM ANALYZE")
            else:
                await database.write(
                    lambda connection: connection.exec_driver_sql("INSERT INTO search (search) VALUES ('optimize')")
                )
        yield database


def queries(rows: int, each: int) -> dict[str, list[Query]]:
    """Some queries of every class, made from rows that are there."""
    draw = random.Random(5)

    def titles() -> Iterator[tuple[str, Record]]:
        while True:
            number = draw.randint(1, rows)
            _, one = entry(number)
            yield one.title, one

    some = list(islice(titles(), each))
    # 关于 村 村民 name topic act 事项的 kind（第N号）
    persons = [title[title.index("村民") + 2 :] for title, _ in some]
    topics = [
        "林地承包",
        "宅基审批",
        "婚姻登记",
        "饮水工程",
        "退耕还林",
        "移民安置",
        "水库后扶",
        "换届选举",
        "茶园改造",
        "信访事项",
    ]
    acts = ["签订", "审批", "变更", "调整", "申请", "核实", "处理", "登记", "公示", "续签"]
    kinds = ["通知", "批复", "请示", "报告", "决定", "意见", "合同书", "协议书", "证明", "公告"]
    surnames, given = "王李张刘陈杨黄赵吴周", "伟芳娜敏静丽强磊军洋"
    triples = list(islice(zip(topics, acts, kinds, strict=True), each))

    def words(texts: Sequence[str], **more: object) -> list[Query]:
        return [Query(words=text, with_facets=True, **more) for text in texts[:each]]  # type: ignore[arg-type]

    return {
        "two-character name": words([a + b for a, b in zip(surnames, given, strict=True)]),
        "four-character term": words(topics),
        "long title fragment": words([title[2 : title.index("（")] for title, _ in some]),
        "long common fragment": words([f"{topic}{act}事项的{kind}" for topic, act, kind in triples]),
        "very common word": words(["关于", "村民", "事项", "村民委员会", "关于 村民"]),
        "two common words": words([f"{topic} {act}" for topic, act, _ in triples]),
        "common word, rare filter": [
            Query(words="村民", site_glob=site_of(number), livelihood_kind="marriage", with_facets=True)
            for number in range(0, 250 * each, 250)
        ],
        "common word in a town": [
            Query(words="村民", site_glob=f"{site_of(number)[:9]}*", with_facets=True)
            for number in range(0, 4_000 * each, 4_000)
        ],
        "word and year": words([f"{topic} {one.filing_year}" for topic, (_, one) in zip(topics, some, strict=True)]),
        "word in some years": [
            Query(
                words=topic, date_from=datetime.date(1980, 1, 1), date_to=datetime.date(1985, 12, 31), with_facets=True
            )
            for topic in topics
        ],
        "word in a month": words(
            [f"{topic} 日期:{one.filing_year}年3月" for topic, (_, one) in zip(topics, some, strict=True)]
        ),
        "reference code": words([one.ref_code for _, one in some]),
        "document number": words([one.doc_no for _, one in some]),
        "exclusion": words([f"{topic} -{kind}" for topic, _, kind in triples]),
        "phrase": words([f"“{person[:6]}”" for person in persons]),
        "no hit": words([f"{topic}火星殖民" for topic in topics]),
    }


def _asked(connection: Connection, query: Query, budget_s: float) -> tuple[Page, float]:
    """Ask; return the answer and the seconds of processor time that it took."""
    began = time.thread_time()
    return search(connection, query, budget_s=budget_s), time.thread_time() - began


async def timed(
    database: Database, classes: dict[str, list[Query]], rounds: int, *, is_processor_time: bool = False
) -> dict[str, list[float]]:
    """Ask every query some times; return the milliseconds of each class."""
    taken: dict[str, list[float]] = {name: [] for name in classes}
    # Where others have the processors most of the time, the clock would cut what costs little.
    budget_s = BUSY_BUDGET_S if is_processor_time else SEARCH_BUDGET_S
    for round_no in range(rounds + 1):
        for name, some in classes.items():
            for query in some:
                began = time.perf_counter()
                page, processor_s = await database.read(partial(_asked, query=query, budget_s=budget_s))
                if round_no:
                    passed_s = processor_s if is_processor_time else time.perf_counter() - began
                    taken[name].append(passed_s * 1000)
                elif page.was_cut:
                    sys.stderr.write(f"cut: {name}: {query.words}\n")
    return taken


async def measured(
    rows: int, rounds: int, file: Path, each: int = 10, *, url: str = "", is_processor_time: bool = False
) -> dict[str, list[float]]:
    """Make the catalogue unless it is there, and search it."""
    async with filled(rows, file, url) as database:
        spare_the_collector()
        return await timed(database, queries(rows, each), rounds, is_processor_time=is_processor_time)


async def measure(scale: Scale, folder: Path) -> list[Figure]:
    """Measure at the scale of a run of all benchmarks."""
    rows = scale.rows * 4
    taken = await measured(rows, scale.rounds, folder / "hub.db")
    return [
        Figure(
            bench="search",
            what=f"{name}, {rows:,} entries, p{percent}",
            unit="ms",
            ours=percentile(times, percent),
            target="p50 ≤ 10, p99 ≤ 50 at 1 M",
        )
        for name, times in (*taken.items(), ("all classes", [one for some in taken.values() for one in some]))
        for percent in (50, 99)
    ]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--file", type=Path)
    parser.add_argument("--url", default="", help="of a PostgreSQL database, postgresql://...")
    parser.add_argument("--processor", action="store_true", help="processor time of the search, for a busy machine")
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        file = arguments.file or Path(folder) / "hub.db"
        taken = asyncio.run(
            measured(arguments.rows, arguments.rounds, file, url=arguments.url, is_processor_time=arguments.processor)
        )
    taken["all classes"] = [one for some in taken.values() for one in some]
    points = {name: {f"p{at}": round(percentile(ms, at), 2) for at in (0, 50, 95, 99)} for name, ms in taken.items()}
    if arguments.json:
        print(json.dumps(points, ensure_ascii=False))
        return
    print(f"{'ms':28}{'min':>9}{'p50':>9}{'p95':>9}{'p99':>9}")
    for name, at in points.items():
        print(f"{name:28}" + "".join(f"{value:9.2f}" for value in at.values()))


if __name__ == "__main__":
    main()
