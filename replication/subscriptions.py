"""Standing subscriptions: what we listen to, kept apart from the connection that happens to carry it.

Each new connection gets all of them again before anybody is told that the link is up.
"""

from collections.abc import Awaitable, Callable

from replication.bus import Message, MessageHandler
from replication.nats_library import Client, ClientSubscription, ConnectionClosedError, Msg, NatsError

PENDING_MESSAGES_MAX = 8_192
"""Messages of one subscription that may wait for the loop: thirty answers of each site of a large county."""

PENDING_BYTES_MAX = 64 * 1024 * 1024
"""Bytes of one subscription that may wait for the loop; the broker cuts a reader that is further behind than this."""


class StandingSubscription:
    """One standing interest; ``close`` ends it."""

    def __init__(self, subject: str, handler: MessageHandler, forget: Callable[["StandingSubscription"], None]) -> None:
        self.subject = subject
        self._handler = handler
        self._forget = forget
        self._carried: ClientSubscription | None = None

    async def stand(self, client: Client) -> None:
        """Have this client carry the subscription."""
        self._carried = await client.subscribe(
            self.subject,
            cb=_delivery(self._handler),
            pending_msgs_limit=PENDING_MESSAGES_MAX,
            pending_bytes_limit=PENDING_BYTES_MAX,
        )

    async def close(self) -> None:
        """End the interest; messages that are on their way are dropped. Closing twice is harmless."""
        self._forget(self)
        carried, self._carried = self._carried, None
        if carried is not None:
            try:
                await carried.unsubscribe()
            except NatsError:
                # The client that carried it is gone, and the interest with it.
                return


def _delivery(handler: MessageHandler) -> Callable[[Msg], Awaitable[None]]:
    async def deliver(message: Msg) -> None:
        handler(Message(subject=message.subject, data=message.data, headers=message.headers, reply=message.reply))

    return deliver


class Subscriptions:
    """All standing subscriptions of one link, and the client that carries them at present."""

    def __init__(self) -> None:
        self._standing: dict[StandingSubscription, None] = {}
        self._client: Client | None = None

    async def add(self, subject: str, handler: MessageHandler) -> StandingSubscription:
        """Keep an interest, and have it carried at once if there is a client."""
        subscription = StandingSubscription(subject, handler, self._forget)
        self._standing[subscription] = None
        if self._client is not None:
            try:
                await subscription.stand(self._client)
            except ConnectionClosedError:
                # It has just broken: the next client carries this one with the others.
                return subscription
        return subscription

    async def restore(self, client: Client) -> None:
        """Have a new client carry every interest, and those that are added from now on."""
        self._client = client
        for subscription in tuple(self._standing):
            await subscription.stand(client)

    def rest(self) -> None:
        """Take note that no client carries them now."""
        self._client = None

    def _forget(self, subscription: StandingSubscription) -> None:
        self._standing.pop(subscription, None)
