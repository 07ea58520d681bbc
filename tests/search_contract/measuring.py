"""Recall by class: every question put to every engine, and what came of it."""

import math
from collections.abc import Mapping, Sequence

import msgspec

from protocol.errors import DanglianError
from tests.search_contract.engines import Ask, Part
from tests.search_contract.questions import Question, Verdict, judged, within
from tests.search_contract.substrings import KIND as RANDOM


class ClassResult(msgspec.Struct, kw_only=True):
    """How the questions of one class fared."""

    kind: str
    questions: int = 0
    expected: int = 0
    found: int = 0
    violations: int = 0
    """Questions with at least one record where it must not stand."""

    @property
    def recall(self) -> float:
        """Recall at twenty: the part of the expected records that stand on the first page."""
        return self.found / self.expected if self.expected else 1.0


class Failure(msgspec.Struct, frozen=True, kw_only=True):
    """A question that was not answered as it should be."""

    question: Question
    verdict: Verdict
    refusal: str = ""
    """What the engine said instead of an answer."""


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """What one engine is worth."""

    engine: str
    classes: dict[str, ClassResult]
    failures: list[Failure]

    @property
    def overall(self) -> ClassResult:
        """All reviewed questions together: the random substrings are so many that nothing else would count."""
        whole = ClassResult(kind="overall")
        for result in self.classes.values():
            if result.kind == RANDOM:
                continue
            whole.questions += result.questions
            whole.expected += result.expected
            whole.found += result.found
            whole.violations += result.violations
        return whole


async def measured(engine: str, ask: Ask, questions: Sequence[Question]) -> Report:
    """Put all questions to one engine."""
    report = Report(engine=engine, classes={}, failures=[])
    for question in questions:
        verdict, refusal = await _verdict(ask, question)
        result = report.classes.setdefault(question.kind, ClassResult(kind=question.kind))
        result.questions += 1
        result.expected += verdict.expected
        result.found += verdict.found
        result.violations += bool(verdict.violations)
        if verdict.found < verdict.expected or verdict.violations:
            report.failures.append(Failure(question=question, verdict=verdict, refusal=refusal))
    return report


async def _verdict(ask: Ask, question: Question) -> tuple[Verdict, str]:
    try:
        parts = await ask(question)
    except DanglianError as error:
        # A question of this set is a proper one: a refusal finds nothing, and is told with its reason.
        return judged(question, ()), str(error)
    return whole(question, parts), ""


def whole(question: Question, parts: Sequence[Part]) -> Verdict:
    """Judge each page by what is held where it comes from, and add them up."""
    verdicts = [judged(within(question, part.held), part.found) for part in parts]
    return Verdict(
        found=sum(one.found for one in verdicts),
        expected=sum(one.expected for one in verdicts),
        missed=tuple(name for one in verdicts for name in one.missed),
        violations=tuple(name for one in verdicts for name in one.violations),
    )


def table(reports: Mapping[str, Report]) -> list[str]:
    """Return the results as the lines of a Markdown table: one line a class, one column an engine."""
    engines = list(reports)
    lines = [
        f"| class | questions | {' | '.join(engines)} |",
        f"|---|---:|{'---:|' * len(engines)}",
    ]
    kinds = list(dict.fromkeys(kind for report in reports.values() for kind in report.classes))
    for kind in kinds:
        results = [report.classes.get(kind) for report in reports.values()]
        count = max(result.questions for result in results if result is not None)
        lines.append(f"| {kind} | {count} | {' | '.join(map(_cell, results))} |")
    overall = [report.overall for report in reports.values()]
    count = max(one.questions for one in overall)
    # Whoever was asked only some of the questions has no figure that could stand beside the others.
    shown = [_cell(one) if one.questions == count else "" for one in overall]
    lines.append(f"| **overall** | {count} | {' | '.join(shown)} |")
    return lines


def _cell(result: ClassResult | None) -> str:
    if result is None:
        return ""
    # Rounded down: 1.000 says that nothing was missed.
    return f"{math.floor(result.recall * 1_000) / 1_000:.3f}" + (
        f" ({result.violations}✗)" if result.violations else ""
    )
