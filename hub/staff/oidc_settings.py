"""The settings of sign-in by a provider of identities (OpenID Connect): the table ``[web.oidc]`` of ``hub.toml``."""

import ipaddress
from typing import Annotated
from urllib.parse import urlsplit

import msgspec

from protocol.wording import Text

SUBJECT_CLAIM = "sub"
"""The one claim that every provider promises to be unique and never given to another person (OpenID Connect 5.7)."""

SCOPES = ("openid",)
"""What is asked for: who it is, and nothing else about the person."""

_Name = Annotated[str, msgspec.Meta(min_length=1, max_length=200)]


class OidcSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename="kebab"):
    """A provider by which persons may sign in beside their passwords."""

    issuer: _Name
    """Address of the provider exactly as it calls itself; its settings are found under it."""
    client_id: _Name
    """Name that the provider gave to this console."""
    client_secret_file: _Name
    """File with the secret that the provider gave to it; relative to the home."""
    name: Annotated[str, msgspec.Meta(max_length=40)] = ""
    """What the button on the sign-in page calls the provider; its host if it is empty."""
    subject_claim: _Name = SUBJECT_CLAIM
    """The claim by which administrators link persons to accounts."""
    scopes: Annotated[tuple[_Name, ...], msgspec.Meta(max_length=10)] = SCOPES
    ask_again: bool = True
    """The provider shall ask for the password each time, so that a desk left alone is no open door."""
    ca_file: str = ""
    """Certificates that vouch for the provider, PEM, relative to the home; those of the system if it is empty."""

    @property
    def called(self) -> str:
        """What people read."""
        return self.name or urlsplit(self.issuer).netloc


def fault_of(settings: OidcSettings) -> tuple[str, Text] | None:
    """Return the first setting that makes no sense, and why; None if all do."""
    if not is_safe(settings.issuer) or settings.issuer != settings.issuer.strip() or "?" in settings.issuer:
        return "web.oidc.issuer", Text(
            zh="应为 https:// 地址（只有本机可用 http://），不带参数",
            en="is an https:// address without parameters (http:// on this machine only)",
        )
    if "openid" not in settings.scopes:
        return "web.oidc.scopes", Text(zh="必须包含 openid", en="must hold openid")
    return None


def is_safe(address: str) -> bool:
    """Tell whether secrets may be sent to an address: over TLS, or within this machine."""
    try:
        parts = urlsplit(address)
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        return False
    if parts.username is not None or parts.fragment or not host or not address.isprintable() or " " in address:
        return False
    return parts.scheme == "https" or (parts.scheme == "http" and _is_this_machine(host))


def _is_this_machine(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


EXAMPLES = {
    "web.oidc.issuer": 'issuer = "https://sso.county.example"',
    "web.oidc.client-id": 'client-id = "danglian"',
    "web.oidc.client-secret-file": 'client-secret-file = "keys/oidc.secret"',
    "web.oidc.name": 'name = "县统一身份认证"',
    "web.oidc.subject-claim": f'subject-claim = "{SUBJECT_CLAIM}"',
    "web.oidc.scopes": 'scopes = ["openid"]',
    "web.oidc.ask-again": "ask-again = true",
    "web.oidc.ca-file": 'ca-file = "tls/sso-ca.pem"',
}
"""Every setting of this table with a line that would be right."""
