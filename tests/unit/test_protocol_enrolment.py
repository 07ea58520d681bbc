import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocol import enrolment
from protocol.enrolment import (
    Admission,
    Application,
    Denial,
    DenialCause,
    EnrolmentCode,
    decode_application,
    decode_decision,
    encode,
    parse_code,
    secret_digest,
    signed_words,
)
from protocol.errors import BadValue
from protocol.limits import ENROLMENT_APPLICATION_BYTES_MAX
from protocol.wording import Text

CODE = EnrolmentCode(secret=bytes(range(10)), fingerprint=bytes(range(100, 115)))
ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"

codes = st.builds(
    EnrolmentCode,
    secret=st.binary(min_size=enrolment.SECRET_BYTES, max_size=enrolment.SECRET_BYTES),
    fingerprint=st.binary(min_size=enrolment.FINGERPRINT_BYTES, max_size=enrolment.FINGERPRINT_BYTES),
)


def test_a_code_carries_80_secret_bits_and_120_of_the_certificate() -> None:
    assert len(CODE.secret) * 8 == 80
    assert len(CODE.fingerprint) * 8 == 120


def test_a_written_code_is_frozen() -> None:
    """Codes on paper outlive an upgrade of the hub."""
    assert CODE.written == "000G40-R40M30-E209CH-JPCSV8-D5N6PV-3DDSQQ-0WBJC3"


@given(codes)
def test_a_written_code_reads_back(code: EnrolmentCode) -> None:
    assert parse_code(code.written) == code


@pytest.mark.parametrize(
    "typed",
    [
        CODE.written.lower(),
        CODE.written.replace("-", ""),
        CODE.written.replace("-", " "),
        f"  {CODE.written}\n",
        CODE.written.replace("-", "－"),
        "".join(chr(ord(character) + 0xFEE0) for character in CODE.written),
        CODE.written.replace("0", "O").replace("1", "l"),
        CODE.written.replace("0", "o").replace("1", "I"),
    ],
    ids=["lower", "no-groups", "blanks", "edges", "full-width-dash", "full-width", "look-alikes", "other-look-alikes"],
)
def test_a_code_is_read_however_it_is_typed(typed: str) -> None:
    assert parse_code(typed) == CODE


def test_every_wrong_character_is_noticed() -> None:
    """All 42 places times all 31 other characters, not a sample."""
    plain = CODE.written.replace("-", "")
    unnoticed = []
    for place, right in enumerate(plain):
        for wrong in ALPHABET.replace(right, ""):
            try:
                parse_code(plain[:place] + wrong + plain[place + 1 :])
            except BadValue:
                continue
            unnoticed.append((place, wrong))

    assert unnoticed == []


@given(codes, st.integers(0, 40))
def test_every_swap_of_neighbours_is_noticed(code: EnrolmentCode, place: int) -> None:
    plain = code.written.replace("-", "")
    swapped = plain[:place] + plain[place + 1] + plain[place] + plain[place + 2 :]

    if swapped == plain:
        assert parse_code(swapped) == code
    else:
        with pytest.raises(BadValue, match="mistyped"):
            parse_code(swapped)


@pytest.mark.parametrize("typed", ["", "ABC", CODE.written[:-1], CODE.written + "0", "档" * 42, "U" * 42])
def test_what_is_no_code_says_how_a_code_looks(typed: str) -> None:
    with pytest.raises(BadValue) as raised:
        parse_code(typed)

    assert "7 组" in raised.value.hint.zh
    assert "seven groups" in raised.value.hint.en


def test_the_secret_is_not_in_its_digest() -> None:
    assert CODE.secret not in secret_digest(CODE.secret)
    assert secret_digest(CODE.secret) != secret_digest(bytes(10))


def test_a_signature_is_bound_to_code_key_and_hub() -> None:
    words = {
        signed_words(CODE.secret, "U1", CODE.fingerprint),
        signed_words(bytes(10), "U1", CODE.fingerprint),
        signed_words(CODE.secret, "U2", CODE.fingerprint),
        signed_words(CODE.secret, "U1", bytes(15)),
    }

    assert len(words) == 4


def application(**changes: object) -> Application:
    return Application(**{"secret": CODE.secret, "public_key": "U", "signature": b"s", **changes})  # type: ignore[arg-type]


def test_an_application_is_one_line() -> None:
    line = encode(application(name="阅览室\n电脑"))

    assert line.count(b"\n") == 1
    assert line.endswith(b"\n")
    assert decode_application(line) == application(name="阅览室\n电脑")


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"{}",
        b"\xff\xfe",
        b"[" * 5000,
        encode(application(secret=b"short")),
        encode(application(name="n" * 81)),
        encode(application(software="s" * ENROLMENT_APPLICATION_BYTES_MAX)),
        b'{"secret":"!!!!","public_key":"U","signature":""}',
        b'{"secret":1,"public_key":"U","signature":""}',
    ],
)
def test_a_bad_application_is_a_bad_value(line: bytes) -> None:
    with pytest.raises(BadValue):
        decode_application(line)


@given(st.binary(max_size=300))
def test_noise_is_a_bad_value(noise: bytes) -> None:
    with pytest.raises(BadValue):
        decode_application(noise)
    with pytest.raises(BadValue):
        decode_decision(noise)


def test_decisions_read_back_and_tolerate_what_is_new() -> None:
    admission = Admission(
        site="330523108204",
        site_name="某村",
        county="330523000000",
        county_name="某县档案馆",
        hub_key="U",
        county_key=os.urandom(32),
        broker_urls=("tls://archive.example:4222",),
        broker_ca="pem",
    )
    denial = Denial(cause=DenialCause.USED_CODE, reason=Text(zh="一", en="one"), hint=Text(zh="二", en="two"))

    assert decode_decision(encode(admission)) == admission
    assert decode_decision(encode(denial)) == denial
    assert decode_decision(encode(denial).replace(b"{", b'{"later":1,', 1)) == denial
