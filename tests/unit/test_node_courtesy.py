"""Courtesy: an import gives way to a question, and never stands still for longer than it works."""

import asyncio
import itertools
import threading
import time

import pytest

from node.courtesy import EXPECTED_S, GIVE_WAY_S, ROWS_BESIDE_QUESTIONS, Courtesy


def worked(courtesy: Courtesy, stop: threading.Event) -> list[float]:
    """Work through rows until told to stop; returns when each was done."""
    done = []
    while not stop.is_set():
        courtesy.give_way()
        done.append(time.monotonic())
        time.sleep(0.001)
    return done


def longest_pause_s(done: list[float]) -> float:
    return max(after - before for before, after in itertools.pairwise(done))


async def test_an_import_stands_still_while_a_question_is_answered() -> None:
    courtesy = Courtesy()
    answered = asyncio.Event()

    async def slowly(_question: str) -> str:
        await answered.wait()
        return "yes"

    answering = asyncio.ensure_future(courtesy.extended({"search": slowly})["search"]("?"))
    await asyncio.sleep(0)
    begun = time.monotonic()
    waiting = asyncio.create_task(asyncio.to_thread(courtesy.give_way))
    await asyncio.sleep(GIVE_WAY_S / 5)
    stood_still = not waiting.done()
    answered.set()
    assert await answering == "yes"
    await waiting
    assert stood_still
    assert time.monotonic() - begun >= GIVE_WAY_S / 5


async def test_an_import_goes_on_however_long_somebody_is_answered() -> None:
    """It works for as long as it stood still before it does so again."""
    courtesy, stop = Courtesy(), threading.Event()

    async def for_ever(_question: str) -> None:
        await asyncio.sleep(3600)

    answering = asyncio.ensure_future(courtesy.extended({"search": for_ever})["search"]("?"))
    await asyncio.sleep(0)
    working = asyncio.create_task(asyncio.to_thread(worked, courtesy, stop))
    await asyncio.sleep(8 * GIVE_WAY_S)
    stop.set()
    done = await working
    answering.cancel()
    assert len(done) >= 10
    assert longest_pause_s(done) >= GIVE_WAY_S * 0.9


async def test_a_question_that_fails_does_not_hold_the_import_up() -> None:
    courtesy = Courtesy()

    async def failing(_question: str) -> None:
        raise ValueError

    with pytest.raises(ValueError):  # noqa: PT011 - any error will do
        await courtesy.extended({"search": failing})["search"]("?")
    begun = time.monotonic()
    courtesy.give_way()
    assert time.monotonic() - begun < GIVE_WAY_S / 2


async def test_little_is_stored_at_once_while_questions_are_expected() -> None:
    now = [100.0]
    courtesy = Courtesy(monotonic=lambda: now[0])
    during: list[int] = []

    async def answering(_question: str) -> None:
        during.append(courtesy.at_once(4_000))

    before = courtesy.at_once(4_000)
    await courtesy.extended({"search": answering})["search"]("?")
    soon = courtesy.at_once(4_000), courtesy.at_once(7)
    now[0] += EXPECTED_S
    later = courtesy.at_once(4_000)

    assert (before, later) == (4_000, 4_000)
    assert during == [ROWS_BESIDE_QUESTIONS]
    assert soon == (ROWS_BESIDE_QUESTIONS, 7)
