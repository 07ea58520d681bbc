"""Bags: the folder format of a backup, BagIt 1.0 (RFC 8493), as archives package what must be proved unchanged.

    NAME/bagit.txt  bag-info.txt         what it is
    NAME/manifest-sha256.txt             the digest of every file under data/
    NAME/tagmanifest-sha256.txt          the digests of the files beside data/, the manifest included
    NAME/data/...                        what is kept

Any BagIt program can check a backup, today or in thirty years. We write the four texts ourselves, because a backup must
be on the disk before it has its name, must be private from its first byte, and must show how far it has come; a test
has another BagIt program check ours.
"""

import hashlib
import os
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import msgspec

from hub.course import Course, Stage
from protocol.errors import BrokenStore
from protocol.wording import Text
from replication.files import PRIVATE_FOLDER_MODE, PRIVATE_MODE

PAYLOAD = "data"
MANIFEST = "manifest-sha256.txt"
TAG_MANIFEST = "tagmanifest-sha256.txt"
DECLARATION = "bagit.txt"
INFO = "bag-info.txt"

CHUNK_BYTES = 1024 * 1024
"""Bytes read or written at once."""

FILES_MAX = 10_000
"""Files of a bag; a backup has about a dozen."""

_DECLARATION = b"BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n"
_LINE = re.compile(r"([0-9a-f]{64})\s+\*?(.+)")


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """What a bag says of its files: digests by path within the bag."""

    payload: dict[str, str]
    tags: dict[str, str]
    digest: str
    """Digest of the tag manifest: it stands for the whole bag."""


def write_file(path: Path, chunks: Iterable[bytes]) -> str:
    """Write a private file through to the disk and return the digest of what was given."""
    for folder in reversed(path.parents):
        # One by one: of folders that are made on the way to another the mode is left to chance.
        folder.mkdir(mode=PRIVATE_FOLDER_MODE, exist_ok=True)
    sha = hashlib.sha256()
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, PRIVATE_MODE)
    with os.fdopen(descriptor, "wb") as file:
        for chunk in chunks:
            sha.update(chunk)
            file.write(chunk)
        file.flush()
        os.fsync(file.fileno())
    return sha.hexdigest()


def seal(bag: Path, payload: Mapping[str, str], info: Mapping[str, str], tags: Mapping[str, bytes]) -> str:
    """Write the texts that make a folder with a payload a bag, through to the disk, and return its digest.

    Args:
        bag: the folder; its payload lies in ``data`` already.
        payload: digests of the payload, by path within the bag.
        info: what ``bag-info.txt`` says.
        tags: other files beside the payload.

    """
    about = "".join(f"{label}: {' '.join(value.split())}\n" for label, value in info.items())
    texts = {DECLARATION: _DECLARATION, INFO: about.encode(), MANIFEST: _manifest(payload), **tags}
    listed = {name: write_file(bag / name, (content,)) for name, content in texts.items()}
    digest = write_file(bag / TAG_MANIFEST, (_manifest(listed),))
    for folder in (*sorted(path for path in bag.rglob("*") if path.is_dir()), bag):
        sync_folder(folder)
    return digest


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
    with path.open("rb") as file:
        # What was just written lies in memory still; reading that again would prove nothing about the disk.
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
        while chunk := file.read(CHUNK_BYTES):
            yield chunk


def sync(path: Path) -> None:
    """Have the disk keep a file that somebody else has written."""
    descriptor = os.open(path, os.O_RDWR)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sync_folder(folder: Path) -> None:
    """Have the disk keep the names in a folder."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
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


def _manifest(digests: Mapping[str, str]) -> bytes:
    return "".join(f"{digest}  {_written(name)}\n" for name, digest in sorted(digests.items())).encode()


def _listed(bag: Path, content: bytes) -> dict[str, str]:
    digests: dict[str, str] = {}
    for line in filter(None, content.decode().split("\n")):
        match = _LINE.fullmatch(line)
        name = _read(match[2]) if match else ""
        if match is None or name.startswith("/") or ".." in Path(name).parts or len(digests) >= FILES_MAX:
            raise damaged(bag, Text(zh="清单无法解读", en="its manifest cannot be read"))
        digests[name] = match[1]
    return digests


def _written(name: str) -> str:
    """Write a path as the standard wants it; nothing else is escaped there."""
    return name.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _read(written: str) -> str:
    return written.replace("%0A", "\n").replace("%0D", "\r").replace("%25", "%")
