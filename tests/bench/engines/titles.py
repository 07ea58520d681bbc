"""The titles and the questions of a run, and the true answers; the standard library alone."""

import json
import random
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

TOTAL_MAX = 10_000
"""Hits that are counted: no engine is asked to count further than ours does."""

PAGE_HITS = 20
"""Hits of the first page, newest first."""

SPAN_YEARS = 5
"""Years behind the first one of a question that is narrowed by years."""

QUESTIONS_A_CLASS = 8
"""Questions of each class."""


class Title(NamedTuple):
    """One row: what every engine indexes."""

    number: int
    year: int
    site: str
    text: str


class Question(NamedTuple):
    """Words that must stand in the title, a word that must not, and what narrows."""

    kind: str
    words: tuple[str, ...]
    without: str = ""
    years: tuple[int, int] | None = None
    site: str = ""

    def finds(self, title: Title) -> bool:
        """Tell whether a title is a true answer."""
        return (
            all(word in title.text for word in self.words)
            and not (self.without and self.without in title.text)
            and (self.years is None or self.years[0] <= title.year <= self.years[1])
            and (not self.site or self.site == title.site)
        )


class Truth(NamedTuple):
    """What a question must bring."""

    total: int
    """At most ``TOTAL_MAX``."""
    newest: tuple[int, ...]
    """Years of the first page: titles of one year may come in any order."""


KINDS = {
    "name": "a name of two characters",
    "word": "a word of two characters",
    "term": "a term of four characters",
    "fragment": "a long piece of a title",
    "common": "a word that every title has",
    "two": "two words, one of them in every title",
    "years": "a term within six years",
    "site": "a word that every title has, at one village",
    "without": "a term without another",
    "nothing": "what no title has",
}
"""The classes of questions."""


def questions(sample: Iterable[Title], seed: int = 7) -> list[Question]:
    """Questions of every class, from titles that occur."""
    draw = random.Random(seed)
    titles = draw.sample(list(sample), QUESTIONS_A_CLASS)
    asked = []
    for title in titles:
        person, topic, act = _person(title.text), _topic(title.text), _act(title.text)
        first = draw.randint(1960, 2012)
        asked += [
            Question("name", (person[:2],)),
            Question("word", (topic[:2],)),
            Question("term", (topic,)),
            Question("fragment", (f"{topic}{act}事项的{_kind(title.text)}",)),
            Question("common", (draw.choice(("村民", "关于", "事项", "事项的")),)),
            Question("two", ("村民", person)),
            Question("years", (topic,), years=(first, first + SPAN_YEARS)),
            Question("site", ("村民",), site=title.site),
            Question("without", (topic,), without=act),
            Question("nothing", (f"{person[0]}某某{draw.choice('缉私海难')}",)),
        ]
    return sorted(set(asked), key=lambda question: list(KINDS).index(question.kind))


def _person(text: str) -> str:
    return text[text.index("村民") + 2 : text.index("事项的") - 6]


def _topic(text: str) -> str:
    return text[text.index("事项的") - 6 : text.index("事项的") - 2]


def _act(text: str) -> str:
    return text[text.index("事项的") - 2 : text.index("事项的")]


def _kind(text: str) -> str:
    return text[text.index("事项的") + 3 : text.index("（")]


def truths(titles: Iterable[Title], asked: list[Question]) -> list[Truth]:
    """Read every title for every question."""
    totals = [0] * len(asked)
    years: list[list[int]] = [[] for _ in asked]
    for title in titles:
        for place, question in enumerate(asked):
            if question.finds(title):
                totals[place] += 1
                years[place].append(title.year)
    return [
        Truth(min(total, TOTAL_MAX), tuple(sorted(found, reverse=True)[:PAGE_HITS]))
        for total, found in zip(totals, years, strict=True)
    ]


def write_titles(path: Path, titles: Iterable[Title]) -> None:
    """Write the titles, one a line."""
    with path.open("w", encoding="utf-8") as file:
        file.writelines(f"{title.number}\t{title.year}\t{title.site}\t{title.text}\n" for title in titles)


def read_titles(path: Path) -> Iterator[Title]:
    """Read what ``write_titles`` wrote."""
    with path.open(encoding="utf-8") as file:
        for line in file:
            number, year, site, text = line.rstrip("\n").split("\t")
            yield Title(int(number), int(year), site, text)


def write_questions(path: Path, asked: list[Question]) -> None:
    """Write the questions."""
    path.write_text(json.dumps(asked, ensure_ascii=False), encoding="utf-8")


def read_questions(path: Path) -> list[Question]:
    """Read what ``write_questions`` wrote."""
    return [
        Question(kind, tuple(words), without, tuple(years) if years else None, site)
        for kind, words, without, years, site in json.loads(path.read_text(encoding="utf-8"))
    ]
