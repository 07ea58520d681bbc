"""A small county, run as a person runs it: real broker, hub and nodes in their own processes."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from deploy.demo.children import STOP_S
from deploy.demo.county import STORY_TOWN_CODE, STORY_VILLAGE_CODE
from deploy.demo.report import Report
from deploy.demo.story import NOTICE_TITLE, STORY_QUERY

WAIT_S = 100.0
EVENTFUL_WAIT_S = 400.0
SITES = 6
ROWS = 100


class Running:
    """A demonstration that was started, and what it has said."""

    def __init__(self, home: Path, said: Path, *arguments: str) -> None:
        self.home = home
        self._said = said
        with said.open("wb") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "deploy.demo", "--home", str(home), *arguments],
                stdin=subprocess.PIPE,
                stdout=output,
                stderr=output,
                env={**os.environ, "DANGLIAN_LANG": "zh", "COLUMNS": "200"},
            )

    @property
    def said(self) -> str:
        return self._said.read_text(encoding="utf-8")

    def wait_for(self, words: str, patience_s: float = WAIT_S) -> None:
        deadline = time.monotonic() + patience_s
        while words not in self.said:
            assert self.process.poll() is None, self.said
            assert time.monotonic() < deadline, self.said
            time.sleep(0.1)

    def type(self, line: str) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(f"{line}\n".encode())
        self.process.stdin.flush()

    def hub(self, *arguments: str) -> str:
        return command("hub", *arguments, "--home", str(self.home / "hub"))

    def end(self) -> None:
        if self.process.stdin is not None:
            self.process.stdin.close()
        if self.process.poll() is None:
            self.process.terminate()
        self.process.wait(30)


def command(program: str, *arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", program, *arguments], capture_output=True, text=True, check=False, timeout=60
    )
    return done.stdout


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def descendants(pid: int) -> list[int]:
    """Return the processes that a process has started, and those that they have: hub, broker, workers."""
    children = [int(text) for text in Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()]
    return [*children, *(deeper for child in children for deeper in descendants(child))]


@pytest.fixture(scope="module")
def county(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A county of six sites that stays up."""
    folder = tmp_path_factory.mktemp("demo")
    running = Running(
        folder / "home",
        folder / "said.txt",
        *("--sites", str(SITES), "--rows-per-site", str(ROWS), "--processes", "2", "--report", str(folder / "r.json")),
        "--uneventful",
    )
    try:
        running.wait_for("县已就绪")
        yield running
    finally:
        running.end()


@pytest.mark.timeout(150)
def test_every_site_settles_with_equal_digests_and_the_planted_outcome(county: Running) -> None:
    report = msgspec.json.decode((county.home.parent / "r.json").read_bytes(), type=Report)
    assert (report.settled, report.digests_equal, report.sites) == (True, SITES, SITES)
    assert report.as_planted is True
    assert report.rows == SITES * ROWS
    assert report.files_unreadable == 1
    assert report.live is not None
    assert sum(report.live.sites_by_outcome.values()) == SITES


@pytest.mark.timeout(150)
def test_the_two_papers_of_the_dispute_are_found_together(county: Running) -> None:
    """One is written with a traditional character, and each lies at another site."""
    found = county.hub("search", STORY_QUERY)
    assert STORY_TOWN_CODE in found
    assert STORY_VILLAGE_CODE in found
    assert "大塢里" in found
    assert "大坞里" in found


@pytest.mark.timeout(150)
def test_a_secret_row_never_leaves_its_site(county: Running) -> None:
    report = msgspec.json.decode((county.home.parent / "r.json").read_bytes(), type=Report)
    held = sum(site.records for site in report.sites_detail)
    assert report.rows_withheld > 0
    assert held == report.rows_taken - report.rows_withheld


@pytest.mark.timeout(500)
def test_what_is_said_to_be_seen_has_happened(tmp_path: Path) -> None:
    """Pages that are only ever seen empty are looked at by nobody."""
    county = Running(tmp_path / "home", tmp_path / "said.txt", *("--sites", str(SITES), "--rows-per-site", "20"))
    try:
        county.wait_for("控制台：http", EVENTFUL_WAIT_S)
        told = county.said.partition("控制台上已经可以看到")[2]
        requests = json.loads(county.hub("request", "--json"))["requests"]
        transfers = json.loads(county.hub("transfer", "list", "--all", "--json"))
        folders = sorted((county.home / "nodes").iterdir())
        held = [json.loads(command("node", "brake", "--json", "--home", str(folder))) for folder in folders]
    finally:
        county.end()

    assert ("没有办成" in told, told.count("  · ")) == (False, 7), told
    assert sorted(one["state"] for one in requests) == ["issued", "searching"]
    assert sorted(one["state"] == "checking" for one in transfers) == [False, True]
    assert sum(map(len, held)) == 1


@pytest.mark.timeout(150)
def test_a_stopped_node_owes_its_answer_and_is_named(county: Running) -> None:
    county.type(f"stop {STORY_VILLAGE_CODE}")
    time.sleep(1.5)
    answered = county.hub("search", NOTICE_TITLE, "--live")
    line = next(line for line in answered.splitlines() if line.startswith(STORY_VILLAGE_CODE))
    assert "超时" in line or "离线" in line
    county.type(f"start {STORY_VILLAGE_CODE}")


@pytest.mark.timeout(150)
def test_a_node_answers_with_the_hub_stopped(county: Running) -> None:
    county.type("stop hub")
    deadline = time.monotonic() + WAIT_S
    while county.said.count("好。") < 3:
        assert time.monotonic() < deadline
        time.sleep(0.1)
    found = command("node", "search", "大坞里", "--home", str(county.home / "nodes" / STORY_VILLAGE_CODE))
    assert "麻竹生" in found
    county.type("start hub")


@pytest.mark.timeout(150)
def test_a_stop_signal_ends_every_process_that_was_started(tmp_path: Path) -> None:
    running = Running(tmp_path / "home", tmp_path / "said.txt", *("--sites", "3", "--rows-per-site", "10"))
    try:
        running.wait_for("县已就绪")
        started = descendants(running.process.pid)
        assert len(started) >= 3
        running.process.send_signal(signal.SIGTERM)
        assert running.process.wait(30) == 0
        assert [pid for pid in started if is_alive(pid)] == []
    finally:
        running.end()


@pytest.mark.timeout(150)
@pytest.mark.parametrize(("stage", "stop"), [("hub.log", signal.SIGINT), ("nodes-1.log", signal.SIGTERM)])
def test_a_demonstration_that_is_interrupted_while_it_starts_ends_at_once(
    tmp_path: Path, stage: str, stop: signal.Signals
) -> None:
    """What is still being loaded hears no end of its input; nobody waits for it, and nothing is left behind."""
    running = Running(tmp_path / "home", tmp_path / "said.txt", *("--sites", "3", "--rows-per-site", "10"))
    try:
        deadline = time.monotonic() + WAIT_S
        while not (running.home / "logs" / stage).exists():
            assert time.monotonic() < deadline, running.said
            time.sleep(0.01)
        started = descendants(running.process.pid)
        running.process.send_signal(stop)
        began = time.monotonic()
        assert running.process.wait(30) != 0
        assert time.monotonic() - began < STOP_S
        assert [pid for pid in started if is_alive(pid)] == []
        assert "正在结束各进程" in running.said
    finally:
        running.end()


@pytest.mark.timeout(150)
def test_files_from_outside_make_a_county_of_their_own(tmp_path: Path) -> None:
    """One file, one site; nobody knows beforehand what is in them."""
    data = tmp_path / "data"
    data.mkdir()
    for number in range(2):
        rows = [
            f"A00{number}-WS·2014-Y-BGS-000{row},关于第{row}号林权证的通知,某镇,2014.3.{row}" for row in range(1, 4)
        ]
        text = "\r\n".join(["档号,题名,责任者,日期", *rows, ""])
        (data / f"{number}.csv").write_bytes(text.encode("gb18030"))
    report_file = tmp_path / "r.json"
    running = Running(
        tmp_path / "home",
        tmp_path / "said.txt",
        *("--data", str(data), "--exit-when-settled", "--report", str(report_file)),
    )
    try:
        assert running.process.wait(WAIT_S) == 0, running.said
    finally:
        running.end()
    report = msgspec.json.decode(report_file.read_bytes(), type=Report)
    assert (report.sites, report.files, report.rows_taken, report.as_planted) == (2, 2, 6, None)
