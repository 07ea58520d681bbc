"""What the site answers to calls, and what only its keeper finds."""

import asyncio
import datetime
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any
from uuid import UUID

import msgspec
import pytest

from node import search
from node.search import explained, find
from protocol.calls import (
    AskHealth,
    CompareDigests,
    Digests,
    Found,
    GetRecord,
    Health,
    Hits,
    Match,
    Outcome,
    QuestionHead,
    Search,
    WordReading,
)
from protocol.codec import decode_record
from protocol.vocabularies import AccessStatus, Level
from replication.digests import bucket_of, digest_name, record_digest
from tests.node_site import NodeSite, node_site, rows, write_csv
from tests.tallies import tally_of

Ask = Callable[[QuestionHead], Awaitable[Any]]


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[NodeSite]:
    async with node_site(tmp_path / "home") as opened:
        table = rows(30)
        table[4][1] = "王伟建房用地申请"
        table[5][7] = "机密"
        table[6][8] = "控制"
        table[7][1] = "关於臺灣同胞接待工作的通知"
        write_csv(opened.folder / "a.csv", table)
        await opened.take("a.csv")
        yield opened


@pytest.fixture
def ask(site: NodeSite) -> Ask:
    async def health() -> Health:
        return Health(version="1")

    handlers = search.handlers(site.database, lambda: ("e1", 90), health)

    async def asked(question: QuestionHead) -> Any:  # noqa: ANN401 - every call has its own answer
        return await handlers[type(question)](question)

    return asked


def question(query: str, **more: Any) -> Search:  # noqa: ANN401 - any field of a search
    return Search(asker="a", question="q", query=query, **more)


async def titles(ask: Ask, query: str, **more: Any) -> list[str]:  # noqa: ANN401 - any field of a search
    _, hits = await ask(question(query, **more))
    return [decode_record(hit.record).title for hit in hits.hits]


async def test_two_character_name_is_found_with_its_reason(ask: Ask) -> None:
    outcome, hits = await ask(question("王伟"))
    assert outcome is Outcome.ANSWERED
    assert (hits.total, hits.hits[0].matches) == (1, (Match(field="title", how="literal", word="王伟"),))


async def test_simplified_words_find_traditional_ones(ask: Ask) -> None:
    outcome, hits = await ask(question("台湾同胞"))
    assert outcome is Outcome.ANSWERED
    assert hits.hits[0].matches == (Match(field="title", how="variant", word="台湾同胞"),)


async def test_reasons_are_left_out_if_the_asker_does_without(ask: Ask) -> None:
    _, explained_hits = await ask(question("王伟"))
    _, bare = await ask(question("王伟", with_matches=False))
    assert [(hit.record, hit.matches) for hit in bare.hits] == [(hit.record, ()) for hit in explained_hits.hits]
    assert bare.total == explained_hits.total


async def test_total_is_exact_and_hits_are_the_newest(ask: Ask) -> None:
    _, hits = await ask(question("林地承包", limit=3))
    dates = [str(decode_record(hit.record).date_latest) for hit in hits.hits]
    assert hits.total == 27
    assert len(dates) == 3
    assert dates == sorted(dates, reverse=True)


async def test_limit_zero_counts_only(ask: Ask) -> None:
    outcome, hits = await ask(question("林地承包", limit=0))
    assert (outcome, hits) == (Outcome.ANSWERED, Hits(total=27))


@pytest.mark.parametrize("query", ["查无此事", "！！！", '"', "AND", "王-伟*"])
async def test_nothing_is_an_answer_of_its_own(ask: Ask, query: str) -> None:
    outcome, hits = await ask(question(query))
    assert (outcome, hits) == (Outcome.NOTHING, Hits(total=0))


async def test_filters_narrow_and_count_exactly(ask: Ask) -> None:
    everything = await titles(ask, "", limit=100)
    assert len(everything) == 29
    assert await titles(ask, "", access_status=AccessStatus.RESTRICTED) == [rows(30)[6][1]]
    assert await titles(ask, "", level=Level.VOLUME) == []
    assert await titles(ask, "", fonds_no="Z109", limit=100) == everything
    assert await titles(ask, "", fonds_no="Z110") == []
    day = datetime.date(2011, 3, 3)
    assert await titles(ask, "承包", date_from=day, date_to=day) == [rows(30)[1][1]]


async def test_withheld_records_are_in_no_answer(site: NodeSite, ask: Ask) -> None:
    """Promise 8: also the total does not count them."""
    secret = rows(30)[5][1]
    assert secret not in await titles(ask, "", limit=100)
    outcome, hits = await ask(question("第6号林地"))
    assert (outcome, hits.total) == (Outcome.NOTHING, 0)
    (row,) = await site.database.fetch("SELECT record_id FROM record WHERE standing = 'withheld'")
    assert isinstance(row[0], bytes)
    assert await ask(GetRecord(asker="a", question="q", record_id=UUID(bytes=row[0]))) == (Outcome.NOTHING, None)
    kept = await find(site.database, question("第6号林地"), with_withheld=True)
    assert (kept.total, decode_record(explained(kept, question("第6号林地")).hits[0].record).title) == (1, secret)


async def test_withdrawn_records_are_not_found(site: NodeSite, ask: Ask) -> None:
    write_csv(site.folder / "a.csv", rows(25))
    await site.take("a.csv")
    assert await titles(ask, "第27号林地") == []
    assert (await ask(question("林地", limit=0)))[1].total == 25


async def test_record_is_fetched_by_its_id(site: NodeSite, ask: Ask) -> None:
    record = (await site.records())["王伟建房用地申请"]
    outcome, found = await ask(GetRecord(asker="a", question="q", record_id=record.record_id))
    assert outcome is Outcome.ANSWERED
    assert isinstance(found, Found)
    assert decode_record(found.record) == record
    assert found.seq == 5


async def test_digests_agree_with_the_records_at_every_depth(site: NodeSite, ask: Ask) -> None:
    bodies = [body for (body,) in await site.database.fetch("SELECT body FROM record WHERE standing = 'listed'")]
    digests = [record_digest(body) for body in bodies if isinstance(body, bytes)]
    outcome, told, as_of = await ask(CompareDigests(asker="a", question="q"))
    assert (outcome, as_of) == (Outcome.ANSWERED, ("e1", 29))
    assert [(line.part, line.count, line.digest) for line in told.lines] == [("Z109", 29, tally_of(digests).digest)]
    _, told, _ = await ask(CompareDigests(asker="a", question="q", fonds_no="Z109"))
    assert sum(line.count for line in told.lines) == 29
    bucket = int(told.lines[0].part)
    _, listed, _ = await ask(CompareDigests(asker="a", question="q", fonds_no="Z109", bucket=bucket))
    assert isinstance(listed, Digests)
    ids = {decode_record(body).record_id: record_digest(body) for body in bodies if isinstance(body, bytes)}
    expected = {(str(one), digest_name(digest)) for one, digest in ids.items() if bucket_of(one) == bucket}
    assert {(line.part, line.digest) for line in listed.lines} == expected
    assert not listed.more
    _, rest, _ = await ask(
        CompareDigests(
            asker="a", question="q", fonds_no="Z109", bucket=bucket, after=UUID(max(line.part for line in listed.lines))
        )
    )
    assert rest.lines == ()


async def test_health_is_what_the_site_says_of_itself(ask: Ask) -> None:
    assert await ask(AskHealth(asker="a", question="q")) == (Outcome.ANSWERED, Health(version="1"))


async def test_hits_are_the_bytes_that_the_owner_wrote(site: NodeSite, ask: Ask) -> None:
    _, hits = await ask(question("王伟"))
    (row,) = await site.database.fetch("SELECT body FROM record WHERE seq = ?", (hits.hits[0].seq,))
    assert bytes(hits.hits[0].record) == row[0]
    assert msgspec.json.decode(msgspec.json.encode(hits), type=Hits).total == 1


async def test_searches_answer_while_a_file_is_taken(site: NodeSite, ask: Ask) -> None:
    """A long import must not keep the county waiting."""
    write_csv(site.folder / "b.csv", rows(6_000, first=5_000))
    importing = asyncio.create_task(site.take("b.csv"))
    answered = 0
    while not importing.done():
        await ask(question("王伟"))
        answered += 1
        await asyncio.sleep(0)
    await importing
    # Were the import in the way, the first would be answered after it, and be the last.
    assert answered > 2


async def test_language_is_understood_and_hits_tell_their_rank(ask: Ask) -> None:
    outcome, hits = await ask(question("", language="题名:王伟"))

    assert outcome is Outcome.ANSWERED
    assert (hits.total, hits.hits[0].stage, hits.hits[0].matches) == (
        1,
        "title",
        (Match(field="title", how="literal", word="王伟"),),
    )


async def test_readings_come_with_the_question(ask: Ask) -> None:
    """A site needs no tables of names and places."""
    told = (WordReading(word="王玮", text="王伟", kind="homophone", zh="同音", en="sounds alike"),)
    _, hits = await ask(question("", language="王玮", readings=told))

    assert [(hit.stage, hit.matches[0].how) for hit in hits.hits] == [("homophone", "homophone")]


async def test_query_of_a_later_version_is_answered_by_its_plain_words(ask: Ask) -> None:
    outcome, hits = await ask(question("王伟", language="题名:"))

    assert (outcome, hits.total) == (Outcome.ANSWERED, 1)
