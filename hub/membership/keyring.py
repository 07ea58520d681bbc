"""The keyring: which installation speaks for which site, and which sites the county expects.

- Only keys that are enrolled and not revoked count; a revoked key stays in the table, so that it never comes back.
- ``Keyring`` holds the keys in memory, because every frame is checked against them. ``refresh`` reads them again; the
  daemon does so after each admission and every ``KEYRING_POLL_S``, since commands change the table from outside.
- The statements stand first, the steps that run inside a transaction next, the memory last.
"""

import datetime
from collections.abc import Collection, Mapping

import msgspec
from sqlalchemy import Connection, Insert, Row, Select, Update, insert, select, update

from hub.membership.keyring_tables import enrolled_node, expected_site
from protocol.sites import Site, parse_site
from replication.database import Database
from replication.dialects import read_pairs

KEYRING_POLL_S = 2.0
"""Seconds between looks for changes that a command has made: a revoked node is cut off within this and a reload."""


class EnrolledNode(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One installation, known by its key."""

    public_key: str
    site: str
    name: str = ""
    software: str = ""
    enrolled_at_ms: int
    revoked_at_ms: int | None = None
    revoked_because: str = ""


class ExpectedSite(msgspec.Struct, frozen=True, kw_only=True):
    """A site that the county counts on."""

    site: str
    name: str
    expected_since: datetime.date


def nodes_statement(*, site: str | None = None, with_revoked: bool = False) -> Select[tuple[object, ...]]:
    """Select installations, those of one site or of all, in the order of sites and of their coming."""
    statement = select(enrolled_node).order_by(enrolled_node.c.site, enrolled_node.c.enrolled_at_ms)
    if site is not None:
        statement = statement.where(enrolled_node.c.site == site)
    return statement if with_revoked else statement.where(enrolled_node.c.revoked_at_ms.is_(None))


def node_statement(public_key: str) -> Select[tuple[object, ...]]:
    """Select one installation, revoked or not."""
    return select(enrolled_node).where(enrolled_node.c.public_key == public_key)


def revocation(public_keys: Collection[str], now_ms: int, because: str) -> Update:
    """Revoke installations; those revoked before keep their date and reason."""
    return (
        update(enrolled_node)
        .where(enrolled_node.c.public_key.in_(public_keys), enrolled_node.c.revoked_at_ms.is_(None))
        .values(revoked_at_ms=now_ms, revoked_because=because)
    )


def expectation(site: str, name: str, since: datetime.date) -> Insert:
    """Expect a site from now on."""
    return insert(expected_site).values(site=site, name=name, expected_since=since.isoformat())


def renaming(site: str, name: str) -> Update:
    """Call an expected site by another name; an empty name changes nothing."""
    return update(expected_site).where(expected_site.c.site == site).values(name=name or expected_site.c.name)


def expected_statement(site: str | None = None) -> Select[tuple[str, str, str]]:
    """Select expected sites in the order of their codes."""
    columns = (expected_site.c.site, expected_site.c.name, expected_site.c.expected_since)
    statement = select(*columns).order_by(expected_site.c.site)
    return statement if site is None else statement.where(expected_site.c.site == site)


def nodes(connection: Connection, *, site: Site | None = None, with_revoked: bool = False) -> list[EnrolledNode]:
    """Return installations, those of one site or of all."""
    code = None if site is None else site.code
    return [_node(row) for row in connection.execute(nodes_statement(site=code, with_revoked=with_revoked))]


def node(connection: Connection, public_key: str) -> EnrolledNode | None:
    """Return one installation, revoked or not, or None for a key that was never admitted."""
    row = connection.execute(node_statement(public_key)).one_or_none()
    return None if row is None else _node(row)


def expected_sites(connection: Connection) -> list[ExpectedSite]:
    """Return every site that the county counts on."""
    return [
        ExpectedSite(site=row.site, name=row.name, expected_since=datetime.date.fromisoformat(row.expected_since))
        for row in connection.execute(expected_statement())
    ]


def site_names(connection: Connection) -> dict[str, str]:
    """Return what the county calls its sites, by their codes."""
    return read_pairs(connection, "expected_site", "site", "name")


def keys_now(connection: Connection, site: str) -> frozenset[str]:
    """Return the keys that may write and sign for a site now: those that are enrolled and not revoked."""
    return frozenset(one.public_key for one in nodes(connection, site=parse_site(site)))


def expected_name(connection: Connection, site: Site) -> str:
    """Return what the county calls a site, or "" if it does not expect it."""
    row = connection.execute(expected_statement(site.code)).one_or_none()
    return "" if row is None else str(row.name)


def expect(connection: Connection, site: Site, name: str, since: datetime.date) -> None:
    """Expect a site from now on; one that is expected already keeps its date, and its name if none is given."""
    if not connection.execute(renaming(site.code, name)).rowcount:
        connection.execute(expectation(site.code, name, since))


def revoke(connection: Connection, public_keys: Collection[str], now_ms: int, because: str) -> int:
    """Revoke installations; return how many were still good."""
    return connection.execute(revocation(public_keys, now_ms, because)).rowcount


def _node(row: Row[tuple[object, ...]]) -> EnrolledNode:
    return EnrolledNode(
        public_key=row.public_key,
        site=row.site,
        name=row.name,
        software=row.software,
        enrolled_at_ms=row.enrolled_at_ms,
        revoked_at_ms=row.revoked_at_ms,
        revoked_because=row.revoked_because or "",
    )


class Keyring:
    """The good keys of every site, in memory; read from ``database`` by ``refresh``."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._nodes: tuple[EnrolledNode, ...] = ()
        self._keys: Mapping[str, frozenset[str]] = {}

    @property
    def nodes(self) -> tuple[EnrolledNode, ...]:
        """Every installation that is not revoked."""
        return self._nodes

    @property
    def users(self) -> list[tuple[str, Site]]:
        """Who may open a connection to the broker, and for which site."""
        return [(found.public_key, parse_site(found.site)) for found in self._nodes]

    def keys_of(self, site: Site) -> frozenset[str]:
        """Return the public keys that may speak for a site now."""
        return self._keys.get(site.code, frozenset())

    async def refresh(self) -> bool:
        """Read the keyring again; tell whether it changed."""
        found = tuple(await self._database.read(nodes))
        if found == self._nodes:
            return False
        keys: dict[str, set[str]] = {}
        for one in found:
            keys.setdefault(one.site, set()).add(one.public_key)
        self._nodes, self._keys = found, {site: frozenset(some) for site, some in keys.items()}
        return True
