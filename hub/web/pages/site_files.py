"""The catalogue files of a site and their quality: asked of the site itself, else what it said last."""

from litestar import get
from litestar.params import FromPath
from sqlalchemy import Connection

from hub.commands.fields import OUTCOMES
from hub.sites import site_reports
from hub.sites.scorecard import scorecard
from hub.sites.site_reports import SiteReport
from hub.staff.roles import Permission
from hub.web.admission import NEEDS
from hub.web.answers import Page, page, spoken
from hub.web.asking import AnyRequest
from hub.web.backstage import Backstage, backstage_of
from hub.web.pages.deciding import names_of, number_of
from hub.web.pages.tending import site_of
from hub.web.visitors import visitor_of
from protocol.calls import AskFiles, FileLines
from protocol.errors import Retryable
from protocol.findings import rule
from protocol.limits import CALL_DEADLINE_S
from protocol.sites import Site
from protocol.wording import Text

_LINK_DOWN = Text(zh="与消息服务器的连接中断", en="no connection to the broker")


@get("/sites/{code:str}/files", opt={NEEDS: Permission.SEE_SITES})
async def show_files(request: AnyRequest, code: FromPath[str]) -> Page:
    """Show what a site took and rejected, and what would mend most of it."""
    backstage, visitor, site = backstage_of(request), visitor_of(request), site_of(code)
    skip = number_of(request.query_params.get("skip", "")) or 0
    said = await _asked(backstage, site, skip)
    names, kept = await backstage.database.read(
        lambda connection: (names_of(connection), site_reports.of_site(connection, site.code))
    )
    report = await _report(backstage, site, skip, said, kept)
    values = {
        "site": site.code,
        "name": names.get(site.code, site.code),
        "report": report,
        "card": None if report is None else scorecard(report.files),
        "why_not": spoken(said, visitor) if isinstance(said, Text) else "",
        "skip": skip if isinstance(said, FileLines) else 0,
        "reason_of": lambda finding: rule(finding).reason,
    }
    return page(request, "site_files.html", values=values)


async def _report(
    backstage: Backstage, site: Site, skip: int, said: FileLines | Text, kept: SiteReport | None
) -> SiteReport | None:
    """Return what was said now, kept for when the site is away; else what is kept."""
    if isinstance(said, Text):
        return kept
    now_ms = backstage.clock_ms()
    if not skip:

        def keep(connection: Connection) -> None:
            site_reports.keep(connection, site.code, said, now_ms)

        await backstage.database.write(keep)
    return SiteReport(heard_at_ms=now_ms, files=said)


async def _asked(backstage: Backstage, site: Site, skip: int) -> FileLines | Text:
    """Return what the site says, or why it said nothing of use."""
    asker = backstage.reach.asker
    if asker is None:
        return _LINK_DOWN
    try:
        heard = await asker.ask_one(
            lambda name, question: AskFiles(asker=name, question=question, skip=skip), site, CALL_DEADLINE_S
        )
    except Retryable as error:
        return error.reason
    body = heard.answer.body if heard.answer is not None else None
    return body if isinstance(body, FileLines) else OUTCOMES[heard.outcome]
