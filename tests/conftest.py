"""What tests ask for by name: real data, free ports, real servers."""

import asyncio
import os
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Protocol

import hypothesis
import pytest

from hub.storage.store import URL_VARIABLE
from tests import postgres_server, prepared_stores, servers
from tests.postgres_server import PostgresServer
from tests.servers import NatsServer
from tests.stores import KINDS, PostgresStore, SqliteStore, Store

PROJECT = Path(__file__).resolve().parent.parent

# How long an example takes says how busy the machine is; what hangs is ended by pytest's own deadline.
hypothesis.settings.register_profile("tests", deadline=None)
hypothesis.settings.load_profile("tests")


class StartServer(Protocol):
    """What the `nats_server` fixture gives: call it, await it, have a running server."""

    async def __call__(
        self,
        name: str = "hub",
        *,
        config: str = "",
        jetstream: str | None = "sync_interval: always",
        port: int | None = None,
    ) -> NatsServer:
        """Start a server with these extra lines of configuration (see `NatsServer`)."""


@pytest.fixture(scope="session")
def project() -> Path:
    """The project's folder."""
    return PROJECT


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real input; a test that asks for it is skipped where the folder is absent."""
    given = os.environ.get("DANGLIAN_SHARED_DATA")
    folder = Path(given) if given else PROJECT.parent / "shared" / "data"
    if not folder.is_dir():
        pytest.skip(f"no real input at {folder}: set DANGLIAN_SHARED_DATA to the folder that holds it")
    return folder


@pytest.fixture(scope="session", autouse=True)
def prepared_stores_of_run() -> Iterator[None]:
    """New stores are copies of one that was migrated."""
    with prepared_stores.copied():
        yield


@pytest.fixture
def free_port() -> Callable[[], int]:
    """A function that returns another free port of 127.0.0.1 at each call."""
    given: set[int] = set()

    def another() -> int:
        while (port := servers.free_port()) in given:
            pass
        given.add(port)
        return port

    return another


@pytest.fixture
async def nats_server(tmp_path: Path) -> AsyncIterator[StartServer]:
    """Start real servers, each in a folder of its own under tmp_path; all are ended with the test."""
    started: list[NatsServer] = []

    async def start(
        name: str = "hub",
        *,
        config: str = "",
        jetstream: str | None = "sync_interval: always",
        port: int | None = None,
    ) -> NatsServer:
        directory = tmp_path / f"nats-{len(started)}-{name}"
        server = NatsServer(directory, name=name, config=config, jetstream=jetstream, port=port)
        started.append(server)
        await server.start()
        return server

    yield start
    for server in reversed(started):
        await server.kill()


@pytest.fixture(scope="session")
def postgres_server_of_run() -> Iterator[PostgresServer]:
    """The run's own PostgreSQL; a test that asks for it is skipped where none is installed."""
    programs = postgres_server.programs()
    if programs is None:
        pytest.skip("no PostgreSQL 15 or newer is installed (Debian: apt-get install postgresql)")
    server = PostgresServer(programs)
    try:
        server.make()
        server.start()
        yield server
    finally:
        server.remove()


@pytest.fixture(scope="session")
def postgres_template(postgres_server_of_run: PostgresServer) -> str:
    """A database with the hub's whole schema in it, to be copied."""
    made = PostgresStore(postgres_server_of_run, PROJECT)

    async def migrated() -> None:
        async with made.opened():
            pass

    asyncio.run(migrated())
    return made.keep()


@pytest.fixture
def postgres_store(
    postgres_server_of_run: PostgresServer, postgres_template: str, tmp_path: Path
) -> Iterator[PostgresStore]:
    """A database of a test's own."""
    made = PostgresStore(postgres_server_of_run, tmp_path, postgres_template)
    yield made
    made.drop()


@pytest.fixture(params=KINDS)
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    """An empty store of a hub: whatever asks for it runs once on each kind."""
    if request.param == "sqlite":
        return SqliteStore(tmp_path / "hub.db")
    found: Store = request.getfixturevalue("postgres_store")
    return found


@pytest.fixture(params=KINDS)
def store_of_homes(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Where the hub of a test keeps its catalogue, also in programs that the test starts: a whole home on each kind."""
    kind: str = request.param
    if kind == "postgresql":
        found: PostgresStore = request.getfixturevalue("postgres_store")
        monkeypatch.setenv(URL_VARIABLE, found.url)
    return kind
