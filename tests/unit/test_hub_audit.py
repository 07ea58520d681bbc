"""The audit log: whatever is changed, removed or put in is found."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import Connection, delete, insert, update

from hub import audit
from hub.audit import ACTIONS, OUTCOMES, Action, AuditEntry, Outcome
from hub.home import SCHEMA
from hub.staff.account_tables import audit_line
from protocol.audit_chain import AuditHead
from replication.audit_log import Verdict
from replication.database import Database, opened
from replication.migrations import REPLICATION
from tests.stores import Store

NOW_MS = 1_790_000_000_000
LINES = 12


@pytest.fixture
async def database(store: Store) -> AsyncIterator[Database]:
    async with store.opened() as made:
        await made.write(fill)
        yield made


def fill(connection: Connection) -> None:
    for at in range(LINES):
        entry = AuditEntry(who="guan.li", action=Action.SIGN_IN, object=f"林{at}", origin="10.20.0.7", detail="\n\t\"'")
        audit.append(connection, entry, NOW_MS + at)


async def test_an_untouched_log_is_whole(database: Database) -> None:
    verdict = await audit.LOG.verify(database)

    assert (verdict.is_whole, verdict.lines, verdict.head.seq) == (True, LINES, LINES)


async def test_no_line_holds_an_identity_number(database: Database) -> None:
    """A line is never taken back, and reasons are typed by people."""
    entry = AuditEntry(who="guan.li", action=Action.SIGN_IN, detail="原因：330523190001010015 不是本人")
    line = await database.write(lambda connection: audit.append(connection, entry, NOW_MS))

    assert line.detail == "原因：330523********0015 不是本人"


async def test_an_empty_log_is_whole(tmp_path: Path) -> None:
    async with opened(tmp_path / "empty.db", [REPLICATION, SCHEMA]) as empty:
        verdict = await audit.LOG.verify(empty)

    assert verdict == Verdict(lines=0, head=AuditHead())


@pytest.mark.parametrize("column", ["at_ms", "who", "action", "object", "outcome", "origin", "detail", "digest"])
async def test_a_line_that_was_changed_is_found(database: Database, column: str) -> None:
    changed = 1 if column == "at_ms" else "x"
    await database.write(
        lambda found: found.execute(update(audit_line).where(audit_line.c.seq == 5).values({column: changed}))
    )

    assert (await audit.LOG.verify(database)).broken_at == 5


async def test_a_line_that_was_removed_is_found(database: Database) -> None:
    await database.write(lambda found: found.execute(delete(audit_line).where(audit_line.c.seq == 5)))

    assert (await audit.LOG.verify(database)).broken_at == 6


async def test_a_line_that_was_put_in_is_found(database: Database) -> None:
    def forge(connection: Connection) -> None:
        connection.execute(update(audit_line).where(audit_line.c.seq == LINES).values(seq=LINES + 1))
        forged = {"seq": LINES, "at_ms": 1, "who": "", "action": "sign_in", "object": "", "outcome": "done"}
        connection.execute(insert(audit_line).values(forged | {"origin": "", "detail": "", "digest": "0" * 64}))

    await database.write(forge)

    assert (await audit.LOG.verify(database)).broken_at == LINES


async def test_the_loss_of_the_newest_lines_is_found_by_a_head_that_was_written_down(database: Database) -> None:
    head = await audit.LOG.verify(database)
    await database.write(lambda found: found.execute(delete(audit_line).where(audit_line.c.seq > LINES - 2)))

    alone = await audit.LOG.verify(database)
    held = await audit.LOG.verify(database, head.head)

    assert (alone.is_whole, held.is_whole, held.head_missing) == (True, False, True)


async def test_a_head_of_before_is_still_in_a_log_that_grew(database: Database) -> None:
    head = await audit.LOG.verify(database)
    await database.write(fill)

    assert (await audit.LOG.verify(database, head.head)).is_whole


async def test_a_refused_step_leaves_no_line(database: Database) -> None:
    """A line is written in the transaction of what it tells."""

    def fail(connection: Connection) -> None:
        audit.append(connection, AuditEntry(who="x", action=Action.ACCOUNT_ADDED), NOW_MS)
        raise RuntimeError

    with pytest.raises(RuntimeError):
        await database.write(fail)

    assert len(await database.read(lambda connection: audit.listed(connection, limit=2 * LINES))) == LINES


def test_every_action_and_outcome_has_its_words() -> None:
    assert (set(ACTIONS), set(OUTCOMES)) == (set(Action), set(Outcome))
