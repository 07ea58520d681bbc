"""Shelving: packages that were handed over move among the archive's held files, where they are gone over for ever."""

import shutil
from pathlib import Path

import msgspec

from hub.keeping import held_files
from protocol.consignments import ConsignedFile
from protocol.sites import Site
from protocol.transfer_folds import Transfer

MOVING_SUFFIX = ".moving"
"""What a package is called while it is copied to another disk."""


def list_of(package: Path) -> Path:
    """Return where the list of a package's files is kept."""
    return package.with_suffix(".files.json")


def shelved(now: Transfer, site: Site, root: Path, holdings: Path) -> dict[str, list[ConsignedFile]]:
    """Move the packages of a transfer among the holdings, and return what each holds; done again, it changes nothing.

    Raises:
        OSError: the disk refuses.

    """
    lists: dict[str, list[ConsignedFile]] = {}
    for parcel in now.parcels:
        source = root / str(now.transfer_id) / f"{parcel.round:02d}"
        bundle = f"{now.transfer_id}-{parcel.round:02d}"
        _move(source, held_files.place(holdings, site, bundle))
        lists[bundle] = msgspec.json.decode(list_of(source).read_bytes(), type=list[ConsignedFile])
    return lists


def _move(source: Path, target: Path) -> None:
    if target.is_dir():
        shutil.rmtree(source, ignore_errors=True)
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        source.rename(target)
    except OSError:
        # Another disk: copied whole under another name first, so that a kill leaves one or the other.
        moving = target.with_name(target.name + MOVING_SUFFIX)
        shutil.rmtree(moving, ignore_errors=True)
        shutil.copytree(source, moving)
        moving.rename(target)
        shutil.rmtree(source, ignore_errors=True)
