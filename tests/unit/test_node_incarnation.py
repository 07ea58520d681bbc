"""How a start sees that the database was put back."""

import shutil
from collections.abc import Callable
from itertools import count
from pathlib import Path

import pytest
from sqlalchemy import Connection

from node import incarnation
from node.tables import SCHEMA
from replication.database import opened
from replication.files import write_whole


def tokens() -> Callable[[int], bytes]:
    numbers = count(1)
    return lambda size: next(numbers).to_bytes(size, "big")


async def start(root: Path, draw: Callable[[int], bytes]) -> bool:
    called = []

    def on_put_back(_connection: Connection) -> None:
        called.append(True)

    async with opened(root / "node.db", [SCHEMA]) as database:
        put_back = await incarnation.begin(database, root / "node.db.incarnation", on_put_back, draw)
    assert bool(called) is put_back
    return put_back


async def test_restarts_are_not_taken_for_a_put_back_database(tmp_path: Path) -> None:
    draw = tokens()
    assert [await start(tmp_path, draw) for _ in range(3)] == [False, False, False]


async def test_database_from_a_backup_is_seen_once(tmp_path: Path) -> None:
    draw = tokens()
    await start(tmp_path, draw)
    shutil.copy(tmp_path / "node.db", tmp_path / "backup.db")
    await start(tmp_path, draw)
    shutil.copy(tmp_path / "backup.db", tmp_path / "node.db")
    assert [await start(tmp_path, draw), await start(tmp_path, draw)] == [True, False]


async def test_lost_file_counts_as_put_back(tmp_path: Path) -> None:
    """Without the file nothing proves that the database is the one that was here."""
    draw = tokens()
    await start(tmp_path, draw)
    (tmp_path / "node.db.incarnation").unlink()
    assert await start(tmp_path, draw)


async def test_new_database_beside_an_old_file_is_new(tmp_path: Path) -> None:
    draw = tokens()
    await start(tmp_path, draw)
    for name in ("node.db", "node.db-wal", "node.db-shm"):
        (tmp_path / name).unlink(missing_ok=True)
    assert not await start(tmp_path, draw)


@pytest.mark.parametrize("written", [1, 2])
async def test_power_cut_between_the_writes_does_no_harm(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, written: int
) -> None:
    draw = tokens()
    await start(tmp_path, draw)
    real = write_whole
    calls = count(1)

    def cut(path: Path, content: bytes) -> None:
        if next(calls) == written:
            if written == 1:
                real(path, content)
            raise KeyboardInterrupt
        real(path, content)

    monkeypatch.setattr("node.incarnation.write_whole", cut)
    with pytest.raises(KeyboardInterrupt):
        await start(tmp_path, draw)
    monkeypatch.undo()
    assert not await start(tmp_path, draw)
