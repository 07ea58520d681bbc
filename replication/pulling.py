"""A source of a stream's messages: a durable pull reader that outlives restarts of either end.

- One pull request is open at a time and asks for as many messages as the caller has room for. ``fetch`` returns what
  has come as soon as something has; the rest of the request keeps filling while the caller works.
- A request ends when it is filled, when the broker says so, or a second after its time: then it is believed lost.
- On a new connection, and whenever the broker's answer does not fit, the stream and the reader are looked at before the
  next request. A reader that is gone is made again behind the last message that was acknowledged; one that is there
  delivers again, in order, what was not.
"""

import asyncio
import datetime
import secrets
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Protocol

import msgspec

from protocol.errors import Retryable
from replication.acknowledgements import call_timeout
from replication.bus import Bus, Message, Subscription
from replication.faults import FaultKind
from replication.streams import Broker, StreamPlan, declare_consumer, declare_stream

FETCH_WAIT_S = 5.0
"""Seconds that a pull request stays open at the broker: one that was lost with a link costs no more than this."""

GRACE_S = 1.0
"""Seconds after its time in which the broker must have ended a request."""

SETTLE_S = 0.003
"""Seconds without a further message after which a batch that is not full is handed out."""

UNAVAILABLE_PAUSE_S = 1.0
"""Seconds between looks at a stream that cannot be used."""

CLUSTER_LOOK_S = 1.0
"""Seconds that a look at a stream of several servers may take: one that fell into a change of leaders gets no answer,
and the next one does."""

CLUSTER_PAUSE_S = 0.25
"""``UNAVAILABLE_PAUSE_S`` there: a change of leaders takes seconds, and then every second counts."""

_LOOK_PAUSE_S = 0.1

_ACK_SUBJECTS = "$JS.ACK."
_FILLED_OR_EXPIRED = frozenset({"404", "408"})
_HEARTBEAT = "100"


class BrokerBus(Bus, Broker, Protocol):
    """A bus whose broker keeps streams."""


class _Request(msgspec.Struct, frozen=True, kw_only=True):
    """A pull request as the broker reads it."""

    batch: int
    expires: int
    """Nanoseconds."""


class Delivery(msgspec.Struct, frozen=True, kw_only=True):
    """One message of the stream, which comes again until it is acknowledged."""

    subject: str
    data: bytes
    place: int
    """Its place in the stream."""
    times: int
    """How often it has been delivered, this time included."""
    acknowledge: Callable[[int], Awaitable[None]]

    async def ack(self) -> None:
        """Tell the broker that it is done; while the link is away this does nothing, and the message comes again."""
        await self.acknowledge(self.place)


def read_ack_subject(subject: str) -> tuple[int, int]:
    """Return a delivery's place in the stream and how often it was delivered, from its acknowledgement subject.

    The broker writes ``$JS.ACK.<stream>.<consumer>.<times>.<place>.<n>.<time>.<left>``; newer ones put the domain and
    the account before the stream, and may add a token at the end.
    """
    tokens = subject.split(".")
    first = 4 if len(tokens) == 9 else 6
    return int(tokens[first + 1]), int(tokens[first])


class PullSource:
    """Hands out a stream's messages; used by one task at a time."""

    def __init__(self, bus: BrokerBus, plan: StreamPlan, durable: str, inbox: str) -> None:
        self._bus = bus
        self._plan = plan
        self._durable = durable
        self._inbox = f"{inbox}.pull.{secrets.token_hex(8)}"
        self._subscription: Subscription | None = None
        self._withdraw: Callable[[], None] = _nothing
        self._wake = asyncio.Event()
        self._waiting: deque[Delivery] = deque()
        self._replies: dict[int, str] = {}
        """Acknowledgement subjects of what was delivered and is not acknowledged, by place."""
        self._acknowledged = 0
        self._number = 0
        self._credit = 0
        self._open_until = 0.0
        self._must_look = True
        self._created: datetime.datetime | None = None

    @property
    def waiting(self) -> int:
        """Messages that ``fetch`` would return at once."""
        return len(self._waiting)

    async def fetch(self, limit: int, wait_s: float = FETCH_WAIT_S) -> list[Delivery]:
        """Return up to ``limit`` messages as soon as there are any, or none after ``wait_s`` seconds.

        A link that is away, or a stream that cannot be used now, only means that there are none.

        Raises:
            BadSetting, Refused: the broker has another stream of that name, or does not permit us to read it.

        """
        if not self._waiting:
            try:
                await self._look()
                await self._request(limit, wait_s)
            except Retryable as error:
                await self._hold_off(error, wait_s)
                return []
            await self._arrival()
        while self._credit and 0 < (count := len(self._waiting)) < limit:
            await asyncio.sleep(SETTLE_S)
            if len(self._waiting) == count:
                break
        return [self._waiting.popleft() for _ in range(min(limit, len(self._waiting)))]

    async def close(self) -> None:
        """Stop listening; what was not acknowledged comes again to the next reader of that name."""
        self._withdraw()
        if self._subscription is not None:
            await self._subscription.close()
            self._subscription = None

    async def _look(self) -> None:
        """Make sure of the stream and of the reader, if there is a reason to."""
        if self._subscription is None:
            self._subscription = await self._bus.subscribe(f"{self._inbox}.*", self._take)
            self._withdraw = self._bus.on_connected(self._reconnected)
        if not self._must_look:
            return
        # Before the first await: a connection that is lost while we look makes us look again.
        self._must_look = False
        try:
            async with asyncio.timeout(CLUSTER_LOOK_S if self._plan.replicas > 1 else None):
                await self._make_sure()
        except TimeoutError:
            self._must_look = True
            raise call_timeout(CLUSTER_LOOK_S) from None
        except BaseException:
            self._must_look = True
            raise
        self._replies.clear()
        self._waiting.clear()
        self._credit = 0

    async def _make_sure(self) -> None:
        stream = await declare_stream(self._bus, self._plan)
        if stream.created != self._created:
            # Another stream under the same name counts its places anew.
            self._acknowledged = self._acknowledged if self._created is None else 0
            self._created = stream.created
            self._replies.clear()
        after = min(self._replies, default=self._acknowledged + 1) - 1
        state = await declare_consumer(self._bus, self._plan, self._durable, after, stream.last)
        if state.was_made and self._number:
            self._bus.note_fault(FaultKind.CONSUMER_REMADE, f"{self._plan.name}/{self._durable}")
        self._acknowledged = state.after

    async def _request(self, limit: int, wait_s: float) -> None:
        now = asyncio.get_running_loop().time()
        if self._credit and now < self._open_until:
            return
        self._number += 1
        self._credit = limit
        self._open_until = now + wait_s + GRACE_S
        await self._bus.publish(
            f"$JS.API.CONSUMER.MSG.NEXT.{self._plan.name}.{self._durable}",
            msgspec.json.encode(_Request(batch=limit, expires=int(wait_s * 1e9))),
            reply=f"{self._inbox}.{self._number}",
        )

    async def _arrival(self) -> None:
        while self._credit and not self._waiting:
            self._wake.clear()
            try:
                async with asyncio.timeout_at(self._open_until):
                    await self._wake.wait()
            except TimeoutError:
                # The broker must have ended the request by now, and we did not hear it.
                self._credit = 0
                self._must_look = True
        if self._must_look and self._bus.is_connected and not self._waiting:
            # Something is wrong with the reader; a broker that keeps saying so is not asked without a pause.
            await asyncio.sleep(_LOOK_PAUSE_S)

    async def _hold_off(self, error: Retryable, wait_s: float) -> None:
        if self._bus.is_connected:
            self._bus.note_fault(FaultKind.STREAM_UNAVAILABLE, self._plan.name, error.reason.en)
            wait_s = CLUSTER_PAUSE_S if self._plan.replicas > 1 else UNAVAILABLE_PAUSE_S
        self._wake.clear()
        try:
            async with asyncio.timeout(wait_s):
                await self._wake.wait()
        except TimeoutError:
            return

    def _reconnected(self) -> None:
        self._must_look = True
        self._credit = 0
        self._wake.set()

    def _take(self, message: Message) -> None:
        if message.reply.startswith(_ACK_SUBJECTS):
            place, times = read_ack_subject(message.reply)
            self._replies[place] = message.reply
            self._waiting.append(
                Delivery(
                    subject=message.subject, data=message.data, place=place, times=times, acknowledge=self._acknowledge
                )
            )
            self._credit = max(0, self._credit - 1)
        elif not self._ends_request(message):
            return
        self._wake.set()

    def _ends_request(self, message: Message) -> bool:
        headers = message.headers or {}
        status = headers.get("Status", "")
        if message.subject != f"{self._inbox}.{self._number}" or status == _HEARTBEAT:
            return False
        self._credit = 0
        # "409 Consumer Deleted", "503" when nobody serves the reader, and whatever later brokers may say.
        if status not in _FILLED_OR_EXPIRED:
            self._must_look = True
        return True

    async def _acknowledge(self, place: int) -> None:
        reply = self._replies.pop(place, None)
        if reply is None:
            # It was delivered on an earlier connection: it comes again and is acknowledged then.
            return
        self._acknowledged = max(self._acknowledged, place)
        try:
            await self._bus.publish(reply, b"+ACK")
        except Retryable:
            # The broker delivers it again, which changes nothing.
            return


def _nothing() -> None:
    """Stand in until there is something to take back."""
