"""What the county decides about alarms: when silence becomes one, and who is told next and after how long."""

import datetime
from enum import StrEnum
from typing import Annotated

import msgspec

from hub.alarm.office_hours import Calendar
from protocol.errors import BadValue
from protocol.limits import OFFICE_HOURS_MAX
from protocol.rhythms import TIME_ZONE, Rhythm, parse_hours
from protocol.sites import Site, SiteRank
from protocol.wording import Text

MISSED_AFTER_MINUTES = 15.0
"""Minutes of office time without a sign of life after which a window counts as missed: thirty beats."""

NEVER_SEEN_AFTER_HOURS = 11.0
"""Hours of office time after enrolment without a first sign of life: two short office days."""

FOLDER_UNREAD_DAYS = 3.0
"""Days for which a watched folder may stay unreadable: a drive that was carried home comes back the next day."""

BUNDLE_OVERDUE_DAYS = 14.0
"""Days after which the next bundle of a site that comes by courier is overdue: somebody travels every week or two."""

OFFICE_HOURS = ("1-5 09:00-11:30", "1-5 14:00-17:00")
"""Office hours of nodes that do not declare any, which are those of version 1.0."""


class Rung(StrEnum):
    """Who is told, from the nearest to the farthest."""

    VILLAGE = "village"
    """The site's own keeper."""
    TOWNSHIP = "township"
    COUNTY = "county"


RUNGS = (Rung.VILLAGE, Rung.TOWNSHIP, Rung.COUNTY)
"""In the order in which they are told."""


class EscalationStep(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename="kebab"):
    """Who is told, and after how many hours of the site's office time."""

    who: Rung
    after_hours: Annotated[float, msgspec.Meta(ge=0, le=1000)]


ESCALATION = (
    EscalationStep(who=Rung.VILLAGE, after_hours=0),
    EscalationStep(who=Rung.TOWNSHIP, after_hours=4),
    EscalationStep(who=Rung.COUNTY, after_hours=11),
)
"""The village at once, the township the same day, the county after two days."""


class AlarmSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename="kebab"):
    """The table ``[alarms]`` of ``hub.toml``."""

    missed_after_minutes: Annotated[float, msgspec.Meta(ge=2, le=10_000)] = MISSED_AFTER_MINUTES
    never_seen_after_hours: Annotated[float, msgspec.Meta(ge=0, le=1000)] = NEVER_SEEN_AFTER_HOURS
    folder_unread_days: Annotated[float, msgspec.Meta(gt=0, le=365)] = FOLDER_UNREAD_DAYS
    bundle_overdue_days: Annotated[float, msgspec.Meta(gt=0, le=3_650)] = BUNDLE_OVERDUE_DAYS
    office_hours: Annotated[tuple[str, ...], msgspec.Meta(max_length=OFFICE_HOURS_MAX)] = OFFICE_HOURS
    time_zone: str = TIME_ZONE
    holidays: tuple[datetime.date, ...] = ()
    workdays: tuple[datetime.date, ...] = ()
    escalation: Annotated[tuple[EscalationStep, ...], msgspec.Meta(min_length=1)] = ESCALATION
    contacts: dict[str, str] = {}
    """Site code to whom to call there; shown beside the alarm, never logged."""

    @property
    def calendar(self) -> Calendar:
        """The county's holidays."""
        return Calendar(holidays=frozenset(self.holidays), workdays=frozenset(self.workdays))

    @property
    def usual_rhythm(self) -> Rhythm:
        """The rhythm of a site that declares none; raises BadValue for hours that are none."""
        return Rhythm(hours=tuple(parse_hours(written) for written in self.office_hours), time_zone=self.time_zone)


def fault_of(settings: AlarmSettings) -> tuple[str, Text] | None:
    """Return the first setting that makes no sense, and why; None if all do."""
    try:
        _ = settings.usual_rhythm
    except BadValue as error:
        return "alarms.office-hours", error.reason
    order = [RUNGS.index(step.who) for step in settings.escalation]
    delays = [step.after_hours for step in settings.escalation]
    if order != sorted(set(order)) or delays != sorted(delays):
        return "alarms.escalation.who", Text(
            zh="应按村、乡镇、县的顺序，时间逐级不减", en="goes from village to township to county, with growing hours"
        )
    return None


def addressees(site: Site, steps: tuple[EscalationStep, ...]) -> list[tuple[Site, float]]:
    """Return whom to tell about a site, and after how many hours; who is nearest is told at once."""
    found: list[tuple[Site, float]] = []
    for step in steps:
        whom = _whom(site, step.who)
        if whom is not None and whom not in (known for known, _ in found):
            found.append((whom, step.after_hours))
    first = found[0][1] if found else 0.0
    return [(whom, after_hours - first) for whom, after_hours in found]


def _whom(site: Site, rung: Rung) -> Site | None:
    if rung is Rung.VILLAGE:
        return site if site.rank in (SiteRank.VILLAGE, SiteRank.UNIT) else None
    above: Site | None = site
    wanted = SiteRank.TOWNSHIP if rung is Rung.TOWNSHIP else SiteRank.COUNTY
    while above is not None and above.rank is not wanted:
        above = above.parent
    return above
