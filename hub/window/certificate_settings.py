"""Settings of certificates: ``[certificates]`` in ``hub.toml``."""

from typing import Annotated

import msgspec

from protocol.errors import BadValue
from protocol.sites import parse_site
from protocol.wording import Text

DEPUTIES_MAX = 2_000
"""Sites for which a deputy is named."""


class CertificateSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename="kebab"):
    """How certificates look, and who decides for sites without staff."""

    font_file: str = ""
    """A font with Chinese characters; empty for the first one that the system has."""
    stand_in_fonts: tuple[str, ...] = ()
    """Fonts for rare characters that it lacks."""
    deputies: Annotated[dict[str, str], msgspec.Meta(max_length=DEPUTIES_MAX)] = {}
    """Site without staff → the site whose keeper decides for it."""
    verify_address: str = ""
    """Where the page that verifies certificates lies; it begins the text of every QR code."""


EXAMPLES = {
    "certificates.font-file": 'font-file = "/usr/share/fonts/opentype/noto/NotoSerifCJK-Regular.ttc"',
    "certificates.stand-in-fonts": 'stand-in-fonts = ["/usr/share/fonts/truetype/hanazono/HanaMinB.ttf"]',
    "certificates.deputies": 'deputies = { "330523108204" = "330523108000" }',
    "certificates.verify-address": 'verify-address = "https://archive.county.example/verify.html"',
}
"""Every setting of this table with a line that would be right."""


def fault_of(settings: CertificateSettings) -> tuple[str, Text] | None:
    """Return the first setting that makes no sense, and why; None if all do."""
    for site, deputy in settings.deputies.items():
        try:
            parse_site(site)
            parse_site(deputy)
        except BadValue as error:
            return "certificates.deputies", error.reason
        if site == deputy:
            return "certificates.deputies", Text(zh=f"{site} 不能代办自己", en=f"{site} cannot be its own deputy")
    address = settings.verify_address
    if address and (not address.startswith(("https://", "http://", "file://")) or "#" in address):
        return "certificates.verify-address", Text(zh="应是不含 # 的网址", en="an address without #")
    return None
