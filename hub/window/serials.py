"""Serials: the numbers of certificates, taken before anything is made, and the one fate that each of them has.

A serial is never given out twice and never disappears: whatever becomes of it (issued, void with its reason, revoked)
stays in the register, so that the numbers of a year balance.
"""

from enum import StrEnum
from uuid import UUID

import msgspec
from sqlalchemy import Connection, Row, insert, select, update

from hub.window.copy_tables import certificate, serial_counter
from protocol.certificates import CertificateKind, serial_of
from protocol.county_time import local_time
from protocol.errors import BadValue
from protocol.wording import Text
from replication.dialects import upsert


class Fate(StrEnum):
    """What has become of a serial."""

    TAKEN = "taken"
    READY = "ready"
    ISSUED = "issued"
    VOID = "void"
    REVOKED = "revoked"


FATES = {
    Fate.TAKEN: Text(zh="已占号，办理中", en="taken, under way"),
    Fate.READY: Text(zh="已制成，待打印", en="made, not printed yet"),
    Fate.ISSUED: Text(zh="已出具", en="issued"),
    Fate.VOID: Text(zh="作废，未出具", en="void, never issued"),
    Fate.REVOKED: Text(zh="已撤销", en="revoked"),
}


class Certificate(msgspec.Struct, frozen=True, kw_only=True):
    """One serial and all that is known of its certificate."""

    serial: str
    kind: CertificateKind
    fate: Fate
    holder: str
    request_id: UUID
    copy_id: UUID | None
    statement: str
    signature: bytes
    contents: str
    pdf_sha256: str
    pdf_pages: int
    replaces: str
    replaced_by: str
    because: str
    taken_by: str
    taken_at_ms: int
    ended_at_ms: int | None

    @property
    def is_disposed_of(self) -> bool:
        """Whether its papers went when their term was over; the signed statement stays."""
        return bool(self.statement) and not self.contents


class SerialWish(msgspec.Struct, frozen=True, kw_only=True):
    """What a serial is taken for."""

    county: str
    kind: CertificateKind
    holder: str
    request_id: UUID
    copy_id: UUID | None = None
    replaces: str = ""


def take(connection: Connection, wish: SerialWish, who: str, now_ms: int) -> str:
    """Take the next serial of this year and enter it in the register."""
    year = local_time(now_ms).year
    series = f"{wish.county[:6]}-{year}"
    raised = upsert(serial_counter).values(series=series, latest=1)
    connection.execute(
        raised.on_conflict_do_update(
            index_elements=[serial_counter.c.series], set_={"latest": serial_counter.c.latest + 1}
        )
    )
    number = connection.scalars(select(serial_counter.c.latest).where(serial_counter.c.series == series)).one()
    serial = serial_of(wish.county, year, number)
    connection.execute(
        insert(certificate).values(
            serial=serial,
            kind=wish.kind.value,
            state=Fate.TAKEN.value,
            holder=wish.holder,
            request_id=str(wish.request_id),
            copy_id=str(wish.copy_id or ""),
            replaces=wish.replaces,
            taken_by=who,
            taken_at_ms=now_ms,
        )
    )
    return serial


def void(connection: Connection, serial: str, because: str, now_ms: int) -> None:
    """Say that a serial will never be issued; one that was issued stays so."""
    open_fates = (Fate.TAKEN.value, Fate.READY.value)
    connection.execute(
        update(certificate)
        .where(certificate.c.serial == serial, certificate.c.state.in_(open_fates))
        .values(state=Fate.VOID.value, because=because, ended_at_ms=now_ms)
    )


def found(connection: Connection, serial: str) -> Certificate:
    """Return one serial of the register.

    Raises:
        BadValue: it was never given out here.

    """
    one = look_up(connection, serial)
    if one is None:
        raise BadValue(
            Text(zh=f"登记簿中没有编号 {serial!r}。", en=f"serial {serial!r} was never given out here"),
            Text(zh="danglian-hub certificate list 列出全部编号。", en="danglian-hub certificate list shows them all."),
        )
    return one


def look_up(connection: Connection, serial: str) -> Certificate | None:
    """Return one serial of the register, None if it was never given out here."""
    row = connection.execute(select(certificate).where(certificate.c.serial == serial)).one_or_none()
    return None if row is None else _certificate(row)


def listed(connection: Connection, *, request_id: UUID | None = None, limit: int | None = 1_000) -> list[Certificate]:
    """Return the register, the newest first; of one request, or of all."""
    statement = select(certificate).order_by(certificate.c.taken_at_ms.desc(), certificate.c.serial.desc()).limit(limit)
    if request_id is not None:
        statement = statement.where(certificate.c.request_id == str(request_id))
    return [_certificate(row) for row in connection.execute(statement)]


def unmade(connection: Connection) -> list[Certificate]:
    """Return the statements of no record that are signed and not on paper yet."""
    of_kind = certificate.c.kind == CertificateKind.NO_RECORD.value
    statement = select(certificate).where(certificate.c.state == Fate.TAKEN.value, of_kind)
    return [_certificate(row) for row in connection.execute(statement.order_by(certificate.c.taken_at_ms))]


def _certificate(row: Row[*tuple[object, ...]]) -> Certificate:
    return Certificate(
        serial=row.serial,
        kind=CertificateKind(row.kind),
        fate=Fate(row.state),
        holder=row.holder,
        request_id=UUID(row.request_id),
        copy_id=UUID(row.copy_id) if row.copy_id else None,
        statement=row.statement,
        signature=row.signature or b"",
        contents=row.contents,
        pdf_sha256=row.pdf_sha256,
        pdf_pages=row.pdf_pages,
        replaces=row.replaces,
        replaced_by=row.replaced_by,
        because=row.because,
        taken_by=row.taken_by,
        taken_at_ms=row.taken_at_ms,
        ended_at_ms=row.ended_at_ms,
    )
