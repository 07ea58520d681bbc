"""The entry points at which the questions are put: the hub's search, and the sites' answers to the hub's question."""

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Final
from unittest.mock import patch

import msgspec
from sqlalchemy import Connection

from hub.searching.search import Page, Query, readings_of, search
from hub.sites.board import matches
from hub.vocabulary import sound_alikes
from hub.vocabulary.county_sheets import read_sheet
from hub.vocabulary.gazetteer_table import gazetteer_of
from hub.vocabulary.readings import Readings
from hub.vocabulary.synonyms import synonyms_of
from node.search import handlers
from protocol.calls import Health, Hits
from protocol.calls import Search as SearchCall
from protocol.codec import decode_record
from protocol.matching import Matcher
from protocol.queries import parse
from protocol.record_facts import subject_of
from tests.search_contract.catalogue import SITES
from tests.search_contract.county import County
from tests.search_contract.questions import HITS, Question, within

GAZETTEER: Final = Path(__file__).with_name("gazetteer.csv")
SYNONYMS: Final = Path(__file__).with_name("synonyms.csv")

BUDGET_S: Final = 60.0
"""Seconds of one search: what is found says nothing about how busy the machine is."""

_SOUNDS: Final = {"yes": True, "no": False, "": None}


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """One page of an answer."""

    found: list[str]
    """Names of records, best first."""
    held: frozenset[str]
    """Names of all records that could be found there."""


Ask = Callable[[Question], Awaitable[list[Part]]]
"""Answers a question: the hub with one page, the sites with one each."""


def asked(question: Question) -> Query:
    """Return the question as the hub takes it."""
    filters = question.filters
    return Query(
        words=question.query,
        site_glob=filters.site,
        date_from=filters.start,
        date_to=filters.end,
        fonds_no=filters.fonds,
        livelihood_kind=filters.kind,
        access_status=filters.access,
        level=filters.level,
        limit=HITS,
        sounds=_SOUNDS[filters.homophones],
    )


def _found(connection: Connection, query: Query, names: Readings) -> Page:
    """Search as the hub does, with time enough for all of it: also for the names that sound like one."""
    with patch.object(sound_alikes, "SOUNDS_BUDGET_S", BUDGET_S):
        page = search(connection, query, names, budget_s=BUDGET_S)
    assert not page.was_cut, query.words
    return page


def county_names() -> Readings:
    """Return what words may also be read as by the test county's own tables."""
    return Readings(gazetteer_of(read_sheet(GAZETTEER)), synonyms_of(read_sheet(SYNONYMS)))


def at_hub(county: County, names: Readings | None = None) -> Ask:
    """Return the hub's search of its unified catalogue, by the test county's tables unless others are given."""
    held, names = frozenset(county.lines), names or county_names()

    async def ask(question: Question) -> list[Part]:
        page = await county.hub.database.read(lambda connection: _found(connection, asked(question), names))
        return [Part(found=[county.names[hit.site, hit.record.record_id] for hit in page.hits], held=held)]

    return ask


def at_nodes(county: County, names: Readings | None = None) -> Ask:
    """Return the sites' answers to what the hub asks them, without what the hub sees that it did not mean."""
    answering = {
        code: handlers(site.database, lambda: ("", 0), _health)[SearchCall] for code, site in county.sites.items()
    }
    names = names or county_names()
    held = {
        code: frozenset(name for name, line in county.lines.items() if SITES[line.site] == code) for code in answering
    }

    async def ask(question: Question) -> list[Part]:
        query = asked(question)
        page = await county.hub.database.read(lambda connection: _found(connection, query, names))
        readings = readings_of(names, page)
        matcher = Matcher(parse(query.words), readings)
        parts = []
        for code, answer in answering.items():
            if not matches(code, query.site_glob) or _needs_not_say(question, held[code]):
                continue
            _, body, *_ = await answer(query.call("contract", question.id, readings))
            hits = body.hits if isinstance(body, Hits) else ()
            records = [decode_record(hit.record) for hit in hits]
            meant = [one for one in records if matcher.satisfies(subject_of(one, site=code))]
            parts.append(Part(found=[county.names[code, one.record_id] for one in meant], held=held[code]))
        return parts

    return ask


def _needs_not_say(question: Question, held: frozenset[str]) -> bool:
    """Tell whether a site's answer changes no verdict: it holds nothing that is expected, and nothing is unwanted."""
    return bool(question.expected) and not question.unwanted and not within(question, held).expected


async def _health() -> Health:
    return Health(version="contract")
