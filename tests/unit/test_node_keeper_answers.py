"""A lookup is answered by the site's own policy, and its log says so in the same transaction."""

from collections.abc import AsyncIterator
from pathlib import Path
from uuid import UUID, uuid4

import msgspec
import pytest
from sqlalchemy import Connection

from node.config import PolicyRuleSettings, PolicySettings
from node.keeper import audit
from node.keeper.answers import ANSWER_FILL_BYTES, LIVE, answered, letter_handler, lookup_handler
from node.keeper.policy import policy_of
from protocol.audit_chain import AuditHead, AuditLine
from protocol.calls import LookedUp, Lookup, Outcome, Refusal, question_digest
from protocol.codec import decode_record
from protocol.errors import BadValue, Retryable
from protocol.letters import Letter, body_of
from protocol.lookup_cases import LookupCase
from protocol.lookup_policy import DEFAULT_POLICY, Policy, PolicyRule, Treatment
from protocol.lookups import LOOKUP_ANSWERED, LOOKUP_ASKED, LookupAnswered, encoded_lookup
from protocol.masking import HIDDEN, UNTOLD_TITLE
from protocol.queries import parse
from protocol.search_calls import with_language
from replication import letters
from replication.letters import HUB_PEER
from tests.node_site import NodeSite, node_site, write_csv

NOW_MS = 1_790_000_000_000
REQUEST = UUID(int=11)
CASE = LookupCase(request_id=REQUEST, case_ref="（2026）安调字第12号", purpose="marriage", requester="person")

HEADER = ("档号", "题名", "责任者", "日期", "保管期限", "密级", "开放标识")
MARRIAGE = ("H001-HY·1986-0001", "王小明与李红梅结婚登记", "某公社", "19860512", "永久", "", "未审核")
CLOSED = ("H001-HY·1986-0002", "王小明与张秀英离婚登记", "某公社", "19860712", "永久", "", "控制")
SECRET = ("H001-HY·1986-0003", "王小明结婚涉密材料", "某公社", "19860712", "永久", "秘密", "控制")
CONTRACT = ("H001-LD·1986-0004", "王小明山林承包合同", "某大队", "19860901", "永久", "", "未审核")


def lookup(words: str, case: LookupCase = CASE, **changes: object) -> Lookup:
    """A question as the hub asks it."""
    plain = Lookup(asker="hub", question="q1", query=words, lookup_id=UUID(int=5), case=case, **changes)  # type: ignore[arg-type]
    asked = with_language(plain, parse(words))
    assert isinstance(asked, Lookup)
    return asked


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[NodeSite]:
    async with node_site(tmp_path) as site:
        write_csv(site.folder / "婚姻登记.csv", [MARRIAGE, CLOSED, SECRET], HEADER)
        write_csv(site.folder / "林地.csv", [CONTRACT], HEADER)
        await site.settle()
        yield site


async def ask(site: NodeSite, question: Lookup, policy: Policy = DEFAULT_POLICY) -> tuple[Outcome, LookedUp | Refusal]:
    return await site.database.write(lambda connection: answered(connection, policy, question, LIVE, "d", NOW_MS))


async def lines(site: NodeSite) -> list[AuditLine]:
    return await site.database.read(lambda connection: audit.listed(connection, limit=100))


def titles(body: LookedUp | Refusal) -> dict[str, str]:
    assert isinstance(body, LookedUp)
    return {decode_record(hit.record).title: hit.treatment for hit in body.hits}


RULES = PolicySettings(
    rules=(
        PolicyRuleSettings(treatment=Treatment.EXISTENCE, access=("restricted",)),  # type: ignore[arg-type]
        PolicyRuleSettings(treatment=Treatment.MASK, purposes=("marriage",)),
    )
)


async def test_what_is_told_is_what_the_policy_says(site: NodeSite) -> None:
    outcome, body = await ask(site, lookup("王小明"), policy_of(RULES))

    assert outcome is Outcome.ANSWERED
    assert titles(body) == {
        f"王小明与{HIDDEN}结婚登记": "mask",
        UNTOLD_TITLE: "existence",
        f"王小明{HIDDEN}合同": "mask",
    }


async def test_what_must_not_travel_is_not_even_counted(site: NodeSite) -> None:
    """Promise 8: of the four records that hold the name one is 秘密."""
    _, body = await ask(site, lookup("王小明"))

    assert isinstance(body, LookedUp)
    assert (body.total, body.withheld, len(body.hits)) == (3, 0, 3)


async def test_a_site_may_tell_its_own_rules(site: NodeSite) -> None:
    rules = (PolicyRule(treatment=Treatment.SHOW),)
    _, body = await ask(site, lookup("王小明"), Policy(name="open", rules=rules))

    assert set(titles(body)) == {MARRIAGE[1], CLOSED[1], CONTRACT[1]}


async def test_the_line_names_case_and_records_and_no_words(site: NodeSite) -> None:
    _, body = await ask(site, lookup("王小明"))

    (line,) = await lines(site)
    detail = audit.detail_of(line)
    assert isinstance(body, LookedUp)
    assert (line.object, line.outcome, line.origin) == (str(REQUEST), "done", "live")
    assert (detail.case_ref, detail.purpose, detail.requester) == (CASE.case_ref, "marriage", "person")
    assert {one.record_id for one in detail.told} == {decode_record(hit.record).record_id for hit in body.hits}
    assert "王小明" not in msgspec.json.encode(line).decode()


async def test_the_answer_carries_the_head_of_the_log_with_its_own_line(site: NodeSite) -> None:
    _, body = await ask(site, lookup("王小明"))

    (line,) = await lines(site)
    assert isinstance(body, LookedUp)
    assert body.head == AuditHead(seq=line.seq, digest=line.digest)


async def test_a_search_that_finds_nothing_is_logged_too(site: NodeSite) -> None:
    """A village sees that somebody looked for a person, also where there was nothing."""
    outcome, body = await ask(site, lookup("赵不存在"))

    (line,) = await lines(site)
    assert (outcome, titles(body)) == (Outcome.NOTHING, {})
    assert (line.action, audit.detail_of(line).total) == ("looked_up", 0)


async def test_a_question_without_a_purpose_is_refused_and_logged(site: NodeSite) -> None:
    outcome, body = await ask(site, lookup("王小明", LookupCase(request_id=REQUEST)))

    (line,) = await lines(site)
    assert outcome is Outcome.REFUSED
    assert isinstance(body, Refusal)
    assert (line.action, line.outcome, audit.detail_of(line).told) == ("lookup_refused", "refused", ())


async def test_a_policy_that_tells_nothing_refuses_and_says_how_many(site: NodeSite) -> None:
    rules = (PolicyRule(treatment=Treatment.REFUSE),)
    outcome, body = await ask(site, lookup("王小明"), Policy(name="shut", rules=rules))

    (line,) = await lines(site)
    assert isinstance(body, LookedUp)
    assert (outcome, body.total, body.hits, body.withheld) == (Outcome.REFUSED, 3, (), 3)
    assert (line.outcome, audit.detail_of(line).withheld) == ("refused", 3)


async def test_an_answer_that_is_not_written_down_is_not_given(site: NodeSite) -> None:
    """Both are one transaction: where the line cannot be written, the search has no result."""

    def spoil(connection: Connection) -> None:
        connection.exec_driver_sql("DROP TABLE audit_line")

    await site.database.write(spoil)
    with pytest.raises(Retryable, match="not upgraded"):
        await ask(site, lookup("王小明"))


async def test_what_does_not_fit_is_neither_told_nor_logged_as_told(tmp_path: Path) -> None:
    rows = [(f"Z109-WS·2011-{number:04d}", "承包" * 900, "某大队", "2011", "永久", "", "") for number in range(1, 40)]
    async with node_site(tmp_path) as site:
        write_csv(site.folder / "长.csv", rows, HEADER)
        await site.settle()
        _, body = await ask(site, lookup("承包", limit=200))

        (line,) = await lines(site)
    assert isinstance(body, LookedUp)
    assert 0 < sum(len(hit.record) for hit in body.hits) <= ANSWER_FILL_BYTES
    assert body.total == len(rows) > len(body.hits)
    assert len(audit.detail_of(line).told) == len(body.hits)


async def test_a_letter_is_answered_with_a_letter_that_names_its_question(site: NodeSite) -> None:
    asked = msgspec.structs.replace(lookup("王小明"), asker="", question="")
    body, digest = encoded_lookup(asked)
    letter = Letter(
        letter_id=uuid4(), topic=asked.lookup_id, kind=LOOKUP_ASKED, body=msgspec.Raw(body), written_at_ms=NOW_MS
    )
    handle = letter_handler(DEFAULT_POLICY, lambda: NOW_MS)
    await site.database.write(lambda connection: handle(connection, HUB_PEER, letter))

    written, _ = await site.database.read(lambda connection: letters.due(connection, HUB_PEER, NOW_MS))
    (line,) = await lines(site)
    (answer,) = written
    told = body_of(answer, LookupAnswered)
    assert (answer.kind, answer.topic) == (LOOKUP_ANSWERED, asked.lookup_id)
    assert (told.lookup_id, told.question_digest, told.outcome) == (asked.lookup_id, digest, Outcome.ANSWERED)
    assert (line.origin, audit.detail_of(line).question) == ("letter", digest)


async def test_the_live_handler_names_the_bytes_of_the_question(site: NodeSite) -> None:
    question = lookup("王小明")
    outcome, _ = (await lookup_handler(site.database, DEFAULT_POLICY, lambda: NOW_MS)(question))[:2]

    (line,) = await lines(site)
    assert outcome is Outcome.ANSWERED
    assert audit.detail_of(line).question == question_digest(msgspec.json.encode(question))


async def test_a_letter_that_is_none_is_set_aside(site: NodeSite) -> None:
    letter = Letter(letter_id=uuid4(), topic=UUID(int=1), kind=LOOKUP_ASKED, body=msgspec.Raw(b"[]"), written_at_ms=1)
    handle = letter_handler(DEFAULT_POLICY, lambda: NOW_MS)
    with pytest.raises(BadValue):
        await site.database.write(lambda connection: handle(connection, HUB_PEER, letter))
