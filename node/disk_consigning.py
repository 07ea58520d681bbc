"""The courier's disk: what the site has offered, written to a disk that somebody carries to the county.

The same consignment may travel by the line as well; whatever arrives first counts, and the rest is not fetched. Written
again after a cut, it goes on: what lies there whole is not copied a second time.
"""

import errno
import hashlib
import os
import shutil
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

from sqlalchemy import Connection

from node.consigning import Offer, stretch_from
from protocol import disk_consignments
from protocol.consignments import FAULT_WORDS, ConsignedFile, FileFault
from protocol.disk_consignments import DATA_NAME, LIST_NAME, SIGNATURE_NAME, DiskConsignment, folder_name
from protocol.errors import BadFiles, Retryable, StorageFull
from protocol.file_lists import FileList
from protocol.limits import LIST_PAGE_FILES_MAX
from protocol.sites import Site
from protocol.wording import Count, Text
from replication.consigned_files import ConsignedFolder, FileUnfit
from replication.files import write_whole
from replication.keys import Identity

PIECE_BYTES = 1024 * 1024
"""Bytes copied at once."""

PART_SUFFIX = ".danglian-part"

_FAULTS_TOLD = 10
_NO_ROOM = frozenset({errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC)})


def files_of(connection: Connection, offer: Offer) -> FileList:
    """Return the whole list of an offer."""
    return FileList(_lines(connection, offer))


def _lines(connection: Connection, offer: Offer) -> Iterator[ConsignedFile]:
    first = 0
    while (stretch := stretch_from(connection, offer.consignment_id, first, LIST_PAGE_FILES_MAX)) is not None:
        yield from stretch.files
        first += len(stretch.files)


def write_to_disk(
    offer: Offer,
    files: Sequence[ConsignedFile],
    disk: Path,
    site: Site,
    identity: Identity,
    progress: Callable[[int, int], None],
) -> Path:
    """Write an offer to a disk and return its folder there; the list is written last, so a cut leaves no consignment.

    Raises:
        StorageFull: the disk has too little room; there is nothing half written that would be taken for whole.
        Retryable: the disk cannot be written.
        BadFiles: some files are not what the list says; the others are on the disk, and so is the list.

    """
    folder = disk / folder_name(offer.consignment_id)
    source = ConsignedFolder(Path(offer.root))
    faults: list[tuple[str, FileFault]] = []
    try:
        _check_room(folder, files, disk)
        done = 0
        for listed in files:
            try:
                copy_file(source, listed, folder / DATA_NAME / listed.path)
            except FileUnfit as unfit:
                faults.append((listed.path, unfit.fault))
            done += listed.size_bytes
            progress(done, offer.size_bytes)
        _write_list(folder, offer, files, site, identity)
    except OSError as error:
        raise _unwritable(error, disk) from error
    if faults:
        raise faulty_files(faults)
    return folder


def _write_list(folder: Path, offer: Offer, files: Sequence[ConsignedFile], site: Site, identity: Identity) -> None:
    listed = DiskConsignment(
        site=site.code, node=identity.public_key, consignment_id=offer.consignment_id, files=tuple(files)
    )
    encoded = disk_consignments.encode(listed)
    signature = identity.sign(disk_consignments.signed_part(encoded))
    write_whole(folder / SIGNATURE_NAME, signature.hex().encode() + b"\n")
    write_whole(folder / LIST_NAME, encoded)


def _check_room(folder: Path, files: Iterable[ConsignedFile], disk: Path) -> None:
    data = folder / DATA_NAME
    wanted = sum(one.size_bytes for one in files if _size_of(data / one.path) != one.size_bytes)
    free = shutil.disk_usage(disk).free
    if wanted >= free:
        raise StorageFull(
            Text(
                zh=f"移动盘空间不足：需要 {wanted // 2**20 + 1} MB，剩余 {free // 2**20} MB",
                en=f"the disk has too little room: {wanted // 2**20 + 1} MB are wanted, {free // 2**20} MB are free",
            ),
            Text(
                zh="请换更大的盘，或清理后重试；已写好的文件会保留。",
                en="Take a larger disk, or free some space: what is written stays.",
            ),
        )


def copy_file(source: ConsignedFolder, listed: ConsignedFile, target: Path) -> None:
    """Copy one file, which gets its name when it is whole and right; one that has its name is left alone.

    Raises:
        FileUnfit: it is not what the list says where it lies.
        OSError: it cannot be written.

    """
    if _size_of(target) == listed.size_bytes:
        # Whole, for it has its name; whether its bytes are right is seen where it is taken in.
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_name(target.name[:100] + PART_SUFFIX)
    sha = hashlib.sha256()
    with part.open("wb") as file:
        done = 0
        while done < listed.size_bytes:
            piece = source.read(listed, done, min(PIECE_BYTES, listed.size_bytes - done))
            sha.update(piece)
            file.write(piece)
            done += len(piece)
        file.flush()
        os.fsync(file.fileno())
    if sha.hexdigest() != listed.sha256:
        part.unlink()
        raise FileUnfit(FileFault.CHANGED)
    part.replace(target)


def _size_of(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return -1


def _unwritable(error: OSError, disk: Path) -> Retryable:
    if error.errno in _NO_ROOM:
        return StorageFull(
            Text(zh=f"移动盘已满：{disk}", en=f"the disk is full: {disk}"),
            Text(zh="请清理或换更大的盘后重试。", en="Free some space or take a larger one, and try again."),
        )
    return Retryable(
        Text(zh=f"无法写入 {disk}：{error.strerror}", en=f"cannot write to {disk}: {error.strerror}"),
        Text(zh="请检查移动盘是否接好、是否写保护。", en="See that the disk is plugged in and may be written."),
    )


def faulty_files(faults: list[tuple[str, FileFault]]) -> BadFiles:
    """Return the error of files that could not be copied, each named."""
    told = faults[:_FAULTS_TOLD]
    return BadFiles(
        tuple((path, fault.value) for path, fault in faults),
        Text(
            zh=f"{len(faults)} 个文件未写入：" + "；".join(f"{path} {FAULT_WORDS[fault].zh}" for path, fault in told),
            en=f"{Count(len(faults)):file was|files were} not written: "
            + "; ".join(f"{path} {FAULT_WORDS[fault].en}" for path, fault in told),
        ),
        Text(
            zh="其余文件已写好。请恢复这些文件后再写一次。",
            en="All others are written. Put these back and write again.",
        ),
    )
