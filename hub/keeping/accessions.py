"""The accession register 进馆登记: one line for each transfer that the archive took in, numbered by year, for ever."""

import msgspec
from sqlalchemy import Connection, Row, func, insert, select

from hub.keeping.keeping_tables import accession
from protocol.county_time import local_time
from protocol.errors import Refused
from protocol.sites import Site
from protocol.wording import Text


class NewAccession(msgspec.Struct, frozen=True, kw_only=True):
    """What is registered."""

    bundle: str
    """The transfer."""
    nature: str
    """移交, 寄存, 征购, 捐赠 or 代管, as the handover form says."""
    title: str
    fonds_no: str = ""
    volumes: int = 0
    items: int = 0
    files: int = 0
    size_bytes: int = 0
    list_digest: str = ""
    """Digest of the list of files, as the handover form has it."""
    registered_by: str
    note: str = ""


class Accession(msgspec.Struct, frozen=True, kw_only=True):
    """One line of the register."""

    year: int
    number: int
    """Within the year, from 1, without gaps."""
    site: str
    content: NewAccession
    registered_at_ms: int

    @property
    def code(self) -> str:
        """The line's name, such as ``2026-0007``."""
        return f"{self.year}-{self.number:04d}"


def register(connection: Connection, site: Site, new: NewAccession, now_ms: int) -> Accession:
    """Write a line, and return it; the same transfer again returns the line that is there.

    Raises:
        Refused: the transfer is registered with other content; a register is never changed.

    """
    present = accession_of(connection, site, new.bundle)
    if present is not None:
        if present.content != new:
            raise Refused(
                Text(
                    zh=f"该移交已登记为 {present.code}，内容不同", en=f"it is registered as {present.code}, otherwise"
                ),
                Text(zh="登记不可更改；请另行登记更正。", en="The register is never changed: register a correction."),
            )
        return present
    year = local_time(now_ms).year
    last = connection.execute(select(func.max(accession.c.number)).where(accession.c.year == year)).scalar()
    line = Accession(year=year, number=int(last or 0) + 1, site=site.code, content=new, registered_at_ms=now_ms)
    connection.execute(
        insert(accession).values(
            year=line.year,
            number=line.number,
            site=line.site,
            registered_at_ms=now_ms,
            **msgspec.structs.asdict(new),
        )
    )
    return line


def accession_of(connection: Connection, site: Site, bundle: str) -> Accession | None:
    """Return the line of a transfer."""
    found = connection.execute(
        select(accession).where(accession.c.site == site.code, accession.c.bundle == bundle)
    ).first()
    return _line(found) if found is not None else None


def accessions(connection: Connection, limit: int) -> list[Accession]:
    """Return the latest lines, the last one first."""
    ordered = select(accession).order_by(accession.c.year.desc(), accession.c.number.desc()).limit(limit)
    return [_line(row) for row in connection.execute(ordered)]


def _line(row: Row[tuple[object, ...]]) -> Accession:
    found = dict(row._mapping)  # noqa: SLF001 - the way to a row's names
    return Accession(
        year=found["year"],
        number=found["number"],
        site=found["site"],
        registered_at_ms=found["registered_at_ms"],
        content=msgspec.convert({name: found[name] for name in NewAccession.__struct_fields__}, NewAccession),
    )
