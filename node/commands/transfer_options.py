"""The options by which a transfer is begun: which records, under which title, with what said about them."""

import argparse
import datetime
from pathlib import Path

from node.transfers.beginning import Opinion
from node.transfers.choosing import Selection
from protocol.errors import BadValue
from protocol.transfers import Nature
from protocol.vocabularies import AccessStatus, parse_access_status, parse_disclosure
from protocol.wording import Text
from replication.transfer_words import NATURES


def add_new_options(parser: argparse.ArgumentParser) -> None:
    """Give ``transfer new`` its options."""
    which = parser.add_argument_group("移交哪些档案 · which records")
    which.add_argument("--fonds", default="", metavar="NO", help="全宗号 · fonds number")
    which.add_argument("--years", default="", metavar="A-B", help="年度，如 2010-2015 或 2012 · filing years")
    which.add_argument("--kind", default="", metavar="KIND", help="民生档案种类，如 marriage · livelihood kind")
    which.add_argument("--volume", action="append", default=[], metavar="CODE", help="案卷档号，可多次 · a volume")
    which.add_argument("--codes", default="", metavar="FILE", help="档号清单，每行一个 · a file with a code a line")
    which.add_argument("--query", default="", metavar="TEXT", help="检索式，同 search · a search")
    which.add_argument("--plan", default="", metavar="NUMBER", help="县档案馆接收计划的编号 · line of the hub's plan")
    what = parser.add_argument_group("说明 · about the transfer")
    what.add_argument("--title", default="", metavar="TEXT", help="交接工作名称 · what the transfer is called")
    words = "、".join(f"{nature.value} {text.zh}" for nature, text in NATURES.items())
    what.add_argument(
        "--nature",
        choices=[nature.value for nature in Nature],
        default=Nature.TRANSFER.value,
        help=f"移交性质：{words} · under which title (default: transfer)",
    )
    what.add_argument("--to", default="", metavar="SITE", help="接收单位代码，默认县档案馆 · receiver's site code")
    _add_hosted(what)
    what.add_argument("--leader", default="", metavar="NAME", help="移交单位负责人 · leader of the giver")
    what.add_argument("--handler", default="", metavar="NAME", help="经办人 · who handles it")
    what.add_argument("--note", default="", metavar="TEXT", help="移交说明 · the giver's note")
    what.add_argument(
        "--keep-until", default="", metavar="DATE", help="本站副本保存到哪天，默认满 5 年 · keep our copy"
    )
    with_what = parser.add_argument_group("随附 · what goes with them")
    with_what.add_argument(
        "--scans", action="append", default=[], metavar="DIR", help="扫描件目录，可多次，默认本站 scans 目录 · scans"
    )
    with_what.add_argument("--boxes", default="", metavar="FILE", help="实物盒号清单 CSV：档号,盒号 · physical boxes")
    with_what.add_argument(
        "--opening", default="", metavar="WORD", help="条目未写时的开放审核意见：开放、控制、延期 · opening opinion"
    )
    with_what.add_argument("--opening-reason", default="", metavar="TEXT", help="不开放的理由 · why it is not opened")
    with_what.add_argument(
        "--disclosure", default="", metavar="WORD", help="条目未写时的公开属性 · disclosure attribute"
    )


def _add_hosted(what: "argparse._ArgumentGroup") -> None:
    what.add_argument(
        "--giver",
        default="",
        metavar="SITE",
        help="本机代存的村全宗：所有者代码（村档乡管）· owner whose fonds this node has already",
    )
    what.add_argument("--giver-name", default="", metavar="NAME", help="该村全称，写入文据 · full name of that owner")


def selection_of(args: argparse.Namespace) -> Selection:
    """Return which records are meant.

    Raises:
        BadValue: years or the file of codes cannot be read.

    """
    first, last = years_of(args.years)
    return Selection(
        volumes=tuple(args.volume),
        codes=_codes(args.codes),
        fonds_no=args.fonds,
        kind=args.kind,
        year_first=first,
        year_last=last,
        query=args.query,
    )


def years_of(written: str) -> tuple[int | None, int | None]:
    """Read ``2010-2015``, ``2012``, ``-1990`` or ``2001-``.

    Raises:
        BadValue: it is none of these.

    """
    text = written.strip().replace("—", "-").replace("~", "-")
    if not text:
        return None, None
    first, dash, last = text.partition("-")
    if not all(
        part == "" or (part.isascii() and part.isdigit() and len(part) == 4) for part in (first.strip(), last.strip())
    ):
        raise BadValue(
            Text(zh=f"年度读不出：{written}", en=f"these are no years: {written}"),
            Text(zh="例如 2010-2015 或 2012。", en="For example 2010-2015, or 2012."),
        )
    begin = int(first) if first.strip() else None
    return begin, (int(last) if last.strip() else None) if dash else begin


def _codes(path: str) -> tuple[str, ...]:
    if not path:
        return ()
    try:
        text = Path(path).read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise BadValue(
            Text(zh=f"档号清单 {path} 读不出。", en=f"the list of codes {path} cannot be read"),
            Text(zh="请用 UTF-8 文本，每行一个档号。", en="Give a UTF-8 text with one code a line."),
        ) from error
    return tuple(line.strip() for line in text.splitlines() if line.strip())


def opinion_of(args: argparse.Namespace) -> Opinion:
    """Return what is said of records whose entries do not say it.

    Raises:
        BadValue: a word that is none of the vocabulary.

    """
    status, status_faults = parse_access_status(args.opening)
    disclosure, disclosure_faults = parse_disclosure(args.disclosure)
    if status_faults or disclosure_faults:
        raise BadValue(
            Text(zh="--opening 或 --disclosure 的词不认识。", en="a word of --opening or --disclosure is not known"),
            Text(
                zh="开放、控制、延期；主动公开、依申请公开、不予公开。", en="open, restricted, deferred; on_request …"
            ),
        )
    return Opinion(
        access_status=None if status is AccessStatus.UNREVIEWED else status,
        access_reason=args.opening_reason,
        disclosure=disclosure,
    )


def copy_kept_until(args: argparse.Namespace, today: datetime.date) -> datetime.date:
    """Return until when the giver keeps its copy: five years where nothing else is said.

    Raises:
        BadValue: not a date.

    """
    if not args.keep_until:
        return datetime.date(today.year + COPY_KEPT_YEARS, 12, 31)
    try:
        return datetime.date.fromisoformat(args.keep_until)
    except ValueError as error:
        raise BadValue(
            Text(zh=f"日期读不出：{args.keep_until}", en=f"this is no date: {args.keep_until}"),
            Text(zh="例如 2031-12-31。", en="For example 2031-12-31."),
        ) from error


COPY_KEPT_YEARS = 5
"""Years that the giver of electronic records keeps its copy at least (电子档案移交与接收办法)."""
