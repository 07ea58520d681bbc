"""The rules of access in force, to be read."""

import asyncio

from litestar import get

from hub.web.answers import Page, page
from hub.web.asking import AnyRequest
from hub.web.faults import Forbidden
from hub.web.pages.window_request import OPT
from hub.web.pages.windowing import may_come_in, parts_of
from hub.web.rule_rows import rows_of
from hub.web.visitors import visitor_of
from hub.window.requests import USES


@get("/window/rules", opt=OPT)
async def show_rules(request: AnyRequest) -> Page:
    """Show the rules.

    Raises:
        Forbidden: the visitor has nothing to do at the window.

    """
    if not may_come_in(visitor_of(request)):
        raise Forbidden
    version, rules = await asyncio.to_thread(parts_of(request).rules)
    return page(request, "rules.html", values={"version": version, "rows": rows_of(rules), "uses": USES})
