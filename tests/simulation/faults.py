"""What the steps of a schedule do to a county."""

from collections.abc import Callable, Sequence
from typing import TypeVar

from tests.simulation.disk import Disk
from tests.simulation.schedule import HUB, NOBODY, Kind, Step, weather_of
from tests.simulation.site import Installation
from tests.simulation.world import Machine, World, blank

CHANGED_MAX = 6
"""Records that one import touches at most: two frames."""

POINTS_MAX = 97
"""Awaits within which a process dies that is to die at one."""

ROOM_ROWS_MAX = 30
"""Rows within which a disk is full that is not full at once: those of a few imports, or of half a baseline."""

DAY_MS = 86_400_000

Backup_ = TypeVar("Backup_")


def happen(world: World, step: Step) -> None:
    """Carry out one step."""
    world.note(f"-- {step}")
    world.met[f"{step.kind}{' (hub)' if step.site == HUB else ''}"] += 1
    if step.site == HUB:
        _to_hub(world, step)
    elif step.site == NOBODY:
        _to_broker(world, step)
    else:
        copies = world.machines[step.site]
        _to_site(world, step, copies[step.number % len(copies)])


def _later(world: World, step: Step, undo: Callable[[], None]) -> None:
    world.loop.call_later(step.lasts_s, undo)


def _one(backups: Sequence[Backup_], step: Step) -> Backup_:
    """Return the latest backup or, less often, the one before."""
    return backups[-2] if len(backups) > 1 and step.number % 3 == 0 else backups[-1]


def _to_site(world: World, step: Step, machine: Installation) -> None:
    match step.kind:
        case Kind.CHANGE:
            machine.change(step.number, 1 + step.number % CHANGED_MAX)
        case Kind.WANT_BASELINE:
            world.hub.want_baseline(machine.site)
        case Kind.CLONE:
            copies = world.machines[step.site]
            world.clone(machine)
            _later(world, step, lambda: world.part_copies(copies, step.number % 2))
        case Kind.BACKUP:
            machine.backups.append(machine.backup())
        case Kind.PUT_BACK | Kind.PUT_BACK_WHOLE | Kind.DISK_LOST:
            backup = blank() if step.kind is Kind.DISK_LOST or not machine.backups else _one(machine.backups, step)
            world.kill(machine, step.lasts_s)
            if machine.disk.image() != backup.image:
                world.met[f"history lost: {step.kind}"] += 1
            machine.put_back(backup, whole=step.kind is not Kind.PUT_BACK)
        case _:
            _to_machine(world, step, machine)


def _to_hub(world: World, step: Step) -> None:
    hub = world.hub
    match step.kind:
        case Kind.BACKUP:
            hub.backups.append(hub.disk.image())
        case Kind.PUT_BACK | Kind.DISK_LOST:
            image = world.books.image() if step.kind is Kind.DISK_LOST or not hub.backups else _one(hub.backups, step)
            world.kill(hub, step.lasts_s)
            if hub.disk.image() != image:
                world.met[f"history lost: {step.kind} (hub)"] += 1
            world.witness.hub_is_put_back(hub.disk)
            hub.disk.put_back(image)
        case _:
            _to_machine(world, step, hub)


def _to_machine(world: World, step: Step, machine: Machine) -> None:
    disk = machine.disk
    match step.kind:
        case Kind.CRASH:
            world.kill(machine, step.lasts_s, after_points=step.number % POINTS_MAX)
        case Kind.PART:
            machine.part(is_parted=True)
            _later(world, step, lambda: machine.part(is_parted=False))
        case Kind.DISK_FULL:
            _fill_up(world, step, disk)
        case Kind.DISK_SLOW:
            disk.latency_s = 0.2 + step.number % 30 / 10
            _later(world, step, lambda: setattr(disk, "latency_s", 0.0))
        case Kind.CLOCK:
            machine.clock.offset_ms += (step.number % 61 - 30) * DAY_MS
            if abs(machine.clock.offset_ms) > DAY_MS:
                world.met[f"clock set wrong by days{' (hub)' if step.site == HUB else ''}"] += 1
        case _:
            message = f"{step.kind} does not happen to a machine"
            raise ValueError(message)


def _fill_up(world: World, step: Step, disk: Disk) -> None:
    """Have a disk full now, or as soon as some more was written: nobody clears one up that is not full yet."""

    def is_full() -> None:
        _later(world, step, lambda: setattr(disk, "room_rows", None))

    disk.on_full = is_full
    disk.room_rows = 0 if step.number % 2 else step.number // 2 % ROOM_ROWS_MAX
    if not disk.room_rows:
        is_full()


def _to_broker(world: World, step: Step) -> None:
    broker, network = world.broker, world.network
    count = 1 + step.number % 7
    match step.kind:
        case Kind.BROKER_DOWN:
            world.set_broker_up(is_up=False)
            _later(world, step, lambda: world.set_broker_up(is_up=True))
        case Kind.BROKER_FULL:
            broker.is_full = True
            _later(world, step, lambda: setattr(broker, "is_full", False))
        case Kind.BROKER_FORGETS:
            broker.forget(count, with_ids=bool(step.number % 2))
        case Kind.BROKER_REWINDS:
            broker.rewind(count)
        case Kind.STREAM_DELETED:
            broker.delete_stream()
        case Kind.DISORDER:
            broker.shuffles, broker.repeats = 0.7, 0.3
            _later(world, step, broker.order)
        case Kind.WEATHER:
            network.weather = weather_of(step.number)
            _later(world, step, lambda: setattr(network, "weather", network.usual))
        case _:
            message = f"{step.kind} does not happen to a broker"
            raise ValueError(message)
