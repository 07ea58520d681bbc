"""Watched folders: which catalogue files stand in them, and whether the folder is the one that we know.

A folder that suddenly looks empty has more often been unplugged than emptied. So each watched folder carries a hidden
marker file with a random token: a folder without its marker is *unavailable*, and nothing in it counts as vanished.
"""

import os
from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path
from typing import Final

import msgspec

from node.settling import Look, is_catalogue_name

MARKER_NAME: Final = ".danglian-folder"
"""The hidden file that shows that a folder is the one that was watched before."""

FOLDER_FILES_MAX: Final = 20_000
"""Catalogue files of one folder: a county archive's own holdings have some hundred."""

MARKER_BYTES_MAX: Final = 1_000
"""Bytes of a marker that are read: more is not ours."""

_MARKER_WORDS: Final = (
    "档联用本文件识别此目录，请勿删除。\nDanglian recognises this folder by this file: please leave it here.\n"
)


class FolderState(StrEnum):
    """What a look at a folder showed."""

    READY = "ready"
    ABSENT = "absent"
    """It is not there, cannot be listed, or did not answer."""
    UNMARKED = "unmarked"
    """It is there without the marker that it had."""
    FOREIGN = "foreign"
    """It carries the marker of another folder: something else is mounted in its place."""

    @property
    def is_whole(self) -> bool:
        """True if a file that is not in the folder is really gone."""
        return self is FolderState.READY


class FolderLook(msgspec.Struct, frozen=True, kw_only=True):
    """What stands in a folder: every catalogue file by its relative path, settled or not."""

    state: FolderState
    files: dict[str, Look] = {}
    is_complete: bool = True
    """False if some part could not be listed, or there are more than ``FOLDER_FILES_MAX`` files."""


def look_into(folder: Path, token: str) -> FolderLook:
    """Walk through a folder (this blocks); ``token`` is what its marker said, empty if it never had one."""
    # Path.is_dir raises for a share whose server does not answer, and where rights are missing.
    if identity(folder) is None:
        return FolderLook(state=FolderState.ABSENT)
    marker = read_marker(folder)
    if token and marker is None:
        state = FolderState.UNMARKED
    elif token and marker != token:
        state = FolderState.FOREIGN
    else:
        state = FolderState.READY
    files: dict[str, Look] = {}
    failures: list[OSError] = []
    for path in _catalogues(folder, failures):
        look = look_at(path)
        if look is not None:
            files[path.relative_to(folder).as_posix()] = look
        if len(files) >= FOLDER_FILES_MAX:
            return FolderLook(state=state, files=files, is_complete=False)
    if any(Path(failure.filename or folder) == folder for failure in failures):
        return FolderLook(state=FolderState.ABSENT)
    return FolderLook(state=state, files=files, is_complete=not failures)


def _catalogues(folder: Path, failures: list[OSError]) -> Iterator[Path]:
    for parent, folders, names in os.walk(folder, onerror=failures.append):
        # Hidden folders hold the trash of file managers and of synchronisers.
        folders[:] = sorted(name for name in folders if not name.startswith((".", "$")))
        for name in sorted(names):
            if is_catalogue_name(name):
                yield Path(parent, name)


def look_at(path: Path) -> Look | None:
    """Return the size and time of a file, or None if there is no such file now."""
    try:
        seen = path.stat()
    except OSError:
        return None
    return Look(size_bytes=seen.st_size, mtime_ns=seen.st_mtime_ns)


def can_be_read(path: Path) -> bool:
    """Tell whether the file can be opened: on Windows a program that still writes it keeps others out."""
    try:
        with path.open("rb") as file:
            file.read(1)
    except OSError:
        return False
    return True


def read_marker(folder: Path) -> str | None:
    """Return the token of a folder's marker, or None without one."""
    try:
        with (folder / MARKER_NAME).open("rb") as file:
            lines = file.read(MARKER_BYTES_MAX).decode("utf-8", "replace").splitlines()
    except OSError:
        return None
    return lines[0].strip() if lines else ""


def write_marker(folder: Path, token: str) -> bool:
    """Mark a folder; False if it cannot be written, as a read-only share."""
    # Whole or not at all: half a marker is that of another folder. Rights are left alone, not every share has them.
    unfinished = folder / f"{MARKER_NAME}.part"
    try:
        with unfinished.open("wb") as file:
            file.write(f"{token}\n{_MARKER_WORDS}".encode())
            file.flush()
            os.fsync(file.fileno())
        unfinished.replace(folder / MARKER_NAME)
    except OSError:
        return False
    return True


def identity(folder: Path) -> tuple[int, int] | None:
    """Return what changes when a folder is deleted and made again under the same name; None if it is not there."""
    try:
        seen = folder.stat()
    except OSError:
        return None
    return seen.st_dev, seen.st_ino
