"""Where the processor time goes: named steps of running code, each counted without the steps inside it.

Functions are watched by name while real code runs, so nothing of the product knows about it. A step's time is that of
its thread's processor: waiting, and what other threads do meanwhile, is not in it.
"""

import contextlib
import functools
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from sqlalchemy import event
from sqlalchemy.engine import Engine


class Stopwatch:
    """Adds up processor seconds by step; ``watch`` names what to watch, ``running`` watches."""

    def __init__(self) -> None:
        self.spent_s: Counter[str] = Counter()
        self._stacks = threading.local()
        self._watched: list[tuple[Any, str, str]] = []
        self._statements: Mapping[str, str] = {}
        self._other = ""

    def watch(self, owner: object, name: str, step: str) -> None:
        """Count calls of ``owner.name``, and what an iterator that it returns takes, as ``step``."""
        self._watched.append((owner, name, step))

    def watch_statements(self, steps: Mapping[str, str], other: str) -> None:
        """Count SQL statements by how they begin; all others are ``other``."""
        self._statements, self._other = steps, other

    @contextlib.contextmanager
    def running(self) -> Iterator[None]:
        """Watch until the block ends."""
        with contextlib.ExitStack() as stack:
            for owner, name, step in self._watched:
                original = vars(owner)[name]
                setattr(owner, name, self._counted(original, step))
                stack.callback(setattr, owner, name, original)
            for moment, listener in (("before_cursor_execute", self._before), ("after_cursor_execute", self._after)):
                event.listen(Engine, moment, listener)
                stack.callback(event.remove, Engine, moment, listener)
            yield

    def _counted(self, original: Callable[..., Any], step: str) -> Callable[..., Any]:
        @functools.wraps(original)
        def counted(*args: object, **named: object) -> object:
            self._begin(step)
            try:
                result = original(*args, **named)
            finally:
                self._end()
            return self._steps(result, step) if isinstance(result, Iterator) else result

        return counted

    def _steps(self, values: Iterator[object], step: str) -> Iterator[object]:
        while True:
            self._begin(step)
            try:
                value = next(values)
            except StopIteration:
                return
            finally:
                self._end()
            yield value

    def _before(self, *seen: object) -> None:
        statement = str(seen[2])
        self._begin(
            next((step for start, step in self._statements.items() if statement.startswith(start)), self._other)
        )

    def _after(self, *_: object) -> None:
        self._end()

    def _begin(self, step: str) -> None:
        stack = self._stacks.__dict__.setdefault("stack", [])
        stack.append([step, time.thread_time(), 0.0])

    def _end(self) -> None:
        stack = self._stacks.stack
        step, began, inside = stack.pop()
        took = time.thread_time() - began
        self.spent_s[step] += took - inside
        if stack:
            stack[-1][2] += took
