"""One connection of nats-py, opened once and thrown away when it breaks.

The library can reconnect by itself, but then a publish that was given up is delivered later, buffers fill while the
link is down, a link that swallows bytes hangs the client for minutes, and some errors close it for good all the same.
So each client is allowed one connection; ``replication.connection`` makes the next. One way of recovery, used every
time, is a way that works.

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
