"""What happens in a simulation and when: drawn from a seed, printable, and reducible to what matters.

A schedule first draws which kinds of fault it is made of (a few of them, so that each gets to show what it does), then
how many sites there are, how long it lasts and what happens when. Parameters are numbers, so that a step still means
something when other steps are taken away.
"""

import random
from collections.abc import Sequence
from enum import StrEnum

import msgspec

from tests.simulation.network import CALM, Weather


class Kind(StrEnum):
    """What can happen."""

    CHANGE = "change"
    """A site imports a change of its catalogue: the work that everything is about."""
    WANT_BASELINE = "want baseline"
    CRASH = "crash"
    PART = "part"
    DISK_FULL = "disk full"
    DISK_SLOW = "disk slow"
    BACKUP = "backup"
    PUT_BACK = "put back"
    """The database alone comes back from a backup, the file beside it stays."""
    PUT_BACK_WHOLE = "put back whole"
    """The whole home comes back: nothing on the machine shows it."""
    CLONE = "clone"
    """A second machine runs from a copy of the disk for a while, with the same key; then one of them is gone."""
    DISK_LOST = "disk lost"
    """The machine is replaced: an empty database, the same key."""
    BROKER_DOWN = "broker down"
    BROKER_FULL = "broker full"
    BROKER_FORGETS = "broker forgets"
    BROKER_REWINDS = "broker rewinds"
    STREAM_DELETED = "stream deleted"
    DISORDER = "disorder"
    """The broker delivers in another order, and some messages twice."""
    WEATHER = "weather"
    CLOCK = "clock"


SITE_FAULTS = (
    Kind.WANT_BASELINE,
    Kind.CRASH,
    Kind.PART,
    Kind.DISK_FULL,
    Kind.DISK_SLOW,
    Kind.PUT_BACK,
    Kind.PUT_BACK_WHOLE,
    Kind.CLONE,
    Kind.DISK_LOST,
    Kind.CLOCK,
)
"""What happens to one site; some of it happens to the hub as well."""

HUB_FAULTS = (Kind.CRASH, Kind.PART, Kind.DISK_FULL, Kind.DISK_SLOW, Kind.PUT_BACK, Kind.DISK_LOST, Kind.CLOCK)

BROKER_FAULTS = (
    Kind.BROKER_DOWN,
    Kind.BROKER_FULL,
    Kind.BROKER_FORGETS,
    Kind.BROKER_REWINDS,
    Kind.STREAM_DELETED,
    Kind.DISORDER,
    Kind.WEATHER,
)

MANY = 0.03
"""Share of the schedules with many sites: what goes wrong needs few, and more of them cost more."""

SHARED = 0.2
"""Share of the schedules in which two consumers share the work at the hub."""

THEMED = 0.5
"""Share of the schedules that play a theme beside what they draw."""

SITES_MAX = 12
"""Sites of the largest county: enough for one batch of the hub to hold frames of many."""

HUB = -1
"""In ``Step.site``: it happens to the hub."""

NOBODY = -2
"""In ``Step.site``: it happens to the broker or to the network."""


THEMES: dict[str, tuple[tuple[Kind, bool], ...]] = {
    "forgotten while the hub is away": ((Kind.PART, True), (Kind.CHANGE, False), (Kind.BROKER_FORGETS, False)),
    "stream lost while the hub is down": (
        (Kind.CRASH, True),
        (Kind.CHANGE, False),
        (Kind.STREAM_DELETED, False),
        (Kind.CHANGE, False),
    ),
    "forgotten while the hub is slow": (
        (Kind.DISK_SLOW, True),
        (Kind.CHANGE, False),
        (Kind.BROKER_FORGETS, False),
        (Kind.CRASH, False),
    ),
    "repeated while the hub is slow": (
        (Kind.DISK_SLOW, True),
        (Kind.CHANGE, False),
        (Kind.CHANGE, False),
        (Kind.BROKER_REWINDS, False),
        (Kind.CHANGE, False),
    ),
    "hub crashes": ((Kind.CHANGE, False), (Kind.CRASH, True), (Kind.CHANGE, False), (Kind.CRASH, True)),
    "hub put back": (
        (Kind.CHANGE, False),
        (Kind.BACKUP, True),
        (Kind.CHANGE, False),
        (Kind.CHANGE, False),
        (Kind.PUT_BACK, True),
    ),
    "both put back": (
        (Kind.CHANGE, False),
        (Kind.BACKUP, True),
        (Kind.PUT_BACK, False),
        (Kind.CHANGE, False),
        (Kind.PUT_BACK, True),
    ),
    "hub put back to another history": (
        (Kind.CHANGE, False),
        (Kind.BACKUP, False),
        (Kind.BACKUP, True),
        (Kind.CHANGE, False),
        (Kind.BACKUP, True),
        (Kind.PUT_BACK_WHOLE, False),
        (Kind.PUT_BACK, True),
        (Kind.CHANGE, False),
        (Kind.CHANGE, False),
        (Kind.CHANGE, False),
        (Kind.PUT_BACK, True),
    ),
    "hub put back over a baseline": (
        (Kind.BACKUP, True),
        (Kind.WANT_BASELINE, False),
        (Kind.CHANGE, False),
        (Kind.PUT_BACK, True),
    ),
    "hub put back to a lost disk": (
        (Kind.CHANGE, False),
        (Kind.BACKUP, True),
        (Kind.DISK_LOST, False),
        (Kind.CHANGE, False),
        (Kind.PUT_BACK, True),
    ),
    "hub put back to a copy": (
        (Kind.CLONE, False),
        (Kind.CHANGE, False),
        (Kind.BACKUP, True),
        (Kind.CHANGE, False),
        (Kind.PUT_BACK, True),
    ),
    "copy crashes": ((Kind.CLONE, False), (Kind.CHANGE, False), (Kind.CHANGE, False), (Kind.CRASH, False)),
    "site put back": (
        (Kind.BACKUP, False),
        (Kind.CHANGE, False),
        (Kind.PUT_BACK_WHOLE, False),
        (Kind.CHANGE, False),
    ),
    "site put back while the hub is away": (
        (Kind.BACKUP, False),
        (Kind.PART, True),
        (Kind.CHANGE, False),
        (Kind.PUT_BACK_WHOLE, False),
        (Kind.CHANGE, False),
    ),
    "old frames after a lost disk": (
        (Kind.CHANGE, False),
        (Kind.DISK_LOST, False),
        (Kind.BROKER_REWINDS, False),
        (Kind.CHANGE, False),
    ),
    "old frames at an empty hub": (
        (Kind.CHANGE, False),
        (Kind.DISK_LOST, True),
        (Kind.BROKER_REWINDS, False),
        (Kind.CHANGE, False),
    ),
    "full disk": (
        (Kind.DISK_FULL, False),
        (Kind.CHANGE, False),
        (Kind.WANT_BASELINE, False),
        (Kind.CRASH, False),
    ),
    "full disk in a baseline": (
        (Kind.CHANGE, False),
        (Kind.BACKUP, False),
        (Kind.CHANGE, False),
        (Kind.CHANGE, False),
        (Kind.DISK_FULL, False),
        (Kind.PUT_BACK, False),
        (Kind.DISK_FULL, False),
        (Kind.PUT_BACK, False),
    ),
}
"""What is worst in this order, each (kind, whether it happens to the hub): a draw would take too long to find it."""


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that happens."""

    at_s: float
    kind: Kind
    site: int
    lasts_s: float = 0.0
    number: int = 0
    """Whatever the kind needs drawn: a seed, a count, days of a clock."""

    def __str__(self) -> str:
        """Return the step as a line for people."""
        whom = {HUB: "hub", NOBODY: ""}.get(self.site, f"site {self.site}")
        lasts = f" for {self.lasts_s:.1f} s" if self.lasts_s else ""
        return f"{self.at_s:8.3f} {self.kind} {whom}{lasts} #{self.number}"


class Schedule(msgspec.Struct, frozen=True, kw_only=True):
    """A whole run."""

    seed: int
    sites: int
    lasts_s: float
    weather: Weather
    workers: int
    """Consumers that share the work at the hub."""
    steps: tuple[Step, ...]


def drawn(seed: int, theme: str = "") -> Schedule:
    """Return the schedule of a seed: of all there is, or of one theme and changes alone."""
    chance = random.Random(f"schedule {seed}")
    sites = chance.choice((1, 1, 1, 1, 1, 1, 2, 2, 3)) if chance.random() > MANY else chance.randint(4, SITES_MAX)
    moments = _moments(chance)
    steps = [_change(chance, site, moments) for site in range(sites) for _ in range(chance.randint(1, 4))]
    for kind, whom in () if theme else _kinds(chance):
        for _ in range(chance.choice((1, 1, 1, 2, 3))):
            site = whom if whom < 0 else chance.randrange(sites)
            steps.extend(_fault(chance, kind, site, moments))
    if theme or chance.random() < THEMED:
        steps.extend(_themed(chance, theme or chance.choice(list(THEMES)), chance.randrange(sites), moments))
    steps.sort(key=lambda step: step.at_s)
    weather = _weather(chance) if chance.random() < 0.25 else CALM
    # Healing comes at once or after some quiet, in which a fault may show what it does.
    lasts_s = round(steps[-1].at_s + chance.choice((0.0, 5.0, 30.0)) * chance.random(), 3)
    workers = 2 if chance.random() < SHARED else 1
    return Schedule(seed=seed, sites=sites, lasts_s=lasts_s, weather=weather, workers=workers, steps=tuple(steps))


def _kinds(chance: random.Random) -> list[tuple[Kind, int]]:
    every = [
        *((kind, 0) for kind in SITE_FAULTS),
        *((kind, HUB) for kind in HUB_FAULTS),
        *((kind, NOBODY) for kind in BROKER_FAULTS),
    ]
    return chance.sample(every, chance.choice((1, 1, 2, 2, 3, 4, 6)))


def _moments(chance: random.Random) -> list[float]:
    """Return a few moments around which things happen: faults meet each other and the frames under way."""
    moments = [1.0 + chance.random() * 4]
    for _ in range(chance.choice((0, 1, 1, 2, 3))):
        moments.append(moments[-1] + chance.choice((8.0, 40.0, 90.0)) * chance.random())
    return moments


def _moment(chance: random.Random, moments: Sequence[float]) -> float:
    return round(chance.choice(moments) + chance.expovariate(1 / 1.5), 3)


def _change(chance: random.Random, site: int, moments: Sequence[float]) -> Step:
    return Step(at_s=_moment(chance, moments), kind=Kind.CHANGE, site=site, number=chance.getrandbits(32))


def _fault(chance: random.Random, kind: Kind, site: int, moments: Sequence[float]) -> list[Step]:
    at_s = _moment(chance, moments)
    lasts_s = round(chance.expovariate(1 / chance.choice((3, 25))), 3)
    fault = Step(at_s=at_s, kind=kind, site=site, lasts_s=lasts_s, number=chance.getrandbits(32))
    if kind in (Kind.PUT_BACK, Kind.PUT_BACK_WHOLE):
        return [Step(at_s=round(at_s * chance.random(), 3), kind=Kind.BACKUP, site=site), fault]
    return [fault]


def _themed(chance: random.Random, theme: str, site: int, moments: Sequence[float]) -> list[Step]:
    at_s = chance.choice(moments)
    steps = []
    for kind, is_hub in THEMES[theme]:
        at_s += chance.expovariate(1 / chance.choice((0.5, 4, 25)))
        whom = HUB if is_hub else NOBODY if kind in BROKER_FAULTS else site
        lasts_s = round(chance.expovariate(1 / chance.choice((3, 25))), 3)
        step = Step(at_s=round(at_s, 3), kind=kind, site=whom, lasts_s=lasts_s, number=chance.getrandbits(32))
        steps.append(step)
    return steps


def _weather(chance: random.Random) -> Weather:
    return Weather(
        loss=chance.choice((0.0, 0.02, 0.1, 0.3)),
        repeat=chance.choice((0.0, 0.1, 0.3)),
        stale=chance.choice((0.0, 0.05, 0.2)),
        stale_s=chance.choice((2.0, 10.0, 60.0)),
        delay_s=chance.choice((0.02, 0.3, 2.0)),
    )


def weather_of(number: int) -> Weather:
    """Return the weather that a step brings."""
    return _weather(random.Random(number))
