"""The inbox: any order, any repetition, any loss, and damaged frames."""

import random
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path

import msgspec
import pytest
from sqlalchemy import Connection

from protocol.beats import Want
from protocol.codec import decode_record, encode_event
from protocol.events import Described, EventHead, WithdrawalCause, Withdrawn
from protocol.frames import Frame
from protocol.sites import Site
from replication import outbox, quarantine
from replication.catch_up import catch_up_frame
from replication.database import Database, opened
from replication.digests import record_digest
from replication.inbox import PARKED_FRAMES_MAX, Inbox, Taken
from replication.migrations import REPLICATION
from replication.outbox import CatchUp, FrameWriter
from replication.seal import seal
from replication.watermarks import Verdict
from tests.builders import TOWN, VILLAGE, chain_at, described, drafts, frame_writer, identity, record
from tests.ledger import Ledger, schema_of, tally
from tests.stores import Store
from tests.tallies import tally_of

KEYS = {VILLAGE.code: {identity(1).public_key}, TOWN.code: {identity(2).public_key}}


class Hub:
    """A receiving end: a database, a ledger, an inbox."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.ledger = Ledger()
        self.inbox = Inbox(database, self.ledger, lambda site: KEYS.get(site.code, set()), lambda: 1_700_000_000_000)

    async def take(self, *sealed: bytes, site: Site = VILLAGE) -> Taken:
        return await self.inbox.take(self.inbox.read((site, frame) for frame in sealed))

    async def digest(self, site: Site = VILLAGE) -> str:
        return (await self.database.read(lambda c: tally(c, site.code))).digest


@pytest.fixture
async def hub(store: Store) -> AsyncIterator[Hub]:
    async with store.opened([REPLICATION]) as database:
        await database.write(lambda c: c.exec_driver_sql(schema_of(c)))
        yield Hub(database)


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Database]:
    async with opened(tmp_path / "site.db", [REPLICATION]) as database:
        await database.write(lambda c: outbox.start_epoch(c, "epoch-a", ()))
        yield database


async def mint(site: Database, *batches: list[EventHead], writer: FrameWriter | None = None) -> list[bytes]:
    """Append each batch as a frame of its own and return all sealed frames."""
    for batch in batches:
        await site.write(partial(outbox.append, writer=writer or frame_writer(), drafts=batch))
    return [frame.sealed for frame in await site.read(lambda c: outbox.frames_after(c, 0, 1000))]


async def test_frames_in_order_move_the_watermark(hub: Hub, site: Database) -> None:
    frames = await mint(site, drafts(2), drafts(3))
    taken = await hub.take(*frames)
    receipt = taken.receipts[VILLAGE.code]
    here = await site.read(outbox.head)
    assert here is not None
    assert (receipt.epoch, receipt.applied, receipt.chain, receipt.want) == ("epoch-a", 5, here.chain, Want.NOTHING)
    assert (hub.ledger.applied, taken.gaps) == ([1, 2, 3, 4, 5], [])


async def test_replayed_frame_changes_nothing(hub: Hub, site: Database) -> None:
    frames = await mint(site, drafts(2), drafts(3))
    await hub.take(*frames)
    again = await hub.take(*frames, frames[0])
    assert again.verdicts == {Verdict.REPLAY: 3}
    assert hub.ledger.applied == [1, 2, 3, 4, 5]


@pytest.mark.parametrize("seed", range(20))
async def test_any_order_and_repetition_comes_to_the_same_catalogue(hub: Hub, site: Database, seed: int) -> None:
    shuffled = random.Random(seed)
    entries = [record() for _ in range(12)]
    batches: list[list[EventHead]] = [[described(shuffled.choice(entries))] for _ in range(15)]
    batches.append(
        [Withdrawn(seq=0, previous=0, at_ms=0, record_id=entries[0].record_id, cause=WithdrawalCause.OWNER_DECISION)]
    )
    frames = await mint(site, *batches)
    arriving = frames + shuffled.choices(frames, k=10)
    shuffled.shuffle(arriving)
    while arriving:
        size = shuffled.randint(1, 4)
        await hub.take(*arriving[:size])
        arriving = arriving[size:]
    latest = {
        decode_record(event.record).record_id: bytes(event.record)
        for (event,) in batches
        if isinstance(event, Described)
    }
    latest.pop(entries[0].record_id, None)
    assert await hub.digest() == tally_of([record_digest(body) for body in latest.values()]).digest
    assert hub.ledger.applied == list(range(1, 17))


async def test_a_gap_is_seen_at_once_and_named(hub: Hub, site: Database) -> None:
    frames = await mint(site, drafts(2), drafts(3), drafts(1))
    await hub.take(frames[0])
    taken = await hub.take(frames[2])
    (gap,) = taken.gaps
    assert (gap.site, gap.epoch, gap.after) == (VILLAGE, "epoch-a", 2)
    closed = await hub.take(frames[1])
    assert (closed.gaps, closed.receipts[VILLAGE.code].applied) == ([], 6)


async def test_parking_is_bounded_and_loses_nothing_for_good(hub: Hub, site: Database) -> None:
    frames = await mint(site, *(drafts(1) for _ in range(PARKED_FRAMES_MAX + 10)))
    await hub.take(*frames[1:])
    held = await hub.database.read(lambda c: c.exec_driver_sql("SELECT count(*) FROM parked_frame").scalar_one())
    assert held == PARKED_FRAMES_MAX
    await hub.take(*frames)
    assert hub.ledger.applied == list(range(1, PARKED_FRAMES_MAX + 11))


async def test_frames_of_an_epoch_that_never_begins_give_way(hub: Hub, site: Database) -> None:
    """A copy that is gone for good left them; the site that lives must not find the parking full for ever."""
    dead = await mint(site, *(drafts(1) for _ in range(PARKED_FRAMES_MAX + 1)))
    await hub.take(*dead[1:])
    await site.write(lambda c: outbox.start_epoch(c, "epoch-b", ()))
    living = await mint(site, drafts(2), drafts(1))
    taken = await hub.take(living[1])
    assert {(gap.epoch, gap.after) for gap in taken.gaps} == {("epoch-a", 0), ("epoch-b", 0)}
    await hub.take(living[0])
    assert hub.ledger.applied == [1, 2, 3]


async def test_a_parked_frame_of_another_history_never_slips_into_a_catch_up(hub: Hub, site: Database) -> None:
    """The hub was put back with it, and the site to before it: a catch-up came by between two of its frames."""
    (first,) = await mint(site, drafts(2))
    await hub.take(first)
    image = await site.read(lambda c: c.exec_driver_sql("SELECT seq, chain FROM head").one())
    lost = await mint(site, drafts(3), drafts(3))
    await hub.take(lost[-1])
    await site.write(lambda c: c.exec_driver_sql("DELETE FROM outbox WHERE last > 2"))
    await site.write(lambda c: c.exec_driver_sql("UPDATE head SET seq = ?, chain = ?", tuple(image)))
    minted = drafts(8)
    await mint(site, minted)
    await site.write(lambda c: outbox.forget(c, 10))
    placed = [msgspec.structs.replace(event, seq=seq) for seq, event in enumerate(minted, 3)]
    # A page at a time, as a long catch-up comes: the first ends inside of the frame that was lost.
    for after, last, stands_for in ((2, 6, ""), (6, 10, await ended_at(site, 10))):
        writer, position = frame_writer(), outbox.Position(epoch="epoch-a", seq=after, chain="")
        events = [encode_event(event) for event in placed if after < event.seq <= last]
        await hub.take(writer.frame(position, last, events, catch_up=CatchUp(stands_for=stands_for)))
    assert hub.ledger.applied == list(range(1, 11))
    here = await hub.digest()
    bodies = [event.record for event in minted if isinstance(event, Described)]
    assert here.startswith(f"{2 + len(bodies)}-")


class Nothing:
    """A history of which everything was overtaken: its catch-up frames are empty."""

    def changes_after(self, _connection: Connection, _seq: int, _limit: int) -> list[EventHead]:
        return []


async def caught_up(site: Database, after: int) -> bytes:
    """The catch-up frame of a site that has forgotten everything."""
    here = await site.read(outbox.head)
    assert here is not None
    await site.write(lambda c: outbox.forget(c, here.seq))
    frame = await site.read(partial(catch_up_frame, writer=frame_writer(), history=Nothing(), after=after))
    return frame.sealed if frame is not None else b""


async def test_a_stale_catch_up_is_not_applied_to_another_history(hub: Hub, site: Database, tmp_path: Path) -> None:
    """It was on its way while the hub was put back to what a copy of the site once told it, in the same epoch."""
    await mint(site, drafts(2), drafts(3))
    stale = await caught_up(site, 2)
    async with opened(tmp_path / "copy.db", [REPLICATION]) as copy:
        await copy.write(lambda c: outbox.start_epoch(c, "epoch-a", ()))
        await hub.take(*await mint(copy, drafts(2)[::-1]))
    taken = await hub.take(stale)

    assert (taken.verdicts, taken.receipts[VILLAGE.code].want) == ({Verdict.FORK: 1}, Want.NEW_EPOCH)
    assert taken.receipts[VILLAGE.code].applied == 2


async def test_a_stale_catch_up_is_not_applied_where_its_history_has_no_frame_end(hub: Hub, site: Database) -> None:
    await mint(site, drafts(2), drafts(3))
    await hub.take((await mint_anew(site, drafts(3)))[0])
    assert (await hub.take(await caught_up(site, 2))).verdicts == {Verdict.FORK: 1}


async def mint_anew(site: Database, minted: list[EventHead]) -> list[bytes]:
    """Return what a copy of a site that had nothing yet would send."""
    writer, position = frame_writer(), outbox.Position(epoch="epoch-a", seq=0, chain="")
    placed = [msgspec.structs.replace(event, seq=seq) for seq, event in enumerate(minted, 1)]
    return [writer.frame(position, len(placed), [encode_event(event) for event in placed])]


async def test_catch_ups_that_overlap_are_applied_in_their_own_history(hub: Hub, site: Database) -> None:
    """A round of them may begin before what the hub has by now."""
    await hub.take(*await mint(site, drafts(2), drafts(3)))
    await mint(site, drafts(4))
    taken = await hub.take(await caught_up(site, 2))
    assert (taken.verdicts, taken.receipts[VILLAGE.code].applied) == ({Verdict.APPLY: 1}, 9)


async def ended_at(site: Database, position: int) -> str:
    return await site.read(lambda c: chain_at(c, position))


async def test_of_one_epoch_the_nearest_frames_are_kept(hub: Hub, site: Database) -> None:
    """They are what follows first once the gap closes; the others are sent again."""
    frames = await mint(site, *(drafts(1) for _ in range(PARKED_FRAMES_MAX + 3)))
    await hub.take(*reversed(frames[1:]))
    await hub.take(frames[0])
    assert hub.ledger.applied == list(range(1, PARKED_FRAMES_MAX + 2))


async def test_a_damaged_frame_is_quarantined_and_the_others_go_on(hub: Hub, site: Database) -> None:
    frames = await mint(site, drafts(2), drafts(3))
    damaged = frames[0][:80] + bytes([frames[0][80] ^ 1]) + frames[0][81:]
    taken = await hub.take(damaged, *frames)
    (kept,) = await hub.database.read(quarantine.listed)
    assert (taken.quarantined, taken.receipts[VILLAGE.code].applied) == (1, 5)
    assert kept.fault.startswith("bad_frame")
    assert "签名" in kept.reason.zh
    assert kept.content == damaged


async def test_a_frame_of_a_foreign_key_is_quarantined(hub: Hub, site: Database) -> None:
    forged = await mint(site, drafts(1), writer=frame_writer(VILLAGE, number=9))
    taken = await hub.take(*forged)
    assert (taken.quarantined, hub.ledger.applied) == (1, [])


async def test_a_site_cannot_speak_for_another(hub: Hub, site: Database) -> None:
    frames = await mint(site, drafts(1), writer=frame_writer(VILLAGE, number=2))
    taken = await hub.take(*frames, site=TOWN)
    assert (taken.quarantined, hub.ledger.applied) == (1, [])


async def test_parked_frames_that_are_not_due_are_not_read_again(hub: Hub, site: Database) -> None:
    """A full parking place would otherwise be unsealed at each frame of its site, and every other site would wait."""
    frames = await mint(site, *[drafts(1) for _ in range(12)])
    await hub.take(*frames[2:])
    asked: list[Site] = []

    def keys_of(one: Site) -> set[str]:
        asked.append(one)
        return KEYS[one.code]

    inbox = Inbox(hub.database, hub.ledger, keys_of, lambda: 1)
    await inbox.take(inbox.read([(VILLAGE, frames[0])]))
    assert (len(asked), hub.ledger.applied) == (1, [1])
    await inbox.take(inbox.read([(VILLAGE, frames[1])]))
    assert (len(asked), hub.ledger.applied) == (2 + 10, list(range(1, 13)))


async def test_an_unknown_kind_is_quarantined_alone(hub: Hub) -> None:
    events = (
        msgspec.Raw(msgspec.json.encode(described(seq=1))),
        msgspec.Raw(b'{"kind":"volume_rebound","seq":2,"previous":1,"at_ms":0}'),
        msgspec.Raw(msgspec.json.encode(described(seq=3))),
    )
    key = identity(1)
    sealed = seal(Frame(site=VILLAGE.code, node=key.public_key, epoch="e", previous=0, last=3, events=events), key)
    taken = await hub.take(sealed)
    (kept,) = await hub.database.read(quarantine.listed)
    assert (hub.ledger.applied, taken.receipts[VILLAGE.code].applied) == ([1, 3], 3)
    assert (kept.fault, kept.seq) == ("unknown_kind", 2)
    assert "upgrade" in kept.hint.en


async def test_a_copied_database_is_noticed_and_asked_for_a_new_epoch(hub: Hub, site: Database, tmp_path: Path) -> None:
    first, second = await mint(site, drafts(2), drafts(1))
    await hub.take(first, second)
    async with opened(tmp_path / "copy.db", [REPLICATION]) as copy:
        await copy.write(lambda c: outbox.start_epoch(c, "epoch-a", ()))
        twins = await mint(copy, drafts(2), drafts(2))
    taken = await hub.take(*twins)
    assert taken.receipts[VILLAGE.code].want is Want.NEW_EPOCH
    assert taken.verdicts[Verdict.FORK] >= 1
    assert hub.ledger.applied == [1, 2, 3]


async def test_a_new_epoch_replaces_the_old_and_late_frames_of_the_old_do_nothing(hub: Hub, site: Database) -> None:
    old = await mint(site, drafts(2), drafts(1))
    await hub.take(old[0])
    await site.write(lambda c: outbox.start_epoch(c, "epoch-b", ("epoch-a",)))
    new = await mint(site, drafts(4))
    taken = await hub.take(*new)
    late = await hub.take(old[1])
    assert (taken.receipts[VILLAGE.code].epoch, taken.receipts[VILLAGE.code].applied) == ("epoch-b", 4)
    assert late.verdicts == {Verdict.OLD_EPOCH: 1}


class Changes:
    """A history that holds what the test says."""

    def __init__(self, *events: EventHead) -> None:
        self.events = events

    def changes_after(self, _connection: Connection, seq: int, limit: int) -> list[EventHead]:
        return [event for event in self.events if event.seq > seq][:limit]


async def test_a_hub_put_back_to_yesterday_catches_up_from_the_records(hub: Hub, site: Database) -> None:
    writer = frame_writer()
    batches = [drafts(3), drafts(3), drafts(2)]
    frames = await mint(site, *batches)
    await hub.take(frames[0])
    await site.write(lambda c: outbox.forget(c, 6))
    history = Changes(*(msgspec.structs.replace(e, seq=i) for i, e in enumerate([*batches[1], *batches[2]], 4)))
    made = await site.read(partial(catch_up_frame, writer=writer, history=history, after=3))
    assert made is not None
    await hub.take(made.sealed)
    taken = await hub.take(frames[2])
    here = await site.read(outbox.head)
    assert here is not None
    assert (taken.receipts[VILLAGE.code].applied, taken.receipts[VILLAGE.code].chain) == (8, here.chain)
    assert hub.ledger.applied == [1, 2, 3, 4, 5, 6, 7, 8]
