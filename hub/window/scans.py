"""Scans on a certificate: read whole before anything is printed, and put on paper as they are.

A JPEG goes into the PDF byte for byte: what the holder's digest names is what the page shows. Other pictures are put
in without loss. What cannot be read stops the certificate with its reason; nothing is ever left out or guessed.
"""

import io
import struct
import warnings
from typing import Final

import msgspec
from PIL import Image, ImageOps, UnidentifiedImageError

from protocol.errors import BadFile
from protocol.wording import Text

PIXELS_MAX: Final = 200_000_000
"""Pixels of one page: an A2 sheet at 600 dots an inch. More is a file made to fill the memory."""

FORMATS: Final = ("JPEG", "PNG", "TIFF", "BMP")
"""Pictures that are put on paper."""

_PLAIN_MODES: Final = ("1", "L", "RGB")
_ORIENTATION: Final = 0x0112


class Scan(msgspec.Struct, frozen=True, kw_only=True):
    """One page as a picture that a PDF takes."""

    content: bytes
    width: int
    height: int


def read(content: bytes, name: str) -> Scan:
    """Read one page whole.

    Raises:
        BadFile: it is damaged, no picture of a page, too large, or several pages in one file.

    """
    try:
        with warnings.catch_warnings():
            # The library warns of large pictures at a third of our own bound, which comes first.
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            with Image.open(io.BytesIO(content), formats=FORMATS) as picture:
                return _scan(content, picture, name)
    except (UnidentifiedImageError, Image.DecompressionBombError) as error:
        raise _unreadable(name, Text(zh="不是可用的图像", en="it is no picture that can be used")) from error
    except (OSError, SyntaxError, ValueError, struct.error) as error:
        raise _unreadable(name, Text(zh="图像已损坏", en="the picture is damaged")) from error


def _scan(content: bytes, picture: Image.Image, name: str) -> Scan:
    width, height = picture.size
    if width * height > PIXELS_MAX:
        raise _unreadable(name, Text(zh=f"图像过大（{width}×{height}）", en=f"{width} by {height} pixels are too many"))
    if getattr(picture, "n_frames", 1) > 1:
        raise _unreadable(name, Text(zh="一个文件里有多页", en="there are several pages in one file"))
    turned = picture.getexif().get(_ORIENTATION, 1) != 1
    is_plain_jpeg = picture.format == "JPEG" and picture.mode in _PLAIN_MODES and not turned
    if is_plain_jpeg:
        # The whole file is read, at an eighth of its size: enough to know that nothing is cut off.
        picture.draft(None, (width // 8, height // 8))
    picture.load()
    if is_plain_jpeg:
        return Scan(content=content, width=width, height=height)
    plain = ImageOps.exif_transpose(picture)
    if plain.mode not in _PLAIN_MODES:
        plain = _on_white(plain)
    kept = io.BytesIO()
    plain.save(kept, "PNG")
    return Scan(content=kept.getvalue(), width=plain.width, height=plain.height)


def _on_white(picture: Image.Image) -> Image.Image:
    """Return a picture in plain colours; what is transparent is paper."""
    if picture.mode in ("LA", "PA", "RGBA") or "transparency" in picture.info:
        layer = picture.convert("RGBA")
        paper = Image.new("RGBA", layer.size, "white")
        return Image.alpha_composite(paper, layer).convert("RGB")
    if picture.mode.startswith(("I", "F")):
        # Sixteen bits a point: eight are what paper shows.
        return (
            picture.point(lambda value: value / 256).convert("L")
            if picture.mode.startswith("I")
            else picture.convert("L")
        )
    return picture.convert("RGB")


def _unreadable(name: str, why: Text) -> BadFile:
    return BadFile(
        Text(zh=f"页面 {name} 不能使用：{why.zh}。", en=f"page {name} cannot be used: {why.en}"),
        Text(
            zh="请保管单位重新扫描该页（JPEG、PNG 或单页 TIFF），然后重新提出。",
            en="The holder scans the page again (JPEG, PNG, or TIFF of one page); then order it again.",
        ),
    )
