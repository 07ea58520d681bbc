"""The bus as the rest of the program sees it: subjects, bytes, and the truth about whether the link is up.

``replication.connection`` makes the real one over NATS; the tests have one in memory. The contract:

- ``publish`` sends now or raises ``LinkDown``. Nothing waits in memory for a better time: what must not be lost is in
  the outbox, and the rest is said again.
- ``publish_durable`` returns when the broker has stored the message, or raises; whether a message whose call failed was
  stored is unknown, so it is sent again under the same id.
- A subscription stands until it is closed, over every loss of the link. Its handler is a plain function that must not
  wait: it puts the message where a task of its own fetches it.
- ``on_connected`` callbacks run after every subscription stands again.
"""

from collections.abc import Callable, Mapping
from typing import Protocol

import msgspec

from replication.faults import Fault, FaultKind


class Message(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One message as it came in."""

    subject: str
    data: bytes
    headers: Mapping[str, str] | None = None
    reply: str = ""


MessageHandler = Callable[[Message], None]


class Subscription(Protocol):
    """Standing interest in a subject."""

    async def close(self) -> None:
        """End the interest; messages that are on their way are dropped."""


class Bus(Protocol):
    """What the two ends use to talk; see the contract above."""

    @property
    def is_connected(self) -> bool:
        """Whether a publish can be tried now."""

    @property
    def faults(self) -> tuple[Fault, ...]:
        """What went wrong and had no caller to be raised to."""

    def note_fault(self, kind: FaultKind, about: str = "", detail: str = "") -> None:
        """Count a fault that a user of the bus has found; ``detail`` must hold no content of messages."""

    def on_connected(self, callback: Callable[[], None]) -> Callable[[], None]:
        """Call back at each new connection; returns the function that takes the callback out again."""

    async def publish(self, subject: str, payload: bytes, reply: str = "") -> None:
        """Send a message that nobody stores.

        Raises:
            LinkDown: there is no link now; nothing was sent, nothing is kept.
            CallTimeout: the link takes no more bytes.
            BadFrame: the message is larger than the broker allows.

        """

    async def publish_durable(self, subject: str, payload: bytes, message_id: str, deadline_s: float) -> int:
        """Have the broker store a message and return its place in the stream.

        Raises:
            LinkDown: there is no link, it broke meanwhile, or the broker has no stream for the subject now.
            CallTimeout: no acknowledgement within ``deadline_s``.
            StorageFull: the stream has no room.
            BadFrame: the message is larger than the stream allows.
            Refused: the broker does not permit it, or refuses for another reason.

        """

    async def subscribe(self, subject: str, handler: MessageHandler) -> Subscription:
        """Hear a subject from now on; while the link is down, from the next connection on."""
