"""Folding events of one record: what is held, where each value came from, and what contradicts."""

import msgspec
import pytest

from hub.merge import (
    ACCESS_FIELD,
    Change,
    Conflict,
    Folded,
    Held,
    Origin,
    Place,
    Provenance,
    changed_fields,
    fold,
    sweep,
)
from protocol.events import WithdrawalCause
from protocol.vocabularies import AccessStatus

OPEN, RESTRICTED, UNREVIEWED = AccessStatus.OPEN, AccessStatus.RESTRICTED, AccessStatus.UNREVIEWED


def described(seq: int, title: str = "a", access: AccessStatus = UNREVIEWED, *, epoch: int = 1) -> Change:
    body = msgspec.json.encode({"title": title, "access_status": access.value})
    return Change(place=Place(epoch, seq), at_ms=seq * 10, digest=hash(body), body=body, access_status=access)


def withdrawn(seq: int, cause: WithdrawalCause = WithdrawalCause.ROW_VANISHED, *, epoch: int = 1) -> Change:
    return Change(place=Place(epoch, seq), at_ms=seq * 10, withdrawn=cause)


def unreadable(seq: int, access: AccessStatus) -> Change:
    return Change(place=Place(1, seq), at_ms=seq * 10, access_status=access)


def held_after(*changes: Change) -> Held:
    held = None
    for change in changes:
        held = fold(held, change).held
    assert held is not None
    return held


def test_first_description_is_held_without_spelled_out_provenance() -> None:
    """Two million entries never change: their provenance must cost nothing."""
    folded = fold(None, described(3, "a"))

    assert folded == Folded(
        held=Held(place=Place(1, 3), at_ms=30, digest=described(3).digest, body=described(3).body), fields=()
    )
    assert folded.held is not None
    assert folded.held.origins.of("title") == Origin(1, 3, 30)


def test_changed_field_names_its_event_and_the_others_keep_theirs() -> None:
    held = held_after(described(3, "a"), described(7, "b"))

    assert held.provenance == Provenance(first=Origin(1, 3, 30), fields={"title": Origin(1, 7, 70)})
    assert held.origins.of("doc_no") == Origin(1, 3, 30)


def test_same_description_again_moves_the_place_but_no_field() -> None:
    folded = fold(held_after(described(3, "a")), described(9, "a"))

    assert (folded.fields, folded.moved) == ((), True)
    assert folded.held is not None
    assert folded.held.place == Place(1, 9)
    assert folded.held.origins.of("title") == Origin(1, 3, 30)


def test_late_description_changes_nothing() -> None:
    held = held_after(described(7, "b"))

    assert fold(held, described(3, "a")) == Folded(held=held, moved=False)


def test_replayed_description_changes_nothing() -> None:
    held = held_after(described(7, "b"))

    assert fold(held, described(7, "b")) == Folded(held=held, moved=False)


def test_late_description_does_not_revive_a_withdrawn_record() -> None:
    held = held_after(described(1), withdrawn(5))

    assert fold(held, described(3)).held == held
    assert (held.body, held.withdrawn) == (None, WithdrawalCause.ROW_VANISHED)


def test_withdrawal_arrives_before_the_description_it_outranks() -> None:
    assert held_after(withdrawn(5), described(3)).body is None


def test_owner_describes_again_after_a_withdrawal() -> None:
    held = held_after(described(1), withdrawn(5), described(8, "b"))

    assert (held.body, held.withdrawn) == (described(8, "b").body, None)
    assert held.origins.of("title") == Origin(1, 8, 80)


def test_later_epoch_outranks_any_position_of_an_earlier_one() -> None:
    held = held_after(described(900, "old"), described(2, "new", epoch=2), described(901, "late"))

    assert held.body == described(2, "new").body


def test_closing_takes_effect_when_the_record_part_is_unreadable() -> None:
    """The description stays as it was, with its digest: the difference shows until this end is upgraded."""
    before = held_after(described(3, "a", OPEN))
    folded = fold(before, unreadable(5, RESTRICTED))

    assert folded.fields == (ACCESS_FIELD,)
    assert folded.held is not None
    assert (folded.held.access_status, folded.held.body, folded.held.place) == (RESTRICTED, before.body, before.place)


def test_an_unreadable_closing_that_comes_late_does_not_reopen_what_was_described_since() -> None:
    """The description said the same of access as the closing before it: its own place counts all the same."""
    held = held_after(described(1, "a", OPEN), unreadable(5, RESTRICTED), described(9, "a", RESTRICTED))

    assert fold(held, unreadable(7, OPEN)) == Folded(held=held, moved=False)


def test_the_same_access_status_again_changes_no_field() -> None:
    folded = fold(held_after(described(3, "a", RESTRICTED)), unreadable(5, RESTRICTED))

    assert (folded.fields, folded.moved) == ((), True)


def test_late_description_does_not_reopen() -> None:
    held = held_after(described(1, "a", OPEN), unreadable(5, RESTRICTED), described(3, "b", OPEN))

    assert (held.body, held.access_status) == (described(3, "b", OPEN).body, RESTRICTED)


def test_readable_repeat_of_an_unreadable_event_is_taken() -> None:
    """After an upgrade the event comes out of quarantine with the same place."""
    held = held_after(described(1, "a", OPEN), unreadable(5, RESTRICTED), described(5, "a", RESTRICTED))

    assert (held.place, held.access_status) == (Place(1, 5), RESTRICTED)


def test_later_description_decides_access_again() -> None:
    held = held_after(described(1, "a", OPEN), unreadable(5, RESTRICTED), described(6, "a", OPEN))

    assert held.access_status == OPEN
    assert held.origins.of(ACCESS_FIELD) == Origin(1, 6, 60)


def test_access_status_of_an_unknown_record_waits_for_its_description() -> None:
    held = held_after(unreadable(5, RESTRICTED), described(3, "a", OPEN))

    assert (held.body, held.access_status) == (described(3, "a", OPEN).body, RESTRICTED)


def test_two_contents_at_one_place_are_a_conflict_and_the_first_stays() -> None:
    held = held_after(described(3, "a"))
    folded = fold(held, described(3, "b"))

    assert folded.held == held
    assert folded.conflict == Conflict(
        place=Place(1, 3), held_digest=described(3, "a").digest, offered_digest=described(3, "b").digest
    )


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_withdrawal_wins_over_a_description_at_the_same_place(order: tuple[int, int]) -> None:
    changes = (described(3), withdrawn(3))

    assert held_after(*(changes[index] for index in order)).body is None


def test_complete_baseline_withdraws_what_it_did_not_describe() -> None:
    held = sweep(held_after(described(3)), Place(1, 5), 50).held

    assert held is not None
    assert (held.body, held.withdrawn, held.place) == (None, WithdrawalCause.NOT_IN_BASELINE, Place(1, 5))


def test_complete_baseline_leaves_what_it_described() -> None:
    held = held_after(described(3), described(6))

    assert sweep(held, Place(1, 5), 50) == Folded(held=held, moved=False)


def test_event_below_the_floor_is_void() -> None:
    assert fold(None, described(3), Place(1, 5)) == Folded(held=None, moved=False)


def test_event_at_the_floor_counts() -> None:
    assert fold(None, described(5), Place(1, 5)).held is not None


def test_unknown_fields_count_as_changed_and_bookkeeping_does_not() -> None:
    before = b'{"title":"a","version":1,"from_the_future":[1,2]}'
    after = b'{"title":"a","version":2,"from_the_future":[1,3],"reason":"x"}'

    assert changed_fields(before, after) == ("from_the_future",)
