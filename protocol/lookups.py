"""Lookups: a question that goes with a request, and what became of it at each site.

A question is asked live of the sites that are there, as the call ``lookup``. Those that are away, or do not answer in
time, get the same words as a letter, and answer with a letter when they are back. Both answers say the same, and both
name the digest of the very question, so that an answer cannot be passed off as that to another.
"""

from enum import StrEnum
from typing import Final
from uuid import UUID

import msgspec

from protocol.calls import LookedUp, Lookup, Outcome, Refusal, question_digest
from protocol.errors import BadValue
from protocol.letters import letter_body
from protocol.wording import Text

LOOKUP_ASKED: Final = "lookup_asked"
"""Kind of the letter from hub to site; its body is a ``Lookup``."""

LOOKUP_ANSWERED: Final = "lookup_answered"
"""Kind of the letter from site to hub; its body is a ``LookupAnswered``."""


class LookupAnswered(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One site's answer by letter; the letter's subject proves the site."""

    lookup_id: UUID
    question_digest: str
    """Digest of the bytes of the letter that is answered."""
    outcome: Outcome
    body: LookedUp | Refusal | None = None
    epoch: str = ""
    seq: int = 0
    """As of: the site's latest position when it answered."""
    answered_at_ms: int = 0


class Route(StrEnum):
    """Whether a site is asked."""

    LIKELY = "likely"
    """Its copy has hits, or what it is known to hold fits everything that was said."""
    POSSIBLE = "possible"
    """Nothing that it holds speaks against it."""
    WIDENED = "widened"
    """Its holdings speak against it, or nobody knows them; a clerk had it asked and said why."""
    NOT_ASKED = "not_asked"
    """It learns nothing of the question."""


class SiteOutcome(StrEnum):
    """What became of a question at one site (promise 10)."""

    ANSWERED = "answered"
    NOTHING = "nothing"
    REFUSED = "refused"
    FAILED = "failed"
    WAITING = "waiting"
    """Asked live, and the time for that is not over."""
    PENDING = "pending"
    """It has, or will get, the question as a letter, and answers on its return."""
    EXPIRED = "expired"
    """It did not answer until the question's end."""
    NOT_ASKED = "not_asked"


OPEN_OUTCOMES: Final = frozenset({SiteOutcome.WAITING, SiteOutcome.PENDING})
"""Outcomes that may still change."""

SPOKEN_OUTCOMES: Final = frozenset({SiteOutcome.ANSWERED, SiteOutcome.NOTHING})
"""Outcomes in which the site spoke for itself."""


class LookupState(StrEnum):
    """Where a question stands."""

    SEARCHING = "searching"
    """The sites are being asked live."""
    WAITING = "waiting"
    """Nothing was found yet, and some sites will still answer."""
    PARTIAL = "partial"
    """Something was found, and some sites will still answer."""
    FOUND = "found"
    """Something was found, and nobody will answer any more."""
    NOT_FOUND = "not_found"
    """Every site that was asked spoke for itself, and none has it."""
    INCONCLUSIVE = "inconclusive"
    """Nothing was found, nobody will answer any more, and not every site spoke: no proof that there is none."""


LOOKUP_STATES: Final = {
    LookupState.SEARCHING: Text(zh="正在查询", en="searching"),
    LookupState.WAITING: Text(zh="暂未查到，等待站点答复", en="nothing yet, waiting for sites"),
    LookupState.PARTIAL: Text(zh="已查到，尚有站点未答复", en="found, some sites still to answer"),
    LookupState.FOUND: Text(zh="已查到", en="found"),
    LookupState.NOT_FOUND: Text(zh="所问站点均无", en="not found at any site asked"),
    LookupState.INCONCLUSIVE: Text(zh="未查到，但答复不全", en="not found, but the answers are incomplete"),
}


def encoded_lookup(lookup: Lookup) -> tuple[bytes, str]:
    """Return the bytes of a question as a letter carries them, and their digest.

    Raises:
        BadValue: the question is too large.

    """
    body = letter_body(lookup)
    return body, question_digest(body)


def decoded_lookup(body: bytes | msgspec.Raw) -> Lookup:
    """Read a question from a letter.

    Raises:
        BadValue: it is none.

    """
    try:
        return msgspec.json.decode(body, type=Lookup)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise BadValue(Text(zh="查档提问无法解读。", en=f"unreadable lookup: {error}")) from error


def state_of(outcomes: list[SiteOutcome], *, hits: int, is_live: bool) -> LookupState:
    """Return where a question stands.

    Args:
        outcomes: of all sites, those that are not asked included.
        hits: how many were found, in the index or at the sites.
        is_live: whether sites are still being asked live.

    """
    asked = [one for one in outcomes if one is not SiteOutcome.NOT_ASKED]
    if is_live:
        return LookupState.SEARCHING
    if any(one in OPEN_OUTCOMES for one in asked):
        return LookupState.PARTIAL if hits else LookupState.WAITING
    if hits:
        return LookupState.FOUND
    spoke = asked and all(one in SPOKEN_OUTCOMES for one in asked)
    return LookupState.NOT_FOUND if spoke else LookupState.INCONCLUSIVE
