"""OFD (GB/T 33190) opened by our own bounded look: a ZIP whose OFD.xml leads to documents, and those to pages.

Every part of the file is read to its end, so that damage is found by the checksums of the ZIP; what a page shows is not
drawn. Signatures inside are not judged.
"""

import posixpath
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from protocol.errors import BadFile
from protocol.wording import Count, Text
from replication.checks.opened import Opened, Openness, broken
from replication.packages.reading import PIECE_BYTES
from replication.packages.xml_reading import local, read_xml
from replication.packages.zip_reading import UNREADABLE, TooManyMembers, name_of, open_zip

PAGES_MAX = 10_000
"""Pages of one OFD."""

DOCUMENTS_MAX = 100
"""Documents within one OFD."""

PART_BYTES_MAX = 256 * 1024 * 1024
"""Bytes that one part of an OFD may unpack to."""

MEMBERS_MAX = 40_000
"""Parts of one OFD: a few for each page."""

TOTAL_BYTES_MAX = 2 * 1024**3
"""Bytes that all parts together may unpack to."""

_ENTRY: Final = "OFD.xml"


class _Unsound(Exception):
    """The file is not built as the standard says; the text says where."""


class _Parts:
    """The parts of one OFD by their places, each read to its bound."""

    def __init__(self, archive: zipfile.ZipFile) -> None:
        self._archive = archive
        self.members: dict[str, zipfile.ZipInfo] = {}
        for member in archive.infolist():
            if self.members.setdefault(_plain(name_of(member)), member) is not member:
                raise _Unsound(f"{member.filename} × 2")

    def pieces(self, name: str) -> Iterator[bytes]:
        read = 0
        with self._archive.open(self.members[name]) as content:
            while piece := content.read(PIECE_BYTES):
                read += len(piece)
                if read > PART_BYTES_MAX:
                    raise _Unsound(f"{name} > {PART_BYTES_MAX}")
                yield piece

    def read_all(self) -> None:
        """Read everything, so that damage is found."""
        total = 0
        for name in self.members:
            for piece in self.pieces(name):
                total += len(piece)
                if total > TOTAL_BYTES_MAX:
                    raise _Unsound(f"> {TOTAL_BYTES_MAX}")


def open_ofd(path: Path) -> Opened:
    """Open an OFD and follow it to its pages."""
    try:
        with open_zip(path, MEMBERS_MAX) as archive:
            parts = _Parts(archive)
            pages, is_locked = _pages(parts)
            parts.read_all()
    except TooManyMembers as error:
        return broken(Text(zh=f"部件过多：{error}", en=f"has too many parts: {error}"))
    except (_Unsound, BadFile) as error:
        told = error.reason if isinstance(error, BadFile) else Text(zh=str(error), en=str(error))
        return broken(Text(zh=f"打不开：{told.zh}", en=f"cannot be opened: {told.en}"))
    except (*UNREADABLE, OSError) as error:
        return broken(Text(zh=f"打不开：{error}", en=f"cannot be opened: {error}"))
    except RuntimeError:
        # The library's word for a part that asks for a password.
        pages, is_locked = 0, True
    if is_locked:
        return Opened(openness=Openness.LOCKED, evidence=Text(zh="已加密", en="is encrypted"), is_encrypted=True)
    return Opened(
        openness=Openness.OPENED,
        pages=pages,
        evidence=Text(zh=f"打开，{pages} 页", en=f"opened, {Count(pages):page|pages}"),
    )


def _pages(parts: _Parts) -> tuple[int, bool]:
    """Return the number of pages that are really there, and whether the file says that it is encrypted."""
    if "Encryptions.xml" in parts.members:
        return 0, True
    if _ENTRY not in parts.members:
        raise _Unsound(f"{_ENTRY}?")
    roots = [text for tag, text, _ in _elements(parts, _ENTRY) if tag == "DocRoot"]
    if not roots or len(roots) > DOCUMENTS_MAX:
        raise _Unsound("DocRoot?")
    count = sum(_document_pages(parts, _within("", root)) for root in roots)
    if not count:
        raise _Unsound("Page?")
    return count, False


def _document_pages(parts: _Parts, document: str) -> int:
    if document not in parts.members:
        raise _Unsound(f"{document}?")
    folder = posixpath.dirname(document)
    count = 0
    for tag, _, attributes in _elements(parts, document):
        if tag != "Page":
            continue
        count += 1
        content = _within(folder, attributes.get("BaseLoc", ""))
        if content not in parts.members or count > PAGES_MAX or not any(True for _ in _elements(parts, content)):
            raise _Unsound(f"{content}?")
    return count


def _elements(parts: _Parts, name: str) -> Iterator[tuple[str, str, dict[str, str]]]:
    """Yield the elements of a part: name, text, attributes."""
    open_now: list[tuple[str, dict[str, str], list[str]]] = []
    done: list[tuple[str, str, dict[str, str]]] = []

    def start(tag: str, attributes: dict[str, str]) -> None:
        open_now.append((local(tag), attributes, []))

    def characters(text: str) -> None:
        if open_now:
            open_now[-1][2].append(text)

    def end(_tag: str) -> None:
        tag, attributes, texts = open_now.pop()
        done.append((tag, "".join(texts).strip(), attributes))

    for _ in read_xml(parts.pieces(name), name, start, end, characters):
        yield from done
        done.clear()


def _within(folder: str, given: str) -> str:
    """Return a place as it is named in the ZIP: from the top if it begins with a slash, else from the folder."""
    joined = given if given.startswith("/") else posixpath.join(folder, given)
    return _plain(posixpath.normpath("/" + joined))


def _plain(name: str) -> str:
    return name.replace("\\", "/").lstrip("/")
