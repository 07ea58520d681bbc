"""The screen at the counter: which requests are under way, ready, or want their applicant. Numbers and no names."""

import hashlib
from collections.abc import Sequence
from typing import Final

import msgspec
from sqlalchemy import Connection

from hub.window import ledger
from hub.window.states import ENDED, State
from protocol.county_time import day_of

SHOWN_MAX: Final = 18
"""Numbers in one column: as many as can be read across a room; the rest is counted."""

LOOKED_AT_MAX: Final = 200
"""Requests of each column that are looked at: of those that wait, and of those that have ended."""

_LINK_BYTES: Final = 12

READY: Final = (State.ISSUED,)
WANTED: Final = (State.SUPPLEMENT_REQUESTED, State.APPROVED, State.DENIED, State.REFUSED)
"""Their applicant is asked to come to the window: there is something to say, or to bring."""
GOING: Final = (
    *(State.SUBMITTED, State.IDENTITY_CHECKED, State.ACCEPTED, State.ROUTED, State.SEARCHING, State.FOUND),
    *(State.PARTIAL, State.NOT_FOUND, State.ACCESS_REVIEW, State.CERTIFYING),
)


class Column(msgspec.Struct, frozen=True, kw_only=True):
    """One column of the screen."""

    name: str
    numbers: tuple[str, ...]
    more: int


def link_of(county_key: bytes) -> str:
    """Return the last part of the screen's address: nobody guesses it, and it outlives restarts and sessions."""
    return hashlib.blake2b(b"danglian counter screen", key=county_key, digest_size=_LINK_BYTES).hexdigest()


def columns_of(connection: Connection, now_ms: int) -> tuple[Column, ...]:
    """Return what the screen shows now; what was refused is called out on the day on which it was."""
    return tuple(
        _column(connection, name, states, now_ms)
        for name, states in (("ready", READY), ("wanted", WANTED), ("going", GOING))
    )


def short(number: str) -> str:
    """Return a request's number as it is called: without the letters and the year."""
    return number.rpartition("-")[2] or number


def _column(connection: Connection, name: str, states: Sequence[State], now_ms: int) -> Column:
    # Of what waits the oldest are looked at, or whoever waits longest would drop out; of what has ended the newest.
    waiting = [one for one in states if one not in ENDED]
    over = [one for one in states if one in ENDED]
    found = ledger.listed(connection, states=waiting, is_oldest_first=True, limit=LOOKED_AT_MAX)
    if over:
        today = day_of(now_ms)
        ended = ledger.listed(connection, states=over, limit=LOOKED_AT_MAX)
        found += [one for one in ended if day_of(one.standing.since_ms) == today]
    # The one that waits longest stands first.
    by_wait = sorted(found, key=lambda one: one.standing.since_ms)
    return Column(
        name=name,
        numbers=tuple(short(one.number) for one in by_wait[:SHOWN_MAX]),
        more=max(0, len(by_wait) - SHOWN_MAX),
    )
