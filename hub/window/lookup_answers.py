"""What an answer changes, live or by letter: the line of its site, what was found, the audit log, the request.

One rule for both ways: an answer counts if its site was asked this very question and owes the answer. Whatever else
comes is refused, counted and shown (``StrayAnswer``); nothing of it is kept.
"""

from collections.abc import Sequence
from typing import Final
from uuid import UUID

import msgspec
from sqlalchemy import Connection

from hub import audit
from hub.audit import Action, AuditEntry
from hub.window import audit_heads, lookup_ledger
from hub.window.findings import tell_request
from hub.window.lookup_ledger import StoredHit, StoredLookup
from protocol.calls import LookedUp, Lookup, Outcome, Refusal
from protocol.codec import decode_record
from protocol.errors import BadValue
from protocol.lookup_policy import Treatment
from protocol.lookups import LOOKUP_ASKED, OPEN_OUTCOMES, SiteOutcome
from protocol.wording import Text
from replication import letters

WHO: Final = "hub:lookup"
"""Who stands in the log for what the program does by itself."""

_UNREADABLE: Final = Text(zh="站点的答复无法解读", en="the site's answer could not be read")
_SILENT: Final = Text(zh="未在屏幕时限内答复，已转为书面提问", en="no answer in time; it was asked by letter")
_EXPIRED: Final = Text(zh="到期仍未答复", en="no answer until the question's end")
_GONE: Final = Text(zh="申请已撤回或失效，不再询问", en="its request was withdrawn or has lapsed: nobody asks any more")


class Heard(msgspec.Struct, frozen=True, kw_only=True):
    """One site's answer."""

    site: str
    outcome: Outcome
    body: LookedUp | Refusal | None = None
    epoch: str = ""
    seq: int = 0
    took_ms: float = 0.0


class _Told(msgspec.Struct, frozen=True, kw_only=True):
    """One answer as it was read."""

    heard: Heard
    outcome: SiteOutcome
    values: dict[str, object]
    """Of the site's line."""
    hits: list[StoredHit]
    is_all: bool
    """It has named everything it found: a copy that it did not name is not there, or must not be told."""


def take(
    connection: Connection, stored: StoredLookup, heard: Sequence[Heard], now_ms: int, *, is_late: bool
) -> dict[str, SiteOutcome]:
    """Take answers that are owed, of a site each; returns what became of the question at each site.

    Two hundred sites answer within a second, so all that one statement can say of them is said by one.
    """
    told = [_told(one, now_ms, is_late=is_late) for one in heard]
    lookup_id = stored.lookup_id
    lookup_ledger.drop_copies(connection, lookup_id, [one.heard.site for one in told if one.is_all])
    heads = {one.site: one.body.head for one in heard if isinstance(one.body, LookedUp)}
    audit_heads.keep_all(connection, heads, stored.asked_at_ms, now_ms)
    lookup_ledger.add_hits(connection, lookup_id, [hit for one in told for hit in one.hits])
    lookup_ledger.put_sites(connection, lookup_id, {one.heard.site: one.values for one in told})
    lines = [_line(stored, one) for one in told if one.outcome is not SiteOutcome.NOTHING]
    audit.append_all(connection, lines, now_ms)
    return {one.heard.site: one.outcome for one in told}


def _told(heard: Heard, now_ms: int, *, is_late: bool) -> _Told:
    values, hits = _read(heard)
    outcome, body = SiteOutcome(str(values["outcome"])), heard.body
    values |= {"answered_at_ms": now_ms, "took_ms": round(heard.took_ms), "is_late": int(is_late)}
    if heard.epoch:
        values |= {"epoch": heard.epoch, "seq": heard.seq}
    return _Told(
        heard=heard,
        outcome=outcome,
        values=values,
        hits=[msgspec.structs.replace(one, is_late=is_late) for one in hits],
        is_all=isinstance(body, LookedUp)
        and (body.total <= len(hits) + body.withheld or outcome is SiteOutcome.REFUSED),
    )


def ask_by_letter(connection: Connection, stored: StoredLookup, sites: Sequence[str], now_ms: int, why: Text) -> None:
    """Put the question to sites as a letter: they are away, or did not answer in time."""
    for site in sites:
        letters.write(
            connection,
            site,
            kind=LOOKUP_ASKED,
            topic=stored.lookup_id,
            body=stored.question,
            now_ms=now_ms,
            expires_at_ms=stored.expires_at_ms,
        )
    values = {
        "outcome": SiteOutcome.PENDING.value,
        "is_by_letter": 1,
        "reason_zh": why.zh,
        "reason_en": why.en,
    }
    lookup_ledger.put_sites(connection, stored.lookup_id, dict.fromkeys(sites, values))


def close_live(connection: Connection, stored: StoredLookup, now_ms: int) -> None:
    """End the live part: who has not answered is asked by letter, and the request learns what was found.

    Where nobody is waited for, the last answer or the opening has ended it.
    """
    silent = lookup_ledger.sites_of(connection, stored.lookup_id, (SiteOutcome.WAITING,))
    if not silent:
        return
    ask_by_letter(connection, stored, [one.site for one in silent], now_ms, _SILENT)
    settle(connection, stored, now_ms)


def settle(
    connection: Connection, stored: StoredLookup, now_ms: int, *, is_news: bool = False, is_find: bool = False
) -> None:
    """Note that something happened to a question; end it if nobody is left to answer, and tell its request.

    Args:
        connection: of the transaction.
        stored: the question.
        now_ms: moment of what happened.
        is_news: somebody should look at it.
        is_find: a record was found of which nobody knew before.

    """
    values: dict[str, object] = {"changed_at_ms": now_ms}
    if is_news:
        values["news_at_ms"] = now_ms
    if stored.ended_at_ms is None and not lookup_ledger.has_open_sites(connection, stored.lookup_id):
        values["ended_at_ms"] = now_ms
        letters.settle(connection, stored.lookup_id)
    lookup_ledger.put(connection, stored.lookup_id, values)
    tell_request(connection, stored.request_id, now_ms, is_find=is_find)


def expire(connection: Connection, lookup_id: UUID, now_ms: int, *, is_gone: bool = False) -> None:
    """End a question whose time is over, or whose request is gone; sites that owe an answer have expired.

    Letters that no site has taken yet name a person: they go at once.
    """
    stored = lookup_ledger.found(connection, lookup_id)
    if stored is None or stored.ended_at_ms is not None:
        return
    why = _GONE if is_gone else _EXPIRED
    for one in lookup_ledger.sites_of(connection, lookup_id, OPEN_OUTCOMES):
        values = {"outcome": SiteOutcome.EXPIRED.value, "reason_zh": why.zh, "reason_en": why.en}
        lookup_ledger.put_site(connection, lookup_id, one.site, values)
    lookup_ledger.put(connection, lookup_id, {"is_expired": 1})
    entry = AuditEntry(who=WHO, action=Action.LOOKUP_EXPIRED, object=f"lookup {lookup_id}", detail=_case(stored))
    audit.append(connection, entry, now_ms)
    settle(connection, stored, now_ms, is_news=not is_gone)
    letters.forget(connection, [lookup_id])


def _read(heard: Heard) -> tuple[dict[str, object], list[StoredHit]]:
    values: dict[str, object] = {"outcome": SiteOutcome.FAILED.value, "reason_zh": "", "reason_en": ""}
    body = heard.body
    if isinstance(body, Refusal):
        outcome = SiteOutcome.REFUSED if heard.outcome is Outcome.REFUSED else SiteOutcome.FAILED
        return values | {"outcome": outcome.value, "reason_zh": body.reason_zh, "reason_en": body.reason_en}, []
    if not isinstance(body, LookedUp):
        return values | {"reason_zh": _UNREADABLE.zh, "reason_en": _UNREADABLE.en}, []
    hits = []
    for hit in body.hits:
        try:
            record = decode_record(hit.record)
        except BadValue:
            return values | {"reason_zh": _UNREADABLE.zh, "reason_en": _UNREADABLE.en}, []
        hits.append(
            StoredHit(
                site=heard.site,
                record_id=str(record.record_id),
                is_live=True,
                seq=hit.seq,
                stage=hit.stage,
                treatment=hit.treatment if hit.treatment in tuple(Treatment) else Treatment.MASK.value,
                body=bytes(hit.record),
            )
        )
    values |= {"total": body.total, "withheld": body.withheld}
    empty = SiteOutcome.REFUSED if body.withheld else SiteOutcome.NOTHING
    return values | {"outcome": (SiteOutcome.ANSWERED if hits else empty).value}, hits


def _line(stored: StoredLookup, told: _Told) -> AuditEntry:
    body = told.heard.body
    withheld = body.withheld if isinstance(body, LookedUp) else 0
    return AuditEntry(
        who=stored.asked_by,
        action=Action.LOOKUP_ANSWERED,
        object=f"lookup {stored.lookup_id}",
        outcome=audit.Outcome.REFUSED if told.outcome is SiteOutcome.REFUSED else audit.Outcome.DONE,
        origin=told.heard.site,
        detail=f"{_case(stored)}; {told.outcome.value}, {len(told.hits)} told, {withheld} withheld",
    )


def _case(stored: StoredLookup) -> str:
    return case_words(stored.question)


def case_words(question: Lookup) -> str:
    """Return by what the lines of a case are found in the audit log."""
    case = question.case
    return f"request {case.request_id}; case {case.case_ref}; for {case.purpose}"
