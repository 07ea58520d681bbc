"""Answers to harvesters as XML: the envelope of OAI-PMH 2.0, and entries as Dublin Core and as EAD3. Pure.

Written as text: an answer has half a million characters, and nothing in it is more than elements with escaped words.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Final
from xml.sax.saxutils import escape, quoteattr

from hub.disclosure.disclosures import Disclosure
from hub.disclosure.oai_requests import OaiFault, Prefix, identifier_of, moment_of, set_spec
from protocol.records import Record
from protocol.vocabularies import Level

_XSI: Final = 'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'
_OAI: Final = "http://www.openarchives.org/OAI/2.0/"
_DC: Final = "http://www.openarchives.org/OAI/2.0/oai_dc/"
_EAD3: Final = "http://ead3.archivists.org/schema/"

FORMATS: Final[Mapping[Prefix, tuple[str, str]]] = {
    Prefix.OAI_DC: ("http://www.openarchives.org/OAI/2.0/oai_dc.xsd", _DC),
    Prefix.EAD3: ("https://www.loc.gov/ead/ead3.xsd", _EAD3),
}
"""The schema and the namespace of each format."""

_FORBIDDEN: Final = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters that no XML document may hold (XML 1.0, 2.2), however escaped."""

_LEVELS: Final = {Level.FONDS: "fonds", Level.SERIES: "series", Level.VOLUME: "file", Level.ITEM: "item"}


def element(name: str, words: str) -> str:
    """Return an element with text; nothing where there is none."""
    kept = _FORBIDDEN.sub(" ", words).strip()
    return f"<{name}>{escape(kept)}</{name}>" if kept else ""


def envelope(url: str, now_s: int, asked: Mapping[str, str], body: str) -> bytes:
    """Return a whole answer; ``asked`` are the arguments, none where the request was not understood."""
    attributes = "".join(f" {name}={quoteattr(_FORBIDDEN.sub(' ', value))}" for name, value in asked.items())
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>\n<OAI-PMH xmlns="{_OAI}" {_XSI}'
        f' xsi:schemaLocation="{_OAI} http://www.openarchives.org/OAI/2.0/OAI-PMH.xsd">'
        f"<responseDate>{moment_of(now_s)}</responseDate><request{attributes}>{escape(url)}</request>{body}</OAI-PMH>\n"
    ).encode()


def error(fault: OaiFault) -> str:
    """Return an error."""
    return f'<error code="{fault.fault.value}">{escape(fault.words)}</error>'


def identity(name: str, url: str, contact: str, earliest_s: int) -> str:
    """Return who gives the entries."""
    return (
        f"<Identify>{element('repositoryName', name)}{element('baseURL', url)}<protocolVersion>2.0</protocolVersion>"
        f"{element('adminEmail', contact)}<earliestDatestamp>{moment_of(earliest_s)}</earliestDatestamp>"
        "<deletedRecord>persistent</deletedRecord><granularity>YYYY-MM-DDThh:mm:ssZ</granularity></Identify>"
    )


def formats() -> str:
    """Return the formats, which every entry has."""
    told = "".join(
        f"<metadataFormat><metadataPrefix>{prefix}</metadataPrefix><schema>{schema}</schema>"
        f"<metadataNamespace>{namespace}</metadataNamespace></metadataFormat>"
        for prefix, (schema, namespace) in FORMATS.items()
    )
    return f"<ListMetadataFormats>{told}</ListMetadataFormats>"


def sets(fonds_by_site: Mapping[str, Sequence[str]], names: Mapping[str, str]) -> str:
    """Return the sets: each site, and each fonds at it."""
    told = []
    for site, fonds in fonds_by_site.items():
        name = names.get(site) or site
        told.append(_set(set_spec(site), name))
        told += [_set(set_spec(site, one), f"{name} {one}") for one in fonds if one]
    return f"<ListSets>{''.join(told)}</ListSets>"


def _set(spec: str, name: str) -> str:
    return f"<set>{element('setSpec', spec)}{element('setName', name)}</set>"


def header(one: Disclosure) -> str:
    """Return the header of an entry."""
    status = ' status="deleted"' if one.record is None else ""
    fonds = element("setSpec", set_spec(one.site, one.fonds_no)) if one.fonds_no else ""
    return (
        f"<header{status}>{element('identifier', identifier_of(one.site, one.record_id))}"
        f"<datestamp>{moment_of(one.stamp_s)}</datestamp>{element('setSpec', set_spec(one.site))}{fonds}</header>"
    )


def record(one: Disclosure, prefix: Prefix, site_name: str) -> str:
    """Return an entry; of one that is open no more, its header alone."""
    if one.record is None:
        return f"<record>{header(one)}</record>"
    written = dublin_core(one, one.record, site_name) if prefix is Prefix.OAI_DC else ead3(one, one.record, site_name)
    return f"<record>{header(one)}<metadata>{written}</metadata></record>"


def listed(verb: str, parts: Iterable[str], token: str | None, given: int) -> str:
    """Return a page of a list.

    Args:
        verb: what was asked.
        parts: its headers or records.
        token: by which it goes on; empty on the last page of several, None where there is but one.
        given: entries of the pages before.

    """
    resumption = "" if token is None else f'<resumptionToken cursor="{given}">{escape(token)}</resumptionToken>'
    return f"<{verb}>{''.join(parts)}{resumption}</{verb}>"


def dublin_core(one: Disclosure, entry: Record, site_name: str) -> str:
    """Return an entry as unqualified Dublin Core."""
    dates = entry.date_edtf or entry.date_raw or str(entry.filing_year or "")
    parts = [
        element("dc:title", entry.title),
        *(element("dc:creator", party) for party in entry.responsible_parties),
        element("dc:date", dates),
        element("dc:description", entry.scope),
        element("dc:type", entry.level.value),
        element("dc:format", f"{entry.page_count} pages" if entry.page_count else entry.extent),
        element("dc:identifier", identifier_of(one.site, one.record_id)),
        *(element("dc:identifier", code) for code in (entry.ref_code, entry.doc_no)),
        element("dc:publisher", site_name or one.site),
        element("dc:language", "zh"),
        element("dc:rights", "开放 · open"),
    ]
    return (
        f'<oai_dc:dc xmlns:oai_dc="{_DC}" xmlns:dc="http://purl.org/dc/elements/1.1/" {_XSI}'
        f' xsi:schemaLocation="{_DC} {FORMATS[Prefix.OAI_DC][0]}">{"".join(parts)}</oai_dc:dc>'
    )


def ead3(one: Disclosure, entry: Record, site_name: str) -> str:
    """Return an entry as a small EAD3 document."""
    identifier = identifier_of(one.site, one.record_id)
    agency = element("agencyname", site_name or one.site)
    stamp = moment_of(one.stamp_s)
    dates = entry.date_edtf or entry.date_raw or str(entry.filing_year or "")
    level = _LEVELS.get(entry.level, "otherlevel")
    other = "" if level != "otherlevel" else f" otherlevel={quoteattr(entry.level.value)}"
    origin = "".join(element("part", party) for party in entry.responsible_parties)
    pages = element("physdesc", f"{entry.page_count} 页" if entry.page_count else entry.extent)
    scope = element("p", entry.scope)
    return (
        f'<ead xmlns="{_EAD3}"><control>{element("recordid", identifier)}<filedesc><titlestmt>'
        f"{element('titleproper', entry.title)}</titlestmt></filedesc>"
        f'<maintenancestatus value="derived"></maintenancestatus><maintenanceagency>{agency}</maintenanceagency>'
        '<maintenancehistory><maintenanceevent><eventtype value="derived"></eventtype>'
        f'<eventdatetime standarddatetime="{stamp}">{stamp}</eventdatetime><agenttype value="machine"></agenttype>'
        f'<agent>Danglian</agent></maintenanceevent></maintenancehistory></control><archdesc level="{level}"{other}>'
        f"<did><repository><corpname>{element('part', site_name or one.site)}</corpname></repository>"
        f"{element('unitid', entry.ref_code)}{element('unittitle', entry.title)}{element('unitdate', dates)}"
        f"{f'<origination><name>{origin}</name></origination>' if origin else ''}{pages}</did>"
        f"{f'<scopecontent>{scope}</scopecontent>' if scope else ''}</archdesc></ead>"
    )
