"""What is known before a question is put to anybody: the sites, what they hold, and what the hub's index has.

All of it is read at one moment. Copies are shown by the county's default policy: a lookup tells no more from the index
than from a holder.
"""

import msgspec
from sqlalchemy import Connection

from hub.searching.federation import sites_in_question
from hub.searching.gathering import SiteFacts
from hub.searching.search import Found, Names, Page, Query, readings_of, search, totals_by_site
from hub.sites.board import is_away, matches
from hub.window import coverage
from hub.window.coverage import Coverage
from hub.window.lookup_ledger import StoredHit
from hub.window.lookup_views import SiteView
from hub.window.routing import Candidate, Routed
from protocol.codec import encode_record
from protocol.limits import SEARCH_HITS_MAX
from protocol.lookup_cases import LookupCase
from protocol.lookup_policy import DEFAULT_POLICY, Treatment
from protocol.lookups import SiteOutcome
from protocol.masking import masked, said_words
from protocol.plans import Readings
from protocol.queries import parse
from protocol.wording import Text

_BY_COURIER = Text(zh="该站点用信使包联系", en="it comes by courier")
_OFFLINE = Text(zh="站点离线，已留下书面提问", en="the site is offline; the question waits for it as a letter")
_NO_LINK = Text(zh="暂时连不上站点，已留下书面提问", en="no link to the sites now; the question waits as a letter")


class Known(msgspec.Struct, frozen=True, kw_only=True):
    """What was read at one moment."""

    facts: tuple[SiteFacts, ...]
    coverages: dict[str, Coverage]
    page: Page
    totals: dict[str, int]
    """Hits of each site in the index."""
    named: frozenset[str]
    """Sites that the query's own filter lets through."""

    @property
    def candidates(self) -> list[Candidate]:
        """The sites as routing wants them."""
        return [
            Candidate(
                site=one.site,
                name=one.name,
                coverage=self.coverages.get(one.site),
                has_copy=one.mark is not None,
                index_total=self.totals.get(one.site, 0),
                is_named=one.site in self.named,
            )
            for one in self.facts
        ]


def known(connection: Connection, query: Query, names: Names | None) -> Known:
    """Read all that is known; raises BadQuery for words that cannot be understood."""
    wide = msgspec.structs.replace(query, limit=SEARCH_HITS_MAX, with_facets=False, cursor="")
    page = search(connection, wide, names, is_bare=True)
    if len(page.hits) < page.total:
        totals = totals_by_site(connection, query, names)[0]
    else:
        totals = {}
        for hit in page.hits:
            totals[hit.site] = totals.get(hit.site, 0) + 1
    everywhere = sites_in_question(connection, msgspec.structs.replace(query, site_glob=""))
    named = [one.site for one in everywhere if matches(one.site, query.site_glob)]
    return Known(
        facts=tuple(everywhere),
        coverages=coverage.coverages(connection),
        page=page,
        totals=totals,
        named=frozenset(named),
    )


def index_hits(page: Page, query: Query, case: LookupCase, names: Names | None) -> list[StoredHit]:
    """Return what the index has, as far as the default policy lets it be told."""
    readings: Readings = readings_of(names, page)
    parts = parse(query.words).parts
    plain = said_words(parts)
    said = said_words(parts, (one.text for word in plain for one in readings(word)))
    told = [_copy(one, case, said) for one in page.hits]
    return [one for one in told if one is not None]


def _copy(found: Found, case: LookupCase, said: tuple[str, ...]) -> StoredHit | None:
    record = found.record
    treatment = DEFAULT_POLICY.treatment(record.livelihood_kind, record.access_status, case)
    if treatment is Treatment.REFUSE:
        return None
    return StoredHit(
        site=found.site,
        record_id=str(record.record_id),
        is_live=False,
        seq=found.seq,
        stage=found.stage.value if found.stage is not None else "",
        treatment=treatment.value,
        body=encode_record(masked(record, treatment, said)),
    )


def site_view(facts: SiteFacts, routed: Routed, *, index_total: int | None, now_ms: int, is_linked: bool) -> SiteView:
    """Return the line of a site as the question begins."""
    outcome, reason = _begun(facts, routed, now_ms, is_linked=is_linked)
    return SiteView(
        site=facts.site,
        name=facts.name,
        route=routed.route,
        why=routed.why,
        outcome=outcome,
        index_total=index_total,
        reason=reason,
        epoch=facts.mark.epoch if facts.mark else "",
        seq=facts.mark.position if facts.mark else 0,
        copied_at_ms=facts.mark.moved_at_ms if facts.mark else None,
        seen_at_ms=facts.node.seen_at_ms if facts.node else None,
    )


def _begun(facts: SiteFacts, routed: Routed, now_ms: int, *, is_linked: bool) -> tuple[SiteOutcome, Text | None]:
    if not routed.is_asked:
        return SiteOutcome.NOT_ASKED, None
    if facts.by_courier is not None:
        return SiteOutcome.PENDING, _BY_COURIER
    if facts.node is None or is_away(facts.node, now_ms):
        return SiteOutcome.PENDING, _OFFLINE
    return (SiteOutcome.WAITING, None) if is_linked else (SiteOutcome.PENDING, _NO_LINK)
