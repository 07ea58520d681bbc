"""The contract of search quality: what the published questions find at the hub and at the nodes."""

import asyncio
from collections import Counter
from collections.abc import Mapping
from fnmatch import fnmatchcase
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.search_contract import segmentation
from tests.search_contract.catalogue import whole_catalogue
from tests.search_contract.county import county
from tests.search_contract.engines import at_hub, at_nodes
from tests.search_contract.facets import facet_questions, facets_at_hub
from tests.search_contract.measuring import Report, measured, table
from tests.search_contract.questions import Question, all_questions, judged
from tests.search_contract.results import (
    CLASS_RECALL_MIN,
    LITERAL_KINDS,
    MISPLACED_MAX,
    RECALL_MIN,
    written_counts,
)
from tests.search_contract.stores import hub_stores
from tests.search_contract.substrings import pieces

RECORDS_MIN = 3_000
QUESTIONS_MIN = 300

PIECES_APART = 16
"""One of so many random pieces of titles is asked here; ``make contract`` asks them all."""

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


class Results(NamedTuple):
    """All that was asked, asked once."""

    reports: dict[str, Report]
    """By engine."""
    facets: dict[str, dict[str, dict[str, int]]]
    """What the facets of each hub say, by engine and question."""
    published: Mapping[str, int]
    """Questions of each class, also those that are only asked by ``make contract``."""


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Results:
    return asyncio.run(_asked(tmp_path_factory.mktemp("contract")))


@pytest.fixture(scope="module")
def reports(results: Results) -> Mapping[str, Report]:
    """Every engine's answers to every question."""
    return results.reports


async def _asked(folder: Path) -> Results:
    found: dict[str, Report] = {}
    facets: dict[str, dict[str, dict[str, int]]] = {}
    every: list[Question] = []
    for name, database in hub_stores(folder):
        inside = folder / name
        inside.mkdir()
        async with county(inside, database) as filled:
            every = [*all_questions(), *pieces(filled.lines)]
            questions = [*all_questions(), *pieces(filled.lines)[::PIECES_APART]]
            found[f"hub, {name}"] = await measured(name, at_hub(filled), questions)
            facets[f"hub, {name}"] = {one.id: await facets_at_hub(filled, one) for one in facet_questions()}
            if "nodes" not in found:
                found["nodes"] = await measured("nodes", at_nodes(filled), questions)
    return Results(reports=found, facets=facets, published=Counter(one.kind for one in every))


def _said(report: Report) -> str:
    return "\n".join(
        f"{one.question.id} {one.question.query!r} missed {one.verdict.missed} misplaced {one.verdict.violations}"
        for one in report.failures
    )


def test_recall_at_twenty_keeps_the_promise(reports: Mapping[str, Report]) -> None:
    print("\n".join(table(reports)))
    below = {name: _said(report) for name, report in reports.items() if report.overall.recall < RECALL_MIN}

    assert below == {}


def test_literal_substrings_are_all_found(reports: Mapping[str, Report]) -> None:
    missed = {
        (name, kind): _said(report)
        for name, report in reports.items()
        for kind in LITERAL_KINDS
        if report.classes[kind].found < report.classes[kind].expected
    }

    assert missed == {}


def test_no_class_is_given_up_for_the_others(reports: Mapping[str, Report]) -> None:
    below = {
        (name, result.kind): result.recall
        for name, report in reports.items()
        for result in report.classes.values()
        if result.recall < CLASS_RECALL_MIN
    }

    assert below == {}


def test_unwanted_records_stay_away(reports: Mapping[str, Report]) -> None:
    above = {
        name: _said(report)
        for name, report in reports.items()
        if report.overall.violations > MISPLACED_MAX * report.overall.questions
    }

    assert above == {}


def test_facets_count_all_that_is_found(results: Results) -> None:
    expected = {one.id: one.counts for one in facet_questions()}

    assert results.facets == dict.fromkeys(results.facets, expected)


def test_stores_and_nodes_are_asked_the_same_questions(reports: Mapping[str, Report]) -> None:
    asked = {tuple((kind, one.questions) for kind, one in report.classes.items()) for report in reports.values()}

    assert len(asked) == 1


def test_readme_speaks_of_the_same_questions(results: Results) -> None:
    assert written_counts() == results.published


def test_questions_name_records_that_there_are() -> None:
    names = [line.name for lines in whole_catalogue().values() for line in lines]
    unknown = [
        (question.id, wanted)
        for question in all_questions()
        for wanted in (*(one for tier in question.expected for one in tier), *question.unwanted, *question.tolerated)
        if not any(fnmatchcase(name, wanted.removeprefix("?")) for name in names)
    ]

    assert unknown == []
    assert len(names) == len(set(names))
    assert len(names) >= RECORDS_MIN


def test_questions_are_told_apart_and_expect_something() -> None:
    questions = all_questions()
    empty = [one.id for one in questions if not one.expected and not one.unwanted]

    assert empty == []
    assert len(questions) == len({one.id for one in questions})
    assert len(questions) >= QUESTIONS_MIN


def test_only_what_stands_on_the_first_page_counts() -> None:
    """The judge itself: a record beyond the page, one in the wrong tier, one that must not be there."""
    questions = {one.id: one for one in all_questions()}
    tiered = questions["nf-01"]
    late = [f"plain-{number}" for number in range(20)]

    assert judged(tiered, ["fgq-form", "fgq"]).violations == ()
    assert judged(tiered, ["fgq", "fgq-form"]).violations == (">fgq",)
    assert judged(tiered, ["fgq-form", "fgq-other", "fgq"]).violations == ("~fgq-other",)
    assert judged(tiered, ["fgq-form", *late, "fgq"]).missed == ("fgq",)
    assert judged(questions["n2-22"], ["ww-house", "ww-li"]).violations == ("ww-li",)
    assert judged(questions["gr-02"], ["jo-flood@fengle"]).recall == 1.0
    assert judged(questions["em-01"], ["plain-county-1"]).violations == ("plain-county-1",)


async def test_words_of_a_dictionary_lose_what_pairs_find(reports: Mapping[str, Report]) -> None:
    if not segmentation.is_installed():
        pytest.skip("jieba is not installed: it comes with the benchmarks' group of dependencies")
    lines = {line.name: line for rows in whole_catalogue().values() for line in rows}
    plain = [one for one in pieces(lines) if one.kind in segmentation.PLAIN_KINDS]
    words = await measured(segmentation.NAME, segmentation.segmented(lines), plain)

    assert words.classes["random_substring"].recall < reports["hub, SQLite"].classes["random_substring"].recall
