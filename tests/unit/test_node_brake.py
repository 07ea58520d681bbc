"""What is a mass change, and the life of a held one."""

from collections.abc import Iterator

import pytest
from sqlalchemy import Connection, create_engine

from node import brake
from node.brake import BrakeState, Cause, Decision, HeldChange, is_mass_change
from node.config import BrakeBounds
from node.proposal_tables import correction, proposal
from node.tables import SCHEMA, metadata
from protocol.errors import BadValue
from replication.migrations import migrate

BOUNDS = BrakeBounds()


@pytest.fixture
def connection() -> Iterator[Connection]:
    engine = create_engine("sqlite://")
    with engine.connect() as opened:
        migrate(opened, [SCHEMA])
        opened.exec_driver_sql(
            "INSERT INTO file (file_id, folder, path, state, size_bytes, mtime_ns, sha256, reading, read_at_ms)"
            " VALUES (1, 'f', 'a.csv', 'taken', 1, 1, x'', 'r', 0)"
        )
        yield opened
    engine.dispose()


def change(rows: int = 60, cause: Cause = Cause.ROWS_VANISHED, file_id: int | None = 1) -> HeldChange:
    return HeldChange(
        brake_id=0,
        folder="f",
        file_id=file_id,
        path="a.csv",
        cause=cause,
        row_count=rows,
        of_count=100,
        state=BrakeState.HELD,
        held_at_ms=1,
    )


@pytest.mark.parametrize(
    ("vanished", "listed", "expected"),
    [
        (0, 0, False),
        (0, 1000, False),
        (50, 200, False),
        (51, 200, True),
        (51, 1020, False),
        (52, 1020, True),
        (500, 10_000, False),
        (501, 10_000, True),
        (20, 20, True),
        (1, 1, False),
        (19, 20, False),
    ],
)
def test_a_small_share_may_vanish_and_never_the_whole(vanished: int, listed: int, expected: bool) -> None:
    assert is_mass_change(vanished, listed, BOUNDS) is expected


def test_same_change_is_held_once(connection: Connection) -> None:
    assert brake.hold(connection, change())
    assert not brake.hold(connection, change())
    assert brake.count_held(connection) == 1


def test_newer_change_of_a_file_takes_the_place_of_the_older(connection: Connection) -> None:
    brake.hold(connection, change(60))
    brake.hold(connection, change(70))
    assert [one.row_count for one in brake.held(connection)] == [70]
    assert [one.state for one in brake.held(connection, with_past=True)] == [BrakeState.LAPSED, BrakeState.HELD]


def test_rejected_vanished_file_is_not_asked_again_until_it_was_back(connection: Connection) -> None:
    gone = change(cause=Cause.FILE_VANISHED)
    brake.hold(connection, gone)
    brake.decide(connection, 1, Decision.REJECT, 2)
    assert not brake.hold(connection, gone)
    brake.lapse(connection, "f", 1, 3)
    assert brake.hold(connection, gone)


def test_rejected_rows_are_asked_again_when_the_file_changes_again(connection: Connection) -> None:
    brake.hold(connection, change())
    brake.decide(connection, 1, Decision.REJECT, 2)
    assert brake.hold(connection, change())


def test_release_waits_for_the_daemon(connection: Connection) -> None:
    brake.hold(connection, change())
    decided = brake.decide(connection, 1, Decision.RELEASE, 2)
    assert decided.state is BrakeState.RELEASE_ASKED
    assert [one.brake_id for one in brake.released(connection)] == [1]
    brake.carried_out(connection, 1, 3)
    assert brake.released(connection) == []
    with pytest.raises(BadValue):
        brake.decide(connection, 1, Decision.REJECT, 4)


def test_decision_about_nothing_is_refused(connection: Connection) -> None:
    with pytest.raises(BadValue) as caught:
        brake.decide(connection, 99, Decision.RELEASE, 1)
    assert "99" in caught.value.reason.zh


@pytest.mark.parametrize("cause", list(Cause))
def test_every_cause_has_words_in_both_languages(cause: Cause) -> None:
    reason = change(cause=cause).reason
    assert "60" in reason.zh
    assert "60" in reason.en


def test_migrations_make_the_tables_that_the_code_knows(connection: Connection) -> None:
    """Columns, their nullability, and the indexes."""
    assert {correction, proposal} <= set(metadata.sorted_tables)
    for table in metadata.sorted_tables:
        found = connection.exec_driver_sql(f"PRAGMA table_info({table.name})").all()
        # SQLite says of a key that it may be empty unless the statement said otherwise; no key of ours is.
        assert [(row[1], not (row[3] or row[5])) for row in found] == [
            (column.name, column.nullable) for column in table.columns
        ], table.name
        made = {row[1] for row in connection.exec_driver_sql(f"PRAGMA index_list({table.name})") if row[3] == "c"}
        assert made == {index.name for index in table.indexes}, table.name
