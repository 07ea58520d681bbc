"""One connection of nats-py, opened once and thrown away when it breaks.

The library can reconnect by itself, but then a publish that was given up is delivered later, buffers fill while the
link is down, a link that swallows bytes hangs the client for minutes, and some errors close it for good all the same.
So each client is allowed one connection; ``replication.connection`` makes the next. One way of recovery, used every
time, is a way that works.

Everything that reaches into the library's internals is in this module and in ``replication.broker_transport``:
``BrokerClient``, ``vital_signs`` and ``discard``. A test fails when the library moves them.
"""

import asyncio
import ssl
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path

import msgspec

from replication.broker_transport import LARGE_BYTES, BrokerTransport, LargeMessage
from replication.nats_library import Client, NoServersError, Srv, TcpTransport
from replication.retry import Backoff


class LinkSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Where the broker is and who we are."""

    urls: tuple[str, ...]
    """Addresses of the broker, ``tls://host:port``; more than one where the broker is a cluster."""
    name: str
    """Shown in the broker's list of connections."""
    inbox_prefix: str
    """First token of the subjects for replies to us, which only we may hear."""
    ca_file: Path | None = None
    """The county's CA; with it, the link is encrypted and the server proven, or there is no link."""
    seed_file: Path | None = None
    """Our NKey seed."""

    @property
    def tls_required(self) -> bool:
        """Whether a server that offers no TLS is turned away."""
        return self.ca_file is not None or any(url.startswith("tls://") for url in self.urls)


class LinkRhythm(msgspec.Struct, frozen=True, kw_only=True):
    """The timing of a link; the defaults are for sites behind village lines, tests make everything shorter."""

    ping_s: float = 20.0
    """Seconds between pings to the broker."""
    pings_max: int = 2
    """Pings that may stay unanswered: a dead link is found after three intervals."""
    connect_s: float = 5.0
    """Seconds that one attempt to connect may take, TLS handshake and sign-in included."""
    watch_s: float = 3.0
    """Seconds between looks at the link; each look costs microseconds."""
    send_s: float = 5.0
    """Seconds that a publish may wait for a link that takes no bytes."""
    drain_s: float = 5.0
    """Seconds for an orderly goodbye when the program stops."""
    stable_s: float = 10.0
    """Seconds after which a connection counts as a success, so that the next pause is short again."""
    reconnect: Backoff = Backoff(first_s=0.25, ceiling_s=10.0)

    @property
    def silence_s(self) -> float:
        """Seconds without a sign of the broker after which the link is cut."""
        return self.ping_s * (self.pings_max + 1) + self.watch_s


class PlaintextServerError(ssl.SSLError):
    """The server offers no encryption although we must have it; nothing was signed or sent."""


class BrokerClient(Client):
    """The library's client, which signs in over TLS or, where TLS is required, not at all.

    The server alone says whether TLS is used. Somebody in between could say no, pass our signature on, and read along.
    Large messages come and go without being copied: see ``replication.broker_transport``.
    """

    def __init__(self, *, tls_required: bool) -> None:
        super().__init__()
        self._tls_required = tls_required

    def _connect_command(self) -> bytes:
        transport = self._transport
        writer = transport._io_writer if isinstance(transport, TcpTransport) else None  # noqa: SLF001 - see above
        if self._tls_required and (writer is None or writer.get_extra_info("ssl_object") is None):
            raise PlaintextServerError(0, "the server offers no TLS")
        return super()._connect_command()

    async def _connect_to_server(self, s: Srv) -> None:
        self._transport = BrokerTransport(self._take_large)
        await super()._connect_to_server(s)

    async def _take_large(self, message: LargeMessage) -> None:
        await self._process_msg(message.sid, message.subject, message.reply, message.payload, b"")

    async def _send_publish(
        self, subject: str, reply: str, payload: bytes, payload_size: int, headers: dict[str, str] | None
    ) -> None:
        if headers is not None or payload_size < LARGE_BYTES:
            await super()._send_publish(subject, reply, payload, payload_size, headers)
            return
        self.stats["out_msgs"] += 1
        self.stats["out_bytes"] += payload_size
        # One behind the other, without waiting: nothing comes between them.
        for piece in (f"PUB {subject} {reply} {payload_size}\r\n".encode(), payload, b"\r\n"):
            self._pending.append(piece)
            self._pending_data_size += len(piece)
        if self._flush_queue is not None and self._flush_queue.empty():
            await self._flush_pending()


class VitalSigns(msgspec.Struct, frozen=True, kw_only=True):
    """What grows while the broker answers, and whether anything could still make it grow."""

    pongs: int
    messages: int
    is_reading: bool


def vital_signs(client: BrokerClient) -> VitalSigns:
    """Return how alive a client is."""
    reading = client._reading_task  # noqa: SLF001 - the library does not tell when its reader has died
    return VitalSigns(
        pongs=client._pongs_received,  # noqa: SLF001 - pongs of the library's own pings are counted nowhere else
        messages=client.stats["in_msgs"],
        is_reading=client.is_connected and reading is not None and not reading.done(),
    )


async def round_trip(client: BrokerClient, deadline_s: float) -> None:
    """Return once the broker has taken note of all that was said to it so far.

    The library writes its ping straight to the socket, ahead of what its flusher has still to write: measured, on a
    busy machine one of nine links was called up before the broker knew its subscriptions.

    Raises:
        TimeoutError, nats.errors.Error: there was no answer in time, or the connection is closed.

    """
    async with asyncio.timeout(deadline_s):
        # No public way has it write first. Where it cannot, for the socket takes nothing, it takes no notice of the
        # deadline, and the ping has its own.
        await client._flush_pending(force_flush=True)  # noqa: SLF001
        await client.flush(timeout=deadline_s)  # type: ignore[arg-type] # passed to asyncio as it is


def cut(transport: asyncio.WriteTransport) -> None:
    """Close a socket at once, whatever waits to be written."""
    # One that was closed with a full buffer, and could empty it since, has lost its event loop without being aborted:
    # CPython then looks for a method of None. There is nothing left to cut.
    with suppress(AttributeError):
        transport.abort()


async def discard(client: BrokerClient) -> None:
    """Cut the socket and end every task of a client, whatever state it is in; never waits for the network.

    ``close`` would first write what is pending and wait for the other end to agree: on a link that swallows bytes both
    take for ever.
    """
    transport = client._transport  # noqa: SLF001 - no public way to cut the socket
    if isinstance(transport, TcpTransport):
        for writer in (transport._io_writer, transport._bare_io_writer):  # noqa: SLF001
            if writer is not None:
                cut(writer.transport)
    client._pending.clear()  # noqa: SLF001 - else the library writes it to the socket that is gone
    client._pending_data_size = 0  # noqa: SLF001
    client._status = Client.CLOSED  # noqa: SLF001
    subscriptions = [subscription._wait_for_msgs_task for subscription in client._subs.values()]  # noqa: SLF001
    own = (client._reading_task, client._ping_interval_task, client._flusher_task)  # noqa: SLF001
    tasks = [task for task in (*own, *subscriptions) if task is not None and task is not asyncio.current_task()]
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    client._subs.clear()  # noqa: SLF001


def tls_context(settings: LinkSettings) -> ssl.SSLContext | None:
    """Return the context that trusts the county's CA and nobody else; None without a CA file.

    Raises:
        OSError: the file cannot be read, or holds no certificate.

    """
    if settings.ca_file is None:
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_verify_locations(cafile=settings.ca_file)
    return context


async def dial(
    url: str,
    settings: LinkSettings,
    rhythm: LinkRhythm,
    on_error: Callable[[Exception], None],
    on_closed: Callable[[], None],
) -> BrokerClient:
    """Open one connection to one server and return it once the broker has accepted us.

    ``on_error`` hears what the broker complains about later; ``on_closed`` hears that the connection is gone.

    Raises:
        OSError, TimeoutError: unreachable, or TLS failed (``ssl.SSLError``).
        nats.errors.Error: the broker refused.

    """
    client = BrokerClient(tls_required=settings.tls_required)
    heard: list[Exception] = []

    async def error(found: Exception) -> None:
        if client.is_connected:
            on_error(found)
        else:
            heard.append(found)

    async def closed() -> None:
        on_closed()

    try:
        async with asyncio.timeout(rhythm.connect_s):
            await _connect(client, url, settings, rhythm, error, closed)
        if not client.is_connected:
            raise ConnectionResetError("the server hung up during the sign-in")
    except NoServersError:
        await discard(client)
        raise (heard[-1] if heard else ConnectionRefusedError(url)) from None
    except BaseException:
        await discard(client)
        raise
    return client


async def _connect(
    client: BrokerClient,
    url: str,
    settings: LinkSettings,
    rhythm: LinkRhythm,
    error: Callable[[Exception], Awaitable[None]],
    closed: Callable[[], Awaitable[None]],
) -> None:
    await client.connect(
        [url],
        error_cb=error,
        closed_cb=closed,
        name=settings.name,
        # With one attempt and no buffer, nothing is ever sent later than its caller believes.
        allow_reconnect=False,
        max_reconnect_attempts=1,
        reconnect_time_wait=0,
        pending_size=0,
        # The library annotates these as whole seconds and passes them to asyncio, which takes any number.
        connect_timeout=rhythm.connect_s,  # type: ignore[arg-type]
        ping_interval=rhythm.ping_s,  # type: ignore[arg-type]
        drain_timeout=rhythm.drain_s,  # type: ignore[arg-type]
        max_outstanding_pings=rhythm.pings_max,
        # Read anew for each connection: a renewed CA file is taken up without a restart.
        tls=tls_context(settings),
        nkeys_seed=str(settings.seed_file) if settings.seed_file is not None else None,
        inbox_prefix=settings.inbox_prefix,
    )


async def part(client: BrokerClient, drain_s: float) -> None:
    """Say goodbye in order: finish what was heard, send what is pending, close; cut off after ``drain_s`` seconds."""
    farewell = asyncio.ensure_future(client.drain())
    try:
        # Not a timeout around it: the library swallows cancellation at several places.
        await asyncio.wait([farewell], timeout=drain_s)
    finally:
        await discard(client)
        farewell.cancel()
        await asyncio.gather(farewell, return_exceptions=True)
