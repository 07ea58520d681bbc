"""Calls to the broker that wait for its acknowledgement: each ends at its deadline, at a refusal, or with the link.

The library would wait for the whole deadline although the link is gone, or although the broker has already said that
the publish is not permitted. Its errors are translated here, once.
"""

import asyncio
from collections.abc import Awaitable
from typing import Any, TypeVar

from protocol.errors import BadFrame, CallTimeout, DanglianError, LinkDown, Refused, StorageFull
from protocol.wording import Text
from replication.nats_library import (
    APIError,
    ConnectionClosedError,
    MaxPayloadError,
    NatsError,
    NatsTimeoutError,
    NoRespondersError,
    NoStreamResponseError,
    OutboundBufferLimitError,
    ServiceUnavailableError,
)

_T = TypeVar("_T")

_STREAM_FULL = 10077
_NO_SUITABLE_STORAGE = 10047
_RESOURCES_EXCEEDED = 10023
_MESSAGE_TOO_LARGE = 10054

FULL_CODES = frozenset({_STREAM_FULL, _NO_SUITABLE_STORAGE, _RESOURCES_EXCEEDED})
"""JetStream's error codes that mean "no room": stream limit reached, no storage left on the server, account limit."""


def link_down() -> LinkDown:
    """Return the error of every call that needs a link when there is none."""
    return LinkDown(
        Text(zh="与县档案馆服务器的连接已断开。", en="no link to the county's server now"),
        Text(
            zh="无需操作：数据保存在本机，连接恢复后自动继续。",
            en="Nothing to do: work waits here and goes on with the link.",
        ),
    )


def no_stream() -> LinkDown:
    """Return the error of a durable publish that no stream takes."""
    return LinkDown(
        Text(zh="服务器上的事件流暂不可用。", en="the broker has no stream for that subject now"),
        Text(zh="请县档案馆检查县级枢纽是否已启动。", en="Ask the county whether its hub is running."),
    )


def call_timeout(deadline_s: float) -> CallTimeout:
    """Return the error of a call that nobody acknowledged."""
    return CallTimeout(
        Text(zh=f"服务器在 {deadline_s:g} 秒内没有确认。", en=f"no acknowledgement within {deadline_s:g} s")
    )


def not_permitted(subject: str) -> Refused:
    """Return the error of a publish that the broker does not permit."""
    return Refused(
        Text(zh=f"服务器不允许本站向 {subject} 发布。", en=f"the broker does not permit publishing to {subject}"),
        Text(
            zh="请县档案馆核对本站的登记信息和权限。",
            en="Ask the county to check how this site is enrolled and what it may do.",
        ),
    )


def translated(error: NatsError) -> DanglianError:
    """Return our error for one of the library's."""
    if isinstance(error, APIError):
        return _translated_refusal(error)
    if isinstance(error, NoStreamResponseError | NoRespondersError):
        return no_stream()
    if isinstance(error, ConnectionClosedError | OutboundBufferLimitError):
        return link_down()
    if isinstance(error, NatsTimeoutError):
        return CallTimeout(Text(zh="服务器没有及时确认。", en="no acknowledgement in time"))
    if isinstance(error, MaxPayloadError):
        return BadFrame(Text(zh="消息超过服务器的长度上限。", en="the message is larger than the broker allows"))
    return Refused(Text(zh=f"服务器报告错误：{error}", en=f"the broker reports: {error}"))


def _translated_refusal(error: APIError) -> DanglianError:
    words = error.description or str(error)
    if error.err_code in FULL_CODES:
        return StorageFull(
            Text(zh="服务器上的事件流已满。", en=f"the stream has no room: {words}"),
            Text(zh="请县档案馆检查县级枢纽与磁盘空间。", en="Ask the county to check its hub and its disk."),
        )
    if error.err_code == _MESSAGE_TOO_LARGE:
        return BadFrame(Text(zh="消息超过事件流的长度上限。", en=f"the message is too large: {words}"))
    if isinstance(error, ServiceUnavailableError):
        return no_stream()
    return Refused(Text(zh=f"服务器拒绝了请求：{words}", en=f"the broker refused: {words}"))


MANAGEMENT = "$js.api"
"""Stands for whichever subject a question about streams or consumers is put to."""


def _concerns(denied: str, about: str) -> bool:
    return denied == about or (about == MANAGEMENT and denied.startswith(MANAGEMENT))


class Acknowledgements:
    """The calls of one link that wait for the broker."""

    def __init__(self) -> None:
        self._waiting: dict[asyncio.Future[DanglianError], str] = {}

    async def wait(self, call: Awaitable[_T], subject: str, deadline_s: float) -> _T:
        """Return what a call returns.

        Raises:
            LinkDown: the link broke, or the broker has no stream.
            CallTimeout: nothing came within ``deadline_s``.
            DanglianError: another refusal, see ``translated``.

        """
        calling = asyncio.ensure_future(call)
        ended: asyncio.Future[DanglianError] = asyncio.get_running_loop().create_future()
        self._waiting[ended] = subject.lower()
        either: set[asyncio.Future[Any]] = {calling, ended}
        try:
            await asyncio.wait(either, timeout=deadline_s, return_when=asyncio.FIRST_COMPLETED)
            if calling.done():
                return calling.result()
            raise ended.result() if ended.done() else call_timeout(deadline_s)
        except NatsError as error:
            raise translated(error) from error
        except OSError as error:
            raise link_down() from error
        finally:
            del self._waiting[ended]
            calling.cancel()

    def deny(self, subject: str) -> None:
        """End the calls to a subject that the broker does not permit; it names subjects in lower case."""
        for ended, about in self._waiting.items():
            if _concerns(subject, about) and not ended.done():
                ended.set_result(not_permitted(subject))

    def lose(self) -> None:
        """End every call: the link is gone."""
        for ended in self._waiting:
            if not ended.done():
                ended.set_result(link_down())
