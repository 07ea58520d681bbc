"""Consignments: an ordered list of files that one site hands to the hub, by the line or on a courier's disk.

The files are thought of as one long row of bytes, one file behind the other in the order of the list. Whatever travels
is a range of that row, so ten thousand small files need no more messages than one large one, and "how far" is one
number. The list itself is named by a digest over its lines; both ends hold the same list, or nothing moves.

Names are refused that some disk of the county could not hold, or that would lead out of the folder they belong in.
"""

import hashlib
import re
import unicodedata
from array import array
from collections.abc import Iterable, Sequence
from enum import StrEnum
from itertools import accumulate, pairwise
from uuid import UUID

import msgspec

from protocol.errors import BadValue
from protocol.limits import (
    CONSIGNED_NAME_BYTES_MAX,
    CONSIGNED_PATH_CHARS_MAX,
    CONSIGNMENT_BYTES_MAX,
    CONSIGNMENT_FILES_MAX,
)
from protocol.package_paths import is_device
from protocol.wording import Count, Text

STAGING = ".danglian-draw"
"""Folder in which files lie at the receiver until they are whole; no consigned file may be named so."""

_SHA256 = re.compile(r"[0-9a-f]{64}")
_FORBIDDEN = re.compile(r'[\x00-\x1f\x7f-\x9f<>:"|?*\\]')
_UNSEEN = re.compile("[\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ufffe\uffff\ud800-\udfff]")
_ALIKE_PARTS = 64

_FAULTS_TOLD = 20


class ConsignedFile(msgspec.Struct, frozen=True, kw_only=True, array_like=True, gc=False):
    """One file of a consignment."""

    path: str
    """Relative to the consignment's folder, parts separated by ``/``."""
    size_bytes: int
    sha256: str
    """64 lower-case hex digits."""


class Consignment(msgspec.Struct, frozen=True, kw_only=True):
    """What one site hands over, in this order."""

    consignment_id: UUID
    files: tuple[ConsignedFile, ...]

    @property
    def size_bytes(self) -> int:
        """Bytes of all files."""
        return sum(one.size_bytes for one in self.files)


class FileFault(StrEnum):
    """What is wrong with one file where it was to be read."""

    MISSING = "missing"
    CHANGED = "changed"
    """It has another size or other bytes than the list says."""
    LINK = "link"
    """A link, or a folder in its place: what it leads to was not promised."""
    UNREADABLE = "unreadable"
    """There, but it cannot be read now: another program holds it, or the disk fails."""


FAULT_WORDS: dict[FileFault, Text] = {
    FileFault.MISSING: Text(zh="文件不见了", en="is missing"),
    FileFault.CHANGED: Text(zh="内容与清单不符", en="is not what the list says"),
    FileFault.LINK: Text(zh="不是普通文件", en="is no ordinary file"),
    FileFault.UNREADABLE: Text(zh="暂时读不出", en="cannot be read now"),
}


def name_fault(path: str) -> Text | None:
    """Return why a file must not be consigned under this path, or None."""
    if not path or len(path) > CONSIGNED_PATH_CHARS_MAX:
        return Text(zh="路径为空或过长", en="the path is empty or too long")
    parts = path.split("/")
    if parts[0] == STAGING:
        return Text(zh="此文件夹名另有用途", en="that folder is used otherwise")
    return next((fault for part in parts if (fault := _part_fault(part)) is not None), None)


def _part_fault(part: str) -> Text | None:
    if part in {"", ".", ".."}:
        return Text(zh="路径是绝对路径，或含空的部分或 ..", en="absolute, or with an empty part or with ..")
    if _FORBIDDEN.search(part):
        return Text(zh="含不允许的字符", en="holds a character that some disks do not know")
    if _UNSEEN.search(part):
        return Text(zh="含看不见的字符", en="holds a character that cannot be seen")
    if part[-1] in ". " or part[0] == " ":
        return Text(zh="以空格或句点结尾，或以空格开头", en="ends in a blank or a full stop, or begins with a blank")
    if is_device(part):
        return Text(zh="是 Windows 保留的名称", en="is reserved by Windows")
    if len(part.encode("utf-8", "surrogatepass")) > CONSIGNED_NAME_BYTES_MAX:
        return Text(zh="名称过长", en="the name is too long")
    return None


def folded_path(path: str) -> str:
    """Return a path as a disk sees it that tells neither case nor composed characters apart."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", path).casefold())


def list_faults(files: Sequence[ConsignedFile]) -> list[tuple[str, Text]]:
    """Return what is wrong with a list of files: path and reason, nothing if it may be consigned."""
    faults: list[tuple[str, Text]] = []
    # Only names that may be the same are kept as texts: a list may be long.
    alike = _alike(files)
    seen: dict[str, str] = {}
    folders: dict[str, str] = {}
    for one in files:
        fault = name_fault(one.path)
        if fault is None and (one.size_bytes < 0 or _SHA256.fullmatch(one.sha256) is None):
            fault = Text(zh="大小或摘要无效", en="size or digest is none")
        if fault is not None:
            faults.append((one.path, fault))
            continue
        if not alike:
            continue
        folded = folded_path(one.path)
        other = seen.get(folded)
        if other is not None:
            faults.append((one.path, Text(zh=f"与 {other} 只差大小写", en=f"differs from {other} in case at most")))
        elif hash(folded) in alike:
            seen[folded] = one.path
        for folder, folded_folder in zip(_folders(one.path), _folders(folded), strict=True):
            if hash(folded_folder) not in alike:
                continue
            written = folders.setdefault(folded_folder, folder)
            if written != folder:
                fault = Text(zh=f"文件夹与 {written} 只差大小写", en=f"its folder differs from {written} in case only")
                faults.append((one.path, fault))
                break
    faults += [
        (seen[folded], Text(zh="同名的还有文件夹", en="a folder has the same name"))
        for folded in folders
        if folded in seen
    ]
    return faults


def _alike(files: Iterable[ConsignedFile]) -> frozenset[int]:
    """Return the hashes that the folded names of more than one file or folder have: few, and mostly none."""
    # In parts, of which one at a time is put in order: as objects all of them take as much as the whole list.
    parts, written = [array("q") for _ in range(_ALIKE_PARTS)], set[int]()
    before = ""

    def note(folded: str) -> None:
        name = hash(folded)
        parts[name % _ALIKE_PARTS].append(name)

    for one in files:
        note(folded_path(one.path))
        within = one.path.rpartition("/")[0]
        # Files of one folder mostly stand together, and most folders of a list are looked at once.
        if within != before:
            before = within
            for folder in _folders(one.path):
                if (name := hash(folder)) not in written:
                    written.add(name)
                    note(folded_path(folder))
    return frozenset(one for part in parts for one, following in pairwise(sorted(part)) if one == following)


def _folders(path: str) -> list[str]:
    parts = path.split("/")[:-1]
    return list(accumulate(parts, "{}/{}".format))


def check_list(files: Sequence[ConsignedFile]) -> None:
    """Go on only if a list of files may be consigned.

    Raises:
        BadValue: it is empty or too long, or names its files badly; names the first of them.

    """
    hint = Text(
        zh="请改正这些文件名（或分成几批）后重新整理移交包。",
        en="Rename these files, or make several batches, and put the package together again.",
    )
    if not 0 < len(files) <= CONSIGNMENT_FILES_MAX:
        raise BadValue(
            Text(
                zh=f"一批须有 1 至 {CONSIGNMENT_FILES_MAX} 个文件，现有 {len(files)} 个",
                en=f"a consignment has 1 to {CONSIGNMENT_FILES_MAX} files, this one {len(files)}",
            ),
            hint,
        )
    faults = list_faults(files)
    if faults:
        zh = "；".join(f"{path!r} {fault.zh}" for path, fault in faults[:_FAULTS_TOLD])
        en = "; ".join(f"{path!r} {fault.en}" for path, fault in faults[:_FAULTS_TOLD])
        raise BadValue(
            Text(
                zh=f"{len(faults)} 个文件不能移送：{zh}",
                en=f"{Count(len(faults)):file|files} cannot be consigned: {en}",
            ),
            hint,
        )
    total = sum(one.size_bytes for one in files)
    if total > CONSIGNMENT_BYTES_MAX:
        raise BadValue(Text(zh=f"一批过大：{total} 字节", en=f"a consignment of {total} bytes"), hint)


def list_digest(files: Iterable[ConsignedFile]) -> str:
    """Return the digest by which both ends name a list: over a line a file, ``sha256 size path``."""
    sha = hashlib.sha256()
    for one in files:
        sha.update(f"{one.sha256} {one.size_bytes} {one.path}\n".encode())
    return sha.hexdigest()


def starts_of(files: Iterable[ConsignedFile]) -> "array[int]":
    """Return where each file begins in the row of bytes, and at last where the row ends."""
    return array("Q", accumulate((one.size_bytes for one in files), initial=0))
