"""What somebody types at the window and has not sent yet, kept so that a reload or a power cut loses nothing.

A request of the register is whole and checked (``requests.content_of``); this is what comes before it, as it stands in
the form, under the id that the request will have. Only who typed it sees it. It is sealed under a key that is not in
the store, because a form may hold an identity number, and it is gone when the request is sent or nobody comes back.
"""

import hashlib
from collections.abc import Mapping
from typing import Final
from uuid import UUID

import msgspec
from nacl.exceptions import CryptoError
from nacl.secret import SecretBox
from sqlalchemy import Connection, Row, Select, delete, func, insert, select, update

from hub.window.unsent_tables import unsent_request
from protocol.errors import Refused
from protocol.wording import Text

KEPT_MS: Final = 7 * 24 * 3600 * 1000
"""Milliseconds for which something unsent is kept after its last change: a week, since people come back after one."""

UNSENT_MAX: Final = 50
"""Unsent requests of one person: a clerk has a handful."""

UNSENT_BYTES_MAX: Final = 64 * 1024
"""Bytes of one, as many as a form may have."""

Fields = Mapping[str, tuple[str, ...]]
"""A form's fields with their values, as typed."""


class Unsent(msgspec.Struct, frozen=True, kw_only=True):
    """Something typed, whose request does not exist yet."""

    request_id: UUID
    login: str
    fields: Fields
    begun_at_ms: int
    changed_at_ms: int

    def line(self, name: str) -> str:
        """Return a field's first value; empty if it was not typed."""
        return next(iter(self.fields.get(name, ())), "")


def sealing_key(county_key: bytes) -> bytes:
    """Return the key under which everything unsent is sealed."""
    return hashlib.blake2b(b"danglian unsent requests", key=county_key, digest_size=SecretBox.KEY_SIZE).digest()


def keep(connection: Connection, key: bytes, request_id: UUID, login: str, fields: Fields, now_ms: int) -> None:
    """Keep a form as it stands; the newest takes the place of what was kept before.

    Raises:
        Refused: it is somebody else's, too large, or one more than a person may have.

    """
    encoded = msgspec.json.encode(fields)
    if len(encoded) > UNSENT_BYTES_MAX:
        raise Refused(
            Text(zh="填写的内容过长，没有保存。", en="what was typed is too long to be kept"),
            Text(zh="请缩短问题说明。", en="Shorten the question."),
        )
    sealed = bytes(SecretBox(key).encrypt(encoded))
    owner = connection.execute(_owner(request_id)).scalar_one_or_none()
    if owner is None:
        _check_room(connection, login)
        row = {"request_id": request_id.bytes, "login": login, "sealed": sealed, "begun_at_ms": now_ms}
        connection.execute(insert(unsent_request).values(**row, changed_at_ms=now_ms))
        return
    if owner != login:
        raise Refused(
            Text(zh="这份草稿是别人的。", en="this was begun by somebody else"),
            Text(zh="请另开一份申请。", en="Begin a request of your own."),
        )
    of_request = unsent_request.c.request_id == request_id.bytes
    connection.execute(update(unsent_request).where(of_request).values(sealed=sealed, changed_at_ms=now_ms))


def found(connection: Connection, key: bytes, request_id: UUID, login: str) -> Unsent | None:
    """Return what somebody typed; None if there is nothing, or it is somebody else's."""
    statement = select(unsent_request).where(
        unsent_request.c.request_id == request_id.bytes, unsent_request.c.login == login
    )
    row = connection.execute(statement).one_or_none()
    return None if row is None else _unsealed(row, key)


def is_begun(connection: Connection, request_id: UUID) -> bool:
    """Tell whether anybody has begun something under this id."""
    return connection.execute(_owner(request_id)).scalar_one_or_none() is not None


def listed(connection: Connection, key: bytes, login: str) -> list[Unsent]:
    """Return everything that somebody has not sent, the latest first."""
    statement = select(unsent_request).where(unsent_request.c.login == login)
    rows = connection.execute(statement.order_by(unsent_request.c.changed_at_ms.desc()))
    return [one for row in rows if (one := _unsealed(row, key)) is not None]


def discard(connection: Connection, request_id: UUID, login: str) -> None:
    """Forget what somebody typed: it was sent, or is not wanted."""
    connection.execute(
        delete(unsent_request).where(unsent_request.c.request_id == request_id.bytes, unsent_request.c.login == login)
    )


def tidy(connection: Connection, now_ms: int) -> int:
    """Forget what nobody came back to; return how much it was."""
    return connection.execute(delete(unsent_request).where(unsent_request.c.changed_at_ms < now_ms - KEPT_MS)).rowcount


def _owner(request_id: UUID) -> Select[str]:
    return select(unsent_request.c.login).where(unsent_request.c.request_id == request_id.bytes)


def _check_room(connection: Connection, login: str) -> None:
    kept = connection.execute(
        select(func.count()).select_from(unsent_request).where(unsent_request.c.login == login)
    ).scalar_one()
    if kept >= UNSENT_MAX:
        raise Refused(
            Text(zh=f"未提交的草稿已有 {UNSENT_MAX} 份。", en=f"there are {UNSENT_MAX} unsent requests already"),
            Text(zh="请先提交或丢弃旧的草稿。", en="Send or discard old ones first."),
        )


def _unsealed(row: Row[*tuple[object, ...]], key: bytes) -> Unsent | None:
    """Return what a row holds; None where the county's key is another since, so that nothing can be read."""
    try:
        fields = msgspec.json.decode(SecretBox(key).decrypt(row.sealed), type=dict[str, tuple[str, ...]])
    except (CryptoError, msgspec.DecodeError):
        return None
    return Unsent(
        request_id=UUID(bytes=row.request_id),
        login=row.login,
        fields=fields,
        begun_at_ms=row.begun_at_ms,
        changed_at_ms=row.changed_at_ms,
    )
