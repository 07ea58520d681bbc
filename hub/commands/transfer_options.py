"""The options of ``danglian-hub transfer``, and what they say."""

import argparse
from pathlib import Path

from hub.commands.transfer_codes import add_codes
from hub.home import add_home_option
from protocol.transfers import TransferState
from replication.transfer_conclusions import add_accept_options


def add_actions(parser: argparse.ArgumentParser) -> None:
    """Give the command its actions with their options."""
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION", title="动作 / actions")
    listed = actions.add_parser("list", help="列出移交 / list transfers")
    listed.add_argument("--site", default="", metavar="CODE", help="只看该站点 / one site")
    states = ["", *(state.value for state in TransferState)]
    listed.add_argument("--state", default="", choices=states, help="只看这一状态 / those in this state")
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
    count.add_argument(
        "--box", action="append", default=[], metavar="BOX=SEEN@SHELF", help="如 12=25@3-2-1，可多次 / repeatable"
    )
    sign = _about(actions, "sign", "签署交接文据 / sign the handover certificate")
    sign.add_argument("--signer", default="", metavar="NAME", help="签字人 / who answers for it on paper")
    papers = _about(actions, "papers", "交接文据与登记表 PDF / the papers as a PDF")
    papers.add_argument("--out", default="", metavar="FILE", help="写到此文件 / where to write it")
    cancel = _about(actions, "cancel", "取消 / give up, before signing")
    cancel.add_argument("--reason", default="", metavar="TEXT", help="理由 / why")
    _add_plan(actions)
    add_codes(actions)
    dossier = actions.add_parser("dossier", help="全宗卷中的接收记载 / what the fonds dossiers say of takings-over")
    dossier.add_argument("site", metavar="SITE", help="移交单位的站点代码 / site code of the giver")
    dossier.add_argument("--fonds", default=None, metavar="NO", help="只看该全宗 / one fonds")
    take = actions.add_parser("take", help="收下移动盘上送来的整包 / take in what a courier brought")
    take.add_argument("disk", nargs="?", type=Path, metavar="DIR", help="移动盘或其中 danglian- 开头的目录 / the disk")
    take.add_argument("--line", default="", metavar="NUMBER", help="这次移交不等盘，改走网络 / no disk: by the line")
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
    add_accept_options(accept)
    accept.add_argument(
        "--number", dest="gives_codes", action="store_true", help="按规则编馆编档号 / number by the archive's rules"
    )


def _add_plan(
    actions: "argparse._SubParsersAction[argparse.ArgumentParser]",
) -> None:
    plan = actions.add_parser("plan", help="年度接收计划 / the yearly receiving plan")
    plan.add_argument(
        "what", nargs="?", choices=("show", "make", "agree"), default="show", help="看、编制、约定 / what to do"
    )
    plan.add_argument("--year", type=int, default=0, metavar="YEAR", help="年度，默认今年 / year")
    plan.add_argument("--site", default="", metavar="CODE", help="站点 / site")
    plan.add_argument("--kind", default="", metavar="KIND", help="门类或民生种类，空为全部 / kind")
    plan.add_argument(
        "--after", type=int, default=None, metavar="YEARS", help="形成后满几年移交 / years after creation"
    )
    plan.add_argument("--by", default="", metavar="NAME", help="约定双方或批准单位 / who agreed")
    plan.add_argument("--reason", default="", metavar="TEXT", help="理由 / why")
