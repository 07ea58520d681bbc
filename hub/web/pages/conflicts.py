"""The queue of contradictions: what is held beside what the site has now, and the word of a person."""

from collections.abc import Callable
from uuid import UUID

import msgspec
from litestar import get, post
from litestar.response import Redirect
from sqlalchemy import Connection

from hub.catalogue import readable, stored_of
from hub.commands.fields import OUTCOMES
from hub.decisions import conflict_rulings
from hub.decisions.conflict_rulings import Contradiction
from hub.decisions.rulings import NOTE_CHARS_MAX, Queue
from hub.decisions.side_by_side import lines_of
from hub.staff.administration import Actor
from hub.web.answers import Notice, Page, away_to, fault_notice, page, spoken
from hub.web.asking import AnyRequest
from hub.web.backstage import Backstage, backstage_of
from hub.web.faults import Missing
from hub.web.forms import clean, line_of
from hub.web.pages.deciding import OPT, SHOWN_MAX, note_reading, surroundings, written
from hub.web.sightings import note_records
from hub.web.visitors import visitor_of
from hub.web.words import in_language
from protocol.calls import Found, GetRecord, Outcome
from protocol.codec import decode_record
from protocol.errors import BadValue, Refused, Retryable
from protocol.limits import CALL_DEADLINE_S
from protocol.records import Record
from protocol.sites import parse_site
from protocol.wording import Text
from replication.digests import record_digest


class AtSite(msgspec.Struct, frozen=True, kw_only=True):
    """What the site says of a record now."""

    record: Record | None = None
    digest: int | None = None
    is_heard: bool = False
    why_not: Text | None = None
    """Why it could not be asked; None stands for a link that is down."""


@get("/decisions/conflicts", opt=OPT)
async def show_conflicts(request: AnyRequest) -> Page:
    """List contradictions, the newest first."""
    site = clean(request.query_params.get("site", ""))
    words = in_language(visitor_of(request).language).decisions
    done = {"settled": words.settled, "gone": words.gone, "asked": words.asked}
    told = done.get(request.query_params.get("done", ""))

    def read(connection: Connection) -> tuple[list[Record | None], dict[str, object]]:
        found = conflict_rulings.waiting(connection, SHOWN_MAX, site)
        held = {(one.site, one.record_id): _held(connection, one.site, one.record_id) for one in found}
        titles = {key: _title(one) for key, one in held.items()}
        return list(held.values()), {**surroundings(connection, Queue.CONFLICT), "items": found, "titles": titles}

    shown, values = await backstage_of(request).database.read(read)
    await note_records(request, "/decisions/conflicts", shown)
    notice = None if told is None else Notice(words=told)
    return page(request, "conflicts.html", values=values | {"site": site, "notice": notice})


@get("/decisions/conflict", opt=OPT)
async def show_conflict(request: AnyRequest) -> Page:
    """Show one contradiction beside what its site has now.

    Raises:
        Missing: it is not there (any more).

    """
    return await _one_shown(request, clean(request.query_params.get("name", "")))


@post("/decisions/conflicts/settle", opt=OPT, status_code=200)
async def do_settle(request: AnyRequest) -> Page | Redirect:
    """Leave it at what is held."""
    note = (await line_of(request, "note"))[:NOTE_CHARS_MAX]
    return await _decided(
        request,
        "settled",
        lambda found, actor, one, now_ms: conflict_rulings.settle(found, actor, one, note, now_ms),
    )


@post("/decisions/conflicts/ask", opt=OPT, status_code=200)
async def do_ask_again(request: AnyRequest) -> Page | Redirect:
    """Have the site tell the record again."""
    return await _decided(request, "asked", conflict_rulings.ask_again)


async def _decided(
    request: AnyRequest, done: str, step: Callable[[Connection, Actor, Contradiction, int], object]
) -> Page | Redirect:
    name = await line_of(request, "name")

    def decide(connection: Connection, actor: Actor, now_ms: int) -> bool:
        one = conflict_rulings.named(connection, name)
        if one is not None:
            step(connection, actor, one, now_ms)
        return one is not None

    try:
        is_there = await written(request, decide)
    except Refused as error:
        return await _one_shown(request, name, fault_notice(error, visitor_of(request)))
    return away_to("/decisions/conflicts", done=done if is_there else "gone")


async def _one_shown(request: AnyRequest, name: str, notice: Notice | None = None) -> Page:
    backstage = backstage_of(request)

    def read(connection: Connection) -> tuple[Contradiction | None, Record | None, dict[str, object]]:
        one = conflict_rulings.named(connection, name)
        held = None if one is None else _held(connection, one.site, one.record_id)
        return one, held, surroundings(connection, Queue.CONFLICT)

    one, held, values = await backstage.database.read(read)
    if one is None:
        raise Missing
    there = await _asked(backstage, one)
    await note_reading(request, one.object, (held, there.record))
    finding, words = _finding(request, one, there)
    lines = lines_of(held, there.record) if held is not None or there.record is not None else []
    more = {"one": one, "lines": lines, "finding": finding, "finding_words": words, "notice": notice}
    return page(request, "conflict.html", status=200 if notice is None else 400, values=values | more)


async def _asked(backstage: Backstage, one: Contradiction) -> AtSite:
    """Ask the site what it has of the record now."""
    asker = backstage.reach.asker
    if asker is None:
        return AtSite()
    try:
        heard = await asker.ask_one(
            lambda name, question: GetRecord(asker=name, question=question, record_id=one.record_id),
            parse_site(one.site),
            CALL_DEADLINE_S,
        )
    except Retryable as error:
        return AtSite(why_not=error.reason)
    body = heard.answer.body if heard.answer is not None else None
    if heard.outcome is Outcome.ANSWERED and isinstance(body, Found):
        return AtSite(record=_read(bytes(body.record)), digest=record_digest(bytes(body.record)), is_heard=True)
    is_heard = heard.outcome is Outcome.NOTHING
    return AtSite(is_heard=is_heard, why_not=None if is_heard else OUTCOMES[heard.outcome])


def _read(body: bytes) -> Record | None:
    try:
        return decode_record(body)
    except BadValue:
        return None


def _finding(request: AnyRequest, one: Contradiction, there: AtSite) -> tuple[str, str]:
    visitor = visitor_of(request)
    words = in_language(visitor.language).decisions
    if not there.is_heard:
        reason = words.no_link if there.why_not is None else spoken(there.why_not, visitor)
        return "unknown", words.is_unknown.format(reason=reason)
    found = {None: ("gone", words.is_gone), one.held_digest: ("held", words.is_held)}
    found[one.offered_digest] = ("offered", words.is_offered)
    return found.get(there.digest, ("third", words.is_third))


def _title(held: Record | None) -> str:
    return "" if held is None else f"{held.ref_code} {held.title}".strip()


def _held(connection: Connection, site: str, record_id: UUID) -> Record | None:
    try:
        return next((readable(one) for one in stored_of(connection, site, [record_id.bytes])), None)
    except BadValue:
        return None
