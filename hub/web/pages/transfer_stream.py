"""How a transfer goes on, sent to an open page as it moves."""

from typing import Final

from litestar import get
from litestar.params import FromPath
from litestar.response import Stream

from hub.staff.roles import Permission
from hub.web.admission import NEEDS
from hub.web.asking import AnyRequest, id_of
from hub.web.backstage import backstage_of
from hub.web.pages.transfers import pieces_of
from hub.web.pages.watching import stream_of
from hub.web.pieces import Pieces
from hub.web.visitors import STREAM, visitor_of

LOOK_S: Final = 1.0
"""Seconds between two looks at a transfer that somebody watches: its progress is noted as often."""


@get("/stream/transfer/{name:str}", opt={NEEDS: Permission.RECEIVE_TRANSFERS, STREAM: True})
async def stream_transfer(request: AnyRequest, name: FromPath[str]) -> Stream:
    """Send what changes on a transfer's page."""
    backstage, visitor, transfer_id = backstage_of(request), visitor_of(request), id_of(name)

    async def look() -> tuple[Pieces, float]:
        return await pieces_of(backstage, visitor.language, transfer_id), LOOK_S

    return stream_of(backstage, visitor, look)
