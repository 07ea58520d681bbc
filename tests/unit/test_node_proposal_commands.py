"""``danglian-node proposals``: what a keeper reads and types."""

import json
from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy import Connection

from node import proposals
from node.__main__ import main
from protocol.proposals import ChangeProposed, ProposedValue
from tests.node_site import node_site, rows, write_csv

NOW_MS = 1_790_000_000_000


@pytest.fixture
async def home(tmp_path: Path) -> Path:
    """A home in which a proposal waits."""
    async with node_site(tmp_path) as site:
        write_csv(site.folder / "目录.csv", rows(2))
        await site.settle()
        record = (await site.records())["关于第2号林地承包合同的批复"]
        value = ProposedValue(field="title", old=record.title, new="关于第2号山林承包合同的批复")
        said = ChangeProposed(
            record_id=record.record_id,
            values=(value,),
            reason="原件题名如此",
            proposed_by="林敏",
            proposed_at_ms=NOW_MS,
        )

        def fill(connection: Connection) -> None:
            proposals.take(connection, UUID(int=1), said, NOW_MS)

        await site.database.write(fill)
    return tmp_path


def ran(capsys: pytest.CaptureFixture[str], home: Path, *arguments: str) -> tuple[int, str]:
    code = main(["proposals", "--home", str(home), *arguments])
    told = capsys.readouterr()
    return code, told.out + told.err


def test_what_waits_is_listed_and_shown_side_by_side(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    listed, shown = ran(capsys, home), ran(capsys, home, "show", "1")

    assert (listed[0], "原件题名如此" in listed[1], "山林" in listed[1]) == (0, True, False)
    assert ("现在：  关于第2号林地" in shown[1], "关于第2号山林" in shown[1]) == (True, True)


def test_a_decision_is_written_down_once(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    first = ran(capsys, home, "accept", "1", "--by", "王守仁", "--json")
    again = ran(capsys, home, "refuse", "1", "--because", "甲")

    assert (first[0], json.loads(first[1])[0]["proposal"]["state"]) == (0, "accept_asked")
    assert (again[0], "已不在等待" in again[1]) == (2, True)


@pytest.mark.parametrize("arguments", [("accept",), ("refuse", "1"), ("show", "9")])
def test_wrong_use_is_told_with_a_remedy(
    home: Path, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...]
) -> None:
    code, told = ran(capsys, home, *arguments)

    assert (code, "处理办法" in told) == (2, True)
