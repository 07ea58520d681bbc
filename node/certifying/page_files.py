"""Pages: which files are the scans of a record, in their order, each with its digest.

Digitising firms deliver a folder for each reference code with numbered pictures in it (``0001.jpg``, or
``D108-…-0042-0001.jpg``). A record of a volume that was scanned as a whole is the pages of the volume's folder that
its column 页号 names. Nothing is guessed: two folders that could both be meant, or two files for one page, are said.
"""

import hashlib
import os
import re
import unicodedata
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

import msgspec

from protocol.copies import COPY_PAGES_MAX, PAGE_BYTES_MAX
from protocol.errors import BadFile, BadValue
from protocol.records import Record
from protocol.wording import Count, Text
from replication.checks import page_splitting

KINDS: Final = (".jpg", ".jpeg", ".png", ".tif", ".tiff", ".bmp")
"""Endings of pictures, the preferred ones first: where a page is there twice, the one for use, not for keeping."""

FOLDER_DEPTH_MAX: Final = 5
"""Folders within folders: fonds, year, retention period, volume, item."""

FOLDERS_MAX: Final = 300_000
"""Folders that are looked at for one record: more than the volumes of a county archive."""

_LAST_NUMBER = re.compile(r"(\d{1,6})\D*$")
_RANGE = re.compile(r"\s*(\d{1,6})\s*(?:[-—–~至]\s*(\d{1,6}))?\s*")
_MARKS = {".jpg": b"\xff\xd8\xff", ".jpeg": b"\xff\xd8\xff", ".png": b"\x89PNG", ".bmp": b"BM"}
_TIFF_MARKS = (b"II*\x00", b"MM\x00*")


class PageFile(msgspec.Struct, frozen=True, kw_only=True):
    """One page."""

    number: int
    path: str
    """Relative to the folder of scans, with ``/``."""
    size_bytes: int
    sha256: str


class FoundPages(msgspec.Struct, frozen=True, kw_only=True):
    """The pages of a record, and what a keeper should look at before approving."""

    root: Path
    pages: tuple[PageFile, ...]
    remarks: tuple[Text, ...]


class Sought(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of the record whose pages are looked for."""

    codes: tuple[str, ...]
    """Under any of which its folder may go."""
    volume_code: str = ""
    page_no: str = ""
    page_count: int | None = None


def sought(record: Record | None, ref_code: str, volume_code: str, page_count: int | None) -> Sought:
    """Return what to look for; a site that has no description of its own goes by what the order says."""
    if record is None:
        return Sought(codes=(ref_code,) if ref_code else (), page_count=page_count)
    codes = (record.ref_code, record.ref_code_as_given, *(one.code for one in record.aliases))
    return Sought(
        codes=tuple(dict.fromkeys(code for code in codes if code)),
        volume_code=volume_code,
        page_no=record.page_no,
        page_count=record.page_count,
    )


def find(roots: Sequence[Path], wanted: Sought, numbers: Sequence[int] = (), spool: Path | None = None) -> FoundPages:
    """Find the pages of a record and take their digests.

    Args:
        roots: folders of scans.
        wanted: what is known of the record.
        numbers: pages that are wanted, from 1; none means all.
        spool: where a file of several pages is taken apart; None where that is not wanted.

    Raises:
        BadValue: there is no folder for it, or several; a wanted page is not there.
        BadFile: a page cannot be read, is no picture, or is too large.

    """
    root, files, remarks = _files(roots, wanted, spool)
    if wanted.page_count is not None and wanted.page_count != len(files):
        remarks.append(
            Text(
                zh=f"目录记 {wanted.page_count} 页，扫描件 {len(files)} 页，请核对",
                en=f"the catalogue says {Count(wanted.page_count):page|pages}, {len(files)} are scanned: check",
            )
        )
    holes = sorted(set(range(1, max(files) + 1)) - files.keys())
    if holes:
        shown = "、".join(map(str, holes[:10]))
        remarks.append(Text(zh=f"扫描件缺第 {shown} 页", en=f"pages {shown} are not scanned"))
    missing = [number for number in numbers if number not in files]
    if missing:
        raise _no_pages(
            Text(zh=f"没有第 {missing[0]} 页的扫描件", en=f"page {missing[0]} is not scanned"),
        )
    chosen = sorted(set(numbers) or files)
    if len(chosen) > COPY_PAGES_MAX:
        raise BadValue(
            Text(zh=f"共 {len(chosen)} 页，一次最多 {COPY_PAGES_MAX} 页。", en=f"too many pages: {len(chosen)}"),
            Text(zh="请窗口写明要哪几页。", en="The window names the pages that are needed."),
        )
    pages = tuple(_digested(root, number, files[number]) for number in chosen)
    return FoundPages(root=root, pages=pages, remarks=tuple(remarks))


def _files(roots: Sequence[Path], wanted: Sought, spool: Path | None) -> tuple[Path, dict[int, Path], list[Text]]:
    """Return the folder of scans, the record's files by their page, and what is to be said of them."""
    for code in wanted.codes:
        place = _folder(roots, code)
        if place is not None:
            root, folder = place
            several = None if spool is None else _of_several_pages(folder)
            if several is not None and spool is not None:
                return spool, dict(enumerate(page_splitting.split(several, spool), start=1)), [_taken_apart(several)]
            return root, _numbered(folder), []
    span = _RANGE.fullmatch(wanted.page_no)
    place = _folder(roots, wanted.volume_code) if wanted.volume_code and span is not None else None
    if place is None or span is None:
        shown = "、".join(str(one) for one in roots)
        code = wanted.codes[0] if wanted.codes else "—"
        raise _no_pages(
            Text(zh=f"在 {shown} 中找不到 {code} 的扫描件", en=f"no scans of {code} under {shown}"),
        )
    root, folder = place
    first = int(span[1])
    last = int(span[2]) if span[2] else first + (wanted.page_count or 1) - 1
    of_volume = _numbered(folder)
    files = {number - first + 1: of_volume[number] for number in range(first, last + 1) if number in of_volume}
    if not files:
        raise _no_pages(
            Text(
                zh=f"案卷 {wanted.volume_code} 的扫描件中没有第 {first}–{last} 页",
                en="its pages of the volume are not scanned",
            )
        )
    said = Text(
        zh=f"取自案卷 {wanted.volume_code} 第 {first}–{last} 页",
        en=f"pages {first} to {last} of volume {wanted.volume_code}",
    )
    return root, files, [said]


def _folder(roots: Sequence[Path], code: str) -> tuple[Path, Path] | None:
    for root in roots:
        direct = root / code
        if _is_plain_name(code) and direct.is_dir():
            return root, direct
    key = folded(code)
    found = [(root, folder) for root in roots for folder in _folders(root) if folded(folder.name) == key] if key else []
    if len(found) > 1:
        first, second = (str(folder.relative_to(root)) for root, folder in found[:2])
        raise BadValue(
            Text(zh=f"有两个文件夹都像是它的：{first}、{second}", en=f"two folders could be meant: {first}, {second}"),
            Text(zh="请把其中一个改名或移走。", en="Rename or move one of them."),
        )
    return found[0] if found else None


def folded(name: str) -> str:
    """Return a name without what folders cannot be called: letters and digits count, marks are one and the same."""
    return re.sub(r"[^\w]+|_+", "-", unicodedata.normalize("NFKC", name).casefold()).strip("-")


def _is_plain_name(code: str) -> bool:
    return bool(code) and not any(one in code for one in '/\\:*?"<>|') and code not in (".", "..")


def _folders(root: Path) -> Iterator[Path]:
    level, looked = [root], 0
    for _ in range(FOLDER_DEPTH_MAX):
        inner: list[Path] = []
        for folder in level:
            for entry in _entries(folder):
                looked += 1
                if looked > FOLDERS_MAX:
                    return
                if entry.is_dir(follow_symlinks=False):
                    inner.append(Path(entry.path))
        yield from inner
        level = inner


def _entries(folder: Path) -> list["os.DirEntry[str]"]:
    try:
        with os.scandir(folder) as entries:
            return sorted(entries, key=lambda one: one.name)
    except OSError as error:
        raise BadFile(
            Text(zh=f"打不开文件夹 {folder}：{error.strerror}", en=f"cannot open {folder}: {error.strerror}"),
            Text(zh="请检查磁盘是否接好、有无权限。", en="Check that the disk is there and may be read."),
        ) from error


def _numbered(folder: Path) -> dict[int, Path]:
    """Return a folder's pictures by the number that their names end in."""
    of_kind: dict[str, dict[int, Path]] = {}
    for entry in _entries(folder):
        path = Path(entry.path)
        kind, number = path.suffix.lower(), _LAST_NUMBER.search(path.stem)
        if kind not in KINDS or number is None or not entry.is_file(follow_symlinks=False):
            continue
        other = of_kind.setdefault(kind, {}).setdefault(int(number[1]), path)
        if other != path:
            raise BadValue(
                Text(zh=f"{path.name} 与 {other.name} 页号相同", en=f"{path.name} and {other.name} are the same page"),
                Text(zh="请改正文件名。", en="Rename one of them."),
            )
    if not of_kind:
        raise _no_pages(Text(zh=f"文件夹 {folder} 中没有图像", en=f"there is no picture in {folder}"))
    # A folder may hold pages for keeping and the same pages for use: whichever kind is whole, in our order of kinds.
    most = max(len(files) for files in of_kind.values())
    return next(of_kind[kind] for kind in KINDS if len(of_kind.get(kind, ())) == most)


def _of_several_pages(folder: Path) -> Path | None:
    """Return the one file of a folder that holds all pages: a PDF, or a TIFF of more than one; None for pictures."""
    files = [Path(entry.path) for entry in _entries(folder) if entry.is_file(follow_symlinks=False)]
    pictures = [path for path in files if path.suffix.lower() in KINDS]
    whole = [path for path in files if path.suffix.lower() == ".pdf"]
    if not pictures and len(whole) > 1:
        raise BadValue(
            Text(zh=f"文件夹 {folder.name} 中有 {len(whole)} 个 PDF。", en=f"{folder.name} has {len(whole)} PDF files"),
            Text(zh="只留一个含全部页面的 PDF。", en="Leave the one that has all pages."),
        )
    if not pictures and whole:
        return whole[0]
    is_tiff = len(pictures) == 1 and pictures[0].suffix.lower() in (".tif", ".tiff")
    return pictures[0] if is_tiff and page_splitting.frames_of(pictures[0]) > 1 else None


def _taken_apart(path: Path) -> Text:
    return Text(
        zh=f"各页由 {path.name} 拆出，请逐页核对", en=f"the pages were taken out of {path.name}: look at each of them"
    )


def _digested(root: Path, number: int, path: Path) -> PageFile:
    try:
        with path.open("rb") as file:
            size = os.fstat(file.fileno()).st_size
            head = file.read(4)
            file.seek(0)
            if not _is_picture(path.suffix.lower(), head):
                raise _bad_page(path, Text(zh="内容不是图像，可能已损坏", en="it is no picture, or damaged"))
            if size > PAGE_BYTES_MAX:
                raise _bad_page(path, Text(zh=f"文件过大（{size} 字节）", en=f"{size} bytes are too many"))
            digest = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise _bad_page(
            path, Text(zh=f"读不出（{error.strerror}）", en=f"cannot be read ({error.strerror})")
        ) from error
    return PageFile(number=number, path=path.relative_to(root).as_posix(), size_bytes=size, sha256=digest)


def _is_picture(kind: str, head: bytes) -> bool:
    if kind in (".tif", ".tiff"):
        return head in _TIFF_MARKS
    return head.startswith(_MARKS[kind])


def _no_pages(why: Text) -> BadValue:
    return BadValue(
        Text(zh=f"{why.zh}。", en=why.en),
        Text(
            zh="请扫描后放入以档号命名的文件夹，或以 no_pages 为由拒绝；扫描件位置在 node.toml 的 [[scans]] 中设置。",
            en="Scan it into a folder named by its reference code, or refuse it as no_pages; node.toml says under"
            " [[scans]] where scans lie.",
        ),
    )


def _bad_page(path: Path, why: Text) -> BadFile:
    return BadFile(
        Text(zh=f"页面 {path.name} 不能出证：{why.zh}。", en=f"page {path.name} cannot be certified: {why.en}"),
        Text(zh="请重新扫描该页，或以 damaged 为由拒绝。", en="Scan the page again, or refuse the order as damaged."),
    )
