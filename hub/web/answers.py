"""Answers: pages in the reader's language with what stands around them, and ways to somewhere else."""

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final
from urllib.parse import quote

import msgspec
from litestar.datastructures import Cookie
from litestar.enums import MediaType
from litestar.response import Redirect, Response

from hub.staff.roles import Permission
from hub.staff.sessions import SESSION_S_MAX
from hub.web.asking import AnyConnection
from hub.web.backstage import Backstage, backstage_of
from hub.web.forms import TOKEN_FIELD
from hub.web.visitors import SESSION_COOKIE, STRANGER_COOKIE, Visitor, cookie_name, visitor_of
from hub.web.words import in_language
from hub.web.words.fields import FrameWords
from protocol.errors import DanglianError
from protocol.wording import Text

PREFERENCE_S = 400 * 24 * 3600
"""Seconds that a browser keeps a choice of language or theme: as long as browsers allow."""

_PATH = re.compile(r"/[A-Za-z0-9_.\-/%]*(\?[A-Za-z0-9_.\-=&%*]*)?")
_SEE_OTHER: Final = 303

Page = Response[str]


class Notice(msgspec.Struct, frozen=True, kw_only=True):
    """What a page says at its top: it went well, or it did not and what to do."""

    words: str
    hint: str = ""
    is_fault: bool = False


class Way(msgspec.Struct, frozen=True, kw_only=True):
    """One entry of the main menu."""

    path: str
    words: str
    below: tuple[str, ...] = ()
    """Pages that belong to it but stand under another address."""


def page(
    request: AnyConnection,
    template: str,
    *,
    status: int = 200,
    stream: str = "",
    headers: dict[str, str] | None = None,
    values: Mapping[str, object] = MappingProxyType({}),
) -> Page:
    """Return a page.

    Args:
        request: who asks.
        template: name of the template.
        status: of the answer.
        stream: address of the events that move this page; empty if nothing does.
        headers: more of them.
        values: what the template fills in.

    """
    backstage, visitor = backstage_of(request), visitor_of(request)
    surrounding = {**frame_of(backstage, visitor), "path": request.url.path, "stream": stream, "notice": None}
    body = backstage.printer.render(template, {**surrounding, **values})
    response = Response(content=str(body), media_type=MediaType.HTML, status_code=status, headers=headers)
    if visitor.is_new:
        response.set_cookie(_cookie(backstage, STRANGER_COOKIE, visitor.secret, None))
    return response


def frame_of(backstage: Backstage, visitor: Visitor) -> dict[str, object]:
    """Return what every template knows."""
    words = in_language(visitor.language)
    return {
        "w": words,
        "lang": visitor.language.value,
        "visitor": visitor,
        "county": backstage.county,
        "ways": _ways(visitor, words.frame),
        "token_field": TOKEN_FIELD,
        "is_linked": backstage.is_linked(),
    }


def _ways(visitor: Visitor, words: FrameWords) -> list[Way]:
    ways = [
        (Permission.SEE_SITES, "/today", words.today),
        (Permission.SEARCH_CATALOGUE, "/catalogue", words.catalogue),
        (Permission.WORK_REQUESTS, "/window", words.window),
        (Permission.APPROVE_ACCESS, "/window", words.window),
        (Permission.SEE_SITES, "/sites", words.sites),
        (Permission.RECEIVE_TRANSFERS, "/transfers", words.transfers),
        (Permission.DECIDE, "/decisions", words.decisions),
        (Permission.MANAGE_ACCOUNTS, "/users", words.users),
        (Permission.READ_AUDIT, "/audit", words.audit),
    ]
    named = {path: name for permission, path, name in ways if visitor.may(permission)}
    return [Way(path=path, words=name, below=_BELOW.get(path, ())) for path, name in named.items()]


_BELOW = {"/sites": ("/enrolment",), "/transfers": ("/plan", "/keeping"), "/users": ("/tokens",)}


def fault_notice(error: DanglianError, visitor: Visitor) -> Notice:
    """Return what a page says of an error that the visitor can do something about."""
    language = visitor.language.value
    reason = error.reason.in_language(language)
    return Notice(words=reason[:1].upper() + reason[1:], hint=error.hint.in_language(language), is_fault=True)


def spoken(text: Text, visitor: Visitor) -> str:
    """Return a text in the visitor's language."""
    return text.in_language(visitor.language.value)


def away_to(path: str, **more: str) -> Redirect:
    """Send a visitor to another page of the console, to be fetched anew."""
    query = "&".join(f"{name}={quote(value, safe='')}" for name, value in more.items() if value)
    return Redirect(path=f"{path}?{query}" if query else path, status_code=_SEE_OTHER)


def safe_path(path: str) -> str:
    """Return a path of this console that a visitor wanted; the first page for anything else."""
    return path if _PATH.fullmatch(path) and not path.startswith("//") and len(path) <= 300 else "/today"


def signed_in(backstage: Backstage, secret: str) -> Cookie:
    """Return the cookie of a session."""
    return _cookie(backstage, SESSION_COOKIE, secret, int(SESSION_S_MAX))


def signed_out(backstage: Backstage) -> Cookie:
    """Return the cookie that takes a session away."""
    return _cookie(backstage, SESSION_COOKIE, "", 0)


def preference(backstage: Backstage, name: str, value: str) -> Cookie:
    """Return the cookie of a choice of language or theme."""
    is_secret = backstage.settings.is_secret
    return Cookie(key=name, value=value, max_age=PREFERENCE_S, secure=is_secret, httponly=True, samesite="lax")


def _cookie(backstage: Backstage, name: str, value: str, max_age: int | None) -> Cookie:
    return Cookie(
        key=cookie_name(name, backstage),
        value=value,
        max_age=max_age,
        path="/",
        secure=backstage.settings.is_secret,
        httponly=True,
        samesite="lax",
    )
