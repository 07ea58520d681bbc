"""The parts of a running demonstration that need no process: who takes part, what is said, what came of it."""

import asyncio
import os
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from deploy.demo import orders
from deploy.demo.__main__ import parser
from deploy.demo.advice import advice
from deploy.demo.children import Child
from deploy.demo.county import STORY_TOWN_CODE
from deploy.demo.foundation import Options, assignments, catalogue_files, free_ports, lay, participants
from deploy.demo.look import Look, SiteLook
from deploy.demo.manifest import Counts, SiteManifest
from deploy.demo.report import Observed, Report, Times, make_report, summary_lines
from deploy.demo.sign_in import ready_sign_in
from hub.staff import accounts
from hub.staff.passwords import Sealer
from hub.storage import store
from protocol.enrolment import parse_code
from protocol.errors import BadSetting

SITE = "330523000000"
OPTIONS = Options(sites=5, processes=2, rows_per_site=10, seed=1, patience_s=60.0)


def test_the_sites_asked_for_take_part() -> None:
    assert [member.position for member in participants(OPTIONS)] == [0, 1, 2, 3, 4]


def test_each_file_of_a_folder_makes_one_site(tmp_path: Path) -> None:
    for name in ("b.csv", "a.xlsx", "~$a.xlsx", "readme.md", "c.TXT"):
        (tmp_path / name).write_bytes(b"x")
    (tmp_path / "folder.csv").mkdir()
    members = participants(msgspec.structs.replace(OPTIONS, data=tmp_path, sites=232))
    assert [member.source.name for member in members if member.source] == ["a.xlsx", "b.csv", "c.TXT"]


@pytest.mark.parametrize("count", [0, 233])
def test_a_folder_with_too_few_or_too_many_files_is_refused(tmp_path: Path, count: int) -> None:
    for number in range(count):
        (tmp_path / f"{number}.csv").write_bytes(b"x")
    with pytest.raises(BadSetting) as refused:
        catalogue_files(tmp_path)
    assert str(count) in refused.value.reason.zh


def test_a_folder_that_does_not_exist_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadSetting):
        catalogue_files(tmp_path / "nowhere")


async def test_the_foundation_is_a_hub_with_a_code_for_every_site(tmp_path: Path) -> None:
    foundation = lay(tmp_path, participants(OPTIONS))
    given = await assignments(foundation)
    assert [assignment.site for assignment in given] == list(foundation.codes)
    assert {len(parse_code(assignment.code).secret) for assignment in given} == {10}
    assert foundation.settings.hub_urls[0].startswith("tls://127.0.0.1:")


def test_a_home_in_use_is_left_alone(tmp_path: Path) -> None:
    lay(tmp_path, participants(OPTIONS))
    with pytest.raises(BadSetting):
        lay(tmp_path, participants(OPTIONS))


def test_free_ports_differ() -> None:
    assert len(set(free_ports(8))) == 8


@pytest.mark.parametrize(
    "message",
    [
        orders.Launch(),
        orders.Halt(site=SITE),
        orders.Prepare(
            nodes="/n", door="127.0.0.1:1", rows=1, seed=2, sites=(orders.Assignment(site=SITE, position=0, code="c"),)
        ),
    ],
)
def test_orders_travel_as_lines(message: orders.Order) -> None:
    line = orders.line(message)
    assert line.count(b"\n") == 1
    assert orders.orders.decode(line) == message


def test_facts_travel_as_lines() -> None:
    fact = orders.Written(manifest=SiteManifest(site=SITE, files=2, counts=Counts(taken=3)))
    assert orders.facts.decode(orders.line(fact)) == fact


def seen(**changes: object) -> SiteLook:
    plain = SiteLook(
        site=SITE, epoch="e", seq=9, applied=9, files=2, records=6, withheld=1, rejected=3, importing=False
    )
    return msgspec.structs.replace(plain, **{"in_step": True, **changes})


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, True),
        ({"in_step": False}, False),
        ({"importing": True}, False),
        ({"files": 1}, False),
        ({"files": 3}, True),
    ],
)
def test_a_site_has_come_through_when_all_is_read_and_applied(changes: dict[str, object], expected: bool) -> None:
    assert seen(**changes).has_come_through(SiteManifest(site=SITE, files=2)) is expected


def report(site: SiteLook, digests: str, counts: Counts | None) -> Report:
    observed = Observed(
        manifests={SITE: SiteManifest(site=SITE, files=2, counts=counts)},
        look=Look(sites={SITE: site}),
        digests={SITE: digests},
        faults={},
        times=Times(prepared_s=1.0, settled_s=2.0, verified_s=3.0),
    )
    return make_report(OPTIONS, Path("/home"), {SITE: "安吉县档案馆"}, observed)


def test_the_report_tells_whether_the_outcome_is_what_was_planted() -> None:
    made = report(seen(), "equal", Counts(taken=6, withheld=1, rejected=3, skipped=4))
    assert (made.rows, made.rows_taken, made.rows_rejected, made.rows_per_s) == (10, 7, 3, 5.0)
    assert made.as_planted is True
    assert made.settled is True
    assert report(seen(), "equal", Counts(taken=7, rejected=3)).as_planted is False
    assert report(seen(), "equal", None).as_planted is None


def test_one_site_whose_digests_differ_is_not_settled() -> None:
    made = report(seen(), "different", None)
    assert (made.settled, made.digests_equal) == (False, 0)


def test_the_summary_is_complete_in_both_languages() -> None:
    lines = summary_lines(report(seen(), "equal", None), "zh")

    assert len(lines) > 5
    assert [words for words, figure in lines if not (words.zh and words.en and figure)] == []


def test_the_advice_names_commands_that_exist(tmp_path: Path) -> None:
    lines = advice(lay(tmp_path, participants(OPTIONS)))
    text = "\n".join(command for _, command in lines)
    assert f"> stop {STORY_TOWN_CODE[:9]}206" in text
    assert "danglian-hub search 林权 --home" in text
    assert "麻竹生" in text


def test_the_command_line_has_bounds_and_words_in_both_languages() -> None:
    text = parser().format_help()
    assert "虚构" in text
    assert "made up" in text


def test_a_child_ends_when_its_parent_closes_the_pipe(tmp_path: Path) -> None:
    """The same happens when the parent dies: no process is left behind."""
    program = tmp_path / "child.py"
    program.write_text(
        "import asyncio\n"
        "from deploy.demo.pipes import until_input_ends\n"
        "async def forever():\n"
        "    try:\n"
        "        print('up', flush=True)\n"
        "        await asyncio.Event().wait()\n"
        "    finally:\n"
        "        print('closed', flush=True)\n"
        "asyncio.run(until_input_ends(forever()))\n"
    )
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parents[2])}
    with subprocess.Popen(
        [sys.executable, str(program)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment
    ) as child:
        assert child.stdout is not None
        assert child.stdin is not None
        assert child.stdout.readline() == b"up\n"
        child.stdin.close()
        assert child.stdout.read() == b"closed\n"
        assert child.wait(20) == 0


async def test_what_a_killed_child_did_not_say_to_its_end_is_nothing(tmp_path: Path) -> None:
    """Its end must not become a fault of the demonstration, which is ending it."""
    heard: list[orders.Fact] = []
    fact = orders.line(orders.Running(site="330523000000")).decode()
    program = f"import sys; sys.stdout.write({fact!r} + {fact[:9]!r}); sys.stdout.flush()"
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", program, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
    )
    child = Child(process)
    await child.hear(heard.append)
    await child.stop()

    assert heard == [orders.Running(site="330523000000")]


async def test_lines_are_put_together_from_whatever_arrives() -> None:
    program = (
        "import asyncio\n"
        "from deploy.demo.pipes import input_lines\n"
        "async def echo():\n"
        "    async for line in input_lines():\n"
        "        print(line.decode(), flush=True)\n"
        "asyncio.run(echo())\n"
    )
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parents[2])}
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-c", program, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment
    )
    assert child.stdin is not None
    for part in (b"on", b"e\ntwo\nth", b"ree"):
        child.stdin.write(part)
        await child.stdin.drain()
        await asyncio.sleep(0.05)
    child.stdin.close()
    output, _ = await child.communicate()
    assert output.split() == [b"one", b"two", b"three"]


async def test_the_console_of_the_demonstration_has_a_ready_sign_in(tmp_path: Path) -> None:
    foundation = lay(tmp_path, participants(OPTIONS))
    sign_in = await ready_sign_in(foundation)
    async with store.opened(foundation.hub) as database:
        made = await database.read(accounts.listed)
        sealed = await database.read(lambda connection: accounts.secrets_of(connection, made[0].id).sealed_password)

    assert {one.login for one in made} == set(sign_in.logins)
    assert (
        await Sealer().opens(sealed, sign_in.password),
        sign_in.url.endswith(str(foundation.settings.web.port)),
    ) == (
        True,
        True,
    )
