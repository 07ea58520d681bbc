"""Packages of transfers on the disk: where each round's lies, the list of files beside it, and moving it whole.

The list is a line of JSON for each file, and is written last and whole: where it can be read to its end, every file
that it names has come.
"""

import os
import shutil
from collections.abc import Iterable, Iterator
from itertools import chain
from pathlib import Path
from typing import Final
from uuid import UUID

import msgspec

from protocol.consignments import ConsignedFile
from protocol.file_lists import FileList
from replication.files import write_whole
from replication.packages.bag_writing import sync_folder

MOVING_SUFFIX: Final = ".moving"
"""What a package is called while it is copied to another disk."""

END: Final = b"end\n"
"""The last line of a list."""

_encoder: Final = msgspec.json.Encoder()
_lines: Final = msgspec.json.Decoder(ConsignedFile)


def package_of(root: Path, transfer_id: UUID, number: int) -> Path:
    """Return where the package of a round belongs."""
    return root / str(transfer_id) / f"{number:02d}"


def list_of(package: Path) -> Path:
    """Return where the list of a package's files lies."""
    return package.with_suffix(".files.jsonl")


def write_list(package: Path, files: Iterable[ConsignedFile]) -> None:
    """Say that a package is here whole; a power cut leaves the list or none.

    Raises:
        OSError: the disk refuses.

    """
    write_whole(list_of(package), chain((_encoder.encode(one) + b"\n" for one in files), (END,)))


def lines_of(package: Path) -> Iterator[ConsignedFile]:
    """Yield the files of a package that is here whole, in the order of its list.

    Raises:
        OSError: there is no list.
        ValueError: it has no end, or a line cannot be read.

    """
    with list_of(package).open("rb") as lines:
        for line in lines:
            if line == END:
                return
            yield _lines.decode(line)
    message = "the list has no end"
    raise ValueError(message)


def read_list(package: Path) -> FileList | None:
    """Return the files of a package that is here whole; None where it is not."""
    try:
        return FileList(lines_of(package))
    except (OSError, ValueError):
        return None


def move(source: Path, target: Path) -> None:
    """Move a package to where it stays; done again, or after a kill, it comes to the same.

    Raises:
        OSError: the disk refuses.

    """
    if target.is_dir():
        shutil.rmtree(source, ignore_errors=True)
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        source.rename(target)
    except OSError:
        # Another disk: copied whole under another name first, so that a kill leaves one or the other, and written
        # through to it before the only other copy goes.
        moving = target.with_name(target.name + MOVING_SUFFIX)
        shutil.rmtree(moving, ignore_errors=True)
        shutil.copytree(source, moving, copy_function=_copied)
        for folder, _, _ in os.walk(moving, topdown=False):
            sync_folder(Path(folder))
        moving.rename(target)
        sync_folder(target.parent)
        shutil.rmtree(source, ignore_errors=True)


def _copied(source: str, target: str) -> None:
    shutil.copy2(source, target)
    with Path(target).open("r+b") as file:
        os.fsync(file.fileno())
