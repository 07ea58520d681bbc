"""Files attached to entries by their reference codes 档号: pure, and every mismatch is listed.

Names of scans follow the code (DA/T 31): a folder or file is called like its item, pages are 0001, 0002 … Codes are
compared as wholes (``protocol.whole_codes``), so look-alike dots and dashes, zeros and case do not part a scan from its
entry. A name that the catalogue itself states (电子档案名称) outranks what a name looks like.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from enum import StrEnum
from typing import Final

import msgspec

from protocol.package_entries import PackageEntry
from protocol.package_paths import same_to_others
from protocol.whole_codes import whole_code

RECORDS: Final = "电子档案"
"""Folder of the official layout in which the files of the records lie."""

_PAGE_TAIL: Final = re.compile(r"(?P<code>.+?)(?:[-_. ]+p?|[(（])(?P<page>[0-9]{1,5})[)）]?", re.IGNORECASE)
_PAGE_NAME: Final = re.compile(r"(?:p|page|第)?[-_ ]?(?P<page>[0-9]{1,5})页?", re.IGNORECASE)
_NAMES_APART: Final = re.compile(r"[;；\n]")


class MismatchKind(StrEnum):
    """How the pages of an entry differ from its files."""

    PAGES_DIFFER = "pages_differ"
    PAGE_MISSING = "page_missing"
    """Pages are numbered, and a number is left out."""


class Mismatch(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One difference; what does not apply is empty."""

    kind: MismatchKind
    entry: str = ""
    """档号"""
    path: str = ""
    expected: str = ""
    seen: str = ""


def is_kept_beside(path: str) -> bool:
    """True for a file of a package that belongs to no entry by its nature: the catalogue, notes, 其他."""
    return not path.startswith(f"{RECORDS}/")


def page_mismatches(entry: PackageEntry, paths: Sequence[str], pages: Mapping[str, int | None]) -> Iterator[Mismatch]:
    """Yield how 页数 and the pages of the files differ; nothing where the pages of a file are not known.

    Args:
        entry: the entry.
        paths: its files.
        pages: pages of each file; None where nobody could count them.

    """
    counted = [pages.get(path) for path in paths]
    known = [count for count in counted if count is not None]
    if entry.pages.isascii() and entry.pages.isdigit() and len(known) == len(counted) and known:
        total = sum(known)
        if total != int(entry.pages):
            yield Mismatch(kind=MismatchKind.PAGES_DIFFER, entry=entry.ref_code, expected=entry.pages, seen=str(total))


def missing_pages(entry: PackageEntry, paths: Iterable[str]) -> Iterator[Mismatch]:
    """Yield the numbers that are left out between the first and the last numbered page of an entry, and before it."""
    numbers = sorted({number for path in paths if (number := page_number(path)) is not None})
    if len(numbers) < 2:
        return
    # A page 0 is a cover; otherwise the first is 1.
    expected = set(range(min(numbers[0], 1), numbers[-1] + 1))
    for number in sorted(expected - set(numbers)):
        yield Mismatch(kind=MismatchKind.PAGE_MISSING, entry=entry.ref_code, expected=str(number))


def page_number(path: str) -> int | None:
    """Return the number of the page that a file is by its name, None if its name says none."""
    stem = _stem(path.rpartition("/")[2])
    match = _PAGE_NAME.fullmatch(stem) or _PAGE_TAIL.fullmatch(stem)
    return int(match["page"]) if match else None


def codes_of(entry: PackageEntry) -> set[str]:
    """Return the codes of an entry, as wholes."""
    return {whole_code(code) for code in (entry.ref_code, entry.office_code, entry.archive_code) if code} - {""}


def stated_names(entry: PackageEntry) -> dict[str, str]:
    """Return the names of files and folders that an entry states, by what they have in common on every system."""
    return {same_to_others(name): name for name in _stated(entry)}


def entries_of(
    path: str, stating: Callable[[str], Sequence[int]], coded: Callable[[str], Sequence[int]]
) -> Sequence[int]:
    """Return the entries that a file may belong to; the surest rule that finds any decides.

    Args:
        path: of the file.
        stating: the entries that state a name (``stated_names``).
        coded: the entries that have a code (``codes_of``).

    """
    parts = _within(path).split("/")
    stem = _stem(parts[-1])
    candidates = ["/".join(parts[:depth]) for depth in range(len(parts), 0, -1)]
    for stated in (*candidates, parts[-1], "/".join((*parts[:-1], stem)), stem):
        if found := stating(same_to_others(stated)):
            return found
    # A page may be called like an item of its own ("…-0001"), so the folder is asked before the stem without tail.
    for name in (stem, *reversed(parts[:-1])):
        if found := coded(whole_code(name)):
            return found
    tail = _PAGE_TAIL.fullmatch(stem)
    return coded(whole_code(tail["code"])) if tail else ()


def names_of(path: str) -> set[str]:
    """Return the names by which an entry may state a file: its own, with and without ending, and its folders'."""
    folded = same_to_others(_within(path))
    last = folded.rpartition("/")[2]
    return {folded, _stem(folded), last, _stem(last), *(folded[:end] for end in _ends(folded))}


def _stated(entry: PackageEntry) -> list[str]:
    names = (_within(name.strip().replace("\\", "/")).strip("/") for name in _NAMES_APART.split(entry.file_name))
    return [name for name in names if name]


def _within(path: str) -> str:
    return path.removeprefix(f"{RECORDS}/")


def _ends(path: str) -> Iterator[int]:
    return (place for place, char in enumerate(path) if char == "/")


def _stem(name: str) -> str:
    """Return a name without its ending; a code may hold dots, so only what looks like an ending is taken off."""
    return re.sub(r"\.[A-Za-z][A-Za-z0-9]{1,4}$", "", name)
