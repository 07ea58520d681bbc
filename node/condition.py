"""How the site is now: what its signs of life and its answers about its health say."""

import shutil
from collections.abc import Callable, Sequence
from importlib.metadata import version
from pathlib import Path

import msgspec
from sqlalchemy import Connection, func, select

from node import brake, files, store
from node.folders import FolderState
from node.tables import folder
from node.transfers.kept import count_faulty
from protocol.beats import Beat
from protocol.calls import Health
from protocol.limits import BEAT_FAULTS_MAX
from protocol.rhythms import Rhythm
from replication import letters, outbox
from replication.database import Database
from replication.faults import Fault
from replication.outbox import Position

DISTRIBUTION = "danglian"


class Counts(msgspec.Struct, frozen=True, kw_only=True):
    """What the database says, in one reading."""

    position: Position | None
    outbox_frames: int
    records: int
    withheld: int
    brakes_held: int
    files: files.FileCounts
    folders_unread: int
    letters: int
    kept_faulty: int


class Condition:
    """Describes the site for others; ``published``, ``importing`` and ``faults`` come from the parts that know."""

    def __init__(
        self,
        database: Database,
        site: str,
        node: str,
        published: Callable[[], int],
        importing: Callable[[], bool],
        clock_ms: Callable[[], int],
        *,
        rhythm: Rhythm | None = None,
        faults: Callable[[], Sequence[Fault]] = tuple,
    ) -> None:
        self._database = database
        self._site = site
        self._node = node
        self._published = published
        self._importing = importing
        self._clock_ms = clock_ms
        self._rhythm = rhythm
        self._faults = faults
        self._started_at_ms = clock_ms()
        self._software = version(DISTRIBUTION)

    async def beat(self) -> Beat:
        """Return where the site stands."""
        now_ms = self._clock_ms()
        counts = await self._database.read(lambda connection: _counts(connection, now_ms))
        position = counts.position
        return Beat(
            site=self._site,
            node=self._node,
            epoch=position.epoch if position else "",
            seq=position.seq if position else 0,
            published=self._published(),
            outbox_frames=counts.outbox_frames,
            records=counts.records,
            withheld=counts.withheld,
            rejected=counts.files.rejected,
            warned=counts.files.warned,
            files=counts.files.files,
            brakes_held=counts.brakes_held,
            importing=self._importing(),
            disk_free_bytes=_free_bytes(self._database.folder),
            software=self._software,
            started_at_ms=self._started_at_ms,
            at_ms=now_ms,
            rhythm=self._rhythm,
            folders_unread=counts.folders_unread,
            faults=tuple(fault.kind.value for fault in self._faults())[-BEAT_FAULTS_MAX:],
            letters=counts.letters,
            kept_faulty=counts.kept_faulty,
        )

    async def health(self) -> Health:
        """Return the same for whoever asks."""
        beat = await self.beat()
        return Health(
            version=beat.software,
            records=beat.records,
            withheld=beat.withheld,
            rejected=beat.rejected,
            outbox_frames=beat.outbox_frames,
            brakes_held=beat.brakes_held,
            disk_free_bytes=beat.disk_free_bytes,
        )


def _counts(connection: Connection, now_ms: int) -> Counts:
    listed, withheld = store.count_standing(connection)
    return Counts(
        position=outbox.head(connection),
        outbox_frames=outbox.depth(connection),
        records=listed,
        withheld=withheld,
        brakes_held=brake.count_held(connection),
        files=files.counts(connection),
        folders_unread=connection.execute(_UNREAD).scalar_one(),
        letters=letters.count_due(connection, now_ms),
        kept_faulty=count_faulty(connection),
    )


_UNREAD = select(func.count()).select_from(folder).where(folder.c.state != FolderState.READY.value)


def _free_bytes(folder: Path) -> int:
    return shutil.disk_usage(folder).free
