"""What a file really is, by its first bytes: the name's ending is only what somebody called it."""

import re
from enum import StrEnum
from pathlib import Path
from typing import Final

from node.catalogues.refusals import UnreadableFile
from protocol.wording import Text

SNIFFED_BYTES: Final = 4 * 1024
"""Bytes of the start of a file by which its format is known."""

FILE_BYTES_MAX: Final = 128 * 1024 * 1024
"""Bytes of one workbook: a full sheet of 65,536 rows is under 20 MB, so more than this is scans or a mistake."""

TEXT_BYTES_MAX: Final = 1024 * 1024 * 1024
"""Bytes of one text file: it is read in a stream, a million rows are 200 MB."""

WORKBOOK_SUFFIXES: Final = (".xlsx", ".xls")
TEXT_SUFFIXES: Final = (".csv", ".txt")
SUFFIXES: Final = frozenset((*WORKBOOK_SUFFIXES, *TEXT_SUFFIXES))
"""Endings of the files that are read, in lower case."""

_ZIP: Final = b"PK"
_COMPOUND: Final = bytes.fromhex("d0cf11e0a1b11ae1")
_HTML: Final = re.compile(rb"\s*(?:<!doctype\s+html|<html|<table|<meta|<head|<body|<!--)", re.IGNORECASE)
_XML: Final = re.compile(rb"\s*<\?xml", re.IGNORECASE)
_OTHERS: Final = (
    (b"%PDF", Text(zh="PDF 文档", en="a PDF document")),
    (b"{\\rtf", Text(zh="RTF 文档", en="an RTF document")),
    (b"MIME-Version", Text(zh="网页归档 (MHT)", en="a web archive (MHT)")),
    (b"Rar!", Text(zh="RAR 压缩包", en="a RAR archive")),
    (b"7z\xbc\xaf", Text(zh="7z 压缩包", en="a 7z archive")),
    (b"\xff\xd8\xff", Text(zh="JPEG 图片", en="a JPEG picture")),
    (b"\x89PNG", Text(zh="PNG 图片", en="a PNG picture")),
)
_RESAVE: Final = Text(
    zh="在表格软件中打开，另存为“Excel 工作簿 (*.xlsx)”后重新放入。",
    en="Open it in a spreadsheet program, save it as an Excel workbook (*.xlsx) and drop it again.",
)


class FileFormat(StrEnum):
    """The three families of catalogue files."""

    XLSX = "xlsx"
    XLS = "xls"
    TEXT = "text"


def recognise(path: Path) -> FileFormat:
    """Return the format of a file by its content.

    A workbook of the other generation is read all the same; text called a workbook, or the reverse, is refused, because
    somebody renamed it without converting it and may not know what it holds.

    Raises:
        UnreadableFile: empty, too large, zeros only, or none of the formats.
        OSError: the file cannot be read.

    """
    size = path.stat().st_size
    if size == 0:
        raise UnreadableFile("file_empty")
    with path.open("rb") as source:
        head = source.read(SNIFFED_BYTES)
    if not head.strip(b"\0"):
        raise UnreadableFile("file_incomplete", Text(zh="开头全是零字节。", en="It starts with zero bytes only."))
    is_workbook = head.startswith((_ZIP, _COMPOUND))
    if size > (FILE_BYTES_MAX if is_workbook else TEXT_BYTES_MAX):
        raise UnreadableFile("file_too_large", _size(size, FILE_BYTES_MAX if is_workbook else TEXT_BYTES_MAX))
    suffix = path.suffix.lower()
    if suffix not in SUFFIXES:
        raise UnreadableFile("file_format_unsupported", _seen_as(Text(zh=f"{suffix} 文件", en=f"a {suffix} file")))
    if is_workbook and suffix in WORKBOOK_SUFFIXES:
        return FileFormat.XLSX if head.startswith(_ZIP) else FileFormat.XLS
    if is_workbook:
        seen = Text(zh="工作簿", en="a workbook")
    elif (other := _other(head)) is not None:
        seen = other
    elif suffix in TEXT_SUFFIXES:
        return FileFormat.TEXT
    elif b"\0" in head.removeprefix(b"\xff\xfe")[:64] and not head.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise UnreadableFile("file_unreadable")
    else:
        seen = Text(zh="纯文本", en="plain text")
    raise UnreadableFile("file_format_unsupported", _seen_as(seen), _RESAVE)


def _other(head: bytes) -> Text | None:
    """Name the format of a file that is neither a workbook nor a table of text."""
    for start, name in _OTHERS:
        if head.startswith(start):
            return name
    text = head.removeprefix(b"\xef\xbb\xbf")
    if _HTML.match(text):
        return Text(zh="网页 (HTML)", en="a web page (HTML)")
    if _XML.match(text):
        return Text(zh="XML 文档", en="an XML document")
    return None


def _seen_as(name: Text) -> Text:
    return Text(zh=f"文件内容其实是{name.zh}。", en=f"By its content it is {name.en}.")


def _size(size: int, limit: int) -> Text:
    return Text(
        zh=f"现为 {size / 2**20:.0f} MB，上限 {limit // 2**20} MB。",
        en=f"It has {size / 2**20:.0f} MB, allowed are {limit // 2**20} MB.",
    )
