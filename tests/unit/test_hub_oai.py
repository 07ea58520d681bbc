"""Harvesting open entries over real HTTP: what is given, what is told as deleted, answers by the protocol."""

import asyncio
import re
import warnings
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from lxml import etree
from sqlalchemy import Connection

from hub.disclosure import disclosures
from hub.disclosure.disclosing import Discloser
from hub.disclosure.oai_requests import OaiFault, identifier_of, named_by, set_of, set_spec
from hub.web.api import oai
from protocol.events import Event
from protocol.sites import Site
from protocol.vocabularies import AccessStatus, Secrecy
from replication.dialects import upsert
from replication.tables import watermark
from tests.catalogue import VILLAGE, access_changed, described, fictitious, record_id, withdrawn
from tests.consoles import Desk, desk, fill_county
from tests.hubs import Hub

with warnings.catch_warnings():
    # Its regular expressions are not raw strings.
    warnings.simplefilter("ignore")
    from sickle import Sickle

NAMES = {"o": "http://www.openarchives.org/OAI/2.0/", "dc": "http://purl.org/dc/elements/1.1/"}
ALL = {"verb": "ListRecords", "metadataPrefix": "oai_dc"}


@pytest.fixture
async def here(tmp_path: Path) -> AsyncIterator[Desk]:
    async with desk(tmp_path, fill=fill_county, oai_contact="archive@county.example") as made:
        yield made


def move(connection: Connection, now_ms: int) -> None:
    """Say that the site's history moved, as the inbox does in the transaction of the events."""
    fresh = {"node": "U1", "epoch": "e1", "position": 1, "chain": "", "want": "nothing", "moved_at_ms": now_ms}
    statement = upsert(watermark).values(site=VILLAGE.code, **fresh)
    moved = {"position": watermark.c.position + 1}
    connection.execute(statement.on_conflict_do_update(index_elements=[watermark.c.site], set_=moved))


class Applying(Hub):
    """A hub whose watermark moves with what it is told."""

    async def tell(self, *events: Event, site: Site = VILLAGE, epoch: str = "e1") -> None:
        await super().tell(*events, site=site, epoch=epoch)
        await self.database.write(lambda connection: move(connection, 0))


async def look(here: Desk) -> int:
    return await Discloser(here.database, here.clock, sleep=lambda _: asyncio.sleep(0)).look()


async def asked(here: Desk, **arguments: str) -> etree._Element:
    async with httpx.AsyncClient(base_url=here.url, trust_env=False, timeout=30) as system:
        answer = await system.get("/oai", params={name.rstrip("_"): value for name, value in arguments.items()})
    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/xml; charset=utf-8")
    return etree.fromstring(answer.content)


def told(answer: etree._Element) -> dict[str, bool]:
    """Record ids of a page, and whether each is told as deleted."""
    return {
        found.findtext("o:identifier", "", NAMES).rpartition("/")[2]: found.get("status") == "deleted"
        for found in answer.iterfind(".//o:header", NAMES)
    }


async def fill(here: Desk) -> Hub:
    """1 and 2 are open, 3 is not reviewed, 4 is open and marked as internal."""
    hub = Applying(here.database)
    await hub.tell(
        described(1, fictitious(1, access_status=AccessStatus.OPEN)),
        described(
            2, fictitious(2, access_status=AccessStatus.OPEN, title="<山林> & \x0b\ufffe 合同", fonds_no="全宗1")
        ),
        described(3, fictitious(3)),
        described(4, fictitious(4, access_status=AccessStatus.OPEN, secrecy=Secrecy.INTERNAL)),
    )
    await look(here)
    return hub


async def test_open_entries_alone_are_given(here: Desk) -> None:
    await fill(here)

    assert told(await asked(here, **ALL)) == {str(record_id(1)): False, str(record_id(2)): False}


@pytest.mark.parametrize("how", ["closed", "withdrawn"])
async def test_what_is_open_no_more_is_deleted_at_once_and_stays_so(here: Desk, how: str) -> None:
    """At once: before anything was gone through again. It stays: in every later harvest."""
    hub = await fill(here)
    event = (
        access_changed(5, fictitious(1, access_status=AccessStatus.OPEN), AccessStatus.RESTRICTED)
        if how == "closed"
        else withdrawn(5, record_id(1))
    )
    await hub.tell(event)
    at_once = told(await asked(here, **ALL))
    here.clock.forward(100)
    news = await look(here)
    later = told(await asked(here, **ALL))
    again = await look(here)

    assert (at_once, later) == ({str(record_id(1)): True, str(record_id(2)): False},) * 2
    assert (news, again) == (1, 0)


async def test_a_deleted_entry_has_no_metadata(here: Desk) -> None:
    hub = await fill(here)
    await hub.tell(withdrawn(5, record_id(1)))
    identifier = identifier_of(VILLAGE.code, record_id(1))
    answer = await asked(here, verb="GetRecord", metadataPrefix="oai_dc", identifier=identifier)

    assert (told(answer), answer.find(".//o:metadata", NAMES)) == ({str(record_id(1)): True}, None)


async def test_a_harvester_that_asks_for_what_is_new_gets_the_change_alone(here: Desk) -> None:
    hub = await fill(here)
    here.clock.forward(3600)
    since = (await asked(here, verb="Identify")).findtext("o:responseDate", "", NAMES)
    await hub.tell(withdrawn(5, record_id(2)))
    await look(here)

    assert told(await asked(here, **ALL, from_=since)) == {str(record_id(2)): True}


async def test_an_entry_that_was_never_open_is_one_that_nobody_has(here: Desk) -> None:
    await fill(here)
    for number in (3, 4, 99):
        identifier = identifier_of(VILLAGE.code, record_id(number))
        answer = await asked(here, verb="GetRecord", metadataPrefix="oai_dc", identifier=identifier)

        assert answer.find("o:error", NAMES).get("code") == "idDoesNotExist"


async def test_sets_are_sites_and_their_fonds(here: Desk) -> None:
    await fill(here)
    specs = [found.text for found in (await asked(here, verb="ListSets")).iterfind(".//o:setSpec", NAMES)]
    pages = [told(await asked(here, **ALL, set=spec or "")) for spec in specs]

    assert specs == [VILLAGE.code, f"{VILLAGE.code}:J001", set_spec(VILLAGE.code, "全宗1")]
    assert [len(page) for page in pages] == [2, 1, 1]


@pytest.mark.parametrize("fonds_no", ["J001", "全宗1", "x.y", "a b", "x.4a", ""])
def test_a_set_names_its_fonds_whatever_its_number_is(fonds_no: str) -> None:
    if fonds_no:
        assert set_of(set_spec("330599001200", fonds_no)) == ("330599001200", fonds_no)
    assert re.fullmatch(r"([A-Za-z0-9\-_\.!~\*'\(\)])+(:[A-Za-z0-9\-_\.!~\*'\(\)]+)*", set_spec("s", fonds_no or None))


@pytest.mark.parametrize("name", ["", "oai:other:1", "oai:catalogue.danglian:/x", "oai:catalogue.danglian:s/1"])
def test_an_identifier_that_is_none_of_ours_names_nothing(name: str) -> None:
    with pytest.raises(OaiFault):
        named_by(name)


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        ({}, "badVerb"),
        ({"verb": "Delete"}, "badVerb"),
        ({"verb": "Identify", "x": "1"}, "badArgument"),
        ({"verb": "ListRecords"}, "badArgument"),
        ({"verb": "ListRecords", "metadataPrefix": "marc"}, "cannotDisseminateFormat"),
        ({**ALL, "from_": "yesterday"}, "badArgument"),
        ({**ALL, "from_": "2026-13-01"}, "badArgument"),
        ({**ALL, "from_": "2026-02-01", "until": "2026-01-01"}, "badArgument"),
        ({**ALL, "from_": "2026-02-01", "until": "2026-02-01T00:00:00Z"}, "badArgument"),
        ({**ALL, "until": "1999-01-01"}, "noRecordsMatch"),
        ({**ALL, "set": "330599001999"}, "noRecordsMatch"),
        ({**ALL, "set": "💣\x00"}, "badArgument"),
        ({"verb": "ListRecords", "resumptionToken": "x"}, "badResumptionToken"),
        ({"verb": "ListRecords", "resumptionToken": "A" * 200}, "badResumptionToken"),
        ({**ALL, "resumptionToken": "x"}, "badArgument"),
        ({"verb": "ListSets", "resumptionToken": "x"}, "badResumptionToken"),
        ({"verb": "GetRecord", "metadataPrefix": "oai_dc"}, "badArgument"),
        ({"verb": "ListMetadataFormats", "identifier": "x\x00"}, "idDoesNotExist"),
    ],
)
async def test_each_fault_has_its_name(here: Desk, arguments: dict[str, str], code: str) -> None:
    await fill(here)
    answer = await asked(here, **arguments)

    assert [found.get("code") for found in answer.iterfind("o:error", NAMES)] == [code]


async def test_a_page_goes_on_where_it_ended(here: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(oai, "PAGE_ENTRIES", 1)
    await fill(here)
    first = await asked(here, **ALL)
    token = first.findtext(".//o:resumptionToken", "", NAMES)
    second = await asked(here, verb="ListRecords", resumptionToken=token)
    other_list = await asked(here, verb="ListIdentifiers", resumptionToken=token)
    altered = await asked(here, verb="ListRecords", resumptionToken=token[:-3] + "AAA")

    assert told(first) | told(second) == {str(record_id(1)): False, str(record_id(2)): False}
    assert (second.findtext(".//o:resumptionToken", None, NAMES), len(told(second))) == ("", 1)
    assert [one.find("o:error", NAMES).get("code") for one in (other_list, altered)] == ["badResumptionToken"] * 2


async def test_arguments_may_come_as_a_form(here: Desk) -> None:
    await fill(here)
    async with httpx.AsyncClient(base_url=here.url, trust_env=False) as system:
        answer = await system.post("/oai", data=ALL)

    assert len(told(etree.fromstring(answer.content))) == 2


async def test_without_a_contact_nobody_harvests(tmp_path: Path) -> None:
    async with (
        desk(tmp_path) as closed,
        httpx.AsyncClient(base_url=closed.url, trust_env=False) as system,
    ):
        answer = await system.get("/oai", params=ALL)

    assert answer.status_code == 404


async def test_every_answer_is_valid_by_the_schema_of_the_protocol(here: Desk, shared_data: Path) -> None:
    """Metadata of other schemas are not looked into here: theirs are not among the files."""
    text = (shared_data / "10_oai_pmh" / "OAI-PMH.xsd").read_text(encoding="utf-8")
    schema = etree.XMLSchema(
        etree.fromstring(text.replace('processContents="strict"', 'processContents="lax"').encode())
    )
    hub = await fill(here)
    await hub.tell(withdrawn(5, record_id(1)))
    identifier = identifier_of(VILLAGE.code, record_id(2))
    answers = [
        await asked(here, **arguments)
        for arguments in (
            {"verb": "Identify"},
            {"verb": "ListMetadataFormats", "identifier": identifier},
            {"verb": "ListSets"},
            {"verb": "ListIdentifiers", "metadataPrefix": "ead3"},
            ALL,
            {**ALL, "metadataPrefix": "ead3"},
            {"verb": "GetRecord", "metadataPrefix": "oai_dc", "identifier": identifier},
            {"verb": "Nothing"},
        )
    ]

    assert [(one.tag, str(schema.error_log)) for one in answers if not schema.validate(one)] == []


async def test_hostile_words_are_words(here: Desk) -> None:
    await fill(here)
    titles = [found.text for found in (await asked(here, **ALL)).iterfind(".//dc:title", NAMES)]

    assert "<山林> &    合同" in titles


@pytest.mark.parametrize("count", [1_200, 10_000])
async def test_sickle_harvests_every_open_entry_once(here: Desk, count: int) -> None:
    """A harvester that nobody here wrote; each page goes on behind the last, so a hundred show what a thousand do."""
    hub = Applying(here.database)
    for first in range(1, count + 1, 500):
        await hub.tell(
            *(
                described(seq, fictitious(seq, access_status=AccessStatus.OPEN))
                for seq in range(first, min(first + 500, count + 1))
            )
        )
    await look(here)
    here.backstage.requests._burst = 1e9

    def harvested() -> list[str]:
        sickle = Sickle(f"{here.url}/oai", timeout=60)
        return [one.header.identifier for one in sickle.ListRecords(metadataPrefix="oai_dc")]

    found = await asyncio.to_thread(harvested)

    assert (len(found), len(set(found))) == (count, count)


async def test_a_site_that_did_not_move_is_not_gone_through(here: Desk) -> None:
    await fill(here)
    moved = await here.database.read(lambda connection: disclosures.moved_sites(connection, 0))

    assert VILLAGE.code not in {one.site for one in moved}
