"""A small county of real programs: a hub with its broker, and nodes that enrol with it."""

import json
import sqlite3
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack, closing
from pathlib import Path
from typing import Any

import psycopg

from hub import config
from hub.storage import store
from replication.dialects import spoken
from tests.node_site import rows, write_csv
from tests.system.programs import Program, until

__all__ = ["County", "rows", "write_csv"]


class County:
    """One hub and its nodes; ``stack`` stops whatever still runs."""

    def __init__(self, root: Path, free_port: Callable[[], int], stack: AsyncExitStack) -> None:
        self.root = root
        self.hub = Program("hub", root / "hub")
        self.nodes: dict[str, Program] = {}
        self._ports = (free_port(), free_port())
        self._stack = stack

    async def open(self) -> None:
        """Make the hub and start it."""
        port, door = self._ports
        await self.hub.run(
            *("init", "--county", "330523000000", "--name", "安吉县档案馆", "--host", "127.0.0.1"),
            *("--listen", "127.0.0.1", "--port", str(port), "--enrol-port", str(door)),
        )
        self._stack.push_async_callback(self.hub.stop)
        await self.start_hub()

    async def start_hub(self) -> None:
        """Start the hub and wait until it listens."""
        seen = self.hub.log.read_text(encoding="utf-8").count("hub_ready") if self.hub.log.exists() else 0
        await self.hub.start()
        await until("the hub to listen", lambda: self.hub.log.read_text(encoding="utf-8").count("hub_ready") > seen)

    async def join(self, site: str, name: str = "", *options: str, start: bool = True) -> Program:
        """Enrol a node of a site in a folder of its own, and start it."""
        issued = await self.hub.json("enrol", site, "--name", "档案室", *options)
        node = Program("node", self.root / (name or site))
        await node.run("init", "--hub", f"127.0.0.1:{self._ports[1]}", "--code", issued["code"])
        self._stack.push_async_callback(node.stop)
        self.nodes[name or site] = node
        if start:
            await node.start()
        return node

    async def settled(self, *sites: str, holding: int = 1, patience_s: float = 60.0) -> list[dict[str, Any]]:
        """Wait until the hub holds so many records of these sites and calls them in sync; return their lines.

        A site that has just started is in sync with nothing at all, before it has looked into its folder.
        """

        async def look() -> list[dict[str, Any]] | None:
            lines = [line for line in await self.board() if line["site"] in sites]
            done = [one for one in lines if one["word"] == "in_sync" and one.get("hub_records", 0) >= holding]
            return lines if len(done) == len(sites) else None

        found: list[dict[str, Any]] = await until(f"{sites} to be in sync", look, patience_s)
        return found

    async def board(self) -> list[dict[str, Any]]:
        """Return the board."""
        told = await self.hub.json("sites", expect=None)
        lines: list[dict[str, Any]] = told["sites"]
        return lines

    def held(self, site: str) -> dict[str, str]:
        """Return title and record id of everything that the hub holds of a site."""
        found = fetched(self.hub.home / "hub.db", "SELECT body FROM entry WHERE site = ? AND body IS NOT NULL", (site,))
        bodies = [json.loads(body) for (body,) in found]
        return {body["title"]: body["record_id"] for body in bodies}


def url_for(path: Path) -> str:
    """Return where the catalogue of a hub is that has no file, else nothing."""
    return store.url_of(config.load(path.with_name("hub.toml"))) if path.name == "hub.db" else ""


def fetched(path: Path, sql: str, values: Sequence[object] = ()) -> list[tuple[Any, ...]]:
    """Read from the store of a program, whether it runs or not."""
    url = url_for(path)
    if url:
        with psycopg.connect(url) as on_server:
            return on_server.execute(spoken(sql).encode(), values).fetchall()
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=20)) as connection:
        return connection.execute(sql, values).fetchall()


def changed(path: Path, sql: str, values: Sequence[object] = ()) -> int:
    """Change something in a store behind its program's back."""
    url = url_for(path)
    if url:
        with psycopg.connect(url) as on_server:
            return on_server.execute(spoken(sql).encode(), values).rowcount
    with closing(sqlite3.connect(path, timeout=20)) as connection, connection:
        return connection.execute(sql, values).rowcount
