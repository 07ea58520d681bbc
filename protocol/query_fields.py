"""The fields that a query may name, in Chinese and English, and what a filter's value means.

A name counts only where a colon follows it at once. A name that is one slip away from a field's is told so; any other
word before a colon is a word of the text (关于：山林).
"""

from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Final

import msgspec

from protocol.analysis import fold
from protocol.reference_codes import fold_code
from protocol.vocabularies import LIVELIHOOD_KINDS, parse_access_status, parse_level
from protocol.wording import Text

SLIP_LETTERS_MIN: Final = 4
"""Letters of an English name from which on one wrong letter is taken for a slip."""


class Field(StrEnum):
    """What a query can be narrowed to."""

    TITLE = "title"
    PARTY = "party"
    CODE = "code"
    DOC_NO = "doc_no"
    SCOPE = "scope"
    NOTE = "note"
    DATE = "date"
    FONDS = "fonds"
    KIND = "kind"
    LEVEL = "level"
    ACCESS = "access"
    SITE = "site"

    @property
    def is_text(self) -> bool:
        """True for a field in which words are looked for."""
        return self in TEXT_FIELDS

    @property
    def is_filter(self) -> bool:
        """True for a field that has one of a few values."""
        return self in _VALUES


TEXT_FIELDS: Final = {
    Field.TITLE: ("title",),
    Field.PARTY: ("responsible_parties",),
    Field.CODE: ("ref_code", "aliases"),
    Field.DOC_NO: ("doc_no",),
    Field.SCOPE: ("scope",),
    Field.NOTE: ("note",),
}
"""The fields of a record that each text field of a query means."""

NAMES: Final[Mapping[Field, str]] = {
    Field.TITLE: "题名 标题 案卷题名 文件题名 title",
    Field.PARTY: "责任者 责任人 作者 发文机关 发文单位 形成单位 party author creator",
    Field.CODE: "档号 档案号 室编档号 馆编档号 旧档号 code refcode reference",
    Field.DOC_NO: "文号 文件编号 发文字号 发文文号 docno number",
    Field.SCOPE: "摘要 提要 范围和提要 内容提要 scope abstract",
    Field.NOTE: "附注 备注 note",
    Field.DATE: "日期 时间 成文日期 形成日期 年份 date year",
    Field.FONDS: "全宗 全宗号 fonds",
    Field.KIND: "类别 民生类别 kind",
    Field.LEVEL: "层级 级别 著录层级 level",
    Field.ACCESS: "开放 开放状态 开放标识 access",
    Field.SITE: "站点 地点代码 site",
}
"""The names of each field: the first is the one that messages use, the last the English one or one of them."""

EXCLUSION_NAMES: Final = frozenset(("不含", "不包含", "排除", "without"))
"""What may stand before a colon to exclude what follows."""

_FIELDS: Final = {name: field for field, names in NAMES.items() for name in names.split()}
_ORDINARY_WORDS: Final = (
    "姓名 地名 书名 人名 别名 署名 签名 命名 原名 户名 村名 校名 品名 题目 题词 问题 专题 编号 账号 帐号 "
    "卡号 型号 序号 证号 户号 学号 字号 期号 盒号 件号 页号 卷号 房号 地号 文件 文书 文本 文字 公文 原文 "
    "全文 译文 档案 档次 存档 归档 日记 日程 生日 当日 学期 任期 工期 假期 期限 时期 空间 期间 民间 房间 "
    "时代 时限 备案 备用 附件 附录 附图 附表 批注 全部 全县 全村 全镇 类型 分类 种类 各类 级次 层次 年级 "
    "等级 分级 升级 开发 开会 公开 召开 站名 车站 网站 地点 重点 工作 合作 协作 写作 作用 标准 标题栏 "
    "指标 目标 主题 话题 摘录 文摘 提示 提案 纪要 主要 需要 概要 责任 年度 年龄 身份 月份 股份 备份 data "
    "core mode node rate gate late fate mate cite side size file "
)
"""Words of the language that one changed character would make a field's name, and that mean what they say."""
_ORDINARY: Final = frozenset(_ORDINARY_WORDS.split())


def field_named(name: str) -> Field | None:
    """Return the field that a name before a colon means, or None."""
    return _FIELDS.get(_plain(name))


def is_exclusion(name: str) -> bool:
    """Tell whether a name before a colon excludes what follows."""
    return _plain(name) in EXCLUSION_NAMES


def slip_of(name: str) -> str:
    """Return the field's name that ``name`` misses by one slip, "" if there is none."""
    plain = _plain(name)
    if plain in _ORDINARY or len(plain) < 2 or (plain.isascii() and len(plain) < SLIP_LETTERS_MIN):
        return ""
    candidates = (known for known in (*_FIELDS, *EXCLUSION_NAMES) if _is_one_slip(plain, known))
    return next(candidates, "")


def _plain(name: str) -> str:
    return fold(name).replace("_", "").replace(" ", "")


def _is_one_slip(given: str, known: str) -> bool:
    """One character too many, too few, or another one, or two that changed places."""
    if given.isascii() and len(known) < SLIP_LETTERS_MIN:
        return False
    if len(given) == len(known):
        wrong = [at for at, (one, other) in enumerate(zip(given, known, strict=True)) if one != other]
        if len(wrong) == 1:
            return True
        return len(wrong) == 2 and wrong[1] == wrong[0] + 1 and sorted(given) == sorted(known)
    shorter, longer = sorted((given, known), key=len)
    # A name of two characters that lost one could be any word.
    if len(longer) != len(shorter) + 1 or len(shorter) < 2:
        return False
    return any(longer[:at] + longer[at + 1 :] == shorter for at in range(len(longer)))


class BadFilter(msgspec.Struct, frozen=True, kw_only=True):
    """Why a filter's value means nothing."""

    reason: Text
    hint: Text


def filter_values(field: Field, text: str) -> tuple[str, ...] | BadFilter:
    """Return the values that a word after a filter's name means, usually one."""
    return _VALUES[field](text.strip())


def _fonds(text: str) -> tuple[str, ...]:
    return (fold_code(text),)


def _site(text: str) -> tuple[str, ...]:
    folded = fold(text).upper()
    # Six or nine digits are a county or a town with all that is in it.
    return (f"{folded}*",) if folded.isascii() and folded.isdigit() and len(folded) < 12 else (folded,)


def _level(text: str) -> tuple[str, ...] | BadFilter:
    level, findings = parse_level(fold(text))
    if not findings:
        return (level.value,)
    return _unknown(
        text,
        Text(zh="可写：全宗、类别、案卷、文件、人名。", en="Write fonds, series, volume, item or person_index_row."),
    )


def _access(text: str) -> tuple[str, ...] | BadFilter:
    status, findings = parse_access_status(fold(text))
    if not findings:
        return (status.value,)
    return _unknown(
        text, Text(zh="可写：开放、控制、延期开放、未审核。", en="Write open, restricted, deferred or unreviewed.")
    )


def _kind(text: str) -> tuple[str, ...] | BadFilter:
    wanted = fold(text)
    if wanted in LIVELIHOOD_KINDS:
        return (wanted,)
    found = tuple(kind.id for kind in LIVELIHOOD_KINDS.values() if wanted in (kind.zh, kind.en))
    found = found or tuple(
        kind.id for kind in LIVELIHOOD_KINDS.values() if wanted in kind.zh or wanted in kind.en or kind.zh in wanted
    )
    if found:
        return found
    near = [kind for kind in LIVELIHOOD_KINDS.values() if set(wanted) & set(kind.zh)][:5] or [
        LIVELIHOOD_KINDS["marriage"],
        LIVELIHOOD_KINDS["forest_rights"],
    ]
    return _unknown(
        text,
        Text(
            zh=f"可写，例如：{'、'.join(kind.zh for kind in near)}。",
            en=f"Write, for example, {', '.join(kind.id for kind in near)}.",
        ),
    )


def _unknown(text: str, hint: Text) -> BadFilter:
    return BadFilter(reason=Text(zh=f"没有“{text}”这个值", en=f"there is no value “{text}”"), hint=hint)


_VALUES: Final[Mapping[Field, Callable[[str], tuple[str, ...] | BadFilter]]] = {
    Field.FONDS: _fonds,
    Field.KIND: _kind,
    Field.LEVEL: _level,
    Field.ACCESS: _access,
    Field.SITE: _site,
}
