"""``GET /health`` for monitors: the smallest listener that is right, until the web stack takes it over.

It answers one question and nothing else. Connections, bytes and seconds are bounded; nothing of the request but its
first line is looked at; the answer names sites and numbers, never persons or content.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import msgspec

from hub.alarm.health import STANDINGS, Health
from hub.config import HealthSettings
from protocol.errors import BadSetting, Retryable
from protocol.wording import Text

REQUEST_BYTES_MAX = 8 * 1024
"""Bytes of a request's head: a monitor sends some hundred."""

CONVERSATION_S = 5.0
"""Seconds for one request and its answer."""

CONVERSATIONS_MAX = 16
"""Requests at once; who comes beyond is told to come again."""

_BACKLOG = 16
_REASONS = {200: "OK", 404: "Not Found", 405: "Method Not Allowed", 503: "Service Unavailable"}

Look = Callable[[], Awaitable[Health]]


class _Conversations:
    def __init__(self, look: Look) -> None:
        self._look = look
        self._open: set[asyncio.Task[None]] = set()

    async def hold(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        conversation = asyncio.current_task()
        if conversation is None:
            return
        self._open.add(conversation)
        try:
            async with asyncio.timeout(CONVERSATION_S):
                answer = await self._answered(reader)
                writer.write(answer)
                await writer.drain()
        except (OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            # Too slow (a timeout is an OSError), too long, or gone: nobody waits for an answer.
            return
        finally:
            self._open.discard(conversation)
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()

    async def end(self) -> None:
        """Break off whatever is still being said."""
        conversations = tuple(self._open)
        for conversation in conversations:
            conversation.cancel()
        if conversations:
            await asyncio.wait(conversations, timeout=CONVERSATION_S)

    async def _answered(self, reader: asyncio.StreamReader) -> bytes:
        head = await reader.readuntil(b"\r\n\r\n")
        if len(self._open) > CONVERSATIONS_MAX:
            return _answer(503, b"busy\n")
        method, _, rest = head.partition(b"\r\n")[0].decode("latin-1").partition(" ")
        path = rest.partition(" ")[0]
        if path.partition("?")[0] != "/health":
            return _answer(404, b"only /health is here\n")
        if method not in ("GET", "HEAD"):
            return _answer(405, b"only GET\n")
        try:
            health = await self._look()
        except Retryable as error:
            return _answer(503, f"{error.reason.zh}\n{error.reason.en}\n".encode())
        status = 503 if health.is_bad else 200
        body, kind = (msgspec.json.encode(health), "application/json")
        if b"text/plain" in head.lower():
            body, kind = told(health).encode(), "text/plain; charset=utf-8"
        return _answer(status, body, kind, with_body=method == "GET")


def told(health: Health) -> str:
    """Return the answer in plain words, Chinese and English."""
    lines = [f"{STANDINGS[health.standing].zh} · {STANDINGS[health.standing].en}"]
    lines += [
        f"[{STANDINGS[check.standing].zh} · {STANDINGS[check.standing].en}] {check.words.zh} · {check.words.en}"
        for check in health.checks
    ]
    return "\n".join(lines) + "\n"


def _answer(status: int, body: bytes, kind: str = "text/plain; charset=utf-8", *, with_body: bool = True) -> bytes:
    head = (
        f"HTTP/1.1 {status} {_REASONS[status]}\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\n"
        "Cache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\nConnection: close\r\n\r\n"
    )
    return head.encode("ascii") + (body if with_body else b"")


@asynccontextmanager
async def health_door_opened(settings: HealthSettings, look: Look) -> AsyncIterator[int | None]:
    """Answer for as long as the block lasts; gives the port, or None where the settings want no listener.

    Raises:
        BadSetting: the port is taken, or the address is not this machine's.

    """
    if not settings.port:
        yield None
        return
    conversations = _Conversations(look)
    try:
        server = await asyncio.start_server(
            conversations.hold, settings.host, settings.port, limit=REQUEST_BYTES_MAX, backlog=_BACKLOG
        )
    except OSError as error:
        raise BadSetting(
            Text(
                zh=f"健康检查端口 {settings.port} 无法使用：{error.strerror}",
                en=f"cannot listen on health port {settings.port}: {error.strerror}",
            ),
            Text(zh="请在 hub.toml 的 [health] 中另选端口。", en="Choose another port under [health] in hub.toml."),
        ) from error
    try:
        yield settings.port
    finally:
        server.close()
        await conversations.end()
