"""Statements of completeness: what they say, that they are believed, and that nothing in them can be changed."""

import argparse
import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from uuid import UUID

import pytest

from hub import audit
from hub.commands import statement as command
from hub.searching.search import Query
from hub.window import statements
from hub.window.statement_words import in_words, verdict
from hub.window.statements import Maker
from protocol.completeness import tally, verified_statement
from protocol.errors import BadValue
from protocol.lookups import LookupState, SiteOutcome
from replication.command_line import run_command
from replication.keys import Identity, new_seed, verified
from tests.window_county import NOW_MS, REQUEST, County, county, order, row

OLD, NEW, FAR = "330523108204", "330523108205", "330523106201"
MAKER = Maker(county="330523000000", county_name="某县档案馆", identity=Identity(new_seed(b"h" * 32)))


@pytest.fixture
async def made(tmp_path: Path) -> AsyncIterator[tuple[County, AsyncExitStack]]:
    async with county(tmp_path) as (one, stack):
        await one.add(stack, OLD, "大溪村档案室", [row(1, "大溪村山林承包合同", "19861203")])
        await one.add(stack, FAR, "石岭村档案室", [row(3, "石岭村选举材料", "19900101")])
        yield one, stack


async def signed(one: County) -> bytes:
    return await one.database.write(
        lambda connection: statements.make(connection, MAKER, REQUEST, UUID(int=5), by="lin.min", now_ms=NOW_MS)
    )


async def test_it_names_every_site_with_what_it_said_and_what_it_holds(made: tuple[County, AsyncExitStack]) -> None:
    one, _ = made
    await one.ask(order(1, "饮用水工程", places=("大溪村",)))
    statement, key = verified_statement(await signed(one), verified)
    (question,) = statement.questions
    asked, left_out = sorted(question.sites, key=lambda line: line.outcome is SiteOutcome.NOT_ASKED)

    assert (key, question.state, question.words) == (MAKER.identity.public_key, LookupState.NOT_FOUND, "饮用水工程")
    assert (asked.site, asked.outcome, asked.total, asked.seq) == (OLD, SiteOutcome.NOTHING, 0, 1)
    assert [(held.year_from, held.year_to, held.entries) for held in asked.holdings] == [(1986, 1986, 1)]
    assert (left_out.site, left_out.why.zh) == (FAR, "不属于所问地点")
    assert tally(statement).is_proof


async def test_an_empty_answer_with_a_silent_site_is_no_proof(made: tuple[County, AsyncExitStack]) -> None:
    one, _ = made
    await one.sites[OLD].go()
    await one.ask(order(1, "饮用水工程", places=("大溪村",)))
    statement, _ = verified_statement(await signed(one), verified)

    assert not tally(statement).is_proof
    assert "不能据此认定没有" in verdict(statement).zh
    assert any("尚未答复" in line for line in in_words(statement, "zh"))
    assert any("asked by letter" in line for line in in_words(statement, "en"))


async def test_that_it_was_made_is_in_the_log(made: tuple[County, AsyncExitStack]) -> None:
    one, _ = made
    await one.ask(order(1, "饮用水工程", query=Query(words="饮用水工程", livelihood_kind="")))
    await signed(one)
    lines = await one.database.read(lambda connection: audit.listed(connection, action="statement_made", limit=5))

    assert [(line.who, str(REQUEST) in line.detail) for line in lines] == [("lin.min", True)]


async def test_nothing_is_stated_about_a_request_of_which_nothing_was_asked(
    made: tuple[County, AsyncExitStack],
) -> None:
    one, _ = made
    with pytest.raises(BadValue, match="nothing was asked"):
        await signed(one)


async def test_the_command_verifies_a_file_anywhere(
    made: tuple[County, AsyncExitStack], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Without a hub's home: whoever has the county's public key can verify."""
    one, _ = made
    await one.ask(order(1, "饮用水工程", places=("大溪村",)))
    raw = await signed(one)
    good, bad = tmp_path / "good.json", tmp_path / "bad.json"
    good.write_bytes(raw + b"\n")
    bad.write_bytes(raw.replace("饮用水".encode(), "饮用酒".encode()))

    def verify(file: Path, key: str) -> int:
        parser = _parser()
        return run_command(
            parser, ["statement", "verify", str(file), "--home", str(tmp_path / "none"), "--key", key, "--json"]
        )

    right = verify(good, MAKER.identity.public_key)
    said = json.loads(capsys.readouterr().out)
    codes = [verify(bad, MAKER.identity.public_key), verify(good, Identity(new_seed(b"o" * 32)).public_key)]

    assert (right, said["key"], said["is_trusted"]) == (0, MAKER.identity.public_key, True)
    assert all(code != 0 for code in codes)


def _parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser()
    command.add(made.add_subparsers())
    return made
