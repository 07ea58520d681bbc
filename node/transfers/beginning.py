"""Beginning a transfer: the chosen records with their scans, boxes and opinions become its items."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from uuid import UUID

import msgspec
from sqlalchemy import Connection

from node.transfers.choosing import Chosen
from node.transfers.custody import check_room
from node.transfers.scans import Scan, ScanIndex, code_key
from protocol.errors import BadValue
from protocol.transfer_folds import Transfer
from protocol.transfers import Opened
from protocol.vocabularies import AccessStatus, Disclosure
from protocol.wording import Text
from replication import transfer_items
from replication.letters import HUB_PEER
from replication.person_lists import PersonList
from replication.transfer_items import TransferItem
from replication.transfer_log import TransferLog, transfer_of

CODE_NAMES = ("档号", "code")
BOX_NAMES = ("盒号", "box")

_BOXES = PersonList(called=Text(zh="盒号清单", en="the list of boxes"), header="档号,盒号")


class NotedScan(msgspec.Struct, frozen=True, kw_only=True, array_like=True):
    """A file that goes with an item, where it lies at the giver."""

    path: str
    size_bytes: int


class ItemNote(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What the giver keeps for itself about an item."""

    scans: tuple[NotedScan, ...] = ()
    access_status: AccessStatus | None = None
    """Opening opinion given for this transfer, where the record itself has none."""
    access_reason: str = ""
    disclosure: Disclosure | None = None


class Opinion(msgspec.Struct, frozen=True, kw_only=True):
    """What the holder says of records whose entries do not say it themselves (档案法 articles 15, 30)."""

    access_status: AccessStatus | None = None
    access_reason: str = ""
    disclosure: Disclosure | None = None


def begin(
    connection: Connection,
    log: TransferLog,
    transfer_id: UUID,
    opened: Opened,
    items: Sequence[TransferItem],
) -> Transfer:
    """Write the first step with its items; the same transfer again changes nothing.

    Raises:
        BadValue: there is nothing to hand over.
        Refused: an entry is too long to take the note of a handover.

    """
    known = transfer_of(connection, transfer_id)
    if known is not None:
        return known
    if not items:
        raise BadValue(
            Text(zh="没有选中任何可移交的档案。", en="no record was found that could be handed over"),
            Text(
                zh="涉密、已移交或正在其他移交中的档案不会选中。",
                en="Classified records, and those that were or are being handed over, are left out.",
            ),
        )
    transfer_items.put(connection, transfer_id, items)
    now = log.open(connection, HUB_PEER, transfer_id, opened, by="keeper")
    check_room(connection, now, items)
    return now


def items_of(
    chosen: Sequence[Chosen], volume_codes: Mapping[int, str], scans: ScanIndex, boxes: Mapping[str, str], said: Opinion
) -> list[TransferItem]:
    """Return the chosen records as items of a transfer; those that another transfer carries are left out."""
    items: list[TransferItem] = []
    for one in chosen:
        if one.busy is not None:
            continue
        volume_code = volume_codes.get(one.docid, "")
        found = scans.of(one.record, volume_code)
        box = boxes.get(code_key(one.record.ref_code)) or boxes.get(code_key(volume_code), "")
        items.append(
            TransferItem(
                record_id=one.record.record_id,
                sequence=len(items),
                ref_code=one.record.ref_code or one.record.ref_code_as_given,
                title=one.record.title,
                pages=one.record.page_count,
                box=box,
                note=msgspec.json.encode(
                    ItemNote(
                        access_status=said.access_status,
                        access_reason=said.access_reason,
                        disclosure=said.disclosure,
                    )
                ),
            )
        )
        items[-1] = with_scans(items[-1], found)
    return items


def with_scans(item: TransferItem, found: Sequence[Scan]) -> TransferItem:
    """Return an item with these scans."""
    note = note_of(item)
    noted = tuple(NotedScan(path=str(scan.path), size_bytes=scan.size_bytes) for scan in found)
    return msgspec.structs.replace(
        item,
        files=len(found),
        size_bytes=sum(scan.size_bytes for scan in found),
        note=msgspec.json.encode(msgspec.structs.replace(note, scans=noted)),
    )


def note_of(item: TransferItem) -> ItemNote:
    """Return what the giver keeps for itself about an item."""
    return msgspec.json.decode(item.note, type=ItemNote) if item.note else ItemNote()


def scans_left(item: TransferItem) -> list[Scan]:
    """Return the scans that were found for an item before and still are where they were, in whatever folder that is."""
    places = [Path(one.path) for one in note_of(item).scans]
    return [Scan(path=place, size_bytes=place.stat().st_size) for place in places if place.is_file()]


def volume_codes_of(connection: Connection, docids: Sequence[int]) -> dict[int, str]:
    """Return the code of the volume that each of these records names."""
    found: dict[int, str] = {}
    for start in range(0, len(docids), transfer_items.ITEMS_AT_ONCE):
        some = docids[start : start + transfer_items.ITEMS_AT_ONCE]
        rows = connection.exec_driver_sql(
            f"SELECT docid, volume_code FROM record WHERE docid IN ({', '.join('?' * len(some))})",  # noqa: S608 - marks
            tuple(some),
        )
        found.update({docid: code for docid, code in rows if code})
    return found


def boxes_in(path: Path) -> dict[str, str]:
    """Read a list of boxes: CSV with the columns 档号 and 盒号; returns the box by the folded code.

    Raises:
        BadFile: it cannot be read, or a column is missing.

    """
    header, lines = _BOXES.read(path)
    code, box = (next((name for name in names if name in header), None) for names in (CODE_NAMES, BOX_NAMES))
    if code is None or box is None:
        missing = Text(zh="缺少“档号”或“盒号”列", en="a column 档号 (code) or 盒号 (box) is missing")
        raise _BOXES.bad(path, missing)
    return {code_key(one[code]): one[box] for _, one in lines if one.get(code) and one.get(box)}
