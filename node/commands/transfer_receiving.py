"""``danglian-node transfer`` at a site that receives: a township that takes villages' records (村档乡管)."""

import argparse
import asyncio
import sys
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Final

from sqlalchemy import Connection

from node.commands.transfer_report import as_json, as_page
from node.disk_consigning import copy_file, faulty_files
from node.transfers import kept
from node.transfers.office import Office
from node.transfers.receiving import check_owner_is_known, look_at_signature
from node.wording import moment
from protocol.consignments import FileFault, list_digest
from protocol.disk_consignments import DATA_NAME
from protocol.errors import BadValue, Refused
from protocol.transfer_folds import Transfer
from protocol.transfers import ItemRuling, Party, Ruling, Side
from protocol.wording import Count, Text
from replication import transfer_deciding
from replication.archive_code_list import codes_in
from replication.command_line import EXIT_OK, EXIT_PROBLEM, say, worded
from replication.consigned_files import ConsignedFolder, FileUnfit
from replication.disk_matching import DiskStanding, matched
from replication.disk_reading import BroughtConsignment, consignments_on, listed_on, read_disk
from replication.progress import progress
from replication.transfer_arrivals import Way, comes_by
from replication.transfer_conclusions import add_accept_options, boxes_of, conclusion_of
from replication.transfer_log import HOST, RECEIVING, logged, role_of, transfer_named
from replication.transfer_packages import package_of, write_list
from replication.transfer_signing import signed_by
from replication.wall_clock import clock_ms


def about(
    actions: "argparse._SubParsersAction[argparse.ArgumentParser]", name: str, words: str
) -> argparse.ArgumentParser:
    """Add an action that is about one transfer."""
    parser = actions.add_parser(name, help=words)
    parser.add_argument("number", metavar="NUMBER", help="移交编号，前几位即可 · number, its beginning is enough")
    return parser


def add_receiving(actions: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Give the command what a site does that receives."""
    take = actions.add_parser("take", help="从移动盘接收 · take in what a courier brought")
    take.add_argument("disk", type=Path, metavar="DIR", help="移动盘或其中 danglian- 开头的目录 · disk or folder")
    for name, words in (("return", "退回条目 · return items"), ("hold", "暂缓条目 · hold items back")):
        rule = about(actions, name, words)
        rule.add_argument("--item", action="append", default=[], metavar="CODE", help="档号，可多次 · code of an item")
        rule.add_argument("--faults", action="store_true", help="检测未过的全部条目 · all with mandatory findings")
        rule.add_argument("--reason", default="", metavar="TEXT", help="理由，村里会看到 · why: the giver reads it")
        if name == "return":
            rule.add_argument("--all", action="store_true", help="整包退回 · send the whole package back")
    accept = about(actions, "accept", "审定本批：未退回、未暂缓的即接收 · decide the round")
    add_accept_options(accept)
    count = about(actions, "count", "清点实物 · count the physical boxes")
    count.add_argument(
        "--box", action="append", default=[], metavar="BOX=SEEN@SHELF", help="如 12=25@3-2-1，可多次 · repeatable"
    )
    keep = actions.add_parser("kept", help="替别人保管的 · what is kept for others")
    keep.add_argument("--verify", action="store_true", help="逐个文件核对 · sum every file anew")


async def named(office: Office, args: argparse.Namespace) -> Transfer:
    """Return the transfer that a person means."""
    return await office.database.read(lambda c: transfer_named(c, args.number))


async def told(office: Office, args: argparse.Namespace, now: Transfer) -> int:
    """Print how a transfer stands."""
    page = await office.database.read(lambda c: as_page(c, now))
    sys.stdout.write(as_json(page.data) if args.json else page.text)
    return EXIT_OK


async def _received(office: Office, args: argparse.Namespace) -> Transfer:
    """Return a transfer that this site receives.

    Raises:
        Refused: it is one that this site gives.

    """
    now = await named(office, args)
    if await office.database.read(lambda c: role_of(c, now.transfer_id)) not in (RECEIVING, HOST):
        raise Refused(
            Text(zh="这是本站交出去的移交，由接收单位裁定。", en="this site gives that transfer: its receiver decides"),
            Text(zh="用 transfer status 查看进度。", en="See with transfer status how it stands."),
        )
    return now


async def _return(office: Office, args: argparse.Namespace) -> int:
    now = await _received(office, args)
    if not args.all:
        return await _rule(office, args, now, Ruling.RETURN)
    reason = Text(zh=args.reason or "整包退回，请重新制作", en=args.reason or "sent back as a whole: make it again")
    after = await office.database.write(
        lambda c: transfer_deciding.send_back(c, office.receiver, now.transfer_id, reason)
    )
    return await told(office, args, after)


async def _hold(office: Office, args: argparse.Namespace) -> int:
    return await _rule(office, args, await _received(office, args), Ruling.HOLD)


async def _rule(office: Office, args: argparse.Namespace, now: Transfer, ruling: Ruling) -> int:
    def step(connection: Connection) -> Transfer:
        rulings = (
            transfer_deciding.rulings_on(connection, now.transfer_id, args.item, ruling, args.reason)
            if args.item
            else []
        )
        if args.faults:
            rulings += transfer_deciding.rulings_on_faults(connection, now, ruling)
        return transfer_deciding.rule(connection, office.receiver, now.transfer_id, rulings) if rulings else now

    return await told(office, args, await office.database.write(step))


async def _accept(office: Office, args: argparse.Namespace) -> int:
    now = await _received(office, args)
    party = Party(
        site=now.receiver_site, name=args.unit or office.config.name, leader=args.leader, handler=args.handler
    )
    conclusion = conclusion_of(args, party)
    codes = codes_in(Path(args.codes)) if args.codes else {}

    def step(connection: Connection) -> Transfer:
        rulings: list[ItemRuling] = transfer_deciding.rulings_with_codes(connection, now, codes)
        if rulings:
            transfer_deciding.rule(connection, office.receiver, now.transfer_id, rulings)
        return transfer_deciding.decide(connection, office.receiver, now.transfer_id, conclusion)

    return await told(office, args, await office.database.write(step))


async def _count(office: Office, args: argparse.Namespace) -> int:
    now = await _received(office, args)

    def step(connection: Connection) -> Transfer:
        expected = transfer_deciding.expected_boxes(connection, now.transfer_id)
        boxes = boxes_of(args.box, expected)
        return transfer_deciding.count(connection, office.receiver, now.transfer_id, boxes)

    return await told(office, args, await office.database.write(step))


async def sign_received(office: Office, args: argparse.Namespace, now: Transfer) -> int:
    """Sign the certificate for the receiver, once the giver's signature was looked at.

    Raises:
        Refused: the giver has not signed yet, or it is not our turn.

    """
    after = await office.database.write(lambda c: sign_for_receiver(c, office, now, args.signer))
    await told(office, args, after)
    if after.signature_refused is None:
        return EXIT_OK
    say(
        Text(
            zh=f"移交单位的签字未被接受：{after.signature_refused.zh}",
            en=f"the giver's signature was refused: {after.signature_refused.en}",
        )
    )
    return EXIT_PROBLEM


def sign_for_receiver(connection: Connection, office: Office, now: Transfer, signer: str) -> Transfer:
    """Sign for the receiver; where the giver's signature is not to be believed, that is written down instead.

    Raises:
        Refused: the giver has not signed yet, or it is not our turn.

    """
    if look_at_signature(connection, office.receiver, now.transfer_id) is None:
        present = transfer_deciding.found(connection, now.transfer_id)
        if present.giver_signature is None:
            raise Refused(
                Text(zh="移交单位尚未签字。", en="the giver has not signed yet"),
                Text(zh="移交单位先签：danglian-node transfer sign。", en="The giver signs first."),
            )
        check_owner_is_known(connection, present)
        signature = signed_by(present, office.receiver.identity, signer)
        office.receiver.append(connection, now.transfer_id, signature, by="archivist")
    return transfer_deciding.found(connection, now.transfer_id)


async def _take(office: Office, args: argparse.Namespace) -> int:
    taken = [await _take_folder(office, folder) for folder in await asyncio.to_thread(consignments_on, args.disk)]
    return max(taken)


async def _take_folder(office: Office, folder: Path) -> int:
    listed, _ = await asyncio.to_thread(listed_on, folder)
    disk = await office.database.read(lambda c: matched(c, listed, (RECEIVING,)))
    if disk.standing is DiskStanding.REPEATED:
        say(disk.words)
        return EXIT_OK
    now = disk.transfer
    # The giver wrote its steps with the key that it signs the disk with; the hub vouched for that key.
    keys = await office.database.read(lambda c: {one.key for one in logged(c, now.transfer_id, Side.GIVER)})
    brought = await asyncio.to_thread(read_disk, folder, lambda _site: keys)
    if list_digest(brought.consignment.files) != now.list_digest:
        raise BadValue(
            Text(zh="盘上的清单不是移交单位提交的那一份", en="the list on the disk is not the one that was submitted"),
            Text(zh="请移交单位重新写盘。", en="Have the giver write the disk again."),
        )
    into = package_of(office.home.transfers, now.transfer_id, now.round)
    faults = await asyncio.to_thread(_copied, brought, into)
    if not faults:
        await asyncio.to_thread(write_list, into, brought.consignment.files)
    # What the disk did not hold comes by the line; what is here is not fetched again.
    await office.database.write(lambda c: comes_by(c, now, Way.LINE))
    if faults:
        raise faulty_files(faults)
    say(
        Text(
            zh=f"已收下 {len(brought.consignment.files)} 个文件，逐个核对无误；节点接着检测。",
            en=f"{Count(len(brought.consignment.files)):file|files} taken in and verified, which the node checks now",
        )
    )
    return EXIT_OK


def _copied(brought: BroughtConsignment, into: Path) -> list[tuple[str, FileFault]]:
    """Copy what is not here yet; return what the disk does not hold as listed."""
    source = ConsignedFolder(brought.folder / DATA_NAME)
    faults: list[tuple[str, FileFault]] = []
    files = brought.consignment.files
    with progress(Text(zh="收移动盘", en="taking the disk in"), sum(one.size_bytes for one in files)) as shown:
        for listed in files:
            try:
                copy_file(source, listed, into / listed.path)
            except FileUnfit as unfit:
                faults.append((listed.path, unfit.fault))
            shown.add(listed.size_bytes)
    return faults


async def _kept(office: Office, args: argparse.Namespace) -> int:
    lines = await office.database.read(kept.packages)
    faulty: dict[str, list[str]] = {}
    if args.verify:
        with progress(Text(zh="核对", en="verifying"), sum(one.size_bytes for one in lines)) as shown:
            for one in lines:
                found = await asyncio.to_thread(_verified, office.home.kept, one, shown.add)
                faulty[one.accession] = [look.path for look in found]
                await office.database.write(partial(_note_verified, one=one, found=found, began_ms=clock_ms()))
        lines = await office.database.read(kept.packages)
    if args.json:
        sys.stdout.write(as_json({"kept": lines, "faulty": faulty}))
    else:
        sys.stdout.write(_register_lines(lines, faulty))
    return EXIT_PROBLEM if any(faulty.values()) else EXIT_OK


def _verified(root: Path, one: kept.KeptPackage, told: Callable[[int], None]) -> list[kept.FileLook]:
    """Read every file of an accession; return those that are not as they came."""
    faulty = []
    for look in kept.looked_at(root, one):
        told(look.size_bytes)
        if not look.is_sound:
            faulty.append(look)
    return faulty


def _note_verified(connection: Connection, one: kept.KeptPackage, found: list[kept.FileLook], began_ms: int) -> None:
    kept.begin_look(connection, one.accession, began_ms)
    kept.note_looked(connection, one.accession, 0, found, began_ms)
    kept.end_look(connection, one.accession, clock_ms())


def _register_lines(lines: list[kept.KeptPackage], faulty: Mapping[str, list[str]]) -> str:
    said = []
    for one in lines:
        looked = moment(one.verified_at_ms) if one.verified_at_ms else "—"
        amount = Text(
            zh=f"{one.items} 条  {one.files} 个文件  {one.size_bytes:,} B",
            en=f"items: {one.items}  files: {one.files}  {one.size_bytes:,} B",
        )
        verified = Text(zh=f"核对 {looked} {_fixity(one).zh}", en=f"verified {looked} {_fixity(one).en}")
        told = (one.accession, one.site, worded(amount), one.title, worded(verified))
        said.append("  ".join(told).rstrip())
        said += [f"    {path}" for path in faulty.get(one.accession, ())[: kept.FAULTS_TOLD]]
    return "\n".join(said or [worded(Text(zh="没有替别人保管的档案。", en="Nothing is kept for others."))]) + "\n"


def _fixity(one: kept.KeptPackage) -> Text:
    if one.faulty:
        return Text(zh=f"{one.faulty} 个文件有变", en=f"files changed: {one.faulty}")
    return Text(zh="完好", en="sound") if one.verified_at_ms else Text(zh="", en="")


RECEIVING_ACTIONS: Final[Mapping[str, Callable[[Office, argparse.Namespace], Awaitable[int]]]] = {
    "take": _take,
    "return": _return,
    "hold": _hold,
    "accept": _accept,
    "count": _count,
    "kept": _kept,
}
