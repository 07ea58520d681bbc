"""Proposals of change: sent from an entry's page, shown in a queue while their owners decide, taken back till then."""

from litestar import get, post
from litestar.params import FromPath
from litestar.response import Redirect
from sqlalchemy import Connection

from hub.catalogue import readable, stored_of
from hub.decisions import proposals
from hub.decisions.proposals import STATES, Proposal, ProposalState, Wish
from hub.decisions.rulings import Queue
from hub.decisions.side_by_side import Line
from hub.staff import accounts
from hub.staff.roles import Permission
from hub.web.admission import NEEDS
from hub.web.answers import Notice, Page, away_to, fault_notice, page
from hub.web.asking import AnyRequest, id_of
from hub.web.backstage import backstage_of
from hub.web.faults import Forbidden, Missing
from hub.web.forms import clean, fields_of, line_of
from hub.web.pages.deciding import OPT, SHOWN_MAX, surroundings, written
from hub.web.pages.entries import entry_page
from hub.web.sightings import note_records
from hub.web.visitors import visitor_of
from hub.web.words import in_language
from protocol.errors import BadValue, Refused
from protocol.proposals import FIELD_WORDS, ProposedField, said_of
from protocol.records import Record
from protocol.wording import Text

_PROPOSE = {NEEDS: Permission.PROPOSE_CHANGES}


@post("/catalogue/{site:str}/{record:str}/propose", opt=_PROPOSE, status_code=200)
async def do_propose(request: AnyRequest, site: FromPath[str], record: FromPath[str]) -> Page | Redirect:
    """Send the owner of a record what it should say otherwise."""
    record_id, visitor = id_of(record), visitor_of(request)
    # Whoever may not read an entry may not say anything about it either; showing it is what tells.
    await entry_page(request, site, record_id, None)
    sent = await fields_of(request)
    # A field that the form does not name is not proposed to be empty.
    typed: dict[str, str] = {
        field.value: await line_of(request, field.value) for field in ProposedField if field.value in sent
    }
    reason = await line_of(request, "reason")
    called = "" if visitor.account is None else visitor.account.name
    wish = Wish(site=site, record_id=record_id, wanted=typed, reason=reason, called=called)
    try:
        await written(request, lambda found, actor, now_ms: proposals.propose(found, actor, wish, now_ms))
    except (BadValue, Refused) as error:
        return await entry_page(request, site, record_id, fault_notice(error, visitor), {**typed, "reason": reason})
    return away_to(f"/catalogue/{site}/{record_id}", done="proposed")


@get("/decisions/proposals", opt=OPT)
async def show_proposals(request: AnyRequest) -> Page:
    """Show what waits for its owners, beside what the catalogue says now, and what they decided."""
    site = clean(request.query_params.get("site", ""))
    words = in_language(visitor_of(request).language).proposals
    told = {"withdrawn": words.withdrawn_done, "decided": words.decided_meanwhile}
    notice = told.get(request.query_params.get("done", ""))

    def read(connection: Connection) -> tuple[dict[int, Record | None], dict[str, object]]:
        waiting = proposals.waiting(connection, SHOWN_MAX, site)
        records = {one.number: _record(connection, one) for one in waiting}
        settled = proposals.decided(connection, SHOWN_MAX)
        return records, {
            **surroundings(connection, Queue.PROPOSAL),
            "waiting": waiting,
            "lines": {one.number: _lines(one, records[one.number]) for one in waiting},
            "brought": proposals.brought(connection, waiting),
            "decided": settled,
            "people": accounts.names_of(connection, {one.proposed_by for one in (*waiting, *settled)}),
        }

    records, values = await backstage_of(request).database.read(read)
    await note_records(request, "/decisions/proposals", records.values())
    more = {
        "records": records,
        "states": STATES,
        "site": site,
        "notice": None if notice is None else Notice(words=notice),
    }
    return page(request, "proposals.html", values=values | more)


@post("/proposals/{number:int}/withdraw", opt=_PROPOSE, status_code=200)
async def do_withdraw(request: AnyRequest, number: FromPath[int]) -> Redirect:
    """Take a proposal back: whoever made it may, and whoever decides.

    Raises:
        Missing: there is none of this number.
        Forbidden: somebody else made it.

    """
    visitor, wanted = visitor_of(request), await line_of(request, "back")
    one = await backstage_of(request).database.read(lambda connection: proposals.numbered(connection, number))
    if one is None:
        raise Missing
    if one.proposed_by != visitor.login and not visitor.may(Permission.DECIDE):
        raise Forbidden
    taken = await written(request, lambda found, actor, now_ms: proposals.take_back(found, actor, number, now_ms))
    done = "withdrawn" if taken is not None and taken.state is ProposalState.WITHDRAWN else "decided"
    path = "/decisions/proposals" if wanted == "queue" else f"/catalogue/{one.site}/{one.record_id}"
    return away_to(path, done=done)


def _record(connection: Connection, one: Proposal) -> Record | None:
    try:
        return next((readable(stored) for stored in stored_of(connection, one.site, [one.record_id.bytes])), None)
    except BadValue:
        return None


def _lines(one: Proposal, record: Record | None) -> list[Line]:
    """Return each proposed field beside what the catalogue says now; nothing of a record that is gone."""
    if record is None:
        return []
    found = []
    for value in one.values:
        is_known = value.field in tuple(ProposedField)
        now = said_of(record, ProposedField(value.field)) if is_known else value.old
        found.append(
            Line(
                field=FIELD_WORDS.get(value.field, Text(zh=value.field, en=value.field)),
                left=Text(zh=now, en=now),
                right=Text(zh=value.new, en=value.new),
                differs=now.split() != value.new.split(),
            )
        )
    return found
