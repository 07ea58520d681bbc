"""Renewal: an empty catalogue in place, the old one aside, and nothing lost that nodes cannot tell again."""

import datetime
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import Connection, insert

from hub.home import HubHome, home_at
from hub.membership import keyring
from hub.membership.broker_config import users_text
from hub.membership.keyring_tables import enrolled_node
from hub.repair import rebuilds
from hub.repair.comparisons import Comparison, Sameness, keep
from hub.searching.federation import sites_in_question
from hub.searching.gathering import Gathering
from hub.searching.search import Query
from hub.sites.board import Word, board
from hub.storage.renewal import renew
from hub.tables import apart
from protocol.calls import Outcome
from replication.database import opened
from replication.watermarks import retire
from tests.builders import identity
from tests.catalogue import VILLAGE, described, fictitious
from tests.hubs import MIGRATIONS, Hub

NOW_MS = 1_790_000_000_000
KEY = identity(7).public_key


@pytest.fixture
async def home(tmp_path: Path) -> HubHome:
    made = home_at(tmp_path)
    async with opened(made.database, MIGRATIONS) as database:
        hub = Hub(database)
        await hub.tell(*(described(seq, fictitious(seq)) for seq in range(1, 31)))

        def known(connection: Connection) -> None:
            keyring.expect(connection, VILLAGE, "上石村", datetime.date(2026, 1, 1))
            row = {"site": VILLAGE.code, "name": "PC", "software": "", "enrolled_at_ms": 5}
            connection.execute(insert(enrolled_node).values(public_key=KEY, **row))
            pair = {"first": b"a", "second": b"b", "decided_by": "甲", "decided_at_ms": 1}
            connection.execute(insert(apart).values(**pair))
            retire(connection, VILLAGE.code, ["e0"])

        await database.write(known)
    return made


def rows(path: Path, sql: str) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as connection:
        return connection.execute(sql).fetchall()


async def test_old_catalogue_is_aside_whole_and_the_new_one_is_empty(home: HubHome) -> None:
    done = await renew(home, NOW_MS)

    assert rows(Path(done.aside), "SELECT count(*) FROM entry") == [(30,)]
    assert rows(home.database, "SELECT count(*) FROM entry") == [(0,)]
    assert (done.sites, done.expected, done.keyring_from) == (1, 30, "catalogue")


async def test_what_nodes_cannot_tell_again_is_kept(home: HubHome) -> None:
    await renew(home, NOW_MS)

    assert rows(home.database, "SELECT public_key, name FROM enrolled_node") == [(KEY, "PC")]
    assert rows(home.database, "SELECT name FROM expected_site") == [("上石村",)]
    assert rows(home.database, "SELECT decided_by FROM apart") == [("甲",)]
    assert rows(home.database, "SELECT site, epoch FROM retired_epoch") == [(VILLAGE.code, "e0")]


async def test_damaged_catalogue_is_set_aside_and_the_broker_tells_the_keyring(home: HubHome) -> None:
    home.database.write_bytes(b"no database at all" * 1_000)
    home.broker_users.parent.mkdir(parents=True)
    home.broker_users.write_text(users_text(identity(1).public_key, [(KEY, VILLAGE)]), encoding="ascii")
    done = await renew(home, NOW_MS)

    assert Path(done.aside).read_bytes().startswith(b"no database")
    assert done.keyring_from == "broker"
    assert rows(home.database, "SELECT public_key, site FROM enrolled_node") == [(KEY, VILLAGE.code)]


async def test_kill_half_way_leaves_the_old_one_in_place_and_the_next_try_goes_through(home: HubHome) -> None:
    leftover = home.database.with_name("hub.db.rebuilding")
    leftover.write_bytes(b"half of a database")
    assert rows(home.database, "SELECT count(*) FROM entry") == [(30,)]
    await renew(home, NOW_MS)

    assert not leftover.exists()
    assert rows(home.database, "SELECT count(*) FROM entry") == [(0,)]


async def test_site_is_being_rebuilt_until_both_ends_are_equal(home: HubHome) -> None:
    await renew(home, NOW_MS)
    async with opened(home.database, MIGRATIONS) as database:
        words = [[line.word for line in await database.read(lambda c: board(c, NOW_MS))]]
        equal = Comparison(
            site=VILLAGE.code,
            state=Sameness.EQUAL,
            epoch="e2",
            seq=9,
            site_records=30,
            hub_records=30,
            compared_at_ms=NOW_MS + 5,
        )
        await database.write(lambda connection: keep(connection, equal))
        words.append([line.word for line in await database.read(lambda c: board(c, NOW_MS))])
        (progress,) = await database.read(rebuilds.progress)

    assert words == [[Word.REBUILDING], [Word.NEVER_SEEN]]
    assert (progress.expected, progress.done_at_ms) == (30, NOW_MS + 5)


async def test_search_claims_nothing_about_a_copy_that_is_being_rebuilt(home: HubHome) -> None:
    await renew(home, NOW_MS)
    async with opened(home.database, MIGRATIONS) as database:
        facts = await database.read(lambda connection: sites_in_question(connection, Query(words="林地")))
    gathering = Gathering(Query(words="林地"), facts)
    gathering.take_totals({}, exact=True)
    (report,) = gathering.reports.values()

    assert (report.outcome, report.rebuilding, report.reason is not None) == (Outcome.INDEX_ONLY, True, True)
    assert (gathering.summary().exact, gathering.summary().complete) == (False, False)
