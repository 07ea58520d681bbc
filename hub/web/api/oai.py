"""``/oai``: open entries for harvesters (OAI-PMH 2.0), by GET and by POST, without a token.

It is there only where the settings name who answers for it. What was open and is no more is told as deleted for ever.
"""

import asyncio
from collections.abc import Sequence
from typing import Final
from urllib.parse import parse_qsl

from litestar import get, post
from litestar.response import Response

from hub.disclosure import disclosures, oai_documents
from hub.disclosure.oai_requests import (
    Fault,
    Harvest,
    OaiFault,
    Prefix,
    Verb,
    harvest_of,
    named_by,
    prefix_of,
    resumption_of,
    verb_of,
)
from hub.membership import keyring
from hub.web.api.bearers import check_pace
from hub.web.asking import AnyRequest
from hub.web.backstage import Backstage, backstage_of
from hub.web.faults import Missing

PAGE_ENTRIES: Final = 500
"""Entries of a page: a quarter of a megabyte, and some hundredths of a second."""

ANSWER_S: Final = 30.0
"""Seconds for an answer, waiting for the store included."""

ARGUMENTS_MAX: Final = 16
"""Arguments of a request that are looked at."""

PATH: Final = "/oai"


@get(PATH)
async def harvest(request: AnyRequest) -> Response[bytes]:
    """Answer a harvester."""
    return await _answered(request, list(request.query_params.multi_items()))


@post(PATH, status_code=200)
async def harvest_by_form(request: AnyRequest) -> Response[bytes]:
    """Answer a harvester that sends its arguments as a form."""
    body = (await request.body()).decode("utf-8", "replace")
    return await _answered(request, parse_qsl(body, keep_blank_values=True))


async def _answered(request: AnyRequest, arguments: Sequence[tuple[str, str]]) -> Response[bytes]:
    check_pace(request)
    backstage = backstage_of(request)
    if not backstage.settings.oai_contact:
        raise Missing
    asked: dict[str, str] = {}
    async with asyncio.timeout(ANSWER_S):
        try:
            verb, given = verb_of(arguments[: ARGUMENTS_MAX + 1])
            asked = {"verb": verb.value, **given}
            body = await _told(backstage, verb, given)
        except OaiFault as fault:
            if fault.fault in (Fault.BAD_VERB, Fault.BAD_ARGUMENT):
                asked = {}
            body = oai_documents.error(fault)
    content = oai_documents.envelope(url_of(backstage), backstage.clock_ms() // 1000, asked, body)
    return Response(content=content, media_type="text/xml")


def url_of(backstage: Backstage) -> str:
    """Return where harvesters ask."""
    return f"{backstage.settings.url}{PATH}"


async def _told(backstage: Backstage, verb: Verb, given: dict[str, str]) -> str:
    if verb in (Verb.LIST_RECORDS, Verb.LIST_IDENTIFIERS):
        return await _listed(backstage, harvest_of(verb, given))
    if verb is Verb.GET_RECORD:
        return await _one(backstage, given)
    read = backstage.database.read
    if verb is Verb.IDENTIFY:
        earliest_s = await read(disclosures.earliest_s)
        now_s = backstage.clock_ms() // 1000
        settings = backstage.settings
        return oai_documents.identity(
            backstage.county, url_of(backstage), settings.oai_contact, now_s if earliest_s is None else earliest_s
        )
    if verb is Verb.LIST_SETS:
        if given:
            raise OaiFault(Fault.BAD_TOKEN, "the list of sets is one page")
        fonds, names = await read(
            lambda connection: (disclosures.fonds_by_site(connection), keyring.site_names(connection))
        )
        return oai_documents.sets(fonds, names)
    if "identifier" in given:
        await _found(backstage, given["identifier"])
    return oai_documents.formats()


async def _listed(backstage: Backstage, asked: Harvest) -> str:
    found, names = await backstage.database.read(
        lambda connection: (
            disclosures.page(connection, asked.selection, asked.behind, PAGE_ENTRIES + 1),
            keyring.site_names(connection),
        )
    )
    shown = found[:PAGE_ENTRIES]
    if not shown and asked.behind is None:
        raise OaiFault(Fault.NO_MATCH, "there is nothing of this kind")
    token = None if asked.behind is None else ""
    if len(found) > PAGE_ENTRIES:
        token = resumption_of(asked, shown[-1].place, asked.given + len(shown))
    if asked.verb is Verb.LIST_IDENTIFIERS:
        parts = [oai_documents.header(one) for one in shown]
    else:
        parts = [oai_documents.record(one, asked.prefix, names.get(one.site, "")) for one in shown]
    return oai_documents.listed(asked.verb, parts, token, asked.given)


async def _one(backstage: Backstage, given: dict[str, str]) -> str:
    if "identifier" not in given:
        raise OaiFault(Fault.BAD_ARGUMENT, "identifier is needed")
    prefix: Prefix = prefix_of(given)
    one, names = await _found(backstage, given["identifier"])
    return f"<GetRecord>{oai_documents.record(one, prefix, names.get(one.site, ''))}</GetRecord>"


async def _found(backstage: Backstage, identifier: str) -> tuple[disclosures.Disclosure, dict[str, str]]:
    site, record_id = named_by(identifier)
    one, names = await backstage.database.read(
        lambda connection: (disclosures.one(connection, site, record_id), keyring.site_names(connection))
    )
    if one is None:
        raise OaiFault(Fault.NO_ID, "no entry has this identifier")
    return one, names
