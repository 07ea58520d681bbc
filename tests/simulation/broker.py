"""The broker's stream with everything that a real one was seen to do, and its one durable reader.

It drops messages whose id it has seen within the window, delivers in order, and delivers again what is not acknowledged
in time. Beyond that it can forget what it has acknowledged (a lost write), with or without the ids; lose what its
reader had acknowledged (a reader that is made again); be deleted and made again; and be away.
"""

import random
from collections import Counter
from collections.abc import Callable

import msgspec

from protocol.errors import StorageFull
from protocol.wording import Text
from replication.acknowledgements import no_stream
from replication.streams import ACK_WAIT_S, DUPLICATE_WINDOW_S
from tests.simulation.clock import SimulatedLoop


class Stored(msgspec.Struct, kw_only=True):
    """One message of the stream, and what the reader has done with it."""

    place: int
    subject: str
    data: bytes
    message_id: str
    is_acknowledged: bool = False
    comes_at_s: float = 0.0
    """When it is delivered next."""


class SimulatedBroker:
    """One stream and one reader."""

    def __init__(self, loop: SimulatedLoop, chance: random.Random, met: Counter[str]) -> None:
        self.is_up = True
        self.is_full = False
        self.has_stream = True
        self.shuffles = 0.0
        """Chance that the messages of one fetch come in another order."""
        self.repeats = 0.0
        """Chance that a message of a fetch comes twice."""
        self.stored_count = 0
        self._loop = loop
        self._chance = chance
        self._met = met
        self._messages: list[Stored] = []
        self._ids: dict[str, tuple[float, int]] = {}
        self._last = 0
        self._stream = 0
        self.readers: list[Callable[[], None]] = []
        """Whoever waits for a message is told of each."""
        self.on_stored: Callable[[str, bytes, str, bool], None] | None = None
        """Hears of every publish, for a log."""

    def store(self, subject: str, data: bytes, message_id: str) -> int:
        """Store a message and return its place.

        Raises:
            LinkDown: there is no stream.
            StorageFull: it has no room.

        """
        if not self.is_up or not self.has_stream:
            raise no_stream()
        if self.is_full:
            self._met["publish refused by a full stream"] += 1
            raise StorageFull(Text(zh="服务器上的事件流已满。", en="the stream has no room"))
        now = self._loop.time()
        known = self._ids.get(message_id)
        is_new = known is None or known[0] <= now
        if self.on_stored is not None:
            self.on_stored(subject, data, message_id, is_new)
        if known is not None and not is_new:
            self._met["repeat dropped by the broker"] += 1
            return known[1]
        self._last += 1
        self.stored_count += 1
        self._ids[message_id] = (now + DUPLICATE_WINDOW_S, self._last)
        self._messages.append(Stored(place=self._last, subject=subject, data=data, message_id=message_id))
        self._tell_readers()
        return self._last

    def store_late(self, subject: str, data: bytes, message_id: str) -> None:
        """Take a message whose sender gave up long ago."""
        if self.is_up and self.has_stream and not self.is_full:
            self._met["publish stored after its sender gave up"] += 1
            self.store(subject, data, message_id)

    @property
    def due(self) -> int:
        """How many messages the reader could have now."""
        now = self._loop.time()
        return sum(not message.is_acknowledged and message.comes_at_s <= now for message in self._messages)

    def take(self, limit: int) -> list[tuple[int, Stored]]:
        """Return what the reader gets next, with the number of the stream."""
        now = self._loop.time()
        due = [message for message in self._messages if not message.is_acknowledged and message.comes_at_s <= now]
        due = due[:limit]
        for message in due:
            message.comes_at_s = now + ACK_WAIT_S
        if len(due) > 1 and self.shuffles and self._chance.random() < self.shuffles:
            self._met["frames delivered out of order"] += 1
            self._chance.shuffle(due)
        if self.repeats:
            twice = [message for message in due if self._chance.random() < self.repeats]
            self._met["frame delivered twice"] += len(twice)
            due += twice
        return [(self._stream, message) for message in due]

    def acknowledge(self, stream: int, message: Stored) -> None:
        """Note that the reader has stored a message."""
        if stream == self._stream and self.is_up:
            message.is_acknowledged = True

    def order(self) -> None:
        """Deliver in order again, and once."""
        self.shuffles = self.repeats = 0.0

    # What goes wrong

    def forget(self, count: int, *, with_ids: bool) -> None:
        """Lose the latest messages, acknowledged to their senders or not."""
        lost, self._messages = self._messages[-count:], self._messages[: len(self._messages) - count]
        unread = sum(not message.is_acknowledged for message in lost)
        self._met["acknowledged frame forgotten by the broker before the hub had it"] += unread
        if with_ids:
            for message in lost:
                self._ids.pop(message.message_id, None)

    def rewind(self, count: int) -> None:
        """Deliver the latest messages again although the reader has acknowledged them."""
        for message in self._messages[-count:]:
            self._met["frame delivered again that the hub had acknowledged"] += message.is_acknowledged
            message.is_acknowledged = False
            message.comes_at_s = 0.0
        self._tell_readers()

    def delete_stream(self) -> None:
        """Lose the stream with all that it held and knew."""
        self.has_stream = False
        self._met["acknowledged frame lost with the stream before the hub had it"] += sum(
            not message.is_acknowledged for message in self._messages
        )
        self._messages.clear()
        self._ids.clear()
        self._last = 0
        self._stream += 1

    def make_stream(self) -> None:
        """Declare the stream again, as the hub does when it finds none."""
        self._met["stream made again"] += 1
        self.has_stream = True

    def _tell_readers(self) -> None:
        for reader in self.readers:
            reader()

    def reader_gone(self) -> None:
        """Notice that the reader was cut off: what it was given comes again when it returns."""
        for message in self._messages:
            message.comes_at_s = 0.0
