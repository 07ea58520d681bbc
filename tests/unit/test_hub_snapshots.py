"""A copy of one committed state, made while somebody goes on writing."""

import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from hub.backup import snapshots
from hub.home import HubHome
from hub.keeping.course import Course, Stage, Stopped
from protocol.errors import BrokenStore
from tests.backups import county_home, tallied


@pytest.fixture
def home(tmp_path: Path) -> HubHome:
    return county_home(tmp_path)


@contextmanager
def writing(database: Path) -> Iterator[list[int]]:
    """Change the database again and again, in another thread, until the block ends; yields what was committed."""
    ended, committed = threading.Event(), [0]

    def write() -> None:
        with closing(sqlite3.connect(database, isolation_level=None)) as connection:
            while not ended.is_set():
                connection.execute("BEGIN IMMEDIATE")
                connection.execute(
                    "INSERT INTO history SELECT randomblob(16), 's', 1, 1, 1, 'k', 'a', hex(randomblob(20000))"
                    " FROM entry, entry AS other"
                )
                connection.execute("COMMIT")
                committed[0] += 1

    writer = threading.Thread(target=write)
    writer.start()
    try:
        yield committed
    finally:
        ended.set()
        writer.join()


def grown(committed: list[int]) -> None:
    """Wait until the database has more pages than one step copies."""
    while committed[0] < 12:
        time.sleep(0.01)


def test_a_copy_holds_one_state_and_ends_although_somebody_writes_all_the_while(home: HubHome, tmp_path: Path) -> None:
    """Without a reading transaction of its own, the backup would begin again at every commit and never end."""
    steps: list[int] = []

    with writing(home.database) as committed:
        grown(committed)

        def until_somebody_wrote(_stage: Stage, done: int, _total: int) -> None:
            steps.append(done)
            before, patience = committed[0], 500
            while committed[0] == before and patience:
                patience -= 1
                time.sleep(0.02)
            assert committed[0] > before, "the writer waits for the copy"

        held = snapshots.copy(home.database, tmp_path / "copy.db", Course(until_somebody_wrote))

    found, faults = snapshots.examine(tmp_path / "copy.db", Course(), thorough=True)
    assert faults == ()
    assert found == held
    assert len(steps) > 1, "copied in steps"


def test_a_copy_is_one_file_that_can_be_read_where_nobody_may_write(home: HubHome, tmp_path: Path) -> None:
    folder = tmp_path / "disc"
    folder.mkdir()
    held = snapshots.copy(home.database, folder / "hub.db", Course())
    folder.chmod(0o500)

    found, _ = snapshots.examine(folder / "hub.db", Course())

    assert found == held
    assert [path.name for path in folder.iterdir()] == ["hub.db"]


def test_an_inventory_says_what_the_board_says_of_each_site(home: HubHome) -> None:
    with snapshots.reading(home.database, Course()) as connection:
        held = snapshots.inventory(connection)

    assert {site: count for site, (count, _) in tallied(held).items()} == {"330523108204": 2, "330523108205": 1}
    assert held.rows["entry"] == 4
    assert held.rows["enrolled_node"] == 2
    assert "search" not in held.rows
    assert "search_data" not in held.rows
    assert held.migrations[0] == "hub/01-catalogue"


def test_a_stopped_copy_ends_and_leaves_the_database_alone(home: HubHome, tmp_path: Path) -> None:
    before = snapshots.copy(home.database, tmp_path / "before.db", Course())
    course = Course()
    course.stop()

    with pytest.raises(Stopped):
        snapshots.copy(home.database, tmp_path / "copy.db", course)

    assert snapshots.copy(home.database, tmp_path / "after.db", Course()) == before


def test_a_course_ends_work_in_the_middle(home: HubHome, tmp_path: Path) -> None:
    def tell(stage: Stage, _done: int, _total: int) -> None:
        assert stage is Stage.COPY
        course.stop()

    course = Course(tell)
    with writing(home.database) as committed:
        grown(committed)
    with pytest.raises(Stopped):
        snapshots.copy(home.database, tmp_path / "copy.db", course)


def test_a_damaged_page_is_found(home: HubHome, tmp_path: Path) -> None:
    snapshots.copy(home.database, tmp_path / "copy.db", Course())
    content = bytearray((tmp_path / "copy.db").read_bytes())
    for page in range(3 * 8192, len(content), 8192):
        content[page : page + 8] = b"\xff" * 8
    (tmp_path / "copy.db").write_bytes(content)

    try:
        _, faults = snapshots.examine(tmp_path / "copy.db", Course())
    except BrokenStore as error:
        faults = (error.reason,)

    assert faults != ()


def test_what_is_no_database_is_called_broken(tmp_path: Path) -> None:
    (tmp_path / "hub.db").write_bytes(b"not a database at all" * 1000)

    with pytest.raises(BrokenStore):
        snapshots.examine(tmp_path / "hub.db", Course())
