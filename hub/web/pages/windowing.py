"""What the window's pages share: who may come in, ids in addresses, the day of today, steps taken as the visitor."""

import datetime
from collections.abc import Callable
from typing import Final, TypeVar

from sqlalchemy import Connection

from hub.staff.administration import Actor
from hub.staff.roles import Permission
from hub.web.admission import NEEDS
from hub.web.asking import AnyRequest
from hub.web.backstage import Backstage, backstage_of
from hub.web.pages.deciding import actor_of
from hub.web.visitors import Visitor
from hub.web.window_parts import WindowParts
from protocol.county_time import day_of

T = TypeVar("T")

CLERK: Final = {NEEDS: Permission.WORK_REQUESTS}
"""What most pages here need; a reviewer comes to the request's page only."""


def parts_of(request: AnyRequest) -> WindowParts:
    """Return what the window's pages use."""
    return backstage_of(request).reach.window


def today_of(backstage: Backstage) -> datetime.date:
    """Return the day in China."""
    return day_of(backstage.clock_ms())


def may_come_in(visitor: Visitor) -> bool:
    """Tell whether a visitor has anything to do at the window."""
    return visitor.may(Permission.WORK_REQUESTS) or visitor.may(Permission.APPROVE_ACCESS)


async def done(request: AnyRequest, step: Callable[[Connection, Actor, int], T]) -> T:
    """Do something in one transaction, as the visitor, now."""
    backstage = backstage_of(request)
    actor, now_ms = actor_of(request), backstage.clock_ms()
    return await backstage.database.write(lambda connection: step(connection, actor, now_ms))
