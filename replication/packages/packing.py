"""Making the package of a transfer: a bag whose payload is in the official layout.

Any BagIt program can prove it whole, and any archive's program that knows the official layout can read it. The files of
the records are linked into it where the disk allows, so that 40 GB of scans need no second 40 GB; what travels is
compared with the manifest at the other end, so a scan that is changed meanwhile is noticed there.
"""

import datetime
import errno
import os
import shutil
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

import msgspec

from protocol.errors import BadFile, StorageFull
from protocol.package_entries import PackageEntry, PackageFile
from protocol.package_paths import FAULT_WORDS, path_faults, same_to_others
from protocol.registration import Registration, info_of
from protocol.vocabularies import Level
from protocol.wording import Text
from replication.packages.bag_tags import PAYLOAD, can_digest
from replication.packages.bag_writing import BagWriter, make_folder, sync_folder
from replication.packages.catalogue_xml import FURTHER, ITEMS, VOLUMES, catalogue_pieces
from replication.packages.official_layout import OTHERS, README, RECORDS, CarrierNote, note_text
from replication.packages.reading import Told, digests_of, nobody, pieces_of

PARTIAL_SUFFIX: Final = ".partial"
"""What a package is called until it is whole."""

SPARE_BYTES = 64 * 1024 * 1024
"""Bytes that must stay free beside a package that is copied."""


class SourceFile(msgspec.Struct, frozen=True, kw_only=True):
    """A file that goes into a package: where it lies now, and where it shall lie in 电子档案."""

    source: Path
    path: str


class PackingStyle(msgspec.Struct, frozen=True, kw_only=True):
    """How a package is made."""

    algorithms: tuple[str, ...] = ("sha256", "sm3")
    """Manifests; SM3 is left out where this machine cannot compute it, and the form says so."""
    encoding: str = "UTF-8"
    """Of catalogue and note: UTF-8, or GB18030 for older programs."""
    is_linked: bool = True
    """Link the files into the package where the disk allows, else copy them."""


DEFAULT_STYLE: Final = PackingStyle()


class PackageLabel(msgspec.Struct, frozen=True, kw_only=True):
    """What a package says of itself."""

    identifier: str
    """The transfer's id."""
    registration: Registration
    """The form; its counts and bytes are filled in while packing."""
    made_on: datetime.date
    software: str
    note: CarrierNote = CarrierNote()
    others: dict[str, bytes] = {}
    """Further files for 其他, by name: rules, forms."""


class PackedPackage(msgspec.Struct, frozen=True, kw_only=True):
    """A package that is whole."""

    path: Path
    digest: str
    """SHA-256 of its tag manifest: stands for the package."""
    algorithms: tuple[str, ...]
    files: tuple[PackageFile, ...]
    """Every file of it by its path within the package (``data/…``, ``manifest-sha256.txt``), as it is to travel."""
    registration: Registration


def packing_faults(files: Iterable[SourceFile]) -> list[Text]:
    """Return why files cannot be packed under their names: one sentence for each that some system could not hold."""
    faults = []
    # The hash is enough to suspect that two names are one: a hundred thousand folded paths are not kept.
    taken: dict[int, str] = {}
    for one in files:
        faults += [
            Text(zh=f"{one.path}：{FAULT_WORDS[fault].zh}", en=f"{one.path}: {FAULT_WORDS[fault].en}")
            for fault in path_faults(f"{PAYLOAD}/{RECORDS}/{one.path}")
        ]
        folded = same_to_others(one.path)
        other = taken.setdefault(hash(folded), one.path)
        if other is not one.path and same_to_others(other) == folded:
            faults.append(
                Text(zh=f"{one.path} 与 {other} 重名", en=f"{one.path} and {other} are one name to some system")
            )
    return faults


def pack(
    into: Path,
    entries: Sequence[PackageEntry],
    files: Sequence[SourceFile],
    label: PackageLabel,
    style: PackingStyle = DEFAULT_STYLE,
    told: Told = nobody,
) -> PackedPackage:
    """Write a package through to the disk under its name; until it is whole it has another, and is begun anew.

    Args:
        into: the folder that the package becomes; it does not exist yet.
        entries: its catalogue.
        files: the files of the records.
        label: what the package says of itself.
        style: manifests, encoding, links.
        told: told of the bytes that were read; it raises to stop.

    Raises:
        BadFile: a name cannot be held by every system, or a file cannot be read.
        StorageFull: the disk has no room; nothing is left behind.

    """
    _refuse(packing_faults(files))
    partial = into.with_name(into.name + PARTIAL_SUFFIX)
    shutil.rmtree(partial, ignore_errors=True)
    packing = _Packing(partial, style, told)
    try:
        make_folder(partial.parent)
        _look_for_room(partial.parent, files, style)
        made = packing.make(entries, files, label)
        partial.rename(into)
        sync_folder(into.parent)
    except OSError as error:
        shutil.rmtree(partial, ignore_errors=True)
        raise unwritable(into, error) from error
    except BaseException:
        shutil.rmtree(partial, ignore_errors=True)
        raise
    return msgspec.structs.replace(made, path=into)


class _Packing:
    """One package on its way, and what is in it so far."""

    def __init__(self, bag: Path, style: PackingStyle, told: Told) -> None:
        self._bag = bag
        self._algorithms = tuple(name for name in style.algorithms if can_digest(name))
        self._style = style
        self._told = told
        self._files: list[PackageFile] = []

    def make(self, entries: Sequence[PackageEntry], files: Sequence[SourceFile], label: PackageLabel) -> PackedPackage:
        with BagWriter(self._bag, self._algorithms) as writer:
            self.take(writer, files)
            self.write(writer, _texts(entries, label, self._style))
            form = self.filled(label.registration, entries)
            told_on = label.made_on.isoformat()
            digest = writer.seal(info_of(form, identifier=label.identifier, bagged_on=told_on, software=label.software))
        return PackedPackage(
            path=self._bag, digest=digest, algorithms=self._algorithms, files=self.files(), registration=form
        )

    def take(self, writer: BagWriter, files: Sequence[SourceFile]) -> None:
        for one in files:
            path = f"{PAYLOAD}/{RECORDS}/{one.path}"
            target = self._bag / path
            make_folder(target.parent)
            if one.source.is_symlink() or not one.source.is_file():
                raise BadFile(
                    Text(zh=f"{one.path} 不是普通文件", en=f"{one.path} is no plain file"),
                    Text(zh="请换成文件本身后重新打包。", en="Replace it by the file itself and pack again."),
                )
            if self._is_linked(one.source, target):
                digests = digests_of(target, self._algorithms, self._told)
                writer.note(path, digests)
            else:
                digests = writer.write(path, pieces_of(one.source))
                self._told(target.stat().st_size)
            self._noted(path, digests)

    def write(self, writer: BagWriter, texts: Mapping[str, Iterable[bytes]]) -> None:
        for name, pieces in texts.items():
            path = f"{PAYLOAD}/{name}"
            self._noted(path, writer.write(path, pieces))

    def filled(self, form: Registration, entries: Sequence[PackageEntry]) -> Registration:
        return msgspec.structs.replace(
            form,
            entries=sum(entry.level is not Level.VOLUME for entry in entries),
            volumes=sum(entry.level is Level.VOLUME for entry in entries),
            files=len(self._files),
            size_bytes=sum(file.size_bytes for file in self._files),
            digest_algorithm=", ".join(self._algorithms),
        )

    def files(self) -> tuple[PackageFile, ...]:
        tags = [
            PackageFile(path=path.name, size_bytes=path.stat().st_size, sha256=digests_of(path, ("sha256",))["sha256"])
            for path in sorted(self._bag.iterdir())
            if path.is_file()
        ]
        return (*self._files, *tags)

    def _noted(self, path: str, digests: Mapping[str, str]) -> None:
        size_bytes = (self._bag / path).stat().st_size
        self._files.append(PackageFile(path=path, size_bytes=size_bytes, sha256=digests.get("sha256", "")))

    def _is_linked(self, source: Path, target: Path) -> bool:
        if self._style.is_linked:
            # Another disk, a disk without links, or a share that forbids them: the file is copied.
            with suppress(OSError):
                os.link(source, target)
                return True
        return False


def _texts(entries: Sequence[PackageEntry], label: PackageLabel, style: PackingStyle) -> dict[str, Iterable[bytes]]:
    volumes = [entry for entry in entries if entry.level is Level.VOLUME]
    items = [entry for entry in entries if entry.level is not Level.VOLUME]
    texts: dict[str, Iterable[bytes]] = {}
    if volumes:
        texts[VOLUMES] = catalogue_pieces(VOLUMES, volumes, encoding=style.encoding)
    if items or not volumes:
        texts[ITEMS] = catalogue_pieces(ITEMS, items, encoding=style.encoding)
    texts[FURTHER] = catalogue_pieces(FURTHER, entries, encoding=style.encoding)
    texts[README] = (note_text(label.note, encoding=style.encoding),)
    return texts | {f"{OTHERS}/{name}": (content,) for name, content in label.others.items()}


def _look_for_room(folder: Path, files: Sequence[SourceFile], style: PackingStyle) -> None:
    needed = SPARE_BYTES
    if not style.is_linked:
        needed += sum(one.source.stat().st_size for one in files if one.source.is_file())
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise StorageFull(
            Text(zh=f"磁盘剩余 {free} 字节，需要 {needed} 字节", en=f"{free} bytes are free, {needed} are needed"),
            Text(zh="腾出空间，或换一个磁盘。", en="Make room, or use another disk."),
        )


def _refuse(faults: Sequence[Text]) -> None:
    if faults:
        more = f"（共 {len(faults)} 处）" if len(faults) > 1 else ""
        further = f" (and {len(faults) - 1} more)" if len(faults) > 1 else ""
        raise BadFile(
            Text(zh=f"{faults[0].zh}{more}", en=f"{faults[0].en}{further}"),
            Text(zh="改名后重新打包。", en="Rename the files and pack again."),
        )


def unwritable(into: Path, error: OSError) -> BadFile | StorageFull:
    """Return why a package could not be written, with what to do."""
    if error.errno in {errno.ENOSPC, errno.EDQUOT}:
        return StorageFull(
            Text(zh="磁盘已满，没有写成任何包", en="the disk is full; no package was written"),
            Text(zh="腾出空间，或换一个磁盘。", en="Make room, or use another disk."),
        )
    told = f"{error.filename or into}: {error.strerror}"
    return BadFile(
        Text(zh=f"无法打包：{told}", en=f"cannot be packed: {told}"),
        Text(zh="检查该文件与文件夹的权限。", en="Look at the rights of that file and folder."),
    )
