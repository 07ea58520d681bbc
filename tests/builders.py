"""Builders of values for tests: each gives a valid whole, of which a test names only the part it is about."""

import itertools
import uuid
from collections.abc import Sequence
from typing import Any

import msgspec
from sqlalchemy import Connection

from protocol.codec import encode_record
from protocol.events import Described, EventHead
from protocol.records import Record
from protocol.sites import Site, parse_site
from replication.keys import Identity, new_seed
from replication.outbox import FrameWriter

_CHAIN = (
    "SELECT digest FROM outbox WHERE last = ?1 UNION ALL SELECT digest FROM forgotten_frame WHERE last = ?1"
    " UNION ALL SELECT chain FROM outbox WHERE previous = ?1"
)
VILLAGE = parse_site("330523108204")
TOWN = parse_site("330523108000")
_serial = itertools.count(1)


def record(**fields: Any) -> Record:  # noqa: ANN401 - any field of a record
    """Return a record with a title and an id of its own."""
    serial = next(_serial)
    given: dict[str, Any] = {
        "record_id": uuid.UUID(int=serial << 64 | serial * 7919),
        "repository_id": VILLAGE.code,
        "title": f"关于第{serial}号山林承包合同的批复",
    }
    return Record(**(given | fields))


def described(entry: Record | None = None, *, seq: int = 0, previous: int | None = None) -> Described:
    """Return the event that describes a record; without a position it is a draft for the outbox."""
    body = msgspec.Raw(encode_record(record() if entry is None else entry))
    return Described(seq=seq, previous=seq - 1 if previous is None and seq else previous or 0, at_ms=0, record=body)


def drafts(count: int) -> list[EventHead]:
    """Return some events that wait for their positions."""
    return [described() for _ in range(count)]


def identity(number: int = 1) -> Identity:
    """Return a key pair that is the same in every run."""
    return Identity(new_seed(number.to_bytes(32, "big")))


def frame_writer(site: Site = VILLAGE, number: int = 1) -> FrameWriter:
    """Return a writer with a fixed key and a clock that stands still."""
    return FrameWriter(site.code, identity(number), clock_ms=lambda: 1_700_000_000_000)


def titles(records: Sequence[Record]) -> list[str]:
    """Return the titles of some records."""
    return [entry.title for entry in records]


def chain_at(connection: Connection, position: int) -> str:
    """Return the digest that a site's frames have come to at a position; nothing where no frame ends there."""
    found = connection.exec_driver_sql(_CHAIN, (position,)).first()
    return "" if found is None else str(found[0])
