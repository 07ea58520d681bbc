"""The official layout of a transfer (电子档案移交与接收办法, 档发〔2012〕7号), online and on a carrier.

说明文件.TXT                    what carrier this is, who made and checked it, what is needed to read it
文件目录.XML  案卷目录.XML       the catalogue
电子档案/年度/类别/…            the files
其他/                          metadata, rules, forms
"""

import codecs
import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import msgspec

from protocol.errors import BadFile
from protocol.package_entries import PackageEntry
from protocol.wording import Text
from replication.packages.catalogue_xml import FURTHER, ITEMS, VOLUMES, merged, read_catalogue

README: Final = "说明文件.TXT"
RECORDS: Final = "电子档案"
OTHERS: Final = "其他"

README_BYTES_MAX = 64 * 1024
"""Bytes of 说明文件.TXT that are read."""


class CarrierNote(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """说明文件.TXT: one for each carrier."""

    carrier_no: str = ""
    """载体编号"""
    capacity: str = ""
    """载体容量"""
    kind: str = ""
    maker: str = ""
    """制作单位或制作人"""
    made_on: str = ""
    checker: str = ""
    environment: str = ""
    """软硬件环境"""
    content: str = ""


_LABELS: Final = {
    "carrier_no": "载体编号",
    "capacity": "载体容量",
    "kind": "载体类型",
    "content": "存储内容",
    "maker": "制作人",
    "made_on": "制作日期",
    "checker": "审核人",
    "environment": "读取本载体内电子档案所需的软硬件环境",
}


def note_text(note: CarrierNote, *, encoding: str = "UTF-8") -> bytes:
    """Return 说明文件.TXT; with the line ends of Windows, where it is read."""
    lines = (f"{label}：{getattr(note, field)}" for field, label in _LABELS.items())
    return ("\r\n".join(lines) + "\r\n").encode(encoding)


def read_note(root: Path) -> CarrierNote:
    """Read 说明文件.TXT; an empty note where there is none, and whatever can be read where it is in other words."""
    path = found(root, README)
    if path is None:
        return CarrierNote()
    with path.open("rb") as file:
        content = file.read(README_BYTES_MAX)
    text = _text_of(content)
    said = {}
    for line in text.splitlines():
        label, _, value = line.replace(":", "：", 1).partition("：")
        said[label.strip()] = value.strip()
    fields = {field: said.get(label, "") for field, label in _LABELS.items()}
    fields["environment"] = fields["environment"] or said.get("软硬件环境", "")
    return CarrierNote(**fields)


def _text_of(content: bytes) -> str:
    """Return a note in whatever Windows' editor wrote it: UTF-16 with its mark, UTF-8, or the system's own encoding."""
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return content.decode("utf-16", "replace")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("gb18030", "replace")


def found(root: Path, name: str) -> Path | None:
    """Return a file or folder of the layout by its name in any case: ``文件目录.xml`` is as good."""
    folder = root
    for part in name.split("/"):
        wanted = part.casefold()
        if not folder.is_dir():
            return None
        folder_found = next((one for one in sorted(folder.iterdir()) if one.name.casefold() == wanted), None)
        if folder_found is None or folder_found.is_symlink():
            return None
        folder = folder_found
    return folder


def has_catalogue(root: Path) -> bool:
    """True if a folder is in the official layout: it has a catalogue where one belongs."""
    return found(root, ITEMS) is not None or found(root, VOLUMES) is not None


def read_entries(root: Path) -> list[PackageEntry]:
    """Read the catalogue of a package at once.

    Raises:
        BadFile: as ``entries_in``.

    """
    return list(entries_in(root))


def entries_in(root: Path) -> Iterator[PackageEntry]:
    """Read the catalogue of a package: volumes first, each entry with its further columns where there are any.

    Raises:
        BadFile: there is no catalogue, or it cannot be read.

    """
    paths = [path for name in (VOLUMES, ITEMS) if (path := found(root, name)) is not None]
    if not paths:
        raise BadFile(
            Text(zh=f"没有 {ITEMS} 或 {VOLUMES}", en=f"there is neither {ITEMS} nor {VOLUMES}"),
            Text(
                zh="请移交方把目录放在包的最上层。", en="Ask the sender to put the catalogue at the top of the package."
            ),
        )
    entries = itertools.chain.from_iterable(map(read_catalogue, paths))
    further = found(root, FURTHER)
    yield from entries if further is None else merged(entries, read_catalogue(further))


def structure_faults(root: Path) -> Iterator[Text]:
    """Yield what the layout asks for and the folder does not have."""
    if not has_catalogue(root):
        yield Text(zh=f"缺少 {ITEMS}（或 {VOLUMES}）", en=f"{ITEMS} (or {VOLUMES}) is missing")
    records = found(root, RECORDS)
    if records is None or not records.is_dir():
        yield Text(zh=f"缺少文件夹“{RECORDS}”", en=f"the folder {RECORDS} is missing")
    if found(root, README) is None:
        yield Text(zh=f"缺少 {README}", en=f"{README} is missing")
