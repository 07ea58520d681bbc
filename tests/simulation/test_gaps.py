"""A site with a slow hub and much to send again is asked once, and not again while the answer is arriving."""

from tests.simulation.network import CALM
from tests.simulation.running import run, simulated
from tests.simulation.schedule import HUB, NOBODY, Kind, Schedule, Step

SLOW = 28
"""Of this number a slow disk makes three seconds a write."""

CHANGES = 14


def _schedule() -> Schedule:
    """The broker forgets what the hub has not read; what follows shows the gap, and the hub's disk is slow."""
    piled_up = [Step(at_s=9.0 + n / 10, kind=Kind.CHANGE, site=0, number=6 * n + 17) for n in range(CHANGES)]
    steps = (
        Step(at_s=2.0, kind=Kind.CHANGE, site=0, number=5),
        Step(at_s=5.0, kind=Kind.PART, site=HUB, lasts_s=10.0),
        Step(at_s=8.0, kind=Kind.CHANGE, site=0, number=11),
        Step(at_s=8.5, kind=Kind.BROKER_FORGETS, site=NOBODY, number=1),
        *piled_up,
        Step(at_s=14.0, kind=Kind.DISK_SLOW, site=HUB, lasts_s=200.0, number=SLOW),
    )
    return Schedule(seed=1, sites=1, lasts_s=300.0, weather=CALM, workers=1, steps=steps)


def test_a_long_resend_is_asked_for_once() -> None:
    told: list[str] = []
    with simulated(on_event=told.append):
        world = run(_schedule())
    assert (told.count("gap_asked_for"), world.hub.asked) == (1, 1)
