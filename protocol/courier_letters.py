"""Letters in courier bundles: what one end's envelope holds for the other, sealed to the reader's key (since 1.5).

A stick lies in a pocket: letters name persons and cases, so nobody but the reader's installation can open them. An
envelope is repeated state like all of a bundle: it holds whatever is not known to be taken, and the ids of the other
end's letters that were taken lately; lost sticks, old sticks and sticks that come twice change nothing.
"""

from uuid import UUID

import msgspec

from protocol.errors import BadValue
from protocol.letters import Letter
from protocol.limits import BUNDLE_LETTERS_BYTES_MAX, BUNDLE_LETTERS_MAX, BUNDLE_LETTERS_TAKEN_MAX
from protocol.wording import Text


class CarriedLetters(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What an envelope holds."""

    incarnation: str
    """The writer's memory, as in the call ``letters``."""
    letters: tuple[Letter, ...] = ()
    taken: tuple[UUID, ...] = ()
    """The reader's letters that the writer took lately."""
    left: int = 0
    """Letters that found no room and go with the next bundle."""


_decoder = msgspec.json.Decoder(CarriedLetters)


def encode_letters(carried: CarriedLetters) -> bytes:
    """Return the JSON that is sealed."""
    return msgspec.json.encode(carried)


def decode_letters(raw: bytes) -> CarriedLetters:
    """Read what was sealed.

    Raises:
        BadValue: it is no such thing, or larger than anything that an honest end writes.

    """
    try:
        carried = _decoder.decode(raw) if len(raw) <= BUNDLE_LETTERS_BYTES_MAX else None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise _unreadable() from error
    if carried is None or len(carried.letters) > BUNDLE_LETTERS_MAX or len(carried.taken) > BUNDLE_LETTERS_TAKEN_MAX:
        raise _unreadable()
    return carried


def _unreadable() -> BadValue:
    return BadValue(
        Text(zh="信使包中的函件无法解读。", en="the letters of the bundle cannot be read"),
        Text(
            zh="目录照常收取；请升级本端，或让对方重新写出。",
            en="The records are taken. Upgrade, or have it written anew.",
        ),
    )
