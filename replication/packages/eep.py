"""Electronic records in one XML file: the encapsulation of DA/T 48-2009 (EEP), read piece by piece.

    电子文件封装包
        封装包格式描述  版本  被签名对象[eep版本]
            封装包类型  封装包类型描述  封装包创建时间  封装包创建单位
            封装内容 > 文件实体块 > 文件实体
                (fields of the entry)
                文档 > 文档数据 > 编码
                    电子属性 > 计算机文件名, 计算机文件大小, 格式名称
                    编码描述  反编码关键字  编码数据

The content of a file stands in 编码数据 as base64, a third larger than the file, so it is never held whole. The
standard has no place for digests but the signatures, which are optional; where one stands in the free text of 编码描述,
what came out is compared with it. Signatures (电子签名块, 锁定签名) are not judged.
"""

import base64
import binascii
import hashlib
import re
from pathlib import Path
from typing import Final

import msgspec

from protocol.errors import BadFile
from protocol.package_entries import PACKAGE_ENTRIES_MAX, PackageEntry
from protocol.package_paths import FAULT_WORDS, path_faults
from protocol.vocabularies import Level
from protocol.wording import Text
from replication.packages.bag_writing import make_folder
from replication.packages.catalogue_xml import ALL, FIELD_CHARS_READ_MAX
from replication.packages.xml_reading import file_pieces, local, read_xml

ENTITY: Final = "文件实体"
DOCUMENT: Final = "编码"
DATA: Final = "编码数据"
_NAME: Final = "计算机文件名"
_SIZE: Final = "计算机文件大小"
_ABOUT: Final = "编码描述"
_LABELS: Final = {label: field for field, label in ALL.items()}
_DIGEST: Final = re.compile(r"SHA-256[:：]\s*([0-9a-f]{64})")
_BLANKS: Final = str.maketrans("", "", " \t\r\n")


class UnpackedFile(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One file that came out of a package."""

    path: str
    size_bytes: int
    sha256: str
    is_proven: bool
    """The package named a digest, and the content has it."""


class UnpackedEep(msgspec.Struct, frozen=True, kw_only=True):
    """What came out: entries in their order, each file once."""

    version: str
    created_at: str
    created_by: str
    entries: tuple[PackageEntry, ...]
    """``file_name`` names the files of each."""
    files: tuple[UnpackedFile, ...]


def unpack_eep(eep: Path, into: Path) -> UnpackedEep:
    """Read a package and write its files into a folder, under the paths that it gives them.

    Args:
        eep: the package.
        into: a folder of the caller's own; what it holds after an error is to be thrown away.

    Raises:
        BadFile: it is no such package, is damaged, or wants to write outside of the folder.

    """
    reader = _Reader(eep.name, into)
    try:
        for _ in read_xml(file_pieces(eep), eep.name, reader.start, reader.end, reader.characters):
            pass
    finally:
        reader.close()
    return reader.result()


class _Reader:
    """Follows the elements of a package; content goes to the disk as it comes."""

    def __init__(self, name: str, into: Path) -> None:
        self._name = name
        self._into = into
        self._path: list[str] = []
        self._text: list[str] = []
        self._chars = 0
        self._fields: dict[str, str] = {}
        self._head: dict[str, str] = {}
        self._document: dict[str, str] = {}
        self._content: _Content | None = None
        self._names: list[str] = []
        self._entries: list[PackageEntry] = []
        self._files: dict[str, UnpackedFile] = {}

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        name = local(tag)
        if not self._path and name != "电子文件封装包":
            raise self.bad(Text(zh="根元素不是“电子文件封装包”", en="its root is not 电子文件封装包"))
        if name == "被签名对象":
            self._head.setdefault("eep版本", attributes.get("eep版本", ""))
        if name == DOCUMENT:
            self._document = {}
        if name == DATA:
            if self._content is not None:
                raise self.bad(Text(zh="一份编码里有两段编码数据", en="one encoding holds two contents"))
            self._content = _Content(self._into / f".{len(self._files)}.part", self)
        self._path.append(name)
        self._text, self._chars = [], 0

    def characters(self, text: str) -> None:
        if self._content is not None and self._path[-1:] == [DATA]:
            self._content.add(text)
        elif self._chars <= FIELD_CHARS_READ_MAX:
            self._text.append(text)
            self._chars += len(text)

    def end(self, _tag: str) -> None:
        name = self._path.pop()
        value = "".join(self._text).strip()
        self._text = []
        if name == DATA and self._content is not None:
            # The file takes its name when its element ends: the name may stand behind the content.
            self._content.finish()
        elif name == DOCUMENT:
            self._file_done()
        elif name == ENTITY:
            self._entry_done()
        elif value and DOCUMENT in self._path:
            self._document.setdefault(name, value)
        elif value and ENTITY in self._path:
            self._fields.setdefault(name, value)
        elif value:
            self._head.setdefault(name, value)

    def close(self) -> None:
        if self._content is not None:
            self._content.drop()

    def result(self) -> UnpackedEep:
        return UnpackedEep(
            version=self._head.get("eep版本", "") or self._head.get("版本", ""),
            created_at=self._head.get("封装包创建时间", ""),
            created_by=self._head.get("封装包创建单位", ""),
            entries=tuple(self._entries),
            files=tuple(self._files.values()),
        )

    def bad(self, fault: Text) -> BadFile:
        return BadFile(
            Text(zh=f"{self._name}：{fault.zh}", en=f"{self._name}: {fault.en}"),
            Text(zh="请移交方重新封装该文件。", en="Ask the sender to make the package again."),
        )

    def _file_done(self) -> None:
        content, self._content = self._content, None
        if content is None:
            return
        path = self._document.get(_NAME, "")
        faults = path_faults(path)
        if faults:
            content.drop()
            raise self.bad(Text(zh=f"{path}：{FAULT_WORDS[faults[0]].zh}", en=f"{path}: {FAULT_WORDS[faults[0]].en}"))
        if path in self._files:
            content.drop()
            raise self.bad(Text(zh=f"{path} 出现两次", en=f"{path} stands there twice"))
        said = _DIGEST.search(self._document.get(_ABOUT, ""))
        size = self._document.get(_SIZE, "")
        is_whole = (not said or said[1] == content.sha256()) and (not size.isdigit() or int(size) == content.size_bytes)
        if not is_whole:
            content.drop()
            raise self.bad(Text(zh=f"{path} 的内容与所记摘要或大小不符", en=f"{path} does not have its digest or size"))
        content.take(self._into / path)
        self._files[path] = UnpackedFile(
            path=path, size_bytes=content.size_bytes, sha256=content.sha256(), is_proven=said is not None
        )
        self._names.append(path)

    def _entry_done(self) -> None:
        if len(self._entries) >= PACKAGE_ENTRIES_MAX:
            raise self.bad(Text(zh=f"超过 {PACKAGE_ENTRIES_MAX} 个文件实体", en=f"over {PACKAGE_ENTRIES_MAX} entities"))
        fields = {_LABELS[name]: value for name, value in self._fields.items() if name in _LABELS}
        said = fields.pop("level", "")
        level = next((one for one in Level if one.value == said), Level.ITEM)
        fields["file_name"] = ";".join(self._names) or fields.get("file_name", "")
        self._entries.append(PackageEntry(level=level, **fields))
        self._fields, self._names = {}, []


class _Content:
    """The content of one file on its way from base64 to the disk."""

    def __init__(self, path: Path, reader: _Reader) -> None:
        make_folder(path.parent)
        self._path = path
        self._reader = reader
        self._file = path.open("xb")
        self._rest = ""
        self._ended = False
        self._digest = hashlib.sha256()
        self.size_bytes = 0

    def add(self, text: str) -> None:
        joined = self._rest + text.translate(_BLANKS)
        whole = len(joined) - len(joined) % 4
        self._rest = joined[whole:]
        if whole:
            self._decode(joined[:whole])

    def finish(self) -> None:
        if self._rest:
            raise self._reader.bad(Text(zh="编码数据不完整", en="the encoded content is cut off"))
        self._file.close()

    def take(self, target: Path) -> None:
        make_folder(target.parent)
        self._path.rename(target)

    def drop(self) -> None:
        self._file.close()
        self._path.unlink(missing_ok=True)

    def sha256(self) -> str:
        return self._digest.hexdigest()

    def _decode(self, text: str) -> None:
        try:
            piece = base64.b64decode(text.encode("ascii"), validate=True)
        except (binascii.Error, UnicodeEncodeError) as error:
            raise self._reader.bad(Text(zh="编码数据不是base64", en="the content is no base64")) from error
        if self._ended:
            raise self._reader.bad(Text(zh="编码数据在结尾之后还有内容", en="the content goes on behind its end"))
        self._ended = text.endswith("=")
        self._file.write(piece)
        self._digest.update(piece)
        self.size_bytes += len(piece)
