"""Statements of completeness: made of what is stored about a request's questions, signed by the hub's key."""

from collections.abc import Mapping
from uuid import UUID

import msgspec
from sqlalchemy import Connection

from hub import audit
from hub.audit import Action, AuditEntry
from hub.repair import rebuilds
from hub.sites.board import NodeState, node_states
from hub.window import coverage, findings, ledger, lookup_ledger
from hub.window.coverage import Coverage
from hub.window.lookup_ledger import StoredLookup
from hub.window.lookup_views import SiteView
from protocol.completeness import (
    HOLDINGS_TOLD_MAX,
    HoldingLine,
    QuestionLine,
    SiteLine,
    Statement,
    signed_bytes,
)
from protocol.errors import BadValue
from protocol.wording import Text
from replication.keys import Identity


class Maker(msgspec.Struct, frozen=True, kw_only=True):
    """Who makes statements."""

    county: str
    county_name: str
    identity: Identity


class Surroundings(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of the sites beside their answers."""

    coverages: Mapping[str, Coverage]
    nodes: Mapping[str, NodeState]
    rebuilding: frozenset[str]


def make(connection: Connection, maker: Maker, request_id: UUID, statement_id: UUID, *, by: str, now_ms: int) -> bytes:
    """Return a signed statement of a request's questions as they stand; a line of the log says that it was made.

    Raises:
        BadValue: the request has no questions that were asked.

    """
    statement = statement_of(connection, maker, request_id, statement_id, by=by, now_ms=now_ms)
    entry = AuditEntry(
        who=by,
        action=Action.STATEMENT_MADE,
        object=f"statement {statement_id}",
        detail=f"request {request_id}; case {statement.case_ref}; {len(statement.questions)} questions",
    )
    audit.append(connection, entry, now_ms)
    return signed_bytes(statement, maker.identity.public_key, maker.identity.sign)


def statement_of(
    connection: Connection, maker: Maker, request_id: UUID, statement_id: UUID, *, by: str, now_ms: int
) -> Statement:
    """Return what can be said of a request's questions now; raises as ``make``."""
    stored = lookup_ledger.of_request(connection, request_id)
    if not stored:
        raise BadValue(
            Text(zh="这份申请还没有提问。", en="nothing was asked for this request yet"),
            Text(zh="请先查找，再出具说明。", en="Search first; then make the statement."),
        )
    around = Surroundings(
        coverages=coverage.coverages(connection),
        nodes=node_states(connection),
        rebuilding=frozenset(rebuilds.pending(connection)),
    )
    case = stored[0].question.case
    request = ledger.found(connection, request_id)
    return Statement(
        statement_id=str(statement_id),
        county=maker.county,
        county_name=maker.county_name,
        request_id=str(request_id),
        request_number=request.number if request is not None else "",
        case_ref=case.case_ref,
        purpose=case.purpose,
        made_at_ms=now_ms,
        made_by=by,
        questions=tuple(_question(connection, one, around) for one in stored),
    )


def _question(connection: Connection, stored: StoredLookup, around: Surroundings) -> QuestionLine:
    query = stored.query
    return QuestionLine(
        lookup_id=str(stored.lookup_id),
        words=query.words,
        period_from=query.date_from.isoformat() if query.date_from else "",
        period_to=query.date_to.isoformat() if query.date_to else "",
        fonds_no=query.fonds_no,
        livelihood_kind=query.livelihood_kind,
        places=stored.places,
        state=findings.state(connection, stored),
        found=lookup_ledger.count_hits(connection, stored.lookup_id),
        asked_at_ms=stored.asked_at_ms,
        expires_at_ms=stored.expires_at_ms,
        ended_at_ms=stored.ended_at_ms,
        is_expired=stored.is_expired,
        widened_because=stored.widened_because,
        sites=tuple(_site(one, around) for one in lookup_ledger.sites_of(connection, stored.lookup_id)),
    )


def _site(view: SiteView, around: Surroundings) -> SiteLine:
    held, node = around.coverages.get(view.site), around.nodes.get(view.site)
    holdings = held.holdings if held is not None else ()
    return SiteLine(
        site=view.site,
        name=view.name,
        route=view.route,
        why=view.why,
        outcome=view.outcome,
        total=view.total,
        withheld=view.withheld,
        index_total=view.index_total,
        reason=view.reason,
        answered_at_ms=view.answered_at_ms,
        epoch=view.epoch,
        seq=view.seq,
        copied_at_ms=view.copied_at_ms,
        seen_at_ms=view.seen_at_ms,
        holdings=tuple(
            msgspec.convert(msgspec.structs.asdict(one), HoldingLine) for one in holdings[:HOLDINGS_TOLD_MAX]
        ),
        holdings_left_out=max(0, len(holdings) - HOLDINGS_TOLD_MAX),
        rejected_rows=node.rejected if node is not None else 0,
        unread_folders=node.folders_unread if node is not None else 0,
        volumes_only=held is not None and held.has_volumes_only,
        rebuilding=view.site in around.rebuilding,
    )
