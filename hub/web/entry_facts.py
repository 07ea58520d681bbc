"""The fields of an entry as its page shows them: in sections, in words, with what was given and where it came from.

What was interpreted and what was given stand in one row: nobody has to look for the raw value in another place.
"""

import datetime
from collections.abc import Mapping, Sequence
from typing import Final
from uuid import UUID

import msgspec

from hub.commands.fields import ACCESS, field_word
from hub.entry_views import EntryView, FieldOrigin
from hub.web.levels import LEVELS
from hub.web.rendering import size
from protocol.records import Alias, Attachment, Record
from protocol.retention import Retention
from protocol.vocabularies import LIVELIHOOD_KINDS, AccessStatus, Disclosure, Form, Level, Secrecy
from protocol.wording import Text


class Section(msgspec.Struct, frozen=True, kw_only=True):
    """Fields that belong together."""

    words: Text
    fields: tuple[str, ...]


SECTIONS: Final = (
    Section(
        words=Text(zh="内容", en="Content"),
        fields=("title", "responsible_parties", "doc_no", "date_edtf", "scope", "note", "livelihood_kind"),
    ),
    Section(
        words=Text(zh="档号与归属", en="Codes and place"),
        fields=(
            *("ref_code", "aliases", "level", "fonds_no", "category_code", "sub_codes", "filing_year"),
            *("org_or_subject", "catalogue_no", "project_no", "volume_no", "item_no", "page_no", "repository_id"),
        ),
    ),
    Section(
        words=Text(zh="开放与密级", en="Access"),
        fields=("access_status", "access_reason", "reviewed_on", "review_by", "disclosure", "secrecy", "retention"),
    ),
    Section(
        words=Text(zh="载体", en="Form"),
        fields=("page_count", "extent", "carrier", "form", "attachments"),
    ),
)
"""Every field that readers look at; keys of persons and digests are for machines."""

GIVEN: Final = {
    "ref_code": "ref_code_as_given",
    "doc_no": "doc_no_as_given",
    "date_edtf": "date_raw",
    "retention": "retention_as_given",
}
"""Where the value as given stands."""

NAMES: Final = {
    "date_edtf": Text(zh="日期", en="date"),
    "sub_codes": Text(zh="细分类号", en="sub-codes"),
    "org_or_subject": Text(zh="机构（问题）", en="office or subject"),
    "catalogue_no": Text(zh="目录号", en="catalogue number"),
    "project_no": Text(zh="项目号", en="project number"),
    "volume_no": Text(zh="案卷号", en="volume number"),
    "item_no": Text(zh="件号", en="item number"),
    "page_no": Text(zh="页号", en="page number"),
    "access_reason": Text(zh="理由", en="reason"),
    "reviewed_on": Text(zh="审核日期", en="reviewed on"),
    "review_by": Text(zh="应再审核", en="to be reviewed by"),
    "disclosure": Text(zh="公开属性", en="disclosure"),
    "extent": Text(zh="数量", en="extent"),
    "carrier": Text(zh="载体", en="carrier"),
    "form": Text(zh="生成方式", en="form"),
    "attachments": Text(zh="扫描件", en="scans"),
    "owner": Text(zh="所有", en="owned by"),
    "custodian": Text(zh="保管", en="kept by"),
    "releaser": Text(zh="利用决定", en="released by"),
    "handover": Text(zh="移交编号", en="transfer"),
}

_VALUES: Final = {
    Secrecy.NONE: Text(zh="无", en="none"),
    Secrecy.INTERNAL: Text(zh="内部", en="internal"),
    Secrecy.CONFIDENTIAL: Text(zh="秘密", en="confidential"),
    Secrecy.SECRET: Text(zh="机密", en="secret"),
    Secrecy.TOP_SECRET: Text(zh="绝密", en="top secret"),
    Disclosure.PROACTIVE: Text(zh="主动公开", en="proactive"),
    Disclosure.ON_REQUEST: Text(zh="依申请公开", en="on request"),
    Disclosure.WITHHELD: Text(zh="不予公开", en="withheld"),
    Form.BORN_DIGITAL: Text(zh="电子", en="born digital"),
    Form.DIGITISED: Text(zh="数字化", en="digitised"),
    Form.PAPER: Text(zh="纸质", en="paper"),
}

_ALWAYS: Final = frozenset(("title", "ref_code", "date_edtf", "access_status", "fonds_no"))
"""Fields that are shown though they are empty: that they are is worth knowing."""


class FactRow(msgspec.Struct, frozen=True, kw_only=True):
    """One field of an entry."""

    name: Text
    value: Text
    given: str
    """The value as given, where it differs from what is shown."""
    origin: FieldOrigin


class FactSection(msgspec.Struct, frozen=True, kw_only=True):
    """One section of an entry's page."""

    words: Text
    rows: tuple[FactRow, ...]


class FieldDifference(msgspec.Struct, frozen=True, kw_only=True):
    """A field in which two entries differ."""

    name: Text
    here: Text
    there: Text


def name_of(field: str) -> Text:
    """Return what a field is called."""
    return NAMES.get(field) or field_word(field)


def sections_of(entry: EntryView, record: Record, sites: Mapping[str, str]) -> list[FactSection]:
    """Return what a page shows of a record."""
    found = []
    for section in SECTIONS:
        rows = [_row(entry, record, field, sites) for field in section.fields]
        kept = tuple(row for row in rows if row is not None)
        if kept:
            found.append(FactSection(words=section.words, rows=kept))
    return found


def differences_between(one: Record, other: Record, sites: Mapping[str, str]) -> list[FieldDifference]:
    """Return the fields that two records do not say alike, in the order of the page."""
    return [
        FieldDifference(name=name_of(field), here=here, there=there)
        for section in SECTIONS
        for field in section.fields
        for here, there in ((shown(_value(one, field), sites), shown(_value(other, field), sites)),)
        if here != there
    ]


def shown(value: object, sites: Mapping[str, str]) -> Text:
    """Return a value in words; empty for what is not said."""
    if value in (None, (), ""):
        return Text(zh="", en="")
    if isinstance(value, Retention):
        return value.label()
    if isinstance(value, AccessStatus):
        return ACCESS[value]
    if isinstance(value, Level):
        return LEVELS[value]
    if isinstance(value, Secrecy | Disclosure | Form):
        return _VALUES[value]
    if isinstance(value, tuple):
        parts = [shown(one, sites) for one in value]
        return Text(zh="；".join(one.zh for one in parts), en="; ".join(one.en for one in parts))
    return _scan(value) if isinstance(value, Attachment) else _plain(value, sites)


def _scan(one: Attachment) -> Text:
    told = f"{one.name} · {size(one.size_bytes)}"
    return (
        Text(zh=f"{told} · {one.pages} 页", en=f"{told} · pages: {one.pages}") if one.pages else Text(zh=told, en=told)
    )


def _plain(value: object, sites: Mapping[str, str]) -> Text:
    if isinstance(value, str) and value in LIVELIHOOD_KINDS:
        return Text(zh=LIVELIHOOD_KINDS[value].zh, en=LIVELIHOOD_KINDS[value].en)
    if isinstance(value, Alias):
        told = " ".join(part for part in (value.code, value.scheme, value.assigner) if part)
    elif isinstance(value, datetime.date | UUID | int):
        told = str(value)
    else:
        told = str(value)
        told = f"{sites[told]} {told}" if sites.get(told) else told
    return Text(zh=told, en=told)


def _value(record: Record, field: str) -> object:
    value = getattr(record, field)
    # A date that nobody could read is shown as it was given.
    return record.date_raw if field == "date_edtf" and not value else value


def _row(entry: EntryView, record: Record, field: str, sites: Mapping[str, str]) -> FactRow | None:
    value = shown(_value(record, field), sites)
    if not value.zh and field not in _ALWAYS:
        return None
    given = str(getattr(record, GIVEN[field])) if field in GIVEN else ""
    origins = [entry.fields.get(name, entry.first) for name in (field, GIVEN.get(field, field))]
    return FactRow(
        name=name_of(field),
        value=value,
        given="" if given in (value.zh, value.en) else given,
        origin=max(origins, key=lambda origin: origin.at_ms),
    )


def changed_fields(what: str) -> Sequence[Text]:
    """Return the words for the fields that a step of the history names."""
    return [name_of(field) for field in what.split(",") if field]
