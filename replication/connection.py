"""The link to the broker: NATS as one async context manager that survives what village lines do to it.

``connected`` returns at once and keeps trying in the background, for ever: a site starts without a network. One task
dials, makes the standing subscriptions again, tells everybody that the link is up, and watches it; whatever ends the
link ends that client, and the next is dialled after a pause with full jitter. What keeps a link from coming up (wrong
key, foreign certificate, nobody there) is kept in ``faults``.
"""

import asyncio
import contextlib
import itertools
import random
import re
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import TypeVar

import nkeys
import structlog

from protocol.errors import BadSetting
from protocol.sites import Site
from protocol.wording import Text
from replication.acknowledgements import MANAGEMENT, Acknowledgements, call_timeout, link_down, translated
from replication.broker_client import (
    BrokerClient,
    LinkRhythm,
    LinkSettings,
    dial,
    discard,
    part,
    round_trip,
    tls_context,
    vital_signs,
)
from replication.bus import Bus, Message, MessageHandler, Subscription
from replication.faults import DIAL_FAULTS, Fault, FaultKind, FaultLog, kind_of_dial_error, place_of
from replication.nats_library import Header, JetStreamContext, NatsError, SlowConsumerError, UnexpectedEOF
from replication.pulling import PullSource
from replication.retry import Pause
from replication.streams import StreamPlan
from replication.subscriptions import Subscriptions

__all__ = ["Bus", "Link", "LinkRhythm", "LinkSettings", "Message", "connected", "inbox_prefix"]

PENDING_SEND_BYTES_MAX = 4 * 1024 * 1024
"""Bytes that may wait to be written to the socket: a second publish window of full frames."""

_SEND_POLL_S = 0.02
"""Seconds between looks at a full send buffer."""

_MANAGE_DEADLINE_S = 5.0
"""Seconds that one question to the broker about a stream or a consumer may take."""

_DENIED = re.compile(r'permissions violation for (publish|subscription) to "([^"]*)"')

_T = TypeVar("_T")

log = structlog.get_logger(__name__)


def inbox_prefix(site: Site) -> str:
    """Return the first token of the subjects on which a site's node hears replies, which nobody else may hear."""
    return "_INBOX_" + site.tokens.replace(".", "-")


@contextlib.asynccontextmanager
async def connected(
    settings: LinkSettings,
    rhythm: LinkRhythm | None = None,
    *,
    now: Callable[[], float] = time.time,
    chance: Callable[[], float] = random.random,
    on_fault: Callable[[Fault], None] | None = None,
) -> AsyncIterator["Link"]:
    """Give a bus that connects in the background and stays connected; leaving the context says goodbye in order.

    ``on_fault`` hears of each fault that has no caller, as it happens; ``Link.faults`` keeps them.

    Raises:
        BadSetting: there is no address, or the CA file or the seed file cannot be read.

    """
    _check(settings)
    link = Link(settings, rhythm or LinkRhythm(), FaultLog(lambda: int(now() * 1000), on_fault), chance)
    keeping = asyncio.create_task(link.keep(), name=f"link {settings.name}")
    host = asyncio.current_task()

    def ended(_: "asyncio.Task[None]") -> None:
        # The keeper never returns; if it fails, that is a defect, and the program must not go on without its link.
        if host is not None and not keeping.cancelled():
            host.cancel()

    keeping.add_done_callback(ended)
    try:
        yield link
    finally:
        keeping.remove_done_callback(ended)
        keeping.cancel()
        await asyncio.wait([keeping])
        if not keeping.cancelled():
            if host is not None:
                host.uncancel()
            keeping.result()


def _check(settings: LinkSettings) -> None:
    if not settings.urls:
        raise BadSetting(Text(zh="没有填写服务器地址。", en="no address of the county's server is given"))
    try:
        tls_context(settings)
    except OSError as error:
        raise BadSetting(
            Text(zh=f"无法读取 CA 文件：{settings.ca_file}", en=f"cannot read the CA file {settings.ca_file}: {error}"),
            Text(zh="请使用县档案馆发来的 ca.pem。", en="Use the ca.pem that the county sent."),
        ) from error
    if settings.seed_file is None:
        return
    try:
        nkeys.from_seed(bytearray(settings.seed_file.read_bytes().strip())).wipe()
    except (OSError, nkeys.NkeysError, ValueError) as error:
        raise BadSetting(
            Text(zh=f"无法读取密钥文件：{settings.seed_file}", en=f"cannot read the key file {settings.seed_file}"),
            Text(zh="请重新初始化本站并向县档案馆登记。", en="Initialise the site again and enrol it anew."),
        ) from error


class Link:
    """The bus over NATS (see ``replication.bus`` for its contract); made by ``connected``."""

    def __init__(
        self, settings: LinkSettings, rhythm: LinkRhythm, faults: FaultLog, chance: Callable[[], float]
    ) -> None:
        self._settings = settings
        self._rhythm = rhythm
        self._chance = chance
        self._pause = Pause(rhythm.reconnect, chance=chance)
        self._faults = faults
        self._subscriptions = Subscriptions()
        self._acknowledgements = Acknowledgements()
        self._callbacks: dict[object, Callable[[], None]] = {}
        self._client: BrokerClient | None = None
        self._up = asyncio.Event()
        self._log = log.bind(link=settings.name)

    @property
    def is_connected(self) -> bool:
        """Whether a publish can be tried now."""
        return self._client is not None and self._client.is_connected

    @property
    def faults(self) -> tuple[Fault, ...]:
        """What went wrong and had no caller to be raised to, the latest last."""
        return self._faults.all

    def note_fault(self, kind: FaultKind, about: str = "", detail: str = "") -> None:
        """Count a fault; the first of its kind at a place, and then ever fewer, are logged."""
        fault = self._faults.note(kind, about, detail)
        if fault.count & (fault.count - 1) == 0:
            self._log.warning("link_fault", kind=kind.value, about=about, detail=detail, count=fault.count)

    def on_connected(self, callback: Callable[[], None]) -> Callable[[], None]:
        """Call back at each new connection, after every subscription stands; returns what takes it out again."""
        key = object()
        self._callbacks[key] = callback

        def withdraw() -> None:
            self._callbacks.pop(key, None)

        return withdraw

    async def until_connected(self) -> None:
        """Return as soon as the link is up."""
        await self._up.wait()

    async def publish(self, subject: str, payload: bytes, reply: str = "") -> None:
        """Send a message that nobody stores; see ``bus.Bus``."""
        client = await self._sending_client()
        try:
            await client.publish(subject, payload, reply=reply)
        except NatsError as error:
            raise translated(error) from error

    async def publish_durable(self, subject: str, payload: bytes, message_id: str, deadline_s: float) -> int:
        """Have the broker store a message and return its place in the stream; see ``bus.Bus``."""
        client = await self._sending_client()
        call = client.jetstream().publish(subject, payload, timeout=deadline_s, headers={Header.MSG_ID: message_id})
        return (await self._acknowledgements.wait(call, subject, deadline_s)).seq

    async def subscribe(self, subject: str, handler: MessageHandler) -> Subscription:
        """Hear a subject from now on, over every loss of the link; see ``bus.Bus``."""
        return await self._subscriptions.add(subject, handler)

    async def manage(self, question: Callable[[JetStreamContext], Awaitable[_T]]) -> _T:
        """Ask the broker about its streams and consumers, or have it change them.

        Raises:
            LinkDown, CallTimeout: the link is away or slow.
            Refused: the broker says no; ``__cause__`` is the library's ``APIError``.

        """
        client = self._client
        if client is None or not client.is_connected:
            raise link_down()
        manager = client.jetstream(timeout=_MANAGE_DEADLINE_S)
        return await self._acknowledgements.wait(question(manager), MANAGEMENT, _MANAGE_DEADLINE_S)

    def pull(self, stream: StreamPlan, durable: str) -> PullSource:
        """Return a source of a stream's messages; its reading position stays with the broker under a name."""
        return PullSource(self, stream, durable, self._settings.inbox_prefix)

    async def _sending_client(self) -> BrokerClient:
        client = self._client
        if client is None or not client.is_connected:
            raise link_down()
        if client.pending_data_size <= PENDING_SEND_BYTES_MAX:
            return client
        give_up_at = time.monotonic() + self._rhythm.send_s
        while client.pending_data_size > PENDING_SEND_BYTES_MAX:
            await asyncio.sleep(_SEND_POLL_S)
            if not client.is_connected:
                raise link_down()
            if time.monotonic() > give_up_at:
                raise call_timeout(self._rhythm.send_s)
        return client

    async def keep(self) -> None:
        """Dial, serve, dial again, for ever."""
        loop = asyncio.get_running_loop()
        # Each begins at another server of a cluster, so that not all of them lose their link with the same one.
        urls = self._settings.urls
        first = int(self._chance() * len(urls)) % len(urls)
        for url in itertools.cycle((*urls[first:], *urls[:first])):
            closed = asyncio.Event()
            client = await self._dial(url, closed)
            _obey_cancellation()
            if client is not None:
                since = loop.time()
                await self._serve(client, url, closed)
                if loop.time() - since >= self._rhythm.stable_s:
                    self._pause.reset()
            await self._pause.wait()

    async def _dial(self, url: str, closed: asyncio.Event) -> BrokerClient | None:
        try:
            return await dial(url, self._settings, self._rhythm, self._heard, closed.set)
        except (NatsError, OSError, TimeoutError) as error:
            self.note_fault(kind_of_dial_error(error), url, str(error) or type(error).__name__)
            return None

    async def _serve(self, client: BrokerClient, url: str, closed: asyncio.Event) -> None:
        try:
            await self._subscriptions.restore(client)
            # The round trip proves that the broker knows the subscriptions, and brings the complaints about them.
            await round_trip(client, self._rhythm.connect_s)
            _obey_cancellation()
            self._faults.forget(DIAL_FAULTS)
            self._client = client
            self._up.set()
            self._log.info("link_up", url=url)
            for callback in tuple(self._callbacks.values()):
                callback()
            kind = await self._watch(client, closed)
            self.note_fault(kind, url, str(client.last_error or ""))
        except (NatsError, OSError) as error:
            self.note_fault(FaultKind.LINK_LOST, url, str(error))
        except asyncio.CancelledError:
            # The program stops: what was heard is finished and what is pending is sent, for as long as the rhythm says.
            self._client = None
            await part(client, self._rhythm.drain_s)
            raise
        finally:
            self._client = None
            self._up.clear()
            self._subscriptions.rest()
            self._acknowledgements.lose()
            await discard(client)

    async def _watch(self, client: BrokerClient, closed: asyncio.Event) -> FaultKind:
        """Return when the link is gone, and in which way."""
        loop = asyncio.get_running_loop()
        seen, seen_at = vital_signs(client), loop.time()
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._rhythm.watch_s):
                    await closed.wait()
            signs = vital_signs(client)
            if closed.is_set():
                error = client.last_error
                revoked = error is not None and kind_of_dial_error(error) is FaultKind.AUTHENTICATION
                return FaultKind.AUTHENTICATION if revoked else FaultKind.LINK_LOST
            # Not closed, yet not reading: the library hangs on a socket that swallows bytes, or its reader has died.
            if not signs.is_reading:
                return FaultKind.LINK_STALLED
            if signs != seen:
                seen, seen_at = signs, loop.time()
            elif loop.time() - seen_at > self._rhythm.silence_s:
                return FaultKind.LINK_STALLED

    def _heard(self, error: Exception) -> None:
        """Sort what the library reports outside of any call."""
        if isinstance(error, UnexpectedEOF):
            # The link is gone, and whoever watches it says so.
            return
        if isinstance(error, SlowConsumerError):
            self.note_fault(FaultKind.MESSAGES_DROPPED, error.subject)
            return
        denied = _DENIED.search(str(error))
        if denied is None:
            if isinstance(error, NatsError | OSError):
                self.note_fault(FaultKind.OTHER, type(error).__name__, str(error))
            else:
                self.note_fault(FaultKind.HANDLER_FAILED, detail=place_of(error))
            return
        what, subject = denied.groups()
        self.note_fault(FaultKind.PUBLISH_DENIED if what == "publish" else FaultKind.SUBSCRIBE_DENIED, subject)
        if what == "publish":
            self._acknowledgements.deny(subject)


def _obey_cancellation() -> None:
    """Stop if this task was asked to.

    Before Python 3.12 ``asyncio.wait_for``, which the library uses, loses the request when what it waits for ends in
    the same moment; the keeper would then go on for ever.
    """
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError
