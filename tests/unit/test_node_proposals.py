"""Proposals of the county at the owner: decided by the keeper, kept beside the sheet, and dropped when it speaks."""

from collections.abc import AsyncIterator
from pathlib import Path
from uuid import UUID, uuid4

import msgspec
import pytest
from sqlalchemy import Connection

from node import corrections, proposals
from node.corrections import with_value
from node.proposals import WAITING_MAX, ProposalState
from protocol.errors import BadValue, Refused
from protocol.events import Described
from protocol.letters import Letter
from protocol.proposals import (
    CHANGE_PROPOSED,
    PROPOSAL_DECIDED,
    PROPOSAL_WITHDRAWN,
    ChangeProposed,
    CorrectionDropped,
    ProposalDecided,
    ProposalWithdrawn,
    ProposedField,
    ProposedValue,
    said_of,
)
from protocol.records import Record
from replication import letters
from replication.letters import HUB_PEER
from tests.node_site import NodeSite, node_site, rows, write_csv

WRONG, RIGHT = "关于第2号林地承包合同的批复", "关于第2号山林承包合同的批复"
TOPIC = UUID(int=11)
NOW_MS = 1_790_000_000_000


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[NodeSite]:
    async with node_site(tmp_path) as made:
        write_csv(made.folder / "目录.csv", rows(4))
        await made.settle()
        yield made


async def propose(site: NodeSite, *values: tuple[str, str], topic: UUID = TOPIC, record_id: UUID | None = None) -> None:
    """Have the county's letter come."""
    record = (await site.records())[WRONG] if record_id is None else None
    body = ChangeProposed(
        record_id=record_id or (record.record_id if record is not None else uuid4()),
        values=tuple(ProposedValue(field=field, new=new) for field, new in values),
        reason="原件题名如此",
        proposed_by="林敏",
        proposed_at_ms=NOW_MS,
    )
    await hear(site, CHANGE_PROPOSED, body, topic)


async def hear(site: NodeSite, kind: str, body: msgspec.Struct, topic: UUID = TOPIC) -> None:
    letter = Letter(
        letter_id=uuid4(), topic=topic, kind=kind, body=msgspec.Raw(msgspec.json.encode(body)), written_at_ms=NOW_MS
    )
    handler = proposals.handlers(lambda: NOW_MS)[kind]
    await site.database.write(lambda connection: handler(connection, HUB_PEER, letter))


async def accept(site: NodeSite, number: int = 1) -> int:
    """Accept as the keeper does, and let the daemon's loop carry it out."""
    await site.database.write(lambda connection: proposals.accept(connection, number, "王守仁", "", NOW_MS))
    await site.settle()
    return len(await site.events())


async def states(site: NodeSite) -> list[ProposalState]:
    found = await site.database.read(lambda connection: proposals.listed(connection, with_past=True))
    return [one.state for one in found]


async def told(site: NodeSite) -> list[tuple[str, object]]:
    """What was written to the county, by kind."""

    def read(connection: Connection) -> list[tuple[str, object]]:
        found, _ = letters.due(connection, HUB_PEER, NOW_MS)
        kinds = {PROPOSAL_DECIDED: ProposalDecided}
        return [(one.kind, msgspec.json.decode(one.body, type=kinds.get(one.kind, CorrectionDropped))) for one in found]

    return await site.database.read(read)


async def standing(site: NodeSite) -> list[tuple[str, str, str]]:
    found = await site.database.read(lambda connection: corrections.listed(connection, 50))
    return [(one.field.value, one.value, one.dropped) for one in found]


# Accepting


async def test_an_accepted_value_is_published_in_the_transaction_of_the_answer(site: NodeSite) -> None:
    before = len(await site.events())
    await propose(site, ("title", RIGHT), ("date", "1986-03-05"))
    await accept(site)
    record = (await site.records())[RIGHT]
    event = (await site.events())[-1]

    assert (record.date_edtf, record.version, record.changed_by) == ("1986-03-05", 2, "keeper")
    assert (len(await site.events()), isinstance(event, Described)) == (before + 1, True)
    assert [(kind, getattr(body, "decision", "")) for kind, body in await told(site)] == [
        (PROPOSAL_DECIDED, "accepted")
    ]
    assert await states(site) == [ProposalState.ACCEPTED]


async def test_a_correction_survives_the_next_import_of_the_sheet(site: NodeSite) -> None:
    await propose(site, ("title", RIGHT))
    await accept(site)
    table = rows(5)
    table[1][6] = "77"
    write_csv(site.folder / "目录.csv", table)
    await site.settle()
    records = await site.records()

    assert (records[RIGHT].page_count, WRONG in records, len(records)) == (77, False, 5)
    assert await standing(site) == [("title", RIGHT, "")]


async def test_a_correction_survives_sorting_and_renumbering(site: NodeSite) -> None:
    """A row is found again by what its sheet says, not by the value that stands in its place."""
    await propose(site, ("title", RIGHT))
    await accept(site)
    record_id = (await site.records())[RIGHT].record_id
    table = list(reversed(rows(4)))
    table[2][0] = "Z109-WS·2011·Y-BGS-0099"
    write_csv(site.folder / "目录.csv", table)
    await site.settle()
    record = (await site.records())[RIGHT]

    assert (record.record_id, record.ref_code[-4:]) == (record_id, "0099")


@pytest.mark.parametrize(
    ("title", "because", "shown"),
    [(RIGHT, "sheet_agrees", RIGHT), ("关于第2号茶园承包合同的批复", "sheet_changed", "关于第2号茶园承包合同的批复")],
)
async def test_a_sheet_that_speaks_for_itself_stands_and_the_county_is_told(
    site: NodeSite, title: str, because: str, shown: str
) -> None:
    await propose(site, ("title", RIGHT))
    await accept(site)
    table = rows(4)
    table[1][1] = title
    write_csv(site.folder / "目录.csv", table)
    await site.settle()

    assert shown in await site.records()
    assert await standing(site) == [("title", RIGHT, because)]
    assert (await told(site))[-1] == ("correction_dropped", CorrectionDropped(field="title", because=because))


async def test_going_back_to_what_the_sheet_says_leaves_nothing_beside_it(site: NodeSite) -> None:
    await propose(site, ("title", RIGHT))
    await accept(site)
    record_id = (await site.records())[RIGHT].record_id
    await propose(site, ("title", WRONG), topic=UUID(int=12), record_id=record_id)
    await accept(site, 2)

    assert (WRONG in await site.records(), await standing(site)) == (True, [])


async def test_a_second_correction_of_a_field_remembers_what_the_sheet_said(site: NodeSite) -> None:
    await propose(site, ("title", "甲"))
    await accept(site)
    record_id = (await site.records())["甲"].record_id
    await propose(site, ("title", "乙"), topic=UUID(int=12), record_id=record_id)
    await accept(site, 2)
    table = rows(4)
    table[1][6] = "9"
    write_csv(site.folder / "目录.csv", table)
    await site.settle()

    assert ("乙" in await site.records(), await standing(site)) == (True, [("title", "乙", "")])


async def test_an_acceptance_that_says_what_is_there_changes_nothing(site: NodeSite) -> None:
    before = len(await site.events())
    await propose(site, ("title", WRONG))
    await accept(site)

    assert (len(await site.events()), await states(site)) == (before, [ProposalState.ACCEPTED])


async def test_a_changed_year_moves_the_record_in_the_index_and_it_is_found(site: NodeSite) -> None:
    await propose(site, ("date", "1986-03-05"))
    await accept(site)
    found = await site.database.fetch("SELECT docid / 1000000000 FROM record WHERE date_earliest = '1986-03-05'")

    assert found == [(1986,)]


# What is not accepted


async def test_a_refusal_needs_a_reason_and_tells_it(site: NodeSite) -> None:
    await propose(site, ("title", RIGHT))
    with pytest.raises(BadValue):
        await site.database.write(lambda connection: proposals.refuse(connection, 1, "王守仁", "  ", NOW_MS))
    await site.database.write(lambda connection: proposals.refuse(connection, 1, "王守仁", "原件如此", NOW_MS))

    assert WRONG in await site.records()
    assert await told(site) == [
        (
            PROPOSAL_DECIDED,
            ProposalDecided(
                decision="refused",
                reason_zh="原件如此",
                reason_en="原件如此",
                decided_by="王守仁",
                decided_at_ms=NOW_MS,
            ),
        )
    ]


async def test_a_record_that_is_gone_makes_the_proposal_void(site: NodeSite) -> None:
    await propose(site, ("title", RIGHT), record_id=uuid4())
    await accept(site)

    assert (await states(site), getattr((await told(site))[0][1], "decision", "")) == ([ProposalState.VOID], "void")


async def test_what_was_taken_back_waits_no_more_and_a_decision_stands(site: NodeSite) -> None:
    await propose(site, ("title", RIGHT))
    await hear(site, PROPOSAL_WITHDRAWN, ProposalWithdrawn(withdrawn_by="林敏"))
    with pytest.raises(BadValue):
        await accept(site)
    await propose(site, ("title", RIGHT), topic=UUID(int=12))
    await accept(site, 2)
    await hear(site, PROPOSAL_WITHDRAWN, ProposalWithdrawn(withdrawn_by="林敏"), UUID(int=12))

    assert await states(site) == [ProposalState.WITHDRAWN, ProposalState.ACCEPTED]


async def test_a_proposal_that_comes_again_is_one(site: NodeSite) -> None:
    await propose(site, ("title", RIGHT))
    await propose(site, ("title", "另一题名"))

    assert len(await states(site)) == 1


async def test_a_field_of_a_later_version_waits_for_an_upgrade(site: NodeSite) -> None:
    await propose(site, ("colour", "红"))
    with pytest.raises(Refused):
        await accept(site)

    assert await states(site) == [ProposalState.WAITING]


async def test_more_than_anybody_decides_is_answered_at_once(site: NodeSite) -> None:
    def fill(connection: Connection) -> None:
        connection.exec_driver_sql(
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?)"
            " INSERT INTO proposal SELECT i, 'p' || i, x'00', 0, '[]', '', '', 0, 0, 'waiting', '', '', '', 0 FROM n",
            (WAITING_MAX,),
        )

    await site.database.write(fill)
    await propose(site, ("title", RIGHT))

    assert [getattr(body, "decision", "") for _, body in await told(site)] == ["void"]


async def test_a_letter_that_cannot_be_read_is_set_aside(site: NodeSite) -> None:
    with pytest.raises(BadValue):
        await hear(site, CHANGE_PROPOSED, ProposalWithdrawn())


# Values


@pytest.mark.parametrize(
    ("field", "text", "said"),
    [
        (ProposedField.TITLE, "[无题名]", "[无题名]"),
        (ProposedField.RESPONSIBLE, "县林业局、天荒坪镇人民政府", "县林业局；天荒坪镇人民政府"),
        (ProposedField.DATE, "1986年3月", "1986年3月"),
        (ProposedField.DOC_NO, "天政[2011]9号", "天政[2011]9号"),
        (ProposedField.RETENTION, "30年", "30年"),
        (ProposedField.PAGE_COUNT, "12", "12"),
        (ProposedField.SCOPE, "含附图", "含附图"),
        (ProposedField.NOTE, "", ""),
    ],
)
def test_every_field_says_what_it_was_given(field: ProposedField, text: str, said: str) -> None:
    record = Record(record_id=uuid4(), repository_id="330523108204", title="甲", note="旧", page_count=3)

    assert said_of(with_value(record, field, text), field) == said


def test_an_identity_number_is_masked_as_in_a_cell() -> None:
    """What must not travel does not, whoever typed it (promise 8)."""
    record = Record(record_id=uuid4(), repository_id="330523108204", title="甲")

    assert "330523198603051234" not in with_value(record, ProposedField.NOTE, "持证人 330523198603051234 领取").note
