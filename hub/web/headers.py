"""Headers of every answer: nothing is loaded from anywhere else, no script stands in a page, nobody frames it.

Outermost, so that pages of faults carry them too.
"""

from typing import Any

from litestar.types import ASGIApp, Message, Receive, Scope, Send

CONTENT_POLICY = "; ".join(  # noqa: FLY002 - one rule a line is read more easily than one long text
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data:",
        "connect-src 'self'",
        "form-action 'self'",
        "frame-ancestors 'none'",
        "base-uri 'none'",
    )
)
"""What a browser may load and do (Content Security Policy, level 3)."""

_ALWAYS = (
    (b"content-security-policy", CONTENT_POLICY.encode("ascii")),
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"same-origin"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"permissions-policy", b"camera=(), geolocation=(), microphone=(), payment=(), usb=()"),
)
_SECRET = (b"strict-transport-security", b"max-age=31536000")
"""Only where the certificate is one that browsers trust: over the county's own, a mistake could not be undone."""

_NO_STORE = (b"cache-control", b"no-store")


def with_headers(app: ASGIApp, *, is_trusted_tls: bool) -> ASGIApp:
    """Return the application with the headers that every answer carries."""
    always: list[Any] = [*_ALWAYS, *([_SECRET] if is_trusted_tls else [])]

    async def wrapped(scope: Scope, receive: Receive, send: Send) -> None:
        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                given = list(message.get("headers", ()))
                named = {name.lower() for name, _ in given}
                more = always if b"cache-control" in named else [*always, _NO_STORE]
                message["headers"] = [*given, *(one for one in more if one[0] not in named)]
            await send(message)

        await app(scope, receive, send_with_headers)

    return wrapped
