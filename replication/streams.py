"""The stream of events and its reader, declared so that declaring again changes nothing.

A declaration looks first and changes only what differs, starting from what the broker has now: an update from a blank
configuration would reset every field that it does not name. ``sync_interval: always``, without which an acknowledged
frame may be lost with the power, belongs to the broker's own configuration.
"""

import datetime
from collections.abc import Awaitable, Callable
from typing import Protocol, TypeVar

import msgspec

from protocol.errors import BadSetting
from protocol.limits import FRAME_BYTES_MAX
from protocol.subjects import EVENT_STREAM, EVENT_SUBJECTS
from protocol.wording import Text
from replication.nats_library import (
    AckPolicy,
    ConsumerConfig,
    ConsumerInfo,
    DeliverPolicy,
    DiscardPolicy,
    JetStreamContext,
    NotFoundError,
    RetentionPolicy,
    StorageType,
    StreamConfig,
    StreamInfo,
)

HUB_CONSUMER = "hub"
"""Name of the hub's reading position in the stream of events."""

STREAM_BYTES_MAX = 8 * 1024**3
"""Bytes of the stream: forty complete baselines of two million entries at 100 bytes each, compressed."""

STREAM_AGE_S = 14 * 24 * 3600.0
"""Seconds that a frame stays: longer than the longest holiday during which nobody looks at a stopped hub."""

MESSAGE_HEADER_BYTES = 1024
"""Bytes of headers beside a frame, which count as the message's size."""

DUPLICATE_WINDOW_S = 600.0
"""Seconds for which the broker drops a repeated frame: covers the re-sending after a restart; later the hub does it."""

ACK_WAIT_S = 60.0
"""Seconds after which a message that was not acknowledged comes again: two dozen times a slow transaction."""

ACK_PENDING_MAX = 256
"""Messages delivered and not yet acknowledged: what waits at the hub's consumer, which bounds its bytes, and four of
its batches."""

_T = TypeVar("_T")


class Broker(Protocol):
    """The part of the link that declares: ``connection.Link``, or a fake."""

    async def manage(self, question: Callable[[JetStreamContext], Awaitable[_T]]) -> _T:
        """Ask the broker about its streams and consumers, or have it change them."""


class StreamPlan(msgspec.Struct, frozen=True, kw_only=True):
    """How a stream shall be; each bound has its reason beside the constant it defaults to."""

    name: str
    subjects: tuple[str, ...]
    bytes_max: int = STREAM_BYTES_MAX
    age_s: float = STREAM_AGE_S
    message_bytes_max: int = FRAME_BYTES_MAX + MESSAGE_HEADER_BYTES
    duplicate_window_s: float = DUPLICATE_WINDOW_S
    replicas: int = 1
    """Copies in a cluster of brokers: 3 where there are three, 1 on a single one."""
    ack_wait_s: float = ACK_WAIT_S
    ack_pending_max: int = ACK_PENDING_MAX
    heard: tuple[str, ...] = ()
    """Subjects that its reader is given; none named: all of them."""

    def config(self) -> StreamConfig:
        """Return the fields that we own.

        - ``limits`` retention: a frame that was read stays, so a hub restored from a backup reads it again.
        - ``discard new``: a full stream refuses; the sites keep their outboxes, and nothing unread is pushed out.
        """
        return StreamConfig(
            name=self.name,
            subjects=list(self.subjects),
            storage=StorageType.FILE,
            retention=RetentionPolicy.LIMITS,
            discard=DiscardPolicy.NEW,
            max_bytes=self.bytes_max,
            max_age=self.age_s,
            max_msg_size=self.message_bytes_max,
            duplicate_window=self.duplicate_window_s,
            num_replicas=self.replicas,
        )

    def consumer(self, durable: str, after: int) -> ConsumerConfig:
        """Return a reader that starts behind a place in the stream; 0 is its beginning."""
        return ConsumerConfig(
            name=durable,
            durable_name=durable,
            ack_policy=AckPolicy.EXPLICIT,
            ack_wait=self.ack_wait_s,
            max_ack_pending=self.ack_pending_max,
            # A message comes until it is acknowledged: what cannot be read is quarantined by the reader, not dropped.
            max_deliver=-1,
            deliver_policy=DeliverPolicy.BY_START_SEQUENCE if after else DeliverPolicy.ALL,
            opt_start_seq=after + 1 if after else None,
            filter_subjects=list(self.heard) or None,
        )


EVENTS = StreamPlan(name=EVENT_STREAM, subjects=(EVENT_SUBJECTS,))
"""The stream that carries the frames of every site."""

_UNCHANGEABLE = ("storage", "retention")
_OWNED = (
    *("subjects", "discard", "max_bytes", "max_age", "max_msg_size", "duplicate_window", "num_replicas"),
    *_UNCHANGEABLE,
)
_OWNED_OF_CONSUMER = ("ack_wait", "max_ack_pending", "max_deliver", "filter_subjects")


class StreamState(msgspec.Struct, frozen=True, kw_only=True):
    """Which stream the broker has under a name, and how far it goes."""

    created: datetime.datetime | None
    last: int
    """Place of the latest message."""


class ConsumerState(msgspec.Struct, frozen=True, kw_only=True):
    """What a declaration of a reader found and did."""

    was_made: bool
    """There was none, or one that could not be right: it was made anew."""
    after: int
    """The place behind which it reads on."""


async def declare_stream(broker: Broker, plan: StreamPlan) -> StreamState:
    """Make the stream if there is none, change what differs, and return how it is.

    Raises:
        LinkDown, CallTimeout: the broker is away or slow; declare again later.
        Refused: the broker refuses the plan, for example more replicas than it has servers.
        BadSetting: the stream has another storage or retention, which cannot be changed.

    """

    async def declare(manager: JetStreamContext) -> StreamInfo:
        try:
            found = await manager.stream_info(plan.name)
        except NotFoundError:
            return await manager.add_stream(plan.config())
        changes = _changes(plan, found.config)
        return await manager.update_stream(found.config.evolve(**changes)) if changes else found

    info = await broker.manage(declare)
    return StreamState(created=info.created, last=info.state.last_seq)


def _changes(plan: StreamPlan, present: StreamConfig) -> dict[str, object]:
    wanted = plan.config()
    changes = {name: getattr(wanted, name) for name in _OWNED if getattr(present, name) != getattr(wanted, name)}
    if any(name in changes for name in _UNCHANGEABLE):
        raise BadSetting(
            Text(
                zh=f"服务器上的流 {plan.name} 的存储方式不符，无法修改。",
                en=f"the stream {plan.name} has another storage or retention, which cannot be changed",
            ),
            Text(
                zh="请确认没有其他系统占用该流；停止县级枢纽后删除该流，各站点会自动重新上报。",
                en="Make sure no other system uses it; stop the hub and delete the stream: the sites send again.",
            ),
        )
    return changes


async def declare_consumer(broker: Broker, plan: StreamPlan, durable: str, after: int, last: int) -> ConsumerState:
    """Make the reader if there is none, and have it start over from what it has not acknowledged.

    ``after`` is where a missing reader goes on, ``last`` the stream's latest place. What was delivered and not
    acknowledged on an earlier connection would come again only after ``ACK_WAIT_S``, behind newer messages; so an
    existing reader is reset: everything unacknowledged comes again at once, in order.

    Raises:
        LinkDown, CallTimeout: the broker is away or slow; declare again later.
        Refused: the broker refuses the plan.

    """

    async def declare(manager: JetStreamContext) -> ConsumerState:
        found = await _consumer_info(manager, plan.name, durable)
        if found is not None and delivered(found) > last:
            # The stream was rewound behind the reader, which would wait for places that were given out before.
            await manager.delete_consumer(plan.name, durable)
            found = None
        if found is None:
            start = after if after <= last else 0
            await manager.add_consumer(plan.name, plan.consumer(durable, start))
            return ConsumerState(was_made=True, after=start)
        wanted = plan.consumer(durable, 0)
        changes = {
            name: getattr(wanted, name)
            for name in _OWNED_OF_CONSUMER
            if getattr(found.config, name) != getattr(wanted, name)
        }
        if changes:
            await manager.add_consumer(plan.name, found.config.evolve(**changes))
        reset = await manager.reset_consumer(plan.name, durable)
        return ConsumerState(was_made=False, after=reset.reset_seq - 1)

    return await broker.manage(declare)


async def _consumer_info(manager: JetStreamContext, stream: str, durable: str) -> ConsumerInfo | None:
    try:
        info: ConsumerInfo = await manager.consumer_info(stream, durable)
    except NotFoundError:
        return None
    return info


def delivered(info: ConsumerInfo) -> int:
    """Return the latest place that a reader was given."""
    return info.delivered.stream_seq if info.delivered is not None else 0


class Backlog(msgspec.Struct, frozen=True, kw_only=True):
    """How far a stream goes, and how much of it a reader has not taken."""

    last: int
    """Place of the latest message in the stream."""
    pending: int
    """Messages that wait for the reader, or were given to it and not acknowledged."""
    taken: int
    """Place up to which the reader has acknowledged everything."""
