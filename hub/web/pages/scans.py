"""The files of an item that was handed over: shown where a browser can, else given out to be looked at."""

import asyncio
from typing import Final
from urllib.parse import quote

from litestar import get
from litestar.params import FromPath
from litestar.response import Response

from hub.web.asking import AnyRequest, id_of
from hub.web.backstage import backstage_of
from hub.web.faults import Missing
from hub.web.pages.deciding import note_sight
from hub.web.pages.transfers import OPT, files_here, view_of
from protocol.errors import BadFile
from replication import transfer_items
from replication.transfer_scans import SHOWN_BYTES_MAX, picture_of

_OCTETS: Final = "application/octet-stream"


@get("/transfers/{name:str}/items/{record:str}/files/{number:int}", opt=OPT)
async def show_scan(
    request: AnyRequest, name: FromPath[str], record: FromPath[str], number: FromPath[int]
) -> Response[bytes]:
    """Give out one file: a picture as one, everything else to be kept; never as a page of ours.

    Raises:
        Missing: there is no such file, or it cannot be read.

    """
    backstage, transfer_id, record_id = backstage_of(request), id_of(name), id_of(record)
    view = await backstage.database.read(lambda connection: view_of(connection, transfer_id))
    item = await backstage.database.read(lambda found: transfer_items.found(found, transfer_id, record_id))
    files = [] if item is None else await files_here(backstage, view, item)
    if not 1 <= number <= len(files):
        raise Missing
    file = files[number - 1]
    try:
        shown = None if request.query_params.get("keep") else await asyncio.to_thread(picture_of, file)
        if shown is not None:
            return Response(content=shown.content, media_type=shown.kind)
        # A picture is a part of the item's page, whose sight is noted; a file that is given out is a look of its own.
        await note_sight(request, f"transfer {transfer_id} {record_id} file {number}")
        if file.stat().st_size > SHOWN_BYTES_MAX:
            raise Missing
        content = await asyncio.to_thread(file.read_bytes)
    except (OSError, BadFile) as error:
        raise Missing from error
    headers = {"content-disposition": f"attachment; filename*=UTF-8''{quote(file.name, safe='')}"}
    return Response(content=content, media_type=_OCTETS, headers=headers)
