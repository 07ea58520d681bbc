"""The baseline: the site describes everything it has, between two marks.

It is due when a new epoch begins (a database was put back or copied) or when the hub asks for it. It runs in steps of
one transaction each and remembers how far it came, so that a power cut continues it; imports may go on in between,
for what they change is described anyway. The closing mark carries count and digest of what stands at that moment.
"""

from functools import cache

import msgspec
from sqlalchemy import Connection, Select, select

from node import retractions, store
from node.changes import Standing
from node.revisions import ACTOR
from node.tables import fact, record
from protocol.beats import Receipt
from protocol.events import BaselineMarked, BaselinePhase
from replication import outbox
from replication.digests import Tally
from replication.outbox import FrameWriter
from replication.tables import tally_columns

BASELINE_ROWS = 2_000
"""Records described in one transaction: four frames, a fraction of a second."""

_FACT = "baseline"


class Progress(msgspec.Struct, frozen=True, kw_only=True):
    """How far the latest baseline came."""

    cause: str
    epoch: str
    began_at: int
    """Position of its opening mark."""
    after_docid: int = -1
    is_done: bool = False
    ended_at: int = 0
    """Position of its closing mark, once it is done."""


def progress(connection: Connection) -> Progress | None:
    """Return how far the latest baseline came, or None if there never was one."""
    value = connection.execute(progress_statement()).scalar_one_or_none()
    return None if value is None else msgspec.json.decode(value, type=Progress)


def begin_epoch(connection: Connection, writer: FrameWriter, epoch: str, retires: tuple[str, ...], cause: str) -> None:
    """Start a new epoch, which describes everything again from position 1."""
    outbox.start_epoch(connection, epoch, retires)
    store.forget_positions(connection)
    begin(connection, writer, cause)


def begin(connection: Connection, writer: FrameWriter, cause: str) -> None:
    """Open a baseline in the present epoch."""
    mark = BaselineMarked(seq=0, previous=0, at_ms=0, actor=ACTOR, phase=BaselinePhase.BEGIN, cause=cause)
    (position,) = outbox.append(connection, writer, [mark])
    here = outbox.head(connection)
    if here is not None:
        _remember(connection, Progress(cause=cause, epoch=here.epoch, began_at=position))


def is_answered(connection: Connection, receipt: Receipt) -> bool:
    """Tell whether a baseline that the hub asks for has been opened since the position that the hub stands at."""
    latest = progress(connection)
    return latest is not None and latest.epoch == receipt.epoch and latest.began_at > receipt.applied


def is_known(connection: Connection, receipt: Receipt) -> bool:
    """Tell whether a hub that stands at a position has seen, or will yet see, what the latest baseline leaves out.

    Catch-up frames say what is there. Only the marks of a baseline say what is there no more, and those are not sent
    again: a hub from before them would keep withdrawn records for ever.
    """
    latest, pruned = progress(connection), retractions.pruned(connection)
    if latest is None or latest.epoch != receipt.epoch:
        return False
    if pruned is not None and pruned.epoch == receipt.epoch and receipt.applied < pruned.seq:
        # Withdrawals that it has missed are told by nobody any more.
        return False
    return receipt.applied >= (latest.ended_at if latest.is_done else latest.began_at)


def go_on(connection: Connection, writer: FrameWriter) -> bool:
    """Describe the next records, or close the baseline; True while it is not closed."""
    latest = progress(connection)
    if latest is None or latest.is_done:
        return False
    page = store.all_records(connection, latest.after_docid, BASELINE_ROWS)
    if page:
        positions = outbox.append(connection, writer, [event for _, event in page])
        store.placed(connection, [docid for docid, _ in page], positions)
        _remember(connection, msgspec.structs.replace(latest, after_docid=page[-1][0]))
        return True
    total = tally(connection)
    mark = BaselineMarked(
        seq=0,
        previous=0,
        at_ms=0,
        actor=ACTOR,
        phase=BaselinePhase.END,
        cause=latest.cause,
        record_count=total.count,
        digest=total.digest,
    )
    (position,) = outbox.append(connection, writer, [mark])
    _remember(connection, msgspec.structs.replace(latest, is_done=True, ended_at=position))
    return False


def tally(connection: Connection) -> Tally:
    """Return the tally of everything that the site has published and that stands."""
    count, high, low = connection.execute(tally_statement()).one()
    return Tally(count=count, high=high, low=low)


def _remember(connection: Connection, latest: Progress) -> None:
    connection.exec_driver_sql(
        "INSERT INTO fact (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
        (_FACT, msgspec.json.encode(latest).decode()),
    )


@cache
def progress_statement() -> Select[str]:
    """How far the latest baseline came."""
    return select(fact.c.value).where(fact.c.name == _FACT)


@cache
def tally_statement() -> Select[int, int, int]:
    """The tally of the records that are published and stand."""
    return select(*tally_columns(record.c.digest)).where(record.c.standing == Standing.LISTED.value)
