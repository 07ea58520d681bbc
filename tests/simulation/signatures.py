"""Signatures that cost nothing: every seal is made and checked as ever, with a keyed digest in the place of Ed25519.

Nobody here forges, and the arithmetic of real signatures took a sixth of the time. Schedules with the real catalogue
keep them.
"""

import hashlib
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from unittest.mock import patch

import replication.seal
from replication.keys import Identity

SIGNATURE_BYTES = 64
"""As many as a real one has."""


def _signature(public_key: str, message: bytes) -> bytes:
    return hashlib.blake2b(message, key=public_key.encode(), digest_size=SIGNATURE_BYTES).digest()


def _sign(self: Identity, message: bytes) -> bytes:
    return _signature(self.public_key, message)


def _verified(public_key: str, signature: bytes, message: bytes) -> bool:
    return _signature(public_key, message) == signature


@contextmanager
def quick() -> Iterator[None]:
    """Have frames sealed quickly while the context lasts."""
    with ExitStack() as stack:
        stack.enter_context(patch.object(Identity, "sign", _sign))
        stack.enter_context(patch.object(replication.seal, "verified", _verified))
        yield
