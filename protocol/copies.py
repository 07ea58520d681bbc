"""Orders for copies: what the window asks a holder for, and what the holder's keeper decides (letters, since 1.4).

The holder alone certifies (promise 11): its keeper sees the order, looks at the pages, and approves or refuses. What
leaves then is a certificate statement that the holder's key has signed (``protocol.certificates``) and the pages that
it names. An order says who asks only as a kind ("party", "organ"): no name and no number of a person travels with it
(promise 8).

Letters of one order bear its ``copy_id`` as their topic:

    copy_asked      hub → holder   CopyAsked
    copy_decided    holder → hub   CopyDecided
    copy_drawn      hub → holder   CopyDrawn: the pages are here, they need not be offered any longer
    copy_withdrawn  hub → holder   CopyWithdrawn: the window needs it no more
    seal_asked      hub → holder   SealAsked: the signed attributes of the finished PDF
    seal_given      holder → hub   SealGiven
"""

from enum import StrEnum
from typing import Final
from uuid import UUID

import msgspec

from protocol.consignments import Consignment
from protocol.wording import Text

COPY_ASKED: Final = "copy_asked"
COPY_DECIDED: Final = "copy_decided"
COPY_DRAWN: Final = "copy_drawn"
COPY_WITHDRAWN: Final = "copy_withdrawn"
SEAL_ASKED: Final = "seal_asked"
SEAL_GIVEN: Final = "seal_given"

COPY_PAGES_MAX: Final = 200
"""Pages of one order: a thick volume; two hundred names and digests of pages fit in one letter."""

COPY_FACTS_MAX: Final = 20
"""Facts that one archival statement is asked for: one sheet of paper."""

FACT_CHARS_MAX: Final = 300
"""Characters of a fact's name, or of what a keeper states of it."""

NOTE_CHARS_MAX: Final = 500
"""Characters of a purpose, or of a reason that a person writes."""

PAGE_BYTES_MAX: Final = 64 * 1024 * 1024
"""Bytes of one scanned page: an A3 sheet in colour at 600 dots an inch, hardly compressed."""

ATTRIBUTES_BYTES_MAX: Final = 4 * 1024
"""Bytes of a signature's signed attributes: four short ones take about 400."""


class Product(StrEnum):
    """What the window wants of the holder."""

    CERTIFIED_COPY = "certified_copy"
    """档案复制件: the pages as they are."""
    STATEMENT = "statement"
    """档案证明: what the record says of the asked facts, and nothing else."""


PRODUCTS: Final = {
    Product.CERTIFIED_COPY: Text(zh="档案复制件", en="certified copy"),
    Product.STATEMENT: Text(zh="档案证明", en="archival statement"),
}


class Refusal(StrEnum):
    """Why a keeper refuses."""

    NO_PAGES = "no_pages"
    NOT_THE_RECORD = "not_the_record"
    NOT_ENTITLED = "not_entitled"
    RESTRICTED = "restricted"
    DAMAGED = "damaged"
    ELSEWHERE = "elsewhere"
    OTHER = "other"


REFUSALS: Final = {
    Refusal.NO_PAGES: Text(zh="未扫描，或找不到原件", en="not scanned, or the paper cannot be found"),
    Refusal.NOT_THE_RECORD: Text(zh="所指条目与申请内容不符", en="this record is not what is asked for"),
    Refusal.NOT_ENTITLED: Text(zh="申请人与该档案无利用资格", en="the requester is not entitled to it"),
    Refusal.RESTRICTED: Text(zh="该档案控制利用", en="the record is restricted"),
    Refusal.DAMAGED: Text(zh="原件破损，暂不能复制", en="the paper is damaged and cannot be copied now"),
    Refusal.ELSEWHERE: Text(zh="原件不在本站，请向实际保管单位调取", en="the paper is kept elsewhere"),
    Refusal.OTHER: Text(zh="其他原因", en="another reason"),
}

WAYS_ON: Final = {
    Refusal.NO_PAGES: Text(
        zh="可请该站查找原件并扫描后重新提出；或改开档案证明。",
        en="Ask the site to find and scan the paper, then order again; or order a statement.",
    ),
    Refusal.NOT_THE_RECORD: Text(
        zh="请核对条目，另选后重新提出。", en="Check the record, choose another, order again."
    ),
    Refusal.NOT_ENTITLED: Text(zh="请补充证明材料后重新提出。", en="Add the missing evidence, then order again."),
    Refusal.RESTRICTED: Text(
        zh="须由有权决定利用的单位同意；请附批准后重新提出。",
        en="Whoever may release the record must agree; order again with that approval.",
    ),
    Refusal.DAMAGED: Text(zh="可改开档案证明，或待修复后重新提出。", en="Order a statement, or again after repair."),
    Refusal.ELSEWHERE: Text(zh="请改向实际保管单位提出。", en="Order from the site that keeps it."),
    Refusal.OTHER: Text(zh="请与该站联系。", en="Speak with the site."),
}
"""What the window can do after each refusal."""


class Handler(StrEnum):
    """In which office the person decides who approves: what a certificate says instead of a name."""

    KEEPER = "keeper"
    """The holder's own keeper 保管人员."""
    DEPUTY = "deputy"
    """The keeper of the township, for a village without staff."""
    WINDOW = "window"
    """The window itself: only for what no holder has."""


HANDLERS: Final = {
    Handler.KEEPER: Text(zh="保管单位档案员", en="keeper at the holder"),
    Handler.DEPUTY: Text(zh="受托乡镇档案员", en="keeper of the township, as deputy"),
    Handler.WINDOW: Text(zh="查档窗口", en="the window"),
}


class CopyAsked(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The window asks for a copy or a statement."""

    copy_id: UUID
    request_id: UUID
    """The request 查档申请 that it serves."""
    record_id: UUID
    holder: str
    """Site code of whose record it is: another than the site that reads this, if that is the deputy."""
    holder_name: str
    product: Product
    serial: str
    """Number of the certificate, taken before anything is made."""
    purpose: str
    case_no: str
    requester: str
    """Kind of the requester, as the request's rules name it; never a name."""
    ref_code: str = ""
    title: str = ""
    """As the holder told the county; a deputy has no other description of it."""
    page_count: int | None = None
    pages: tuple[int, ...] = ()
    """Numbers of the pages wanted, from 1; empty for all."""
    facts: tuple[str, ...] = ()
    """What a statement shall say: "date of the marriage"."""
    basis: str = ""
    """The rule by which the request was accepted, for the keeper to read."""
    replaces: str = ""
    """Serial of the certificate that this one replaces."""
    asked_at_ms: int = 0


class CopyDecided(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The keeper's decision."""

    copy_id: UUID
    approved: bool
    refusal: Refusal | None = None
    note: str = ""
    """The keeper's own words."""
    statement: str = ""
    """The certificate statement, exactly as it was signed (JSON)."""
    signature: bytes = b""
    """Ed25519 by ``signer`` over ``protocol.certificates.signed_message(statement)``."""
    signer: str = ""
    """Public NKey of the holder's installation."""
    contents: str = ""
    """The certificate's contents, exactly as their digest in the statement was taken (JSON)."""
    consignment: Consignment | None = None
    """The pages that may be fetched now."""
    decided_at_ms: int = 0


class CopyDrawn(msgspec.Struct, frozen=True, kw_only=True):
    """The pages are at the hub, and are those that were certified."""

    copy_id: UUID


class CopyWithdrawn(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The window needs the copy no more, or the certificate was revoked."""

    copy_id: UUID
    note: str = ""


class SealAsked(msgspec.Struct, frozen=True, kw_only=True):
    """The finished PDF's signed attributes (CMS, RFC 5652), for the holder's key to sign (PAdES)."""

    copy_id: UUID
    serial: str
    attributes: bytes
    """DER of a SET OF Attribute; it carries the digest of the PDF."""


class SealGiven(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The signature over the attributes, or why there is none."""

    copy_id: UUID
    signer: str = ""
    signature: bytes = b""
    refused: str = ""
