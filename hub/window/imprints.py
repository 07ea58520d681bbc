"""What the window adds on paper to what a holder signed, and what comes of both."""

import datetime
from typing import Final

import msgspec

from hub.window.certificate_settings import CertificateSettings

CARRIED: Final = "certificate.json"
"""Name of the file in a certificate's PDF that programs check."""


class Imprint(msgspec.Struct, frozen=True, kw_only=True):
    """Who prints, in which type, and where a reader verifies."""

    window: str
    """The county archive whose window prints it."""
    at: datetime.datetime
    """When it is made."""
    verify_address: str = ""
    font_file: str = ""
    stand_in_fonts: tuple[str, ...] = ()


def imprint_of(settings: CertificateSettings, window: str, at: datetime.datetime) -> Imprint:
    """Return what the window adds to a certificate made at a moment."""
    return Imprint(
        window=window,
        at=at,
        verify_address=settings.verify_address,
        font_file=settings.font_file,
        stand_in_fonts=settings.stand_in_fonts,
    )


class MadeCertificate(msgspec.Struct, frozen=True, kw_only=True):
    """A certificate's PDF as it was made, and what its holder has to sign for the seal."""

    pdf: bytes
    pages: int
    attributes: bytes


class SealFound(msgspec.Struct, frozen=True, kw_only=True):
    """What the signature of a PDF turned out to be."""

    is_intact: bool
    covers_all: bool
    """Nothing was added behind what was signed."""
    is_trusted: bool
    """The county's authority vouches for the key."""
    signer: bytes
    """Raw public key, 32 bytes; empty if it is no Ed25519 key."""
    signed_at: datetime.datetime | None
