"""``danglian-hub transfer plan``: makes and shows the yearly receiving plan, and notes what was agreed."""

import argparse

from hub.commands.listing import show_table
from hub.staff.administration import Actor
from hub.transfers import planning
from hub.transfers.planning import Agreement, PlanLine
from protocol.county_time import local_time
from protocol.errors import BadValue
from protocol.receiving_plans import Basis
from protocol.sites import Site
from protocol.vocabularies import LIVELIHOOD_KINDS
from protocol.wording import Count, Text
from replication.command_line import EXIT_OK, say, say_json, worded
from replication.database import Database

_LINES = (
    Text(zh="站点", en="site"),
    Text(zh="门类", en="kind"),
    Text(zh="年度", en="years"),
    Text(zh="期限", en="after"),
    Text(zh="计划", en="planned"),
    Text(zh="已收", en="received"),
    Text(zh="应收未收", en="due"),
    Text(zh="逾期", en="overdue"),
    Text(zh="编号", en="number"),
)
_BASES = {Basis.STATUTORY: Text(zh="法定", en="statutory"), Basis.AGREED: Text(zh="约定", en="agreed")}


async def plan(database: Database, actor: Actor, archive: Site, args: argparse.Namespace, now_ms: int) -> int:
    """Show, make, or agree.

    Raises:
        BadValue: an agreement that says too little.

    """
    year = args.year or local_time(now_ms).year
    if args.what == "agree":
        agreement = _agreement(args, now_ms)
        await database.write(lambda c: planning.agree(c, actor, agreement, now_ms))
        say(Text(zh="已记录约定；重新编制计划后生效。", en="Noted; make the plan again for it to take effect."))
        return EXIT_OK
    if args.what == "make":
        lines = await database.write(lambda c: planning.make(c, actor, archive, year, now_ms))
    else:
        lines = await database.read(lambda c: planning.plan_lines(c, archive, year, site=args.site))
    if args.json:
        say_json(lines)
        return EXIT_OK
    show_table(_LINES, [_cells(line) for line in lines])
    due, overdue = sum(line.now.due for line in lines), sum(line.now.overdue for line in lines)
    received = sum(line.now.received for line in lines)
    say(
        Text(
            zh=f"{year} 年计划 {len(lines)} 行：已收 {received}，应收未收 {due}，其中逾期 {overdue}。",
            en=f"plan of {year}, {Count(len(lines)):line|lines}: {received} received, {due} due, {overdue} of them"
            " overdue.",
        )
    )
    return EXIT_OK


def _agreement(args: argparse.Namespace, now_ms: int) -> Agreement:
    if not args.site or args.after is None:
        raise BadValue(
            Text(zh="须写明站点和年数。", en="site and years have to be said"),
            Text(
                zh="例如 transfer plan agree --site 代码 --kind marriage --after 1 --by 县档案局 --reason 利用多。",
                en="As transfer plan agree --site CODE --kind marriage --after 1 --by NAME --reason TEXT.",
            ),
        )
    return Agreement(
        site=args.site,
        kind=args.kind,
        after_years=args.after,
        agreed_by=args.by,
        reason=args.reason,
        agreed_at_ms=now_ms,
    )


def _cells(line: PlanLine) -> tuple[str, ...]:
    now, kind = line.now, LIVELIHOOD_KINDS.get(line.now.kind)
    years = f"{now.year_first}–{now.year_last}" if now.year_last else "—"
    return (
        now.site,
        worded(Text(zh=kind.zh, en=kind.en)) if kind is not None else "—",
        years,
        f"{now.after_years} {worded(_BASES[now.basis])}",
        str(line.planned),
        str(now.received),
        str(now.due),
        str(now.overdue),
        str(line.plan_id)[:8],
    )
