"""What the checks of a package come to, for people who act on it: the verdict, the faults and their order."""

from collections import Counter
from pathlib import Path

import pytest

from protocol.check_results import CheckResult, Outcome, Standing, verdict
from protocol.check_rules import Phase
from protocol.wording import Text
from replication.checks.rule_table import default_rules
from replication.transfer_checks import OPINIONS, SAME_SHOWN_MAX, Checked, _faults
from replication.transfer_rounds import Fault

RULES = default_rules()
MANDATORY = next(rule.id for rule in RULES.of(Phase.TRANSFER) if RULES.is_mandatory(rule.id, Phase.TRANSFER))
VOLUNTARY = next(rule.id for rule in RULES.of(Phase.TRANSFER) if not RULES.is_mandatory(rule.id, Phase.TRANSFER))


def result(rule: str, outcome: Outcome, entry: str = "") -> CheckResult:
    return CheckResult(
        rule=rule, phase=Phase.TRANSFER, entry=entry, outcome=outcome, evidence=Text(zh="如此", en="so it is")
    )


def faults(*results: CheckResult) -> list[Fault]:
    same = Counter((one.rule, one.outcome.value, one.evidence.zh) for one in results)
    return _faults([(one, RULES.is_mandatory(one.rule, one.phase)) for one in results], same)


def standing(*results: CheckResult) -> Standing:
    """The verdict on a package in which every rule has passed, and these results beside."""
    passed = (result(rule.id, Outcome.PASSED) for rule in RULES.of(Phase.TRANSFER))
    return verdict((*passed, *results), RULES, Phase.TRANSFER).standing


@pytest.mark.parametrize(
    ("outcome", "expected"), [(Outcome.PASSED, Standing.PASSED), (Outcome.FAILED, Standing.FAILED)]
)
def test_a_package_whose_items_lack_an_opinion_fails(outcome: Outcome, expected: Standing) -> None:
    """The table of rules knows nothing of opinions: a transfer asks for them."""
    assert standing(result(OPINIONS, outcome, "001-1")) is expected


def test_an_opinion_that_is_missing_is_a_mandatory_fault() -> None:
    (fault,) = faults(result(OPINIONS, Outcome.FAILED, "001-1"))

    assert (fault.is_mandatory, fault.ref_code) == (True, "001-1")


def test_mandatory_faults_come_first_and_of_those_what_failed() -> None:
    told = faults(
        result(VOLUNTARY, Outcome.FAILED, "1"),
        result(MANDATORY, Outcome.MANUAL, "2"),
        result(MANDATORY, Outcome.FAILED, "3"),
    )

    assert [one.ref_code for one in told] == ["3", "2", "1"]


@pytest.mark.parametrize(("count", "shown"), [(SAME_SHOWN_MAX, SAME_SHOWN_MAX), (SAME_SHOWN_MAX + 1, 1)])
def test_many_that_say_the_same_are_told_once(count: int, shown: int) -> None:
    told = faults(*(result(MANDATORY, Outcome.NOT_RUN, str(number)) for number in range(count)))

    assert len(told) == shown


def test_every_item_that_failed_is_told() -> None:
    told = faults(*(result(MANDATORY, Outcome.FAILED, str(number)) for number in range(SAME_SHOWN_MAX + 1)))

    assert len(told) == SAME_SHOWN_MAX + 1


def test_items_to_mend_are_counted_once_and_a_fault_of_the_package_is_none(tmp_path: Path) -> None:
    found = faults(
        result(MANDATORY, Outcome.FAILED, "1"),
        result(OPINIONS, Outcome.FAILED, "1"),
        result(MANDATORY, Outcome.FAILED),
        result(VOLUNTARY, Outcome.FAILED, "2"),
    )

    assert Checked(standing=Standing.FAILED, faults=tuple(found), report=tmp_path).items_open == 1
