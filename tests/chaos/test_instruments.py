"""The instruments of the chaos suite show what they are built to show."""

import asyncio
import datetime
import random
import sys
from pathlib import Path

import msgspec
import pytest

from tests.chaos import kills
from tests.chaos.disks import small_disk
from tests.chaos.links import COUNTY_ADDRESS, ONE_WAY_MS, village
from tests.chaos.outcomes import Outcome, Skipped
from tests.chaos.proof import compared
from tests.chaos.report import page, report
from tests.chaos.sheets import Sheets
from tests.chaos.stage import staged

SITE = "330599001001"

CONNECT = """
import socket, sys, time
began = time.monotonic()
try:
    socket.create_connection((sys.argv[1], int(sys.argv[2])), timeout=float(sys.argv[3])).close()
    print("connected", time.monotonic() - began)
except OSError as error:
    print(type(error).__name__)
"""

LISTEN = """
import socket, sys
server = socket.create_server((sys.argv[1], 0))
print(server.getsockname()[1], flush=True)
while True:
    server.accept()[0].close()
"""


def body(code: str, title: str) -> bytes:
    return msgspec.json.encode({"ref_code": code, "title": title})


def test_lost_doubled_and_strange_rows_are_told_apart() -> None:
    planted = [(SITE, ("a", "一")), (SITE, ("b", "二"))]
    found = compared(planted, [(SITE, body("b", "二")), (SITE, body("b", "二")), (SITE, body("c", "三"))])

    assert (found.lost, found.doubled, found.strange) == (
        [(SITE, ("a", "一"))],
        [(SITE, ("b", "二"))],
        [(SITE, ("c", "三"))],
    )


def test_a_row_of_another_site_does_not_make_up_for_a_lost_one() -> None:
    found = compared([(SITE, ("a", "一"))], [("330599001002", body("a", "一"))])

    assert (len(found.lost), len(found.strange)) == (1, 1)


def test_an_outcome_that_was_never_proven_is_not_good() -> None:
    unproven = Outcome(scenario="kill", seed=1, rows=1, lost=0, doubled=0, strange=0)

    assert (unproven.is_good, msgspec.structs.replace(unproven, equal_s=1.0).is_good) == (False, True)
    assert msgspec.structs.replace(unproven, equal_s=1.0, doubled=1).is_good is False


def test_the_same_seed_draws_the_same_faults(tmp_path: Path) -> None:
    first, again, other = (kills.drawn(staged("kill", seed, 1_000, tmp_path, print)) for seed in (7, 7, 8))

    assert first == again
    assert first != other


def test_sheets_know_what_they_say_after_changes_and_removals(tmp_path: Path) -> None:
    sheets, draw = Sheets(tmp_path, 0), random.Random(1)
    sheets.add(100)
    sheets.change(draw, 10)
    sheets.remove(draw, 10)

    (sheet,) = tmp_path.glob("*.csv")
    written = sheet.read_text(encoding="utf-8-sig")
    assert (len(sheets), sheets.sent, len(written.splitlines())) == (90, 120, 91)
    assert all(code in written and title in written for code, title in sheets.says)


def test_a_skipped_scenario_is_named_and_does_not_fail_the_report() -> None:
    skipped = Outcome(scenario="line", seed=1, rows=1, skipped="network namespaces need root")
    found = report(1, 1, datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC), [skipped])

    assert found.good
    assert "skipped: network namespaces need root" in page(found)


def test_a_small_disk_refuses_what_is_too_much_and_takes_it_once_there_is_room(tmp_path: Path) -> None:
    try:
        with small_disk(tmp_path / "disk", 4 * 1024 * 1024) as disk:
            disk.fill(0)
            with pytest.raises(OSError, match="No space left"):
                (disk.place / "more").write_bytes(bytes(64 * 1024))
            disk.empty()
            (disk.place / "more").write_bytes(bytes(64 * 1024))
    except Skipped as error:
        pytest.skip(str(error))

    assert list((tmp_path / "disk").iterdir()) == []


async def test_the_village_line_is_slow_and_swallows_everything_when_cut() -> None:
    async def python(*command: str) -> asyncio.subprocess.Process:
        return await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)

    async def connecting(timeout_s: float) -> str:
        inside = (*line.in_the_village, sys.executable, "-c", CONNECT, COUNTY_ADDRESS, port, str(timeout_s))
        out, _ = await (await python(*inside)).communicate()
        return out.decode()

    try:
        with village(random.Random(1)) as line:
            server = await python(*line.at_the_county, sys.executable, "-c", LISTEN, COUNTY_ADDRESS)
            try:
                assert server.stdout is not None
                port = (await server.stdout.readline()).decode().strip()
                word, took_s = (await connecting(20.0)).split()
                line.line.cut()
                cut = await connecting(2.0)
            finally:
                server.kill()
                await server.wait()
    except Skipped as error:
        pytest.skip(str(error))

    assert (word, float(took_s) >= 2 * ONE_WAY_MS / 1000, cut.strip()) == ("connected", True, "TimeoutError")
