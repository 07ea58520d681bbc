"""Who may connect and what they may do: wrong keys, foreign certificates, missing permissions over a real broker."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from protocol.errors import BadSetting, CallTimeout, LinkDown, Refused
from protocol.sites import parse_site
from replication.broker_client import LinkRhythm, LinkSettings
from replication.connection import Link, connected, inbox_prefix
from replication.faults import Fault, FaultKind
from tests.conftest import StartServer
from tests.identities import County, Identity, users
from tests.servers import NatsServer
from tests.system.test_connection_life import QUICK, fill, kinds, until

SITE = parse_site("330523108204-W01")


@pytest.fixture
def county(tmp_path: Path) -> County:
    return County(tmp_path / "county")


@pytest.fixture
def identity(tmp_path: Path) -> Identity:
    return Identity(tmp_path / "keys" / "node.nk")


def narrow(identity: Identity) -> str:
    """A user that may do what a site may do, on a small scale."""
    prefix = inbox_prefix(SITE)
    return (
        f'{{ nkey: {identity.public}, permissions: {{ publish: {{ allow: ["dl.evt.{SITE.tokens}", "dl.rsp.>"] }}, '
        f'subscribe: {{ allow: ["dl.ask.>", "{prefix}.>"] }} }} }}'
    )


def settings(server: NatsServer, identity: Identity | None, county: County | None) -> LinkSettings:
    scheme = "tls" if county is not None else "nats"
    return LinkSettings(
        urls=(f"{scheme}://127.0.0.1:{server.port}",),
        name="site",
        inbox_prefix=inbox_prefix(SITE),
        ca_file=county.ca_file if county is not None else None,
        seed_file=identity.seed_file if identity is not None else None,
    )


@contextlib.asynccontextmanager
async def up(given: LinkSettings, rhythm: LinkRhythm = QUICK) -> AsyncIterator[Link]:
    async with connected(given, rhythm) as link:
        await asyncio.wait_for(link.until_connected(), 15)
        yield link


class TestSignIn:
    async def test_key_and_county_certificate_open_the_link(
        self, nats_server: StartServer, county: County, identity: Identity
    ) -> None:
        server = await nats_server(config=county.config + "\n" + users(f"{{ nkey: {identity.public} }}"))

        async with up(settings(server, identity, county)) as link:
            reconnected = asyncio.Event()
            link.on_connected(reconnected.set)
            await server.restart()
            await until(reconnected.is_set)

            assert (link.is_connected, FaultKind.AUTHENTICATION in kinds(link)) == (True, False)

    async def test_unknown_key_is_told_as_such(
        self, nats_server: StartServer, county: County, identity: Identity, tmp_path: Path
    ) -> None:
        """The library would try again for ever in silence (trap 13)."""
        stranger = Identity(tmp_path / "keys" / "stranger.nk")
        server = await nats_server(config=county.config + "\n" + users(f"{{ nkey: {identity.public} }}"))
        told: list[Fault] = []

        async with connected(settings(server, stranger, county), QUICK, on_fault=told.append) as link:
            await until(lambda: FaultKind.AUTHENTICATION in kinds(link))

            assert not link.is_connected
            assert told[0].kind is FaultKind.AUTHENTICATION
            assert "密钥" in told[0].meaning.zh

    async def test_site_connects_by_itself_once_it_is_enrolled(
        self, nats_server: StartServer, county: County, identity: Identity, tmp_path: Path
    ) -> None:
        late = Identity(tmp_path / "keys" / "late.nk")
        first = f"{{ nkey: {identity.public} }}"
        server = await nats_server(config=county.config + "\n" + users(first))

        async with up(settings(server, identity, county)) as other:
            async with connected(settings(server, late, county), QUICK) as link:
                await until(lambda: FaultKind.AUTHENTICATION in kinds(link))
                server.configure(county.config + "\n" + users(first, f"{{ nkey: {late.public} }}"))
                server.reload()
                await asyncio.wait_for(link.until_connected(), 15)

                assert FaultKind.AUTHENTICATION not in kinds(link)
            # A reload does not disturb those whose rights did not change.
            assert kinds(other) == set()

    async def test_revoked_key_ends_the_link_and_says_why(
        self, nats_server: StartServer, county: County, identity: Identity, tmp_path: Path
    ) -> None:
        other = Identity(tmp_path / "keys" / "other.nk")
        server = await nats_server(config=county.config + "\n" + users(f"{{ nkey: {identity.public} }}"))

        async with up(settings(server, identity, county)) as link:
            server.configure(county.config + "\n" + users(f"{{ nkey: {other.public} }}"))
            server.reload()
            await until(lambda: not link.is_connected and FaultKind.AUTHENTICATION in kinds(link))

            with pytest.raises(LinkDown):
                await link.publish("a.b", b"after")

    async def test_foreign_certificate_is_told_as_such(
        self, nats_server: StartServer, county: County, identity: Identity, tmp_path: Path
    ) -> None:
        foreign = County(tmp_path / "foreign")
        server = await nats_server(config=foreign.config + "\n" + users(f"{{ nkey: {identity.public} }}"))

        async with connected(settings(server, identity, county), QUICK) as link:
            await until(lambda: FaultKind.TLS in kinds(link))

            assert not link.is_connected

    async def test_server_without_tls_gets_no_signature(
        self, nats_server: StartServer, county: County, identity: Identity
    ) -> None:
        """Somebody in between could say that TLS is not needed, and pass our signature on to the real broker."""
        server = await nats_server(config="debug: true\ntrace: true\n" + users(f"{{ nkey: {identity.public} }}"))

        async with connected(settings(server, identity, county), QUICK) as link:
            await until(lambda: FaultKind.TLS in kinds(link))

            assert not link.is_connected
        before = server.log
        async with up(settings(server, identity, None)):
            pass

        # The second half proves that the first would have been seen.
        assert ("[CONNECT" in before, "[CONNECT" in server.log) == (False, True)

    def test_damaged_files_stop_the_program(self, tmp_path: Path, county: County) -> None:
        damaged = tmp_path / "damaged"
        damaged.write_bytes(b"not a key, not a certificate")

        async def enter(given: LinkSettings) -> None:
            async with connected(given):
                pass

        for field in ("ca_file", "seed_file"):
            files = {"ca_file": county.ca_file, "seed_file": None} | {field: damaged}
            given = LinkSettings(urls=("tls://127.0.0.1:1",), name="t", inbox_prefix="_I", **files)
            with pytest.raises(BadSetting, match="damaged"):
                asyncio.run(enter(given))


class TestPermissions:
    @pytest.fixture
    async def link(self, nats_server: StartServer, identity: Identity) -> AsyncIterator[Link]:
        server = await nats_server(config=users(narrow(identity)))
        async with up(settings(server, identity, None)) as link:
            yield link

    async def test_durable_publish_without_permission_says_so_at_once(self, link: Link) -> None:
        """The library would only time out (trap 23)."""
        begun = time.monotonic()

        with pytest.raises(Refused, match="permit") as raised:
            await link.publish_durable("dl.evt.330523.000.000.W99", b"x", "id", 60.0)

        assert time.monotonic() - begun < 30
        assert "权限" in raised.value.hint.zh
        assert FaultKind.PUBLISH_DENIED in kinds(link)

    async def test_permitted_publish_is_not_disturbed_by_a_denied_one(self, link: Link) -> None:
        with pytest.raises(Refused):
            await link.publish_durable("dl.evt.330523.000.000.W99", b"x", "id", 10.0)

        with pytest.raises(LinkDown, match="no stream"):
            await link.publish_durable(f"dl.evt.{SITE.tokens}", b"x", "id", 5.0)

    async def test_core_publish_without_permission_is_a_fault(self, link: Link) -> None:
        await link.publish("dl.rcpt.330523.000.000._", b"x")
        await until(lambda: FaultKind.PUBLISH_DENIED in kinds(link))

        assert [fault.about for fault in link.faults] == ["dl.rcpt.330523.000.000._"]

    async def test_subscription_without_permission_is_a_fault(self, link: Link) -> None:
        await link.subscribe("dl.evt.>", lambda _message: None)
        await until(lambda: FaultKind.SUBSCRIBE_DENIED in kinds(link))

        assert [fault.about for fault in link.faults] == ["dl.evt.>"]
        assert link.is_connected

    async def test_managing_streams_without_permission_is_refused_at_once(self, link: Link) -> None:
        begun = time.monotonic()

        with pytest.raises(Refused, match="permit"):
            await link.manage(lambda manager: manager.delete_stream("DL_EVENTS"))

        assert time.monotonic() - begun < 4


class TestEncryptedBlackHole:
    async def test_full_encrypted_socket_does_not_hang_the_link(
        self, nats_server: StartServer, county: County, identity: Identity
    ) -> None:
        """TLS says goodbye to the other end before it closes: half a minute, if nobody is there."""
        server = await nats_server(config=county.config + "\n" + users(f"{{ nkey: {identity.public} }}"))

        async with up(settings(server, identity, county)) as link:
            server.freeze()
            with contextlib.suppress(LinkDown, CallTimeout):
                await fill(link)
            # Half a minute would be the other end's patience, not ours.
            await until(lambda: not link.is_connected, 20)
            server.thaw()
            await until(lambda: link.is_connected)

            assert kinds(link) & {FaultKind.LINK_LOST, FaultKind.LINK_STALLED}
