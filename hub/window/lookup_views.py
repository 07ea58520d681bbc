"""What is shown of a lookup: the question, where it stands, what each site said, and what was found. Values only."""

from typing import Final
from uuid import UUID

import msgspec

from hub.searching.search import Query
from protocol.calls import Match
from protocol.lookup_cases import LookupCase
from protocol.lookups import OPEN_OUTCOMES, LookupState, Route, SiteOutcome
from protocol.records import Record
from protocol.wording import Text

HITS_SHOWN_MAX: Final = 200
"""Hits of one lookup that are shown; a clerk who gets more asks more narrowly."""


class LookupOrder(msgspec.Struct, frozen=True, kw_only=True):
    """One question of a request, as the window asks it."""

    lookup_id: UUID
    """Made by the client: a repeated submit never asks twice."""
    case: LookupCase
    query: Query
    """What is looked for; ``query.words`` in the language of ``protocol.queries``."""
    places: tuple[str, ...] = ()
    """Names of places that the applicant named, old names too; with them only sites there are asked."""
    asked_by: str
    """Login of the clerk."""
    expires_at_ms: int
    """Until when sites that are away may answer."""


class SiteView(msgspec.Struct, frozen=True, kw_only=True):
    """One site of a lookup."""

    site: str
    name: str = ""
    route: Route
    why: Text
    """Why it is asked, or not."""
    outcome: SiteOutcome
    total: int | None = None
    """What the site counted itself."""
    withheld: int = 0
    """Records of which its policy tells nothing."""
    index_total: int | None = None
    """What the hub's copy has."""
    reason: Text | None = None
    epoch: str = ""
    seq: int = 0
    took_ms: float = 0.0
    copied_at_ms: int | None = None
    """When the hub's copy last moved; None if there is none."""
    seen_at_ms: int | None = None
    answered_at_ms: int | None = None
    is_late: bool = False
    """It answered by letter, after the screen had closed."""


class HitView(msgspec.Struct, frozen=True, kw_only=True):
    """One record that was found, as far as its holder's policy lets it be told."""

    site: str
    record: Record
    live: bool
    """The site itself said so; False for the hub's copy, to which the county's default policy was applied."""
    treatment: str
    """``show``, ``mask`` or ``existence`` (``protocol.lookup_policy.Treatment``)."""
    seq: int = 0
    stage: str = ""
    matches: tuple[Match, ...] = ()
    is_late: bool = False


class LookupView(msgspec.Struct, frozen=True, kw_only=True):
    """A lookup at one moment."""

    lookup_id: UUID
    case: LookupCase
    query: Query
    places: tuple[str, ...]
    state: LookupState
    asked_by: str
    asked_at_ms: int
    expires_at_ms: int
    ended_at_ms: int | None = None
    """When nobody was left to answer."""
    is_expired: bool = False
    """It ended because its time was over while sites had still to answer."""
    news_at_ms: int | None = None
    """When a late answer came that nobody has seen yet: the mark "new answer"."""
    widened_because: str = ""
    sites: tuple[SiteView, ...] = ()
    hits: tuple[HitView, ...] = ()
    """The best ``HITS_SHOWN_MAX``; none in a list of lookups."""
    total: int = 0
    """How many records were found and may be told of."""
    finished: bool = False
    """The live part is over: this state is the last of its stream."""

    @property
    def asked(self) -> int:
        """How many sites were asked."""
        return sum(one.route is not Route.NOT_ASKED for one in self.sites)

    @property
    def waiting_for(self) -> tuple[str, ...]:
        """The sites that may still answer."""
        return tuple(one.site for one in self.sites if one.outcome in OPEN_OUTCOMES)


class StrayAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """An answer that was refused, because it fits no question."""

    site: str
    lookup_id: str
    fault: str
    """``never_asked``, ``other_question``, ``repeated``, ``unreadable`` or ``over``."""
    heard_at_ms: int
    times: int
