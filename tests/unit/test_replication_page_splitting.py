"""Scans of several pages in one file: taken apart, or refused in words; and how a record's pages are found in them."""

import errno
import io
from pathlib import Path

import pikepdf
import pytest
from PIL import Image

from node.certifying import page_files
from node.certifying.page_files import Sought
from protocol.errors import BadFile, BadValue, StorageFull
from replication.checks import page_splitting
from replication.checks.page_splitting import frames_of, preview, split
from tests.certifying import scan

CODE = "Z109-WS-2011-0001"


def size_of(content: bytes) -> tuple[int, int]:
    with Image.open(io.BytesIO(content)) as picture:
        return picture.size


def tiff(path: Path, pages: int, size: tuple[int, int] = (60, 90)) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    first, *others = [Image.new("1", size, number % 2) for number in range(pages)]
    first.save(path, "TIFF", save_all=True, append_images=others, compression="group4")
    return path


def pdf(path: Path, *jpegs: bytes, password: str = "") -> Path:
    """A PDF of scans, one JPEG a page as scanners make it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    made = pikepdf.new()
    for jpeg in jpegs:
        with Image.open(io.BytesIO(jpeg)) as picture:
            width, height = picture.size
        image = pikepdf.Stream(
            made,
            jpeg,
            Type=pikepdf.Name.XObject,
            Subtype=pikepdf.Name.Image,
            Width=width,
            Height=height,
            ColorSpace=pikepdf.Name.DeviceRGB,
            BitsPerComponent=8,
            Filter=pikepdf.Name.DCTDecode,
        )
        page = made.add_blank_page(page_size=(width, height))
        page.Resources = pikepdf.Dictionary(XObject=pikepdf.Dictionary(Im0=image))
        page.Contents = pikepdf.Stream(made, f"q {width} 0 0 {height} 0 0 cm /Im0 Do Q".encode())
    encryption = pikepdf.Encryption(user=password, owner=password) if password else False
    made.save(path, encryption=encryption)
    return path


def test_two_who_ask_at_once_get_the_same_pages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A browser asks for the pictures of an order side by side."""
    path, spool = tiff(tmp_path / "a.tif", 3), tmp_path / "spool"
    whole = page_splitting._split_tiff
    others: list[Path] = []

    def with_another(asked: Path, into: Path) -> None:
        whole(asked, into)
        if not others:
            others.append(into)
            others.extend(split(asked, spool))

    monkeypatch.setattr(page_splitting, "_split_tiff", with_another)
    assert split(path, spool) == others[1:]
    assert [one.name for one in spool.iterdir()] == [others[1].parent.name]


def test_a_full_disk_is_not_called_a_damaged_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_picture: object, _target: Path) -> None:
        raise OSError(errno.ENOSPC, "no space left on device")

    monkeypatch.setattr(page_splitting, "_keep_png", full)
    with pytest.raises(StorageFull):
        split(tiff(tmp_path / "a.tif", 3), tmp_path / "spool")
    assert list((tmp_path / "spool").iterdir()) == []


def test_a_tiff_of_several_pages_is_taken_apart(tmp_path: Path) -> None:
    pages = split(tiff(tmp_path / "a.tif", 3), tmp_path / "spool")

    assert [path.name for path in pages] == ["0001.png", "0002.png", "0003.png"]
    assert [size_of(path.read_bytes()) for path in pages] == [(60, 90)] * 3


def test_the_jpeg_of_a_pdf_comes_out_byte_for_byte(tmp_path: Path) -> None:
    first, second = scan("one"), scan("two")

    pages = split(pdf(tmp_path / "a.pdf", first, second), tmp_path / "spool")

    assert [path.read_bytes() for path in pages] == [first, second]


def test_the_same_file_is_taken_apart_once(tmp_path: Path) -> None:
    made = tiff(tmp_path / "a.tif", 2)
    first = split(made, tmp_path / "spool")
    stamps = [path.stat().st_mtime_ns for path in first]

    assert [path.stat().st_mtime_ns for path in split(made, tmp_path / "spool")] == stamps


def broken_pdf(path: Path) -> Path:
    path.write_bytes(b"%PDF-1.7\nnothing of a document")
    return path


def text_pdf(path: Path) -> Path:
    made = pikepdf.new()
    made.add_blank_page()
    made.save(path)
    return path


def cut_tiff(path: Path) -> Path:
    whole = tiff(path, 3).read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    return path


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda folder: pdf(folder / "a.pdf", scan(), password="secret"), "加密"),
        (lambda folder: broken_pdf(folder / "a.pdf"), "损坏"),
        (lambda folder: text_pdf(folder / "a.pdf"), "不是一幅扫描图像"),
        (lambda folder: cut_tiff(folder / "a.tif"), "损坏"),
    ],
    ids=["encrypted", "broken", "no scan", "cut off"],
)
def test_what_cannot_be_taken_apart_is_said_in_words_and_leaves_nothing(
    tmp_path: Path, make: object, said: str
) -> None:
    path = make(tmp_path)  # type: ignore[operator]

    with pytest.raises(BadFile) as refused:
        split(path, tmp_path / "spool")

    assert said in refused.value.reason.zh
    assert list((tmp_path / "spool").iterdir()) == []


def test_a_picture_made_to_fill_the_memory_is_refused_before_it_is_decoded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(page_splitting, "PIXELS_MAX", 5_000)
    made = tiff(tmp_path / "a.tif", 2, size=(100, 100))

    for attempt in (lambda: split(made, tmp_path / "spool"), lambda: preview(made), lambda: frames_of(made)):
        with pytest.raises(BadFile) as refused:
            attempt()
        assert "图像过大" in refused.value.reason.zh


def test_a_pc_without_the_libraries_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(page_splitting.importlib.util, "find_spec", lambda _: None)  # type: ignore[attr-defined]

    with pytest.raises(BadFile) as refused:
        split(pdf(tmp_path / "a.pdf", scan()), tmp_path / "spool")

    assert "danglian[checks]" in refused.value.hint.en


def test_a_preview_of_a_tiff_is_a_picture_that_a_browser_shows(tmp_path: Path) -> None:
    shown = preview(tiff(tmp_path / "a.tif", 1, size=(4000, 3000)))

    assert (shown[:4], max(size_of(shown))) == (b"\x89PNG", page_splitting.PREVIEW_PIXELS)


# How a record's pages are found in such a file


def sought(count: int | None = None) -> Sought:
    return Sought(codes=(CODE,), page_count=count)


@pytest.mark.parametrize("kind", ["pdf", "tif"])
def test_the_pages_of_a_record_come_out_of_its_one_file_and_the_keeper_is_told(tmp_path: Path, kind: str) -> None:
    file = tmp_path / "scans" / CODE / f"whole.{kind}"
    made = pdf(file, scan("one"), scan("two")) if kind == "pdf" else tiff(file, 2)

    found = page_files.find([tmp_path / "scans"], sought(2), (), tmp_path / "pages")

    assert [page.number for page in found.pages] == [1, 2]
    assert [(found.root / page.path).is_file() for page in found.pages] == [True, True]
    assert [made.name in one.zh for one in found.remarks] == [True]


def test_numbered_pictures_go_before_a_pdf_beside_them(tmp_path: Path) -> None:
    folder = tmp_path / "scans" / CODE
    pdf(folder / "whole.pdf", scan("one"))
    (folder / "0001.jpg").write_bytes(scan("other"))

    found = page_files.find([tmp_path / "scans"], sought(1), (), tmp_path / "pages")

    assert [page.path for page in found.pages] == [f"{CODE}/0001.jpg"]


def test_two_pdfs_are_said(tmp_path: Path) -> None:
    for name in ("a.pdf", "b.pdf"):
        pdf(tmp_path / "scans" / CODE / name, scan())

    with pytest.raises(BadValue) as refused:
        page_files.find([tmp_path / "scans"], sought(), (), tmp_path / "pages")

    assert "2 个 PDF" in refused.value.reason.zh
