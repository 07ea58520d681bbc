"""What rows are described by beside their sheet."""

import hashlib
from typing import Final

import msgspec

from protocol.reference_codes import CodeProfile

FINGERPRINT_BYTES: Final = 16
"""Bytes of a context's fingerprint."""


class DescriptionContext(msgspec.Struct, frozen=True, kw_only=True):
    """The site and the settings of the file's folder."""

    site: str
    """Code of the site, which becomes the record's repository."""
    profiles: tuple[CodeProfile, ...] = ()
    fonds_no: str = ""
    """The fonds of rows that name none."""
    livelihood_kind: str = ""
    """The kind of rows that name none and whose title is not certain."""
    owner: str = ""
    custodian: str = ""
    releaser: str = ""
    county_key: bytes = b""
    """The county's key for person keys; without it there are none."""

    @property
    def fingerprint(self) -> bytes:
        """Changes with whatever changes the description of an unchanged row; does not tell the key."""
        told = repr(msgspec.structs.replace(self, county_key=b"")).encode("utf-8", "surrogatepass")
        key = hashlib.blake2b(self.county_key).digest()
        return hashlib.blake2b(told, digest_size=FINGERPRINT_BYTES, key=key).digest()
