"""The site's own catalogue: how its statements find what they look for."""

from pathlib import Path

from node import store
from node.tables import SCHEMA
from replication.database import opened
from replication.migrations import REPLICATION


async def test_a_catch_up_frame_is_read_along_an_index(tmp_path: Path) -> None:
    """A long catch-up reads a page for each frame: were each a walk of the whole table, it would never end."""
    async with opened(tmp_path / "node.db", (REPLICATION, SCHEMA)) as database:
        plan = await database.fetch(f"EXPLAIN QUERY PLAN {store.CHANGES_AFTER}", (0, 500))
    assert [row[-1] for row in plan] == ["SEARCH record USING INDEX record_by_seq (seq>?)"]
