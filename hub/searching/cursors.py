"""Cursors: where a page of hits ended, so that the next one begins there.

A cursor is opaque to whoever carries it. It names the stage and the number of the last hit, and is checked: it belongs
to one query and one version of the index, and one that was altered, or comes with another query, is refused in words.
"""

import base64
import binascii
import hashlib
from typing import Annotated, Final

import msgspec

from hub.storage.reindexing import INDEX_VERSION
from protocol.errors import BadSetting
from protocol.wording import Text

CURSOR_CHARS_MAX: Final = 200
"""Characters of a cursor that is looked at at all."""

DIGEST_BYTES: Final = 8

STAGES_MAX: Final = 1_000
"""Stages of a plan that a cursor may name: a plan has a dozen."""


DocidBound = Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)]
"""A number that every store takes: the digest of a cursor is no secret."""


class Cursor(msgspec.Struct, frozen=True, kw_only=True, array_like=True):
    """Where a page ended."""

    stage: Annotated[int, msgspec.Meta(ge=0, le=STAGES_MAX)]
    """Number of the stage."""
    below: DocidBound
    """Docid of its last hit: what follows has a lower one."""
    ceiling: DocidBound
    """Docid above the entries among which the page was ranked."""
    floor: DocidBound
    """The lowest of them; 0 if all that was found is ranked together."""
    near: DocidBound = 0
    """The lowest of the newest of them, among which each rank is looked for first; 0 if nobody counted so far."""


_cursors: Final = msgspec.msgpack.Decoder(Cursor)


def sealed(cursor: Cursor, query: bytes) -> str:
    """Return a cursor as it is given out, for one query."""
    plain = msgspec.msgpack.encode(cursor)
    return base64.urlsafe_b64encode(_digest(plain, query) + plain).decode("ascii").rstrip("=")


def opened(text: str, query: bytes) -> Cursor:
    """Return the cursor that was given out for a query.

    Raises:
        BadSetting: it was altered, or given out for another query or by another version of the index.

    """
    try:
        given = base64.urlsafe_b64decode(text[:CURSOR_CHARS_MAX] + "=" * (-len(text) % 4))
        cursor = _cursors.decode(given[DIGEST_BYTES:])
    except (binascii.Error, ValueError, msgspec.DecodeError) as error:
        raise _refused() from error
    if given[:DIGEST_BYTES] != _digest(given[DIGEST_BYTES:], query):
        raise _refused()
    return cursor


def _digest(plain: bytes, query: bytes) -> bytes:
    return hashlib.blake2b(plain + query, digest_size=DIGEST_BYTES, key=str(INDEX_VERSION).encode()).digest()


def _refused() -> BadSetting:
    return BadSetting(
        Text(
            zh="翻页标记无效：它属于另一次检索，或目录索引已更新。",
            en="the cursor is not of this query, or the index has been renewed",
        ),
        Text(zh="请从第一页重新检索。", en="Search again from the first page."),
    )
