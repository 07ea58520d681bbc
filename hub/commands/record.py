"""``danglian-hub record``: all that the hub holds of one record, where each value came from, and what is like it."""

import argparse
import asyncio
from collections.abc import Sequence
from uuid import UUID

import msgspec
from sqlalchemy import Connection

from hub import config
from hub.commands.actions import operator
from hub.commands.fields import ACCESS, cause_words, field_word
from hub.commands.listing import check_database, joined, moment, show_table
from hub.decisions import duplicate_rulings
from hub.decisions.duplicates import Alike
from hub.entry_views import EntryView, RecordView, Step, view_of
from hub.home import HubHome, add_home_option, home_at
from hub.searching.search import Query, search
from hub.storage import store
from hub.volumes import CONTENTS_SHOWN_MAX, Content, Contents, Volume
from protocol.errors import Refused
from protocol.limits import SEARCH_HITS_MAX
from protocol.records import Record
from protocol.wording import Count, Text
from replication.command_line import EXIT_OK, EXIT_PROBLEM, Parsers, say, say_json, worded
from replication.database import Database
from replication.wall_clock import clock_ms

_HELP = "查看一条条目的全部内容、来源与相似条目 / one record: all fields, where they came from, what is like it"

_FIELD_HEADERS = (Text(zh="字段", en="field"), Text(zh="值", en="value"), Text(zh="来自", en="since"))
_HISTORY_HEADERS = (Text(zh="位置", en="position"), Text(zh="时间", en="when"), Text(zh="变化", en="what changed"))
_CONTENTS_HEADERS = (
    Text(zh="档号", en="reference code"),
    Text(zh="题名", en="title"),
    Text(zh="日期", en="date"),
    Text(zh="开放状态", en="access"),
    Text(zh="条目标识", en="record"),
)
_ALIKE_HEADERS = (
    Text(zh="站点", en="site"),
    Text(zh="档号", en="reference code"),
    Text(zh="题名", en="title"),
    Text(zh="相同之处", en="agrees in"),
    Text(zh="条目标识", en="record"),
)


def add(parsers: Parsers) -> None:
    """Add the command."""
    parser = parsers.add_parser("record", help=_HELP, description=_HELP)
    add_home_option(parser)
    parser.add_argument("id", metavar="ID", help="条目标识或档号 / record id, or its reference code")
    choice = parser.add_mutually_exclusive_group()
    choice.add_argument("--apart", metavar="OTHER", help="判定两条不是同一件 / decide that two are different things")
    choice.add_argument("--together", metavar="OTHER", help="撤销上述判定 / reverse such a decision")
    parser.add_argument("--by", default="", metavar="WHO", help="判定人（默认当前用户）/ who decides")
    parser.add_argument("--json", action="store_true", help="输出 JSON / print JSON")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Print a record, or note a decision about two."""
    home = home_at(args.home)
    config.load(home.settings)
    check_database(home)
    other = args.apart or args.together
    if other:
        changed = asyncio.run(decided(home, args.id, other, args.by, apart=args.apart is not None))
        say(_DECIDED if changed else _AS_BEFORE)
        return EXIT_OK
    view = asyncio.run(looked_up(home, args.id))
    if args.json:
        say_json(view)
    else:
        for entry in view.entries:
            _print(entry)
        _print_decisions(view)
    return EXIT_OK if view.entries else EXIT_PROBLEM


_DECIDED = Text(zh="已记录。", en="Noted.")
_AS_BEFORE = Text(zh="与原有判定相同，没有变化。", en="Nothing changed: it was so before.")


async def looked_up(home: HubHome, named: str) -> RecordView:
    """Return all that the hub holds of a record, named by its id or its reference code.

    Raises:
        Refused: nothing is known under this name, or several records share the reference code.

    """
    async with store.opened(home, read_only=True) as database:
        return await database.read(lambda connection: view_of(connection, record_named(connection, named)))


async def decided(home: HubHome, one: str, other: str, by: str, *, apart: bool) -> bool:
    """Note that two records are different things, or reverse that; False if it was so before.

    ``by`` is a name that was typed; the audit log names the account of the machine.
    """
    now_ms = clock_ms()
    decide = duplicate_rulings.tell_apart if apart else duplicate_rulings.bring_together

    def step(connection: Connection) -> bool:
        ids = record_named(connection, one), record_named(connection, other)
        return decide(connection, operator(), *ids, now_ms, by)

    database: Database
    async with store.opened(home) as database:
        return await database.write(step)


def record_named(connection: Connection, named: str) -> UUID:
    """Return the id of the record that somebody named; raises ``Refused`` as ``looked_up``."""
    try:
        return UUID(named)
    except ValueError:
        page = search(connection, Query(words=f'"{named}"', limit=SEARCH_HITS_MAX))
    found = {
        hit.record.record_id: hit
        for hit in page.hits
        if named in (hit.record.ref_code, hit.record.ref_code_as_given, *(alias.code for alias in hit.record.aliases))
    }
    if len(found) == 1:
        return next(iter(found))
    if not found:
        raise Refused(
            Text(zh=f"没有条目标识或档号为 {named} 的条目。", en=f"no record has the id or reference code {named}"),
            Text(zh="可先用 search 查找。", en="Find it with search first."),
        )
    listed = ", ".join(f"{hit.record.record_id} ({hit.site})" for hit in found.values())
    raise Refused(
        Text(
            zh=f"档号 {named} 有 {len(found)} 条：{listed}",
            en=f"{Count(len(found)):record shares|records share} {named}: {listed}",
        ),
        Text(zh="请改用条目标识。", en="Name the record by its id."),
    )


# Words


def _print(entry: EntryView) -> None:
    say(
        Text(
            zh=f"{entry.site} {entry.site_name}  {entry.ref_code}",
            en=f"{entry.site} {entry.site_name}  {entry.ref_code}",
        )
    )
    if entry.record is None:
        cause = cause_words(entry.withdrawn) if entry.withdrawn else Text(zh="内容尚不可读", en="not readable yet")
        say(Text(zh=f"已撤出目录：{cause.zh}", en=f"not in the catalogue: {cause.en}"))
    else:
        show_table(_FIELD_HEADERS, _field_rows(entry, entry.record))
        say(
            Text(
                zh=f"所有 {entry.owner}；保管 {entry.custodian}；利用决定 {entry.releaser}",
                en=f"owned by {entry.owner}; kept by {entry.custodian}; released by {entry.releaser}",
            )
        )
    if entry.volume is not None:
        _print_volume(entry.volume)
    if entry.contents.total:
        _print_contents(entry.contents)
    if entry.history:
        show_table(_HISTORY_HEADERS, [_step_row(step) for step in entry.history])
    if entry.conflicts:
        say(Text(zh=f"有 {entry.conflicts} 处历史冲突", en=f"{entry.conflicts} contradictions in its history"))
    if entry.alike:
        show_table(_ALIKE_HEADERS, [_alike_row(like) for like in entry.alike])


def _print_volume(volume: Volume) -> None:
    named = f"{volume.ref_code} {volume.title}".strip() or str(volume.record_id)
    if volume.is_listed:
        say(Text(zh=f"所在案卷：{named}（{volume.record_id}）", en=f"in the volume {named} ({volume.record_id})"))
    else:
        say(Text(zh=f"所在案卷：{named}（不在目录中）", en=f"in the volume {named}, which is not in the catalogue"))


def _print_contents(contents: Contents) -> None:
    zh, en = f"卷内 {contents.total} 件", f"{Count(contents.total):record|records} in this volume"
    if contents.total > len(contents.first):
        zh, en = f"{zh}（只列出前 {CONTENTS_SHOWN_MAX} 件）", f"{en} (the first {CONTENTS_SHOWN_MAX} are shown)"
    say(Text(zh=zh, en=en))
    show_table(_CONTENTS_HEADERS, [_content_row(one) for one in contents.first])


def _content_row(one: Content) -> Sequence[str]:
    return one.ref_code, one.title, one.date, worded(ACCESS[one.access_status]), str(one.record_id)


def _field_rows(entry: EntryView, record: Record) -> list[Sequence[str]]:
    rows: list[Sequence[str]] = []
    for field, value in msgspec.to_builtins(record).items():
        origin = entry.fields.get(field, entry.first)
        shown = worded(ACCESS[entry.access_status]) if field == "access_status" else _shown(value)
        rows.append((worded(field_word(field)), shown, f"{origin.seq} · {moment(origin.at_ms)}"))
    return rows


def _shown(value: object) -> str:
    if isinstance(value, list):
        return worded(Text(zh="；", en="; ")).join(_shown(one) for one in value)
    if isinstance(value, dict):
        return " ".join(f"{name}={_shown(one)}" for name, one in value.items())
    return str(value)


def _step_row(step: Step) -> Sequence[str]:
    if step.kind == "withdrawn":
        words = worded(cause_words(step.what))
    else:
        words = joined(worded(field_word(field)) for field in step.what.split(",") if field)
    return f"{step.epoch}/{step.seq}", moment(step.at_ms), words


def _alike_row(like: Alike) -> Sequence[str]:
    agrees = joined(worded(field_word(proof.value)) for proof in like.evidence)
    return (
        like.site,
        like.record.ref_code,
        like.record.title,
        f"{agrees}{worded(_APART) if like.apart else ''}",
        str(like.record.record_id),
    )


_APART = Text(zh="（已判定不是同一件）", en=" (decided: different things)")


def _print_decisions(view: RecordView) -> None:
    for one in view.decisions:
        other = one.second if one.first == view.record_id else one.first
        when = moment(one.decided_at_ms)
        zh = f"{when} {one.decided_by} 判定与 {other} 不是同一件"
        en = f"{when} {one.decided_by} decided that {other} is a different thing"
        if one.reversed_at_ms is not None:
            zh += f"，{moment(one.reversed_at_ms)} 由 {one.reversed_by} 撤销"
            en += f", reversed {moment(one.reversed_at_ms)} by {one.reversed_by}"
        say(Text(zh=zh, en=en))
