"""TIFF, JPEG and other images opened for real, by Pillow, where it is installed (extra ``checks``).

Every pixel is decoded, because a scan that was cut in the middle has a perfect head. An image whose pixels would not
fit the memory that the checks may use is not decoded, and a person is asked to look.
"""

import struct
import warnings
from pathlib import Path
from typing import TYPE_CHECKING

from protocol.wording import Count, Text
from replication.checks.opened import Opened, Openness, broken, no_tool

if TYPE_CHECKING:
    from PIL.Image import Image

TOOL = "Pillow"

PIXEL_BYTES_MAX = 64 * 1024 * 1024
"""Bytes of the pixels of one page that are decoded: A3 in colour at 300 dpi is 52 MB."""

PAGES_MAX = 10_000
"""Pages of one TIFF."""

HEAD_BYTES = 64 * 1024
"""Bytes of a JPEG in which its frame is looked for."""

_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
"""Markers of JPEG that begin a frame."""

_BANDS_BYTES = {"I": 4, "F": 4}


def open_image(path: Path) -> Opened:
    """Open an image and decode it, every page of a TIFF."""
    try:
        import PIL  # noqa: PLC0415 - an extra that a village PC need not have
        from PIL import Image  # noqa: PLC0415
    except ImportError:
        return no_tool(TOOL, "TIFF/JPEG/PNG")
    version = PIL.__version__
    try:
        with warnings.catch_warnings():
            # Our own bound is tighter, and is no surprise.
            warnings.simplefilter("ignore")
            with Image.open(path) as image:
                return _decoded(image, version)
    except PIL.UnidentifiedImageError as error:
        if (bits := _jpeg_bits(path)) not in {0, 8}:
            unusual = Text(
                zh=f"JPEG 每个样本 {bits} 位，常用程序打不开",
                en=f"a JPEG of {bits} bits a sample, which few programs open",
            )
            return Opened(openness=Openness.UNUSUAL, evidence=unusual, tool=TOOL, tool_version=version)
        return broken(_unopened(error, path), TOOL, version)
    except (OSError, ValueError, SyntaxError, EOFError, struct.error, KeyError, TypeError, OverflowError) as error:
        return broken(_unopened(error, path), TOOL, version)
    except Image.DecompressionBombError as error:
        return Opened(
            openness=Openness.TOO_LARGE,
            evidence=Text(zh=f"过大：{error}", en=str(error)),
            tool=TOOL,
            tool_version=version,
        )


def _unopened(error: Exception, path: Path) -> Text:
    told = str(error).replace(str(path), path.name)[:160]
    return Text(zh=f"打不开：{told}", en=f"cannot be opened: {told}")


def _jpeg_bits(path: Path) -> int:
    """Return the bits of a sample that the frame of a JPEG names; 0 where there is no frame at its head."""
    with path.open("rb") as file:
        head = file.read(HEAD_BYTES)
    place = 2
    while head.startswith(b"\xff\xd8") and place + 5 <= len(head) and head[place] == 0xFF:
        if head[place + 1] in _FRAMES:
            return head[place + 4]
        place += 2 + int.from_bytes(head[place + 2 : place + 4], "big")
    return 0


def _decoded(image: "Image", version: str) -> Opened:
    pages = getattr(image, "n_frames", 1)
    if pages > PAGES_MAX:
        return broken(Text(zh=f"{pages} 页，过多", en=f"{Count(pages):page is|pages are} too many"), TOOL, version)
    is_whole = True
    width, height = image.size
    for page in range(pages):
        if pages > 1:
            image.seek(page)
        if image.format == "JPEG":
            # An eighth of the size still reads every byte of the file, in a hundredth of the memory.
            image.draft(image.mode, (max(1, image.width // 8), max(1, image.height // 8)))
        if _pixel_bytes(image) > PIXEL_BYTES_MAX:
            is_whole = False
            continue
        image.load()
    told = f"{image.format} {width}×{height}"
    if not is_whole:
        evidence = Text(zh=f"{told}，过大，未逐点解码", en=f"{told}, too large to be decoded here")
        return Opened(openness=Openness.TOO_LARGE, pages=pages, evidence=evidence, tool=TOOL, tool_version=version)
    evidence = Text(zh=f"打开，{pages} 页，{told}", en=f"opened, {Count(pages):page|pages}, {told}")
    return Opened(openness=Openness.OPENED, pages=pages, evidence=evidence, tool=TOOL, tool_version=version)


def _pixel_bytes(image: "Image") -> int:
    return image.width * image.height * len(image.getbands()) * _BANDS_BYTES.get(image.mode[:1], 1)
