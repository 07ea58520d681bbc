"""``danglian-node requests``: what the county's window asks of this site, for the keeper to approve or refuse.

It works beside the running daemon, which tells the window within seconds, and without it: then when it next runs.
"""

import argparse
import asyncio
import sys
from collections.abc import Sequence

import msgspec

from node import config
from node.certifying import orders
from node.certifying.deciding import Fact
from node.certifying.desk import Answer, KeeperDesk, Shown
from node.certifying.orders import SiteOrder
from node.commands import local_pages
from node.home import add_home_option, home_of
from node.wording import moment, size
from protocol.case_words import purpose_in_words, requester_in_words
from protocol.copies import PRODUCTS, REFUSALS, Refusal
from protocol.errors import BadValue
from protocol.wording import Text
from replication.command_line import EXIT_OK, Parsers, worded

_HELP = "审批县里查档窗口的复制件、档案证明申请 · decide about copies that the window asks for"
_DESCRIPTION = """查档窗口要复制件或档案证明时，由本站（保管单位）决定。批准后页面才离开本站；批准即用本站密钥签名。

  danglian-node requests                            列出待审批的申请
  danglian-node requests show 1a2b3c4d              看一件：要什么、凭什么、找到哪些页
  danglian-node requests approve 1a2b3c4d           批准复制件；页数与目录不符时须加 --despite-remarks
  danglian-node requests approve 1a2b3c4d --fact "1=1986年3月12日@2" --fact "2=该件未记载" --source "合同正本第2页"
                                                    批准档案证明：逐项写明档案怎么记载、在第几页
  danglian-node requests refuse 1a2b3c4d --reason damaged --note "第3页虫蛀"
  danglian-node requests page                       在本机浏览器里看页面、审批

When the window wants a certified copy or an archival statement, the site that holds the record decides. No page leaves
before it is approved; approving signs the certificate with this site's key. A statement answers each asked fact, and
nothing else: what the record says, and on which page.

拒绝原因 · reasons for refusing:
"""


def add(parsers: Parsers) -> None:
    """Add the command."""
    reasons = "\n".join(f"  {one.value:16} {said.zh} · {said.en}" for one, said in REFUSALS.items())
    parser = parsers.add_parser(
        "requests",
        help=_HELP,
        description=_DESCRIPTION + reasons,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_home_option(parser)
    parser.add_argument(
        "action",
        nargs="?",
        choices=("list", "show", "approve", "refuse", "page"),
        default="list",
        help="list 列出（默认）、show 查看、approve 批准、refuse 拒绝、page 本机网页 · what to do",
    )
    parser.add_argument("name", nargs="?", default="", metavar="ID", help="申请编号的前几位，或证明编号 · which one")
    parser.add_argument("--all", action="store_true", help="连同已处理的一并列出 · with what is decided")
    parser.add_argument(
        "--fact", action="append", default=[], metavar="N=TEXT@PAGE", help="第 N 项的记载与页号 · what the record says"
    )
    parser.add_argument("--source", default="", help="档案证明的出处 · where the facts stand")
    parser.add_argument(
        "--despite-remarks", action="store_true", help="已核对页数等提示，仍批准 · approve although pages differ"
    )
    parser.add_argument("--reason", choices=[one.value for one in Refusal], help="拒绝原因 · why it is refused")
    parser.add_argument("--note", default="", help="给窗口的说明，勿写姓名 · words for the window; no names")
    parser.add_argument("--json", action="store_true", help="输出 JSON · print JSON")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """List, show, approve or refuse.

    Raises:
        BadValue: no such order waits, or the decision is not complete.
        BadFile: a page cannot be certified.

    """
    home = home_of(args)
    settings = config.load(home.settings)
    if args.action == "page":
        return local_pages.serve(home, settings, "orders")
    desk = KeeperDesk(home, settings, "command")
    if args.action == "list":
        found = asyncio.run(desk.listed(with_past=args.all))
        sys.stdout.write(_json(found) if args.json else _list_told(found))
        return EXIT_OK
    shown = asyncio.run(_acted(desk, args))
    sys.stdout.write(_json(shown) if args.json else _told(shown, args.action))
    return EXIT_OK


async def _acted(desk: KeeperDesk, args: argparse.Namespace) -> Shown:
    if args.action == "show":
        return await desk.shown(args.name)
    if args.action == "refuse":
        return await desk.refused(args.name, _refusal(args.reason), args.note)
    answer = Answer(facts=_facts(args.fact), source=args.source, note=args.note, despite_remarks=args.despite_remarks)
    return await desk.approved(args.name, answer)


def _refusal(written: str | None) -> Refusal:
    if written is None:
        raise BadValue(
            Text(zh="未写明拒绝原因。", en="the reason is not said"),
            Text(zh="请用 --reason 写明；--help 列出各种原因。", en="Say it with --reason; --help lists them."),
        )
    return Refusal(written)


def _facts(written: Sequence[str]) -> dict[int, Fact]:
    facts = {}
    for one in written:
        number, mark, said = one.partition("=")
        text, at, page = said.rpartition("@")
        if not mark or not number.strip().isdecimal() or (at and not page.strip().isdecimal()):
            raise BadValue(
                Text(zh=f"--fact {one!r} 读不出。", en=f"--fact {one!r} cannot be read"),
                Text(zh='写法：--fact "1=1986年3月12日@2"（@2 指第 2 页，可不写）。', en='Write --fact "1=TEXT@PAGE".'),
            )
        facts[int(number)] = Fact(said=text if at else said, page=int(page) if at else None)
    return facts


def _json(value: object) -> str:
    return msgspec.json.encode(value, enc_hook=str).decode() + "\n"


def _list_told(found: list[SiteOrder]) -> str:
    if not found:
        return worded(Text(zh="没有待审批的申请。", en="Nothing waits for a decision.")) + "\n"
    return "\n".join(_line(one) for one in found) + "\n\n" + worded(_HOW) + "\n"


_HOW = Text(
    zh="查看：danglian-node requests show 编号；批准 approve，拒绝 refuse。",
    en="Look: danglian-node requests show ID; then approve or refuse.",
)


def _line(one: SiteOrder) -> str:
    asked = one.asked
    product, state = worded(PRODUCTS[asked.product]), worded(orders.STATES[one.state])
    return f"[{one.short}] {state}  {product}  {asked.ref_code or '—'}  {asked.title}  {moment(one.taken_at_ms)}"


def _told(shown: Shown, action: str) -> str:
    order, asked = shown.order, shown.order.asked
    lines = [_line(order)]
    if action == "show":
        lines += [f"    {worded(label)}{said}" for label, said in _details(order) if said]
        lines += [f"    {number}. {fact}" for number, fact in enumerate(asked.facts, start=1)]
    if shown.trouble is not None:
        lines.append(f"    ! {worded(shown.trouble)}")
    if shown.pages is not None:
        lines += [f"    {one.number:>4}  {one.path}  {size(one.size_bytes)}" for one in shown.pages.pages]
        lines += [f"    ! {worded(one)}" for one in shown.pages.remarks]
    if action == "approve":
        lines.append(worded(_APPROVED))
    elif action == "refuse":
        lines.append(worded(_REFUSED))
    return "\n".join(lines) + "\n"


_APPROVED = Text(
    zh="已批准并签名；节点运行中几秒内告知窗口，页面随即可调取。",
    en="Approved and signed; the running node tells the window in seconds, and the pages can be fetched.",
)
_REFUSED = Text(zh="已拒绝；节点运行中几秒内告知窗口。", en="Refused; the running node tells the window in seconds.")


def _details(order: SiteOrder) -> list[tuple[Text, str]]:
    asked = order.asked
    pages = "、".join(map(str, asked.pages)) if asked.pages else ""
    return [
        (Text(zh="证明编号：", en="serial: "), asked.serial),
        (Text(zh="用途：", en="purpose: "), worded(purpose_in_words(asked.purpose))),
        (Text(zh="案号：", en="case: "), asked.case_no),
        (Text(zh="申请人类型：", en="requester: "), worded(requester_in_words(asked.requester))),
        (Text(zh="依据：", en="basis: "), asked.basis),
        (Text(zh="保管单位：", en="holder: "), f"{asked.holder_name}（{asked.holder}）"),
        (Text(zh="要哪几页：", en="pages wanted: "), pages),
        (Text(zh="目录所记页数：", en="pages by the catalogue: "), str(asked.page_count or "")),
        (Text(zh="替换：", en="replaces: "), asked.replaces),
        (Text(zh="说明：", en="note: "), order.note),
    ]
