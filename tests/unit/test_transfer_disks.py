"""A courier's disk between a site and the county, by the functions behind the commands at both ends."""

import argparse
from collections.abc import Callable, Sequence
from pathlib import Path
from uuid import UUID

import pytest

from hub.commands import transfer_disk
from hub.home import home_at
from node.commands import transfer_work
from protocol.consignments import ConsignedFile
from protocol.disk_consignments import DATA_NAME, LIST_NAME
from protocol.errors import BadFile, LinkDown, Refused
from protocol.file_lists import FileList
from protocol.sites import Site
from protocol.transfers import TransferState
from protocol.wording import Text
from replication.command_line import EXIT_OK, EXIT_PROBLEM
from tests.unit.test_transfer_thread import Thread, thread


class NoLine:
    """Stands in for a line that is down: whatever is not here already cannot be had."""

    async def listed(self, _site: Site, _consignment_id: UUID) -> FileList:
        raise LinkDown(Text(zh="线路不通", en="the line is down"))

    async def draw_to_the_end(
        self,
        _site: Site,
        _consignment_id: UUID,
        files: Sequence[ConsignedFile],
        into: Path,
        progress: Callable[[int, int], None],
    ) -> None:
        if missing := [one.path for one in files if not (into / one.path).is_file()]:
            raise LinkDown(Text(zh="线路不通", en=f"the line is down, and {missing} are not here"))
        progress(1, 1)


async def sent(both: Thread, disk: Path) -> Path:
    """Submit a package for a courier, write it to his disk, and return its folder there."""
    await both.begin(3)
    now, _ = await transfer_work.pack_and_check(both.office, await both.giver(), [], [str(both.scans)])
    now = await transfer_work.send_out(both.office, now, by_disk=True)
    disk.mkdir()
    folder = await transfer_work.write_disk(both.office, now, disk)
    await both.post()
    return folder


async def take(both: Thread, disk: Path) -> int:
    args = argparse.Namespace(disk=disk, line="", json=False)
    return await transfer_disk.take(home_at(both.root / "hub"), both.hub, args)


async def test_a_disk_brings_what_the_line_would_without_any_line(tmp_path: Path) -> None:
    async with thread(tmp_path) as both:
        await sent(both, tmp_path / "disk")
        desk = both.hub_desk(both.hub)
        desk._drawer = NoLine()
        assert await desk.due() == []
        assert await take(both, tmp_path / "disk") == EXIT_OK
        (due,) = await desk.due()
        await desk.attend(due)
        now = await both.receiver()

    assert (now.state, now.round) == (TransferState.CHECKING, 1)


async def test_a_disk_that_comes_twice_says_so_and_changes_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async with thread(tmp_path) as both:
        await sent(both, tmp_path / "disk")
        await take(both, tmp_path / "disk")
        await both.desk.attend(await both.receiver())
        assert await take(both, tmp_path / "disk") == EXIT_OK

    assert "已经收过" in capsys.readouterr().out


async def test_a_disk_that_lacks_a_file_names_it_and_the_line_brings_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async with thread(tmp_path) as both:
        folder = await sent(both, tmp_path / "disk")
        lost = next((folder / DATA_NAME).rglob("0001.jpg"))
        lost.unlink()
        assert await take(both, tmp_path / "disk") == EXIT_PROBLEM
        await both.desk.attend(await both.receiver())
        now = await both.receiver()

    assert lost.relative_to(folder / DATA_NAME).as_posix() in capsys.readouterr().out
    assert now.state is TransferState.CHECKING


async def test_a_disk_for_nobody_here_is_refused_with_words(tmp_path: Path) -> None:
    """The letter of the transfer has not come, or it is another county's disk."""
    async with thread(tmp_path) as both:
        await sent(both, tmp_path / "disk")
        (tmp_path / "elsewhere").mkdir()
        async with thread(tmp_path / "elsewhere") as other:
            with pytest.raises(Refused) as caught:
                await take(other, tmp_path / "disk")

    assert "no transfer here waits for it" in caught.value.reason.en


async def test_a_disk_that_was_not_written_to_its_end_is_said_and_goes_on(tmp_path: Path) -> None:
    async with thread(tmp_path) as both:
        folder = await sent(both, tmp_path / "disk")
        (folder / LIST_NAME).unlink()
        with pytest.raises(BadFile) as caught:
            await take(both, tmp_path / "disk")
        await transfer_work.write_disk(both.office, await both.giver(), tmp_path / "disk")
        assert await take(both, tmp_path / "disk") == EXIT_OK

    assert "was not written to its end" in caught.value.reason.en


async def test_an_empty_disk_and_a_transfer_that_travels_by_the_line_are_said(tmp_path: Path) -> None:
    async with thread(tmp_path) as both:
        folder = await sent(both, tmp_path / "disk")
        (tmp_path / "empty").mkdir()
        with pytest.raises(BadFile):
            await take(both, tmp_path / "empty")
        await transfer_disk.take(
            home_at(both.root / "hub"), both.hub, argparse.Namespace(disk=None, line=str(both.number), json=False)
        )
        assert [one.transfer_id for one in await both.desk.due()] == [both.number]
        with pytest.raises(Refused):
            await take(both, folder)
