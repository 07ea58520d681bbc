"""Calls: questions to a site and its answers.

A question is published on ``dl.ask.<site>.<call>`` and answered on ``dl.rsp.<site>.<asker>.<question>``. Each answer
names the site, how far its catalogue had come ("as of"), how long it took, and the digest of the question that it
answers, so that an answer cannot be passed off as the answer to another question.
"""

import datetime
import hashlib
from enum import StrEnum
from uuid import UUID

import msgspec

from protocol.audit_chain import AuditHead
from protocol.letters import Letter
from protocol.limits import SEARCH_HITS_DEFAULT
from protocol.lookup_cases import LookupCase
from protocol.vocabularies import AccessStatus, Level
from protocol.wording import Text


class QuestionHead(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, tag_field="call"):
    """What every question carries."""

    asker: str
    question: str
    """Random name of the question; with the asker it makes the subject of the replies."""


class WordReading(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, array_like=True):
    """Another reading of one word of a query, as the asker's tables have it."""

    word: str
    """The word as typed."""
    text: str
    """What to look for as well."""
    kind: str
    """A ``readings.ReadingKind``; a site leaves out kinds that it does not know."""
    zh: str = ""
    en: str = ""
    """Why, in both languages."""


class Search(QuestionHead, frozen=True, kw_only=True, omit_defaults=True, tag="search"):
    """Find records by words, newest first; the filters narrow, empty filters do not."""

    query: str
    limit: int = SEARCH_HITS_DEFAULT
    date_from: datetime.date | None = None
    date_to: datetime.date | None = None
    fonds_no: str = ""
    livelihood_kind: str = ""
    access_status: AccessStatus | None = None
    level: Level | None = None
    with_matches: bool = True
    """Whether each hit is to say why it was found. Whoever asks many sites and shows few of their hits explains those
    itself, from the records; a site of version 1.0 does not know this field and always says why."""
    language: str = ""
    """The whole query as typed (``protocol.queries``), since 1.2. A site that understands it leaves ``query`` aside,
    which holds only its plain words for sites that do not; empty from an asker that does not know the language."""
    readings: tuple[WordReading, ...] = ()
    """What words of ``language`` may also be read as, so that a site needs no tables of places and names (since 1.2);
    at most ``limits.SEARCH_READINGS_MAX``."""


class Lookup(Search, frozen=True, kw_only=True, omit_defaults=True, tag="lookup"):
    """A search under a case (since 1.4): the site answers by its own policy, and logs what was read and refused.

    It is a call of its own so that a site which has no policy yet refuses it, instead of answering as to ``Search``.
    The same goes as the letter ``lookup_asked`` to a site that is away; ``asker`` and ``question`` are then empty.
    """

    lookup_id: UUID
    case: LookupCase
    asked_at_ms: int = 0
    expires_at_ms: int = 0
    """Until when an answer is of use, by the asker's clock; 0 for ever."""
    head: AuditHead = AuditHead()
    """The asker's audit log when it asked: the site keeps it as a checkpoint."""


class GetRecord(QuestionHead, frozen=True, kw_only=True, omit_defaults=True, tag="get"):
    """Fetch one record as the site has it now."""

    record_id: UUID


class CompareDigests(QuestionHead, frozen=True, kw_only=True, omit_defaults=True, tag="digest"):
    """Ask what the site has, at three depths.

    Without a fonds: one line a fonds. With a fonds: one line a bucket. With a bucket too: the records in it, from
    ``after`` on.
    """

    fonds_no: str | None = None
    bucket: int | None = None
    after: UUID | None = None
    until: int | None = None
    """Last bucket: the records of all buckets from ``bucket`` to this one, in the order of buckets and ids. A site of
    version 1.0 does not know this field and answers for ``bucket`` alone."""
    anew: bool = False
    """Take the digests of records from their stored bytes again, instead of believing the stored digests."""


class FetchRange(QuestionHead, frozen=True, kw_only=True, omit_defaults=True, tag="range"):
    """Ask for the events after a position, because frames are missing; the site sends them again over the stream."""

    epoch: str
    after: int


class AskHealth(QuestionHead, frozen=True, kw_only=True, omit_defaults=True, tag="health"):
    """Ask how the site is."""


class Redescribe(QuestionHead, frozen=True, kw_only=True, omit_defaults=True, tag="redescribe"):
    """Ask the site to say again, as new events, what it has of some records, because the asker's copy differs.

    What the site does not have, or must not tell, it withdraws. It does nothing unless it still stands at the position
    at which the difference was found, so that a question that is repeated, or comes late, changes nothing.
    """

    epoch: str
    seq: int
    record_ids: tuple[UUID, ...]
    """At most ``limits.REDESCRIBED_RECORDS_MAX``."""


class Brakes(QuestionHead, frozen=True, kw_only=True, omit_defaults=True, tag="brakes"):
    """Ask which mass changes the site's brake holds; with a ``decision`` decide on one of them first (since 1.3).

    A decision counts only for the change that was shown: its number and the moment at which it was held. Repeated, or
    too late, it changes nothing.
    """

    brake_id: int = 0
    held_at_ms: int = 0
    decision: str = ""
    """``release`` or ``reject``; a site leaves alone what it does not know."""


class AskFiles(QuestionHead, frozen=True, kw_only=True, omit_defaults=True, tag="files"):
    """Ask which catalogue files the site reads, and how much of each it took and rejected, and why (since 1.4)."""

    skip: int = 0
    """Files to leave out, in the order of their names."""


class Correspond(QuestionHead, frozen=True, kw_only=True, omit_defaults=True, tag="letters"):
    """Bring the asker's letters, and fetch the site's (since 1.4)."""

    incarnation: str
    """The asker's memory: another one than before has forgotten which letters it took."""
    letters: tuple[Letter, ...] = ()
    taken: tuple[UUID, ...] = ()
    """Letters of the site that are taken; it need not tell them again to this incarnation."""


Question = (
    Search | Lookup | GetRecord | CompareDigests | FetchRange | AskHealth | Redescribe | Brakes | Correspond | AskFiles
)


class Match(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """Why a record was found: the field, and what had to be done to the words to find them there."""

    field: str
    how: str
    """``literal``: as typed; ``variant``: in another script or width. Since 1.2 also ``whole``: as a whole code or
    number that is written otherwise; ``beginning``: as the beginning of a code; ``dated``: by its date; ``name_form``,
    ``place``, ``synonym``, ``homophone``: under another reading of the word. What a reader does not know it shows as it
    is."""
    word: str = ""
    """What was found there: words as typed, or what the reading says (since 1.2)."""
    note: Text | None = None
    """Why it was looked for, if it is not what was typed (since 1.2)."""


class Hit(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """One found record with the reasons."""

    record: msgspec.Raw
    """The whole record, as its owner wrote it."""
    seq: int = 0
    matches: tuple[Match, ...] = ()
    """Empty where the question did not ask for them."""
    stage: str = ""
    """The rank in which it was found (``protocol.plans.StageName``), "" where the question was not of the language
    (since 1.2)."""


class Outcome(StrEnum):
    """What became of a question at one site (promise 10); the last three are said by the asker."""

    ANSWERED = "answered"
    NOTHING = "nothing"
    REFUSED = "refused"
    FAILED = "failed"
    LATE = "late"
    OFFLINE = "offline"
    INDEX_ONLY = "index_only"


class DigestLine(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, array_like=True):
    """How many records a part of the catalogue has, and the sum of their digests."""

    part: str
    """Fonds number, bucket number or record id, by the depth asked."""
    count: int
    digest: str


class Hits(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, tag="hits"):
    """Answer to ``Search``; ``total`` is exact, ``hits`` may be fewer."""

    total: int
    hits: tuple[Hit, ...] = ()
    waiting: int = 0
    """Records, at most, that the site has just read and cannot find yet: the answer, as of its position, is without
    them."""


class LookedUpHit(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """One record that the site's policy lets be told."""

    record: msgspec.Raw
    """The record as far as it may be told."""
    seq: int = 0
    stage: str = ""
    treatment: str = "show"
    """``show``: whole; ``mask``: without what names persons; ``existence``: that there is one, and where. Of a word
    that a reader does not know it believes that the record is masked."""


class LookedUp(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, tag="looked_up"):
    """Answer to ``Lookup``: what the site's policy lets be told (promise 8)."""

    total: int
    """Records found, those included that are not told; exact."""
    hits: tuple[LookedUpHit, ...] = ()
    withheld: int = 0
    """Records among the best of which the policy tells nothing but their number."""
    policy: str = ""
    """Name of the policy that was applied."""
    head: AuditHead = AuditHead()
    """The site's audit log with the line of this very answer: the asker keeps it as a checkpoint."""


class Found(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, tag="record"):
    """Answer to ``GetRecord``."""

    record: msgspec.Raw
    seq: int


class Digests(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, tag="digests"):
    """Answer to ``CompareDigests``, valid at the answer's position; ``more`` tells that the bucket goes on."""

    lines: tuple[DigestLine, ...] = ()
    more: bool = False


class Range(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, tag="range"):
    """Answer to ``FetchRange``: the site sends again what follows ``after``, up to ``up_to``."""

    after: int
    up_to: int


class Redescribed(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, tag="redescribed"):
    """Answer to ``Redescribe``: how many records were told again, and the position that tells all of it.

    With the outcome ``nothing`` the site has moved on since the difference was found: compare again.
    """

    described: int = 0
    withdrawn: int = 0
    up_to: int = 0


class Health(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, tag="health"):
    """Answer to ``AskHealth``."""

    version: str
    records: int = 0
    withheld: int = 0
    rejected: int = 0
    outbox_frames: int = 0
    brakes_held: int = 0
    disk_free_bytes: int = 0


class Refusal(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, tag="refusal"):
    """The site understood and says no, or could not do it; the words are for a person."""

    reason_zh: str
    reason_en: str


class HeldLine(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One mass change that a site holds."""

    brake_id: int
    reason: Text
    """What vanished, from which file, for a person."""
    rows: int
    of: int
    """Records that it would withdraw, of so many."""
    state: str
    """``held``, or ``release_asked`` while the site has still to carry a release out."""
    held_at_ms: int


class HeldLines(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, tag="brakes"):
    """Answer to ``Brakes``: what is held after the decision, the first ``limits.HELD_LINES_MAX``."""

    lines: tuple[HeldLine, ...] = ()
    total: int = 0
    is_decided: bool = False
    """The decision of the question stands now."""


class FindingCount(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, array_like=True):
    """How many rows a finding of ``protocol.findings`` was made in; never what stood there."""

    code: str
    rows: int


class FileLine(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One catalogue file of a site as it was last read."""

    name: str
    """Path in its folder; the last ``limits.FILE_NAME_CHARS_MAX`` characters of it."""
    state: str
    """``loading``, ``taken`` or ``refused``: as a whole, with ``reason`` and ``hint``."""
    accepted: int = 0
    warned: int = 0
    rejected: int = 0
    read_at_ms: int = 0
    is_missing: bool = False
    """It is not in its folder now; what was read from it stands."""
    reason: Text | None = None
    hint: Text | None = None
    findings: tuple[FindingCount, ...] = ()
    """The most frequent first, at most ``limits.FILE_FINDINGS_MAX``."""


class FileLines(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, tag="files"):
    """Answer to ``AskFiles``: at most ``limits.FILE_LINES_MAX`` files, and the sums over all of them."""

    lines: tuple[FileLine, ...] = ()
    total: int = 0
    """Files."""
    refused: int = 0
    accepted: int = 0
    warned: int = 0
    rejected: int = 0
    findings: tuple[FindingCount, ...] = ()
    """Over all files, the most frequent first."""


class Correspondence(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, tag="letters"):
    """Answer to ``Correspond``; the answer's ``epoch`` is the site's incarnation."""

    letters: tuple[Letter, ...] = ()
    taken: tuple[UUID, ...] = ()
    """Letters of the question that are taken, or were before."""
    more: bool = False
    """The site has more to tell: ask again at once."""


Body = (
    Hits | LookedUp | Found | Digests | Range | Health | Refusal | Redescribed | HeldLines | Correspondence | FileLines
)


class Answer(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One site's answer to one question."""

    site: str
    epoch: str
    seq: int
    """The site's latest position when it answered: the "as of" of its words."""
    took_ms: float
    question_digest: str
    outcome: Outcome
    body: Body | None = None


def question_digest(question_json: bytes) -> str:
    """Return the digest by which an answer names the question's bytes."""
    return hashlib.blake2b(question_json, digest_size=16).hexdigest()
