"""The enrolment door: where a stranger may knock, show a one-time code, and be let in or not.

One TLS connection, one bounded line each way, all under a deadline (see ``protocol.enrolment``). Strangers can reach
this door, so that everything about it is limited: conversations at once, in all and from one address; conversations
a second; wrong tries of one address and in all. A wrong code costs a read, never a place in the queue of writers.
"""

import asyncio
import contextlib
import socket
import ssl
from collections import Counter, deque
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import structlog

from hub.config import EnrolmentSettings
from hub.membership.enrolment import denial
from protocol.enrolment import Application, Decision, Denial, DenialCause, decode_application, encode
from protocol.errors import BadSetting, BadValue, DanglianError
from protocol.limits import ENROLMENT_APPLICATION_BYTES_MAX
from protocol.wording import Text

CONVERSATIONS_MAX = 64
"""Conversations at once; more wait in the system's queue."""

CONVERSATIONS_PER_ADDRESS_MAX = 48
"""Conversations at once from one address: one slow stranger leaves room for others, a relay with many sites passes."""

ACCEPT_PAUSE_S = 0.01
"""Seconds between two conversations' beginnings: a hundred a second cost little of one core."""

HANDSHAKE_S = 5.0
"""Seconds for the TLS handshake."""

CONVERSATION_S = 20.0
"""Seconds for a whole conversation, the broker's reload included."""

WRONG_TRIES_MAX = 10
"""Wrong codes of one address within ``WRONG_TRIES_WINDOW_S``; typing errors never get here, their checksum is off."""

WRONG_TRIES_OVERALL_MAX = 500
"""Wrong codes of all addresses together within ``WRONG_TRIES_WINDOW_S``."""

WRONG_TRIES_WINDOW_S = 600.0
"""Seconds for which a wrong try counts."""

_CLOSE_S = 2.0
_BACKLOG = 256
_TROUBLE_PAUSE_S = 1.0

log = structlog.get_logger(__name__)

Decide = Callable[[Application], Awaitable[Decision]]


class WrongTries:
    """Counts wrong codes by address over a sliding window; never holds more than ``WRONG_TRIES_OVERALL_MAX``."""

    def __init__(self, clock_s: Callable[[], float]) -> None:
        self._clock_s = clock_s
        self._tries: deque[tuple[float, str]] = deque()
        self._by_address: Counter[str] = Counter()

    def note(self, address: str) -> None:
        """Count one wrong code."""
        self._tries.append((self._clock_s(), address))
        self._by_address[address] += 1

    def is_too_many(self, address: str) -> bool:
        """Tell whether an address, or everybody together, has tried too often."""
        oldest = self._clock_s() - WRONG_TRIES_WINDOW_S
        while self._tries and self._tries[0][0] <= oldest:
            _, forgotten = self._tries.popleft()
            self._by_address[forgotten] -= 1
            if not self._by_address[forgotten]:
                del self._by_address[forgotten]
        return self._by_address[address] >= WRONG_TRIES_MAX or len(self._tries) >= WRONG_TRIES_OVERALL_MAX


class Door:
    """Takes conversations on a listening socket; made by ``door_opened``."""

    def __init__(self, listening: socket.socket, context: ssl.SSLContext, decide: Decide, tries: WrongTries) -> None:
        self._listening = listening
        self._context = context
        self._decide = decide
        self._tries = tries
        self._open: Counter[str] = Counter()
        self._places = asyncio.Semaphore(CONVERSATIONS_MAX)

    @property
    def port(self) -> int:
        """The port that the door listens on."""
        return int(self._listening.getsockname()[1])

    async def answer(self) -> None:
        """Hold conversations; runs until cancelled."""
        loop = asyncio.get_running_loop()
        async with asyncio.TaskGroup() as conversations:
            while True:
                await self._places.acquire()
                try:
                    client, peer = await loop.sock_accept(self._listening)
                except OSError as error:
                    # Out of file handles, or the caller has gone already.
                    log.warning("enrolment_not_accepted", fault=str(error))
                    self._places.release()
                    await asyncio.sleep(_TROUBLE_PAUSE_S)
                    continue
                except BaseException:
                    self._places.release()
                    raise
                conversation = conversations.create_task(self._received(client, str(peer[0])))
                conversation.add_done_callback(lambda _: self._places.release())
                await asyncio.sleep(ACCEPT_PAUSE_S)

    async def _received(self, client: socket.socket, address: str) -> None:
        if self._open[address] >= CONVERSATIONS_PER_ADDRESS_MAX:
            client.close()
            return
        self._open[address] += 1
        try:
            async with asyncio.timeout(CONVERSATION_S), _secured(client, self._context) as (reader, writer):
                decision = await self._decided(reader, address)
                writer.write(encode(decision))
                await writer.drain()
        except (OSError, asyncio.IncompleteReadError) as error:
            log.info("enrolment_broken_off", fault=type(error).__name__)
        finally:
            self._open[address] -= 1
            if not self._open[address]:
                del self._open[address]

    async def _decided(self, reader: asyncio.StreamReader, address: str) -> Decision:
        if self._tries.is_too_many(address):
            return denial(DenialCause.TOO_MANY_TRIES)
        try:
            application = decode_application(await reader.readuntil())
        except (asyncio.LimitOverrunError, BadValue):
            self._tries.note(address)
            return denial(DenialCause.BAD_APPLICATION)
        try:
            decision = await self._decide(application)
        except DanglianError as error:
            log.error("enrolment_failed", reason=error.reason.en)  # noqa: TRY400 - the reason says it all
            return denial(DenialCause.HUB_TROUBLE)
        if isinstance(decision, Denial):
            self._tries.note(address)
            log.warning("enrolment_denied", cause=decision.cause.value)
        return decision


@asynccontextmanager
async def door_opened(
    settings: EnrolmentSettings, context: ssl.SSLContext, decide: Decide, clock_s: Callable[[], float]
) -> AsyncIterator[Door]:
    """Listen for as long as the block lasts; ``Door.answer`` belongs into a task inside it.

    Raises:
        BadSetting: the port is taken, or the address is not this machine's.

    """
    try:
        listening = socket.create_server(
            (settings.host, settings.port),
            family=socket.AF_INET6 if ":" in settings.host else socket.AF_INET,
            backlog=_BACKLOG,
        )
    except OSError as error:
        raise BadSetting(
            Text(
                zh=f"登记端口 {settings.port} 无法使用：{error.strerror}",
                en=f"cannot listen on enrolment port {settings.port}: {error.strerror}",
            ),
            Text(
                zh="请停止占用端口的程序，或在 hub.toml 的 [enrolment] 中另选端口，例如 port = 4323。",
                en="Stop the program on it, or choose another under [enrolment] in hub.toml, for example port = 4323.",
            ),
        ) from error
    listening.settimeout(0)
    with listening:
        yield Door(listening, context, decide, WrongTries(clock_s))


@asynccontextmanager
async def _secured(
    client: socket.socket, context: ssl.SSLContext
) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader(limit=ENROLMENT_APPLICATION_BYTES_MAX, loop=loop)
    protocol = asyncio.StreamReaderProtocol(reader, loop=loop)
    try:
        transport, _ = await loop.connect_accepted_socket(
            lambda: protocol, client, ssl=context, ssl_handshake_timeout=HANDSHAKE_S, ssl_shutdown_timeout=_CLOSE_S
        )
    except BaseException:
        client.close()
        raise
    writer = asyncio.StreamWriter(transport, protocol, reader, loop)
    try:
        yield reader, writer
    finally:
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()
