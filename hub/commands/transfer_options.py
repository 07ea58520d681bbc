"""The options of ``danglian-hub transfer``, and what they say."""

import argparse
import datetime
import re
from collections.abc import Mapping, Sequence

from hub.home import add_home_option
from hub.transfers.deciding import Conclusion
from protocol.errors import BadValue
from protocol.transfer_folds import Transfer
from protocol.transfers import BoxCount, Party, TransferState
from protocol.wording import Text

_BOX = re.compile(r"([^=]+)=([0-9]{1,5})(?:@(.*))?")


def add_actions(parser: argparse.ArgumentParser) -> None:
    """Give the command its actions with their options."""
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION", title="动作 / actions")
    listed = actions.add_parser("list", help="列出移交 / list transfers")
    listed.add_argument("--site", default="", metavar="CODE", help="只看该站点 / one site")
    listed.add_argument("--state", default="", choices=["", *(state.value for state in TransferState)])
    listed.add_argument("--all", action="store_true", help="连同已结束的 / those that are over, too")
    show = _about(actions, "show", "详情 / one transfer")
    show.add_argument("--items", action="store_true", help="逐条列出 / with its items")
    for name, words in (("return", "退回条目 / return items"), ("hold", "暂缓条目 / hold items back")):
        rule = _about(actions, name, words)
        rule.add_argument("--item", action="append", default=[], metavar="CODE", help="档号，可多次 / code of an item")
        rule.add_argument("--faults", action="store_true", help="检测未过的全部条目 / all with mandatory findings")
        rule.add_argument("--reason", default="", metavar="TEXT", help="理由，移交单位会看到 / why: the giver reads it")
        if name == "return":
            rule.add_argument("--all", action="store_true", help="整包退回 / send the whole package back")
    _add_accept(actions)
    count = _about(actions, "count", "清点实物 / count the physical boxes")
    count.add_argument("--box", action="append", default=[], metavar="BOX=SEEN@SHELF", help="如 12=25@3-2-1，可多次")
    sign = _about(actions, "sign", "签署交接文据 / sign the handover certificate")
    sign.add_argument("--signer", default="", metavar="NAME", help="签字人 / who answers for it on paper")
    papers = _about(actions, "papers", "交接文据与登记表 PDF / the papers as a PDF")
    papers.add_argument("--out", default="", metavar="FILE", help="写到此文件 / where to write it")
    cancel = _about(actions, "cancel", "取消 / give up, before signing")
    cancel.add_argument("--reason", default="", metavar="TEXT", help="理由 / why")
    _add_plan(actions)
    for one in actions.choices.values():
        add_home_option(one)
        one.add_argument("--json", action="store_true", help="输出 JSON / print JSON")


def _about(
    actions: "argparse._SubParsersAction[argparse.ArgumentParser]",
    name: str,
    words: str,
) -> argparse.ArgumentParser:
    parser = actions.add_parser(name, help=words)
    parser.add_argument("number", metavar="NUMBER", help="移交编号，前几位即可 / number, its beginning is enough")
    return parser


def _add_accept(
    actions: "argparse._SubParsersAction[argparse.ArgumentParser]",
) -> None:
    accept = _about(actions, "accept", "审定本批 / decide the round: what is not returned or held is accepted")
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


def _add_plan(
    actions: "argparse._SubParsersAction[argparse.ArgumentParser]",
) -> None:
    plan = actions.add_parser("plan", help="年度接收计划 / the yearly receiving plan")
    plan.add_argument("what", nargs="?", choices=("show", "make", "agree"), default="show", help="看、编制、约定")
    plan.add_argument("--year", type=int, default=0, metavar="YEAR", help="年度，默认今年 / year")
    plan.add_argument("--site", default="", metavar="CODE", help="站点 / site")
    plan.add_argument("--kind", default="", metavar="KIND", help="门类或民生种类，空为全部 / kind")
    plan.add_argument(
        "--after", type=int, default=None, metavar="YEARS", help="形成后满几年移交 / years after creation"
    )
    plan.add_argument("--by", default="", metavar="NAME", help="约定双方或批准单位 / who agreed")
    plan.add_argument("--reason", default="", metavar="TEXT", help="理由 / why")


def conclusion_of(args: argparse.Namespace, now: Transfer) -> Conclusion:
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
        receiver=Party(
            site=now.receiver_site,
            name=args.unit or now.receiver_site,
            leader=args.leader,
            handler=args.handler,
        ),
        opinion=args.opinion,
        dated=_date(args.dated),
        is_final=args.final,
        waived=waived,
    )


def _date(written: str) -> datetime.date:
    if not written:
        return datetime.datetime.now().astimezone().date()
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
