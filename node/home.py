"""The node's home: one folder that holds all that belongs to one installation, and the names of the files in it.

Its files:

    node.toml                settings, written by init, kept by people
    node.db                  records, search index, outbox
    node.db.incarnation      shows whether node.db was put back from a backup (``node.incarnation``)
    restore                  there while the node has to be restored from the hub (``node.restoration``)
    keys/node.nk             the key of this installation, readable by its owner only
    keys/county.key          the county's secret under which identity numbers are hashed
    tls/ca.pem               certificates that vouch for the broker
    spool/                   copies of the files that are being read just now
    transfers/               packages that are handed over, and papers of the handover
    kept/                    packages of other sites that this one keeps for them
    catalogues/              the folder that is watched unless node.toml names others
    scans/                   where scanned pages lie unless node.toml names other folders
"""

import argparse
import os
from pathlib import Path

import msgspec

HOME_VARIABLE = "DANGLIAN_HOME"
HOME_DEFAULT = "danglian-node"
CATALOGUES = "catalogues"
"""Name of the folder that is watched unless the settings say otherwise."""

SCANS = "scans"
"""Name of the folder of scanned pages unless the settings say otherwise."""


class NodeHome(msgspec.Struct, frozen=True, kw_only=True):
    """Where everything is; made by ``home_at``."""

    root: Path
    settings: Path
    database: Path
    incarnation: Path
    restore_mark: Path
    seed: Path
    county_key: Path
    authority: Path
    spool: Path
    catalogues: Path
    transfers: Path
    kept: Path


def home_at(root: Path) -> NodeHome:
    """Return the names of the files under ``root``; nothing is made."""
    root = root.absolute()
    return NodeHome(
        root=root,
        settings=root / "node.toml",
        database=root / "node.db",
        incarnation=root / "node.db.incarnation",
        restore_mark=root / "restore",
        seed=root / "keys" / "node.nk",
        county_key=root / "keys" / "county.key",
        authority=root / "tls" / "ca.pem",
        spool=root / "spool",
        catalogues=root / CATALOGUES,
        transfers=root / "transfers",
        kept=root / "kept",
    )


def add_home_option(parser: argparse.ArgumentParser) -> None:
    """Give a command its ``--home``."""
    parser.add_argument(
        "--home",
        type=Path,
        default=None,
        metavar="DIR",
        help=f"本站的目录，默认取 {HOME_VARIABLE} 或 ./{HOME_DEFAULT} · the node's home",
    )


def home_of(args: argparse.Namespace) -> NodeHome:
    """Return the home that a command line or the environment names."""
    given: Path | None = args.home
    return home_at(given if given is not None else Path(os.environ.get(HOME_VARIABLE) or HOME_DEFAULT))
