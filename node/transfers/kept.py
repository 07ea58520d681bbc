"""What a township keeps for others: packages that were handed over to it, its register of them, and their fixity."""

import errno
import hashlib
import os
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from uuid import UUID

import msgspec
from sqlalchemy import Connection, func, insert, select, update

from node.transfers.kept_tables import kept_package
from protocol.consignments import ConsignedFile
from protocol.handovers import certificate_digest, certificate_of
from protocol.transfer_folds import Transfer
from replication.files import write_whole
from replication.transfer_packages import list_of, move, package_of, read_list

READ_BYTES = 1024 * 1024
"""Bytes of a file that are summed at once."""

FAULTS_TOLD = 20
"""Files that are not as they were and are named one by one."""


class KeptPackage(msgspec.Struct, frozen=True, kw_only=True):
    """One line of the register."""

    accession: str
    transfer_id: UUID
    site: str
    """Who owns it."""
    title: str
    items: int
    files: int
    size_bytes: int
    certificate: str
    kept_at_ms: int
    verified_at_ms: int
    """When its files were last summed; 0 for never."""
    faulty: int
    """Files that were not as they were, then."""


def place_of(kept: Path, now_site: str, transfer_id: UUID, number: int) -> Path:
    """Return where the package of a round is kept."""
    return package_of(kept / now_site, transfer_id, number)


def shelved(now: Transfer, root: Path, kept: Path) -> int:
    """Move the packages of a transfer to where they are kept, and return their files; done again, it changes nothing.

    Raises:
        OSError: the disk refuses.

    """
    count = 0
    for parcel in now.parcels:
        source = package_of(root, now.transfer_id, parcel.round)
        target = place_of(kept, now.giver.site if now.giver else "", now.transfer_id, parcel.round)
        target.parent.mkdir(parents=True, exist_ok=True)
        if list_of(source).is_file():
            write_whole(list_of(target), list_of(source).read_bytes())
        move(source, target)
        files = read_list(target)
        if files is None:
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), list_of(target))
        count += len(files)
    shutil.rmtree(root / str(now.transfer_id), ignore_errors=True)
    return count


def register(connection: Connection, now: Transfer, year: int, files: int, now_ms: int) -> str:
    """Enter a transfer into the register, and return its number there; done again, it is the same."""
    known = connection.scalar(
        select(kept_package.c.accession).where(kept_package.c.transfer_id == str(now.transfer_id))
    )
    if known is not None:
        return str(known)
    count = connection.scalar(
        select(func.count()).select_from(kept_package).where(kept_package.c.accession.startswith(f"{year}-"))
    )
    certificate = certificate_of(now)
    accession = f"{year}-{(count or 0) + 1:04d}"
    connection.execute(
        insert(kept_package).values(
            accession=accession,
            transfer_id=str(now.transfer_id),
            site=now.giver.site if now.giver else "",
            title=now.title,
            items=now.accepted,
            files=files,
            size_bytes=now.size_bytes,
            certificate=certificate_digest(certificate) if certificate else "",
            kept_at_ms=now_ms,
        )
    )
    return accession


def packages(connection: Connection) -> list[KeptPackage]:
    """Return the register, the latest first."""
    rows = connection.execute(select(kept_package).order_by(kept_package.c.accession.desc()))
    return [msgspec.convert(row, KeptPackage, from_attributes=True) for row in rows]


def verified(kept: Path, one: KeptPackage, told: Callable[[int], None]) -> list[str]:
    """Sum every file of a package anew; return the paths of those that are not as they came."""
    faulty: list[str] = []
    folder = kept / one.site / str(one.transfer_id)
    for package in sorted(path for path in folder.iterdir() if path.is_dir()) if folder.is_dir() else ():
        files = read_list(package)
        if files is None:
            faulty.append(list_of(package).name)
        for listed in files or ():
            if not _is_sound(package / listed.path, listed):
                faulty.append(f"{package.name}/{listed.path}")
            told(listed.size_bytes)
    return faulty if folder.is_dir() else [str(one.transfer_id)]


def note_verified(connection: Connection, accession: str, faulty: Sequence[str], now_ms: int) -> None:
    """Write down what the look at a package found."""
    mine = kept_package.c.accession == accession
    connection.execute(update(kept_package).where(mine).values(verified_at_ms=now_ms, faulty=len(faulty)))


def _is_sound(path: Path, listed: ConsignedFile) -> bool:
    sha = hashlib.sha256()
    try:
        with path.open("rb") as file:
            while piece := file.read(READ_BYTES):
                sha.update(piece)
    except OSError:
        return False
    return sha.hexdigest() == listed.sha256
