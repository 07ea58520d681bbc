"""Revisions: the next version of a record, and the event that tells the county about it. Pure.

Every change makes a new version that names the digest of the one before. A record that reads the same as before is not
changed, whatever its row looks like. What must not travel has no event, or one that withdraws what had travelled.
"""

import os
from collections.abc import Callable
from uuid import UUID

import msgspec

from node.changes import Pair, Standing, StoredRecord
from node.volumes import named_volume
from protocol.codec import decode_record, encode_record
from protocol.events import AccessChanged, Described, EventHead, WithdrawalCause, Withdrawn
from protocol.limits import EVENT_BYTES_MAX
from protocol.records import Alias, Record
from protocol.vocabularies import AccessStatus
from replication.digests import digest_name, record_digest

ACTOR = "import"
"""Who changes records here: the reading of catalogue files."""

FORMER_CODE = "旧号"
"""Scheme of the alias that keeps a code which a record had before."""

EVENT_HEAD_BYTES_MAX = 512
"""Bytes that an event may need beside its record."""

_TIME_BYTES = 6
_RANDOM_BYTES = 10
_VARIANT_AT = 2
_WITH_VERSION = bytes(0x70 | byte & 0x0F for byte in range(256))
_WITH_VARIANT = bytes(0x80 | byte & 0x3F for byte in range(256))


class Revision(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One record as it stands after a change; ``event`` is None if nothing of it travels."""

    record: Record
    body: bytes
    digest: int
    standing: Standing
    withdrawn_cause: str = ""
    event: EventHead | None = None

    @property
    def is_too_large(self) -> bool:
        """True if no event can carry the record."""
        return len(self.body) > EVENT_BYTES_MAX - EVENT_HEAD_BYTES_MAX


def record_ids(now_ms: int, count: int, randomness: Callable[[int], bytes] = os.urandom) -> list[UUID]:
    """Mint ids (UUID version 7, RFC 9562) that grow: time first, then random to the last byte, and those in order."""
    drawn = bytearray(randomness(_RANDOM_BYTES * count))
    drawn[::_RANDOM_BYTES] = drawn[::_RANDOM_BYTES].translate(_WITH_VERSION)
    drawn[_VARIANT_AT::_RANDOM_BYTES] = drawn[_VARIANT_AT::_RANDOM_BYTES].translate(_WITH_VARIANT)
    time = (now_ms & 0xFFFF_FFFF_FFFF).to_bytes(_TIME_BYTES, "big")
    # Indexes take what grows side by side; made out of bytes all at once, an id costs a third.
    minted = sorted([time + drawn[at : at + _RANDOM_BYTES] for at in range(0, len(drawn), _RANDOM_BYTES)])
    return msgspec.convert(minted, list[UUID])


def first_version(record: Record, record_id: UUID, now_ms: int) -> Revision:
    """Return the first version of a newly described record."""
    minted = msgspec.structs.replace(record, record_id=record_id, version=1, changed_by=ACTOR, changed_at_ms=now_ms)
    body = encode_record(minted)
    travels = record.secrecy.travels
    return Revision(
        record=minted,
        body=body,
        digest=record_digest(body),
        standing=Standing.LISTED if travels else Standing.WITHHELD,
        event=_described(body) if travels else None,
    )


def revised(pair: Pair, now_ms: int) -> Revision | None:
    """Return the next version of a stored record that was found again, or None if the row says what is stored.

    Raises ValueError for a pair without a stored record.
    """
    stored = pair.stored
    if stored is None:
        message = "only a record that is stored can be revised"
        raise ValueError(message)
    old = decode_record(stored.body)
    same = _continued(pair.row.record, old)
    unchanged = encode_record(same) == stored.body
    travels = same.secrecy.travels
    if unchanged and stored.standing is not Standing.GONE:
        return None
    record = msgspec.structs.replace(
        same,
        version=old.version + 1,
        previous_digest=digest_name(stored.digest),
        changed_by=ACTOR,
        changed_at_ms=now_ms,
        reason=_reason(old, same, stored.standing),
    )
    body = encode_record(record)
    cause = stored.withdrawn_cause
    event: EventHead | None = None
    if travels:
        cause = ""
        event = _access_changed(record, body) if _is_about_access(old, same, stored) else _described(body)
    elif stored.standing is Standing.LISTED:
        cause = WithdrawalCause.SECRECY_RAISED.value
        event = _withdrawn(stored.record_id, WithdrawalCause.SECRECY_RAISED)
    return Revision(
        record=record,
        body=body,
        digest=record_digest(body),
        standing=Standing.LISTED if travels else Standing.WITHHELD,
        withdrawn_cause=cause,
        event=event,
    )


def linked(body: bytes, digest: int, standing: Standing, parent_id: UUID | None, now_ms: int) -> Revision | None:
    """Return the next version of a stored record as part of a volume (or, with None, of none); None if it is so."""
    old = decode_record(body)
    if old.parent_id == parent_id:
        return None
    record = msgspec.structs.replace(
        old,
        parent_id=parent_id,
        version=old.version + 1,
        previous_digest=digest_name(digest),
        changed_by=ACTOR,
        changed_at_ms=now_ms,
        reason=_link_reason(parent_id),
    )
    fresh = encode_record(record)
    return Revision(
        record=record,
        body=fresh,
        digest=record_digest(fresh),
        standing=standing,
        event=_described(fresh) if standing is Standing.LISTED else None,
    )


def withdrawal(stored: StoredRecord) -> EventHead | None:
    """Return the event for a row that is gone, or None if its record never travelled or was withdrawn before."""
    if stored.standing is not Standing.LISTED:
        return None
    return _withdrawn(stored.record_id, WithdrawalCause.ROW_VANISHED)


def _continued(new: Record, old: Record) -> Record:
    """Return the described row as the record it continues, with everything that rows do not say."""
    return msgspec.structs.replace(
        new,
        record_id=old.record_id,
        parent_id=_parent(new, old),
        aliases=_aliases(new, old),
        **_custody(new, old),
        attachments=new.attachments or old.attachments,
        version=old.version,
        previous_digest=old.previous_digest,
        changed_by=old.changed_by,
        changed_at_ms=old.changed_at_ms,
        reason=old.reason,
    )


def _parent(new: Record, old: Record) -> UUID | None:
    """What the rows say about their volumes holds as a whole: whoever names none any more lies in none."""
    return new.parent_id if named_volume(new) or named_volume(old) else new.parent_id or old.parent_id


def _custody(new: Record, old: Record) -> dict[str, object]:
    """What a handover has settled no row says otherwise; what no handover has settled, the rows say."""
    settled = old if old.handover is not None else new
    return {
        "owner": settled.owner,
        "custodian": settled.custodian,
        "releaser": settled.releaser,
        "handover": settled.handover,
    }


def _aliases(new: Record, old: Record) -> tuple[Alias, ...]:
    if new.ref_code == old.ref_code and not old.aliases:
        return new.aliases
    former = {alias.code: alias for alias in old.aliases if alias.scheme == FORMER_CODE}
    if old.ref_code and old.ref_code != new.ref_code:
        former.setdefault(old.ref_code, Alias(code=old.ref_code, scheme=FORMER_CODE))
    former.pop(new.ref_code, None)
    given = {alias.code for alias in new.aliases}
    settled = {(one.code, one.scheme): one for one in old.aliases if old.handover and one.scheme != FORMER_CODE}
    return (
        *(alias for alias in new.aliases if (alias.code, alias.scheme) not in settled),
        *settled.values(),
        *(alias for code, alias in former.items() if code not in given),
    )


def _reason(old: Record, new: Record, standing: Standing) -> str:
    if standing is Standing.GONE:
        return "returned"
    if old.ref_code != new.ref_code:
        return "renumbered"
    if old.secrecy != new.secrecy:
        return "secrecy changed"
    if old.parent_id != new.parent_id and msgspec.structs.replace(new, parent_id=old.parent_id) == old:
        return _link_reason(new.parent_id)
    return "access changed" if old.access_status != new.access_status else "corrected"


def _link_reason(parent_id: UUID | None) -> str:
    return "unlinked" if parent_id is None else "linked"


def _is_about_access(old: Record, new: Record, stored: StoredRecord) -> bool:
    """Tell whether the status has to stand beside the record: a closing always, else a change of the status alone."""
    if stored.standing is not Standing.LISTED or old.access_status == new.access_status:
        return False
    return old.access_status is AccessStatus.OPEN or (
        msgspec.structs.replace(
            new,
            access_status=old.access_status,
            access_reason=old.access_reason,
            reviewed_on=old.reviewed_on,
            review_by=old.review_by,
        )
        == old
    )


def _described(body: bytes) -> Described:
    return Described(seq=0, previous=0, at_ms=0, actor=ACTOR, record=msgspec.Raw(body))


def _access_changed(record: Record, body: bytes) -> AccessChanged:
    return AccessChanged(
        seq=0,
        previous=0,
        at_ms=0,
        actor=ACTOR,
        record_id=record.record_id,
        access_status=record.access_status,
        record=msgspec.Raw(body),
    )


def _withdrawn(record_id: UUID, cause: WithdrawalCause) -> Withdrawn:
    return Withdrawn(seq=0, previous=0, at_ms=0, actor=ACTOR, record_id=record_id, cause=cause)
