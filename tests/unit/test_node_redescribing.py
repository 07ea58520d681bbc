"""Telling records again: what is listed is described, everything else is withdrawn with the cause that is true."""

from pathlib import Path
from uuid import UUID

from node.redescribing import redescribe
from protocol.calls import Outcome, Redescribe, Redescribed
from protocol.events import Described, WithdrawalCause, Withdrawn
from protocol.limits import REDESCRIBED_RECORDS_MAX
from replication import outbox
from tests.node_site import NodeSite, node_site, rows, write_csv


async def ask(site: NodeSite, *record_ids: UUID, seq: int | None = None) -> tuple[Outcome, object, tuple[str, int]]:
    here = await site.database.read(outbox.head)
    assert here is not None
    question = Redescribe(
        asker="hub", question="q", epoch=here.epoch, seq=here.seq if seq is None else seq, record_ids=record_ids
    )
    return await site.database.write(lambda connection: redescribe(connection, site.writer, question))


async def filled(site: NodeSite) -> dict[str, UUID]:
    """Take ten rows, of which one is secret and one vanishes; return the ids by standing."""
    table = rows(10)
    table[3][7] = "机密"
    write_csv(site.folder / "a.csv", table)
    await site.take("a.csv")
    write_csv(site.folder / "a.csv", table[:9])
    await site.take("a.csv")
    found = await site.database.fetch("SELECT standing, record_id FROM record ORDER BY docid")
    return {str(standing): UUID(bytes=record_id) for standing, record_id in found if isinstance(record_id, bytes)}


async def test_each_record_is_told_as_it_stands(tmp_path: Path) -> None:
    async with node_site(tmp_path) as site:
        ids, unknown = await filled(site), UUID(int=5)
        before = len(await site.events())
        outcome, body, at = await ask(site, ids["listed"], ids["withheld"], ids["gone"], unknown)
        told = (await site.events())[before:]

    assert (outcome, body) == (Outcome.ANSWERED, Redescribed(described=1, withdrawn=3, up_to=at[1]))
    assert isinstance(told[0], Described)
    assert [(one.record_id, one.cause) for one in told[1:] if isinstance(one, Withdrawn)] == [
        (ids["withheld"], WithdrawalCause.SECRECY_RAISED),
        (ids["gone"], WithdrawalCause.ROW_VANISHED),
        (unknown, WithdrawalCause.NOT_HELD),
    ]


async def test_what_was_told_again_is_caught_up_on_at_its_new_position(tmp_path: Path) -> None:
    async with node_site(tmp_path) as site:
        ids = await filled(site)
        _, _, at = await ask(site, ids["listed"], ids["gone"])
        seqs = await site.database.fetch(
            "SELECT seq FROM record WHERE record_id IN (?, ?) ORDER BY seq", (ids["listed"].bytes, ids["gone"].bytes)
        )

    assert [seq for (seq,) in seqs] == [at[1] - 1, at[1]]


async def test_repeated_or_late_question_changes_nothing(tmp_path: Path) -> None:
    async with node_site(tmp_path) as site:
        ids = await filled(site)
        here = await site.database.read(outbox.head)
        assert here is not None
        await ask(site, ids["listed"])
        events = len(await site.events())
        outcome, body, at = await ask(site, ids["listed"], seq=here.seq)

        assert (outcome, body) == (Outcome.NOTHING, Redescribed(up_to=at[1]))
        assert len(await site.events()) == events


async def test_too_many_records_at_once_are_refused(tmp_path: Path) -> None:
    async with node_site(tmp_path) as site:
        many = [UUID(int=number) for number in range(REDESCRIBED_RECORDS_MAX + 1)]
        assert (await ask(site, *many))[0] is Outcome.REFUSED
