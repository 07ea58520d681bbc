"""Links to volumes follow from what the files say in the end: not from their order, nor from what they said before."""

import asyncio
import itertools
import tempfile
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from hypothesis import given, settings
from hypothesis import strategies as st

from protocol.vocabularies import Level
from tests.node_site import NodeSite, node_site, write_csv

HEADER = ("档号", "题名", "日期", "密级", "著录层级")

Row = tuple[str, str, str, str, str]
Files = Mapping[str, Sequence[Row]]


class History(NamedTuple):
    """Files as they are, as they were before, and two orders in which they arrive."""

    before: Files
    after: Files
    order: Sequence[str]
    other_order: Sequence[str]


@st.composite
def codes(draw: st.DrawFn, *, is_volume: bool) -> str:
    """Few codes of two fonds, so that they meet, repeat and are missing."""
    volume = f"{draw(st.sampled_from(('001', '002')))}-1-{draw(st.integers(1, 2))}"
    return volume if is_volume else f"{volume}-{draw(st.integers(1, 9)):03d}"


@st.composite
def histories(draw: st.DrawFn) -> History:
    serial, before, after = itertools.count(1), {}, {}
    for number in range(draw(st.integers(1, 4))):
        now, then = list[Row](), list[Row]()
        for _ in range(draw(st.integers(1, 5))):
            is_volume = draw(st.booleans())
            # Each row has a title of its own, by which it is found again.
            title, level = f"第{next(serial)}条", "案卷级" if is_volume else "文件级"
            secrecy, former = draw(st.sampled_from(("", "", "", "秘密"))), draw(st.sampled_from(("", "", "秘密")))
            now.append((draw(codes(is_volume=is_volume)), title, "1986", secrecy, level))
            if draw(st.booleans()):
                then.append((draw(codes(is_volume=is_volume)), title, "1986", former, level))
        after[f"{number}.csv"], before[f"{number}.csv"] = now, then
    names = sorted(after)
    return History(before, after, draw(st.permutations(names)), draw(st.permutations(names)))


@settings(max_examples=30, deadline=None)
@given(histories())
def test_links_follow_from_the_files_in_any_order(history: History) -> None:
    links, expected = asyncio.run(_linked([(history.after, history.order)]))
    assert links == expected
    assert asyncio.run(_linked([(history.after, history.other_order)])) == (links, expected)


@settings(max_examples=30, deadline=None)
@given(histories())
def test_links_forget_what_the_files_said_before(history: History) -> None:
    rounds = [(history.before, history.other_order), (history.after, history.order)]
    links, expected = asyncio.run(_linked(rounds))
    assert links == expected


async def _linked(rounds: Sequence[tuple[Files, Sequence[str]]]) -> tuple[dict[str, str], dict[str, str]]:
    """Return the titles of records and of the volumes that they lie in, as they are and as the codes have it."""
    with tempfile.TemporaryDirectory() as folder:
        async with node_site(Path(folder)) as site:
            for files, order in rounds:
                await _take(site, files, order)
            position = await site.database.fetch("SELECT seq FROM head")
            files, order = rounds[-1]
            await _take(site, {name: rows[::-1] for name, rows in files.items()}, order)
            has_repeats = any(len({row[0] for row in rows}) < len(rows) for rows in files.values())
            # Of two rows with one code the first is taken, and now the other one is the first.
            assert has_repeats or await site.database.fetch("SELECT seq FROM head") == position
            await _take(site, files, order)
            return await _links(site)


async def _take(site: NodeSite, files: Files, order: Sequence[str]) -> None:
    for name in order:
        write_csv(site.folder / name, files[name], HEADER)
        await site.take(name)


async def _links(site: NodeSite) -> tuple[dict[str, str], dict[str, str]]:
    records = await site.records()
    titles = {record.record_id: title for title, record in records.items()}
    listed: dict[str, list[str]] = defaultdict(list)
    for title, record in records.items():
        if record.level is Level.VOLUME:
            listed[record.ref_code].append(title)
    found = {title: titles[record.parent_id] for title, record in records.items() if record.parent_id}
    wanted = {
        title: volumes[0]
        for title, record in records.items()
        if record.level is Level.ITEM and len(volumes := listed[record.ref_code.rpartition("-")[0]]) == 1
    }
    return found, wanted
