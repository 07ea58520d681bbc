"""``danglian-node transfer``: hands records over, and at a township takes those of its villages into custody."""

import argparse
import asyncio
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

from node.commands import local_pages
from node.commands.transfer_copies import add_copies, copies, copies_told
from node.commands.transfer_mending import faults_told
from node.commands.transfer_options import add_new_options
from node.commands.transfer_receiving import RECEIVING_ACTIONS, about, add_receiving, named, sign_received, told
from node.commands.transfer_report import as_json, as_lines
from node.commands.transfer_work import begin, pack_and_check, send_out, today, write_disk
from node.config import load
from node.home import add_home_option, home_of
from node.transfers import planned, submitting
from node.transfers.office import Office, office_opened
from node.transfers.retained import copies_due
from protocol.errors import BadValue
from protocol.handover_texts import as_text
from protocol.handovers import certificate_of
from protocol.transfers import TransferState
from protocol.wording import Count, Text
from replication.command_line import EXIT_OK, EXIT_PROBLEM, Parsers, say, worded
from replication.keys import load_identity
from replication.transfer_log import HOST, RECEIVING, opened_transfers, role_of

_HELP = "移交与代管：选、查、送、签；收、退、留、保管 · hand records over; receive those of villages"
_DESCRIPTION = """把档案（条目和扫描件）移交县档案馆，或交乡镇代管：

  transfer new --fonds 001 --years 2010-2015 --title "2010—2015 年文书档案"   选择档案，找到扫描件
  transfer check 编号     打包并检测，用白话说明要改什么
  transfer send 编号      提交；枢纽自行提取文件，断网断电后续传
  transfer status [编号]  看进度、退回的条目和理由
  transfer sign 编号 --signer 姓名    对方审核通过后签署交接文据
  transfer papers 编号    显示交接文据和登记表
  transfer cancel 编号 --reason 理由  签字之前可以取消
  transfer page           在本机浏览器里办：看来了什么、要改什么、接收、退回、签字
  transfer copies         移交后留存的副本：到期提醒、续存、处置登记

网络不通或文件太大时，由人带移动盘送去，两种方式效力相同：
  transfer send 编号 --disk /media/usb     把整包写到移动盘上（可重复运行，断了接着写）

乡镇接收各村交来代管的档案（村里 transfer new --nature delegated_custody）：
  transfer take /media/usb/danglian-…     从移动盘收进来；走网络的自动收
  transfer return 编号 --faults            退回检测未过的条目（或 --item 档号 --reason 理由；--all 整包）
  transfer hold 编号 --item 档号 --reason 理由   暂缓
  transfer accept 编号 --unit 某镇档案馆 --handler 姓名   其余的接收
  transfer sign 编号 --signer 姓名         村里先签，乡镇后签；签后由乡镇保管，所有权仍归村
  transfer kept [--verify]                 看替别人保管了什么；--verify 逐个文件核对

编号写前几位即可。双方都签字后，本站条目自动改记为由接收单位保管；本站副本继续保存到约定日期。

Hands records and their scans over. Choose them (new), make the package and see in plain words what to mend (check),
submit it (send; with --disk a courier carries it), see what came back and why (status), sign the certificate once it
was accepted (sign). A township receives what its villages give into its custody: take, return, hold, accept, sign,
kept. The first characters of a number are enough. Custody changes only when both have signed.
"""


def add(parsers: Parsers) -> None:
    """Add the command."""
    parser = parsers.add_parser(
        "transfer", help=_HELP, description=_DESCRIPTION, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION", title="动作 · actions")
    new = actions.add_parser("new", help="选择档案，开始一次移交 · choose records and begin")
    add_new_options(new)
    check = about(actions, "check", "打包并检测，不提交 · make the package and check it")
    check.add_argument(
        "--leave-out", action="append", default=[], metavar="CODE", help="这一条不再移交 · leave this out"
    )
    check.add_argument(
        "--scans", action="append", default=[], metavar="DIR", help="重新查找扫描件的目录 · look for scans here again"
    )
    send = about(actions, "send", "提交 · submit")
    send.add_argument("--despite-faults", action="store_true", help="明知有未过项仍提交 · submit with open findings")
    status = actions.add_parser("status", help="看进度 · how transfers stand")
    status.add_argument("number", nargs="?", default="", metavar="NUMBER", help="移交编号；不写则列出全部 · else: all")
    sign = about(actions, "sign", "签署交接文据 · sign the certificate")
    sign.add_argument("--signer", default="", metavar="NAME", help="签字人，写入文据 · who answers for it on paper")
    sign.add_argument(
        "--key", default="", metavar="FILE", help="代存全宗所有者的密钥 · the owner's key, of a hosted fonds"
    )
    about(actions, "papers", "显示交接文据与登记表 · show the papers of the handover")
    cancel = about(actions, "cancel", "取消（签字之前） · give up, before signing")
    cancel.add_argument("--reason", default="", metavar="TEXT", help="理由 · why")
    send.add_argument("--disk", default="", metavar="DIR", help="写到移动盘，由人送去 · write it to a courier's disk")
    actions.add_parser("page", help="在本机浏览器里看移交、裁定、签字 · transfers in a browser of this PC")
    add_receiving(actions)
    add_copies(actions)
    for one in actions.choices.values():
        add_home_option(one)
        one.add_argument("--json", action="store_true", help="输出 JSON · print JSON")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Do what was asked.

    Raises:
        BadValue: no such transfer, or a choice that says nothing.
        Refused: it is not the time for it.

    """
    if args.action == "page":
        home = home_of(args)
        return local_pages.serve(home, load(home.settings), "transfers")
    return asyncio.run(_run(args))


async def _run(args: argparse.Namespace) -> int:
    actions: dict[str, Callable[[Office, argparse.Namespace], Awaitable[int]]] = {
        "new": _new,
        "check": _check,
        "send": _send,
        "status": _status,
        "sign": _sign,
        "cancel": _cancel,
        "papers": _papers,
        "copies": copies,
        **RECEIVING_ACTIONS,
    }
    async with office_opened(home_of(args)) as office:
        return await actions[args.action](office, args)


async def _new(office: Office, args: argparse.Namespace) -> int:
    now = await begin(office, args)
    return await told(office, args, now)


async def _check(office: Office, args: argparse.Namespace) -> int:
    now = await named(office, args)
    now, checked = await pack_and_check(office, now, args.leave_out, args.scans)
    if not args.json:
        sys.stdout.write(faults_told(checked.faults))
    await told(office, args, now)
    return EXIT_PROBLEM if checked.failed else EXIT_OK


async def _send(office: Office, args: argparse.Namespace) -> int:
    now = await named(office, args)
    if now.state in (TransferState.PLANNED, TransferState.RETURNED):
        now, checked = await pack_and_check(office, now, [], [])
        if not args.json:
            sys.stdout.write(faults_told(checked.faults))
    if now.prepared is not None and now.prepared.items and now.checks_open and not args.despite_faults:
        say(
            Text(
                zh=f"{now.checks_open} 条未通过检测，没有提交。改好后重新 check；确需提交请加 --despite-faults。",
                en=f"{Count(now.checks_open):item|items} did not pass, nothing was sent. Mend them and check again,"
                " or send with --despite-faults.",
            )
        )
        return EXIT_PROBLEM
    disk = Path(args.disk) if args.disk else None
    if disk is not None and not disk.is_dir():
        raise BadValue(
            Text(zh=f"没有目录 {disk}。", en=f"there is no folder {disk}"),
            Text(zh="请插好移动盘，写它的挂载目录。", en="Plug the disk in, and name the folder where it is mounted."),
        )
    now = await send_out(office, now, by_disk=disk is not None)
    if disk is not None:
        place = await write_disk(office, now, disk)
        if not args.json:
            say(Text(zh=f"已写好：{place}。请送到接收单位。", en=f"written to {place}: carry it to the receiver"))
    return await told(office, args, now)


async def _status(office: Office, args: argparse.Namespace) -> int:
    if args.number:
        return await told(office, args, await named(office, args))
    found, expected = await office.database.read(lambda c: (opened_transfers(c), planned.lines(c)))
    sys.stdout.write(as_json(found) if args.json else as_lines(found, expected))
    due = await office.database.read(lambda c: copies_due(c, today()))
    if due and not args.json:
        heading = worded(Text(zh="副本到期：", en="copies whose day has come:"))
        sys.stdout.write("\n".join((heading, *copies_told(due, today()))) + "\n")
    return EXIT_OK


async def _sign(office: Office, args: argparse.Namespace) -> int:
    now = await named(office, args)
    role = await office.database.read(lambda c: role_of(c, now.transfer_id))
    if role == RECEIVING or (role == HOST and not args.key):
        return await sign_received(office, args, now)
    seal = load_identity(Path(args.key)) if args.key else office.log.identity
    if args.key and (role != HOST or seal.public_key == office.log.identity.public_key):
        raise BadValue(
            Text(
                zh="--key 只用于代存全宗的所有者，用他自己的密钥签。", en="--key is the owner's own, of a hosted fonds"
            ),
            Text(zh="所有者的密钥在他自己的移动盘上。", en="The owner's key lies on his own stick."),
        )
    after = await office.database.write(
        lambda c: submitting.sign(c, office.log, now.transfer_id, args.signer, seal=seal)
    )
    return await told(office, args, after)


async def _papers(office: Office, args: argparse.Namespace) -> int:
    now = await named(office, args)
    certificate = certificate_of(now)
    if certificate is None:
        say(Text(zh="审核通过之前没有交接文据。", en="There is no certificate before the transfer was accepted."))
        return EXIT_PROBLEM
    text = as_text(certificate, now.giver_signature, now.receiver_signature)
    sys.stdout.write(as_json(certificate) if args.json else text + "\n")
    return EXIT_OK


async def _cancel(office: Office, args: argparse.Namespace) -> int:
    now = await named(office, args)
    after = await office.database.write(
        lambda c: submitting.cancel(c, office.log_of(c, now.transfer_id), now.transfer_id, args.reason)
    )
    return await told(office, args, after)
