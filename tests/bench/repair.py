"""What finding and healing one wrong row costs in a large catalogue: ``python -m tests.bench.repair --rows 5000000``.

A site's store and a hub's catalogue are filled alike behind their programs' backs; then one row is changed at the hub,
and the real parts find it, have it told again, apply it and prove that both ends are equal. The network is a bus in
memory that counts bytes. Also told: what a digest of everything costs, and what keeping its index costs at each apply.
"""

import argparse
import asyncio
import random
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from functools import cache, partial
from pathlib import Path

import msgspec
from sqlalchemy import Connection

from hub.application import Application
from hub.catalogue import fonds_tallies
from hub.preparation import entry_row
from hub.repair.verification import Depth, Scope, verify
from hub.storage.reindexing import INDEX_VERSION, write_index
from hub.storage.text_index import index_of
from node.revisions import record_ids
from protocol.codec import decode_record, encode_record
from replication.acceptance import AcceptedFrame, whole
from replication.database import Database, opened
from replication.digests import record_digest
from tests.catalogue import accepted, described, fictitious, record_id
from tests.hubs import MIGRATIONS
from tests.linked_site import CODE, SITE, LinkedSite, linked_site

FONDS = 20
"""Fonds that the rows are spread over, unless the command says otherwise."""

FILL_ROWS = 20_000
"""Rows written in one transaction while the stores are filled."""

APPLY_FRAMES, APPLY_BATCH, FRAME_EVENTS = 64, 8, 500
"""Frames of the measurement of upkeep, and how many of them make a batch: 32,000 new records, and as many changes."""

UPKEEP_ATTEMPTS = 8
"""Measurements with and without the index, each in new databases; the least of each batch counts."""

INDEXED_ROWS = 20_000
"""Rows whose words are indexed, the planted one among them."""

_TEMPLATE = encode_record(fictitious(1))
_MARK = str(record_id(1)).encode()

Row = tuple[bytes, bytes, int, str]


def rows(count: int, fonds: int) -> Iterator[Row]:
    """Yield (record id, body, digest, fonds) of fictitious records; alike but for their ids and fonds."""
    for number in range(count):
        raw = record_digest(number.to_bytes(8, "big")).to_bytes(8, "big", signed=True)
        whole = number.to_bytes(8, "big") + raw
        name = whole.hex()
        told = f"{name[:8]}-{name[8:12]}-{name[12:16]}-{name[16:20]}-{name[20:]}".encode()
        fonds_no = f"J{number % fonds:03d}"
        body = _TEMPLATE.replace(_MARK, told).replace(b'"J001"', f'"{fonds_no}"'.encode())
        yield whole, body, record_digest(body), fonds_no


def batches(count: int, fonds: int) -> Iterator[tuple[int, list[Row]]]:
    """Yield the rows in batches, each with the number of its first row."""
    batch: list[Row] = []
    for number, row in enumerate(rows(count, fonds), 1):
        batch.append(row)
        if len(batch) == FILL_ROWS or number == count:
            yield number - len(batch) + 1, batch
            batch = []


_AT_SITE = (
    "INSERT INTO record VALUES (?, ?, 1, 's', ?, x'64', '', 'item', ?, ?, 'listed', '', NULL, NULL, '', 'open', '',"
    " x'', ?, ?, ?, ?)"
)
_AT_HUB = (
    "INSERT INTO entry (docid, record_id, site, epoch, seq, at_ms, digest, bucket, level, secrecy, access_status,"
    " livelihood_kind, fonds_no, ref_code, body) VALUES (?, ?, ?, 1, ?, 1, ?, ?, 'item', 'none', 'unreviewed', '', ?,"
    " '', ?)"
)


def _insert(connection: Connection, sql: str, values: Sequence[tuple[object, ...]]) -> None:
    connection.exec_driver_sql(sql, list(values))


async def fill(linked: LinkedSite, count: int, fonds: int = FONDS) -> None:
    """Fill both stores alike, at position ``count`` of the site's history."""
    await linked.node.database.write(
        lambda c: c.exec_driver_sql(
            "INSERT INTO file (file_id, folder, path, state, size_bytes, mtime_ns, sha256, reading, read_at_ms)"
            " VALUES (1, 'f', 'p', 'taken', 0, 0, x'', '', 0)"
        )
    )
    for first, batch in batches(count, fonds):
        numbered = list(enumerate(batch, first))
        at_site = [(n, rid, n, of, n, body, digest, rid[15], n) for n, (rid, body, digest, of) in numbered]
        at_hub = [(n, rid, CODE, n, digest, rid[15], of, body) for n, (rid, body, digest, of) in numbered]
        await linked.node.database.write(partial(_insert, sql=_AT_SITE, values=at_site))
        await linked.hub.database.write(partial(_insert, sql=_AT_HUB, values=at_hub))
    await linked.node.database.write(lambda c: c.exec_driver_sql("UPDATE head SET seq = ?", (count,)))

    def stand(c: Connection) -> None:
        c.exec_driver_sql("INSERT INTO site_epoch VALUES (?, 'e1', 1)", (CODE,))
        c.exec_driver_sql("INSERT INTO watermark VALUES (?, 'U', 'e1', ?, '', 'nothing', 1)", (CODE, count))
        # Most words are not indexed: filling would take an hour, and repair does not search.
        index_of(c).clear(c)
        c.exec_driver_sql("UPDATE catalogue_state SET next_serial = ?, index_version = ?", (count + 1, INDEX_VERSION))

        first = max(1, count // 2 - INDEXED_ROWS // 2)
        bodies = c.exec_driver_sql(
            "SELECT docid, body FROM entry WHERE docid >= ? ORDER BY docid LIMIT ?", (first, INDEXED_ROWS)
        ).all()
        write_index(c, {}, [(docid, entry_row(CODE, decode_record(body))) for docid, body in bodies])

    await linked.hub.database.write(stand)


def say(what: str, value: str) -> None:
    """Print one figure."""
    sys.stdout.write(f"{what:<58} {value}\n")
    sys.stdout.flush()


async def heal_one(linked: LinkedSite, count: int, fonds: int) -> None:
    """Plant a wrong row in the middle, and let the background find and heal it."""
    began = time.perf_counter()
    tallies = await linked.hub.database.read(lambda c: c.execute(fonds_tallies(CODE)).all())
    say(f"digest of {count:,} records at the hub", f"{time.perf_counter() - began:.2f} s ({len(tallies)} fonds)")
    wrong = _TEMPLATE.replace(b'"J001"', b'"J003"').replace("关于".encode(), "错误".encode())
    middle = count // 2 // fonds * fonds + min(4, fonds)
    planted = await linked.spoil(
        "UPDATE entry SET body = ?, digest = ? WHERE docid = ?",
        wrong,
        record_digest(wrong),
        middle,
    )
    broker = linked.broker
    broker.sent.clear()
    began = time.perf_counter()
    found = await linked.compare()
    took_s, travelled = time.perf_counter() - began, sum(len(message.data) for message in broker.sent)
    say(f"finding {planted} wrong row and asking for it", f"{took_s:.2f} s, {found}, {travelled:,} bytes of calls")
    began = time.perf_counter()
    frames = await linked.frame_bytes()
    await linked.carry()
    say("telling it again and applying it", f"{time.perf_counter() - began:.2f} s, {frames:,} bytes of frames")
    began = time.perf_counter()
    said = await linked.compare()
    (repair,) = await linked.repairs()
    healed = msgspec.to_builtins(repair)
    say("proving that both ends are equal", f"{time.perf_counter() - began:.2f} s, {said}, repair {healed['state']}")
    say("records told again", str(linked.carried_events))


async def look_deep(linked: LinkedSite) -> None:
    """Compare every record of both ends."""
    linked.broker.sent.clear()
    began = time.perf_counter()
    scope = Scope(depth=Depth.RECORDS)
    verdicts = [v async for v in verify(linked.hub.database, linked.asker, [SITE], linked.clock, scope=scope)]
    travelled = sum(len(message.data) for message in linked.broker.sent)
    took_s = time.perf_counter() - began
    say("verify --deep, record by record", f"{took_s:.1f} s, {verdicts[0].state.value}, {travelled / 1e6:.1f} MB")


@cache
def _frames(turn: int) -> list[AcceptedFrame]:
    frames = []
    for frame in range(APPLY_FRAMES):
        first = 1 + (turn * APPLY_FRAMES + frame) * FRAME_EVENTS
        numbers = range(FRAME_EVENTS)
        # As a node mints them: in the order of time from frame to frame, at random within one.
        ids = record_ids(1_790_000_000_000 + frame, FRAME_EVENTS, random.Random(frame).randbytes)
        entries = [fictitious(1 + frame * FRAME_EVENTS + n, record_id=ids[n], note=f"第{turn}版") for n in numbers]
        frames.append(accepted([described(first + n, entry) for n, entry in zip(numbers, entries, strict=True)]))
    return frames


def _prepared(application: Application, frames: Sequence[AcceptedFrame]) -> float:
    """Return the seconds of processor time that preparing some frames takes."""
    began = time.process_time()
    for one in frames:
        one.prepared = whole(application.preparing(one))
    return time.process_time() - began


async def _applied(database: Database, application: Application, frames: Sequence[AcceptedFrame]) -> float:
    """Return the seconds of processor time that applying some prepared frames takes, the commit included."""
    began = time.process_time()
    await database.write(partial(application.apply, frames=frames))
    return time.process_time() - began


async def upkeep(root: Path) -> None:
    """Measure what the index of digests costs at each apply: the same changes with it and without it.

    Both are measured batch by batch in turn, so that whatever else the machine does falls on both.
    """
    least: dict[tuple[int, int], list[float]] = {}
    for attempt in range(UPKEEP_ATTEMPTS):
        async with (
            opened(root / f"with-{attempt}.db", MIGRATIONS) as indexed,
            opened(root / f"without-{attempt}.db", MIGRATIONS) as plain,
        ):
            await plain.write(lambda c: c.exec_driver_sql("DROP INDEX entry_tally"))
            application = Application(lambda: 1)
            for turn in range(2):
                for start in range(0, APPLY_FRAMES, APPLY_BATCH):
                    batch = _frames(turn)[start : start + APPLY_BATCH]
                    took = [_prepared(application, batch), 0.0, 0.0]
                    both = ((1, indexed), (2, plain)) if attempt % 2 else ((2, plain), (1, indexed))
                    for place, database in both:
                        took[place] = await _applied(database, application, batch)
                    known = least.setdefault((turn, start), took)
                    least[turn, start] = [min(pair) for pair in zip(known, took, strict=True)]
    for turn, what in enumerate(("first load", "changes")):
        ready, indexed_s, plain_s = map(sum, zip(*(took for (of, _), took in least.items() if of == turn), strict=True))
        rows = APPLY_FRAMES * FRAME_EVENTS
        say(
            f"upkeep of the digests, {what}",
            f"{(indexed_s - plain_s) / (ready + plain_s):+.1%} of the processor time of apply"
            f" ({(indexed_s - plain_s) / rows * 1e6:+.1f} of {(ready + plain_s) / rows * 1e6:.1f} us/row)",
        )


async def run(count: int, fonds: int, *, deep: bool) -> None:
    """Measure everything in a folder of its own."""
    with tempfile.TemporaryDirectory() as folder:
        await upkeep(Path(folder))
        if not count:
            return
        async with linked_site(Path(folder)) as linked:
            began = time.perf_counter()
            await fill(linked, count, fonds)
            say(f"filling both ends with {count:,} records", f"{time.perf_counter() - began:.0f} s")
            await heal_one(linked, count, fonds)
            if deep:
                await look_deep(linked)


def main() -> None:
    """Read the command line and measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000, help="records at each end")
    parser.add_argument("--fonds", type=int, default=FONDS, help="fonds that they are spread over")
    parser.add_argument("--upkeep", action="store_true", help="measure the upkeep of the digests alone")
    parser.add_argument("--deep", action="store_true", help="also compare record by record")
    args = parser.parse_args()
    asyncio.run(run(0 if args.upkeep else args.rows, args.fonds, deep=args.deep))


if __name__ == "__main__":
    main()
