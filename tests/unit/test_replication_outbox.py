"""The outbox: positions, frames and what a receipt lets go."""

from collections.abc import AsyncIterator, Sequence
from functools import partial
from pathlib import Path

import pytest
from sqlalchemy import Connection

from protocol.errors import BadValue
from protocol.events import EventHead
from protocol.frames import END_DIGITS, Frame, frame_digest
from protocol.limits import FRAME_BYTES_MAX, FRAME_EVENTS_MAX
from replication import outbox
from replication.catch_up import catch_up_frame
from replication.database import Database, opened
from replication.migrations import REPLICATION
from replication.seal import unseal
from tests.builders import chain_at, described, drafts, frame_writer, record


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    async with opened(tmp_path / "site.db", [REPLICATION]) as opened_database:
        await opened_database.write(lambda c: outbox.start_epoch(c, "epoch-a", ()))
        yield opened_database


async def test_positions_follow_each_other_without_holes(database: Database) -> None:
    first = await database.write(lambda c: outbox.append(c, frame_writer(), drafts(3)))
    second = await database.write(lambda c: outbox.append(c, frame_writer(), drafts(2)))
    assert [*first, *second] == [1, 2, 3, 4, 5]


async def test_frames_are_bounded_and_chained(database: Database) -> None:
    writer = frame_writer()
    await database.write(lambda c: outbox.append(c, writer, drafts(FRAME_EVENTS_MAX + 1)))
    sealed = await database.read(lambda c: outbox.frames_after(c, 0, 10))
    frames = [unseal(frame.sealed, [writer.identity.public_key]) for frame in sealed]
    assert sum(len(frame.events) for frame in frames) == FRAME_EVENTS_MAX + 1
    assert all(len(frame.events) <= FRAME_EVENTS_MAX for frame in frames)
    assert [frame.previous for frame in frames[1:]] == [frame.last for frame in frames[:-1]]
    assert [frame.chain for frame in frames] == ["", *(frame_digest(entry.sealed) for entry in sealed[:-1])]


async def test_text_that_does_not_compress_still_fits_a_frame(database: Database) -> None:
    # 40 events of 20 kB of distinct rare characters: far more than one frame holds.
    big = [
        described(record(note="".join(chr(0x4E00 + (i * 7919 + j * 31) % 20000) for j in range(900))))
        for i in range(300)
    ]
    await database.write(lambda c: outbox.append(c, frame_writer(), big))
    sealed = await database.read(lambda c: outbox.frames_after(c, 0, 100))
    assert len(sealed) > 1
    assert max(len(frame.sealed) for frame in sealed) <= FRAME_BYTES_MAX


async def test_an_oversized_event_is_refused_and_leaves_nothing(database: Database) -> None:
    huge = described(record(note="长" * 40_000))
    with pytest.raises(BadValue, match="allowed are"):
        await database.write(lambda c: outbox.append(c, frame_writer(), [described(), huge]))
    assert await database.read(outbox.depth) == 0
    here = await database.read(outbox.head)
    assert here is not None
    assert here.seq == 0


async def test_a_failed_transaction_gives_its_positions_back(database: Database) -> None:
    def fail(connection: object) -> None:
        outbox.append(connection, frame_writer(), drafts(2))  # type: ignore[arg-type]
        message = "power cut"
        raise RuntimeError(message)

    with pytest.raises(RuntimeError):
        await database.write(fail)
    positions = await database.write(lambda c: outbox.append(c, frame_writer(), drafts(1)))
    assert list(positions) == [1]


async def test_only_what_a_receipt_covers_is_forgotten(database: Database) -> None:
    for count in (2, 3, 4):
        await database.write(partial(outbox.append, writer=frame_writer(), drafts=drafts(count)))
    assert await database.write(lambda c: outbox.forget(c, 4)) == 1
    left = await database.read(lambda c: outbox.frames_after(c, 0, 10))
    assert [(frame.previous, frame.last) for frame in left] == [(2, 5), (5, 9)]


async def test_a_new_epoch_starts_at_one_and_names_what_it_retires(database: Database) -> None:
    await database.write(lambda c: outbox.append(c, frame_writer(), drafts(2)))
    await database.write(lambda c: outbox.start_epoch(c, "epoch-b", ("epoch-a",)))
    positions = await database.write(lambda c: outbox.append(c, frame_writer(), drafts(1)))
    (frame,) = await database.read(lambda c: outbox.frames_after(c, 0, 10))
    read = unseal(frame.sealed, [frame_writer().identity.public_key])
    assert list(positions) == [1]
    assert (read.epoch, read.retires, read.chain) == ("epoch-b", ("epoch-a",), "")


class Changes:
    """A history that holds what the test says."""

    def __init__(self, *seqs: int) -> None:
        self.events = [described(seq=seq) for seq in seqs]

    def changes_after(self, _connection: Connection, seq: int, limit: int) -> Sequence[EventHead]:
        return [event for event in self.events if event.seq > seq][:limit]


async def caught_up(database: Database, after: int, changes: Changes) -> list[Frame]:
    """Return the frames that a receiver at ``after`` gets until the outbox takes over."""
    writer = frame_writer()
    frames: list[Frame] = []
    while sealed := await database.read(
        partial(catch_up_frame, writer=writer, history=changes, after=frames[-1].last if frames else after)
    ):
        frames.append(unseal(sealed.sealed, [writer.identity.public_key]))
    return frames


@pytest.mark.parametrize("still_true", [501, 500, 499, 1])
async def test_catch_up_covers_exactly_what_the_outbox_forgot(database: Database, still_true: int) -> None:
    await database.write(partial(outbox.append, writer=frame_writer(), drafts=drafts(600)))
    await database.write(partial(outbox.append, writer=frame_writer(), drafts=drafts(5)))
    await database.write(lambda c: outbox.forget(c, 600))
    frames = await caught_up(database, 40, Changes(*range(601 - still_true, 606)))
    (waiting,) = await database.read(lambda c: outbox.frames_after(c, 600, 10))
    assert (frames[0].previous, frames[-1].last) == (40, 600)
    assert sum(len(frame.events) for frame in frames) == still_true
    assert [frame.previous for frame in frames[1:]] == [frame.last for frame in frames[:-1]]
    assert [frame.stands_for for frame in frames] == [*[""] * (len(frames) - 1), waiting.chain]
    assert all(frame.catch_up for frame in frames)


async def test_catch_up_names_where_the_frames_ended_that_it_replaces(database: Database) -> None:
    for count in (2, 3, 4):
        await database.write(partial(outbox.append, writer=frame_writer(), drafts=drafts(count)))
    known = {
        frame.last: frame.digest[:END_DIGITS] for frame in await database.read(lambda c: outbox.frames_after(c, 0, 9))
    }
    await database.write(lambda c: outbox.forget(c, 9))
    (whole,) = await caught_up(database, 2, Changes(*range(3, 10)))
    (inside,) = await caught_up(database, 4, Changes(*range(5, 10)))
    assert (whole.ends, inside.ends) == (((2, known[2]), (5, known[5])), ((5, known[5]),))


async def test_catch_up_from_before_what_is_remembered_names_no_ends(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outbox, "FORGOTTEN_SPAN", 3)
    for count in (2, 3, 4):
        await database.write(partial(outbox.append, writer=frame_writer(), drafts=drafts(count)))
    await database.write(lambda c: outbox.forget(c, 9))
    (frame,) = await caught_up(database, 2, Changes(*range(3, 10)))
    assert frame.ends is None


async def test_catch_up_over_very_many_small_frames_names_no_ends(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A frame has so much room."""
    monkeypatch.setattr(outbox, "CATCH_UP_ENDS_MAX", 2)
    for _ in range(5):
        await database.write(partial(outbox.append, writer=frame_writer(), drafts=drafts(1)))
    await database.write(lambda c: outbox.forget(c, 5))
    (many,), (few,) = [await caught_up(database, after, Changes(*range(after + 1, 6))) for after in (2, 3)]
    assert (many.ends, len(few.ends or ())) == (None, 2)


async def test_catch_up_of_overtaken_changes_only_is_one_empty_frame(database: Database) -> None:
    await database.write(partial(outbox.append, writer=frame_writer(), drafts=drafts(3)))
    await database.write(lambda c: outbox.forget(c, 3))
    (frame,) = await caught_up(database, 1, Changes())
    assert (frame.previous, frame.last, len(frame.events)) == (1, 3, 0)


async def digest_at(database: Database, position: int) -> str:
    digest = await database.read(lambda c: chain_at(c, position))
    assert digest
    return digest


async def contradicts(database: Database, position: int, chain: str) -> bool:
    held = await database.read(outbox.extent)
    assert held is not None
    return await database.read(lambda c: outbox.contradicts(c, held, position, chain))


async def test_a_forgotten_frame_still_tells_who_has_this_history(database: Database) -> None:
    """A hub that is put back twice, with a copy of the site in between, stands in a history that is not this one."""
    for count in (2, 3, 4):
        await database.write(partial(outbox.append, writer=frame_writer(), drafts=drafts(count)))
    ended = await digest_at(database, 2)
    await database.write(lambda c: outbox.forget(c, 9))
    told = [await contradicts(database, position, chain) for position, chain in ((2, ended), (2, "other"), (3, ended))]
    assert told == [False, True, True]
    assert [await contradicts(database, position, "") for position in (0, 3, 9)] == [False, False, True]


async def test_of_frames_that_are_no_longer_remembered_nothing_is_told(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So little is kept for ever, and nobody is accused: he is described everything anew."""
    monkeypatch.setattr(outbox, "FORGOTTEN_SPAN", 5)
    for _ in range(10):
        await database.write(partial(outbox.append, writer=frame_writer(), drafts=drafts(1)))
    await database.write(lambda c: outbox.forget(c, 9))
    remembered = [await database.read(partial(outbox.remembers, position=position)) for position in range(11)]
    assert remembered == [False] * 5 + [True] * 6
    assert [await contradicts(database, position, "other") for position in (4, 5)] == [False, True]


async def test_an_outbox_of_before_this_memory_accuses_nobody(database: Database) -> None:
    """A database that was migrated remembers nothing of what it forgot before; where its outbox begins, it does."""
    for count in (2, 3):
        await database.write(partial(outbox.append, writer=frame_writer(), drafts=drafts(count)))
    start = await digest_at(database, 2)
    await database.write(lambda c: outbox.forget(c, 2))
    await database.write(lambda c: c.exec_driver_sql("DELETE FROM forgotten_frame"))
    told = [await contradicts(database, position, chain) for position, chain in ((1, "x"), (2, start), (2, "x"))]
    assert told == [False, False, True]
    assert [await database.read(partial(outbox.remembers, position=position)) for position in (1, 2)] == [False, True]
