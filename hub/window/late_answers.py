"""Answers that come by letter, hours or days after the question; and questions whose time is over.

An answer counts if the hub asked this site, by letter, the very question whose digest it names, and the site still owes
the answer. A replayed answer for another request, one to a question that was never asked, one that comes again and one
that comes too late are refused, counted and shown; nothing in them reaches a request.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

import structlog
from sqlalchemy import Connection

from hub.looking import look_for_ever
from hub.window import audit_heads, ledger, lookup_answers, lookup_ledger
from hub.window.lookup_answers import Heard
from protocol.audit_letters import AUDIT_HEAD
from protocol.errors import BadValue
from protocol.letters import Letter, body_of
from protocol.lookups import LOOKUP_ANSWERED, OPEN_OUTCOMES, LookupAnswered
from replication.database import Database
from replication.letters import Handlers, LetterHandler

LOOK_EVERY_S: Final = 15.0
"""Seconds between looks which questions are over, and which lost their live part to a restart."""

AT_ONCE: Final = 100
"""Questions of each kind in one transaction: after days at rest there are thousands, and others want to write."""

GONE_SINCE_MS: Final = 30 * 24 * 3600 * 1000
"""Milliseconds for which requests that are gone are looked at: twice as long as a question may be answered."""

LEFT_AFTER_MS: Final = 30_000
"""Milliseconds behind the live part after which nobody is believed to work on it any more."""

NEVER_ASKED: Final = "never_asked"
OTHER_QUESTION: Final = "other_question"
REPEATED: Final = "repeated"
OVER: Final = "over"
UNREADABLE: Final = "unreadable"

UNTOLD: Final = "-"
"""Stands for the lookup of an answer that cannot be read."""

log = structlog.get_logger(__name__)


def window_letters(clock_ms: Callable[[], int]) -> Handlers:
    """Return what the hub does with letters about lookups and about the two audit logs."""
    return {
        LOOKUP_ANSWERED: answer_handler(clock_ms),
        AUDIT_HEAD: audit_heads.head_letter_handler(clock_ms),
    }


def answer_handler(clock_ms: Callable[[], int]) -> LetterHandler:
    """Return what takes an answer to its question, in the transaction that takes the letter."""

    def take(connection: Connection, peer: str, letter: Letter) -> None:
        now_ms = clock_ms()
        try:
            told = body_of(letter, LookupAnswered)
        except BadValue:
            # Not set aside: no later version will know whose answer it was to be.
            lookup_ledger.note_stray(connection, peer, UNTOLD, UNREADABLE, now_ms)
            return
        fault = fault_of(connection, peer, told)
        if fault:
            lookup_ledger.note_stray(connection, peer, str(told.lookup_id), fault, now_ms)
            log.warning("lookup_answer_refused", site=peer, fault=fault)
            return
        stored = lookup_ledger.found(connection, told.lookup_id)
        if stored is None:
            return
        heard = Heard(site=peer, outcome=told.outcome, body=told.body, epoch=told.epoch, seq=told.seq)
        known = lookup_ledger.records_at(connection, told.lookup_id, peer)
        lookup_answers.take(connection, stored, [heard], now_ms, is_late=True)
        is_find = not lookup_ledger.records_at(connection, told.lookup_id, peer) <= known
        lookup_answers.settle(connection, stored, now_ms, is_news=True, is_find=is_find)

    return take


def fault_of(connection: Connection, site: str, told: LookupAnswered) -> str:
    """Return why an answer does not count; empty if it does."""
    stored = lookup_ledger.found(connection, told.lookup_id)
    line = lookup_ledger.site_of(connection, told.lookup_id, site)
    if stored is None or line is None or not line[1]:
        return NEVER_ASKED
    if told.question_digest != stored.digest:
        return OTHER_QUESTION
    if stored.is_expired:
        return OVER
    return "" if line[0].outcome in OPEN_OUTCOMES else REPEATED


class LookupClock:
    """Ends questions whose time is over or whose request is gone, and takes up those whose live part was cut off.

    ``run`` is its loop.
    """

    def __init__(
        self,
        database: Database,
        clock_ms: Callable[[], int],
        *,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._database = database
        self._clock_ms = clock_ms
        self._sleep = sleep

    async def run(self) -> None:
        """Look, for ever."""
        await look_for_ever(self.look, LOOK_EVERY_S, "lookups_not_looked_at", sleep=self._sleep)

    async def look(self) -> int:
        """Do what is due; return how many questions it concerned."""
        now_ms = self._clock_ms()

        def step(connection: Connection) -> int:
            left = lookup_ledger.left_waiting(connection, now_ms - LEFT_AFTER_MS, AT_ONCE)
            for lookup_id in left:
                stored = lookup_ledger.found(connection, lookup_id)
                if stored is not None:
                    lookup_answers.close_live(connection, stored, now_ms)
            over = lookup_ledger.due_to_expire(connection, now_ms, AT_ONCE)
            for lookup_id in over:
                lookup_answers.expire(connection, lookup_id, now_ms)
            requests = ledger.gone_since(connection, now_ms - GONE_SINCE_MS)
            gone = lookup_ledger.open_of(connection, requests, AT_ONCE)
            for lookup_id in gone:
                lookup_answers.expire(connection, lookup_id, now_ms, is_gone=True)
            return len(left) + len(over) + len(gone)

        return await self._database.write(step)
