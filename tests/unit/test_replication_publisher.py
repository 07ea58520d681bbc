"""The publisher: the outbox empties only by receipts, and what the broker loses is sent again."""

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Sequence
from functools import partial
from pathlib import Path

import pytest
from sqlalchemy import Connection

from protocol.beats import Receipt, Want
from protocol.errors import BadFrame, CallTimeout, LinkDown, Permanent, Refused
from protocol.events import EventHead
from protocol.frames import Frame
from protocol.limits import UNCONFIRMED_FRAMES_MAX
from protocol.subjects import events
from protocol.wording import Text
from replication import outbox, publisher
from replication.acknowledgements import call_timeout
from replication.database import Database, opened
from replication.migrations import REPLICATION
from replication.publisher import (
    BELIEVE_AFTER_S,
    PROBE_FRAMES,
    PUBLISH_DEADLINE_S,
    REPEAT_AFTER_S,
    RESEND_AFTER_MAX_S,
    RESEND_AFTER_S,
    Publisher,
)
from replication.seal import unseal
from tests.builders import VILLAGE, chain_at, described, drafts, frame_writer


class RecordingLink:
    """A link that keeps what is published; can be down, or fail at chosen publishes."""

    def __init__(self) -> None:
        self.is_connected = True
        self.sent: list[tuple[str, bytes]] = []
        self.fail_on: set[int] = set()
        self.swallow_on: set[int] = set()
        self.patience: list[float] = []
        self.clock: Callable[[float], None] = lambda _: None
        self._calls = 0

    async def publish_durable(self, subject: str, payload: bytes, message_id: str, deadline_s: float) -> int:
        self._calls += 1
        call = self._calls
        await asyncio.sleep(0)
        assert subject == events(VILLAGE)
        assert deadline_s > 0
        self.patience.append(deadline_s)
        if call in self.swallow_on:
            self.clock(deadline_s)
            raise call_timeout(deadline_s)
        self.clock(0.5)
        if call in self.fail_on:
            raise LinkDown(Text(zh="断线", en="link down"))
        self.sent.append((message_id, payload))
        return len(self.sent)


class Site:
    """A sending end with a clock that the test moves."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.link = RecordingLink()
        self.now_s = 0.0
        self.diverged: list[tuple[str, Want]] = []
        self.changes: Sequence[EventHead] = []
        self.publisher = Publisher(
            database, self.link, frame_writer(), VILLAGE, self, self._on_diverged, monotonic=lambda: self.now_s
        )

    def changes_after(self, _connection: Connection, seq: int, limit: int) -> Sequence[EventHead]:
        return [change for change in self.changes if change.seq > seq][:limit]

    async def _on_diverged(self, receipt: Receipt, want: Want) -> None:
        self.diverged.append((receipt.epoch, want))

    def pass_time(self, seconds: float) -> None:
        self.now_s += seconds

    async def mint(self, *counts: int) -> None:
        for count in counts:
            await self.database.write(partial(outbox.append, writer=frame_writer(), drafts=drafts(count)))

    async def send_all(self) -> None:
        while await self.publisher.step():
            pass

    async def receipt(
        self, applied: int, *, chain: str | None = None, epoch: str = "epoch-a", want: Want = Want.NOTHING
    ) -> None:
        known = await self.database.read(lambda c: chain_at(c, applied))
        await self.publisher.confirm(
            Receipt(
                site=VILLAGE.code,
                epoch=epoch,
                applied=applied,
                chain=known if chain is None else chain,
                want=want,
            )
        )

    async def depth(self) -> int:
        return await self.database.read(outbox.depth)

    def ids(self) -> list[str]:
        return [message_id.removeprefix(f"{VILLAGE.code}:epoch-a:") for message_id, _ in self.link.sent]


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    async with opened(tmp_path / "site.db", [REPLICATION]) as database:
        await database.write(lambda c: outbox.start_epoch(c, "epoch-a", ()))
        yield Site(database)


async def test_frames_go_in_order_and_stay_until_the_receipt(site: Site) -> None:
    await site.mint(2, 3)
    await site.send_all()
    assert (site.ids(), site.publisher.published, await site.depth()) == (["0-2", "2-5"], 5, 2)
    await site.receipt(2)
    assert await site.depth() == 1
    await site.receipt(5)
    assert await site.depth() == 0


async def test_nothing_is_sent_while_the_link_is_down(site: Site) -> None:
    await site.mint(1)
    site.link.is_connected = False
    assert await site.publisher.step() is False
    assert site.link.sent == []


async def test_the_cursor_stops_before_the_first_frame_that_was_not_acknowledged(site: Site) -> None:
    await site.mint(1, 1, 1, 1)
    await site.send_all()
    await site.receipt(1)
    site.link.sent.clear()
    site.link.fail_on = {3}
    with pytest.raises(LinkDown):
        await site.send_all()
    assert (site.publisher.published, site.ids()) == (2, ["3-4"])
    await site.send_all()
    assert site.ids() == ["3-4", "2-3", "3-4"]


async def test_what_the_broker_forgot_is_sent_again_under_a_new_id(site: Site) -> None:
    """The old id would be dropped as a repeat by a broker that lost the message but kept the id."""
    await site.mint(1, 1)
    await site.send_all()
    await site.receipt(1)
    site.now_s += RESEND_AFTER_S + 1
    await site.receipt(1)
    await site.send_all()
    assert site.ids() == ["0-1", "1-2", "1-2:1"]


async def test_a_hub_that_is_merely_slow_is_not_sent_everything_again(site: Site) -> None:
    await site.mint(1, 1, 1)
    await site.send_all()
    for applied in (1, 2):
        site.now_s += RESEND_AFTER_S - 1
        await site.receipt(applied)
    await site.send_all()
    assert len(site.link.sent) == 3


async def test_a_hub_that_is_ahead_of_us_means_that_we_were_restored(site: Site) -> None:
    await site.mint(2)
    await site.receipt(7, chain="theirs")
    assert site.diverged == [("epoch-a", Want.NEW_EPOCH)]


async def test_another_digest_at_the_same_position_means_that_we_were_copied(site: Site) -> None:
    await site.mint(2, 2)
    await site.receipt(2, chain="theirs")
    assert site.diverged == [("epoch-a", Want.NEW_EPOCH)]


async def test_a_hub_that_follows_an_unknown_epoch_makes_us_retire_it(site: Site) -> None:
    await site.mint(2)
    await site.receipt(9, epoch="epoch-z", chain="z")
    assert site.diverged == [("epoch-z", Want.NEW_EPOCH)]


async def test_a_hub_that_has_not_yet_seen_our_new_epoch_is_no_divergence(site: Site) -> None:
    await site.database.write(lambda c: outbox.start_epoch(c, "epoch-b", ("epoch-a",)))
    await site.mint(2)
    await site.receipt(9, chain="old")
    assert site.diverged == []


async def test_a_wanted_baseline_is_passed_on(site: Site) -> None:
    await site.mint(2)
    await site.receipt(2, want=Want.BASELINE)
    assert site.diverged == [("epoch-a", Want.BASELINE)]


def sent_frames(site: Site) -> list[Frame]:
    key = frame_writer().identity.public_key
    return [unseal(payload, [key]) for _, payload in site.link.sent]


async def test_a_range_is_sent_again_as_far_as_the_outbox_holds_it(site: Site) -> None:
    await site.mint(3, 2)
    await site.send_all()
    site.link.sent.clear()
    assert await site.publisher.send_range(3) == 5
    await site.send_all()
    assert [(frame.previous, frame.last, frame.catch_up) for frame in sent_frames(site)] == [(3, 5, False)]


async def test_what_left_the_outbox_is_sent_once_receipts_show_that_it_is_missing(site: Site) -> None:
    """A question for it is answered, but says neither that the hub stands there nor which history it has."""
    await site.mint(3, 2)
    await site.send_all()
    await site.receipt(3)
    site.changes = [described(seq=seq) for seq in (2, 3)]
    site.link.sent.clear()
    for _ in range(3):
        assert await site.publisher.send_range(1) == 5
        site.now_s += BELIEVE_AFTER_S
    await site.send_all()
    assert site.link.sent == []
    for _ in range(2):
        await site.receipt(1, chain="")
        site.now_s += BELIEVE_AFTER_S
    await site.send_all()
    assert [(frame.previous, frame.last, frame.catch_up) for frame in sent_frames(site)] == [
        (1, 3, True),
        (3, 5, False),
    ]


async def test_questions_for_what_is_long_confirmed_do_not_keep_the_rest_back(site: Site) -> None:
    """They once counted as news of the hub, so that every receipt looked like progress and nothing went again."""
    await site.mint(1, 1)
    await site.send_all()
    await site.receipt(1)
    for _ in range(8):
        site.now_s += RESEND_AFTER_S / 4
        await site.publisher.send_range(0)
        await site.receipt(1)
    await site.send_all()
    assert site.ids() == ["0-1", "1-2", "1-2:1"]


async def test_a_hub_in_another_history_is_noticed_where_the_frames_are_forgotten(site: Site) -> None:
    await site.mint(2, 2)
    await site.receipt(4)
    await site.receipt(2, chain="theirs")
    assert site.diverged == [("epoch-a", Want.NEW_EPOCH)]


async def test_a_hub_that_was_put_back_gets_what_it_lost_and_only_once(site: Site) -> None:
    await site.mint(3, 2)
    await site.send_all()
    await site.receipt(5)
    site.changes = [described(seq=seq) for seq in range(1, 6)]
    site.link.sent.clear()
    for _ in range(2):
        await site.receipt(0, epoch="")
        site.now_s += BELIEVE_AFTER_S
        await site.receipt(0, epoch="")
    await site.send_all()
    assert [(frame.previous, frame.last, len(frame.events)) for frame in sent_frames(site)] == [(0, 5, 5)]


async def proven(site: Site) -> int:
    """Have the hub confirm a first frame, so that the site may use its whole window; returns where it stands."""
    await site.mint(1)
    await site.send_all()
    await site.receipt(1)
    site.link.sent.clear()
    return 1


async def test_first_frames_of_a_connection_are_a_probe(site: Site) -> None:
    """A county that comes back from an outage would otherwise fill the stream before the hub could share it out."""
    await site.mint(*[1] * 20)
    await site.send_all()
    assert len(site.link.sent) == PROBE_FRAMES
    await site.receipt(1)
    await site.send_all()
    assert len(site.link.sent) == 20


async def test_nobody_who_takes_it_costs_a_probe_for_each_connection(site: Site) -> None:
    """A broker whose hub is gone for weeks finds a few frames of each site, however often its PC is switched on."""
    await proven(site)
    await site.mint(*[1] * 100)
    for connection in range(1, 6):
        site.publisher.reconnected()
        await site.send_all()
        assert len(site.link.sent) == connection * PROBE_FRAMES


async def test_receipt_of_older_frames_proves_nothing_for_a_new_connection(site: Site) -> None:
    await proven(site)
    await site.mint(*[1] * 20)
    site.publisher.reconnected()
    await site.send_all()
    await site.receipt(1)
    await site.send_all()
    assert len(site.link.sent) == PROBE_FRAMES


async def test_hub_that_stands_still_is_told_ever_more_rarely(site: Site) -> None:
    """Else what waits there for weeks would be stored again every minute, for every site."""
    await proven(site)
    await site.mint(*[1] * 100)
    await site.send_all()
    site.link.sent.clear()
    for _ in range(2 * int(RESEND_AFTER_MAX_S)):
        site.now_s += 30.0
        await site.receipt(1)
        await site.send_all()
    hours = 2 * RESEND_AFTER_MAX_S * 30.0 / RESEND_AFTER_MAX_S
    assert hours - 2 <= len(site.link.sent) / PROBE_FRAMES <= hours + 7


async def test_progress_brings_the_short_patience_back(site: Site) -> None:
    await proven(site)
    await site.mint(1, 1)
    await site.send_all()
    for _ in range(4):
        site.now_s += RESEND_AFTER_MAX_S
        await site.receipt(1)
    await site.send_all()
    await site.receipt(2)
    site.link.sent.clear()
    site.now_s += RESEND_AFTER_S + 1
    await site.receipt(2)
    await site.send_all()
    assert len(site.link.sent) == 1


async def test_site_with_much_to_tell_leaves_room_in_the_stream(site: Site) -> None:
    """Whatever waits in the stream waits before every other site's next change."""
    start = await proven(site)
    await site.mint(*[1] * (UNCONFIRMED_FRAMES_MAX + 10))
    await site.send_all()
    assert len(site.link.sent) == UNCONFIRMED_FRAMES_MAX
    await site.receipt(start + 4)
    await site.send_all()
    assert len(site.link.sent) == UNCONFIRMED_FRAMES_MAX + 4


async def test_receipt_makes_room_while_the_store_is_busy(site: Site) -> None:
    """An import and its index keep the store busy; the hub would wait for frames that are there."""
    start = await proven(site)
    await site.mint(*[1] * (UNCONFIRMED_FRAMES_MAX + 10))
    await site.send_all()
    release = threading.Event()
    busy = asyncio.create_task(site.database.write(lambda _: release.wait(60)))
    site.publisher.make_room(Receipt(site=VILLAGE.code, epoch="epoch-a", applied=start + 4))
    await site.send_all()
    sent = len(site.link.sent)
    release.set()
    await busy
    assert sent == UNCONFIRMED_FRAMES_MAX + 4


async def test_receipt_of_another_epoch_makes_no_room(site: Site) -> None:
    """Its positions say nothing about the frames that are under way."""
    start = await proven(site)
    await site.mint(*[1] * (UNCONFIRMED_FRAMES_MAX + 10))
    await site.send_all()
    site.publisher.make_room(Receipt(site=VILLAGE.code, epoch="epoch-b", applied=start + 4))
    await site.send_all()
    assert len(site.link.sent) == UNCONFIRMED_FRAMES_MAX


async def test_receipt_of_what_goes_again_is_written_down_first(site: Site) -> None:
    """Else frames that the hub has would be sent once more before anybody knows that it has them."""
    start = await proven(site)
    await site.mint(*[1] * 20)
    await site.send_all()
    site.publisher.resend_from(start)
    await site.send_all()
    again = len(site.link.sent)
    chain = await site.database.read(lambda c: chain_at(c, start + 18))
    receipt = Receipt(site=VILLAGE.code, epoch="epoch-a", applied=start + 18, chain=chain)
    site.publisher.make_room(receipt)
    await site.send_all()
    assert len(site.link.sent) == again
    await site.publisher.confirm(receipt)
    await site.send_all()
    assert len(site.link.sent) == again + 2


async def _sent(site: Site, count: int) -> None:
    async with asyncio.timeout(60):
        while len(site.link.sent) < count:
            await asyncio.sleep(0.001)


async def test_receipt_wakes_a_publisher_that_waits_for_room(site: Site) -> None:
    await site.mint(*[1] * (PROBE_FRAMES + 1))
    running = asyncio.create_task(site.publisher.run())
    await _sent(site, PROBE_FRAMES)
    await site.receipt(1)
    await _sent(site, PROBE_FRAMES + 1)
    running.cancel()
    assert site.ids()[-1] == f"{PROBE_FRAMES}-{PROBE_FRAMES + 1}"


@pytest.mark.parametrize("no", [Refused, BadFrame])
async def test_a_broker_that_says_no_only_pauses_it(
    site: Site, no: type[Permanent], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The county sets up its stream anew: no site's node may end over it."""
    monkeypatch.setattr(publisher, "PAUSE_S", 0.0)
    refusals = iter([no(Text(zh="不", en="no"))] * 3)
    whole = site.link.publish_durable

    async def publish(subject: str, payload: bytes, message_id: str, deadline_s: float) -> int:
        if refusal := next(refusals, None):
            raise refusal
        return await whole(subject, payload, message_id, deadline_s)

    monkeypatch.setattr(site.link, "publish_durable", publish)
    await site.mint(1)
    running = asyncio.create_task(site.publisher.run())
    await _sent(site, 1)
    running.cancel()
    assert next(refusals, None) is None


async def test_hub_may_ask_for_a_smaller_window_and_give_it_back(site: Site) -> None:
    start = await proven(site)
    await site.mint(*[1] * 20)
    await site.publisher.confirm(Receipt(site=VILLAGE.code, epoch="epoch-a", applied=start, window_frames=3))
    await site.send_all()
    assert len(site.link.sent) == 3
    await site.publisher.confirm(Receipt(site=VILLAGE.code, epoch="epoch-a", applied=start))
    await site.send_all()
    assert len(site.link.sent) == 20


async def test_frames_sent_again_count_anew(site: Site) -> None:
    """Else a site whose frames the broker lost would wait for receipts that cannot come."""
    start = await proven(site)
    await site.mint(*[1] * UNCONFIRMED_FRAMES_MAX)
    await site.send_all()
    site.now_s += RESEND_AFTER_S + 1
    await site.receipt(start)
    await site.send_all()
    assert len(site.link.sent) == UNCONFIRMED_FRAMES_MAX + PROBE_FRAMES


async def test_frame_whose_acknowledgement_died_with_a_server_goes_again_under_its_name(site: Site) -> None:
    """The broker keeps a name once: nothing is stored twice, and the site does not wait for the whole deadline."""
    site.link.clock = site.pass_time
    await site.mint(1)
    await site.send_all()
    await site.receipt(1)
    site.link.swallow_on = {2, 3}
    await site.mint(1)
    await site.send_all()
    assert site.link.patience == [PUBLISH_DEADLINE_S, REPEAT_AFTER_S, REPEAT_AFTER_S, REPEAT_AFTER_S]
    assert site.ids() == ["0-1", "1-2"]


async def test_slow_line_is_not_given_everything_twice(site: Site) -> None:
    """Before the first acknowledgement nobody knows the line; after it, the usual wait counts."""
    site.link.clock = lambda _: site.pass_time(4.0)
    await site.mint(1)
    await site.send_all()
    await site.receipt(1)
    await site.mint(1)
    await site.send_all()
    assert site.link.patience == [PUBLISH_DEADLINE_S, 16.0]


async def test_nobody_waits_for_longer_than_the_deadline_in_all(site: Site) -> None:
    site.link.clock = site.pass_time
    await site.mint(1)
    await site.send_all()
    await site.receipt(1)
    site.link.swallow_on = set(range(2, 100))
    await site.mint(1)
    with pytest.raises(CallTimeout):
        await site.publisher.step()
    assert sum(site.link.patience[1:]) == PUBLISH_DEADLINE_S
