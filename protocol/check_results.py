"""Results of the four-property checks 四性检测 (DA/T 70-2018), and the verdict that they allow.

Every rule leaves a trace for every thing it looked at, passed ones included: a rule without a trace has not run, and
what has not run is never passed. The same values are made, stored and compared at both ends of a transfer.
"""

from collections.abc import Iterable
from enum import StrEnum

import msgspec

from protocol.check_rules import CheckRules, Phase
from protocol.wording import Text

ITEMS_NAMED_MAX = 1_000
"""Faulty items that one rule's tally names; the report has every one of them."""


class Outcome(StrEnum):
    """What a rule found of one thing."""

    PASSED = "passed"
    FAILED = "failed"
    NOT_APPLICABLE = "not_applicable"
    MANUAL = "manual"
    """A person must look, and has not yet."""
    NOT_RUN = "not_run"
    """The rule could not be applied: its tool is absent or down, its input unreadable, or it broke."""


OUTCOME_WORDS = {
    Outcome.PASSED: Text(zh="通过", en="passed"),
    Outcome.FAILED: Text(zh="不通过", en="failed"),
    Outcome.NOT_APPLICABLE: Text(zh="不适用", en="not applicable"),
    Outcome.MANUAL: Text(zh="待人工", en="manual"),
    Outcome.NOT_RUN: Text(zh="未执行", en="not run"),
}

NO_TEXT = Text(zh="", en="")


class CheckResult(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """What one rule found of one thing: the package (both names empty), an entry, or a file."""

    rule: str
    """Id in the table of rules, such as ``fixity_valid``."""
    phase: Phase
    entry: str = ""
    """档号 of the entry; of a file, the entry that it belongs to, if any."""
    path: str = ""
    """Path of the file within the package."""
    outcome: Outcome
    evidence: Text
    """What was seen; for a rule that has not run, why not."""
    remedy: Text = NO_TEXT
    """What the sender can do; empty where nothing is to be done."""
    tool: str = "danglian"
    tool_version: str = ""
    checked_at_ms: int = 0


class Standing(StrEnum):
    """Where a rule, an item or a package stands."""

    PASSED = "passed"
    FAILED = "failed"
    UNPROVEN = "unproven"
    """Nothing failed, but something that must be shown has not run or waits for a person."""


STANDING_WORDS = {
    Standing.PASSED: Text(zh="通过", en="passed"),
    Standing.FAILED: Text(zh="不通过", en="failed"),
    Standing.UNPROVEN: Text(zh="尚不能判定", en="not proven"),
}
"""The standings in words."""


class RuleTally(msgspec.Struct, frozen=True, kw_only=True):
    """How one rule came out over a whole package."""

    rule: str
    mandatory: bool
    counts: dict[Outcome, int] = {}
    failed_items: tuple[str, ...] = ()
    """Entries (or paths of files without one) that failed, at most ``ITEMS_NAMED_MAX``."""

    @property
    def standing(self) -> Standing:
        """Passed needs a trace, and no trace of anything else than passed or not applicable."""
        if self.counts.get(Outcome.FAILED):
            return Standing.FAILED
        proven = self.counts.get(Outcome.PASSED, 0) + self.counts.get(Outcome.NOT_APPLICABLE, 0)
        return Standing.PASSED if proven and proven == sum(self.counts.values()) else Standing.UNPROVEN


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """What all results together say of a package: passed only if every mandatory rule has passed."""

    phase: Phase
    standing: Standing
    tallies: tuple[RuleTally, ...]

    def standing_in_the_way(self) -> tuple[RuleTally, ...]:
        """Return the mandatory rules that have not passed."""
        return tuple(tally for tally in self.tallies if tally.mandatory and tally.standing is not Standing.PASSED)


class Tallying:
    """Counts results one by one; nothing of a result is kept but what it comes to."""

    def __init__(self, rules: CheckRules, phase: Phase) -> None:
        self._rules = rules
        self._phase = phase
        self._counts: dict[str, dict[Outcome, int]] = {rule.id: {} for rule in rules.of(phase)}
        self._failed: dict[str, dict[str, None]] = {}

    def add(self, result: CheckResult) -> None:
        """Count one result."""
        counted = self._counts.setdefault(result.rule, {})
        counted[result.outcome] = counted.get(result.outcome, 0) + 1
        if result.outcome is Outcome.FAILED and (item := result.entry or result.path):
            named = self._failed.setdefault(result.rule, {})
            if len(named) < ITEMS_NAMED_MAX:
                named[item] = None

    def verdict(self) -> Verdict:
        """Return what the results say of the package; rules of the phase without any result have not run."""
        tallies = tuple(
            RuleTally(
                rule=rule,
                mandatory=self._rules.is_mandatory(rule, self._phase),
                counts=counted,
                failed_items=tuple(self._failed.get(rule, ())),
            )
            for rule, counted in self._counts.items()
        )
        standing = _together(tally.standing for tally in tallies if tally.mandatory)
        return Verdict(phase=self._phase, standing=standing, tallies=tallies)


def verdict(results: Iterable[CheckResult], rules: CheckRules, phase: Phase) -> Verdict:
    """Return what results say of a package; rules of the phase without any result have not run."""
    tallying = Tallying(rules, phase)
    for result in results:
        tallying.add(result)
    return tallying.verdict()


def _together(standings: Iterable[Standing]) -> Standing:
    found = set(standings)
    if Standing.FAILED in found:
        return Standing.FAILED
    return Standing.PASSED if found == {Standing.PASSED} else Standing.UNPROVEN
