"""Writing a question down, with everything that follows from it at once: one transaction, before anybody is asked."""

from typing import Final
from uuid import UUID

import msgspec
from sqlalchemy import Connection

from hub import audit
from hub.audit import Action, AuditEntry
from hub.searching.search import Names, readings_of
from hub.window import findings, ledger, lookup_answers, lookup_ledger
from hub.window.candidates import Known, index_hits, site_view
from hub.window.lookup_answers import case_words
from hub.window.lookup_ledger import StoredLookup
from hub.window.lookup_views import LookupOrder, SiteView
from hub.window.routing import Routed
from hub.window.states import STATES, State
from protocol.audit_chain import AuditHead, head_of
from protocol.calls import Lookup
from protocol.errors import BadValue, Refused
from protocol.identity_numbers import mask_identity_numbers
from protocol.limits import SEARCH_HITS_MAX
from protocol.lookups import Route, SiteOutcome, encoded_lookup
from protocol.queries import parse
from protocol.search_calls import with_language
from protocol.wording import Text

REASON_CHARS_MAX: Final = 200
"""Characters of the reason for asking more sites."""

ASKED: Final = frozenset((State.ACCEPTED, State.ROUTED, State.SEARCHING, State.FOUND, State.PARTIAL, State.NOT_FOUND))
"""States of a request in which its questions may be put: nothing is sought that was not accepted, or is over."""

_GRACE_MS: Final = 1_000
"""Milliseconds behind the screen's deadline for which the live part may still be stored."""


class Prospect(msgspec.Struct, frozen=True, kw_only=True):
    """What was read before a question is put: so that the transaction that writes it down need not look for it."""

    known: Known
    routes: tuple[Routed, ...]
    """In the order of ``known.facts``."""
    names: Names | None = None
    """What words were read as."""


class Opening(msgspec.Struct, frozen=True, kw_only=True):
    """All that is needed to write a question down."""

    order: LookupOrder
    prospect: Prospect
    is_linked: bool
    deadline_s: float


def open_lookup(connection: Connection, opening: Opening, now_ms: int) -> bool:
    """Write a question, its sites, what the index has, and the letters to sites that are away; False if it is there.

    Raises:
        Refused: its request was not accepted, or is over.

    """
    order, known, names = opening.order, opening.prospect.known, opening.prospect.names
    if lookup_ledger.found(connection, order.lookup_id) is not None:
        return False
    _check_state(connection, order.case.request_id)
    asked = sum(one.is_asked for one in opening.prospect.routes)
    line = audit.append(
        connection,
        AuditEntry(
            who=order.asked_by,
            action=Action.LOOKUP_ASKED,
            object=f"lookup {order.lookup_id}",
            detail=f"{_words(order)}; {asked} of {len(opening.prospect.routes)} sites",
        ),
        now_ms,
    )
    question = _question(opening, head_of(line), now_ms)
    body, digest = encoded_lookup(question)
    live_until_ms = now_ms + int(opening.deadline_s * 1000) + _GRACE_MS
    lookup_ledger.add(connection, order, body, digest, asked_at_ms=now_ms, live_until_ms=live_until_ms)
    views = _views(opening, now_ms)
    lookup_ledger.add_sites(connection, order.lookup_id, views)
    lookup_ledger.add_hits(connection, order.lookup_id, index_hits(known.page, order.query, order.case, names))
    stored = present(connection, order.lookup_id)
    _write_letters(connection, stored, views, now_ms)
    _begin(connection, stored, views, now_ms)
    return True


def _begin(connection: Connection, stored: StoredLookup, views: list[SiteView], now_ms: int) -> None:
    """Tell the request that it is being asked; where nobody is asked live, also what that has brought."""
    findings.begin(connection, stored.request_id, now_ms)
    if all(one.outcome is not SiteOutcome.WAITING for one in views):
        lookup_answers.settle(connection, stored, now_ms)


def _question(opening: Opening, head: AuditHead, now_ms: int) -> Lookup:
    """Return the question as its letters carry it; the live call adds who asks."""
    order = opening.order
    query = order.query
    plain = Lookup(
        asker="",
        question="",
        query=query.words,
        limit=SEARCH_HITS_MAX,
        date_from=query.date_from,
        date_to=query.date_to,
        fonds_no=query.fonds_no,
        livelihood_kind=query.livelihood_kind,
        access_status=query.access_status,
        level=query.level,
        with_matches=False,
        lookup_id=order.lookup_id,
        case=order.case,
        asked_at_ms=now_ms,
        expires_at_ms=order.expires_at_ms,
        head=head,
    )
    prospect = opening.prospect
    told = with_language(plain, parse(query.words), readings_of(prospect.names, prospect.known.page))
    return msgspec.structs.replace(plain, query=told.query, language=told.language, readings=told.readings)


def _views(opening: Opening, now_ms: int) -> list[SiteView]:
    return [
        site_view(
            facts,
            routed,
            index_total=opening.prospect.known.totals.get(facts.site, 0),
            now_ms=now_ms,
            is_linked=opening.is_linked,
        )
        for facts, routed in zip(opening.prospect.known.facts, opening.prospect.routes, strict=True)
    ]


def _write_letters(connection: Connection, stored: StoredLookup, views: list[SiteView], now_ms: int) -> None:
    for one in views:
        if one.outcome is SiteOutcome.PENDING and one.reason is not None:
            lookup_answers.ask_by_letter(connection, stored, [one.site], now_ms, one.reason)


class Widening(msgspec.Struct, frozen=True, kw_only=True):
    """Why the sites that were left out are asked as well, and by whom."""

    because: str
    by: str
    is_linked: bool


def widen_lookup(connection: Connection, lookup_id: UUID, known: Known, widening: Widening, now_ms: int) -> None:
    """Put a question to the sites that were left out as well; a line of the log says by whom and why.

    Raises:
        BadValue: no reason is given, there is no such question, or its time is over.
        Refused: its request is over.

    """
    reason = mask_identity_numbers(" ".join(widening.because.split()))[0][:REASON_CHARS_MAX]
    stored = present(connection, lookup_id)
    _check_widening(connection, stored, reason, now_ms)
    left_out = {one.site for one in lookup_ledger.sites_of(connection, lookup_id, (SiteOutcome.NOT_ASKED,))}
    why = Text(zh=f"扩大查询：{reason}", en=f"widened: {reason}")
    views = [
        site_view(
            facts,
            Routed(site=facts.site, route=Route.WIDENED, why=why),
            index_total=None,
            now_ms=now_ms,
            is_linked=widening.is_linked,
        )
        for facts in known.facts
        if facts.site in left_out
    ]
    if not views:
        return
    for one in views:
        values = {"route": one.route.value, "why_zh": why.zh, "why_en": why.en, "outcome": one.outcome.value}
        lookup_ledger.put_site(connection, lookup_id, one.site, values)
    changes = {"widened_because": reason, "ended_at_ms": None, "changed_at_ms": now_ms, "live_until_ms": now_ms}
    lookup_ledger.put(connection, lookup_id, changes)
    _write_letters(connection, stored, views, now_ms)
    entry = AuditEntry(
        who=widening.by,
        action=Action.LOOKUP_WIDENED,
        object=f"lookup {lookup_id}",
        detail=f"{case_words(stored.question)}; {len(views)} more sites: {reason}",
    )
    audit.append(connection, entry, now_ms)
    _begin(connection, msgspec.structs.replace(stored, ended_at_ms=None), views, now_ms)


def _check_state(connection: Connection, request_id: UUID) -> None:
    """Refuse to ask for a request that stands elsewhere; one that is not on the register stands by itself."""
    request = ledger.found(connection, request_id)
    if request is not None and request.standing.state not in ASKED:
        state = STATES[request.standing.state]
        raise Refused(
            Text(
                zh=f"申请 {request.number} {state.zh}，不能向站点提问。",
                en=f"{request.number} is {state.en}: no site is asked for it",
            ),
            Text(zh="受理后、审核前才能查找。", en="Search between acceptance and the review of access."),
        )


def _check_widening(connection: Connection, stored: StoredLookup, reason: str, now_ms: int) -> None:
    _check_state(connection, stored.request_id)
    if not reason:
        raise BadValue(
            Text(zh="扩大查询须写明理由。", en="asking more sites needs a reason"),
            Text(zh="理由会记入审计，并写进查询范围说明。", en="It is logged, and told in the statement."),
        )
    if stored.is_expired or now_ms >= stored.expires_at_ms:
        raise BadValue(
            Text(zh="这次提问已到期。", en="the question's time is over"),
            Text(zh="请重新提问。", en="Ask it anew."),
        )


def present(connection: Connection, lookup_id: UUID) -> StoredLookup:
    """Return a question.

    Raises:
        BadValue: there is none.

    """
    stored = lookup_ledger.found(connection, lookup_id)
    if stored is None:
        raise BadValue(
            Text(zh="没有这次提问。", en="there is no such lookup"),
            Text(zh="请从申请页面打开。", en="Open it from its request."),
        )
    return stored


def _words(order: LookupOrder) -> str:
    case = order.case
    return f"request {case.request_id}; case {case.case_ref}; for {case.purpose}"
