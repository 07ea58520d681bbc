"""Certificates: what a holder vouches for, in a form that fits in a QR code and can be checked by anybody.

- The *statement* is one line of JSON. It travels, is stored and is printed exactly as it was signed, so nothing has to
  be made canonical to check it. Its *contents* (digests of the pages, or the stated facts, or the statement of where
  nothing was found) are another line of JSON, whose digest stands in the statement.
- The signature is Ed25519 by the holder's NKey over ``signed_message(statement)``. Its first bytes keep it apart from
  everything else that the same key signs: frames, enrolment, seals of PDFs.
- The QR code holds ``DL1.STATEMENT.SIGNATURE``, both in base64url: all that is needed to check it with no network but
  the county's list of public keys.
"""

import base64
import binascii
import datetime
import hashlib
import re
from enum import StrEnum
from typing import Final
from uuid import UUID

import msgspec

from protocol.copies import Handler
from protocol.errors import BadValue
from protocol.wording import Text

QR_PREFIX: Final = "DL1"
"""Begins the text of a QR code, with the version of its form."""

QR_CHARS_MAX: Final = 2_900
"""Characters of a QR code's text: what fits in the largest code at the lowest correction."""

STATEMENT_BYTES_MAX: Final = 1_200
"""Bytes of a statement, so that its QR code stays readable on paper: about 700 are usual."""

SIGNATURE_BYTES: Final = 64
"""Bytes of an Ed25519 signature."""

_SIGNED: Final = b"danglian certificate 1\n"
_SERIAL: Final = re.compile(r"([0-9]{6})-([0-9]{4})-([0-9]{6})-([0-9])")
_WEIGHTS: Final = (7, 3, 1)


_SHORT: Final = {
    "serial": "n",
    "kind": "t",
    "holder": "h",
    "holder_name": "hn",
    "signer": "k",
    "handler": "by",
    "date": "d",
    "request_id": "q",
    "contents": "c",
    "pages": "p",
    "record_id": "r",
    "ref_code": "rc",
    "replaces": "rp",
}
"""Names of a statement's fields in its JSON: short, because every character makes the QR code's squares smaller."""


class CertificateKind(StrEnum):
    """What a certificate is."""

    CERTIFIED_COPY = "certified_copy"
    STATEMENT = "statement"
    NO_RECORD = "no_record"


KINDS: Final = {
    CertificateKind.CERTIFIED_COPY: Text(zh="档案复制件", en="certified copy"),
    CertificateKind.STATEMENT: Text(zh="档案证明", en="archival statement"),
    CertificateKind.NO_RECORD: Text(zh="查无此档证明", en="statement of no record"),
}


class CertificateStatement(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, rename=_SHORT):
    """What the holder signs."""

    serial: str
    kind: CertificateKind
    holder: str
    """Site code of whose record it is; the county's own for what nobody has."""
    holder_name: str
    signer: str
    """Public NKey that signs."""
    handler: Handler
    date: datetime.date
    """Day of the approval at the holder."""
    request_id: UUID
    contents: str
    """SHA-256 of the contents, in hexadecimal digits."""
    pages: int = 0
    record_id: UUID | None = None
    ref_code: str = ""
    replaces: str = ""


class CertifiedPage(msgspec.Struct, frozen=True, kw_only=True):
    """One page of a certified copy."""

    number: int
    """Within the record, from 1."""
    file: str
    """Its file in the consignment."""
    sha256: str
    size_bytes: int


class StatedFact(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One fact of an archival statement."""

    asked: str
    """What was asked."""
    said: str
    """What the record says of it; "not stated" in words where it says nothing."""
    page: int | None = None
    """On which page."""


class SearchedPlace(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One site's part in a statement that nothing was found."""

    site: str
    name: str
    outcome: str
    """What the site said, in words."""
    covered: str = ""
    """Fonds, kinds and years that were asked."""
    as_of: str = ""
    lacks: str = ""
    """What is not catalogued there, or why it could not be asked."""


class CertificateContents(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a certificate's digest is taken over; each kind fills its own part."""

    title: str = ""
    pages: tuple[CertifiedPage, ...] = ()
    page_count: int | None = None
    """Pages of the whole record, if it says."""
    facts: tuple[StatedFact, ...] = ()
    source: str = ""
    """Where the facts stand: the record's title, date, pages."""
    question: str = ""
    """What was looked for, without the person's number."""
    places: tuple[SearchedPlace, ...] = ()
    completeness: str = ""
    """Digest of the completeness statement that the places are taken from."""
    remark: str = ""


class SignedCertificate(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A certificate with all that is needed to check it: what a PDF carries as ``certificate.json``."""

    statement: str
    signature: bytes
    contents: str


def encode_statement(statement: CertificateStatement) -> str:
    """Return the statement as it is signed, stored and printed.

    Raises:
        BadValue: it is longer than ``STATEMENT_BYTES_MAX``.

    """
    encoded = msgspec.json.encode(statement)
    if len(encoded) > STATEMENT_BYTES_MAX:
        raise BadValue(
            Text(zh=f"证明要素过长：{len(encoded)} 字节。", en=f"a certificate statement of {len(encoded)} bytes"),
            Text(zh="请缩短单位名称或档号。", en="Shorten the holder's name or the reference code."),
        )
    return encoded.decode()


def decode_statement(text: str) -> CertificateStatement:
    """Read a statement.

    Raises:
        BadValue: it is none.

    """
    try:
        return msgspec.json.decode(text, type=CertificateStatement)
    except (msgspec.DecodeError, UnicodeError) as error:
        raise BadValue(_NO_STATEMENT, _WAY_ON) from error


def encode_contents(contents: CertificateContents) -> str:
    """Return the contents as their digest is taken."""
    return msgspec.json.encode(contents).decode()


def decode_contents(text: str) -> CertificateContents:
    """Read contents.

    Raises:
        BadValue: they are none.

    """
    try:
        return msgspec.json.decode(text, type=CertificateContents)
    except (msgspec.DecodeError, UnicodeError) as error:
        raise BadValue(_NO_STATEMENT, _WAY_ON) from error


def contents_digest(contents: str) -> str:
    """Return what a statement says of its contents."""
    return hashlib.sha256(contents.encode()).hexdigest()


def signed_message(statement: str) -> bytes:
    """Return the bytes that the holder's key signs."""
    return _SIGNED + statement.encode()


def qr_text(statement: str, signature: bytes) -> str:
    """Return what the QR code holds."""
    return f"{QR_PREFIX}.{_packed(statement.encode())}.{_packed(signature)}"


def read_qr(text: str) -> tuple[str, bytes]:
    """Return statement and signature of a QR code's text; an address before ``#`` is passed over.

    Raises:
        BadValue: it is no QR code of ours, or cut short.

    """
    plain = "".join(text.rpartition("#")[2].split())
    parts = plain.split(".")
    if len(plain) > QR_CHARS_MAX or len(parts) != 3 or parts[0] != QR_PREFIX:
        raise BadValue(_NO_CODE, _WAY_ON)
    try:
        statement, signature = _unpacked(parts[1]).decode(), _unpacked(parts[2])
    except (binascii.Error, ValueError) as error:
        raise BadValue(_NO_CODE, _WAY_ON) from error
    if len(signature) != SIGNATURE_BYTES:
        raise BadValue(_NO_CODE, _WAY_ON)
    return statement, signature


def serial_of(county: str, year: int, number: int) -> str:
    """Return the serial ``COUNTY-YEAR-NUMBER-CHECK``; the check digit catches a digit misread on paper."""
    digits = f"{county[:6]}{year:04}{number:06}"
    return f"{county[:6]}-{year:04}-{number:06}-{_check(digits)}"


def is_serial(text: str) -> bool:
    """Tell whether a text is a serial with the right check digit."""
    found = _SERIAL.fullmatch(text)
    return found is not None and int(found[4]) == _check(found[1] + found[2] + found[3])


def _check(digits: str) -> int:
    return sum(int(digit) * _WEIGHTS[place % 3] for place, digit in enumerate(digits)) % 10


def _packed(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode("ascii")


def _unpacked(text: str) -> bytes:
    # Strict both ways: two texts that differ never mean the same code.
    raw = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    if _packed(raw) != text:
        message = "not the one way to write these bytes"
        raise ValueError(message)
    return raw


_NO_STATEMENT = Text(zh="证明要素读不出。", en="the certificate's statement cannot be read")
_NO_CODE = Text(zh="不是本系统的证明二维码，或内容不全。", en="not the QR code of a certificate, or a part of it")
_WAY_ON = Text(
    zh="请重新扫描整个二维码；仍不行，请到出证单位核对原件。",
    en="Scan the whole code again; if that fails, ask the office that issued it.",
)
