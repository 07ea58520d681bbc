"""The queue of what was set aside: looked at beside what is held, tried again, or dropped with a reason."""

from collections import Counter
from collections.abc import Collection

import msgspec
from litestar import get, post
from litestar.params import FromPath
from litestar.response import Redirect
from sqlalchemy import Connection

from hub.application import Application
from hub.catalogue import readable, stored_of
from hub.decisions import quarantine_rulings
from hub.decisions.rulings import NOTE_CHARS_MAX, Queue
from hub.decisions.side_by_side import lines_of
from hub.membership.keyring import Keyring
from hub.preparation import UNREADABLE_RECORD
from hub.repair.redriving import Redriven, Redriver
from hub.web.answers import Notice, Page, away_to, fault_notice, page
from hub.web.asking import AnyRequest
from hub.web.backstage import Backstage, backstage_of
from hub.web.faults import Missing
from hub.web.forms import choices_of, clean, line_of
from hub.web.pages.deciding import OPT, SHOWN_MAX, actor_of, note_sight, number_of, surroundings, written
from hub.web.visitors import visitor_of
from hub.web.words import in_language
from protocol.codec import decode_event, decode_record
from protocol.errors import BadValue, DanglianError
from protocol.events import AccessChanged, Described
from protocol.records import Record
from replication import quarantine
from replication.inbox import Inbox
from replication.quarantine import Quarantined

RAW_BYTES_MAX = 8_000
"""Bytes of what arrived that a page shows."""


@get("/decisions/quarantine", opt=OPT)
async def show_quarantine(request: AnyRequest) -> Page:
    """List what was set aside, the newest first."""
    asked = request.query_params
    site, before = clean(asked.get("site", "")), number_of(asked.get("before", ""))

    def read(connection: Connection) -> dict[str, object]:
        found = quarantine.page(connection, site, before, SHOWN_MAX + 1)
        older_than = found[SHOWN_MAX - 1].id if len(found) > SHOWN_MAX else None
        return {**surroundings(connection, Queue.QUARANTINE), "items": found[:SHOWN_MAX], "older_than": older_than}

    values = await backstage_of(request).database.read(read)
    return page(request, "quarantine.html", values=values | {"site": site, "notice": _told(request)})


def _told(request: AnyRequest) -> Notice | None:
    asked, words = request.query_params, in_language(visitor_of(request).language).decisions
    done = asked.get("done", "")
    if done == "retried":
        figures = {one.value: number_of(asked.get(one.value, "")) or 0 for one in Redriven}
        return Notice(words=words.retried.format(**figures))
    told = {"dropped": words.dropped, "gone": words.gone}.get(done)
    return None if told is None else Notice(words=told)


@get("/decisions/quarantine/{number:int}", opt=OPT)
async def show_quarantined(request: AnyRequest, number: FromPath[int]) -> Page:
    """Show one thing beside what is held; a look at it is in the audit log.

    Raises:
        Missing: it is not there (any more).

    """
    return await _one_shown(request, number)


async def _one_shown(request: AnyRequest, number: int, notice: Notice | None = None, note: str = "") -> Page:
    def read(connection: Connection) -> dict[str, object] | None:
        for one in quarantine.named(connection, [number]):
            arrived = record_in(one)
            held = None if arrived is None else _held(connection, one.site, arrived)
            lines = [] if arrived is None else lines_of(held, arrived)
            return {**surroundings(connection, Queue.QUARANTINE), "one": one, "lines": lines}
        return None

    values = await backstage_of(request).database.read(read)
    if values is None:
        raise Missing
    one = values["one"]
    assert isinstance(one, Quarantined)  # noqa: S101 - what was put there above
    seal = quarantine_rulings.seal_of(one)
    await note_sight(request, seal)
    more = {"seal": seal, "raw": raw_of(one), "notice": notice, "note": note}
    return page(request, "quarantined.html", status=200 if notice is None else 400, values=values | more)


@post("/decisions/quarantine/retry", opt=OPT, status_code=200)
async def do_retry_shown(request: AnyRequest) -> Redirect:
    """Try those again that a page showed."""
    ids = [number for one in await choices_of(request, "id") if (number := number_of(one)) is not None]
    return await _retried(request, ids[:SHOWN_MAX])


@post("/decisions/quarantine/{number:int}/retry", opt=OPT, status_code=200)
async def do_retry(request: AnyRequest, number: FromPath[int]) -> Redirect:
    """Try one thing again."""
    return await _retried(request, [number])


@post("/decisions/quarantine/{number:int}/drop", opt=OPT, status_code=200)
async def do_drop(request: AnyRequest, number: FromPath[int]) -> Page | Redirect:
    """Drop one thing, with a reason."""
    seal, note = await line_of(request, "seal"), (await line_of(request, "note"))[:NOTE_CHARS_MAX]
    try:
        done = await written(
            request, lambda found, actor, now_ms: quarantine_rulings.drop(found, actor, number, seal, note, now_ms)
        )
    except BadValue as error:
        return await _one_shown(request, number, fault_notice(error, visitor_of(request)), note)
    return away_to("/decisions/quarantine", done="dropped" if done else "gone")


async def _retried(request: AnyRequest, ids: Collection[int]) -> Redirect:
    backstage = backstage_of(request)
    attempts = await (await _redriver(backstage)).retry_named(ids)
    if not attempts:
        return away_to("/decisions/quarantine", done="gone")
    actor, counts = actor_of(request), Counter(one.outcome for one in attempts)
    await backstage.database.write(
        lambda connection: quarantine_rulings.note_retry(connection, actor, attempts, backstage.clock_ms())
    )
    await backstage.live.read()
    return away_to("/decisions/quarantine", done="retried", **{one.value: str(counts[one]) for one in Redriven})


async def _redriver(backstage: Backstage) -> Redriver:
    """Return a redriver as the command has it, which works beside the daemon's own."""
    database, application = backstage.database, Application(backstage.clock_ms)
    keyring = Keyring(database)
    await keyring.refresh()
    return Redriver(database, application, Inbox(database, application, keyring.keys_of, backstage.clock_ms))


def record_in(one: Quarantined) -> Record | None:
    """Return the record that something in quarantine carries, as far as this version reads it."""
    try:
        if one.fault == UNREADABLE_RECORD:
            return decode_record(one.content)
        event = decode_event(one.content)
        return decode_record(event.record) if isinstance(event, Described | AccessChanged) else None
    except DanglianError:
        return None


def raw_of(one: Quarantined) -> str:
    """Return what arrived as a reader may see it: text laid out, anything else as figures."""
    try:
        return msgspec.json.format(one.content, indent=2).decode("utf-8")[:RAW_BYTES_MAX]
    except (msgspec.DecodeError, UnicodeDecodeError):
        return one.content[: RAW_BYTES_MAX // 4].hex(" ")


def _held(connection: Connection, site: str, arrived: Record) -> Record | None:
    try:
        return next((readable(one) for one in stored_of(connection, site, [arrived.record_id.bytes])), None)
    except BadValue:
        return None
