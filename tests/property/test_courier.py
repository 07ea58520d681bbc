"""However bundles and frames of the network overtake each other, both ends come to the same, and to what is true."""

import asyncio
import tempfile
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hub.sites.board import Word
from node import store
from node.epochs import Epochs
from node.replies import _NoLink
from protocol.beats import Receipt
from protocol.bundles import BundleFault
from protocol.errors import BadBundle
from protocol.sites import parse_site
from replication import outbox
from replication.inbox import Inbox, receipt_of
from replication.publisher import Publisher
from replication.watermarks import Watermark, marks_of
from tests.couriers import CountyEnd, VillageEnd, county_end, village_end
from tests.node_site import CODE, rows, write_csv

pytestmark = pytest.mark.timeout(240)

ROWS = rows(6)
SITE = parse_site(CODE)

listed = st.sets(st.integers(0, len(ROWS) - 1))
minting = st.tuples(st.just("mint"), listed)
some = st.integers(0, 50)
steps = st.one_of(
    minting,
    st.tuples(st.just("write"), some),
    st.tuples(st.just("carry"), some),
    st.tuples(st.just("reply"), some),
    st.tuples(st.just("return"), some),
    st.tuples(st.just("send"), st.lists(some, max_size=4)),
    st.tuples(st.just("receipt"), some),
    st.tuples(st.just("trip"), some),
)


class County:
    """A site and a hub, the sticks between them, and a network that loses and repeats."""

    def __init__(self, village: VillageEnd, county: CountyEnd, stick: Path) -> None:
        self.village = village
        self.county = county
        self.stick = stick
        self.deliveries: list[Path] = []
        self.replies: list[Path] = []
        self.frames: list[bytes] = []
        self.publisher = Publisher(
            village.database,
            _NoLink(),
            village.site.writer,
            SITE,
            store,
            Epochs(village.database, village.site.writer, lambda: None).diverged,
        )
        self.inbox: Inbox = county.deliveries._inbox

    async def mint(self, numbers: set[int]) -> None:
        """The sheet lists other rows now: some are new, some are withdrawn."""
        write_csv(self.village.site.folder / "a.csv", [ROWS[number] for number in sorted(numbers)])
        self.village.site.clock.now_s += 60
        await self.village.site.take("a.csv")
        waiting = await self.village.database.read(lambda c: outbox.frames_after(c, 0, 1000))
        self.frames += [frame.sealed for frame in waiting if frame.sealed not in self.frames]

    async def write(self, _number: int) -> None:
        self.deliveries.append(await self.village.write(self.stick))

    async def carry(self, number: int) -> None:
        """Bring any stick that was ever written; what is missing before it is told, and nothing worse happens."""
        if self.deliveries:
            try:
                await self.county.take(self.deliveries[number % len(self.deliveries)])
            except BadBundle as error:
                assert error.fault == BundleFault.OUT_OF_ORDER  # noqa: PT017 - one fault is right here, others are not

    async def reply(self, _number: int) -> None:
        self.replies.append(await self.county.reply(self.stick))

    async def back(self, number: int) -> None:
        """Bring back any reply that was ever written."""
        if self.replies:
            await self.village.take(self.replies[number % len(self.replies)])

    async def send(self, numbers: Sequence[int]) -> None:
        """Let some frames come over the network, in any order, again and again."""
        sealed = [self.frames[number % len(self.frames)] for number in numbers if self.frames]
        await self.inbox.take(self.inbox.read((SITE, one) for one in sealed))

    async def receipt(self, _number: int) -> None:
        await self.publisher.confirm(await self.said())

    async def said(self) -> Receipt:
        return receipt_of(await self.mark(), 0)

    async def mark(self) -> Watermark:
        return (await self.county.database.read(lambda c: marks_of(c, [CODE])))[CODE]

    async def play(self, history: Sequence[tuple[str, object]]) -> None:
        acts = {
            "mint": self.mint,
            "write": self.write,
            "carry": self.carry,
            "reply": self.reply,
            "return": self.back,
            "send": self.send,
            "receipt": self.receipt,
            "trip": self.trip,
        }
        for name, given_with in history:
            await acts[name](given_with)  # type: ignore[operator]

    async def trip(self, _number: int) -> None:
        """Carry a fresh stick to the county and back."""
        await self.write(0)
        await self.carry(len(self.deliveries) - 1)
        await self.reply(0)
        await self.back(len(self.replies) - 1)

    async def settle_by_courier(self) -> None:
        await self.trip(0)
        await self.trip(0)

    async def settle_by_network(self) -> None:
        at = (await self.mark()).position
        waiting = await self.village.database.read(lambda c: outbox.frames_after(c, at, 1000))
        await self.inbox.take(self.inbox.read((SITE, frame.sealed) for frame in waiting))
        await self.receipt(0)


async def played(
    folder: Path, history: Sequence[tuple[str, object]], *, ends_by_courier: bool
) -> tuple[list[str], list[str]]:
    """Play a history to its end; returns what the site publishes and what the hub holds."""
    stick = folder / "stick"
    stick.mkdir()
    async with village_end(folder / "village") as village, county_end(folder / "county") as hub:
        await hub.admit(village.identity.public_key)
        county = County(village, hub, stick)
        await hub.deliveries._keyring.refresh()
        await county.play(history)
        await (county.settle_by_courier() if ends_by_courier else county.settle_by_network())

        here = await village.database.read(outbox.head)
        mark = await county.mark()
        assert here is not None
        assert (mark.epoch or here.epoch, mark.position, mark.chain) == (here.epoch, here.seq, here.chain)
        assert await village.database.read(outbox.depth) == 0
        assert await hub.database.fetch("SELECT * FROM parked_frame") == []
        assert await hub.database.fetch("SELECT * FROM quarantine") == []
        if ends_by_courier:
            assert (await hub.line()).word is Word.BY_COURIER

        # What is still in somebody's drawer changes nothing any more, from whichever side it comes.
        before = await hub.database.fetch("SELECT * FROM entry ORDER BY docid")
        await county.send(range(len(county.frames)))
        for number in range(len(county.deliveries)):
            await county.carry(number)
        for number in range(len(county.replies)):
            await county.back(number)
        assert (await county.mark(), await village.database.read(outbox.head)) == (mark, here)
        assert await hub.database.fetch("SELECT * FROM entry ORDER BY docid") == before
        return sorted(await village.site.records()), await hub.titles()


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(listed, st.lists(steps, max_size=14), st.booleans())
def test_any_interleaving_of_bundles_and_network_comes_to_the_same(
    first: set[int], history: list[tuple[str, object]], ends_by_courier: bool
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        published, held = asyncio.run(
            played(Path(folder), [("mint", first), *history], ends_by_courier=ends_by_courier)
        )

        assert held == published
