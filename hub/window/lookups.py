"""Lookups of the window: a question goes to the index, live to the sites that can hold the answer, by letter to others.

    desk = LookupDesk(database, asker, clock_ms, names)
    async with desk.opened():
        async for view in desk.start(order): …        # the index first, then the sites as they answer
        async for view in desk.widen(lookup_id, because="…", by="login"): …

Everything is stored as it comes: a reload reads ``lookup_reading.view_of``, and a watcher that goes away stops nothing.
What is left waiting when the hub stops, ``late_answers.LookupClock`` takes up.
"""

import asyncio
import time
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from contextlib import aclosing, asynccontextmanager, suppress
from typing import Final
from uuid import UUID

import msgspec
import structlog
from sqlalchemy import Connection

from hub.searching.search import Names, Query
from hub.window import lookup_answers, lookup_ledger, lookup_opening, lookup_reading
from hub.window.candidates import known
from hub.window.lookup_answers import Heard
from hub.window.lookup_ledger import StoredLookup
from hub.window.lookup_opening import Opening, Prospect, Widening
from hub.window.lookup_views import LookupOrder, LookupView
from hub.window.requests import Request
from hub.window.routing import clues_of, routed
from protocol.calls import LookedUp, Lookup, Outcome, Refusal
from protocol.errors import Retryable
from protocol.limits import SCREEN_DEADLINE_S
from protocol.lookup_cases import LookupCase, checked_case
from protocol.lookups import SiteOutcome
from protocol.sites import parse_site
from replication.asking import Asker, SiteAnswer
from replication.database import Database
from replication.faults import place_of
from replication.precedence import Precedence

LOOKUP_TERM_DAYS: Final = 15
"""Days for which a site that is away may still answer, where the window says nothing else."""

POLL_S: Final = 0.5
"""Seconds between looks at a lookup whose sites another worker asks."""

HEAD_START_S: Final = 0.25
"""Seconds at most for which sites are not asked yet while the page that shows what the index has is on its way: two
hundred questions, and as many answers, would be worked on before it."""

PRECEDENCE_S: Final = 0.5
"""Seconds for which the live part of a lookup goes before what the sites send. A county's answers are there within
them; for a site that hangs nothing else is held up."""

WATCH_S: Final = 10.0
"""Seconds for which a watcher waits for news before it looks for itself."""

_SPOKEN: Final = frozenset({Outcome.ANSWERED, Outcome.NOTHING, Outcome.REFUSED})
"""Outcomes that end a question at a site; with any other it is asked again by letter."""

_DAY_MS: Final = 86_400_000

log = structlog.get_logger(__name__)


def expiry_of(now_ms: int) -> int:
    """Return until when a question asked now may be answered."""
    return now_ms + LOOKUP_TERM_DAYS * _DAY_MS


def case_of(request: Request) -> LookupCase:
    """Return what holders are told about a request: never who the applicant is."""
    content = request.content
    return LookupCase(
        request_id=request.request_id,
        case_ref=content.case_ref,
        purpose=content.purpose.value,
        requester=content.applicant.requester.value,
    )


class _Running:
    """The live part of one lookup, and who watches it."""

    def __init__(self) -> None:
        self.changed = asyncio.Condition()
        self.index_shown = asyncio.Event()
        self.turn = 0
        self.is_over = False

    async def tell(self, *, is_over: bool = False) -> None:
        """Wake whoever watches."""
        async with self.changed:
            self.turn += 1
            self.is_over = self.is_over or is_over
            self.changed.notify_all()

    async def give_way(self) -> None:
        """Wait until somebody was shown what the index has, but not for long."""
        with suppress(TimeoutError):
            async with asyncio.timeout(HEAD_START_S):
                await self.index_shown.wait()

    async def wait(self, turn: int) -> None:
        """Wait until something has changed since a turn, but not for ever."""
        try:
            async with asyncio.timeout(WATCH_S), self.changed:
                await self.changed.wait_for(lambda: self.turn > turn or self.is_over)
        except TimeoutError:
            return  # Nothing changed: whoever watches tells the page that the line still stands.


class UnderWay:
    """Questions that are being put to sites here, as they stood when this was made."""

    def __init__(self, running: Mapping[UUID, _Running]) -> None:
        self._turns = [(one, one.turn) for one in running.values()]
        self.lookups: Final = frozenset(running)

    async def changed(self) -> None:
        """Wait until something was stored for one of them, or one is over; for ever if there is none."""
        if not self._turns:
            await asyncio.Event().wait()
        waiting = [asyncio.create_task(one.wait(turn)) for one, turn in self._turns]
        try:
            await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in waiting:
                task.cancel()
            await asyncio.gather(*waiting, return_exceptions=True)


class LookupDesk:
    """Asks, stores, and tells whoever watches; use it inside ``opened``."""

    def __init__(
        self,
        database: Database,
        asker: Asker | None,
        clock_ms: Callable[[], int],
        names: Callable[[], Names | None] = lambda: None,
        *,
        deadline_s: float = SCREEN_DEADLINE_S,
        precedence: Precedence | None = None,
    ) -> None:
        self._database = database
        self._asker = asker
        self._clock_ms = clock_ms
        self._names = names
        self._deadline_s = deadline_s
        self._precedence = precedence or Precedence()
        self._running: dict[UUID, _Running] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    @asynccontextmanager
    async def opened(self) -> AsyncIterator["LookupDesk"]:
        """Work for as long as the context lasts; what is under way at its end is taken up at the next start."""
        try:
            yield self
        finally:
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)

    async def start(self, order: LookupOrder) -> AsyncGenerator[LookupView, None]:
        """Ask a question and yield the growing answer; the last view has ``finished`` set.

        An order whose ``lookup_id`` is known asks nobody again: it yields what there is, and goes on with it.

        Raises:
            BadQuery: the words cannot be understood.
            BadValue: the case lacks a purpose, or may not travel.
            Refused: its request was not accepted, or is over.
            Retryable: the store is away.

        """
        await self.begin(order)
        async with aclosing(self.watch(order.lookup_id)) as views:
            async for view in views:
                yield view

    async def begin(self, order: LookupOrder) -> None:
        """Write a question down and put it to the sites behind the scenes; raises as ``start``."""
        checked_case(order.case)
        if await self._database.read(lambda connection: lookup_ledger.found(connection, order.lookup_id)) is not None:
            return
        prospect = await self.foresee(order.query, order.places)
        now_ms = self._clock_ms()
        if await self._database.write(lambda connection: self.put_down(connection, order, prospect, now_ms)):
            self.set_off([order.lookup_id])

    # The same in three steps, for whoever writes more than the question in one transaction

    async def foresee(self, query: Query, places: Sequence[str]) -> Prospect:
        """Read what is known of a question before it is put, and which sites it will be put to; writes nothing.

        Raises:
            BadQuery: the words cannot be understood.
            Retryable: the store is away.

        """
        names = await asyncio.to_thread(self._names)
        what = await self._database.read(lambda connection: known(connection, query, names))
        routes = tuple(routed(clues_of(query, places, names), what.candidates))
        return Prospect(known=what, routes=routes, names=names)

    def put_down(self, connection: Connection, order: LookupOrder, prospect: Prospect, now_ms: int) -> bool:
        """Write a question down, with all that follows from it, in the caller's transaction; False if it is there.

        Raises:
            BadValue: the case lacks a purpose, or may not travel.
            Refused: its request was not accepted, or is over.

        """
        checked_case(order.case)
        opening = Opening(
            order=order, prospect=prospect, is_linked=self._asker is not None, deadline_s=self._deadline_s
        )
        return lookup_opening.open_lookup(connection, opening, now_ms)

    def set_off(self, lookups: Iterable[UUID]) -> None:
        """Put questions that are on the disk to their sites, behind the scenes."""
        for lookup_id in lookups:
            self._work(lookup_id)

    def index_shown(self, lookups: Iterable[UUID]) -> None:
        """Hear that somebody was shown what the index has of some questions: the sites may be asked now."""
        for one in lookups:
            if one in self._running:
                self._running[one].index_shown.set()

    def under_way(self, lookups: Collection[UUID]) -> "UnderWay":
        """Return what tells when something has happened to one of some questions since now."""
        return UnderWay({one: self._running[one] for one in lookups if one in self._running})

    async def widen(self, lookup_id: UUID, *, because: str, by: str) -> AsyncGenerator[LookupView, None]:
        """Ask the sites that were left out as well, and yield as ``start``; the reason is in the log.

        Raises:
            BadValue: no reason is given, or the question's time is over.
            Refused: its request is over.
            Retryable: the store is away.

        """
        names = await asyncio.to_thread(self._names)
        stored = await self._database.read(lambda connection: lookup_opening.present(connection, lookup_id))
        what = await self._database.read(lambda connection: known(connection, stored.query, names))
        now_ms = self._clock_ms()
        widening = Widening(because=because, by=by, is_linked=self._asker is not None)
        await self._database.write(
            lambda connection: lookup_opening.widen_lookup(connection, lookup_id, what, widening, now_ms)
        )
        self._work(lookup_id)
        async with aclosing(self.watch(lookup_id)) as views:
            async for view in views:
                yield view

    async def watch(self, lookup_id: UUID) -> AsyncGenerator[LookupView, None]:
        """Yield a lookup as it is, and again whenever an answer was stored, until its live part is over."""
        until = time.monotonic() + self._deadline_s + POLL_S
        while True:
            running = self._running.get(lookup_id)
            turn = running.turn if running is not None else 0
            view = await self._database.read(lambda connection: lookup_reading.view_of(connection, lookup_id))
            if view is None:
                return
            is_elsewhere = running is None and not view.finished and time.monotonic() < until
            is_over = running is None and not is_elsewhere
            self.index_shown([lookup_id])
            yield msgspec.structs.replace(view, finished=is_over)
            if is_over:
                return
            if running is not None:
                await running.wait(turn)
            else:
                # Another worker asks.
                await asyncio.sleep(POLL_S)

    def _work(self, lookup_id: UUID) -> None:
        if lookup_id in self._running:
            return
        self._running[lookup_id] = _Running()
        task = asyncio.create_task(self._live(lookup_id), name=f"lookup {lookup_id}")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _live(self, lookup_id: UUID) -> None:
        """Ask the sites that are there, store what they say, and leave the others to letters."""
        running = self._running[lookup_id]
        # Somebody watches, by a stream that is open as long as its page.
        self._precedence.hold(PRECEDENCE_S)
        try:
            await running.give_way()
            stored = await self._database.read(lambda connection: lookup_opening.present(connection, lookup_id))
            await _alone(self._asked(stored, running))
            now_ms = self._clock_ms()
            await self._database.write(lambda connection: lookup_answers.close_live(connection, stored, now_ms))
        except Retryable as error:
            # What is left waiting goes by letter as soon as the store is back (``late_answers.LookupClock``).
            log.warning("lookup_interrupted", lookup=str(lookup_id), reason=error.reason.en)
        except Exception as error:  # noqa: BLE001 - one lookup that finds a defect never stops the others (promise 9)
            # Where, not what: the words of an exception may quote the question.
            log.error("lookup_failed", lookup=str(lookup_id), error=place_of(error))  # noqa: TRY400
        finally:
            del self._running[lookup_id]
            await running.tell(is_over=True)

    async def _asked(self, stored: StoredLookup, running: _Running) -> None:
        waiting = await self._database.read(
            lambda connection: lookup_ledger.sites_of(connection, stored.lookup_id, (SiteOutcome.WAITING,))
        )
        if self._asker is None or not waiting:
            return
        arrivals: asyncio.Queue[SiteAnswer | None] = asyncio.Queue()
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._store(stored, arrivals, running))
            try:
                sites = [parse_site(one.site) for one in waiting]
                async with aclosing(self._asker.ask(_composer(stored), sites, self._deadline_s)) as answers:
                    async for answer in answers:
                        arrivals.put_nowait(answer)
            except Retryable as error:
                log.info("lookup_not_asked_live", lookup=str(stored.lookup_id), reason=error.reason.en)
            arrivals.put_nowait(None)

    async def _store(
        self, stored: StoredLookup, arrivals: "asyncio.Queue[SiteAnswer | None]", running: _Running
    ) -> None:
        """Store answers as they come; those that come while one is stored are stored together."""
        is_over = False
        while not is_over:
            some = [await arrivals.get()]
            while not arrivals.empty():
                some.append(arrivals.get_nowait())
            is_over = None in some
            heard = [_heard(one) for one in some if one is not None and one.outcome in _SPOKEN]
            if not heard:
                continue
            now_ms = self._clock_ms()
            await self._database.write(
                lambda connection, those=heard, at=now_ms: _take(connection, stored, those, at)  # type: ignore[misc]
            )
            await running.tell()


async def _alone(work: Awaitable[None]) -> None:
    """Do what has tasks of its own; where the store or the line is away, that is raised as it is."""
    try:
        await work
    except ExceptionGroup as group:
        away, others = group.split(Retryable)
        if away is None or others is not None:
            raise
        raise away.exceptions[0] from group


def _take(connection: Connection, stored: StoredLookup, heard: Sequence[Heard], now_ms: int) -> None:
    owed = lookup_ledger.still_waiting(connection, stored.lookup_id, [one.site for one in heard])
    counted = list({one.site: one for one in heard if one.site in owed}.values())
    lookup_answers.take(connection, stored, counted, now_ms, is_late=False)
    if SiteOutcome.WAITING in lookup_ledger.outcomes_of(connection, stored.lookup_id):
        lookup_ledger.put(connection, stored.lookup_id, {"changed_at_ms": now_ms})
    else:
        # With the last answer, not behind it: a hub that stops in between would leave the request searching.
        lookup_answers.settle(connection, stored, now_ms)


def _composer(stored: StoredLookup) -> Callable[[str, str], Lookup]:
    def compose(asker: str, question: str) -> Lookup:
        return msgspec.structs.replace(stored.question, asker=asker, question=question)

    return compose


def _heard(said: SiteAnswer) -> Heard:
    answer = said.answer
    body = answer.body if answer is not None else None
    return Heard(
        site=said.site.code,
        outcome=said.outcome,
        body=body if isinstance(body, LookedUp | Refusal) else None,
        epoch=answer.epoch if answer is not None else "",
        seq=answer.seq if answer is not None else 0,
        took_ms=said.took_ms,
    )
