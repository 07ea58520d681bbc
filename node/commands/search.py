"""``danglian-node search``: searches the site's own catalogue, with the hub away too; withheld records are found."""

import argparse
import asyncio
import datetime
import sys

from node.home import NodeHome, add_home_option, home_of
from node.search import Finding, explained, find
from protocol.calls import Hits, Match, Search
from protocol.codec import decode_record
from protocol.errors import BadSetting, BadValue
from protocol.limits import SEARCH_HITS_DEFAULT, SEARCH_HITS_MAX
from protocol.proposals import FIELD_WORDS
from protocol.queries import parse
from protocol.vocabularies import AccessStatus, Level
from protocol.wording import Count, Text
from replication.command_line import EXIT_OK, Parsers, say_json, worded
from replication.database import is_made, opened

_HELP = "检索本站目录（断网可用，含不上报的条目）· search the site's own catalogue"


def add(parsers: Parsers) -> None:
    """Add the command."""
    parser = parsers.add_parser("search", help=_HELP, description=_HELP)
    add_home_option(parser)
    parser.add_argument("query", metavar="QUERY", help="检索词 · words")
    parser.add_argument("--limit", type=int, default=SEARCH_HITS_DEFAULT, metavar="N", help="最多显示条数 · hits shown")
    parser.add_argument("--from", dest="date_from", metavar="DATE", help="起始日期 · earliest date, 1986-01-01")
    parser.add_argument("--to", dest="date_to", metavar="DATE", help="截止日期 · latest date")
    parser.add_argument("--fonds", default="", metavar="NO", help="全宗号 · fonds number")
    parser.add_argument("--kind", default="", metavar="KIND", help="民生档案种类 · livelihood kind")
    parser.add_argument("--access", choices=[one.value for one in AccessStatus], help="开放状态 · access status")
    parser.add_argument("--level", choices=[one.value for one in Level], help="著录层级 · level")
    parser.add_argument("--json", action="store_true", help="输出 JSON · print JSON")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Search and print.

    Raises:
        BadQuery: the query cannot be understood.
        BadValue: a date is none.
        BadSetting: the home has no database yet.

    """
    question = Search(
        asker="keeper",
        question="local",
        query=args.query,
        language=args.query,
        limit=max(1, min(args.limit, SEARCH_HITS_MAX)),
        date_from=_date(args.date_from),
        date_to=_date(args.date_to),
        fonds_no=args.fonds,
        livelihood_kind=args.kind,
        access_status=AccessStatus(args.access) if args.access else None,
        level=Level(args.level) if args.level else None,
    )
    # A site that is asked answers what it understands; its keeper is told what is wrong.
    parse(args.query)
    hits = explained(asyncio.run(_found(home_of(args), question)), question)
    if args.json:
        say_json(hits)
    else:
        sys.stdout.write(_as_text(hits))
    return EXIT_OK


async def _found(home: NodeHome, question: Search) -> Finding:
    if not home.database.exists():
        raise _empty(home)
    async with opened(home.database, (), read_only=True) as database:
        if not await database.read(is_made):
            raise _empty(home)
        return await find(database, question, with_withheld=True)


def _empty(home: NodeHome) -> BadSetting:
    return BadSetting(
        Text(zh=f"{home.root} 中还没有数据。", en=f"there is no database in {home.root} yet"),
        Text(zh="请先运行 danglian-node run，或用 --home 指定目录。", en="Run the node first, or name its --home."),
    )


def _date(text: str | None) -> datetime.date | None:
    if not text:
        return None
    try:
        return datetime.date.fromisoformat(text)
    except ValueError as error:
        raise BadValue(
            Text(zh=f"不是日期：{text}", en=f"not a date: {text}"),
            Text(zh="请写成 1986-01-31。", en="Write it as 1986-01-31."),
        ) from error


def _matched(match: Match) -> Text:
    """Return where a word was found, and whether it was found in another form."""
    field = FIELD_WORDS.get(match.field, Text(zh=match.field, en=match.field))
    other = match.how == "variant"
    return Text(zh=f"{field.zh}（异体）" if other else field.zh, en=f"{field.en} (variant)" if other else field.en)


_STAYS = Text(zh="不上报", en="withheld")
_BETWEEN = Text(zh="、", en=", ")


def _as_text(hits: Hits) -> str:
    lines = [worded(Text(zh=f"共 {hits.total:,} 条", en=f"{hits.total:,} found"))]
    if hits.waiting:
        waits = Text(
            zh=f"刚读入的约 {hits.waiting:,} 条尚未编入检索，请稍后再查",
            en=f"some {Count(hits.waiting):,entry was|entries were} just read and cannot be found yet: search again in"
            " a moment",
        )
        lines.append(worded(waits))
    for hit in hits.hits:
        record = decode_record(bytes(hit.record))
        stays = "" if record.secrecy.travels else f" [{worded(_STAYS)}]"
        dated = record.date_raw or str(record.filing_year or "")
        lines.append(f"{record.ref_code_as_given or record.ref_code}  {record.title}{stays}")
        parties = "、".join(record.responsible_parties)
        why = worded(_BETWEEN).join(worded(_matched(match)) for match in hit.matches)
        lines.append(f"    {'  '.join(part for part in (dated, parties, record.doc_no, why) if part)}")
    return "\n".join(lines) + "\n"
