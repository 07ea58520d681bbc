"""A request as lists show it: its state and its deadline in words and colour, and no more of a person than a mask."""

from typing import Final

import msgspec

from hub.sites.plain_words import Tone
from hub.web.backstage import Backstage
from hub.web.standings import TONES
from hub.window import clocks, desk
from hub.window.clocks import URGENCIES, Deadline, Urgency
from hub.window.requests import Request
from hub.window.states import STATES
from protocol.county_time import day_of
from protocol.wording import Text

_URGENT: Final = {Urgency.OVERDUE: "bad", Urgency.DUE_SOON: "watch", Urgency.LAPSED: "watch"}


class DeskLine(msgspec.Struct, frozen=True, kw_only=True):
    """One request in a list."""

    request: Request
    state: Text
    tone: Tone
    in_words: Text
    deadline: Deadline | None
    urgency: Text | None
    urgency_tone: str
    has_news: bool = False

    @property
    def order(self) -> tuple[int, str, str]:
        """By deadline, what is owed to nobody last."""
        due = None if self.deadline is None else self.deadline.due
        return (0, due.isoformat(), self.request.number) if due is not None else (1, "", self.request.number)


def line_of(backstage: Backstage, one: Request, *, has_news: bool = False) -> DeskLine:
    """Return a request as a list shows it today."""
    window, today = backstage.reach.window, day_of(backstage.clock_ms())
    due = clocks.deadline(one.history, window.terms, window.calendar, today)
    return DeskLine(
        request=one,
        state=STATES[one.standing.state],
        tone=TONES[one.standing.state],
        in_words=desk.in_words(one),
        deadline=due,
        urgency=None if due is None else URGENCIES[due.urgency],
        urgency_tone="" if due is None else _URGENT.get(due.urgency, ""),
        has_news=has_news,
    )
