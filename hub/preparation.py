"""What an event becomes before the transaction: columns, search terms and likeness keys, ready to be written.

Everything here is computed from the event alone, so that it costs the writing connection nothing. A record that cannot
be read is set aside with its reason while the rest of its frame goes on (promise 9); a closing takes effect all the
same, because its status stands beside the record (promise 7).
"""

from functools import lru_cache

import msgspec

from hub.likeness import likeness_keys
from hub.merge import Change, Place
from protocol.analysis import index_terms
from protocol.codec import decode_record
from protocol.errors import BadValue
from protocol.events import AccessChanged, BaselineMarked, Described, Event, WithdrawalCause, Withdrawn
from protocol.records import Record
from protocol.vocabularies import AccessStatus
from protocol.wording import Text
from replication.acceptance import AcceptedFrame, SpoiltEvent
from replication.digests import bucket_of, record_digest

YEAR_MAX = 9_999
"""Highest year that a docid is sorted by; a later one is a slip of the pen and counts as unknown."""

AT_MS_MAX = 2**53
"""Milliseconds since 1970 up to which a clock is believed; beyond, the moment counts as unknown."""

CACHED_FIELDS = 4_096
"""Texts of responsible parties whose terms are kept ready: a site names the same few in every row."""

RECORD_COLUMNS = (
    *("record_id", "seq", "at_ms", "digest", "bucket", "level", "secrecy", "access_status", "livelihood_kind"),
    *("fonds_no", "ref_code", "date_earliest", "date_latest", "body"),
)
"""Columns of ``tables.entry`` that an event decides by itself, in the order of ``Description.columns``."""


class Description(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A record as it will be written."""

    record_id: bytes
    seq: int
    at_ms: int
    kind: str
    actor: str
    year: int
    digest: int
    body: bytes
    access_status: AccessStatus
    columns: tuple[object, ...]
    terms: str

    def change(self, epoch: int) -> Change:
        """Return what the event says, for ``merge``."""
        return Change(
            place=Place(epoch, self.seq),
            at_ms=self.at_ms,
            digest=self.digest,
            body=self.body,
            access_status=self.access_status,
        )


class Removal(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A withdrawal, or a change of access whose record part could not be read."""

    record_id: bytes
    seq: int
    at_ms: int
    kind: str
    actor: str
    withdrawn: WithdrawalCause | None = None
    access_status: AccessStatus | None = None

    def change(self, epoch: int) -> Change:
        """Return what the event says, for ``merge``."""
        return Change(
            place=Place(epoch, self.seq),
            at_ms=self.at_ms,
            withdrawn=self.withdrawn,
            access_status=self.access_status,
        )


PreparedEvent = Description | Removal | BaselineMarked


def prepared(frame: AcceptedFrame) -> list[PreparedEvent]:
    """Return the frame's events ready to be written; what cannot be read joins ``frame.spoilt``."""
    ready: list[PreparedEvent] = []
    spoilt: list[SpoiltEvent] = []
    for event in frame.events:
        if isinstance(event, BaselineMarked):
            ready.append(event)
        elif isinstance(event, Withdrawn):
            ready.append(_withdrawal(event, event.record_id.bytes, event.cause))
        else:
            _prepare_record(event, ready, spoilt)
    if spoilt:
        frame.spoilt = (*frame.spoilt, *spoilt)
    return ready


def _prepare_record(event: Described | AccessChanged, ready: list[PreparedEvent], spoilt: list[SpoiltEvent]) -> None:
    try:
        record = decode_record(event.record)
        if isinstance(event, AccessChanged) and (record.record_id, record.access_status) != (
            event.record_id,
            event.access_status,
        ):
            raise BadValue(Text(zh="事件与其所附条目不一致。", en="an event contradicts the record that it carries"))
    except BadValue as error:
        spoilt.append(_spoilt(event, "unreadable_record", error.reason, error.hint, bytes(event.record)))
        if isinstance(event, AccessChanged):
            ready.append(_reclassification(event))
        return
    if record.secrecy.travels:
        ready.append(described(event, record))
        return
    # A node that keeps promise 8 never sends this: it is forgotten here, content and all, and somebody is told.
    spoilt.append(_spoilt(event, "must_not_travel", _SECRET, _SECRET_HINT, b""))
    ready.append(_withdrawal(event, record.record_id.bytes, WithdrawalCause.SECRECY_RAISED))


_SECRET = Text(zh="条目密级在“内部”以上，不应离开该站点。", en="a record above internal left its site")
_SECRET_HINT = Text(
    zh="县级节点未保存其内容；请站点检查节点程序版本与密级列。",
    en="The hub kept none of it; check the site's version and its secrecy column.",
)


def _spoilt(event: Event, fault: str, reason: Text, hint: Text, content: bytes) -> SpoiltEvent:
    return SpoiltEvent(seq=event.seq, fault=fault, reason=reason, hint=hint, content=content)


def _withdrawal(event: Event, record_id: bytes, cause: WithdrawalCause) -> Removal:
    return Removal(
        record_id=record_id,
        seq=event.seq,
        at_ms=_believed(event.at_ms),
        kind="withdrawn",
        actor=event.actor,
        withdrawn=cause,
    )


def _reclassification(event: AccessChanged) -> Removal:
    return Removal(
        record_id=event.record_id.bytes,
        seq=event.seq,
        at_ms=_believed(event.at_ms),
        kind="access_changed",
        actor=event.actor,
        access_status=event.access_status,
    )


def described(event: Described | AccessChanged, record: Record) -> Description:
    """Return a readable record as it will be written."""
    body = bytes(event.record)
    digest = record_digest(body)
    record_id = record.record_id.bytes
    at_ms = _believed(event.at_ms)
    return Description(
        record_id=record_id,
        seq=event.seq,
        at_ms=at_ms,
        kind="access_changed" if isinstance(event, AccessChanged) else "described",
        actor=event.actor,
        year=year_of(record),
        digest=digest,
        body=body,
        access_status=record.access_status,
        columns=(
            record_id,
            event.seq,
            at_ms,
            digest,
            bucket_of(record.record_id),
            # Members of a StrEnum would take the driver's slow path.
            _PLAIN[record.level],
            _PLAIN[record.secrecy],
            _PLAIN[record.access_status],
            record.livelihood_kind,
            record.fonds_no,
            record.ref_code,
            record.date_earliest.isoformat() if record.date_earliest else None,
            record.date_latest.isoformat() if record.date_latest else None,
            body,
        ),
        terms=entry_terms(record),
    )


class _PlainText(dict[str, str]):
    def __missing__(self, member: str) -> str:
        plain = self[member] = str.__str__(member)
        return plain


_PLAIN = _PlainText()


def entry_terms(record: Record) -> str:
    """Return what the index holds of a record: the terms of its fields in a fixed order, then its likeness keys.

    Deleting from the index needs the very terms that were put in: a change here needs ``catalogue.TERMS_VERSION``.
    """
    title = index_terms(record.title)
    numbers = "\n".join([record.doc_no, record.ref_code, *_dates(record)])
    parts = [title, *map(_party_terms, record.responsible_parties), index_terms(numbers)]
    if record.scope or record.note or record.aliases:
        parts.append(index_terms("\n".join([record.scope, record.note, *(alias.code for alias in record.aliases)])))
    parts += likeness_keys(record, title)
    return " ".join(parts)


_party_terms = lru_cache(maxsize=CACHED_FIELDS)(index_terms)


def _dates(record: Record) -> tuple[str, ...]:
    return (record.date_raw,) if record.date_raw == record.date_edtf else (record.date_raw, record.date_edtf)


def indexed_fields(record: Record) -> dict[str, str]:
    """Return what ``entry_terms`` indexes, by field, for explaining a hit."""
    return {
        "title": record.title,
        "responsible_parties": "\n".join(record.responsible_parties),
        "doc_no": record.doc_no,
        "ref_code": record.ref_code,
        "date": "\n".join(_dates(record)),
        "scope": record.scope,
        "note": record.note,
        "aliases": "\n".join(alias.code for alias in record.aliases),
    }


def year_of(record: Record) -> int:
    """Return the year that sorts a record: of its latest date, else of its filing, else 0."""
    year = record.date_latest.year if record.date_latest else record.filing_year or 0
    return year if 0 <= year <= YEAR_MAX else 0


def _believed(at_ms: int) -> int:
    return at_ms if 0 <= at_ms <= AT_MS_MAX else 0
