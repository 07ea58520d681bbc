"""How much of a consignment is asked for at once: little on a village line, as much as the disk takes on a fast one.

Nobody knows the line beforehand. Each range that comes back tells how long it was under way: while that is short, more
is asked for; when it grows long, the line is full, and less is. So a beat or a search never waits long behind a scan,
and nothing is asked for that cannot come in time.

Pure values and decisions; times are seconds of any steady clock.
"""

import bisect
import math

from protocol.limits import CHUNK_BYTES_MAX, CHUNK_BYTES_MIN, CHUNKS_FLYING_BYTES_MAX

FIRST_BYTES = 64 * 1024
"""Bytes that are asked for at the beginning: two seconds at 256 kbit/s."""

QUICK_S = 0.25
"""Seconds within which a range came quickly: the line can carry more."""

SLOW_S = 1.5
"""Seconds beyond which a range came slowly: the line is full."""

PATIENCE_S = 3.0
"""Seconds of silence at least before anything counts as lost."""

PATIENCE = 6.0
"""Times the slowest of the last ranges that a silence may last before anything counts as lost."""

FORGET = 0.95
"""Share of the slowest range's time that is remembered from one range to the next."""

AT_ONCE = 4
"""Ranges that what is under way is divided into."""

HELD_BYTES_MAX = 5 * 1024 * 1024
"""Bytes that are under way, or have come and are not written yet, beyond which nothing more is asked for but what the
rest waits for: they are in memory, and on a slow disk all of them are."""


class Flow:
    """What of some spans of the row of bytes is still to be asked for, and what is under way."""

    def __init__(self, spans: list[tuple[int, int]]) -> None:
        """Take the spans that are wanted, in order: first byte and the one behind the last."""
        self._unasked = [span for span in spans if span[0] < span[1]]
        self._flying: dict[int, tuple[int, float]] = {}
        """By where it begins: where it ends, and when it was asked for."""
        self.flying_bytes = 0
        self.allowed_bytes = FIRST_BYTES
        self.behind_bytes = 0
        """Bytes that have come and are not written yet."""
        self._furthest = 0
        """Where the furthest range begins that has come."""
        self._shrunk_at = 0.0
        self._slowest_s = 0.0
        """Seconds that the slowest of the last ranges was under way; 0 before the first has come."""

    @property
    def is_done(self) -> bool:
        """Whether nothing is wanted any more."""
        return not self._unasked and not self._flying

    @property
    def is_waiting(self) -> bool:
        """Whether something is under way."""
        return bool(self._flying)

    def next_range(self, now_s: float) -> tuple[int, int] | None:
        """Return where the next range begins that may be asked for now, and its bytes; it is under way then."""
        size = self._next_size()
        if not size:
            return None
        start, end = self._unasked[0]
        if start + size < end:
            self._unasked[0] = (start + size, end)
        else:
            del self._unasked[0]
        self._flying[start] = (start + size, now_s)
        self.flying_bytes += size
        return start, size

    def patience_s(self, most_s: float) -> float:
        """Return after how many seconds of silence what is under way counts as lost."""
        return min(most_s, max(PATIENCE_S, PATIENCE * self._slowest_s)) if self._slowest_s else most_s

    def is_flying(self, start: int) -> bool:
        """Tell whether a range that begins at a place is under way."""
        return start in self._flying

    @property
    def first_missing(self) -> float:
        """The first place that has not come; infinite if all has."""
        flying = min(self._flying, default=math.inf)
        return min(flying, self._unasked[0][0]) if self._unasked else flying

    def came(self, start: int, size_bytes: int, now_s: float) -> bool:
        """Take note of a range that has come, perhaps shorter than asked; False if nothing like it was under way."""
        end, asked_at_s = self._flying.get(start, (0, 0.0))
        if not 0 < size_bytes <= end - start:
            return False
        del self._flying[start]
        self.flying_bytes -= end - start
        self.behind_bytes += size_bytes
        self._furthest = max(self._furthest, start)
        if start + size_bytes < end:
            self.want(start + size_bytes, end)
        self._adapt(end - start, now_s - asked_at_s, now_s)
        return True

    def drop(self, start: int, until: int) -> None:
        """Forget what is wanted between two places: it cannot be had."""
        for begins, (end, _) in tuple(self._flying.items()):
            if start <= begins < until:
                del self._flying[begins]
                self.flying_bytes -= end - begins
                self.want(until, end)
        unasked, self._unasked = self._unasked, []
        for begins, end in unasked:
            self.want(begins, min(end, start))
            self.want(max(begins, until), end)

    def ask_again(self) -> None:
        """Want again what is under way: it is lost; and ask for less at once."""
        for start, (end, _) in self._flying.items():
            self.want(start, end)
        self._flying.clear()
        self.flying_bytes = 0
        self.allowed_bytes = max(CHUNK_BYTES_MIN, self.allowed_bytes // 4)

    def want(self, start: int, end: int) -> None:
        """Ask for a span as well; nothing if it is empty."""
        if start < end:
            bisect.insort(self._unasked, (start, end))

    def _next_size(self) -> int:
        if not self._unasked:
            return 0
        start, end = self._unasked[0]
        size = min(self._range_bytes(), end - start)
        # What lies before something that has come is what the rest waits for: only then can that be written.
        if self.behind_bytes + self.flying_bytes + size > HELD_BYTES_MAX and start > self._furthest:
            return 0
        return 0 if self._flying and self.flying_bytes + size > self.allowed_bytes else size

    def _range_bytes(self) -> int:
        return min(CHUNK_BYTES_MAX, max(CHUNK_BYTES_MIN, self.allowed_bytes // AT_ONCE))

    def _adapt(self, size_bytes: int, took_s: float, now_s: float) -> None:
        self._slowest_s = max(took_s, self._slowest_s * FORGET)
        if took_s < QUICK_S:
            self.allowed_bytes = min(CHUNKS_FLYING_BYTES_MAX, self.allowed_bytes + size_bytes)
        elif took_s > SLOW_S and now_s - self._shrunk_at > took_s:
            # Once for all that was under way together: each of them tells of the same full line.
            self._shrunk_at = now_s
            self.allowed_bytes = max(CHUNK_BYTES_MIN, self.allowed_bytes // 2)
