"""The registration form of a transfer 电子档案移交与接收登记表, and the labels under which ``bag-info.txt`` carries it.

Columns after 电子档案移交与接收办法 (档发〔2012〕7号), annex. The labels of BagIt itself (RFC 8493, 2.2.2) are kept, so
that any BagIt program reads who sent what; the columns that they do not have follow with their Chinese names.
"""

from collections.abc import Iterable, Mapping
from typing import Final

import msgspec

SOFTWARE: Final = "Bag-Software-Agent"
BAGGING_DATE: Final = "Bagging-Date"
PAYLOAD_OXUM: Final = "Payload-Oxum"
IDENTIFIER: Final = "External-Identifier"
ORGANISATION: Final = "Source-Organization"
CONTACT: Final = "Contact-Name"
DESCRIPTION: Final = "External-Description"
GROUP: Final = "Bag-Group-Identifier"

ONLINE: Final = "在线"
"""载体类型规格 of a transfer over the network."""


class PartySigning(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One party's line: who filled the form, who audited it, and when."""

    unit: str = ""
    filler: str = ""
    auditor: str = ""
    signed_on: str = ""
    """As it stands on the form, ``2026-11-22``."""


class Registration(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The form; counts and bytes are of the payload, and of what it says the checks compare with what is there."""

    work_name: str = ""
    """交接工作名称: unit or fonds, years, batch."""
    description: str = ""
    """内容描述"""
    entries: int = 0
    """数量: entries of the catalogue that are items."""
    volumes: int = 0
    files: int = 0
    size_bytes: int = 0
    """数据量; the form shows GB with three decimals."""
    carrier_first: str = ""
    """载体起止顺序号"""
    carrier_last: str = ""
    carrier_kind: str = ONLINE
    accuracy: str = ""
    """准确性检验"""
    completeness: str = ""
    usability: str = ""
    safety: str = ""
    carrier_look: str = ""
    """载体外观检验"""
    digest_algorithm: str = ""
    digest: str = ""
    """Of the manifest; known only when the package is closed, so never inside its own bag-info."""
    giver: PartySigning = PartySigning()
    receiver: PartySigning = PartySigning()

    def size_gb(self) -> str:
        """Return 数据量 as the form wants it: GB, three decimals."""
        return f"{self.size_bytes / 1024**3:.3f}"


_TEXTS: Final = {
    "work_name": "交接工作名称",
    "carrier_first": "载体起始顺序号",
    "carrier_last": "载体截止顺序号",
    "carrier_kind": "载体类型规格",
    "accuracy": "准确性检验",
    "completeness": "完整性检验",
    "usability": "可用性检验",
    "safety": "安全性检验",
    "carrier_look": "载体外观检验",
    "digest_algorithm": "摘要算法",
}
_COUNTS: Final = {"entries": "数量-件", "volumes": "数量-卷", "files": "数量-文件", "size_bytes": "数据量-字节"}
_PARTIES: Final = {"giver": "移交", "receiver": "接收"}
_SIGNING: Final = {"unit": "单位", "filler": "填表人", "auditor": "审核人", "signed_on": "日期"}
_SIZE_GB: Final = "数据量-GB"


def info_of(form: Registration, *, identifier: str, bagged_on: str, software: str) -> list[tuple[str, str]]:
    """Return the lines of ``bag-info.txt``; empty ones are left out."""
    lines = [
        (ORGANISATION, form.giver.unit),
        (CONTACT, form.giver.filler),
        (DESCRIPTION, form.description),
        (IDENTIFIER, identifier),
        (GROUP, form.work_name),
        (BAGGING_DATE, bagged_on),
        (PAYLOAD_OXUM, f"{form.size_bytes}.{form.files}"),
        (SOFTWARE, software),
        *((label, getattr(form, field)) for field, label in _TEXTS.items()),
        *((label, str(getattr(form, field))) for field, label in _COUNTS.items()),
        (_SIZE_GB, form.size_gb()),
        *(
            (f"{party}{word}", getattr(getattr(form, name), field))
            for name, party in _PARTIES.items()
            for field, word in _SIGNING.items()
        ),
    ]
    return [(label, value) for label, value in lines if value]


def registration_of(info: Iterable[tuple[str, str]]) -> Registration:
    """Read the form back from ``bag-info.txt``; of labels that stand twice the first counts, unknown ones are left.

    A count that is no number reads as 0, which no package has, so the checks of counts find it.
    """
    said: dict[str, str] = {}
    for label, value in info:
        said.setdefault(label, value)
    fields: dict[str, object] = {field: said.get(label, "") for field, label in _TEXTS.items()}
    fields |= {field: _number(said.get(label, "")) for field, label in _COUNTS.items()}
    fields |= {"description": said.get(DESCRIPTION, ""), "receiver": _signing(said, "接收")}
    fields["giver"] = _signing(said, "移交", unit=said.get(ORGANISATION, ""))
    return msgspec.convert(fields, Registration)


def _signing(said: Mapping[str, str], party: str, *, unit: str = "") -> PartySigning:
    found = {field: said.get(f"{party}{word}", "") for field, word in _SIGNING.items()}
    return PartySigning(**{**found, "unit": found["unit"] or unit})


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 18 else 0
