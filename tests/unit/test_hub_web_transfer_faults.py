"""How the findings of a transfer are put: what all items have in common once, and each item's own where it is seen."""

from hub.web.transfer_faults import each_once, findings
from protocol.check_results import Outcome
from protocol.wording import Text
from replication.transfer_rounds import Fault


def fault(code: str, rule: str, outcome: Outcome, path: str = "") -> Fault:
    return Fault(
        ref_code=code,
        path=path,
        rule=rule,
        outcome=outcome,
        is_mandatory=True,
        evidence=Text(zh=rule, en=rule),
        remedy=Text(zh="", en=""),
        tool="",
        checked_at_ms=1,
    )


def scanned(code: str) -> list[Fault]:
    """What a missing scanner leaves of an item of two pages."""
    return [fault(code, "virus_scan", Outcome.NOT_RUN, f"{code}/{page}.jpg") for page in (1, 2)]


def test_a_rule_that_ran_for_no_item_is_told_once_and_hides_no_missing_page() -> None:
    missing = fault("B", "pages_match", Outcome.FAILED)
    told = findings({code: scanned(code) for code in "AC"} | {"B": [*scanned("B"), missing]}, ["A", "B", "C"])

    assert [one.rule for one in told.shared] == ["virus_scan"]
    assert told.own == {"B": (missing,)}


def test_what_some_items_have_stays_with_them_once_and_after_what_failed() -> None:
    missing = fault("B", "pages_match", Outcome.FAILED)
    told = findings({"B": [*scanned("B"), missing]}, ["A", "B"])

    assert (told.shared, [one.rule for one in told.own["B"]]) == ((), ["pages_match", "virus_scan"])


def test_the_findings_of_a_single_item_are_its_own() -> None:
    assert [one.rule for one in findings({"A": scanned("A")}, ["A"]).own["A"]] == ["virus_scan"]


def test_what_three_files_of_a_package_say_alike_is_told_once() -> None:
    missing = fault("", "pages_match", Outcome.FAILED)
    assert [one.rule for one in each_once([*scanned(""), *scanned(""), missing])] == ["pages_match", "virus_scan"]
