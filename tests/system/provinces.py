"""A small province of real programs: three brokers in a cluster, one PostgreSQL, several workers, and nodes."""

import asyncio
import shutil
import time
from collections.abc import Callable
from contextlib import AsyncExitStack
from pathlib import Path

import psycopg

from tests.servers import NatsServer
from tests.system.programs import Program, until

PARTS = 6


class Province:
    """Everything that a test of several workers needs; ``stack`` ends whatever still runs."""

    def __init__(self, root: Path, url: str, free_port: Callable[[], int], stack: AsyncExitStack) -> None:
        self.root = root
        self.url = url
        self.brokers: list[NatsServer] = []
        self.workers: list[Program] = []
        self.nodes: dict[str, Program] = {}
        self._free_port = free_port
        self._stack = stack
        self._door = free_port()

    async def open(self, workers: int) -> None:
        """Make the first home, start the brokers with its keys, and as many workers."""
        first = Program("hub", self.root / "worker-0")
        await first.run(
            *("init", "--county", "330523000000", "--name", "安吉县档案馆", "--host", "127.0.0.1"),
            *("--listen", "127.0.0.1", "--enrol-port", str(self._door)),
        )
        await self._start_brokers(first.home)
        settings = first.home / "hub.toml"
        urls = ", ".join(f'"tls://127.0.0.1:{broker.port}"' for broker in self.brokers)
        added = f'[external-broker]\nurls = [{urls}]\nca-file = "tls/ca.pem"\nreplicas = 3\n'
        text = f"{settings.read_text(encoding='utf-8')}\n{added}\n[workers]\nparts = {PARTS}\n"
        settings.write_text(text, encoding="utf-8")
        for number in range(workers):
            worker = first if not number else self._copied(first, number)
            self.workers.append(worker)
            self._stack.push_async_callback(worker.stop)
            await worker.start()
        await until("the workers to listen", lambda: all("hub_ready" in worker.tail() for worker in self.workers))

    def _copied(self, first: Program, number: int) -> Program:
        worker = Program("hub", self.root / f"worker-{number}")
        shutil.copytree(first.home, worker.home, ignore=shutil.ignore_patterns("running.lock*"))
        settings = worker.home / "hub.toml"
        text = settings.read_text(encoding="utf-8").replace(str(self._door), str(self._free_port()))
        settings.write_text(text, encoding="utf-8")
        return worker

    async def _start_brokers(self, home: Path) -> None:
        routes = [self._free_port() for _ in range(3)]
        listed = ", ".join(f'"nats://127.0.0.1:{port}"' for port in routes)
        for number, route in enumerate(routes):
            folder = self.root / f"broker-{number}"
            folder.mkdir()
            shutil.copy(home / "broker" / "users.conf", folder / "users.conf")
            config = (
                f'cluster {{ name: province, listen: "127.0.0.1:{route}", routes: [{listed}] }}\n'
                f'tls {{ cert_file: "{home}/tls/server.pem", key_file: "{home}/tls/server.key", timeout: 5 }}\n'
                'accounts { ARCH { jetstream: enabled, include "users.conf" }, SYS { users: [] } }\n'
                "system_account: SYS\nping_interval: 20s\nping_max: 2\nmax_payload: 1048576"
            )
            jetstream = "sync_interval: always\n  strict: true\n  max_file_store: 20GB"
            broker = NatsServer(
                folder, name=f"broker-{number}", config=config, jetstream=jetstream, port=self._free_port()
            )
            self._stack.push_async_callback(broker.kill)
            self.brokers.append(broker)
        await asyncio.gather(*(broker.start() for broker in self.brokers))

    async def _join(self, site: str) -> None:
        issued = await self.workers[0].json("enrol", site, "--name", "档案室")
        node = Program("node", self.root / site)
        await node.run("init", "--hub", f"127.0.0.1:{self._door}", "--code", issued["code"])
        self._stack.push_async_callback(node.stop)
        self.nodes[site] = node

    async def join(self, *sites: str) -> None:
        """Enrol the nodes of some sites, and have the brokers let them in; they are not started."""
        hub = self.workers[0]
        await asyncio.gather(*(self._join(site) for site in sites))
        users = hub.home / "broker" / "users.conf"
        await until("the users to be written", lambda: users.read_text("utf-8").count("nkey") == len(self.nodes) + 1)
        for broker in self.brokers:
            shutil.copy(users, broker.directory / "users.conf")
            broker.reload()


class Watch:
    """Looks at the watermarks as an outsider, and keeps the longest time for which each stood still."""

    EVERY_S = 0.05

    def __init__(self, url: str) -> None:
        self._url = url
        self.phase = "load"
        """What is being tried now; pauses count for the phase in which they end."""
        self.longest_s: dict[str, float] = {}
        """By phase: the longest time without any progress at all."""
        self.longest_of_site_s: dict[str, float] = {}
        """By phase: the longest time for which one site made none."""
        self.applied = 0
        self.stands: dict[str, int] = {}
        self.began_at = 0.0
        self.ended_at = 0.0

    def told(self, total: int) -> str:
        """Return what was seen, in words."""
        lines = [
            f"{total} records applied in {self.ended_at - self.began_at:.1f} s; longest pause of all, of one site:"
        ]
        lines += [
            f"  {phase}: {self.longest_s.get(phase, 0.0):.2f} s, {seen_s:.2f} s"
            for phase, seen_s in self.longest_of_site_s.items()
        ]
        return "\n".join(lines)

    async def run(self, sites: int, records: int) -> None:
        """Look until so many sites stand at so many records at least."""
        moved_at: dict[str, float] = {}
        stands = self.stands
        async with await psycopg.AsyncConnection.connect(self._url, autocommit=True) as connection:
            while len(stands) < sites or min(stands.values()) < records:
                rows = await (await connection.execute("SELECT site, position FROM watermark")).fetchall()
                now = time.monotonic()
                for site, position in rows:
                    if position == stands.get(site, 0):
                        continue
                    if site in moved_at:
                        self._note(self.longest_of_site_s, now - moved_at[site])
                    if self.ended_at:
                        self._note(self.longest_s, now - self.ended_at)
                    stands[site], moved_at[site], self.ended_at = position, now, now
                    self.began_at = self.began_at or now
                self.applied = sum(stands.values())
                await asyncio.sleep(self.EVERY_S)

    def _note(self, longest_s: dict[str, float], seen_s: float) -> None:
        longest_s[self.phase] = max(longest_s.get(self.phase, 0.0), seen_s)
