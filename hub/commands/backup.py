"""``danglian-hub backup``: makes backups beside the running hub, lists them, reads them back, readies new targets."""

import argparse
from collections.abc import Sequence
from pathlib import Path

import msgspec

from hub import config
from hub.backup import backing_up, backups
from hub.backup.backing_up import Outcome
from hub.backup.backup_settings import KIND_WORDS, BackupTarget, TargetKind
from hub.backup.backup_targets import Presence, prepare, presence_of
from hub.backup.backups import BackupFinding, KeptBackup, backup_findings
from hub.backup.examining import Examination
from hub.commands.listing import check_database, moment, show_table
from hub.commands.stages import shown
from hub.config import HubConfig
from hub.home import HubHome, add_home_option, home_at
from protocol.errors import BadSetting, BadValue, DanglianError
from protocol.wording import Count, Text
from replication.command_line import EXIT_OK, EXIT_PROBLEM, Parsers, say, say_json, worded
from replication.wall_clock import clock_ms

_HELP = "备份：制作、列出、核验 / make, list and verify backups"
_DESCRIPTION = """不停机备份整个枢纽：数据库、密钥、证书、设置。目标在 hub.toml 的 [[backup.target]] 中列出；
新目标先用 prepare 建立标记，没有标记的文件夹视为未接入。在线目标由守护进程每夜备份，离线与异地目标接上后用本命令备份。
每份备份写完即回读核验；旧备份按 keep 清理，最近一份核验过的备份始终保留。备份中有密钥，请妥善保管目标磁盘。

Backs up a hub that goes on working: database, keys, certificates, settings. Targets stand in hub.toml under
[[backup.target]]; a new one is made ready with prepare, and a folder without that mark counts as not plugged in. The
daemon writes online targets every night; plug in an offline or off-site one and run this. Each backup is read back
once it is written. Old ones go by keep, the last verified one never does. A backup holds keys: guard its disk.

  danglian-hub backup prepare --to usb     make a new target ready
  danglian-hub backup                      back up to every target that is there
  danglian-hub backup list                 what there is, how old, and what is wrong
  danglian-hub backup verify --all --deep  read every backup back, every record of it
"""

_PRESENCES = {
    Presence.PRESENT: Text(zh="已接入", en="there"),
    Presence.ABSENT: Text(zh="未接入", en="not there"),
    Presence.FOREIGN: Text(zh="不是本目标", en="another's"),
}


class ListedTarget(msgspec.Struct, frozen=True, kw_only=True):
    """One target as `backup list` shows it."""

    name: str
    kind: TargetKind
    path: str
    presence: Presence
    keep: int
    alarm_days: int
    last_verified: KeptBackup | None
    age_days: float | None
    backups: tuple[KeptBackup, ...]


class Listing(msgspec.Struct, frozen=True, kw_only=True):
    """What `backup list` prints as JSON."""

    targets: list[ListedTarget]
    last_drill: backups.Drill | None
    last_good_drill: backups.Drill | None
    findings: list[BackupFinding]


def add(parsers: Parsers) -> None:
    """Add the command."""
    parser = parsers.add_parser(
        "backup", help=_HELP, description=_DESCRIPTION, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add_home_option(parser)
    parser.add_argument(
        "action",
        nargs="?",
        choices=("run", "list", "verify", "prepare"),
        default="run",
        help="run 备份（默认）、list 列出、verify 核验、prepare 准备新目标 / what to do (default: run)",
    )
    parser.add_argument(
        "--to",
        action="append",
        default=[],
        metavar="NAME",
        help="只对这些目标，可重复 / only these targets, repeatable",
    )
    parser.add_argument("--all", action="store_true", help="verify：每一份，不只最近一份 / verify: every one")
    parser.add_argument("--deep", action="store_true", help="verify：逐条重算摘要 / verify: every record and index")
    parser.add_argument("--json", action="store_true", help="输出 JSON / print JSON")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Do it; return 1 if a target failed or a backup is damaged.

    Raises:
        BadSetting: there are no targets.
        BadValue: no target has that name.

    """
    home = home_at(args.home)
    settings = config.load(home.settings)
    targets = named(settings, args.to)
    if args.action == "list":
        return _list(home, settings, targets, as_json=args.json)
    if args.action == "prepare":
        return _prepare(settings, targets, as_json=args.json)
    check_database(home)
    if args.action == "verify":
        return _verify(home, settings, targets, args)
    return _back_up(home, settings, targets, args)


def named(settings: HubConfig, names: Sequence[str]) -> list[BackupTarget]:
    """Return the targets of these names, or all.

    Raises:
        BadSetting: there are none at all.
        BadValue: one has no such name.

    """
    if not settings.backup.target:
        raise BadSetting(
            Text(zh="hub.toml 中没有备份目标", en="hub.toml names no backup target"),
            Text(
                zh="请按 deploy/hub.example.toml 添加 [[backup.target]]。",
                en="Add [[backup.target]] as deploy/hub.example.toml shows.",
            ),
        )
    known = {one.name: one for one in settings.backup.target}
    for name in names:
        if name not in known:
            raise BadValue(
                Text(zh=f"没有名为 {name} 的备份目标", en=f"there is no backup target {name}"),
                Text(zh=f"现有：{'、'.join(known)}", en=f"There are: {', '.join(known)}"),
            )
    return [known[name] for name in names] or list(known.values())


def _back_up(home: HubHome, settings: HubConfig, targets: list[BackupTarget], args: argparse.Namespace) -> int:
    outcomes = []
    for target in targets:
        absent = presence_of(target, settings.county) is Presence.ABSENT
        if absent and target.kind is not TargetKind.ONLINE and target.name not in args.to:
            outcomes.append(Outcome(target=target.name, absent=True))
            continue
        try:
            with shown(target.name) as course:
                outcomes.append(backing_up.back_up(home, settings, target, clock_ms, course))
        except DanglianError as error:
            outcomes.append(Outcome(target=target.name, fault=error.reason, hint=error.hint))
    if args.json:
        say_json({"targets": outcomes})
    else:
        for outcome in outcomes:
            say(_told(outcome))
    return EXIT_PROBLEM if any(one.fault for one in outcomes) else EXIT_OK


def _told(outcome: Outcome) -> Text:
    if outcome.absent:
        return Text(zh=f"{outcome.target}：未接入，跳过", en=f"{outcome.target}: not plugged in, left out")
    if outcome.fault is not None and outcome.hint is not None:
        return Text(
            zh=f"{outcome.target}：失败，{outcome.fault.zh}。{outcome.hint.zh}",
            en=f"{outcome.target}: failed, {outcome.fault.en}. {outcome.hint.en}",
        )
    size, seconds = outcome.bytes / 2**20, outcome.took_s
    gone = len(outcome.pruned)
    return Text(
        zh=f"{outcome.target}：{outcome.backup} 已核验，{outcome.records} 条，{size:.1f} MiB，{seconds:.1f} 秒；"
        f"清理旧备份 {gone} 份",
        en=f"{outcome.target}: {outcome.backup} verified, {Count(outcome.records):record|records}, {size:.1f} MiB,"
        f" {seconds:.1f} s;"
        f" {gone} old ones removed",
    )


def _prepare(settings: HubConfig, targets: list[BackupTarget], *, as_json: bool) -> int:
    for target in targets:
        prepare(target, settings.county, clock_ms())
    if as_json:
        say_json({"prepared": [target.name for target in targets]})
        return EXIT_OK
    for target in targets:
        say(
            Text(zh=f"{target.name}：{target.path} 可用于备份", en=f"{target.name}: {target.path} is ready for backups")
        )
    return EXIT_OK


def _verify(home: HubHome, settings: HubConfig, targets: list[BackupTarget], args: argparse.Namespace) -> int:
    found: list[tuple[str, Examination]] = []
    for target in targets:
        if presence_of(target, settings.county) is Presence.ABSENT and target.name not in args.to:
            continue
        with shown(target.name) as course:
            examined = backing_up.verify(home, settings, target, clock_ms, course, every=args.all, deep=args.deep)
        found += [(target.name, one) for one in examined]
    if args.json:
        say_json({"backups": [{"target": name, **msgspec.to_builtins(one)} for name, one in found]})
    for name, one in [] if args.json else found:
        faults_zh, faults_en = "；".join(f.zh for f in one.faults), "; ".join(f.en for f in one.faults)
        say(
            Text(
                zh=f"{name}：{one.backup} {'完好' if one.is_sound else f'已损坏：{faults_zh}'}",
                en=f"{name}: {one.backup} {'sound' if one.is_sound else f'damaged: {faults_en}'}",
            )
        )
    if not found and not args.json:
        say(Text(zh="已接入的目标中没有备份。", en="No target that is there holds a backup."))
    return EXIT_OK if found and all(one.is_sound for _, one in found) else EXIT_PROBLEM


_HEADERS = (
    Text(zh="目标", en="target"),
    Text(zh="种类", en="kind"),
    Text(zh="状态", en="state"),
    Text(zh="份数", en="backups"),
    Text(zh="最近核验的备份", en="newest verified"),
    Text(zh="天数/上限", en="days/limit"),
    Text(zh="条目", en="records"),
    Text(zh="摘要", en="digest"),
    Text(zh="位置", en="path"),
)


def _list(home: HubHome, settings: HubConfig, targets: list[BackupTarget], *, as_json: bool) -> int:
    ledger, now = backups.read_ledger(home.backups), clock_ms()
    found = Listing(
        targets=[_listed(settings.county, target, ledger.of(target.name), now) for target in targets],
        last_drill=ledger.last_drill,
        last_good_drill=ledger.last_good_drill,
        findings=backup_findings(settings.backup, ledger, now),
    )
    if as_json:
        say_json(found)
        return EXIT_OK
    show_table(_HEADERS, [_cells(line) for line in found.targets])
    drill = found.last_good_drill
    when = moment(drill.at_ms if drill else None)
    took = f"（{drill.took_s:.1f} s）" if drill else ""
    say(Text(zh=f"最近成功的恢复演练：{when}{took}", en=f"last restore drill that succeeded: {when}{took}"))
    for finding in found.findings:
        say(finding.text)
    return EXIT_OK


def _listed(county: str, target: BackupTarget, known: backups.TargetLedger, now: int) -> ListedTarget:
    last = known.last_verified
    return ListedTarget(
        name=target.name,
        kind=target.kind,
        path=str(Path(target.path)),
        presence=presence_of(target, county),
        keep=target.keep,
        alarm_days=target.alarm_days,
        last_verified=last,
        age_days=None if last is None else round((now - last.made_at_ms) / backups.DAY_MS, 2),
        backups=known.backups,
    )


def _cells(line: ListedTarget) -> tuple[str, ...]:
    last = line.last_verified
    return (
        line.name,
        worded(KIND_WORDS[line.kind]),
        worded(_PRESENCES[line.presence]),
        str(len(line.backups)),
        "—" if last is None else moment(last.made_at_ms),
        "—" if line.age_days is None else f"{line.age_days:.1f}/{line.alarm_days}",
        "—" if last is None else str(last.records),
        "—" if last is None else last.digest[:12],
        line.path,
    )
