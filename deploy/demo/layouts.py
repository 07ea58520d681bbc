"""The columns of a catalogue: which there are, what a site calls them, and how one entry stands in them.

The lists are those of DA/T 22-2015 (归档文件目录) and of the vendors' programs (案卷目录, 卷内文件目录, accounting,
audiovisual, objects, an export with pinyin initials). Every site keeps to its own choice among the synonyms.
"""

from collections.abc import Mapping
from enum import StrEnum
from random import Random

import msgspec

from deploy.demo.cells import Cell
from deploy.demo.dirt import Entry


class Layout(StrEnum):
    """One kind of list."""

    ITEMS = "归档文件目录"
    ITEMS_WIDE = "归档文件目录（全字段）"
    VOLUMES = "案卷目录"
    VOLUME_ITEMS = "卷内文件目录"
    ACCOUNTS = "会计档案案卷目录"
    MEDIA = "音像档案目录"
    OBJECTS = "实物档案目录"
    EXPORT = "档案系统导出"
    LIVELIHOOD = "民生档案专题目录"


FIELDS: Mapping[Layout, str] = {
    Layout.ITEMS: "number code doc_no party title date secrecy pages note",
    Layout.ITEMS_WIDE: "number year retention organ box code item doc_no party title date secrecy access pages note",
    Layout.VOLUMES: "number code fonds catalogue volume title dates item_count pages retention note",
    Layout.VOLUME_ITEMS: "number code doc_no party title date page_no secrecy note",
    Layout.ACCOUNTS: "code volume account title dates retention pages note",
    Layout.MEDIA: "code carrier title party dates box sheets note",
    Layout.OBJECTS: "code title party date quantity note",
    Layout.EXPORT: "dh qzh mlh ajh jh title party doc_no date retention pages secrecy access note",
    Layout.LIVELIHOOD: "number code year kind party title details date retention note",
}

_WORDS: Mapping[str, tuple[str, ...]] = {
    "number": ("序号", "顺序号"),
    "code": ("档号", "室编档号", "档案号", "馆编档号"),
    "doc_no": ("文号", "文件编号", "发文字号", "文件字号"),
    "party": ("责任者", "作者", "发文机关", "形成单位"),
    "title": ("题名", "文件题名", "标题", "文件标题", "题 名"),
    "date": ("日期", "成文日期", "形成日期", "文件日期", "时间"),
    "dates": ("起止日期", "起止时间"),
    "secrecy": ("密级",),
    "pages": ("页数", "张数", "总页数"),
    "sheets": ("张数",),
    "page_no": ("页号", "起止页号", "页次"),
    "note": ("备注", "附注"),
    "year": ("年度",),
    "retention": ("保管期限", "期限", "保管年限"),
    "organ": ("机构或问题", "机构（问题）", "部门"),
    "box": ("盒号",),
    "item": ("件号", "室编件号"),
    "access": ("开放标识", "开放状态", "开放审核"),
    "fonds": ("全宗号",),
    "catalogue": ("目录号",),
    "volume": ("案卷号",),
    "item_count": ("件数",),
    "account": ("类别",),
    "carrier": ("载体类型",),
    "kind": ("民生类别", "专题名称"),
    "quantity": ("数量",),
}
_VOLUME_TITLE = ("案卷题名", "案卷标题")
_INITIALS = {
    "dh": "DH",
    "qzh": "QZH",
    "mlh": "MLH",
    "ajh": "AJH",
    "jh": "JH",
    "title": "TM",
    "party": "ZRZ",
    "doc_no": "WH",
    "date": "RQ",
    "retention": "BGQX",
    "pages": "YS",
    "secrecy": "MJ",
    "access": "KFZT",
    "note": "BZ",
}
_SAME = {
    "dh": "code",
    "qzh": "fonds",
    "mlh": "catalogue",
    "ajh": "volume",
    "jh": "item",
    "dates": "date",
    "sheets": "pages",
}
"""Columns that hold another field's value under a name of their own."""

_GROUP = ("doc_no", "party", "title")
"""In a list with two header rows these stand together under one heading."""
_GROUP_HEADING = "文件内容"


class Columns(msgspec.Struct, frozen=True, kw_only=True):
    """The columns of one sheet, in order."""

    fields: tuple[str, ...]
    headings: tuple[str, ...]

    @property
    def one_row(self) -> tuple[tuple[str, ...], ...]:
        """The header in one row."""
        return (self.headings,)

    @property
    def two_rows(self) -> tuple[tuple[str, ...], ...]:
        """The header in two rows: a common heading over the content, and blanks where cells are merged downwards."""
        upper = tuple(
            "" if field in _GROUP[1:] else _GROUP_HEADING if field == _GROUP[0] else heading
            for field, heading in zip(self.fields, self.headings, strict=True)
        )
        lower = tuple(
            heading if field in _GROUP else "" for field, heading in zip(self.fields, self.headings, strict=True)
        )
        return (upper, lower)

    def cells(self, entry: Entry) -> tuple[Cell, ...]:
        """Return one entry as the cells of a row."""
        return tuple(entry.get(_SAME.get(field, field)) for field in self.fields)

    def values_wanted(self) -> frozenset[str]:
        """Return the fields of an entry that these columns show."""
        return frozenset(_SAME.get(field, field) for field in self.fields)


def columns_of(layout: Layout, chance: Random, details: tuple[str, ...] = ()) -> Columns:
    """Choose a site's words for the columns of a list; `details` are the headings of a livelihood kind."""
    fields: list[str] = []
    headings: list[str] = []
    for field in FIELDS[layout].split():
        if field == "details":
            fields.extend(details)
            headings.extend(details)
            continue
        fields.append(field)
        if layout is Layout.EXPORT:
            headings.append(_INITIALS[field])
        else:
            headings.append(
                chance.choice(_VOLUME_TITLE if layout is Layout.VOLUMES and field == "title" else _WORDS[field])
            )
    return Columns(fields=tuple(fields), headings=tuple(headings))
