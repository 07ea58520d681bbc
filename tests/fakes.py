"""Stand-ins for what is slow or unpredictable, with the same contract as the real thing.

`tests/conformance/test_bus.py` runs one suite over the real bus and over this one.
"""

import asyncio
from collections.abc import Callable
from itertools import count

from protocol.errors import LinkDown
from protocol.wording import Text
from replication.bus import Message, MessageHandler
from replication.faults import Fault, FaultKind, FaultLog


def matches(pattern: str, subject: str) -> bool:
    """Whether a subject falls under a pattern: `*` is one token, `>` is one or more at the end."""
    wanted, given = pattern.split("."), subject.split(".")
    for position, token in enumerate(wanted):
        if token == ">":
            return len(given) > position
        if position >= len(given) or token not in ("*", given[position]):
            return False
    return len(given) == len(wanted)


class FakeBroker:
    """A broker in memory, to which any number of buses connect.

    - A message is delivered in a later turn of the loop, to each subscription in the order of publishing.
    - `lost` decides for each message whether it disappears on the way; nothing is lost by itself.
    - `stored` is the stream: every durable message once, by its id.
    """

    def __init__(self) -> None:
        self.subscriptions: list[FakeSubscription] = []
        self.sent: list[Message] = []
        self.stored: dict[str, Message] = {}
        self.lost: Callable[[Message], bool] = lambda _message: False

    def bus(self) -> "FakeBus":
        """Connect another bus."""
        return FakeBus(self)

    def deliver(self, message: Message) -> None:
        """Carry a message to everybody who hears its subject and has a link."""
        self.sent.append(message)
        if self.lost(message):
            return
        for subscription in tuple(self.subscriptions):
            if subscription.bus.is_connected and matches(subscription.subject, message.subject):
                asyncio.get_running_loop().call_soon(subscription.hear, message)


class FakeSubscription:
    """Standing interest of one bus."""

    def __init__(self, bus: "FakeBus", subject: str, handler: MessageHandler) -> None:
        self.bus = bus
        self.subject = subject
        self._handler: MessageHandler | None = handler

    def hear(self, message: Message) -> None:
        """Hand a message over, unless the subscription was closed on the way."""
        if self._handler is not None:
            self._handler(message)

    async def close(self) -> None:
        """End the interest."""
        self._handler = None
        if self in self.bus.broker.subscriptions:
            self.bus.broker.subscriptions.remove(self)


class FakeBus:
    """A bus in memory (see `replication.bus.Bus`); its link is up until `down` is called, and again after `up`.

    Faults are stamped with a clock that ticks one millisecond at each look.
    """

    def __init__(self, broker: FakeBroker) -> None:
        self.broker = broker
        ticks = count()
        self._faults = FaultLog(lambda: next(ticks))
        self._callbacks: dict[object, Callable[[], None]] = {}
        self._is_connected = True

    @property
    def is_connected(self) -> bool:
        return self._is_connected

    @property
    def faults(self) -> tuple[Fault, ...]:
        return self._faults.all

    def note_fault(self, kind: FaultKind, about: str = "", detail: str = "") -> None:
        self._faults.note(kind, about, detail)

    def down(self) -> None:
        """Lose the link."""
        self._is_connected = False

    def up(self) -> None:
        """Have the link back; those who asked for it are called."""
        self._is_connected = True
        for callback in tuple(self._callbacks.values()):
            callback()

    def on_connected(self, callback: Callable[[], None]) -> Callable[[], None]:
        key = object()
        self._callbacks[key] = callback

        def withdraw() -> None:
            self._callbacks.pop(key, None)

        return withdraw

    async def publish(self, subject: str, payload: bytes, reply: str = "") -> None:
        self._insist()
        self.broker.deliver(Message(subject=subject, data=payload, reply=reply))

    async def publish_durable(
        self,
        subject: str,
        payload: bytes,
        message_id: str,
        deadline_s: float,  # noqa: ARG002 - in memory nothing takes time
    ) -> int:
        self._insist()
        message = Message(subject=subject, data=payload)
        if message_id not in self.broker.stored:
            self.broker.stored[message_id] = message
            self.broker.deliver(message)
        return 1 + list(self.broker.stored).index(message_id)

    async def subscribe(self, subject: str, handler: MessageHandler) -> FakeSubscription:
        subscription = FakeSubscription(self, subject, handler)
        self.broker.subscriptions.append(subscription)
        return subscription

    def _insist(self) -> None:
        if not self._is_connected:
            raise LinkDown(Text(zh="断开", en="no link"))
