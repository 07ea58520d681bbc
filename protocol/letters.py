"""Letters: what hub and site tell each other durably, each letter taken exactly once by a database.

Events tell the catalogue. Letters carry the rest: a question that outlives a night without power, a decision about a
copy, the steps of a transfer. They travel in both directions of one call, ``letters``, which the hub asks whenever a
site is there and one of the two has something to say.

- A letter is kept by its writer until the other end has said that it took it, and after that until its topic is
  settled: if the other end loses its memory (another ``incarnation``), everything unsettled is told again.
- A reader remembers the ids that it took, so that a letter told again changes nothing.
- The bodies belong to their own modules. A reader keeps letters of a kind that it does not know until it does.
"""

from typing import TypeVar
from uuid import UUID

import msgspec

from protocol.errors import BadValue
from protocol.limits import LETTER_BYTES_MAX
from protocol.wording import Text

Body = TypeVar("Body", bound=msgspec.Struct)


class Letter(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One message of one end to the other."""

    letter_id: UUID
    """Random; names the letter for ever."""
    topic: UUID
    """What it is about: the id of a request, a transfer, a proposal."""
    kind: str
    body: msgspec.Raw
    written_at_ms: int
    """Wall-clock milliseconds since 1970 at the writer: for display, never for order."""
    expires_at_ms: int = 0
    """When it need not be told any more, by the writer's clock; 0 for never."""


def letter_body(body: msgspec.Struct) -> bytes:
    """Return the JSON of a letter's body.

    Raises:
        BadValue: it is larger than ``LETTER_BYTES_MAX``.

    """
    encoded = msgspec.json.encode(body)
    if len(encoded) > LETTER_BYTES_MAX:
        raise BadValue(
            Text(
                zh=f"函件过长：{len(encoded)} 字节，上限 {LETTER_BYTES_MAX}。",
                en=f"a letter of {len(encoded)} bytes, allowed are {LETTER_BYTES_MAX}",
            ),
            Text(zh="请分成几次办理。", en="Divide the matter."),
        )
    return encoded


def body_of(letter: Letter, shape: type[Body]) -> Body:
    """Read a letter's body.

    Raises:
        BadValue: it is none of this shape; that names its kind, for it may be set aside with many others.

    """
    try:
        return msgspec.json.decode(letter.body, type=shape)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise BadValue(
            Text(zh=f"函件（{letter.kind}）无法解读：{error}", en=f"unreadable letter of kind {letter.kind}: {error}")
        ) from error
