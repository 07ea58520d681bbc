"""What a provider of identities says of a person, and whether to believe it: the ID token (OpenID Connect, 3.1.3.7).

Pure: what the provider sent, its keys, and what the answer must fit to go in; a subject comes out, or why not.
"""

from enum import StrEnum
from typing import Any

import msgspec
from joserfc import jwt
from joserfc.errors import InvalidKeyIdError, JoseError
from joserfc.jwk import KeySet
from joserfc.jws import JWSRegistry

from protocol.errors import Permanent
from protocol.wording import Text

ALGORITHMS = ("RS256", "PS256", "ES256")
"""Signatures that are believed. Never ``none``, and none whose key would be our own secret (HS256)."""

LEEWAY_S = 60.0
"""Seconds by which the provider's clock may differ from ours."""

AGE_S_MAX = 600.0
"""Seconds since a token was made: it is fetched a moment after it."""

TOKEN_CHARS_MAX = 16 * 1024
"""Characters of a token."""

SUBJECT_CHARS_MAX = 255
"""Characters of what a person is called: what OpenID Connect allows of ``sub``."""


class Disbelief(StrEnum):
    """Why an identity is not believed; the word stands in the audit log."""

    UNREADABLE = "unreadable"
    SIGNATURE = "signature"
    UNKNOWN_KEY = "unknown_key"
    ISSUER = "issuer"
    AUDIENCE = "audience"
    EXPIRED = "expired"
    NOT_YET = "not_yet"
    NONCE = "nonce"
    STALE = "stale"
    """The person was asked for the password long ago, although it was to be asked again."""
    NO_SUBJECT = "no_subject"


class BadIdentity(Permanent):
    """What a provider said of a person is not believed; ``why`` is one word for the audit log."""

    def __init__(self, why: str) -> None:
        super().__init__(
            Text(zh="身份提供方的答复无效。", en="the provider's answer is not valid"),
            Text(
                zh="请再试一次；仍不行请用密码登录，并告诉系统管理员。",
                en="Try once more; if it stays, sign in with your password and tell the administrator.",
            ),
        )
        self.why = why


class Expected(msgspec.Struct, frozen=True, kw_only=True):
    """What an identity must fit to."""

    issuer: str
    client_id: str
    nonce: str
    claim: str
    """The claim that names the person."""
    asked_at_s: float | None = None
    """Moment since which the person was to be asked for the password; None if it need not be."""


class _Claims(msgspec.Struct, frozen=True, kw_only=True):
    iss: str
    aud: str | list[str]
    exp: float
    iat: float
    nonce: str = ""
    nbf: float = 0.0
    azp: str = ""
    auth_time: float | None = None


def proved(token: str, keys: KeySet, expected: Expected, now_s: float) -> str:
    """Return who it is, if the token says so truly.

    Raises:
        BadIdentity: it is no token, its signature is not of one of the keys, or it is not for here and now.

    """
    if len(token) > TOKEN_CHARS_MAX:
        raise BadIdentity(Disbelief.UNREADABLE)
    try:
        found: dict[str, Any] = jwt.decode(
            token, keys, registry=JWSRegistry(algorithms=list(ALGORITHMS), strict_check_header=False)
        ).claims
        claims = msgspec.convert(found, _Claims)
    except InvalidKeyIdError as error:
        raise BadIdentity(Disbelief.UNKNOWN_KEY) from error
    except JoseError as error:
        raise BadIdentity(Disbelief.SIGNATURE) from error
    except (msgspec.ValidationError, ValueError, TypeError, KeyError) as error:
        raise BadIdentity(Disbelief.UNREADABLE) from error
    amiss = _amiss(claims, expected, now_s)
    if amiss is not None:
        raise BadIdentity(amiss)
    subject = found.get(expected.claim)
    if not isinstance(subject, str) or not 0 < len(subject) <= SUBJECT_CHARS_MAX or not subject.isprintable():
        raise BadIdentity(Disbelief.NO_SUBJECT)
    return subject


def _amiss(claims: _Claims, expected: Expected, now_s: float) -> Disbelief | None:
    audiences = [claims.aud] if isinstance(claims.aud, str) else claims.aud
    party = claims.azp or (expected.client_id if len(audiences) == 1 else "")
    if claims.iss != expected.issuer:
        return Disbelief.ISSUER
    if expected.client_id not in audiences or party != expected.client_id:
        return Disbelief.AUDIENCE
    if claims.exp + LEEWAY_S <= now_s or claims.iat + AGE_S_MAX <= now_s:
        return Disbelief.EXPIRED
    if max(claims.nbf, claims.iat) - LEEWAY_S > now_s:
        return Disbelief.NOT_YET
    if claims.nonce != expected.nonce:
        return Disbelief.NONCE
    if expected.asked_at_s is not None and claims.auth_time is not None:
        return Disbelief.STALE if claims.auth_time + LEEWAY_S < expected.asked_at_s else None
    return None
