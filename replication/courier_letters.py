"""Letters that go by courier: put into a bundle, sealed to its reader, and taken out of it in one transaction.

What a stick brings late must not undo what came after it: letters are taken whenever they come, because each is acted
on once; that ours were taken, and whose memory the other end has now, is believed of the latest bundle only.
"""

from collections.abc import Callable

import msgspec
from sqlalchemy import Connection

from protocol.courier_letters import CarriedLetters, decode_letters, encode_letters
from protocol.errors import Permanent
from protocol.limits import BUNDLE_LETTERS_FILL_BYTES, BUNDLE_LETTERS_MAX, BUNDLE_LETTERS_TAKEN_MAX
from protocol.wording import Text
from replication import letters
from replication.keys import Identity, sealed_for
from replication.letters import Handlers
from replication.transfer_reminders import remind


class Enclosed(msgspec.Struct, frozen=True, kw_only=True):
    """Letters as they lie in a bundle."""

    sealed: bytes = b""
    count: int = 0
    left: int = 0
    """That go with the next."""


class TakenOut(msgspec.Struct, frozen=True, kw_only=True):
    """What became of the letters of a bundle."""

    count: int = 0
    """Letters in it."""
    left: int = 0
    """That the writer holds back for its next bundle."""
    fault: Text | None = None
    """Why none could be read."""


class Postman:
    """Handles the letters of one end's bundles."""

    def __init__(self, identity: Identity, handlers: Handlers, clock_ms: Callable[[], int]) -> None:
        self._identity = identity
        self._handlers = handlers
        self._clock_ms = clock_ms

    def take(self, connection: Connection, peer: str, sealed: bytes, *, is_latest: bool) -> TakenOut:
        """Take the letters of a bundle and act on them; what cannot be opened stops nothing else of it.

        Args:
            connection: of the transaction.
            peer: who wrote them, proven by the bundle's signature.
            sealed: the envelope; empty where an older version wrote none.
            is_latest: whether no later bundle of this peer was taken.

        """
        if not sealed:
            return TakenOut()
        try:
            carried = decode_letters(self._identity.opened(sealed))
        except Permanent as error:
            return TakenOut(fault=error.reason)
        if is_latest:
            if letters.meet(connection, peer, carried.incarnation):
                remind(connection, peer, self._clock_ms())
            letters.confirm(connection, peer, carried.taken)
        letters.take(connection, peer, carried.letters, self._handlers, self._clock_ms())
        return TakenOut(count=len(carried.letters), left=carried.left)


def enclosed(connection: Connection, peer: str, key: str, now_ms: int) -> Enclosed:
    """Return what goes to a peer by courier: all letters that are due, as far as they find room, and what was taken."""
    incarnation = letters.incarnation(connection)
    some, _ = letters.due(connection, peer, now_ms, count_max=BUNDLE_LETTERS_MAX, fill_bytes=BUNDLE_LETTERS_FILL_BYTES)
    waiting = {one.peer: one.letters for one in letters.waiting(connection, now_ms)}
    carried = CarriedLetters(
        incarnation=incarnation,
        letters=tuple(some),
        taken=letters.taken_lately(connection, peer, BUNDLE_LETTERS_TAKEN_MAX),
        left=max(0, waiting.get(peer, 0) - len(some)),
    )
    return Enclosed(sealed=sealed_for(key, encode_letters(carried)), count=len(some), left=carried.left)
