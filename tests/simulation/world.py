"""The machines of a county: they start, die, come back, are put back from backups and copied.

What happens to them is told by ``faults``, when by ``schedule``, and whether they end well by ``running``.
"""

import random
from collections import Counter
from collections.abc import Callable, Collection, Iterator

from protocol.calls import FetchRange
from protocol.codec import decode_receipt
from protocol.sites import Site, parse_site
from replication.outbox import EPOCH_BYTES
from replication.seal import unseal
from tests.simulation.books import Books
from tests.simulation.broker import SimulatedBroker
from tests.simulation.clock import Clock, SimulatedLoop
from tests.simulation.hub import SimulatedHub
from tests.simulation.network import CALM, Network
from tests.simulation.processes import Process
from tests.simulation.schedule import SITES_MAX, Schedule
from tests.simulation.site import Backup, Installation, Said, identity, site_image
from tests.simulation.witness import Witness

SITES: tuple[Site, ...] = tuple(parse_site(f"330523108{200 + number}") for number in range(SITES_MAX))

RESTART_S = 1.0
"""Simulated seconds after which a process that died starts again, unless the fault says otherwise."""

Machine = Installation | SimulatedHub


class World:
    """One county."""

    def __init__(self, schedule: Schedule, books: Books, log: Callable[[str], None] | None = None) -> None:
        self.schedule = schedule
        self.books = books
        self.loop = SimulatedLoop()
        self.met: Counter[str] = Counter()
        """What happened how often."""
        self.died: list[str] = []
        """Why processes ended that nobody had ended."""
        self.epochs = 0
        """How many epochs the sites began."""
        self.equal_after_s = -1.0
        self._log = log
        self._back_after_s: dict[str, float] = {}
        self.broker = SimulatedBroker(self.loop, self.chance("broker"), self.met)
        self.network = Network(self.loop, self.chance("network"), self.broker, self.met)
        self.network.weather = self.network.usual = schedule.weather
        if log is not None:
            self.network.on_message = self._tell_message
            self.broker.on_stored = self._tell_frame
        self.hub = SimulatedHub(books, self.network, Clock(self.loop), _keys_of, schedule.workers)
        self.witness = Witness()
        self.machines: list[list[Installation]] = [[self._installation(n, "a")] for n in range(schedule.sites)]
        """The machines of each site: one, or two while a copy runs as well."""

    def chance(self, name: str) -> random.Random:
        """Return randomness for one purpose, so that one more draw here changes nothing there."""
        return random.Random(f"{name} {self.schedule.seed}")

    def note(self, text: str) -> None:
        """Write a line of the log, if somebody reads it."""
        if self._log is not None:
            self._log(f"{self.loop.time():9.3f} {text}")

    def everybody(self) -> Iterator[Machine]:
        """Return every machine, the hub first."""
        yield self.hub
        for copies in self.machines:
            yield from copies

    def pass_until(self, at_s: float) -> None:
        """Let the time pass."""
        if at_s > self.loop.time():
            self.loop.call_at(at_s, self.loop.stop)
            self.loop.run_forever()

    # Machines start and die

    def start_all(self) -> None:
        """Start whatever does not run."""
        self._back_after_s.clear()
        self._start_hub()
        for copies in self.machines:
            for machine in copies:
                self._start(machine)

    def _start_hub(self) -> None:
        if self.hub.process is None:
            self.note("hub starts")
            self.hub.start(Process(self.loop, "hub", self._hub_died), self._ask)

    def _hub_died(self, why: str) -> None:
        self.hub.stopped()
        self._buried("hub", why, self._start_hub)

    def _start(self, machine: Installation) -> None:
        if machine.process is not None or not any(machine in copies for copies in self.machines):
            return
        self.note(f"{machine.name} starts")

        def randomness(count: int) -> bytes:
            machine.draws_epoch |= count == EPOCH_BYTES
            return machine.chance.randbytes(count)

        def died(why: str) -> None:
            machine.stopped()
            self._buried(machine.name, why, lambda: self._start(machine))

        machine.start(Process(self.loop, machine.name, died), randomness)

    def _buried(self, name: str, why: str, start: Callable[[], None]) -> None:
        self.note(f"{name} dies {why}")
        self.met["process died"] += 1
        if why:
            self.died.append(why)
        self.loop.call_later(self._back_after_s.pop(name, RESTART_S), start)

    def kill(self, machine: Machine, back_after_s: float, after_points: int = 0) -> None:
        """Have a machine's process die, now or at one of its next awaits, and come back some time later."""
        process = machine.process
        if process is None:
            return
        self._back_after_s[process.name] = back_after_s
        if after_points:
            process.points_left = after_points
            process.on_point = lambda: self.network.note("process died at an await")
        else:
            process.kill("")

    # Machines are copied

    def _installation(self, number: int, name: str, backup: Backup | None = None) -> Installation:
        machine = Installation(
            SITES[number],
            number + 1,
            f"{number}{name}",
            self.network,
            Clock(self.loop),
            backup or blank(),
            self.chance(f"epochs {number}{name}"),
        )
        machine.disk.on_commit = lambda: self._stored(machine)
        return machine

    def _stored(self, machine: Installation) -> None:
        # An epoch begins when it is stored: on a full disk each start of the program draws another one.
        self.epochs += machine.draws_epoch
        machine.draws_epoch = False
        self.witness.look(machine.site.code, machine.disk, self.hub.disk)

    def clone(self, machine: Installation) -> None:
        """Have a second machine run from a copy of the disk, unless there is one already."""
        copies = next(copies for copies in self.machines if machine in copies)
        if len(copies) == 1:
            copy = self._installation(machine.number - 1, f"b{self.loop.time():.0f}", machine.backup())
            copies.append(copy)
            self.met["copied disk ran beside the first"] += 1
            self._start(copy)

    def part_copies(self, copies: list[Installation], gone: int) -> None:
        """Take one of two machines with the same disk away for good."""
        if len(copies) > 1:
            machine = copies.pop(gone)
            self.note(f"{machine.name} is gone for good")
            if machine.process is not None:
                machine.process.kill("")
            machine.disk.release()

    # Everybody

    def set_broker_up(self, *, is_up: bool) -> None:
        """Have the broker go away or come back, and everybody notice."""
        self.broker.is_up = is_up
        self.broker.reader_gone()
        for machine in self.everybody():
            if machine.link is not None:
                machine.link.look()

    def heal(self) -> None:
        """End every fault."""
        self.note("-- everything heals")
        self.network.weather = self.network.usual = CALM
        self.broker.is_full = False
        self.broker.order()
        self.set_broker_up(is_up=True)
        for copies in self.machines:
            self.part_copies(copies, 1)
        for machine in self.everybody():
            machine.disk.room_rows = None
            machine.disk.latency_s = 0.0
            machine.part(is_parted=False)
            if machine.process is not None:
                machine.process.points_left = None
        self.start_all()

    def end(self) -> None:
        """Stop everything, so that the next schedule finds nothing of this one."""
        everybody = list(self.everybody())
        self.machines = []
        for machine in everybody:
            if machine.process is not None:
                machine.process.kill("")
        self.pass_until(self.loop.time() + 0.001)
        for machine in everybody:
            machine.disk.release()
        self.loop.close()

    def _ask(self, site: Site, question: FetchRange, on_answer: Callable[[Said], None]) -> None:
        self.note(f"{site.code} is asked for {question.epoch[:4]} after {question.after}")
        for machine in self.machines[SITES.index(site)] if self.machines else ():
            machine.ask(question, on_answer)

    # For those who read the log

    def _tell_message(self, subject: str, payload: bytes) -> None:
        if subject.startswith("dl.rcpt"):
            receipt = decode_receipt(payload)
            place = f"{receipt.epoch[:4]} {receipt.applied} {receipt.chain[:4]}"
            self.note(f"receipt {receipt.site} {place} {receipt.want}")

    def _tell_frame(self, _subject: str, data: bytes, message_id: str, is_new: bool) -> None:
        frame = unseal(data, [identity(number + 1).public_key for number in range(self.schedule.sites)])
        caught = " catch-up" if frame.catch_up else ""
        retires = "".join(f" -{epoch[:4]}" for epoch in frame.retires)
        place = f"{frame.epoch[:4]} {frame.previous}-{frame.last} after {frame.chain[:4]}"
        fate = "" if is_new else " (dropped as a repeat)"
        self.note(f"frame {frame.site} {place}{retires}{caught} {len(frame.events)} events {message_id[-8:]}{fate}")


def blank() -> Backup:
    """Return what a machine has before its first start."""
    return Backup(image=site_image(), note=None, stored={})


def _keys_of(site: Site) -> Collection[str]:
    return {identity(SITES.index(site) + 1).public_key}
