"""``danglian-hub holdings``: what the archive keeps in files, how sound it is, its copies, the accession register."""

import argparse
import asyncio
from collections.abc import Sequence

import msgspec
from sqlalchemy import Connection

from hub import config
from hub.backup.backup_settings import KIND_WORDS, TargetKind
from hub.backup.backup_targets import Presence, prepare, presence_of
from hub.commands.listing import check_database, moment, show_table
from hub.config import HubConfig
from hub.home import HubHome, add_home_option, home_at
from hub.keeping import accessions, held_files
from hub.keeping.accessions import Accession
from hub.keeping.fixity import Found, examined
from hub.keeping.held_copies import go_over
from hub.keeping.held_files import HeldFile, HeldState, HeldTally, HoldingRun
from hub.keeping.keeping_findings import known, sentences
from hub.keeping.keeping_settings import HoldingCopy
from hub.storage import store
from protocol.errors import BadSetting, BadValue
from protocol.wording import Count, Text
from replication.command_line import EXIT_OK, EXIT_PROBLEM, Parsers, say, say_json, worded
from replication.database import Database
from replication.progress import progress
from replication.wall_clock import clock_ms

PAGE_FILES = 200
"""Files between two notes in the book."""

REGISTER_LINES = 50
"""Lines of the accession register in one list."""

SPOILT = (HeldState.DAMAGED, HeldState.MISSING)

_HELP = "馆藏文件：核验、修复、副本、进馆登记 / held files: fixity, repair, copies, accessions"
_DESCRIPTION = """馆藏文件（移交进馆的扫描件等）按站点与移交编号存放，进馆后不可更改。
守护进程在 fixity-days 内把每个文件均匀地重读核验一遍，损坏的用完好的副本自动替换。
副本在 hub.toml 的 [[holdings.copy]] 中列出：本馆一份之外，再在线一份、离线一份、异地一份。
在线副本每夜补齐，离线与异地副本接上后用 copy。新副本先用 prepare 建立标记。

Held files (the scans of transfers) lie by site and transfer and never change once they are in. The daemon reads each of
them again within fixity-days, spread evenly, and puts a spoilt one back from a sound copy. Copies stand in hub.toml
under [[holdings.copy]]: beside the holdings one more online, one offline, one off-site. The daemon goes over online
copies every night; plug in another one and run copy. A new one is made ready with prepare.

  danglian-hub holdings                       what is held, what is wrong, the copies
  danglian-hub holdings register              the accession register
  danglian-hub holdings verify                read every held file now, and put back what is spoilt
  danglian-hub holdings repair                only those that were found spoilt
  danglian-hub holdings prepare --to usb      make a new copy's disk ready
  danglian-hub holdings copy --to usb         write what is missing there, and read all of it back
"""


class ListedCopy(msgspec.Struct, frozen=True, kw_only=True):
    """One copy as the list shows it."""

    name: str
    kind: TargetKind
    path: str
    presence: Presence
    alarm_days: int
    last_whole: HoldingRun | None


class Listing(msgspec.Struct, frozen=True, kw_only=True):
    """What ``holdings list`` prints as JSON."""

    path: str
    held: HeldTally
    copies: list[ListedCopy]
    findings: list[Text]
    spoilt: list[HeldFile]


class Examined(msgspec.Struct, frozen=True, kw_only=True):
    """What ``verify`` and ``repair`` print as JSON."""

    looked_at: int
    sound: int
    repaired: int
    spoilt: list[HeldFile]


def add(parsers: Parsers) -> None:
    """Add the command."""
    parser = parsers.add_parser(
        "holdings", help=_HELP, description=_DESCRIPTION, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add_home_option(parser)
    parser.add_argument(
        "action",
        nargs="?",
        choices=("list", "register", "verify", "repair", "copy", "prepare"),
        default="list",
        help="list 列出（默认）、register 进馆登记、verify 核验、repair 修复、copy 补齐副本、prepare 准备新副本"
        " / what to do (default: list)",
    )
    parser.add_argument("--to", action="append", default=[], metavar="NAME", help="只对这些副本 / only these copies")
    parser.add_argument("--json", action="store_true", help="输出 JSON / print JSON")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Do it; return 1 if a held file or a copy is not sound.

    Raises:
        BadSetting: there is no database, or no copy is named in the settings.
        BadValue: no copy has that name.

    """
    home = home_at(args.home)
    settings = config.load(home.settings)
    check_database(home)
    if args.action == "list":
        return _list(home, settings, as_json=args.json)
    if args.action == "register":
        return _register(home, as_json=args.json)
    if args.action in {"verify", "repair"}:
        return _examine(home, settings, as_json=args.json, only_spoilt=args.action == "repair")
    copies = _named(settings, args.to)
    if args.action == "prepare":
        return _prepare(settings, copies, as_json=args.json)
    return _copy(home, settings, copies, as_json=args.json)


def _named(settings: HubConfig, names: Sequence[str]) -> tuple[HoldingCopy, ...]:
    if not settings.holdings.copy:
        raise BadSetting(
            Text(zh="hub.toml 中没有馆藏副本", en="hub.toml names no copy of the holdings"),
            Text(
                zh="请按 deploy/hub.example.toml 添加 [[holdings.copy]]。",
                en="Add [[holdings.copy]] as the example does.",
            ),
        )
    there = {one.name: one for one in settings.holdings.copy}
    for name in names:
        if name not in there:
            raise BadValue(
                Text(zh=f"没有名为 {name} 的副本", en=f"there is no copy {name}"),
                Text(zh=f"可用：{'、'.join(there)}", en=f"There are: {', '.join(there)}"),
            )
    return tuple(there[name] for name in names) or settings.holdings.copy


def _list(home: HubHome, settings: HubConfig, *, as_json: bool) -> int:
    found = asyncio.run(listed(home, settings))
    if as_json:
        say_json(found)
        return EXIT_PROBLEM if found.spoilt else EXIT_OK
    held = found.held
    say(
        Text(
            zh=f"馆藏文件 {held.files} 个，{held.size_bytes / 2**30:.3f} GB；"
            f"最早的核验在 {moment(held.oldest_sound_at_ms)}",
            en=f"{Count(held.files):held file|held files}, {held.size_bytes / 2**30:.3f} GB; the oldest verification"
            " is of"
            f" {moment(held.oldest_sound_at_ms)}",
        )
    )
    show_table(_COPY_HEADERS, [_copy_cells(one) for one in found.copies])
    if found.spoilt:
        show_table(_FILE_HEADERS, [_file_cells(one) for one in found.spoilt])
    for text in found.findings:
        say(text)
    return EXIT_PROBLEM if found.spoilt else EXIT_OK


async def listed(home: HubHome, settings: HubConfig) -> Listing:
    """Read what is held, whether the daemon runs or not."""

    def step(connection: Connection) -> Listing:
        here = known(connection, settings.holdings)
        return Listing(
            path=str(settings.holdings.place(home.root)),
            held=held_files.tally(connection),
            copies=[
                ListedCopy(
                    name=one.name,
                    kind=one.kind,
                    path=one.path,
                    presence=presence_of(one.as_target, settings.county),
                    alarm_days=one.alarm_days,
                    last_whole=here.last_whole.get(one.name),
                )
                for one in settings.holdings.copy
            ],
            findings=sentences(settings.holdings, here, clock_ms()),
            spoilt=held_files.page_after(connection, ("", "", ""), PAGE_FILES, SPOILT),
        )

    async with store.opened(home, read_only=True) as database:
        return await database.read(step)


def _register(home: HubHome, *, as_json: bool) -> int:
    async def read() -> list[Accession]:
        async with store.opened(home, read_only=True) as database:
            return await database.read(lambda connection: accessions.accessions(connection, REGISTER_LINES))

    lines = asyncio.run(read())
    if as_json:
        say_json({"accessions": [{"code": one.code, **msgspec.to_builtins(one)} for one in lines]})
    else:
        show_table(_REGISTER_HEADERS, [_register_cells(one) for one in lines])
    return EXIT_OK


def _examine(home: HubHome, settings: HubConfig, *, as_json: bool, only_spoilt: bool) -> int:
    found = asyncio.run(examine(home, settings, only_spoilt=only_spoilt))
    if as_json:
        say_json(found)
    else:
        if found.spoilt:
            show_table(_FILE_HEADERS, [_file_cells(one) for one in found.spoilt])
        say(
            Text(
                zh=f"核验 {found.looked_at} 个：完好 {found.sound}，其中由副本修复 {found.repaired}；"
                f"仍损坏或缺失 {len(found.spoilt)}",
                en=f"{found.looked_at} read: {found.sound} sound, {found.repaired} of them put back from a copy;"
                f" {len(found.spoilt)} still spoilt",
            )
        )
    return EXIT_PROBLEM if found.spoilt else EXIT_OK


async def examine(home: HubHome, settings: HubConfig, *, only_spoilt: bool) -> Examined:
    """Read held files and put back what is spoilt, beside the daemon or without it."""
    looked_at = sound = repaired = 0
    spoilt: list[HeldFile] = []
    root = settings.holdings.place(home.root)
    states = SPOILT if only_spoilt else ()
    async with store.opened(home) as database:
        total = (await database.read(held_files.tally)).files
        after = ("", "", "")
        with progress(Text(zh="核验", en="verifying"), total) as bar:
            while page := await database.read(
                lambda connection, behind=after: held_files.page_after(connection, behind, PAGE_FILES, states)  # type: ignore[misc]
            ):
                for held in page:
                    found = await asyncio.to_thread(examined, held, root, settings.holdings.copy, settings.county)
                    await _note(database, found)
                    looked_at, repaired = looked_at + 1, repaired + bool(found.repaired_from)
                    sound += found.state is HeldState.SOUND
                    if found.state is not HeldState.SOUND:
                        spoilt.append(msgspec.structs.replace(held, state=found.state))
                    bar.add(1)
                after = (page[-1].site, page[-1].bundle, page[-1].path)
    return Examined(looked_at=looked_at, sound=sound, repaired=repaired, spoilt=spoilt)


async def _note(database: Database, found: Found) -> None:
    at_ms = clock_ms()
    await database.write(
        lambda connection: held_files.note_look(connection, found.held, found.state, at_ms, found.repaired_from)
    )


def _prepare(settings: HubConfig, copies: Sequence[HoldingCopy], *, as_json: bool) -> int:
    for one in copies:
        prepare(one.as_target, settings.county, clock_ms())
        if not as_json:
            say(Text(zh=f"{one.name}：{one.path} 可用于馆藏副本", en=f"{one.name}: {one.path} is ready for a copy"))
    if as_json:
        say_json({"prepared": [one.name for one in copies]})
    return EXIT_OK


def _copy(home: HubHome, settings: HubConfig, copies: Sequence[HoldingCopy], *, as_json: bool) -> int:
    runs = [asyncio.run(copy(home, settings, one)) for one in copies]
    if as_json:
        say_json({"runs": runs})
    for run_ in () if as_json else runs:
        say(
            Text(
                zh=f"{run_.target}：共 {run_.files} 个，新写 {run_.copied}，"
                f"回读完好 {run_.verified}，有问题 {run_.faulty}",
                en=f"{run_.target}: {Count(run_.files):file|files}, {run_.copied} written, {run_.verified} read back"
                " and sound,"
                f" {run_.faulty} not",
            )
        )
    return EXIT_PROBLEM if any(one.faulty for one in runs) else EXIT_OK


async def copy(home: HubHome, settings: HubConfig, target: HoldingCopy) -> HoldingRun:
    """Go over one copy."""
    async with store.opened(home) as database:
        root = settings.holdings.place(home.root)
        total = (await database.read(held_files.tally)).files
        with progress(Text(zh=f"副本 {target.name}", en=f"copy {target.name}"), total) as bar:
            done_before = 0

            def advance(done: int, _total: int) -> None:
                nonlocal done_before
                bar.add(done - done_before)
                done_before = done

            return await go_over(database, root, target, settings.county, clock_ms, advance)


_COPY_HEADERS = (
    Text(zh="副本", en="copy"),
    Text(zh="类别", en="kind"),
    Text(zh="位置", en="place"),
    Text(zh="状态", en="state"),
    Text(zh="最近完整核验", en="last found whole"),
    Text(zh="文件", en="files"),
)
_PRESENCES = {
    Presence.PRESENT: Text(zh="已接入", en="there"),
    Presence.ABSENT: Text(zh="未接入", en="not there"),
    Presence.FOREIGN: Text(zh="不是本副本", en="another's"),
}
_FILE_HEADERS = (
    Text(zh="站点", en="site"),
    Text(zh="移交", en="bundle"),
    Text(zh="文件", en="file"),
    Text(zh="状态", en="state"),
    Text(zh="最近完好于", en="last sound"),
)
_STATES = {
    HeldState.SOUND: Text(zh="完好", en="sound"),
    HeldState.DAMAGED: Text(zh="损坏", en="damaged"),
    HeldState.MISSING: Text(zh="缺失", en="missing"),
}
_REGISTER_HEADERS = (
    Text(zh="登记号", en="number"),
    Text(zh="登记时间", en="registered"),
    Text(zh="移交单位", en="from"),
    Text(zh="性质", en="nature"),
    Text(zh="内容", en="content"),
    Text(zh="全宗号", en="fonds"),
    Text(zh="卷", en="volumes"),
    Text(zh="件", en="items"),
    Text(zh="文件", en="files"),
    Text(zh="登记人", en="by"),
)


def _copy_cells(one: ListedCopy) -> tuple[str, ...]:
    last = one.last_whole
    whole = (moment(last.ended_at_ms), str(last.files)) if last is not None else ("—", "—")
    return one.name, worded(KIND_WORDS[one.kind]), one.path, worded(_PRESENCES[one.presence]), *whole


def _file_cells(one: HeldFile) -> tuple[str, ...]:
    return one.site, one.bundle, one.path, worded(_STATES[one.state]), moment(one.sound_at_ms)


def _register_cells(one: Accession) -> tuple[str, ...]:
    said = one.content
    counts = (str(said.volumes), str(said.items), str(said.files))
    return (
        one.code,
        moment(one.registered_at_ms),
        one.site,
        said.nature,
        said.title,
        said.fonds_no,
        *counts,
        said.registered_by,
    )
