"""What facets must count: ``facets.txt``, one question a line, the counts of one facet over all that is found."""

from pathlib import Path
from typing import Final

import msgspec

from hub.searching.search import Query, search
from tests.search_contract.catalogue import SEPARATOR
from tests.search_contract.county import County
from tests.search_contract.engines import county_names

FACETS: Final = Path(__file__).with_name("facets.txt")


class FacetQuestion(msgspec.Struct, frozen=True, kw_only=True):
    """A query and what one facet of its answer must say."""

    id: str
    query: str
    facet: str
    counts: dict[str, int]
    """By value; ``""`` for records that have none."""


def facet_questions() -> list[FacetQuestion]:
    """Return the questions, in their order."""
    rows = [row for row in FACETS.read_text("utf-8").splitlines() if row and not row.startswith("#")]
    return [_question(*(f"{row} ".split(SEPARATOR.rstrip()))) for row in rows]


def _question(name: str, query: str, facet: str, counts: str) -> FacetQuestion:
    pairs = (one.partition("=") for one in counts.split())
    return FacetQuestion(
        id=name.strip(),
        query=query.strip(),
        facet=facet.strip(),
        counts={value: int(count) for value, _, count in pairs},
    )


async def facets_at_hub(county: County, question: FacetQuestion) -> dict[str, int]:
    """Return what the facet says."""
    query, names = Query(words=question.query, with_facets=True, sounds=False), county_names()
    page = await county.hub.database.read(lambda connection: search(connection, query, names))
    if page.facets is None:
        return {}
    return {one.value: one.count for one in getattr(page.facets, question.facet).values}
