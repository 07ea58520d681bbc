"""Bags as the hub's backups use them: made with the writer of ``replication.packages``, read back, and accounted for.

A backup has about a dozen files and the window's papers, all of them ours: what a manifest says fits in memory, and
anything unexpected in it means damage. Bags that come from others are checked by ``replication.packages.bag_checking``.
"""

import hashlib
import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

import msgspec

from hub.keeping.course import Course, Stage
from protocol.errors import BrokenStore
from protocol.package_paths import read
from protocol.wording import Text
from replication.packages.bag_tags import DECLARATION, PAYLOAD
from replication.packages.bag_writing import BagWriter, make_folder, sync_folder, write_file
from replication.packages.reading import pieces_of

__all__ = [
    "PAYLOAD",
    "Manifest",
    "chunks_of",
    "damaged",
    "digest_of",
    "make_folder",
    "payload_faults",
    "read_manifest",
    "seal",
    "sync",
    "sync_folder",
    "write_file",
]

MANIFEST = "manifest-sha256.txt"
TAG_MANIFEST = "tagmanifest-sha256.txt"

FILES_MAX = 500_000
"""Files of a bag: a dozen, and one for each certificate of some decades; their list fills 100 MB of memory."""

_LINE = re.compile(r"([0-9a-f]{64})\s+\*?(.+)")


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """What a bag says of its files: digests by path within the bag."""

    payload: dict[str, str]
    tags: dict[str, str]
    digest: str
    """Digest of the tag manifest: it stands for the whole bag."""


def seal(bag: Path, payload: Mapping[str, str], info: Mapping[str, str], tags: Mapping[str, bytes]) -> str:
    """Write the texts that make a folder with a payload a bag, through to the disk, and return its digest.

    Args:
        bag: the folder; its payload lies in ``data`` already.
        payload: digests of the payload, by path within the bag.
        info: what ``bag-info.txt`` says.
        tags: other files beside the payload.

    """
    with BagWriter(bag) as writer:
        for path, digest in sorted(payload.items()):
            writer.note(path, {"sha256": digest})
        return writer.seal(info.items(), tags)


def read_manifest(bag: Path) -> Manifest:
    """Read what a bag says of its files, and hold the files beside the payload against it.

    Raises:
        BrokenStore: the folder is no bag, or one of these files is damaged.

    """
    try:
        listing = (bag / TAG_MANIFEST).read_bytes()
        tags = _listed(bag, listing)
        for name in tags:
            if hashlib.sha256((bag / name).read_bytes()).hexdigest() != tags[name]:
                raise damaged(bag, Text(zh=f"{name} 的摘要不符", en=f"{name} does not have its digest"))
        if DECLARATION not in tags or MANIFEST not in tags:
            raise damaged(bag, Text(zh="清单不全", en="its manifest is incomplete"))
        return Manifest(
            payload=_listed(bag, (bag / MANIFEST).read_bytes()), tags=tags, digest=hashlib.sha256(listing).hexdigest()
        )
    except (OSError, UnicodeDecodeError) as error:
        raise damaged(bag, Text(zh=f"读不出：{error}", en=f"cannot be read: {error}")) from error


def payload_faults(bag: Path, manifest: Manifest, course: Course) -> list[Text]:
    """Read every file of the payload back and say which are missing, damaged or not listed."""
    faults = []
    there = {path.relative_to(bag).as_posix() for path in (bag / PAYLOAD).rglob("*") if not path.is_dir()}
    sizes = {name: (bag / name).stat().st_size for name in manifest.payload if name in there}
    done, total = 0, sum(sizes.values())
    for name, digest in manifest.payload.items():
        if name not in there:
            faults.append(Text(zh=f"缺少 {name}", en=f"{name} is missing"))
            continue
        sha = hashlib.sha256()
        try:
            for chunk in chunks_of(bag / name):
                sha.update(chunk)
                done += len(chunk)
                course.at(Stage.READ_BACK, done, total)
        except OSError as error:
            faults.append(Text(zh=f"读不出 {name}：{error.strerror}", en=f"{name} cannot be read: {error.strerror}"))
            continue
        if sha.hexdigest() != digest:
            faults.append(Text(zh=f"{name} 的摘要不符", en=f"{name} does not have its digest"))
    faults += [Text(zh=f"多出 {name}", en=f"{name} is not listed") for name in sorted(there - manifest.payload.keys())]
    return faults


def digest_of(path: Path, course: Course) -> str:
    """Read a file that somebody else has written, from the disk, and return its digest."""
    sha = hashlib.sha256()
    done, total = 0, path.stat().st_size
    for chunk in chunks_of(path):
        sha.update(chunk)
        done += len(chunk)
        course.at(Stage.SUM, done, total)
    return sha.hexdigest()


def chunks_of(path: Path) -> Iterator[bytes]:
    """Read a file piece by piece, from the disk itself where that can be had."""
    return pieces_of(path, from_disk=True)


def sync(path: Path) -> None:
    """Have the disk keep a file that somebody else has written."""
    descriptor = os.open(path, os.O_RDWR)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def damaged(bag: Path, fault: Text) -> BrokenStore:
    """Return the error of a bag that cannot be relied upon."""
    return BrokenStore(
        Text(zh=f"备份 {bag.name} 不可用：{fault.zh}", en=f"backup {bag.name}: {fault.en}"),
        Text(
            zh="请改用另一份备份（danglian-hub backup list），并检查该磁盘。",
            en="Use another backup (danglian-hub backup list), and have that disk looked at.",
        ),
    )


def _listed(bag: Path, content: bytes) -> dict[str, str]:
    digests: dict[str, str] = {}
    for line in filter(None, content.decode().split("\n")):
        match = _LINE.fullmatch(line)
        name = read(match[2]) if match else ""
        if match is None or name.startswith("/") or ".." in Path(name).parts or len(digests) >= FILES_MAX:
            raise damaged(bag, Text(zh="清单无法解读", en="its manifest cannot be read"))
        digests[name] = match[1]
    return digests
