"""A consignment on a courier's disk: a folder that holds the files as they are, the list, and the giver's signature.

    danglian-<id>/consignment.json   one line of JSON, the ``DiskConsignment``
    danglian-<id>/consignment.sig    128 hex digits: Ed25519 by the giver over "danglian consignment 1", LF, the line
    danglian-<id>/data/<path>        the files

Anybody can read the files in thirty years; nobody can change one unnoticed. They are not encrypted: a disk that
travels is to be encrypted as a whole, or locked away.
"""

from uuid import UUID

import msgspec

from protocol.consignments import ConsignedFile
from protocol.errors import BadFile, BadValue
from protocol.sites import parse_site
from protocol.wording import Text

LIST_NAME = "consignment.json"
SIGNATURE_NAME = "consignment.sig"
DATA_NAME = "data"
FORMAT = 1

LIST_BYTES_MAX = 256 * 1024 * 1024
"""Bytes of the list: ``limits.CONSIGNMENT_FILES_MAX`` lines with the longest paths."""


class DiskConsignment(msgspec.Struct, frozen=True, kw_only=True):
    """What a courier's disk says of itself."""

    format: int = FORMAT
    site: str
    node: str
    """The giver's public key."""
    consignment_id: UUID
    files: tuple[ConsignedFile, ...]


def folder_name(consignment_id: UUID) -> str:
    """Return the name of a consignment's folder on a disk."""
    return f"danglian-{consignment_id}"


def signed_part(encoded: bytes) -> bytes:
    """Return the bytes that the giver signs."""
    return b"danglian consignment 1\n" + encoded


def encode(listed: DiskConsignment) -> bytes:
    """Return the bytes of the list."""
    return msgspec.json.encode(listed)


def decode(encoded: bytes) -> DiskConsignment:
    """Read the list.

    Raises:
        BadFile: it is none, or of a later version.

    """
    hint = Text(
        zh="请指定移动盘上以 danglian- 开头的文件夹。", en="Name the folder on the disk that begins with danglian-."
    )
    try:
        listed = msgspec.json.decode(encoded, type=DiskConsignment)
        parse_site(listed.site)
    except (msgspec.DecodeError, UnicodeDecodeError, BadValue) as error:
        raise BadFile(
            Text(zh="移送清单无法解读", en=f"the list of the consignment cannot be read: {error}"), hint
        ) from error
    if listed.format != FORMAT:
        raise BadFile(
            Text(zh="移送清单由更新的版本写出", en="a newer version wrote this list"),
            Text(zh="请升级枢纽。", en="Upgrade the hub."),
        )
    return listed
