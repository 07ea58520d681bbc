"""The log of transfers: both ends come to the same, whatever is lost, repeated, forked or put back."""

from uuid import UUID

import pytest

from protocol.errors import Refused
from protocol.transfers import Cancelled, Ruling, TransferState
from replication import transfer_items
from replication.transfer_items import ItemState
from tests.transfer_ends import (
    End,
    checking,
    choose,
    closed,
    decided,
    deliver,
    identity,
    loaded,
    moved,
    opened,
    prepared,
    record_ids,
    returning,
    signature,
    submitted,
    two_ends,
)

TRANSFER = UUID("0192b6a0-0000-7000-8000-000000000001")


def submit(giver: End, receiver: End, items: int = 3) -> None:
    giver.append(TRANSFER, opened())
    choose(giver, TRANSFER, items)
    giver.append(TRANSFER, prepared(items=items))
    giver.append(TRANSFER, submitted(items=items))
    deliver(giver, receiver)
    choose(receiver, TRANSFER, items)
    receiver.append(TRANSFER, checking(items=items))


def state_of(end: End) -> TransferState:
    found = end.transfer(TRANSFER)
    assert found is not None
    return found.state


def items_of(end: End) -> dict[ItemState, int]:
    with end.engine.begin() as connection:
        return transfer_items.counts(connection, TRANSFER)


def test_a_transfer_goes_from_planned_to_closed_and_both_ends_say_the_same() -> None:
    giver, receiver = two_ends()
    submit(giver, receiver)
    receiver.append(TRANSFER, decided(receiver, TRANSFER))
    deliver(giver, receiver)
    giver.append(TRANSFER, signature(giver, TRANSFER))
    deliver(giver, receiver)
    receiver.append(TRANSFER, signature(receiver, TRANSFER))
    deliver(giver, receiver)
    assert state_of(giver) is TransferState.SIGNED
    giver.append(TRANSFER, moved())
    deliver(giver, receiver)
    receiver.append(TRANSFER, loaded())
    receiver.append(TRANSFER, closed())
    deliver(giver, receiver)

    assert state_of(giver) is TransferState.CLOSED
    assert giver.transfer(TRANSFER) == receiver.transfer(TRANSFER)
    assert (giver.faults(), receiver.faults()) == ([], [])
    assert items_of(giver) == items_of(receiver) == {ItemState.ACCEPTED: 3}


def test_a_second_round_carries_only_what_was_returned() -> None:
    giver, receiver = two_ends()
    first, second, _ = record_ids(3)
    submit(giver, receiver)
    receiver.append(TRANSFER, returning(first, second))
    receiver.append(TRANSFER, decided(receiver, TRANSFER))
    deliver(giver, receiver)
    assert state_of(giver) is TransferState.RETURNED
    assert items_of(giver) == items_of(receiver) == {ItemState.RETURNED: 2, ItemState.ACCEPTED: 1}

    with pytest.raises(Refused):
        giver.append(TRANSFER, prepared(2, items=3))
    for end in (giver, receiver):
        choose_again(end, [first])
    giver.append(TRANSFER, prepared(2, items=1))
    giver.append(TRANSFER, submitted(2, items=1))
    deliver(giver, receiver)
    receiver.append(TRANSFER, checking(2, items=1))
    receiver.append(TRANSFER, decided(receiver, TRANSFER, 2))
    deliver(giver, receiver)

    now = giver.transfer(TRANSFER)
    assert now is not None
    assert (now.state, now.accepted, now.left_out) == (TransferState.ACCEPTED, 2, 1)
    assert giver.transfer(TRANSFER) == receiver.transfer(TRANSFER)
    assert items_of(giver) == items_of(receiver) == {ItemState.ACCEPTED: 2, ItemState.LEFT_OUT: 1}


def choose_again(end: End, record_ids: list[UUID]) -> None:
    with end.engine.begin() as connection:
        for one in transfer_items.listed(connection, TRANSFER):
            if one.record_id in record_ids:
                transfer_items.put_round(connection, TRANSFER, [one.record_id], 2)


def test_a_held_item_is_decided_later_without_another_round() -> None:
    giver, receiver = two_ends()
    first, *_ = record_ids(3)
    submit(giver, receiver)
    receiver.append(TRANSFER, returning(first, ruling=Ruling.HOLD))
    receiver.append(TRANSFER, decided(receiver, TRANSFER))
    assert state_of(receiver) is TransferState.CHECKING
    assert items_of(receiver) == {ItemState.HELD: 1, ItemState.ACCEPTED: 2}

    receiver.append(TRANSFER, returning(first, ruling=Ruling.ACCEPT))
    receiver.append(TRANSFER, decided(receiver, TRANSFER))
    deliver(giver, receiver)

    assert state_of(giver) is TransferState.ACCEPTED
    assert items_of(giver) == items_of(receiver) == {ItemState.ACCEPTED: 3}


def test_a_final_decision_leaves_the_open_items_out() -> None:
    giver, receiver = two_ends()
    first, *_ = record_ids(3)
    submit(giver, receiver)
    receiver.append(TRANSFER, returning(first))
    receiver.append(TRANSFER, decided(receiver, TRANSFER, is_final=True))
    deliver(giver, receiver)

    now = giver.transfer(TRANSFER)
    assert now is not None
    assert (now.state, now.accepted, now.left_out) == (TransferState.ACCEPTED, 2, 1)
    assert items_of(giver) == {ItemState.ACCEPTED: 2, ItemState.LEFT_OUT: 1}


def test_steps_that_come_twice_and_backwards_change_nothing() -> None:
    giver, receiver = two_ends()
    giver.append(TRANSFER, opened())
    giver.append(TRANSFER, prepared())
    giver.append(TRANSFER, submitted())
    some = giver.written()
    for letter in [*reversed(some), *some]:
        receiver.take([letter])

    assert giver.transfer(TRANSFER) == receiver.transfer(TRANSFER)


def test_a_step_sealed_by_a_revoked_key_is_refused() -> None:
    giver, receiver = two_ends()
    giver.append(TRANSFER, opened())
    receiver.keys = {identity(9).public_key}
    deliver(giver, receiver)

    assert receiver.transfer(TRANSFER) is None
    assert receiver.faults() == ["the step is not sealed by a key that may write here"]


def test_a_transfer_of_another_site_cannot_be_written_to() -> None:
    giver, receiver = two_ends()
    submit(giver, receiver)
    giver.append(TRANSFER, Cancelled())
    receiver.peer = "330523108205"
    receiver.take(giver.written())

    assert state_of(receiver) is TransferState.CHECKING
    assert receiver.faults() == ["the transfer is another site's"]


def test_what_both_have_signed_neither_can_cancel() -> None:
    giver, receiver = two_ends()
    submit(giver, receiver)
    receiver.append(TRANSFER, decided(receiver, TRANSFER))
    deliver(giver, receiver)
    giver.append(TRANSFER, signature(giver, TRANSFER))
    with pytest.raises(Refused):
        giver.append(TRANSFER, Cancelled())
    deliver(giver, receiver)
    receiver.append(TRANSFER, signature(receiver, TRANSFER))

    with pytest.raises(Refused):
        receiver.append(TRANSFER, Cancelled())


def test_a_cancellation_that_crosses_a_decision_wins_at_both_ends() -> None:
    giver, receiver = two_ends()
    submit(giver, receiver)
    receiver.append(TRANSFER, decided(receiver, TRANSFER))
    giver.append(TRANSFER, Cancelled(reason="误选"))
    deliver(giver, receiver)

    assert state_of(giver) is state_of(receiver) is TransferState.CANCELLED
    assert giver.transfer(TRANSFER) == receiver.transfer(TRANSFER)


def test_a_receiver_that_was_put_back_gets_its_own_steps_again() -> None:
    """The hub's backup is older than its own decision, which the node has heard and signed."""
    giver, receiver = two_ends()
    submit(giver, receiver)
    backup = receiver.saved()
    receiver.append(TRANSFER, decided(receiver, TRANSFER))
    deliver(giver, receiver)
    receiver.put_back(backup)
    giver.append(TRANSFER, signature(giver, TRANSFER))
    giver.told_again()
    deliver(giver, receiver)

    assert state_of(receiver) is TransferState.ACCEPTED
    assert giver.transfer(TRANSFER) == receiver.transfer(TRANSFER)
    assert items_of(receiver) == {ItemState.ACCEPTED: 3}


def test_who_went_another_way_after_a_loss_follows_what_the_other_end_holds() -> None:
    """The hub forgets that it accepted, returns an item instead, and hears that it had accepted."""
    giver, receiver = two_ends()
    submit(giver, receiver)
    backup = receiver.saved()
    receiver.append(TRANSFER, decided(receiver, TRANSFER))
    deliver(giver, receiver)
    receiver.put_back(backup)
    receiver.append(TRANSFER, returning(record_ids(3)[0]))
    receiver.append(TRANSFER, decided(receiver, TRANSFER))
    deliver(giver, receiver)

    assert state_of(giver) is state_of(receiver) is TransferState.ACCEPTED
    assert giver.transfer(TRANSFER) == receiver.transfer(TRANSFER)


def test_a_giver_that_was_put_back_to_before_the_transfer_learns_of_it() -> None:
    giver, receiver = two_ends()
    backup = giver.saved()
    submit(giver, receiver)
    deliver(giver, receiver)
    giver.put_back(backup)
    receiver.told_again()
    deliver(giver, receiver)

    assert giver.transfer(TRANSFER) == receiver.transfer(TRANSFER)
    assert state_of(giver) is TransferState.CHECKING


@pytest.mark.parametrize("heard", [(0, 1), (1,), (1, 0)])
def test_a_giver_that_was_put_back_behind_its_last_step_is_reminded_of_it(heard: tuple[int, ...]) -> None:
    """A plan that it cancelled: the receiver wrote nothing since that would have shown the loss."""
    giver, receiver = two_ends()
    giver.append(TRANSFER, opened())
    backup = giver.saved()
    giver.append(TRANSFER, Cancelled(reason="误选"))
    written = giver.written()
    for place in heard:
        receiver.take([written[place]])

    giver.put_back(backup)
    receiver.told_again()
    deliver(giver, receiver)

    assert (state_of(giver), state_of(receiver)) == (TransferState.CANCELLED, TransferState.CANCELLED)
