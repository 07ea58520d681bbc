"""One installation of a site: a disk, a link, and the same parts that ``node.daemon`` puts together.

Catalogue files are left out: ``Change`` writes records and events as an import does, in one transaction through the
outbox. Records lie in the node's own table, so history, baseline, epochs and incarnation are the node's own code. The
search index is not filled: it has no part in replication and would cost more than all the rest.
"""

import asyncio
import random
from collections.abc import Awaitable, Callable
from functools import cache, partial
from typing import cast
from uuid import UUID

import msgspec
from sqlalchemy import Connection

from node import store
from node.epochs import Epochs
from node.history import SiteHistory
from node.home import NodeHome
from node.indexing import DOCIDS_A_YEAR
from node.ranges import range_handler
from node.tables import SCHEMA as NODE_SCHEMA
from protocol.beats import Beat
from protocol.calls import FetchRange, Outcome, Range, Refusal
from protocol.codec import encode_record
from protocol.errors import Retryable, StorageFull
from protocol.events import AccessChanged, Described, EventHead, WithdrawalCause, Withdrawn
from protocol.index_rows import year_of
from protocol.limits import CALL_DEADLINE_S
from protocol.records import Record
from protocol.sites import Site
from protocol.vocabularies import AccessStatus
from replication import outbox
from replication.beats import hear_receipts, send_beats
from replication.digests import bucket_of, record_digest
from replication.keys import Identity
from replication.migrations import REPLICATION
from replication.outbox import FrameWriter
from replication.publisher import Publisher
from tests import builders
from tests.simulation.clock import Clock
from tests.simulation.disk import Disk, SimulatedDatabase, new_image
from tests.simulation.network import Network, SimulatedLink
from tests.simulation.processes import Process
from tests.simulation.witness import SITE_RULES

identity: Callable[[int], Identity] = cache(builders.identity)

YEARS = (1987, 2004)
"""Years of the records: a change may move a record from one to the other, and so to another place of the baseline."""


Said = tuple[Outcome, Range | Refusal]
"""What is answered to a question for missing events."""

NEW = 0.45
WITHDRAWN = 0.35
CLOSED = 0.2
"""Shares of a change: records that are new; of the listed ones, those withdrawn; of the others, those closed."""


class NoteFile:
    """The small file beside a database that shows whether the database was put back (``node.incarnation``)."""

    def __init__(self, content: str | None = None) -> None:
        self.content = content

    def read_text(self, encoding: str) -> str:  # noqa: ARG002 - as the real one
        """Return what it says."""
        if self.content is None:
            raise FileNotFoundError
        return self.content

    def write(self, content: bytes) -> None:
        """Replace what it says."""
        self.content = content.decode("ascii")


class _Home(msgspec.Struct, kw_only=True):
    """The part of a ``NodeHome`` that the node's epochs look at."""

    incarnation: NoteFile


class Backup(msgspec.Struct, frozen=True, kw_only=True):
    """A node's database at a moment, the file beside it, and what its users had been told is stored."""

    image: bytes
    note: str | None
    stored: dict[bytes, bytes | None]
    unsure: frozenset[bytes] = frozenset()


class Installation:
    """A machine of a site. It may be off; its disk remains."""

    def __init__(
        self,
        site: Site,
        number: int,
        name: str,
        network: Network,
        clock: Clock,
        backup: Backup,
        chance: random.Random,
    ) -> None:
        self.site = site
        self.number = number
        self.name = name
        self.network = network
        self.clock = clock
        self.chance = chance
        """What this machine takes for random bytes."""
        self.draws_epoch = False
        """Whether it has drawn the name of an epoch since it last stored anything."""
        self.disk = Disk(backup.image)
        self.disk.note = network.note
        self.note = NoteFile(backup.note)
        self.stored = dict(backup.stored)
        """What users were told is stored: the body of each record, None for one that was withdrawn."""
        self.unsure = set(backup.unsure)
        """Records of changes whose end nobody heard of, because the process died."""
        self.backups: list[Backup] = []
        self.process: Process | None = None
        self.link: SimulatedLink | None = None
        self.is_parted = False
        self._waiting: list[tuple[int, int]] = []
        self.publisher: Publisher | None = None
        self._database: SimulatedDatabase | None = None
        self._history: SiteHistory | None = None
        self._answer: Callable[[FetchRange], Awaitable[Said]] | None = None

    def backup(self) -> Backup:
        """Return a backup of the whole home."""
        return Backup(
            image=self.disk.image(),
            note=self.note.content,
            stored=dict(self.stored),
            unsure=frozenset(self.unsure),
        )

    def put_back(self, backup: Backup, *, whole: bool) -> None:
        """Restore a backup: of the whole home, or of the database alone."""
        self.disk.put_back(backup.image)
        self.stored = dict(backup.stored)
        self.unsure = set(backup.unsure)
        if whole:
            self.note.content = backup.note

    # The daemon

    def start(self, process: Process, randomness: Callable[[int], bytes]) -> None:
        """Start the daemon in a new process."""
        self.process = process
        self.link = self.network.link(process, blocks=True)
        self.link.is_parted = self.is_parted
        self.link.look()
        process.start(self._serve(process, self.link, randomness), "daemon")

    async def _serve(self, process: Process, link: SimulatedLink, randomness: Callable[[int], bytes]) -> None:
        database = SimulatedDatabase(self.disk, process)
        writer = FrameWriter(self.site.code, identity(self.number), self.clock)
        history = SiteHistory(database)
        loop = asyncio.get_running_loop()
        epochs = Epochs(database, writer, history.moved, randomness, loop.time)
        try:
            await epochs.begin(cast("NodeHome", _Home(incarnation=self.note)))
        except StorageFull:
            # The daemon says so and ends; whatever started it starts it again.
            self.network.met["start refused"] += 1
            process.kill("")
            return
        await history.refresh()
        publisher = Publisher(database, link, writer, self.site, store, epochs.diverged, loop.time)
        history.tell(publisher.wake)
        link.on_connected(publisher.reconnected)
        beat_due = asyncio.Event()
        history.tell(beat_due.set)
        process.start(publisher.run(), "publisher")
        process.start(hear_receipts(link, self.site, publisher.confirm, publisher.make_room), "receipts")
        process.start(epochs.run(), "baseline")
        process.start(history.run(), "history")
        describe = partial(self._beat, database, publisher)
        process.start(send_beats(link, self.site, describe, beat_due, chance=lambda: 0.5), "beats")
        self.publisher, self._database, self._history = publisher, database, history
        self._answer = range_handler(database, publisher)
        waiting, self._waiting = self._waiting, []
        for seed, size in waiting:
            self.change(seed, size)

    async def _beat(self, database: SimulatedDatabase, publisher: Publisher) -> Beat:
        here = await database.read(outbox.head)
        node = identity(self.number).public_key
        return Beat(
            site=self.site.code,
            node=node,
            epoch=here.epoch if here else "",
            seq=here.seq if here else 0,
            published=publisher.published,
            at_ms=self.clock(),
        )

    @property
    def is_idle(self) -> bool:
        """Whether the daemon runs and has imported everything it was given."""
        return self.publisher is not None and not self._waiting

    def stopped(self) -> None:
        """Notice that the process is dead."""
        if self.link is not None:
            self.link.look()
            self.network.unplug(self.link)
        self.process = self.link = self.publisher = self._database = self._history = self._answer = None

    def part(self, *, is_parted: bool) -> None:
        """Cut the way to the broker, or open it again."""
        self.is_parted = is_parted
        if self.link is not None:
            self.link.is_parted = is_parted
            self.link.look()

    def ask(self, question: FetchRange, on_answer: Callable[[Said], None]) -> None:
        """Work on a call as long as ``replication.answering`` would."""
        process, answer = self.process, self._answer
        if process is None or answer is None or self.link is None or not self.link.is_connected:
            return

        async def work() -> None:
            try:
                async with asyncio.timeout(CALL_DEADLINE_S):
                    on_answer(await answer(question))
            except (TimeoutError, Retryable):
                return

        process.start(work(), "answer")

    # The catalogue

    def change(self, seed: int, size: int) -> None:
        """Import a change of the catalogue, now or when the daemon runs again."""
        process, database, history = self.process, self._database, self._history
        if process is None or database is None or history is None:
            self._waiting.append((seed, size))
            return
        writer = FrameWriter(self.site.code, identity(self.number), self.clock)

        async def work() -> None:
            def step(connection: Connection) -> dict[bytes, bytes | None]:
                touched = write_change(connection, writer, self.site, seed, size)
                self.unsure |= touched.keys()
                return touched

            try:
                touched = await database.write(step)
            except Retryable:
                self.network.met["change refused"] += 1
                return
            self.unsure -= touched.keys()
            self.stored.update(touched)
            self.network.met["change stored"] += 1
            history.moved()

        process.start(work(), "import")


@cache
def site_image() -> bytes:
    """Return the database of a node before its first start, with one catalogue file that its records belong to."""
    return new_image(
        [REPLICATION, NODE_SCHEMA],
        *SITE_RULES,
        "INSERT INTO file (file_id, folder, path, state, size_bytes, mtime_ns, sha256, reading, read_at_ms)"
        " VALUES (1, '', 'catalogue.csv', 'taken', 0, 0, x'', '', 0)",
    )


def write_change(
    connection: Connection, writer: FrameWriter, site: Site, seed: int, size: int
) -> dict[bytes, bytes | None]:
    """Do what one import does, in one transaction: some records new, some changed, some withdrawn, drawn from a seed.

    Returns what became of each record: its body, or None if it was withdrawn.
    """
    chance = random.Random(seed)
    known: list[tuple[int, bytes, str]] = [
        (docid, record_id, standing)
        for docid, record_id, standing in connection.exec_driver_sql(
            "SELECT docid, record_id, standing FROM record ORDER BY record_id"
        )
    ]
    chance.shuffle(known)
    rows: list[tuple[int | None, Record, EventHead]] = []
    for number in range(size):
        is_new = not known or chance.random() < NEW
        docid, raw_id, standing = (None, chance.randbytes(16), "") if is_new else known.pop()
        is_listed = standing == "listed"
        is_withdrawn = is_listed and chance.random() < WITHDRAWN
        is_closed = is_listed and chance.random() < CLOSED
        record = Record(
            record_id=UUID(bytes=raw_id),
            repository_id=site.code,
            title=f"{seed}-{number}",
            filing_year=chance.choice(YEARS),
            access_status=AccessStatus.RESTRICTED if is_closed else AccessStatus.UNREVIEWED,
        )
        make = _withdrawn if is_withdrawn else _access_changed if is_closed else _described
        rows.append((docid, record, make(record)))
    positions = outbox.append(connection, writer, [event for _, _, event in rows])
    return dict(
        _store(connection, docid, record, event, seq)
        for (docid, record, event), seq in zip(rows, positions, strict=True)
    )


def _described(record: Record) -> EventHead:
    return Described(seq=0, previous=0, at_ms=0, record=msgspec.Raw(encode_record(record)))


def _access_changed(record: Record) -> EventHead:
    return AccessChanged(
        seq=0,
        previous=0,
        at_ms=0,
        record_id=record.record_id,
        access_status=record.access_status,
        record=msgspec.Raw(encode_record(record)),
    )


def _withdrawn(record: Record) -> EventHead:
    return Withdrawn(seq=0, previous=0, at_ms=0, record_id=record.record_id, cause=WithdrawalCause.ROW_VANISHED)


_INSERT = (
    "INSERT INTO record (docid, record_id, file_id, sheet, line, row_digest, ref_code, level, fonds_no, content_key,"
    " standing, withdrawn_cause, livelihood_kind, access_status, warnings, raw, body, digest, bucket, seq)"
    " VALUES (?, ?, 1, '', 1, x'', '', 'item', '', 0, 'listed', '', '', '', '', x'', ?, ?, ?, ?)"
)


def _store(
    connection: Connection, docid: int | None, record: Record, event: EventHead, seq: int
) -> tuple[bytes, bytes | None]:
    """Write one record as ``node.store`` does, without the search index."""
    record_id = record.record_id.bytes
    if isinstance(event, Withdrawn):
        connection.exec_driver_sql(
            "UPDATE record SET standing = 'gone', withdrawn_cause = ?, seq = ? WHERE docid = ?",
            (str(event.cause), seq, docid),
        )
        return record_id, None
    body = encode_record(record)
    first = year_of(record) * DOCIDS_A_YEAR
    highest: int | None = connection.exec_driver_sql(
        "SELECT max(docid) FROM record WHERE docid >= ? AND docid < ?", (first, first + DOCIDS_A_YEAR)
    ).scalar_one()
    moved = (first if highest is None else highest) + 1
    if docid is None:
        values = (moved, record_id, body, record_digest(body), bucket_of(record.record_id), seq)
        connection.exec_driver_sql(_INSERT, values)
    else:
        moved = docid if docid // DOCIDS_A_YEAR == year_of(record) else moved
        connection.exec_driver_sql(
            "UPDATE record SET docid = ?, standing = 'listed', withdrawn_cause = '', body = ?, digest = ?, seq = ?"
            " WHERE docid = ?",
            (moved, body, record_digest(body), seq, docid),
        )
    return record_id, body
