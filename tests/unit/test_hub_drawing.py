"""Files from a site to the hub, with every way in which that can go wrong at either end."""

import asyncio
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from hub.draws import draw_course
from hub.draws.draw_book import DrawState
from hub.draws.drawing import Drawer
from node import giving
from node.consigning import offered, withdraw
from protocol.consignments import STAGING, Consignment, FileFault
from protocol.draws import CHUNK_MAGIC, read_head
from protocol.errors import BadFiles, BadValue, CallTimeout, LinkDown, NotYet, Refused, Retryable, StorageFull
from replication.bus import Message
from replication.keys import Identity, new_seed
from tests.carriages import NOW_MS, SITE, CarriageEnds, carriage_ends, some_files, there, written


async def offered_files(ends: CarriageEnds, files: dict[str, bytes], name: str = "1") -> Consignment:
    consigned = written(ends.root / "scans", files, name)
    await ends.offer(consigned, ends.root / "scans")
    return consigned


async def test_every_file_arrives_as_it_is(tmp_path: Path) -> None:
    files = some_files(300)
    async with carriage_ends(tmp_path) as ends:
        consigned = await offered_files(ends, files)
        async with ends.giving():
            await ends.draw(consigned)
        line = await ends.line(consigned)

    size = consigned.size_bytes
    assert there(ends.into) == files
    assert (line.state, line.progress.mark, line.carried_bytes) == (DrawState.DONE, size, size)
    assert ends.progress[-1] == (size, size)


async def test_what_is_here_is_not_fetched_again(tmp_path: Path) -> None:
    async with carriage_ends(tmp_path) as ends:
        consigned = await offered_files(ends, some_files(20))
        async with ends.giving():
            await ends.draw(consigned)
        # Nobody gives any more, and nobody is asked.
        await ends.draw(consigned)
        line = await ends.line(consigned)

    assert (line.state, line.carried_bytes) == (DrawState.DONE, consigned.size_bytes)


async def test_files_that_have_arrived_cannot_be_written_and_leave_nothing_beside_them(tmp_path: Path) -> None:
    async with carriage_ends(tmp_path) as ends:
        consigned = await offered_files(ends, some_files(5))
        async with ends.giving():
            await ends.draw(consigned)

    modes = {path.stat().st_mode & 0o777 for path in ends.into.rglob("*") if path.is_file()}
    assert (modes, (ends.into / STAGING).exists()) == ({0o440}, False)


async def test_the_hub_can_ask_for_the_list(tmp_path: Path) -> None:
    async with carriage_ends(tmp_path) as ends:
        consigned = await offered_files(ends, {f"{number}.txt": b"x" for number in range(4_500)})
        async with ends.giving():
            fetched = await ends.drawer().listed(SITE, consigned.consignment_id)

    assert tuple(fetched) == consigned.files


async def test_the_same_offer_twice_is_one_and_another_list_under_its_id_is_refused(tmp_path: Path) -> None:
    async with carriage_ends(tmp_path) as ends:
        consigned = await offered_files(ends, some_files(3))
        await ends.offer(consigned, tmp_path / "scans")
        with pytest.raises(Refused):
            await ends.offer(Consignment(consignment_id=consigned.consignment_id, files=consigned.files[:1]), tmp_path)
        found = await ends.node.read(lambda connection: offered(connection, consigned.consignment_id))

    assert found is not None
    assert (found.files, found.size_bytes) == (4, consigned.size_bytes)


# What is wrong at the giver


def truncate(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1])


def alter(path: Path) -> None:
    path.write_bytes(bytes(len(path.read_bytes())))


def replace_by_link(path: Path) -> None:
    path.rename(path.with_suffix(".moved"))
    path.symlink_to(path.with_suffix(".moved"))


def replace_by_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


SPOILT: dict[str, tuple[Callable[[Path], object], FileFault]] = {
    "truncated": (truncate, FileFault.CHANGED),
    "altered": (alter, FileFault.CHANGED),
    "lengthened": (lambda path: path.write_bytes(path.read_bytes() + b"x"), FileFault.CHANGED),
    "missing": (Path.unlink, FileFault.MISSING),
    "renamed": (lambda path: path.rename(path.with_suffix(".tif")), FileFault.MISSING),
    "a link": (replace_by_link, FileFault.LINK),
    "a folder": (replace_by_folder, FileFault.LINK),
}


@pytest.mark.parametrize("how", sorted(SPOILT))
async def test_a_file_that_is_not_as_listed_is_named_and_the_others_arrive(tmp_path: Path, how: str) -> None:
    spoil, fault = SPOILT[how]
    files = some_files(60)
    victim = sorted(files)[30]
    async with carriage_ends(tmp_path) as ends:
        consigned = await offered_files(ends, files)
        spoil(tmp_path / "scans" / victim)
        async with ends.giving():
            with pytest.raises(BadFiles) as caught:
                await ends.draw(consigned)
        line = await ends.line(consigned)

    assert caught.value.faults == ((victim, fault.value),)
    assert there(ends.into) == {path: content for path, content in files.items() if path != victim}
    assert (line.state, [one.fault for one in line.progress.faulty]) == (DrawState.FAULTY, [fault])


async def test_two_files_that_changed_places_are_both_named(tmp_path: Path) -> None:
    files = {"a.jpg": b"a" * 1_000, "b.jpg": b"b" * 1_000, "c.jpg": b"c" * 1_000}
    async with carriage_ends(tmp_path) as ends:
        consigned = await offered_files(ends, files)
        scans = tmp_path / "scans"
        (scans / "a.jpg").rename(scans / "x")
        (scans / "b.jpg").rename(scans / "a.jpg")
        (scans / "x").rename(scans / "b.jpg")
        async with ends.giving():
            with pytest.raises(BadFiles) as caught:
                await ends.draw(consigned)

    assert caught.value.faults == (("a.jpg", "changed"), ("b.jpg", "changed"))
    assert there(ends.into) == {"c.jpg": files["c.jpg"]}


async def test_files_that_were_added_stay_where_they_are(tmp_path: Path) -> None:
    async with carriage_ends(tmp_path) as ends:
        consigned = await offered_files(ends, {"a.jpg": b"a"})
        (tmp_path / "scans" / "b.jpg").write_bytes(b"b")
        async with ends.giving():
            await ends.draw(consigned)

    assert there(ends.into) == {"a.jpg": b"a"}


async def test_a_folder_that_became_a_link_is_not_followed(tmp_path: Path) -> None:
    async with carriage_ends(tmp_path) as ends:
        consigned = await offered_files(ends, {"inside/a.jpg": b"a", "b.jpg": b"b"})
        (tmp_path / "scans" / "inside").rename(tmp_path / "elsewhere")
        (tmp_path / "scans" / "inside").symlink_to(tmp_path / "elsewhere")
        async with ends.giving():
            with pytest.raises(BadFiles) as caught:
                await ends.draw(consigned)

    assert caught.value.faults == (("inside/a.jpg", "link"),)


async def test_what_was_put_right_is_all_that_the_next_draw_fetches(tmp_path: Path) -> None:
    files = some_files(60)
    victim = sorted(files)[10]
    async with carriage_ends(tmp_path) as ends:
        consigned = await offered_files(ends, files)
        (tmp_path / "scans" / victim).unlink()
        async with ends.giving():
            with pytest.raises(BadFiles):
                await ends.draw(consigned)
            (tmp_path / "scans" / victim).write_bytes(files[victim])
            before = (await ends.line(consigned)).carried_bytes
            await ends.draw(consigned)
        line = await ends.line(consigned)

    assert there(ends.into) == files
    assert (line.state, line.carried_bytes - before) == (DrawState.DONE, len(files[victim]))


@pytest.mark.skipif(os.geteuid() == 0, reason="whoever may do everything can read everything")
async def test_a_file_that_cannot_be_read_now_is_tried_again_later(tmp_path: Path) -> None:
    async with carriage_ends(tmp_path) as ends:
        consigned = await offered_files(ends, {"a.jpg": b"a", "b.jpg": b"b"})
        (tmp_path / "scans" / "a.jpg").chmod(0)
        async with ends.giving():
            with pytest.raises(Retryable):
                await ends.draw(consigned)
            (tmp_path / "scans" / "a.jpg").chmod(0o600)
            await ends.draw(consigned)

    assert there(ends.into) == {"a.jpg": b"a", "b.jpg": b"b"}


# What is wrong on the way


async def test_a_hub_that_was_killed_fetches_only_what_is_not_on_its_disk(tmp_path: Path) -> None:
    """The task is cut off without a goodbye; what it wrote is taken up by the next one."""
    files = {"a.tif": os.urandom(3_000_000), "b.tif": os.urandom(3_000_000)}
    async with carriage_ends(tmp_path) as ends:
        consigned = await offered_files(ends, files)
        async with ends.giving():
            drawing = asyncio.create_task(ends.draw(consigned))
            while not ends.progress or ends.progress[-1][0] < 4_000_000:
                await asyncio.sleep(0.001)
            drawing.cancel()
            await asyncio.gather(drawing, return_exceptions=True)
            stopped_at = ends.progress[-1][0]
            await ends.draw(consigned)
        chunks = [one.data for one in ends.broker.sent if one.data.startswith(CHUNK_MAGIC)]
        # The site still answers what the killed hub had asked; that is the first draw's, however late it comes.
        before = read_head(chunks[0]).session
        again = sum(len(data) for data in chunks if read_head(data).session != before)

    assert there(ends.into) == files
    assert again < consigned.size_bytes - stopped_at + 100_000


async def test_a_node_that_was_started_again_is_asked_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(draw_course, "ASK_AGAIN_S", 0.05)
    files = {"a.tif": os.urandom(3_000_000)}
    async with carriage_ends(tmp_path) as ends:
        consigned = await offered_files(ends, files)
        drawer = Drawer(ends.hub, ends.hub_bus, ends.hub_key, lambda _site: ends.keys, lambda: NOW_MS, sleep=nothing)
        drawing = asyncio.create_task(
            drawer.draw_to_the_end(SITE, consigned.consignment_id, consigned.files, ends.into, ends.heard)
        )
        async with ends.giving():
            while not ends.progress:
                await asyncio.sleep(0.001)
        async with ends.giving():
            await drawing

    assert there(ends.into) == files


async def nothing(_seconds: float) -> None:
    await asyncio.sleep(0)


async def test_a_site_that_falls_silent_ends_the_attempt(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(draw_course, "ASK_AGAIN_S", 0.02)
    monkeypatch.setattr(draw_course, "SILENCE_S", 0.1)
    async with carriage_ends(tmp_path) as ends:
        consigned = await offered_files(ends, {"a.tif": os.urandom(3_000_000)})
        ends.broker.lost = lambda message: message.data.startswith(CHUNK_MAGIC)
        async with ends.giving():
            with pytest.raises(CallTimeout):
                await ends.draw(consigned)
            waiting = await ends.line(consigned)
            ends.broker.lost = lambda _message: False
            # This attempt is to succeed, however slow the machine is.
            monkeypatch.undo()
            await ends.draw(consigned)
        done = await ends.line(consigned)

    assert (waiting.state, done.state) == (DrawState.LINE_DOWN, DrawState.DONE)


async def test_a_short_cut_does_not_end_the_attempt(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(draw_course, "ASK_AGAIN_S", 0.05)
    monkeypatch.setattr(draw_course, "LINK_LOOK_S", 0.01)
    files = {"a.tif": os.urandom(2_000_000)}
    async with carriage_ends(tmp_path) as ends:
        consigned = await offered_files(ends, files)
        async with ends.giving():
            drawing = asyncio.create_task(ends.draw(consigned))
            while not ends.progress:
                await asyncio.sleep(0.001)
            ends.hub_bus.down()
            await asyncio.sleep(0.05)
            ends.hub_bus.up()
            await drawing

    assert there(ends.into) == files


async def test_nobody_on_the_way_sees_names_or_contents(tmp_path: Path) -> None:
    async with carriage_ends(tmp_path) as ends:
        consigned = await offered_files(ends, {"王小明.txt": b"a secret of the village " * 400})
        async with ends.giving():
            drawer = ends.drawer()
            await drawer.listed(SITE, consigned.consignment_id)
            await ends.draw(consigned)
        carried = b"".join(message.data + message.subject.encode() for message in ends.broker.sent)

    assert (b"secret" in carried, "王小明".encode() in carried) == (False, False)


async def test_a_piece_that_was_altered_on_the_way_never_reaches_a_file(tmp_path: Path) -> None:
    files = some_files(30)
    async with carriage_ends(tmp_path) as ends:
        consigned = await offered_files(ends, files)
        # Somebody on the way turns one bit of everything that he can make nothing of.
        deliver = ends.broker.deliver

        def bend(message: Message) -> None:
            data = message.data
            bent = data[:-1] + bytes([data[-1] ^ 1]) if data.startswith(CHUNK_MAGIC) else data
            deliver(Message(subject=message.subject, data=bent))

        ends.broker.deliver = bend  # type: ignore[method-assign] # the way itself
        async with ends.giving():
            with pytest.raises(Retryable):
                await ends.draw(consigned)
            ends.broker.deliver = deliver  # type: ignore[method-assign] # as above
            await ends.draw(consigned)

    assert there(ends.into) == files


async def test_a_page_of_the_list_that_was_altered_on_the_way_is_asked_for_again(tmp_path: Path) -> None:
    bent: list[bytes] = []
    async with carriage_ends(tmp_path) as ends:
        consigned = await offered_files(ends, some_files(30))
        deliver = ends.broker.deliver

        def bend(message: Message) -> None:
            if message.data.startswith(CHUNK_MAGIC) and not bent:
                bent.append(message.data)
                message = Message(subject=message.subject, data=message.data[:-1] + bytes([message.data[-1] ^ 1]))
            deliver(message)

        ends.broker.deliver = bend  # type: ignore[method-assign] # the way itself
        async with ends.giving():
            fetched = await ends.drawer().listed(SITE, consigned.consignment_id)

    assert (len(bent), tuple(fetched)) == (1, consigned.files)


# Who may


async def test_a_revoked_node_gives_nothing(tmp_path: Path) -> None:
    async with carriage_ends(tmp_path) as ends:
        consigned = await offered_files(ends, some_files(3))
        ends.keys = []
        async with ends.giving():
            with pytest.raises(Refused):
                await ends.draw(consigned)
        line = await ends.line(consigned)

    assert (line.state, there(ends.into)) == (DrawState.REFUSED, {})


async def test_another_node_cannot_answer_for_the_site(tmp_path: Path) -> None:
    async with carriage_ends(tmp_path) as ends:
        consigned = await offered_files(ends, some_files(3))
        ends.node_key = Identity(new_seed(b"x" * 32))
        async with ends.giving():
            with pytest.raises(Refused):
                await ends.draw(consigned)

    assert there(ends.into) == {}


async def test_only_the_hub_can_open_what_is_given(tmp_path: Path) -> None:
    async with carriage_ends(tmp_path) as ends:
        consigned = await offered_files(ends, some_files(3))
        async with ends.giving():
            ends.hub_key = Identity(new_seed(b"y" * 32))
            with pytest.raises(BadValue):
                await ends.draw(consigned)

    assert there(ends.into) == {}


async def test_a_site_that_offers_another_list_is_refused(tmp_path: Path) -> None:
    async with carriage_ends(tmp_path) as ends:
        consigned = await offered_files(ends, some_files(3))
        other = Consignment(consignment_id=consigned.consignment_id, files=consigned.files[1:])
        async with ends.giving():
            with pytest.raises(Refused):
                await ends.draw(other)

    assert there(ends.into) == {}


async def test_an_offer_that_was_taken_back_is_refused(tmp_path: Path) -> None:
    async with carriage_ends(tmp_path) as ends:
        consigned = await offered_files(ends, some_files(3))
        await ends.node.write(lambda connection: withdraw(connection, consigned.consignment_id))
        async with ends.giving():
            with pytest.raises(Refused):
                await ends.draw(consigned)
        gone = await ends.node.read(lambda connection: offered(connection, consigned.consignment_id))

    assert gone is None


async def test_the_same_draw_does_not_run_twice_at_once(tmp_path: Path) -> None:
    async with carriage_ends(tmp_path) as ends:
        consigned = await offered_files(ends, some_files(3))
        drawer = ends.drawer()
        first = asyncio.create_task(drawer.draw(SITE, consigned.consignment_id, consigned.files, ends.into, ends.heard))
        await asyncio.sleep(0)
        with pytest.raises(Refused):
            await drawer.draw(SITE, consigned.consignment_id, consigned.files, ends.into, ends.heard)
        async with ends.giving():
            await first

    assert len(there(ends.into)) == 4


# When, and where


async def test_outside_its_hours_a_site_gives_nothing_and_says_when(tmp_path: Path) -> None:
    files = some_files(3)
    async with carriage_ends(tmp_path) as ends:
        consigned = await offered_files(ends, files)
        ends.rules = ends.rules_of("01:00-06:00")
        async with ends.giving():
            with pytest.raises(NotYet) as caught:
                await ends.draw(consigned)
            waiting = await ends.line(consigned)
            ends.now_ms = caught.value.not_before_ms
            await ends.draw(consigned)

    assert "01:00" in caught.value.reason.zh
    assert (waiting.state, waiting.not_before_ms) == (DrawState.NOT_NOW, caught.value.not_before_ms)
    assert there(ends.into) == files


async def test_what_somebody_waits_for_travels_at_any_hour(tmp_path: Path) -> None:
    files = some_files(3)
    async with carriage_ends(tmp_path) as ends:
        consigned = written(tmp_path / "scans", files)
        await ends.offer(consigned, tmp_path / "scans", any_hour=True)
        ends.rules = ends.rules_of("01:00-06:00")
        async with ends.giving():
            await ends.draw(consigned)

    assert there(ends.into) == files


async def test_a_full_disk_is_named_and_the_draw_goes_on_when_there_is_room(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = {f"{number}.tif": os.urandom(200_000) for number in range(20)}
    written_bytes = 0
    write = os.write

    def filling(descriptor: int, data: memoryview) -> int:
        nonlocal written_bytes
        if written_bytes > 1_000_000:
            raise OSError(28, "No space left on device")
        written_bytes += len(data)
        return write(descriptor, data)

    async with carriage_ends(tmp_path) as ends:
        consigned = await offered_files(ends, files)
        async with ends.giving():
            with monkeypatch.context() as full:
                full.setattr("hub.draws.receiving.os.write", filling)
                with pytest.raises(StorageFull):
                    await ends.draw(consigned)
            waiting = await ends.line(consigned)
            await ends.draw(consigned)
        line = await ends.line(consigned)

    assert (waiting.state, line.state, there(ends.into)) == (DrawState.DISK_FULL, DrawState.DONE, files)


async def test_a_draw_that_would_fill_the_disk_does_not_begin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with carriage_ends(tmp_path) as ends:
        consigned = await offered_files(ends, some_files(3))
        monkeypatch.setattr("hub.draws.receiving.DISK_RESERVE_BYTES", 2**60)
        async with ends.giving():
            with pytest.raises(StorageFull):
                await ends.draw(consigned)

    assert ends.broker.sent == []


async def test_what_was_lost_from_the_disk_is_fetched_again(tmp_path: Path) -> None:
    files = some_files(20)
    async with carriage_ends(tmp_path) as ends:
        consigned = await offered_files(ends, files)
        async with ends.giving():
            await ends.draw(consigned)
            lost = ends.into / sorted(path for path, content in files.items() if content)[3]
            lost.unlink()
            await ends.draw(consigned)

    assert there(ends.into) == files


async def test_a_part_that_a_crash_spoilt_is_fetched_from_its_beginning(tmp_path: Path) -> None:
    """A power cut may leave the length of a part without its bytes: that is no fault of the site."""
    files = {"a.tif": os.urandom(500_000), "b.tif": os.urandom(500_000)}
    async with carriage_ends(tmp_path) as ends:
        consigned = await offered_files(ends, files)
        (ends.into / STAGING).mkdir(parents=True)
        (ends.into / STAGING / "0").write_bytes(bytes(400_000))
        async with ends.giving():
            await ends.draw(consigned)
        line = await ends.line(consigned)

    assert (there(ends.into), line.state) == (files, DrawState.DONE)


async def test_a_link_that_is_down_is_said_at_once(tmp_path: Path) -> None:
    async with carriage_ends(tmp_path) as ends:
        consigned = await offered_files(ends, some_files(3))
        ends.hub_bus.down()
        with pytest.raises(LinkDown):
            await ends.draw(consigned)


async def test_a_site_keeps_a_bounded_number_of_draws(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(giving, "DRAWS_MAX", 1)
    files = some_files(100)
    async with carriage_ends(tmp_path) as ends:
        consigned = await offered_files(ends, files)
        async with ends.giving():
            await ends.drawer().listed(SITE, consigned.consignment_id)
            await ends.draw(consigned)

    assert there(ends.into) == files


async def test_a_file_that_was_whole_and_had_no_name_yet_is_not_fetched_again(tmp_path: Path) -> None:
    """The hub was killed while it synced that file, and had begun the next."""
    files = {"a.tif": os.urandom(500_000), "b.tif": os.urandom(500_000)}
    async with carriage_ends(tmp_path) as ends:
        consigned = await offered_files(ends, files)
        (ends.into / STAGING).mkdir(parents=True)
        (ends.into / STAGING / "0").write_bytes(files["a.tif"])
        (ends.into / STAGING / "1").write_bytes(files["b.tif"][:400_000])
        async with ends.giving():
            await ends.draw(consigned)
        line = await ends.line(consigned)

    assert (there(ends.into), line.carried_bytes) == (files, 100_000)
