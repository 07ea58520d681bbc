"""What one rule says of one thing, before it is noted down: outcome, evidence, and what the sender can do."""

from typing import Final

import msgspec

from protocol.check_results import NO_TEXT, Outcome
from protocol.wording import Text

OWN_TOOL: Final = "danglian"


class Judgement(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One judgement; ``tool`` is what looked, where it was not this program."""

    outcome: Outcome
    evidence: Text
    remedy: Text = NO_TEXT
    tool: str = OWN_TOOL
    tool_version: str = ""


def passed(zh: str, en: str, *, tool: str = OWN_TOOL, tool_version: str = "") -> Judgement:
    """Return a judgement that something is as it should be, with what was seen."""
    return Judgement(outcome=Outcome.PASSED, evidence=Text(zh=zh, en=en), tool=tool, tool_version=tool_version)


def failed(evidence: Text, remedy: Text, *, tool: str = OWN_TOOL, tool_version: str = "") -> Judgement:
    """Return a judgement that something is wrong, and what the sender can do."""
    return Judgement(outcome=Outcome.FAILED, evidence=evidence, remedy=remedy, tool=tool, tool_version=tool_version)


def not_applicable(zh: str, en: str) -> Judgement:
    """Return a judgement that the rule says nothing of this thing, and why."""
    return Judgement(outcome=Outcome.NOT_APPLICABLE, evidence=Text(zh=zh, en=en))


def manual(evidence: Text, remedy: Text, *, tool: str = OWN_TOOL, tool_version: str = "") -> Judgement:
    """Return a judgement that a person must make."""
    return Judgement(outcome=Outcome.MANUAL, evidence=evidence, remedy=remedy, tool=tool, tool_version=tool_version)


def not_run(evidence: Text, remedy: Text = NO_TEXT, *, tool: str = OWN_TOOL) -> Judgement:
    """Return that nothing could be judged, and why."""
    return Judgement(outcome=Outcome.NOT_RUN, evidence=evidence, remedy=remedy, tool=tool)
