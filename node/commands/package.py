"""``danglian-node package check``: checks a package of a transfer by hand and says in plain words what to mend."""

import argparse
import importlib.metadata
import sys
import tempfile
import uuid
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from typing import Final, Self

import msgspec

from node.commands.package_export import add_export
from protocol.check_reports import CheckReport, ReportHead
from protocol.check_results import OUTCOME_WORDS, CheckResult, Outcome, RuleTally, Standing
from protocol.check_rules import DIMENSION_WORDS, CheckRules
from protocol.county_time import day_of
from protocol.errors import BadSetting
from protocol.package_facts import Looked, PackageFacts
from protocol.wording import Text
from replication.checks.pdfa_validator import installed_validator
from replication.checks.reports import results_of, write_report
from replication.checks.rule_table import default_rules, phase_of, read_rules, rules_digest
from replication.checks.running import check
from replication.checks.survey import CheckStage, CheckTools
from replication.checks.virus_scanner import VirusScanner, scanner_address
from replication.command_line import EXIT_OK, EXIT_PROBLEM, Parsers, language, say, say_json
from replication.packages.bag_checking import bag_digest
from replication.progress import Progress, progress
from replication.wall_clock import clock_ms

ITEMS_SHOWN_MAX = 5
"""Items that are named for one thing to mend; the report has all."""

FAULTS_PRINTED_MAX = 10_000
"""Results that ``--json`` prints; the report has all."""

BY_HAND: Final = "by hand"
"""Who checked, where no site did."""

_HELP = "检测一个移交包，说明哪里要改；导出为 EEP · check a package of a transfer and say what to mend; export it"
_CHECK_HELP = "四性检测（DA/T 70）· the four-property checks"
_DESCRIPTION = """检测一个移交包：BagIt 包、规定的文件夹结构（文件目录.XML＋电子档案）、
由它们打成的 ZIP 或 TAR，或 EEP 封装包。
不改动任何文件；打成一个文件的包解压到系统临时文件夹，检测后删去。

列出每条不通过、待人工、未执行的规则，并说明该怎么改；“未执行”绝不算通过。退出码 0 表示全部必检项通过。

Check a package: a bag (BagIt), the official layout (文件目录.XML with 电子档案), either of them in one ZIP or
TAR, or an EEP file. Nothing is changed; what came as one file is unpacked in the system's temporary folder, and removed
afterwards.
Every rule that failed, waits for a person, or has not run is listed with what to do; "not run" is never "passed".
Exit code 0: every mandatory rule has passed.
"""


class PackageAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """What ``--json`` prints: the report, and the results that stand in the way."""

    report: CheckReport
    faults: tuple[CheckResult, ...]


def add(parsers: Parsers) -> None:
    """Add the command."""
    parser = parsers.add_parser("package", help=_HELP, description=_DESCRIPTION)
    commands = parser.add_subparsers(title="命令 · commands", metavar="COMMAND", required=True)
    checking = commands.add_parser(
        "check", help=_CHECK_HELP, description=_DESCRIPTION, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    checking.add_argument("path", type=Path, metavar="PATH", help="移交包 · the package")
    checking.add_argument(
        "--phase",
        default="GD",
        metavar="GD|YJ|CQ",
        help="归档、移交与接收、长期保存；默认 GD · filing, transfer, keeping",
    )
    checking.add_argument("--rules", type=Path, metavar="FILE", help="本县的规则表（TOML）· the county's rules")
    checking.add_argument(
        "--scanner",
        metavar="ADDRESS",
        help="病毒查杀程序 clamd 的地址 · where clamd listens: tcp:127.0.0.1:3310, unix:/…",
    )
    checking.add_argument("--report", type=Path, metavar="FILE", help="把逐项记录写入此文件 · write every result here")
    checking.add_argument(
        "--looked",
        action="append",
        default=[],
        metavar="RULE[:ITEM]=passed|failed",
        help="人工看过的结果，只用于“待人工”的项；不写 ITEM 则为全部 · what a person found, for what reads manual",
    )
    checking.add_argument("--by", default="", metavar="NAME", help="看的人 · who looked")
    checking.add_argument("--json", action="store_true", help="输出 JSON · print JSON")
    checking.set_defaults(run=run)
    add_export(commands)


def run(args: argparse.Namespace) -> int:
    """Check a package; 1 unless every mandatory rule has passed.

    Raises:
        BadSetting: table, phase, address, or what a person found cannot be read.

    """
    rules = default_rules() if args.rules is None else read_rules(args.rules)
    phase = phase_of(args.phase)
    scanner = VirusScanner(scanner_address(args.scanner)) if args.scanner else None
    tools = CheckTools(scanner=scanner, validator=installed_validator())
    facts = PackageFacts(
        today=day_of(clock_ms()),
        looked=tuple(_looked(said, args.by, rules) for said in args.looked),
    )
    head = ReportHead(
        report_id=uuid.uuid4(),
        package=bag_digest(args.path) if args.path.is_dir() else "",
        phase=phase,
        checked_by=BY_HAND,
        rules_digest=rules_digest(rules),
        program=f"danglian {importlib.metadata.version('danglian')}",
        started_at_ms=clock_ms(),
    )
    with tempfile.TemporaryDirectory() as folder:
        path = args.report or Path(folder) / "report.jsonl"
        workplace = Path(folder) / "unpacked"
        workplace.mkdir()
        with _Bars() as bars:
            results = check(args.path, facts, rules, phase, bars.tell, tools=tools, workplace=workplace)
            report = write_report(path, head, results, rules, clock_ms)
        _tell(report, path, rules, as_json=args.json)
    return EXIT_OK if report.end.verdict.standing is Standing.PASSED else EXIT_PROBLEM


def _looked(said: str, by: str, rules: CheckRules) -> Looked:
    """Read what a person found: ``content_open:电子档案/a.mp4=passed``."""
    what, _, outcome = said.rpartition("=")
    rule, _, item = what.partition(":")
    if rule not in rules.by_id or outcome not in {Outcome.PASSED, Outcome.FAILED} or not by:
        raise BadSetting(
            Text(
                zh=f"人工结果“{said}”无法识别，或没有写明是谁看的", en=f"{said!r} cannot be read, or nobody has looked"
            ),
            Text(
                zh="写成 --looked content_open:电子档案/a.mp4=passed --by 张三。",
                en="Write --looked content_open:电子档案/a.mp4=passed --by NAME.",
            ),
        )
    return Looked(rule=rule, item=item, outcome=Outcome(outcome), by=by, at_ms=clock_ms())


_STANDING_WORDS: Final = {
    Standing.PASSED: Text(zh="全部必检项通过。", en="Every mandatory rule has passed."),
    Standing.FAILED: Text(
        zh="不通过：请按上面所列改正后重新检测。", en="Failed: mend what is listed, then check again."
    ),
    Standing.UNPROVEN: Text(
        zh="尚不能判定：有必检项未执行或待人工。",
        en="Not proven: mandatory rules have not run or wait for a person.",
    ),
}
_STAGE_WORDS: Final = {
    CheckStage.FIXITY: Text(zh="核对摘要", en="digests"),
    CheckStage.FILES: Text(zh="检测文件", en="files"),
    CheckStage.ENTRIES: Text(zh="检测条目", en="entries"),
    CheckStage.PACKAGE: Text(zh="检测整包", en="package"),
}


class _Bars:
    """One bar after the other, as the stages come."""

    def __init__(self) -> None:
        self._stage: CheckStage | None = None
        self._shown: Progress | None = None
        self._done = 0
        self._leave: Callable[[], object] = lambda: None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self._leave()

    def tell(self, stage: CheckStage, done: int, total: int) -> None:
        if stage is not self._stage or self._shown is None:
            self._leave()
            bar = progress(_STAGE_WORDS[stage], total)
            self._shown, self._stage, self._done = bar.__enter__(), stage, 0
            self._leave = lambda: bar.__exit__(None, None, None)
        self._shown.add(done - self._done)
        self._done = done


def _tell(report: CheckReport, path: Path, rules: CheckRules, *, as_json: bool) -> None:
    if as_json:
        in_the_way = {tally.rule for tally in report.end.verdict.standing_in_the_way()}
        found = (one for one in results_of(path) if one.rule in in_the_way and _is_open(one))
        say_json(PackageAnswer(report=report, faults=tuple(islice(found, FAULTS_PRINTED_MAX))))
        return
    sys.stdout.write("\n".join(_lines(report, path, rules)) + "\n")
    say(_STANDING_WORDS[report.end.verdict.standing])


def _is_open(result: CheckResult) -> bool:
    return result.outcome not in {Outcome.PASSED, Outcome.NOT_APPLICABLE}


def _lines(report: CheckReport, path: Path, rules: CheckRules) -> Iterator[str]:
    """Yield the table of rules, then what to mend, the mandatory first."""
    spoken = language()
    mends: dict[tuple[str, Outcome, Text], list[CheckResult]] = {}
    counts: dict[tuple[str, Outcome, Text], int] = {}
    for result in results_of(path):
        if _is_open(result):
            key = (result.rule, result.outcome, result.remedy)
            counts[key] = counts.get(key, 0) + 1
            if counts[key] <= ITEMS_SHOWN_MAX:
                mends.setdefault(key, []).append(result)
    for tally in report.end.verdict.tallies:
        yield _row(tally, rules, spoken)
    order = sorted(mends, key=lambda key: (not rules.is_mandatory(key[0], report.head.phase), _ORDER.index(key[1])))
    for key in order:
        rule, outcome, remedy = key
        yield ""
        must = _MANDATORY.in_language(spoken) if rules.is_mandatory(rule, report.head.phase) else ""
        found = OUTCOME_WORDS[outcome].in_language(spoken)
        yield f"【{found}】{_name(rule, rules, spoken)} × {counts[key]} {must}".rstrip()
        for one in mends[key]:
            yield f"  · {' '.join(filter(None, (one.entry, one.path)))} {one.evidence.in_language(spoken)}".replace(
                "·  ", "· "
            )
        if counts[key] > ITEMS_SHOWN_MAX:
            yield f"  · … {counts[key] - ITEMS_SHOWN_MAX}"
        if said := remedy.in_language(spoken):
            yield f"  → {said}"
    yield ""


_MANDATORY: Final = Text(zh="（必检）", en="(mandatory)")
_ORDER: Final = (Outcome.FAILED, Outcome.MANUAL, Outcome.NOT_RUN)


def _row(tally: RuleTally, rules: CheckRules, spoken: str) -> str:
    marks = {Standing.PASSED: "✓", Standing.FAILED: "✗", Standing.UNPROVEN: "?"}
    rule = rules.by_id.get(tally.rule)
    dimension = DIMENSION_WORDS[rule.dimension].in_language(spoken) if rule else ""
    counts = "  ".join(
        f"{OUTCOME_WORDS[outcome].in_language(spoken)} {tally.counts[outcome]}"
        for outcome in Outcome
        if tally.counts.get(outcome)
    )
    must = "*" if tally.mandatory else " "
    return f"{marks[tally.standing]}{must} {dimension}  {_name(tally.rule, rules, spoken)}  {counts}"


def _name(rule: str, rules: CheckRules, spoken: str) -> str:
    known = rules.by_id.get(rule)
    return known.name.in_language(spoken) if known else rule
