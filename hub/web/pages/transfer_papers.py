"""The papers of a handover as a file: 交接文据, 登记表 and both signatures in one PDF/A."""

import asyncio

from litestar import get
from litestar.params import FromPath
from litestar.response import Response

from hub import audit
from hub.audit import Action, AuditEntry
from hub.staff.roles import Permission
from hub.web.admission import NEEDS
from hub.web.answers import Page, fault_notice
from hub.web.asking import AnyRequest, id_of
from hub.web.backstage import backstage_of
from hub.web.faults import Missing
from hub.web.pages.transfers import BEFORE_PAPERS, transfer_page, view_of
from hub.web.visitors import visitor_of
from protocol.county_time import local_time
from protocol.errors import BadSetting


@get("/transfers/{name:str}/papers", opt={NEEDS: Permission.RECEIVE_TRANSFERS})
async def fetch_papers(request: AnyRequest, name: FromPath[str]) -> Response[bytes] | Page:
    """Give the papers of a handover; where no font can write them, the transfer's page says so.

    Raises:
        Missing: they are not made yet.

    """
    # Drawing takes libraries that no other page needs.
    from hub.transfers import papers  # noqa: PLC0415

    backstage, visitor, transfer_id = backstage_of(request), visitor_of(request), id_of(name)
    now = (await backstage.database.read(lambda connection: view_of(connection, transfer_id))).transfer
    receiving = backstage.reach.receiving
    if receiving is None or now.state in BEFORE_PAPERS:
        raise Missing
    at = local_time(backstage.clock_ms())
    try:
        pdf = await asyncio.to_thread(papers.drawn, now, receiving.certificates, at)
    except BadSetting as error:
        return await transfer_page(request, transfer_id, fault_notice(error, visitor))
    entry = AuditEntry(
        who=visitor.login, action=Action.HANDOVER_EXPORTED, object=f"transfer {transfer_id}", origin=visitor.origin
    )
    await backstage.database.write(lambda connection: audit.append(connection, entry, backstage.clock_ms()))
    headers = {
        "content-disposition": f'attachment; filename="handover-{transfer_id}.pdf"',
        "cache-control": "no-store",
    }
    return Response(content=pdf, media_type="application/pdf", headers=headers)
