"""What became of a question at each site, as a page shows it: who has something to say, and how many had nothing."""

from typing import Final

import msgspec

from hub.commands.fields import OUTCOMES
from hub.searching.gathering import Gathering, SiteReport
from protocol.calls import Outcome
from protocol.wording import Text

SITES_SHOWN_MAX: Final = 300
"""Sites in the list: more than a county has."""

TONES: Final = {
    Outcome.ANSWERED: "good",
    Outcome.NOTHING: "calm",
    Outcome.REFUSED: "bad",
    Outcome.FAILED: "bad",
    Outcome.LATE: "watch",
    Outcome.OFFLINE: "away",
    Outcome.INDEX_ONLY: "away",
}


class OutcomeCount(msgspec.Struct, frozen=True, kw_only=True):
    """How many sites had this outcome."""

    words: Text
    tone: str
    count: int


class OutcomeLine(msgspec.Struct, frozen=True, kw_only=True):
    """What became of the question at one site."""

    report: SiteReport
    words: Text
    tone: str


class Outcomes(msgspec.Struct, frozen=True, kw_only=True):
    """All sites."""

    counts: tuple[OutcomeCount, ...]
    lines: tuple[OutcomeLine, ...]
    """Those with something to say."""
    nothing: int
    """Sites that answered that they have nothing: counted, not listed."""
    waiting: int
    """Sites of which there is no word yet; 0 once the answer is finished."""


def outcomes_of(gathering: Gathering) -> Outcomes:
    """Return the outcomes of an answer as far as it has grown."""
    counts: dict[Outcome, int] = {}
    waiting = 0
    told: list[SiteReport] = []
    for report in gathering.reports.values():
        is_waiting = not gathering.finished and report.outcome is Outcome.INDEX_ONLY and report.reason is None
        if is_waiting:
            waiting += 1
            continue
        counts[report.outcome] = counts.get(report.outcome, 0) + 1
        if report.outcome is not Outcome.NOTHING or report.waiting:
            told.append(report)
    order = list(Outcome)
    told.sort(key=lambda one: (order.index(one.outcome), -(one.live_total or one.index_total or 0), one.site))
    return Outcomes(
        counts=tuple(
            OutcomeCount(words=OUTCOMES[one], tone=TONES[one], count=counts[one]) for one in Outcome if one in counts
        ),
        lines=tuple(
            OutcomeLine(report=one, words=OUTCOMES[one.outcome], tone=TONES[one.outcome])
            for one in told[:SITES_SHOWN_MAX]
        ),
        nothing=counts.get(Outcome.NOTHING, 0) - sum(one.outcome is Outcome.NOTHING for one in told),
        waiting=waiting,
    )
