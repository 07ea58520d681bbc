"""Links between machines and the broker: they lose, repeat, delay and reorder, and they part.

A ``SimulatedLink`` is the ``Bus`` of one process. Messages that nobody stores go from link to link and may be lost,
repeated or arrive much later. A durable publish has all the fates of a real one: the request may be lost, its
acknowledgement may be lost, or the request may arrive long after the caller gave up.
"""

import random
from collections import Counter
from collections.abc import Callable

import msgspec

from replication.acknowledgements import call_timeout, link_down
from replication.bus import Message, MessageHandler, Subscription
from replication.faults import Fault, FaultKind
from tests.simulation.broker import SimulatedBroker
from tests.simulation.clock import SimulatedLoop
from tests.simulation.processes import Process

RECONNECT_S = 2.0
"""Seconds within which a link stands again once nothing is in its way."""


class Weather(msgspec.Struct, frozen=True, kw_only=True):
    """How the network behaves: chances from 0 to 1, delays in seconds."""

    loss: float = 0.0
    repeat: float = 0.0
    stale: float = 0.0
    """Chance that a message is as late as ``stale_s``."""
    stale_s: float = 0.0
    delay_s: float = 0.02
    """Longest ordinary delay; drawn anew for each message, so they overtake each other."""


CALM = Weather()


class Network:
    """Everything between the machines."""

    def __init__(self, loop: SimulatedLoop, chance: random.Random, broker: SimulatedBroker, met: Counter[str]) -> None:
        self.loop = loop
        self.broker = broker
        self.weather = self.usual = CALM
        self._chance = chance
        self.met = met
        self._links: list[SimulatedLink] = []
        self.on_message: Callable[[str, bytes], None] | None = None
        """Hears of every message that nobody stores, for a log."""

    def link(self, process: Process, *, blocks: bool = False) -> "SimulatedLink":
        """Return the link of a process that has just started; one that ``blocks`` sometimes takes no more bytes."""
        link = SimulatedLink(self, process, blocks=blocks)
        self._links.append(link)
        return link

    def unplug(self, link: "SimulatedLink") -> None:
        """Take the link of a dead process out."""
        self._links = [one for one in self._links if one is not link]

    def note(self, what: str, count: int = 1) -> None:
        """Count something that happened."""
        self.met[what] += count

    def happens(self, chance: float, what: str) -> bool:
        """Draw whether something happens to a message, and count it."""
        if chance and self._chance.random() < chance:
            self.note(what)
            return True
        return False

    def delay_s(self) -> float:
        """Draw the delay of one message."""
        if self.happens(self.weather.stale, "message late"):
            return self._chance.random() * self.weather.stale_s
        return self._chance.random() * self.weather.delay_s

    def carry(self, subject: str, payload: bytes) -> None:
        """Bring a message that nobody stores to whoever hears its subject."""
        if self.on_message is not None:
            self.on_message(subject, payload)
        for link in self._links:
            for handler in link.handlers(subject):
                if self.happens(self.weather.loss, "message lost"):
                    continue
                copies = 2 if self.happens(self.weather.repeat, "message repeated") else 1
                for _ in range(copies):
                    message = Message(subject=subject, data=payload)
                    self.loop.call_later(self.delay_s(), link.hear, handler, message)


class _Hearing:
    """One subscription of a link."""

    def __init__(self, link: "SimulatedLink", subject: str, handler: MessageHandler) -> None:
        self._link = link
        self.subject = subject
        self.handler = handler

    def hears(self, subject: str) -> bool:
        """Tell whether a message under a subject is for this subscription."""
        if self.subject.endswith(">"):
            return subject.startswith(self.subject[:-1])
        return subject == self.subject

    async def close(self) -> None:
        """End the interest."""
        self._link.forget(self)


class SimulatedLink:
    """The bus of one process."""

    def __init__(self, network: Network, process: Process, *, blocks: bool) -> None:
        self.process = process
        self._blocks = blocks
        self.is_parted = False
        self._network = network
        self._callbacks: list[Callable[[], None]] = []
        self._hearings: list[_Hearing] = []
        self._connection = 0
        self._is_connected = False
        self.look()

    @property
    def is_connected(self) -> bool:
        """Whether a publish can be tried now."""
        return self._is_connected

    @property
    def faults(self) -> tuple[Fault, ...]:
        """Nothing is remembered here."""
        return ()

    def note_fault(self, kind: FaultKind, about: str = "", detail: str = "") -> None:
        """Nobody looks at faults here."""

    def on_connected(self, callback: Callable[[], None]) -> Callable[[], None]:
        """Call back at each new connection."""
        self._callbacks.append(callback)
        return lambda: self._callbacks.remove(callback)

    def look(self) -> None:
        """Notice what became of the way to the broker."""
        is_open = not self.is_parted and self._network.broker.is_up and self.process.is_alive
        if self._is_connected and not is_open:
            self._network.note("connection lost")
            self._is_connected = False
            self._connection += 1
        elif is_open and not self._is_connected:
            self._network.loop.call_later(self._network.delay_s() + RECONNECT_S / 2, self._connect)

    def _connect(self) -> None:
        if self.is_parted or self._is_connected or not self._network.broker.is_up or not self.process.is_alive:
            return
        self._is_connected = True
        for callback in tuple(self._callbacks):
            callback()

    async def subscribe(self, subject: str, handler: MessageHandler) -> Subscription:
        """Hear a subject from now on."""
        hearing = _Hearing(self, subject, handler)
        self._hearings.append(hearing)
        return hearing

    def forget(self, hearing: _Hearing) -> None:
        """Drop a subscription."""
        self._hearings.remove(hearing)

    def handlers(self, subject: str) -> list[MessageHandler]:
        """Return who hears a subject here now."""
        if not self._is_connected:
            return []
        return [hearing.handler for hearing in self._hearings if hearing.hears(subject)]

    def hear(self, handler: MessageHandler, message: Message) -> None:
        """Hand over a message that has come this far."""
        if self._is_connected and self.process.is_alive:
            handler(message)

    async def publish(self, subject: str, payload: bytes, reply: str = "") -> None:  # noqa: ARG002 - as the real one
        """Send a message that nobody stores."""
        await self.process.point()
        if not self._is_connected:
            raise link_down()
        if self._blocks and self._network.happens(self._network.weather.loss / 4, "publish blocked"):
            raise call_timeout(1.0)
        self._network.carry(subject, payload)

    async def publish_durable(self, subject: str, payload: bytes, message_id: str, deadline_s: float) -> int:
        """Have the broker store a message."""
        network, broker = self._network, self._network.broker
        await self.process.point()
        connection = self._connection
        self._check(connection)
        if network.happens(network.weather.loss, "frame lost"):
            await self.process.point(deadline_s)
            self._check(connection)
            raise call_timeout(deadline_s)
        delay_s = network.delay_s()
        if delay_s > deadline_s:
            # It was on its way when the caller gave up, and arrives after all.
            network.loop.call_later(delay_s, broker.store_late, subject, payload, message_id)
            await self.process.point(deadline_s)
            raise call_timeout(deadline_s)
        await self.process.point(delay_s)
        self._check(connection)
        place = broker.store(subject, payload, message_id)
        if network.happens(network.weather.loss, "acknowledgement lost"):
            await self.process.point(deadline_s)
            raise call_timeout(deadline_s)
        await self.process.point(network.delay_s())
        self._check(connection)
        return place

    def _check(self, connection: int) -> None:
        if not self._is_connected or connection != self._connection:
            raise link_down()
