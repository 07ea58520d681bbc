"""Disposing of the papers of certificates whose term is over: the files, what they say, and what was asked for them.

The register stays: serial, kind, fate, holder, signed statement, digests. So whoever holds a certificate may verify it
for ever, by its QR code and by its file; the county merely keeps no copy of it any more. Their term is longer than that
of the applicant's data (records of use 利用 are kept for 10 to 30 years), and counts from the year after the request
ended; with a mediation case it is that of the case's file.
"""

import datetime
from collections.abc import Sequence
from pathlib import Path
from typing import Final
from uuid import UUID

import msgspec
from sqlalchemy import Connection, func, insert, select, update

from hub.audit import Action
from hub.staff.administration import Actor
from hub.window import certificate_paths, copies, disposal, ledger
from hub.window.copy_tables import certificate, copy_order, copy_step
from hub.window.disposal import Batch, Disposable, term_of
from hub.window.disposal_table import DisposalRules
from hub.window.mediation import DisputeKinds
from hub.window.requests import Request
from hub.window.tables import paper_disposal, request_hold
from protocol.county_time import ZONE
from protocol.retention import RetentionKind
from replication import letters

BATCH_REQUESTS: Final = 50
"""Requests that are looked at in one transaction: the files of those that are due are removed within it."""


def due(
    connection: Connection, rules: DisposalRules, kinds: DisputeKinds, today: datetime.date, after: str = ""
) -> Batch:
    """Look at the next requests with old serials behind a request's id, and return those whose papers are due."""
    before_ms = _newest_ms(rules, today)
    if before_ms is None:
        return Batch(due=(), reached="")
    gone = select(paper_disposal.c.request_id)
    statement = (
        select(certificate.c.request_id)
        .where(certificate.c.request_id > after, certificate.c.request_id.not_in(gone))
        .group_by(certificate.c.request_id)
        .having(func.max(certificate.c.taken_at_ms) < before_ms)
        .order_by(certificate.c.request_id)
        .limit(BATCH_REQUESTS)
    )
    held = {UUID(bytes=bytes(key)) for key in connection.scalars(select(request_hold.c.request_id))}
    found: list[Disposable] = []
    keys = connection.scalars(statement).all()
    for text in keys:
        one = ledger.found(connection, UUID(text))
        judged = None if one is None or one.request_id in held else term_of(connection, one, (rules, kinds), _papers)
        if judged is not None and today > judged.kept_until:
            found.append(judged)
    return Batch(due=tuple(found), reached=keys[-1] if len(keys) == BATCH_REQUESTS else "")


def _newest_ms(rules: DisposalRules, today: datetime.date) -> int | None:
    """Return the moment before which a serial must have been taken for its papers to be due at all."""
    years = [one.papers.years for one in rules.rows if one.papers.kind is RetentionKind.YEARS]
    shortest = min((one for one in years if one is not None), default=None)
    if shortest is None or today.year - shortest <= datetime.MINYEAR:
        return None
    return int(datetime.datetime(today.year - shortest, 1, 1, tzinfo=ZONE).timestamp() * 1000)


def _papers(rules: DisposalRules, one: Request) -> tuple[str, int | None]:
    rule = rules.of(one.content.applicant.requester, one.content.purpose)
    return ("", None) if rule is None or rule.papers.kind is not RetentionKind.YEARS else (rule.id, rule.papers.years)


def dispose(connection: Connection, actor: Actor, folder: Path, found: Sequence[Disposable], now_ms: int) -> int:
    """Remove the papers of requests, with one line in the audit log; return of how many requests.

    The files go first: if the transaction fails they are looked for in vain the next night, and nothing else is lost.
    """
    if not found:
        return 0
    for one in found:
        _clear(connection, folder, one.request_id)
        values = {"request_id": str(one.request_id), "rule": one.rule, "disposed_at_ms": now_ms}
        connection.execute(insert(paper_disposal).values(**values))
    disposal.note_disposal(connection, actor, Action.PAPERS_DISPOSED, found, now_ms)
    return len(found)


def _clear(connection: Connection, folder: Path, request_id: UUID) -> None:
    mine = certificate.c.request_id == str(request_id)
    for serial in connection.scalars(select(certificate.c.serial).where(mine)):
        certificate_paths.remove(folder, serial)
    connection.execute(update(certificate).where(mine).values(contents=""))
    orders = copies.of_request(connection, request_id)
    # A site that was put back is told again what is not settled: never of papers that are gone.
    letters.forget(connection, [order.copy_id for order in orders])
    for order in orders:
        asked = msgspec.structs.replace(order.asked, purpose="", case_no="", title="", facts=(), basis="")
        of_order = copy_order.c.copy_id == str(order.copy_id)
        values = {"asked": msgspec.json.encode(asked), "decision": None, "reason_zh": "", "reason_en": ""}
        connection.execute(update(copy_order).where(of_order).values(**values))
        connection.execute(update(copy_step).where(copy_step.c.copy_id == str(order.copy_id)).values(note=""))
