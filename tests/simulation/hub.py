"""The hub: a disk, a link, and the same parts that ``hub.daemon`` puts together, with a ledger for its catalogue."""

import asyncio
from collections.abc import Callable, Collection, Sequence
from contextlib import suppress

from sqlalchemy import Connection

from hub.sites.pulse import Pulse
from protocol.beats import Beat, Want
from protocol.calls import Answer, FetchRange, QuestionHead
from protocol.errors import CallTimeout, StorageFull
from protocol.sites import Site
from protocol.wording import Text
from replication.asking import SiteAnswer
from replication.beats import hear_beats
from replication.consumer import Consumer
from replication.gaps import GapCloser
from replication.inbox import Inbox, Taken
from replication.watermarks import set_want
from tests.simulation.books import Books
from tests.simulation.broker import SimulatedBroker, Stored
from tests.simulation.clock import Clock
from tests.simulation.disk import Disk, SimulatedDatabase
from tests.simulation.network import Network, SimulatedLink
from tests.simulation.processes import Process
from tests.simulation.site import Said

FETCH_WAIT_S = 5.0
"""Seconds that a fetch waits for messages, as the real source does."""

Ask = Callable[[Site, FetchRange, Callable[[Said], None]], None]
"""Brings a question to whoever runs as a site, and the answers back."""


class Delivery:
    """One message of the stream as the hub gets it."""

    def __init__(self, link: SimulatedLink, network: Network, stream: int, message: Stored) -> None:
        self._link = link
        self._network = network
        self._stream = stream
        self._message = message

    @property
    def subject(self) -> str:
        """Where it was published."""
        return self._message.subject

    @property
    def data(self) -> bytes:
        """What it carries."""
        return self._message.data

    async def ack(self) -> None:
        """Tell the broker that it is stored; the word may be lost on the way."""
        await self._link.process.point()
        lost = self._network.happens(self._network.weather.loss, "reader's acknowledgement lost")
        if self._link.is_connected and not lost:
            self._network.broker.acknowledge(self._stream, self._message)


class SimulatedSource:
    """The hub's pull reader of the stream."""

    def __init__(self, link: SimulatedLink, network: Network) -> None:
        self._link = link
        self._network = network
        self._arrived = asyncio.Event()
        network.broker.readers.append(self._arrived.set)

    @property
    def waiting(self) -> int:
        """Messages that ``fetch`` would return at once."""
        broker: SimulatedBroker = self._network.broker
        return broker.due if self._link.is_connected and broker.has_stream else 0

    async def fetch(self, limit: int) -> Sequence[Delivery]:
        """Return some messages as soon as there are any, or none after a few seconds."""
        broker: SimulatedBroker = self._network.broker
        await self._link.process.point()
        if not self._link.is_connected:
            await self._link.process.point(1.0)
            return []
        if not broker.has_stream:
            # As the real source: it declares what is missing.
            broker.make_stream()
        self._arrived.clear()
        taken = broker.take(limit)
        if not taken:
            try:
                async with asyncio.timeout(FETCH_WAIT_S):
                    await self._arrived.wait()
            except TimeoutError:
                return []
            return []
        return [Delivery(self._link, self._network, stream, message) for stream, message in taken]


class SimulatedAsker:
    """Asks sites for missing events; stands in for ``replication.asking.Asker``, which has its own tests."""

    def __init__(self, link: SimulatedLink, network: Network, ask: Ask) -> None:
        self._link = link
        self._network = network
        self._ask = ask

    async def ask_one(self, compose: Callable[[str, str], QuestionHead], site: Site, deadline_s: float) -> SiteAnswer:
        """Ask one site."""
        question = compose("hub", "q1")
        assert isinstance(question, FetchRange)
        loop = asyncio.get_running_loop()
        heard: asyncio.Future[SiteAnswer] = loop.create_future()

        def on_answer(said: Said) -> None:
            outcome, body = said
            answer = Answer(
                site=site.code, epoch="", seq=0, took_ms=0.0, question_digest="", outcome=outcome, body=body
            )
            if not heard.done() and not self._network.happens(self._network.weather.loss, "answer lost"):
                heard.set_result(SiteAnswer(site=site, outcome=outcome, answer=answer))

        await self._link.process.point()
        if self._link.is_connected and not self._network.happens(self._network.weather.loss, "question lost"):
            loop.call_later(self._network.delay_s(), self._ask, site, question, on_answer)
        try:
            async with asyncio.timeout(deadline_s):
                return await heard
        except TimeoutError:
            raise CallTimeout(Text(zh="站点未按时答复", en="the site did not answer in time")) from None


class SimulatedHub:
    """The county's machine. It may be off; its disk remains."""

    def __init__(
        self, books: Books, network: Network, clock: Clock, keys: Callable[[Site], Collection[str]], workers: int
    ) -> None:
        self.disk = Disk(books.image(), wears=books.is_real)
        self.disk.note = lambda what: network.note(f"{what} (hub)")
        self.asked = 0
        """Questions asked so far, by any of its processes."""
        self.network = network
        self.clock = clock
        self.backups: list[bytes] = []
        self.process: Process | None = None
        self.link: SimulatedLink | None = None
        self.is_parted = False
        self._sink = books.sink()
        self._keys = keys
        self._workers = workers
        """Consumers that share the stream and the database."""
        self._database: SimulatedDatabase | None = None

    def start(self, process: Process, ask: Ask) -> None:
        """Start the daemon in a new process."""
        self.process = process
        self.link = link = self.network.link(process, blocks=True)
        link.is_parted = self.is_parted
        link.look()
        self.network.broker.reader_gone()
        database = self._database = SimulatedDatabase(self.disk, process)
        asker = SimulatedAsker(link, self.network, self._counted(ask))
        gaps = GapCloser(asker, self.network.loop.time)  # type: ignore[arg-type]
        pulse = Pulse(database, link, _not_noted, self.clock)

        async def taken_up(taken: Taken) -> None:
            for verdict, count in taken.verdicts.items():
                self.network.note(f"frame judged {verdict}", count)
            gaps.note(taken)
            await pulse.confirm(taken)

        inbox = Inbox(database, self._sink, self._keys, self.clock)
        for _ in range(self._workers):
            consumer = Consumer(SimulatedSource(link, self.network), inbox, taken_up)
            process.start(consumer.run(), "consumer")
        process.start(gaps.run(), "gaps")
        process.start(pulse.run(), "pulse")
        process.start(hear_beats(link, pulse.hear), "beats")

    def _counted(self, ask: Ask) -> Ask:
        def counted(site: Site, question: FetchRange, on_answer: Callable[[Said], None]) -> None:
            self.asked += 1
            ask(site, question, on_answer)

        return counted

    def want_baseline(self, site: Site) -> None:
        """Have the running daemon ask a site to describe everything again."""
        process, database = self.process, self._database
        if process is None or database is None:
            return

        async def work() -> None:
            with suppress(StorageFull):
                await database.write(lambda connection: set_want(connection, site.code, Want.BASELINE))

        process.start(work(), "want")

    def stopped(self) -> None:
        """Notice that the process is dead."""
        if self.link is not None:
            self.link.look()
            self.network.unplug(self.link)
        self.process = self.link = self._database = None
        self.network.broker.readers.clear()

    def part(self, *, is_parted: bool) -> None:
        """Cut the way to the broker, or open it again."""
        self.is_parted = is_parted
        if self.link is not None:
            self.link.is_parted = is_parted
            self.link.look()


def _not_noted(connection: Connection, beats: Sequence[Beat], now_ms: int) -> None:
    """Signs of life are for the board, which is not here."""
