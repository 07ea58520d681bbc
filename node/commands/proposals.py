"""``danglian-node proposals``: what the county would write otherwise in this site's records, and the keeper's decision.

It works beside the running daemon, which writes an accepted change within seconds, and without it: then the daemon does
so when it next runs. A refusal is told to the county when both are next connected.
"""

import argparse
import asyncio
import getpass
import sys
from collections.abc import Iterator
from uuid import UUID

import msgspec
from sqlalchemy import Connection

from node import proposals
from node.home import NodeHome, add_home_option, home_of
from node.proposals import Proposal, ProposalState
from node.tables import SCHEMA
from node.wording import moment
from protocol.codec import decode_record
from protocol.errors import BadValue
from protocol.proposals import FIELD_WORDS, ProposedField, said_of
from protocol.records import Record
from protocol.wording import Text
from replication.command_line import EXIT_OK, Parsers, say_json, worded
from replication.database import opened
from replication.migrations import REPLICATION
from replication.wall_clock import clock_ms

_HELP = "查看并处理县级的修改建议 · changes that the county proposes"
_DESCRIPTION = """县级在条目上提出修改建议，由本站决定：accept 采纳，refuse 不采纳（须写理由）。
采纳后该值代替表格中的内容并上报县级；表格文件不改动。表格以后写明同样内容，或改动了该格，即以表格为准。

The county proposes other values for records of this site, and you decide: accept, or refuse with a reason. An accepted
value stands in place of what the sheet says and is told to the county; the sheet itself is not touched. Once the sheet
says the same, or that cell is changed, the sheet stands again.

  danglian-node proposals                          列出等待处理的 · what waits
  danglian-node proposals show 3                   逐项对照 · side by side
  danglian-node proposals accept 3
  danglian-node proposals refuse 3 --because 原件如此
"""

STATES = {
    ProposalState.WAITING: Text(zh="等待处理", en="waiting"),
    ProposalState.ACCEPT_ASKED: Text(zh="已采纳，正在写入", en="accepted, being written"),
    ProposalState.ACCEPTED: Text(zh="已采纳", en="accepted"),
    ProposalState.REFUSED: Text(zh="未采纳", en="refused"),
    ProposalState.WITHDRAWN: Text(zh="县级已撤回", en="taken back by the county"),
    ProposalState.VOID: Text(zh="无法写入", en="could not be written"),
}


class Shown(msgspec.Struct, frozen=True, kw_only=True):
    """A proposal beside what the record says now."""

    proposal: Proposal
    ref_code: str = ""
    title: str = ""
    is_known: bool = False
    """The record is in this site's store."""
    now: dict[str, str] = {}
    """By field, what the record says now."""


def add(parsers: Parsers) -> None:
    """Add the command."""
    parser = parsers.add_parser(
        "proposals", help=_HELP, description=_DESCRIPTION, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add_home_option(parser)
    parser.add_argument(
        "action",
        nargs="?",
        choices=("list", "show", "accept", "refuse"),
        default="list",
        help="list 列出（默认）、show 逐项对照、accept 采纳、refuse 不采纳 · what to do",
    )
    parser.add_argument("numbers", nargs="*", type=int, metavar="N", help="建议编号，可写多个 · numbers of proposals")
    parser.add_argument("--because", default="", metavar="WORDS", help="理由（refuse 必填） · why; refuse needs it")
    parser.add_argument("--by", default="", metavar="NAME", help="处理人（默认为登录名） · who decides")
    parser.add_argument("--all", action="store_true", help="连同已处理的一并列出 · with past ones")
    parser.add_argument("--json", action="store_true", help="输出 JSON · print JSON")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """List, show, or decide.

    Raises:
        BadValue: no such proposal waits, no number was given, or a refusal has no reason.
        Refused: a proposal is about something that this version does not know.

    """
    home = home_of(args)
    if args.action == "list":
        found = asyncio.run(_read(home, [], with_past=args.all))
    elif not args.numbers:
        raise _no_number()
    elif args.action == "show":
        found = asyncio.run(_read(home, args.numbers))
    else:
        found = asyncio.run(_decide(home, args))
    if args.json:
        say_json(found)
    else:
        sys.stdout.write("\n".join(_lines(found, is_full=args.action != "list")) + "\n")
    return EXIT_OK


async def _read(home: NodeHome, numbers: list[int], *, with_past: bool = False) -> list[Shown]:
    def read(connection: Connection) -> list[Shown]:
        if numbers:
            chosen = [proposals.numbered(connection, number) for number in numbers]
        else:
            chosen = proposals.listed(connection, with_past=with_past)
        return [_shown(connection, one) for one in chosen]

    async with opened(home.database, (), read_only=True) as database:
        return await database.read(read)


async def _decide(home: NodeHome, args: argparse.Namespace) -> list[Shown]:
    now_ms, who = clock_ms(), args.by or getpass.getuser()
    decide = proposals.accept if args.action == "accept" else proposals.refuse

    def write(connection: Connection) -> list[Shown]:
        decided = [decide(connection, number, who, args.because, now_ms) for number in args.numbers]
        return [_shown(connection, one) for one in decided]

    async with opened(home.database, (REPLICATION, SCHEMA)) as database:
        return await database.write(write)


def _shown(connection: Connection, one: Proposal) -> Shown:
    record = _record(connection, one.record_id)
    if record is None:
        return Shown(proposal=one)
    fields = [ProposedField(value.field) for value in one.values if value.field in tuple(ProposedField)]
    return Shown(
        proposal=one,
        ref_code=record.ref_code,
        title=record.title,
        is_known=True,
        now={field.value: said_of(record, field) for field in fields},
    )


def _record(connection: Connection, record_id: UUID) -> Record | None:
    body = connection.exec_driver_sql(
        "SELECT body FROM record WHERE record_id = ? AND standing <> 'gone'", (record_id.bytes,)
    ).scalar_one_or_none()
    return None if body is None else decode_record(body)


def _lines(found: list[Shown], *, is_full: bool) -> Iterator[str]:
    if not found:
        yield worded(Text(zh="没有等待处理的修改建议。", en="No proposals wait."))
        return
    for one in found:
        said = one.proposal
        yield f"[{said.number}] {worded(STATES[said.state])}  {moment(said.proposed_at_ms)}  {said.proposed_by}"
        named = f"{one.ref_code} {one.title}".strip() if one.is_known else str(said.record_id)
        yield f"    {named or said.record_id}"
        if not one.is_known:
            yield worded(Text(zh="    本站目录中没有此条目", en="    this site does not list the record"))
        yield worded(Text(zh=f"    理由：{said.reason}", en=f"    why: {said.reason}"))
        yield from _value_lines(one) if is_full else _field_line(one)
        if said.decided_by:
            decided = f"{said.decided_by} {moment(said.decided_at_ms)} {worded(said.because)}"
            state = STATES[said.state]
            yield worded(Text(zh=f"    {state.zh}：{decided}", en=f"    {state.en}: {decided}"))
    if any(one.proposal.state is ProposalState.WAITING for one in found):
        yield ""
        yield worded(
            Text(
                zh="danglian-node proposals show 编号 · accept 编号 · refuse 编号 --because 理由",
                en="danglian-node proposals show N · accept N · refuse N --because WORDS",
            )
        )


def _field_line(one: Shown) -> Iterator[str]:
    words = [FIELD_WORDS.get(value.field, Text(zh=value.field, en=value.field)) for value in one.proposal.values]
    yield worded(
        Text(
            zh=f"    字段：{'、'.join(word.zh for word in words)}",
            en=f"    fields: {', '.join(word.en for word in words)}",
        )
    )


def _value_lines(one: Shown) -> Iterator[str]:
    for value in one.proposal.values:
        words = FIELD_WORDS.get(value.field, Text(zh=value.field, en=value.field))
        now = one.now.get(value.field, value.old)
        yield f"    {worded(words)}"
        yield worded(Text(zh=f"        现在：  {now or '—'}", en=f"        now:      {now or '—'}"))
        if now not in (value.old, value.new):
            yield worded(Text(zh=f"        提出时：{value.old or '—'}", en=f"        then:     {value.old or '—'}"))
        yield worded(Text(zh=f"        建议：  {value.new or '—'}", en=f"        proposed: {value.new or '—'}"))


def _no_number() -> BadValue:
    return BadValue(
        Text(zh="请写出建议的编号。", en="name the number of the proposal"),
        Text(zh="编号见 danglian-node proposals list。", en="danglian-node proposals list shows the numbers."),
    )
