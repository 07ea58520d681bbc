"""What every engine does in its process: build, answer each question some times, say what it took; no library."""

import json
import resource
import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import NamedTuple, Protocol, runtime_checkable

from tests.bench.engines.titles import Question, Title, read_questions, read_titles

SECONDS_MAX = 120.0
"""Seconds after which no further round begins: a slow engine answers less often."""


class Answer(NamedTuple):
    """The first page with its total."""

    total: int
    years: list[int]
    """Of the hits of the page."""


class Engine(Protocol):
    """One engine."""

    def build(self, titles: Iterable[Title]) -> float:
        """Index all titles; return the seconds that went into making an input that the others do not need."""

    def size_bytes(self) -> int:
        """Bytes of the index and what it needs to show a hit."""

    def answer(self, question: Question) -> Answer:
        """Return the newest hits and the total, up to ``titles.TOTAL_MAX``."""

    def close(self) -> None:
        """Let go of everything."""


@runtime_checkable
class Bare(Protocol):
    """One that answers with more than was asked for, and can leave that out."""

    def bare(self, question: Question) -> Answer:
        """Return the same without it."""


BARE = "the hits and the total alone"
"""Name of the second way to ask an engine; that of the first is empty."""


class _Times(NamedTuple):
    answers: list[Answer]
    milliseconds: list[list[float]]


def contend(make: Callable[[Path], Engine]) -> None:
    """Run an engine as ``python -m MODULE FOLDER NAME ROUNDS``; the outcome is one line of JSON."""
    folder, name, rounds = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
    own = folder / name
    own.mkdir()
    engine = make(own)
    try:
        began, worked = time.perf_counter(), time.process_time()
        preparing_s = engine.build(read_titles(folder / "titles.tsv"))
        build_s = time.perf_counter() - began - preparing_s
        build_cpu_s = time.process_time() - worked - preparing_s
        asked = read_questions(folder / "questions.json")
        ways = {"": engine.answer, **({BARE: engine.bare} if isinstance(engine, Bare) else {})}
        took = {way: _answered(answer, asked, rounds) for way, answer in ways.items()}
        outcome = {
            "build_s": build_s,
            "build_cpu_s": build_cpu_s,
            "size_bytes": engine.size_bytes(),
            "peak_bytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
            "ways": {
                way: {
                    "totals": [answer.total for answer in some.answers],
                    "years": [answer.years for answer in some.answers],
                    "milliseconds": some.milliseconds,
                }
                for way, some in took.items()
            },
        }
    finally:
        engine.close()
    sys.stdout.write(json.dumps(outcome) + "\n")


def _answered(answer: Callable[[Question], Answer], questions: list[Question], rounds: int) -> _Times:
    # The first time warms what is cached, and is what the answers are taken from.
    answers = [answer(question) for question in questions]
    took: list[list[float]] = [[] for _ in questions]
    until = time.monotonic() + SECONDS_MAX
    for _ in range(rounds):
        for times, question in zip(took, questions, strict=True):
            began = time.perf_counter()
            answer(question)
            times.append((time.perf_counter() - began) * 1000)
        if time.monotonic() > until:
            break
    return _Times(answers, took)


def folder_bytes(folder: Path) -> int:
    """Bytes of all files below a folder."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
