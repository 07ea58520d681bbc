"""Leases: which worker does which duty, agreed on in the store that they share, by the store's clock.

- A duty is the apply of one part of the stream, or the lead: what exactly one worker may do for all.
- A worker says every ``BEAT_S`` that it lives. Its leases last ``LEASE_MS`` from there; then others take them.
- Each change of hands raises the duty's fence. Whoever applies looks at it in the same transaction (``guard``): one
  that was away, frozen or cut off and does not know what happened meanwhile cannot commit anything.
- The share of each worker follows from who lives: the duties divided by the workers, the rest one each to the oldest.
  Whoever has more gives up what it can finish, whoever has less takes what is free. So a worker that comes gets its
  share within two beats, and one that goes in order is missed by nobody.

The rules are pure; the steps run alone, each in a transaction of its own (``BEATS_LOCK`` of ``hub.storage.postgres``).
"""

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Final

import msgspec
from sqlalchemy import Connection, Delete, Insert, Select, Update, bindparam, delete, select, update

from hub.workers.lease_tables import lease, worker
from protocol.errors import Permanent
from protocol.wording import Text
from replication.dialects import is_postgres, upsert

BEAT_S: Final = 2.0
"""Seconds between two signs of life of a worker."""

LEASE_MS: Final = 6_000
"""Milliseconds that a lease lasts from the last sign of life: two may be late or lost."""

FORGOTTEN_MS: Final = 600_000
"""Milliseconds after which a worker that was not seen any more is forgotten."""

LEAD: Final = "lead"
"""The duty of the one worker that looks after the whole: alarms, comparisons, backups, the index, the quarantine."""


class LeaseLost(Permanent):
    """Another worker has the duty now: what was about to be written was not written."""


class Lease(msgspec.Struct, frozen=True, kw_only=True):
    """Who does a duty, and until when."""

    duty: str
    holder: str
    fence: int
    until_ms: int


class Worker(msgspec.Struct, frozen=True, kw_only=True):
    """One worker that gave signs of life."""

    name: str
    started_at_ms: int
    seen_at_ms: int


class Crew(msgspec.Struct, frozen=True, kw_only=True):
    """Everybody and everything at one moment."""

    workers: tuple[Worker, ...]
    leases: tuple[Lease, ...]
    now_ms: int

    def living(self) -> list[Worker]:
        """Return the workers that gave a sign of life lately, the oldest first."""
        seen = [one for one in self.workers if one.seen_at_ms + LEASE_MS > self.now_ms]
        return sorted(seen, key=lambda one: (one.started_at_ms, one.name))

    def kept(self) -> dict[str, Lease]:
        """Return the leases that hold, by duty."""
        return {one.duty: one for one in self.leases if one.holder and one.until_ms > self.now_ms}


class Turn(msgspec.Struct, frozen=True, kw_only=True):
    """What a worker shall change."""

    take: tuple[str, ...] = ()
    """Free duties that it should claim."""
    give_up: tuple[str, ...] = ()
    """Duties that it should finish and release."""


def part_duty(part: int) -> str:
    """Return the name of the duty to apply a part."""
    return f"part-{part:02}"


def duties_of(parts: int) -> tuple[str, ...]:
    """Return all duties of a stream in so many parts; the lead is first to be taken and last to be given up."""
    return (LEAD, *map(part_duty, range(parts)))


def share_of(name: str, living: Sequence[Worker], duties: int) -> int:
    """Return how many duties a worker should have: all shares make all duties, and no two differ by more than one."""
    names = [one.name for one in living]
    if name not in names:
        return 0
    each, rest = divmod(duties, len(names))
    return each + (names.index(name) < rest)


def turn_of(name: str, crew: Crew, duties: Sequence[str]) -> Turn:
    """Decide what a worker should take, and what give up."""
    kept = crew.kept()
    mine = [duty for duty in duties if duty in kept and kept[duty].holder == name]
    share = share_of(name, crew.living(), len(duties))
    free = [duty for duty in duties if duty not in kept]
    return Turn(take=tuple(free[: max(0, share - len(mine))]), give_up=tuple(mine[share:]))


# Steps


def crew_of(connection: Connection, now_ms: int) -> Crew:
    """Read everybody and everything."""
    workers = [
        Worker(name=row.name, started_at_ms=row.started_at_ms, seen_at_ms=row.seen_at_ms)
        for row in connection.execute(select(worker))
    ]
    leases = [
        Lease(duty=row.duty, holder=row.holder, fence=row.fence, until_ms=row.until_ms)
        for row in connection.execute(select(lease).order_by(lease.c.duty))
    ]
    return Crew(workers=tuple(workers), leases=tuple(leases), now_ms=now_ms)


class Beaten(msgspec.Struct, frozen=True, kw_only=True):
    """What a sign of life brought."""

    fences: Mapping[str, int]
    """The duties that the worker has now, and the fence of each."""
    give_up: tuple[str, ...]
    next_s: float
    """Seconds until the next sign is due: earlier than usual if another's lease ends before."""


def beat(
    connection: Connection,
    name: str,
    held: Mapping[str, int],
    duties: Sequence[str],
    now_ms: int,
    *,
    stays: bool = True,
) -> Beaten:
    """Give a sign of life, renew the leases that are still ours, and take what is due.

    Args:
        connection: inside a transaction that runs alone.
        name: the worker's, of this run of it.
        held: the duties that it does, with their fences.
        duties: all duties.
        now_ms: the moment by the store's clock.
        stays: False for a worker that is about to stop: it takes nothing more, and counts no more for the shares.

    """
    seen_at_ms = now_ms if stays else now_ms - LEASE_MS
    connection.execute(sign_statement(), {"name": name, "started_at_ms": now_ms, "seen_at_ms": seen_at_ms})
    connection.execute(gone_statement(), {"before_ms": now_ms - FORGOTTEN_MS})
    until_ms = now_ms + LEASE_MS
    fences = {duty: fence for duty, fence in held.items() if _renew(connection, name, duty, fence, until_ms)}
    crew = crew_of(connection, now_ms)
    turn = turn_of(name, crew, duties)
    for duty in turn.take:
        fence = _take(connection, name, duty, crew)
        if fence is not None:
            fences[duty] = fence
    ends = [one.until_ms for one in crew.kept().values() if one.holder != name]
    next_s = min(BEAT_S, max(0.0, (min(ends, default=until_ms) - now_ms) / 1000))
    # What a former life of the same name had, this one does not do: it ends by itself.
    surplus = tuple(duty for duty in turn.give_up if duty in fences)
    return Beaten(fences=fences, give_up=surplus if stays else tuple(fences), next_s=next_s)


def _renew(connection: Connection, name: str, duty: str, fence: int, until_ms: int) -> bool:
    """Let a lease last until another moment; False if it is not the worker's any more."""
    values = {"of_duty": duty, "by": name, "at_fence": fence, "to_ms": until_ms}
    return connection.execute(renewal_statement(), values).rowcount == 1


def _take(connection: Connection, name: str, duty: str, crew: Crew) -> int | None:
    """Claim a free duty; None if its last holder is still in the middle of a transaction."""
    connection.execute(first_statement(), {"duty": duty, "holder": "", "fence": 0, "until_ms": 0})
    values = {"of_duty": duty, "free_ms": crew.now_ms}
    before = connection.execute(free_statement(), values).one_or_none()
    if before is None:
        return None
    fence: int = before.fence + 1
    connection.execute(
        claim_statement(), {"of_duty": duty, "by": name, "at_fence": fence, "to_ms": crew.now_ms + LEASE_MS}
    )
    return fence


def release(connection: Connection, name: str, duty: str, fence: int) -> None:
    """Give a duty up that has been finished; others may take it at once."""
    _renew(connection, name, duty, fence, 0)


def guard(name: str, duty: str, fence: int) -> Callable[[Connection], None]:
    """Return what a transaction of a duty does first: it holds the lease in place until its end.

    Nobody can take the duty over while such a transaction lives, and none can begin after somebody did.

    Raises (what is returned does):
        LeaseLost: somebody did.

    """

    def check(connection: Connection) -> None:
        values = {"of_duty": duty, "by": name, "at_fence": fence}
        if connection.execute(guard_statement(), values).first() is None:
            raise LeaseLost(
                Text(zh=f"另一个工作进程已接手 {duty}。", en=f"another worker has taken over {duty}"),
                Text(
                    zh="无需操作：该进程会自动重新分工。", en="Nothing to do: the workers share out anew by themselves."
                ),
            )

    return check


def store_clock_ms(connection: Connection) -> int:
    """Return the present moment by the clock that all workers share."""
    if is_postgres(connection):
        sql = "SELECT CAST(extract(epoch FROM clock_timestamp()) * 1000 AS BIGINT)"
    else:
        sql = "SELECT CAST((julianday('now') - 2440587.5) * 86400000 AS INTEGER)"
    now_ms: int = connection.exec_driver_sql(sql).scalar_one()
    return now_ms


# Statements


@cache
def sign_statement() -> Insert:
    """Note a sign of life of a worker; when it started stays as it was."""
    new = upsert(worker)
    return new.on_conflict_do_update(index_elements=[worker.c.name], set_={"seen_at_ms": new.excluded.seen_at_ms})


@cache
def gone_statement() -> Delete:
    """Forget workers that were not seen for long."""
    return delete(worker).where(worker.c.seen_at_ms < bindparam("before_ms"))


@cache
def renewal_statement() -> Update:
    """Let the lease of a duty that is still the worker's last until another moment."""
    return (
        update(lease)
        .where(
            lease.c.duty == bindparam("of_duty"),
            lease.c.holder == bindparam("by"),
            lease.c.fence == bindparam("at_fence"),
        )
        .values(until_ms=bindparam("to_ms"))
    )


@cache
def first_statement() -> Insert:
    """Make the lease of a duty that nobody ever had."""
    return upsert(lease).on_conflict_do_nothing()


@cache
def free_statement() -> Select[int]:
    """The fence of a duty that is free; none while a transaction of its last holder lives (``guard``)."""
    return (
        select(lease.c.fence)
        .where(lease.c.duty == bindparam("of_duty"), lease.c.until_ms <= bindparam("free_ms"))
        .with_for_update(skip_locked=True)
    )


@cache
def claim_statement() -> Update:
    """Give a duty to a worker."""
    return (
        update(lease)
        .where(lease.c.duty == bindparam("of_duty"))
        .values(holder=bindparam("by"), fence=bindparam("at_fence"), until_ms=bindparam("to_ms"))
    )


@cache
def guard_statement() -> Select[int]:
    """The fence of a duty that a worker has, held in place; renewing the lease goes on beside it."""
    return (
        select(lease.c.fence)
        .where(
            lease.c.duty == bindparam("of_duty"),
            lease.c.holder == bindparam("by"),
            lease.c.fence == bindparam("at_fence"),
        )
        .with_for_update(key_share=True, read=True)
    )
