"""Signs of life and receipts on their way: repeated state, of which only the latest counts.

Whoever hears them handles them one after the other in a task of its own; while that is busy, a newer message of the
same site replaces the one that waits, so nothing piles up however slow the handler is.
"""

import asyncio
import random
from collections.abc import Awaitable, Callable
from typing import TypeVar

import msgspec

from protocol import codec, subjects
from protocol.beats import Beat, Receipt
from protocol.errors import BadValue, DanglianError, Retryable
from protocol.limits import HEARTBEAT_S
from protocol.sites import Site, parse_site
from replication.bus import Bus, Message
from replication.faults import FaultKind

BEAT_GAP_S = 1.0
"""Seconds between two beats at least: an import that wakes us at every transaction must not flood the hub."""

JITTER = 0.1
"""Share of the interval by which beats come early at random, so that sites which started together drift apart."""

GOODBYE_S = 2.0
"""Seconds that a stopping program spends on saying so; what is not said, silence says later."""

_State = TypeVar("_State", Beat, Receipt)


class BeatRhythm(msgspec.Struct, frozen=True, kw_only=True):
    """When a node says that it is alive."""

    every_s: float = HEARTBEAT_S
    gap_s: float = BEAT_GAP_S


async def send_beats(
    bus: Bus,
    site: Site,
    describe: Callable[[], Awaitable[Beat]],
    wake: asyncio.Event,
    rhythm: BeatRhythm | None = None,
    chance: Callable[[], float] = random.random,
) -> None:
    """Say where the node stands on connecting, whenever ``wake`` is set, and at the rhythm's interval; for ever.

    While the link is away nothing is described or sent: the next connection makes up for it. When cancelled, it says
    goodbye, so that nobody waits for a site whose program has closed.
    """
    rhythm = rhythm or BeatRhythm()
    withdraw = bus.on_connected(wake.set)
    try:
        while True:
            wake.clear()
            if bus.is_connected:
                await _send_beat(bus, site, describe)
            await asyncio.sleep(rhythm.gap_s)
            try:
                async with asyncio.timeout(rhythm.every_s * (1 - JITTER * chance()) - rhythm.gap_s):
                    await wake.wait()
            except TimeoutError:
                continue
    except asyncio.CancelledError:
        if bus.is_connected:
            await _say_goodbye(bus, site, describe)
        raise
    finally:
        withdraw()


async def _send_beat(bus: Bus, site: Site, describe: Callable[[], Awaitable[Beat]]) -> None:
    try:
        await bus.publish(subjects.beat(site), codec.encode(await describe()))
    except Retryable:
        # Repeated state: the next beat says the same and more.
        return


async def _say_goodbye(bus: Bus, site: Site, describe: Callable[[], Awaitable[Beat]]) -> None:
    try:
        async with asyncio.timeout(GOODBYE_S):
            goodbye = msgspec.structs.replace(await describe(), stopping=True)
            await bus.publish(subjects.beat(site), codec.encode(goodbye))
    except (DanglianError, TimeoutError):
        # The program stops all the same; the county finds out by its silence.
        return


async def hear_beats(bus: Bus, handler: Callable[[Beat], Awaitable[None]]) -> None:
    """Hand every site's latest sign of life to ``handler``, one at a time, until cancelled.

    A beat that speaks for another site than its subject's is dropped and counted. What the handler raises is raised.
    """
    await _hear(bus, subjects.BEAT_SUBJECTS, codec.decode_beat, handler)


async def send_receipt(bus: Bus, receipt: Receipt) -> None:
    """Tell a site how far its events are applied.

    Raises:
        LinkDown, CallTimeout: not sent; the next receipt says the same.

    """
    await bus.publish(subjects.receipt(parse_site(receipt.site)), codec.encode(receipt))


async def hear_receipts(
    bus: Bus,
    site: Site,
    handler: Callable[[Receipt], Awaitable[None]],
    at_once: Callable[[Receipt], None] = lambda _: None,
) -> None:
    """Hand the latest receipt for a site to ``handler``, one at a time, until cancelled; what it raises is raised.

    ``at_once`` sees every receipt the moment it comes, whatever the handler is busy with; it must not wait.
    """
    await _hear(bus, subjects.receipt(site), codec.decode_receipt, handler, at_once)


async def _hear(
    bus: Bus,
    subject: str,
    decode: Callable[[bytes], _State],
    handler: Callable[[_State], Awaitable[None]],
    at_once: Callable[[_State], None] = lambda _: None,
) -> None:
    latest: dict[str, _State] = {}
    arrived = asyncio.Event()

    def hear(message: Message) -> None:
        try:
            state = decode(message.data)
            site = subjects.site_of(message.subject).code
        except BadValue:
            bus.note_fault(FaultKind.BAD_MESSAGE, message.subject)
            return
        if state.site != site:
            bus.note_fault(FaultKind.FOREIGN_MESSAGE, message.subject)
            return
        at_once(state)
        latest[site] = state
        arrived.set()

    hearing = await bus.subscribe(subject, hear)
    try:
        while True:
            await arrived.wait()
            arrived.clear()
            while latest:
                await handler(latest.pop(next(iter(latest))))
    finally:
        await hearing.close()
