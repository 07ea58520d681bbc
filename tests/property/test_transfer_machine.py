"""Transfers under any interleaving: steps that cross, letters lost, repeated and reordered, databases put back."""

from uuid import UUID

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from protocol.errors import BadValue, Refused
from protocol.letters import Letter
from protocol.transfer_folds import Transfer
from protocol.transfers import Cancelled, ItemRuling, Ruled, Ruling, SentBack, Side, TransferState
from protocol.wording import Text
from replication import transfer_items
from replication.transfer_items import ItemState
from tests.transfer_ends import (
    End,
    checking,
    choose,
    closed,
    decided,
    deliver,
    loaded,
    moved,
    opened,
    prepared,
    record_ids,
    signature,
    submitted,
    two_ends,
)

TRANSFER = UUID("0192b6a0-0000-7000-8000-000000000001")
ITEMS = 3
REASON = Text(zh="缺页", en="a page is missing")
AFTER_BOTH_SIGNED = (TransferState.SIGNED, TransferState.LOADED, TransferState.CLOSED)


class TransferMachine(RuleBasedStateMachine):
    """Two ends, and a post that does what it likes."""

    @initialize()
    def open(self) -> None:
        self.giver, self.receiver = two_ends()
        self.giver.append(TRANSFER, opened())
        choose(self.giver, TRANSFER, ITEMS)
        self.backups: dict[Side, bytes] = {}
        self.was_signed = False

    def transfer(self, end: End) -> Transfer | None:
        return end.transfer(TRANSFER)

    def attempt(self, end: End, what: object) -> None:
        """Write a step if it may follow now; what may not is refused and leaves nothing behind."""
        try:
            end.append(TRANSFER, what)  # type: ignore[arg-type]
        except (BadValue, Refused):
            return

    # What the giver does

    @rule(items=st.integers(1, ITEMS))
    def pack(self, items: int) -> None:
        now = self.transfer(self.giver)
        if now is None:
            return
        number = len(now.parcels) + 1
        carried = [one.record_id for one in now.returned][:items] if now.parcels else record_ids(items)
        if not carried:
            return
        with self.giver.engine.begin() as connection:
            transfer_items.put_round(connection, TRANSFER, carried, number)
        self.attempt(self.giver, prepared(number, len(carried)))

    @rule()
    def submit(self) -> None:
        now = self.transfer(self.giver)
        if now is not None and now.prepared is not None:
            self.attempt(self.giver, submitted(now.prepared.round, now.prepared.items))

    @rule()
    def sign_first(self) -> None:
        now = self.transfer(self.giver)
        if now is not None and now.state is TransferState.ACCEPTED and now.giver_signature is None:
            self.attempt(self.giver, signature(self.giver, TRANSFER))

    @rule()
    def move_custody(self) -> None:
        self.attempt(self.giver, moved())

    @rule(end=st.sampled_from(Side))
    def give_up(self, end: Side) -> None:
        self.attempt(self.giver if end is Side.GIVER else self.receiver, Cancelled(reason="误选"))

    # What the receiver does

    @rule()
    def look(self) -> None:
        now = self.transfer(self.receiver)
        if now is None or now.state is not TransferState.SUBMITTED or now.prepared is None:
            return
        carried = record_ids(now.prepared.items) if not now.parcels else [one.record_id for one in now.returned]
        known = self.items(self.receiver)
        with self.receiver.engine.begin() as connection:
            if not known:
                choose_here(self.receiver, now.prepared.items)
            transfer_items.put_round(connection, TRANSFER, carried[: now.prepared.items], now.round)
        self.attempt(self.receiver, checking(now.round, now.prepared.items))

    @rule(data=st.data())
    def decide(self, data: st.DataObject) -> None:
        now = self.transfer(self.receiver)
        if now is None or now.state is not TransferState.CHECKING:
            return
        with self.receiver.engine.begin() as connection:
            states = (ItemState.CARRIED, ItemState.HELD)
            open_items = [one.record_id for one in transfer_items.listed(connection, TRANSFER, states=states)]
        rulings = tuple(
            ItemRuling(record_id=one, ruling=data.draw(st.sampled_from(Ruling)), reason=REASON) for one in open_items
        )
        self.attempt(self.receiver, Ruled(round=now.round, rulings=rulings))
        final = data.draw(st.booleans())
        self.attempt(self.receiver, decided(self.receiver, TRANSFER, now.round, is_final=final))

    @rule()
    def send_back(self) -> None:
        now = self.transfer(self.receiver)
        if now is not None and now.prepared is not None:
            self.attempt(self.receiver, SentBack(round=now.prepared.round, reason=REASON))

    @rule()
    def sign_last(self) -> None:
        now = self.transfer(self.receiver)
        if now is not None and now.state is TransferState.ACCEPTED and now.giver_signature is not None:
            self.attempt(self.receiver, signature(self.receiver, TRANSFER))

    @rule()
    def load_and_close(self) -> None:
        self.attempt(self.receiver, loaded())
        self.attempt(self.receiver, closed())

    @rule(steps=st.integers(1, 9), final=st.booleans())
    def go_on(self, steps: int, final: bool) -> None:
        """Do what comes next a few times, with a post that works: so that the later states are met as often."""
        for _ in range(steps):
            deliver(self.giver, self.receiver)
            now = self.transfer(self.giver)
            if now is None or now.turn is None:
                return
            self.go(now, final=final)

    def go(self, now: Transfer, *, final: bool) -> None:
        match now.state:
            case TransferState.PLANNED | TransferState.RETURNED:
                self.pack(ITEMS)
            case TransferState.PREPARED:
                self.submit()
            case TransferState.SUBMITTED:
                self.look()
            case TransferState.CHECKING:
                self.attempt(self.receiver, decided(self.receiver, TRANSFER, now.round, is_final=final))
            case TransferState.ACCEPTED if now.turn is Side.GIVER:
                self.sign_first()
            case TransferState.ACCEPTED:
                self.sign_last()
            case TransferState.SIGNED if now.turn is Side.GIVER:
                self.move_custody()
            case _:
                self.load_and_close()

    # What the post and the disks do

    @rule(data=st.data(), to=st.sampled_from(Side))
    def bring(self, data: st.DataObject, to: Side) -> None:
        """Bring some letters, in any order, some of them twice; the writer hears of it or does not."""
        sender, reader = self.ends(to)
        waiting: list[Letter] = sender.written()
        if not waiting:
            return
        some = data.draw(st.lists(st.sampled_from(waiting), max_size=4))
        taken = [reader.take([letter])[0] for letter in some]
        if data.draw(st.booleans()):
            sender.confirm(taken)

    @rule(side=st.sampled_from(Side))
    def back_up(self, side: Side) -> None:
        self.backups[side] = self.end(side).saved()

    @precondition(lambda self: bool(self.backups))
    @rule(data=st.data())
    def put_back(self, data: st.DataObject) -> None:
        """Put one end's backup back; the other end tells it everything again, as letters do."""
        side = data.draw(st.sampled_from(sorted(self.backups)))
        self.end(side).put_back(self.backups[side])
        self.backups.clear()
        self.end(side.other).told_again()
        deliver(self.giver, self.receiver)

    # What must hold

    @invariant()
    def nothing_is_undone_that_both_have_signed(self) -> None:
        if not hasattr(self, "giver"):
            return
        for end in (self.giver, self.receiver):
            now = self.transfer(end)
            if now is None:
                continue
            assert (now.state in AFTER_BOTH_SIGNED) <= (now.giver_signature is not None)
            assert (now.state in AFTER_BOTH_SIGNED) <= (now.receiver_signature is not None)
            assert now.accepted >= 0
            assert now.state is not TransferState.CANCELLED or now.receiver_signature is None

    @invariant()
    def what_the_giver_acted_on_stands(self) -> None:
        """Custody moves at the giver when it hears both signatures; from then on it is signed for good."""
        if not hasattr(self, "giver"):
            return
        now = self.transfer(self.giver)
        is_signed = now is not None and now.state in AFTER_BOTH_SIGNED
        assert is_signed or not self.was_signed or bool(self.backups) or self.catches_up()
        self.was_signed = self.was_signed or is_signed

    def catches_up(self) -> bool:
        deliver(self.giver, self.receiver)
        now = self.transfer(self.giver)
        return now is not None and now.state in AFTER_BOTH_SIGNED

    def teardown(self) -> None:
        """Once every letter is there, both ends say the same of the transfer and of each item."""
        if not hasattr(self, "giver"):
            return
        deliver(self.giver, self.receiver)
        assert self.receiver.faults() == []
        assert self.giver.faults() == []
        theirs = self.transfer(self.receiver)
        assert self.transfer(self.giver) == theirs
        self.giver.engine.dispose()
        self.receiver.engine.dispose()

    def end(self, side: Side) -> End:
        return self.giver if side is Side.GIVER else self.receiver

    def ends(self, to: Side) -> tuple[End, End]:
        return self.end(to.other), self.end(to)

    def items(self, end: End) -> dict[ItemState, int]:
        with end.engine.begin() as connection:
            return transfer_items.counts(connection, TRANSFER)


def choose_here(end: End, count: int) -> None:
    choose(end, TRANSFER, count)


TestTransfers = TransferMachine.TestCase
TestTransfers.settings = settings(max_examples=40, stateful_step_count=30, deadline=None)
