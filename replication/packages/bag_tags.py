"""The tag files of a bag (RFC 8493, 2.2 and 2.3), read line by line: declaration, bag-info, manifests, fetch.txt."""

import codecs
import hashlib
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import msgspec

from replication.packages.bag_faults import BagFault, BagFaultCode, bag_fault

DECLARATION = "bagit.txt"
FETCH = "fetch.txt"
INFO = "bag-info.txt"
PAYLOAD = "data"
OLD_INFO = "package-info.txt"
"""What bag-info.txt was called before version 0.96."""

DECLARATION_BYTES_MAX = 4 * 1024
"""Bytes of bagit.txt: two lines."""

LINE_CHARS_MAX = 16 * 1024
"""Characters of one line of a tag file; a longer one is no path and no label."""

INFO_LINES_MAX = 10_000
"""Lines of bag-info.txt that are read."""

VERSIONS: Final = frozenset(((0, 93), (0, 94), (0, 95), (0, 96), (0, 97), (1, 0)))
VERSION_1: Final = (1, 0)

_STRICT: Final = re.compile(r"BagIt-Version: ([0-9]+)\.([0-9]+)\r?\nTag-File-Character-Encoding: (\S+)(?:\r?\n)?")
_LENIENT: Final = re.compile(
    r"BagIt-Version[ \t]*:[ \t]*([0-9]+)\.([0-9]+)\s*[\r\n]\s*Tag-File-Character-Encoding[ \t]*:[ \t]*(\S+)\s*"
)
_MANIFEST_NAME: Final = re.compile(r"(tag)?manifest-([A-Za-z0-9_-]+)\.txt")
_MANIFEST_LINE: Final = re.compile(r"([0-9A-Fa-f]+)[ \t]+(\*?)(.*)")
_FETCH_LINE: Final = re.compile(r"(\S+)[ \t]+([0-9]+|-)[ \t]+(.+)")
_LABEL: Final = re.compile(r"([^:]+?)[ \t]*:[ \t]*(.*)")


class Declaration(msgspec.Struct, frozen=True, kw_only=True):
    """What bagit.txt says."""

    version: tuple[int, int]
    encoding: str


class ManifestName(msgspec.Struct, frozen=True, kw_only=True):
    """One manifest file of a bag."""

    name: str
    algorithm: str
    is_tag_manifest: bool


class Listed(msgspec.Struct, frozen=True, kw_only=True):
    """One line of a manifest, its path not yet judged."""

    line: int
    digest: str
    given: str
    """The path as written, still escaped."""
    is_md5sum: bool


def declaration_of(bag: Path) -> Declaration | BagFault:
    """Read bagit.txt; from version 1.0 its two lines are exact, before it blanks were free."""
    path = bag / DECLARATION
    if path.is_symlink() or not path.is_file():
        return bag_fault(BagFaultCode.NO_DECLARATION)
    try:
        with path.open("rb") as file:
            content = file.read(DECLARATION_BYTES_MAX + 1)
    except OSError as error:
        return bag_fault(BagFaultCode.UNREADABLE, DECLARATION, detail=error.strerror or "")
    if content.startswith(codecs.BOM_UTF8):
        return bag_fault(BagFaultCode.DECLARATION, detail="BOM")
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError:
        return bag_fault(BagFaultCode.DECLARATION, detail="UTF-8")
    found = _LENIENT.fullmatch(text)
    if found is None:
        return bag_fault(BagFaultCode.DECLARATION)
    version = (int(found[1]), int(found[2]))
    if version not in VERSIONS:
        return bag_fault(BagFaultCode.VERSION, detail=f"{version[0]}.{version[1]}")
    if version >= VERSION_1 and not _STRICT.fullmatch(text):
        return bag_fault(BagFaultCode.DECLARATION, detail="BagIt 1.0: 多余空白 · stray blanks")
    try:
        # Python also knows codecs that are no encodings of text; those refuse a text.
        " ".encode(found[3])
    except (LookupError, UnicodeError):
        return bag_fault(BagFaultCode.ENCODING, detail=found[3])
    return Declaration(version=version, encoding=codecs.lookup(found[3]).name)


def manifests_of(bag: Path) -> list[ManifestName]:
    """Return the manifests at the top of a bag, those of the payload first."""
    found = []
    for path in sorted(bag.iterdir()):
        match = _MANIFEST_NAME.fullmatch(path.name)
        if match and path.is_file() and not path.is_symlink():
            found.append(
                ManifestName(name=path.name, algorithm=_algorithm(match[2]), is_tag_manifest=match[1] is not None)
            )
    return sorted(found, key=lambda one: one.is_tag_manifest)


def can_digest(algorithm: str) -> bool:
    """True if this machine can compute the algorithm: SM3, for one, needs an OpenSSL that has it."""
    try:
        return hashlib.new(algorithm, usedforsecurity=False).digest_size > 0
    except ValueError:
        return False


def lines_of(path: Path, encoding: str) -> Iterator[tuple[int, str]]:
    """Yield the lines of a tag file with their numbers, without the line ends (LF, CR or CRLF).

    Raises:
        ValueError: a line is too long, or the bytes are not in the encoding (UnicodeError).
        OSError: the file cannot be read.

    """
    with path.open(encoding="utf-8-sig" if encoding == "utf-8" else encoding, newline=None) as file:
        number = 0
        while line := file.readline(LINE_CHARS_MAX):
            number += 1
            if len(line) == LINE_CHARS_MAX:
                raise ValueError(f"line {number} is longer than {LINE_CHARS_MAX} characters")
            # UTF-7 and the like can spell half a character, which no name on a disk and no text of ours can hold.
            line.encode()
            yield number, line.rstrip("\n")


def listed_of(path: Path, encoding: str) -> Iterator[Listed | BagFault]:
    """Yield what a manifest lists, and a fault for every line that says nothing."""
    try:
        with path.open("rb") as file:
            if file.read(3) == codecs.BOM_UTF8 and encoding == "utf-8":
                yield bag_fault(BagFaultCode.BOM, path.name, warning=True)
        for number, line in lines_of(path, encoding):
            if not line.strip():
                continue
            match = _MANIFEST_LINE.fullmatch(line)
            if match is None or not match[3]:
                yield bag_fault(BagFaultCode.LINE, path.name, line=number, detail=f"第 {number} 行 · line {number}")
                continue
            yield Listed(line=number, digest=match[1].lower(), given=match[3], is_md5sum=bool(match[2]))
    except (ValueError, OSError) as error:
        yield bag_fault(BagFaultCode.ENCODING, path.name, detail=str(error))


def fetches_of(path: Path, encoding: str) -> Iterator[tuple[str, str] | BagFault]:
    """Yield address and written path of everything that a bag would have fetched; nothing ever is."""
    try:
        for number, line in lines_of(path, encoding):
            if not line.strip():
                continue
            match = _FETCH_LINE.fullmatch(line)
            if match is None:
                yield bag_fault(BagFaultCode.LINE, FETCH, line=number, detail=f"第 {number} 行 · line {number}")
            else:
                yield match[1], match[3]
    except (ValueError, OSError) as error:
        yield bag_fault(BagFaultCode.ENCODING, FETCH, detail=str(error))


def info_of(bag: Path, declaration: Declaration) -> tuple[list[tuple[str, str]], list[BagFault]]:
    """Read bag-info.txt (or its predecessor): labels with values in their order, folded lines joined."""
    path = next((bag / name for name in (INFO, OLD_INFO) if (bag / name).is_file()), None)
    said: list[tuple[str, str]] = []
    if path is None or path.is_symlink():
        return said, []
    try:
        for number, line in lines_of(path, declaration.encoding):
            if number > INFO_LINES_MAX:
                return said, [bag_fault(BagFaultCode.INFO, path.name, detail=f"> {INFO_LINES_MAX}")]
            match = _LABEL.fullmatch(line)
            if line[:1] in {" ", "\t"} and said:
                label, value = said[-1]
                said[-1] = (label, f"{value} {line.strip()}".strip())
            elif match:
                said.append((match[1].strip(), match[2].strip()))
            elif line.strip():
                return said, [
                    bag_fault(BagFaultCode.INFO, path.name, line=number, detail=f"第 {number} 行 · line {number}")
                ]
    except (ValueError, OSError) as error:
        return said, [bag_fault(BagFaultCode.ENCODING, path.name, detail=str(error))]
    return said, []


def _algorithm(name: str) -> str:
    """Return hashlib's name: the standard writes sha512, some write SHA-512."""
    plain = name.lower()
    return plain.replace("-", "") if re.fullmatch("sha-?(1|224|256|384|512)", plain) else plain.replace("-", "_")
