"""The site's side of letters: takes what the hub wrote, and hands over what waits for it."""

import asyncio
from collections.abc import Callable

import structlog
from sqlalchemy import Connection

from protocol.calls import Correspond, Correspondence, Outcome
from protocol.errors import Retryable
from replication import letters
from replication.answering import Handler, Said
from replication.database import Database
from replication.letters import HUB_PEER, Handlers
from replication.transfer_reminders import remind

LOOK_S = 10.0
"""Seconds between looks for letters that a command beside the daemon has written; one look reads one index entry."""

log = structlog.get_logger(__name__)


class LetterDesk:
    """Answers the call ``letters``; ``run`` has the hub told when something waits for it."""

    def __init__(
        self,
        database: Database,
        handlers: Handlers,
        beat: Callable[[], None],
        clock_ms: Callable[[], int],
        look_s: float = LOOK_S,
    ) -> None:
        self._database = database
        self._handlers = handlers
        self._beat = beat
        self._clock_ms = clock_ms
        self._look_s = look_s
        self._woken = asyncio.Event()

    def wake(self) -> None:
        """Look at once: something was written."""
        self._woken.set()

    async def run(self) -> None:
        """Act on what was set aside before, then send a sign of life whenever something new waits, for ever."""
        told, is_retried = 0, False
        while True:
            self._woken.clear()
            try:
                if not is_retried:
                    await self._database.write(lambda connection: letters.retry(connection, self._handlers))
                    is_retried = True
                latest = await self._database.read(lambda connection: letters.latest_due(connection, self._clock_ms()))
            except Retryable as error:
                log.warning("letters_not_looked_for", reason=error.reason.en)
                latest = told
            if latest > told:
                self._beat()
            told = max(told, latest)
            try:
                async with asyncio.timeout(self._look_s):
                    await self._woken.wait()
            except TimeoutError:
                continue  # Nobody woke it: time for the next look.

    def handler(self) -> Handler:
        """Return what answers the call."""

        async def correspond(question: Correspond) -> Said:
            said = await self._database.write(lambda connection: self._exchange(connection, question))
            return Outcome.ANSWERED, said

        return correspond

    def _exchange(self, connection: Connection, question: Correspond) -> Correspondence:
        now_ms = self._clock_ms()
        if letters.meet(connection, HUB_PEER, question.incarnation):
            remind(connection, HUB_PEER, now_ms)
        letters.confirm(connection, HUB_PEER, question.taken)
        taken = letters.take(connection, HUB_PEER, question.letters, self._handlers, now_ms)
        waiting, has_more = letters.due(connection, HUB_PEER, now_ms)
        return Correspondence(letters=tuple(waiting), taken=taken, more=has_more)
