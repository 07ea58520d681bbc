"""Opening a package that came from anywhere: what it is, its catalogue, its files; nothing in it is believed or run."""

import os
import zipfile
from collections.abc import Callable, Iterable, Iterator
from enum import StrEnum
from pathlib import Path
from typing import Final

import msgspec

from protocol.errors import BadFile
from protocol.package_entries import PACKAGE_FILES_MAX, PackageEntry, PackageFile
from protocol.package_paths import LEADS_OUT, PathFault, path_faults
from protocol.registration import Registration, registration_of
from protocol.wording import Text
from replication.packages.bag_tags import DECLARATION, PAYLOAD, Declaration, declaration_of, info_of
from replication.packages.bag_writing import write_file
from replication.packages.catalogue_xml import FURTHER, ITEMS, catalogue_pieces
from replication.packages.eep import unpack_eep
from replication.packages.official_layout import README, RECORDS, CarrierNote, has_catalogue, note_text, read_entries
from replication.packages.reading import PlainKind, plain_kind
from replication.packages.unpacking import can_unpack, is_tar, unpack

HEAD_BYTES = 4 * 1024
"""Bytes of a file that are looked at to tell what kind of package it is."""


class PackageKind(StrEnum):
    """What a package is."""

    BAG = "bag"
    """A bag whose payload is in the official layout, or anything else."""
    LAYOUT = "layout"
    """A folder in the official layout, without manifests."""
    EEP = "eep"
    """DA/T 48; its files are unpacked."""
    METS = "mets"
    """An information package of E-ARK or Archivematica: METS.xml; recognised, and not taken."""
    ARCHIVE = "archive"
    """One compressed file; a bag or a folder in a ZIP or TAR is unpacked where there is room, others by hand."""
    FOLDER = "folder"
    """Some folder without a catalogue."""
    UNKNOWN = "unknown"


KIND_WORDS: Final = {
    PackageKind.BAG: Text(zh="BagIt 包", en="a bag (BagIt)"),
    PackageKind.LAYOUT: Text(zh="规定的移交文件夹结构", en="the official transfer layout"),
    PackageKind.EEP: Text(zh="EEP 封装包（DA/T 48）", en="an EEP file (DA/T 48)"),
    PackageKind.METS: Text(zh="E-ARK / METS 信息包", en="an information package with METS (E-ARK)"),
    PackageKind.ARCHIVE: Text(zh="压缩文件", en="a compressed file"),
    PackageKind.FOLDER: Text(zh="没有目录的文件夹", en="a folder without a catalogue"),
    PackageKind.UNKNOWN: Text(zh="无法识别的文件", en="a file of unknown kind"),
}

_REMEDIES: Final = {
    PackageKind.METS: Text(
        zh="请移交方改用 BagIt 包、规定的文件夹结构或 EEP。",
        en="Ask the sender for a bag, the official layout or an EEP file.",
    ),
    PackageKind.ARCHIVE: Text(zh="请先解压，再检测解压后的文件夹。", en="Unpack it first, then check the folder."),
    PackageKind.FOLDER: Text(
        zh="请在文件夹最上层放入 文件目录.XML 与“电子档案”文件夹。",
        en="Put 文件目录.XML and the folder 电子档案 at its top.",
    ),
    PackageKind.UNKNOWN: Text(
        zh="请核对路径，或请移交方重新制作。", en="Look at the path, or ask the sender to make it again."
    ),
}
_ARCHIVES: Final = (
    b"PK\x03\x04",
    b"PK\x05\x06",
    b"Rar!\x1a\x07",
    b"7z\xbc\xaf\x27\x1c",
    b"\x1f\x8b",
    b"BZh",
    b"\xfd7zXZ",
)


class OpenPackage(msgspec.Struct, frozen=True, kw_only=True):
    """A package that can be read: ``root`` is the folder in which its catalogue lies."""

    path: Path
    kind: PackageKind
    root: Path
    registration: Registration | None = None
    """What the package itself says on its label."""

    def entries(self) -> list[PackageEntry]:
        """Read its catalogue.

        Raises:
            BadFile: it has none, or it cannot be read.

        """
        return read_entries(self.root)

    def file(self, path: str) -> Path:
        """Return where a file of the package lies."""
        return self.root / path


def kind_of(path: Path) -> PackageKind:
    """Say what lies at a path, by what is in it and not by its name."""
    if path.is_dir():
        if (path / DECLARATION).is_file() or ((path / PAYLOAD).is_dir() and any(path.glob("manifest-*.txt"))):
            return PackageKind.BAG
        if has_catalogue(path):
            return PackageKind.LAYOUT
        names = {one.name.casefold() for one in path.iterdir()}
        return PackageKind.METS if "mets.xml" in names else PackageKind.FOLDER
    if not path.is_file():
        return PackageKind.UNKNOWN
    with path.open("rb") as file:
        head = file.read(HEAD_BYTES)
    if head.startswith(_ARCHIVES) or is_tar(head) or zipfile.is_zipfile(path):
        return PackageKind.ARCHIVE
    for encoding in ("utf-8", "gb18030", "utf-16"):
        if "电子文件封装包" in head.decode(encoding, "replace"):
            return PackageKind.EEP
    return PackageKind.UNKNOWN


def open_package(path: Path, workplace: Path | None = None) -> OpenPackage:
    """Open a package.

    Args:
        path: a bag, a folder in the official layout, either of them in one ZIP or TAR, or an EEP file.
        workplace: an empty folder of the caller's own, into which what came as one file is unpacked.

    Raises:
        BadFile: it is nothing that is taken, or what came as one file is damaged; reason and remedy say what it is.
        StorageFull: the disk has no room to unpack it.

    """
    name = path.name
    try:
        kind = kind_of(path)
        if kind is PackageKind.ARCHIVE and workplace is not None and _is_unpacked(path):
            path = unpack(path, workplace)
            kind = kind_of(path)
        if kind is PackageKind.BAG:
            return OpenPackage(path=path, kind=kind, root=path / PAYLOAD, registration=_label(path))
        if kind is PackageKind.LAYOUT:
            return OpenPackage(path=path, kind=kind, root=path)
        if kind is PackageKind.EEP and workplace is not None:
            return _opened_eep(path, workplace)
    except OSError as error:
        told = error.strerror or str(error)
        raise BadFile(
            Text(zh=f"{name} 读不出：{told}", en=f"{name} cannot be read: {told}"),
            Text(zh="检查载体与权限。", en="Look at the carrier and at the rights of the file."),
        ) from error
    raise BadFile(
        Text(
            zh=f"{name} 是{KIND_WORDS[kind].zh}，不能接收",
            en=f"{name} is {KIND_WORDS[kind].en}, which is not taken",
        ),
        _REMEDIES.get(kind, Text(zh="请给出解包的文件夹。", en="Name a folder to unpack it into.")),
    )


def files_of(root: Path, refused: Callable[[str, PathFault | None], None]) -> Iterator[PackageFile]:
    """Yield the plain files below a folder in the order of their names, without following links.

    Args:
        root: the folder.
        refused: told of every path that is no plain file (None) or whose name leads out or is no text.

    """
    waiting = [""]
    count = 0
    while waiting:
        folder = waiting.pop()
        # Names alone: of a folder with two hundred thousand files everything else would be too much.
        inside = sorted(os.listdir(root / folder))  # noqa: PTH208 - as above
        deeper = []
        for name in inside:
            path = f"{folder}{name}"
            state = (root / path).lstat()
            faults = [fault for fault in path_faults(path) if fault in LEADS_OUT or fault is PathFault.NOT_TEXT]
            kind = plain_kind(state)
            if faults or kind is PlainKind.OTHER:
                refused(path, faults[0] if faults else None)
            elif kind is PlainKind.FOLDER:
                deeper.append(f"{path}/")
            else:
                count += 1
                if count > PACKAGE_FILES_MAX:
                    raise BadFile(
                        Text(zh=f"超过 {PACKAGE_FILES_MAX} 个文件", en=f"there are over {PACKAGE_FILES_MAX} files"),
                        Text(zh="请分成几个包移交。", en="Divide it into several packages."),
                    )
                yield PackageFile(path=path, size_bytes=state.st_size)
        waiting += reversed(deeper)


def _is_unpacked(path: Path) -> bool:
    with path.open("rb") as file:
        return can_unpack(file.read(HEAD_BYTES))


def _label(bag: Path) -> Registration | None:
    declared = declaration_of(bag)
    if not isinstance(declared, Declaration):
        return None
    info, _ = info_of(bag, declared)
    return registration_of(info)


def _opened_eep(path: Path, workplace: Path) -> OpenPackage:
    """Unpack an EEP file into the official layout: its catalogue beside its files."""
    unpacked = unpack_eep(path, workplace / RECORDS)
    note = CarrierNote(maker=unpacked.created_by, made_on=unpacked.created_at, content=path.name)
    texts: dict[str, Iterable[bytes]] = {
        ITEMS: catalogue_pieces(ITEMS, unpacked.entries),
        FURTHER: catalogue_pieces(FURTHER, unpacked.entries),
        README: (note_text(note),),
    }
    for name, pieces in texts.items():
        write_file(workplace / name, pieces)
    return OpenPackage(path=path, kind=PackageKind.EEP, root=workplace)
