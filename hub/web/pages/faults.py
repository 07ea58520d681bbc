"""Pages for what goes wrong: in plain words, with what to do, never with what a program was thinking."""

import secrets

import structlog
from litestar.exceptions import HTTPException
from litestar.response import Redirect
from litestar.types import ExceptionHandlersMap

from hub.web.answers import Page, away_to, fault_notice, page
from hub.web.asking import AnyRequest
from hub.web.faults import CodeNeeded, Forbidden, Missing, SignInNeeded, Stale, TooMany, places_of
from hub.web.visitors import visitor_of
from hub.web.words import in_language
from protocol.errors import BrokenStore, DanglianError, Permanent, Retryable

RETRY_S = 10
"""Seconds after which a page that found the store away tries again by itself."""

log = structlog.get_logger(__name__)


def handlers() -> ExceptionHandlersMap:
    """Return what answers each kind of fault."""
    return {
        SignInNeeded: _sign_in_needed,
        CodeNeeded: _code_needed,
        Forbidden: _forbidden,
        Stale: _stale,
        TooMany: _too_many,
        Missing: _missing,
        HTTPException: _of_framework,
        Retryable: _away,
        BrokenStore: _away,
        TimeoutError: _away,
        Permanent: _refused,
        Exception: _broken,
    }


def _sign_in_needed(_request: AnyRequest, error: SignInNeeded) -> Redirect:
    return away_to("/sign-in", next=error.path, why="idle" if error.was_signed_in else "")


def _code_needed(_request: AnyRequest, _error: CodeNeeded) -> Redirect:
    return away_to("/sign-in/code")


def _forbidden(request: AnyRequest, _error: Forbidden) -> Page:
    words = in_language(visitor_of(request).language).faults
    return _fault(request, 403, words.forbidden, words.forbidden_lead)


def _stale(request: AnyRequest, _error: Stale) -> Page:
    words = in_language(visitor_of(request).language).faults
    return _fault(request, 403, words.stale, words.stale_lead)


def _missing(request: AnyRequest, _error: Missing) -> Page:
    words = in_language(visitor_of(request).language).faults
    return _fault(request, 404, words.missing, words.missing_lead)


def _too_many(request: AnyRequest, error: TooMany) -> Page:
    words = in_language(visitor_of(request).language).faults
    lead = words.too_many_lead.format(seconds=error.wait_s)
    return _fault(request, 429, words.too_many, lead, {"Retry-After": str(error.wait_s)})


def _of_framework(request: AnyRequest, error: HTTPException) -> Page:
    words = in_language(visitor_of(request).language).faults
    title, lead = {
        404: (words.missing, words.missing_lead),
        413: (words.too_large, words.wrong_lead),
    }.get(error.status_code, (words.wrong, words.wrong_lead))
    if error.status_code >= 500:
        return _broken(request, error)
    return _fault(request, error.status_code, title, lead)


def _away(request: AnyRequest, error: Exception) -> Page:
    words = in_language(visitor_of(request).language).faults
    reason = error.reason.en if isinstance(error, DanglianError) else "timeout"
    log.warning("page_without_store", reason=reason)
    headers = {"Retry-After": str(RETRY_S)}
    return _fault(request, 503, words.away, words.away_lead, headers, retry_s=RETRY_S)


def _refused(request: AnyRequest, error: Permanent) -> Page:
    told = fault_notice(error, visitor_of(request))
    return _fault(request, 400, told.words, told.hint)


def _broken(request: AnyRequest, error: Exception) -> Page:
    number = secrets.token_hex(4)
    # The path may hold what somebody typed, and the error's words too: the log has the place in the code instead.
    log.error("page_failed", number=number, kind=type(error).__name__, at=places_of(error))
    words = in_language(visitor_of(request).language).faults
    return _fault(request, 500, words.broken, words.broken_lead.format(number=number))


def _fault(
    request: AnyRequest, status: int, title: str, lead: str, headers: dict[str, str] | None = None, retry_s: int = 0
) -> Page:
    values = {"title": title, "lead": lead, "retry_s": retry_s}
    return page(request, "fault.html", status=status, headers=headers, values=values)
