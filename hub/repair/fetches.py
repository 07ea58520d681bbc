"""Fetches: the hub tells a new node of a site what it holds of that site.

The subject proves whose node asks, for the broker lets a node publish only under its own site. One site's latest
question replaces an older one, and questions are answered one after the other, so that a node that repeats itself costs
one page at a time and never the memory.
"""

import asyncio
import binascii
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Mapping
from uuid import UUID

import msgspec
import structlog
from sqlalchemy import Connection

from hub.catalogue import tally_from, tally_statement
from hub.decisions.accepted_values import accepted_of
from hub.repair import withdrawn_content
from hub.repair.holdings import Cursor, HeldBody, page_of
from hub.sites.board import marks
from protocol import subjects
from protocol.codec import decode_record
from protocol.errors import BadValue, DanglianError
from protocol.holdings import FetchHeld, HeldCorrection, HeldPage, HeldRecord, HeldStone
from protocol.limits import HELD_PAGE_FILL_BYTES
from protocol.relays import is_asked
from protocol.sites import Site, parse_site
from protocol.vocabularies import AccessStatus
from protocol.wording import Text
from replication.bus import Bus, Message
from replication.database import Database
from replication.faults import FaultKind
from replication.holdings import decode_question, pack
from replication.outbox import EPOCH_BYTES

PAGE_ROWS = 1_000
"""Entries read for one page at most; usually its bytes fill up first."""

STONE_ROWS = 500
"""Withdrawn records of one page: some 300 bytes each."""

_QUESTION_CHARS_MAX = 8 * EPOCH_BYTES
"""Characters of a walk's name."""

_NO_CURSOR = Text(zh="无法识别的续读位置。", en="not a cursor of this hub")

log = structlog.get_logger(__name__)


async def answer_fetches(bus: Bus, database: Database, is_ours: Callable[[Site], bool] = lambda _: True) -> None:
    """Answer the questions of new nodes, of those sites that are ours, until cancelled."""
    latest: dict[str, FetchHeld] = {}
    arrived = asyncio.Event()

    def hear(message: Message) -> None:
        if is_asked(message.data):
            # About the files of a transfer: ``hub.transfers.passing`` answers.
            return
        try:
            asking = subjects.site_of(message.subject)
            question, site = decode_question(message.data), asking.code
        except BadValue:
            bus.note_fault(FaultKind.BAD_MESSAGE, message.subject)
            return
        if question.site != site or len(question.question) > _QUESTION_CHARS_MAX:
            bus.note_fault(FaultKind.FOREIGN_MESSAGE, message.subject)
            return
        if not is_ours(asking):
            # Another worker has the part that it belongs to, and answers.
            return
        latest[site] = question
        arrived.set()

    hearing = await bus.subscribe(subjects.FETCH_SUBJECTS, hear)
    try:
        while True:
            await arrived.wait()
            arrived.clear()
            while latest:
                await _answer(bus, database, latest.pop(next(iter(latest))))
    finally:
        await hearing.close()


async def _answer(bus: Bus, database: Database, question: FetchHeld) -> None:
    site = parse_site(question.site)
    try:
        page = await database.read(lambda connection: held_page(connection, site, question))
        await bus.publish(subjects.held(site), pack(page))
    except DanglianError as error:
        # The node asks again; meanwhile others have their turn.
        log.warning("holdings_not_told", site=question.site, reason=error.reason.en)
        return
    if not question.after:
        log.info("restoring_a_node", site=question.site, records=page.total)


def held_page(connection: Connection, site: Site, question: FetchHeld) -> HeldPage:
    """Return the page that a question asks for: first of what stands, then of what was withdrawn.

    Raises:
        BadValue: the cursor is none of ours.

    """
    place = _cursor_from(question.after)
    if place.is_withdrawn:
        return _page(connection, site, question, (), *_stones(connection, site, place.record_id))
    rows = page_of(connection, site.code, place, PAGE_ROWS)
    filled, chosen = 0, list[HeldBody]()
    for row in rows:
        if chosen and filled + len(row.body) > HELD_PAGE_FILL_BYTES:
            break
        filled += len(row.body)
        chosen.append(row)
    more = len(chosen) < len(rows) or len(rows) == PAGE_ROWS
    corrected = accepted_of(connection, site.code)
    records = tuple(held for row in chosen if (held := _held(row, corrected)) is not None)
    if more and chosen:
        return _page(connection, site, question, records, (), chosen[-1].cursor)
    has_stones = bool(withdrawn_content.page_of(connection, site.code, b"", 1))
    return _page(connection, site, question, records, (), Cursor(is_withdrawn=True) if has_stones else None)


def _stones(connection: Connection, site: Site, after: bytes) -> tuple[tuple[HeldStone, ...], Cursor | None]:
    """Return the next withdrawn records, and where the walk goes on; None at its end."""
    stones = withdrawn_content.page_of(connection, site.code, after, STONE_ROWS)
    is_last = len(stones) < STONE_ROWS
    return tuple(stones), None if is_last else Cursor(record_id=stones[-1].record_id.bytes, is_withdrawn=True)


def _page(
    connection: Connection,
    site: Site,
    question: FetchHeld,
    records: tuple[HeldRecord, ...],
    stones: tuple[HeldStone, ...],
    goes_on: Cursor | None,
) -> HeldPage:
    mark = marks(connection).get(site.code)
    tally = tally_from(connection.execute(tally_statement(site.code)).one())
    return HeldPage(
        site=site.code,
        question=question.question,
        after=question.after,
        cursor=_cursor_text(goes_on) if goes_on is not None else "",
        records=records,
        withdrawn=stones,
        epoch=mark.epoch if mark is not None else "",
        position=mark.position if mark is not None else 0,
        total=tally.count,
        digest=tally.digest,
    )


def _held(row: HeldBody, corrected: Mapping[UUID, tuple[HeldCorrection, ...]]) -> HeldRecord | None:
    """Return one entry as it travels; None for one that the disk has spoilt, which the folder must tell anew."""
    try:
        record = decode_record(row.body)
    except BadValue:
        return None
    status = AccessStatus(row.access_status)
    return HeldRecord(
        record=msgspec.Raw(row.body),
        access_status=status if status is not record.access_status else None,
        corrected=corrected.get(record.record_id, ()),
    )


def _cursor_text(cursor: Cursor) -> str:
    return urlsafe_b64encode(msgspec.json.encode(cursor)).decode("ascii")


def _cursor_from(text: str) -> Cursor:
    if not text:
        return Cursor()
    try:
        return msgspec.json.decode(urlsafe_b64decode(text.encode("ascii")), type=Cursor)
    except (msgspec.DecodeError, UnicodeError, binascii.Error) as error:
        raise BadValue(_NO_CURSOR) from error
