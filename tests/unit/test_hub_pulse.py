"""The pulse: beats are noted in batches and answered with the position that the hub really stands at."""

import asyncio
from collections.abc import AsyncIterator, Sequence

import pytest
from sqlalchemy import Connection

from hub.sites.pulse import ANNOUNCED_S, FRAMES_SHARED, SENDING_S, WAITING_S, Pulse, frames_shared, window_frames
from protocol import codec, subjects
from protocol.beats import Beat, Receipt, Want
from protocol.limits import FRAME_EVENTS_MAX, UNCONFIRMED_FRAMES_MAX
from replication.acknowledgements import call_timeout
from replication.database import Database
from replication.inbox import Taken
from replication.migrations import REPLICATION
from replication.watermarks import Watermark, move
from tests.builders import TOWN, VILLAGE
from tests.fakes import FakeBroker, FakeBus
from tests.stores import Store


@pytest.fixture
async def database(store: Store) -> AsyncIterator[Database]:
    async with store.opened([REPLICATION]) as opened_database:
        yield opened_database


class Notes:
    """Remembers which beats were noted together."""

    def __init__(self) -> None:
        self.batches: list[list[str]] = []

    def note(self, _connection: Connection, beats: Sequence[Beat], _now_ms: int) -> None:
        self.batches.append([f"{beat.site}@{beat.seq}" for beat in beats])


def beat(site: str, seq: int) -> Beat:
    return Beat(site=site, node="U", epoch="e", seq=seq)


async def receipts(broker: FakeBroker) -> list[bytes]:
    """Hear every receipt from here on."""
    heard: list[bytes] = []
    for site in (VILLAGE, TOWN):
        await broker.bus().subscribe(subjects.receipt(site), lambda message: heard.append(message.data))
    return heard


async def test_only_the_latest_beat_of_a_site_is_noted_and_all_in_one_batch(database: Database) -> None:
    notes, broker = Notes(), FakeBroker()
    pulse = Pulse(database, broker.bus(), notes.note, lambda: 0)
    for one in (beat(VILLAGE.code, 1), beat(TOWN.code, 5), beat(VILLAGE.code, 2)):
        await pulse.hear(one)
    await pulse.step()
    assert notes.batches == [[f"{VILLAGE.code}@2", f"{TOWN.code}@5"]]


async def test_a_beat_is_answered_with_what_was_applied_not_with_what_the_node_says(database: Database) -> None:
    broker = FakeBroker()
    heard = await receipts(broker)
    after = Watermark(site=VILLAGE.code, node="U", epoch="e", position=3, chain="c", want=Want.BASELINE)
    await database.write(lambda c: move(c, Watermark(site=VILLAGE.code), after, 0))
    pulse = Pulse(database, broker.bus(), Notes().note, lambda: 7)
    await pulse.hear(beat(VILLAGE.code, 99))
    await pulse.step()
    await asyncio.sleep(0)
    (receipt,) = [codec.decode_receipt(data) for data in heard]
    assert (receipt.applied, receipt.epoch, receipt.chain, receipt.want) == (3, "e", "c", Want.BASELINE)


async def test_a_site_of_which_nothing_is_known_is_told_so(database: Database) -> None:
    broker = FakeBroker()
    heard = await receipts(broker)
    pulse = Pulse(database, broker.bus(), Notes().note, lambda: 0)
    await pulse.hear(beat(TOWN.code, 4))
    await pulse.step()
    await asyncio.sleep(0)
    (receipt,) = [codec.decode_receipt(data) for data in heard]
    assert (receipt.epoch, receipt.applied) == ("", 0)


class StalledBus(FakeBus):
    """A bus whose link stands, but takes no more bytes."""

    async def publish(self, subject: str, payload: bytes, reply: str = "") -> None:  # noqa: ARG002 - it takes nothing
        raise call_timeout(1.0)


async def test_a_link_that_takes_no_more_bytes_does_not_end_the_hub(database: Database) -> None:
    """A receipt is repeated state: the next beat is answered with the same."""
    notes = Notes()
    pulse = Pulse(database, StalledBus(FakeBroker()), notes.note, lambda: 0)
    await pulse.hear(beat(VILLAGE.code, 1))
    await pulse.step()
    await pulse.confirm(Taken(receipts={VILLAGE.code: Receipt(site=VILLAGE.code, epoch="e", applied=1)}))
    assert notes.batches == [[f"{VILLAGE.code}@1"]]


async def test_a_lost_link_loses_no_beat(database: Database) -> None:
    notes, broker = Notes(), FakeBroker()
    bus: FakeBus = broker.bus()
    bus.down()
    pulse = Pulse(database, bus, notes.note, lambda: 0)
    await pulse.hear(beat(VILLAGE.code, 1))
    await pulse.step()
    assert notes.batches == [[f"{VILLAGE.code}@1"]]


async def test_sites_that_send_at_the_same_time_share_the_stream(database: Database) -> None:
    broker, now_s = FakeBroker(), 0.0
    heard = await receipts(broker)
    pulse = Pulse(database, broker.bus(), Notes().note, lambda: 0, monotonic=lambda: now_s)
    others = {f"3305231{number:05d}": Receipt(site=VILLAGE.code, epoch="e", applied=1) for number in range(7)}
    await pulse.confirm(Taken(receipts={VILLAGE.code: Receipt(site=VILLAGE.code, epoch="e", applied=1), **others}))
    now_s += SENDING_S + 1
    await pulse.confirm(Taken(receipts={VILLAGE.code: Receipt(site=VILLAGE.code, epoch="e", applied=2)}))
    await asyncio.sleep(0)
    windows = [codec.decode_receipt(data).window_frames for data in heard]
    assert windows == [FRAMES_SHARED // 8] * 8 + [UNCONFIRMED_FRAMES_MAX]


@pytest.mark.parametrize(("sending", "frames"), [(0, 64), (1, 64), (2, 64), (4, 32), (64, 2), (232, 2)])
def test_window_is_bounded_both_ways(sending: int, frames: int) -> None:
    assert window_frames(sending) == frames


async def _windows(pulse: Pulse, heard: list[bytes], *steps: str) -> list[int]:
    """Have the pulse answer the beats that it has heard, or confirm something of the village."""
    for step in steps:
        if step == "beats":
            await pulse.step()
        else:
            await pulse.confirm(Taken(receipts={VILLAGE.code: Receipt(site=VILLAGE.code, epoch="e", applied=1)}))
    await asyncio.sleep(0)
    return [codec.decode_receipt(data).window_frames for data in heard]


async def test_backlogs_that_beats_announce_share_the_stream_before_anything_of_them_is_applied(
    database: Database,
) -> None:
    """After an outage a whole county connects within a second, and each site would take the whole window."""
    broker, now_s = FakeBroker(), 0.0
    heard = await receipts(broker)
    pulse = Pulse(database, broker.bus(), Notes().note, lambda: 0, monotonic=lambda: now_s)
    for number in range(15):
        await pulse.hear(Beat(site=f"3305231{number:05d}", node="U", epoch="e", seq=1, outbox_frames=900))
    await pulse.hear(Beat(site=VILLAGE.code, node="U", epoch="e", seq=1, outbox_frames=900))
    assert await _windows(pulse, heard, "beats") == [FRAMES_SHARED // 16]
    now_s += ANNOUNCED_S + 1
    assert await _windows(pulse, heard, "confirm") == [FRAMES_SHARED // 16, UNCONFIRMED_FRAMES_MAX]


async def test_site_that_says_its_backlog_is_gone_gives_its_share_back(database: Database) -> None:
    broker, now_s = FakeBroker(), 0.0
    heard = await receipts(broker)
    pulse = Pulse(database, broker.bus(), Notes().note, lambda: 0, monotonic=lambda: now_s)
    for frames in (900, 0):
        for number in range(8):
            await pulse.hear(Beat(site=f"3305231{number:05d}", node="U", epoch="e", seq=1, outbox_frames=frames))
    now_s += SENDING_S + 1
    assert await _windows(pulse, heard, "confirm") == [UNCONFIRMED_FRAMES_MAX]


async def test_slow_hub_lets_less_wait_in_the_stream(database: Database) -> None:
    """The promise is in seconds: a hub on a slow disk keeps it with fewer frames."""
    broker = FakeBroker()
    heard = await receipts(broker)
    pulse = Pulse(database, broker.bus(), Notes().note, lambda: 0)
    confirmed = {VILLAGE.code: Receipt(site=VILLAGE.code, epoch="e", applied=1)}
    for took_s in (0.001, WAITING_S / 10, WAITING_S / 10):
        await pulse.confirm(Taken(receipts=confirmed, applied_events=FRAME_EVENTS_MAX, took_s=took_s))
    await pulse.confirm(Taken(receipts=confirmed, applied_events=1, took_s=9.0))
    await asyncio.sleep(0)
    windows = [codec.decode_receipt(data).window_frames for data in heard]
    assert windows[0] == UNCONFIRMED_FRAMES_MAX
    assert 10 < windows[2] < windows[1] < UNCONFIRMED_FRAMES_MAX
    assert windows[3] == windows[2]


@pytest.mark.parametrize(
    ("event_us", "frames"), [(0, FRAMES_SHARED), (10, FRAMES_SHARED), (80, 50), (400, 10), (9_000, 2)]
)
def test_what_waits_is_two_seconds_of_the_hubs_work(event_us: int, frames: int) -> None:
    assert frames_shared(event_us / 1e6) == frames
