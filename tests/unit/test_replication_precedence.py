"""Precedence: frames give way to whoever waits for a page, for a share of the time."""

import asyncio

import pytest

from replication.precedence import (
    EXPECTED_S,
    FRAMES_BESIDE_PEOPLE,
    REST_SHARE,
    ROWS_AT_ONCE,
    WORKED_S_MAX,
    GaveWay,
    Precedence,
    in_lots,
)


class Clock:
    """A clock that tests set."""

    def __init__(self) -> None:
        self.now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


async def rested_s(precedence: Precedence) -> float:
    """Return for how long the applying stood still."""
    clock = asyncio.get_running_loop().time
    begun = clock()
    await precedence.give_way()
    return clock() - begun


async def test_nobody_who_waits_costs_nothing() -> None:
    clock = Clock()
    precedence = Precedence(clock)
    clock.now_s += 10

    assert await rested_s(precedence) < WORKED_S_MAX / 4
    assert precedence.at_once(16) == 16


async def test_frames_rest_until_the_page_is_there() -> None:
    clock = Clock()
    precedence = Precedence(clock)
    clock.now_s += WORKED_S_MAX
    with precedence.given():
        resting = asyncio.create_task(rested_s(precedence))
        await asyncio.sleep(0.02)
        stood_still = not resting.done()
    rested = await resting

    assert stood_still
    assert rested < WORKED_S_MAX * REST_SHARE / 2


async def test_frames_keep_a_share_of_the_time_however_many_wait() -> None:
    """A second of work is paid for with so many seconds of rest, and a long silence with one rest."""
    clock = Clock()
    precedence = Precedence(clock)
    with precedence.given(), precedence.given():
        clock.now_s += 0.02
        short = await rested_s(precedence)
        clock.now_s += 3600
        long = await rested_s(precedence)

    assert 0.02 * REST_SHARE * 0.9 <= short < WORKED_S_MAX * REST_SHARE * 0.9
    assert WORKED_S_MAX * REST_SHARE * 0.9 <= long < WORKED_S_MAX * REST_SHARE + 0.5


async def test_a_rest_is_not_counted_as_work() -> None:
    clock = Clock()
    precedence = Precedence(clock)
    with precedence.given():
        clock.now_s += 0.02
        await precedence.give_way()

        assert await rested_s(precedence) < 0.02


async def test_little_is_stored_at_once_while_the_next_page_is_expected() -> None:
    clock = Clock()
    precedence = Precedence(clock)
    with precedence.given():
        beside = precedence.at_once(16)
    after = precedence.at_once(16)
    clock.now_s += EXPECTED_S

    assert (beside, after) == (FRAMES_BESIDE_PEOPLE, FRAMES_BESIDE_PEOPLE)
    assert precedence.at_once(1) == 1
    assert precedence.at_once(16) == 16


async def test_a_page_that_fails_holds_nothing_up() -> None:
    precedence = Precedence(Clock())
    try:
        with precedence.given():
            raise ValueError
    except ValueError:
        pass

    assert await rested_s(precedence) < WORKED_S_MAX / 4


async def test_who_comes_behind_a_small_piece_of_work_is_owed_a_rest_for_all_that_went_before() -> None:
    """Else the next frame would be begun in the middle of the page, a moment after the small one."""
    clock = Clock()
    precedence = Precedence(clock)
    for worked_s in (WORKED_S_MAX, 0.001):
        clock.now_s += worked_s
        await precedence.give_way()
    clock.now_s += 0.001
    with precedence.given():
        resting = asyncio.create_task(precedence.give_way())
        await asyncio.sleep(WORKED_S_MAX)
        stood_still = not resting.done()
    await resting

    assert stood_still


async def test_a_turn_is_kept_for_a_moment_and_no_longer() -> None:
    """Between a form and the page that its answer leads to nobody waits, and yet a person does."""
    clock = Clock()
    precedence = Precedence(clock)
    clock.now_s += WORKED_S_MAX
    precedence.hold(0.05)
    kept = await rested_s(precedence)
    clock.now_s += WORKED_S_MAX

    assert 0.04 <= kept < WORKED_S_MAX * REST_SHARE / 2
    assert await rested_s(precedence) < 0.04


def test_whoever_waits_ends_a_transaction_between_two_of_its_steps() -> None:
    precedence = Precedence(Clock())
    rows = range(2 * ROWS_AT_ONCE + 1)
    lots = in_lots(rows, precedence.go_on)
    written = [*next(lots), *next(lots)]
    with precedence.given(), pytest.raises(GaveWay):
        next(lots)

    assert written == list(rows[:-1])
