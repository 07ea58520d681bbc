"""What the rules that the package ships decide, case by case: a change of the table shows here, line by line."""

import datetime
from importlib.resources import files
from pathlib import Path

import msgspec

from hub.vocabulary.county_sheets import sheet_of
from hub.window.applicants import Evidence, Paper
from hub.window.requests import Use
from hub.window.rule_table import rules_of
from hub.window.rules import Decision, Facts, Outcome, combinations, decide

FROZEN = Path(__file__).parent / "window" / "shipped-rules.txt"
TODAY = datetime.date(2026, 3, 2)
RULES = rules_of(sheet_of("rules.csv", (files("hub") / "defaults" / "rules.csv").read_bytes()))


def decided(facts: Facts, uses: tuple[Use, ...], papers: tuple[Paper, ...]) -> Decision:
    evidence = tuple(Evidence(kind=paper) for paper in papers)
    return decide(RULES, 0, msgspec.structs.replace(facts, wanted=uses, evidence=evidence))


def lines() -> list[str]:
    written = []
    for requester, status, relation in combinations():
        facts = Facts(requester=requester, status=status, relation=relation, wanted=(), evidence=(), today=TODAY)
        said = [f"{use.value}={decided(facts, (use,), tuple(Paper)).outcome.value}" for use in Use]
        without = decided(facts, (Use.VIEW,), ())
        missing = "+".join(without.missing) if without.outcome is Outcome.MISSING else "-"
        written.append(f"{requester} {status} {relation}: {without.rule} {' '.join(said)} needs={missing}")
    return written


def test_the_shipped_rules_decide_as_they_did() -> None:
    """Written anew by hand only: print ``lines()`` and read the difference as the county would."""
    assert lines() == FROZEN.read_text(encoding="utf-8").splitlines()
