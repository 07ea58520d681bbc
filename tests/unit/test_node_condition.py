"""What a site says of itself: the numbers of its signs of life are those of its database."""

from collections.abc import AsyncIterator
from importlib.metadata import version
from pathlib import Path

import pytest

from node.condition import Condition
from node.config import BrakeBounds
from node.tables import SCHEMA
from replication import outbox
from replication.database import opened
from replication.migrations import REPLICATION
from tests.node_site import CODE, NodeSite, node_site, rows, write_csv


def condition(site: NodeSite, *, published: int = 0, importing: bool = False) -> Condition:
    return Condition(site.database, CODE, "U-NODE", lambda: published, lambda: importing, site.clock.ms)


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[NodeSite]:
    """A site that took 118 rows, kept one of them at home, rejected one, refused a file and holds a change back."""
    async with node_site(tmp_path, BrakeBounds()) as made:
        table = rows(120)
        table[3][1] = ""
        table[9][7] = "机密"
        write_csv(made.folder / "a.csv", table)
        await made.take("a.csv")
        write_csv(made.folder / "a.csv", table[:40])
        await made.take("a.csv")
        (made.folder / "b.xlsx").write_bytes(b"PK\x03\x04 half")
        await made.take("b.xlsx")
        yield made


async def test_a_sign_of_life_says_what_was_taken_rejected_withheld_and_held_back(site: NodeSite) -> None:
    beat = await condition(site, published=7, importing=True).beat()

    assert (beat.site, beat.node, beat.epoch, beat.seq) == (CODE, "U-NODE", "e1", 118)
    assert (beat.records, beat.withheld, beat.rejected, beat.files, beat.brakes_held) == (118, 1, 1, 2, 1)
    assert (beat.published, beat.importing) == (7, True)
    assert beat.outbox_frames == await site.database.read(outbox.depth) > 0


async def test_the_start_stays_and_the_moment_moves(site: NodeSite) -> None:
    described = condition(site)
    began = site.clock.ms()
    site.clock.now_s += 60.0

    beat = await described.beat()

    assert (beat.started_at_ms, beat.at_ms) == (began, began + 60_000)
    assert beat.software == version("danglian")


async def test_the_disk_is_that_of_the_database(site: NodeSite) -> None:
    beat = await condition(site).beat()

    assert 0 < beat.disk_free_bytes < 2**60


async def test_health_says_the_same(site: NodeSite) -> None:
    described = condition(site)
    beat, health = await described.beat(), await described.health()

    assert (health.records, health.withheld, health.rejected) == (beat.records, beat.withheld, beat.rejected)
    assert (health.outbox_frames, health.brakes_held, health.version) == (
        beat.outbox_frames,
        beat.brakes_held,
        beat.software,
    )


async def test_before_the_first_epoch_there_is_nothing_to_say(tmp_path: Path) -> None:
    async with opened(tmp_path / "node.db", (REPLICATION, SCHEMA)) as database:
        beat = await Condition(database, CODE, "U-NODE", lambda: 0, lambda: False, lambda: 5).beat()

    assert (beat.epoch, beat.seq, beat.records, beat.files, beat.outbox_frames) == ("", 0, 0, 0, 0)
