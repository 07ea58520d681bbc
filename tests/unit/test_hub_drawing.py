"""Files from a site to the hub, with every way in which that can go wrong at either end."""

from pathlib import Path

from hub.draw_book import DrawState
from tests.carriages import carriage_ends, some_files, there, written


async def test_every_file_arrives_as_it_is(tmp_path: Path) -> None:
    files = some_files(300)
    async with carriage_ends(tmp_path) as ends:
        consigned = written(tmp_path / "scans", files)
        await ends.offer(consigned, tmp_path / "scans")
        async with ends.giving():
            await ends.draw(consigned)
        line = await ends.line(consigned)

    assert there(ends.into) == dict(sorted(files.items()))
    assert (line.state, line.progress.mark, line.carried_bytes) == (
        DrawState.DONE,
        consigned.size_bytes,
        consigned.size_bytes,
    )
    assert ends.progress[-1] == (consigned.size_bytes, consigned.size_bytes)
