"""Packaging: the items of a round, as the catalogue and the disk have them now, become one package, checked here first.

The package is linked together in the node's own home, so that scans are on the disk once. A round that is packed again
replaces the package of before; what has been submitted is not touched any more.
"""

import contextlib
import datetime
import platform
import re
import shutil
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from uuid import UUID

import msgspec
from sqlalchemy import Connection

from node.transfers.beginning import ItemNote, note_of
from node.transfers.choosing import year_of
from protocol.codec import decode_record
from protocol.errors import Refused
from protocol.package_entries import PackageEntry, PackageFile, entry_of
from protocol.records import Record
from protocol.registration import PartySigning, Registration
from protocol.transfer_folds import Transfer
from protocol.transfers import Parcel, Quantity, TransferState
from protocol.vocabularies import AccessStatus, Level
from protocol.wording import Text
from replication import transfer_items
from replication.packages.official_layout import CarrierNote
from replication.packages.packing import PackageLabel, PackedPackage, SourceFile, pack
from replication.transfer_items import ItemState, TransferItem

BOX_LIST = "实物清单.csv"
"""The list of physical boxes inside the package, in 其他."""

_UNWRITABLE = re.compile(r'[\x00-\x1f\x7f<>:"/\\|?*]+')


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """One item of a round with what goes into the package for it."""

    item: TransferItem
    entry: PackageEntry
    sources: tuple[SourceFile, ...]
    year: int | None
    category: str


class Packed(msgspec.Struct, frozen=True, kw_only=True):
    """The package of a round, and what its first step says of it."""

    package: PackedPackage
    parcel: Parcel
    items: tuple[UUID, ...]


def round_due(now: Transfer) -> int:
    """Return the round whose package can be made now.

    Raises:
        Refused: the transfer does not wait for a package.

    """
    if now.state not in (TransferState.PLANNED, TransferState.PREPARED, TransferState.RETURNED):
        raise Refused(
            Text(zh="这次移交目前不需要打包。", en="the transfer does not wait for a package now"),
            Text(zh="用 transfer status 查看由谁处理。", en="See with transfer status whose turn it is."),
        )
    return len(now.parcels) + 1


def parts_of(connection: Connection, now: Transfer, left_out: Iterable[UUID] = ()) -> list[Part]:
    """Return what the package of the round that is due carries: all items, or those that were returned."""
    number = round_due(now)
    states = (ItemState.CHOSEN,) if number == 1 else (ItemState.RETURNED,)
    out = set(left_out)
    parts: list[Part] = []
    folders: set[str] = set()
    for item in transfer_items.listed(connection, now.transfer_id, states=states):
        record = record_of(connection, item.record_id)
        if item.record_id not in out and record is not None:
            parts.append(_part(item, record, len(parts) + 1, folders))
    return parts


def record_of(connection: Connection, record_id: UUID) -> Record | None:
    """Return a record as it is listed now; None of one that is gone, or must not travel any more."""
    body = connection.exec_driver_sql(
        "SELECT body FROM record WHERE record_id = ? AND standing = 'listed'", (record_id.bytes,)
    ).scalar_one_or_none()
    return None if body is None else decode_record(body)


def _part(item: TransferItem, record: Record, sequence: int, folders: set[str]) -> Part:
    note = note_of(item)
    year, category = year_of(record), record.livelihood_kind or record.category_code
    folder = "/".join((str(year or "无年度"), named(category) or "未分类", named(item.ref_code) or str(item.record_id)))
    if folder in folders:
        # Two records with one code: each has its own scans all the same.
        folder = f"{folder}-{item.record_id.hex[-8:]}"
    folders.add(folder)
    sources = _sources(folder, [Path(scan.path) for scan in note.scans])
    entry = entry_of(record, sequence=sequence, file_name=folder if sources else "")
    return Part(
        item=item,
        entry=msgspec.structs.replace(
            entry,
            access_status=_opinion(record, note).value,
            access_reason=record.access_reason or note.access_reason,
            disclosure=entry.disclosure or (note.disclosure.value if note.disclosure else ""),
            office_code=entry.office_code or record.ref_code,
        ),
        sources=sources,
        year=year,
        category=category,
    )


def _sources(folder: str, scans: Sequence[Path]) -> tuple[SourceFile, ...]:
    """Where each scan lies in the package; those from several folders that have one name are numbered."""
    sources: dict[str, SourceFile] = {}
    for scan in scans:
        path = f"{folder}/{named(scan.name)}"
        if path.casefold() in sources:
            path = f"{folder}/{len(sources):04d}-{named(scan.name)}"
        sources[path.casefold()] = SourceFile(source=scan, path=path)
    return tuple(sources.values())


def _opinion(record: Record, note: ItemNote) -> AccessStatus:
    if record.access_status is not AccessStatus.UNREVIEWED or note.access_status is None:
        return record.access_status
    return note.access_status


def named(text: str) -> str:
    """Return a text as it can stand in the name of a file on every disk."""
    return _UNWRITABLE.sub("-", text).strip(" .")


def packed(
    now: Transfer, parts: Sequence[Part], into: Path, today: datetime.date, software: str, told: Callable[[int], None]
) -> Packed:
    """Make the package of the round that is due; one of before under the same name is replaced.

    Raises:
        Refused: nothing is left to be handed over.
        BadFile: a file cannot be read, or its name cannot travel.
        StorageFull: the disk has no room.

    """
    if not parts:
        raise Refused(
            Text(zh="没有可打包的条目。", en="there is nothing to be packed"),
            Text(zh="全部放弃的话，请取消这次移交。", en="Cancel the transfer if all of it is given up."),
        )
    number = round_due(now)
    with contextlib.suppress(FileNotFoundError):
        shutil.rmtree(into)
    sources = [source for part in parts for source in part.sources]
    label = _label(now, number, parts, sources, today, software)
    made = pack(into, [part.entry for part in parts], sources, label, told=told)
    return Packed(package=made, parcel=_parcel(number, parts, made), items=tuple(part.item.record_id for part in parts))


def _label(
    now: Transfer,
    number: int,
    parts: Sequence[Part],
    sources: Sequence[SourceFile],
    today: datetime.date,
    software: str,
) -> PackageLabel:
    """Return what the package says of itself."""
    giver = now.giver
    return PackageLabel(
        identifier=f"{now.transfer_id}/{number}",
        registration=Registration(
            work_name=f"{now.title}（第 {number} 批）",
            description=now.note,
            giver=PartySigning(
                unit=giver.name if giver else "", filler=giver.handler if giver else "", signed_on=today.isoformat()
            ),
        ),
        made_on=today,
        software=software,
        note=CarrierNote(
            kind="在线",
            content=now.title,
            maker=giver.name if giver else "",
            made_on=today.isoformat(),
            environment=_environment(sources, software),
        ),
        others=_others(parts),
    )


def _environment(sources: Iterable[SourceFile], software: str) -> str:
    """Return what is needed to read the files 软硬件环境, as far as their names tell, and where they were packed."""
    formats = sorted({source.source.suffix.lower().lstrip(".") for source in sources if source.source.suffix})
    return f"{platform.system()} {platform.release()}; {software}; {' '.join(formats)}"


def _others(parts: Sequence[Part]) -> dict[str, bytes]:
    boxed = [(part.item.ref_code, part.item.box, str(part.item.record_id)) for part in parts if part.item.box]
    if not boxed:
        return {}
    lines = ["档号,盒号,记录标识", *(",".join(_cell(value) for value in line) for line in boxed)]
    return {BOX_LIST: ("\r\n".join(lines) + "\r\n").encode("utf-8-sig")}


def _cell(value: str) -> str:
    return '"' + value.replace('"', '""') + '"'


def _parcel(number: int, parts: Sequence[Part], made: PackedPackage) -> Parcel:
    years = [part.year for part in parts if part.year is not None]
    categories = Counter(part.category for part in parts)
    volumes = Counter(part.category for part in parts if part.entry.level is Level.VOLUME)
    boxes = {part.item.box for part in parts if part.item.box}
    return Parcel(
        round=number,
        items=len(parts),
        files=len(made.files),
        size_bytes=sum(file.size_bytes for file in made.files),
        manifest=manifest_of(made.files),
        package_digest=made.digest,
        fonds=tuple(sorted({part.entry.fonds_no for part in parts if part.entry.fonds_no})),
        year_first=min(years, default=None),
        year_last=max(years, default=None),
        quantities=tuple(
            Quantity(category=category, items=count, volumes=volumes.get(category, 0))
            for category, count in sorted(categories.items())
        ),
        boxes=len(boxes),
        volumes=sum(bool(part.item.box) for part in parts),
    )


def manifest_of(files: Iterable[PackageFile]) -> str:
    """Return the SHA-256 of a package's manifest, which stands for every file of its payload."""
    return next(file.sha256 for file in files if file.path == "manifest-sha256.txt")
