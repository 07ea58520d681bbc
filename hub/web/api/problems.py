"""What goes wrong, as a program reads it: problem details (RFC 9457) with both languages and what to do next."""

import secrets
from collections.abc import Mapping
from http import HTTPStatus
from typing import Final

import msgspec
import structlog
from litestar.exceptions import HTTPException
from litestar.response import Response
from litestar.types import ExceptionHandlersMap

from hub.web.asking import AnyRequest
from hub.web.faults import Forbidden, Missing, SignInNeeded, TooMany, places_of
from protocol.errors import BadQuery, BrokenStore, DanglianError, Permanent, Retryable
from protocol.wording import Text

KIND: Final = "application/problem+json"
"""Media type of a problem."""

RETRY_S: Final = 10
"""Seconds after which who found the store away may ask again."""

log = structlog.get_logger(__name__)


class Problem(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Why there is no answer (RFC 9457)."""

    type: str
    """What kind of problem it is, as a URN."""
    title: str
    """The reason in both languages."""
    status: int
    reason: Text
    hint: Text
    """What to do next."""
    start: int | None = None
    """Where a query cannot be understood: the first character, counted from 0."""
    end: int | None = None
    """The character behind the last one."""


_NEEDED = Text(zh="需要有效的接口令牌。", en="a valid token is needed")
_NEEDED_HINT = Text(
    zh="请在请求头写 Authorization: Bearer 令牌；令牌由 danglian-hub token add 生成。",
    en="Send Authorization: Bearer TOKEN; danglian-hub token add makes one.",
)
_FORBIDDEN = Text(zh="令牌没有这一范围的权限。", en="the token's scopes do not cover this")
_FORBIDDEN_HINT = Text(zh="请系统管理员另发令牌。", en="Ask the administrator for another token.")
_MISSING = Text(zh="没有这个对象。", en="there is no such thing")
_MISSING_HINT = Text(zh="请核对地址与编号。", en="Check address and id; /api/v1/openapi.json lists the addresses.")
_WRONG = Text(zh="请求不符合接口说明。", en="the request is not as the interface describes it")
_WRONG_HINT = Text(zh="见 /api/v1/openapi.json。", en="See /api/v1/openapi.json.")
_AWAY = Text(zh="目录暂时不可用。", en="the catalogue is not available now")
_AWAY_HINT = Text(zh="稍后重试；重试不会造成重复。", en="Ask again later; asking twice does no harm.")


def handlers() -> ExceptionHandlersMap:
    """Return what answers each kind of fault."""
    return {
        SignInNeeded: lambda _request, _error: _told(401, _NEEDED, _NEEDED_HINT, {"WWW-Authenticate": "Bearer"}),
        Forbidden: lambda _request, _error: _told(403, _FORBIDDEN, _FORBIDDEN_HINT),
        Missing: lambda _request, _error: _told(404, _MISSING, _MISSING_HINT),
        TooMany: _too_many,
        HTTPException: _of_framework,
        Retryable: _away,
        BrokenStore: _away,
        TimeoutError: _away,
        Permanent: _refused,
        Exception: _broken,
    }


def _too_many(_request: AnyRequest, error: TooMany) -> Response[bytes]:
    reason = Text(zh=f"请求过于频繁，请等 {error.wait_s} 秒。", en=f"too many requests: wait {error.wait_s} s")
    hint = Text(zh="请放慢速度，按 next 翻页。", en="Ask more slowly, and page with next.")
    return _told(429, reason, hint, {"Retry-After": str(error.wait_s)})


def _of_framework(request: AnyRequest, error: HTTPException) -> Response[bytes]:
    if error.status_code >= 500:
        return _broken(request, error)
    if error.status_code == 404:
        return _told(404, _MISSING, _MISSING_HINT)
    headers = {"Allow": "GET"} if error.status_code == 405 else None
    return _told(error.status_code, _WRONG, _WRONG_HINT, headers)


def _away(_request: AnyRequest, error: Exception) -> Response[bytes]:
    log.warning("api_without_store", reason=error.reason.en if isinstance(error, DanglianError) else "timeout")
    return _told(503, _AWAY, _AWAY_HINT, {"Retry-After": str(RETRY_S)})


def _refused(_request: AnyRequest, error: Permanent) -> Response[bytes]:
    if isinstance(error, BadQuery):
        return _told(400, error.reason, error.hint, start=error.start, end=error.end)
    return _told(400, error.reason, error.hint)


def _broken(_request: AnyRequest, error: Exception) -> Response[bytes]:
    number = secrets.token_hex(4)
    log.error("api_failed", number=number, kind=type(error).__name__, at=places_of(error))
    reason = Text(zh=f"县级枢纽内部错误（{number}）。", en=f"the hub failed ({number})")
    hint = Text(zh="请把编号告诉系统管理员。", en="Tell the administrator this number.")
    return _told(500, reason, hint)


def _told(
    status: int,
    reason: Text,
    hint: Text,
    headers: Mapping[str, str] | None = None,
    *,
    start: int | None = None,
    end: int | None = None,
) -> Response[bytes]:
    kind = HTTPStatus(status).phrase.lower().replace(" ", "-")
    problem = Problem(
        type=f"urn:danglian:problem:{kind}",
        title=reason.both(),
        status=status,
        reason=reason,
        hint=hint,
        start=start,
        end=end,
    )
    content = msgspec.json.encode(problem)
    return Response(content=content, media_type=KIND, status_code=status, headers=dict(headers or {}))
