"""``danglian-node transfer``: hands records over to the county archive, from choosing them to the signature."""

import argparse
import asyncio
import sys
from collections.abc import Awaitable, Callable

from node.commands.transfer_options import add_new_options
from node.commands.transfer_report import as_json, as_lines, as_page, faults_told
from node.commands.transfer_work import begin, pack_and_check, send_out
from node.home import add_home_option, home_of
from node.transfers import planned, submitting
from node.transfers.office import Office, office_opened
from protocol.handover_texts import as_text
from protocol.handovers import certificate_of
from protocol.transfer_folds import Transfer
from protocol.transfers import TransferState
from protocol.wording import Text
from replication.command_line import EXIT_OK, EXIT_PROBLEM, Parsers, say
from replication.transfer_log import opened_transfers, transfer_named

_HELP = "移交档案：选、查、送、签 · hand records over to the county archive"
_DESCRIPTION = """把档案（条目和扫描件）移交县档案馆，或交乡镇代管：

  transfer new --fonds 001 --years 2010-2015 --title "2010—2015 年文书档案"   选择档案，找到扫描件
  transfer check 编号     打包并检测，用白话说明要改什么
  transfer send 编号      提交；枢纽自行提取文件，断网断电后续传
  transfer status [编号]  看进度、退回的条目和理由
  transfer sign 编号 --signer 姓名    对方审核通过后签署交接文据
  transfer papers 编号    显示交接文据和登记表
  transfer cancel 编号 --reason 理由  签字之前可以取消

编号写前几位即可。双方都签字后，本站条目自动改记为由接收单位保管；本站副本继续保存到约定日期。

Hands records and their scans over. Choose them (new), make the package and see in plain words what to mend (check),
submit it (send), see what came back and why (status), sign the certificate once it was accepted (sign). The first
characters of a number are enough. Custody changes only when both have signed.
"""


def add(parsers: Parsers) -> None:
    """Add the command."""
    parser = parsers.add_parser(
        "transfer", help=_HELP, description=_DESCRIPTION, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION", title="动作 · actions")
    new = actions.add_parser("new", help="选择档案，开始一次移交 · choose records and begin")
    add_new_options(new)
    check = _about(actions, "check", "打包并检测，不提交 · make the package and check it")
    check.add_argument(
        "--leave-out", action="append", default=[], metavar="CODE", help="这一条不再移交 · leave this out"
    )
    check.add_argument(
        "--scans", action="append", default=[], metavar="DIR", help="重新查找扫描件的目录 · look for scans here again"
    )
    send = _about(actions, "send", "提交 · submit")
    send.add_argument("--despite-faults", action="store_true", help="明知有未过项仍提交 · submit with open findings")
    status = actions.add_parser("status", help="看进度 · how transfers stand")
    status.add_argument("number", nargs="?", default="", metavar="NUMBER", help="移交编号；不写则列出全部 · else: all")
    sign = _about(actions, "sign", "签署交接文据 · sign the certificate")
    sign.add_argument("--signer", default="", metavar="NAME", help="签字人，写入文据 · who answers for it on paper")
    papers = _about(actions, "papers", "显示交接文据与登记表 · show the papers of the handover")
    cancel = _about(actions, "cancel", "取消（签字之前） · give up, before signing")
    cancel.add_argument("--reason", default="", metavar="TEXT", help="理由 · why")
    for one in (new, check, send, status, sign, papers, cancel):
        add_home_option(one)
        one.add_argument("--json", action="store_true", help="输出 JSON · print JSON")
    parser.set_defaults(run=run)


def _about(
    actions: "argparse._SubParsersAction[argparse.ArgumentParser]", name: str, words: str
) -> argparse.ArgumentParser:
    parser = actions.add_parser(name, help=words)
    parser.add_argument("number", metavar="NUMBER", help="移交编号，前几位即可 · number, its beginning is enough")
    return parser


def run(args: argparse.Namespace) -> int:
    """Do what was asked.

    Raises:
        BadValue: no such transfer, or a choice that says nothing.
        Refused: it is not the time for it.

    """
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
    }
    async with office_opened(home_of(args)) as office:
        return await actions[args.action](office, args)


async def _new(office: Office, args: argparse.Namespace) -> int:
    now = await begin(office, args)
    return await _told(office, args, now)


async def _check(office: Office, args: argparse.Namespace) -> int:
    now = await _named(office, args)
    now, checked = await pack_and_check(office, now, args.leave_out, args.scans)
    if not args.json:
        sys.stdout.write(faults_told(checked.faults))
    await _told(office, args, now)
    return EXIT_PROBLEM if checked.failed else EXIT_OK


async def _send(office: Office, args: argparse.Namespace) -> int:
    now = await _named(office, args)
    if now.state in (TransferState.PLANNED, TransferState.RETURNED):
        now, checked = await pack_and_check(office, now, [], [])
        if not args.json:
            sys.stdout.write(faults_told(checked.faults))
    if now.prepared is not None and now.prepared.items and now.checks_open and not args.despite_faults:
        say(
            Text(
                zh=f"{now.checks_open} 条未通过检测，没有提交。改好后重新 check；确需提交请加 --despite-faults。",
                en=f"{now.checks_open} items did not pass, nothing was sent. Mend them and check again,"
                " or send with --despite-faults.",
            )
        )
        return EXIT_PROBLEM
    return await _told(office, args, await send_out(office, now))


async def _status(office: Office, args: argparse.Namespace) -> int:
    if args.number:
        return await _told(office, args, await _named(office, args))
    found, expected = await office.database.read(lambda c: (opened_transfers(c), planned.lines(c)))
    sys.stdout.write(as_json(found) if args.json else as_lines(found, expected))
    return EXIT_OK


async def _sign(office: Office, args: argparse.Namespace) -> int:
    now = await _named(office, args)
    after = await office.database.write(lambda c: submitting.sign(c, office.log, now.transfer_id, args.signer))
    return await _told(office, args, after)


async def _papers(office: Office, args: argparse.Namespace) -> int:
    now = await _named(office, args)
    certificate = certificate_of(now)
    if certificate is None:
        say(Text(zh="审核通过之前没有交接文据。", en="There is no certificate before the transfer was accepted."))
        return EXIT_PROBLEM
    text = as_text(certificate, now.giver_signature, now.receiver_signature)
    sys.stdout.write(as_json(certificate) if args.json else text + "\n")
    return EXIT_OK


async def _cancel(office: Office, args: argparse.Namespace) -> int:
    now = await _named(office, args)
    after = await office.database.write(lambda c: submitting.cancel(c, office.log, now.transfer_id, args.reason))
    return await _told(office, args, after)


async def _named(office: Office, args: argparse.Namespace) -> Transfer:
    return await office.database.read(lambda c: transfer_named(c, args.number))


async def _told(office: Office, args: argparse.Namespace, now: Transfer) -> int:
    page = await office.database.read(lambda c: as_page(c, now))
    sys.stdout.write(as_json(page.data) if args.json else page.text)
    return EXIT_OK
