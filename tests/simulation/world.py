"""A whole county under a schedule: carries it out, heals everything, waits, and compares both ends.

After healing, within ``EQUAL_WITHIN_S`` simulated seconds:

- every site and the hub stand at the same position of the same history, and nothing waits in any outbox;
- the hub holds exactly the listed records of every site, byte for byte, and both ends' tallies say so;
- every record that a user was told is stored is there as it was told, at the site and so at the hub, unless that
  machine lost its disk or was put back;
- no process has ended by an error of its own;
- then it is quiet: nothing is sent, asked or begun anew any more.
"""

import logging
import random
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

import structlog

import node.baseline
import node.incarnation
import replication.catch_up
import replication.consumer
import replication.inbox
import replication.outbox
import replication.publisher
from node import baseline
from protocol.calls import FetchRange
from protocol.codec import decode_receipt
from protocol.frames import Frame
from protocol.sites import Site, parse_site
from replication.seal import unseal
from tests import ledger
from tests.ledger import Ledger
from tests.simulation.broker import SimulatedBroker
from tests.simulation.clock import Clock, SimulatedLoop
from tests.simulation.disk import hub_image, site_image
from tests.simulation.hub import SimulatedHub
from tests.simulation.network import CALM, Network
from tests.simulation.processes import Process
from tests.simulation.schedule import HUB, Kind, Schedule, Step, weather_of
from tests.simulation.site import Backup, Installation, NoteFile, Said, identity

EQUAL_WITHIN_S = 900.0
"""Simulated seconds after healing within which both ends must be equal: some rounds of sending again."""

LOOK_S = 5.0
"""Simulated seconds between two looks at whether they are."""

QUIET_EVERY = 8
"""Of so many schedules one goes on until it has been quiet for long."""

STALE_S = 60.0
"""Simulated seconds that a message can be under way."""

QUIET_S = 200.0
"""Simulated seconds that must pass without traffic then: longer than any pause before something is repeated."""

SITES: tuple[Site, ...] = tuple(parse_site(code) for code in ("330523108204", "330523108205", "330523109000"))

SMALL_BOUNDS = (
    (replication.outbox, "FRAME_EVENTS_MAX", 3),
    (replication.catch_up, "FRAME_EVENTS_MAX", 3),
    (replication.publisher, "WINDOW_FRAMES", 3),
    (replication.inbox, "PARKED_FRAMES_MAX", 6),
    (replication.consumer, "FETCH_FRAMES", 4),
    (node.baseline, "BASELINE_ROWS", 4),
)


class Violation(AssertionError):
    """A schedule came to an end that must not be."""


class World:
    """One county and what becomes of it."""

    def __init__(self, schedule: Schedule, log: Callable[[str], None] | None = None) -> None:
        self.schedule = schedule
        self.loop = SimulatedLoop()
        self.met: Counter[str] = Counter()
        self.log = log
        self.equal_after_s = -1.0
        self._died: list[str] = []
        self._back_after_s: dict[str, float] = {}
        self._chances: dict[str, random.Random] = {}
        self.broker = SimulatedBroker(self.loop, self._chance("broker"))
        self.network = Network(self.loop, self._chance("network"), self.broker, self.met)
        self.network.weather = schedule.weather
        if log is not None:
            self.network.on_message = self._tell_message
            self.broker.on_stored = self._tell_frame
        keys = {SITES[n].code: {identity(n + 1).public_key} for n in range(schedule.sites)}
        ledger_sink = Ledger()
        self.hub = SimulatedHub(
            hub_image(), self.network, Clock(self.loop), ledger_sink, lambda site: keys.get(site.code, set())
        )
        self.machines: list[list[Installation]] = [[self._installation(n, "a")] for n in range(schedule.sites)]
        """The machines of each site: one, or two while a copy runs as well."""

    def _chance(self, name: str) -> random.Random:
        return self._chances.setdefault(name, random.Random(f"{name} {self.schedule.seed}"))

    def _installation(self, number: int, name: str, backup: Backup | None = None) -> Installation:
        new = Backup(image=site_image(), note=None, stored={})
        label = f"{number}{name}"
        return Installation(SITES[number], number + 1, label, self.network, Clock(self.loop), backup or new)

    def note(self, text: str) -> None:
        """Write a line of the log, if somebody reads it."""
        if self.log is not None:
            self.log(f"{self.loop.time():9.3f} {text}")

    # Machines come and go

    def _start_hub(self) -> None:
        if self.hub.process is None:
            self.note("hub starts")
            self.hub.start(Process(self.loop, "hub", self._hub_died), self._ask)

    def _hub_died(self, _process: Process, why: str) -> None:
        self.hub.stopped()
        self._buried("hub", why, self._start_hub)

    def _start(self, machine: Installation) -> None:
        if machine.process is None and any(machine in copies for copies in self.machines):
            self.note(f"{machine.name} starts")
            randomness = self._chance(f"epochs {machine.name}").randbytes
            process = Process(self.loop, machine.name, lambda _process, why: self._machine_died(machine, why))
            machine.start(process, randomness)

    def _machine_died(self, machine: Installation, why: str) -> None:
        machine.stopped()
        self._buried(machine.name, why, lambda: self._start(machine))

    def _buried(self, name: str, why: str, start: Callable[[], None]) -> None:
        self.note(f"{name} dies {why}")
        self.met["process died"] += 1
        if why:
            self._died.append(why)
        self.loop.call_later(self._back_after_s.pop(name, 1.0), start)

    def _ask(self, site: Site, question: FetchRange, on_answer: Callable[[Said], None]) -> None:
        self.note(f"{site.code} is asked for {question.epoch[:4]} after {question.after}")
        for machine in self.machines[SITES.index(site)]:
            machine.ask(question, on_answer)

    # What happens

    def happen(self, step: Step) -> None:
        """Carry out one step."""
        self.note(f"-- {step}")
        self.met[f"{step.kind}{' (hub)' if step.site == HUB else ''}"] += 1
        if step.site == HUB:
            self._happen_to_hub(step)
        elif step.site >= 0:
            copies = self.machines[step.site]
            self._happen_to_site(step, copies[step.number % len(copies)])
        else:
            self._happen_to_broker(step)

    def _later(self, step: Step, undo: Callable[[], None]) -> None:
        self.loop.call_later(step.lasts_s, undo)

    def _happen_to_site(self, step: Step, machine: Installation) -> None:
        match step.kind:
            case Kind.CHANGE:
                machine.change(step.number, 1 + step.number % 6)
            case Kind.WANT_BASELINE:
                self.hub.want_baseline(machine.site)
            case Kind.CLONE:
                self._clone(step, machine)
            case Kind.BACKUP:
                machine.backups.append(machine.backup())
            case Kind.PUT_BACK | Kind.PUT_BACK_WHOLE | Kind.DISK_LOST:
                new = Backup(image=site_image(), note=None, stored={})
                backup = new if step.kind is Kind.DISK_LOST or not machine.backups else machine.backups[-1]
                self._kill(machine, step)
                machine.put_back(backup, whole=step.kind is not Kind.PUT_BACK)
            case _:
                self._happen_to_machine(step, machine)

    def _happen_to_hub(self, step: Step) -> None:
        hub = self.hub
        match step.kind:
            case Kind.BACKUP:
                hub.backups.append(hub.disk.image())
            case Kind.PUT_BACK | Kind.DISK_LOST:
                image = hub_image() if step.kind is Kind.DISK_LOST or not hub.backups else hub.backups[-1]
                self._kill(hub, step)
                hub.disk.put_back(image)
            case _:
                self._happen_to_machine(step, hub)

    def _happen_to_machine(self, step: Step, machine: Installation | SimulatedHub) -> None:
        disk = machine.disk
        match step.kind:
            case Kind.CRASH:
                self._crash(step, machine)
            case Kind.PART:
                machine.part(is_parted=True)
                self._later(step, lambda: machine.part(is_parted=False))
            case Kind.DISK_FULL:
                disk.is_full = True
                self._later(step, lambda: setattr(disk, "is_full", False))
            case Kind.DISK_SLOW:
                disk.latency_s = 0.2 + step.number % 30 / 10
                self._later(step, lambda: setattr(disk, "latency_s", 0.0))
            case Kind.CLOCK:
                machine.clock.offset_ms += (step.number % 61 - 30) * 86_400_000
            case _:
                message = f"{step.kind} does not happen to a machine"
                raise ValueError(message)

    def _crash(self, step: Step, machine: Installation | SimulatedHub) -> None:
        if machine.process is None:
            return
        self._back_after_s[machine.process.name] = step.lasts_s
        if step.number % 4:
            machine.process.points_left = step.number % 97 + 1
        else:
            machine.process.kill("")

    def _kill(self, machine: Installation | SimulatedHub, step: Step) -> None:
        if machine.process is not None:
            self._back_after_s[machine.process.name] = step.lasts_s
            machine.process.kill("")

    def _clone(self, step: Step, machine: Installation) -> None:
        copies = self.machines[step.site]
        if len(copies) > 1:
            return
        copy = self._installation(step.site, f"b{self.loop.time():.0f}", machine.backup())
        copies.append(copy)
        self._start(copy)
        self._later(step, lambda: self._part_copies(step))

    def _part_copies(self, step: Step) -> None:
        """One of two machines with the same disk is gone for good."""
        copies = self.machines[step.site]
        if len(copies) == 2:
            gone = copies.pop(step.number % 2)
            self.note(f"{gone.name} is gone for good")
            if gone.process is not None:
                gone.process.kill("")
            gone.disk.release()

    def _happen_to_broker(self, step: Step) -> None:
        broker = self.broker
        count = 1 + step.number % 7
        match step.kind:
            case Kind.BROKER_DOWN:
                self._broker_up(is_up=False)
                self._later(step, lambda: self._broker_up(is_up=True))
            case Kind.BROKER_FULL:
                broker.is_full = True
                self._later(step, lambda: setattr(broker, "is_full", False))
            case Kind.BROKER_FORGETS:
                broker.forget(count, with_ids=bool(step.number % 2))
            case Kind.BROKER_REWINDS:
                broker.rewind(count)
            case Kind.STREAM_DELETED:
                broker.delete_stream()
            case Kind.DISORDER:
                broker.shuffles, broker.repeats = 0.7, 0.3
                self._later(step, self._order)
            case Kind.WEATHER:
                self.network.weather = weather_of(step.number)
                self._later(step, lambda: setattr(self.network, "weather", self.schedule.weather))
            case _:
                message = f"{step.kind} does not happen to a broker"
                raise ValueError(message)

    def _order(self) -> None:
        self.broker.shuffles = self.broker.repeats = 0.0

    def _broker_up(self, *, is_up: bool) -> None:
        self.broker.is_up = is_up
        self.broker.reader_gone()
        for machine in self._everybody():
            if machine.link is not None:
                machine.link.look()

    # From beginning to end

    def run(self) -> None:
        """Carry out the schedule, heal, wait, compare.

        Raises:
            Violation: what must hold does not.

        """
        try:
            self._start_hub()
            for copies in self.machines:
                self._start(copies[0])
            for step in self.schedule.steps:
                self._pass_until(step.at_s)
                self.happen(step)
            self._pass_until(max(self.schedule.lasts_s, self.loop.time()))
            self._heal()
            self._await_equality()
            self._check_stored()
            if self.schedule.seed % QUIET_EVERY == 0:
                self._check_quiet()
            self._check_lives()
        finally:
            self._end()

    def _pass_until(self, at_s: float) -> None:
        if at_s > self.loop.time():
            self.loop.call_at(at_s, self.loop.stop)
            self.loop.run_forever()

    def _heal(self) -> None:
        self.note("-- everything heals")
        self.network.weather = CALM
        self.schedule = _calm(self.schedule)
        self.broker.is_full = False
        self._order()
        self._broker_up(is_up=True)
        for copies in self.machines:
            while len(copies) > 1:
                self._part_copies(Step(at_s=0.0, kind=Kind.CLONE, site=self.machines.index(copies), number=1))
        for machine in self._everybody():
            machine.disk.is_full = False
            machine.disk.latency_s = 0.0
            machine.part(is_parted=False)
            if machine.process is not None:
                machine.process.points_left = None
        self._back_after_s.clear()
        self._start_hub()
        for copies in self.machines:
            self._start(copies[0])

    def _await_equality(self) -> None:
        healed_s = self.loop.time()
        difference = self._difference()
        while difference:
            if self.loop.time() > healed_s + EQUAL_WITHIN_S:
                raise Violation(f"not equal {EQUAL_WITHIN_S:.0f} s after everything healed: {difference}")
            self._pass_until(self.loop.time() + LOOK_S)
            difference = self._difference()
        self.equal_after_s = self.loop.time() - healed_s
        self.note(f"-- equal after {self.equal_after_s:.0f} s")

    def _difference(self) -> str:
        """Return what keeps the two ends from being equal, or nothing."""
        for copies in self.machines:
            (machine,) = copies
            code = machine.site.code
            if not machine.is_idle:
                return f"{machine.name} is not at rest"
            (here,) = machine.disk.rows("SELECT epoch, seq, chain FROM head")
            (there,) = self.hub.disk.rows(
                "SELECT epoch, position, chain, want FROM watermark WHERE site = ?", code
            ) or [("", 0, "", "nothing")]
            if (*here, "nothing") != there:
                return f"{code} stands at {here}, the hub at {there}"
            ((waiting,),) = machine.disk.rows("SELECT count(*) FROM outbox")
            if waiting:
                return f"{waiting} frames wait in the outbox of {code}"
            if found := self._records_differ(machine):
                return found
        return ""

    def _records_differ(self, machine: Installation) -> str:
        code = machine.site.code
        ours = _bodies(machine.disk.rows("SELECT record_id, body FROM record WHERE standing = 'listed'"))
        theirs = _bodies(
            self.hub.disk.rows("SELECT record_id, body FROM ledger WHERE site = ? AND body IS NOT NULL", code)
        )
        if ours != theirs:
            missing, extra = ours.keys() - theirs.keys(), theirs.keys() - ours.keys()
            other = [key for key in ours.keys() & theirs.keys() if ours[key] != theirs[key]]
            return f"{code}: {len(missing)} records missing at the hub, {len(extra)} too many, {len(other)} different"
        tallies = baseline.tally(machine.disk.drive.connection), ledger.tally(self.hub.disk.drive.connection, code)
        machine.disk.drive.end_reading()
        self.hub.disk.drive.end_reading()
        return "" if tallies[0].digest == tallies[1].digest else f"{code}: tallies differ: {tallies}"

    def _check_stored(self) -> None:
        for (machine,) in self.machines:
            held = _bodies(machine.disk.rows("SELECT record_id, body FROM record WHERE standing = 'listed'"))
            for record_id, body in machine.stored.items():
                if record_id not in machine.unsure and held.get(record_id) != body:
                    raise Violation(f"{machine.site.code} does not hold what it said it had stored")

    def _check_quiet(self) -> None:
        # First what is still under way arrives.
        self._pass_until(self.loop.time() + STALE_S)
        stored, asked = self.broker.stored_count, self.hub.asker.asked if self.hub.asker else 0
        self._pass_until(self.loop.time() + QUIET_S)
        if difference := self._difference():
            raise Violation(f"equal, and then no longer: {difference}")
        if self.broker.stored_count != stored:
            raise Violation(f"{self.broker.stored_count - stored} frames were sent although both ends were equal")
        if self.hub.asker and self.hub.asker.asked - asked > 1:
            raise Violation(f"the hub asked {self.hub.asker.asked - asked} times although nothing was missing")

    def _check_lives(self) -> None:
        if self._died:
            raise Violation(f"a process ended: {'; '.join(self._died)}")
        if self.loop.unexpected:
            raise Violation(f"an error that nobody heard: {'; '.join(self.loop.unexpected)}")

    def _everybody(self) -> list[SimulatedHub | Installation]:
        """Return the hub and every machine at the sites."""
        return [self.hub, *(machine for copies in self.machines for machine in copies)]

    def _end(self) -> None:
        everybody = self._everybody()
        self.machines = []
        for machine in everybody:
            if machine.process is not None:
                machine.process.kill("")
        self._pass_until(self.loop.time() + 0.001)
        for machine in everybody:
            machine.disk.release()
        self.loop.close()

    # For those who read the log

    def _tell_message(self, subject: str, payload: bytes) -> None:
        if subject.startswith("dl.rcpt"):
            receipt = decode_receipt(payload)
            place = f"{receipt.epoch[:4]} {receipt.applied} {receipt.chain[:4]}"
            self.note(f"receipt {receipt.site} {place} {receipt.want}")

    def _tell_frame(self, _subject: str, data: bytes, message_id: str, is_new: bool) -> None:
        frame: Frame = unseal(data, [identity(n).public_key for n in (1, 2, 3)])
        caught = " catch-up" if frame.catch_up else ""
        retires = "".join(f" -{epoch[:4]}" for epoch in frame.retires)
        place = f"{frame.epoch[:4]} {frame.previous}-{frame.last} after {frame.chain[:4]}"
        fate = "" if is_new else " (dropped as a repeat)"
        self.note(f"frame {frame.site} {place}{retires}{caught} {len(frame.events)} events {message_id[-8:]}{fate}")


def _bodies(rows: Sequence[tuple[object, ...]]) -> dict[object, object]:
    """Return record bodies by record."""
    return {row[0]: row[1] for row in rows}


def _calm(schedule: Schedule) -> Schedule:
    return Schedule(
        seed=schedule.seed, sites=schedule.sites, lasts_s=schedule.lasts_s, weather=CALM, steps=schedule.steps
    )


@contextmanager
def simulated(log: Callable[[str], None] | None = None) -> Iterator[None]:
    """Have small bounds, a simulated note file beside each database, and the programs' logs in ours or nowhere."""
    before = structlog.get_config()
    if log is None:
        structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    else:

        def told(_logger: object, _method: str, facts: structlog.typing.EventDict) -> structlog.typing.EventDict:
            log(f"          {facts}")
            raise structlog.DropEvent

        structlog.configure(processors=[told], wrapper_class=structlog.make_filtering_bound_logger(0))
    small: list[Any] = [patch.object(module, name, value) for module, name, value in SMALL_BOUNDS]
    small.append(patch.object(node.incarnation, "write_whole", NoteFile.write))
    try:
        for one in small:
            one.start()
        yield
    finally:
        for one in small:
            one.stop()
        structlog.configure(**before)


def run(schedule: Schedule, log: Callable[[str], None] | None = None) -> World:
    """Carry out a schedule and return the county as it ended; inside ``simulated``.

    Raises:
        Violation: what must hold does not.

    """
    world = World(schedule, log)
    world.run()
    return world
