"""The queue of alike records, and the word of a person about a pair."""

from uuid import UUID

from litestar import get, post
from litestar.response import Redirect
from sqlalchemy import Connection

from hub.commands.fields import field_word
from hub.decisions import duplicate_rulings
from hub.decisions.duplicate_rulings import Walk
from hub.decisions.rulings import Decided, Queue
from hub.decisions.side_by_side import lines_of
from hub.web.answers import Notice, Page, away_to, fault_notice, page
from hub.web.asking import AnyRequest
from hub.web.backstage import backstage_of
from hub.web.faults import Missing
from hub.web.forms import line_of
from hub.web.pages.deciding import OPT, number_of, surroundings, written
from hub.web.sightings import note_records
from hub.web.visitors import visitor_of
from hub.web.words import in_language
from protocol.errors import BadValue, Refused

PAIRS_SHOWN_MAX = 10
"""Pairs on one page, each with its fields side by side."""


@get("/decisions/duplicates", opt=OPT)
async def show_duplicates(request: AnyRequest) -> Page:
    """Show undecided pairs, the newest entries first."""
    words = in_language(visitor_of(request).language).decisions
    told = Notice(words=words.noted_pair) if request.query_params.get("done") == "noted" else None
    return await _shown(request, number_of(request.query_params.get("before", "")), told)


@post("/decisions/duplicates", opt=OPT, status_code=200)
async def do_decide_pair(request: AnyRequest) -> Page | Redirect:
    """Note that two records are the same thing, or different ones.

    Raises:
        Missing: what the form names are no records, or no decision.

    """
    before = await line_of(request, "before")
    try:
        ids = UUID(await line_of(request, "one")), UUID(await line_of(request, "other"))
        verdict = {"same": Decided.SAME, "apart": Decided.APART}[await line_of(request, "verdict")]
    except (ValueError, KeyError) as error:
        raise Missing from error
    try:
        await written(
            request, lambda found, actor, now_ms: duplicate_rulings.decide(found, actor, ids, verdict, now_ms)
        )
    except (BadValue, Refused) as error:
        return await _shown(request, number_of(before), fault_notice(error, visitor_of(request)))
    backstage_of(request).alike.forget()
    return away_to("/decisions/duplicates", before=str(number_of(before) or ""), done="noted")


async def _shown(request: AnyRequest, before: int | None, notice: Notice | None) -> Page:
    def read(connection: Connection) -> tuple[Walk, dict[str, object]]:
        walked = duplicate_rulings.walk(connection, before, PAIRS_SHOWN_MAX)
        return walked, surroundings(connection, Queue.DUPLICATE)

    walk, values = await backstage_of(request).database.read(read)
    shown = (record for pair in walk.pairs for record in (pair.one.record, pair.other.record))
    await note_records(request, "/decisions/duplicates", shown)
    more = {
        "walk": walk,
        "lines": {pair.object: lines_of(pair.one.record, pair.other.record) for pair in walk.pairs},
        "field_word": field_word,
        "here": "" if before is None else before,
        "notice": notice,
    }
    status = 400 if notice is not None and notice.is_fault else 200
    return page(request, "duplicates.html", status=status, values=values | more)
