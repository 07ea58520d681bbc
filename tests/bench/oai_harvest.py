"""The peer of replication: an OAI-PMH provider (pyoai) harvested by Sickle into the same plain index.

The provider has the rows in a SQLite table already; reading a spreadsheet is not on its bill. Both libraries come with
the dependency group ``bench``, and where it is not installed the table of figures leaves the peer out.

Worker: ``python -m tests.bench.oai_harvest provide FILE PORT PAGE`` or ``harvest URL FILE PAGE``.
"""

import datetime
import importlib
import importlib.util
import sqlite3
import sys
import time
import urllib.parse
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Protocol

from tests.bench.plain_index import COLUMNS, Entry, PlainIndex, entry_of
from tests.bench.programs import running, say, worker
from tests.bench.rows import record, rows
from tests.servers import free_port

NAMESPACE = "urn:danglian:bench"

PAGE_ROWS = 1_000
"""Records a page: with pyoai this is about a third faster than the usual 100."""

_DAY = datetime.datetime(2026, 1, 1)  # noqa: DTZ001 - pyoai writes naive datetimes as UTC
_STARTING_S = 10.0


def available() -> bool:
    """Tell whether the peer's libraries are installed."""
    return all(importlib.util.find_spec(name) for name in ("oaipmh", "sickle", "waitress", "lxml"))


def fill(path: Path, count: int) -> None:
    """Make the provider's table."""
    connection = sqlite3.connect(path)
    connection.execute(f"CREATE TABLE entry ({', '.join(COLUMNS)})")
    marks = ", ".join("?" * len(COLUMNS))
    entries = (entry_of(record(cells, "330599000000")) for cells in rows(count))
    connection.executemany(f"INSERT INTO entry VALUES ({marks})", entries)
    connection.commit()
    connection.close()


class Repository:
    """The provider's answers, by the names that pyoai calls."""

    def __init__(self, path: Path, page: int, parts: ModuleType) -> None:
        self._connection = sqlite3.connect(path, check_same_thread=False)
        self._page, self._parts = page, parts

    def identify(self) -> object:
        """Who we are."""
        form = "YYYY-MM-DDThh:mm:ssZ"
        return self._parts.Identify("bench", "http://127.0.0.1", "2.0", ["bench@localhost"], _DAY, "no", form, [])

    def listMetadataFormats(self, **_: object) -> list[tuple[str, str, str]]:  # noqa: N802 - pyoai's name
        """The one format."""
        return [("entry", NAMESPACE, NAMESPACE)]

    def listRecords(  # noqa: N802 - pyoai's name
        self, cursor: int = 0, batch_size: int | None = None, **_: object
    ) -> Iterator[tuple[object, object, None]]:
        """One page of records."""
        limit = batch_size or self._page
        for found in self._connection.execute("SELECT * FROM entry WHERE rowid > ? LIMIT ?", (cursor, limit)):
            header = self._parts.Header(None, found[0], _DAY, [], False)
            yield header, self._parts.Metadata(None, dict(zip(COLUMNS, found, strict=True))), None


class _Metadata(Protocol):
    """What pyoai gives to be written."""

    def getMap(self) -> dict[str, object]:  # noqa: N802 - pyoai's name
        """The fields of a record."""


def _writer(tree: ModuleType) -> Callable[[object, _Metadata], None]:
    def write(element: object, metadata: _Metadata) -> None:
        entry = tree.SubElement(element, f"{{{NAMESPACE}}}entry", nsmap={"b": NAMESPACE})
        for column, value in metadata.getMap().items():
            tree.SubElement(entry, f"{{{NAMESPACE}}}{column}").text = "" if value is None else str(value)

    return write


def provide(path: Path, port: int, page: int) -> None:
    """Serve the table until terminated."""
    # pyoai calls cgi.parse_qs, which left Python with 3.8, from a module that left with 3.13.
    substitute = ModuleType("cgi")
    vars(substitute)["parse_qs"] = urllib.parse.parse_qs
    sys.modules["cgi"] = substitute
    oai, parts, formats, tree, web = map(
        importlib.import_module, ("oaipmh.server", "oaipmh.common", "oaipmh.metadata", "lxml.etree", "waitress")
    )
    registry = formats.MetadataRegistry()
    registry.registerWriter("entry", _writer(tree))
    server = oai.BatchingServer(Repository(path, page, parts), registry, resumption_batch_size=page)

    def answer(environment: dict[str, str], start: Callable[[str, list[tuple[str, str]]], None]) -> Iterable[bytes]:
        asked = {key: values[0] for key, values in urllib.parse.parse_qs(environment["QUERY_STRING"]).items()}
        page_xml = server.handleRequest(asked)
        body = page_xml if isinstance(page_xml, bytes) else page_xml.encode()
        start("200 OK", [("Content-Type", "text/xml; charset=utf-8"), ("Content-Length", str(len(body)))])
        return [body]

    serving = web.create_server(answer, host="127.0.0.1", port=port, threads=1)
    say("ready")
    serving.run()


def harvest(url: str, path: Path, page: int) -> None:
    """Take everything that the provider has into the plain index, one transaction a page."""
    sickle = importlib.import_module("sickle")
    index, entries = PlainIndex(path), list[Entry]()
    say("started")
    for found in sickle.Sickle(url).ListRecords(metadataPrefix="entry"):
        values = found.metadata
        entries.append(tuple(values[column][0] for column in COLUMNS))
        if len(entries) == page:
            index.add(entries)
            entries = []
    if entries:
        index.add(entries)
    say("done", index.count)
    index.close()


async def rate(folder: Path, count: int) -> float:
    """Rows a second from the first request to the last row searchable."""
    table, port = folder / f"provider-{count}.db", free_port()
    if not table.exists():
        fill(table, count)
    index = folder / f"harvest-{time.monotonic_ns()}.db"
    providing = worker("oai_harvest", "provide", table, port, PAGE_ROWS)
    harvesting = worker("oai_harvest", "harvest", f"http://127.0.0.1:{port}/oai", index, PAGE_ROWS)
    async with running(*providing, log=folder / "provider.log") as provider:
        await provider.heard("ready", _STARTING_S)
        async with running(*harvesting, log=folder / "harvest.log") as harvester:
            started, done = await harvester.heard("started"), await harvester.heard("done")
    if int(done.values[0]) != count:
        raise RuntimeError(f"the harvest brought {done.values[0]:.0f} of {count} rows")
    return count / (done.at - started.at)


if __name__ == "__main__":
    if sys.argv[1] == "provide":
        provide(Path(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4]))
    else:
        harvest(sys.argv[2], Path(sys.argv[3]), int(sys.argv[4]))
