"""Requests of harvesters (OAI-PMH 2.0): what may be asked, faults by their names, where a list goes on. Pure."""

import base64
import binascii
import datetime
import hashlib
import re
from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Final
from uuid import UUID

import msgspec

from hub.disclosure.disclosures import Place, Selection

NAMESPACE: Final = "oai:catalogue.danglian:"
"""Begins every identifier; the site's national code behind it makes it unique."""

TOKEN_CHARS_MAX: Final = 400
"""Characters of a resumption token that are looked at."""

DIGEST_BYTES: Final = 8

_SAFE_FONDS: Final = re.compile(r"[A-Za-z0-9\-_.!~*'()]+")
_SPEC: Final = re.compile(r"[A-Za-z0-9\-_.!~*'()]+(:[A-Za-z0-9\-_.!~*'()]+)?")
_ENCODED: Final = "x."
"""Begins the set of a fonds whose number has other characters; its UTF-8 bytes in hexadecimal follow."""

_DAY: Final = re.compile(r"\d{4}-\d{2}-\d{2}")
_SECOND: Final = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}Z")


class Prefix(StrEnum):
    """A format in which entries are given."""

    OAI_DC = "oai_dc"
    EAD3 = "ead3"


class Fault(StrEnum):
    """Errors by their names (OAI-PMH 2.0, 3.6)."""

    BAD_ARGUMENT = "badArgument"
    BAD_TOKEN = "badResumptionToken"  # noqa: S105 - the name of an error
    BAD_VERB = "badVerb"
    CANNOT_DISSEMINATE = "cannotDisseminateFormat"
    NO_ID = "idDoesNotExist"
    NO_MATCH = "noRecordsMatch"


class OaiFault(Exception):
    """A request that is answered with an error; ``words`` are in English, as harvesters' logs are."""

    def __init__(self, fault: Fault, words: str) -> None:
        super().__init__(words)
        self.fault = fault
        self.words = words


class Verb(StrEnum):
    """What may be asked."""

    IDENTIFY = "Identify"
    LIST_METADATA_FORMATS = "ListMetadataFormats"
    LIST_SETS = "ListSets"
    LIST_IDENTIFIERS = "ListIdentifiers"
    LIST_RECORDS = "ListRecords"
    GET_RECORD = "GetRecord"


_LISTED: Final = frozenset(("metadataPrefix", "from", "until", "set", "resumptionToken"))
_ARGUMENTS: Final[Mapping[Verb, frozenset[str]]] = {
    Verb.IDENTIFY: frozenset(),
    Verb.LIST_METADATA_FORMATS: frozenset(("identifier",)),
    Verb.LIST_SETS: frozenset(("resumptionToken",)),
    Verb.LIST_IDENTIFIERS: _LISTED,
    Verb.LIST_RECORDS: _LISTED,
    Verb.GET_RECORD: frozenset(("identifier", "metadataPrefix")),
}


class Harvest(msgspec.Struct, frozen=True, kw_only=True):
    """A list that was asked for, from its beginning or from where the page before ended."""

    verb: Verb
    prefix: Prefix
    selection: Selection
    behind: Place | None = None
    given: int = 0
    """Entries of the pages before."""


class _Resumption(msgspec.Struct, frozen=True, kw_only=True, array_like=True):
    verb: Verb
    prefix: Prefix
    site: str
    fonds_no: str | None
    from_s: int | None
    until_s: int | None
    place: Place
    given: int


_resumptions: Final = msgspec.msgpack.Decoder(_Resumption)


def verb_of(arguments: Sequence[tuple[str, str]]) -> tuple[Verb, dict[str, str]]:
    """Return what is asked, and its arguments without the verb.

    Raises:
        OaiFault: the verb is none, or an argument is unknown or comes twice.

    """
    verbs = [value for name, value in arguments if name == "verb"]
    if len(verbs) != 1 or verbs[0] not in tuple(Verb):
        raise OaiFault(Fault.BAD_VERB, "exactly one verb of OAI-PMH 2.0 is needed")
    verb = Verb(verbs[0])
    others = [(name, value) for name, value in arguments if name != "verb"]
    given = dict(others)
    if len(given) != len(others):
        raise OaiFault(Fault.BAD_ARGUMENT, "an argument comes twice")
    unknown = given.keys() - _ARGUMENTS[verb]
    if unknown:
        raise OaiFault(Fault.BAD_ARGUMENT, f"{verb} takes no such argument")
    if "resumptionToken" in given and len(given) > 1:
        raise OaiFault(Fault.BAD_ARGUMENT, "resumptionToken stands alone")
    return verb, given


def harvest_of(verb: Verb, given: Mapping[str, str]) -> Harvest:
    """Return the list that is asked for.

    Raises:
        OaiFault: an argument is missing or makes no sense, or the token is not of this list.

    """
    if "resumptionToken" in given:
        return _resumed(verb, given["resumptionToken"])
    begins, ends = given.get("from"), given.get("until")
    if begins is not None and ends is not None and len(begins) != len(ends):
        raise OaiFault(Fault.BAD_ARGUMENT, "from and until have different granularities")
    from_s = None if begins is None else seconds_of(begins, is_end=False)
    until_s = None if ends is None else seconds_of(ends, is_end=True)
    if from_s is not None and until_s is not None and from_s > until_s:
        raise OaiFault(Fault.BAD_ARGUMENT, "from is later than until")
    prefix = prefix_of(given)
    site, fonds_no = set_of(given["set"]) if "set" in given else ("", None)
    selection = Selection(site=site, fonds_no=fonds_no, from_s=from_s, until_s=until_s)
    return Harvest(verb=verb, prefix=prefix, selection=selection)


def prefix_of(given: Mapping[str, str]) -> Prefix:
    """Return the format that is asked for.

    Raises:
        OaiFault: none is named, or one that is not given.

    """
    if "metadataPrefix" not in given:
        raise OaiFault(Fault.BAD_ARGUMENT, "metadataPrefix is needed")
    if given["metadataPrefix"] not in tuple(Prefix):
        raise OaiFault(Fault.CANNOT_DISSEMINATE, "the formats are oai_dc and ead3")
    return Prefix(given["metadataPrefix"])


def seconds_of(text: str, *, is_end: bool) -> int:
    """Return a moment in seconds since 1970; a day begins with its first second and ends with its last.

    Raises:
        OaiFault: it is no moment (OAI-PMH 2.0, 3.3).

    """
    if _DAY.fullmatch(text):
        text = f"{text}T{'23:59:59' if is_end else '00:00:00'}Z"
    try:
        if not _SECOND.fullmatch(text):
            raise ValueError(text)
        return int(datetime.datetime.strptime(text, "%Y-%m-%dT%H:%M:%S%z").timestamp())
    except (ValueError, OverflowError):
        raise OaiFault(Fault.BAD_ARGUMENT, "a moment is written YYYY-MM-DD or YYYY-MM-DDThh:mm:ssZ") from None


def moment_of(stamp_s: int) -> str:
    """Return a moment as the protocol writes it."""
    return datetime.datetime.fromtimestamp(stamp_s, datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def identifier_of(site: str, record_id: UUID) -> str:
    """Return the identifier of an entry."""
    return f"{NAMESPACE}{site}/{record_id}"


def named_by(identifier: str) -> tuple[str, UUID]:
    """Return the site and the record id of an identifier.

    Raises:
        OaiFault: it is none of ours.

    """
    site, _, record_id = identifier.removeprefix(NAMESPACE).partition("/")
    try:
        found = UUID(record_id)
    except ValueError:
        found = None
    if found is None or not _SPEC.fullmatch(site) or identifier != identifier_of(site, found):
        raise OaiFault(Fault.NO_ID, "no entry has this identifier")
    return site, found


def set_spec(site: str, fonds_no: str | None = None) -> str:
    """Return the set of a site, or of a fonds at a site."""
    if fonds_no is None:
        return site
    is_safe = _SAFE_FONDS.fullmatch(fonds_no) and not fonds_no.startswith(_ENCODED)
    return f"{site}:{fonds_no if is_safe else _ENCODED + fonds_no.encode().hex()}"


def set_of(spec: str) -> tuple[str, str | None]:
    """Return the site and the fonds of a set.

    Raises:
        OaiFault: it cannot be one.

    """
    if not _SPEC.fullmatch(spec):
        raise OaiFault(Fault.BAD_ARGUMENT, "this is no set")
    site, colon, fonds_no = spec.partition(":")
    if not colon:
        return site, None
    try:
        plain = bytes.fromhex(fonds_no[2:]).decode() if fonds_no.startswith(_ENCODED) else fonds_no
    except ValueError:
        raise OaiFault(Fault.NO_MATCH, "there is no such set") from None
    return site, plain


def resumption_of(harvest: Harvest, place: Place, given: int) -> str:
    """Return the token by which a list goes on."""
    chosen = harvest.selection
    plain = msgspec.msgpack.encode(
        _Resumption(
            verb=harvest.verb,
            prefix=harvest.prefix,
            site=chosen.site,
            fonds_no=chosen.fonds_no,
            from_s=chosen.from_s,
            until_s=chosen.until_s,
            place=place,
            given=given,
        )
    )
    return base64.urlsafe_b64encode(_digest(plain) + plain).decode("ascii").rstrip("=")


def _resumed(verb: Verb, token: str) -> Harvest:
    try:
        sealed = base64.urlsafe_b64decode(token[:TOKEN_CHARS_MAX] + "=" * (-len(token) % 4))
        found = _resumptions.decode(sealed[DIGEST_BYTES:])
    except (binascii.Error, ValueError, msgspec.DecodeError):
        raise OaiFault(Fault.BAD_TOKEN, "this is no token of ours") from None
    if sealed[:DIGEST_BYTES] != _digest(sealed[DIGEST_BYTES:]) or found.verb is not verb:
        raise OaiFault(Fault.BAD_TOKEN, "the token was altered, or is of another list")
    selection = Selection(site=found.site, fonds_no=found.fonds_no, from_s=found.from_s, until_s=found.until_s)
    return Harvest(verb=verb, prefix=found.prefix, selection=selection, behind=found.place, given=found.given)


def _digest(plain: bytes) -> bytes:
    return hashlib.blake2b(plain, digest_size=DIGEST_BYTES, key=b"oai").digest()
