"""What the archive writes into its own books when a transfer is loaded: accession register, held files, 全宗卷."""

from collections.abc import Mapping, Sequence

import msgspec
from sqlalchemy import Connection, select

from hub.keeping import accessions, held_files
from hub.keeping.accessions import NewAccession
from hub.transfers.plan_tables import fonds_dossier
from protocol.consignments import ConsignedFile
from protocol.handovers import certificate_digest, certificate_of
from protocol.sites import parse_site
from protocol.transfer_folds import Transfer
from protocol.wording import Count, Text
from replication.dialects import upsert
from replication.transfer_words import NATURES

REGISTRAR = "transfer"
"""Who registers: the handover that both parties have signed."""


class DossierLine(msgspec.Struct, frozen=True, kw_only=True):
    """One line of a fonds descriptive file."""

    site: str
    fonds_no: str
    transfer_id: str
    words: Text
    entered_at_ms: int


def registered(connection: Connection, now: Transfer, lists: Mapping[str, Sequence[ConsignedFile]], now_ms: int) -> str:
    """Enter a transfer into every book, and return its number in the accession register; done again, it is the same.

    Args:
        connection: within the transaction of the step that says so.
        now: the transfer, signed by both.
        lists: the files of each package, by the name under which it is held.
        now_ms: the wall clock.

    """
    site = parse_site(now.giver.site if now.giver is not None else "")
    certificate = certificate_of(now)
    line = accessions.register(
        connection,
        site,
        NewAccession(
            bundle=str(now.transfer_id),
            nature=NATURES[now.nature].zh,
            title=now.title,
            fonds_no="、".join(certificate.fonds) if certificate else "",
            volumes=now.volumes_seen,
            items=now.accepted,
            files=sum(len(files) for files in lists.values()),
            size_bytes=now.size_bytes,
            list_digest=certificate_digest(certificate) if certificate else "",
            registered_by=REGISTRAR,
        ),
        now_ms,
    )
    for bundle, files in lists.items():
        held_files.hold(connection, site, bundle, files, now_ms)
    for fonds_no in (certificate.fonds if certificate else ()) or ("",):
        _enter(connection, _dossier_line(now, site.code, fonds_no, line.code, now_ms))
    return line.code


def _dossier_line(now: Transfer, site: str, fonds_no: str, accession: str, now_ms: int) -> DossierLine:
    day, nature = now.dated.isoformat() if now.dated else "", NATURES[now.nature]
    receiver = now.receiver.name if now.receiver is not None else now.receiver_site
    return DossierLine(
        site=site,
        fonds_no=fonds_no,
        transfer_id=str(now.transfer_id),
        words=Text(
            zh=f"{day} {nature.zh}{receiver} {now.accepted} 件（{now.title}），登记号 {accession}",
            en=f"{day} {nature.en} to {receiver}: {Count(now.accepted):item|items} ({now.title}), accession"
            f" {accession}",
        ),
        entered_at_ms=now_ms,
    )


def _enter(connection: Connection, line: DossierLine) -> None:
    statement = upsert(fonds_dossier).values(
        site=line.site,
        fonds_no=line.fonds_no,
        transfer_id=line.transfer_id,
        words_zh=line.words.zh,
        words_en=line.words.en,
        entered_at_ms=line.entered_at_ms,
    )
    keys = [fonds_dossier.c.site, fonds_dossier.c.fonds_no, fonds_dossier.c.transfer_id]
    connection.execute(statement.on_conflict_do_nothing(index_elements=keys))


def dossier(connection: Connection, site: str, fonds_no: str | None = None) -> list[DossierLine]:
    """Return the lines of the fonds descriptive files of a site, in the order of entry."""
    statement = select(fonds_dossier).where(fonds_dossier.c.site == site).order_by(fonds_dossier.c.entered_at_ms)
    if fonds_no is not None:
        statement = statement.where(fonds_dossier.c.fonds_no == fonds_no)
    return [
        DossierLine(
            site=row.site,
            fonds_no=row.fonds_no,
            transfer_id=row.transfer_id,
            words=Text(zh=row.words_zh, en=row.words_en),
            entered_at_ms=row.entered_at_ms,
        )
        for row in connection.execute(statement)
    ]
