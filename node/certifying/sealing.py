"""Letters about orders, and the seal of a finished PDF: signed without asking again, but only for what was approved.

What is signed for a PDF (CMS signed attributes) is looked at first: it must be exactly a list of the few attributes
that such a signature has, so that nobody gets the site's signature under anything else by calling it a PDF.
"""

import hashlib
from collections.abc import Callable
from typing import Final

from sqlalchemy import Connection, insert, select

from node import consigning
from node.certifying import orders
from node.certifying.order_tables import copy_seal
from node.certifying.orders import CERTIFIED, OrderState
from protocol.copies import (
    ATTRIBUTES_BYTES_MAX,
    COPY_ASKED,
    COPY_DRAWN,
    COPY_WITHDRAWN,
    SEAL_ASKED,
    SEAL_GIVEN,
    CopyAsked,
    CopyDrawn,
    CopyWithdrawn,
    SealAsked,
    SealGiven,
)
from protocol.letters import Letter, body_of
from replication import letters
from replication.keys import Identity
from replication.letters import HUB_PEER, Handlers

SEALS_MAX: Final = 5
"""Seals of one order: the PDF is made once; it is made again if the hub was put back."""

_SET, _SEQUENCE, _OID = 0x31, 0x30, 0x06
_DIGEST: Final = bytes.fromhex("2a864886f70d010904")
_ALLOWED: Final = frozenset(
    {
        _DIGEST,
        bytes.fromhex("2a864886f70d010903"),  # content type
        bytes.fromhex("2a864886f70d010905"),  # signing time
        bytes.fromhex("2a864886f70d010934"),  # protection of the algorithms' names
        bytes.fromhex("2a864886f70d010910022f"),  # the signer's certificate
    }
)
"""Object identifiers of the attributes that a PDF's signature may have."""


def handlers(identity: Identity, clock_ms: Callable[[], int]) -> Handlers:
    """Return what the site does with the window's letters about copies."""

    def taken(connection: Connection, _: str, letter: Letter) -> None:
        orders.take(connection, body_of(letter, CopyAsked), clock_ms())

    def drawn(connection: Connection, _: str, letter: Letter) -> None:
        copy_id = body_of(letter, CopyDrawn).copy_id
        order = orders.look_up(connection, copy_id)
        if order is not None and order.state is OrderState.APPROVED:
            orders.move(connection, copy_id, OrderState.DRAWN)
        consigning.withdraw(connection, copy_id)

    def withdrawn(connection: Connection, _: str, letter: Letter) -> None:
        body = body_of(letter, CopyWithdrawn)
        orders.move(connection, body.copy_id, OrderState.WITHDRAWN, body.note)
        consigning.withdraw(connection, body.copy_id)

    def seal(connection: Connection, _: str, letter: Letter) -> None:
        asked = body_of(letter, SealAsked)
        given = sealed(connection, asked, identity, clock_ms())
        letters.write(connection, HUB_PEER, kind=SEAL_GIVEN, topic=asked.copy_id, body=given, now_ms=clock_ms())

    return {COPY_ASKED: taken, COPY_DRAWN: drawn, COPY_WITHDRAWN: withdrawn, SEAL_ASKED: seal}


def sealed(connection: Connection, asked: SealAsked, identity: Identity, now_ms: int) -> SealGiven:
    """Sign what a PDF's signature consists of, if the keeper approved that certificate."""
    order = orders.look_up(connection, asked.copy_id)
    if order is None or order.state not in CERTIFIED or order.asked.serial != asked.serial:
        return SealGiven(copy_id=asked.copy_id, refused="not_approved")
    if not are_attributes(asked.attributes):
        return SealGiven(copy_id=asked.copy_id, refused="not_attributes")
    digest = hashlib.sha256(asked.attributes).hexdigest()
    known = set(
        connection.scalars(select(copy_seal.c.attributes_digest).where(copy_seal.c.copy_id == str(asked.copy_id)))
    )
    if digest not in known:
        if len(known) >= SEALS_MAX:
            return SealGiven(copy_id=asked.copy_id, refused="too_many")
        values = {"copy_id": str(asked.copy_id), "attributes_digest": digest, "sealed_at_ms": now_ms}
        connection.execute(insert(copy_seal).values(values))
    orders.move(connection, asked.copy_id, OrderState.SEALED)
    return SealGiven(copy_id=asked.copy_id, signer=identity.public_key, signature=identity.sign(asked.attributes))


def are_attributes(der: bytes) -> bool:
    """Tell whether these bytes are the signed attributes of a PDF's signature and nothing else."""
    if len(der) > ATTRIBUTES_BYTES_MAX:
        return False
    try:
        inside = _whole(der, _SET)
        found = []
        while inside:
            attribute, inside = _first(inside, _SEQUENCE)
            oid, values = _first(attribute, _OID)
            _whole(values, _SET)
            found.append(oid)
    except (ValueError, IndexError):
        return False
    return set(found) <= _ALLOWED and len(set(found)) == len(found) and _DIGEST in found


def _whole(der: bytes, tag: int) -> bytes:
    content, rest = _first(der, tag)
    if rest:
        message = "something follows"
        raise ValueError(message)
    return content


def _first(der: bytes, tag: int) -> tuple[bytes, bytes]:
    """Return the content of the first element, which must have this tag, and what follows it."""
    if der[0] != tag:
        message = "another kind of element"
        raise ValueError(message)
    length, start = der[1], 2
    if length & 0x80:
        count = length & 0x7F
        if not 1 <= count <= 2:
            message = "a length that no short list has"
            raise ValueError(message)
        length, start = int.from_bytes(der[2 : 2 + count], "big"), 2 + count
    end = start + length
    if end > len(der):
        message = "cut short"
        raise ValueError(message)
    return der[start:end], der[end:]
