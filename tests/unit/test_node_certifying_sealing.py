"""What the site's key signs for a PDF is looked at first: it must be a signature's attributes, and nothing else."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.certifying.sealing import are_attributes

_DIGEST = bytes.fromhex("300f06092a864886f70d010904310204aa")
"""One attribute: a digest of no bytes, said in the shortest way."""


def attribute(oid: str, value: bytes = b"\x04\x01\xaa") -> bytes:
    inside = b"\x06" + bytes([len(bytes.fromhex(oid))]) + bytes.fromhex(oid) + b"\x31" + bytes([len(value)]) + value
    return b"\x30" + bytes([len(inside)]) + inside


def many(*attributes: bytes) -> bytes:
    inside = b"".join(attributes)
    return b"\x31" + bytes([len(inside)]) + inside


DIGEST = attribute("2a864886f70d010904")
TYPE = attribute("2a864886f70d010903")


def test_the_attributes_of_a_signature_are_signed() -> None:
    assert are_attributes(many(DIGEST, TYPE))


@pytest.mark.parametrize(
    "other",
    [
        b"",
        b"danglian certificate 1\n{}",
        many(TYPE),
        many(DIGEST, DIGEST),
        many(DIGEST, attribute("2a864886f70d010906")),
        many(DIGEST) + b"\x00",
        many(DIGEST)[:-1],
        DIGEST,
        _DIGEST,
    ],
)
def test_anything_else_is_not(other: bytes) -> None:
    """No digest, one twice, an attribute that a PDF's signature has not, something behind it, cut short."""
    assert not are_attributes(other)


@given(st.binary(max_size=200))
def test_bytes_of_any_kind_are_judged_without_failing(other: bytes) -> None:
    assert are_attributes(other) is False or other[:1] == b"\x31"
