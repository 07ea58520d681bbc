"""Repairing: what is done about a difference, so that no more travels than what differs.

- A few differing records are told again by their owner, as new events with positions of their own; what the owner does
  not have, it withdraws (promise 1: the hub changes nothing by itself).
- Too many, or a site that does not know the call, or records that stay different: the site describes everything again.
- A body that lost its digest here, while its site still has that very digest, is fetched and put back byte by byte:
  nothing changed, so there is no event.

A repair is closed by a later comparison, never by its own success.
"""

from collections.abc import Callable, Collection, Sequence
from functools import partial
from uuid import UUID

import structlog
from sqlalchemy import Connection

from hub.catalogue import docid_of, keep_serial, next_serial
from hub.repair import repairs
from hub.repair.differences import Difference
from hub.repair.repairs import Remedy, Repair, RepairKind, RepairState
from protocol.beats import Want
from protocol.calls import Found, GetRecord, Outcome, Redescribe, Redescribed
from protocol.codec import decode_record
from protocol.errors import BadValue
from protocol.limits import CALL_DEADLINE_S, REDESCRIBED_RECORDS_MAX
from protocol.sites import parse_site
from replication.asking import Asker
from replication.database import Database
from replication.digests import record_digest
from replication.watermarks import set_want

AGAIN_AFTER_MS = 60_000
"""Milliseconds before a repair that got no answer is tried again."""

BASELINE_AFTER_MS = 3_600_000
"""Milliseconds between two baselines asked of one site: what this version cannot read differs until it is upgraded."""

ATTEMPTS_MAX = 2
"""Times that single records are asked for before the site describes everything again."""

log = structlog.get_logger(__name__)


def remedy_for(repair: Repair, named: int, now_ms: int) -> Remedy:
    """Decide what to do about an open repair now; ``NONE`` is to wait.

    Args:
        repair: as it stands.
        named: how many of its records are named.
        now_ms: the wall clock.

    """
    if repair.kind is RepairKind.BODIES:
        return Remedy.PUT_BACK
    if repair.state is not RepairState.FOUND:
        return Remedy.NONE
    since_ms = now_ms - repair.asked_at_ms if repair.asked_at_ms is not None else BASELINE_AFTER_MS
    if repair.remedy is Remedy.BASELINE:
        return Remedy.BASELINE if since_ms >= BASELINE_AFTER_MS else Remedy.NONE
    if repair.attempts >= ATTEMPTS_MAX or named < repair.differing:
        return Remedy.BASELINE
    return Remedy.REDESCRIBED


def without_calls(repair: Repair, remedy: Remedy) -> Remedy:
    """Return what can be done at a site that comes by courier: it is asked to describe everything, once."""
    return Remedy.NONE if remedy is Remedy.NONE or repair.remedy is Remedy.BASELINE else Remedy.BASELINE


class Repairer:
    """Carries out what comparisons found to be needed."""

    def __init__(self, database: Database, asker: Asker, now_ms: Callable[[], int]) -> None:
        self._database = database
        self._asker = asker
        self._now_ms = now_ms
        self._tried_at_ms: dict[int, int] = {}

    async def step(self, by_courier: Collection[str] = ()) -> list[str]:
        """Do something about every open repair whose turn it is; returns the sites that were asked.

        Args:
            by_courier: sites that nobody can call: they are asked for a baseline, which the next reply bundle carries.

        Raises:
            Retryable: the link went; the rest waits.

        """
        done: list[str] = []
        for repair in await self._database.read(repairs.open_repairs):
            if self._now_ms() - self._tried_at_ms.get(repair.id, 0) < AGAIN_AFTER_MS:
                continue
            named = await self._database.read(partial(repairs.records_of, number=repair.id))
            remedy = remedy_for(repair, len(named), self._now_ms())
            if repair.site in by_courier:
                remedy = without_calls(repair, remedy)
            if remedy is Remedy.NONE:
                continue
            self._tried_at_ms[repair.id] = self._now_ms()
            if await self._carry_out(repair, remedy, named):
                self._tried_at_ms.pop(repair.id, None)
                done.append(repair.site)
        return done

    async def _carry_out(self, repair: Repair, remedy: Remedy, named: Sequence[Difference]) -> bool:
        if remedy is Remedy.PUT_BACK:
            return await self._put_back(repair, named)
        if remedy is Remedy.REDESCRIBED:
            return await self._redescribe(repair, [one.record_id for one in named])
        await self._describe_all(repair)
        return True

    async def _describe_all(self, repair: Repair) -> None:
        def ask(connection: Connection) -> None:
            set_want(connection, repair.site, Want.BASELINE)
            repairs.asked(connection, repair, Remedy.BASELINE, self._now_ms())

        log.warning("site_differs", site=repair.site, seq=repair.seq, differing=repair.differing, remedy="baseline")
        await self._database.write(ask)

    async def _redescribe(self, repair: Repair, record_ids: Sequence[UUID]) -> bool:
        """Ask for the records in lots, each at the position where the lot before it ended."""
        seq, described, withdrawn = repair.seq, 0, 0
        for start in range(0, len(record_ids), REDESCRIBED_RECORDS_MAX):
            lot = tuple(record_ids[start : start + REDESCRIBED_RECORDS_MAX])
            await self._database.write(partial(make_way, site=repair.site, record_ids=lot))
            said = await self._ask(repair, seq, lot)
            if said is Outcome.REFUSED:
                await self._describe_all(repair)
                return True
            if not isinstance(said, Redescribed):
                # It moved on, or was not heard: the next comparison says what is left to do.
                return False
            seq, described, withdrawn = said.up_to, described + said.described, withdrawn + said.withdrawn
        log.warning("site_differs", site=repair.site, seq=repair.seq, differing=repair.differing, remedy="redescribed")
        told = {"described": described, "withdrawn": withdrawn, "up_to": seq}
        await self._database.write(
            lambda connection: repairs.asked(connection, repair, Remedy.REDESCRIBED, self._now_ms(), **told)
        )
        return True

    async def _ask(self, repair: Repair, seq: int, lot: tuple[UUID, ...]) -> Redescribed | Outcome:
        heard = await self._asker.ask_one(
            lambda asker, name: Redescribe(asker=asker, question=name, epoch=repair.epoch, seq=seq, record_ids=lot),
            parse_site(repair.site),
            CALL_DEADLINE_S,
        )
        body = heard.answer.body if heard.answer is not None else None
        return body if heard.outcome is Outcome.ANSWERED and isinstance(body, Redescribed) else heard.outcome

    async def _put_back(self, repair: Repair, named: Sequence[Difference]) -> bool:
        """Fetch the bodies that lost their digests, and put back those that have the stored one."""
        site, done = parse_site(repair.site), 0
        for one in named:
            heard = await self._asker.ask_one(
                lambda asker, name, record_id=one.record_id: GetRecord(  # type: ignore[misc]
                    asker=asker, question=name, record_id=record_id
                ),
                site,
                CALL_DEADLINE_S,
            )
            body = heard.answer.body if heard.answer is not None else None
            if isinstance(body, Found):
                whole = bytes(body.record)
                done += await self._database.write(
                    partial(put_back, site=repair.site, record_id=one.record_id, body=whole)
                )
        log.warning("bodies_put_back", site=repair.site, damaged=repair.damaged_here, put_back=done)

        def conclude(connection: Connection) -> bool:
            repairs.asked(connection, repair, Remedy.PUT_BACK, self._now_ms(), described=done)
            return done == repair.damaged_here and repairs.heal(connection, repair.site, repair.kind, self._now_ms())

        return await self._database.write(conclude)


def put_back(connection: Connection, site: str, record_id: UUID, body: bytes) -> int:
    """Put a body in the place of a damaged one, if it has the stored digest; returns how many were put back."""
    return connection.exec_driver_sql(
        "UPDATE entry SET body = ? WHERE site = ? AND record_id = ? AND digest = ? AND body IS NOT NULL",
        (body, site, record_id.bytes, record_digest(body)),
    ).rowcount


def make_way(connection: Connection, site: str, record_ids: Sequence[UUID]) -> int:
    """Let the owner's next word on some records take effect, whatever stands in the rows; returns the rows changed.

    - A row that claims a place beyond what was ever applied of its site would outrank that word for ever.
    - A body that cannot be read any more cannot be compared with it. The row goes to a new number, because the index
      cannot be told to forget words that nobody knows: without a row they lead nowhere.
    """
    mark = connection.exec_driver_sql(
        "SELECT site_epoch.ordinal, watermark.position FROM watermark JOIN site_epoch USING (site, epoch)"
        " WHERE watermark.site = ?",
        (site,),
    ).one_or_none()
    changed = 0
    for record_id in record_ids:
        row = connection.exec_driver_sql(
            "SELECT docid, epoch, seq, body FROM entry WHERE site = ? AND record_id = ?", (site, record_id.bytes)
        ).one_or_none()
        if row is None:
            continue
        if mark is not None and (row[1], row[2]) > tuple(mark):
            connection.exec_driver_sql(
                "UPDATE entry SET epoch = 0, seq = 0, provenance = NULL WHERE docid = ?", (row[0],)
            )
            changed += 1
        if row[3] is not None and not _is_readable(row[3]):
            serial = next_serial(connection)
            keep_serial(connection, serial + 1)
            connection.exec_driver_sql(
                "UPDATE entry SET docid = ?, digest = 0, body = NULL, provenance = NULL WHERE docid = ?",
                (docid_of(0, serial), row[0]),
            )
            changed += 1
    return changed


def _is_readable(body: bytes) -> bool:
    try:
        decode_record(body)
    except BadValue:
        return False
    return True
