"""Which files may be consigned, and under which names."""

import hashlib

import pytest

from protocol.consignments import STAGING, ConsignedFile, check_list, list_faults, name_fault, starts_of
from protocol.errors import BadValue
from protocol.file_lists import FileList
from protocol.limits import CONSIGNMENT_BYTES_MAX, CONSIGNMENT_FILES_MAX


def one(path: str, size_bytes: int = 1) -> ConsignedFile:
    return ConsignedFile(path=path, size_bytes=size_bytes, sha256=hashlib.sha256(path.encode()).hexdigest())


@pytest.mark.parametrize(
    "path",
    [
        "电子档案/2011/永久/0001.pdf",
        "说明文件.TXT",
        "a b/c.d.e",
        "Ⅱ·甲/〔2011〕12号.jpg",
        "𠮷野家.tif",
        "console/com10.txt",
        ".bagit",
    ],
)
def test_names_that_archives_use_are_taken(path: str) -> None:
    assert name_fault(path) is None


@pytest.mark.parametrize(
    "path",
    [
        "",
        "/etc/passwd",
        "../a",
        "a/../b",
        "a//b",
        "a/",
        "./a",
        "C:/a",
        "a\\b",
        "a:b",
        "a\nb",
        "a\x00b",
        "a\x85b",
        "a?",
        "a*",
        'a"b',
        "con",
        "CON.txt",
        "a/NUL.pdf/b",
        "com1",
        "LPT9.jpg",
        "com¹.txt",
        "a.",
        "a ",
        " a",
        "a/b. /c",
        "a\u202egpj.exe",
        "a\u200bb",
        "\ufeffa",
        "a\ud800b",
        "x" * 401,
        "汉" * 100,
        f"{STAGING}/0",
    ],
)
def test_names_that_lead_out_or_that_some_disk_cannot_hold_are_refused(path: str) -> None:
    assert name_fault(path) is not None


@pytest.mark.parametrize(
    "paths",
    [
        ("a.jpg", "a.jpg"),
        ("a.jpg", "A.JPG"),
        ("é.jpg", "e\u0301.jpg"),
        ("straße.jpg", "STRASSE.jpg"),
        ("A/1.jpg", "a/2.jpg"),
        ("a", "a/b"),
        ("a/b", "A"),
    ],
)
def test_names_that_meet_on_some_disk_are_refused(paths: tuple[str, ...]) -> None:
    assert list_faults([one(path) for path in paths]) != []


def test_a_list_says_which_names_are_wrong() -> None:
    with pytest.raises(BadValue) as caught:
        check_list([one("good.jpg"), one("../bad.jpg")])

    assert "'../bad.jpg'" in caught.value.reason.zh
    assert "good.jpg" not in caught.value.reason.en


@pytest.mark.parametrize("sha256", ["", "AB" * 32, "ab" * 31])
def test_a_digest_that_is_none_is_refused(sha256: str) -> None:
    assert list_faults([ConsignedFile(path="a", size_bytes=1, sha256=sha256)]) != []


def test_a_size_that_is_none_is_refused() -> None:
    assert list_faults([one("a", -1)]) != []


def test_a_list_is_bounded() -> None:
    for files in ([], [one("a", CONSIGNMENT_BYTES_MAX + 1)], [one(str(at)) for at in range(CONSIGNMENT_FILES_MAX + 1)]):
        with pytest.raises(BadValue):
            check_list(files)


def test_the_row_is_the_files_one_behind_the_other() -> None:
    assert list(starts_of([one("a", 3), one("b", 0), one("c", 4)])) == [0, 3, 3, 7]


def test_a_list_in_plain_bytes_is_the_list() -> None:
    files = tuple(
        ConsignedFile(path=f"电子档案/{at}/扫描 {at}.jpg", size_bytes=at * at, sha256=f"{at:064x}") for at in range(50)
    )
    listed = FileList(files[:20]).extend(files[20:])

    assert (tuple(listed), len(listed), listed[-1], listed[3:5]) == (files, 50, files[-1], files[3:5])
    assert list(listed.starts) == list(starts_of(files))
    with pytest.raises(IndexError):
        _ = listed[50]


@pytest.mark.parametrize("bad", [("", 1), ("ab" * 31, 1), ("xy" * 32, 1), ("ab" * 32, -1)])
def test_a_list_takes_no_line_that_is_none(bad: tuple[str, int]) -> None:
    with pytest.raises((ValueError, OverflowError)):
        FileList([ConsignedFile(path="a", size_bytes=bad[1], sha256=bad[0])])


def test_faults_are_told_in_the_order_of_the_list() -> None:
    """The first of them stand in a sentence: two runs over one list say the same."""
    files = [one(path) for number in range(20) for path in (f"F{number}", f"f{number}/a")]

    assert [path for path, _ in list_faults(files)] == [f"F{number}" for number in range(20)]
