"""The provider of identities as this hub reaches it: what it says of itself, its keys, and whom a code stands for.

Every question to it has one deadline, no redirect is followed, and an answer has a bound. What it says of itself and
its keys are kept for an hour; keys are asked for anew, at most once a minute, when a token names an unknown one.
"""

import asyncio
import ssl
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import quote, urlencode

import httpx
import msgspec
from joserfc.errors import JoseError
from joserfc.jwk import Key, KeySet, import_key

from hub.staff.oidc_journeys import Journey
from hub.staff.oidc_settings import OidcSettings, is_safe
from hub.staff.oidc_tokens import BadIdentity, Disbelief, Expected, proved
from protocol.errors import BadSetting, CallTimeout, LinkDown
from protocol.wording import Text

ANSWER_S = 8.0
"""Seconds for one question to the provider, from the look-up of its name to the last byte: somebody waits."""

ANSWER_BYTES_MAX = 256 * 1024
"""Bytes of an answer; what providers say of themselves is some kilobytes."""

KEPT_S = 3600.0
"""Seconds that the provider's own words are kept."""

KEYS_ANEW_S = 60.0
"""Seconds between two questions for its keys, whatever tokens name."""

KEYS_MAX = 50
"""Keys of a provider that are looked at."""

SECRET_BYTES_MAX = 4096
"""Bytes of the file with our secret."""

_WELL_KNOWN = "/.well-known/openid-configuration"

A = TypeVar("A")


class _Metadata(msgspec.Struct, frozen=True, kw_only=True):
    """What a provider says of itself (OpenID Connect Discovery 1.0, 3)."""

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    token_endpoint_auth_methods_supported: list[str] = msgspec.field(default_factory=lambda: ["client_secret_basic"])
    code_challenge_methods_supported: list[str] | None = None
    end_session_endpoint: str = ""
    """Where people sign out of the provider itself (OpenID Connect RP-Initiated Logout 1.0, 2.1)."""


class _Keys(msgspec.Struct, frozen=True, kw_only=True):
    keys: list[dict[str, Any]]


class _Tokens(msgspec.Struct, frozen=True, kw_only=True):
    id_token: str


class Provider:
    """The provider that the settings name; nothing is asked before somebody wants to sign in."""

    def __init__(
        self, settings: OidcSettings, secret: str, trust: ssl.SSLContext, monotonic: Callable[[], float]
    ) -> None:
        self.settings = settings
        self._secret = secret
        self._trust = trust
        self._monotonic = monotonic
        self._known: tuple[_Metadata, float] | None = None
        self._keys: tuple[KeySet, float] | None = None

    async def way(self, state: str, journey: Journey, back: str) -> str:
        """Return the address at the provider to which a person goes.

        Raises:
            LinkDown: the provider cannot be reached, or what it says of itself cannot be.
            CallTimeout: it does not answer in time.

        """
        metadata = await self._metadata()
        asked = {
            "response_type": "code",
            "client_id": self.settings.client_id,
            "redirect_uri": back,
            "scope": " ".join(self.settings.scopes),
            "state": state,
            "nonce": journey.nonce,
            "code_challenge": journey.challenge,
            "code_challenge_method": "S256",
        }
        if self.settings.ask_again:
            asked["prompt"] = "login"
        joint = "&" if "?" in metadata.authorization_endpoint else "?"
        return f"{metadata.authorization_endpoint}{joint}{urlencode(asked)}"

    async def way_out(self, back: str) -> str:
        """Return the address at which a person signs out of the provider too; empty if it has none.

        The provider asks the person there: no token of the sign-in was kept that could speak for them.

        Raises:
            LinkDown: the provider cannot be reached, or what it says of itself cannot be.
            CallTimeout: it does not answer in time.

        """
        address = (await self._metadata()).end_session_endpoint
        if not is_safe(address):
            return ""
        asked = {"client_id": self.settings.client_id, "post_logout_redirect_uri": back}
        return f"{address}{'&' if '?' in address else '?'}{urlencode(asked)}"

    async def subject(self, code: str, journey: Journey, back: str, now_s: float) -> str:
        """Return whom a code that a person brought back stands for.

        Raises:
            LinkDown: the provider cannot be reached.
            CallTimeout: it does not answer in time.
            BadIdentity: it does not know the code, or what it says of the person is not believed.

        """
        metadata = await self._metadata()
        token = await self._token(metadata, code, journey, back)
        expected = Expected(
            issuer=self.settings.issuer,
            client_id=self.settings.client_id,
            nonce=journey.nonce,
            claim=self.settings.subject_claim,
            asked_at_s=journey.begun_at_ms / 1000 if self.settings.ask_again else None,
        )
        try:
            return proved(token, await self._key_set(metadata), expected, now_s)
        except BadIdentity as error:
            if error.why != Disbelief.UNKNOWN_KEY or not self._forget_keys():
                raise
        return proved(token, await self._key_set(metadata), expected, now_s)

    async def _metadata(self) -> _Metadata:
        now_s = self._monotonic()
        if self._known is not None and now_s - self._known[1] < KEPT_S:
            return self._known[0]
        address = self.settings.issuer.rstrip("/") + _WELL_KNOWN
        found = _read(_well(await self._asked(httpx.Request("GET", address))), _Metadata)
        addresses = (found.authorization_endpoint, found.token_endpoint, found.jwks_uri)
        methods = found.code_challenge_methods_supported
        if found.issuer != self.settings.issuer or not all(is_safe(one) for one in addresses):
            raise _strange(f"issuer {found.issuer}")
        if methods is not None and "S256" not in methods:
            raise _strange("no S256")
        self._known = (found, now_s)
        return found

    async def _key_set(self, metadata: _Metadata) -> KeySet:
        now_s = self._monotonic()
        if self._keys is not None and now_s - self._keys[1] < KEPT_S:
            return self._keys[0]
        found = _read(_well(await self._asked(httpx.Request("GET", metadata.jwks_uri))), _Keys)
        keys = KeySet([key for one in found.keys[:KEYS_MAX] for key in _public(one)])
        self._keys = (keys, now_s)
        return keys

    def _forget_keys(self) -> bool:
        """Have the keys asked for anew; False if that was done a moment ago."""
        if self._keys is None or self._monotonic() - self._keys[1] < KEYS_ANEW_S:
            return False
        self._keys = None
        return True

    async def _token(self, metadata: _Metadata, code: str, journey: Journey, back: str) -> str:
        fields = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": back,
            "code_verifier": journey.verifier,
        }
        name, auth = self.settings.client_id, None
        if "client_secret_basic" in metadata.token_endpoint_auth_methods_supported:
            # RFC 6749 §2.3.1: both are encoded as in a form before they are joined.
            auth = httpx.BasicAuth(quote(name, safe=""), quote(self._secret, safe=""))
        else:
            fields |= {"client_id": name, "client_secret": self._secret}
        answer = await self._asked(httpx.Request("POST", metadata.token_endpoint, data=fields), auth)
        if 400 <= answer.status_code < 500:
            raise BadIdentity("code")
        return _read(_well(answer), _Tokens).id_token

    async def _asked(self, request: httpx.Request, auth: httpx.Auth | None = None) -> httpx.Response:
        """Put one question; the answer is here as a whole."""
        request.headers["accept"] = "application/json"
        try:
            async with (
                asyncio.timeout(ANSWER_S),
                httpx.AsyncClient(verify=self._trust, trust_env=False, timeout=ANSWER_S) as client,
            ):
                answer = await client.send(request, auth=auth, stream=True)
                try:
                    return httpx.Response(answer.status_code, content=await _bounded(answer), request=request)
                finally:
                    await answer.aclose()
        except (TimeoutError, httpx.TimeoutException) as error:
            raise CallTimeout(
                Text(zh="统一身份认证没有及时答复。", en="the provider of identities does not answer"), _LOCALLY
            ) from error
        except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
            raise LinkDown(
                Text(zh="统一身份认证连接不上。", en="the provider of identities cannot be reached"), _LOCALLY
            ) from error


def provider_of(settings: OidcSettings | None, home: Path, monotonic: Callable[[], float]) -> Provider | None:
    """Return the provider of the settings; None where they name none. Nothing is asked of it.

    Raises:
        BadSetting: the secret or the certificates cannot be read.

    """
    if settings is None:
        return None
    path = home / settings.client_secret_file
    try:
        secret = path.read_bytes()[:SECRET_BYTES_MAX].decode("utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise _unreadable("client-secret-file", path, str(error)) from error
    if not secret:
        raise _unreadable("client-secret-file", path, "empty")
    if not settings.ca_file:
        return Provider(settings, secret, ssl.create_default_context(), monotonic)
    try:
        trust = ssl.create_default_context(cafile=home / settings.ca_file)
    except OSError as error:
        raise _unreadable("ca-file", home / settings.ca_file, str(error)) from error
    return Provider(settings, secret, trust, monotonic)


async def _bounded(answer: httpx.Response) -> bytes:
    body = b""
    async for part in answer.aiter_bytes():
        body += part
        if len(body) > ANSWER_BYTES_MAX:
            raise _strange("too long")
    return body


def _well(answer: httpx.Response) -> httpx.Response:
    if answer.status_code != 200:
        raise _strange(str(answer.status_code))
    return answer


def _read(answer: httpx.Response, kind: type[A]) -> A:
    try:
        return msgspec.json.decode(answer.content, type=kind)
    except msgspec.MsgspecError as error:
        raise _strange(f"{kind.__name__}") from error


def _public(one: dict[str, Any]) -> list[Key]:
    """Return a public key; nothing for one of a kind that is not believed."""
    if one.get("kty") not in ("RSA", "EC") or one.get("use", "sig") != "sig":
        return []
    try:
        return [import_key(one)]
    except (JoseError, ValueError, TypeError, KeyError):
        # Other keys of the same set may be ones we know.
        return []


_LOCALLY = Text(
    zh="请用本系统的登录名和密码登录，或稍后再试。", en="Sign in with your login and password, or try again later."
)


def _strange(what: str) -> LinkDown:
    return LinkDown(
        Text(zh=f"统一身份认证的答复无法使用（{what}）。", en=f"the provider's answer is of no use ({what})"), _LOCALLY
    )


def _unreadable(setting: str, path: Path, why: str) -> BadSetting:
    return BadSetting(
        Text(zh=f"读不出 web.oidc.{setting}：{path}（{why}）", en=f"cannot read web.oidc.{setting}: {path} ({why})"),
        Text(
            zh="路径相对于县级枢纽目录；密钥文件只含密钥一行，权限 0600。",
            en="Paths are relative to the hub's home; the file holds the secret alone, mode 0600.",
        ),
    )
