"""``make rehearsal``: a township hands records and scans over to the county, behind a village's line, under faults.

From the first choice to both signatures with the real programs: the line carries 256 kbit/s and loses every twentieth
packet, node and hub are killed at random points of the drawing, the broker loses its store once, the hub is killed
while it checks and the node while custody moves. One item comes back, is mended, and travels in a second round.
"""

import argparse
import asyncio
import contextlib
import datetime
import random
import secrets
import shutil
import sys
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec

from replication.logs import configure_logs
from tests.chaos.county import County, SiteAtWork, county, started
from tests.chaos.links import COUNTY_ADDRESS, LOSS, ONE_WAY_MS, RATE_KBIT, village
from tests.chaos.outcomes import Broken, Skipped
from tests.chaos.rehearsed import YEAR, Proof, asked, page, planted, proved, standing
from tests.system.programs import Program, until

ITEMS = 2_000
ITEMS_SHORT = 60
"""Items of the form that the ordinary test run has."""

KILLS = 9
KILLS_SHORT = 1
DOWN_S_MAX = 4.0
PATIENCE_S = 240.0
"""Seconds that anything may take which does not depend on how much there is."""

BYTES_A_SECOND_MIN = 4_000
"""What a line that loses every twentieth packet still carries between two kills; slower counts as stuck."""

PACKAGE_BYTES_AN_ITEM = 6_000
"""What an item takes at most in its package: a small scan, its lines in the catalogue, the manifests."""

WAIVED = ("--waive", "virus_scan=本机未装")
MEND = "第 1 页模糊，请重扫"


class Rehearsal(msgspec.Struct, kw_only=True):
    """One run: filled in while it goes on."""

    began_at: str
    seed: int
    items: int
    line: str = ""
    files: int = 0
    package_bytes: int = 0
    carried_bytes: int = 0
    """Bytes of files that the hub has noted as carried; what it took in right before a kill it did not note."""
    faults: Counter[str] = msgspec.field(default_factory=Counter)
    schedule: list[str] = []
    phases: dict[str, float] = {}
    """Seconds that each phase took."""
    proof: Proof | None = None
    took_s: float = 0.0
    failure: str = ""
    skipped: str = ""

    @property
    def is_good(self) -> bool:
        """Closed at both ends, and everything proven."""
        return not self.failure and not self.skipped and self.proof is not None and not self.proof.faults


class Play:
    """A rehearsal under way."""

    def __init__(self, folder: Path, items: int, seed: int) -> None:
        self.folder = folder
        self.items = items
        self.chance = random.Random(seed)
        began = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
        self.told = Rehearsal(began_at=began, seed=seed, items=items)
        self._began = time.monotonic()

    @property
    def is_short(self) -> bool:
        """Whether this is the form of the ordinary test run."""
        return self.items <= ITEMS_SHORT

    @property
    def patience_s(self) -> float:
        """Seconds that the whole package may take to arrive."""
        return PATIENCE_S + self.items * PACKAGE_BYTES_AN_ITEM / BYTES_A_SECOND_MIN

    def note(self, what: str) -> None:
        """Write down a step."""
        line = f"{time.monotonic() - self._began:6.0f} s  {what}"
        self.told.schedule.append(line)
        print(line, file=sys.stderr, flush=True)

    def fault(self, kind: str, what: str = "") -> None:
        """Count a fault and write it down."""
        self.told.faults[kind] += 1
        self.note(f"{kind} {what}".strip())

    def phase(self, name: str, since: float) -> float:
        """Write down how long a phase took; returns now."""
        now = time.monotonic()
        self.told.phases[name] = round(now - since, 1)
        self.note(f"{name}: {now - since:.0f} s")
        return now


async def rehearsed(folder: Path, items: int, seed: int) -> Rehearsal:
    """Run it in a folder and return what came of it; a failure is part of that."""
    play = Play(folder, items, seed)
    began = time.monotonic()
    try:
        async with _stage(play) as (here, town):
            await _played(play, here, town)
    except Skipped as error:
        play.told.skipped = str(error)
    except Exception as error:  # noqa: BLE001 - whatever goes wrong, the report tells it
        play.told.failure = f"{type(error).__name__}: {error}"
    play.told.took_s = round(time.monotonic() - began, 1)
    return play.told


@asynccontextmanager
async def _stage(play: Play) -> AsyncIterator[tuple[County, SiteAtWork]]:
    """Give a county and a township behind the line."""
    with village(play.chance) as line:
        play.told.line = f"{RATE_KBIT} kbit/s, {2 * ONE_WAY_MS} ms there and back, {LOSS:.0%} loss; {line.kind}"
        play.note(f"line: {play.told.line}")
        since = time.monotonic()
        async with county(play.folder, 0, address=COUNTY_ADDRESS, within=line.at_the_county) as here:
            since = play.phase("county founded", since)
            town = await here.join(within=line.in_the_village)
            play.phase("village joined", since)
            yield here, town
            since = time.monotonic()
        play.phase("stopped in order", since)


async def _played(play: Play, here: County, town: SiteAtWork) -> None:
    since = time.monotonic()
    pages = planted(town, play.items, play.chance)
    await here.until_held(play.items, play.patience_s)
    since = play.phase("catalogued", since)
    begun = await town.node.json("transfer", "new", "--years", YEAR, "--title", f"{YEAR} 年文书档案", "--handler", "乙")
    number = str(begun["transfer_id"])
    await town.node.json("transfer", "send", number, "--despite-faults")
    _, files, total = _parcel(town, number)
    play.told.files, play.told.package_bytes = files, total
    since = play.phase(f"packed and submitted: {files} files, {total:,} bytes", since)

    await _drawn_under_faults(play, here, town, number)
    since = play.phase("drawn", since)
    await _checked(play, here, number, kill=True)
    since = play.phase("checked", since)

    mended = next(iter(pages))
    code = mended.parent.name.replace("_", "·")
    await here.hub.json("transfer", "return", number, "--item", code, "--reason", MEND)
    await here.hub.json("transfer", "accept", number, "--unit", "县档案馆", "--handler", "丁", *WAIVED)
    await _reaches(play, town.node, number, "returned")
    told = await town.node.json("transfer", "status", number)
    if [(item["ref_code"], item["reason"]["zh"]) for item in told["to_mend"]] != [(code, MEND)]:
        raise Broken(f"the site was not told what to mend: {told['to_mend']}")
    anew = page(play.chance)
    mended.unlink()  # the package of the first round keeps the page as it was sent: it is a link to the same file
    mended.write_bytes(anew)
    await town.node.json("transfer", "send", number, "--despite-faults")
    await _checked(play, here, number, kill=False)
    play.note("the mended item came in the second round")
    await here.hub.json("transfer", "accept", number, "--unit", "县档案馆", *WAIVED)
    since = play.phase("returned, mended, second round", since)

    await _signed(play, here, town, number)
    since = play.phase("signed, custody moved, loaded", since)
    play.told.carried_bytes = asked(here.home.database, "SELECT sum(carried_bytes) FROM draw")[0][0] or 0
    play.told.proof = await proved(here, town, number, [*pages.values(), anew], play.items)
    play.phase("proved", since)


def _parcel(town: SiteAtWork, number: str) -> tuple[int, int, int]:
    now = standing(town.node.home / "node.db", number)
    if now is None or now.prepared is None:
        raise Broken("the transfer has no package")
    return now.prepared.round, now.prepared.files, now.prepared.size_bytes


async def _drawn_under_faults(play: Play, here: County, town: SiteAtWork, number: str) -> None:
    """Kill node and hub at random points of the drawing, and wipe the broker once."""
    count = KILLS_SHORT if play.is_short else KILLS
    victims = [("both", "node", "hub")[at % 3] for at in range(count)]
    play.chance.shuffle(victims)
    marks = sorted(play.chance.uniform(0.05, 0.9) for _ in range(count + 1))
    victims.insert(play.chance.randrange(count + 1), "broker")
    for mark, victim in zip(marks, victims, strict=True):
        at = await until(f"{mark:.0%} of the bytes", lambda m=mark: _share(here, number, m), play.patience_s)  # type: ignore[misc]
        await _strike(play, here, town, victim, f"at {at:.0%} of the bytes")
    await until("every file to be there", lambda: _state(here, number) == "checking", play.patience_s)


def _share(here: County, number: str, wanted: float) -> float | None:
    """Return how much has come, once it is as much as wanted or all."""
    rows = asked(here.home.database, "SELECT done_bytes, total_bytes FROM transfer_work WHERE transfer_id = ?", number)
    if _state(here, number) == "checking":
        return 1.0
    if not rows or not rows[0][1]:
        return None
    share: float = rows[0][0] / rows[0][1]
    return share if share >= wanted else None


def _state(here: County, number: str) -> str:
    now = standing(here.home.database, number)
    return now.state.value if now is not None else ""


async def _strike(play: Play, here: County, town: SiteAtWork, victim: str, at: str) -> None:
    if victim == "broker":
        here.wipe_store()
        play.fault("broker wiped", at)
        if here.kill_broker():
            play.fault("kill -9 broker", "which finds no store when it starts again")
        return
    down_s = round(play.chance.uniform(0.2, DOWN_S_MAX / (3 if play.is_short else 1)), 1)
    victims = {"node": [town.node], "hub": [here.hub], "both": [town.node, here.hub]}[victim]
    for program in victims:
        play.fault(f"kill -9 {program.module}", f"{at}, down {down_s} s")
        await program.kill()
    await asyncio.sleep(down_s)
    async with asyncio.TaskGroup() as starting:
        for program in victims:
            starting.create_task(started(program))


async def _checked(play: Play, here: County, number: str, *, kill: bool) -> None:
    """Wait for the verdict of the checks; where wanted the hub is killed while they run."""

    def look() -> bool:
        query = "SELECT standing FROM transfer_work WHERE transfer_id = ? ORDER BY round DESC LIMIT 1"
        rows = asked(here.home.database, query, number)
        return _state(here, number) == "checking" and bool(rows and rows[0][0])

    if kill:
        await until("all files of the round", lambda: _state(here, number) == "checking", play.patience_s)
        play.fault("kill -9 hub", "after a look at the checks: done" if look() else "while it checks")
        await here.hub.kill()
        await started(here.hub)
    await until("the checks to end", look, play.patience_s)


async def _signed(play: Play, here: County, town: SiteAtWork, number: str) -> None:
    """Have both parties sign; the node is killed while it moves custody."""
    await _reaches(play, town.node, number, "accepted")
    await town.node.json("transfer", "sign", number, "--signer", "甲")
    await until("the giver's signature to arrive", lambda: _has_giver_signature(here, number), play.patience_s)
    await here.hub.json("transfer", "sign", number, "--signer", "丙")
    if not play.is_short:
        await _killed_while_custody_moves(play, town)
    for program in (here.hub, town.node):
        await _reaches(play, program, number, "closed")


async def _killed_while_custody_moves(play: Play, town: SiteAtWork) -> None:
    query = "SELECT count(*) FROM transfer_item WHERE state = 'moved'"
    moved = await until("custody to move", lambda: asked(town.node.home / "node.db", query)[0][0], play.patience_s)
    play.fault("kill -9 node", f"when custody of {moved} of {play.items} had moved")
    await town.node.kill()
    await started(town.node)


def _has_giver_signature(here: County, number: str) -> bool:
    now = standing(here.home.database, number)
    return now is not None and now.giver_signature is not None


async def _reaches(play: Play, program: Program, number: str, *states: str) -> None:
    database = program.home / ("node.db" if program.module == "node" else "hub.db")

    def look() -> bool:
        now = standing(database, number)
        return now is not None and now.state.value in states

    await until(f"the {program.module} to say {' or '.join(states)}", look, play.patience_s)


def as_page(told: Rehearsal) -> str:
    """Return the report as Markdown."""
    word = f"skipped: {told.skipped}" if told.skipped else "good" if told.is_good else f"FAILED: {told.failure}"
    lines = [
        "# A transfer rehearsed",
        "",
        f"{told.began_at} · {told.items:,} items · seed {told.seed} · {word}",
        "",
        f"- line: {told.line}",
        f"- first package: {told.files:,} files, {told.package_bytes:,} bytes; noted as carried {told.carried_bytes:,}",
        f"- faults: {', '.join(f'{count} × {kind}' for kind, count in sorted(told.faults.items())) or 'none'}",
        f"- took {told.took_s:.0f} s: " + "; ".join(f"{name} {seconds:.0f} s" for name, seconds in told.phases.items()),
    ]
    proof = told.proof
    if proof is not None:
        lines += [
            f"- files held {proof.files_held:,}, verified {proof.files_verified:,}; scans {proof.scans_found:,}",
            f"- custody moved of {proof.custody_moved:,} entries; {proof.signatures} of 2 signatures hold",
            f"- catalogue equal at both ends: {'yes' if proof.equal else 'NO'}; hits that tell it: {proof.searched}",
            f"- steps: {', '.join(f'{count} × {kind}' for kind, count in proof.steps.items())}",
        ]
    return "\n".join([*lines, "", *(f"{at}. {step.strip()}" for at, step in enumerate(told.schedule, 1)), ""])


def main(given: Sequence[str] | None = None) -> int:
    """Run the rehearsal; 1 if it failed. What failed keeps its folder."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.chaos.rehearsal",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--items", type=int, default=ITEMS, help=f"items with a scan each (default: {ITEMS:,})")
    parser.add_argument("--seed", type=int, help="draw the faults of this run again (default: a new one, printed)")
    parser.add_argument("--report", type=Path, metavar="FILE", help="write FILE.json and FILE.md")
    parser.add_argument("--json", action="store_true", help="print the report as JSON")
    parser.add_argument("--folder", type=Path, help="work in this folder and leave everything there")
    arguments = parser.parse_args(given)
    configure_logs(level="warning")
    seed = secrets.randbelow(10**6) if arguments.seed is None else arguments.seed
    folder = arguments.folder or Path(tempfile.mkdtemp(prefix="danglian-rehearsal-"))
    told = asyncio.run(rehearsed(folder / "county", arguments.items, seed))
    as_json = msgspec.json.format(msgspec.json.encode(told), indent=2).decode() + "\n"
    if arguments.report is not None:
        arguments.report.parent.mkdir(parents=True, exist_ok=True)
        arguments.report.with_suffix(".json").write_text(as_json, encoding="utf-8")
        arguments.report.with_suffix(".md").write_text(as_page(told), encoding="utf-8")
    print(as_json if arguments.json else as_page(told))
    if told.is_good and arguments.folder is None:
        with contextlib.suppress(OSError):
            shutil.rmtree(folder)
    return 0 if told.is_good or told.skipped else 1


if __name__ == "__main__":
    sys.exit(main())
