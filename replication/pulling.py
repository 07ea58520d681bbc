"""A source of a stream's messages: a durable pull reader that outlives restarts of either end.

- One pull request is open at a time and asks for as many messages as the caller has room for. ``fetch`` returns what
  has come as soon as something has; the rest of the request keeps filling while the caller works.
- A request ends when it is filled, when the broker says so, or a second after its time: then it is believed lost.
- On a new connection, and whenever the broker's answer does not fit, the stream and the reader are looked at before the
  next request: a reader that is gone is made again behind the last message that was acknowledged.

``fetch`` never raises for a link that is away: it returns nothing after a while, and the caller asks again.
"""

import asyncio
import json
from collections import deque
from collections.abc import Callable, Sequence
from typing import Protocol

from protocol.errors import Retryable
from replication.bus import Bus, Message, Subscription
from replication.faults import FaultKind
from replication.streams import Broker, StreamPlan, StreamState, declare_consumer, declare_stream
from protocol.errors import LinkDown

FETCH_WAIT_S = 5.0
"""Seconds that a pull request stays open at the broker: one that was lost with a link costs no more than this."""

GRACE_S = 1.0
"""Seconds after its time in which the broker must have ended a request."""

SETTLE_S = 0.003
"""Seconds without a further message after which a batch that is not full is handed out."""

UNAVAILABLE_PAUSE_S = 1.0
"""Seconds between looks at a stream that cannot be used."""
