"""Restoration: a new node of a site takes over what the hub holds of it, before it reads its folder (promise 14).

Without it the folder's rows would become new records beside the old ones. With it they are found again by what they say
or by their codes, keep their ids and former codes, and travel once more only if they have changed. What the folder does
not list stays as it is: absence is not deletion (promise 6). What must not travel never reached the hub and comes from
the folder alone (promise 8).

What was withdrawn comes back as tombstones: a row that says the same is reported and not published, for the folder may
hold an old sheet (promise 7). ``readmit`` lets such rows bring their records back, under their old ids.

It is due in a new home whose site the hub knows, and in a home that has lost its database. Each page is one transaction
with the place in the walk, so that a power cut continues it. The node's first epoch, which retires the former one,
begins when it is done: never before, for its baseline says that everything else is gone.
"""

import asyncio
import contextlib
import secrets
from collections.abc import Callable
from pathlib import Path

import msgspec
import structlog
from sqlalchemy import Connection

from node import files, indexing, store
from node.changes import IncomingRow, Standing
from node.files import FileState
from node.home import NodeHome
from node.retractions import TOMBSTONE_DAYS
from node.revisions import Revision
from node.store import Version
from protocol import subjects
from protocol.codec import decode_record, encode_record
from protocol.errors import BadFrame, BadValue, Retryable
from protocol.events import WithdrawalCause
from protocol.fingerprints import content_key
from protocol.holdings import FetchHeld, HeldPage, HeldRecord, HeldStone
from protocol.limits import HELD_PAGE_DEADLINE_S
from protocol.records import Record
from protocol.sites import Site
from replication import outbox
from replication.bus import Bus, Message
from replication.database import Database
from replication.digests import record_digest
from replication.faults import FaultKind
from replication.holdings import encode_question, unpack

LOOK_EVERY_S = 3.0
"""Seconds after which a person's word to do without is seen."""

RESTORED_FOLDER = ""
"""Folder under which restored records stand until a file lists them: no folder on the disk has this name."""

READMITTED_FOLDER = ":hub:"
"""Folder under which tombstones stand that rows may bring back; the same."""

WITHDRAWN_BEFORE = "row_withdrawn_before"
"""Finding of a row whose record was withdrawn before the restoration."""

_RESTORED_FILE = ":hub:"
_UNREAD_ROW = b"\0"
"""Digest of a row that was not read: no row has it, so each is compared with what it says."""

_FACT = "restore"
_DAY_MS = 86_400_000

log = structlog.get_logger(__name__)


class Restoration(msgspec.Struct, frozen=True, kw_only=True):
    """How far a restoration is."""

    question: str
    cursor: str = ""
    received: int = 0
    total: int = 0
    withdrawn: int = 0
    """Tombstones that were received."""
    epoch: str = ""
    """With the position and digest: the hub's state that is being copied; another one means beginning anew."""
    position: int = 0
    digest: str = ""
    began_at_ms: int
    ended_at_ms: int | None = None
    is_skipped: bool = False
    """A person decided to do without."""


def request(home: NodeHome) -> None:
    """Have the next start restore from the hub, if the home has no catalogue of its own by then."""
    home.restore_mark.parent.mkdir(parents=True, exist_ok=True)
    home.restore_mark.touch()


def request_if_lost(home: NodeHome) -> bool:
    """The same, if this home had a database once and has none now; True if that is so."""
    is_lost = home.incarnation.exists() and not home.database.exists()
    if is_lost:
        log.warning("database_is_gone", home=str(home.root))
        request(home)
    return is_lost


def is_due(connection: Connection, mark: Path) -> bool:
    """Tell whether this node must be restored before its first epoch may begin."""
    state = state_of(connection)
    if outbox.head(connection) is not None or (state is not None and state.ended_at_ms is not None):
        return False
    return state is not None or mark.exists()


def state_of(connection: Connection) -> Restoration | None:
    """Return how far the restoration is, or None if there never was one."""
    value = connection.exec_driver_sql("SELECT value FROM fact WHERE name = ?", (_FACT,)).scalar_one_or_none()
    return None if value is None else msgspec.json.decode(value, type=Restoration)


def former_epoch(connection: Connection) -> str:
    """Return the epoch by which the hub knew the site, which the first one here retires; empty if there is none."""
    state = state_of(connection)
    return state.epoch if state is not None and not state.is_skipped else ""


def count_unlisted(connection: Connection) -> int:
    """Return how many restored records no file lists."""
    counted: int = connection.exec_driver_sql(
        "SELECT count(*) FROM record JOIN file USING (file_id) WHERE file.folder = ? AND standing <> 'gone'",
        (RESTORED_FOLDER,),
    ).scalar_one()
    return counted


class Restorer:
    """Fetches what the hub holds of the site; used once, before anything else of the node runs."""

    def __init__(
        self, database: Database, bus: Bus, site: Site, node: str, mark: Path, clock_ms: Callable[[], int]
    ) -> None:
        self._database = database
        self._bus = bus
        self._site = site
        self._node = node
        self._mark = mark
        self._clock_ms = clock_ms
        self._pages: asyncio.Queue[HeldPage] = asyncio.Queue()
        self._is_up = asyncio.Event()

    async def run(self) -> Restoration:
        """Fetch everything; returns when all of it is stored, or when a person decided to do without.

        Raises:
            StorageFull: the disk has no room; what was stored stays.

        """
        state = await self._database.write(self._begin)
        log.info("restoring_from_hub", received=state.received, total=state.total)
        hearing = await self._bus.subscribe(subjects.held(self._site), self._hear)
        forget = self._bus.on_connected(self._is_up.set)
        try:
            while state.ended_at_ms is None:
                page = await self._page(state)
                if page is None:
                    state = await self._database.write(self._skip)
                else:
                    state = await self._database.write(lambda connection, page=page: self._take(connection, page))  # type: ignore[misc]
                    log.info("restored", received=state.received, total=state.total)
        finally:
            forget()
            await hearing.close()
        with contextlib.suppress(FileNotFoundError):
            self._mark.unlink()
        return state

    def _hear(self, message: Message) -> None:
        try:
            page = unpack(message.data)
        except BadFrame:
            self._bus.note_fault(FaultKind.BAD_MESSAGE, message.subject)
            return
        if page.site == self._site.code:
            self._pages.put_nowait(page)

    async def _page(self, state: Restoration) -> HeldPage | None:
        """Ask until the next page comes; None if a person decided to do without."""
        loop, asked_at = asyncio.get_running_loop(), float("-inf")
        while self._mark.exists():
            if self._bus.is_connected and loop.time() - asked_at >= HELD_PAGE_DEADLINE_S:
                asked_at = loop.time() if await self._ask(state) else asked_at
            try:
                async with asyncio.timeout(LOOK_EVERY_S):
                    page = await self._pages.get()
            except TimeoutError:
                continue
            if (page.question, page.after) == (state.question, state.cursor):
                return page
        return None

    async def _ask(self, state: Restoration) -> bool:
        asked = FetchHeld(site=self._site.code, node=self._node, question=state.question, after=state.cursor)
        try:
            await self._bus.publish(subjects.fetch(self._site), encode_question(asked))
        except Retryable:
            return False
        return True

    # Steps

    def _begin(self, connection: Connection) -> Restoration:
        self._mark.touch()
        state = state_of(connection)
        return state if state is not None else self._begin_anew(connection)

    def _begin_anew(self, connection: Connection) -> Restoration:
        """Forget what was received: nothing else is in the store before a restoration is done."""
        connection.exec_driver_sql("DELETE FROM record")
        indexing.empty(connection)
        indexing.is_current(connection)
        return self._keep(connection, Restoration(question=secrets.token_hex(8), began_at_ms=self._clock_ms()))

    def _skip(self, connection: Connection) -> Restoration:
        state = self._begin_anew(connection)
        log.warning("restoration_skipped")
        return self._keep(connection, msgspec.structs.replace(state, is_skipped=True, ended_at_ms=self._clock_ms()))

    def _take(self, connection: Connection, page: HeldPage) -> Restoration:
        state = state_of(connection)
        if state is None:
            message = "a page without a restoration"
            raise LookupError(message)
        copied = (page.epoch, page.position, page.digest)
        if state.cursor and copied != (state.epoch, state.position, state.digest):
            # The hub's copy moved on between two pages: half of the one and half of the other is neither.
            log.warning("restoration_begins_anew", received=state.received)
            return self._begin_anew(connection)
        file_id = _restored_file(connection, self._clock_ms())
        versions = [version for held in page.records if (version := _version(held, self._site.code)) is not None]
        rows = store.written(versions, file_id)
        store.insert(connection, rows, [0] * len(rows))
        stones = [_stone(held, self._site.code) for held in page.withdrawn]
        store.insert_tombstones(connection, store.written(stones, file_id))
        is_last = not page.cursor
        taken = msgspec.structs.replace(
            state,
            cursor=page.cursor,
            received=state.received + len(rows),
            withdrawn=state.withdrawn + len(stones),
            total=page.total,
            epoch=page.epoch,
            position=page.position,
            digest=page.digest,
            ended_at_ms=self._clock_ms() if is_last else None,
        )
        return self._keep(connection, taken)

    @staticmethod
    def _keep(connection: Connection, state: Restoration) -> Restoration:
        connection.exec_driver_sql(
            "INSERT INTO fact (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
            (_FACT, msgspec.json.encode(state).decode()),
        )
        return state


def _restored_file(connection: Connection, now_ms: int, folder: str = RESTORED_FOLDER) -> int:
    connection.exec_driver_sql(
        "INSERT OR IGNORE INTO file (folder, path, state, size_bytes, mtime_ns, sha256, reading, missing_since_ms,"
        " read_at_ms) VALUES (?, ?, ?, 0, 0, x'', ':', ?, ?)",
        (folder, _RESTORED_FILE, FileState.TAKEN.value, now_ms, now_ms),
    )
    found: int = connection.exec_driver_sql(
        "SELECT file_id FROM file WHERE folder = ? AND path = ?", (folder, _RESTORED_FILE)
    ).scalar_one()
    return found


def count_kept_back(connection: Connection) -> int:
    """Return how many withdrawn records no row brings back until a person says so."""
    counted: int = connection.exec_driver_sql(
        "SELECT count(*) FROM file JOIN record USING (file_id) WHERE file.folder = ? AND standing = 'gone'",
        (RESTORED_FOLDER,),
    ).scalar_one()
    return counted


def readmit(connection: Connection, now_ms: int) -> int:
    """Let rows bring back what was withdrawn before the restoration; returns how many rows wait for that.

    Their files are read again at the next start.
    """
    waiting = connection.exec_driver_sql("SELECT file_id FROM reject WHERE code = ?", (WITHDRAWN_BEFORE,)).all()
    connection.exec_driver_sql(
        "UPDATE record SET file_id = ? WHERE file_id = ? AND standing = 'gone'",
        (_restored_file(connection, now_ms, READMITTED_FOLDER), _restored_file(connection, now_ms)),
    )
    connection.execute(files.outdated({file_id for (file_id,) in waiting}))
    return len(waiting)


def forget_kept_back(connection: Connection, now_ms: int) -> int:
    """Let go of tombstones that were restored longer ago than any tombstone lives; returns how many."""
    state = state_of(connection)
    if state is None or state.ended_at_ms is None or now_ms - state.ended_at_ms < TOMBSTONE_DAYS * _DAY_MS:
        return 0
    return connection.exec_driver_sql(
        "DELETE FROM record WHERE standing = 'gone' AND seq = 0 AND file_id IN"
        " (SELECT file_id FROM file WHERE folder IN (?, ?))",
        (RESTORED_FOLDER, READMITTED_FOLDER),
    ).rowcount


def _stone(held: HeldStone, site: str) -> Version:
    """Return a withdrawn record as it will be stored: nothing of what it said but its fingerprint."""
    record = Record(
        record_id=held.record_id,
        repository_id=site,
        level=held.level,
        title="",
        ref_code=held.ref_code,
        fonds_no=held.fonds_no,
        version=held.version,
    )
    body = encode_record(record)
    revision = Revision(
        record=record,
        body=body,
        digest=record_digest(body),
        standing=Standing.GONE,
        withdrawn_cause=held.cause or WithdrawalCause.ROW_VANISHED.value,
    )
    return revision, IncomingRow(sheet="", line=0, row_digest=b"", record=record, content_key=held.content_key), None


def _version(held: HeldRecord, site: str) -> Version | None:
    """Return a record as it will be stored; None for one that cannot be read, or is another site's."""
    try:
        record = decode_record(held.record)
    except BadValue:
        return None
    if record.repository_id != site or not record.secrecy.travels:
        return None
    body = bytes(held.record)
    if held.access_status is not None:
        # A closing that the hub could not read as a whole: it holds all the same, until the folder says more.
        record = msgspec.structs.replace(record, access_status=held.access_status)
        body = encode_record(record)
    revision = Revision(record=record, body=body, digest=record_digest(body), standing=Standing.LISTED)
    row = IncomingRow(sheet="", line=1, row_digest=_UNREAD_ROW, record=record, content_key=content_key(record))
    return revision, row, None
