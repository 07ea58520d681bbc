"""The hub's home: one folder that holds all that belongs to one hub, and the names of the files in it.

Its files:

    hub.toml                              settings, written by init, kept by people
    hub.db                                catalogue, keyring, watermarks
    keys/hub.nk  keys/county.key          secrets, readable by the owner only
    tls/ca.pem  tls/ca.key                the county's certificate authority; also the face of the enrolment door
    tls/server.pem  tls/server.key        the broker's certificate, renewed by the daemon
    broker/broker.conf  broker/users.conf written by the daemon, never by hand
    broker/data/  broker/broker.log       the broker's own
    backups.json  drills/                 what is known of the backups, reports of restore drills
    words/gazetteer.csv  synonyms.csv     the county's tables of places and equal words, yours to edit
    words/rules.csv  disputes.csv         who may see what, and how long mediation files are kept; yours to edit
    words/disposal.csv                    how long personal data of requests are kept; yours to edit
    words/versions/                       those that were taken into force
    window/copies/  window/certificates/  pages that holders approved, and the certificates made of them
    window/brought/                       pieces of such pages that couriers brought, until all are there
    transfers/                            packages that were received, and papers of the handover
    hub.dump                              in a backup only: the catalogue, if it is on PostgreSQL
    moving.json                           there while the catalogue moves to PostgreSQL
"""

import argparse
import os
from pathlib import Path

import msgspec

HOME_VARIABLE = "DANGLIAN_HOME"
HOME_DEFAULT = "danglian-hub"


SCHEMA: tuple[str, Path] = ("hub", Path(__file__).with_name("migrations"))
"""The hub's own tables, for ``replication.database.opened``, after those of replication."""


class HubHome(msgspec.Struct, frozen=True, kw_only=True):
    """Where everything is; made by ``home_at``."""

    root: Path
    settings: Path
    database: Path
    dump: Path
    hub_seed: Path
    county_key: Path
    authority: Path
    authority_key: Path
    server: Path
    server_key: Path
    broker: Path
    broker_config: Path
    broker_users: Path
    broker_store: Path
    broker_log: Path
    broker_pid: Path
    broker_console: Path
    backups: Path
    drills: Path
    words: Path
    transfers: Path
    moving: Path
    window: Path
    certificates: Path
    brought: Path


def home_at(root: Path) -> HubHome:
    """Return the names of the files under ``root``; nothing is made."""
    root = root.absolute()
    keys, tls, broker = root / "keys", root / "tls", root / "broker"
    return HubHome(
        root=root,
        settings=root / "hub.toml",
        database=root / "hub.db",
        dump=root / "hub.dump",
        hub_seed=keys / "hub.nk",
        county_key=keys / "county.key",
        authority=tls / "ca.pem",
        authority_key=tls / "ca.key",
        server=tls / "server.pem",
        server_key=tls / "server.key",
        broker=broker,
        broker_config=broker / "broker.conf",
        broker_users=broker / "users.conf",
        broker_store=broker / "data",
        broker_log=broker / "broker.log",
        broker_pid=broker / "broker.pid",
        broker_console=broker / "console.log",
        backups=root / "backups.json",
        drills=root / "drills",
        words=root / "words",
        transfers=root / "transfers",
        moving=root / "moving.json",
        window=root / "window",
        certificates=root / "window" / "certificates",
        brought=root / "window" / "brought",
    )


def add_home_option(parser: argparse.ArgumentParser) -> None:
    """Give a command its ``--home``."""
    parser.add_argument(
        "--home",
        type=Path,
        metavar="DIR",
        default=Path(os.environ.get(HOME_VARIABLE) or HOME_DEFAULT),
        help=f"县级枢纽目录（默认取环境变量 {HOME_VARIABLE}，否则 ./{HOME_DEFAULT}）"
        f" / the hub's home (default: ${HOME_VARIABLE}, else ./{HOME_DEFAULT})",
    )
