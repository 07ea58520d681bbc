"""The proof at the end of a scenario: equal digests by the hub's own word, and the rows compared one by one."""

import asyncio
import time
from collections import Counter
from collections.abc import Iterable

import msgspec

from tests.chaos.county import County
from tests.chaos.outcomes import Broken
from tests.chaos.sheets import Saying
from tests.chaos.stage import Stage

VERIFY = ("verify", "--deep")
"""The command that must say equal after every scenario."""

LOOK_S = 0.5
"""Seconds between two looks whether everything has arrived."""

VERIFY_PAUSE_S = 2.0
"""Seconds between two verifications."""

EXAMPLES = 3
"""Rows that a failure names of each kind."""

SEARCHED = 1
"""Sites of which a row is looked for with the hub's search."""


class _Said(msgspec.Struct, frozen=True):
    """What is compared of a record."""

    title: str
    ref_code: str = ""
    ref_code_as_given: str = ""


class Compared(msgspec.Struct, frozen=True, kw_only=True):
    """What the hub holds beside what the sheets say."""

    lost: list[tuple[str, Saying]]
    doubled: list[tuple[str, Saying]]
    strange: list[tuple[str, Saying]]


async def proved(county: County, stage: Stage, patience_s: float | None = None) -> None:
    """Wait until both ends prove equal, then compare row by row; call it when the last fault has ended.

    ``patience_s`` is what it may take, by default as long as the whole load.

    Raises:
        Broken: they did not become equal in time, or they are and rows are lost, doubled or invented.

    """
    outcome, patience_s, healed_at = stage.outcome, patience_s or stage.patience_s, time.monotonic()
    outcome.planted = county.planted
    outcome.sent = sum(site.sheets.sent for site in county.sites)
    outcome.repaired += max(0, county.planted - await asyncio.to_thread(county.held))
    try:
        async with asyncio.timeout(patience_s):
            while await asyncio.to_thread(county.held) != county.planted or not county.all_applied():
                await asyncio.sleep(LOOK_S)
            while not await equal(county):
                await asyncio.sleep(VERIFY_PAUSE_S)
        outcome.equal_s = round(time.monotonic() - healed_at, 1)
    except TimeoutError:
        outcome.failure = f"not equal {patience_s:.0f} s after the last fault"
    planted = [(site.code, saying) for site in county.sites for saying in site.sheets.says]
    found = compared(planted, await asyncio.to_thread(county.bodies))
    outcome.lost, outcome.doubled, outcome.strange = len(found.lost), len(found.doubled), len(found.strange)
    aside = county.quarantined()
    if aside:
        outcome.notes.append(f"{aside} frames or events stand in quarantine")
    if not outcome.is_good:
        raise Broken(f"{outcome.failure} {await _differences(county)} {_examples(found)}\n{county.tails()}")
    if not stage.is_short:
        await _searched(county)


async def equal(county: County) -> bool:
    """Tell whether ``danglian-hub verify`` says equal of every site."""
    report = await county.hub.json(*VERIFY, expect=None)
    states = [site["state"] for site in report["sites"]]
    return states == ["equal"] * len(county.sites)


async def _differences(county: County) -> str:
    code, out, err = await county.hub.result(*VERIFY)
    return f"verify: exit {code}\n{out}{err}"


def compared(planted: Iterable[tuple[str, Saying]], bodies: Iterable[tuple[str, bytes]]) -> Compared:
    """Compare the rows of the sheets with the hub's bodies of each site, by reference code and title."""
    decode = msgspec.json.Decoder(_Said).decode
    held: Counter[tuple[str, Saying]] = Counter()
    for site, body in bodies:
        said = decode(body)
        held[site, (said.ref_code_as_given or said.ref_code, said.title)] += 1
    wanted = set(planted)
    return Compared(
        lost=sorted(wanted - held.keys()),
        doubled=sorted(key for key, count in held.items() if count > 1),
        strange=sorted(held.keys() - wanted),
    )


async def _searched(county: County) -> None:
    """Find some rows by their titles: each is found once."""
    for site in county.sites[-SEARCHED:]:
        _, title = site.sheets.says[len(site.sheets) // 2]
        answer = await county.hub.json("search", title, expect=None)
        found = [hit["title"] for hit in answer["hits"] if hit["title"] == title]
        if found != [title]:
            raise Broken(f"a search for {title!r} found {found} at the hub")


def _examples(found: Compared) -> str:
    kinds = {"lost": found.lost, "doubled": found.doubled, "strange": found.strange}
    return "; ".join(f"{kind} {len(rows)}: {rows[:EXAMPLES]}" for kind, rows in kinds.items() if rows)
