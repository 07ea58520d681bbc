"""Withdrawing and closing outrank every update that is older, in whatever order they arrive (promise 7)."""

from collections.abc import Sequence

from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection

from hub.searching.search import Query, search
from hub.storage.reindexing import refresh_index
from protocol.events import Event
from protocol.vocabularies import AccessStatus
from tests.catalogue import accepted, access_changed, described, fictitious, record_id, withdrawn
from tests.property.test_hub_application import apply, catalogue

kinds = st.lists(st.sampled_from(["described", "withdrawn", "closed", "unreadable"]), min_size=1, max_size=7)
WORDS = "林权纠纷"


def event(seq: int, kind: str) -> Event:
    record = fictitious(1, title=f"{WORDS}第{seq}稿", access_status=AccessStatus.OPEN)
    if kind == "withdrawn":
        return withdrawn(seq, record_id(1))
    if kind == "closed":
        return access_changed(seq, record, AccessStatus.RESTRICTED)
    if kind == "unreadable":
        return access_changed(seq, record, AccessStatus.RESTRICTED, raw=b"{}")
    return described(seq, record)


def found(connection: Connection, status: AccessStatus | None = None) -> list[tuple[str, str]]:
    page = search(connection, Query(words=WORDS, access_status=status))
    assert page.total == len(page.hits)
    return [(hit.record.title, hit.record.access_status.value) for hit in page.hits]


def expected(history: Sequence[str], arrived: set[int]) -> list[tuple[str, str]]:
    """Return what must be found when just these positions have arrived, by the rule and not by the program."""
    last = max((seq for seq in arrived if history[seq - 1] != "unreadable"), default=0)
    if not last or history[last - 1] == "withdrawn":
        return []
    closings = [seq for seq in arrived if history[seq - 1] in ("closed", "unreadable") and seq >= last]
    return [(f"{WORDS}第{last}稿", "restricted" if closings else "open")]


@settings(max_examples=120, deadline=None)
@given(kinds, st.randoms(use_true_random=False))
def test_at_every_moment_search_shows_the_highest_word_that_has_arrived(history: list[str], chance: object) -> None:
    """Each event is a transaction of its own: what it withdraws or closes is gone from the index with it."""
    order = list(range(1, len(history) + 1))
    chance.shuffle(order)  # type: ignore[attr-defined]
    with catalogue() as connection:
        refresh_index(connection)
        arrived: set[int] = set()
        for seq in order:
            apply(connection, [accepted([event(seq, history[seq - 1])])])
            arrived.add(seq)
            assert found(connection) == expected(history, arrived)
            assert found(connection, AccessStatus.OPEN) == [
                one for one in expected(history, arrived) if one[1] == "open"
            ]


@settings(max_examples=60, deadline=None)
@given(kinds, st.randoms(use_true_random=False), st.integers(2, 4))
def test_repeats_and_batches_in_any_order_come_to_the_same(history: list[str], chance: object, size: int) -> None:
    order = [*range(1, len(history) + 1)] * 2
    chance.shuffle(order)  # type: ignore[attr-defined]
    with catalogue() as connection:
        refresh_index(connection)
        for start in range(0, len(order), size):
            some = order[start : start + size]
            apply(connection, [accepted([event(seq, history[seq - 1])]) for seq in some])

        assert found(connection) == expected(history, set(order))
