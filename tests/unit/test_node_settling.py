"""When a file is whole, and which names are looked at."""

from pathlib import Path

import pytest

from node.settling import EMPTY_SETTLE_S, Look, SettleBook, is_catalogue_name

PATH = Path("a.xlsx")
SETTLE_S = 2.0


def look(size: int, mtime: int = 1) -> Look:
    return Look(size_bytes=size, mtime_ns=mtime)


@pytest.mark.parametrize(
    "name", ["目录.xlsx", "a.XLS", "a.csv", "a.txt", "20140305.xlsx", "deadbeef.csv", "a.ods", "a b (1).xlsx"]
)
def test_catalogues_are_looked_at(name: str) -> None:
    assert is_catalogue_name(name)


@pytest.mark.parametrize(
    "name",
    [
        "~$目录.xlsx",
        ".~lock.目录.xlsx#",
        ".hidden.csv",
        "A1B2C3D4",
        "a.xlsx.tmp",
        "a.csv.part",
        "a.xlsx~",
        "~WRL0001.xlsx",
        "a.csv.rejected.csv",
        "A.CSV.REJECTED.CSV",
        ".danglian-folder",
        "扫描件.pdf",
        "目录",
    ],
)
def test_work_files_and_our_own_are_not(name: str) -> None:
    assert not is_catalogue_name(name)


def test_file_settles_after_two_equal_looks_at_their_distance() -> None:
    book = SettleBook()
    book.notice(PATH, 0.0)
    assert book.due(0.0) == [PATH]
    assert not book.look(PATH, look(10), 0.0, SETTLE_S)
    assert book.due(1.9) == []
    assert book.next_due_s() == SETTLE_S
    assert book.look(PATH, look(10), 2.0, SETTLE_S)
    assert len(book) == 0


def test_every_change_starts_the_wait_again() -> None:
    book = SettleBook()
    book.notice(PATH, 0.0)
    for second in range(5):
        assert not book.look(PATH, look(10 + second), float(second), SETTLE_S)
    assert not book.look(PATH, look(14), 5.0, SETTLE_S)
    assert book.look(PATH, look(14), 6.0, SETTLE_S)


def test_same_size_with_another_time_is_a_change() -> None:
    book = SettleBook()
    book.notice(PATH, 0.0)
    book.look(PATH, look(10, 1), 0.0, SETTLE_S)
    assert not book.look(PATH, look(10, 2), 2.0, SETTLE_S)


def test_old_time_of_a_copied_file_proves_nothing() -> None:
    """Copying keeps the time of the original while the copy still grows."""
    book = SettleBook()
    book.notice(PATH, 1e9)
    assert not book.look(PATH, look(10, mtime=0), 1e9, SETTLE_S)


def test_hints_in_between_do_not_shorten_the_wait() -> None:
    book = SettleBook()
    book.notice(PATH, 0.0)
    book.look(PATH, look(10), 0.0, SETTLE_S)
    book.notice(PATH, 1.0)
    assert book.due(1.0) == []


def test_file_that_is_gone_leaves_the_book() -> None:
    book = SettleBook()
    book.notice(PATH, 0.0)
    assert not book.look(PATH, None, 0.0, SETTLE_S)
    assert len(book) == 0


def test_empty_file_waits_for_its_content_much_longer() -> None:
    book = SettleBook()
    book.notice(PATH, 0.0)
    book.look(PATH, look(0), 0.0, SETTLE_S)
    assert not book.look(PATH, look(0), 10.0, SETTLE_S)
    assert book.look(PATH, look(0), EMPTY_SETTLE_S, SETTLE_S)


def test_postponed_file_has_to_settle_again() -> None:
    book = SettleBook()
    book.postpone(PATH, 0.0, pause_s=5.0)
    assert book.due(4.9) == []
    assert book.due(5.0) == [PATH]
    assert not book.look(PATH, look(10), 5.0, SETTLE_S)
