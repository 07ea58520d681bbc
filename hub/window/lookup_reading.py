"""How a lookup is shown: as it is stored, at any time and by anybody; a reload loses nothing."""

from collections.abc import Collection
from typing import Final
from uuid import UUID

from sqlalchemy import Connection, select, update

from hub.window import lookup_ledger
from hub.window.lookup_ledger import StoredHit, StoredLookup
from hub.window.lookup_tables import lookup
from hub.window.lookup_views import HITS_SHOWN_MAX, HitView, LookupView, StrayAnswer
from protocol.codec import decode_record
from protocol.lookups import LookupState, SiteOutcome, state_of
from protocol.matching import Matcher
from protocol.plans import StageName
from protocol.queries import parse
from protocol.record_facts import subject_of
from protocol.records import Record
from protocol.search_calls import readings_of

_RANKS: Final = {name.value: number for number, name in enumerate(StageName)}


def view_of(connection: Connection, lookup_id: UUID) -> LookupView | None:
    """Return a lookup as it stands; None if there is none."""
    stored = lookup_ledger.found(connection, lookup_id)
    return None if stored is None else _view(connection, stored, with_hits=True)


def lookups_of(connection: Connection, request_id: UUID) -> list[LookupView]:
    """Return the lookups of a request, the first first, without their hits."""
    return [_view(connection, one, with_hits=False) for one in lookup_ledger.of_request(connection, request_id)]


def with_news(connection: Connection, requests: Collection[UUID]) -> set[UUID]:
    """Return which of some requests have an answer that nobody has looked at: the mark "new answer"."""
    mine = lookup.c.request_id.in_([str(one) for one in requests])
    statement = select(lookup.c.request_id).where(mine, lookup.c.news_at_ms.is_not(None)).distinct()
    return {UUID(one) for one in connection.scalars(statement)}


def mark_seen(connection: Connection, request_id: UUID) -> None:
    """Take the mark "new answer" off a request's lookups."""
    connection.execute(
        update(lookup)
        .where(lookup.c.request_id == str(request_id), lookup.c.news_at_ms.is_not(None))
        .values(news_at_ms=None)
    )


def stray_answers(connection: Connection, limit: int) -> list[StrayAnswer]:
    """Return the answers that were refused, the latest first."""
    return lookup_ledger.strays(connection, limit)


def _view(connection: Connection, stored: StoredLookup, *, with_hits: bool) -> LookupView:
    sites = lookup_ledger.sites_of(connection, stored.lookup_id)
    outcomes = [one.outcome for one in sites]
    is_live = SiteOutcome.WAITING in outcomes
    count = lookup_ledger.count_hits(connection, stored.lookup_id)
    state: LookupState = state_of(outcomes, hits=count, is_live=is_live)
    return LookupView(
        lookup_id=stored.lookup_id,
        case=stored.question.case,
        query=stored.query,
        places=stored.places,
        state=state,
        asked_by=stored.asked_by,
        asked_at_ms=stored.asked_at_ms,
        expires_at_ms=stored.expires_at_ms,
        ended_at_ms=stored.ended_at_ms,
        is_expired=stored.is_expired,
        news_at_ms=stored.news_at_ms,
        widened_because=stored.widened_because,
        sites=tuple(sites),
        hits=_hits(connection, stored) if with_hits else (),
        total=count,
        finished=not is_live,
    )


def _hits(connection: Connection, stored: StoredLookup) -> tuple[HitView, ...]:
    question = stored.question
    matcher = Matcher(parse(stored.query.words), readings_of(question))
    found = [(one, decode_record(one.body)) for one in lookup_ledger.hits_of(connection, stored.lookup_id)]
    # The best rank first, the newest first in each; two passes of a stable sort.
    found.sort(key=lambda pair: str(pair[1].date_latest or pair[1].filing_year or ""), reverse=True)
    found.sort(key=lambda pair: _RANKS.get(pair[0].stage, len(_RANKS)))
    # Why one matches is looked for in what is shown alone: two hundred sites may name two hundred records each.
    return tuple(_hit(one, record, matcher) for one, record in found[:HITS_SHOWN_MAX])


def _hit(one: StoredHit, record: Record, matcher: Matcher) -> HitView:
    return HitView(
        site=one.site,
        record=record,
        live=one.is_live,
        treatment=one.treatment,
        seq=one.seq,
        stage=one.stage,
        matches=matcher.why(subject_of(record, site=one.site)),
        is_late=one.is_late,
    )
