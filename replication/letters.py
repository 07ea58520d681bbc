"""The letters of one end: written in the caller's transaction, told until they are taken, acted on exactly once.

- ``write`` puts a letter beside the change that it tells (promise 2). It is due until the other end says that it took
  it, or until it expires.
- ``take`` notes a letter's id and has its handler act on it in the same transaction: told again, it changes nothing.
- What a handler refuses, or what no handler knows, is set aside with its reason and tried again by ``retry``: one
  letter never stops the next (promise 9).
- An end that was put back, or made anew, forgets what it took. It shows by its incarnation, and everything whose topic
  is not settled is told again (``meet``).
"""

import secrets
import uuid
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from functools import cache
from uuid import UUID

import msgspec
import structlog
from sqlalchemy import ColumnElement, Connection, Insert, Row, Select, and_, delete, func, insert, or_, select, update

from protocol.errors import Permanent, Retryable
from protocol.letters import Letter, letter_body
from protocol.limits import LETTERS_AT_ONCE_MAX, LETTERS_FILL_BYTES
from protocol.wording import Text
from replication.dialects import upsert
from replication.faults import place_of
from replication.tables import letter_in, letter_out, letter_peer

HUB_PEER = "hub"
"""What a site calls the other end; the hub calls it by its site code."""

OURSELVES = ""
"""The row of ``letter_peer`` that names our own incarnation."""

INCARNATION_BYTES = 8
"""Random bytes in the name of an incarnation."""

UNKNOWN_KIND = "unknown_kind"
"""Fault of a letter that waits for a version which knows its kind."""

DEFECT = "defect"
"""Fault of a letter on which this program fails."""

log = structlog.get_logger(__name__)

_FAILED = Text(zh="本端程序出错，已记录。", en="the program at this end failed on it; it is recorded")
_NEWER = Text(
    zh="对方版本较新，本端尚不识此类函件；升级后自动补办。",
    en="the other end is newer: a kind of letter that this version does not know; taken up after an upgrade",
)

_LAST_TIME = -1
"""``is_taken`` of a letter of a settled topic: due, and forgotten as soon as it is taken."""

LetterHandler = Callable[[Connection, str, Letter], None]
"""Acts on a letter of a peer, in the transaction that takes it. What takes long is only noted there."""

Handlers = Mapping[str, LetterHandler]
"""By the kind of letter."""


class SetAside(msgspec.Struct, frozen=True, kw_only=True):
    """A letter that was taken and could not be acted on."""

    peer: str
    letter: Letter
    fault: str
    reason: Text
    taken_at_ms: int


class Waiting(msgspec.Struct, frozen=True, kw_only=True):
    """How much waits for one peer."""

    peer: str
    letters: int
    oldest_at_ms: int


def write(
    connection: Connection,
    peer: str,
    *,
    kind: str,
    topic: UUID,
    body: msgspec.Struct,
    now_ms: int,
    expires_at_ms: int = 0,
) -> UUID:
    """Write a letter in the caller's transaction and return its id.

    Raises:
        BadValue: the body is too large.

    """
    letter_id = uuid.uuid4()
    values = {
        "letter_id": str(letter_id),
        "peer": peer,
        "topic": str(topic),
        "kind": kind,
        "body": letter_body(body),
        "written_at_ms": now_ms,
        "expires_at_ms": expires_at_ms,
        "is_taken": 0,
    }
    connection.execute(_writing(), values)
    return letter_id


@cache
def _writing() -> Insert:
    return insert(letter_out)


def settle(connection: Connection, topic: UUID) -> None:
    """Forget what was written about a topic, once the other end has taken it: it need never be told again.

    What is still on its way is told once more and forgotten when it is taken.
    """
    connection.execute(delete(letter_out).where(letter_out.c.topic == str(topic), letter_out.c.is_taken == 1))
    connection.execute(update(letter_out).where(letter_out.c.topic == str(topic)).values(is_taken=_LAST_TIME))


def forget(connection: Connection, topics: Collection[UUID]) -> None:
    """Forget what was written about some topics, also what is still on its way: nobody is to hear of it any more."""
    connection.execute(delete(letter_out).where(letter_out.c.topic.in_([str(one) for one in topics])))


def drop_expired(connection: Connection, now_ms: int) -> int:
    """Forget the letters whose time is over, which nobody is told any more; return how many they were."""
    over = (letter_out.c.expires_at_ms > 0) & (letter_out.c.expires_at_ms <= now_ms)
    return connection.execute(delete(letter_out).where(over)).rowcount


def _is_due(now_ms: int) -> ColumnElement[bool]:
    fresh = or_(letter_out.c.expires_at_ms == 0, letter_out.c.expires_at_ms > now_ms)
    return and_(letter_out.c.is_taken <= 0, fresh)


def peers_statement(now_ms: int) -> Select[tuple[str]]:
    """Select the peers to whom something is due."""
    return select(letter_out.c.peer).distinct().where(_is_due(now_ms))


def peers_due(connection: Connection, now_ms: int) -> list[str]:
    """Return the peers to whom something is due."""
    return list(connection.scalars(peers_statement(now_ms).order_by(letter_out.c.peer)))


def count_due(connection: Connection, now_ms: int) -> int:
    """Return how many letters wait for their peers."""
    return connection.scalar(select(func.count()).select_from(letter_out).where(_is_due(now_ms))) or 0


def waiting(connection: Connection, now_ms: int) -> list[Waiting]:
    """Return how much waits for each peer that something waits for."""
    statement = (
        select(letter_out.c.peer, func.count(), func.min(letter_out.c.written_at_ms))
        .where(_is_due(now_ms))
        .group_by(letter_out.c.peer)
        .order_by(letter_out.c.peer)
    )
    return [
        Waiting(peer=peer, letters=count, oldest_at_ms=oldest) for peer, count, oldest in connection.execute(statement)
    ]


def latest_due(connection: Connection, now_ms: int) -> int:
    """Return the number of the latest letter that waits for its peer; 0 if none does."""
    return connection.scalar(select(func.max(letter_out.c.serial)).where(_is_due(now_ms))) or 0


def due(
    connection: Connection,
    peer: str,
    now_ms: int,
    *,
    count_max: int = LETTERS_AT_ONCE_MAX,
    fill_bytes: int = LETTERS_FILL_BYTES,
) -> tuple[list[Letter], bool]:
    """Return the next letters to a peer, as many as one call holds, and whether there are more."""
    statement = select(letter_out).where(letter_out.c.peer == peer, _is_due(now_ms)).order_by(letter_out.c.serial)
    letters: list[Letter] = []
    filled = 0
    for row in connection.execute(statement.limit(count_max + 1)):
        filled += len(row.body)
        if letters and (filled > fill_bytes or len(letters) == count_max):
            return letters, True
        letters.append(_letter(row))
    return letters, False


def _letter(row: Row[*tuple[object, ...]]) -> Letter:
    return Letter(
        letter_id=UUID(row.letter_id),
        topic=UUID(row.topic),
        kind=row.kind,
        body=msgspec.Raw(row.body),
        written_at_ms=row.written_at_ms,
        expires_at_ms=row.expires_at_ms,
    )


def confirm(connection: Connection, peer: str, taken: Iterable[UUID]) -> None:
    """Note that a peer took these letters."""
    ids = [str(one) for one in taken]
    of_peer = and_(letter_out.c.peer == peer, letter_out.c.letter_id.in_(ids))
    connection.execute(delete(letter_out).where(of_peer, letter_out.c.is_taken == _LAST_TIME))
    connection.execute(update(letter_out).where(of_peer).values(is_taken=1))


def taken_lately(connection: Connection, peer: str, limit: int) -> tuple[UUID, ...]:
    """Return the ids of a peer's letters that were taken last, for an end that hears of it on a stick only."""
    statement = (
        select(letter_in.c.letter_id)
        .where(letter_in.c.peer == peer)
        .order_by(letter_in.c.taken_at_ms.desc(), letter_in.c.letter_id)
        .limit(limit)
    )
    return tuple(UUID(one) for one in connection.scalars(statement))


def take(
    connection: Connection, peer: str, letters: Sequence[Letter], handlers: Handlers, now_ms: int
) -> tuple[UUID, ...]:
    """Take what a peer wrote and act on it; return the ids that are taken, now or before."""
    named = {str(one.letter_id): one for one in letters}
    before = set(connection.scalars(select(letter_in.c.letter_id).where(letter_in.c.letter_id.in_(named))))
    for letter_id, letter in named.items():
        if letter_id not in before:
            values = _acted_on(connection, peer, letter, handlers, now_ms)
            connection.execute(insert(letter_in).values(letter_id=letter_id, **values))
    return tuple(one.letter_id for one in letters)


def _acted_on(connection: Connection, peer: str, letter: Letter, handlers: Handlers, now_ms: int) -> dict[str, object]:
    values: dict[str, object] = {
        "peer": peer,
        "topic": str(letter.topic),
        "kind": letter.kind,
        "taken_at_ms": now_ms,
        "fault": "",
        "reason_zh": "",
        "reason_en": "",
        "letter": None,
    }
    fault, reason = _attempt(connection, peer, letter, handlers)
    if fault:
        values |= {"fault": fault, "reason_zh": reason.zh, "reason_en": reason.en}
        values["letter"] = msgspec.json.encode(letter)
    return values


def _attempt(connection: Connection, peer: str, letter: Letter, handlers: Handlers) -> tuple[str, Text]:
    handler = handlers.get(letter.kind)
    if handler is None:
        return UNKNOWN_KIND, _NEWER
    try:
        with connection.begin_nested():
            handler(connection, peer, letter)
    except Retryable:
        raise
    except Permanent as error:
        return type(error).__name__, error.reason
    except Exception as error:  # noqa: BLE001 - one letter that finds a defect never stops the others (promise 9)
        # Where, not what: the words of an exception may quote the letter.
        log.error("letter_failed", kind=letter.kind, peer=peer, error=place_of(error))  # noqa: TRY400
        return DEFECT, _FAILED
    return "", Text(zh="", en="")


def count_set_aside(connection: Connection) -> int:
    """Return how many letters could not be acted on."""
    return connection.scalar(select(func.count()).select_from(letter_in).where(letter_in.c.fault != "")) or 0


def set_aside(connection: Connection, peers: Collection[str] = ()) -> list[SetAside]:
    """Return what was taken and could not be acted on, the oldest first; of these peers, or of all."""
    statement = select(letter_in).where(letter_in.c.fault != "").order_by(letter_in.c.taken_at_ms)
    if peers:
        statement = statement.where(letter_in.c.peer.in_(peers))
    return [
        SetAside(
            peer=row.peer,
            letter=msgspec.json.decode(row.letter, type=Letter),
            fault=row.fault,
            reason=Text(zh=row.reason_zh, en=row.reason_en),
            taken_at_ms=row.taken_at_ms,
        )
        for row in connection.execute(statement)
    ]


def retry(connection: Connection, handlers: Handlers) -> int:
    """Act again on what was set aside, at the start of a program that may know more; return how much was cured."""
    cured = 0
    for one in set_aside(connection):
        fault, reason = _attempt(connection, one.peer, one.letter, handlers)
        values: dict[str, object] = {"fault": fault, "reason_zh": reason.zh, "reason_en": reason.en}
        if not fault:
            values["letter"] = None
            cured += 1
        of_letter = letter_in.c.letter_id == str(one.letter.letter_id)
        connection.execute(update(letter_in).where(of_letter).values(values))
    return cured


def incarnation(connection: Connection) -> str:
    """Return the name of our own memory, made when it is first asked for."""
    known = connection.scalar(select(letter_peer.c.incarnation).where(letter_peer.c.peer == OURSELVES))
    return known if known is not None else renew_incarnation(connection)


def renew_incarnation(connection: Connection) -> str:
    """Begin a memory that remembers less than the one before, because this database was put back."""
    fresh = secrets.token_hex(INCARNATION_BYTES)
    _name(connection, OURSELVES, fresh)
    return fresh


def meet(connection: Connection, peer: str, its_incarnation: str) -> bool:
    """Note whose memory the peer has now: another one than before is told everything that is not settled.

    Returns whether it is another one: then the peer may have lost what it wrote itself as well.
    """
    known = connection.scalar(select(letter_peer.c.incarnation).where(letter_peer.c.peer == peer))
    if known == its_incarnation:
        return False
    _name(connection, peer, its_incarnation)
    if known is None:
        return False
    of_peer = and_(letter_out.c.peer == peer, letter_out.c.is_taken == 1)
    connection.execute(update(letter_out).where(of_peer).values(is_taken=0))
    return True


def _name(connection: Connection, peer: str, named: str) -> None:
    statement = upsert(letter_peer).values(peer=peer, incarnation=named)
    connection.execute(
        statement.on_conflict_do_update(index_elements=[letter_peer.c.peer], set_={"incarnation": named})
    )
