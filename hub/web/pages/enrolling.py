"""Enrolling a site: a code that is shown once, and how far the new installation has come, live."""

import datetime
import os

import msgspec
from litestar import get, post
from litestar.response import Redirect
from sqlalchemy import Connection

from hub.membership import codes, keyring
from hub.membership.codes import CodeOrder
from hub.sites import site_orders
from hub.staff.roles import Permission
from hub.web.admission import NEEDS
from hub.web.answers import Notice, Page, away_to, fault_notice, page
from hub.web.asking import AnyRequest
from hub.web.backstage import Backstage, backstage_of
from hub.web.forms import choices_of, clean, line_of
from hub.web.joining import joining_pieces
from hub.web.pages.deciding import actor_of, written
from hub.web.pages.tending import site_of
from hub.web.reach import DoorSigns
from hub.web.visitors import visitor_of
from hub.web.words import in_language
from protocol.county_time import ZONE
from protocol.enrolment import SECRET_BYTES, EnrolmentCode
from protocol.errors import BadValue, DanglianError, Refused
from protocol.sites import Site, parse_site
from protocol.wording import Text

NAME_CHARS_MAX = 60
"""Characters of what the county calls a site."""

_OPT = {NEEDS: Permission.ADMIT_SITES}


class IssuedCode(msgspec.Struct, frozen=True, kw_only=True):
    """A code as it is shown, once."""

    written: str
    expires: str
    command: str
    """What is typed at the site."""


@get("/enrolment", opt=_OPT)
async def show_enrolment(request: AnyRequest) -> Page:
    """Show the form, and how far a site has come that is named."""
    words = in_language(visitor_of(request).language).enrolment
    told = {"voided": words.voided, "none": words.none_open}.get(request.query_params.get("done", ""))
    named = clean(request.query_params.get("site", ""))
    return await _shown(request, named, notice=None if told is None else Notice(words=told))


@post("/enrolment", opt=_OPT, status_code=200)
async def do_issue_code(request: AnyRequest) -> Page:
    """Issue a code, and show it once; an earlier one of the site that nobody has used is void."""
    named, name = await line_of(request, "site"), (await line_of(request, "name"))[:NAME_CHARS_MAX]
    by_courier, replaces = bool(await choices_of(request, "courier")), bool(await choices_of(request, "replaces"))
    backstage, actor = backstage_of(request), actor_of(request)
    now = datetime.datetime.fromtimestamp(backstage.clock_ms() / 1000, datetime.UTC)
    secret = os.urandom(SECRET_BYTES)
    try:
        door, site = _door(backstage), parse_site(named)
        order = CodeOrder(site=site, name=name, valid_days=door.code_days, replaces=replaces, by_courier=by_courier)
        expires = await backstage.database.write(
            lambda connection: site_orders.issue_code(connection, actor, order, secret, now)
        )
    except (BadValue, Refused) as error:
        return await _shown(request, named, name=name, notice=fault_notice(error, visitor_of(request)))
    await backstage.live.read()
    return await _shown(request, site.code, issued=_issued(door, order, secret, expires))


@post("/enrolment/void", opt=_OPT, status_code=200)
async def do_void_code(request: AnyRequest) -> Redirect:
    """Make the open code of a site void.

    Raises:
        Missing: no such site.

    """
    site = site_of(await line_of(request, "site"))
    done = await written(request, lambda found, actor, now_ms: site_orders.void_codes(found, actor, site, now_ms))
    return away_to("/enrolment", site=site.code, done="voided" if done else "none")


def _issued(door: DoorSigns, order: CodeOrder, secret: bytes, expires: datetime.datetime) -> IssuedCode:
    fingerprint = door.courier_fingerprint if order.by_courier else door.fingerprint
    code = EnrolmentCode(secret=secret, fingerprint=fingerprint).written
    way = r"--courier E:\ ".rstrip() if order.by_courier else f"--hub {door.address}"
    return IssuedCode(
        written=code,
        expires=expires.astimezone(ZONE).strftime("%Y-%m-%d %H:%M"),
        command=f"danglian-node init {way} --code {code}",
    )


def _door(backstage: Backstage) -> DoorSigns:
    door = backstage.reach.door
    if door is None:
        raise Refused(
            Text(zh="登记入口没有打开。", en="the enrolment door is not open"),
            Text(
                zh="请检查枢纽日志，或用 danglian-hub enrol 签发。", en="See the hub's log, or use danglian-hub enrol."
            ),
        )
    return door


def _parsed(named: str) -> Site | None:
    try:
        return parse_site(named)
    except DanglianError:
        return None


async def _shown(
    request: AnyRequest,
    named: str,
    *,
    name: str = "",
    issued: IssuedCode | None = None,
    notice: Notice | None = None,
) -> Page:
    backstage, visitor, site = backstage_of(request), visitor_of(request), _parsed(named)

    def read(connection: Connection) -> tuple[str, bool, bool]:
        if site is None:
            return name, False, False
        is_open = any(one.site == site.code for one in codes.open_codes(connection, backstage.clock_ms()))
        return (
            name or keyring.expected_name(connection, site),
            bool(keyring.nodes(connection, site=site)),
            is_open,
        )

    known_name, has_node, is_open = await backstage.database.read(read)
    code = "" if site is None else site.code
    pieces = {}
    if site is not None:
        pieces = await joining_pieces(backstage, await backstage.live.now(), visitor.language, code)
    values = {
        "site": named,
        "name": known_name,
        "has_node": has_node,
        "is_open": is_open,
        "issued": issued,
        "pieces": pieces,
        "notice": notice,
        "name_chars": NAME_CHARS_MAX,
    }
    status = 400 if notice is not None and notice.is_fault else 200
    stream = f"/stream/joining/{code}" if code else ""
    return page(request, "enrolment.html", status=status, stream=stream, values=values)
