"""The catalogue of a package: 文件目录.XML and 案卷目录.XML in the official columns, 其他/元数据.XML with all others.

Columns after 电子档案移交与接收办法 (档发〔2012〕7号). Any element below the root is a row, and any element in it a
column, whatever they are called: those whose names are known fill the entry.
"""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Final

import msgspec

from protocol.errors import BadFile
from protocol.package_entries import PACKAGE_ENTRIES_MAX, PackageEntry
from protocol.vocabularies import Level
from protocol.wording import Text
from replication.packages.xml_reading import file_pieces, local, read_xml
from replication.packages.xml_writing import xml_text

ITEMS: Final = "文件目录.XML"
VOLUMES: Final = "案卷目录.XML"
FURTHER: Final = "其他/元数据.XML"

FIELD_CHARS_READ_MAX = 20_000
"""Characters of one column that are read; the check of lengths allows far fewer."""

SHARED_TEXTS_MAX = 20_000
"""Texts of one catalogue that are kept once for all rows that say them."""

OFFICIAL: Final[Mapping[str, str]] = {
    "sequence": "顺序号",
    "ref_code": "档号",
    "responsible": "责任者",
    "title": "题名",
    "date": "日期",
    "secrecy": "密级",
    "file_name": "电子档案名称",
    "note": "备注",
}
"""Fields of an entry, and the official columns in their order."""

ALL: Final[Mapping[str, str]] = {
    **OFFICIAL,
    "record_id": "记录标识",
    "level": "著录层级",
    "parent_code": "所属案卷档号",
    "fonds_no": "全宗号",
    "filing_year": "年度",
    "retention": "保管期限",
    "doc_no": "文件编号",
    "pages": "页数",
    "access_status": "开放审核意见",
    "access_reason": "开放审核理由",
    "disclosure": "公开属性",
    "office_code": "室编档号",
    "archive_code": "馆编档号",
    "form": "生成方式",
    "attachments": "附件",
    "environment": "软硬件环境",
    "format": "文件格式",
    "size_bytes": "文件大小",
    "digest": "固化信息",
}

_OWN_TEXTS: Final = frozenset(
    ("sequence", "ref_code", "title", "file_name", "record_id", "office_code", "archive_code", "digest")
)
"""Fields in which nearly every row says something else."""

_SYNONYMS: Final = {
    **{label: field for field, label in ALL.items()},
    "序号": "sequence",
    "室编号": "office_code",
    "文件题名": "title",
    "案卷题名": "title",
    "案卷标题": "title",
    "作者": "responsible",
    "成文日期": "date",
    "形成日期": "date",
    "起止日期": "date",
    "文号": "doc_no",
    "文件名称": "file_name",
    "电子文件名称": "file_name",
    "张数": "pages",
    "开放标识": "access_status",
    "全宗代码": "fonds_no",
    "归档年度": "filing_year",
}
_ROW: Final = {ITEMS: "文件", VOLUMES: "案卷", FURTHER: "条目"}
_ROOT: Final = {ITEMS: "文件目录", VOLUMES: "案卷目录", FURTHER: "元数据"}


def catalogue_pieces(name: str, entries: Iterable[PackageEntry], *, encoding: str = "UTF-8") -> Iterator[bytes]:
    """Write a catalogue piece by piece.

    Args:
        name: ``ITEMS``, ``VOLUMES`` or ``FURTHER``; it decides on root and columns.
        entries: what it lists.
        encoding: UTF-8 or GB18030.

    """
    columns = ALL if name == FURTHER else OFFICIAL
    head = f'<?xml version="1.0" encoding="{encoding}"?>\n<{_ROOT[name]}>\n'
    yield head.encode(encoding)
    for entry in entries:
        cells = "".join(
            f"    <{label}>{xml_text(str(getattr(entry, field)))}</{label}>\n"
            for field, label in columns.items()
            if columns is OFFICIAL or getattr(entry, field)
        )
        yield f"  <{_ROW[name]}>\n{cells}  </{_ROW[name]}>\n".encode(encoding)
    yield f"</{_ROOT[name]}>\n".encode(encoding)


def read_catalogue(path: Path) -> Iterator[PackageEntry]:
    """Read a catalogue row by row.

    Raises:
        BadFile: it is no readable XML, or has more rows than a package may have.

    """
    level = Level.VOLUME if path.name.upper() == VOLUMES.upper() else Level.ITEM
    rows = _Rows()
    shared: dict[str, str] = {}
    count = 0
    for _ in read_xml(file_pieces(path), path.name, rows.start, rows.end, rows.characters):
        count += len(rows.done)
        if count > PACKAGE_ENTRIES_MAX:
            raise BadFile(
                Text(
                    zh=f"{path.name} 超过 {PACKAGE_ENTRIES_MAX} 条",
                    en=f"{path.name} has over {PACKAGE_ENTRIES_MAX} rows",
                ),
                Text(zh="请分成几个包移交。", en="Divide it into several packages."),
            )
        yield from (_entry(row, level, shared) for row in rows.done)
        rows.done.clear()


def merged(entries: Iterable[PackageEntry], further: Iterator[PackageEntry]) -> Iterator[PackageEntry]:
    """Yield the entries with what the further columns say of them; the official columns outrank the further ones.

    Rows belong together by 顺序号 and 档号, so that a code that stands twice by mistake does not confuse them. Both
    catalogues are read side by side while they go in one order, as ours do; only rows out of order are kept waiting.
    """
    waiting: dict[tuple[Level, str, str], PackageEntry] = {}
    for entry in entries:
        wanted = (entry.level, entry.sequence, entry.ref_code)
        known = waiting.pop(wanted, None)
        while known is None and (following := next(further, None)) is not None:
            key = (following.level, following.sequence, following.ref_code)
            if key == wanted:
                known = following
            else:
                waiting.setdefault(key, following)
        said = {field: getattr(entry, field) for field in OFFICIAL}
        yield entry if known is None else msgspec.structs.replace(known, **said)


class _Rows:
    """What the parser told since it was asked last."""

    def __init__(self) -> None:
        self.done: list[dict[str, str]] = []
        self._path: list[str] = []
        self._row: dict[str, str] = {}
        self._text: list[str] = []
        self._chars = 0

    def start(self, tag: str, _attributes: dict[str, str]) -> None:
        self._path.append(local(tag))
        self._text, self._chars = [], 0

    def characters(self, text: str) -> None:
        if len(self._path) >= 3 and self._chars <= FIELD_CHARS_READ_MAX:
            self._text.append(text)
            self._chars += len(text)

    def end(self, _tag: str) -> None:
        depth, name = len(self._path), self._path.pop()
        if depth == 2:
            self.done.append(self._row)
            self._row = {}
        elif depth >= 3 and (value := "".join(self._text).strip()):
            self._row.setdefault(name, value)
        self._text = []


def _entry(row: Mapping[str, str], level: Level, shared: dict[str, str]) -> PackageEntry:
    fields: dict[str, str] = {}
    for name, value in row.items():
        field = _SYNONYMS.get(name)
        if field is None:
            continue
        # Years, parties, periods say the same in every row: each text is kept once.
        if len(shared) < SHARED_TEXTS_MAX and field not in _OWN_TEXTS:
            value = shared.setdefault(value, value)  # noqa: PLW2901 - the same text, once
        fields.setdefault(field, value)
    said = fields.pop("level", "")
    known = next((one for one in Level if one.value == said), level)
    return PackageEntry(level=known, **fields)
