"""Logs that contradict what was kept of them raise an alarm that says where, and ends when it was looked into."""

import json
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest
from sqlalchemy import Connection, insert

from hub import audit
from hub.alarm.alarms import AlarmKind, Cause
from hub.alarm.health import Counted, Standing, health_of
from hub.staff.account_tables import audit_line as county_line
from hub.staff.administration import Actor
from hub.window import audit_findings, audit_heads
from hub.window.audit_heads import EXCHANGE_EVERY_MS, HeadExchange
from hub.window.lookup_tables import audit_contradiction
from node.keeper.tables import audit_line
from protocol.audit_chain import AuditHead
from protocol.audit_letters import AuditHeadTold
from protocol.errors import BadValue
from tests.unit.test_hub_lookout import County as Watched
from tests.window_county import County, county, order, row

COUNTY = "330523000000"
SITE, OTHER = "330523108204", "330523108205"
WHO = Actor(who="guan.li")


@pytest.fixture
async def one(tmp_path: Path) -> AsyncIterator[County]:
    async with county(tmp_path) as (made, stack):
        await made.add(stack, SITE, "大溪村档案室", [row(1, "大溪村山林承包合同", "19861203")])
        for number in range(3):
            await made.ask(order(number, "大溪村 山林"))
        yield made


async def exchange(one: County) -> None:
    one.now_ms += EXCHANGE_EVERY_MS
    await one.beat(one.sites[SITE])
    await HeadExchange(one.database, one.clock).look()
    await one.correspond()


async def found(one: County) -> list[tuple[str, Cause, str]]:
    told = await one.database.read(lambda connection: audit_findings.findings(connection, COUNTY))
    return [(finding.site, finding.cause, finding.evidence[0].zh) for finding in told]


async def test_honest_logs_raise_nothing(one: County) -> None:
    await exchange(one)
    await exchange(one)

    assert await found(one) == []


async def test_lines_that_were_removed_at_a_site_name_the_site_and_the_line(one: County) -> None:
    await one.sites[SITE].node.database.write(
        lambda connection: connection.execute(audit_line.delete().where(audit_line.c.seq > 1))
    )
    await exchange(one)

    assert await found(one) == [
        (SITE, Cause.AUDIT_AT_SITE, f"站点 {SITE} 的审计日志自第 2 条起与县级保存的不符（2 处）")
    ]


async def test_lines_that_were_removed_at_the_county_come_back_as_the_sites_word(one: County) -> None:
    """The site finds it when it is written to, and says so with its answer."""
    await one.database.write(lambda connection: connection.execute(county_line.delete().where(county_line.c.seq > 1)))
    await exchange(one)
    ((told, cause, words),) = await found(one)

    assert (told, cause) == (COUNTY, Cause.AUDIT_AT_COUNTY)
    assert SITE in words


async def test_what_was_looked_into_raises_nothing_more_until_something_new_is_found(one: County) -> None:
    def contradict(connection: Connection, seq: int, at_ms: int) -> None:
        values = {"site": SITE, "seq": seq, "kept_digest": "ab", "said_digest": "", "found_at_ms": at_ms}
        connection.execute(insert(audit_contradiction).values(**values))

    await one.database.write(lambda connection: contradict(connection, 7, 1_000))
    await one.database.write(
        lambda connection: audit_findings.settle(connection, WHO, COUNTY, SITE, "该站恢复过旧备份", 2_000)
    )
    quiet = await found(one)
    await one.database.write(lambda connection: contradict(connection, 9, 3_000))
    loud = await found(one)
    listed = await one.database.read(audit_heads.contradictions)
    (line,) = await one.database.read(lambda connection: audit.listed(connection, action="audit_settled", limit=5))

    assert (quiet, [site for site, _, _ in loud], [entry.seq for entry in listed]) == ([], [SITE], [7, 9])
    assert "第 9 条" in loud[0][2]
    assert (line.who, line.object, line.detail) == ("guan.li", SITE, "该站恢复过旧备份")


@pytest.mark.parametrize(("site", "because"), [(OTHER, "查过"), (SITE, "  ")])
async def test_nothing_is_settled_that_is_not_open_or_not_explained(one: County, site: str, because: str) -> None:
    values = {"site": SITE, "seq": 7, "kept_digest": "ab", "said_digest": "", "found_at_ms": 1}
    await one.database.write(lambda connection: connection.execute(insert(audit_contradiction).values(**values)))

    with pytest.raises(BadValue):
        await one.database.write(
            lambda connection: audit_findings.settle(connection, WHO, COUNTY, site, because, 2_000)
        )


async def test_an_alarm_opens_health_says_where_and_it_closes_when_it_is_settled(one: County, tmp_path: Path) -> None:
    values = {"site": SITE, "seq": 7, "kept_digest": "ab", "said_digest": "", "found_at_ms": 1}
    await one.database.write(lambda connection: connection.execute(insert(audit_contradiction).values(**values)))
    watched = Watched(one.database, tmp_path / "broker.log")
    watched.lookout.watch_book(lambda connection, _now: audit_findings.findings(connection, COUNTY))

    opened = await watched.over(1)
    (said,) = [check for check in (await watched.health()).checks if check.name == "audit"]
    await one.database.write(
        lambda connection: audit_findings.settle(connection, WHO, COUNTY, SITE, "查明", watched.now_ms)
    )
    after = await watched.over(5)

    assert [alarm for alarm in opened if alarm[1] is AlarmKind.AUDIT_LOG] == [
        (SITE, AlarmKind.AUDIT_LOG, Cause.AUDIT_AT_SITE)
    ]
    assert (said.standing, SITE in said.words.zh, "line 7" in said.words.en) == (Standing.ATTENTION, True, True)
    assert [alarm for alarm in after if alarm[1] is AlarmKind.AUDIT_LOG] == []


def test_a_hub_without_such_an_alarm_says_nothing_of_logs() -> None:
    checks = health_of(Counted(report=None, reported_at_ms=0), 1).checks

    assert [check.name for check in checks if check.name == "audit"] == []


GOLDEN = Path(__file__).parents[1] / "golden" / "v1.5" / "letter-audit-head-contradicted.json"


def test_the_word_of_a_site_travels_behind_all_that_older_readers_know() -> None:
    told = AuditHeadTold(
        head=AuditHead(seq=3, digest="ab" * 32), places=(1,), contradicted=(AuditHead(seq=2, digest="cd" * 32),)
    )

    assert msgspec.json.encode(told) == GOLDEN.read_bytes().rstrip(b"\n")
    assert list(json.loads(GOLDEN.read_bytes()))[-1] == "contradicted"
