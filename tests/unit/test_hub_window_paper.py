"""Type and pictures of certificates: no character is left out, no page that cannot be read is printed."""

import io
from pathlib import Path

import pytest
from PIL import Image

from hub.window import fonts, scans
from hub.window.fonts import faces_for
from protocol.errors import BadFile, BadSetting
from tests.certifying import scan


def needs_fonts() -> None:
    if not any(Path(name).is_file() for name in fonts.FONTS):
        pytest.skip(f"no Chinese font on this machine: apt-get install {fonts.DEBIAN_PACKAGE}")


def test_a_font_that_is_named_and_is_none_is_refused_with_the_remedy(tmp_path: Path) -> None:
    (tmp_path / "font.ttf").write_bytes(b"no font")

    with pytest.raises(BadSetting, match="cannot be used") as refused:
        faces_for(["档案"], str(tmp_path / "font.ttf"))
    assert fonts.DEBIAN_PACKAGE in refused.value.hint.en


def test_without_any_font_the_remedy_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fonts, "FONTS", ())

    with pytest.raises(BadSetting, match="no Chinese font") as refused:
        faces_for(["档案"])
    assert fonts.DEBIAN_PACKAGE in refused.value.hint.zh


def test_a_character_that_no_font_has_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    needs_fonts()
    monkeypatch.setattr(fonts, "STAND_INS", ())

    with pytest.raises(BadSetting, match=r"U\+10FFF0"):
        faces_for(["档案\U0010fff0"])


def test_a_second_font_stands_in_only_where_it_is_needed() -> None:
    needs_fonts()

    assert len(faces_for(["档案复制件"])) == 1


def test_a_jpeg_goes_in_byte_for_byte_and_others_without_loss() -> None:
    assert scans.read(scan(), "a.jpg").content == scan()
    kept = scans.read(scan(kind="TIFF"), "a.tif")
    with Image.open(io.BytesIO(kept.content)) as picture, Image.open(io.BytesIO(scan(kind="TIFF"))) as given:
        assert picture.tobytes() == given.tobytes()


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "no picture that can be used"),
        (b"<html>", "no picture that can be used"),
        (scan()[:-700], "damaged"),
        (scan(kind="PNG")[:-300], "damaged"),
    ],
)
def test_what_cannot_be_read_is_refused_in_words(content: bytes, why: str) -> None:
    with pytest.raises(BadFile, match=why):
        scans.read(content, "0001.jpg")


def test_several_pages_in_one_file_are_refused() -> None:
    first, kept = Image.new("1", (40, 40)), io.BytesIO()
    first.save(kept, "TIFF", save_all=True, append_images=[Image.new("1", (40, 40))])

    with pytest.raises(BadFile, match="several pages"):
        scans.read(kept.getvalue(), "0001.tif")


def test_a_picture_made_to_fill_the_memory_is_refused() -> None:
    kept = io.BytesIO()
    Image.new("1", (20_000, 20_000)).save(kept, "PNG")

    with pytest.raises(BadFile, match=r"cannot be used"):
        scans.read(kept.getvalue(), "0001.png")


@pytest.mark.parametrize("mode", ["1", "L", "P", "RGBA", "CMYK", "I;16", "LA"])
def test_pictures_of_every_kind_become_plain_ones(mode: str) -> None:
    kind = "TIFF" if mode in ("CMYK", "I;16") else "PNG"
    kept = io.BytesIO()
    Image.new(mode, (30, 40)).save(kept, kind)

    made = scans.read(kept.getvalue(), "0001")

    assert (made.width, made.height) == (30, 40)
    with Image.open(io.BytesIO(made.content)) as picture:
        assert picture.mode in ("1", "L", "RGB")
