"""Volumes and what lies in them: which volume a record names, and which one that is. Pure.

An item 卷内件 names its volume by its code (``001-2-15-003`` lies in ``001-2-15``) or by the columns 全宗号, 目录号 and
案卷号; a row of an index of persons carries the code of the volume itself. A name is taken only where both the numbers
and the code say the same: in ``A439-WS·2015-D30-003-0005`` the 003 may be an organ as well as a volume.

Codes find volumes, and links hold ids. A record is linked to the one volume of its site that is listed, is of its fonds
and has the code now; to none where no volume has it, or where two claim it. So links follow from the records as they
stand, in whatever order their files came.
"""

from collections.abc import Iterable
from typing import Final
from uuid import UUID

from protocol.records import Record
from protocol.reference_codes import fold_code
from protocol.vocabularies import Level

VolumeKey = tuple[str, str]
"""Fonds number and reference code of a volume."""

_SEPARATORS: Final = "-·"


def named_volume(record: Record) -> str:
    """Return the reference code of the volume that a record names, empty if it names none for certain."""
    if record.level is Level.ITEM:
        return _by_numbers(record) if record.volume_no and record.fonds_no else ""
    if record.level is Level.PERSON_INDEX_ROW and record.fonds_no:
        return _by_numbers(record) or record.ref_code
    return ""


def volume_key(fonds_no: str, ref_code: str, level: str, *, is_listed: bool) -> VolumeKey | None:
    """Return by what a record is found as a volume; None for one that is no volume, or that nothing may point to.

    A volume that is withheld for its secrecy never travels, and nor does its id (promise 8).
    """
    return (fonds_no, ref_code) if is_listed and level == Level.VOLUME and fonds_no and ref_code else None


class Volumes:
    """Volumes by their codes, as far as somebody has asked for them."""

    def __init__(self, listed: Iterable[tuple[VolumeKey, UUID]] = ()) -> None:
        self._by_key: dict[VolumeKey, set[UUID]] = {}
        self.learn(listed)

    def learn(self, listed: Iterable[tuple[VolumeKey, UUID]]) -> None:
        """Add volumes that are listed now."""
        for key, record_id in listed:
            self._by_key.setdefault(key, set()).add(record_id)

    def move(self, record_id: UUID, before: VolumeKey | None, after: VolumeKey | None) -> None:
        """Note that a volume has got another code, or has come or gone."""
        if before is not None:
            self._by_key.get(before, set()).discard(record_id)
        if after is not None:
            self.learn([(after, record_id)])

    def one(self, key: VolumeKey) -> UUID | None:
        """Return the volume that has a code, None if there is none or more than one."""
        found = self._by_key.get(key)
        return next(iter(found)) if found is not None and len(found) == 1 else None


def _by_numbers(record: Record) -> str:
    """The code of the volume whose number the record states, beside its own number or its page."""
    volume_no, code = record.volume_no, record.ref_code
    if not volume_no:
        return ""
    page = _without(code, record.page_no)
    for head in (_without(code, record.item_no), page, _without(page, record.item_no)):
        if _without(head, volume_no):
            return head
    if not record.catalogue_no:
        return ""
    by_columns = fold_code(f"{record.fonds_no}-{record.catalogue_no}-{volume_no}")
    # A row with the code of a volume is that volume under a wrong level, or an item without a number of its own.
    return by_columns if by_columns != code else ""


def _without(code: str, number: str) -> str:
    """Return what stands before the last number of a code, empty if that is another number."""
    head = code[: -len(number) - 1]
    return head if number and head and code.endswith(number) and code[len(head)] in _SEPARATORS else ""
