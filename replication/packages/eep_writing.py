"""Export of a package as one EEP file (DA/T 48-2009), written piece by piece; ``eep`` reads it again.

Each entry carries its own files. A file of 电子档案 that belongs to no entry, or to two, has no place in an EEP file,
and its package is refused: nothing is left out in silence. What lies beside (说明文件.TXT, 其他) is not exported.
"""

import base64
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Final
from xml.sax.saxutils import quoteattr

import msgspec

from protocol.attaching import RECORDS, codes_of, entries_of, stated_names
from protocol.errors import BadFile
from protocol.package_entries import PackageEntry, PackageFile
from protocol.wording import Count, Text
from replication.packages.bag_writing import sync_folder, write_file
from replication.packages.catalogue_xml import ALL
from replication.packages.eep import DATA, DOCUMENT, ENTITY
from replication.packages.opening import OpenPackage, files_of
from replication.packages.packing import SourceFile, unwritable
from replication.packages.reading import digests_of
from replication.packages.xml_writing import xml_text

NAMESPACE: Final = "http://www.saac.gov.cn/standards/ERM/encapsulation"

LINE_BYTES: Final = 57 * 1024
"""Bytes of a file that are encoded at once; a multiple of three, so that pieces join without padding."""

_NAME: Final = "计算机文件名"
_SIZE: Final = "计算机文件大小"
_ABOUT: Final = "编码描述"
_KEYWORD: Final = "反编码关键字"
_PARTIAL: Final = ".partial"
_LOOSE_NAMED: Final = 5
"""Files without an entry that are named."""


class EepEntry(msgspec.Struct, frozen=True, kw_only=True):
    """One entry with its files; the paths are those that the package shall give them."""

    entry: PackageEntry
    files: tuple[SourceFile, ...] = ()


def eep_pieces(items: Iterable[EepEntry], *, created_at: str, created_by: str) -> Iterator[bytes]:
    """Write a package piece by piece, in UTF-8.

    Raises:
        OSError: a file cannot be read.

    """
    yield (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f"<电子文件封装包 xmlns={quoteattr(NAMESPACE)}>\n"
        "<封装包格式描述>本EEP根据中华人民共和国档案行业标准DA/T 48-2009"
        "《基于XML的电子文件封装规范》生成</封装包格式描述>\n"
        '<版本>2009</版本>\n<被签名对象 eep版本="2009">\n'
        "<封装包类型>原始型</封装包类型><封装包类型描述>本封装包包含电子文件数据及其元数据</封装包类型描述>\n"
        f"<封装包创建时间>{xml_text(created_at)}</封装包创建时间><封装包创建单位>{xml_text(created_by)}</封装包创建单位>\n"
        "<封装内容><文件实体块>\n"
    ).encode()
    for item in items:
        yield f"<{ENTITY}>\n{_described(item.entry)}".encode()
        for file in item.files:
            yield from _document(file)
        yield f"</{ENTITY}>\n".encode()
    yield "</文件实体块></封装内容>\n</被签名对象>\n</电子文件封装包>\n".encode()


def _described(entry: PackageEntry) -> str:
    said = ((label, str(getattr(entry, field))) for field, label in ALL.items())
    return "".join(f"<{label}>{xml_text(value)}</{label}>\n" for label, value in said if value)


def _document(file: SourceFile) -> Iterator[bytes]:
    digest = digests_of(file.source, ("sha256",))["sha256"]
    size_bytes = file.source.stat().st_size
    ending = file.path.rpartition(".")[2].upper()
    yield (
        f"<文档><文档数据><{DOCUMENT}>\n<电子属性><格式信息>{xml_text(ending)}</格式信息>"
        f"<{_NAME}>{xml_text(file.path)}</{_NAME}><{_SIZE}>{size_bytes}</{_SIZE}></电子属性>\n"
        f"<{_ABOUT}>编码数据为文件内容的base64编码；SHA-256: {digest}</{_ABOUT}>"
        f"<{_KEYWORD}>base64</{_KEYWORD}>\n<{DATA}>"
    ).encode()
    with file.source.open("rb") as content:
        while piece := content.read(LINE_BYTES):
            yield base64.b64encode(piece) + b"\n"
    yield f"</{DATA}>\n</{DOCUMENT}></文档数据></文档>\n".encode()


def exported(package: OpenPackage) -> list[EepEntry]:
    """Return the entries of a package with their files, ready to be written.

    Raises:
        BadFile: the catalogue or a folder cannot be read; or a file belongs to no entry, or to several, or is none.

    """
    entries = package.entries()
    by_name, by_code = _places(entries, stated_names), _places(entries, codes_of)
    files: list[list[SourceFile]] = [[] for _ in entries]
    loose: list[str] = []
    for file in _files_in(package.root / RECORDS, loose):
        found = entries_of(file.path, lambda name: by_name.get(name, ()), lambda code: by_code.get(code, ()))
        if len(found) == 1:
            files[found[0]].append(SourceFile(source=package.root / RECORDS / file.path, path=file.path))
        else:
            loose.append(file.path)
    if loose:
        raise _without_entry(loose)
    return [EepEntry(entry=one, files=tuple(own)) for one, own in zip(entries, files, strict=True)]


def _files_in(folder: Path, loose: list[str]) -> Iterator[PackageFile]:
    try:
        yield from files_of(folder, lambda path, _fault: loose.append(path))
    except OSError as error:
        raise unwritable(folder, error) from error


def _places(entries: Sequence[PackageEntry], names_of: Callable[[PackageEntry], Iterable[str]]) -> dict[str, list[int]]:
    places: dict[str, list[int]] = {}
    for number, one in enumerate(entries):
        for name in names_of(one):
            places.setdefault(name, []).append(number)
    return places


def _without_entry(loose: Sequence[str]) -> BadFile:
    named = loose[:_LOOSE_NAMED]
    return BadFile(
        Text(
            zh=f"{len(loose)} 个文件不能归到唯一的条目：{'、'.join(named)}",
            en=f"{Count(len(loose)):file does|files do} not belong to just one entry: {', '.join(named)}",
        ),
        Text(
            zh="请先用 package check 检测，按所列改正文件名或目录，再导出。",
            en="Run package check, mend the names or the catalogue as it says, then export again.",
        ),
    )


def written_bytes(items: Iterable[EepEntry]) -> int:
    """Return about how long the file will be: a third more than its content, which is written as base64.

    Raises:
        BadFile: a file is gone.

    """
    sources = [file.source for item in items for file in item.files]
    try:
        return sum(source.stat().st_size for source in sources) * 4 // 3
    except OSError as error:
        raise unwritable(sources[0], error) from error


def write_eep(
    path: Path, items: Iterable[EepEntry], *, created_at: str, created_by: str, told: Callable[[int], None]
) -> str:
    """Write an EEP file whole or not at all, through to the disk; return its SHA-256.

    Args:
        path: of the new file; nothing is written over.
        items: what it holds.
        created_at: when the package is made, as it shall say.
        created_by: the unit that makes it.
        told: called with the bytes that were written since the last time.

    Raises:
        BadFile: there is a file of this name, or a file cannot be read.
        StorageFull: the disk has no room; nothing is left behind.

    """
    if path.exists():
        raise BadFile(
            Text(zh=f"{path} 已存在", en=f"{path} is there already"),
            Text(zh="请换一个文件名。", en="Give another name."),
        )
    partial = path.with_name(path.name + _PARTIAL)

    def counted() -> Iterator[bytes]:
        for piece in eep_pieces(items, created_at=created_at, created_by=created_by):
            yield piece
            told(len(piece))

    try:
        partial.unlink(missing_ok=True)
        digest = write_file(partial, counted())
        partial.rename(path)
        sync_folder(path.parent)
    except OSError as error:
        raise unwritable(path, error) from error
    finally:
        partial.unlink(missing_ok=True)
    return digest
