"""The stylesheet, the script and the picture that pages load."""

from litestar import get
from litestar.params import FromPath
from litestar.response import Response

from hub.web.admission import NEEDS, Door
from hub.web.asking import AnyRequest
from hub.web.backstage import backstage_of
from hub.web.faults import Missing

_FOR_EVER = "public, max-age=31536000, immutable"


@get("/static/{name:str}", opt={NEEDS: Door.OPEN})
async def show_file(request: AnyRequest, name: FromPath[str]) -> Response[bytes]:
    """Give a file whose name holds its digest.

    Raises:
        Missing: there is none of this name.

    """
    found = backstage_of(request).printer.files.get(name)
    if found is None:
        raise Missing
    return Response(content=found.content, media_type=found.kind, headers={"cache-control": _FOR_EVER})
