"""Which files are the pages of a record: found by its code, in order, each with its digest; nothing guessed."""

from pathlib import Path

import pytest

from node.certifying.page_files import FoundPages, Sought, find
from protocol.errors import BadFile, BadValue
from tests.certifying import digest, scan

CODE = "D108-WS·1986-Y-0042"
JPEG = b"\xff\xd8\xff"


def put(folder: Path, *names: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        (folder / name).write_bytes(JPEG + name.encode())


def found(root: Path, *numbers: int, count: int | None = None) -> FoundPages:
    return find([root], Sought(codes=(CODE,), page_count=count), numbers)


def test_pages_come_in_the_order_of_their_numbers_with_their_digests(tmp_path: Path) -> None:
    put(tmp_path / CODE, "10.jpg", "2.jpg", "1.jpg", "说明.txt")

    pages = found(tmp_path).pages

    assert [one.number for one in pages] == [1, 2, 10]
    assert [one.path for one in pages] == [f"{CODE}/{name}.jpg" for name in ("1", "2", "10")]
    assert pages[0].sha256 == digest(JPEG + b"1.jpg")


def test_names_that_repeat_the_code_are_read_by_their_last_number(tmp_path: Path) -> None:
    put(tmp_path / CODE, f"{CODE}-0001.JPG", f"{CODE}-0002.JPG")

    assert [one.number for one in found(tmp_path).pages] == [1, 2]


def test_a_folder_is_found_under_others_and_with_marks_that_disks_do_not_know(tmp_path: Path) -> None:
    """A reference code may hold characters that no folder of Windows can be called by."""
    put(tmp_path / "D108" / "1986" / "D108-WS_1986-Y-0042", "0001.jpg")

    assert found(tmp_path).pages[0].path == "D108/1986/D108-WS_1986-Y-0042/0001.jpg"


def test_two_folders_that_could_be_meant_are_said(tmp_path: Path) -> None:
    put(tmp_path / "a" / "D108-WS_1986-Y-0042", "0001.jpg")
    put(tmp_path / "b" / "D108-WS.1986-Y-0042", "0001.jpg")

    with pytest.raises(BadValue, match="two folders could be meant"):
        found(tmp_path)


def test_a_count_that_differs_and_holes_are_remarked(tmp_path: Path) -> None:
    put(tmp_path / CODE, "0001.jpg", "0003.jpg")

    assert [one.en for one in found(tmp_path, count=4).remarks] == [
        "the catalogue says 4 pages, 2 are scanned: check",
        "pages 2 are not scanned",
    ]
    assert found(tmp_path, 3, count=2).pages[0].number == 3


def test_a_page_that_is_not_there_is_refused(tmp_path: Path) -> None:
    put(tmp_path / CODE, "0001.jpg")

    with pytest.raises(BadValue, match="page 2 is not scanned"):
        found(tmp_path, 1, 2)
    with pytest.raises(BadValue, match="no scans of"):
        find([tmp_path], Sought(codes=("X",)))


def test_an_item_of_a_volume_scanned_whole_is_its_pages_of_the_volume(tmp_path: Path) -> None:
    put(tmp_path / "D108-1986-15", *(f"{number:04}.jpg" for number in range(1, 31)))
    sought = Sought(codes=(f"{CODE}-7",), volume_code="D108-1986-15", page_no="12-14", page_count=3)

    pages = find([tmp_path], sought)

    assert [(one.number, one.path.rpartition("/")[2]) for one in pages.pages] == [
        (1, "0012.jpg"),
        (2, "0013.jpg"),
        (3, "0014.jpg"),
    ]
    assert [one.en for one in pages.remarks] == ["pages 12 to 14 of volume D108-1986-15"]


def test_pictures_for_use_are_taken_before_pictures_for_keeping(tmp_path: Path) -> None:
    put(tmp_path / CODE, "0001.jpg", "0002.jpg")
    for name in ("0001.tif", "0002.tif"):
        (tmp_path / CODE / name).write_bytes(b"II*\x00")

    assert {Path(one.path).suffix for one in found(tmp_path).pages} == {".jpg"}


def test_two_files_for_one_page_are_said(tmp_path: Path) -> None:
    put(tmp_path / CODE, "0001.jpg", "1.jpg")

    with pytest.raises(BadValue, match="are the same page"):
        found(tmp_path)


def test_a_file_that_is_no_picture_is_refused_in_words(tmp_path: Path) -> None:
    put(tmp_path / CODE, "0002.jpg")
    (tmp_path / CODE / "0001.jpg").write_bytes(b"<html>")

    with pytest.raises(BadFile, match=r"page 0001\.jpg cannot be certified"):
        found(tmp_path)


def test_a_whole_picture_is_taken(tmp_path: Path) -> None:
    (tmp_path / CODE).mkdir()
    (tmp_path / CODE / "0001.png").write_bytes(scan(kind="PNG"))

    assert found(tmp_path).pages[0].size_bytes == len(scan(kind="PNG"))
