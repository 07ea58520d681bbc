"""A certificate that was altered anywhere is not valid, by the QR code and by the file."""

import datetime
from functools import cache
from uuid import UUID

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.membership.certificates import CertifiedKey, new_authority
from hub.window import certificate_pages, pdf_seals
from hub.window.imprints import Imprint
from hub.window.scans import Scan
from hub.window.verifying import Finding, Verdict, may_certify, verify_pdf, verify_qr
from protocol.certificates import (
    CertificateContents,
    CertificateKind,
    CertificateStatement,
    CertifiedPage,
    SignedCertificate,
    contents_digest,
    decode_statement,
    encode_contents,
    encode_statement,
    is_serial,
    qr_text,
    read_qr,
    serial_of,
    signed_message,
)
from protocol.copies import Handler
from protocol.errors import BadFile
from protocol.key_lists import CertifyingKey, KeyList, RevokedCertificate
from replication.keys import Identity, new_seed, raw_public_key
from tests.certifying import digest, scan

HOLDER = Identity(new_seed(b"v" * 32))
STRANGER = Identity(new_seed(b"s" * 32))
VILLAGE = "330523108204"
AT = datetime.datetime(2026, 11, 23, tzinfo=datetime.UTC)
KEYS = KeyList(
    county="330523000000",
    name="某县档案馆",
    as_of_ms=0,
    keys=(
        CertifyingKey(
            key=HOLDER.public_key, raw=raw_public_key(HOLDER.public_key).hex(), site=VILLAGE, name="某村档案室"
        ),
    ),
    revoked=(),
)
PAGE = scan()


@cache
def signed(identity: Identity = HOLDER) -> SignedCertificate:
    pages = (CertifiedPage(number=1, file="a/0001.jpg", sha256=digest(PAGE), size_bytes=len(PAGE)),)
    contents = encode_contents(CertificateContents(title="山林承包合同", pages=pages, page_count=1))
    statement = encode_statement(
        CertificateStatement(
            serial=serial_of("330523000000", 2026, 12),
            kind=CertificateKind.CERTIFIED_COPY,
            holder=VILLAGE,
            holder_name="某村档案室",
            signer=identity.public_key,
            handler=Handler.KEEPER,
            date=AT.date(),
            request_id=UUID(int=1),
            contents=contents_digest(contents),
            pages=1,
            record_id=UUID(int=2),
            ref_code="D108-WS·1986-Y-0042",
        )
    )
    return SignedCertificate(statement=statement, signature=identity.sign(signed_message(statement)), contents=contents)


@cache
def authority() -> CertifiedKey:
    return new_authority("330523000000", AT)


@cache
def unsealed() -> bytes:
    scans = (Scan(content=PAGE, width=620, height=877),)
    pdf, _ = certificate_pages.drawn(signed(), scans, Imprint(window="某县档案馆", at=AT))
    return pdf


@cache
def sealed() -> bytes:
    certificate = pdf_seals.holder_certificate(authority(), HOLDER.public_key, VILLAGE, "某村档案室", AT)
    prepared = pdf_seals.prepare(unsealed(), certificate, authority().certificate)
    return pdf_seals.complete(prepared, certificate, authority().certificate, HOLDER.sign(prepared.attributes))


def of_file(pdf: bytes, keys: KeyList = KEYS) -> Verdict:
    return verify_pdf(pdf, authority().certificate, keys)


def test_what_the_holder_signed_is_valid() -> None:
    one = signed()

    assert verify_qr(qr_text(one.statement, one.signature), KEYS).finding is Finding.VALID
    assert of_file(sealed()).finding is Finding.VALID
    assert verify_pdf(sealed(), None, KEYS).finding is Finding.VALID


@given(st.data())
def test_a_code_with_any_other_character_is_not_valid(data: st.DataObject) -> None:
    one = signed()
    text = qr_text(one.statement, one.signature)
    place = data.draw(st.integers(0, len(text) - 1))
    other = data.draw(
        st.characters(codec="ascii", exclude_categories=("Cc", "Zs")).filter(lambda it: it != text[place])
    )
    altered = text[:place] + other + text[place + 1 :]

    assert verify_qr(altered, KEYS).finding is not Finding.VALID


@given(
    st.sampled_from(["serial", "holder", "holder_name", "date", "pages", "ref_code", "contents", "request_id"]),
    st.data(),
)
def test_a_statement_with_any_other_field_is_altered(field: str, data: st.DataObject) -> None:
    one = signed()
    told = decode_statement(one.statement)
    others = {
        "serial": st.integers(1, 999_999).map(lambda number: serial_of("330523000000", 2025, number)),
        "holder": st.just("330523108205"),
        "date": st.dates(),
        "pages": st.integers(2, 200),
        "request_id": st.uuids(),
    }
    value = data.draw(others.get(field, st.text(min_size=1, max_size=20)).filter(lambda it: it != getattr(told, field)))
    altered = encode_statement(msgspec.structs.replace(told, **{field: value}))
    assert verify_qr(qr_text(altered, one.signature), KEYS).finding is Finding.ALTERED


@settings(max_examples=100, deadline=None)
@given(st.data())
def test_a_file_with_any_other_byte_is_not_valid(data: st.DataObject) -> None:
    pdf = bytearray(sealed())
    # The place of the signature, which no digest covers, is tried as often as all the rest.
    seal = pdf.index(b"<", pdf.index(b"/Contents <", pdf.index(b"/ByteRange") - 40_000))
    place = data.draw(st.one_of(st.integers(0, len(pdf) - 1), st.integers(seal, seal + 6_000)))
    pdf[place] ^= data.draw(st.integers(1, 255))
    try:
        found = of_file(bytes(pdf)).finding
    except BadFile:
        return
    assert found is not Finding.VALID


@settings(max_examples=20, deadline=None)
@given(st.binary(min_size=1, max_size=40))
def test_a_file_that_was_added_to_is_not_valid(tail: bytes) -> None:
    try:
        assert of_file(sealed() + tail).finding is not Finding.VALID
    except BadFile:
        return


def test_a_file_that_another_authority_vouches_for_is_altered() -> None:
    other = new_authority("330523000000", AT)

    assert verify_pdf(sealed(), other.certificate, KEYS).finding is Finding.ALTERED


@pytest.mark.parametrize(("days", "finding"), [(0, Finding.VALID), (-1, Finding.REVOKED)])
def test_a_key_certifies_until_the_end_of_its_last_day(days: int, finding: Finding) -> None:
    one = signed()
    last = msgspec.structs.replace(KEYS.keys[0], until=AT.date() + datetime.timedelta(days=days))
    keys = msgspec.structs.replace(KEYS, keys=(last,))

    assert verify_qr(qr_text(one.statement, one.signature), keys).finding is finding


def test_a_revoked_certificate_is_revoked_although_its_file_bears_no_seal() -> None:
    told = decode_statement(signed().statement)
    revoked = msgspec.structs.replace(KEYS, revoked=(RevokedCertificate(serial=told.serial, on=AT.date()),))

    assert verify_pdf(unsealed(), None, KEYS).finding is Finding.UNPROVEN
    assert verify_pdf(unsealed(), None, revoked).finding is Finding.REVOKED


def test_what_the_register_has_otherwise_under_its_serial_is_unknown() -> None:
    one = signed()
    text = qr_text(one.statement, one.signature)

    assert verify_qr(text, KEYS, lambda _serial: one.statement).finding is Finding.VALID
    assert verify_qr(text, KEYS, lambda _serial: one.statement.replace("某村", "另村")).finding is Finding.UNKNOWN


def test_a_serial_whose_check_digit_does_not_fit_is_unknown() -> None:
    told = decode_statement(signed().statement)
    last = (int(told.serial[-1]) + 1) % 10
    statement = encode_statement(msgspec.structs.replace(told, serial=f"{told.serial[:-1]}{last}"))

    text = qr_text(statement, HOLDER.sign(signed_message(statement)))
    assert verify_qr(text, KEYS).finding is Finding.UNKNOWN


def test_the_countys_key_certifies_no_record_of_its_own_site() -> None:
    """The hub signs that nothing was found; a record is certified by whoever holds it (promise 11)."""
    told = decode_statement(signed().statement)
    key = msgspec.structs.replace(KEYS.keys[0], is_county=True)

    assert (may_certify(KEYS.keys[0], told), may_certify(key, told)) == (True, False)


def test_a_strangers_key_is_unknown_and_never_valid() -> None:
    one = signed(STRANGER)

    assert verify_qr(qr_text(one.statement, one.signature), KEYS).finding is Finding.UNKNOWN


@given(st.integers(2000, 2099), st.integers(1, 999_999), st.integers(0, 15), st.integers(1, 9))
def test_a_digit_misread_in_a_serial_is_noticed(year: int, number: int, place: int, by: int) -> None:
    serial = serial_of("330523000000", year, number)
    digits = [at for at, one in enumerate(serial) if one.isdigit()]
    at = digits[place]
    misread = serial[:at] + str((int(serial[at]) + by) % 10) + serial[at + 1 :]

    assert is_serial(serial)
    assert not is_serial(misread)


@given(st.text(max_size=300))
def test_any_text_is_read_as_a_code_or_refused(text: str) -> None:
    assert verify_qr(text, KEYS).finding in (Finding.UNKNOWN, Finding.ALTERED)
    assert read_qr(qr_text("{}", b"x" * 64)) == ("{}", b"x" * 64)
