"""Verifying a certificate: valid, altered, revoked, unknown; and why, in words that a stranger understands.

Whoever has the county's key list can do all of this without the hub. The hub's own command looks into the register too:
a serial that was never given out, or that was revoked a minute ago, is known there first.
"""

from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Final

import msgspec

from hub.window.imprints import CARRIED, SealFound
from protocol.certificates import (
    KINDS,
    CertificateKind,
    CertificateStatement,
    SignedCertificate,
    contents_digest,
    decode_contents,
    decode_statement,
    is_serial,
    read_qr,
    signed_message,
)
from protocol.errors import BadValue
from protocol.key_lists import CertifyingKey, KeyList
from protocol.wording import Text
from replication.keys import raw_public_key, verified


class Finding(StrEnum):
    """What a certificate turned out to be."""

    VALID = "valid"
    ALTERED = "altered"
    REVOKED = "revoked"
    UNKNOWN = "unknown"
    UNPROVEN = "unproven"
    """The statement is genuine, but nothing proves that the file's pages are those that it names."""


FINDINGS: Final = {
    Finding.VALID: Text(zh="有效", en="valid"),
    Finding.ALTERED: Text(zh="内容被改动，无效", en="altered: not valid"),
    Finding.REVOKED: Text(zh="已撤销，无效", en="revoked: not valid"),
    Finding.UNKNOWN: Text(zh="不是本县出具的证明", en="not a certificate of this county"),
    Finding.UNPROVEN: Text(zh="二维码要素真实，但文件未签章，不能证明页面未改", en="genuine statement, unproven pages"),
}


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """The answer."""

    finding: Finding
    why: Text
    statement: CertificateStatement | None = None
    as_of_ms: int = 0
    """How old the key list is that this rests on."""

    @property
    def words(self) -> Text:
        """The answer in one sentence."""
        said = FINDINGS[self.finding]
        return Text(zh=f"{said.zh}：{self.why.zh}", en=f"{said.en}: {self.why.en}")


Registered = Callable[[str], "str | None"]
"""Returns the statement that the register has under a serial, None if that was never given out."""


def verify_qr(text: str, keys: KeyList, registered: Registered | None = None) -> Verdict:
    """Verify the text of a QR code."""
    try:
        statement, signature = read_qr(text)
    except BadValue as error:
        return Verdict(finding=Finding.UNKNOWN, why=error.reason, as_of_ms=keys.as_of_ms)
    return _of_statement(statement, signature, keys, registered)


def verify_pdf(pdf: bytes, authority: bytes | None, keys: KeyList, registered: Registered | None = None) -> Verdict:
    """Verify a PDF whole: its statement, its contents, its seal.

    Args:
        pdf: the file.
        authority: the county's, which vouches for keys to PDF readers; None where only the key list is at hand.
        keys: the county's key list.
        registered: the register, where it can be asked.

    Raises:
        BadFile: it is no PDF, or damaged.

    """
    # The libraries of PDF take a second to load, which whoever verifies a code need not wait for.
    from hub.window import pdf_seals  # noqa: PLC0415 - as above

    seal, carried = pdf_seals.examine(pdf, authority)
    signed = _carried(carried)
    if signed is None:
        why = Text(zh="文件中没有证明要素", en="the file carries no certificate")
        return Verdict(finding=Finding.UNKNOWN, why=why, as_of_ms=keys.as_of_ms)
    verdict = _of_statement(signed.statement, signed.signature, keys, registered)
    if verdict.finding not in (Finding.VALID, Finding.REVOKED) or verdict.statement is None:
        return verdict
    fault = _fault_of_file(signed, verdict.statement, seal, has_authority=authority is not None)
    if fault is not None:
        finding = Finding.UNPROVEN if seal is None and fault is _NO_SEAL else Finding.ALTERED
        if verdict.finding is Finding.REVOKED and finding is Finding.UNPROVEN:
            return verdict
        return msgspec.structs.replace(verdict, finding=finding, why=fault)
    return verdict


def _of_statement(text: str, signature: bytes, keys: KeyList, registered: Registered | None) -> Verdict:
    def told(finding: Finding, zh: str, en: str, statement: CertificateStatement | None = None) -> Verdict:
        return Verdict(finding=finding, why=Text(zh=zh, en=en), statement=statement, as_of_ms=keys.as_of_ms)

    try:
        statement = decode_statement(text)
    except BadValue as error:
        return told(Finding.UNKNOWN, error.reason.zh, error.reason.en)
    key = {one.key: one for one in keys.keys}.get(statement.signer)
    if key is None or not is_serial(statement.serial):
        return told(Finding.UNKNOWN, "签名密钥或编号不在本县公钥表中", "its key or serial is none of this county's")
    if not verified(key.key, signature, signed_message(text)):
        return told(Finding.ALTERED, "签名与要素不符", "the signature does not fit the statement")
    if not may_certify(key, statement):
        return told(Finding.UNKNOWN, "该密钥无权为此单位出证", "that key may not certify for this holder", statement)
    if registered is not None and registered(statement.serial) != text:
        return told(Finding.UNKNOWN, "登记簿中没有这份证明", "the register does not have this certificate", statement)
    if key.until is not None and statement.date > key.until:
        return told(Finding.REVOKED, f"签名密钥已于 {key.until} 停用", f"its key was revoked on {key.until}", statement)
    for one in keys.revoked:
        if one.serial == statement.serial:
            zh = f"已于 {one.on} 撤销" + (f"，由 {one.replaced_by} 替换" if one.replaced_by else "")
            en = f"on {one.on}" + (f", replaced by {one.replaced_by}" if one.replaced_by else "")
            return told(Finding.REVOKED, zh, en, statement)
    kind = KINDS[statement.kind]
    return told(
        Finding.VALID,
        f"{statement.holder_name}于 {statement.date} 出具的{kind.zh} {statement.serial}",
        f"{kind.en} {statement.serial} by {statement.holder_name} of {statement.date}",
        statement,
    )


def may_certify(key: CertifyingKey, statement: CertificateStatement) -> bool:
    """Tell whether a key may sign this: its own site's records, or those that it decides for (promise 11)."""
    if statement.kind is CertificateKind.NO_RECORD:
        return key.is_county and statement.holder == key.site
    return not key.is_county and statement.holder in (key.site, *key.deputy_of)


_NO_SEAL: Final = Text(zh="文件未经保管单位签章", en="the file bears no seal of the holder")


def _fault_of_file(
    signed: SignedCertificate, statement: CertificateStatement, seal: SealFound | None, *, has_authority: bool
) -> Text | None:
    if contents_digest(signed.contents) != statement.contents:
        return Text(zh="所附内容与签名的摘要不符", en="its contents are not those that were signed")
    try:
        decode_contents(signed.contents)
    except BadValue as error:
        return error.reason
    if seal is None:
        return _NO_SEAL
    if not seal.is_intact:
        return Text(zh="文件与签章不符", en="the file does not fit its seal")
    if not seal.covers_all:
        return Text(zh="签章之后又加了内容", en="something was added after it was sealed")
    if (has_authority and not seal.is_trusted) or seal.signer != raw_public_key(statement.signer):
        return Text(zh="签章不是该保管单位的", en="the seal is not that of this holder")
    return None


def _carried(carried: Mapping[str, bytes]) -> SignedCertificate | None:
    try:
        return msgspec.json.decode(carried.get(CARRIED, b""), type=SignedCertificate)
    except (msgspec.DecodeError, UnicodeError):
        return None
