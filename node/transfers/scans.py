"""Scans and the records that they show: files are found by the reference codes that name them.

A firm that digitises names folders and files after the reference code 档号: ``<code>/0001.jpg …``, ``<code>.pdf``,
``<code>-0001.jpg``. Where a folder is a volume's, the pages of one item are those from its 页号 on. What cannot travel
in a file's name (``·``, ``/``) is often written otherwise, so names are compared without their separators.
"""

import os
import re
import stat
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import msgspec

from protocol.errors import BadFile
from protocol.records import Record
from protocol.reference_codes import fold_code
from protocol.vocabularies import Level
from protocol.wording import Text

SCAN_SUFFIXES = frozenset((".jpg", ".jpeg", ".tif", ".tiff", ".png", ".jp2", ".pdf", ".ofd", ".txt", ".xml", ".bmp"))
"""Kinds of files that count as scans; what else lies in the folders is left alone."""

SCANS_MAX = 500_000
"""Files that are looked at for one transfer."""

DEPTH_MAX = 12
"""Folders within folders that are looked into."""

_PAGE = re.compile(r"(?:^|[-_. ])0*([0-9]{1,5})$")
_APART = re.compile(r"[-·._ /\\]+")


FOLDERS_MAX = 5
"""Folders whose names together may make one code."""


class Scan(msgspec.Struct, frozen=True, kw_only=True):
    """One file that shows pages of records."""

    path: Path
    size_bytes: int
    page: int | None = None
    """Number of the page, where the name ends in one."""


_Named = tuple[Scan, tuple[str, ...], tuple[str, ...]]
"""A file, the codes that its own name may stand for, and those of its folders."""


class ScanIndex:
    """The scans below some folders, by the code that names them."""

    def __init__(self, folders: Iterable[Path]) -> None:
        """Look through the folders once; links are not followed.

        Raises:
            BadFile: a folder cannot be read: its scans would be left behind, and nobody would know.

        """
        self._by_code: dict[str, list[Scan]] = {}
        self._by_folder: dict[str, list[Scan]] = {}
        self.count = 0
        self.is_cut = False
        """True if there was more than ``SCANS_MAX``."""
        self._used: set[Path] = set()
        for folder in folders:
            for scan, names, places in _scans_in(folder, folder, 0):
                if self.count >= SCANS_MAX:
                    self.is_cut = True
                    return
                self.count += 1
                for by, codes in ((self._by_code, (*places, *names)), (self._by_folder, places)):
                    for code in dict.fromkeys(codes):
                        by.setdefault(code, []).append(scan)

    def of(self, record: Record, volume_code: str = "") -> list[Scan]:
        """Return the scans of a record in the order of their pages, or those pages of its volume."""
        # The number behind a volume's code may be an item's as well as a page's: only a folder is surely a volume's.
        by = self._by_folder if record.level is Level.VOLUME else self._by_code
        for code in dict.fromkeys((record.ref_code, record.ref_code_as_given, *(one.code for one in record.aliases))):
            found = by.get(code_key(code)) if code else None
            if found:
                return self._taken(found)
        return self._taken(_pages_of(record, self._by_folder.get(code_key(volume_code), []))) if volume_code else []

    def unused(self) -> list[Path]:
        """Return the scans that no record has taken: their entry is missing, or they are named wrongly."""
        every = {scan.path for scans in self._by_code.values() for scan in scans}
        return sorted(every - self._used)

    def _taken(self, scans: Sequence[Scan]) -> list[Scan]:
        self._used.update(scan.path for scan in scans)
        return sorted(scans, key=lambda scan: (scan.page is None, scan.page or 0, scan.path.name))


def code_key(code: str) -> str:
    """Return a code as names of files are compared with it: folded, and whatever divides its parts as one sign."""
    return _APART.sub("-", fold_code(code)).upper().strip("-")


def _scans_in(folder: Path, top: Path, depth: int) -> Iterator[_Named]:
    try:
        with os.scandir(folder) as found:
            inside = sorted(found, key=lambda one: one.name)
    except OSError as error:
        raise BadFile(
            Text(zh=f"目录 {folder} 读不出：{error.strerror}", en=f"cannot read the folder {folder}: {error.strerror}"),
            Text(zh="请检查该目录的权限和磁盘，再做一次。", en="Look at its rights and at the disk, and try again."),
        ) from error
    for one in inside:
        if one.name.startswith("."):
            continue
        if one.is_dir(follow_symlinks=False) and depth < DEPTH_MAX:
            yield from _scans_in(Path(one.path), top, depth + 1)
        elif Path(one.name).suffix.lower() in SCAN_SUFFIXES:
            state = one.stat(follow_symlinks=False)
            if stat.S_ISREG(state.st_mode):
                yield _scan(Path(one.path), state.st_size, top)


def _scan(path: Path, size_bytes: int, top: Path) -> _Named:
    """Return a file with every code that may name it: its own name with and without its page, and its folders'."""
    page = _PAGE.search(path.stem)
    stems = [path.stem] if page is None else [path.stem, path.stem[: page.start()]]
    parts = path.parent.relative_to(top).parts
    # Codes are sometimes spread over folders: 001/WS·2015/D30/0007.
    tails = [parts[-length:] for length in range(1, min(len(parts), FOLDERS_MAX) + 1)]
    names = [*stems, *("-".join((*tail, stem)) for tail in tails for stem in stems if stem)]
    scan = Scan(path=path, size_bytes=size_bytes, page=int(page[1]) if page is not None else None)
    return scan, _keys(names), _keys("-".join(tail) for tail in tails)


def _keys(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(key for key in dict.fromkeys(map(code_key, names)) if key)


def _pages_of(record: Record, scans: Sequence[Scan]) -> list[Scan]:
    """Return the pages of a volume's scans that an item fills, by its 页号 and 页数."""
    first = re.match(r"\D*0*([0-9]{1,5})(?:\s*[-—~至]\s*0*([0-9]{1,5}))?", record.page_no)
    if first is None:
        return []
    begin = int(first[1])
    end = int(first[2]) if first[2] else begin + (record.page_count or 1) - 1
    return [scan for scan in scans if scan.page is not None and begin <= scan.page <= end]
