"""A bounded look into compressed files: locked, nested, a bomb? Nothing is unpacked to the disk.

The directory of a ZIP says how large its files claim to be; what is not believed is read to the bound, no further.
"""

import bz2
import gzip
import lzma
import stat
import struct
import tarfile
import zipfile
from pathlib import Path
from typing import Final

import msgspec

from protocol.check_rules import CheckSettings
from replication.checks.formats import ARCHIVES, format_of
from replication.packages.reading import PIECE_BYTES
from replication.packages.tar_reading import read_tar
from replication.packages.zip_reading import UNREADABLE, TooManyMembers, name_of, open_zip

MEMBERS_LOOKED_MAX = 10_000
"""Members of an archive that are looked at."""

NESTED_SHOWN_MAX = 5
"""Names of archives inside an archive that are told."""

PEEK_BYTES = 4096
"""First bytes of a member that are unpacked to see what it is."""

TAIL_BYTES = 64 * 1024
"""Last bytes of a 7z file, where its directory lies."""

_AES_7Z: Final = b"\x06\xf1\x07\x01"


class ArchiveLook(msgspec.Struct, frozen=True, kw_only=True):
    """What was seen of one compressed file."""

    format: str
    members: int = 0
    unpacked_bytes: int = 0
    """As claimed, or as read to the bound."""
    is_locked: bool = False
    is_bomb: bool = False
    is_broken: bool = False
    nested: tuple[str, ...] = ()
    """Archives within it."""
    leads_out: bool = False
    """A member would be written outside of the folder it is unpacked into."""


def look_within(path: Path, format_name: str, settings: CheckSettings) -> ArchiveLook:
    """Look into an archive; what cannot be understood is broken."""
    try:
        if format_name in {"ZIP", "OFD", "OFFICE"}:
            return _zip(path, format_name, settings)
        if format_name == "TAR":
            return _tar(path, settings)
        if format_name in {"GZIP", "BZIP2", "XZ"}:
            return _stream(path, format_name, settings)
        if format_name == "RAR":
            return _rar(path)
        if format_name == "7Z":
            return _seven_zip(path)
    except TooManyMembers:
        return ArchiveLook(format=format_name, members=MEMBERS_LOOKED_MAX, is_bomb=True)
    except (*UNREADABLE, tarfile.TarError, OSError, RuntimeError):
        return ArchiveLook(format=format_name, is_broken=True)
    return ArchiveLook(format=format_name)


def is_ole_locked(path: Path) -> bool:
    """True for an office document that asks for a password: its content stands in one encrypted stream."""
    with path.open("rb") as file:
        while piece := file.read(PIECE_BYTES):
            if "EncryptedPackage".encode("utf-16-le") in piece:
                return True
    return False


def _zip(path: Path, format_name: str, settings: CheckSettings) -> ArchiveLook:
    with open_zip(path, MEMBERS_LOOKED_MAX) as archive:
        members = archive.infolist()
        total = sum(member.file_size for member in members)
        own = max(1, path.stat().st_size)
        # Members that share their bytes claim more than the file can hold: the quine and the overlapping bomb.
        packed = sum(member.compress_size for member in members)
        is_bomb = (
            total > settings.archive_bytes_max
            or (total > PIECE_BYTES and total > own * settings.archive_ratio_max)
            or packed > own
            or len(members) > MEMBERS_LOOKED_MAX
        )
        is_locked = any(member.flag_bits & 0x1 for member in members)
        nested: list[str] = []
        for member in members[:MEMBERS_LOOKED_MAX]:
            if len(nested) >= NESTED_SHOWN_MAX or is_locked or is_bomb:
                break
            if member.is_dir() or member.file_size < 4:
                continue
            with archive.open(member) as content:
                if format_of(content.read(PEEK_BYTES)) in ARCHIVES:
                    nested.append(name_of(member))
        return ArchiveLook(
            format=format_name,
            members=len(members),
            unpacked_bytes=total,
            is_locked=is_locked,
            is_bomb=is_bomb,
            nested=tuple(nested),
            leads_out=any(_leads_out(name_of(member)) or _is_link(member) for member in members),
        )


def _tar(path: Path, settings: CheckSettings) -> ArchiveLook:
    members = total = 0
    nested: list[str] = []
    leads_out = False
    with path.open("rb") as file:
        for member, pieces in read_tar(file):
            members += 1
            total += member.size_bytes
            leads_out |= _leads_out(member.name) or not (member.is_file or member.is_folder)
            if members > MEMBERS_LOOKED_MAX or total > settings.archive_bytes_max:
                return ArchiveLook(format="TAR", members=members, unpacked_bytes=total, is_bomb=True)
            if member.is_file and len(nested) < NESTED_SHOWN_MAX and format_of(next(pieces, b"")) in ARCHIVES:
                nested.append(member.name)
    return ArchiveLook(format="TAR", members=members, unpacked_bytes=total, nested=tuple(nested), leads_out=leads_out)


def _stream(path: Path, format_name: str, settings: CheckSettings) -> ArchiveLook:
    """Unpack to the bound, and throw away: what such a file claims of its size is not to be believed."""
    bound = min(settings.archive_bytes_max, max(PIECE_BYTES, path.stat().st_size * settings.archive_ratio_max))
    total, first = 0, b""
    with _unpacking(path, format_name) as content:
        while piece := content.read(PIECE_BYTES):
            first = first or piece[:PEEK_BYTES]
            total += len(piece)
            if total > bound:
                return ArchiveLook(format=format_name, members=1, unpacked_bytes=total, is_bomb=True)
    nested = (format_of(first),) if format_of(first) in ARCHIVES else ()
    return ArchiveLook(format=format_name, members=1, unpacked_bytes=total, nested=nested)


def _unpacking(path: Path, format_name: str) -> gzip.GzipFile | bz2.BZ2File | lzma.LZMAFile:
    if format_name == "GZIP":
        return gzip.GzipFile(path)
    return bz2.BZ2File(path) if format_name == "BZIP2" else lzma.LZMAFile(path)


def _rar(path: Path) -> ArchiveLook:
    """Read the marks of a RAR file by which it says that it is locked."""
    with path.open("rb") as file:
        head = file.read(TAIL_BYTES)
    if head.startswith(b"Rar!\x1a\x07\x01\x00"):
        # Version 5: checksum, size, then the kind of the block; kind 4 is the header of encryption.
        return ArchiveLook(format="RAR", is_locked=len(head) > 13 and head[13] == 4)
    archive_flags = struct.unpack_from("<H", head, 10)[0] if len(head) > 12 else 0
    size = struct.unpack_from("<H", head, 12)[0] if len(head) > 14 else 0
    place = 7 + size
    file_flags = struct.unpack_from("<H", head, place + 3)[0] if len(head) > place + 5 else 0
    return ArchiveLook(format="RAR", is_locked=bool(archive_flags & 0x0080 or file_flags & 0x0004))


def _seven_zip(path: Path) -> ArchiveLook:
    """Look for the mark of AES in the directory at the end of a 7z file."""
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - TAIL_BYTES))
        return ArchiveLook(format="7Z", is_locked=_AES_7Z in file.read(TAIL_BYTES))


def _is_link(member: zipfile.ZipInfo) -> bool:
    """True for what Unix packed as a link, a device or a pipe."""
    kind = stat.S_IFMT(member.external_attr >> 16)
    return kind not in {0, stat.S_IFREG, stat.S_IFDIR}


def _leads_out(name: str) -> bool:
    plain = name.replace("\\", "/")
    return plain.startswith("/") or ".." in plain.split("/") or plain[1:2] == ":"
