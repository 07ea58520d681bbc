"""Transfers: the list, one with its progress, findings, rulings and signatures, its items, and the paper."""

import asyncio
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from uuid import UUID

import msgspec
from litestar import get
from litestar.params import FromPath
from sqlalchemy import Connection

from hub.staff.roles import Permission
from hub.transfers import deciding, listing
from hub.transfers.listing import TransferView
from hub.transfers.telling import COURSE, RULINGS, is_ours, next_name, told
from hub.web.admission import NEEDS
from hub.web.answers import Notice, Page, page
from hub.web.asking import AnyRequest, id_of
from hub.web.backstage import Backstage, backstage_of
from hub.web.faults import Missing
from hub.web.forms import clean
from hub.web.languages import Language
from hub.web.pages.deciding import names_of, note_sight, number_of
from hub.web.pieces import Pieces
from hub.web.transfer_faults import SHARED_LEAD, WAIVABLE, each_once, findings, shared_by
from hub.web.visitors import visitor_of
from hub.web.words import in_language
from protocol.check_results import OUTCOME_WORDS, Outcome
from protocol.errors import BadValue
from protocol.handovers import certificate_digest, certificate_of
from protocol.transfer_folds import Transfer, last_rulings
from protocol.transfers import WORDS_CHARS_MAX, Ruling, TransferState
from protocol.vocabularies import LIVELIHOOD_KINDS
from protocol.wording import Text
from replication import transfer_items
from replication.checks.rule_table import default_rules
from replication.transfer_checks import OPINIONS
from replication.transfer_items import ItemState, TransferItem
from replication.transfer_rounds import Fault, Round
from replication.transfer_scans import files_of
from replication.transfer_words import ITEM_STATES, NATURES, STATES

FAULTY_SHOWN_MAX = 30
"""Items with findings on a transfer's page; the rest is in the list of items."""

ITEMS_A_PAGE = 100
"""Items on one page of their list."""

STEPS_SHOWN_MAX = 200
"""Steps of the log on a page, the latest first."""

OPT = {NEEDS: Permission.RECEIVE_TRANSFERS}
"""What every page here needs."""

KINDS = {kind: Text(zh=one.zh, en=one.en) for kind, one in LIVELIHOOD_KINDS.items()}
SEVERAL = {"RULINGS": RULINGS, "STATES": STATES, "NATURES": NATURES, "ITEM_STATES": ITEM_STATES}


class ItemBook(msgspec.Struct, frozen=True, kw_only=True):
    """One item with what is beside it."""

    view: TransferView
    item: TransferItem
    faults: list[Fault]
    before: TransferItem | None
    after: TransferItem | None


@get("/transfers", opt=OPT)
async def show_transfers(request: AnyRequest) -> Page:
    """List transfers, those that moved last being first."""
    chosen, site = request.query_params.get("state", ""), clean(request.query_params.get("site", ""))
    states = [TransferState(chosen)] if chosen in tuple(TransferState) else []

    def read(connection: Connection) -> dict[str, object]:
        with_over = bool(states) or chosen == "all"
        lines = listing.transfers(connection, site=site, states=states, with_over=with_over)
        counts = listing.counts_by_state(connection, site)
        return {"lines": lines, "counts": counts, "names": names_of(connection)}

    values = await backstage_of(request).database.read(read)
    return page(request, "transfers.html", values={**values, **SEVERAL, "chosen": chosen, "site": site})


@get("/transfers/{name:str}", opt=OPT)
async def show_transfer(request: AnyRequest, name: FromPath[str]) -> Page:
    """Show one transfer."""
    words = in_language(visitor_of(request).language).transfers
    done = {
        "ruled": words.ruled_done,
        "decided": words.decided_done,
        "sent_back": words.sent_back_done,
        "signed": words.signed_done,
        "cancelled": words.cancelled_done,
        "counted": words.counted_done,
    }
    said = done.get(request.query_params.get("done", ""))
    return await transfer_page(request, id_of(name), None if said is None else Notice(words=said))


async def transfer_page(
    request: AnyRequest, transfer_id: UUID, notice: Notice | None, typed: Mapping[str, str] = MappingProxyType({})
) -> Page:
    """Return the page of one transfer, with what is to be said at its top.

    Args:
        request: who asks.
        transfer_id: which.
        notice: what is to be said.
        typed: what stood in the form of the count that could not be taken.

    Raises:
        Missing: there is none of this id.

    """
    backstage, visitor = backstage_of(request), visitor_of(request)
    view, values = await backstage.database.read(lambda connection: _read(connection, transfer_id))
    now = view.transfer
    more = {
        **SEVERAL,
        "pieces": _drawn(backstage, visitor.language, view),
        "course": COURSE,
        "can_work": backstage.reach.receiving is not None and not view.is_witnessed,
        "unit": "" if backstage.reach.receiving is None else backstage.reach.receiving.unit,
        "names": await backstage.database.read(names_of),
        "notice": notice,
        "typed": typed,
        "reason_chars": WORDS_CHARS_MAX,
        "told": told,
        "steps": tuple(reversed(view.steps))[:STEPS_SHOWN_MAX],
        "certificate": certificate_of(now) if now.state not in BEFORE_PAPERS else None,
    }
    status = 400 if notice is not None and notice.is_fault else 200
    return page(
        request, "transfer.html", status=status, stream=f"/stream/transfer/{transfer_id}", values={**values, **more}
    )


BEFORE_PAPERS = (
    *(TransferState.PLANNED, TransferState.PREPARED, TransferState.SUBMITTED, TransferState.CHECKING),
    *(TransferState.RETURNED, TransferState.CANCELLED),
)
"""States in which there is no handover certificate."""


def _read(connection: Connection, transfer_id: UUID) -> tuple[TransferView, dict[str, object]]:
    view = view_of(connection, transfer_id)
    now, work = view.transfer, work_of(view)
    faulty = deciding.faults_by_item(connection, now) if work is not None and work.standing else {}
    items = transfer_items.listed(connection, transfer_id, states=deciding.IN_PLAY)
    ruled = {one.record_id: one for one in last_rulings(now)}
    standing = [one for one in items if one.ref_code in faulty]
    counts = {ruling: sum(one.ruling is ruling for one in ruled.values()) for ruling in Ruling}
    unruled = sum(one.record_id not in ruled for one in standing)
    counts[Ruling.ACCEPT] = len(items) - counts[Ruling.RETURN] - counts[Ruling.HOLD] - unruled
    open_faults = [fault for one in standing if one.record_id not in ruled for fault in faulty[one.ref_code]]
    waivable = {fault.rule for fault in (*open_faults, *faulty.get("", ())) if fault.outcome in WAIVABLE}
    told = findings(faulty, [one.ref_code for one in items])
    listed = [one for one in standing if one.ref_code in told.own]
    return view, {
        "view": view,
        "now": now,
        "work": work,
        "faulty": listed[:FAULTY_SHOWN_MAX],
        "faulty_count": len(listed),
        "unruled": unruled,
        "faults_of": {**told.own, **({"": each_once(faulty[""])} if "" in faulty else {})},
        "shared": told.shared,
        "shared_by": shared_by(len(items)),
        "shared_lead": SHARED_LEAD,
        "ruled": ruled,
        "ruling_counts": counts,
        "waivable": sorted(waivable),
        "rule_names": rule_names(),
        "outcomes": OUTCOME_WORDS,
        "boxes_expected": deciding.expected_boxes(connection, transfer_id),
        "boxes_seen": {one.box: one for one in now.boxes},
    }


def view_of(connection: Connection, transfer_id: UUID) -> TransferView:
    """Return one transfer.

    Raises:
        Missing: there is none of this id.

    """
    try:
        return listing.view(connection, transfer_id)
    except BadValue as error:
        raise Missing from error


def work_of(view: TransferView) -> Round | None:
    """Return how the present round stands here."""
    return next((one for one in view.rounds if one.round == view.transfer.round), None)


def rule_names() -> dict[str, object]:
    """Return what the rules of the checks are called."""
    return {OPINIONS: _OPINIONS, **{one.id: one.name for one in default_rules().rules}}


_OPINIONS = Text(zh="开放审核意见、公开属性、密级齐全", en="opinion, disclosure and secrecy attached")


def _drawn(backstage: Backstage, language: Language, view: TransferView) -> Pieces:
    """Return the pieces of a transfer's page that move by themselves."""
    now, work = view.transfer, work_of(view)
    values: dict[str, object] = {
        "w": in_language(language),
        "lang": language.value,
        **SEVERAL,
        "now": now,
        "work": work,
        "is_ours": is_ours(now) and not view.is_witnessed,
        "next": "next_giver" if view.is_witnessed and not now.state.is_over else next_name(now, work),
        "course": COURSE,
        "reached": COURSE.index(now.state) if now.state in COURSE else _REACHED.get(now.state, -1),
    }
    return {"transfer-progress": backstage.printer.render("pieces/transfer-progress.html", values)}


_REACHED = {TransferState.RETURNED: COURSE.index(TransferState.CHECKING), TransferState.LOADED: len(COURSE) - 2}


async def pieces_of(backstage: Backstage, language: Language, transfer_id: UUID) -> Pieces:
    """Return the pieces of a transfer's page as they are now."""
    view = await backstage.database.read(lambda connection: view_of(connection, transfer_id))
    return _drawn(backstage, language, view)


@get("/transfers/{name:str}/items", opt=OPT)
async def show_items(request: AnyRequest, name: FromPath[str]) -> Page:
    """List the items of a transfer."""
    transfer_id, chosen = id_of(name), request.query_params.get("state", "")
    after = number_of(request.query_params.get("after", ""))
    states = [ItemState(chosen)] if chosen in tuple(ItemState) else []

    def read(connection: Connection) -> dict[str, object]:
        view = view_of(connection, transfer_id)
        found = listing.items(
            connection, transfer_id, states=states, after=-1 if after is None else after, limit=ITEMS_A_PAGE + 1
        )
        shown = found[:ITEMS_A_PAGE]
        in_play = transfer_items.listed(connection, transfer_id, states=deciding.IN_PLAY)
        faulty = findings(deciding.faults_by_item(connection, view.transfer), [one.ref_code for one in in_play]).own
        return {
            "view": view,
            "now": view.transfer,
            "items": shown,
            "next_after": shown[-1].sequence if len(found) > ITEMS_A_PAGE else None,
            "faulty": faulty,
            "ruled": {one.record_id: one for one in last_rulings(view.transfer)},
        }

    values = await backstage_of(request).database.read(read)
    return page(request, "transfer_items.html", values={**values, **SEVERAL, "chosen": chosen, "after": after})


@get("/transfers/{name:str}/items/{record:str}", opt=OPT)
async def show_item(request: AnyRequest, name: FromPath[str], record: FromPath[str]) -> Page:
    """Show one item: what the checks found beside its scans."""
    return await item_page(request, id_of(name), id_of(record), None)


async def item_page(request: AnyRequest, transfer_id: UUID, record_id: UUID, notice: Notice | None) -> Page:
    """Return the page of one item.

    Raises:
        Missing: there is no such item.

    """
    backstage = backstage_of(request)
    book = await backstage.database.read(lambda connection: _item_book(connection, transfer_id, record_id))
    now, item = book.view.transfer, book.item
    files = await files_here(backstage, book.view, item)
    at = min(max(0, (number_of(request.query_params.get("file", "")) or 1) - 1), max(0, len(files) - 1))
    await note_sight(request, f"transfer {transfer_id} {record_id}")
    work = work_of(book.view)
    values = {
        **SEVERAL,
        "now": now,
        "item": item,
        "faults": book.faults,
        "before": book.before,
        "after": book.after,
        "files": [one.name for one in files],
        "at": at,
        "rule_names": rule_names(),
        "outcomes": OUTCOME_WORDS,
        "ruling": next((one for one in last_rulings(now) if one.record_id == record_id), None),
        "can_rule": backstage.reach.receiving is not None
        and now.state is TransferState.CHECKING
        and item.state in deciding.IN_PLAY
        and work is not None
        and bool(work.standing),
        "must_not_accept": any(one.is_mandatory and one.outcome is Outcome.FAILED for one in book.faults),
        "reason_chars": WORDS_CHARS_MAX,
        "proposed": "；".join(
            dict.fromkeys(f"{one.evidence.zh} {one.remedy.zh}".strip() for one in book.faults if one.is_mandatory)
        )[:WORDS_CHARS_MAX],
        "notice": notice,
    }
    status = 400 if notice is not None and notice.is_fault else 200
    return page(request, "transfer_item.html", status=status, values=values)


def _item_book(connection: Connection, transfer_id: UUID, record_id: UUID) -> ItemBook:
    view = view_of(connection, transfer_id)
    item = transfer_items.found(connection, transfer_id, record_id)
    if item is None:
        raise Missing
    number = item.round or view.transfer.round
    before, after = transfer_items.neighbours(connection, transfer_id, item)
    return ItemBook(
        view=view,
        item=item,
        faults=listing.faults(connection, transfer_id, round_number=number, ref_code=item.ref_code),
        before=before,
        after=after,
    )


async def files_here(backstage: Backstage, view: TransferView, item: TransferItem) -> list[Path]:
    """Return the files of an item in the package that carried it last; none where it is not here."""
    receiving = backstage.reach.receiving
    work = next((one for one in view.rounds if one.round == item.round), None)
    if receiving is None or work is None:
        return []
    try:
        return await asyncio.to_thread(files_of, receiving.home / work.package, str(item.record_id))
    except OSError:
        return []


@get("/transfers/{name:str}/certificate", opt=OPT)
async def show_certificate(request: AnyRequest, name: FromPath[str]) -> Page:
    """Show the handover certificate as it is printed.

    Raises:
        Missing: it is not made yet.

    """
    transfer_id = id_of(name)
    view = await backstage_of(request).database.read(lambda connection: view_of(connection, transfer_id))
    now: Transfer = view.transfer
    certificate = None if now.state in BEFORE_PAPERS else certificate_of(now)
    if certificate is None:
        raise Missing
    values = {**SEVERAL, "kinds": KINDS, "now": now, "one": certificate, "digest": certificate_digest(certificate)}
    return page(request, "transfer_certificate.html", values=values)
