"""What of a record a holder lets be told under a case (promise 8): by its kind, its access status, purpose, requester.

The first rule that fits decides: the site's own rules come first, then the county's defaults, which are on the safe
side. Whether a record is open and whether this person may see it are two questions: a closed marriage file is still the
spouses' own, and an open one still names others. A rule never decides about what must not travel at all: records marked
秘密 and above are not even looked at.

The hub applies the defaults to its own copies, so that a lookup tells no more from the index than from the holder.
"""

from collections.abc import Iterable
from enum import StrEnum
from typing import Final

import msgspec

from protocol.lookup_cases import LookupCase
from protocol.vocabularies import AccessStatus
from protocol.wording import Text


class Treatment(StrEnum):
    """What is told of a record."""

    SHOW = "show"
    """All of it."""
    MASK = "mask"
    """Where it is and what it is; of its title only words that the question itself said."""
    EXISTENCE = "existence"
    """That there is one, of which kind and year, and its code, so that it can be asked for."""
    REFUSE = "refuse"
    """Nothing but that it counts."""


TREATMENTS: Final = {
    Treatment.SHOW: Text(zh="全部提供", en="shown whole"),
    Treatment.MASK: Text(zh="遮蔽个人信息", en="masked"),
    Treatment.EXISTENCE: Text(zh="仅告知存在", en="existence only"),
    Treatment.REFUSE: Text(zh="不予提供", en="not told"),
}

NO_KIND: Final = "none"
"""Stands in a rule for records without a livelihood kind."""

PERSONAL_KINDS: Final = frozenset(
    (
        *("marriage", "only_child", "birth_permit", "youth_sent_down", "youth_returned", "recruitment"),
        *("job_transfer", "downsizing", "retirement", "veterans", "martyrs", "social_insurance", "work_injury"),
        *("professional_titles", "school_roll", "notarisation", "mediation", "court_cases", "petitions"),
        *("relief", "adoption_household"),
    )
)
"""Kinds whose titles name private persons; those about land, houses and enterprises name households and firms."""

WORKING_PURPOSES: Final = frozenset(("history", "research", "official"))
"""Purposes that need no particular person: of personal kinds they are told only that there is something."""

CLOSED: Final = (AccessStatus.RESTRICTED, AccessStatus.DEFERRED)


class PolicyRule(msgspec.Struct, frozen=True, kw_only=True):
    """One rule; an empty part lets everything through."""

    treatment: Treatment
    kinds: tuple[str, ...] = ()
    """Livelihood kinds; ``none`` for records that have none."""
    purposes: tuple[str, ...] = ()
    requesters: tuple[str, ...] = ()
    access: tuple[AccessStatus, ...] = ()

    def fits(self, kind: str, access: AccessStatus, case: LookupCase) -> bool:
        """Tell whether the rule decides about such a record under such a case."""
        return (
            _lets(self.kinds, kind or NO_KIND)
            and _lets(self.purposes, case.purpose)
            and _lets(self.requesters, case.requester)
            and _lets(self.access, access)
        )


def _lets(wanted: Iterable[str], value: str) -> bool:
    return not wanted or value in wanted


_PERSONAL: Final = tuple(sorted(PERSONAL_KINDS))

DEFAULT_RULES: Final = (
    PolicyRule(kinds=_PERSONAL, access=CLOSED, treatment=Treatment.EXISTENCE),
    PolicyRule(kinds=_PERSONAL, purposes=tuple(sorted(WORKING_PURPOSES)), treatment=Treatment.EXISTENCE),
    PolicyRule(access=CLOSED, treatment=Treatment.MASK),
    PolicyRule(kinds=_PERSONAL, treatment=Treatment.MASK),
    PolicyRule(treatment=Treatment.SHOW),
)
"""The county's defaults, the first that fits; the last one fits everything."""


class Policy(msgspec.Struct, frozen=True, kw_only=True):
    """One site's rules."""

    name: str
    """What answers and logs call it; another name for other rules."""
    rules: tuple[PolicyRule, ...] = ()
    """The site's own, before the defaults."""

    def treatment(self, kind: str, access: AccessStatus, case: LookupCase) -> Treatment:
        """Return what is told of a record; nothing where no purpose is stated."""
        if not case.purpose:
            return Treatment.REFUSE
        fitting = (rule for rule in (*self.rules, *DEFAULT_RULES) if rule.fits(kind, access, case))
        return next(fitting).treatment


DEFAULT_POLICY: Final = Policy(name="county-default-1")
"""What holds at a site whose settings say nothing, and for the hub's copies."""
