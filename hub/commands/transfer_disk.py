"""``danglian-hub transfer take``: what a courier brought becomes the package that a transfer waits for."""

import argparse
import asyncio
from pathlib import Path

import msgspec

from hub.draws.disk_drawing import Brought, take_in
from hub.home import HubHome
from hub.membership import keyring
from protocol.consignments import list_digest
from protocol.disk_consignments import DATA_NAME
from protocol.errors import BadFiles, BadValue, Refused
from protocol.transfer_folds import Transfer
from protocol.wording import Count, Text
from replication.command_line import EXIT_OK, EXIT_PROBLEM, say, say_json
from replication.consigned_files import ConsignedFolder
from replication.database import Database
from replication.disk_matching import DiskStanding, matched
from replication.disk_reading import consignments_on, listed_on, read_disk
from replication.progress import progress
from replication.transfer_arrivals import Way, comes_by, waits_for_disk
from replication.transfer_log import USUAL, transfer_named
from replication.transfer_packages import package_of, write_list
from replication.wall_clock import clock_ms

FILES_TOLD = 10
"""Files that are named one by one; the others are counted."""


class TakenDisk(msgspec.Struct, frozen=True, kw_only=True):
    """What became of one consignment on a disk."""

    folder: str
    transfer: str
    standing: DiskStanding
    files: int
    missing: tuple[str, ...] = ()
    """Files that the disk does not hold as listed; they come by the line."""


async def take(home: HubHome, database: Database, args: argparse.Namespace) -> int:
    """Take in every consignment on a disk, or have a transfer come by the line after all.

    Raises:
        BadFile: the folder holds no consignment.
        Refused: it is no transfer's here, nobody's whom we know, or it travels by the line already.

    """
    if args.line:
        now = await database.read(lambda c: transfer_named(c, args.line))
        await database.write(lambda c: comes_by(c, now, Way.LINE))
        say(Text(zh="不再等移动盘，改由网络提取。", en="no disk is waited for: the line carries the files"))
        return EXIT_OK
    if args.disk is None:
        raise BadValue(
            Text(zh="没有写移动盘的目录。", en="no folder of a disk was named"),
            Text(zh="例如 transfer take /media/usb", en="For example: transfer take /media/usb"),
        )
    folders = await asyncio.to_thread(consignments_on, args.disk)
    done = [await _take_folder(home, database, folder, as_json=args.json) for folder in folders]
    if args.json:
        say_json(done)
    return EXIT_PROBLEM if any(one.missing for one in done) else EXIT_OK


async def _take_folder(home: HubHome, database: Database, folder: Path, *, as_json: bool) -> TakenDisk:
    listed, _ = await asyncio.to_thread(listed_on, folder)
    disk = await database.read(lambda c: matched(c, listed, (USUAL,)))
    now = disk.transfer
    told = TakenDisk(folder=str(folder), transfer=str(now.transfer_id), standing=disk.standing, files=len(listed.files))
    if disk.standing is DiskStanding.REPEATED:
        if not as_json:
            say(disk.words)
        return told
    missing = await _taken_in(home, database, folder, now)
    if not as_json:
        _say_taken(len(listed.files), missing)
    return msgspec.structs.replace(told, missing=missing)


async def _taken_in(home: HubHome, database: Database, folder: Path, now: Transfer) -> tuple[str, ...]:
    """Copy and verify what a disk holds; return what it does not hold as listed."""
    if not await database.read(lambda c: waits_for_disk(c, now)):
        raise Refused(
            Text(zh="这次移交正由网络提取，不用移动盘。", en="the line carries the files of this transfer already"),
            Text(zh="等它取完即可；盘可以退回。", en="Wait for it; the disk can go back."),
        )
    giver = now.giver.site if now.giver is not None else ""
    keys = await database.read(lambda c: keyring.keys_now(c, giver))
    brought = await asyncio.to_thread(read_disk, folder, lambda site: keys if site.code == giver else ())
    if list_digest(brought.consignment.files) != now.list_digest:
        raise BadValue(
            Text(zh="盘上的清单不是移交单位提交的那一份", en="the list on the disk is not the one that was submitted"),
            Text(zh="请移交单位重新写盘。", en="Have the giver write the disk again."),
        )
    into = package_of(home.transfers, now.transfer_id, now.round)
    into.parent.mkdir(parents=True, exist_ok=True)
    missing: tuple[str, ...] = ()
    with progress(Text(zh="收移动盘", en="taking the disk in"), brought.consignment.size_bytes) as shown:
        try:
            source = ConsignedFolder(brought.folder / DATA_NAME)
            carried = Brought(site=brought.site, consignment=brought.consignment, source=source)
            await take_in(database, carried, into, clock_ms, shown.reached)
        except BadFiles as error:
            missing = tuple(path for path, _ in error.faults)
    await asyncio.to_thread(write_list, into, brought.consignment.files)
    # The desk goes on from here: it checks what is whole, and fetches by the line what the disk did not hold.
    await database.write(lambda c: comes_by(c, now, Way.LINE))
    return missing


def _say_taken(files: int, missing: tuple[str, ...]) -> None:
    if not missing:
        say(
            Text(
                zh=f"已收下 {files} 个文件，逐个核对无误；接着检测。",
                en=f"{Count(files):file taken in; it is|files taken in; they are} checked now",
            )
        )
        return
    told = "; ".join(missing[:FILES_TOLD])
    say(
        Text(
            zh=f"{len(missing)} 个文件盘上没有或已损坏，改由网络提取：{told}",
            en=f"{Count(len(missing)):file is|files are} not on the disk as listed, the line fetches them: {told}",
        )
    )
