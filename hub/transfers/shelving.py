"""Shelving: packages that were handed over move among the archive's held files, where they are gone over for ever."""

from pathlib import Path

from hub.keeping import held_files
from protocol.file_lists import FileList
from protocol.sites import Site
from protocol.transfer_folds import Transfer
from replication.transfer_packages import lines_of, move, package_of


def shelved(now: Transfer, site: Site, root: Path, holdings: Path) -> dict[str, FileList]:
    """Move the packages of a transfer among the holdings, and return what each holds; done again, it changes nothing.

    Raises:
        OSError: the disk refuses.

    """
    lists: dict[str, FileList] = {}
    for parcel in now.parcels:
        source = package_of(root, now.transfer_id, parcel.round)
        bundle = f"{now.transfer_id}-{parcel.round:02d}"
        move(source, held_files.place(holdings, site, bundle))
        lists[bundle] = FileList(lines_of(source))
    return lists
