"""The county's public key list: by which keys certificates are checked, and which certificates are good no more.

It is a small file that anybody may have and copy: no names of persons, nothing about requests. The hub signs it, so a
copy on a stick is as good as the one on the county's site; how old it is, it says itself.
"""

import base64
import datetime
from typing import Final

import msgspec

from protocol.errors import BadValue
from protocol.wording import Text

LIST_BYTES_MAX: Final = 16 * 1024 * 1024
"""Bytes of a key list: a hundred thousand revoked certificates."""

_SIGNED: Final = b"danglian key list 1\n"


class CertifyingKey(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One key that certifies, or did."""

    key: str
    """Public NKey."""
    raw: str
    """The same as 64 hexadecimal digits, for verifiers that know no NKeys."""
    site: str
    name: str
    deputy_of: tuple[str, ...] = ()
    """Sites for which this one decides as well."""
    is_county: bool = False
    """The county's own: it says that nothing was found, and nothing else."""
    until: datetime.date | None = None
    """Day on which it was revoked; what it signed before stays good."""


class RevokedCertificate(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One certificate that is good no more."""

    serial: str
    on: datetime.date
    replaced_by: str = ""


class KeyList(msgspec.Struct, frozen=True, kw_only=True):
    """All that a verifier needs."""

    county: str
    name: str
    as_of_ms: int
    keys: tuple[CertifyingKey, ...]
    revoked: tuple[RevokedCertificate, ...]


class SignedKeyList(msgspec.Struct, frozen=True, kw_only=True):
    """The file: the list exactly as it was signed, and the hub's signature."""

    key_list: str
    signer: str
    """Public NKey of the hub."""
    signature: str
    """Base64."""


def encode_list(listed: KeyList) -> str:
    """Return the list as it is signed."""
    return msgspec.json.encode(listed).decode()


def signed_message(key_list: str) -> bytes:
    """Return the bytes that the hub's key signs."""
    return _SIGNED + key_list.encode()


def seal_list(key_list: str, signer: str, signature: bytes) -> bytes:
    """Return the file."""
    return msgspec.json.encode(
        SignedKeyList(key_list=key_list, signer=signer, signature=base64.b64encode(signature).decode("ascii"))
    )


def read_list(content: bytes) -> tuple[SignedKeyList, KeyList, bytes]:
    """Read a file: as it is signed, what it says, and the signature.

    Raises:
        BadValue: it is no key list.

    """
    try:
        if len(content) > LIST_BYTES_MAX:
            raise ValueError(len(content))
        sealed = msgspec.json.decode(content, type=SignedKeyList)
        listed = msgspec.json.decode(sealed.key_list, type=KeyList)
        return sealed, listed, base64.b64decode(sealed.signature, validate=True)
    except (msgspec.DecodeError, ValueError) as error:
        raise BadValue(
            Text(zh="不是公钥表文件，或已损坏。", en="it is no key list, or damaged"),
            Text(
                zh="请重新取得：县档案馆用 danglian-hub certificate keys 写出。",
                en="Get it again: the county archive writes it with danglian-hub certificate keys.",
            ),
        ) from error
