"""The copy that a giver keeps: nobody is reminded before its day, everybody after, until somebody decides."""

import datetime
from pathlib import Path
from uuid import UUID

import pytest

from node.commands.transfer_copies import copies_told
from node.transfers import retained
from protocol.errors import Refused
from protocol.transfers import TransferState
from tests.unit.test_transfer_thread import NOW_MS, Thread, thread

LAST = datetime.date(2031, 12, 31)
DAY = datetime.timedelta(days=1)


async def handed_over(both: Thread) -> UUID:
    await both.begin(2, "--keep-until", LAST.isoformat())
    await both.send()
    await both.look()
    await both.decide()
    await both.sign()
    await both.node_desk(both.site.database).step()
    await both.post()
    await both.carry()
    await both.desk.attend(await both.receiver())
    await both.post()
    assert (await both.giver()).state is TransferState.CLOSED
    return both.number


async def test_a_copy_is_told_when_its_day_comes_and_not_before(tmp_path: Path) -> None:
    async with thread(tmp_path) as both:
        await handed_over(both)
        early, soon, then = [
            await both.site.database.read(lambda c, day=day: retained.copies_due(c, day))  # type: ignore[misc]
            for day in (LAST - 90 * DAY, LAST - DAY, LAST)
        ]

    assert (early, len(soon)) == ([], 1)
    (one,) = then
    assert (one.kept_until, one.items, one.is_due(LAST), one.is_due(LAST - DAY)) == (LAST, 2, True, False)
    assert any("--disposed" in line for line in copies_told(then, LAST))


async def test_a_copy_that_is_kept_longer_is_quiet_until_then(tmp_path: Path) -> None:
    async with thread(tmp_path) as both:
        await handed_over(both)
        (one,) = await both.site.database.read(retained.copies)
        later = LAST.replace(year=2041)
        await both.site.database.write(lambda c: retained.keep_longer(c, one, later, "涉诉", NOW_MS))
        due = await both.site.database.read(lambda c: retained.copies_due(c, LAST))
        (kept,) = await both.site.database.read(retained.copies)
        with pytest.raises(Refused, match="no earlier"):
            await both.site.database.write(lambda c: retained.keep_longer(c, kept, LAST, "", NOW_MS))

    assert (due, kept.kept_until, kept.note) == ([], later, "涉诉")


async def test_a_disposal_waits_for_its_day_and_for_who_approved_it_and_touches_no_file(tmp_path: Path) -> None:
    async with thread(tmp_path) as both:
        await handed_over(both)
        (one,) = await both.site.database.read(retained.copies)
        write = both.site.database.write
        with pytest.raises(Refused, match="kept until"):
            await write(lambda c: retained.dispose(c, one, LAST - DAY, "县档〔2031〕9号", NOW_MS))
        with pytest.raises(Refused, match="who approved"):
            await write(lambda c: retained.dispose(c, one, LAST, " ", NOW_MS))
        before = sorted(both.scans.rglob("*.jpg"))
        await write(lambda c: retained.dispose(c, one, LAST, "县档〔2031〕9号", NOW_MS))
        due = await both.site.database.read(lambda c: retained.copies_due(c, LAST + 400 * DAY))
        (done,) = await both.site.database.read(retained.copies)

    assert (due, done.disposed_on, sorted(both.scans.rglob("*.jpg"))) == ([], LAST, before)
