"""The hub's side of letters: brings them to every site that is there, and fetches what the sites have written.

- A site is asked when something is due to it, or when its sign of life says that letters wait.
- Letters are taken in one transaction with what they change, and only then said to be taken.
- A site that is away is tried when it is heard again; one that says nothing, once in a
  while. One site's silence keeps nobody else waiting.
"""

import asyncio
import time
from collections.abc import Callable, Sequence
from uuid import UUID

import msgspec
import structlog
from sqlalchemy import Connection

from protocol.beats import Beat
from protocol.calls import Correspond, Correspondence, Outcome
from protocol.errors import Retryable
from protocol.letters import Letter
from protocol.limits import CALL_DEADLINE_S, LETTERS_BYTES_S, LETTERS_FILL_BYTES, OFFLINE_AFTER_S
from protocol.sites import parse_site
from replication import letters
from replication.asking import Asker, SiteAnswer
from replication.database import Database
from replication.letters import Handlers
from replication.transfer_reminders import remind

LOOK_S = 1.0
"""Seconds between looks for letters that a page or a command has written."""

AGAIN_S = 30.0
"""Seconds before a site is tried again that said nothing."""

EXCHANGES_AT_ONCE = 16
"""Sites with which letters are exchanged at the same time."""

log = structlog.get_logger(__name__)


class _Round(msgspec.Struct, frozen=True, kw_only=True):
    """What one call brings."""

    incarnation: str
    letters: Sequence[Letter]
    has_more: bool


class Correspondent:
    """Exchanges letters with the sites; ``run`` is its loop."""

    def __init__(
        self,
        database: Database,
        asker: Asker,
        handlers: Handlers,
        clock_ms: Callable[[], int],
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._database = database
        self._asker = asker
        self._handlers = handlers
        self._clock_ms = clock_ms
        self._monotonic = monotonic
        self._woken = asyncio.Event()
        self._heard: dict[str, float] = {}
        """The sites that are there, and until when they count as such."""
        self._waiting: set[str] = set()
        """Sites that said that letters wait."""
        self.put_off: dict[str, float] = {}
        """Sites that are not tried before a moment of the monotonic clock."""
        self._busy: set[str] = set()
        self._is_retried = False
        """What was set aside by an earlier version has been acted on."""
        self._returned: set[str] = set()
        """Sites that were heard again since the last call to them began."""
        self._at_once = asyncio.Semaphore(EXCHANGES_AT_ONCE)

    def wake(self) -> None:
        """Look at once: something was written."""
        self._woken.set()

    async def hear(self, beat: Beat) -> None:
        """Take a sign of life."""
        if beat.stopping:
            self._heard.pop(beat.site, None)
            self._waiting.discard(beat.site)
            return
        if beat.site not in self._heard or beat.letters:
            self.put_off.pop(beat.site, None)
            self._returned.add(beat.site)
            self._woken.set()
        self._heard[beat.site] = self._monotonic() + OFFLINE_AFTER_S
        if beat.letters:
            self._waiting.add(beat.site)

    async def run(self) -> None:
        """Act on what was set aside before, then exchange letters, for ever."""
        async with asyncio.TaskGroup() as tasks:
            while True:
                self._woken.clear()
                for site in await self._due():
                    self._busy.add(site)
                    tasks.create_task(self._exchange(site), name=f"letters {site}")
                try:
                    async with asyncio.timeout(LOOK_S):
                        await self._woken.wait()
                except TimeoutError:
                    continue  # Nobody woke it: time for the next look.

    async def _due(self) -> list[str]:
        now_ms, now = self._clock_ms(), self._monotonic()
        try:
            if not self._is_retried:
                await self._database.write(lambda connection: letters.retry(connection, self._handlers))
                self._is_retried = True
            peers = await self._database.read(lambda connection: letters.peers_due(connection, now_ms))
        except Retryable as error:
            log.warning("letters_not_looked_for", reason=error.reason.en)
            return []
        self._heard = {site: until for site, until in self._heard.items() if until > now}
        tried = dict.fromkeys((*peers, *sorted(self._waiting)))
        return [site for site in tried if site not in self._busy and self.put_off.get(site, 0.0) <= now]

    async def _exchange(self, site: str) -> None:
        """Exchange letters with a site until neither has more; it is put off if it says nothing."""
        try:
            async with self._at_once:
                self._returned.discard(site)
                done = await self._rounds(site)
            # One that came back while it was asked in vain is asked again at once.
            if not done and site not in self._returned:
                self.put_off[site] = self._monotonic() + AGAIN_S
        except Retryable as error:
            self.put_off[site] = self._monotonic() + AGAIN_S
            log.info("letters_put_off", site=site, reason=error.reason.en)
        finally:
            self._busy.discard(site)

    async def _rounds(self, site: str) -> bool:
        taken: tuple[UUID, ...] = ()
        while True:
            now_ms = self._clock_ms()
            brought = await self._database.write(lambda connection, at=now_ms: _round(connection, site, at))  # type: ignore[misc]
            self._waiting.discard(site)
            # A site that was not heard is hardly there: it is tried, but not waited for as long.
            within_s = call_s(brought.letters) if site in self._heard else CALL_DEADLINE_S
            said = await self._asker.ask_one(_question(brought, taken), parse_site(site), within_s)
            if said.outcome is not Outcome.ANSWERED or said.answer is None:
                log.info("letters_unanswered", site=site, outcome=said.outcome.value, waiting=len(brought.letters))
                return False
            body = said.answer.body
            if not isinstance(body, Correspondence):
                return False
            taken = await self._taken(site, said, body)
            if not taken and not body.more and not brought.has_more:
                return True

    async def _taken(self, site: str, said: SiteAnswer, body: Correspondence) -> tuple[UUID, ...]:
        now_ms = self._clock_ms()
        its_incarnation = said.answer.epoch if said.answer is not None else ""

        def take(connection: Connection) -> tuple[UUID, ...]:
            if letters.meet(connection, site, its_incarnation):
                remind(connection, site, now_ms)
            letters.confirm(connection, site, body.taken)
            return letters.take(connection, site, body.letters, self._handlers, now_ms)

        return await self._database.write(take)


def call_s(some: Sequence[Letter]) -> float:
    """Return the seconds that a call with these letters may take: with a full answer, over the slowest line."""
    travelling = sum(len(memoryview(one.body)) for one in some) + LETTERS_FILL_BYTES
    return CALL_DEADLINE_S + travelling / LETTERS_BYTES_S


def _round(connection: Connection, site: str, now_ms: int) -> _Round:
    some, has_more = letters.due(connection, site, now_ms)
    return _Round(incarnation=letters.incarnation(connection), letters=some, has_more=has_more)


def _question(brought: _Round, taken: tuple[UUID, ...]) -> Callable[[str, str], Correspond]:
    def compose(asker: str, question: str) -> Correspond:
        return Correspond(
            asker=asker,
            question=question,
            incarnation=brought.incarnation,
            letters=tuple(brought.letters),
            taken=taken,
        )

    return compose
