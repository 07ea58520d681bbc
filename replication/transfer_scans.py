"""The files of one item of a package that was received, and how a reader sees them.

Names come from the sender's catalogue: whatever they say, nothing outside the package is opened.
"""

import io
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Final

import msgspec

from protocol.errors import BadFile
from protocol.wording import Text
from replication.packages.official_layout import RECORDS, found, read_entries
from replication.transfer_checks import payload_of

FILES_SHOWN_MAX: Final = 500
"""Files of one item that are listed: a thick volume."""

SHOWN_BYTES_MAX: Final = 64 * 1024 * 1024
"""Bytes of a file that is read to be shown; a larger one can be fetched from the package alone."""

SHOWN_PIXELS_MAX: Final = 80_000_000
"""Pixels of a scan that is made into a picture for a screen: A3 at 600 dpi."""

SCREEN_PIXELS: Final = 1_800
"""Longest side of such a picture."""

PACKAGES_KNOWN: Final = 4
"""Packages whose catalogue is kept while somebody looks at their items."""

_PICTURES: Final = {b"\xff\xd8\xff": "image/jpeg", b"\x89PNG\r\n\x1a\n": "image/png"}
_TIFF: Final = (b"II*\x00", b"MM\x00*", b"II+\x00", b"MM\x00+")


class Picture(msgspec.Struct, frozen=True, kw_only=True):
    """What a browser shows of a file."""

    content: bytes
    kind: str


def files_of(package: Path, record_id: str) -> list[Path]:
    """Return the files of an item, in the order of their names; none if the package is gone.

    Raises:
        OSError: the package cannot be read now.

    """
    root = payload_of(package)
    if not root.is_dir():
        return []
    names = _names_by_record(root, root.stat().st_mtime_ns).get(record_id, ())
    records = found(root, RECORDS)
    if records is None:
        return []
    inside = records.resolve()
    files: list[Path] = []
    for name in names:
        place = (records / name).resolve()
        if place != inside and place.is_relative_to(inside):
            files += [place] if place.is_file() else sorted(one for one in place.rglob("*") if one.is_file())
    # A link in a package may lead out of it.
    return [one for one in files if one.resolve().is_relative_to(inside)][:FILES_SHOWN_MAX]


@lru_cache(maxsize=PACKAGES_KNOWN)
def _names_by_record(root: Path, _stamp: int) -> Mapping[str, tuple[str, ...]]:
    try:
        entries = read_entries(root)
    except BadFile:
        return {}
    return {one.record_id: tuple(name.strip() for name in one.file_name.split(";") if name.strip()) for one in entries}


def picture_of(file: Path) -> Picture | None:
    """Return what a browser shows of a file; None where it is no picture, or too large.

    Raises:
        BadFile: it looks like a scan and cannot be opened.
        OSError: it cannot be read now.

    """
    if file.stat().st_size > SHOWN_BYTES_MAX:
        return None
    content = file.read_bytes()
    kind = next((kind for magic, kind in _PICTURES.items() if content.startswith(magic)), None)
    if kind is not None:
        return Picture(content=content, kind=kind)
    return _from_tiff(content) if content.startswith(_TIFF) else None


def _from_tiff(content: bytes) -> Picture:
    """Return the first page of a TIFF as a picture that browsers know."""
    # Some megabytes that only whoever looks at a scan needs.
    from PIL import Image  # noqa: PLC0415 - as above

    try:
        with Image.open(io.BytesIO(content), formats=("TIFF",)) as scan:
            if scan.width * scan.height > SHOWN_PIXELS_MAX:
                raise BadFile(_LARGE)
            scan.thumbnail((SCREEN_PIXELS, SCREEN_PIXELS))
            told = io.BytesIO()
            scan.convert("RGB").save(told, "JPEG", quality=85)
    # A damaged file is told as a warning where warnings are errors.
    except (OSError, ValueError, UserWarning, Image.DecompressionBombError) as error:
        raise BadFile(_BROKEN) from error
    return Picture(content=told.getvalue(), kind="image/jpeg")


_LARGE: Final = Text(zh="图像过大，不能在网页上显示。", en="the scan is too large to be shown")
_BROKEN: Final = Text(zh="图像无法打开，可能已损坏。", en="the scan cannot be opened; it may be damaged")
