"""Opening ZIP files that others made, in bounded memory, with their names as they were meant.

Python's reader makes an object of every line of the directory before anything can be asked of it; a file of 50 MB may
list a million. So the size of the directory is looked at first. Names without the mark of UTF-8 are in the system's own
encoding, which in China is GBK and which the reader takes for that of IBM's first PC.
"""

import lzma
import struct
import zipfile
import zlib
from pathlib import Path
from typing import Final

LINE_BYTES: Final = 256
"""Bytes of the directory that are allowed for each member."""

UNREADABLE: Final = (
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    struct.error,
    EOFError,
    ValueError,
    KeyError,
    NotImplementedError,
)
"""What Python's reader raises for a ZIP file that is damaged, or made to harm.

A part that asks for a password is a ``RuntimeError``, which ``NotImplementedError`` is as well: look for these first.
"""

_END: Final = b"PK\x05\x06"
_END_BYTES: Final = 22
_END_FAR_BYTES: Final = 56
_LOCATOR_BYTES: Final = 20
_COMMENT_BYTES_MAX: Final = 65_535
_LINE: Final = b"PK\x01\x02"
_UTF8_FLAG: Final = 0x800


class TooManyMembers(zipfile.BadZipFile):
    """The directory is larger than is read."""


def directory_bytes(path: Path) -> int | None:
    """Return the bytes of the directory; None for a file that does not end as a ZIP file does.

    Raises:
        OSError: it cannot be read.

    """
    with path.open("rb") as file:
        own = file.seek(0, 2)
        file.seek(max(0, own - _END_BYTES - _COMMENT_BYTES_MAX))
        tail = file.read()
        place = tail.rfind(_END)
        if place < 0 or len(tail) - place < _END_BYTES:
            return None
        size, start, comment = struct.unpack_from("<IIH", tail, place + 12)
        if place + _END_BYTES + comment > len(tail):
            return None
        end = own - len(tail) + place
        if place >= _LOCATOR_BYTES and tail.startswith(b"PK\x06\x07", place - _LOCATOR_BYTES):
            file.seek(max(0, end - _LOCATOR_BYTES - _END_FAR_BYTES))
            far = file.read(_END_FAR_BYTES)
            if far.startswith(b"PK\x06\x06"):
                size, start = struct.unpack_from("<QQ", far, 40)
                end -= _LOCATOR_BYTES + _END_FAR_BYTES
        begins = end - size
        if begins < 0 or start > begins:
            return None
        file.seek(begins)
        if size and file.read(4) != _LINE:
            return None
    return int(size)


def open_zip(path: Path, members_max: int) -> zipfile.ZipFile:
    """Open a ZIP file whose directory is no larger than so many members need.

    Raises:
        TooManyMembers: it is larger.
        zipfile.BadZipFile: it is no ZIP file.
        OSError: it cannot be read.

    """
    found = directory_bytes(path)
    if found is not None and found > members_max * LINE_BYTES:
        raise TooManyMembers(f"{found} > {members_max * LINE_BYTES}")
    return zipfile.ZipFile(path)


def is_behind(path: Path) -> bool:
    """True for a file that has a whole ZIP file behind or in it, whatever it begins with."""
    return bool(directory_bytes(path))


def name_of(member: zipfile.ZipInfo) -> str:
    """Return the name of a member as whoever packed it meant it: UTF-8 where it says so, else as its bytes read.

    What is text in UTF-8 or GB18030 is taken for that; anything else stays in the encoding that the format names.
    """
    if member.flag_bits & _UTF8_FLAG:
        return member.filename
    try:
        given = member.filename.encode("cp437")
    except UnicodeEncodeError:
        return member.filename
    for encoding in ("utf-8", "gb18030"):
        try:
            return given.decode(encoding)
        except UnicodeDecodeError:
            continue
    return member.filename
