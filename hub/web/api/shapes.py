"""What the interface takes and gives, as types: the OpenAPI document is made from them, so it cannot say otherwise."""

import datetime
from typing import Annotated, Final
from uuid import UUID

import msgspec
from msgspec import Meta

from hub.alarm.alarms import Alarm
from hub.decisions.conflict_rulings import Contradiction
from hub.decisions.duplicates import Decision, Likeness
from hub.entry_views import EntryView, Step
from hub.searching.facets import Facets
from hub.searching.gathering import SiteReport
from hub.sites.board import SiteState
from protocol.audit_chain import AuditLine
from protocol.calls import HeldLine, Match
from protocol.limits import SEARCH_HITS_DEFAULT, SEARCH_HITS_MAX
from protocol.plans import StageName
from protocol.records import Record
from protocol.vocabularies import AccessStatus, Level
from protocol.wording import Text

LINES_A_PAGE: Final = 100
"""Lines of one page of a list."""

LINES_A_PAGE_MAX: Final = 500
"""The same if more are asked for."""

WORDS_CHARS_MAX: Final = 500
"""Characters of a query."""

VALUE_CHARS_MAX: Final = 100
"""Characters of a filter."""

_Cursor = Annotated[
    str, Meta(max_length=300, description="`next` of the page before; it is good for the same query only.")
]
_Limit = Annotated[int, Meta(ge=1, le=LINES_A_PAGE_MAX, description="Lines of a page.")]


class Nothing(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """No parameters."""


class SearchAsked(
    msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename={"date_from": "from", "date_to": "to"}
):
    """What to look for."""

    q: Annotated[
        str,
        Meta(
            max_length=WORDS_CHARS_MAX,
            description="Words in the query language of the console; empty finds all that the filters let through.",
            examples=["山林 承包"],
        ),
    ] = ""
    site: Annotated[
        str,
        Meta(max_length=VALUE_CHARS_MAX, description="Site codes, with `*` and `?`.", examples=["330599001*"]),
    ] = ""
    date_from: Annotated[datetime.date | None, Meta(description="No earlier than this day.")] = None
    date_to: Annotated[datetime.date | None, Meta(description="No later than this day.")] = None
    fonds: Annotated[str, Meta(max_length=VALUE_CHARS_MAX, description="Number of the fonds.")] = ""
    kind: Annotated[str, Meta(max_length=VALUE_CHARS_MAX, description="Livelihood kind.", examples=["marriage"])] = ""
    access: Annotated[
        AccessStatus | None, Meta(description="Outcome of the opening review; without `catalogue-closed`: open.")
    ] = None
    level: Annotated[Level | None, Meta(description="Level of description.")] = None
    limit: Annotated[int, Meta(ge=1, le=SEARCH_HITS_MAX, description="Hits of a page.")] = SEARCH_HITS_DEFAULT
    facets: Annotated[bool, Meta(description="Also count the hits by site, year, fonds, kind, access, level.")] = False
    cursor: _Cursor = ""


class LiveAsked(
    msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename={"date_from": "from", "date_to": "to"}
):
    """What to look for at the sites themselves; there is one page."""

    q: Annotated[
        str,
        Meta(max_length=WORDS_CHARS_MAX, description="Words in the query language of the console.", examples=["山林"]),
    ] = ""
    site: Annotated[str, Meta(max_length=VALUE_CHARS_MAX, description="Site codes, with `*` and `?`.")] = ""
    date_from: Annotated[datetime.date | None, Meta(description="No earlier than this day.")] = None
    date_to: Annotated[datetime.date | None, Meta(description="No later than this day.")] = None
    fonds: Annotated[str, Meta(max_length=VALUE_CHARS_MAX, description="Number of the fonds.")] = ""
    kind: Annotated[str, Meta(max_length=VALUE_CHARS_MAX, description="Livelihood kind.")] = ""
    access: Annotated[
        AccessStatus | None, Meta(description="Outcome of the opening review; without `catalogue-closed`: open.")
    ] = None
    level: Annotated[Level | None, Meta(description="Level of description.")] = None
    limit: Annotated[int, Meta(ge=1, le=SEARCH_HITS_MAX, description="Hits in the answer.")] = SEARCH_HITS_DEFAULT


class ContradictionsAsked(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which contradictions."""

    site: Annotated[str, Meta(max_length=VALUE_CHARS_MAX, description="Of this site only.")] = ""
    limit: _Limit = LINES_A_PAGE


class Page(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A page of a list."""

    limit: _Limit = LINES_A_PAGE
    cursor: _Cursor = ""


class AlarmsAsked(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which alarms."""

    closed: Annotated[bool, Meta(description="Also those that are closed, the newest first.")] = False
    limit: _Limit = LINES_A_PAGE


class SitesAsked(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which sites."""

    site: Annotated[str, Meta(max_length=VALUE_CHARS_MAX, description="Site codes, with `*` and `?`.")] = ""


class AuditAsked(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which lines of the audit log."""

    who: Annotated[str, Meta(max_length=VALUE_CHARS_MAX, description="Of this login only.")] = ""
    action: Annotated[str, Meta(max_length=VALUE_CHARS_MAX, description="Of this action only.")] = ""
    limit: _Limit = LINES_A_PAGE
    cursor: _Cursor = ""


class Hit(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One entry that was found, and why."""

    site: str
    site_name: str = ""
    record: Record
    matches: tuple[Match, ...] = ()
    likeness: Likeness = Likeness()
    stage: StageName | None = None
    group: int = 0


class SearchAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """The best entries of the hub's copy that match."""

    total: int
    exact: bool
    """False if there are more than `total`, or nobody knows."""
    was_cut: bool
    """The time was over before everything was looked at."""
    hits: list[Hit]
    facets: Facets | None
    next: str
    """Cursor of the next page; empty at the end."""


class EntryAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """What the sites say under one record id: more than one if two claim the same."""

    record_id: UUID
    entries: list[EntryView]


class SiteHistory(msgspec.Struct, frozen=True, kw_only=True):
    """What changed in one site's record after its first description; never values."""

    site: str
    steps: list[Step]


class HistoryAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """The history of a record."""

    record_id: UUID
    histories: list[SiteHistory]


class AlikeEntry(msgspec.Struct, frozen=True, kw_only=True):
    """An entry that looks like the same thing."""

    site: str
    record: Record
    evidence: list[str]
    """Fields that agree."""
    apart: bool
    """People decided that it is a different thing."""


class DuplicatesAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """Entries that look like a record, and what was decided about them."""

    record_id: UUID
    alike: list[AlikeEntry]
    decisions: list[Decision]


class SitesAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """The state of sites."""

    at_ms: int
    sites: list[SiteState]


class AlarmsAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """Alarms."""

    alarms: list[Alarm]


class QuarantineLine(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that was set aside, without its content."""

    id: int
    site: str
    epoch: str
    seq: int
    fault: str
    reason: Text
    remedy: Text
    content_bytes: int
    quarantined_at_ms: int


class QuarantineAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """What is in quarantine, the oldest first."""

    quarantined: list[QuarantineLine]
    next: str


class DecisionsAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """Decisions that two records are different things, the newest first; reversed ones stay."""

    decisions: list[Decision]
    next: str


class AuditAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """Lines of the audit log, the newest first."""

    lines: list[AuditLine]
    next: str


class LiveHit(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One entry of the merged answer."""

    site: str
    record: Record
    live: bool = False
    """The site said so just now; false for the hub's copy."""
    matches: tuple[Match, ...] = ()
    stage: StageName | None = None


class LiveAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """What the hub's copy and the sites said, and what became of the question at each site."""

    total: int
    exact: bool
    complete: bool
    """Every expected site in question answered live."""
    hits: list[LiveHit]
    sites: list[SiteReport]


class BrakesOfSite(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Mass changes that a site holds."""

    site: str
    site_name: str = ""
    held: int = 0
    heard_at_ms: int | None = None
    changes: list[HeldLine] = []
    """What is held, where the site was asked and answered."""
    why_not: Text | None = None
    """Why it could not be asked; then `held` is what its last sign of life said."""


class BrakesAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """The sites that hold mass changes."""

    at_ms: int
    sites: list[BrakesOfSite]


class ContradictionsAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """Places of records that two contents claim, the newest first; never what they say."""

    contradictions: list[Contradiction]
    total: int
    """Of all sites."""
