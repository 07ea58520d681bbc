"""Two audit logs keep each other honest: heads go both ways, and a log that was changed cannot say what it said."""

import argparse
import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy import Connection, select

from hub import audit as county_audit
from hub.staff.account_tables import audit_line as county_line
from hub.window import audit_heads
from hub.window.audit_heads import EXCHANGE_EVERY_MS, HeadExchange
from hub.window.lookup_tables import site_audit_head
from node.commands import audit as command
from node.keeper import audit, county_heads
from node.keeper.answers import keeper_letters
from node.keeper.tables import audit_line
from protocol.audit_chain import AuditLine, head_of, sealed
from protocol.audit_letters import PLACES_ASKED_MAX
from replication import letters
from replication.command_line import run_command
from replication.letters import HUB_PEER
from tests.window_county import REQUEST, County, SiteEnd, county, order, row

SITE = "330523108204"


@pytest.fixture
async def one(tmp_path: Path) -> AsyncIterator[County]:
    """A site that has answered three lookups."""
    async with county(tmp_path) as (made, stack):
        await made.add(stack, SITE, "大溪村档案室", [row(1, "大溪村山林承包合同", "19861203")])
        for number in range(3):
            await made.ask(order(number, "大溪村 山林"))
        yield made


async def exchange(one: County) -> None:
    """Let a day pass, and both ends tell and ask."""
    one.now_ms += EXCHANGE_EVERY_MS
    await one.beat(one.sites[SITE])
    await HeadExchange(one.database, one.clock).look()
    await one.correspond()


def site(one: County) -> SiteEnd:
    return one.sites[SITE]


async def at_site(one: County) -> list[int]:
    found = await site(one).node.database.read(county_heads.contradictions)
    return [line.seq for line in found]


async def at_county(one: County) -> list[int]:
    found = await one.database.read(audit_heads.contradictions)
    return [line.seq for line in found]


async def test_each_answer_brings_the_head_of_the_sites_log_and_each_question_the_countys(one: County) -> None:
    lines = await site(one).lines()
    (kept,) = await one.database.read(audit_heads.kept_heads)
    heard = await site(one).node.database.read(county_heads.latest)
    asked = await one.database.read(lambda c: county_audit.listed(c, action="lookup_asked", limit=1))

    assert (kept.site, kept.seq, kept.digest) == (SITE, 3, lines[-1].digest)
    assert heard is not None
    assert heard[0] == head_of(asked[0])


async def test_honest_logs_contradict_nothing_however_often_they_are_compared(one: County) -> None:
    for _ in range(3):
        await exchange(one)

    assert (await at_site(one), await at_county(one)) == ([], [])


async def test_answers_that_overtake_each_other_accuse_nobody(one: County) -> None:
    """A letter with an answer is on its way for a minute, and a question that is put meanwhile is answered at once."""
    site(one).hangs = True
    await one.ask(order(4, "大溪村 山林"))
    site(one).hangs = False
    (waiting, _) = await one.database.read(lambda c: letters.due(c, SITE, one.now_ms))
    node = site(one).node.database
    handlers = keeper_letters(site(one).policy, one.clock)
    await node.write(lambda c: letters.take(c, HUB_PEER, waiting, handlers, one.now_ms))
    one.now_ms += 1_000
    await one.ask(order(5, "大溪村 山林"))
    await one.correspond()
    view = await one.view(UUID(int=1004))

    assert [line.outcome.value for line in view.sites] == ["answered"]
    assert (await at_site(one), await at_county(one)) == ([], [])


async def test_questions_that_overtake_each_other_accuse_nobody(one: County) -> None:
    """A site comes back and is asked something at once; then it fetches the question of yesterday."""
    await site(one).go()
    await one.ask(order(4, "大溪村 山林"))
    one.now_ms += EXCHANGE_EVERY_MS
    await site(one).start()
    await one.ask(order(5, "大溪村 山林"))
    await one.correspond()
    view = await one.view(UUID(int=1004))

    assert [line.outcome.value for line in view.sites] == ["answered"]
    assert (await at_site(one), await at_county(one)) == ([], [])


async def test_a_site_that_is_away_has_one_letter_waiting_not_one_a_day(one: County) -> None:
    await site(one).go()
    told = []
    for _ in range(5):
        one.now_ms += EXCHANGE_EVERY_MS
        told.append(await HeadExchange(one.database, one.clock).look())

    assert told == [1, 0, 0, 0, 0]


@pytest.mark.parametrize("line", [1, 2, 3])
async def test_a_line_that_was_changed_and_sealed_anew_at_the_site_is_found_by_the_county(
    one: County, line: int
) -> None:
    """Who has the machine can make every digest anew, and the site's own verification then finds nothing."""
    lines = await site(one).lines()
    forged = rewritten(lines, line - 1)
    await site(one).node.database.write(lambda connection: put(connection, forged))
    verdict = await audit.LOG.verify(site(one).node.database)
    await exchange(one)

    assert verdict.is_whole
    assert await at_county(one) == [one_line.seq for one_line in lines[line - 1 :]]


async def test_of_many_heads_some_stay_with_the_newest_and_find_as_much(one: County) -> None:
    """Every answer of every site brings one; a busy county would keep some hundred thousand a day."""
    for number in range(10, 130):
        await one.ask(order(number, "大溪村 山林"))
    await exchange(one)
    kept = await one.database.read(
        lambda c: list(c.scalars(select(site_audit_head.c.seq).order_by(site_audit_head.c.seq)))
    )
    lines = await site(one).lines()
    forged = rewritten(lines, kept[1] - 2)
    await site(one).node.database.write(lambda connection: put(connection, forged))
    await exchange(one)

    assert (len(kept) <= PLACES_ASKED_MAX + 1, kept[-1] >= 123) == (True, True)
    assert (await at_county(one))[:1] == [kept[1]]


async def test_lines_that_were_cut_off_at_the_site_are_found_by_the_county(one: County) -> None:
    def cut(connection: Connection) -> None:
        connection.execute(audit_line.delete().where(audit_line.c.seq > 1))

    await site(one).node.database.write(cut)
    verdict = await audit.LOG.verify(site(one).node.database)
    await exchange(one)

    assert verdict.is_whole
    assert await at_county(one) == [2, 3]


async def test_a_line_that_was_changed_at_the_county_is_found_by_the_site(one: County) -> None:
    heard = await site(one).node.database.read(county_heads.latest)
    assert heard is not None

    def forge(connection: Connection) -> None:
        lines = county_audit.LOG.after(connection, 0)
        for line in rewritten(lines, 0):
            values = {"detail": line.detail, "digest": line.digest}
            connection.execute(county_line.update().where(county_line.c.seq == line.seq).values(values))

    await one.database.write(forge)
    verdict = await county_audit.LOG.verify(one.database)
    # The site asks with its answer to the first exchange, and is told with the second.
    await exchange(one)
    await exchange(one)

    assert verdict.is_whole
    assert heard[0].seq in await at_site(one)


async def test_lines_that_were_cut_off_at_the_county_are_found_by_the_site(one: County) -> None:
    def cut(connection: Connection) -> None:
        connection.execute(county_line.delete().where(county_line.c.seq > 1))

    heard = await site(one).node.database.read(county_heads.latest)
    await one.database.write(cut)
    await exchange(one)

    assert heard is not None
    assert heard[0].seq in await at_site(one)


def test_the_sites_keeper_sees_every_read_and_verifies(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The command works on the database of a running daemon."""
    home = tmp_path / "home"
    home.mkdir()
    (tmp_path / "county").mkdir()

    async def prepare() -> None:
        async with county(tmp_path / "county") as (made, stack):
            await made.add(stack, SITE, "大溪村档案室", [row(1, "大溪村山林承包合同", "19861203")])
            await made.ask(order(1, "大溪村 山林"))
            await made.ask(order(2, "大溪村 山林"))

    asyncio.run(prepare())
    (tmp_path / "county" / SITE / "node.db").rename(home / "node.db")
    capsys.readouterr()

    def say(*arguments: str) -> tuple[int, str]:
        made = argparse.ArgumentParser()
        command.add(made.add_subparsers())
        code = run_command(made, ["audit", *arguments, "--home", str(home)])
        return code, capsys.readouterr().out

    shown = json.loads(say("show", "--json")[1])
    mine = json.loads(say("show", "--case", "（2026）安调字第12号", "--json")[1])
    other = json.loads(say("show", "--case", "别的案号", "--json")[1])
    code, told = say("verify", "--json")
    verdict = json.loads(told)
    missing, _ = say("verify", "--expect", f"9:{'0' * 64}")

    assert [line["seq"] for line in shown] == [2, 1]
    assert list(shown[0]["titles"].values()) == ["大溪村山林承包合同"]
    assert (len(mine), other) == (2, [])
    assert (code, verdict["lines"], verdict["head"][0], verdict["contradictions"]) == (0, 2, 2, [])
    assert missing == 1
    assert UUID(shown[0]["request_id"]) == REQUEST


def rewritten(lines: list[AuditLine], start: int) -> list[AuditLine]:
    """The log with one line's detail changed and all digests from there on made anew."""
    made = list(lines[:start])
    for number, line in enumerate(lines[start:]):
        detail = line.detail + " " if number == 0 else line.detail
        changed = AuditLine(**{name: getattr(line, name) for name in line.__struct_fields__} | {"detail": detail})
        made.append(sealed(changed, head_of(made[-1] if made else None)))
    return made


def put(connection: Connection, lines: list[AuditLine]) -> None:
    """Put a whole log in the place of another."""
    for line in lines:
        values = {"detail": line.detail, "digest": line.digest}
        connection.execute(audit_line.update().where(audit_line.c.seq == line.seq).values(values))
