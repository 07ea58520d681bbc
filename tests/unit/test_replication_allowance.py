import asyncio

from replication.allowance import Allowance


async def started(allowance: Allowance, lot: int, order: list[int]) -> "asyncio.Task[None]":
    async def take() -> None:
        await allowance.take(lot)
        order.append(lot)

    task = asyncio.create_task(take())
    await asyncio.sleep(0)
    return task


async def test_lots_that_fit_go_at_once_and_the_next_waits() -> None:
    allowance, order = Allowance(10), list[int]()
    for lot in (4, 6, 1):
        await started(allowance, lot, order)
    await asyncio.sleep(0)
    before = list(order)
    allowance.give(1)
    await asyncio.sleep(0.01)

    assert (before, order, allowance.out) == ([4, 6], [4, 6, 1], 10)


async def test_large_lot_is_not_overtaken_by_small_ones() -> None:
    allowance, order = Allowance(10), list[int]()
    for lot in (8, 9, 1):
        await started(allowance, lot, order)
    await asyncio.sleep(0.01)
    before = list(order)
    allowance.give(8)
    await asyncio.sleep(0.01)

    assert (before, order) == ([8], [8, 9, 1])


async def test_lot_larger_than_everything_goes_alone() -> None:
    allowance, order = Allowance(10), list[int]()
    for lot in (25, 1):
        await started(allowance, lot, order)
    await asyncio.sleep(0.01)
    before = list(order)
    allowance.give(25)
    await asyncio.sleep(0.01)

    assert (before, order) == ([25], [25, 1])


async def test_who_gives_up_waiting_frees_the_way_and_takes_nothing() -> None:
    allowance, order = Allowance(10), list[int]()
    await started(allowance, 8, order)
    waiting = await started(allowance, 9, order)
    await started(allowance, 2, order)
    waiting.cancel()
    await asyncio.sleep(0.01)

    assert (order, allowance.out) == ([8, 2], 10)


async def test_giving_up_in_the_moment_of_being_served_gives_the_lot_back() -> None:
    allowance, order = Allowance(10), list[int]()
    await started(allowance, 10, order)
    waiting = await started(allowance, 5, order)
    allowance.give(10)
    waiting.cancel()
    await asyncio.sleep(0.01)

    assert (order, allowance.out) == ([10], 0)
