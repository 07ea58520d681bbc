"""Reading TAR archives that others made, one member after the other, in bounded memory.

Python's own reader believes sizes: a header that claims gigabytes is read into memory, and one with a size below zero
keeps it in a circle. Names longer than a header holds come in headers before it (GNU) or as lines of text (POSIX).
"""

import re
import tarfile
from collections.abc import Iterator
from typing import BinaryIO, Final

import msgspec

BLOCK_BYTES: Final = 512

LONG_BYTES_MAX: Final = 64 * 1024
"""Bytes of a header that carries a long name or further fields."""

SKIP_BYTES: Final = 1024 * 1024
"""Bytes passed over at once where a stream cannot be sought in."""

_FILE: Final = frozenset((b"0", b"\0", b"7"))
_FOLDER: Final = b"5"
_LONG_NAME: Final = b"L"
_LONG_TARGET: Final = b"K"
_FIELDS: Final = b"x"
_FIELDS_OF_ALL: Final = b"g"
_FIELD: Final = re.compile(rb"([0-9]{1,9}) ([^=]{1,64})=")


class TarMember(msgspec.Struct, frozen=True, kw_only=True):
    """One member; what is no file and no folder is a link, a device, or something that only one program knows."""

    name: str
    size_bytes: int
    is_file: bool
    is_folder: bool


def read_tar(file: BinaryIO) -> Iterator[tuple[TarMember, Iterator[bytes]]]:
    """Yield members and their content, which may be left unread.

    Raises:
        tarfile.TarError: it is no archive, or was cut.
        OSError, EOFError and what the unpacking of the stream raises.

    """
    name, size = "", -1
    while (header := _block(file)) is not None:
        kind = header[156:157]
        claimed = _number(header[124:136])
        if kind in {_LONG_NAME, _LONG_TARGET, _FIELDS, _FIELDS_OF_ALL}:
            if claimed > LONG_BYTES_MAX:
                raise tarfile.ReadError(f"a header of {claimed} bytes")
            said = _exactly(file, -(-claimed // BLOCK_BYTES) * BLOCK_BYTES)[:claimed]
            if kind == _LONG_NAME:
                name = _text(said.partition(b"\0")[0])
            elif kind == _FIELDS:
                name, size = _fields(said, name, size)
            continue
        claimed = size if size >= 0 else claimed
        member = TarMember(
            name=name or _short_name(header),
            size_bytes=claimed,
            is_file=kind in _FILE,
            is_folder=kind == _FOLDER,
        )
        name, size = "", -1
        rest = _Rest(file, claimed if kind in _FILE or kind not in b"123456" else 0)
        yield member, rest.pieces()
        rest.skip()


class _Rest:
    """The content of one member, as far as it is not read yet."""

    def __init__(self, file: BinaryIO, size_bytes: int) -> None:
        self._file = file
        self._left = size_bytes
        self._padding = -size_bytes % BLOCK_BYTES

    def pieces(self) -> Iterator[bytes]:
        while self._left:
            piece = self._file.read(min(self._left, SKIP_BYTES))
            if not piece:
                raise tarfile.ReadError("unexpected end of data")
            self._left -= len(piece)
            yield piece

    def skip(self) -> None:
        for _ in self.pieces():
            pass
        _exactly(self._file, self._padding)


def _block(file: BinaryIO) -> bytes | None:
    """Return the next header, None at the end."""
    header = file.read(BLOCK_BYTES)
    if not header or not header.strip(b"\0"):
        return None
    if len(header) < BLOCK_BYTES:
        raise tarfile.ReadError("truncated header")
    said = _number(header[148:156])
    if said != sum(header) - sum(header[148:156]) + 8 * 32:
        raise tarfile.ReadError("bad checksum")
    return header


def _number(field: bytes) -> int:
    """Read a number in octal, or in base 256 where it is large."""
    if field[:1] >= b"\x80":
        found = int.from_bytes(field[1:], "big") if field[:1] == b"\x80" else -1
    else:
        digits = field.strip(b"\0 ")
        found = int(digits, 8) if digits and not digits.strip(b"01234567") else 0 if not digits else -1
    if found < 0:
        raise tarfile.ReadError("a number that is none")
    return found


def _fields(said: bytes, name: str, size: int) -> tuple[str, int]:
    """Read name and size from POSIX' further fields: lines of length, key and value."""
    place = 0
    while place < len(said) and (match := _FIELD.match(said, place)):
        length = int(match[1])
        if length <= match.end() - place or place + length > len(said):
            raise tarfile.ReadError("bad further fields")
        value = said[match.end() : place + length - 1]
        if match[2] == b"path":
            name = _text(value)
        elif match[2] == b"size":
            if not value.isdigit() or len(value) > 18:
                raise tarfile.ReadError("a size that is none")
            size = int(value)
        place += length
    return name, size


def _short_name(header: bytes) -> str:
    name, prefix = header[:100].partition(b"\0")[0], header[345:500].partition(b"\0")[0]
    return _text(prefix + b"/" + name if prefix and header[257:263] == b"ustar\0" else name)


def _text(name: bytes) -> str:
    """Return a name: in UTF-8, else in GB18030, else with the bytes that are no text marked."""
    for encoding in ("utf-8", "gb18030"):
        try:
            return name.decode(encoding)
        except UnicodeDecodeError:
            continue
    return name.decode("utf-8", "surrogateescape")


def _exactly(file: BinaryIO, size_bytes: int) -> bytes:
    found = file.read(size_bytes) if size_bytes else b""
    if len(found) < size_bytes:
        raise tarfile.ReadError("unexpected end of data")
    return found
