"""What the site's key signs for a PDF is looked at first: it must be a signature's attributes, and nothing else."""

from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Connection

from node.certifying import orders
from node.certifying.orders import OrderState
from node.certifying.sealing import SEALS_MAX, are_attributes, sealed
from node.tables import SCHEMA
from protocol.copies import CopyAsked, SealAsked, SealGiven
from replication.migrations import REPLICATION
from tests.builders import identity
from tests.golden.copy_messages import COPY, COPY_MESSAGES, SERIAL
from tests.simulation.disk import engine_on, new_image

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


@pytest.fixture
def approved() -> Iterator[Connection]:
    """A site that holds one order, which its keeper approved."""
    asked = COPY_MESSAGES["copy-asked"]
    assert isinstance(asked, CopyAsked)
    engine = engine_on(new_image([REPLICATION, SCHEMA]))
    with engine.begin() as connection:
        orders.take(connection, asked, 1)
        orders.move(connection, COPY, OrderState.APPROVED)
        yield connection
    engine.dispose()


def asked_for(number: int = 0, serial: str = SERIAL) -> SealAsked:
    attributes = many(DIGEST, attribute("2a864886f70d010905", bytes([4, 1, number])))
    return SealAsked(copy_id=COPY, serial=serial, attributes=attributes)


def refusal(connection: Connection, asked: SealAsked) -> str:
    return sealed(connection, asked, identity(1), 2).refused


def test_what_the_keeper_approved_is_sealed(approved: Connection) -> None:
    asked = asked_for()
    given = SealGiven(copy_id=COPY, signer=identity(1).public_key, signature=identity(1).sign(asked.attributes))

    assert sealed(approved, asked, identity(1), 2) == given


def test_another_certificate_than_the_approved_one_is_not_sealed(approved: Connection) -> None:
    assert refusal(approved, asked_for(serial="330523-2026-000013-0")) == "not_approved"


def test_what_was_taken_back_is_not_sealed(approved: Connection) -> None:
    orders.move(approved, COPY, OrderState.WITHDRAWN)

    assert refusal(approved, asked_for()) == "not_approved"


def test_a_few_files_are_sealed_and_then_only_those_again(approved: Connection) -> None:
    told = [refusal(approved, asked_for(number)) for number in range(SEALS_MAX + 1)]

    assert told == [*[""] * SEALS_MAX, "too_many"]
    assert refusal(approved, asked_for(0)) == ""
