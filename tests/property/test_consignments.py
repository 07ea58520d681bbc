"""Whatever is cut, lost, repeated, reordered or spoilt: every file is right, or it is named."""

import hashlib
import random
import tempfile
import unicodedata
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from hub.draws.draw_book import DrawMark
from hub.draws.draw_flow import HELD_BYTES_MAX, Flow
from hub.draws.receiving import Receiver
from protocol.consignments import ConsignedFile, FileFault, list_faults, name_fault, starts_of
from protocol.limits import CHUNKS_FLYING_BYTES_MAX
from tests.carriages import there

SIZES = st.lists(st.integers(0, 3_000), min_size=1, max_size=12)


def listed(sizes: list[int], seed: int) -> tuple[tuple[ConsignedFile, ...], bytes]:
    chance = random.Random(seed)
    contents = [chance.randbytes(size) for size in sizes]
    files = tuple(
        ConsignedFile(path=f"{at % 3}/{at}", size_bytes=len(one), sha256=hashlib.sha256(one).hexdigest())
        for at, one in enumerate(contents)
    )
    return files, b"".join(contents)


@settings(max_examples=30, deadline=None)
@given(
    sizes=SIZES,
    seed=st.integers(0, 2**32),
    spoilt=st.sets(st.integers(0, 11)),
    missing=st.sets(st.integers(0, 11)),
    cuts=st.lists(st.integers(0, 30_000), max_size=4),
    commits=st.lists(st.booleans(), min_size=1, max_size=7),
)
def test_any_cut_leaves_every_file_right_or_named(
    sizes: list[int], seed: int, spoilt: set[int], missing: set[int], cuts: list[int], commits: list[bool]
) -> None:
    """Each cut ends a receiver without a goodbye; the next one begins at what was committed last."""
    files, row = listed(sizes, seed)
    starts = starts_of(files)
    bad = {at for at in spoilt if at < len(files) and sizes[at]}
    gone = {at for at in missing - spoilt if at < len(files) and sizes[at]}
    served = bytearray(row)
    for at in bad:
        served[starts[at]] ^= 1
    progress = DrawMark()
    with tempfile.TemporaryDirectory() as folder:
        into = Path(folder) / "held"
        for budget in (*cuts, 10**9):
            progress = _one_run(into, files, bytes(served), gone, progress, budget, commits, seed)
        arrived = there(into)

    assert {one.position: one.fault for one in progress.faulty} == {
        **dict.fromkeys(bad, FileFault.CHANGED),
        **dict.fromkeys(gone, FileFault.MISSING),
    }
    assert arrived == {
        one.path: row[starts[at] : starts[at + 1]] for at, one in enumerate(files) if at not in bad | gone
    }


def _one_run(
    into: Path,
    files: tuple[ConsignedFile, ...],
    served: bytes,
    gone: set[int],
    progress: DrawMark,
    budget: int,
    commits: list[bool],
    seed: int,
) -> DrawMark:
    chance = random.Random(seed + budget)
    starts = starts_of(files)
    receiver = Receiver(into, files, progress, lambda _: 2**60)
    try:
        receiver.prepare()
        receiver.make_empty()
        spans = receiver.spans()
        while spans:
            for start, end in spans:
                at = start
                while at < end:
                    if budget <= 0:
                        return progress
                    position = max(here for here in range(len(files)) if starts[here] <= at and files[here].size_bytes)
                    if position in gone:
                        at = receiver.fail(at, FileFault.MISSING)
                        continue
                    size = min(chance.randrange(1, 2_000), end - at)
                    after = [starts[here] for here in gone if at < starts[here] < at + size]
                    size = min([size, *(one - at for one in after)])
                    receiver.feed(at, served[at : at + size])
                    at += size
                    budget -= size
                    if chance.choice(commits):
                        progress = receiver.snapshot()()
            spans = receiver.spans_again()
        return receiver.snapshot()()
    finally:
        receiver.close()


@settings(max_examples=40, deadline=None)
@given(total=st.integers(1, 20_000_000), seed=st.integers(0, 2**32))
def test_the_flow_asks_for_every_byte_whatever_the_line_does(total: int, seed: int) -> None:
    """Ranges come in any order, short, twice or not at all; nothing is handed on twice, and nothing is left out.

    What has come is written in its order, so it counts as behind until all before it has come as well.
    """
    chance = random.Random(seed)
    flow = Flow([(0, total)])
    got: list[tuple[int, int]] = []
    now = 0.0
    flying: list[tuple[int, int]] = []
    early: list[tuple[int, int]] = []
    while not flow.is_done:
        now += chance.random()
        while (wanted := flow.next_range(now)) is not None:
            flying.append(wanted)
        assert flow.flying_bytes <= CHUNKS_FLYING_BYTES_MAX
        assert flow.flying_bytes + flow.behind_bytes <= HELD_BYTES_MAX
        assert flow.is_waiting, "nothing is under way, and nothing would ever be asked for again"
        if not flying or chance.random() < 0.02:
            flow.ask_again()
            continue
        start, size = flying.pop(chance.randrange(len(flying)))
        size = chance.randrange(1, size + 1) if chance.random() < 0.1 else size
        if flow.came(start, size, now):
            got.append((start, size))
            early.append((start, size))
            flow.behind_bytes -= _written(early, flow.first_missing)
            assert flow.behind_bytes <= HELD_BYTES_MAX
        assert not flow.came(start, size, now) or size == 0

    places = sorted(got)
    assert [start for start, _ in places] == [0, *_ends(places)[:-1]]
    assert _ends(places)[-1] == total


def _written(early: list[tuple[int, int]], until: float) -> int:
    """Write what lies before the first place that is missing; return its bytes."""
    ready = [one for one in early if one[0] < until]
    early[:] = [one for one in early if one[0] >= until]
    return sum(size for _, size in ready)


def test_what_is_lost_is_asked_for_however_much_behind_it_waits() -> None:
    flow = Flow([(0, 2**30)])
    while (lost := flow.next_range(0.0)) is not None:
        first, size = lost
        if first:
            flow.came(first, size, 0.0)
    assert flow.next_range(1.0) is None

    flow.ask_again()

    again = flow.next_range(9.0)
    assert again is not None
    assert again[0] == 0


def _ends(places: list[tuple[int, int]]) -> list[int]:
    return [start + size for start, size in places]


def test_a_flow_without_anything_is_done() -> None:
    assert Flow([(5, 5)]).is_done


@given(st.text(max_size=60))
def test_whatever_a_name_is_it_stays_in_its_folder(path: str) -> None:
    if name_fault(path) is None:
        inside = Path("/held") / path
        assert Path("/held") in inside.parents
        assert ".." not in inside.parts
        assert path.encode()


@given(st.lists(st.text(alphabet="aAéÉe\u0301./ß", min_size=1, max_size=6), max_size=8))
def test_no_two_consigned_files_meet_on_a_disk_that_tells_no_case_apart(paths: list[str]) -> None:
    files = [ConsignedFile(path=path, size_bytes=0, sha256="0" * 64) for path in paths]
    if list_faults(files):
        return
    seen = {unicodedata.normalize("NFC", path).casefold() for path in paths}
    assert len(seen) == len(paths)
    folders = {one[:at] for one in seen for at in range(len(one)) if one[at] == "/"}
    assert not folders & seen
