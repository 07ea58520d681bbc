"""EEP files as other systems make them, for what reads them: written after DA/T 48-2009, section by section."""

import base64
from collections.abc import Iterable, Iterator, Sequence
from typing import Final
from xml.sax.saxutils import quoteattr

import msgspec

from protocol.package_entries import PackageEntry
from replication.packages.catalogue_xml import ALL
from replication.packages.eep import DATA, DOCUMENT, ENTITY
from replication.packages.packing import SourceFile
from replication.packages.reading import digests_of
from replication.packages.xml_writing import xml_text

NAMESPACE: Final = "http://www.saac.gov.cn/standards/ERM/encapsulation"

LINE_BYTES: Final = 57 * 1024
"""Bytes of a file that are encoded at once; a multiple of three, so that pieces join without padding."""

_NAME: Final = "计算机文件名"
_SIZE: Final = "计算机文件大小"
_ABOUT: Final = "编码描述"
_KEYWORD: Final = "反编码关键字"


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


def eep_of(entries: Sequence[PackageEntry], files: Sequence[SourceFile], names: dict[str, str]) -> list[EepEntry]:
    """Return entries with their files, ready to be written.

    Args:
        entries: what the package describes.
        files: all files.
        names: 档号 of the entry of each file, by the file's path.

    """
    by_code: dict[str, list[SourceFile]] = {}
    for file in files:
        by_code.setdefault(names.get(file.path, ""), []).append(file)
    return [EepEntry(entry=entry, files=tuple(by_code.get(entry.ref_code, ()))) for entry in entries]
