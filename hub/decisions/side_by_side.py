"""Two contents side by side, field by field. Pure."""

from collections.abc import Mapping

import msgspec

from hub.commands.fields import ACCESS, FIELDS
from protocol.records import Record
from protocol.vocabularies import AccessStatus
from protocol.wording import Text

VALUE_CHARS_MAX = 2_000
"""Characters of a value that are shown."""

_UNTELLING = frozenset(("record_id", "version", "previous_digest", "changed_by", "changed_at_ms", "person_keys"))
"""Fields that differ by nature, or say nothing to a reader."""

_MORE_FIELDS = {
    "title_is_supplied": Text(zh="题名自拟", en="title supplied"),
    "ref_code_as_given": Text(zh="档号（原文）", en="code as given"),
    "code_profile": Text(zh="档号规则", en="rule of the code"),
    "sub_codes": Text(zh="子门类", en="subcategories"),
    "org_or_subject": Text(zh="机构或问题", en="organ or subject"),
    "catalogue_no": Text(zh="目录号", en="catalogue no."),
    "project_no": Text(zh="项目号", en="project no."),
    "volume_no": Text(zh="案卷号", en="volume no."),
    "item_no": Text(zh="件号", en="item no."),
    "page_no": Text(zh="页号", en="page no."),
    "retention_as_given": Text(zh="保管期限（原文）", en="retention as given"),
    "doc_no_as_given": Text(zh="文号（原文）", en="number as given"),
    "access_reason": Text(zh="开放理由", en="reason of access"),
    "reviewed_on": Text(zh="审核日期", en="reviewed on"),
    "review_by": Text(zh="复审期限", en="review by"),
    "disclosure": Text(zh="公开属性", en="disclosure"),
    "extent": Text(zh="数量", en="extent"),
    "carrier": Text(zh="载体", en="carrier"),
    "form": Text(zh="形式", en="form"),
    "attachments": Text(zh="扫描件", en="scans"),
    "owner": Text(zh="所有者", en="owner"),
    "custodian": Text(zh="保管者", en="kept by"),
    "releaser": Text(zh="利用决定者", en="released by"),
    "handover": Text(zh="移交编号", en="handed over by"),
    "reason": Text(zh="变更原因", en="reason of change"),
}


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """One field of both."""

    field: Text
    left: Text
    right: Text
    differs: bool
    """True if both are known and do not say the same."""


def lines_of(left: Record | None, right: Record | None) -> list[Line]:
    """Return the fields that either has, those that differ first; None is a content that nobody knows."""
    ours, theirs = _fields(left), _fields(right)
    are_known = left is not None and right is not None
    lines = [
        Line(
            field=_word(name),
            left=ours.get(name, _NOTHING),
            right=theirs.get(name, _NOTHING),
            differs=are_known and ours.get(name) != theirs.get(name),
        )
        for name in Record.__struct_fields__
        if (name in ours or name in theirs) and not (_repeats(name, ours) and _repeats(name, theirs))
    ]
    return sorted(lines, key=lambda line: not line.differs)


_NOTHING = Text(zh="", en="")


def _repeats(name: str, said: Mapping[str, Text]) -> bool:
    """Tell whether a field as given says no more than the field that was made of it."""
    return said.get(name) in (None, said.get(_MADE_OF.get(name, name))) if name in _MADE_OF else False


_MADE_OF = {"ref_code_as_given": "ref_code", "retention_as_given": "retention", "doc_no_as_given": "doc_no"}


def _word(name: str) -> Text:
    return FIELDS.get(name) or _MORE_FIELDS.get(name) or Text(zh=name, en=name)


def _fields(record: Record | None) -> Mapping[str, Text]:
    if record is None:
        return {}
    said = msgspec.to_builtins(record)
    return {name: _text(name, value) for name, value in said.items() if name not in _UNTELLING}


def _text(name: str, value: object) -> Text:
    if name == "access_status":
        return ACCESS[AccessStatus(str(value))]
    shown = _shown(value)[:VALUE_CHARS_MAX]
    return Text(zh=shown, en=shown)


def _shown(value: object) -> str:
    if isinstance(value, list | tuple):
        return "；".join(_shown(one) for one in value)
    if isinstance(value, dict):
        return (
            _shown(value["text"])
            if "text" in value
            else " ".join(f"{name}={_shown(one)}" for name, one in value.items())
        )
    return str(value)
