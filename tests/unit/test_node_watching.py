"""Watching real folders: what the operating system reports, what it misses, and what a walk finds all the same."""

import asyncio
import errno
import os
import shutil
import threading
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest

from node import hints, watching
from node.config import FolderSettings
from node.folders import MARKER_NAME, FolderLook, FolderState, identity, look_at, look_into, read_marker, write_marker
from node.hints import REWATCH_S, HintSource
from node.settling import Look
from node.watching import FolderWatch, SettledFile, WatchedFolder
from tests.node_site import Clock

SETTLE_S = 0.3
PATIENCE_S = 15.0


def watched(place: Path, *, network_drive: bool = False, settle_s: float = SETTLE_S) -> WatchedFolder:
    place.mkdir(parents=True, exist_ok=True)
    return WatchedFolder(settings=FolderSettings(network_drive=network_drive), place=place, settle_s=settle_s)


@asynccontextmanager
async def running(*folders: WatchedFolder, rescan_s: float = 900.0) -> AsyncIterator[FolderWatch]:
    """Watch for real: the first walk is done, and the watcher listens."""
    watch = FolderWatch(folders, rescan_s)
    hearing = asyncio.create_task(watch.hints())
    await watch.step(0)
    await asyncio.sleep(2 * REWATCH_S)
    try:
        yield watch
    finally:
        hearing.cancel()
        with suppress(asyncio.CancelledError):
            await hearing


async def next_settled(watch: FolderWatch, within_s: float = PATIENCE_S) -> list[SettledFile]:
    """Step until something has settled."""
    deadline_s = time.monotonic() + within_s
    while time.monotonic() < deadline_s:
        news = await watch.step(0.5)
        if news.settled:
            for file in news.settled:
                watch.known[file.path] = file.look
            return list(news.settled)
    return []


async def test_dropped_file_settles(tmp_path: Path) -> None:
    folder = watched(tmp_path / "in")
    async with running(folder) as watch:
        (folder.place / "a.csv").write_text("档号\n")
        began = time.monotonic()
        (file,) = await next_settled(watch)
        assert file.relative == "a.csv"
        # The hint may take two of the watcher's steps; the rest is the time to settle.
        assert time.monotonic() - began < SETTLE_S + 3.0
        assert watch.is_quiet


async def test_file_written_slowly_settles_once_at_its_end(tmp_path: Path) -> None:
    folder = watched(tmp_path / "in", settle_s=1.0)
    async with running(folder) as watch:
        waiting = asyncio.create_task(next_settled(watch))
        with (folder.place / "a.csv").open("w") as target:
            for _ in range(6):
                target.write("x" * 100)
                target.flush()
                await asyncio.sleep(0.4)
                assert not waiting.done()
        (file,) = await waiting
        assert file.look.size_bytes == 600
        assert await next_settled(watch, within_s=1.5) == []


async def test_saving_over_a_file_is_one_change(tmp_path: Path) -> None:
    """Spreadsheet programs write a work file, delete the old one and rename."""
    folder = watched(tmp_path / "in")
    (folder.place / "a.csv").write_text("old")
    async with running(folder) as watch:
        await next_settled(watch)
        (folder.place / "A1B2C3D4").write_text("new content")
        (folder.place / "a.csv").unlink()
        (folder.place / "A1B2C3D4").rename(folder.place / "a.csv")
        (file,) = await next_settled(watch)
        assert (file.relative, file.look.size_bytes) == ("a.csv", 11)


async def test_moved_in_folder_is_walked_through(tmp_path: Path) -> None:
    """The watcher reports the folder only, none of its files."""
    folder = watched(tmp_path / "in")
    outside = tmp_path / "2014.资料"
    (outside / "下级").mkdir(parents=True)
    (outside / "下级" / "a.csv").write_text("x")
    async with running(folder) as watch:
        outside.rename(folder.place / outside.name)
        (file,) = await next_settled(watch)
        assert file.relative == "2014.资料/下级/a.csv"


async def test_folder_deleted_and_made_again_is_watched_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The watcher stays silent for ever after that, without an error."""
    monkeypatch.setattr(watching, "ROOT_CHECK_S", 0.2)
    folder = watched(tmp_path / "in")
    async with running(folder) as watch:
        shutil.rmtree(folder.place)
        for _ in range(5):
            await watch.step(0.1)
        folder.place.mkdir()
        (folder.place / "a.csv").write_text("x")
        assert [file.relative for file in await next_settled(watch)] == ["a.csv"]
        (folder.place / "b.csv").write_text("x")
        assert [file.relative for file in await next_settled(watch)] == ["b.csv"]


async def test_folder_that_comes_later_is_watched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watching, "ROOT_CHECK_S", 0.2)
    folder = watched(tmp_path / "in")
    folder.place.rmdir()
    async with running(folder) as watch:
        folder.place.mkdir()
        (folder.place / "a.csv").write_text("x")
        assert [file.relative for file in await next_settled(watch)] == ["a.csv"]


async def test_network_drive_is_walked_through_without_hints(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watching, "NETWORK_SCAN_S", 0.2)
    folder = watched(tmp_path / "in", network_drive=True)
    async with running(folder) as watch:
        (folder.place / "a.csv").write_text("x")
        assert [file.relative for file in await next_settled(watch)] == ["a.csv"]


async def test_deleted_file_is_noticed_by_a_walk(tmp_path: Path) -> None:
    folder = watched(tmp_path / "in")
    (folder.place / "a.csv").write_text("x")
    async with running(folder) as watch:
        await next_settled(watch)
        (folder.place / "a.csv").unlink()
        deadline_s = time.monotonic() + PATIENCE_S
        walked: tuple[tuple[WatchedFolder, FolderLook], ...] = ()
        while not walked and time.monotonic() < deadline_s:
            walked = (await watch.step(0.5)).walked
        assert [look.files for _, look in walked] == [{}]


async def test_refused_watcher_falls_back_to_walks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The system's number of watches is used up on many a shared PC."""

    async def refused(*_args: object, **_more: object) -> AsyncIterator[set[object]]:
        for reports in (set[object](), None):
            if not reports:
                raise OSError("OS file watch limit reached")
            yield reports

    monkeypatch.setattr(hints, "awatch", refused)
    monkeypatch.setattr(watching, "HINTLESS_SCAN_S", 0.2)
    folder = watched(tmp_path / "in")
    async with running(folder) as watch:
        (folder.place / "a.csv").write_text("x")
        assert [file.relative for file in await next_settled(watch)] == ["a.csv"]


async def test_one_watcher_serves_all_nodes_of_a_process(tmp_path: Path) -> None:
    """Linux gives a user 128 watchers; a county on one machine has 232 nodes."""
    source = HintSource()
    watches = [FolderWatch([watched(tmp_path / str(number))], 900.0) for number in range(5)]
    async with asyncio.TaskGroup() as tasks:
        running_tasks = [tasks.create_task(watch.hints(source)) for watch in watches]
        running_tasks.append(tasks.create_task(source.run()))
        for watch in watches:
            await watch.step(0)
        await asyncio.sleep(2 * REWATCH_S)
        for number, watch in enumerate(watches):
            (tmp_path / str(number) / "a.csv").write_text("x")
            assert [file.folder.place.name for file in await next_settled(watch)] == [str(number)]
        for task in running_tasks:
            task.cancel()


async def test_what_happens_before_the_watcher_listens_is_found(tmp_path: Path) -> None:
    folder = watched(tmp_path / "in")
    watch = FolderWatch([folder], 900.0)
    await watch.step(0)
    (folder.place / "a.csv").write_text("x")
    hearing = asyncio.create_task(watch.hints())
    assert [file.relative for file in await next_settled(watch)] == ["a.csv"]
    hearing.cancel()


async def test_file_that_cannot_be_opened_is_tried_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """On Windows whoever writes a file may keep others out."""
    folder = watched(tmp_path / "in")
    (folder.place / "a.csv").write_text("x")
    clock = Clock()
    watch = FolderWatch([folder], 900.0, clock, lambda: 0.5)
    monkeypatch.setattr(watching, "can_be_read", lambda _path: False)
    await watch.step(0)
    clock.now_s += 1
    assert (await watch.step(0)).settled == ()
    monkeypatch.setattr(watching, "can_be_read", lambda _path: True)
    clock.now_s += 6
    await watch.step(0)
    clock.now_s += 6
    news = await watch.step(0)
    assert [file.relative for file in news.settled] == ["a.csv"]


async def test_drive_that_does_not_answer_is_absent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = watched(tmp_path / "in")
    watch = FolderWatch([folder], 900.0)
    blocked = asyncio.Event()

    async def hanging(*_args: object) -> object:
        await blocked.wait()
        return look_into(folder.place, "")

    monkeypatch.setattr(asyncio, "to_thread", hanging)
    monkeypatch.setattr(watching, "SCAN_DEADLINE_S", 0.05)
    news = await watch.step(0)
    assert [look.state for _, look in news.walked] == [FolderState.ABSENT]
    blocked.set()
    watch.scan_soon()
    monkeypatch.setattr(watching, "SCAN_DEADLINE_S", 5.0)
    news = await watch.step(0)
    assert [look.state for _, look in news.walked] == [FolderState.READY]


async def test_a_drive_that_answers_no_look_keeps_no_other_folder_waiting(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The walk has gone well, and then the share dies: its file is looked at later, and one thread at most hangs."""
    share, own = watched(tmp_path / "share"), watched(tmp_path / "own")
    for folder in (share, own):
        (folder.place / "a.csv").write_text("x")
    clock, blocked, asked = Clock(), threading.Event(), list[Path]()

    def look(path: Path) -> Look | None:
        asked.append(path)
        if path.is_relative_to(share.place):
            assert blocked.wait(PATIENCE_S)
        return look_at(path)

    monkeypatch.setattr(watching, "look_at", look)
    monkeypatch.setattr(watching, "LOOK_DEADLINE_S", 0.2)
    watch = FolderWatch([share, own], 900.0, clock, lambda: 0.5)
    settled: list[SettledFile] = []
    for _ in range(3):
        settled += (await watch.step(0)).settled
        clock.now_s += 6
    hung = [path for path in asked if path.is_relative_to(share.place)]
    blocked.set()
    for _ in range(50):
        settled += (await watch.step(0)).settled
        clock.now_s += 6
        await asyncio.sleep(0.01)

    assert (len(hung), [file.folder.name for file in settled]) == (1, [own.name, share.name])


async def test_known_files_are_no_news(tmp_path: Path) -> None:
    folder = watched(tmp_path / "in")
    path = folder.place / "a.csv"
    path.write_text("x")
    watch = FolderWatch([folder], 900.0, Clock(), lambda: 0.5)
    seen = look_at(path)
    assert seen is not None
    watch.known[path] = seen
    await watch.step(0)
    assert watch.is_quiet


def test_walk_leaves_out_hidden_and_work_files(tmp_path: Path) -> None:
    for name in ("a.csv", "~$a.csv", "a.csv.rejected.csv", ".trash/b.csv", "$RECYCLE.BIN/c.csv", "下/d.XLSX", "e.pdf"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("x")
    look = look_into(tmp_path, "")
    assert (look.state, look.is_complete, sorted(look.files)) == (FolderState.READY, True, ["a.csv", "下/d.XLSX"])


@pytest.mark.parametrize(
    ("prepare", "state"),
    [
        (lambda place: write_marker(place, "t1"), FolderState.READY),
        (lambda place: write_marker(place, "t2"), FolderState.FOREIGN),
        (lambda _place: None, FolderState.UNMARKED),
        (lambda place: place.rmdir(), FolderState.ABSENT),
    ],
)
def test_marker_tells_the_folder_from_another(
    tmp_path: Path, prepare: Callable[[Path], object], state: FolderState
) -> None:
    place = tmp_path / "in"
    place.mkdir()
    prepare(place)
    assert look_into(place, "t1").state is state


def test_a_share_that_does_not_answer_is_absent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a disconnected drive answers differs: EHOSTDOWN, ESTALE, EINVAL; none of it may end the node."""
    whole = Path.stat

    def down(self: Path, **how: bool) -> os.stat_result:
        if self == tmp_path:
            raise OSError(errno.EHOSTDOWN, os.strerror(errno.EHOSTDOWN))
        return whole(self, **how)

    monkeypatch.setattr(Path, "stat", down)
    assert look_into(tmp_path, "t1").state is FolderState.ABSENT


def test_marker_explains_itself(tmp_path: Path) -> None:
    write_marker(tmp_path, "t1")
    assert read_marker(tmp_path) == "t1"
    assert "请勿删除" in (tmp_path / MARKER_NAME).read_text(encoding="utf-8")
    (tmp_path / MARKER_NAME).write_bytes(b"")
    assert read_marker(tmp_path) == ""


def test_a_marker_is_whole_or_not_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An empty marker beside a token that is known would be that of another folder, for good."""

    def cut(_descriptor: int) -> None:
        raise OSError(5, "power cut")

    monkeypatch.setattr(os, "fsync", cut)
    assert write_marker(tmp_path, "t1") is False
    assert read_marker(tmp_path) is None


def test_replaced_folder_has_another_identity(tmp_path: Path) -> None:
    place = tmp_path / "in"
    place.mkdir()
    before = identity(place)
    place.rename(tmp_path / "old")
    assert identity(place) is None
    place.mkdir()
    assert identity(place) not in (None, before)
