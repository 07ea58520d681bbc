"""What a hub needs to come back beside its database: settings, keys, tables of words, and the papers of the window.

Not the broker's stream: the nodes send again whatever a restored hub has not applied (promises 3 to 5). Not the log.
"""

import ssl
from collections.abc import Callable
from pathlib import Path

from hub import config
from hub.config import HubConfig
from hub.home import HubHome
from protocol.errors import BadSetting, DanglianError
from protocol.wording import Text
from replication.county_key import read_county_key
from replication.keys import load_identity

SMALL_FILE_BYTES_MAX = 16 * 1024 * 1024
"""Bytes of a file other than the database: a key has some hundred, the broker's users some hundred thousand."""


def small_files(home: HubHome, settings: HubConfig) -> dict[str, bytes]:
    """Read what a hub needs beside its database, by path within the home."""
    folders = (home.hub_seed.parent, home.authority.parent, home.words)
    wanted = {home.settings, home.broker_config, home.broker_users, settings.broker_ca(home)}
    wanted |= {path for folder in folders for path in folder.rglob("*") if not path.name.startswith(".")}
    found = {}
    for path in sorted(wanted):
        if not path.is_file() or not path.is_relative_to(home.root):
            continue
        if path.stat().st_size > SMALL_FILE_BYTES_MAX:
            raise BadSetting(
                Text(zh=f"{path} 过大，不像是密钥或证书", en=f"{path} is too large for a key or a certificate"),
                Text(zh="请把它移出该文件夹。", en="Move it out of that folder."),
            )
        found[path.relative_to(home.root).as_posix()] = path.read_bytes()
    return found


def window_files(home: HubHome) -> list[Path]:
    """Return the files of the window: certificates that were made, those that wait for a seal, pages on their way.

    They are many and large, and only those that changed are copied (``window_papers``). Take them after the snapshot of
    the store: a certificate's file is written before its line is, so whatever the snapshot knows of is there.
    """
    return [
        path
        for path in sorted(home.window.rglob("*"))
        if path.is_file() and not any(part.startswith(".") for part in path.relative_to(home.window).parts)
    ]


def secret_faults(home: HubHome) -> list[Text]:
    """Say what of the settings, keys and certificates of a home is missing, damaged or does not belong together."""
    faults = []
    checks: tuple[Callable[[], object], ...] = (
        lambda: config.load(home.settings),
        lambda: load_identity(home.hub_seed),
        lambda: read_county_key(home.county_key),
    )
    for check in checks:
        try:
            check()
        except DanglianError as error:
            faults.append(error.reason)
    for certificate, key in ((home.authority, home.authority_key), (home.server, home.server_key)):
        try:
            ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(certificate, key)
        except OSError as error:
            zh, en = f"证书 {certificate.name} 与密钥不可用：{error}", f"{certificate.name} and its key: {error}"
            faults.append(Text(zh=zh, en=en))
    return faults
