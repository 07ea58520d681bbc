"""Merging what a site says of one record, in any order, again and again, with baselines in between.

The model keeps every change that ever arrived and looks for the highest: so order, repetition and grouping make no
difference, which is what commutative, idempotent and associative mean for events.
"""

from hypothesis import Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from hub.merge import BEFORE_ALL, Change, Held, Place, fold, sweep
from tests.property.test_hub_merge import changes, places, seen


class MergeMachine(RuleBasedStateMachine):
    """What the hub holds of one record beside all that it was told."""

    def __init__(self) -> None:
        super().__init__()
        self.held: Held | None = None
        self.told: dict[Place, Change] = {}
        self.floor = BEFORE_ALL
        self.marks: set[Place] = set()

    @rule(change=changes)
    def arrive(self, change: Change) -> None:
        """One place, one event: another event at a place is a copied database, which other tests are about."""
        if change.place not in self.marks:
            self.fold(self.told.setdefault(change.place, change))

    @precondition(lambda self: self.told)
    @rule(data=st.data())
    def arrive_again(self, data: st.DataObject) -> None:
        change = self.told[data.draw(st.sampled_from(sorted(self.told)))]
        before = seen(self.held)
        self.fold(change)
        assert seen(self.held) == before

    @precondition(lambda self: len(self.told) > 1)
    @rule(random=st.randoms(use_true_random=False))
    def the_hub_is_put_back(self, random: object) -> None:
        """Everything comes once more, to a hub that has forgotten it, in another order."""
        order = list(self.told.values())
        random.shuffle(order)  # type: ignore[attr-defined]
        self.held = None
        for change in order:
            self.fold(change)

    @rule(began=places)
    def a_baseline_ends(self, began: Place) -> None:
        if began in self.told or began < self.floor:
            return
        self.marks.add(began)
        self.floor = began
        if self.held is not None and self.held.place < began:
            self.held = sweep(self.held, began, 0).held

    def fold(self, change: Change) -> None:
        outcome = fold(self.held, change, self.floor)
        assert outcome.conflict is None
        self.held = outcome.held

    @invariant()
    def the_highest_word_stands(self) -> None:
        valid = [change for place, change in sorted(self.told.items()) if place > self.floor]
        worded = [change for change in valid if change.body is not None or change.withdrawn is not None]
        if not worded or worded[-1].body is None:
            assert seen(self.held) == ()
            return
        word = worded[-1]
        access = [change.access_status for change in valid if change.place >= word.place][-1]
        assert seen(self.held) == (word.place, word.body, word.digest, access)


# Explaining a failure line by line takes longer than a test may.
PHASES = tuple(set(Phase) - {Phase.explain})
TestMerge = MergeMachine.TestCase
TestMerge.settings = settings(max_examples=150, stateful_step_count=30, deadline=None, phases=PHASES)
