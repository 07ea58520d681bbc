"""The interface as an application of its own: tokens instead of cookies, problems instead of pages, no forms."""

import asyncio
import re
import time
from collections.abc import Mapping
from functools import cache
from importlib.metadata import version
from typing import Final

import msgspec
from litestar import Litestar, get
from litestar.handlers import HTTPRouteHandler
from litestar.response import Response
from litestar.types import ASGIApp, Receive, Scope, Send

from hub.web.api import monitoring, oai, problems
from hub.web.api.asked import Asked
from hub.web.api.bearers import bearer_of, check_pace
from hub.web.api.openapi import PREFIX, document
from hub.web.api.operations import OPERATIONS, Operation
from hub.web.asking import AnyRequest
from hub.web.backstage import backstage_of
from protocol.errors import BadValue
from protocol.wording import Text

ANSWER_S: Final = 30.0
"""Seconds for an answer, waiting for the store included."""

PARAMETERS_MAX: Final = 32
"""Parameters of a request that are looked at."""

BODY_BYTES_MAX: Final = 8 * 1024
"""Bytes of a body: but for a harvester's arguments there is nothing to send."""

DISTRIBUTION: Final = "danglian"

PROGRAMS: Final = frozenset(("api", "health", "metrics", "oai"))
"""First parts of the paths that are for programs."""

_JSON: Final = "application/json"


@cache
def interface() -> Litestar:
    """Return the application: made once in a process, as the routes of the pages are."""
    return Litestar(
        route_handlers=[*OPEN_ROUTES, *(_route(one) for one in OPERATIONS)],
        exception_handlers=problems.handlers(),
        request_max_body_size=BODY_BYTES_MAX,
        openapi_config=None,
        logging_config=None,
        debug=False,
    )


def divided(api: ASGIApp, pages: ASGIApp) -> ASGIApp:
    """Return an application that hands what programs ask for to one and everything else to the other."""

    async def hand_on(scope: Scope, receive: Receive, send: Send) -> None:
        first = str(scope.get("path", "")).split("/", 2)[1:2]
        await (api if first and first[0] in PROGRAMS else pages)(scope, receive, send)

    return hand_on


@get(f"{PREFIX}/openapi.json")
async def show_document(request: AnyRequest) -> Response[bytes]:
    """Give the document that describes the interface; it needs no token."""
    check_pace(request)
    return Response(content=msgspec.json.encode(document(version(DISTRIBUTION))), media_type=_JSON)


OPEN_ROUTES: Final = (
    show_document,
    monitoring.show_health,
    monitoring.show_metrics,
    oai.harvest,
    oai.harvest_by_form,
)
"""What stands beside the operations; the figures alone need a token."""


def _route(operation: Operation) -> HTTPRouteHandler:
    async def answer(request: AnyRequest) -> Response[bytes]:
        began = time.perf_counter()
        backstage = backstage_of(request)
        async with asyncio.timeout(ANSWER_S):
            bearer = await bearer_of(request, *operation.scopes)
            named = operation.named
            asked = Asked(
                backstage=backstage,
                bearer=bearer,
                parameters=_parameters(request, operation.takes),
                name=str(request.path_params[named.name]) if named is not None else "",
            )
            given = await operation.step(asked)
        backstage.times.note(operation.id, 200, time.perf_counter() - began)
        return Response(content=msgspec.json.encode(given), media_type=_JSON)

    path = re.sub(r"\{(\w+)\}", r"{\1:str}", operation.path)
    return get(f"{PREFIX}{path}", name=operation.id)(answer)


def _parameters(request: AnyRequest, shape: type[msgspec.Struct]) -> msgspec.Struct:
    """Return the parameters of a request.

    Raises:
        BadValue: one is unknown, comes twice, or is not what it should be.

    """
    given = list(request.query_params.multi_items())[: PARAMETERS_MAX + 1]
    values: Mapping[str, str] = dict(given)
    if len(given) > PARAMETERS_MAX:
        raise _wrong(Text(zh=f"多于 {PARAMETERS_MAX} 个", en=f"there are more than {PARAMETERS_MAX}"))
    if len(values) != len(given):
        raise _wrong(Text(zh="有一个写了两次", en="one comes twice"))
    try:
        return msgspec.convert(values, shape, strict=False)
    except msgspec.ValidationError as error:
        raise _wrong(Text(zh=str(error), en=str(error))) from error


def _wrong(fault: Text) -> BadValue:
    return BadValue(
        Text(zh=f"参数不对：{fault.zh}", en=f"the parameters are wrong: {fault.en}"),
        Text(zh="见 /api/v1/openapi.json。", en="See /api/v1/openapi.json."),
    )
