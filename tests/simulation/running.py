"""Running a schedule from beginning to end, and what must hold then.

After everything has healed, within ``EQUAL_WITHIN_S`` simulated seconds:

- every site and the hub stand at the same position of the same history, and nothing waits in any outbox;
- the hub holds exactly the listed records of every site, byte for byte, and both ends' tallies say so;
- every record that a user was told is stored is there as it was told, at the site and so at the hub, unless that
  machine lost its disk or was put back;
- no process has ended by an error of its own, the ``witness`` has nothing to say, and no more epochs were begun than
  there was reason for;
- then it is quiet: nothing is sent, asked or begun anew any more.
"""

import logging
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from unittest.mock import patch

import structlog

import node.baseline
import node.history
import node.incarnation
import replication.catch_up
import replication.consumer
import replication.inbox
import replication.outbox
import replication.publisher
from node import baseline
from tests.simulation import signatures
from tests.simulation.books import Books
from tests.simulation.faults import happen
from tests.simulation.schedule import Schedule
from tests.simulation.site import Installation, NoteFile
from tests.simulation.world import World

EQUAL_WITHIN_S = 400.0
"""Simulated seconds after healing within which both ends must be equal: some rounds of sending again, and less than the
broker remembers what it has seen, which must not be what they wait for."""

LOOK_S = 5.0
"""Simulated seconds between two looks at whether they are."""

QUIET_EVERY = 8
"""Of so many schedules one goes on until it has been quiet for long."""

STALE_S = 60.0
"""Simulated seconds that a message can be under way."""

QUIET_S = 200.0
"""Simulated seconds that must pass without traffic: longer than any pause before something is repeated."""

EPOCHS_MAX = 24
"""Epochs that a county may begin in one schedule, beside the first of each site; the worst draws need half of that."""

SMALL_BOUNDS = (
    (replication.outbox, "FRAME_EVENTS_MAX", 3),
    (replication.outbox, "FORGOTTEN_SPAN", 20),
    (replication.catch_up, "FRAME_EVENTS_MAX", 3),
    (replication.publisher, "WINDOW_FRAMES", 3),
    (replication.inbox, "PARKED_FRAMES_MAX", 6),
    (replication.consumer, "FETCH_FRAMES", 4),
    (node.baseline, "BASELINE_ROWS", 4),
)

NEVER_S = 3600.0
"""Longer than any schedule. Nobody works beside a simulated daemon, so it need not look for what somebody has added."""


class Violation(AssertionError):
    """A schedule came to an end that must not be."""


@contextmanager
def simulated(
    log: Callable[[str], None] | None = None,
    on_event: Callable[[str], None] | None = None,
    books: Books | None = None,
) -> Iterator[None]:
    """Have small bounds, a simulated note file beside each database, and the programs' logs in ours or nowhere.

    ``on_event`` hears of the name of each event that the programs log; with the real catalogue, seals are real as well.
    """
    before = structlog.get_config()

    def told(_logger: object, _method: str, facts: structlog.typing.EventDict) -> structlog.typing.EventDict:
        event = facts.pop("event")
        if on_event is not None:
            on_event(event)
        if log is not None:
            log(f"          {event} {facts}")
        raise structlog.DropEvent

    structlog.configure(processors=[told], wrapper_class=structlog.make_filtering_bound_logger(logging.INFO))
    try:
        with ExitStack() as small:
            for module, name, value in SMALL_BOUNDS:
                small.enter_context(patch.object(module, name, value))
            small.enter_context(patch.object(node.history, "LOOK_S", NEVER_S))
            small.enter_context(patch.object(node.incarnation, "write_whole", NoteFile.write))
            if books is None or not books.is_real:
                small.enter_context(signatures.quick())
            yield
    finally:
        structlog.configure(**before)


def run(schedule: Schedule, log: Callable[[str], None] | None = None, books: Books | None = None) -> World:
    """Carry out a schedule and return the county as it ended; inside ``simulated``.

    Raises:
        Violation: what must hold does not.

    """
    world = World(schedule, books or Books(), log)
    try:
        world.start_all()
        for step in schedule.steps:
            world.pass_until(step.at_s)
            happen(world, step)
        world.pass_until(schedule.lasts_s)
        world.heal()
        _await_equality(world)
        _check_stored(world)
        if schedule.seed % QUIET_EVERY == 0:
            _check_quiet(world)
        _check_lives(world)
    finally:
        world.end()
    return world


def _await_equality(world: World) -> None:
    healed_s = world.loop.time()
    while difference := _difference(world):
        _check_lives(world)
        if world.loop.time() > healed_s + EQUAL_WITHIN_S:
            raise Violation(f"not equal {EQUAL_WITHIN_S:.0f} s after everything healed: {difference}")
        world.pass_until(world.loop.time() + LOOK_S)
    world.equal_after_s = world.loop.time() - healed_s
    world.note(f"-- equal after {world.equal_after_s:.0f} s")


def _difference(world: World) -> str:
    """Return what keeps the two ends from being equal, or nothing."""
    hub = world.hub.disk
    for (machine,) in world.machines:
        code = machine.site.code
        if not machine.is_idle:
            return f"{machine.name} is not at rest"
        here = (*machine.disk.rows("SELECT epoch, seq, chain FROM head")[0], "nothing")
        there = hub.rows("SELECT epoch, position, chain, want FROM watermark WHERE site = ?", code)
        if [here] != there:
            return f"{code} stands at {here}, the hub at {there}"
        ((waiting,),) = machine.disk.rows("SELECT count(*) FROM outbox")
        if waiting:
            return f"{waiting} frames wait in the outbox of {code}"
        if found := _records_differ(world, machine):
            return found
    return ""


def _listed(machine: Installation) -> dict[object, object]:
    return dict(machine.disk.pairs("SELECT record_id, body FROM record WHERE standing = 'listed'"))


def _records_differ(world: World, machine: Installation) -> str:
    code, hub = machine.site.code, world.hub.disk
    ours, theirs = _listed(machine), world.books.records(hub, code)
    if ours != theirs:
        missing, extra = ours.keys() - theirs.keys(), theirs.keys() - ours.keys()
        other = [key for key in ours.keys() & theirs.keys() if ours[key] != theirs[key]]
        return f"{code}: {len(missing)} records missing at the hub, {len(extra)} too many, {len(other)} different"
    with machine.disk.reading() as connection:
        here = baseline.tally(connection)
    with hub.reading() as connection:
        there = world.books.tally(connection, code)
    return "" if here.digest == there.digest else f"{code}: the tallies differ, {here.digest} and {there.digest}"


def _check_stored(world: World) -> None:
    for (machine,) in world.machines:
        held = _listed(machine)
        for record_id, body in machine.stored.items():
            if record_id not in machine.unsure and held.get(record_id) != body:
                raise Violation(f"{machine.site.code} does not hold what it said it had stored")


def _check_quiet(world: World) -> None:
    # First what is still under way arrives.
    world.pass_until(world.loop.time() + STALE_S)
    stored, asked, epochs = world.broker.stored_count, world.hub.asked, world.epochs
    world.pass_until(world.loop.time() + QUIET_S)
    if difference := _difference(world):
        raise Violation(f"equal, and then no longer: {difference}")
    if world.broker.stored_count != stored:
        raise Violation(f"{world.broker.stored_count - stored} frames were sent although both ends were equal")
    if world.hub.asked > asked:
        raise Violation(f"the hub asked {world.hub.asked - asked} times although nothing was missing")
    if world.epochs > epochs:
        raise Violation(f"{world.epochs - epochs} epochs began although both ends were equal")


def _check_lives(world: World) -> None:
    if world.witness.accusations:
        raise Violation(world.witness.accusations[0])
    if world.died:
        raise Violation(f"a process ended: {'; '.join(world.died)}")
    if world.loop.unexpected:
        raise Violation(f"an error that nobody heard: {'; '.join(world.loop.unexpected)}")
    if world.epochs > world.schedule.sites + EPOCHS_MAX:
        raise Violation(f"{world.epochs} epochs were begun")
