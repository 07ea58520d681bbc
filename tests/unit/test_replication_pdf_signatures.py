"""Signatures within a PDF: one that holds is evidence, one that does not is for a person, one unread is said so."""

import datetime
import hashlib
import io
import sys
from pathlib import Path

import pikepdf
import pytest
from asn1crypto import keys as asn1_keys
from asn1crypto import x509 as asn1_x509
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.sign.signers import PdfSignatureMetadata, SimpleSigner, sign_pdf
from pyhanko_certvalidator.registry import SimpleCertificateStore

from protocol.check_results import Outcome
from protocol.check_rules import Phase
from protocol.package_facts import PackageFacts
from replication.checks import pdf_signatures
from replication.checks.opened import Signing
from replication.checks.pdf_files import open_pdf
from replication.checks.rule_table import default_rules
from replication.checks.running import NO_TOOLS, check
from tests.packages_made import TODAY, entry, layout_of, scans


@pytest.fixture(scope="module")
def signed() -> bytes:
    """A PDF of one page with a signature by a key that nobody vouches for."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "某镇人民政府")])
    began = datetime.datetime(2020, 1, 1, tzinfo=datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(7)
        .not_valid_before(began)
        .not_valid_after(began + datetime.timedelta(days=20_000))
        .sign(key, SHA256())
    )
    private = key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    signer = SimpleSigner(
        signing_cert=asn1_x509.Certificate.load(certificate.public_bytes(Encoding.DER)),
        signing_key=asn1_keys.PrivateKeyInfo.load(private),
        cert_registry=SimpleCertificateStore(),  # type: ignore[no-untyped-call]
    )
    out = sign_pdf(IncrementalPdfFileWriter(io.BytesIO(plain())), PdfSignatureMetadata(field_name="Seal"), signer)
    return bytes(out.getvalue())


def plain() -> bytes:
    """A PDF of one page that says nothing."""
    made, content = pikepdf.new(), io.BytesIO()
    made.add_blank_page()
    made.Root.Marked = pikepdf.String("unchanged words of the page")
    made.save(content)
    return content.getvalue()


def changed(content: bytes) -> bytes:
    """The same document with other words, of the same length."""
    assert b"unchanged words" in content
    return content.replace(b"unchanged words", b"forged    words")


def test_a_signature_that_holds_is_told_and_a_broken_one_too(signed: bytes, tmp_path: Path) -> None:
    scans(tmp_path, {"a.pdf": signed, "b.pdf": changed(signed), "c.pdf": plain()})

    found = [open_pdf(tmp_path / f"{name}.pdf").signing for name in "abc"]

    assert found == [Signing(valid=1), Signing(broken=1), None]


def test_without_the_library_a_signature_is_not_judged(
    signed: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scans(tmp_path, {"a.pdf": signed})
    monkeypatch.setitem(sys.modules, "pyhanko.pdf_utils.reader", None)

    found = open_pdf(tmp_path / "a.pdf").signing

    assert found is not None
    assert (found.valid, found.not_judged, "pyHanko" in (found.why.en if found.why else "")) == (0, 1, True)


def test_what_the_library_cannot_compute_is_not_judged(
    signed: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scans(tmp_path, {"a.pdf": signed})
    monkeypatch.setattr(pdf_signatures, "JUDGED_MAX", 0)

    assert open_pdf(tmp_path / "a.pdf").signing == Signing(not_judged=1)


def test_a_broken_signature_is_for_a_person_and_one_that_holds_is_evidence(signed: bytes, tmp_path: Path) -> None:
    """A package as it is: the digest is recorded by the catalogue, the signatures stand in the files."""
    contents = {"0001.pdf": signed, "0002.pdf": changed(signed)}
    scans(tmp_path / "电子档案", contents)
    entries = [
        entry(number, file_name=name, digest=f"sha256:{hashlib.sha256(content).hexdigest()}")
        for number, (name, content) in enumerate(contents.items(), start=1)
    ]
    layout_of(tmp_path, entries)

    found = {
        Path(one.path).name: one
        for one in check(tmp_path, PackageFacts(today=TODAY), default_rules(), Phase.FILING, tools=NO_TOOLS)
        if one.rule == "fixity_valid" and one.path.endswith(".pdf")
    }

    assert {name: one.outcome for name, one in found.items()} == {
        "0001.pdf": Outcome.PASSED,
        "0002.pdf": Outcome.MANUAL,
    }
    assert "1 signature within holds" in found["0001.pdf"].evidence.en
