"""Keys and certificates for tests with a real server: made fresh, trusted by nobody else, good for a day."""

import datetime
import ipaddress
import os
from pathlib import Path

import nkeys
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

_DAY = datetime.timedelta(days=1)


class County:
    """A CA and the certificate of one server on 127.0.0.1, as files."""

    def __init__(self, directory: Path) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self.ca_file = directory / "ca.pem"
        self.certificate_file = directory / "server.pem"
        self.key_file = directory / "server.key"
        ca_key = ec.generate_private_key(ec.SECP256R1())
        ca_name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"test county {os.urandom(4).hex()}")])
        ca = _certificate(ca_name, ca_name, ca_key, ca_key, is_ca=True)
        server_key = ec.generate_private_key(ec.SECP256R1())
        server_name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "hub")])
        server = _certificate(server_name, ca_name, server_key, ca_key, is_ca=False)
        self.ca_file.write_bytes(ca.public_bytes(serialization.Encoding.PEM))
        self.certificate_file.write_bytes(server.public_bytes(serialization.Encoding.PEM))
        self.key_file.write_bytes(
            server_key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
        )

    @property
    def config(self) -> str:
        """The `tls` block of a server that uses them."""
        return f'tls {{ cert_file: "{self.certificate_file}", key_file: "{self.key_file}", timeout: 5 }}'


def _certificate(
    subject: x509.Name,
    issuer: x509.Name,
    key: ec.EllipticCurvePrivateKey,
    signer: ec.EllipticCurvePrivateKey,
    *,
    is_ca: bool,
) -> x509.Certificate:
    now = datetime.datetime.now(datetime.UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _DAY)
        .not_valid_after(now + _DAY)
        .add_extension(x509.BasicConstraints(ca=is_ca, path_length=None), critical=True)
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(signer, hashes.SHA256())
    )


class Identity:
    """An NKey: the seed in a file, the public key for the server's configuration."""

    def __init__(self, seed_file: Path) -> None:
        seed = nkeys.encode_seed(os.urandom(32), nkeys.PREFIX_BYTE_USER)
        seed_file.parent.mkdir(parents=True, exist_ok=True)
        seed_file.write_bytes(seed)
        self.seed_file = seed_file
        self.public: str = nkeys.from_seed(bytearray(seed)).public_key.decode()


def users(*lines: str) -> str:
    """The `accounts` block of a server with JetStream and these users."""
    return "accounts { ARCH: { jetstream: enabled, users: [\n" + "\n".join(lines) + "\n] } }"
