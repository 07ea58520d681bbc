"""What the checks of a transfer found, put so that it is read: once what all items share, then each item's own.

A rule that did not run says so of every file. Said a thousand times it hides the one page that is missing.
"""

from collections.abc import Mapping, Sequence
from typing import Final

import msgspec

from protocol.check_results import Outcome
from protocol.wording import Count, Text
from replication.transfer_rounds import Fault

WAIVABLE = (Outcome.NOT_RUN, Outcome.MANUAL)
"""Outcomes of a rule that nobody has judged by: it is said once why the items may be taken without it."""

SHARED_LEAD: Final = Text(
    zh="在“审定本批”中写明为何不影响接收，即可照常接收。", en="Say in the decision why they may be taken without it."
)


class Findings(msgspec.Struct, frozen=True, kw_only=True):
    """The faults of some items."""

    shared: tuple[Fault, ...]
    """Rules that were not judged by, in the same words for every item."""
    own: Mapping[str, tuple[Fault, ...]]
    """What is left of each item that has more, each finding once, the worst first; by reference code."""


def shared_by(count: int) -> Text:
    """Return the heading of what all items share."""
    return Text(zh=f"全部 {count} 件都有的", en=f"The same for all {Count(count):item|items}")


def findings(faulty: Mapping[str, Sequence[Fault]], codes: Sequence[str]) -> Findings:
    """Return the faults of the items with these reference codes, which are all that are looked at."""
    told = {code: _each_once(faulty.get(code, ())) for code in codes}
    open_ones = [{said for said, fault in one.items() if fault.outcome in WAIVABLE} for one in told.values()]
    common = set.intersection(*open_ones) if len(open_ones) > 1 else set()
    first = told[codes[0]] if codes else {}
    left = {code: [fault for said, fault in one.items() if said not in common] for code, one in told.items()}
    return Findings(
        shared=tuple(first[said] for said in sorted(common)),
        own={code: tuple(sorted(some, key=_order)) for code, some in left.items() if some},
    )


def _each_once(faults: Sequence[Fault]) -> dict[tuple[str, str, str], Fault]:
    return {_said(fault): fault for fault in reversed(faults)}


def each_once(faults: Sequence[Fault]) -> list[Fault]:
    """Return findings without those that say the same of another file, the worst first."""
    return sorted(_each_once(faults).values(), key=_order)


def _said(fault: Fault) -> tuple[str, str, str]:
    return fault.rule, fault.outcome.value, fault.evidence.zh


def _order(fault: Fault) -> tuple[bool, bool, str]:
    return fault.outcome is not Outcome.FAILED, not fault.is_mandatory, fault.rule
