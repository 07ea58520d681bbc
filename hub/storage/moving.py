"""A move of the catalogue from the home's file to PostgreSQL: what stands while it is under way, and the switch.

- The marker ``moving.json`` in the home says that the file must not change any more: what is copied stays true.
- The table ``store_move`` on PostgreSQL says how far the copy is. As long as it stands, nobody works with that store.
- The switch takes both away. It is four steps in an order in which each may be killed and done again.
"""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Final

import msgspec
from sqlalchemy import Connection, inspect

from hub.home import HubHome
from protocol.county_time import stamp
from protocol.errors import BadSetting, BrokenStore
from protocol.wording import Text
from replication.database import Database
from replication.files import PRIVATE_MODE, write_whole
from replication.wall_clock import clock_ms

MOVE_TABLE: Final = "store_move"
"""Stands in a store that a catalogue is being moved into."""

_GO_ON = Text(
    zh="请用 danglian-hub migrate-store --to 地址 继续并以 --switch 切换；放弃请用 --abandon。",
    en="Go on with danglian-hub migrate-store --to URL and end it with --switch, or give it up with --abandon.",
)


class Moving(msgspec.Struct, frozen=True, kw_only=True):
    """The marker."""

    to: str
    """Where the catalogue goes; empty if the environment says it."""
    began_at_ms: int
    verified_at_ms: int | None = None
    """When both stores were found equal."""


def read_marker(home: HubHome) -> Moving | None:
    """Return the marker of a home; None if no move is under way.

    Raises:
        BrokenStore: the file cannot be read.

    """
    try:
        return msgspec.json.decode(home.moving.read_bytes(), type=Moving)
    except FileNotFoundError:
        return None
    except (OSError, msgspec.DecodeError) as error:
        raise BrokenStore(
            Text(zh=f"无法读取 {home.moving}：{error}", en=f"cannot read {home.moving}: {error}"), _GO_ON
        ) from error


def write_marker(home: HubHome, marker: Moving) -> None:
    """Write the marker of a home."""
    write_whole(home.moving, msgspec.json.format(msgspec.json.encode(marker)) + b"\n", mode=PRIVATE_MODE)


def check_not_leaving(home: HubHome) -> None:
    """Go on only if the file may be changed.

    Raises:
        BadSetting: its content is being moved.

    """
    if read_marker(home) is not None:
        raise BadSetting(
            Text(zh="统一目录正在迁往 PostgreSQL，迁移期间不能改动。", en="the catalogue is being moved to PostgreSQL"),
            _GO_ON,
        )


async def check_arrived(database: Database) -> None:
    """Go on only if a store on PostgreSQL is whole.

    Raises:
        BadSetting: a catalogue is still being moved into it.

    """
    if await database.read(is_arriving):
        raise BadSetting(
            Text(
                zh="该 PostgreSQL 数据库中的目录尚未迁移完成。", en="a catalogue is still being moved into this store"
            ),
            _GO_ON,
        )


def is_arriving(connection: Connection) -> bool:
    """Tell whether a catalogue is being moved into a store."""
    return inspect(connection).has_table(MOVE_TABLE)


def switch(home: HubHome, url_to_write: str, end_move: Callable[[], None]) -> Path:
    """Have the hub use the new store from now on; returns where the old file is.

    Args:
        home: claimed by the caller; its marker says that both stores were found equal.
        url_to_write: what ``hub.toml`` shall say; empty if the environment says it.
        end_move: takes ``store_move`` away.

    Raises:
        BadSetting: the two were not compared yet, or ``hub.toml`` has a section of its own for that.

    """
    marker = read_marker(home)
    if marker is None or marker.verified_at_ms is None:
        raise BadSetting(
            Text(zh="尚未迁移并核对完毕，不能切换。", en="nothing was moved and verified that could be switched to"),
            _GO_ON,
        )
    if url_to_write:
        _write_url(home, url_to_write)
    aside = _set_aside(home)
    end_move()
    home.moving.unlink(missing_ok=True)
    return aside


def _write_url(home: HubHome, url: str) -> None:
    text = home.settings.read_text(encoding="utf-8")
    line = f"url = {json.dumps(url)}"
    if line in text:
        return
    if "[database]" in text:
        raise BadSetting(
            Text(
                zh="hub.toml 中已有 [database]，不会改动。", en="hub.toml has a [database] section, which is left alone"
            ),
            Text(
                zh="请在其中写入 url，或设置环境变量 DANGLIAN_DATABASE_URL，再运行 --switch。",
                en="Write url there, or set DANGLIAN_DATABASE_URL, and run --switch again.",
            ),
        )
    # It may hold a password from now on.
    added = f"\n# 统一目录所在的 PostgreSQL / where the catalogue is\n[database]\n{line}\n"
    write_whole(home.settings, (text.rstrip("\n") + "\n" + added).encode("utf-8"), mode=PRIVATE_MODE)


def _set_aside(home: HubHome) -> Path:
    """Move the old file out of the way, so that nobody takes it for the catalogue; it is never deleted."""
    folder = home.root / "aside"
    if not home.database.exists():
        return folder
    folder.mkdir(exist_ok=True)
    aside = folder / f"hub-{stamp(clock_ms())}.db"
    for suffix in ("-wal", "-shm", ""):
        path = home.database.with_name(home.database.name + suffix)
        if path.exists():
            path.replace(aside.with_name(aside.name + suffix))
    return aside
