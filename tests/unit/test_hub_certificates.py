import datetime
import ssl
import stat
import sys
from pathlib import Path

import pytest
from cryptography import x509

from hub.home import HubHome, home_at
from hub.membership import certificates
from protocol.enrolment import FINGERPRINT_BYTES
from protocol.errors import BadSetting

NOW = datetime.datetime(2026, 11, 22, tzinfo=datetime.UTC)
COUNTY = "330523000000"


@pytest.fixture
def home(tmp_path: Path) -> HubHome:
    return home_at(tmp_path)


def handshake(home: HubHome, host: str, *, strict: bool) -> str:
    """Shake hands in memory and return the name of the certificate; raises as a real client would."""
    server_side = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server_side.load_cert_chain(home.server, home.server_key)
    client_side = ssl.create_default_context(cafile=str(home.authority))
    if strict:
        client_side.verify_flags |= ssl.VERIFY_X509_STRICT
    to_client, to_server = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = client_side.wrap_bio(to_client, to_server, server_hostname=host)
    server = server_side.wrap_bio(to_server, to_client, server_side=True)
    done = False
    while not done:
        done = True
        for end in (client, server):
            try:
                end.do_handshake()
            except ssl.SSLWantReadError:
                done = False
    shown = client.getpeercert()
    assert shown is not None
    return str(shown["subject"])


@pytest.mark.parametrize("strict", [False, True])
@pytest.mark.parametrize("host", ["archive.example", "127.0.0.1", "localhost", "fd00::5"])
def test_a_client_with_the_authority_trusts_every_host(home: HubHome, host: str, strict: bool) -> None:
    """Python 3.13 checks strictly by itself; the county's certificates must pass both ways."""
    certificates.provide(home, COUNTY, ("archive.example", "127.0.0.1", "localhost", "fd00:0::5"), NOW)

    assert "Danglian hub" in handshake(home, host, strict=strict)


def test_a_host_that_was_not_named_is_not_trusted(home: HubHome) -> None:
    certificates.provide(home, COUNTY, ("127.0.0.1",), NOW)

    with pytest.raises(ssl.SSLCertVerificationError):
        handshake(home, "other.example", strict=False)


def test_a_clock_that_fell_back_to_2000_still_finds_the_certificates_good(home: HubHome) -> None:
    """The PC of a village room with a flat battery wakes up there."""
    certificates.provide(home, COUNTY, ("127.0.0.1",), NOW)
    found = [x509.load_pem_x509_certificate(path.read_bytes()) for path in (home.authority, home.server)]

    assert all(one.not_valid_before_utc.year == 2000 for one in found)
    assert found[0].not_valid_after_utc.year >= 2056


def test_providing_again_changes_nothing(home: HubHome) -> None:
    assert certificates.provide(home, COUNTY, ("127.0.0.1",), NOW)
    before = home.authority.read_bytes(), home.server.read_bytes()

    assert not certificates.provide(home, COUNTY, ("127.0.0.1",), NOW)

    assert (home.authority.read_bytes(), home.server.read_bytes()) == before


@pytest.mark.parametrize(
    ("hosts", "days"), [(("127.0.0.1", "new.example"), 0), (("127.0.0.1",), 730 - 179)], ids=["host", "age"]
)
def test_a_due_server_certificate_is_renewed_under_the_same_authority(
    home: HubHome, hosts: tuple[str, ...], days: int
) -> None:
    certificates.provide(home, COUNTY, ("127.0.0.1",), NOW)
    authority, server = home.authority.read_bytes(), home.server.read_bytes()

    assert certificates.provide(home, COUNTY, hosts, NOW + datetime.timedelta(days=days))

    assert home.authority.read_bytes() == authority
    assert home.server.read_bytes() != server


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such modes")
def test_private_keys_are_readable_by_their_owner_only(home: HubHome) -> None:
    certificates.provide(home, COUNTY, ("127.0.0.1",), NOW)

    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in home.authority.parent.iterdir()}

    assert modes == {"ca.pem": 0o644, "ca.key": 0o600, "server.pem": 0o644, "server.key": 0o600}


def test_a_damaged_authority_is_named(home: HubHome) -> None:
    certificates.provide(home, COUNTY, ("127.0.0.1",), NOW)
    home.authority_key.write_bytes(b"not a key")

    with pytest.raises(BadSetting, match="certificate files"):
        certificates.provide(home, COUNTY, ("new.example",), NOW)


def test_the_fingerprint_at_the_door_is_that_of_the_authority(home: HubHome) -> None:
    """It outlives every renewal of the server's certificate, and so do the codes on paper."""
    certificates.provide(home, COUNTY, ("127.0.0.1",), NOW)
    before = certificates.door_fingerprint(home)

    certificates.provide(home, COUNTY, ("new.example",), NOW)

    assert certificates.door_fingerprint(home) == before
    assert len(before) == FINGERPRINT_BYTES


def test_a_home_without_certificates_has_no_fingerprint(home: HubHome) -> None:
    with pytest.raises(BadSetting, match="cannot read"):
        certificates.door_fingerprint(home)
