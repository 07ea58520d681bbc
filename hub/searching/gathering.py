"""A federated answer as it grows: the index's hits first, then what each site says, in any order. Pure.

- A site's own word replaces the hub's copy of the same record, unless the copy is newer in the same epoch. If a site
  has named all that it found, a copy that it did not name is no longer true and goes.
- Every site in question has an outcome: answered, nothing, refused, failed, late, offline, or index only. No bare empty
  answer (promise 10): the answer is complete only if every expected site in question answered live.

Sorting waits until somebody looks.
"""

import heapq
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

import msgspec

from hub.decisions.duplicates import Likeness
from hub.searching.search import Found, Page, Query
from hub.sites.board import Mark, NodeState
from protocol.calls import Answer, Hit, Hits, Match, Outcome, Refusal
from protocol.codec import decode_record
from protocol.errors import BadValue
from protocol.matching import Matcher
from protocol.plans import Readings, StageName
from protocol.queries import parse
from protocol.record_facts import subject_of
from protocol.records import Record
from protocol.vocabularies import Level
from protocol.wording import Count, Text
from replication.asking import SiteAnswer

LIVE = frozenset({Outcome.ANSWERED, Outcome.NOTHING})
"""Outcomes in which a site spoke for itself."""

STOPPED = Text(zh="站点程序已停止，并已告知", en="the site's program stopped and said so")
REBUILDING = Text(zh="目录副本重建中，可能缺少条目", en="its copy is being rebuilt and may lack entries")
UNREADABLE = Text(zh="站点的答复无法解读", en="the site's answer could not be read")


class SiteFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of a site before it is asked."""

    site: str
    name: str = ""
    expected: bool = False
    mark: Mark | None = None
    node: NodeState | None = None
    rebuilding: bool = False
    """Its entries are being fetched anew: the hub's copy lacks some."""
    by_courier: Text | None = None
    """Why it is not asked, if it is not on the line by design."""


class SiteReport(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What became of the question at one site."""

    site: str
    name: str = ""
    outcome: Outcome
    expected: bool = True
    live_total: int | None = None
    """Hits that the site counted itself; None where it did not answer."""
    index_total: int | None = None
    """Hits in the hub's copy; None where nobody counted them, because every site spoke for itself."""
    epoch: str = ""
    seq: int = 0
    """As of: the position of the site when it answered, else that of the hub's copy."""
    copied_at_ms: int | None = None
    """When the hub's copy last moved; None if there is none."""
    seen_at_ms: int | None = None
    took_ms: float = 0.0
    reason: Text | None = None
    waiting: int = 0
    """Records that the site had just read and could not find yet: its answer is without them."""
    rebuilding: bool = False
    """The hub's copy of this site is being rebuilt: what it does not show may exist all the same."""


class MergedHit(msgspec.Struct, frozen=True, kw_only=True):
    """One record in the merged answer."""

    site: str
    record: Record
    seq: int
    live: bool
    """The site itself said so just now; False for the hub's copy."""
    matches: tuple[Match, ...] = ()
    likeness: Likeness = Likeness()
    stage: StageName | None = None
    """The rank in which it was found; None where the site does not say, or the query has no words."""
    group: int = -1
    """Number of its group in the index's answer; -1 for what only the site has named."""


class Summary(msgspec.Struct, frozen=True, kw_only=True):
    """The statement of completeness that closes an answer."""

    total: int
    exact: bool
    """False if the hub's copy was only counted up to a bound, or not yet."""
    complete: bool
    """Every expected site in question answered live."""
    outcomes: Mapping[Outcome, int]
    asked: int

    @property
    def partial(self) -> bool:
        """True unless complete."""
        return not self.complete


class _Glance(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Just enough of a record to merge and sort it; the rest is read when it is shown."""

    record_id: str
    date_latest: str = ""
    filing_year: int | None = None


_glances = msgspec.json.Decoder(list[_Glance])

_Order = tuple[int, str]
"""What sorts a hit: its rank, higher for a better one, and its date."""
_Copies = dict[str, tuple[_Order, Found]]
_Said = dict[str, tuple[_Order, Hit]]

_RANKS: Final[dict[str, int]] = {name: -number for number, name in enumerate(StageName)}
"""The ranks of hits; where a site says none, its words stand anywhere, for all that is known."""


def _order(stage: str | None, date: str) -> _Order:
    return _RANKS.get(stage or "", _RANKS[StageName.ANYWHERE]), date


class Gathering:
    """An answer as it grows: take the index's page, then answers as they come; look at it at any time."""

    def __init__(self, query: Query, sites: Sequence[SiteFacts], readings: Readings = lambda _: ()) -> None:
        self.query = query
        self._matcher = Matcher(parse(query.words), readings)
        self.facts = {one.site: one for one in sites}
        self.reports = {one.site: _unasked(one) for one in sites}
        self.latest: SiteReport | None = None
        """The report that came last; None before the first."""
        self.page = Page(total=0, exact=True, hits=())
        self.finished = False
        self._copies: defaultdict[str, _Copies] = defaultdict(dict)
        """By site and record: what sorts it, and what the index holds."""
        self._said: dict[str, _Said] = {}
        """The same of what the sites said."""
        self._likeness: dict[tuple[str, str], Likeness] = {}
        self._groups: dict[tuple[str, str], int] = {}
        self._index_exact = True

    @property
    def is_spoken_for(self) -> bool:
        """Whether every site in question has counted all of its hits itself."""
        return all(report.live_total is not None and not report.waiting for report in self.reports.values())

    def take_index(self, page: Page) -> None:
        """Take what the hub's index found, before any answer."""
        self.page = page
        for found in page.hits:
            record_id = str(found.record.record_id)
            date = str(found.record.date_latest or found.record.filing_year or "")
            self._copies[found.site][record_id] = (_order(found.stage, date), found)
            self._likeness[found.site, record_id] = found.likeness
            self._groups[found.site, record_id] = found.group

    def take_totals(self, totals: Mapping[str, int], *, exact: bool) -> None:
        """Take how many hits of each site the index has."""
        self._index_exact = exact
        for site, report in self.reports.items():
            self.reports[site] = msgspec.structs.replace(report, index_total=totals.get(site, 0))

    def take_answer(self, heard: SiteAnswer) -> SiteReport:
        """Take one site's answer, or that there was none; returns its report."""
        code, answer = heard.site.code, heard.answer
        outcome, live_total, reason, waiting = heard.outcome, None, None, 0
        before = self.reports[code]
        if answer is not None:
            if outcome in LIVE and (isinstance(answer.body, Hits) or outcome is Outcome.NOTHING):
                hits = answer.body if isinstance(answer.body, Hits) else Hits(total=0)
                if self._take_hits(code, answer, hits):
                    live_total = hits.total
                    waiting = max(0, hits.waiting)
                    reason = _waiting(waiting) if waiting else None
                else:
                    outcome, reason = Outcome.FAILED, UNREADABLE
            elif isinstance(answer.body, Refusal):
                reason = Text(zh=answer.body.reason_zh, en=answer.body.reason_en)
        elif outcome is Outcome.OFFLINE and (node := self.facts[code].node) is not None and node.stopping:
            reason = STOPPED
        if outcome not in LIVE:
            # Of a site that has not spoken for itself, there is only what its copy lacks to say.
            reason = reason or before.reason
        self.reports[code] = self.latest = msgspec.structs.replace(
            before,
            outcome=outcome,
            took_ms=heard.took_ms,
            live_total=live_total,
            waiting=waiting,
            reason=reason,
            epoch=before.epoch if answer is None else answer.epoch,
            seq=before.seq if answer is None else answer.seq,
        )
        return self.latest

    def take_unasked(self, reason: Text) -> None:
        """Note why nobody could be asked: all sites without a word of their own are index only."""
        for site, report in self.reports.items():
            if report.outcome is Outcome.INDEX_ONLY:
                self.reports[site] = msgspec.structs.replace(report, reason=report.reason or reason)

    def _take_hits(self, site: str, answer: Answer, hits: Hits) -> bool:
        """Take the records that a site named; False if they cannot be read."""
        try:
            glances = _glances.decode(b"[" + b",".join([hit.record for hit in hits.hits]) + b"]")
        except (msgspec.DecodeError, UnicodeDecodeError):
            return False
        said = {
            glance.record_id: (_order(hit.stage, glance.date_latest or str(glance.filing_year or "")), hit)
            for glance, hit in zip(glances, hits.hits, strict=True)
        }
        named_all = len(hits.hits) >= hits.total
        copies = self._copies.pop(site, {})
        for record_id, copy in copies.items():
            named = said.get(record_id)
            # If the site has named everything it found, a copy that it did not name no longer matches there.
            replaced = named is not None or named_all
            if not replaced or _is_newer(copy[1], answer.epoch, answer.seq if named is None else named[1].seq):
                self._copies[site][record_id] = copy
                said.pop(record_id, None)
        self._said[site] = said
        return True

    def newest(self, limit: int | None = None) -> list[MergedHit]:
        """Return the newest hits gathered so far."""
        wanted = self.query.hits_max if limit is None else limit
        # By rank and date, then by record and site, so that the order is the same whoever answered first.
        places = heapq.nlargest(wanted, self._places())
        shown = self._readable(places)
        if len(shown) < len(places):
            # What cannot be read leaves its place to the next.
            shown = self._readable(sorted(self._places(), reverse=True))
        return _together(shown[:wanted])

    def _places(self) -> Iterator[tuple[_Order, str, str]]:
        for held in (self._copies, self._said):
            for site, hits in held.items():
                for record_id, (order, _) in hits.items():
                    yield order, record_id, site

    def _readable(self, places: Sequence[tuple[_Order, str, str]]) -> list[MergedHit]:
        merged = []
        for _, record_id, site in places:
            said = self._said.get(site, {}).get(record_id)
            if said is None:
                merged.append(_copied(self._copies[site][record_id][1]))
            elif (hit := _live(site, said[1], self._matcher)) is not None:
                alike = self._likeness.get((site, record_id), Likeness())
                group = self._groups.get((site, record_id), -1)
                merged.append(msgspec.structs.replace(hit, likeness=alike, group=group))
        return merged

    def summary(self) -> Summary:
        """Return the statement of completeness."""
        outcomes: dict[Outcome, int] = {}
        total, exact = 0, True
        for report in self.reports.values():
            outcomes[report.outcome] = outcomes.get(report.outcome, 0) + 1
            if report.live_total is not None:
                # The hub's copy may already have what the site cannot find yet.
                total += max(report.live_total, report.index_total or 0) if report.waiting else report.live_total
            else:
                total += report.index_total or 0
                exact = exact and self._index_exact and report.index_total is not None
        if all(report.live_total is None for report in self.reports.values()):
            total, exact = self.page.total, self.page.exact
        exact = exact and not any(
            one.waiting or (one.rebuilding and one.live_total is None) for one in self.reports.values()
        )
        expected = [report for report in self.reports.values() if report.expected]
        return Summary(
            total=total,
            exact=exact,
            complete=bool(expected) and all(report.outcome in LIVE and not report.waiting for report in expected),
            outcomes=outcomes,
            asked=sum(report.outcome is not Outcome.INDEX_ONLY for report in self.reports.values()),
        )


def _together(hits: Sequence[MergedHit]) -> list[MergedHit]:
    """Return hits with the members of a group one behind the other, at the place of the first, items before volumes."""
    first: dict[int, int] = {}
    for place, hit in enumerate(hits):
        first.setdefault(hit.group if hit.group >= 0 else -2 - place, place)
    order = [(first.get(hit.group, place), hit.record.level is Level.VOLUME, place) for place, hit in enumerate(hits)]
    return [hits[place] for _, _, place in sorted(order)]


def _unasked(facts: SiteFacts) -> SiteReport:
    mark = facts.mark
    return SiteReport(
        site=facts.site,
        name=facts.name,
        outcome=Outcome.INDEX_ONLY,
        expected=facts.expected,
        epoch=mark.epoch if mark else "",
        seq=mark.position if mark else 0,
        copied_at_ms=mark.moved_at_ms if mark else None,
        seen_at_ms=facts.node.seen_at_ms if facts.node else None,
        reason=REBUILDING if facts.rebuilding else facts.by_courier,
        rebuilding=facts.rebuilding,
    )


def _waiting(records: int) -> Text:
    return Text(
        zh=f"该站刚读入约 {records} 条，尚未编入检索，此答复不含这些条目",
        en=f"some {Count(records):entry was|entries were} just read there and cannot be found yet: this answer is"
        " without them",
    )


def _is_newer(copy: Found, epoch: str, seq: int) -> bool:
    """Tell whether the hub's copy is newer than what a site just said: the site went back in time."""
    return copy.epoch == epoch and copy.seq > seq


def _copied(found: Found) -> MergedHit:
    return MergedHit(
        site=found.site,
        record=found.record,
        seq=found.seq,
        live=False,
        matches=found.matches,
        likeness=found.likeness,
        stage=found.stage,
        group=found.group,
    )


def _live(site: str, hit: Hit, matcher: Matcher) -> MergedHit | None:
    try:
        record = decode_record(hit.record)
    except BadValue:
        return None
    # A site of version 1.0 says why by itself.
    matches = hit.matches or matcher.why(subject_of(record, site=site))
    return MergedHit(site=site, record=record, seq=hit.seq, live=True, matches=matches, stage=_stage(hit.stage))


def _stage(name: str) -> StageName | None:
    """Return the rank that a site says; one of an earlier version says none, one of a later version perhaps others."""
    return StageName(name) if name in _RANKS else None
