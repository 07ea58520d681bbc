"""Linking: what lies in a volume follows when the volume comes, goes, or gets another code.

Rows are linked while they are read, to the volumes that are known by then. Every code that a volume takes or leaves is
noted in the transaction that does it (table ``volume_due``); when a file has been read, the records that name one of
these codes are looked at again, and those that lie elsewhere now get a new version and an event. After a kill the notes
are still there. No brake waits here: nothing is withdrawn, only told more exactly.
"""

import json
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from uuid import UUID

import msgspec
import structlog
from sqlalchemy import Connection

from node.changes import Standing, StoredRecord
from node.revisions import linked
from node.volumes import VolumeKey, Volumes, named_volume
from protocol.codec import decode_record
from replication import outbox
from replication.database import Database
from replication.outbox import FrameWriter

LINKED_AT_ONCE = 2_000
"""Records that are looked at, and perhaps described again, in one transaction."""

CODES_AT_ONCE = 1_000
"""Codes of volumes whose records are looked up together."""

NAMES_VERSION = "1"
"""Version of the rules by which records name volumes: another one has every record looked at again."""

_FACT = "volume_names"

log = structlog.get_logger(__name__)


class Linked(msgspec.Struct, frozen=True, kw_only=True):
    """What came of a look at the links."""

    linked: int = 0
    """Records that lie in a volume now, or in another one."""
    unlinked: int = 0


class Linking:
    """Keeps the links to volumes as the codes say."""

    def __init__(
        self, database: Database, writer: FrameWriter, on_events: Callable[[], None], clock_ms: Callable[[], int]
    ) -> None:
        self._database = database
        self._writer = writer
        self._on_events = on_events
        self._clock_ms = clock_ms

    async def begin(self) -> None:
        """Finish what a kill has left, and link what was stored before records named their volumes."""
        after: int | None = -1
        while after is not None:
            after = await self._database.write(partial(_name_volumes, after=after))
        await self.settle()

    async def settle(self) -> Linked:
        """Look at everything that names a code which a volume took or left.

        Raises:
            StorageFull: the disk has no room; what is left is looked at the next time.

        """
        done = Linked()
        while keys := await self._database.read(due):
            docids = await self._database.read(partial(docids_naming, keys=keys))
            for start in range(0, len(docids), LINKED_AT_ONCE):
                some = docids[start : start + LINKED_AT_ONCE]
                step = await self._database.write(partial(self._link, docids=some))
                done = Linked(linked=done.linked + step.linked, unlinked=done.unlinked + step.unlinked)
                self._on_events()
            await self._database.write(partial(_looked_at, keys=keys))
        if done != Linked():
            log.info("volumes_linked", linked=done.linked, unlinked=done.unlinked)
        return done

    def _link(self, connection: Connection, docids: Sequence[int]) -> Linked:
        found = _naming(connection, docids)
        volumes = Volumes(listed_volumes(connection, {one.key for one in found}))
        now_ms = self._clock_ms()
        changed = [
            (one, revision)
            for one in found
            if (revision := linked(one.body, one.digest, one.standing, volumes.one(one.key), now_ms)) is not None
            and not revision.is_too_large
        ]
        if not changed:
            return Linked()
        drafts = [revision.event for _, revision in changed if revision.event is not None]
        given = iter(outbox.append(connection, self._writer, drafts))
        connection.exec_driver_sql(
            "UPDATE record SET body = ?, digest = ?, seq = ? WHERE docid = ?",
            [
                (revision.body, revision.digest, one.seq if revision.event is None else next(given), one.docid)
                for one, revision in changed
            ],
        )
        in_volumes = sum(revision.record.parent_id is not None for _, revision in changed)
        return Linked(linked=in_volumes, unlinked=len(changed) - in_volumes)


def listed_volumes(connection: Connection, keys: Iterable[VolumeKey]) -> list[tuple[VolumeKey, UUID]]:
    """Return the volumes that have these codes now."""
    found = connection.exec_driver_sql(
        "SELECT fonds_no, ref_code, record_id FROM json_each(?) AS wanted CROSS JOIN record"
        " WHERE fonds_no = json_extract(wanted.value, '$[0]') AND ref_code = json_extract(wanted.value, '$[1]')"
        " AND level = 'volume' AND standing = 'listed'",
        (json.dumps(sorted(keys)),),
    )
    return [((fonds_no, ref_code), UUID(bytes=record_id)) for fonds_no, ref_code, record_id in found]


def note_due(connection: Connection, keys: Iterable[VolumeKey]) -> None:
    """Note codes that a volume takes or leaves, in the transaction in which it does."""
    rows = list(keys)
    if rows:
        connection.exec_driver_sql("INSERT OR IGNORE INTO volume_due (fonds_no, ref_code) VALUES (?, ?)", rows)


def note_withdrawn(connection: Connection, rows: Iterable[StoredRecord]) -> None:
    """Note the codes of those records that are volumes, before they are withdrawn."""
    note_due(connection, [key for row in rows if (key := row.volume_key) is not None])


def due(connection: Connection) -> list[VolumeKey]:
    """Return the next codes whose records have to be looked at."""
    found = connection.exec_driver_sql(
        "SELECT fonds_no, ref_code FROM volume_due ORDER BY fonds_no, ref_code LIMIT ?", (CODES_AT_ONCE,)
    )
    return [(fonds_no, ref_code) for fonds_no, ref_code in found]


def docids_naming(connection: Connection, keys: Iterable[VolumeKey]) -> list[int]:
    """Return the records that name a volume by one of these codes."""
    found = connection.exec_driver_sql(
        "SELECT docid FROM json_each(?) AS wanted CROSS JOIN record"
        " WHERE fonds_no = json_extract(wanted.value, '$[0]') AND volume_code = json_extract(wanted.value, '$[1]')"
        " AND volume_code <> '' ORDER BY docid",
        (json.dumps(list(keys)),),
    )
    return [docid for (docid,) in found]


class _Naming(msgspec.Struct, frozen=True, gc=False):
    """A standing record that names a volume."""

    docid: int
    key: VolumeKey
    standing: Standing
    body: bytes
    digest: int
    seq: int


def _naming(connection: Connection, docids: Sequence[int]) -> list[_Naming]:
    found = connection.exec_driver_sql(
        "SELECT docid, fonds_no, volume_code, standing, body, digest, seq FROM record"
        " WHERE docid IN (SELECT value FROM json_each(?)) AND standing <> 'gone' ORDER BY docid",
        (json.dumps(list(docids)),),
    )
    return [
        _Naming(docid, (fonds_no, volume_code), Standing(standing), body, digest, seq)
        for docid, fonds_no, volume_code, standing, body, digest, seq in found
    ]


def _looked_at(connection: Connection, keys: Sequence[VolumeKey]) -> None:
    connection.exec_driver_sql("DELETE FROM volume_due WHERE fonds_no = ? AND ref_code = ?", list(keys))


def _name_volumes(connection: Connection, after: int) -> int | None:
    """Note what the next records name; returns the last of them, None when all is done."""
    made_by = connection.exec_driver_sql("SELECT value FROM fact WHERE name = ?", (_FACT,)).scalar_one_or_none()
    if made_by == NAMES_VERSION:
        return None
    rows = connection.exec_driver_sql(
        "SELECT docid, volume_code, body FROM record WHERE docid > ? ORDER BY docid LIMIT ?", (after, LINKED_AT_ONCE)
    ).all()
    if rows:
        named = [(named_volume(decode_record(body)), docid, before) for docid, before, body in rows]
        changed = [(code, docid) for code, docid, before in named if code != before]
        if changed:
            connection.exec_driver_sql("UPDATE record SET volume_code = ? WHERE docid = ?", changed)
        return int(rows[-1][0])
    connection.exec_driver_sql(
        "INSERT OR IGNORE INTO volume_due (fonds_no, ref_code)"
        " SELECT DISTINCT fonds_no, volume_code FROM record WHERE volume_code <> ''"
    )
    connection.exec_driver_sql(
        "INSERT INTO fact (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
        (_FACT, NAMES_VERSION),
    )
    return None
