"""What was asked for a request and what was said, as its page shows it: questions, holders' answers, entries.

A title is shown as its holder let it be told; nothing is put back from the hub's own copy.
"""

import datetime
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Final

import msgspec
from sqlalchemy import Connection

from hub.commands.fields import ACCESS
from hub.searching.search import Query
from hub.web.hits import TITLE_CHARS_MAX, Stretch, date_of, stretches
from hub.web.outcomes import OutcomeCount
from hub.window import lookup_reading
from hub.window.contents import looked_for
from hub.window.lookup_views import HitView, LookupOrder, LookupView, SiteView
from hub.window.lookups import expiry_of
from hub.window.requests import Question, Request
from protocol.lookup_cases import LookupCase
from protocol.lookup_policy import Treatment
from protocol.lookups import LOOKUP_STATES, LookupState, SiteOutcome
from protocol.masking import UNTOLD_TITLE
from protocol.vocabularies import LIVELIHOOD_KINDS
from protocol.wording import Text

SITE_OUTCOMES: Final = {
    SiteOutcome.ANSWERED: Text(zh="有", en="has it"),
    SiteOutcome.NOTHING: Text(zh="没有", en="has nothing"),
    SiteOutcome.REFUSED: Text(zh="拒绝答复", en="refused"),
    SiteOutcome.FAILED: Text(zh="答复出错", en="failed"),
    SiteOutcome.WAITING: Text(zh="正在问", en="being asked"),
    SiteOutcome.PENDING: Text(zh="离线，等待答复", en="offline, will answer"),
    SiteOutcome.EXPIRED: Text(zh="逾期未答复", en="never answered"),
    SiteOutcome.NOT_ASKED: Text(zh="没有问", en="not asked"),
}

SITE_TONES: Final = {
    SiteOutcome.ANSWERED: "good",
    SiteOutcome.NOTHING: "calm",
    SiteOutcome.REFUSED: "bad",
    SiteOutcome.FAILED: "bad",
    SiteOutcome.WAITING: "calm",
    SiteOutcome.PENDING: "watch",
    SiteOutcome.EXPIRED: "bad",
    SiteOutcome.NOT_ASKED: "away",
}

STATE_TONES: Final = {
    LookupState.SEARCHING: "calm",
    LookupState.WAITING: "watch",
    LookupState.PARTIAL: "watch",
    LookupState.FOUND: "good",
    LookupState.NOT_FOUND: "calm",
    LookupState.INCONCLUSIVE: "watch",
}


class SiteLine(msgspec.Struct, frozen=True, kw_only=True):
    """One holder's answer."""

    view: SiteView
    words: Text
    tone: str


class HitLine(msgspec.Struct, frozen=True, kw_only=True):
    """One entry that was found."""

    hit: HitView
    site_name: str
    title: tuple[Stretch, ...]
    date: str
    kind: Text | None
    access: Text
    access_name: str
    treatment: str
    has_own_page: bool

    @property
    def key(self) -> str:
        """Names the entry in a form."""
        return f"{self.hit.site} {self.hit.record.record_id}"


class QuestionLine(msgspec.Struct, frozen=True, kw_only=True):
    """One question with everything that is known of it; ``view`` is None until it was asked."""

    number: int
    question: Question
    kind: Text | None
    view: LookupView | None
    state: Text | None
    tone: str
    counts: tuple[OutcomeCount, ...]
    sites: tuple[SiteLine, ...]
    hits: tuple[HitLine, ...]
    withheld: tuple[tuple[str, int], ...]
    """Holders that found more than they tell, and how much more."""

    @property
    def is_cut(self) -> bool:
        """True if not everything that was found is shown."""
        return self.view is not None and self.view.total > len(self.hits)


def order_of(one: Request, question: Question, clerk: str, now_ms: int) -> LookupOrder:
    """Return a question of a request as it is put to the sites; its own id makes a repeated one the same."""
    content = one.content
    return LookupOrder(
        lookup_id=question.question_id,
        case=LookupCase(
            request_id=one.request_id,
            case_ref=content.case_ref,
            purpose=content.purpose.value,
            requester=content.applicant.requester.value,
        ),
        query=query_of(question),
        places=places_of(question),
        asked_by=clerk,
        expires_at_ms=expiry_of(now_ms),
    )


def places_of(question: Question) -> tuple[str, ...]:
    """Return the places that a question names."""
    return (question.place,) if question.place else ()


def query_of(question: Question) -> Query:
    """Return what is looked for: the words with the persons' names, within the years and the kind."""
    return Query(
        words=looked_for(question.text, question.persons),
        date_from=None if question.year_from is None else datetime.date(question.year_from, 1, 1),
        date_to=None if question.year_to is None else datetime.date(question.year_to, 12, 31),
        livelihood_kind=question.livelihood_kind,
    )


def questions_of(connection: Connection, one: Request) -> list[QuestionLine]:
    """Return every question of a request with what was said to it."""
    return [
        question_line(number, question, lookup_reading.view_of(connection, question.question_id))
        for number, question in enumerate(one.content.questions, 1)
    ]


def question_line(number: int, question: Question, view: LookupView | None) -> QuestionLine:
    """Return a question as the page shows it."""
    kind = LIVELIHOOD_KINDS.get(question.livelihood_kind)
    names = {one.site: one.name for one in view.sites} if view is not None else {}
    return QuestionLine(
        number=number,
        question=question,
        kind=None if kind is None else Text(zh=kind.zh, en=kind.en),
        view=view,
        state=None if view is None else LOOKUP_STATES[view.state],
        tone="" if view is None else STATE_TONES[view.state],
        counts=() if view is None else _counts(view.sites),
        sites=() if view is None else _sites(view.sites),
        hits=() if view is None else tuple(_hit(one, names) for one in view.hits),
        withheld=()
        if view is None
        else tuple((one.name or one.site, one.withheld) for one in view.sites if one.withheld),
    )


def _counts(sites: Sequence[SiteView]) -> tuple[OutcomeCount, ...]:
    counted = Counter(one.outcome for one in sites)
    return tuple(
        OutcomeCount(words=SITE_OUTCOMES[outcome], tone=SITE_TONES[outcome], count=counted[outcome])
        for outcome in SiteOutcome
        if counted[outcome]
    )


def _sites(sites: Sequence[SiteView]) -> tuple[SiteLine, ...]:
    """Return the holders' answers: those with something to say first, those that were not asked last."""
    order = list(SiteOutcome)
    lines = [SiteLine(view=one, words=SITE_OUTCOMES[one.outcome], tone=SITE_TONES[one.outcome]) for one in sites]
    return tuple(sorted(lines, key=lambda line: (order.index(line.view.outcome), line.view.site)))


def _hit(hit: HitView, names: Mapping[str, str]) -> HitLine:
    record = hit.record
    # What a holder says in place of a title is Chinese; the page says it in the reader's language.
    title = "" if record.title == UNTOLD_TITLE else record.title[:TITLE_CHARS_MAX]
    kind = LIVELIHOOD_KINDS.get(record.livelihood_kind)
    return HitLine(
        hit=hit,
        site_name=names.get(hit.site) or hit.site,
        title=stretches(title, hit.matches) if title else (),
        date=date_of(record),
        kind=None if kind is None else Text(zh=kind.zh, en=kind.en),
        access=ACCESS[record.access_status],
        access_name=record.access_status.value,
        treatment=hit.treatment,
        has_own_page=hit.treatment == Treatment.SHOW.value,
    )
