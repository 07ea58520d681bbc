"""Scans that hold several pages in one file: a TIFF of many pages, or a PDF of scans, taken apart page by page.

Archives have both. A page of a PDF must be one scan: its picture is taken out as it lies there, byte for byte where it
is a JPEG; text or several pictures on a page are no scan, and nobody certifies what a program has drawn. What needs
Pillow and pikepdf says so where they are not installed. The pages lie under the node's home until they were fetched.
"""

import contextlib
import errno
import hashlib
import importlib.util
import io
import os
import shutil
import tempfile
import time
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Final

from protocol.copies import PAGE_BYTES_MAX
from protocol.errors import BadFile, StorageFull
from protocol.wording import Count, Text
from replication.packages.bag_writing import sync_folder

if TYPE_CHECKING:
    import pikepdf
    from PIL.Image import Image

PIXELS_MAX: Final = 200_000_000
"""Pixels of one page, as at the hub: an A2 sheet at 600 dots an inch. More is a file made to fill the memory."""

PAGES_MAX: Final = 500
"""Pages of one file."""

FILE_BYTES_MAX: Final = 2 * 1024**3
"""Bytes of a file that is taken apart."""

KEPT_S: Final = 90 * 24 * 3600.0
"""Seconds for which pages are kept: an order that waits longer has them taken out again."""

PREVIEW_PIXELS: Final = 1_600
"""Longer side of a preview."""


def split(path: Path, spool: Path) -> list[Path]:
    """Return the pages of a file as pictures of their own, numbered from 1; taken apart once for the same content.

    Raises:
        BadFile: it is encrypted, damaged, too large, no scan, or what reads it is not installed.
        StorageFull: the disk has no room for the pages.

    """
    with _translated(path):
        if path.stat().st_size > FILE_BYTES_MAX:
            raise bad(path, Text(zh="文件过大", en="it is too large"))
        with path.open("rb") as file:
            name = hashlib.file_digest(file, "sha256").hexdigest()
        folder = spool / name
        if not folder.is_dir():
            _tidy(spool)
            spool.mkdir(parents=True, exist_ok=True)
            # A folder of its own: the page that shows an order asks for several pictures at once.
            partial = Path(tempfile.mkdtemp(prefix=f".{name}.", dir=spool))
            try:
                (_split_pdf if path.suffix.lower() == ".pdf" else _split_tiff)(path, partial)
                _kept_through(partial, folder)
            finally:
                shutil.rmtree(partial, ignore_errors=True)
        os.utime(folder)
        return sorted(folder.iterdir())


def _kept_through(partial: Path, folder: Path) -> None:
    """Give the pages their name once they are on the disk: a folder of that name is believed by its mere presence."""
    for page in partial.iterdir():
        with page.open("r+b") as file:
            os.fsync(file.fileno())
    sync_folder(partial)
    try:
        partial.rename(folder)
    except OSError:
        # Another call has come first, with the same pages.
        if not folder.is_dir():
            raise


def frames_of(path: Path) -> int:
    """Return how many pages a TIFF has; 1 where nothing here can tell."""
    if importlib.util.find_spec("PIL") is None:
        return 1
    from PIL import Image  # noqa: PLC0415 - of an extra

    with _translated(path), _quietly(), Image.open(path, formats=("TIFF",)) as picture:
        _check_size(path, picture)
        return int(getattr(picture, "n_frames", 1))


def preview(path: Path) -> bytes:
    """Return a PNG of a page that no browser shows.

    Raises:
        BadFile: it cannot be read, or Pillow is not installed.

    """
    _need(path, "PIL")
    from PIL import Image  # noqa: PLC0415 - of an extra

    with _translated(path), _quietly(), Image.open(path, formats=("TIFF", "BMP", "PNG", "JPEG")) as picture:
        _check_size(path, picture)
        picture.thumbnail((PREVIEW_PIXELS, PREVIEW_PIXELS))
        kept = io.BytesIO()
        picture.convert("RGB").save(kept, "PNG")
        return kept.getvalue()


def _split_tiff(path: Path, into: Path) -> None:
    _need(path, "PIL")
    from PIL import Image  # noqa: PLC0415 - of an extra

    with _quietly(), Image.open(path, formats=("TIFF",)) as picture:
        count = int(getattr(picture, "n_frames", 1))
        _check_count(path, count)
        for number in range(count):
            picture.seek(number)
            _check_size(path, picture)
            _keep_png(picture, into / f"{number + 1:04}.png")


def _split_pdf(path: Path, into: Path) -> None:
    _need(path, "PIL", "pikepdf")
    import pikepdf  # noqa: PLC0415 - of an extra

    try:
        with pikepdf.open(path) as pdf:
            _check_count(path, len(pdf.pages))
            for number, page in enumerate(pdf.pages, start=1):
                pictures = _images(page)
                if len(pictures) != 1:
                    raise bad(
                        path,
                        Text(zh=f"第 {number} 页不是一幅扫描图像", en=f"its page {number} is not one picture"),
                    )
                found = pikepdf.PdfImage(pictures[0])  # type: ignore[arg-type]
                _keep(path, found, into / f"{number:04}")
    except pikepdf.PasswordError as error:
        raise bad(path, Text(zh="PDF 已加密，需要密码", en="the PDF is encrypted and wants a password")) from error
    except pikepdf.PdfError as error:
        raise bad(path, Text(zh="PDF 已损坏", en="the PDF is damaged")) from error


def _images(page: "pikepdf.Page") -> "list[pikepdf.Object]":
    """Return the pictures of a page; the name of the call changed within version 10."""
    found = page.get_images() if hasattr(page, "get_images") else page.images
    return list(found.values())


def _keep(path: Path, found: "object", stem: Path) -> None:
    """Keep the picture of a page: a JPEG as it is, anything else without loss."""
    from PIL import Image  # noqa: PLC0415 - of an extra

    if found.width * found.height > PIXELS_MAX:  # type: ignore[attr-defined]
        raise bad(path, _too_many(found.width, found.height))  # type: ignore[attr-defined]
    kept = io.BytesIO()
    kind = found.extract_to(stream=kept)  # type: ignore[attr-defined]
    if kind in (".jpg", ".jpeg", ".png"):
        stem.with_suffix(kind).write_bytes(kept.getvalue())
        return
    with _quietly(), Image.open(io.BytesIO(kept.getvalue())) as picture:
        _keep_png(picture, stem.with_suffix(".png"))


def _keep_png(picture: "Image", target: Path) -> None:
    plain = picture if picture.mode in ("1", "L", "RGB") else picture.convert("RGB")
    plain.save(target, "PNG")
    if target.stat().st_size > PAGE_BYTES_MAX:
        raise bad(target, Text(zh="拆出的页面过大", en="a page of it is too large"))


def _check_size(path: Path, picture: "Image") -> None:
    width, height = picture.size
    if width * height > PIXELS_MAX:
        raise bad(path, _too_many(width, height))


def _too_many(width: int, height: int) -> Text:
    return Text(zh=f"图像过大（{width}×{height}）", en=f"{width} by {height} pixels are too many")


def _check_count(path: Path, count: int) -> None:
    if not 0 < count <= PAGES_MAX:
        raise bad(path, Text(zh=f"共 {count} 页，应为 1 至 {PAGES_MAX} 页", en=f"it has {Count(count):page|pages}"))


def _need(path: Path, *modules: str) -> None:
    if any(importlib.util.find_spec(one) is None for one in modules):
        raise BadFile(
            Text(zh=f"本机不能读取 {path.name}。", en=f"{path.name} cannot be read on this PC"),
            Text(
                zh="请安装 pip install 'danglian[checks]'，或逐页扫描为 JPEG。",
                en="Run pip install 'danglian[checks]', or scan it page by page into JPEG files.",
            ),
        )


@contextlib.contextmanager
def _quietly() -> Iterator[None]:
    # The library warns at a third of our own bound, which comes first.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


@contextlib.contextmanager
def _translated(path: Path) -> Iterator[None]:
    try:
        yield
    except BadFile:
        raise
    except Exception as error:
        if isinstance(error, OSError) and error.errno in {errno.ENOSPC, errno.EDQUOT}:
            raise StorageFull(
                Text(zh="磁盘已满，不能拆出各页", en="the disk is full; no pages were taken out"),
                Text(zh="腾出空间后再试。", en="Make room and try again."),
            ) from error
        # Whatever a library finds in a spoilt file: each format has its own errors, and all mean the same here.
        raise bad(path, Text(zh="文件已损坏或不是图像", en="it is damaged, or no picture")) from error


def _tidy(spool: Path) -> None:
    for folder in spool.iterdir() if spool.is_dir() else ():
        if folder.is_dir() and time.time() - folder.stat().st_mtime > KEPT_S:
            shutil.rmtree(folder, ignore_errors=True)


def bad(path: Path, why: Text) -> BadFile:
    """Return the error of a file whose pages cannot be certified."""
    return BadFile(
        Text(zh=f"{path.name} 不能出证：{why.zh}。", en=f"{path.name} cannot be certified: {why.en}"),
        Text(
            zh="请逐页重新扫描为 JPEG，或以 damaged 为由拒绝。",
            en="Scan it again page by page into JPEG files, or refuse the order as damaged.",
        ),
    )
