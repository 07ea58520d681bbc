"""The accession register, and how the held files and their copies are: read now, or noted as verified elsewhere."""

from collections.abc import Callable

from litestar import get, post
from litestar.response import Redirect
from sqlalchemy import Connection

from hub.backup.backup_settings import KIND_WORDS, TargetKind
from hub.keeping import accessions, fixity_orders, held_files, holding_notes, keeping_findings
from hub.keeping.holding_notes import HOW_CHARS_MAX, Verified
from hub.staff.administration import Actor
from hub.web.answers import Notice, Page, away_to, fault_notice, page
from hub.web.asking import AnyRequest
from hub.web.backstage import backstage_of
from hub.web.faults import Missing
from hub.web.forms import line_of
from hub.web.pages.deciding import names_of, number_of, written
from hub.web.pages.transfers import OPT
from hub.web.reach import Receiving
from hub.web.visitors import visitor_of
from hub.web.words import in_language
from protocol.errors import BadValue, Refused

LINES_SHOWN_MAX = 500
"""Lines of the register on a page, the newest first."""


@get("/keeping", opt=OPT)
async def show_keeping(request: AnyRequest) -> Page:
    """Show the register, and how the held files and their copies are."""
    words = in_language(visitor_of(request).language).keeping
    told = {"ordered": words.ordered_done, "noted": words.noted_done}.get(request.query_params.get("done", ""))
    return await _shown(request, None, None if told is None else Notice(words=told))


@post("/keeping/read", opt=OPT, status_code=200)
async def do_order_reading(request: AnyRequest) -> Page | Redirect:
    """Have every held file read now."""
    _receiving(request)
    return await _changed(request, None, "ordered", fixity_orders.order)


@post("/keeping/note", opt=OPT, status_code=200)
async def do_note_copy(request: AnyRequest) -> Page | Redirect:
    """Note that an offline or off-site copy was verified."""
    receiving = _receiving(request)
    said = Verified(
        target=await line_of(request, "target"),
        day=await line_of(request, "day"),
        how=await line_of(request, "how"),
        faulty=number_of(await line_of(request, "faulty")),
    )
    return await _changed(
        request,
        said,
        "noted",
        lambda found, actor, now_ms: holding_notes.note(found, actor, receiving.holdings, said, now_ms),
    )


async def _changed(
    request: AnyRequest, said: Verified | None, done: str, step: Callable[[Connection, Actor, int], object]
) -> Page | Redirect:
    try:
        await written(request, step)
    except (BadValue, Refused) as error:
        return await _shown(request, said, fault_notice(error, visitor_of(request)))
    return away_to("/keeping", done=done)


async def _shown(request: AnyRequest, said: Verified | None, notice: Notice | None) -> Page:
    backstage = backstage_of(request)
    receiving, now_ms = backstage.reach.receiving, backstage.clock_ms()

    def read(connection: Connection) -> dict[str, object]:
        copies = () if receiving is None else receiving.holdings.copy
        known = None if receiving is None else keeping_findings.known(connection, receiving.holdings)
        tally, ordered = held_files.tally(connection), fixity_orders.newest(connection)
        return {
            "register": accessions.accessions(connection, LINES_SHOWN_MAX),
            "tally": tally,
            "reading": None if ordered is None else fixity_orders.progress(connection, ordered, tally.files),
            "said": []
            if receiving is None or known is None
            else keeping_findings.sentences(receiving.holdings, known, now_ms),
            "copies": copies,
            "runs": {} if known is None else known.last_whole,
            "notes": {} if known is None else known.noted,
            "names": names_of(connection),
        }

    values = await backstage.database.read(read)
    carried = [one for one in values["copies"] if one.kind is not TargetKind.ONLINE]  # type: ignore[attr-defined]
    more = {
        "can_work": receiving is not None,
        "carried": carried,
        "kind_words": KIND_WORDS,
        "form": said or Verified(target="", day="", how="", faulty=0),
        "how_chars": HOW_CHARS_MAX,
        "notice": notice,
        "here": "/keeping",
    }
    status = 400 if notice is not None and notice.is_fault else 200
    return page(request, "keeping.html", status=status, values=values | more)


def _receiving(request: AnyRequest) -> Receiving:
    found = backstage_of(request).reach.receiving
    if found is None:
        raise Missing
    return found
