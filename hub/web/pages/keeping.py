"""The receiving plan, the accession register, and how the held files are: for reading."""

import datetime

from litestar import get
from sqlalchemy import Connection

from hub.keeping import accessions, held_files, keeping_findings
from hub.transfers import planning
from hub.web.answers import Page, page
from hub.web.asking import AnyRequest
from hub.web.backstage import backstage_of
from hub.web.forms import clean
from hub.web.pages.deciding import names_of, number_of
from hub.web.pages.transfers import OPT
from protocol.vocabularies import LIVELIHOOD_KINDS

LINES_SHOWN_MAX = 500
"""Lines of the register on a page, the newest first."""

YEARS = (1900, 2200)
"""Years of which a plan can be shown."""


@get("/plan", opt=OPT)
async def show_plan(request: AnyRequest) -> Page:
    """Show the plan of a year with what has become of each line."""
    backstage = backstage_of(request)
    receiving, site = backstage.reach.receiving, clean(request.query_params.get("site", ""))
    present = datetime.datetime.fromtimestamp(backstage.clock_ms() / 1000, datetime.UTC).astimezone().year
    asked = number_of(request.query_params.get("year", ""))
    year = asked if asked is not None and YEARS[0] <= asked <= YEARS[1] else present

    def read(connection: Connection) -> dict[str, object]:
        lines = [] if receiving is None else planning.plan_lines(connection, receiving.archive, year, site=site)
        return {"lines": lines, "names": names_of(connection)}

    values = await backstage.database.read(read)
    more = {"year": year, "site": site, "kinds": LIVELIHOOD_KINDS, "can_work": receiving is not None}
    return page(request, "plan.html", values=values | more)


@get("/keeping", opt=OPT)
async def show_keeping(request: AnyRequest) -> Page:
    """Show the register, and how the held files and their copies are."""
    backstage = backstage_of(request)
    receiving, now_ms = backstage.reach.receiving, backstage.clock_ms()

    def read(connection: Connection) -> dict[str, object]:
        copies = () if receiving is None else receiving.holdings.copy
        known = None if receiving is None else keeping_findings.known(connection, receiving.holdings)
        return {
            "register": accessions.accessions(connection, LINES_SHOWN_MAX),
            "tally": held_files.tally(connection),
            "said": []
            if receiving is None or known is None
            else keeping_findings.sentences(receiving.holdings, known, now_ms),
            "copies": copies,
            "runs": {} if known is None else known.last_whole,
            "names": names_of(connection),
        }

    values = await backstage.database.read(read)
    return page(request, "keeping.html", values=values | {"can_work": receiving is not None})
