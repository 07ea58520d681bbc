"""Folding a site's events into what the hub holds of one record. Pure; order and repetition make no difference.

Each record at each site is a register with two hands. The description is moved by ``described``, ``withdrawn`` and
readable ``access_changed`` events, the access status also by ``access_changed`` events whose record part this version
cannot read. Each hand takes the highest place and ignores every lower one, so late events never revive, reopen or
overwrite anything (promises 4 and 7), and a replay changes nothing.

A *place* is an epoch's number at the hub and a position in it. A complete baseline raises the site's *floor*: what lies
below it and was not described again is withdrawn, whether it arrived before the baseline's end or after it.

Only a site itself moves what the hub holds of that site (promise 1): the same record id at two sites is two entries.
Contradictions are values (``Conflict``), never a silent choice: two contents at one place mean a copied database.
"""

from typing import NamedTuple

import msgspec

from protocol.events import WithdrawalCause
from protocol.vocabularies import AccessStatus

ACCESS_FIELD = "access_status"

BOOKKEEPING = frozenset(("version", "previous_digest", "changed_by", "changed_at_ms", "reason"))
"""Fields of a record that speak about its versions; a change in them alone changes nothing that is described."""


class Place(NamedTuple):
    """Where an event stands in its site's history as the hub orders it."""

    epoch: int
    """Number of the epoch at the hub: a later epoch has a higher number."""
    seq: int


BEFORE_ALL = Place(0, 0)
"""Below every event: the hub numbers a site's epochs from 1."""


class Origin(NamedTuple):
    """The event that a field's present value came with."""

    epoch: int
    seq: int
    at_ms: int

    @property
    def place(self) -> Place:
        """The place of the event."""
        return Place(self.epoch, self.seq)


class Provenance(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Where the values of a record came from, written only once something differs from its first event."""

    first: Origin
    fields: dict[str, Origin] = {}

    def of(self, field: str) -> Origin:
        """Return the event that gave a field its present value."""
        return self.fields.get(field, self.first)


class Held(msgspec.Struct, frozen=True, kw_only=True):
    """What the hub holds of one record of one site.

    With a body it is an entry; without one it is a tombstone, or (if not ``withdrawn``) an access status that arrived
    before anything readable.
    """

    place: Place
    at_ms: int
    digest: int = 0
    body: bytes | None = None
    access_status: AccessStatus = AccessStatus.UNREVIEWED
    withdrawn: str | None = None
    """The cause, as its owner said it."""
    provenance: Provenance | None = None
    """None while everything still comes from one event, the one at ``place``."""

    @property
    def origins(self) -> Provenance:
        """Where the values came from, spelled out."""
        return self.provenance or Provenance(first=Origin(*self.place, self.at_ms))

    @property
    def access_place(self) -> Place:
        """The highest place that said something about access: the description's, or a later unreadable one's."""
        decided = self.provenance.fields.get(ACCESS_FIELD) if self.provenance else None
        return max(self.place, decided.place) if decided else self.place


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """What one event says about one record."""

    place: Place
    at_ms: int
    digest: int = 0
    body: bytes | None = None
    """The record as its owner wrote it; None for a withdrawal, and where this version cannot read it."""
    access_status: AccessStatus | None = None
    """What the event says about access; None only for a withdrawal."""
    withdrawn: str | None = None
    """The cause; None unless the event is a withdrawal."""


class Conflict(msgspec.Struct, frozen=True, kw_only=True):
    """Two contents claim the same place: the hub keeps the one it has (or the withdrawal), and says so."""

    place: Place
    held_digest: int
    offered_digest: int


class Folded(msgspec.Struct, frozen=True, kw_only=True):
    """The outcome of folding one change."""

    held: Held | None
    fields: tuple[str, ...] = ()
    """Fields whose values changed, in order; empty on a first description."""
    conflict: Conflict | None = None
    moved: bool = True
    """False if nothing changed at all."""


def fold(held: Held | None, change: Change, floor: Place = BEFORE_ALL) -> Folded:
    """Return what is held after a change.

    Args:
        held: what the hub holds, None if nothing.
        change: what the event says.
        floor: beginning of the site's last complete baseline; whatever lies below it is void.

    """
    if change.place < floor:
        return Folded(held=held, moved=False)
    if change.withdrawn is not None:
        return _withdraw(held, change)
    if change.body is None:
        return _reclassify(held, change)
    return _describe(held, change, change.body)


def sweep(held: Held, began: Place, at_ms: int) -> Folded:
    """Return what is held once a baseline that began at ``began`` is complete."""
    return _withdraw(held, Change(place=began, at_ms=at_ms, withdrawn=WithdrawalCause.NOT_IN_BASELINE.value))


def _withdraw(held: Held | None, change: Change) -> Folded:
    if held is not None and (change.place < held.place or (change.place == held.place and held.body is None)):
        return Folded(held=held, moved=False)
    conflict = _contradiction(held, change) if held is not None and change.place == held.place else None
    # Nothing of the description stays: it may have been withdrawn because nobody should read it any more.
    kept = held if held is not None and held.access_place > change.place else None
    stone = Held(
        place=change.place,
        at_ms=change.at_ms,
        withdrawn=change.withdrawn,
        access_status=kept.access_status if kept else AccessStatus.UNREVIEWED,
        provenance=_only_access(kept, change) if kept else None,
    )
    return Folded(held=stone, conflict=conflict)


def _only_access(held: Held, change: Change) -> Provenance:
    first = Origin(*change.place, change.at_ms)
    return Provenance(first=first, fields={ACCESS_FIELD: held.origins.of(ACCESS_FIELD)})


def _reclassify(held: Held | None, change: Change) -> Folded:
    """Take over an access status whose record part cannot be read; the description stays as it was."""
    status = change.access_status
    if status is None:
        return Folded(held=held, moved=False)
    origin = Origin(*change.place, change.at_ms)
    if held is None:
        announced = Provenance(first=Origin(*BEFORE_ALL, 0), fields={ACCESS_FIELD: origin})
        return Folded(
            held=Held(place=BEFORE_ALL, at_ms=0, access_status=status, provenance=announced), fields=(ACCESS_FIELD,)
        )
    if change.place <= held.access_place:
        return Folded(held=held, moved=False)
    before = held.origins
    provenance = Provenance(first=before.first, fields={**before.fields, ACCESS_FIELD: origin})
    changed = msgspec.structs.replace(held, access_status=status, provenance=provenance)
    return Folded(held=changed, fields=(ACCESS_FIELD,) if status != held.access_status else ())


def _describe(held: Held | None, change: Change, body: bytes) -> Folded:
    if held is None:
        return Folded(held=_described(change, None))
    if change.place < held.place:
        return Folded(held=held, moved=False)
    if change.place == held.place:
        return Folded(held=held, conflict=_contradiction(held, change), moved=False)
    kept = held.access_place > change.place
    fields = () if held.body is None else _fields(held, change, held.body, body, access_kept=kept)
    described = _described(change, held.access_status if kept else None)
    provenance = _provenance(held, change, fields, access_kept=kept)
    return Folded(held=msgspec.structs.replace(described, provenance=provenance), fields=fields)


def _fields(held: Held, change: Change, before: bytes, after: bytes, *, access_kept: bool) -> tuple[str, ...]:
    # The bodies do not tell about access: an event whose record part was unreadable may have moved it in between.
    others = tuple(name for name in changed_fields(before, after) if name != ACCESS_FIELD)
    access_moved = not access_kept and change.access_status != held.access_status
    return (ACCESS_FIELD, *others) if access_moved else others


def _described(change: Change, access_kept: AccessStatus | None) -> Held:
    return Held(
        place=change.place,
        at_ms=change.at_ms,
        digest=change.digest,
        body=change.body,
        access_status=access_kept or change.access_status or AccessStatus.UNREVIEWED,
    )


def _contradiction(held: Held, change: Change) -> Conflict | None:
    if held.digest == change.digest:
        return None
    return Conflict(place=change.place, held_digest=held.digest, offered_digest=change.digest)


def _provenance(held: Held, change: Change, fields: tuple[str, ...], *, access_kept: bool) -> Provenance | None:
    origin = Origin(*change.place, change.at_ms)
    if held.body is None:
        # Described again after a withdrawal, or for the first time after its access status: history starts here.
        access = {ACCESS_FIELD: held.origins.of(ACCESS_FIELD)} if access_kept else {}
        return Provenance(first=origin, fields=access) if access else None
    before = held.origins
    return Provenance(first=before.first, fields={**before.fields, **dict.fromkeys(fields, origin)})


_fields_of = msgspec.json.Decoder(dict[str, msgspec.Raw])


def changed_fields(before: bytes, after: bytes) -> tuple[str, ...]:
    """Return the names of the fields in which two bodies of a record differ, in alphabetical order.

    Fields that this version does not know count as well; the bookkeeping of versions does not.
    """
    if before == after:
        return ()
    old, new = _readable_fields(before), _fields_of.decode(after)
    names = (old.keys() | new.keys()) - BOOKKEEPING
    return tuple(sorted(name for name in names if old.get(name, _ABSENT) != new.get(name, _ABSENT)))


_ABSENT = msgspec.Raw(b"")


def _readable_fields(held: bytes) -> dict[str, msgspec.Raw]:
    # Bytes that the disk has spoilt must not keep the owner's next word out: then everything counts as changed.
    try:
        return _fields_of.decode(held)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return {}
