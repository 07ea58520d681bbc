"""Who asks over the interface: the bearer of a token (RFC 6750), with its scopes."""

import msgspec

from hub import audit
from hub.audit import Action, AuditEntry, Outcome
from hub.staff import tokens
from hub.staff.administration import Actor
from hub.staff.tokens import USE_NOTED_EVERY_S, Scope, Token
from hub.web.asking import AnyRequest
from hub.web.backstage import Backstage, backstage_of
from hub.web.faults import Forbidden, SignInNeeded, TooMany


class Bearer(msgspec.Struct, frozen=True, kw_only=True):
    """Who asks."""

    token: Token
    origin: str

    @property
    def who(self) -> str:
        """As the audit log names it."""
        return f"token:{self.token.id}"

    @property
    def actor(self) -> Actor:
        """The same with where it asks from."""
        return Actor(who=self.who, origin=self.origin)

    @property
    def sees_closed(self) -> bool:
        """True if entries that are not open may be shown."""
        return Scope.CATALOGUE_CLOSED in self.token.scopes


def origin_of(request: AnyRequest) -> str:
    """Return the address that a request came from."""
    return request.client.host if request.client is not None else ""


def check_pace(request: AnyRequest, key: str = "") -> None:
    """Count a request.

    Raises:
        TooMany: the address, or the token, asks too often.

    """
    wait_s = backstage_of(request).requests.wait_s(key or origin_of(request))
    if wait_s:
        raise TooMany(wait_s)


async def bearer_of(request: AnyRequest, *wanted: Scope) -> Bearer:
    """Return who asks, if one of the wanted scopes is theirs.

    Raises:
        SignInNeeded: there is no token, or none that is good.
        Forbidden: it has none of the scopes; this is in the audit log.
        TooMany: it asks too often.
        Retryable: the store cannot be read now.

    """
    backstage, origin = backstage_of(request), origin_of(request)
    kind, _, secret = request.headers.get("authorization", "").partition(" ")
    known = None
    if kind.lower() == "bearer" and secret.strip().startswith(tokens.PREFIX):
        known = await backstage.database.read(lambda connection: tokens.found(connection, secret.strip()))
    now_ms = backstage.clock_ms()
    if known is None or not known.is_good(now_ms):
        check_pace(request)
        raise SignInNeeded("", was_signed_in=False)
    check_pace(request, f"token:{known.id}")
    bearer = Bearer(token=known, origin=origin)
    if not set(wanted) & set(known.scopes):
        await _note_refusal(backstage, bearer, request.url.path)
        raise Forbidden
    if known.used_at_ms is None or now_ms - known.used_at_ms > USE_NOTED_EVERY_S * 1000:
        await backstage.database.write(lambda connection: tokens.note_use(connection, known, now_ms))
    return bearer


async def _note_refusal(backstage: Backstage, bearer: Bearer, path: str) -> None:
    entry = AuditEntry(
        who=bearer.who,
        action=Action.ACCESS_REFUSED,
        object=path,
        outcome=Outcome.REFUSED,
        origin=bearer.origin,
        detail=",".join(bearer.token.scopes),
    )
    await backstage.database.write(lambda connection: audit.append(connection, entry, backstage.clock_ms()))
