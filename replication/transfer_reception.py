"""Reception: what a receiver's program does with a round that has come; the county's archive and a township alike.

How files come, and where they stay once both have signed, is each receiver's own affair.
"""

import asyncio
from collections.abc import Callable
from functools import partial
from pathlib import Path

import msgspec
import structlog
from sqlalchemy import Connection

from protocol.county_time import day_of
from protocol.errors import DanglianError, Retryable
from protocol.transfer_folds import Transfer
from protocol.transfers import SentBack, TransferState
from protocol.wording import Text
from replication import transfer_rounds
from replication.checks.survey import CheckTools
from replication.database import Database
from replication.transfer_arrivals import waits_for_disk
from replication.transfer_checks import CheckJob, checked
from replication.transfer_log import TransferLog, logged, transfer_of
from replication.transfer_rounds import Round

log = structlog.get_logger(__name__)


class KnownCodes(msgspec.Struct, frozen=True, kw_only=True):
    """What a receiver knows of the reference codes of a round."""

    planned: frozenset[str]
    """Those of the records that it should hold."""
    held: frozenset[str]
    """Those that the giver has handed over before."""


CodesOf = Callable[[Connection, Transfer], KnownCodes]


class Reception:
    """Checks rounds that are here, sends back what cannot be looked at, and writes down what is in the way."""

    def __init__(
        self,
        database: Database,
        transfers: TransferLog,
        root: Path,
        clock_ms: Callable[[], int],
        codes_of: CodesOf,
        tools: CheckTools,
    ) -> None:
        self._database = database
        self._log = transfers
        self._root = root
        self._clock_ms = clock_ms
        self._codes_of = codes_of
        self._tools = tools

    def relative(self, path: Path) -> str:
        """Return a path as rounds remember it, so that the home may be moved."""
        return path.relative_to(self._root.parent).as_posix()

    async def begin(self, now: Transfer, into: Path, size_bytes: int) -> None:
        """Write down that the files of a round are being fetched."""
        work = Round(round=now.round, package=self.relative(into), total_bytes=size_bytes, at_ms=self._clock_ms())
        await self._database.write(lambda c: transfer_rounds.note(c, now.transfer_id, work))

    async def check(self, now: Transfer) -> None:
        """Run every rule over the round that is here, once, and keep what is not in order."""
        work = await self._database.read(lambda c: transfer_rounds.round_of(c, now.transfer_id, now.round))
        if work is None or work.standing:
            return
        job = await self._database.read(partial(self._job, now=now, work=work))
        found = await asyncio.to_thread(checked, job)
        done = msgspec.structs.replace(
            work,
            standing=found.standing.value,
            report=self.relative(found.report),
            trouble=None,
            at_ms=self._clock_ms(),
        )

        def store(connection: Connection) -> None:
            transfer_rounds.put_faults(connection, now.transfer_id, now.round, found.faults)
            transfer_rounds.note(connection, now.transfer_id, done)

        await self._database.write(store)
        log.info("transfer_checked", transfer=str(now.transfer_id), standing=found.standing.value)

    def _job(self, connection: Connection, now: Transfer, work: Round) -> CheckJob:
        package, at_ms = self._root.parent / work.package, self._clock_ms()
        codes = self._codes_of(connection, now)
        return CheckJob(
            package=package,
            report=package.with_suffix(".report.jsonl"),
            now=now,
            steps=tuple(one.step for one in logged(connection, now.transfer_id)),
            checked_by=now.receiver_site,
            day=day_of(at_ms),
            now_ms=at_ms,
            planned_codes=codes.planned,
            held_codes=codes.held,
            package_digest=now.prepared.package_digest if now.prepared is not None else "",
            tools=self._tools,
        )

    async def send_back(self, now: Transfer, reason: Text) -> None:
        """Give a round back as a whole, if it is still the one that was looked at."""
        log.warning("transfer_sent_back", transfer=str(now.transfer_id), reason=reason.en)

        def step(connection: Connection) -> None:
            present = transfer_of(connection, now.transfer_id)
            if present is not None and (present.state, present.round) == (now.state, now.round):
                self._log.append(connection, now.transfer_id, SentBack(round=now.round, reason=reason), by="checks")

        await self._database.write(step)

    async def put_off(self, now: Transfer, error: DanglianError | OSError) -> None:
        """Write down why a round does not go on, for whoever looks at it; other transfers go on."""
        if isinstance(error, DanglianError):
            reason = error.reason
        else:
            said = error.strerror or type(error).__name__
            reason = Text(zh=f"磁盘不能读写：{said}", en=f"the disk refuses: {said}")
        log.info("transfer_put_off", transfer=str(now.transfer_id), reason=reason.en)
        try:
            await self._note_trouble(now, reason)
        except Retryable as busy:
            log.warning("trouble_not_noted", transfer=str(now.transfer_id), reason=busy.reason.en)

    async def _note_trouble(self, now: Transfer, reason: Text) -> None:
        def step(connection: Connection) -> None:
            work = transfer_rounds.round_of(connection, now.transfer_id, now.round)
            if work is not None:
                troubled = msgspec.structs.replace(work, trouble=reason, at_ms=self._clock_ms())
                transfer_rounds.note(connection, now.transfer_id, troubled)

        await self._database.write(step)


def waits_for_people(connection: Connection, now: Transfer) -> bool:
    """Tell whether a program can do nothing about a round now: its disk has not come, or somebody has to rule."""
    if now.state is TransferState.SUBMITTED:
        return waits_for_disk(connection, now)
    if now.state is not TransferState.CHECKING:
        return False
    work = transfer_rounds.round_of(connection, now.transfer_id, now.round)
    return work is None or bool(work.standing)
