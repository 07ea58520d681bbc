"""Fonts for certificates: which file writes Chinese, and which one the characters that it lacks.

A certificate with a missing character is worse than none: names and places are full of rare ones. So every character is
looked up before a page is made, in the font and then in those that stand in for it; where none has it, nothing is made,
and the error names the character and the remedy.
"""

from collections.abc import Iterable, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Final
from unicodedata import category

import msgspec
from fontTools.ttLib import TTCollection, TTFont, TTLibError

from protocol.errors import BadSetting
from protocol.wording import Text

DEBIAN_PACKAGE: Final = "fonts-noto-cjk"
"""The package that brings the first of the fonts below."""

FONTS: Final = (
    "/usr/share/fonts/opentype/noto/NotoSerifCJK-Regular.ttc",
    "/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc",
    "/usr/share/fonts/truetype/arphic/uming.ttc",
    "/usr/share/fonts/truetype/wqy/wqy-zenhei.ttc",
)
"""Where Debian keeps fonts with Chinese characters; the first that is there writes."""

STAND_INS: Final = (
    "/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc",
    "/usr/share/fonts/truetype/hanazono/HanaMinA.ttf",
    "/usr/share/fonts/truetype/hanazono/HanaMinB.ttf",
    "/usr/share/fonts/truetype/arphic/uming.ttc",
    "/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf",
)
"""Fonts for characters that the first one lacks, in this order; each only where it is there and needed."""

RARE_PACKAGE: Final = "fonts-hanazono"
"""The package with the rarest characters."""

_UNSEEN: Final = ("Cc", "Cf", "Zl", "Zp", "Zs")
"""Characters that need no picture. Those of private use do: some sets wrote rare names with them."""

_CHINESE_FACES: Final = (" SC", " CN", "Zen Hei")
_PROBE: Final = "档案复制件"


class Face(msgspec.Struct, frozen=True, kw_only=True):
    """One font: a file, and which of the fonts in it."""

    path: Path
    number: int
    characters: frozenset[int]

    def lacks(self, text: Iterable[str]) -> set[str]:
        """Return the characters of a text that it does not have."""
        return {one for one in text if ord(one) not in self.characters and category(one) not in _UNSEEN}


def faces_for(texts: Iterable[str], font_file: str = "", stand_ins: Sequence[str] = ()) -> tuple[Face, ...]:
    """Return the font that writes these texts, and those that stand in for it where it lacks a character.

    Args:
        texts: all that will be written.
        font_file: the font of the settings; empty for the first one that Debian has.
        stand_ins: further fonts of the settings, looked into before Debian's.

    Raises:
        BadSetting: there is no font, it cannot be read, or none has one of the characters.

    """
    first = face(Path(font_file)) if font_file else _first_there()
    missing = first.lacks(set("".join(texts)))
    chosen = [first]
    for name in (*stand_ins, *STAND_INS):
        if not missing:
            break
        path = Path(name)
        if not path.is_file():
            continue
        other = face(path)
        left = other.lacks(missing)
        if left != missing:
            chosen.append(other)
            missing = left
    if missing:
        raise _no_glyph(missing)
    return tuple(chosen)


@lru_cache(maxsize=16)
def face(path: Path) -> Face:
    """Read which characters a font has.

    Raises:
        BadSetting: the file is missing or is no font.

    """
    try:
        number = _number(path)
        with path.open("rb") as file, TTFont(file, fontNumber=number, lazy=True) as font:
            characters = frozenset(font.getBestCmap() or {})
    except (OSError, TTLibError, ValueError, KeyError, AssertionError) as error:
        raise BadSetting(
            Text(zh=f"字体文件无法使用：{path}", en=f"the font {path} cannot be used"),
            Text(
                zh=f"请在 [certificates] font-file 中指定 .ttf、.otf 或 .ttc 文件，或安装软件包 {DEBIAN_PACKAGE}。",
                en=f"Name a .ttf, .otf or .ttc file under [certificates] font-file, or install {DEBIAN_PACKAGE}.",
            ),
        ) from error
    return Face(path=path, number=number, characters=characters)


def _number(path: Path) -> int:
    """Return which font of a collection has the forms of mainland China."""
    if path.suffix.lower() not in (".ttc", ".otc"):
        return -1
    with path.open("rb") as file, TTCollection(file, lazy=True) as collection:
        names = [str(font["name"].getDebugName(1) or "") for font in collection.fonts]
    return next((at for at, name in enumerate(names) if any(mark in name for mark in _CHINESE_FACES)), 0)


def _first_there() -> Face:
    for name in FONTS:
        path = Path(name)
        if path.is_file() and not face(path).lacks(_PROBE):
            return face(path)
    raise BadSetting(
        Text(zh="本机没有中文字体，不能制作证明。", en="this machine has no Chinese font: no certificate can be made"),
        Text(
            zh=f"请安装软件包 {DEBIAN_PACKAGE}，或在 hub.toml 的 [certificates] font-file 中指定字体文件。",
            en=f"Install the package {DEBIAN_PACKAGE}, or name a font under [certificates] font-file in hub.toml.",
        ),
    )


def _no_glyph(missing: set[str]) -> BadSetting:
    shown = "、".join(f"{one}（U+{ord(one):04X}）" for one in sorted(missing)[:10])
    named = ", ".join(f"{one} (U+{ord(one):04X})" for one in sorted(missing)[:10])
    return BadSetting(
        Text(zh=f"现有字体都没有这些字：{shown}", en=f"no font here has these characters: {named}"),
        Text(
            zh=f"请安装软件包 {RARE_PACKAGE}，或在 [certificates] stand-in-fonts 中加一个有这些字的字体。",
            en=f"Install the package {RARE_PACKAGE}, or add a font that has them under [certificates] stand-in-fonts.",
        ),
    )
