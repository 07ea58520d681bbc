"""The outbox: positions, frames and what a receipt lets go."""

from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path

import pytest

from protocol.errors import BadValue
from protocol.frames import frame_digest
from protocol.limits import FRAME_BYTES_MAX, FRAME_EVENTS_MAX
from replication import outbox
from replication.catch_up import catch_up_frames
from replication.database import Database, opened
from replication.migrations import REPLICATION
from replication.seal import unseal
from tests.builders import described, drafts, frame_writer, record


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


async def test_catch_up_covers_exactly_what_the_outbox_forgot(database: Database) -> None:
    writer = frame_writer()
    await database.write(lambda c: outbox.append(c, writer, drafts(600)))
    await database.write(lambda c: outbox.append(c, writer, drafts(5)))
    await database.write(lambda c: outbox.forget(c, 600))
    # Of the 600, only 501 are still the latest word on their record.
    changes = [described(seq=seq) for seq in range(100, 601)]
    frames = await database.read(lambda c: catch_up_frames(c, writer, 40, changes))
    read = [unseal(frame.sealed, [writer.identity.public_key]) for frame in frames]
    (waiting,) = await database.read(lambda c: outbox.frames_after(c, 600, 10))
    assert (read[0].previous, read[-1].last) == (40, 600)
    assert sum(len(frame.events) for frame in read) == 501
    assert read[-1].stands_for == waiting.chain
    assert all(frame.catch_up for frame in read)


async def test_catch_up_of_overtaken_changes_only_is_one_empty_frame(database: Database) -> None:
    writer = frame_writer()
    await database.write(lambda c: outbox.append(c, writer, drafts(3)))
    await database.write(lambda c: outbox.forget(c, 3))
    (frame,) = await database.read(lambda c: catch_up_frames(c, writer, 1, []))
    read = unseal(frame.sealed, [writer.identity.public_key])
    assert (read.previous, read.last, len(read.events)) == (1, 3, 0)
