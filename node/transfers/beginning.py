"""Beginning a transfer: the chosen records with their scans, boxes and opinions become its items."""

import csv
import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from uuid import UUID

import msgspec
from sqlalchemy import Connection

from node.transfers.choosing import Chosen
from node.transfers.scans import Scan, ScanIndex, code_key
from protocol.errors import BadFile, BadValue
from protocol.transfer_folds import Transfer
from protocol.transfers import Opened
from protocol.vocabularies import AccessStatus, Disclosure
from protocol.wording import Text
from replication import transfer_items
from replication.letters import HUB_PEER
from replication.transfer_items import TransferItem
from replication.transfer_log import TransferLog, transfer_of

CODE_NAMES = ("档号", "code")
BOX_NAMES = ("盒号", "box")

BOX_LIST_BYTES_MAX = 8 * 1024 * 1024
"""Bytes of a list of boxes: a hundred thousand lines."""


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
    return log.open(connection, HUB_PEER, transfer_id, opened, by="keeper")


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
    try:
        with path.open("rb") as file:
            raw = file.read(BOX_LIST_BYTES_MAX + 1)
    except OSError as error:
        raise _bad_list(path, str(error.strerror), str(error.strerror)) from error
    if len(raw) > BOX_LIST_BYTES_MAX:
        raise _bad_list(path, "文件过大", "it is too large")
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = raw.decode("gb18030", "replace")
    try:
        header, *lines = [[cell.strip() for cell in line] for line in csv.reader(io.StringIO(text)) if line] or [[]]
    except csv.Error as error:
        raise _bad_list(path, "不是 CSV", "it is no CSV") from error
    code, box = (next((name for name in names if name in header), None) for names in (CODE_NAMES, BOX_NAMES))
    if code is None or box is None:
        raise _bad_list(path, "缺少“档号”或“盒号”列", "a column 档号 (code) or 盒号 (box) is missing")
    items = [dict(zip(header, line, strict=False)) for line in lines]
    return {code_key(one[code]): one[box] for one in items if one.get(code) and one.get(box)}


def _bad_list(path: Path, zh: str, en: str) -> BadFile:
    return BadFile(
        Text(zh=f"盒号清单 {path.name} 读不了：{zh}", en=f"the list of boxes {path.name} cannot be read: {en}"),
        Text(zh="请用带表头的 CSV：档号,盒号", en="Give a CSV with the header 档号,盒号."),
    )
