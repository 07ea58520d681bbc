"""The county's own certificates: an authority for decades, and a server certificate that the daemon renews.

They begin in the year 2000, because the PC of a village room may wake up there when its battery is flat, and it must
still be able to reach the hub. Private keys are elliptic (P-256), as every TLS library reads them.
"""

import datetime
import ipaddress
import ssl
from collections.abc import Sequence

import msgspec
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from hub.home import HubHome
from protocol.enrolment import fingerprint_of
from protocol.errors import BadSetting
from protocol.wording import Text
from replication.files import PRIVATE_FOLDER_MODE, PRIVATE_MODE, write_whole

AUTHORITY_DAYS = 365 * 30
"""Days that the authority lives: longer than the machines, since every node must be visited when it ends."""

SERVER_DAYS = 730
"""Days that a server certificate lives."""

RENEW_BEFORE_DAYS = 180
"""Days before its end at which a server certificate is renewed: a hub may stand still for a season."""

_FROM = datetime.datetime(2000, 1, 1, tzinfo=datetime.UTC)


class CertifiedKey(msgspec.Struct, frozen=True, kw_only=True):
    """A certificate and the private key that belongs to it, both PEM."""

    certificate: bytes
    key: bytes


def new_authority(county: str, now: datetime.datetime) -> CertifiedKey:
    """Return a new certificate authority for the county of this site code."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = _name(f"Danglian county {county}")
    # It also answers at the enrolment door, hence digital_signature beside the usual two.
    usage = _usage(digital_signature=True, key_cert_sign=True, crl_sign=True)
    certificate = (
        _certificate(name, name, key, now + datetime.timedelta(days=AUTHORITY_DAYS))
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, SHA256())
    )
    return _certified(certificate, key)


def new_server(authority: CertifiedKey, hosts: Sequence[str], now: datetime.datetime) -> CertifiedKey:
    """Return a new server certificate for these names and addresses."""
    issuer = x509.load_pem_x509_certificate(authority.certificate)
    issuer_key = _elliptic(authority.key)
    key = ec.generate_private_key(ec.SECP256R1())
    until = min(now + datetime.timedelta(days=SERVER_DAYS), issuer.not_valid_after_utc)
    certificate = (
        _certificate(_name("Danglian hub"), issuer.subject, key, until)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(digital_signature=True), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.SubjectAlternativeName([_alternative(host) for host in hosts]), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key()), critical=False)
        .sign(issuer_key, SHA256())
    )
    return _certified(certificate, key)


def is_due(certificate: bytes, hosts: Sequence[str], now: datetime.datetime) -> bool:
    """Tell whether a server certificate must be renewed: it ends soon, or lacks one of the hosts."""
    found = x509.load_pem_x509_certificate(certificate)
    if found.not_valid_after_utc - now < datetime.timedelta(days=RENEW_BEFORE_DAYS):
        return True
    names = found.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    borne = {*names.get_values_for_type(x509.DNSName), *map(str, names.get_values_for_type(x509.IPAddress))}
    return not {_written(host) for host in hosts} <= borne


def provide(home: HubHome, county: str, hosts: Sequence[str], now: datetime.datetime) -> bool:
    """Make what is missing and renew what is due; tell whether the server certificate is a new one.

    Raises:
        BadSetting: the authority's certificate or key is missing or damaged.

    """
    home.authority.parent.mkdir(mode=PRIVATE_FOLDER_MODE, parents=True, exist_ok=True)
    if not home.authority.exists():
        # The key goes first: a power cut leaves a key without a certificate, and both are made anew.
        made = new_authority(county, now)
        write_whole(home.authority_key, made.key, mode=PRIVATE_MODE)
        write_whole(home.authority, made.certificate)
    try:
        if home.server.exists() and home.server_key.exists() and not is_due(home.server.read_bytes(), hosts, now):
            return False
        authority = CertifiedKey(certificate=home.authority.read_bytes(), key=home.authority_key.read_bytes())
        server = new_server(authority, hosts, now)
    except (OSError, ValueError) as error:
        raise BadSetting(
            Text(zh=f"证书文件缺失或损坏：{error}", en=f"certificate files missing or damaged: {error}"),
            Text(zh="请从备份恢复 tls 目录。", en="Restore the folder tls from a backup."),
        ) from error
    write_whole(home.server_key, server.key, mode=PRIVATE_MODE)
    write_whole(home.server, server.certificate)
    return True


def door_fingerprint(home: HubHome) -> bytes:
    """Return what an enrolment code carries of the certificate at the door.

    Raises:
        BadSetting: the certificate cannot be read.

    """
    try:
        return fingerprint_of(ssl.PEM_cert_to_DER_cert(home.authority.read_text(encoding="ascii")))
    except (OSError, ValueError) as error:
        raise BadSetting(
            Text(zh=f"读不出证书 {home.authority}：{error}", en=f"cannot read {home.authority}: {error}"),
            Text(zh="请先运行 danglian-hub init。", en="Run danglian-hub init first."),
        ) from error


def door_context(home: HubHome) -> ssl.SSLContext:
    """Return the TLS settings of the enrolment door; its face is the authority's own certificate.

    That certificate never changes, so codes stay good when the server's is renewed, and a node that has compared the
    fingerprint holds at once the certificate by which it will know the broker.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.load_cert_chain(home.authority, home.authority_key)
    return context


def _certificate(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey, until: datetime.datetime
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(_FROM)
        .not_valid_after(until)
    )


def _certified(certificate: x509.Certificate, key: ec.EllipticCurvePrivateKey) -> CertifiedKey:
    return CertifiedKey(
        certificate=certificate.public_bytes(Encoding.PEM),
        key=key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()),
    )


def _elliptic(pem: bytes) -> ec.EllipticCurvePrivateKey:
    key = load_pem_private_key(pem, password=None)
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        message = "not an elliptic private key"
        raise ValueError(message)  # noqa: TRY004 - the file's content is wrong, not the caller's type
    return key


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _alternative(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)


def _written(host: str) -> str:
    """Return a host as a certificate names it: an IPv6 address has many spellings."""
    try:
        return str(ipaddress.ip_address(host))
    except ValueError:
        return host


def _usage(*, digital_signature: bool = False, key_cert_sign: bool = False, crl_sign: bool = False) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=digital_signature,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=key_cert_sign,
        crl_sign=crl_sign,
        encipher_only=False,
        decipher_only=False,
    )
