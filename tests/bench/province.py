"""What a province's sizing rests on: one worker's pace on PostgreSQL, bytes of an entry, queries, beats, connections.

``python -m tests.bench.province --rows 100000 --connections 5000``. The server keeps every promise here (``fsync`` on).
"""

import argparse
import asyncio
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import msgspec

from hub.application import Application
from hub.searching.search import Query, search
from hub.sites import board
from hub.storage import postgres
from protocol import subjects
from protocol.beats import Beat
from protocol.codec import encode_event, encode_record
from protocol.events import Described
from protocol.frames import frame_digest
from protocol.limits import FRAME_EVENTS_MAX, HEARTBEAT_S
from protocol.sites import Site, parse_site
from replication.connection import LinkSettings, connected
from replication.consumer import FETCH_FRAMES
from replication.database import Database
from replication.inbox import Inbox, Taken
from replication.outbox import FrameWriter, Position
from replication.parts import plan_of, reader_of
from replication.pulling import PullSource
from replication.streams import EVENTS
from replication.wall_clock import clock_ms
from tests.bench.figures import percentile
from tests.bench.rows import record, row
from tests.builders import identity
from tests.postgres_server import PostgresServer, programs
from tests.servers import NatsServer
from tests.stores import MIGRATIONS

QUERIES = ("王", "张建国", "林地承包", "宅基地 批复", "关于")
ROUNDS = 20
PROVINCE_NODES = 20_000


def say(what: str, figure: str) -> None:
    """Print one figure."""
    sys.stdout.write(f"{what:<58} {figure}\n")
    sys.stdout.flush()


def sealed_frames(site: Site, count: int, fonds: str) -> Iterator[bytes]:
    """A site's records as it would publish them."""
    writer, at = FrameWriter(site.code, identity(1)), Position(epoch="e1", seq=0, chain="", retires=())
    for start in range(0, count, FRAME_EVENTS_MAX):
        last = min(start + FRAME_EVENTS_MAX, count)
        events = [
            encode_event(
                Described(
                    seq=number,
                    previous=number - 1,
                    at_ms=0,
                    record=msgspec.Raw(encode_record(record(row(number, fonds=fonds), site.code))),
                )
            )
            for number in range(start + 1, last + 1)
        ]
        sealed = writer.frame(at, last, events)
        yield sealed
        at = Position(epoch="e1", seq=last, chain=frame_digest(sealed), retires=())


async def apply_all(database: Database, sites: int, count: int, first: int) -> None:
    """Apply the records of some sites as one worker does, and say how long reading and writing took."""
    inbox = Inbox(database, Application(clock_ms), lambda _: {identity(1).public_key}, clock_ms)
    read_s = write_s = cpu_s = 0.0
    sealed_bytes = 0
    for number in range(first, first + sites):
        site = parse_site(f"330523{number // 200 + 100:03}{number % 200 + 200:03}")
        frames = list(sealed_frames(site, count, f"X{number:03}"))
        sealed_bytes += sum(map(len, frames))
        for start in range(0, len(frames), FETCH_FRAMES):
            cpu, began = time.process_time(), time.perf_counter()
            ready = inbox.read([(site, frame) for frame in frames[start : start + FETCH_FRAMES]])
            between = time.perf_counter()
            taken: Taken = await inbox.take(ready)
            write_s += time.perf_counter() - between
            read_s += between - began
            cpu_s += time.process_time() - cpu
            assert taken.applied_events, taken
    rows = sites * count
    say(
        f"one worker, {rows:,} entries",
        f"{rows / (read_s + write_s):,.0f}/s one after the other; reading {read_s / rows * 1e6:.0f} us,"
        f" writing {write_s / rows * 1e6:.0f} us an entry; processor of the worker {cpu_s / rows * 1e6:.0f} us;"
        f" {sealed_bytes / rows:.0f} bytes in the stream",
    )


async def tell_sizes(database: Database) -> int:
    """Say how many bytes each table and index has an entry."""
    ((entries,),) = await database.fetch("SELECT count(*) FROM entry")
    found = await database.fetch(
        "SELECT c.relname, c.relkind,"
        " pg_relation_size(c.oid) + coalesce(pg_relation_size(nullif(c.reltoastrelid, 0)), 0)"
        " FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
        " WHERE n.nspname = 'public' AND c.relkind IN ('r', 'i') ORDER BY 3 DESC"
    )
    total = sum(int(str(size)) for _, _, size in found)
    count = int(str(entries))
    largest = ", ".join(f"{name} {int(str(size)) / count:.0f}" for name, _, size in found[:7])
    say(f"bytes an entry at {count:,}", f"{total / count:.0f} ({largest})")
    return count


async def ask(database: Database, count: int) -> None:
    """Say how long queries take."""
    for words in QUERIES:
        took_ms, hits = [], 0
        for _ in range(ROUNDS):
            began = time.perf_counter()
            page = await database.read(lambda found, words=words: search(found, Query(words=words)))  # type: ignore[misc]
            took_ms.append((time.perf_counter() - began) * 1000)
            hits = page.total
        say(
            f"query {words} at {count:,}",
            f"p50 {percentile(took_ms, 50):.1f} ms, p95 {percentile(took_ms, 95):.1f} ms, {hits} hits",
        )


async def beat(database: Database) -> None:
    """Say what the signs of life of a province cost the store."""
    a_second = int(PROVINCE_NODES / HEARTBEAT_S)
    took_s = []
    for turn in range(PROVINCE_NODES // a_second):
        beats = [
            Beat(site=f"33052{n % 10}{n // 100 % 900 + 100:03}{n % 100 + 200:03}", node="U", epoch="e1", seq=turn)
            for n in range(turn * a_second, (turn + 1) * a_second)
        ]
        began = time.perf_counter()
        await database.write(lambda found, beats=beats: board.record_beats(found, beats, clock_ms()))  # type: ignore[misc]
        took_s.append(time.perf_counter() - began)
    say(
        f"{a_second} signs of life, a second of {PROVINCE_NODES:,} nodes",
        f"{percentile(took_s, 50) * 1000:.0f} ms of the one writer",
    )
    began = time.perf_counter()
    facts = await database.read(lambda found: board.gathered(found, with_counts=False))
    say(f"a look at {len(facts):,} sites", f"{(time.perf_counter() - began) * 1000:.0f} ms, every 15 s")


def resident_kib(pid: int) -> int:
    """Return the memory of a process."""
    status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    return int(status.split("VmRSS:")[1].split()[0])


def processor_s(pid: int) -> float:
    """Return the processor time of a process."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


async def crowd(server: NatsServer, connections: int) -> None:
    """Say what idle connections with a node's five subscriptions cost a broker, and what their beats do."""
    before = resident_kib(server.pid)
    writers = []
    for number in range(connections):
        # Further than the ports of one address reach, should so many be asked for.
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port, limit=2**16)
        await reader.readline()
        site = f"330523.{number // 200 + 100:03}.{number % 200 + 200:03}._"
        names = ("dl.ask.all.*", f"dl.ask.{site}.*", f"dl.rcpt.{site}", f"dl.held.{site}", f"_INBOX_{number}.>")
        subs = "".join(f"SUB {name} {sid}\r\n" for sid, name in enumerate(names, 1))
        writer.write(f'CONNECT {{"verbose":false}}\r\n{subs}'.encode())
        writers.append((writer, site))
    await asyncio.sleep(2)
    after = resident_kib(server.pid)
    say(f"{connections:,} connections without TLS", f"{(after - before) / connections:.1f} KiB of the broker each")
    payload = b"x" * 600
    spent, began = processor_s(server.pid), time.perf_counter()
    for writer, site in writers:
        writer.write(b"PUB dl.beat.%s %d\r\n%s\r\n" % (site.encode(), len(payload), payload))
        await writer.drain()
    await asyncio.sleep(1)
    say(
        f"{connections:,} signs of life",
        f"{(processor_s(server.pid) - spent) / connections * 1e6:.0f} us of the broker each,"
        f" sent in {time.perf_counter() - began - 1:.1f} s",
    )
    for writer, _ in writers:
        writer.close()


async def filters(server: NatsServer, frames: int) -> None:
    """Say what a part's filter costs a reader."""
    settings = LinkSettings(urls=(server.url,), name="bench", inbox_prefix="_INBOX_bench")
    async with connected(settings) as link:
        await link.until_connected()
        plan = msgspec.structs.replace(EVENTS, bytes_max=2 * 1024**3)
        source: PullSource = link.pull(plan, "hub")
        await source.fetch(1, 0.1)
        sites = [parse_site(f"330523{town:03}201") for town in range(100, 164)]
        for number in range(frames):
            await link.publish_durable(subjects.events(sites[number % 64]), b"x" * 20_000, f"m{number}", 20.0)
        for what, reader, chosen, expected in (
            ("all", "all", plan, frames),
            ("one of 16 parts", reader_of(4, 16), plan_of(4, 16, plan), frames // 16),
        ):
            took_s = await _pulled(link.pull(chosen, reader), expected)
            say(f"pulling {what}, {len(chosen.heard) or 1} filters", f"{expected / took_s:,.0f} frames/s")


async def _pulled(source: PullSource, expected: int) -> float:
    began, got = time.perf_counter(), 0
    while got < expected:
        found = await source.fetch(FETCH_FRAMES)
        got += len(found)
        for one in found:
            await one.ack()
    return time.perf_counter() - began


async def run(rows: int, connections: int) -> None:
    """Measure everything in folders of its own."""
    found = programs()
    if found is None:
        message = "no PostgreSQL 15 or newer is installed"
        raise SystemExit(message)
    server = PostgresServer(found)
    try:
        server.make()
        server.start()
        server.execute("ALTER SYSTEM SET fsync = on")
        server.execute("ALTER SYSTEM SET autovacuum = on")
        server.execute("SELECT pg_reload_conf()")
        with tempfile.TemporaryDirectory() as folder:
            url = server.url(server.database())
            async with postgres.opened(url, Path(folder), MIGRATIONS) as database:
                sites = 10
                for turn in range(1, 4):
                    # Three sizes, each twice the one before.
                    share = rows // 4 if turn < 3 else rows // 2
                    await apply_all(database, sites, share // sites, turn * sites)
                    count = await tell_sizes(database)
                    server.execute("VACUUM ANALYZE", database=url.split("/")[3].split("?")[0])
                    await ask(database, count)
                await beat(database)
            broker = NatsServer(Path(folder) / "broker", config="max_connections: 60000")
            await broker.start()
            try:
                await filters(broker, 4_000)
                await crowd(broker, connections)
            finally:
                await broker.stop()
    finally:
        server.remove()


def main() -> None:
    """Read the command line and measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=100_000, help="entries at the largest size")
    parser.add_argument("--connections", type=int, default=5_000, help="idle connections to one broker")
    args = parser.parse_args()
    asyncio.run(run(args.rows, args.connections))


if __name__ == "__main__":
    main()
