"""The NATS library, without the client of web pages that it takes along wherever one is installed.

The library can also speak to a broker through a web socket, and loads ``aiohttp`` for that if it finds it; a hub has it
for other reasons. We never do: it would be 7 MB of a hub's memory, and a tenth of a second at the start of each of its
commands. So while the library is loaded ``aiohttp`` cannot be found, and afterwards it can, by whoever wants it.

Everything that this package uses of the library has its name here.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def unfindable(name: str) -> Iterator[None]:
    """Keep a package from being loaded while the block lasts; one that is loaded already stays."""
    if name in sys.modules:
        yield
        return
    # What Python looks up there instead of a module means: there is none.
    sys.modules[name] = None  # type: ignore[assignment]
    try:
        yield
    finally:
        del sys.modules[name]


with unfindable("aiohttp"):
    from nats.aio.client import Client, Srv
    from nats.aio.msg import Msg
    from nats.aio.subscription import Subscription as ClientSubscription
    from nats.aio.transport import TcpTransport
    from nats.errors import (
        ConnectionClosedError,
        MaxPayloadError,
        NoRespondersError,
        NoServersError,
        OutboundBufferLimitError,
        SlowConsumerError,
        UnexpectedEOF,
    )
    from nats.errors import Error as NatsError
    from nats.errors import TimeoutError as NatsTimeoutError
    from nats.js import JetStreamContext
    from nats.js.api import (
        AckPolicy,
        ConsumerConfig,
        ConsumerInfo,
        DeliverPolicy,
        DiscardPolicy,
        Header,
        PeerInfo,
        RetentionPolicy,
        StorageType,
        StreamConfig,
        StreamInfo,
    )
    from nats.js.errors import APIError, NoStreamResponseError, NotFoundError, ServiceUnavailableError

__all__ = [
    "APIError",
    "AckPolicy",
    "Client",
    "ClientSubscription",
    "ConnectionClosedError",
    "ConsumerConfig",
    "ConsumerInfo",
    "DeliverPolicy",
    "DiscardPolicy",
    "Header",
    "JetStreamContext",
    "MaxPayloadError",
    "Msg",
    "NatsError",
    "NatsTimeoutError",
    "NoRespondersError",
    "NoServersError",
    "NoStreamResponseError",
    "NotFoundError",
    "OutboundBufferLimitError",
    "PeerInfo",
    "RetentionPolicy",
    "ServiceUnavailableError",
    "SlowConsumerError",
    "Srv",
    "StorageType",
    "StreamConfig",
    "StreamInfo",
    "TcpTransport",
    "UnexpectedEOF",
]
