"""Running the checks: every rule of a phase over everything it speaks of, each leaving a trace.

A rule that breaks leaves the trace that it has not run, with the error named, and the next rule goes on: nothing that
a file holds can make a check pass by making it fail. What only a person can judge takes the person's word where there
is one (``PackageFacts.looked``), under that person's name.
"""

import importlib.metadata
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, closing
from functools import partial
from pathlib import Path
from typing import Final

import msgspec

from protocol.check_results import CheckResult, Outcome
from protocol.check_rules import CheckRule, CheckRules, Phase, Scope
from protocol.errors import BadFile, DanglianError, StorageFull
from protocol.judgements import OWN_TOOL, Judgement, failed, not_run
from protocol.package_facts import PackageFacts
from protocol.wording import Text
from replication import wall_clock
from replication.checks.entry_rules import ENTRY_CHECKS, EntryCheck
from replication.checks.file_rules import FILE_CHECKS, FileCheck, applies, no_files
from replication.checks.package_rules import PACKAGE_CHECKS, PackageCheck
from replication.checks.survey import CheckStage, CheckTools, Progress, Survey, looks
from replication.packages.opening import open_package

PERSON: Final = "person"
"""Tool of a judgement that a person made."""

ERROR_SHOWN_CHARS = 200
"""Characters of an unexpected error that the trace repeats."""

PACKAGE_STRUCTURE: Final = "package_structure"
"""The rule that fails where a package cannot be opened at all."""


class Checks(msgspec.Struct, frozen=True, kw_only=True):
    """What each rule does, by its id; tests put a broken one in its place."""

    entry: Mapping[str, EntryCheck]
    file: Mapping[str, FileCheck]
    package: Mapping[str, PackageCheck]


CHECKS: Final = Checks(entry=ENTRY_CHECKS, file=FILE_CHECKS, package=PACKAGE_CHECKS)
NO_TOOLS: Final = CheckTools()


def nobody(_stage: CheckStage, _done: int, _total: int) -> None:
    """Tell nobody."""


def check(  # noqa: PLR0913 - the parts of a check, each by its own name
    package: Path,
    facts: PackageFacts,
    rules: CheckRules,
    phase: Phase,
    progress: Progress = nobody,
    *,
    tools: CheckTools = NO_TOOLS,
    checks: Checks = CHECKS,
    workplace: Path | None = None,
    clock_ms: Callable[[], int] = wall_clock.clock_ms,
) -> Iterator[CheckResult]:
    """Apply every rule of a phase to a package and yield what each found, as it is found.

    Args:
        package: a bag, a folder in the official layout, either of them in one ZIP or TAR, or an EEP file.
        facts: what the caller knows beside the package.
        rules: the county's table.
        phase: filing, transfer, or keeping.
        progress: told how far it has come; it raises to stop, and what it raises is passed on.
        tools: programs beside ours.
        checks: what each rule does.
        workplace: an empty folder of the caller's own, for an EEP file or a package in one ZIP or TAR.
        clock_ms: time for the traces.

    """
    run = _Run(rules, facts, phase, checks, clock_ms)
    with ExitStack() as in_hand:
        try:
            survey = Survey(open_package(package, workplace), facts, rules.settings, tools)
            # Before the look: what cannot be read half way, or is stopped, is let go of like all else.
            in_hand.enter_context(closing(survey))
            survey.look(progress)
        except (BadFile, StorageFull, OSError) as error:
            yield from run.unopened(error)
            return
        yield from run.files(survey, progress)
        yield from run.entries(survey, progress)
        yield from run.package(survey, progress)


class _Run:
    """One run: it turns judgements into results."""

    def __init__(
        self, rules: CheckRules, facts: PackageFacts, phase: Phase, checks: Checks, clock_ms: Callable[[], int]
    ) -> None:
        self._rules = {scope: [rule for rule in rules.of(phase) if rule.scope is scope] for scope in Scope}
        self._all = rules.of(phase)
        self._looked = facts.looked_at()
        self._phase = phase
        self._checks = checks
        self._clock_ms = clock_ms
        self._version = importlib.metadata.version("danglian")

    def unopened(self, error: DanglianError | OSError) -> Iterator[CheckResult]:
        """Yield that nothing could be judged, and why."""
        if isinstance(error, DanglianError):
            reason, hint = error.reason, error.hint
        else:
            told = error.strerror or str(error)
            reason, hint = (
                Text(zh=f"读不出：{told}", en=f"cannot be read: {told}"),
                Text(zh="检查载体。", en="Look at it."),
            )
        for rule in self._all:
            is_fault = rule.id == PACKAGE_STRUCTURE and not isinstance(error, StorageFull)
            judged = failed(reason, hint) if is_fault else not_run(reason, hint)
            yield self._result(rule, judged)

    def files(self, survey: Survey, progress: Progress) -> Iterator[CheckResult]:
        """Yield what the rules on files find, file by file."""
        rules = self._rules[Scope.FILE]
        total, _ = survey.shelf.files.totals()
        for done, look in enumerate(looks(survey), 1):
            entry = look.entry.ref_code if look.entry is not None else ""
            for rule in rules:
                if applies(rule.id, look):
                    judge = self._checks.file.get(rule.id)
                    judged = self._judged(None if judge is None else partial(judge, look, survey))
                    yield self._result(rule, judged, entry=entry, path=look.file.path)
            progress(CheckStage.FILES, done, total)
        if not survey.shelf.files.totals(are_records=True)[0]:
            for rule in rules:
                yield self._result(rule, no_files())

    def entries(self, survey: Survey, progress: Progress) -> Iterator[CheckResult]:
        """Yield what the rules on entries find, entry by entry."""
        rules = self._rules[Scope.ENTRY]
        if not survey.shelf.entries:
            nothing = Text(zh="没有可检测的条目", en="there are no entries to judge")
            reason = survey.catalogue_fault.reason if survey.catalogue_fault else nothing
            for rule in rules:
                yield self._result(rule, not_run(reason))
        for number, entry in enumerate(survey.shelf.entries):
            for rule in rules:
                judge = self._checks.entry.get(rule.id)
                judged = self._judged(None if judge is None else partial(judge, entry, number, survey))
                yield self._result(rule, judged, entry=entry.ref_code or f"#{entry.sequence or number + 1}")
            progress(CheckStage.ENTRIES, number + 1, len(survey.shelf.entries))

    def package(self, survey: Survey, progress: Progress) -> Iterator[CheckResult]:
        """Yield what the rules on the package as a whole find."""
        rules = self._rules[Scope.PACKAGE]
        for done, rule in enumerate(rules, 1):
            judge = self._checks.package.get(rule.id)
            yield self._result(rule, self._judged(None if judge is None else partial(judge, survey)))
            progress(CheckStage.PACKAGE, done, len(rules))

    def _judged(self, judge: Callable[[], Judgement] | None) -> Judgement:
        """Apply one rule; whatever it raises, it has not run."""
        if judge is None:
            return not_run(Text(zh="本程序没有该规则", en="this program does not have the rule"))
        try:
            return judge()
        except Exception as error:  # noqa: BLE001 - the trace names it, and the verdict is not "passed"
            told = f"{type(error).__name__}: {error}"[:ERROR_SHOWN_CHARS]
            return not_run(
                Text(zh=f"规则执行出错：{told}", en=f"the rule broke: {told}"),
                Text(zh="请将此记录交给系统管理员。", en="Give this record to the system administrator."),
            )

    def _result(self, rule: CheckRule, judged: Judgement, *, entry: str = "", path: str = "") -> CheckResult:
        if judged.outcome is Outcome.MANUAL:
            judged = self._settled(rule, judged, entry, path)
        return CheckResult(
            rule=rule.id,
            phase=self._phase,
            entry=entry,
            path=path,
            outcome=judged.outcome,
            evidence=judged.evidence,
            remedy=judged.remedy,
            tool=judged.tool,
            tool_version=self._version if judged.tool == OWN_TOOL else judged.tool_version,
            checked_at_ms=self._clock_ms(),
        )

    def _settled(self, rule: CheckRule, judged: Judgement, entry: str, path: str) -> Judgement:
        """Take a person's word where one has looked: at this file, at this entry, or at all that waits of the rule."""
        for item in (path, entry, ""):
            looked = self._looked.get((rule.id, item))
            if looked is not None and looked.outcome in {Outcome.PASSED, Outcome.FAILED, Outcome.NOT_APPLICABLE}:
                note = f"{looked.by}：{looked.note}（{judged.evidence.zh}）"
                evidence = Text(zh=note, en=f"{looked.by}: {looked.note} ({judged.evidence.en})")
                return Judgement(outcome=looked.outcome, evidence=evidence, remedy=judged.remedy, tool=PERSON)
        return judged
