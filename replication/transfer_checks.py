"""The checks of a round's package, run by the giver before it sends and by the receiver before it decides.

The rules are those of ``replication.checks``; beside them stands what only a transfer asks for: that every item comes
with its opening opinion, disclosure attribute and secrecy state (``protocol.attached_opinions``). Every result goes
into a report beside the package (``replication.checks.reports``); what is not in order is kept as faults, for people to
act on.
"""

import datetime
import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Final
from uuid import UUID

import msgspec

from protocol.attached_opinions import missing_opinions
from protocol.check_reports import ReportHead
from protocol.check_results import CheckResult, Outcome, Standing
from protocol.check_rules import CheckRules, Phase
from protocol.package_entries import PackageEntry
from protocol.package_facts import PackageFacts, ProcessStep
from protocol.reference_codes import CodeProfile
from protocol.transfer_folds import Transfer
from protocol.transfers import Checking, Prepared, Step, Submitted
from protocol.wording import Text
from replication import wall_clock
from replication.checks.pdfa_validator import installed_validator
from replication.checks.reports import write_report
from replication.checks.rule_table import default_rules, rules_digest
from replication.checks.running import check
from replication.checks.survey import CheckStage, CheckTools
from replication.checks.virus_scanner import VirusScanner, scanner_address
from replication.packages.official_layout import entries_in
from replication.transfer_rounds import Fault, fault_of
from replication.transfer_settings import TransferSettings

OPINIONS: Final = "opinions_attached"
"""Rule: opening opinion, disclosure attribute and secrecy state are attached. No table has it, so it is mandatory."""

SAME_SHOWN_MAX = 50
"""Results of one rule that say the same and have not run, or wait for a person; of more, one stands for all."""

_SETTLED = frozenset((Outcome.PASSED, Outcome.NOT_APPLICABLE))
_UNPROVEN = frozenset((Outcome.NOT_RUN, Outcome.MANUAL))


class Checked(msgspec.Struct, frozen=True, kw_only=True):
    """What the checks of one package came to."""

    standing: Standing
    faults: tuple[Fault, ...]
    """What is not in order, that of mandatory rules first."""
    report: Path
    """File with every result."""

    @property
    def items_open(self) -> int:
        """Items with a mandatory rule that failed: what the giver has to mend."""
        return len({fault.ref_code for fault in self.failed if fault.ref_code})

    @property
    def failed(self) -> tuple[Fault, ...]:
        """Mandatory rules that failed, of items and of the package."""
        return tuple(one for one in self.faults if one.is_mandatory and one.outcome is Outcome.FAILED)


class CheckJob(msgspec.Struct, frozen=True, kw_only=True):
    """What is checked, for whom, and what is known beside it."""

    package: Path
    report: Path
    now: Transfer
    steps: tuple[Step, ...]
    """The log of the transfer: the handling 业务过程."""
    checked_by: str
    """Site code of who checks."""
    day: datetime.date
    now_ms: int
    planned_codes: frozenset[str] | None = None
    """Codes of what should be in it; None where nobody can say."""
    held_codes: frozenset[str] | None = None
    """Codes of what the giver has handed over before; None where nobody can say."""
    code_profiles: tuple[CodeProfile, ...] = ()
    """How the fonds of this end number their records, as far as somebody has registered it."""
    tools: CheckTools = CheckTools()
    """Programs beside ours that this end has."""
    package_digest: str = ""
    """Digest of the package as the giver said it in its step; at the giver, as it was made."""


def tools_of(settings: TransferSettings) -> CheckTools:
    """Return the programs that the checks of an end use: the scanner that is set, and veraPDF where it is installed.

    Raises:
        BadSetting: the scanner's address cannot be read.

    """
    scanner = VirusScanner(scanner_address(settings.scanner)) if settings.scanner else None
    return CheckTools(scanner=scanner, validator=installed_validator())


def payload_of(package: Path) -> Path:
    """Return the folder of a package that is in the official layout."""
    return package / "data"


def checked(job: CheckJob, told: Callable[[int], None] = lambda _more: None) -> Checked:
    """Run every check on a package and write the report.

    Raises:
        OSError: the report cannot be written.

    """
    rules = default_rules()
    kept: list[tuple[CheckResult, bool]] = []
    same: Counter[tuple[str, str, str]] = Counter()

    def noted() -> Iterator[CheckResult]:
        for one in _results(job, rules, told):
            if one.outcome not in _SETTLED:
                alike = (one.rule, one.outcome.value, one.evidence.zh)
                same[alike] += 1
                if one.outcome is Outcome.FAILED or same[alike] <= SAME_SHOWN_MAX:
                    kept.append((one, rules.is_mandatory(one.rule, one.phase)))
            yield one

    written = write_report(job.report, _head(job, rules), noted(), rules, wall_clock.clock_ms)
    return Checked(standing=written.end.verdict.standing, faults=tuple(_faults(kept, same)), report=job.report)


def _head(job: CheckJob, rules: CheckRules) -> ReportHead:
    return ReportHead(
        report_id=UUID(bytes=os.urandom(16)),
        package=job.package_digest,
        phase=Phase.TRANSFER,
        checked_by=job.checked_by,
        rules_digest=rules_digest(rules),
        program=f"danglian {version('danglian')}",
        started_at_ms=job.now_ms,
    )


def _results(job: CheckJob, rules: CheckRules, told: Callable[[int], None]) -> Iterator[CheckResult]:
    read = 0

    def progress(stage: CheckStage, done: int, _total: int) -> None:
        nonlocal read
        if stage is CheckStage.FIXITY:
            told(done - read)
            read = done

    yield from check(job.package, facts_of(job), rules, Phase.TRANSFER, progress, tools=job.tools)
    yield from opinion_results(entries_in(payload_of(job.package)), job.now, job.now_ms)


def facts_of(job: CheckJob) -> PackageFacts:
    """Return what is known of a package beside it: the log of its transfer above all."""
    return PackageFacts(
        today=job.day,
        sent_digest=job.package_digest,
        planned_codes=job.planned_codes,
        held_codes=job.held_codes,
        code_profiles=job.code_profiles,
        process=tuple(_handled(step, job) for step in job.steps),
    )


def _handled(step: Step, job: CheckJob) -> ProcessStep:
    digest = job.package_digest if isinstance(step.what, Prepared | Submitted | Checking) else ""
    is_of_round = isinstance(step.what, Prepared) and step.what.parcel.round == job.now.round
    is_later = isinstance(step.what, Submitted | Checking) and step.what.round == job.now.round
    return ProcessStep(
        step=str(step.what.__struct_config__.tag),
        done_by=step.by or step.side.value,
        # A clock that was never set says 0, which would read as "no time given".
        at_ms=max(1, step.at_ms),
        digest=digest if is_of_round or is_later else "",
    )


def opinion_results(entries: Iterable[PackageEntry], now: Transfer, now_ms: int) -> Iterator[CheckResult]:
    """Yield what each entry says, or lacks, of what has to be attached to it."""
    for entry in entries:
        missing = missing_opinions(
            now.nature,
            access_status=entry.access_status,
            access_reason=entry.access_reason,
            disclosure=entry.disclosure,
            secrecy=entry.secrecy,
        )
        evidence = (
            Text(zh="；".join(one.zh for one in missing), en="; ".join(one.en for one in missing))
            if missing
            else Text(zh="意见齐全", en="all opinions are attached")
        )
        yield CheckResult(
            rule=OPINIONS,
            phase=Phase.TRANSFER,
            entry=entry.ref_code,
            outcome=Outcome.FAILED if missing else Outcome.PASSED,
            evidence=evidence,
            checked_at_ms=now_ms,
        )


def _faults(kept: Iterable[tuple[CheckResult, bool]], same: Counter[tuple[str, str, str]]) -> list[Fault]:
    """Return the faults to be acted on, the failed ones of mandatory rules first."""
    faults: list[Fault] = []
    gathered: set[tuple[str, str, str]] = set()
    for one, is_mandatory in kept:
        alike = (one.rule, one.outcome.value, one.evidence.zh)
        if one.outcome in _UNPROVEN and same[alike] > SAME_SHOWN_MAX:
            if alike in gathered:
                continue
            gathered.add(alike)
            count = same[alike]
            words = Text(zh=f"{one.evidence.zh}（共 {count} 处）", en=f"{one.evidence.en} ({count} in all)")
            one = msgspec.structs.replace(one, entry="", path="", evidence=words)  # noqa: PLW2901 - one for all
        faults.append(fault_of(one, is_mandatory=is_mandatory))
    return sorted(faults, key=lambda one: (not one.is_mandatory, one.outcome is not Outcome.FAILED))
