"""Any order, any repetition of a site's events gives the same catalogue (promise 4)."""

from collections.abc import Sequence
from random import Random

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from hub.merge import BEFORE_ALL, Change, Held, Place, fold, sweep
from protocol.events import WithdrawalCause
from protocol.vocabularies import AccessStatus


def change(place: Place, kind: str, title: str, access: AccessStatus) -> Change:
    at_ms = place.epoch * 1000 + place.seq
    if kind == "withdrawn":
        return Change(place=place, at_ms=at_ms, withdrawn=WithdrawalCause.OWNER_DECISION)
    if kind == "unreadable":
        return Change(place=place, at_ms=at_ms, access_status=access)
    body = msgspec.json.encode({"title": title, "access_status": access.value})
    return Change(place=place, at_ms=at_ms, digest=hash(body), body=body, access_status=access)


places = st.builds(Place, st.integers(1, 3), st.integers(1, 40))
changes = st.builds(
    change,
    places,
    st.sampled_from(["described", "described", "withdrawn", "unreadable"]),
    st.sampled_from(["a", "b", "c"]),
    st.sampled_from(list(AccessStatus)),
)
histories = st.lists(changes, max_size=12, unique_by=lambda one: one.place)


def folded(history: Sequence[Change], floor: Place = BEFORE_ALL) -> Held | None:
    held = None
    for one in history:
        held = fold(held, one, floor).held
    return held


def seen(held: Held | None) -> tuple[object, ...]:
    """What the catalogue shows: nothing of tombstones, everything of entries."""
    return () if held is None or held.body is None else (held.place, held.body, held.digest, held.access_status)


@given(histories, st.randoms(use_true_random=False))
def test_any_order_shows_the_same(history: list[Change], random: Random) -> None:
    shuffled = list(history)
    random.shuffle(shuffled)

    assert seen(folded(shuffled)) == seen(folded(sorted(history, key=lambda one: one.place)))


@given(histories)
def test_tombstone_is_the_same_in_any_order(history: list[Change]) -> None:
    forwards, backwards = folded(history), folded(history[::-1])

    assert (forwards and (forwards.place, forwards.withdrawn)) == (backwards and (backwards.place, backwards.withdrawn))


@given(histories)
def test_repeated_history_changes_nothing(history: list[Change]) -> None:
    """Provenance included: a replay is not a new origin."""
    in_order = sorted(history, key=lambda one: one.place)
    once = folded(in_order)
    again = once
    for one in in_order:
        outcome = fold(again, one)
        assert (outcome.moved, outcome.conflict) == (False, None)
        again = outcome.held

    assert again == once


@given(histories, places, st.randoms(use_true_random=False))
def test_baseline_end_may_fall_anywhere(history: list[Change], began: Place, random: Random) -> None:
    """Events before and after the sweep, in any order, end as if all had been there in time."""
    history = [one for one in history if one.place != began]
    shuffled = list(history)
    random.shuffle(shuffled)
    cut = random.randint(0, len(shuffled))
    held = folded(shuffled[:cut])
    if held is not None and held.place < began:
        held = sweep(held, began, 0).held
    for one in shuffled[cut:]:
        held = fold(held, one, began).held

    assert seen(held) == seen(folded([one for one in sorted(history, key=lambda x: x.place) if one.place > began]))


@given(histories)
def test_every_origin_is_an_event_of_the_history(history: list[Change]) -> None:
    held = folded(history)
    origins = {(*one.place, one.at_ms) for one in history}

    if held is not None and held.body is not None:
        assert {tuple(held.origins.of(name)) for name in ("title", "access_status")} <= origins
