"""The settings of the console: the table ``[web]`` of ``hub.toml``. What they mean is checked when they are read."""

import ipaddress
import re
from enum import StrEnum
from typing import Annotated

import msgspec

from hub.staff import oidc_settings
from hub.staff.oidc_settings import OidcSettings
from protocol.wording import Text

WEB_PORT = 4225
"""Port of the console that the examples name, next to the broker's, the door's and that of health."""

IDLE_MINUTES = 30
"""Minutes without a click after which somebody is signed out."""

IDLE_MINUTES_MAX = 480
"""Minutes that this may be at most: a working day."""

PROXIES_MAX = 16
"""Proxies whose word about a visitor's address is believed."""

_MAIL = re.compile(r"[^\s@]+@([^\s@.]+\.)+[^\s@.]+")


class WebTls(StrEnum):
    """How what goes over the line is kept secret."""

    NONE = "none"
    """It is not: only for browsers on this machine."""
    COUNTY = "county"
    """By the certificate that the hub makes for its broker, signed by the county's own authority."""
    FILES = "files"
    """By a certificate that somebody else made."""
    PROXY = "proxy"
    """By a program in front of the hub."""


class WebSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename="kebab"):
    """Where the console is, and how it is reached."""

    host: str = "127.0.0.1"
    port: Annotated[int, msgspec.Meta(ge=0, le=65_535)] = 0
    """0: nowhere."""
    tls: WebTls = WebTls.NONE
    certificate: str = ""
    """With ``tls = "files"``: the certificate and those that vouch for it, PEM; relative to the home."""
    key: str = ""
    """Its private key."""
    address: str = ""
    """How people write it, if it is not host and port: ``https://archive.county.example``."""
    idle_minutes: Annotated[int, msgspec.Meta(ge=5, le=IDLE_MINUTES_MAX)] = IDLE_MINUTES
    trusted_proxies: Annotated[tuple[str, ...], msgspec.Meta(max_length=PROXIES_MAX)] = ()
    """Addresses of proxies whose word about a visitor's address counts."""
    oai_contact: str = ""
    """Mail address that harvesters are told; with one, open entries are given to whoever harvests them (OAI-PMH)."""
    oidc: OidcSettings | None = None
    """A provider of identities by which persons may sign in too."""

    @property
    def is_secret(self) -> bool:
        """True if a browser reaches the console over TLS."""
        return self.tls is not WebTls.NONE

    @property
    def url(self) -> str:
        """What a person types to come here, without a slash at its end."""
        if self.address:
            return self.address.rstrip("/")
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{'https' if self.is_secret else 'http'}://{host}:{self.port}"


def fault_of(settings: WebSettings) -> tuple[str, Text] | None:
    """Return the first setting that makes no sense, and why; None if all do."""
    if not settings.port:
        return None
    if settings.tls is WebTls.NONE and not is_loopback(settings.host):
        return "web.tls", Text(
            zh=f"{settings.host} 不是本机回环地址：密码不能明文经过网络",
            en=f"{settings.host} is not this machine alone, and passwords must not cross a network in the clear",
        )
    if settings.tls is WebTls.FILES and not (settings.certificate and settings.key):
        return "web.certificate", Text(
            zh='tls = "files" 时缺少证书或私钥', en='tls = "files" needs certificate and key'
        )
    if settings.address and not settings.address.startswith(("https://", "http://")):
        return "web.address", Text(zh="应以 https:// 开头", en="begins with https://")
    if settings.oai_contact and not _MAIL.fullmatch(settings.oai_contact):
        return "web.oai-contact", Text(zh="不是邮件地址", en="is no mail address")
    for proxy in settings.trusted_proxies:
        try:
            ipaddress.ip_network(proxy)
        except ValueError:
            return "web.trusted-proxies", Text(zh=f"{proxy!r} 不是地址", en=f"{proxy!r} is no address")
    return None if settings.oidc is None else oidc_settings.fault_of(settings.oidc)


def is_loopback(host: str) -> bool:
    """Tell whether only programs of this machine reach an address."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


EXAMPLES = {
    "web.host": 'host = "127.0.0.1"',
    "web.port": f"port = {WEB_PORT}",
    "web.tls": 'tls = "county"',
    "web.certificate": 'certificate = "tls/console.pem"',
    "web.key": 'key = "tls/console.key"',
    "web.address": 'address = "https://archive.county.example"',
    "web.idle-minutes": f"idle-minutes = {IDLE_MINUTES}",
    "web.oai-contact": 'oai-contact = "archive@county.example"',
    "web.trusted-proxies": 'trusted-proxies = ["10.20.0.9"]',
    **oidc_settings.EXAMPLES,
}
"""Every setting of this table with a line that would be right."""
