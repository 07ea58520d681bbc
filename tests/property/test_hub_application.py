"""However a site's events are divided into frames and batches, repeated or late, the catalogue and its index agree."""

import itertools
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection

from hub.application import Application
from hub.storage.reindexing import refresh_index
from hub.tables import catalogue_state
from protocol.events import BaselinePhase, Event, WithdrawalCause
from protocol.vocabularies import AccessStatus
from replication.acceptance import AcceptedFrame, whole
from replication.migrations import REPLICATION
from tests.catalogue import VILLAGE, accepted, access_changed, described, fictitious, marked, record_id, withdrawn
from tests.simulation.disk import engine_on, new_image

MIGRATIONS = [REPLICATION, ("hub", Path(__file__).parents[2] / "hub" / "migrations")]
RECORDS = 4

kinds = st.sampled_from(["described"] * 6 + ["withdrawn", "closed", "unreadable", "begin", "end"])
steps = st.tuples(kinds, st.integers(0, RECORDS - 1), st.sampled_from(["林地合同", "茶园合同", "宅基地"]))
histories = st.lists(steps, min_size=1, max_size=25)


def event(seq: int, kind: str, number: int, title: str) -> Event:
    record = fictitious(number, title=title)
    if kind == "withdrawn":
        return withdrawn(seq, record_id(number), WithdrawalCause.OWNER_DECISION)
    if kind == "closed":
        return access_changed(seq, record, AccessStatus.RESTRICTED)
    if kind == "unreadable":
        return access_changed(seq, record, AccessStatus.RESTRICTED, raw=b'{"title":1}')
    if kind in ("begin", "end"):
        return marked(seq, BaselinePhase(kind))
    return described(seq, record)


@cache
def _image() -> bytes:
    return new_image(MIGRATIONS)


@contextmanager
def catalogue() -> Iterator[Connection]:
    engine = engine_on(_image())
    with engine.begin() as connection:
        yield connection
    engine.dispose()


def apply(connection: Connection, frames: Sequence[AcceptedFrame]) -> None:
    application = Application(lambda: 0)
    for frame in frames:
        frame.prepared = whole(application.preparing(frame))
    application.apply(connection, frames)


def shown(connection: Connection) -> list[tuple[object, ...]]:
    """What the catalogue holds, but for the row ids, which depend on the way."""
    rows = connection.exec_driver_sql(
        "SELECT record_id, site, epoch, seq, digest, access_status, fonds_no, body FROM entry WHERE body IS NOT NULL"
        " ORDER BY record_id, site"
    )
    return [tuple(row) for row in rows]


def terms(connection: Connection) -> list[tuple[object, ...]]:
    connection.exec_driver_sql("CREATE VIRTUAL TABLE IF NOT EXISTS temp.terms USING fts5vocab(main, search, instance)")
    return [
        tuple(row) for row in connection.exec_driver_sql("SELECT doc, term, col, offset FROM terms ORDER BY 1, 2, 3, 4")
    ]


def frames_of(events: Sequence[Event], cuts: Sequence[int]) -> list[AcceptedFrame]:
    bounds = sorted({0, len(events), *(cut % (len(events) + 1) for cut in cuts)})
    return [accepted(events[start:end], VILLAGE) for start, end in itertools.pairwise(bounds) if end > start]


@settings(max_examples=60, deadline=None)
@given(histories, st.lists(st.integers(0, 100), max_size=4), st.lists(st.integers(0, 100), max_size=3))
def test_division_into_frames_and_batches_makes_no_difference(
    history: list[tuple[str, int, str]], cuts: list[int], batch_cuts: list[int]
) -> None:
    events = [event(seq, *one) for seq, one in enumerate(history, 1)]
    with catalogue() as plain, catalogue() as divided:
        for one in events:
            apply(plain, [accepted([one])])
        frames = frames_of(events, cuts)
        bounds = sorted({0, len(frames), *(cut % (len(frames) + 1) for cut in batch_cuts)})
        for start, end in itertools.pairwise(bounds):
            apply(divided, frames[start:end])

        assert shown(divided) == shown(plain)


@settings(max_examples=60, deadline=None)
@given(histories, st.data())
def test_repeats_change_nothing_and_the_index_holds_exactly_the_terms_of_the_bodies(
    history: list[tuple[str, int, str]], data: st.DataObject
) -> None:
    """A deletion from the index with other terms than were put in leaves a ghost, unseen by any check of SQLite."""
    events = [event(seq, *one) for seq, one in enumerate(history, 1)]
    frames = frames_of(events, data.draw(st.lists(st.integers(0, 100), max_size=6)))
    repeated = data.draw(st.lists(st.sampled_from(frames), max_size=3))
    with catalogue() as connection:
        for frame in frames:
            apply(connection, [frame])
        before = shown(connection)
        for frame in repeated:
            apply(connection, [msgspec.structs.replace(frame)])
        found = terms(connection)
        connection.execute(catalogue_state.update().values(index_version=-1))
        refresh_index(connection)

        assert found == terms(connection)
        assert shown(connection) == before
