"""Packages that arrive: whether one is the package that was submitted, and which items it carries.

The same for the county's archive and for a township's. Files come by the line, or on a disk that a courier brings.
"""

import re
from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import Final
from uuid import UUID

import msgspec
from sqlalchemy import Connection, select

from protocol.errors import BadFile
from protocol.package_entries import PackageEntry
from protocol.transfer_folds import Transfer
from protocol.transfers import Checking, TransferState
from protocol.wording import Count, Text
from replication import transfer_items
from replication.dialects import upsert
from replication.packages.official_layout import read_entries
from replication.packages.reading import digests_of
from replication.transfer_checks import payload_of
from replication.transfer_items import TransferItem
from replication.transfer_log import TransferLog, transfer_of
from replication.transfer_tables import transfer_way

MANIFEST: Final = "manifest-sha256.txt"
_PAGES: Final = re.compile("[0-9]{1,9}")


class Way(StrEnum):
    """How the files of a round come."""

    LINE = "line"
    DISK = "disk"


def waits_for_disk(connection: Connection, now: Transfer) -> bool:
    """Tell whether the files of the present round come on a disk that is not here yet."""
    said = connection.scalar(
        select(transfer_way.c.way).where(
            transfer_way.c.transfer_id == str(now.transfer_id), transfer_way.c.round == now.round
        )
    )
    return (said or (Way.DISK if now.by_disk else Way.LINE)) == Way.DISK


def comes_by(connection: Connection, now: Transfer, way: Way) -> None:
    """Write down how the files of the present round come, whatever its giver said."""
    keys = [transfer_way.c.transfer_id, transfer_way.c.round]
    statement = upsert(transfer_way).values(transfer_id=str(now.transfer_id), round=now.round, way=way.value)
    connection.execute(statement.on_conflict_do_update(index_elements=keys, set_={"way": way.value}))


def begin_checking(connection: Connection, log: TransferLog, now: Transfer, items: Sequence[TransferItem]) -> None:
    """Note the items of a package that is here whole, and the step, together; nothing where another has done it."""
    present = transfer_of(connection, now.transfer_id)
    if present is None or present.state is not TransferState.SUBMITTED or now.prepared is None:
        return
    kept = {one.record_id: one for one in transfer_items.listed(connection, now.transfer_id)}
    transfer_items.put(connection, now.transfer_id, [_renewed(one, kept.get(one.record_id)) for one in items])
    log.append(connection, now.transfer_id, Checking(round=now.round, manifest=now.prepared.manifest), by="checks")


def _renewed(item: TransferItem, before: TransferItem | None) -> TransferItem:
    """An item that comes again keeps its place in the list."""
    return item if before is None else msgspec.structs.replace(item, sequence=before.sequence, state=before.state)


def arrived(package: Path, now: Transfer) -> list[TransferItem]:
    """Return the items that a package carries, if it is the one that was submitted.

    Raises:
        BadFile: its manifest is another, or its catalogue cannot be read, or has other items than was said.

    """
    if now.prepared is None or digests_of(package / MANIFEST, ("sha256",))["sha256"] != now.prepared.manifest:
        raise BadFile(Text(zh="清单摘要与提交时不符", en="the manifest is not the one submitted"))
    entries = read_entries(payload_of(package))
    items = [_item(one, place, now) for place, one in enumerate(entries)]
    distinct = {item.record_id for item in items}
    if len(distinct) != len(items) or len(items) != now.prepared.items:
        raise BadFile(
            Text(
                zh=f"目录有 {len(items)} 条，提交时为 {now.prepared.items} 条，或有重复",
                en=f"the catalogue has {Count(len(items)):entry|entries}, {now.prepared.items} were submitted, or some"
                " stand twice",
            )
        )
    return items


def _item(one: PackageEntry, place: int, now: Transfer) -> TransferItem:
    try:
        record_id = UUID(one.record_id)
    except ValueError as error:
        raise BadFile(
            Text(zh=f"条目 {one.ref_code} 没有记录标识", en=f"the entry {one.ref_code} names no record")
        ) from error
    return TransferItem(
        record_id=record_id,
        sequence=place,
        ref_code=one.ref_code,
        title=one.title,
        round=now.round,
        pages=int(one.pages) if _PAGES.fullmatch(one.pages) else None,
    )
