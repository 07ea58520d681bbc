"""``/health`` for whoever only asks whether the hub works, and ``/metrics`` for monitors that hold a token."""

import asyncio
from typing import Final

import msgspec
from litestar import get
from litestar.response import Response

from hub.alarm import metrics
from hub.alarm.health import Standing
from hub.staff.tokens import Scope
from hub.web.api.bearers import bearer_of, check_pace
from hub.web.asking import AnyRequest
from hub.web.backstage import backstage_of
from hub.web.faults import Missing

ANSWER_S: Final = 10.0
"""Seconds for an answer; a monitor does not wait longer."""


class Standings(msgspec.Struct, frozen=True, kw_only=True):
    """How the hub is, check by check: no words, for whoever asks has shown no token."""

    standing: Standing
    checks: dict[str, Standing]
    at_ms: int


@get("/health")
async def show_health(request: AnyRequest) -> Response[bytes]:
    """Answer 200 while the hub does its work, 503 while it does not.

    Raises:
        Missing: this console stands beside no hub.
        TooMany: the address asks too often.
        Retryable: the store cannot be read now.

    """
    check_pace(request)
    look = backstage_of(request).reach.health
    if look is None:
        raise Missing
    async with asyncio.timeout(ANSWER_S):
        found = await look()
    told = Standings(
        standing=found.standing, checks={one.name: one.standing for one in found.checks}, at_ms=found.at_ms
    )
    status = 503 if found.is_bad else 200
    return Response(content=msgspec.json.encode(told), media_type="application/json", status_code=status)


@get("/metrics")
async def show_metrics(request: AnyRequest) -> Response[bytes]:
    """Give the figures of this moment."""
    async with asyncio.timeout(ANSWER_S):
        await bearer_of(request, Scope.METRICS)
        backstage = backstage_of(request)
        outlook = await backstage.live.now()
    text = metrics.told(outlook, backstage.times, is_linked=backstage.is_linked())
    return Response(content=text.encode(), media_type=metrics.CONTENT_TYPE)
