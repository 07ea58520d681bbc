"""What a file is by its first bytes, and whether its name says the same."""

import codecs
from pathlib import Path
from typing import Final

import msgspec

HEAD_BYTES = 64 * 1024
"""Bytes of a file that are looked at."""

PDF_MARK_BYTES = 1024
"""First bytes in which the mark of a PDF may stand."""

UNKNOWN: Final = ""

_MAGIC: Final = (
    (0, b"%PDF-", "PDF"),
    (0, b"II*\x00", "TIFF"),
    (0, b"MM\x00*", "TIFF"),
    (0, b"II+\x00", "TIFF"),
    (0, b"MM\x00+", "TIFF"),
    (0, b"\xff\xd8\xff", "JPEG"),
    (0, b"\x89PNG\r\n\x1a\n", "PNG"),
    (0, b"\x00\x00\x00\x0cjP  \r\n\x87\n", "JPEG2000"),
    (0, b"GIF8", "GIF"),
    (0, b"BM", "BMP"),
    (8, b"WEBP", "WEBP"),
    (8, b"WAVE", "WAV"),
    (4, b"ftyp", "MP4"),
    (0, b"ID3", "MP3"),
    (0, b"\xff\xfb", "MP3"),
    (0, b"\xff\xf3", "MP3"),
    (0, b"Rar!\x1a\x07", "RAR"),
    (0, b"7z\xbc\xaf\x27\x1c", "7Z"),
    (0, b"\x1f\x8b", "GZIP"),
    (0, b"BZh", "BZIP2"),
    (0, b"\xfd7zXZ\x00", "XZ"),
    (0, b"(\xb5/\xfd", "ZSTD"),
    (0, b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "OLE"),
    (0, b"MZ", "EXE"),
    (0, b"\x7fELF", "EXE"),
    (257, b"ustar", "TAR"),
    (0, b"PK\x03\x04", "ZIP"),
    (0, b"PK\x05\x06", "ZIP"),
)

ARCHIVES: Final = frozenset(("ZIP", "RAR", "7Z", "GZIP", "BZIP2", "XZ", "ZSTD", "TAR"))
"""Formats that pack other files."""

_ENDINGS: Final = {
    "PDF": "pdf",
    "OFD": "ofd",
    "TIFF": "tif tiff",
    "JPEG": "jpg jpeg jpe jfif",
    "PNG": "png",
    "JPEG2000": "jp2 j2k jpf",
    "GIF": "gif",
    "BMP": "bmp dib",
    "WEBP": "webp",
    "WAV": "wav",
    "MP3": "mp3",
    "MP4": "mp4 m4a m4v mov",
    "XML": "xml eep",
    "HTML": "html htm",
    "TXT": "txt csv log md",
    "OFFICE": "docx xlsx pptx",
    "OLE": "doc xls ppt wps et dps msg",
    "ZIP": "zip jar",
    "RAR": "rar",
    "7Z": "7z",
    "GZIP": "gz tgz",
    "BZIP2": "bz2",
    "XZ": "xz",
    "ZSTD": "zst",
    "TAR": "tar",
}
_FORMAT_OF_ENDING: Final = {ending: name for name, endings in _ENDINGS.items() for ending in endings.split()}


class Identity(msgspec.Struct, frozen=True, kw_only=True):
    """What a file is, and what its name says that it is; both empty where nobody knows."""

    format: str
    named: str
    ending: str

    @property
    def agrees(self) -> bool:
        """True if the name says what the content is."""
        if self.format == self.named:
            return bool(self.format)
        # A catalogue in XML may be called .txt, and a page of text .xml is none.
        return (self.format, self.named) in {("XML", "TXT"), ("HTML", "TXT"), ("HTML", "XML")}


def identify(path: Path) -> Identity:
    """Look at a file.

    Raises:
        OSError: it cannot be read.

    """
    with path.open("rb") as file:
        head = file.read(HEAD_BYTES)
    ending = path.name.rpartition(".")[2].lower() if "." in path.name else ""
    return Identity(format=format_of(head), named=_FORMAT_OF_ENDING.get(ending, UNKNOWN), ending=ending)


def format_of(head: bytes) -> str:
    """Return the format that the first bytes of a file show, "" if none."""
    for place, magic, name in _MAGIC:
        if head.startswith(magic, place):
            return _of_zip(head) if name == "ZIP" else name
    # Programs that read PDF look for its mark in the first kilobyte; what stands before it is damage.
    return "PDF" if b"%PDF-" in head[:PDF_MARK_BYTES] else _of_text(head)


def _of_zip(head: bytes) -> str:
    """Return what a ZIP file is: a document in OFD or of an office program, or a plain archive."""
    if b"OFD.xml" in head or b"Doc_0/" in head:
        return "OFD"
    if b"[Content_Types].xml" in head or b"_rels/.rels" in head:
        return "OFFICE"
    return "ZIP"


def _of_text(head: bytes) -> str:
    text = _decoded(head)
    if text is None:
        return UNKNOWN
    begin = text.lstrip("\ufeff \t\r\n")[:256].lower()
    if begin.startswith(("<!doctype html", "<html")):
        return "HTML"
    return "XML" if begin.startswith("<?xml") or (begin.startswith("<") and ">" in text) else "TXT"


def _decoded(head: bytes) -> str | None:
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return head[: len(head) // 2 * 2].decode("utf-16", "replace")
    if b"\x00" in head:
        return None
    for encoding in ("utf-8", "gb18030"):
        decoder = codecs.getincrementaldecoder(encoding)()
        try:
            # The last character may be cut by where we stopped reading.
            return decoder.decode(head, final=len(head) < HEAD_BYTES)
        except UnicodeDecodeError:
            continue
    return None
