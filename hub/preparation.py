"""What an event becomes before the transaction: columns, search terms and likeness keys, ready to be written.

Everything here is computed from the events alone, so that it costs the writing connection nothing. A frame is read as a
whole: its records at once, the terms of all their fields in one pass. Only where that fails, each record is read by
itself: one that cannot be read is set aside with its reason while the rest of its frame goes on (promise 9); a closing
takes effect all the same, because its status stands beside the record (promise 7).
"""

from collections.abc import Generator, Iterable, Mapping, Sequence
from uuid import UUID

import msgspec

from hub.decisions.likeness import likeness_keys
from hub.merge import Change, Place
from protocol.codec import decode_record, decode_records, encode_event
from protocol.errors import BadValue
from protocol.events import AccessChanged, BaselineMarked, Described, Event, WithdrawalCause, Withdrawn
from protocol.index_rows import IndexRow, filter_marks, index_rows, with_filters, year_of
from protocol.records import Record
from protocol.vocabularies import AccessStatus, believed_access
from protocol.wording import Text
from replication.acceptance import AcceptedFrame, SpoiltEvent
from replication.digests import bucket_of, record_digest

AT_MS_MAX = 2**53
"""Milliseconds since 1970 up to which a clock is believed; beyond, the moment counts as unknown."""

CAUSE_CHARS_MAX = 80
"""Characters that are kept of the cause of a withdrawal: four times the longest that is known."""

CAUSE_UNSTATED = "unstated"
"""What stands for a cause that says nothing: without a cause a tombstone would be none."""

UNREADABLE_RECORD = "unreadable_record"
"""Fault of a description whose record cannot be read; the record alone is kept."""

UNREADABLE_ACCESS = "unreadable_access_change"
"""Fault of a change of access whose record cannot be read, or contradicts it; the event is kept."""

KEY_CHARS_MAX = 200
"""Characters of a fonds number and of a kind: ten times the longest that is known. Both stand in indexes, and a line of
PostgreSQL's holds 2,704 bytes; what one store refuses is refused at the other as well."""

EVENTS_AT_ONCE = 64
"""Events that are made ready at once, beside a page that somebody waits for: some 2 ms."""

RECORD_COLUMNS = (
    *("record_id", "seq", "at_ms", "digest", "bucket", "level", "secrecy", "access_status", "livelihood_kind"),
    *("fonds_no", "ref_code", "date_earliest", "date_latest", "body", "parent_id"),
)
"""Columns of ``tables.entry`` that an event decides by itself, in the order of ``Description.columns``."""


class Description(msgspec.Struct, frozen=True, gc=False):
    """A record as it will be written."""

    event: Described | AccessChanged
    access_status: AccessStatus
    year: int
    columns: tuple[object, ...]
    """The values of ``RECORD_COLUMNS``."""
    record_id: bytes
    digest: int
    body: bytes
    terms: IndexRow
    """What the index holds of the record under the access status that it says itself."""

    @property
    def seq(self) -> int:
        """Position of the event."""
        return self.event.seq

    @property
    def at_ms(self) -> int:
        """The site's clock, where it can be believed."""
        return _believed(self.event.at_ms)

    @property
    def kind(self) -> str:
        """Kind of the event."""
        return "access_changed" if isinstance(self.event, AccessChanged) else "described"

    @property
    def actor(self) -> str:
        """Which part of the site acted."""
        return self.event.actor

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
    withdrawn: str | None = None
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


class Prepared(msgspec.Struct, frozen=True, kw_only=True):
    """The events of a frame, ready to be written."""

    events: Sequence[PreparedEvent]
    by_record: Mapping[bytes, Description] | None = None
    """The same events if all of them describe, each another record: nearly every frame of a first load."""


def preparing(frame: AcceptedFrame) -> Generator[None, None, Prepared]:
    """Return the frame's events ready to be written; what cannot be read joins ``frame.spoilt``.

    Yields behind every ``EVENTS_AT_ONCE``.
    """
    described = [event for event in frame.events if isinstance(event, Described)]
    if len(described) == len(frame.events):
        records = decode_records([event.record for event in described])
        if records is not None and all(record.secrecy.travels and _fits(record) for record in records):
            descriptions: list[Description] = []
            for first in range(0, len(records), EVENTS_AT_ONCE):
                part = slice(first, first + EVENTS_AT_ONCE)
                yield
                descriptions += descriptions_of(frame.site.code, described[part], records[part])
            by_record = {one.record_id: one for one in descriptions}
            return Prepared(events=descriptions, by_record=by_record if len(by_record) == len(descriptions) else None)
    return Prepared(events=(yield from _one_by_one(frame)))


def _one_by_one(frame: AcceptedFrame) -> Generator[None, None, list[PreparedEvent]]:
    ready: list[PreparedEvent] = []
    spoilt: list[SpoiltEvent] = []
    for number, event in enumerate(frame.events):
        if number % EVENTS_AT_ONCE == 0:
            yield
        if isinstance(event, BaselineMarked):
            ready.append(event)
        elif isinstance(event, Withdrawn):
            ready.append(_withdrawal(event, event.record_id.bytes, event.cause))
        else:
            _prepare_record(frame.site.code, event, ready, spoilt)
    if spoilt:
        frame.spoilt = (*frame.spoilt, *spoilt)
    return ready


def _prepare_record(
    site: str, event: Described | AccessChanged, ready: list[PreparedEvent], spoilt: list[SpoiltEvent]
) -> None:
    try:
        record = decode_record(event.record)
        if isinstance(event, AccessChanged) and (record.record_id, record.access_status) != (
            event.record_id,
            event.access_status,
        ):
            raise BadValue(Text(zh="事件与其所附条目不一致。", en="an event contradicts the record that it carries"))
        if record.secrecy.travels and not _fits(record):
            raise BadValue(_TOO_LONG, _TOO_LONG_HINT)
    except BadValue as error:
        spoilt.append(_unreadable(event, error))
        ready.extend(_closings(event))
        return
    if record.secrecy.travels:
        ready.extend(descriptions_of(site, [event], [record]))
        return
    # A node that keeps promise 8 never sends this: it is forgotten here, content and all, and somebody is told.
    spoilt.append(_spoilt(event, "must_not_travel", _SECRET, _SECRET_HINT, b""))
    ready.append(_withdrawal(event, record.record_id.bytes, WithdrawalCause.SECRECY_RAISED))


def _fits(record: Record) -> bool:
    return len(record.fonds_no) <= KEY_CHARS_MAX and len(record.livelihood_kind) <= KEY_CHARS_MAX


_TOO_LONG = Text(
    zh=f"全宗号或民生类别超过 {KEY_CHARS_MAX} 字。",
    en=f"the fonds number or the kind has more than {KEY_CHARS_MAX} characters",
)
_TOO_LONG_HINT = Text(
    zh="请站点检查目录表中该列是否误填了其他内容，改正后重新提交。",
    en="At the site, check whether something else was written into that column, and hand in the sheet again.",
)
_SECRET = Text(zh="条目密级在“内部”以上，不应离开该站点。", en="a record above internal left its site")
_SECRET_HINT = Text(
    zh="县级枢纽未保存其内容；请站点检查节点程序版本与密级列。",
    en="The hub kept none of it; check the site's version and its secrecy column.",
)


def _spoilt(event: Event, fault: str, reason: Text, hint: Text, content: bytes) -> SpoiltEvent:
    return SpoiltEvent(seq=event.seq, fault=fault, reason=reason, hint=hint, content=content)


def _unreadable(event: Described | AccessChanged, error: BadValue) -> SpoiltEvent:
    """Keep what cannot be read now; of a change of access the whole event, for its status is the one that counts."""
    if isinstance(event, AccessChanged):
        return _spoilt(event, UNREADABLE_ACCESS, error.reason, error.hint, encode_event(event))
    return _spoilt(event, UNREADABLE_RECORD, error.reason, error.hint, bytes(event.record))


def _withdrawal(event: Event, record_id: bytes, cause: str) -> Removal:
    return Removal(
        record_id=record_id,
        seq=event.seq,
        at_ms=_believed(event.at_ms),
        kind="withdrawn",
        actor=event.actor,
        # The driver would take the slow path for a member of a StrEnum; and of a stranger's word a part is enough.
        withdrawn=str(cause)[:CAUSE_CHARS_MAX] or CAUSE_UNSTATED,
    )


class _Closing(msgspec.Struct, frozen=True, kw_only=True):
    """Just enough of a record to close it."""

    record_id: UUID
    access_status: str = AccessStatus.UNREVIEWED


_closing = msgspec.json.Decoder(_Closing)


def _closings(event: Described | AccessChanged) -> list[Removal]:
    """Return what an event says about access although its record cannot be read.

    A change of access says it beside the record. A catch-up describes where the site once closed, so that a closing
    inside the record counts as well; an opening there does not, for nobody can read what it would open.
    """
    if isinstance(event, AccessChanged):
        return [_reclassification(event, event.record_id, event.access_status)]
    try:
        said = _closing.decode(event.record)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return []
    is_open = believed_access(said.access_status) is AccessStatus.OPEN
    return [] if is_open else [_reclassification(event, said.record_id, said.access_status)]


def _reclassification(event: Described | AccessChanged, record_id: UUID, said: str) -> Removal:
    return Removal(
        record_id=record_id.bytes,
        seq=event.seq,
        at_ms=_believed(event.at_ms),
        kind="access_changed",
        actor=event.actor,
        access_status=believed_access(said),
    )


def descriptions_of(
    site: str, events: Iterable[Described | AccessChanged], records: Sequence[Record]
) -> list[Description]:
    """Return readable records of a site as they will be written."""
    return [
        _description(event, record, terms)
        for event, record, terms in zip(events, records, entry_rows(site, records), strict=True)
    ]


def _description(event: Described | AccessChanged, record: Record, terms: IndexRow) -> Description:
    body = bytes(event.record)
    digest = record_digest(body)
    record_id = record.record_id.bytes
    earliest, latest = record.date_earliest, record.date_latest
    first_day = earliest.isoformat() if earliest else None
    columns = (
        # Of every object of bytes the driver asks whether something adapts it; of an array of bytes it does not.
        bytearray(record_id),
        event.seq,
        _believed(event.at_ms),
        digest,
        bucket_of(record.record_id),
        # Members of an enumeration would take the driver's slow path.
        record.level._value_,
        record.secrecy._value_,
        record.access_status._value_,
        record.livelihood_kind,
        record.fonds_no,
        record.ref_code,
        first_day,
        first_day if latest == earliest else latest.isoformat() if latest else None,
        bytearray(body),
        str(record.parent_id) if record.parent_id is not None else None,
    )
    return Description(event, record.access_status, year_of(record), columns, record_id, digest, body, terms)


def entry_row(site: str, record: Record) -> IndexRow:
    """Return what the index holds of a record of a site."""
    return entry_rows(site, [record])[0]


def entry_rows(site: str, records: Sequence[Record]) -> list[IndexRow]:
    """Return what the index holds of each record of a site: words, marks, the marks of filters, the keys of likeness.

    Deleting from the index needs the very terms that were put in: a change here needs ``reindexing.TERMS_VERSION``.
    """
    return [
        with_filters(row, (_filter_marks(site, record), *likeness_keys(record, row[0])))
        for record, row in zip(records, index_rows(records), strict=True)
    ]


def _filter_marks(site: str, record: Record) -> str:
    # Members of an enumeration are slower to hash than their values.
    access, level = record.access_status._value_, record.level._value_
    return filter_marks(site, record.fonds_no, record.livelihood_kind, access, level)


def _believed(at_ms: int) -> int:
    return at_ms if 0 <= at_ms <= AT_MS_MAX else 0
