"""Seals of PDFs (PAdES): the hub prepares the document, the holder's key signs, and anybody's PDF reader checks it.

The private key never leaves the holder, and a PDF of twenty scanned pages never goes back to it. What travels is a
signature's signed attributes (a few hundred bytes with the PDF's digest) one way and 64 bytes of signature the other
way. For PDF readers the county's authority vouches for the holder's key with a certificate (X.509).
"""

import asyncio
import datetime
import io
import logging
from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final, TypeVar

import msgspec
from asn1crypto import cms
from asn1crypto import x509 as asn1_x509
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key
from cryptography.x509.oid import NameOID
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.fields import SigSeedSubFilter
from pyhanko.sign.signers import ExternalSigner, PdfSignatureMetadata, PdfSigner
from pyhanko.sign.signers.pdf_byterange import PreparedByteRangeDigest
from pyhanko.sign.validation import async_validate_pdf_signature
from pyhanko_certvalidator import ValidationContext
from pyhanko_certvalidator.registry import SimpleCertificateStore

from hub.membership.certificates import CertifiedKey
from hub.window.imprints import SealFound
from protocol.errors import BadFile
from protocol.wording import Text
from replication.keys import raw_public_key

RESERVED_BYTES: Final = 16 * 1024
"""Hexadecimal digits kept free in the PDF for the signature and two certificates, which take about 5,000."""

HOLDER_DAYS: Final = 365 * 20
"""Days that the certificate of a holder's key lives: what is revoked is said by the county's list, not by its end."""

DIGEST: Final = "sha512"
"""Ed25519 signatures in CMS go with SHA-512 (RFC 8419)."""

FIELD: Final = "HolderSeal"

_T = TypeVar("_T")
_SIGNING: Final = x509.KeyUsage(
    digital_signature=True,
    content_commitment=True,
    key_encipherment=False,
    data_encipherment=False,
    key_agreement=False,
    key_cert_sign=False,
    crl_sign=False,
    encipher_only=False,
    decipher_only=False,
)


class PreparedSeal(msgspec.Struct, frozen=True, kw_only=True):
    """A PDF that waits for its signature."""

    pdf: bytes
    attributes: bytes
    """DER of what the holder signs."""
    digest: bytes
    start: int
    end: int


def _apart(work: Coroutine[Any, Any, _T]) -> _T:
    """Run what the library made a coroutine of, in a thread: nothing in it waits, and our caller may have a loop."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, work).result()


def holder_certificate(authority: CertifiedKey, public_key: str, site: str, name: str, now: datetime.datetime) -> bytes:
    """Return a certificate (DER) by which the county vouches for a holder's key.

    Raises:
        BadValue: not a public NKey.
        ValueError: the authority's key cannot be read.

    """
    issuer = x509.load_pem_x509_certificate(authority.certificate)
    issuer_key = load_pem_private_key(authority.key, password=None)
    if not isinstance(issuer_key, ec.EllipticCurvePrivateKey):
        message = "not an elliptic private key"
        raise ValueError(message)  # noqa: TRY004 - the file's content is wrong, not the caller's type
    subject = x509.Name(
        [x509.NameAttribute(NameOID.ORGANIZATION_NAME, name[:64]), x509.NameAttribute(NameOID.COMMON_NAME, site)]
    )
    key = Ed25519PublicKey.from_public_bytes(raw_public_key(public_key))
    until = min(now + datetime.timedelta(days=HOLDER_DAYS), issuer.not_valid_after_utc)
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer.subject)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(issuer.not_valid_before_utc)
        .not_valid_after(until)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_SIGNING, critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key()), critical=False)
        .sign(issuer_key, SHA256())
    )
    return made.public_bytes(Encoding.DER)


def prepare(pdf: bytes, certificate: bytes, authority: bytes) -> PreparedSeal:
    """Return a PDF with room for a signature, and what has to be signed.

    Args:
        pdf: the finished document.
        certificate: of the holder's key, DER.
        authority: that vouches for it, PEM.

    """
    return _apart(_prepared(pdf, certificate, authority))


async def _prepared(pdf: bytes, certificate: bytes, authority: bytes) -> PreparedSeal:
    signer = _signer(certificate, authority)
    metadata = PdfSignatureMetadata(
        field_name=FIELD, md_algorithm=DIGEST, subfilter=SigSeedSubFilter.PADES, reason="档案保管单位出证"
    )
    writer = IncrementalPdfFileWriter(io.BytesIO(pdf))
    prepared, _, output = await PdfSigner(metadata, signer).async_digest_doc_for_signing(
        writer, bytes_reserved=RESERVED_BYTES
    )
    attributes = await signer.signed_attrs(prepared.document_digest, DIGEST, use_pades=True)
    return PreparedSeal(
        pdf=output.getvalue(),  # type: ignore[attr-defined]
        attributes=attributes.dump(),
        digest=prepared.document_digest,
        start=prepared.reserved_region_start,
        end=prepared.reserved_region_end,
    )


def complete(prepared: PreparedSeal, certificate: bytes, authority: bytes, signature: bytes) -> bytes:
    """Return the PDF with the holder's signature in its place."""
    return _apart(_completed(prepared, certificate, authority, signature))


async def _completed(prepared: PreparedSeal, certificate: bytes, authority: bytes, signature: bytes) -> bytes:
    signer = _signer(certificate, authority, signature)
    signed = await signer.async_sign_prescribed_attributes(
        DIGEST, signed_attrs=cms.CMSAttributes.load(prepared.attributes)
    )
    output = io.BytesIO(prepared.pdf)
    where = PreparedByteRangeDigest(prepared.digest, prepared.start, prepared.end)
    where.fill_with_cms(output, signed)
    return output.getvalue()


def _signer(certificate: bytes, authority: bytes, signature: bytes | None = None) -> ExternalSigner:
    registry = SimpleCertificateStore()  # type: ignore[no-untyped-call]
    registry.register(_loaded(authority))
    return ExternalSigner(
        signing_cert=asn1_x509.Certificate.load(certificate),
        cert_registry=registry,
        signature_value=signature or 64,
        signature_mechanism=cms.SignedDigestAlgorithm({"algorithm": "ed25519"}),
        embed_roots=True,
    )


def _loaded(authority: bytes) -> asn1_x509.Certificate:
    der = x509.load_pem_x509_certificate(authority).public_bytes(Encoding.DER)
    return asn1_x509.Certificate.load(der)


def examine(pdf: bytes, authority: bytes | None) -> tuple[SealFound | None, dict[str, bytes]]:
    """Look at a PDF: its seal, if it has one, and the files that it carries.

    Without an authority nobody vouches for the key of the seal; whoever asks compares it with a key that is known.

    Raises:
        BadFile: it is no PDF, or damaged.

    """
    # The library writes tracebacks about what is wrong with a file; we say it in words.
    logging.getLogger("pyhanko").propagate = False
    try:
        reader = PdfFileReader(io.BytesIO(pdf), strict=False)
        carried = _carried(reader)
        found = list(reader.embedded_signatures)
    except Exception as error:  # the library fails in many ways on what somebody made by hand
        raise BadFile(
            Text(zh="不是完整的 PDF 文件，读不出。", en="it is no whole PDF file"),
            Text(
                zh="请重新取得文件，或扫描纸上的二维码核验。",
                en="Get the file again, or check the QR code on the paper.",
            ),
        ) from error
    return (_looked_at(pdf, found[-1], authority) if found else None), carried


def _looked_at(pdf: bytes, signature: Any, authority: bytes | None) -> SealFound:  # noqa: ANN401 - the library has no types
    try:
        return _examined(pdf, signature, authority)
    except Exception:  # noqa: BLE001 - as above: a seal that cannot be read is none
        return SealFound(is_intact=False, covers_all=False, is_trusted=False, signer=b"", signed_at=None)


def _examined(pdf: bytes, signature: Any, authority: bytes | None) -> SealFound:  # noqa: ANN401 - the library has no types
    trusted = ValidationContext(
        trust_roots=[] if authority is None else [_loaded(authority)], allow_fetching=False, revocation_mode="soft-fail"
    )
    key = signature.signer_cert.public_key
    raw = key["public_key"].native if key.algorithm == "ed25519" else b""
    status = _apart(async_validate_pdf_signature(signature, trusted))
    return SealFound(
        is_intact=status.intact and status.valid and _is_as_written(pdf, signature, authority),
        covers_all=status.coverage is not None and status.coverage.name == "ENTIRE_FILE",
        is_trusted=status.trusted,
        signer=raw,
        signed_at=status.signer_reported_dt,
    )


def _is_as_written(pdf: bytes, signature: Any, authority: bytes | None) -> bool:  # noqa: ANN401 - as above
    """Tell whether the one place that no digest covers, that of the signature itself, holds nothing but what we write.

    A signature has parts that nobody signs, and room behind it. With the county's authority at hand it is made once
    more from what is signed and compared; without, only its room is looked at.
    """
    start, length, second, _ = (int(one) for one in signature.byte_range)
    gap = pdf[start + length : second]
    if authority is None:
        signed = signature.signed_data
        content = cms.ContentInfo({"content_type": "signed_data", "content": signed}).dump()
    else:
        info = signature.signer_info
        signer = _signer(signature.signer_cert.dump(), authority, info["signature"].native)
        attributes = cms.CMSAttributes.load(info["signed_attrs"].untag().dump())
        content = _apart(signer.async_sign_prescribed_attributes(DIGEST, signed_attrs=attributes)).dump()
    expected: bytes = b"<" + content.hex().upper().encode("ascii").ljust(len(gap) - 2, b"0") + b">"
    return gap == expected


def _carried(reader: PdfFileReader) -> dict[str, bytes]:
    names = reader.root.get("/Names", {}).get("/EmbeddedFiles", {}).get("/Names", ())
    pairs = [(names[place], names[place + 1]) for place in range(0, len(names) - 1, 2)]
    return {str(name): bytes(spec["/EF"]["/F"].data) for name, spec in pairs}
