"""What people say at the end of a round, as both ends' commands read it: the conclusion, waivers, counted boxes."""

import argparse
import datetime
import re
from collections.abc import Mapping, Sequence
from typing import Final

from protocol.county_time import day_of
from protocol.errors import BadValue
from protocol.transfers import BoxCount, Party
from protocol.wording import Text
from replication.transfer_deciding import Conclusion
from replication.wall_clock import clock_ms

_BOX: Final = re.compile(r"([^=]+)=([0-9]{1,5})(?:@(.*))?")


def add_accept_options(accept: argparse.ArgumentParser) -> None:
    """Give ``transfer accept`` its options."""
    accept.add_argument("--unit", default="", metavar="NAME", help="接收单位全称 / full name of the receiver")
    accept.add_argument("--leader", default="", metavar="NAME", help="负责人 / leader")
    accept.add_argument("--handler", default="", metavar="NAME", help="经办人 / who handles it")
    accept.add_argument("--opinion", default="", metavar="TEXT", help="接收单位意见 / the receiver's opinion")
    accept.add_argument("--dated", default="", metavar="DATE", help="文据日期，默认今天 / date of the certificate")
    accept.add_argument("--final", action="store_true", help="不再等退回和暂缓的条目 / without what is still open")
    accept.add_argument("--codes", default="", metavar="FILE", help="馆编档号 CSV：室编档号,馆编档号 / archive codes")
    accept.add_argument(
        "--waive", action="append", default=[], metavar="RULE=REASON", help="未执行或待人工的规则及理由 / waive a rule"
    )


def conclusion_of(args: argparse.Namespace, receiver: Party) -> Conclusion:
    """Return what the receiver says at the end of a round.

    Raises:
        BadValue: a date or a waiver that is none.

    """
    waived: dict[str, str] = {}
    for written in args.waive:
        rule, equals, reason = written.partition("=")
        if not equals or not reason.strip():
            raise BadValue(
                Text(zh=f"--waive 要写明理由：{written}", en=f"--waive needs a reason: {written}"),
                Text(zh="例如 --waive virus_scan=单机无网", en="For example --waive virus_scan='no scanner here'."),
            )
        waived[rule.strip()] = reason.strip()
    return Conclusion(
        receiver=receiver,
        opinion=args.opinion,
        dated=_date(args.dated),
        is_final=args.final,
        waived=waived,
    )


def _date(written: str) -> datetime.date:
    if not written:
        return day_of(clock_ms())
    try:
        return datetime.date.fromisoformat(written)
    except ValueError as error:
        raise BadValue(
            Text(zh=f"日期读不出：{written}", en=f"this is no date: {written}"),
            Text(zh="例如 2026-12-31。", en="For example 2026-12-31."),
        ) from error


def boxes_of(written: Sequence[str], expected: Mapping[str, int]) -> list[BoxCount]:
    """Return the boxes that a person counted, beside what the giver said is in them.

    Raises:
        BadValue: a count that cannot be read, or none at all.

    """
    boxes = []
    for text in written:
        found = _BOX.fullmatch(text)
        if found is None:
            raise BadValue(
                Text(zh=f"清点结果读不出：{text}", en=f"this count cannot be read: {text}"),
                Text(zh="写作 盒号=实点卷数@架位，例如 12=25@3-2-1。", en="Write BOX=SEEN@SHELF, as 12=25@3-2-1."),
            )
        name = found[1].strip()
        boxes.append(
            BoxCount(box=name, expected=expected.get(name, 0), seen=int(found[2]), shelf=(found[3] or "").strip())
        )
    if not boxes:
        raise BadValue(
            Text(zh="没有写清点结果。", en="no count was given"),
            Text(zh=f"应有的盒：{'、'.join(expected) or '无'}", en=f"boxes announced: {', '.join(expected) or 'none'}"),
        )
    return boxes
