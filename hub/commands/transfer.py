"""``danglian-hub transfer``: what sites hand over: lists, rulings on items, the decision, the signature."""

import argparse
import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import msgspec
from sqlalchemy import Connection

from hub import config
from hub.commands import transfer_codes, transfer_disk, transfer_plan
from hub.commands.actions import operator
from hub.commands.listing import check_database
from hub.commands.transfer_options import add_actions
from hub.commands.transfer_report import show_dossier, show_lines, show_transfer
from hub.home import HubHome, home_at
from hub.staff.administration import Actor
from hub.storage import store
from hub.transfers import accession, archive_codes, deciding, listing, signing
from hub.transfers.listing import TransferView
from hub.transfers.office import receiver_log
from protocol.county_time import local_time
from protocol.sites import parse_site
from protocol.transfer_folds import Transfer
from protocol.transfers import ItemRuling, Party, Ruling, TransferState
from protocol.wording import Text
from replication.archive_code_list import codes_in
from replication.command_line import EXIT_OK, EXIT_PROBLEM, Parsers, say, say_json
from replication.database import Database
from replication.transfer_conclusions import boxes_of, conclusion_of
from replication.transfer_items import TransferItem
from replication.transfer_log import TransferLog, transfer_named
from replication.transfer_rounds import Fault
from replication.wall_clock import clock_ms

_HELP = "接收移交：计划、清点、裁定、签字 / transfers: plan, rulings, decision, signature"
_DESCRIPTION = """接收各站点移交的档案：

  transfer list                         列出移交
  transfer show 编号 [--items]          详情、检测结果、操作记录
  transfer return 编号 --faults         退回检测未过的条目（或 --item 档号 --reason 理由；--all 整包退回）
  transfer hold 编号 --item 档号 --reason 理由    暂缓
  transfer take /media/usb              收下移动盘上送来的整包（断了重做即接着收；错盘、旧盘会说明）
  transfer count 编号 --box 盒号=实点卷数@架位     清点实物
  transfer accept 编号 --unit 县档案馆 --handler 姓名   审定本批：未退回、未暂缓的即接收
  transfer codes [编号] [--pattern 规则]  馆编档号：定规则、预览；接收时加 --number 编号
  transfer sign 编号 --signer 姓名      移交单位签字后由接收单位签
  transfer papers 编号 [--out 文件]     交接文据与登记表（PDF，含双方签名和清单摘要）
  transfer dossier 站点 [--fonds 全宗号]  全宗卷中的接收记载
  transfer plan [make|show|agree]       年度接收计划：编制、查看、约定提前或推迟

What sites hand over to the archive:

  transfer list                         every transfer
  transfer show NUMBER [--items]        one of them: what the checks found, what was done
  transfer return NUMBER --faults       return items that failed a check (or --item CODE --reason TEXT; or --all)
  transfer hold NUMBER --item CODE --reason TEXT     hold items back
  transfer take DIR                     take what a courier's disk holds; repeat it after a break; a wrong disk is named
  transfer count NUMBER --box BOX=SEEN@SHELF         count the physical boxes
  transfer accept NUMBER --unit NAME --handler NAME  decide the round: what is not returned or held is accepted
  transfer codes [NUMBER] [--pattern P] the archive's own codes: rules, preview; accept --number gives them
  transfer sign NUMBER --signer NAME    sign for the archive, after the giver
  transfer papers NUMBER [--out FILE]   the handover certificate and register as a PDF, with both signatures
  transfer plan [make|show|agree]       the yearly receiving plan

Files come by the line or on a disk: both count the same. An item with a mandatory finding is never accepted: return or
hold it first. Once nothing is open the giver signs, then the archive; only then does custody change.
"""


class Desk(msgspec.Struct, frozen=True, kw_only=True):
    """What an action works with."""

    home: HubHome
    database: Database
    log: TransferLog
    actor: Actor


def add(parsers: Parsers) -> None:
    """Add the command."""
    parser = parsers.add_parser(
        "transfer", help=_HELP, description=_DESCRIPTION, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add_actions(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Do what was asked.

    Raises:
        BadValue: no such transfer or item.
        Refused: it is not the time for it.

    """
    home = home_at(args.home)
    config.load(home.settings)
    check_database(home)
    return asyncio.run(_run(home, args))


async def _run(home: HubHome, args: argparse.Namespace) -> int:
    async with store.opened(home) as database:
        desk = Desk(home=home, database=database, log=receiver_log(home), actor=operator())
        return await _ACTIONS[args.action](desk, args)


async def _list(desk: Desk, args: argparse.Namespace) -> int:
    states = [TransferState(args.state)] if args.state else []
    found = await desk.database.read(
        lambda c: listing.transfers(c, site=args.site, states=states, with_over=args.all or bool(states))
    )
    if args.json:
        say_json(found)
    else:
        show_lines(found)
    return EXIT_OK


async def _show(desk: Desk, args: argparse.Namespace) -> int:
    now = await _named(desk, args)
    return await _told(desk, args, now, with_items=args.items)


async def _return(desk: Desk, args: argparse.Namespace) -> int:
    now = await _named(desk, args)
    if args.all:
        reason = Text(zh=args.reason or "整包退回，请重新制作", en=args.reason or "sent back as a whole: make it again")
        after = await desk.database.write(
            lambda c: deciding.send_back(c, desk.log, desk.actor, now.transfer_id, reason, clock_ms())
        )
        return await _told(desk, args, after)
    return await _rule(desk, args, now, Ruling.RETURN)


async def _hold(desk: Desk, args: argparse.Namespace) -> int:
    return await _rule(desk, args, await _named(desk, args), Ruling.HOLD)


async def _rule(desk: Desk, args: argparse.Namespace, now: Transfer, ruling: Ruling) -> int:
    def step(connection: Connection) -> Transfer:
        rulings = deciding.rulings_on(connection, now.transfer_id, args.item, ruling, args.reason) if args.item else []
        if args.faults:
            rulings += deciding.rulings_on_faults(connection, now, ruling)
        if not rulings:
            return now
        return deciding.rule(connection, desk.log, desk.actor, now.transfer_id, rulings, clock_ms())

    return await _told(desk, args, await desk.database.write(step))


async def _accept(desk: Desk, args: argparse.Namespace) -> int:
    now = await _named(desk, args)
    party = Party(site=now.receiver_site, name=args.unit or now.receiver_site, leader=args.leader, handler=args.handler)
    conclusion = conclusion_of(args, party)
    codes = codes_in(Path(args.codes)) if args.codes else {}

    def step(connection: Connection) -> Transfer:
        rulings: list[ItemRuling] = list(deciding.rulings_with_codes(connection, now, codes))
        archive_codes.note_listed(connection, now, rulings, clock_ms())
        if args.gives_codes:
            rulings += archive_codes.give(connection, now, clock_ms(), {one.record_id for one in rulings})
        if rulings:
            deciding.rule(connection, desk.log, desk.actor, now.transfer_id, rulings, clock_ms())
        return deciding.decide(connection, desk.log, desk.actor, now.transfer_id, conclusion, clock_ms())

    return await _told(desk, args, await desk.database.write(step))


async def _count(desk: Desk, args: argparse.Namespace) -> int:
    now = await _named(desk, args)

    def step(connection: Connection) -> Transfer:
        expected = deciding.expected_boxes(connection, now.transfer_id)
        boxes = boxes_of(args.box, expected)
        return deciding.count(connection, desk.log, desk.actor, now.transfer_id, boxes, clock_ms())

    return await _told(desk, args, await desk.database.write(step))


async def _sign(desk: Desk, args: argparse.Namespace) -> int:
    now = await _named(desk, args)
    after = await desk.database.write(
        lambda c: signing.sign(c, desk.log, desk.actor, now.transfer_id, args.signer, clock_ms())
    )
    await _told(desk, args, after)
    if after.signature_refused is not None:
        say(
            Text(
                zh=f"移交单位的签字未被接受：{after.signature_refused.zh}",
                en=f"the giver's signature was refused: {after.signature_refused.en}",
            )
        )
        return EXIT_PROBLEM
    return EXIT_OK


async def _cancel(desk: Desk, args: argparse.Namespace) -> int:
    now = await _named(desk, args)
    after = await desk.database.write(
        lambda c: deciding.cancel(c, desk.log, desk.actor, now.transfer_id, args.reason, clock_ms())
    )
    return await _told(desk, args, after)


async def _papers(desk: Desk, args: argparse.Namespace) -> int:
    # Drawing takes libraries that no other action needs.
    from hub.transfers import papers  # noqa: PLC0415

    now = await _named(desk, args)
    settings = config.load(desk.home.settings).certificates
    at = local_time(clock_ms())
    content = await asyncio.to_thread(papers.drawn, now, settings, at)
    into = Path(args.out) if args.out else desk.home.transfers / str(now.transfer_id) / "交接文据.pdf"
    await asyncio.to_thread(_write, into, content)
    if args.json:
        say_json({"papers": str(into), "size_bytes": len(content)})
    else:
        say(Text(zh=f"已写到 {into}", en=f"written to {into}"))
    return EXIT_OK


def _write(into: Path, content: bytes) -> None:
    into.parent.mkdir(parents=True, exist_ok=True)
    into.write_bytes(content)


async def _take(desk: Desk, args: argparse.Namespace) -> int:
    return await transfer_disk.take(desk.home, desk.database, args)


async def _codes(desk: Desk, args: argparse.Namespace) -> int:
    return await transfer_codes.codes(desk.database, desk.actor, args)


async def _plan(desk: Desk, args: argparse.Namespace) -> int:
    archive = parse_site(config.load(desk.home.settings).county)
    return await transfer_plan.plan(desk.database, desk.actor, archive, args, clock_ms())


async def _named(desk: Desk, args: argparse.Namespace) -> Transfer:
    return await desk.database.read(lambda c: transfer_named(c, args.number))


async def _told(desk: Desk, args: argparse.Namespace, now: Transfer, *, with_items: bool = False) -> int:
    def step(connection: Connection) -> tuple[TransferView, list[TransferItem], list[Fault]]:
        items = listing.items(connection, now.transfer_id) if with_items else []
        faults = listing.faults(connection, now.transfer_id, round_number=now.round)
        return listing.view(connection, now.transfer_id), items, faults

    view, items, faults = await desk.database.read(step)
    show_transfer(view, items, faults, as_json=args.json)
    return EXIT_OK


async def _dossier(desk: Desk, args: argparse.Namespace) -> int:
    site = parse_site(args.site).code
    found = await desk.database.read(lambda c: accession.dossier(c, site, args.fonds))
    if args.json:
        say_json(found)
    else:
        show_dossier(found)
    return EXIT_OK


_ACTIONS: dict[str, Callable[[Desk, argparse.Namespace], Awaitable[int]]] = {
    "list": _list,
    "show": _show,
    "return": _return,
    "hold": _hold,
    "accept": _accept,
    "count": _count,
    "sign": _sign,
    "cancel": _cancel,
    "plan": _plan,
    "dossier": _dossier,
    "take": _take,
    "codes": _codes,
    "papers": _papers,
}
