"""What a person does about one site from its page: compare it now, have it describe everything, revoke a key."""

import asyncio
from collections.abc import Callable

from litestar import post
from litestar.params import FromPath
from litestar.response import Redirect
from sqlalchemy import Connection

from hub import audit
from hub.audit import Action, AuditEntry
from hub.decisions.rulings import NOTE_CHARS_MAX
from hub.repair import verification
from hub.repair.repairs import Cause
from hub.repair.verification import Scope, verify
from hub.sites import site_orders
from hub.staff.administration import Actor
from hub.staff.roles import Permission
from hub.web.admission import NEEDS
from hub.web.answers import Notice, Page, away_to, fault_notice
from hub.web.asking import AnyRequest
from hub.web.backstage import Backstage, backstage_of
from hub.web.faults import Missing
from hub.web.forms import line_of
from hub.web.pages.deciding import actor_of, written
from hub.web.pages.sites import site_page
from hub.web.visitors import visitor_of
from protocol.errors import BadValue, Refused, Retryable
from protocol.sites import Site, parse_site
from protocol.wording import Text

COMPARED_S = 20.0
"""Seconds that a person waits for a comparison; the background goes on with what takes longer."""

_TEND = {NEEDS: Permission.TEND_SITES}
_ADMIT = {NEEDS: Permission.ADMIT_SITES}


@post("/sites/{code:str}/verify", opt=_TEND, status_code=200)
async def do_verify_site(request: AnyRequest, code: FromPath[str]) -> Page:
    """Compare a site now, and say what came of it."""
    backstage, site = backstage_of(request), site_of(code)
    actor = actor_of(request)
    entry = AuditEntry(who=actor.who, action=Action.VERIFY_ASKED, object=site.code, origin=actor.origin)
    await backstage.database.write(lambda connection: audit.append(connection, entry, backstage.clock_ms()))
    outcome = await _compared(backstage, site)
    await backstage.live.read()
    language = visitor_of(request).language.value
    is_fault = outcome in (verification.DIFFERENT, verification.DAMAGED)
    return await site_page(
        request, code, Notice(words=outcome.in_language(language) + _END[language], is_fault=is_fault)
    )


_END = {"zh": "。", "en": "."}


@post("/sites/{code:str}/baseline", opt=_TEND, status_code=200)
async def do_ask_baseline(request: AnyRequest, code: FromPath[str]) -> Page | Redirect:
    """Have a site describe everything again."""
    return await _ordered(request, code, "baseline", site_orders.ask_baseline)


@post("/sites/{code:str}/revoke", opt=_ADMIT, status_code=200)
async def do_revoke(request: AnyRequest, code: FromPath[str]) -> Page | Redirect:
    """Take the right to speak for a site from one of its installations."""
    key, because = await line_of(request, "key"), (await line_of(request, "because"))[:NOTE_CHARS_MAX]
    return await _ordered(
        request,
        code,
        "revoked",
        lambda found, actor, site, now_ms: site_orders.revoke(found, actor, site, key, because, now_ms),
    )


async def _ordered(
    request: AnyRequest, code: str, done: str, step: Callable[[Connection, Actor, Site, int], bool]
) -> Page | Redirect:
    site = site_of(code)
    try:
        is_new = await written(request, lambda found, actor, now_ms: step(found, actor, site, now_ms))
    except (BadValue, Refused) as error:
        return await site_page(request, code, fault_notice(error, visitor_of(request)))
    return away_to(f"/sites/{code}", done=done if is_new else "as_before")


async def _compared(backstage: Backstage, site: Site) -> Text:
    """Return what a comparison says; what takes too long is left to the background."""
    asker = backstage.reach.asker
    if asker is None:
        return verification.LINK_DOWN
    try:
        async with asyncio.timeout(COMPARED_S):
            verdicts = verify(backstage.database, asker, [site], backstage.clock_ms, scope=Scope(cause=Cause.ASKED))
            found = [one.reason async for one in verdicts]
    except TimeoutError:
        return verification.LATE
    except Retryable as error:
        return error.reason
    return found[0] if found else verification.SILENT


def site_of(code: str) -> Site:
    """Return the site of a code.

    Raises:
        Missing: it is no code of a site.

    """
    try:
        return parse_site(code)
    except BadValue as error:
        raise Missing from error
