"""Copies and certificates: ordered of the holder, printed on numbered sheets, spoilt, revoked; and their files."""

import asyncio
import re
from collections.abc import Callable
from typing import Final
from uuid import UUID, uuid4

from litestar import get, post
from litestar.params import FromPath
from litestar.response import Redirect, Response
from sqlalchemy import Connection

from hub.membership.keyring import site_names
from hub.staff.administration import Actor
from hub.web.answers import Page, away_to, fault_notice, page
from hub.web.asking import AnyRequest, id_of
from hub.web.backstage import backstage_of
from hub.web.faults import Missing
from hub.web.forms import fields_of, line_of
from hub.web.pages.deciding import note_sight
from hub.web.pages.window_request import present, shown
from hub.web.pages.windowing import CLERK, done, parts_of
from hub.web.request_copies import certificate_of
from hub.web.visitors import visitor_of
from hub.window import access_book, certificates, copies, issuance, lookup_reading, serials, sheets
from hub.window.access_book import Judged
from hub.window.certificates import Printing
from hub.window.copy_orders import CopyWish
from hub.window.lookup_views import HitView
from hub.window.requests import Request, Use
from hub.window.serials import Fate
from protocol.certificates import is_serial
from protocol.copies import COPY_PAGES_MAX, PRODUCTS, CopyAsked, Product
from protocol.errors import BadFile, BadValue, DanglianError
from protocol.masking import UNTOLD_TITLE
from protocol.wording import Text

_PART: Final = re.compile(r"([0-9]{1,4})(?:\s*[-–—~～]\s*([0-9]{1,4}))?")
_PARTS: Final = re.compile(r"[、，,;；\s]+(?![-–—~～])")


@get("/window/requests/{name:str}/copy", opt=CLERK)
async def show_order(request: AnyRequest, name: FromPath[str]) -> Page:
    """Show the form of an order."""
    one = await present(request, id_of(name))
    entry = request.query_params.get("entry", "")
    typed = {"product": Product.CERTIFIED_COPY.value, "pages": "", "facts": "", "replaces": ""}
    replaces = request.query_params.get("replaces", "")
    if replaces:
        known = await backstage_of(request).database.read(lambda connection: _replaced(connection, one, replaces))
        typed = {
            "product": known.product.value,
            "pages": ", ".join(map(str, known.pages)),
            "facts": "\n".join(known.facts),
            "replaces": replaces,
        }
    return await _order_page(request, one, entry, str(uuid4()), typed)


@post("/window/requests/{name:str}/copy", opt=CLERK, status_code=200)
async def do_order(request: AnyRequest, name: FromPath[str]) -> Page | Redirect:
    """Send an order to the holder."""
    request_id, entry = id_of(name), await line_of(request, "entry")
    one, copy_id = await present(request, request_id), await line_of(request, "copy")
    sent = await fields_of(request)
    typed = {field: sent.get(field, [""])[0] for field in ("product", "pages", "facts", "replaces")}
    hit, judged = await _granted(request, one, entry)
    try:
        wish = _wish(one, hit, judged, id_of(copy_id), typed)
        if wish.replaces:
            await backstage_of(request).database.read(lambda connection: _replaced(connection, one, wish.replaces))
        routes = parts_of(request).routes
        await done(request, lambda connection, actor, now: issuance.order(connection, actor, wish, routes, now))
    except DanglianError as error:
        return await _order_page(request, one, entry, copy_id, typed, error)
    return away_to(f"/window/requests/{request_id}", done="sent")


@post("/window/requests/{name:str}/withdraw", opt=CLERK, status_code=200)
async def do_withdraw(request: AnyRequest, name: FromPath[str]) -> Page | Redirect:
    """Take an order back."""
    request_id, copy_id = id_of(name), id_of(await line_of(request, "copy"))

    def step(connection: Connection, actor: Actor, now_ms: int) -> object:
        if copies.found(connection, copy_id).asked.request_id != request_id:
            raise Missing
        return copies.withdraw(connection, copy_id, actor.who, "", now_ms)

    return await _answered(request, request_id, "copy_withdrawn", step)


@post("/window/requests/{name:str}/print", opt=CLERK, status_code=200)
async def do_print(request: AnyRequest, name: FromPath[str]) -> Page | Redirect:
    """Note the sheets on which a certificate was printed: it is issued."""
    request_id, serial = id_of(name), await line_of(request, "serial")
    first, printer = await line_of(request, "sheet"), await line_of(request, "printer")

    def step(connection: Connection, actor: Actor, now_ms: int) -> object:
        certificate_of(connection, request_id, serial)
        printing = Printing(first_sheet=first, printer=printer)
        return issuance.issue(connection, actor, serial, printing, now_ms)

    return await _answered(request, request_id, "printed", step)


@post("/window/requests/{name:str}/spoil", opt=CLERK, status_code=200)
async def do_spoil(request: AnyRequest, name: FromPath[str]) -> Page | Redirect:
    """Note a sheet as spoiled."""
    request_id, sheet = id_of(name), await line_of(request, "sheet")
    because = await line_of(request, "because")

    return await _answered(
        request,
        request_id,
        "spoiled",
        lambda connection, actor, now: issuance.spoil(connection, actor, sheet, because, now),
    )


@post("/window/requests/{name:str}/paper", opt=CLERK, status_code=200)
async def do_receive(request: AnyRequest, name: FromPath[str]) -> Page | Redirect:
    """Enter numbered paper that came in."""
    request_id, first, last = id_of(name), await line_of(request, "first"), await line_of(request, "last")
    return await _answered(
        request,
        request_id,
        "received",
        lambda connection, actor, now: sheets.receive(connection, first, last, actor.who, now),
    )


@post("/window/requests/{name:str}/revoke", opt=CLERK, status_code=200)
async def do_revoke(request: AnyRequest, name: FromPath[str]) -> Page | Redirect:
    """Revoke a certificate."""
    request_id, serial = id_of(name), await line_of(request, "serial")
    because = await line_of(request, "because")

    def step(connection: Connection, actor: Actor, now_ms: int) -> object:
        certificate_of(connection, request_id, serial)
        return issuance.revoke(connection, actor, serial, because, now_ms)

    return await _answered(request, request_id, "revoked", step)


@get("/window/certificates/{name:str}", opt=CLERK)
async def fetch_certificate(request: AnyRequest, name: FromPath[str]) -> Response[bytes]:
    """Give a certificate's PDF, byte for byte as it was made; that it was looked at is in the audit log.

    Raises:
        Missing: there is none of this serial, or its file is gone or spoilt; the page of the request says which.

    """
    serial, home = name.removesuffix(".pdf"), parts_of(request).home
    if not is_serial(serial) or home is None:
        raise Missing
    one = await backstage_of(request).database.read(lambda connection: serials.look_up(connection, serial))
    if one is None or one.fate not in (Fate.READY, Fate.ISSUED, Fate.REVOKED):
        raise Missing
    try:
        pdf = await asyncio.to_thread(certificates.pdf_of, home, one)
    except BadFile as error:
        raise Missing from error
    # Its pages are those of a record that may be closed.
    await note_sight(request, f"certificate {serial}")
    headers = {"content-disposition": f'inline; filename="{serial}.pdf"'}
    return Response(content=pdf, media_type="application/pdf", headers=headers)


async def _answered(
    request: AnyRequest, request_id: UUID, told: str, step: Callable[[Connection, Actor, int], object]
) -> Page | Redirect:
    try:
        await done(request, step)
    except DanglianError as error:
        one = await present(request, request_id)
        return await shown(request, one, fault_notice(error, visitor_of(request)), 400)
    return away_to(f"/window/requests/{request_id}", done=told)


async def _granted(request: AnyRequest, one: Request, entry: str) -> tuple[HitView, Judged]:
    """Return an entry that was found for a request and may be certified, with the decision.

    Raises:
        Missing: it was not found, or nobody allowed a certified copy or statement of it.

    """

    def read(connection: Connection) -> tuple[HitView | None, Judged | None]:
        views = [lookup_reading.view_of(connection, question.question_id) for question in one.content.questions]
        hits = [hit for view in views if view is not None for hit in view.hits]
        hit = next((hit for hit in hits if f"{hit.site} {hit.record.record_id}" == entry), None)
        if hit is None or not access_book.may_have(
            connection, one.request_id, hit.site, hit.record.record_id, Use.CERTIFIED
        ):
            return hit, None
        judged = access_book.of_request(connection, one.request_id)
        return hit, next(j for j in judged if f"{j.asked.site} {j.asked.record_id}" == entry)

    hit, judged = await backstage_of(request).database.read(read)
    if hit is None or judged is None:
        raise Missing
    return hit, judged


async def _name_of(request: AnyRequest, site: str) -> str:
    """Return a holder's name, or its code where it has none."""
    names = await backstage_of(request).database.read(site_names)
    return names.get(site) or site


async def _order_page(
    request: AnyRequest,
    one: Request,
    entry: str,
    copy_id: str,
    typed: dict[str, str],
    fault: DanglianError | None = None,
) -> Page:
    hit, judged = await _granted(request, one, entry)
    values = {
        "one": one,
        "hit": hit,
        "entry": entry,
        "copy_id": copy_id,
        "title": "" if hit.record.title == UNTOLD_TITLE else hit.record.title,
        "holder_name": await _name_of(request, hit.site),
        "products": PRODUCTS,
        "typed": typed,
        "basis": judged.decision.reason,
        "notice": None if fault is None else fault_notice(fault, visitor_of(request)),
    }
    return page(request, "copy_order.html", status=200 if fault is None else 400, values=values)


def _wish(one: Request, hit: HitView, judged: Judged, copy_id: UUID, typed: dict[str, str]) -> CopyWish:
    product = Product(typed["product"]) if typed["product"] in tuple(Product) else Product.CERTIFIED_COPY
    facts = tuple(line.strip() for line in typed["facts"].splitlines() if line.strip())
    return CopyWish(
        copy_id=copy_id,
        request_id=one.request_id,
        record_id=hit.record.record_id,
        site=hit.site,
        product=product,
        purpose=one.content.purpose.value,
        case_no=one.content.case_ref,
        requester=one.content.applicant.requester.value,
        pages=pages_of(typed["pages"]) if product is Product.CERTIFIED_COPY else (),
        facts=facts if product is Product.STATEMENT else (),
        basis=judged.decision.named,
        replaces=typed["replaces"],
    )


def _replaced(connection: Connection, one: Request, serial: str) -> CopyAsked:
    """Return what was asked of the holder for a certificate of this request that is to be certified anew.

    Raises:
        Missing: there is no such certificate, or another has taken its place already.

    """
    known = certificate_of(connection, one.request_id, serial) if is_serial(serial) else None
    if known is None or known.copy_id is None or known.replaced_by or known.fate not in (Fate.ISSUED, Fate.REVOKED):
        raise Missing
    return copies.found(connection, known.copy_id).asked


def pages_of(text: str) -> tuple[int, ...]:
    """Read page numbers as a clerk types them, such as ``1-3、5``; nothing stands for all.

    Raises:
        BadValue: they cannot be read, or are too many.

    """
    found: set[int] = set()
    for part in filter(None, _PARTS.split(text.strip())):
        matched = _PART.fullmatch(part)
        first, last = (int(matched[1]), int(matched[2] or matched[1])) if matched is not None else (1, 0)
        if not first <= last or last - first > COPY_PAGES_MAX or not first:
            raise BadValue(
                Text(zh="页号看不懂。", en="the page numbers cannot be read"),
                Text(zh="例如 1-3、5；不填即全部。", en="Such as 1-3, 5; empty for all."),
            )
        found.update(range(first, last + 1))
    return tuple(sorted(found))
