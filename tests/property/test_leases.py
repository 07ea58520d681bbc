"""Workers that come, go, hang and lose their line, by a clock of the test's own: one holder a duty, always."""

from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule
from sqlalchemy import Connection, create_engine

from hub.workers.lease_tables import metadata
from hub.workers.leases import LEASE_MS, LeaseLost, beat, crew_of, duties_of, guard, release

DUTIES = duties_of(5)
NAMES = ("a", "b", "c")


class LeaseMachine(RuleBasedStateMachine):
    """What each worker believes that it holds, beside what the store says."""

    def __init__(self) -> None:
        super().__init__()
        self._folder = TemporaryDirectory()
        self._engine = create_engine(f"sqlite:///{Path(self._folder.name) / 'leases.db'}")
        self._connection: Connection = self._engine.connect()
        metadata.create_all(self._connection)
        self.now_ms = 1_000_000
        self.held: dict[str, dict[str, int]] = {name: {} for name in NAMES}
        self.highest: dict[str, int] = {}

    def teardown(self) -> None:
        self._connection.close()
        self._engine.dispose()
        self._folder.cleanup()

    @rule(ms=st.integers(min_value=1, max_value=2 * LEASE_MS))
    def time_passes(self, ms: int) -> None:
        self.now_ms += ms

    @rule(name=st.sampled_from(NAMES))
    def a_worker_beats(self, name: str) -> None:
        told = beat(self._connection, name, self.held[name], DUTIES, self.now_ms)
        self.held[name] = dict(told.fences)
        for duty in told.give_up:
            release(self._connection, name, duty, self.held[name].pop(duty))

    @rule(name=st.sampled_from(NAMES))
    def a_worker_is_killed_and_starts_again(self, name: str) -> None:
        self.held[name] = {}

    @invariant()
    def no_fence_is_given_out_twice(self) -> None:
        for lease in crew_of(self._connection, self.now_ms).leases:
            assert lease.fence >= self.highest.get(lease.duty, 0)
            self.highest[lease.duty] = lease.fence

    @invariant()
    def one_worker_at_most_may_write_for_a_duty(self) -> None:
        for duty in DUTIES:
            writers = [name for name in NAMES if duty in self.held[name] and self._may_write(name, duty)]
            assert len(writers) <= 1

    @rule()
    def with_all_of_them_alive_everything_is_shared_out(self) -> None:
        """Three rounds of beats are enough, wherever they begin."""
        for _ in range(4):
            self.now_ms += LEASE_MS // 2
            for name in NAMES:
                self.a_worker_beats(name)
        crew = crew_of(self._connection, self.now_ms)
        assert set(crew.kept()) == set(DUTIES)
        assert sorted(len(held) for held in self.held.values()) == [2, 2, 2]

    def _may_write(self, name: str, duty: str) -> bool:
        try:
            guard(name, duty, self.held[name][duty])(self._connection)
        except LeaseLost:
            return False
        return True


TestLeases = LeaseMachine.TestCase
TestLeases.settings = settings(max_examples=40, stateful_step_count=30, deadline=None)
