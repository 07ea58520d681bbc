"""Writing bags, BagIt 1.0 (RFC 8493): the one writer for backups and for packages of a transfer.

    NAME/bagit.txt  bag-info.txt         what it is
    NAME/manifest-sha256.txt             the digest of every file under data/; one such file for each algorithm
    NAME/tagmanifest-sha256.txt          the digests of the files beside data/, the manifests included
    NAME/data/...                        what is kept

We write the texts ourselves, because a bag must be on the disk before it has its name, must be private from its first
byte where it holds secrets, and must not need more memory for more files; a test has another BagIt program check ours.
"""

import hashlib
import os
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

from protocol.package_paths import LEADS_OUT, path_faults, written
from replication.files import PRIVATE_FOLDER_MODE, PRIVATE_MODE
from replication.packages.bag_tags import DECLARATION, INFO, PAYLOAD

if TYPE_CHECKING:
    from typing import BinaryIO

DECLARED = b"BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n"


def write_file(path: Path, pieces: Iterable[bytes]) -> str:
    """Write a private file through to the disk and return the SHA-256 of what was given."""
    return write_digested(path, pieces, ("sha256",))["sha256"]


def write_digested(path: Path, pieces: Iterable[bytes], algorithms: Sequence[str]) -> dict[str, str]:
    """Write a private file through to the disk and return the digests of what was given.

    Raises:
        FileExistsError: there is a file of this name; nothing is ever written over.

    """
    make_folder(path.parent)
    digests = [hashlib.new(algorithm, usedforsecurity=False) for algorithm in algorithms]
    with _created(path) as file:
        for piece in pieces:
            for digest in digests:
                digest.update(piece)
            file.write(piece)
        file.flush()
        os.fsync(file.fileno())
    return {algorithm: digest.hexdigest() for algorithm, digest in zip(algorithms, digests, strict=True)}


def make_folder(folder: Path) -> None:
    """Make a private folder and those above it."""
    if folder.is_dir():
        return
    for one in (*reversed(folder.parents), folder):
        # One by one: of folders that are made on the way to another the mode is left to chance.
        one.mkdir(mode=PRIVATE_FOLDER_MODE, exist_ok=True)


def sync_folder(folder: Path) -> None:
    """Have the disk keep the names in a folder; Windows does so by itself."""
    if sys.platform != "win32":
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


class BagWriter:
    """Writes one bag: note each file of the payload, in any order, then seal.

    The manifests are written as files are noted, so a bag of a hundred thousand files needs no memory for them. What is
    not sealed is no bag: it has no bagit.txt.
    """

    def __init__(self, bag: Path, algorithms: Sequence[str] = ("sha256",)) -> None:
        make_folder(bag / PAYLOAD)
        self._bag = bag
        self._algorithms = tuple(algorithms)
        self._manifests = {name: _Manifest(bag / f"manifest-{name}.txt", self._algorithms) for name in algorithms}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for manifest in self._manifests.values():
            manifest.close()

    def note(self, path: str, digests: Mapping[str, str]) -> None:
        """List a file of the payload, by its path within the bag (``data/…``), with its digest for every algorithm.

        Raises:
            ValueError: the path leads out of the payload.

        """
        if not path.startswith(f"{PAYLOAD}/") or LEADS_OUT & set(path_faults(path)):
            raise ValueError(f"{path!r} is no path within {PAYLOAD}")
        for algorithm, manifest in self._manifests.items():
            manifest.add(path, digests[algorithm])

    def write(self, path: str, pieces: Iterable[bytes]) -> dict[str, str]:
        """Write a file of the payload and list it."""
        digests = write_digested(self._bag / path, pieces, self._algorithms)
        self.note(path, digests)
        return digests

    def seal(self, info: Iterable[tuple[str, str]], tags: Mapping[str, bytes] = {}) -> str:
        """Write the texts that make the folder a bag, through to the disk, and return the digest that stands for it.

        Args:
            info: what ``bag-info.txt`` says.
            tags: other files beside the payload.

        """
        about = "".join(f"{label}: {' '.join(value.split())}\n" for label, value in info)
        listed = {f"manifest-{name}.txt": manifest.close() for name, manifest in self._manifests.items()}
        # bagit.txt comes last of the texts: what stopped on the way is no bag.
        texts = {INFO: about.encode(), **tags, DECLARATION: DECLARED}
        for name, content in texts.items():
            listed[name] = write_digested(self._bag / name, (content,), self._algorithms)
        digest = ""
        for algorithm in self._algorithms:
            lines = "".join(f"{digests[algorithm]}  {written(name)}\n" for name, digests in sorted(listed.items()))
            found = write_file(self._bag / f"tagmanifest-{algorithm}.txt", (lines.encode(),))
            digest = digest or found
        for folder, _, _ in os.walk(self._bag, topdown=False):
            sync_folder(Path(folder))
        return digest


class _Manifest:
    """One manifest on its way to the disk, with its own digests."""

    def __init__(self, path: Path, algorithms: Sequence[str]) -> None:
        self._file = _created(path)
        self._digests = {name: hashlib.new(name, usedforsecurity=False) for name in algorithms}

    def add(self, path: str, digest: str) -> None:
        line = f"{digest}  {written(path)}\n".encode()
        self._file.write(line)
        for one in self._digests.values():
            one.update(line)

    def close(self) -> dict[str, str]:
        if not self._file.closed:
            self._file.flush()
            os.fsync(self._file.fileno())
            self._file.close()
        return {name: digest.hexdigest() for name, digest in self._digests.items()}


def _created(path: Path) -> "BinaryIO":
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
    return os.fdopen(os.open(path, flags, PRIVATE_MODE), "wb")
