"""Paths inside a package: which may be used at all, which only some systems can hold, and which are the same to others.

A path is relative and its parts are separated by "/". A package is made on one system and opened on another, by a
program that may run with every right, so a path that could lead out of the package is never followed anywhere, whatever
this system would make of it (RFC 8493, 5.1 and 6.1).
"""

import re
import unicodedata
from enum import StrEnum
from typing import Final

from protocol.wording import Text

PATH_CHARS_MAX: Final = 200
"""Characters of a path inside a package: with the folder it is unpacked into it stays below the 260 of Windows."""

NAME_BYTES_MAX: Final = 255
"""Bytes of one part of a path as UTF-8: what the file systems of Linux hold."""


class PathFault(StrEnum):
    """What is wrong with a path; the first three lead out of the package, the others break on some system."""

    ESCAPES = "escapes"
    """``..``, or a part that a shell or program would replace: ``~``, ``%HomeDrive%``."""
    ABSOLUTE = "absolute"
    """``/…``, ``C:\\…``, ``\\\\server\\…``."""
    EMPTY = "empty"
    """No name at all, or a part without a name."""
    RESERVED = "reserved"
    """A device of Windows: CON, NUL, COM1 …, with any ending."""
    CHARACTERS = "characters"
    """A character that Windows does not allow, or an invisible one."""
    ENDING = "ending"
    """A part that ends in a dot or a blank, which Windows drops."""
    TOO_LONG = "too_long"
    NOT_TEXT = "not_text"
    """The bytes of the name are no text in any encoding that we know of."""
    NOT_NORMAL = "not_normal"
    """Not in Unicode's normal form C: two systems write the same name with different bytes."""


LEADS_OUT: Final = frozenset((PathFault.ESCAPES, PathFault.ABSOLUTE, PathFault.EMPTY))
"""Faults for which a package is refused on every system."""

FAULT_WORDS: Final = {
    PathFault.ESCAPES: Text(zh="路径指向包外", en="the path leads out of the package"),
    PathFault.ABSOLUTE: Text(zh="路径是绝对路径", en="the path is absolute"),
    PathFault.EMPTY: Text(zh="路径为空或有空名", en="the path is empty or has an empty part"),
    PathFault.RESERVED: Text(zh="名称是 Windows 的保留设备名", en="the name is a device of Windows"),
    PathFault.CHARACTERS: Text(
        zh="名称含 Windows 不允许或不可见的字符", en="the name has a character that Windows forbids"
    ),
    PathFault.ENDING: Text(zh="名称以句点或空格结尾", en="the name ends in a dot or a blank"),
    PathFault.TOO_LONG: Text(zh="路径过长", en="the path is too long"),
    PathFault.NOT_TEXT: Text(zh="名称不是可读的文字编码", en="the name is no readable text"),
    PathFault.NOT_NORMAL: Text(zh="名称不是 Unicode 规范形式（NFC）", en="the name is not in Unicode's normal form C"),
}

_ABSOLUTE: Final = re.compile(r"[/\\]|[A-Za-z]:")
_REPLACED: Final = re.compile(r"~|%[A-Za-z_]\w*%|\$[A-Za-z_{(]")
_DEVICE: Final = re.compile(
    r"(?:CON|PRN|AUX|NUL|CLOCK\$|CONIN\$|CONOUT\$|COM[0-9¹²³]|LPT[0-9¹²³]) *(?:\..*)?", re.IGNORECASE
)
# Marks of direction turn "fdp.exe" into "exe.pdf" on the screen; they are as invisible as controls.
_FORBIDDEN: Final = re.compile('[<>:"|?*\\\\\x00-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]')
_WRITTEN: Final = re.compile("%(0A|0D|25)", re.IGNORECASE)


def written(path: str) -> str:
    """Write a path as a manifest wants it: line ends and the percent sign are escaped, and nothing else."""
    return path.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def read(line: str) -> str:
    """Read a path of a manifest; other percent signs stand for themselves."""
    return _WRITTEN.sub(lambda found: chr(int(found[1], 16)), line)


def path_faults(path: str) -> tuple[PathFault, ...]:
    """Return everything that is wrong with a path, the worst first; nothing for a path that every system can hold."""
    parts = re.split(r"[/\\]", path)
    checks = (
        (PathFault.ABSOLUTE, bool(_ABSOLUTE.match(path))),
        (PathFault.ESCAPES, ".." in parts or bool(_REPLACED.match(path))),
        (PathFault.EMPTY, not path or any(part in {"", "."} for part in path.split("/"))),
        (PathFault.NOT_TEXT, any("\ud800" <= char <= "\udfff" for char in path)),
        (PathFault.RESERVED, any(is_device(part) for part in parts)),
        (PathFault.CHARACTERS, bool(_FORBIDDEN.search(path))),
        (PathFault.ENDING, any(part.endswith((".", " ")) and part not in {".", ".."} for part in parts)),
        (PathFault.TOO_LONG, len(path) > PATH_CHARS_MAX or _has_long_part(parts)),
        (PathFault.NOT_NORMAL, not unicodedata.is_normalized("NFC", path)),
    )
    return tuple(fault for fault, is_there in checks if is_there)


def is_device(part: str) -> bool:
    """Tell whether one part of a path is a device of Windows: CON, NUL, COM1 …, with any ending."""
    return _DEVICE.fullmatch(part) is not None


def _has_long_part(parts: list[str]) -> bool:
    return any(len(part.encode("utf-8", "surrogatepass")) > NAME_BYTES_MAX for part in parts)


def normal(path: str) -> str:
    """Return the path with names as most systems write them (NFC); what is no text stays as it is."""
    return unicodedata.normalize("NFC", path)


def same_to_others(path: str) -> str:
    """Return what two paths have in common that some system takes for one: case and normal form folded.

    A package with two such paths loses one of them on Windows or a Mac.
    """
    return unicodedata.normalize("NFC", unicodedata.normalize("NFKD", path).casefold())
