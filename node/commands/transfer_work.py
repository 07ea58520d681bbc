"""The work behind ``danglian-node transfer``: begins, packs and checks, submits."""

import argparse
import asyncio
import datetime
import os
from collections.abc import Sequence
from functools import partial
from importlib.metadata import version
from pathlib import Path

import msgspec
from sqlalchemy import Connection

from node.commands.transfer_options import copy_kept_until, opinion_of, selection_of
from node.consigning import offered
from node.disk_consigning import files_of, write_to_disk
from node.revisions import record_ids
from node.transfers import beginning, packaging, planned, submitting
from node.transfers.choosing import chosen
from node.transfers.office import Office, host_log
from node.transfers.packaging import Packed
from node.transfers.scans import ScanIndex
from protocol.consignments import ConsignedFile
from protocol.county_time import day_of
from protocol.errors import BadFile, BadValue, Refused
from protocol.reference_codes import fold_code
from protocol.sites import Site, SiteRank, parse_site
from protocol.transfer_folds import Transfer
from protocol.transfers import Nature, Opened, Party, Prepared, Side, Step
from protocol.wording import Text
from replication import transfer_items
from replication.progress import progress
from replication.transfer_checks import Checked, CheckJob, checked, tools_of
from replication.transfer_items import TransferItem
from replication.transfer_log import logged
from replication.transfer_packages import package_of, read_list, write_list
from replication.wall_clock import clock_ms


def today() -> datetime.date:
    """Return the legal day by this machine's clock: what papers say, nothing is ordered by it."""
    return day_of(clock_ms())


def county_of(site: Site) -> str:
    """Return the county archive's code."""
    return Site(county=site.county, town="000", village="000").code


def _giver_of(office: Office, args: argparse.Namespace, owner: str) -> Party:
    """Return who gives: this site, or the owner of a fonds that its node has."""
    name = office.config.name if owner == office.config.site else args.giver_name or owner
    return Party(site=owner, name=name, leader=args.leader, handler=args.handler)


def _host_of(args: argparse.Namespace, site: Site) -> str:
    """Return this site's code where it is to keep what its own node has of another owner; else nothing.

    Raises:
        BadValue: legal control would move within one node.

    """
    if not args.giver:
        return ""
    if Nature(args.nature) not in (Nature.DELEGATED_CUSTODY, Nature.DEPOSIT) or parse_site(args.giver) == site:
        raise BadValue(
            Text(
                zh="--giver 只用于代管或寄存本机已有的他人全宗。", en="--giver is for custody of another owner's fonds"
            ),
            Text(zh="请加 --nature delegated_custody。", en="Add --nature delegated_custody."),
        )
    return site.code


def receiver_of(site: Site, nature: Nature) -> str:
    """Return who receives where nobody says it: of a village's 代管 its township, of all else the county archive."""
    if nature is Nature.DELEGATED_CUSTODY and site.rank is SiteRank.VILLAGE:
        return Site(county=site.county, town=site.town, village="000").code
    return county_of(site)


def scan_folders(office: Office, named: Sequence[str]) -> list[Path]:
    """Return where scans are looked for: where the person says, else where the settings say and in the watched ones."""
    if named:
        missing = [folder for folder in named if not Path(folder).is_dir()]
        if missing:
            raise BadValue(
                Text(zh=f"没有目录 {missing[0]}。", en=f"there is no folder {missing[0]}"),
                Text(zh="请核对 --scans 的路径。", en="Check the path that --scans names."),
            )
        return [Path(folder).absolute() for folder in named]
    own = [one.place(office.home) for one in office.config.scans]
    watched = [one.place(office.home) for one in office.config.folders]
    places = dict.fromkeys(folder for folder in (*own, *watched) if folder.is_dir())
    # One within another is looked through with it: no scan goes twice.
    return [one for one in places if not any(one != other and one.is_relative_to(other) for other in places)]


async def begin(office: Office, args: argparse.Namespace) -> Transfer:
    """Begin a transfer as the options say.

    Raises:
        BadValue: the options are wrong, or nothing was chosen.

    """
    site = parse_site(office.config.site)
    host = _host_of(args, site)
    receiver = host or (parse_site(args.to).code if args.to else receiver_of(site, Nature(args.nature)))
    owner = parse_site(args.giver).code if host else site.code
    asked, said = selection_of(args), opinion_of(args)
    boxes = beginning.boxes_in(Path(args.boxes)) if args.boxes else {}
    folders = scan_folders(office, args.scans)
    index = await asyncio.to_thread(ScanIndex, folders)
    (transfer_id,) = record_ids(clock_ms(), 1, os.urandom)
    opened = Opened(
        title=args.title or f"{office.config.name} {args.years} {args.kind}".strip(),
        nature=Nature(args.nature),
        giver=_giver_of(office, args, owner),
        receiver=receiver,
        copy_kept_until=copy_kept_until(args, today()),
        note=args.note,
        host=host,
    )
    log = host_log(office.log.identity) if host else office.log

    def step(connection: Connection) -> Transfer:
        line = planned.line_named(connection, args.plan) if args.plan else None
        found = chosen(connection, planned.selection_of(line, asked) if line else asked, receiver)
        if host:
            found = [one for one in found if one.record.owner == owner]
        codes = beginning.volume_codes_of(connection, [one.docid for one in found])
        items = beginning.items_of(found, codes, index, boxes, said)
        begun = msgspec.structs.replace(opened, plan=line.plan if line else None)
        return beginning.begin(connection, log, transfer_id, begun, items)

    return await office.database.write(step)


async def pack_and_check(
    office: Office, now: Transfer, leave_out: Sequence[str], scan_dirs: Sequence[str]
) -> tuple[Transfer, Checked]:
    """Make the package of the round that is due, check it, and note both.

    Raises:
        Refused: the transfer does not wait for a package, or nothing is left of it.
        BadFile: a file cannot be read or cannot travel under its name.

    """
    if scan_dirs or now.parcels:
        await _look_again(office, now, scan_dirs)
    out = {fold_code(code) for code in leave_out}
    parts = await office.database.read(lambda c: packaging.parts_of(c, now))
    parts = [part for part in parts if fold_code(part.item.ref_code) not in out]
    number = packaging.round_due(now)
    into = package_of(office.home.transfers, now.transfer_id, number)
    into.parent.mkdir(parents=True, exist_ok=True)
    total = sum(part.item.size_bytes for part in parts)
    with progress(Text(zh="打包", en="packing"), 2 * total) as shown:
        software = f"danglian {version('danglian')}"
        made = await asyncio.to_thread(packaging.packed, now, parts, into, today(), software, shown.add)
        await asyncio.to_thread(_write_list, into, made)
        job = await office.database.read(lambda c: _job(c, office, now, made, into))
        found = await asyncio.to_thread(checked, job, shown.add)
    package = into.relative_to(office.home.root).as_posix()
    noted = partial(
        submitting.prepare,
        log=office.log,
        transfer_id=now.transfer_id,
        made=made,
        checked=found,
        package=package,
        now_ms=clock_ms(),
    )
    return await office.database.write(noted), found


async def _look_again(office: Office, now: Transfer, scan_dirs: Sequence[str]) -> None:
    """Find the scans of the items that the next round carries anew: they may have been mended meanwhile."""
    index = await asyncio.to_thread(ScanIndex, scan_folders(office, scan_dirs))

    def step(connection: Connection) -> None:
        renewed: list[TransferItem] = []
        for part in packaging.parts_of(connection, now):
            record, volume_code = packaging.record_of(connection, part.item.record_id)
            if record is not None:
                found = index.of(record, volume_code)
                renewed.append(beginning.with_scans(part.item, found))
        transfer_items.put(connection, now.transfer_id, renewed)

    await office.database.write(step)


def _job(connection: Connection, office: Office, now: Transfer, made: Packed, into: Path) -> CheckJob:
    """Return what is known of the package that was just made."""
    items = {one.record_id: one for one in transfer_items.listed(connection, now.transfer_id)}
    steps = tuple(one.step for one in logged(connection, now.transfer_id))
    packing = Step(
        transfer=now.transfer_id,
        side=Side.GIVER,
        number=len(steps) + 1,
        at_ms=clock_ms(),
        by="keeper",
        what=Prepared(parcel=made.parcel),
    )
    return CheckJob(
        package=into,
        report=into.with_suffix(".report.jsonl"),
        now=msgspec.structs.replace(now, prepared=made.parcel),
        steps=(*steps, packing),
        checked_by=office.config.site,
        day=today(),
        now_ms=clock_ms(),
        planned_codes=frozenset(items[record_id].ref_code for record_id in made.items),
        package_digest=made.package.digest,
        code_profiles=tuple(profile for folder in office.config.folders for profile in folder.profiles),
        tools=tools_of(office.config.transfers),
    )


def _write_list(into: Path, made: Packed) -> None:
    """Keep the list of the package's files beside it, for the day on which it is submitted."""
    files = [
        ConsignedFile(path=one.path, size_bytes=one.size_bytes, sha256=one.sha256)
        for one in sorted(made.package.files, key=lambda one: one.path)
    ]
    write_list(into, files)


async def send_out(office: Office, now: Transfer, *, by_disk: bool = False) -> Transfer:
    """Submit the package that is prepared.

    Raises:
        Refused: nothing is prepared.
        BadFile: the package is gone.

    """
    package = package_of(office.home.transfers, now.transfer_id, now.round)
    files = await asyncio.to_thread(read_list, package)
    if files is None:
        raise BadFile(
            Text(zh="打好的包不见了。", en="the package that was made is gone"),
            Text(zh="请重新运行 transfer check。", en="Run transfer check again."),
        )
    return await office.database.write(
        lambda c: submitting.submit(c, office.log, now.transfer_id, files, package, clock_ms(), by_disk=by_disk)
    )


async def write_disk(office: Office, now: Transfer, disk: Path) -> Path:
    """Write the package that is submitted to a courier's disk; written again, it goes on where it was cut.

    Raises:
        Refused: nothing is offered under this transfer now.
        StorageFull: the disk has too little room.
        BadFiles: some files are not as they were packed; the others are written.

    """
    consignment = now.consignment
    offer = None if consignment is None else await office.database.read(lambda c: offered(c, consignment))
    if offer is None:
        raise Refused(
            Text(zh="这次移交目前没有待送的文件。", en="the transfer has no files to be carried now"),
            Text(zh="用 transfer status 查看由谁处理。", en="See with transfer status whose turn it is."),
        )
    files = await office.database.read(lambda c: files_of(c, offer))
    identity, site = office.log.identity, office.config.parsed_site
    with progress(Text(zh="写移动盘", en="writing the disk"), offer.size_bytes) as shown:
        return await asyncio.to_thread(write_to_disk, offer, files, disk, site, identity, shown.reached)
