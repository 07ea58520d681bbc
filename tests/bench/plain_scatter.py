"""The raw floor of a live search: one NATS message to every site, each answers from its own bigram index.

Every site has its own connection and its own SQLite file; several sites share a process, as in the real measurement.
Nothing is filtered by access, no reason for a match is given, nothing is verified or merged by record.

Worker: ``python -m tests.bench.plain_scatter answer URL FOLDER FIRST LAST RECORDS`` or ``ask URL SITES QUESTIONS``.
"""

import asyncio
import itertools
import sqlite3
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import msgspec
import nats
from nats.aio.client import Client
from nats.aio.msg import Msg

from tests.bench.plain_index import Entry, PlainIndex, bigrams, entry_of
from tests.bench.programs import Program, cpu_s, running, say, worker
from tests.bench.rows import TOPIC, record, rows
from tests.servers import NatsServer

SUBJECT = "bare.ask"

HITS = 20
"""Records that each site sends."""

DEADLINE_S = 10.0
"""Seconds after which a question is given up; nothing is lost here, so it never is."""

WARM_QUESTIONS = 5
"""Questions before the measured ones."""

_TOTAL = "SELECT count(*) FROM found WHERE found MATCH ?"
_NEWEST = (
    "SELECT entry.* FROM found CROSS JOIN entry ON entry.rowid = found.rowid WHERE found MATCH ? "
    "ORDER BY found.rowid DESC LIMIT ?"
)


_REPLIES = msgspec.msgpack.Decoder(tuple[int, int, list[Entry]])


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """What one question took, in milliseconds."""

    first_ms: float
    all_ms: float
    answers: int
    hits: int


def make(path: Path, number: int, records: int) -> None:
    """Make one site's table and index."""
    index = PlainIndex(path)
    index.add([entry_of(record(cells, f"site-{number}")) for cells in rows(records, seed=number)])
    index.close()


async def answer(url: str, folder: Path, first: int, last: int, records: int) -> None:
    """Be the sites from ``first`` to before ``last`` until terminated."""
    async with AsyncExitStack() as open_clients:
        for number in range(first, last):
            path = folder / f"site-{number}.db"
            if not path.exists():
                make(path, number, records)
            connection, client = sqlite3.connect(path), await nats.connect(url)
            open_clients.push_async_callback(client.close)
            await client.subscribe(SUBJECT, cb=_answering(connection, client, number))
            await client.flush()
        say("ready")
        await asyncio.Event().wait()


def _answering(connection: sqlite3.Connection, client: Client, number: int) -> Callable[[Msg], Awaitable[None]]:
    async def reply(message: Msg) -> None:
        phrase = f'"{bigrams(message.data.decode())}"'
        ((total,),) = connection.execute(_TOTAL, (phrase,))
        found = connection.execute(_NEWEST, (phrase, HITS)).fetchall()
        await client.publish(message.reply, msgspec.msgpack.encode((number, total, found)))

    return reply


async def ask(url: str, sites: int, questions: int) -> None:
    """Put the topic word to every site, one question after the other, and say what each took."""
    async with await nats.connect(url) as client:
        for number in range(-WARM_QUESTIONS, questions):
            asked = await _ask_once(client, sites)
            if number >= 0:
                say("asked", asked.first_ms, asked.all_ms, asked.answers, asked.hits)


async def _ask_once(client: Client, sites: int) -> Asked:
    complete, times, found = asyncio.Event(), list[float](), list[Entry]()

    async def take(message: Msg) -> None:
        found.extend(_REPLIES.decode(message.data)[2])
        times.append(time.monotonic())
        if len(times) == sites:
            complete.set()

    inbox = client.new_inbox()
    subscription = await client.subscribe(inbox, cb=take)
    started = time.monotonic()
    await client.publish(SUBJECT, TOPIC.encode(), reply=inbox)
    async with asyncio.timeout(DEADLINE_S):
        await complete.wait()
    # Newest first over all sites, which any answer to a person needs.
    found.sort(key=lambda entry: (-int(entry[7] or 0), str(entry[0])))
    ended = time.monotonic()
    await subscription.unsubscribe()
    first_ms, all_ms = ((at - started) * 1e3 for at in (times[0], ended))
    return Asked(first_ms=first_ms, all_ms=all_ms, answers=len(times), hits=len(found))


@asynccontextmanager
async def answering(
    folder: Path, server: NatsServer, sites: int, records: int, processes: int
) -> AsyncIterator[list[Program]]:
    """Run the sites, divided over some processes."""
    cuts = [sites * part // processes for part in range(processes + 1)]
    async with AsyncExitStack() as stack:
        started = []
        for first, last in itertools.pairwise(cuts):
            command = worker("plain_scatter", "answer", server.url, folder, first, last, records)
            started.append(await stack.enter_async_context(running(*command, log=folder / "answer.log")))
        for program in started:
            await program.heard("ready")
        yield started


async def measure(
    folder: Path, server: NatsServer, *, sites: int, records: int, questions: int, processes: int
) -> tuple[list[Asked], float]:
    """What each question took, and the milliseconds of processor time that one cost all processes together."""
    folder.mkdir(exist_ok=True)
    async with answering(folder, server, sites, records, processes) as started:
        command = worker("plain_scatter", "ask", server.url, sites, questions)
        async with running(*command, log=folder / "ask.log") as asking:
            pids = [*(program.pid for program in started), server.pid, asking.pid]
            heard = [await asking.heard("asked")]
            before_s = sum(map(cpu_s, pids))
            heard += [await asking.heard("asked") for _ in range(questions - 1)]
            spent_s = sum(map(cpu_s, pids)) - before_s
    asked = [
        Asked(first_ms=said.values[0], all_ms=said.values[1], answers=int(said.values[2]), hits=int(said.values[3]))
        for said in heard
    ]
    return asked, spent_s / (questions - 1) * 1e3


if __name__ == "__main__":
    if sys.argv[1] == "answer":
        asyncio.run(answer(sys.argv[2], Path(sys.argv[3]), *map(int, sys.argv[4:7])))
    else:
        asyncio.run(ask(sys.argv[2], int(sys.argv[3]), int(sys.argv[4])))
