"""``danglian-node transfer copies``: the copies that this site keeps of what it handed over, and their reminders."""

import argparse
import datetime
import sys
from collections.abc import Sequence

from sqlalchemy import Connection

from node.commands.transfer_report import NUMBER_CHARS, as_json
from node.commands.transfer_work import today
from node.transfers import retained
from node.transfers.office import Office
from node.transfers.retained import RetainedCopy
from protocol.errors import BadValue
from protocol.wording import Text
from replication.command_line import EXIT_OK, EXIT_PROBLEM, worded
from replication.transfer_log import transfer_named
from replication.wall_clock import clock_ms


def add_copies(actions: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Give the command its action ``copies``."""
    copies = actions.add_parser(
        "copies",
        help="本站留存的副本：到期提醒、续存、处置登记 · our copies of what was handed over",
        description="列出已移交档案在本站的副本和保存期限。程序不删除任何文件：到期后按规定办理，再在这里登记。\n"
        "The copies that this site keeps, and until when. Nothing is removed by this command.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    copies.add_argument("number", nargs="?", default="", metavar="NUMBER", help="移交编号 · number of a transfer")
    copies.add_argument("--until", default="", metavar="DATE", help="续存到这天 · keep it until that day")
    copies.add_argument("--disposed", action="store_true", help="登记已处置 · write down that it was disposed of")
    copies.add_argument("--note", default="", metavar="TEXT", help="理由或批准情况 · why, or who approved it")


async def copies(office: Office, args: argparse.Namespace) -> int:
    """Show the copies, or write down what was decided about one; 1 if one waits for a decision.

    Raises:
        BadValue: no such copy, or no date.
        Refused: its day has not come, or is moved forward.

    """
    day = today()
    if args.number:
        await office.database.write(lambda c: _decided(c, args, day))
    found = await office.database.read(retained.copies)
    sys.stdout.write(as_json(found) if args.json else "\n".join(copies_told(found, day)) + "\n")
    return EXIT_PROBLEM if any(one.is_due(day) for one in found) else EXIT_OK


def _decided(connection: Connection, args: argparse.Namespace, day: datetime.date) -> None:
    named = transfer_named(connection, args.number).transfer_id
    one = next((copy for copy in retained.copies(connection) if copy.transfer_id == named), None)
    if one is None or not (args.until or args.disposed):
        raise BadValue(
            Text(zh="没有这份副本，或没写 --until、--disposed。", en="no such copy, or neither --until nor --disposed"),
            Text(zh="不带编号运行可列出全部副本。", en="Without a number all copies are listed."),
        )
    if args.disposed:
        retained.dispose(connection, one, day, args.note, clock_ms())
        return
    try:
        until = datetime.date.fromisoformat(args.until)
    except ValueError as error:
        raise BadValue(
            Text(zh=f"日期读不出：{args.until}", en=f"this is no date: {args.until}"),
            Text(zh="例如 2036-12-31。", en="For example 2036-12-31."),
        ) from error
    retained.keep_longer(connection, one, until, args.note, clock_ms())


def copies_told(found: Sequence[RetainedCopy], on: datetime.date) -> list[str]:
    """Return a line for each copy, and what to do with one whose day has come."""
    lines: list[str] = []
    for one in found:
        day, number = one.kept_until.isoformat(), str(one.transfer_id)[:NUMBER_CHARS]
        told = Text(
            zh=f"{one.items} 条  {one.size_bytes:,} B  保存到 {day}",
            en=f"items: {one.items}  {one.size_bytes:,} B  kept until {day}",
        )
        lines.append(f"{number}  {worded(told)}  {one.title}")
        if one.disposed_on is not None:
            gone = Text(zh="已处置", en="disposed of")
            lines.append(f"    {worded(gone)} {one.disposed_on.isoformat()}  {one.note}")
        elif one.is_due(on):
            lines += reminder(one)
        elif one.is_soon(on):
            lines.append(worded(Text(zh="    快到期，请提前准备", en="    its day comes soon")))
    return lines or [worded(Text(zh="本站还没有移交过档案。", en="Nothing was handed over by this site yet."))]


def reminder(one: RetainedCopy) -> list[str]:
    """Return what to do with a copy whose day has come."""
    number = str(one.transfer_id)[:NUMBER_CHARS]
    return [
        worded(
            Text(
                zh="    到期了：可续存，或按规定报批后处置（程序不删文件）：",
                en="    its day has come: keep it longer, or have its disposal approved (no file is removed here):",
            )
        ),
        f"    transfer copies {number} --until {one.kept_until.year + 5}-12-31",
        f"    transfer copies {number} --disposed --note {worded(Text(zh='批准文号', en='APPROVAL'))}",
    ]
