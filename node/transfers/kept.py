"""What a township keeps for others: packages that were handed over to it, its register of them, and their fixity."""

import errno
import hashlib
import os
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from uuid import UUID

import msgspec
from sqlalchemy import Connection, delete, func, insert, select, update

from node.transfers.kept_tables import kept_fault, kept_package
from protocol.consignments import ConsignedFile
from protocol.handovers import certificate_digest, certificate_of
from protocol.transfer_folds import Transfer
from replication.files import write_whole
from replication.transfer_packages import lines_of, list_of, move, package_of, read_list

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
    """When the last look at all its files ended; 0 for never."""
    faulty: int
    """Files that were not as they came, then."""
    look_began_at_ms: int
    """When the last look at them began, ended or not."""
    look_line: int
    """How many files that look has read, while it goes on."""


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


def count_faulty(connection: Connection) -> int:
    """Return how many files that are kept for others were not as they came when they were last read."""
    return int(connection.execute(select(func.count()).select_from(kept_fault)).scalar_one())


class FileLook(msgspec.Struct, frozen=True, kw_only=True):
    """How one file of a package was found."""

    path: str
    """Within what is kept of the transfer: the round and the path there."""
    size_bytes: int
    is_sound: bool


def looked_at(kept: Path, one: KeptPackage, line: int = 0) -> Iterator[FileLook]:
    """Sum the files of an accession anew, from one line of its lists on.

    A list that is gone, or cannot be read, is a fault of its own: nobody knows what should be there.
    """
    folder = kept / one.site / str(one.transfer_id)
    rounds = sorted(path for path in folder.iterdir() if path.is_dir()) if folder.is_dir() else []
    if not rounds:
        yield FileLook(path=str(one.transfer_id), size_bytes=0, is_sound=False)
    place = 0
    for package in rounds:
        try:
            for listed in lines_of(package):
                place += 1
                if place > line:
                    is_sound = _is_sound(package / listed.path, listed)
                    yield FileLook(
                        path=f"{package.name}/{listed.path}", size_bytes=listed.size_bytes, is_sound=is_sound
                    )
        except (OSError, ValueError):
            yield FileLook(path=list_of(package).name, size_bytes=0, is_sound=False)


def begin_look(connection: Connection, accession: str, now_ms: int) -> None:
    """Note that the files of an accession are being read from the first one on."""
    mine = kept_package.c.accession == accession
    connection.execute(update(kept_package).where(mine).values(look_began_at_ms=now_ms, look_line=0))


def note_looked(connection: Connection, accession: str, line: int, some: Sequence[FileLook], now_ms: int) -> None:
    """Note which files were not as they came, and up to which line of the lists all have been read."""
    for path in (look.path for look in some if not look.is_sound):
        mine = (kept_fault.c.accession == accession) & (kept_fault.c.path == path)
        connection.execute(delete(kept_fault).where(mine))
        connection.execute(insert(kept_fault).values(accession=accession, path=path, found_at_ms=now_ms))
    connection.execute(update(kept_package).where(kept_package.c.accession == accession).values(look_line=line))


def end_look(connection: Connection, accession: str, now_ms: int) -> int:
    """Note that every file of an accession was read; return how many are not as they came.

    What an earlier look found and this one did not has been put right.
    """
    mine, own = kept_package.c.accession == accession, kept_fault.c.accession == accession
    began = select(kept_package.c.look_began_at_ms).where(mine).scalar_subquery()
    connection.execute(delete(kept_fault).where(own, kept_fault.c.found_at_ms < began))
    faulty = connection.execute(select(func.count()).select_from(kept_fault).where(own)).scalar_one()
    values = {"verified_at_ms": now_ms, "faulty": faulty, "look_line": 0}
    connection.execute(update(kept_package).where(mine).values(**values))
    return int(faulty)


def _is_sound(path: Path, listed: ConsignedFile) -> bool:
    sha = hashlib.sha256()
    try:
        with path.open("rb") as file:
            while piece := file.read(READ_BYTES):
                sha.update(piece)
    except OSError:
        return False
    return sha.hexdigest() == listed.sha256
