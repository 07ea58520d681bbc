"""Shelving: packages that were handed over move among the archive's held files, where they are gone over for ever."""

from pathlib import Path

import msgspec

from hub.keeping import held_files
from protocol.consignments import ConsignedFile
from protocol.sites import Site
from protocol.transfer_folds import Transfer
from replication.transfer_packages import list_of, move, package_of


def shelved(now: Transfer, site: Site, root: Path, holdings: Path) -> dict[str, list[ConsignedFile]]:
    """Move the packages of a transfer among the holdings, and return what each holds; done again, it changes nothing.

    Raises:
        OSError: the disk refuses.

    """
    lists: dict[str, list[ConsignedFile]] = {}
    for parcel in now.parcels:
        source = package_of(root, now.transfer_id, parcel.round)
        bundle = f"{now.transfer_id}-{parcel.round:02d}"
        move(source, held_files.place(holdings, site, bundle))
        lists[bundle] = msgspec.json.decode(list_of(source).read_bytes(), type=list[ConsignedFile])
    return lists
