"""What a scenario did to the county and what came of it: the facts of the report."""

from collections import Counter

import msgspec


class Skipped(Exception):
    """The scenario cannot run on this machine; the words say what is missing."""


class Broken(AssertionError):
    """The county did not keep a promise; the words say which, with the end of the logs."""


class Outcome(msgspec.Struct, kw_only=True):
    """One scenario: filled in while it runs."""

    scenario: str
    seed: int
    rows: int
    """Rows that were asked for; what was planted is ``planted``."""
    planted: int = 0
    """Rows that stand in the sheets at the end: what the hub must hold, each once."""
    sent: int = 0
    """Rows that the sheets ever said: new, changed, and taken out again."""
    faults: Counter[str] = msgspec.field(default_factory=Counter)
    """Faults injected, by kind."""
    schedule: list[str] = []
    """What was done, in order: the same for the same seed and size."""
    lost: int | None = None
    doubled: int | None = None
    strange: int | None = None
    """Entries at the hub that no sheet says."""
    repaired: int = 0
    """Records that were not at the hub when the last fault ended, or that a fault took from it, and are there now."""
    equal_s: float | None = None
    """Seconds from the end of the last fault until ``danglian-hub verify --deep`` said equal of every site."""
    took_s: float = 0.0
    notes: list[str] = []
    skipped: str = ""
    failure: str = ""

    @property
    def is_good(self) -> bool:
        """Nothing lost, nothing doubled, nothing invented, and proven equal."""
        return not self.failure and (self.lost, self.doubled, self.strange) == (0, 0, 0) and self.equal_s is not None
