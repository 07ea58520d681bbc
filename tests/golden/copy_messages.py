"""The golden messages of protocol 1.4: orders for copies, what a holder signs, the county's key list."""

import datetime
from uuid import UUID

import msgspec

from protocol.certificates import (
    CertificateContents,
    CertificateKind,
    CertificateStatement,
    CertifiedPage,
    SearchedPlace,
    SignedCertificate,
    StatedFact,
)
from protocol.consignments import ConsignedFile, Consignment
from protocol.copies import (
    CopyAsked,
    CopyDecided,
    CopyDrawn,
    CopyWithdrawn,
    Handler,
    Product,
    Refusal,
    SealAsked,
    SealGiven,
)
from protocol.key_lists import CertifyingKey, KeyList, RevokedCertificate, SignedKeyList

COPY, REQUEST, RECORD = UUID(int=1), UUID(int=2), UUID(int=3)
SERIAL = "330523-2026-000012-7"

COPY_MESSAGES: dict[str, msgspec.Struct] = {
    "copy-asked": CopyAsked(
        copy_id=COPY,
        request_id=REQUEST,
        record_id=RECORD,
        holder="330523108204",
        holder_name="某村档案室",
        product=Product.STATEMENT,
        serial=SERIAL,
        purpose="山林权属调解",
        case_no="安矛调〔2026〕17号",
        requester="organ",
        ref_code="D108-WS·1986-Y-0042",
        title="山林承包合同",
        page_count=3,
        pages=(1, 2),
        facts=("承包人",),
        basis="R7",
        replaces="330523-2026-000011-0",
        asked_at_ms=1_790_000_000_000,
    ),
    "copy-approved": CopyDecided(
        copy_id=COPY,
        approved=True,
        note="已核对",
        statement="{}",
        signature=b"\x01" * 64,
        signer="U",
        contents="{}",
        consignment=Consignment(
            consignment_id=COPY, files=(ConsignedFile(path="a/0001.jpg", size_bytes=9, sha256="ab" * 32),)
        ),
        decided_at_ms=1_790_000_000_000,
    ),
    "copy-refused": CopyDecided(copy_id=COPY, approved=False, refusal=Refusal.DAMAGED, note="第3页虫蛀"),
    "copy-drawn": CopyDrawn(copy_id=COPY),
    "copy-withdrawn": CopyWithdrawn(copy_id=COPY, note="申请人撤回"),
    "seal-asked": SealAsked(copy_id=COPY, serial=SERIAL, attributes=b"\x31\x00"),
    "seal-given": SealGiven(copy_id=COPY, signer="U", signature=b"\x02" * 64),
    "certificate-statement": CertificateStatement(
        serial=SERIAL,
        kind=CertificateKind.CERTIFIED_COPY,
        holder="330523108204",
        holder_name="某村档案室",
        signer="U",
        handler=Handler.DEPUTY,
        date=datetime.date(2026, 11, 23),
        request_id=REQUEST,
        contents="cd" * 32,
        pages=2,
        record_id=RECORD,
        ref_code="D108-WS·1986-Y-0042",
        replaces="330523-2026-000011-0",
    ),
    "certificate-contents": CertificateContents(
        title="山林承包合同",
        pages=(CertifiedPage(number=1, file="a/0001.jpg", sha256="ab" * 32, size_bytes=9),),
        page_count=3,
        facts=(StatedFact(asked="承包人", said="某户", page=1),),
        source="合同正本",
        question="移民名册",
        places=(
            SearchedPlace(
                site="330523108204",
                name="某村档案室",
                outcome="查无",
                covered="1950–1960",
                as_of="2026-11-22",
                lacks="1958年以前",
            ),
        ),
        completeness="ef" * 32,
        remark="无",
    ),
    "certificate-signed": SignedCertificate(statement="{}", signature=b"\x01" * 64, contents="{}"),
    "key-list": KeyList(
        county="330523000000",
        name="某县档案馆",
        as_of_ms=1_790_000_000_000,
        keys=(
            CertifyingKey(
                key="U",
                raw="00" * 32,
                site="330523108000",
                name="某乡档案室",
                deputy_of=("330523108204",),
                until=datetime.date(2026, 11, 23),
            ),
            CertifyingKey(key="V", raw="11" * 32, site="330523000000", name="某县档案馆", is_county=True),
        ),
        revoked=(
            RevokedCertificate(serial=SERIAL, on=datetime.date(2026, 11, 23), replaced_by="330523-2026-000013-4"),
        ),
    ),
    "key-list-signed": SignedKeyList(key_list="{}", signer="V", signature="AA=="),
}
"""By the name of the file in ``v1.4``."""
