"""The files of certificates: from what a holder signed, and its pages, to a PDF that is sealed and kept.

Everything here computes and touches files, and is run in a thread: nothing here knows orders or the store.
"""

import hashlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final

import msgspec

from hub.membership.certificates import CertifiedKey
from hub.window import pdf_seals, scans
from hub.window.certificate_pages import drawn
from hub.window.certificate_paths import pdf_path, place_path, prepared_path, tidy
from hub.window.imprints import Imprint, MadeCertificate
from hub.window.pdf_seals import PreparedSeal
from hub.window.scans import Scan
from protocol.certificates import CertifiedPage, SignedCertificate, decode_contents, decode_statement
from protocol.errors import BadFile
from protocol.wording import Text
from replication.files import write_whole
from replication.keys import Identity

READING_THREADS: Final = 2
"""Pages that are read at the same time: the picture library leaves the interpreter free while it works."""


class _Place(msgspec.Struct, frozen=True, kw_only=True):
    """Where in a prepared PDF its signature goes."""

    attributes: bytes
    digest: bytes
    start: int
    end: int
    certificate: bytes


def make(
    folder: Path, signed: SignedCertificate, pages_in: Path, imprint: Imprint, authority: CertifiedKey
) -> MadeCertificate:
    """Make the PDF of a certificate, keep it, and keep beside it the one that waits for its seal.

    Args:
        folder: of the certificates.
        signed: what the holder signed.
        pages_in: where the pages of a copy lie.
        imprint: what the window adds.
        authority: the county's, which vouches for the holder's key.

    Raises:
        BadFile: a page is not the one that was certified, or cannot be read.
        BadSetting: there is no font for it.

    """
    statement = decode_statement(signed.statement)
    pdf, pages = drawn(signed, _scans(signed, pages_in), imprint)
    certificate = pdf_seals.holder_certificate(
        authority, statement.signer, statement.holder, statement.holder_name, imprint.at
    )
    prepared = pdf_seals.prepare(pdf, certificate, authority.certificate)
    place = _Place(
        attributes=prepared.attributes,
        digest=prepared.digest,
        start=prepared.start,
        end=prepared.end,
        certificate=certificate,
    )
    write_whole(prepared_path(folder, statement.serial), prepared.pdf)
    write_whole(place_path(folder, statement.serial), msgspec.msgpack.encode(place))
    write_whole(pdf_path(folder, statement.serial), pdf)
    return MadeCertificate(pdf=pdf, pages=pages, attributes=prepared.attributes)


def seal(folder: Path, serial: str, authority: CertifiedKey, signature: bytes) -> bytes:
    """Put the holder's signature into the PDF, keep and return it; done again, the same comes out.

    Raises:
        BadFile: the prepared PDF is gone or damaged, or the signature is not one under it.

    """
    try:
        place = msgspec.msgpack.decode(place_path(folder, serial).read_bytes(), type=_Place)
        waiting = prepared_path(folder, serial).read_bytes()
    except (OSError, msgspec.DecodeError) as error:
        raise _not_sealed(Text(zh="待签章的文件不在", en="the prepared file is gone")) from error
    prepared = PreparedSeal(
        pdf=waiting, attributes=place.attributes, digest=place.digest, start=place.start, end=place.end
    )
    pdf = pdf_seals.complete(prepared, place.certificate, authority.certificate, signature)
    found, _ = pdf_seals.examine(pdf, authority.certificate)
    if found is None or not (found.is_intact and found.covers_all and found.is_trusted):
        raise _not_sealed(Text(zh="签章与文件不符", en="the seal does not fit the file"))
    write_whole(pdf_path(folder, serial), pdf)
    return pdf


def make_and_seal(
    folder: Path, signed: SignedCertificate, imprint: Imprint, authority: CertifiedKey, identity: Identity
) -> tuple[bytes, int]:
    """Make and seal a certificate that the county itself gives; return the PDF and its number of pages.

    Raises:
        BadSetting: there is no font for it.

    """
    serial = decode_statement(signed.statement).serial
    made = make(folder, signed, folder, imprint, authority)
    pdf = seal(folder, serial, authority, identity.sign(made.attributes))
    tidy(folder, serial)
    return pdf, made.pages


def _scans(signed: SignedCertificate, pages_in: Path) -> list[Scan]:
    pages = decode_contents(signed.contents).pages
    with ThreadPoolExecutor(READING_THREADS) as threads:
        return list(threads.map(lambda page: _scan(page, pages_in), pages))


def _scan(page: CertifiedPage, pages_in: Path) -> Scan:
    path = pages_in / page.file
    try:
        content = path.read_bytes()
    except OSError as error:
        raise _another(page, Text(zh="文件不在", en="is not there")) from error
    if hashlib.sha256(content).hexdigest() != page.sha256:
        raise _another(page, Text(zh="与保管单位签名时的摘要不符", en="is not the one that the holder signed"))
    return scans.read(content, path.name)


def _another(page: CertifiedPage, why: Text) -> BadFile:
    return BadFile(
        Text(zh=f"第 {page.number} 页（{page.file}）{why.zh}。", en=f"page {page.number} ({page.file}) {why.en}"),
        Text(zh="不能出证；请重新提出，由保管单位重新核对。", en="It cannot be certified: order it again."),
    )


def _not_sealed(why: Text) -> BadFile:
    return BadFile(
        Text(zh=f"{why.zh}，未能签章。", en=f"{why.en}: not sealed"),
        Text(
            zh="二维码中的保管单位签名仍有效；需要电子签章时请重新提出。",
            en="The QR code is good all the same; order again.",
        ),
    )
