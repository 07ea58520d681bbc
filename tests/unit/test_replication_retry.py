import asyncio
import time

import pytest

from replication.retry import Backoff, Pause, bound_s

BACKOFF = Backoff(first_s=0.5, ceiling_s=10.0)


@pytest.mark.parametrize(
    ("failures", "expected"), [(0, 0.5), (1, 1.0), (2, 2.0), (4, 8.0), (5, 10.0), (50, 10.0), (1_000_000, 10.0)]
)
def test_bound_doubles_up_to_the_ceiling(failures: int, expected: float) -> None:
    """Also after weeks of failures, which would be too large a number for a float."""
    assert bound_s(BACKOFF, failures) == expected


def test_full_jitter_takes_any_part_of_the_bound() -> None:
    chances = iter([0.0, 0.5, 1.0])
    pause = Pause(BACKOFF, chance=lambda: next(chances))

    assert [pause.next_s() for _ in range(3)] == [0.0, 0.5, 2.0]


def test_reset_starts_over() -> None:
    pause = Pause(BACKOFF, chance=lambda: 1.0)
    for _ in range(9):
        pause.next_s()
    pause.reset()

    assert (pause.failures, pause.next_s()) == (0, 0.5)


async def test_wait_sleeps_what_was_drawn() -> None:
    slept: list[float] = []

    async def sleep(seconds: float) -> None:
        slept.append(seconds)

    pause = Pause(BACKOFF, chance=lambda: 1.0, sleep=sleep)
    await pause.wait()
    await pause.wait()

    assert slept == [0.5, 1.0]


async def test_wake_ends_a_pause_early_and_leaves_nothing_behind() -> None:
    pause = Pause(Backoff(first_s=30.0, ceiling_s=30.0), chance=lambda: 1.0)
    wake = asyncio.Event()
    asyncio.get_running_loop().call_later(0.02, wake.set)
    begun = time.monotonic()
    await pause.wait(wake)
    await asyncio.sleep(0)

    assert time.monotonic() - begun < 5.0
    assert asyncio.all_tasks() == {asyncio.current_task()}
