"""The raw floor of replication: sealed frames through JetStream into the plain index, by two processes.

The frames are those that a node would send, made beforehand. Nothing is checked, merged, compared or kept besides: what
a real hub adds is the distance to this floor.

Worker: ``python -m tests.bench.plain_replication sink URL FILE ROWS`` or ``publish URL FRAMES``.
"""

import asyncio
import os
import sqlite3
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import msgspec
import nats
import zstandard
from nats.errors import TimeoutError as NatsTimeout
from nats.js.api import AckPolicy, ConsumerConfig

from protocol.codec import encode_event, encode_record
from protocol.events import Described
from protocol.frames import HEADER_BYTES, Frame, frame_digest
from protocol.limits import FRAME_EVENTS_MAX
from protocol.records import Record
from replication.keys import Identity, new_seed
from replication.seal import seal
from tests.bench.plain_index import PlainIndex, entry_of
from tests.bench.programs import running, say, worker
from tests.bench.rows import record, row
from tests.servers import NatsServer

SITE = "330599000000"
STREAM, SUBJECT = "BARE", "bare.frames"

FETCH_FRAMES = 4
"""Frames a fetch, and so a transaction: 2,000 rows."""

IN_FLIGHT = 16
"""Frames published and not yet acknowledged."""

FETCH_S = 5.0
"""Seconds that a fetch waits."""

_LENGTH_BYTES = 4


class _Event(msgspec.Struct, frozen=True):
    """What the floor reads of an event."""

    record: Record


class _Frame(msgspec.Struct, frozen=True):
    """What the floor reads of a frame."""

    events: tuple[_Event, ...]


def frames(count: int, site: str, identity: Identity, start: int = 1) -> Iterator[bytes]:
    """The sealed frames of ``count`` rows, chained, as a node of this site would send them."""
    bodies = (encode_record(record(row(number), site)) for number in range(start, start + count))
    last, chain = 0, ""
    for run in batches(bodies, FRAME_EVENTS_MAX):
        previous, last = last, last + len(run)
        frame = Frame(
            site=site,
            node=identity.public_key,
            epoch="bench",
            previous=previous,
            last=last,
            chain=chain,
            events=tuple(_described(seq, body) for seq, body in enumerate(run, previous + 1)),
        )
        sealed = seal(frame, identity)
        chain = frame_digest(sealed)
        yield sealed


def new_identity() -> Identity:
    """The key of a node that exists for one measurement."""
    return Identity(new_seed(os.urandom(32)))


def _described(seq: int, body: bytes) -> msgspec.Raw:
    event = Described(seq=seq, previous=seq - 1, at_ms=0, actor="import", record=msgspec.Raw(body))
    return msgspec.Raw(encode_event(event))


def write_frames(path: Path, sealed: Iterable[bytes]) -> int:
    """Keep frames in a file, each after its length; returns the bytes of all of them."""
    total = 0
    with path.open("wb") as file:
        for frame in sealed:
            file.write(len(frame).to_bytes(_LENGTH_BYTES, "big") + frame)
            total += len(frame)
    return total


def read_frames(path: Path) -> list[bytes]:
    """The frames that ``write_frames`` kept."""
    content, found, at = path.read_bytes(), [], 0
    while at < len(content):
        size = int.from_bytes(content[at : at + _LENGTH_BYTES], "big")
        found.append(content[at + _LENGTH_BYTES : at + _LENGTH_BYTES + size])
        at += _LENGTH_BYTES + size
    return found


async def sink(url: str, file: Path, count: int) -> None:
    """Take ``count`` rows out of the stream into the plain index."""
    index, decoder, unpack = PlainIndex(file), msgspec.json.Decoder(_Frame), zstandard.ZstdDecompressor()
    async with await nats.connect(url) as client:
        config = ConsumerConfig(ack_policy=AckPolicy.ALL, max_ack_pending=1_000)
        source = await client.jetstream().pull_subscribe("bare.>", "hub", stream=STREAM, config=config)
        say("ready")
        started = time.process_time()
        while index.count < count:
            try:
                messages = await source.fetch(FETCH_FRAMES, timeout=FETCH_S)
            except NatsTimeout:
                continue
            entries = [
                entry_of(event.record)
                for message in messages
                for event in decoder.decode(unpack.decompress(message.data[HEADER_BYTES:])).events
            ]
            index.add(entries)
            await messages[-1].ack()
        say("done", time.process_time() - started)
    index.close()


async def publish(url: str, file: Path) -> None:
    """Publish the frames of a file, some in flight at once."""
    sealed = read_frames(file)
    async with await nats.connect(url) as client:
        stream, room = client.jetstream(), asyncio.Semaphore(IN_FLIGHT)

        async def send(frame: bytes) -> None:
            async with room:
                await stream.publish(SUBJECT, frame, timeout=FETCH_S)

        say("started")
        await asyncio.gather(*(send(frame) for frame in sealed))
        say("published")


async def rate(folder: Path, server: NatsServer, count: int) -> tuple[float, float]:
    """Rows a second from the first published frame to the last row searchable, and the sink's processor seconds."""
    file, index = folder / "frames", folder / f"plain-{time.monotonic_ns()}.db"
    if not file.exists():
        write_frames(file, frames(count, SITE, new_identity()))
    await _fresh_stream(server)
    async with running(
        *worker("plain_replication", "sink", server.url, index, count), log=folder / "sink.log"
    ) as sinking:
        await sinking.heard("ready")
        command = worker("plain_replication", "publish", server.url, file)
        async with running(*command, log=folder / "publish.log") as publishing:
            started = await publishing.heard("started")
            done = await sinking.heard("done")
    return count / (done.at - started.at), done.values[0]


async def latencies_ms(folder: Path, server: NatsServer, changes: int) -> list[float]:
    """Milliseconds from publishing one record until another process's table shows it, one after the other."""
    index = folder / f"plain-{time.monotonic_ns()}.db"
    await _fresh_stream(server)
    async with running(
        *worker("plain_replication", "sink", server.url, index, changes), log=folder / "sink.log"
    ) as sinking:
        await sinking.heard("ready")
        reader = sqlite3.connect(f"file:{index}?mode=ro", uri=True)
        found = []
        identity = new_identity()
        async with await nats.connect(server.url) as client:
            stream = client.jetstream()
            for number in range(1, changes + 1):
                (frame,) = frames(1, SITE, identity, start=number)
                started = time.monotonic()
                await stream.publish(SUBJECT, frame, timeout=FETCH_S)
                while reader.execute("SELECT count(*) FROM entry").fetchone()[0] < number:
                    await asyncio.sleep(0)
                found.append((time.monotonic() - started) * 1e3)
        reader.close()
    return found


async def _fresh_stream(server: NatsServer) -> None:
    async with await nats.connect(server.url) as client:
        stream = client.jetstream()
        for name in [info.config.name for info in await stream.streams_info()]:
            await stream.delete_stream(str(name))
        await stream.add_stream(name=STREAM, subjects=["bare.>"])


def batches(values: Iterable[bytes], size: int) -> Iterator[Sequence[bytes]]:
    """Runs of ``size`` values (``itertools.batched`` came with Python 3.12)."""
    run: list[bytes] = []
    for value in values:
        run.append(value)
        if len(run) == size:
            yield run
            run = []
    if run:
        yield run


if __name__ == "__main__":
    if sys.argv[1] == "sink":
        asyncio.run(sink(sys.argv[2], Path(sys.argv[3]), int(sys.argv[4])))
    else:
        asyncio.run(publish(sys.argv[2], Path(sys.argv[3])))
