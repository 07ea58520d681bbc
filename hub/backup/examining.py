"""Reading a backup back: whether everything is there, as it was written, and enough for a hub to come back."""

from pathlib import Path

import msgspec
from sqlalchemy import Connection

from hub import config
from hub.backup import bags, dumps, snapshots
from hub.backup.backup_contents import secret_faults
from hub.backup.backup_targets import MANIFEST, read_backup
from hub.backup.bags import PAYLOAD
from hub.backup.snapshots import Inventory
from hub.home import HubHome, home_at
from hub.keeping.course import Course, Stage
from hub.repair.holdings import Cursor, page_of
from hub.repair.verification import BODIES_AT_ONCE, damaged_of
from hub.storage import store
from protocol.wording import Count, Text


class Examination(msgspec.Struct, frozen=True, kw_only=True):
    """What reading a backup back has shown."""

    backup: str
    digest: str
    made_at_ms: int
    bytes: int
    records: int
    faults: tuple[Text, ...] = ()

    @property
    def is_sound(self) -> bool:
        """Whether everything is there and as it was written."""
        return not self.faults


def examine(backup: Path, course: Course, *, deep: bool = False) -> Examination:
    """Read a backup back and say what is wrong with it; nothing is written.

    Args:
        backup: the folder.
        course: told of the bytes read.
        deep: also check every index and take the digest of every record's body again.

    Raises:
        BadFile: the folder is no backup, or a newer version made it.
        BrokenStore: its manifest or its database cannot be read at all.

    """
    said = read_backup(backup)
    manifest = bags.read_manifest(backup)
    if MANIFEST not in manifest.tags:
        raise bags.damaged(backup, Text(zh=f"{MANIFEST} 不在清单中", en=f"{MANIFEST} is not listed"))
    faults = bags.payload_faults(backup, manifest, course)
    inside = home_at(backup / PAYLOAD)
    faults += secret_faults(inside)
    if not any(path.name in fault.en for path in (inside.database, inside.dump) for fault in faults):
        if inside.dump.exists():
            faults += dump_faults(inside, said.inventory, course, deep=deep)
        else:
            faults += database_faults(inside.database, said.inventory, course, deep=deep)
    return Examination(
        backup=backup.name,
        digest=manifest.digest,
        made_at_ms=said.made_at_ms,
        bytes=sum(path.stat().st_size for path in backup.rglob("*") if path.is_file()),
        records=said.inventory.records,
        faults=tuple(faults),
    )


def dump_faults(inside: HubHome, said: Inventory, course: Course, *, deep: bool = False) -> list[Text]:
    """Read a dump to its end; ``deep`` also puts it back beside its store and reads every record there.

    Raises:
        BadSetting: nothing may be put back there.
        Retryable: the server is away.

    """
    faults = dumps.read_through(inside.dump, course)
    if faults or not deep:
        return faults
    with dumps.scratch(store.url_of(config.load(inside.settings))) as url:
        dumps.put_back(url, inside.dump, course)
        return store_faults(url, said, course)


def store_faults(url: str, said: Inventory, course: Course) -> list[Text]:
    """Hold a store that was put back against what its snapshot held, and every body against its digest."""
    with dumps.reading(url) as connection:
        held = snapshots.inventory(connection)
        return [*inventory_faults(said, held), *_damages(connection, held, course)]


def database_faults(database: Path, said: Inventory, course: Course, *, deep: bool = False) -> list[Text]:
    """Hold a copy of the database against what its snapshot held.

    Raises:
        BrokenStore: it cannot be read at all.

    """
    held, faults = snapshots.examine(database, course, thorough=deep)
    found = [*faults, *inventory_faults(said, held)]
    if deep:
        with snapshots.reading(database, course, alone=True) as connection:
            found += _damages(connection, held, course)
    return found


def _damages(connection: Connection, held: Inventory, course: Course) -> list[Text]:
    found = []
    for done, one in enumerate(held.sites):
        course.at(Stage.EXAMINE, done, len(held.sites))
        if spoilt := _count_damaged(connection, one.site):
            zh, en = f"{one.site}：{spoilt} 条内容已损坏", f"{one.site}: {Count(spoilt):record is|records are} damaged"
            found.append(Text(zh=zh, en=en))
    return found


def _count_damaged(connection: Connection, site: str) -> int:
    count, after = 0, Cursor()
    while page := page_of(connection, site, after, BODIES_AT_ONCE):
        count += len(damaged_of(page))
        after = page[-1].cursor
    return count


def inventory_faults(said: Inventory, held: Inventory) -> list[Text]:
    """Say how two inventories differ, site by site."""
    there, here = ({one.site: one for one in some.sites} for some in (said, held))
    faults = [
        Text(zh=f"{site}：摘要与备份时不同", en=f"{site}: other digests than when it was made")
        for site in sorted(there.keys() | here.keys())
        if there.get(site) != here.get(site)
    ]
    tables = sorted(name for name in said.rows.keys() | held.rows.keys() if said.rows.get(name) != held.rows.get(name))
    faults += [Text(zh=f"表 {name} 的行数不同", en=f"table {name} has another number of rows") for name in tables]
    if said.migrations != held.migrations:
        faults.append(Text(zh="数据库结构的版本不同", en="the schema is of another version"))
    return faults
