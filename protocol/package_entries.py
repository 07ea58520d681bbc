"""What a package carries: its files, and the entries of its catalogue, as they stand in the package.

An entry holds what the sender wrote, as text: the checks (``replication.checks``) judge it, so nothing may be put right
on the way in. The first eight fields are the columns of the official catalogue 文件目录.XML (电子档案移交与接收办法,
档发〔2012〕7号), the others travel beside it in ``其他/元数据.XML``.
"""

import msgspec

from protocol.records import Record
from protocol.vocabularies import Level

PACKAGE_ENTRIES_MAX = 100_000
"""Entries of one package: ten times the largest that one enterprise of the county brought."""

PACKAGE_FILES_MAX = 250_000
"""Files of one package; checking 40,000 of 20,000 entries takes 91 MB of memory, so many would take about 300."""


class PackageFile(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """One file of a package.

    ``path`` is relative to the folder of the catalogue (``电子档案/…``, ``其他/…``), parts separated by "/".
    """

    path: str
    size_bytes: int
    sha256: str = ""
    """As the package's manifest says; empty where there is none."""


class PackageEntry(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """One entry of a package's catalogue, as the sender wrote it."""

    sequence: str = ""
    """顺序号"""
    ref_code: str = ""
    """档号"""
    responsible: str = ""
    """责任者; several are separated by ";"."""
    title: str = ""
    date: str = ""
    secrecy: str = ""
    """密级, empty for none."""
    file_name: str = ""
    """电子档案名称: path within 电子档案/ of the entry's file or folder; several are separated by ";"."""
    note: str = ""

    record_id: str = ""
    """The owner's record, a UUID; empty in packages that others made."""
    level: Level = Level.ITEM
    parent_code: str = ""
    """档号 of the volume of an item."""
    fonds_no: str = ""
    filing_year: str = ""
    retention: str = ""
    doc_no: str = ""
    pages: str = ""
    """页数 as given; a number where it can be checked."""
    access_status: str = ""
    """开放审核意见: the holder's opinion that goes with a transfer (档案法 articles 15, 30)."""
    access_reason: str = ""
    disclosure: str = ""
    """公开属性"""
    office_code: str = ""
    """室编档号, given by the office."""
    archive_code: str = ""
    """馆编档号, given by the archive on accession."""
    form: str = ""
    """生成方式: 原生, 数字化."""
    attachments: str = ""
    """附件: names that the entry says belong to it, separated by ";"."""
    environment: str = ""
    """软硬件环境 in which the files were made."""
    format: str = ""
    """文件格式 as recorded, "PDF" or ".pdf"."""
    size_bytes: str = ""
    """文件大小 as recorded, in bytes."""
    digest: str = ""
    """固化信息 as recorded: ``sha256:…`` or ``sm3:…`` of the entry's one file."""


def entry_of(record: Record, *, sequence: int, file_name: str = "") -> PackageEntry:
    """Return the entry that a record is in a package."""
    from_record = record.attachments[0] if len(record.attachments) == 1 else None
    return PackageEntry(
        sequence=str(sequence),
        ref_code=record.ref_code or record.ref_code_as_given,
        responsible=";".join(record.responsible_parties),
        title=record.title,
        date=record.date_raw,
        secrecy="" if record.secrecy.value == "none" else record.secrecy.value,
        file_name=file_name,
        note=record.note,
        record_id=str(record.record_id),
        level=record.level,
        fonds_no=record.fonds_no,
        filing_year="" if record.filing_year is None else str(record.filing_year),
        retention=record.retention.text if record.retention else record.retention_as_given,
        doc_no=record.doc_no,
        pages="" if record.page_count is None else str(record.page_count),
        access_status=record.access_status.value,
        access_reason=record.access_reason,
        disclosure=record.disclosure.value if record.disclosure else "",
        office_code=next((alias.code for alias in record.aliases if alias.scheme == "室编"), ""),
        archive_code=next((alias.code for alias in record.aliases if alias.scheme == "馆编"), ""),
        form=record.form.value if record.form else "",
        digest=f"{from_record.digest_algorithm}:{from_record.digest}" if from_record and from_record.digest else "",
    )
