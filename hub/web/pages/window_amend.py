"""Correcting a request: who asks, why and on which papers, as far as that may still be changed."""

import asyncio
from typing import Final

from litestar import get, post
from litestar.params import FromPath
from litestar.response import Redirect
from sqlalchemy import Connection

from hub.staff.administration import Actor
from hub.web.answers import Notice, Page, away_to, fault_notice, page
from hub.web.asking import AnyRequest, id_of
from hub.web.evidence_words import papers_for
from hub.web.forms import fields_of
from hub.web.pages.window_request import number_of, present, shown
from hub.web.pages.windowing import CLERK, done, parts_of
from hub.web.visitors import visitor_of
from hub.web.window_form import applicant_of, line, purpose_of, uses_of
from hub.web.words import in_language
from hub.window import desk
from hub.window.amendments import Correction, Scope, scope_of
from hub.window.applicants import DOCUMENTS, PAPERS, REQUESTERS, WITH_CASE, Document, Paper
from hub.window.requests import PURPOSES, USES, Request
from hub.window.unsent import Fields
from protocol.errors import DanglianError

_PLAIN: Final = ("name", "phone", "organ", "on_behalf_of", "case_ref", "purpose_note", "number", "valid_until")


@get("/window/requests/{name:str}/amend", opt=CLERK)
async def show_amend(request: AnyRequest, name: FromPath[str]) -> Page:
    """Show the form with what is on record."""
    one = await present(request, id_of(name))
    return await _form(request, one, _fields_of(one))


@post("/window/requests/{name:str}/amend", opt=CLERK, status_code=200)
async def do_amend(request: AnyRequest, name: FromPath[str]) -> Page | Redirect:
    """Take the correction."""
    request_id, sent = id_of(name), await fields_of(request)
    one = await present(request, request_id)
    fields: Fields = {field: tuple(values) for field, values in sent.items()}
    if scope_of(one.standing) is Scope.PAPERS:
        # Only papers are taken from this form; who asks stays as it is on record.
        stays = {field: values for field, values in _fields_of(one).items() if field not in ("number", "valid_until")}
        fields = {**fields, **stays, "document": fields.get("document", ())}

    def step(connection: Connection, actor: Actor, now_ms: int) -> Request:
        return desk.correct(
            connection,
            actor,
            request_id,
            _correction(one, fields),
            parts_of(request).county_key,
            now_ms,
            expected_seq=number_of(line(fields, "seq")) or None,
        )

    try:
        await done(request, step)
    except DanglianError as error:
        return await _form(request, await present(request, request_id), fields, error)
    return away_to(f"/window/requests/{request_id}", done="amended")


def _correction(one: Request, fields: Fields) -> Correction:
    return Correction(
        applicant=applicant_of(fields),
        kept_papers=tuple(number_of(place) for place in fields.get("kept", ())),
        purpose=purpose_of(fields),
        purpose_note=line(fields, "purpose_note"),
        case_ref=line(fields, "case_ref"),
        uses=uses_of(fields) or one.content.uses,
    )


async def _form(request: AnyRequest, one: Request, fields: Fields, fault: DanglianError | None = None) -> Page:
    """Return the form; the request's own page with the reason where nothing may be changed any more."""
    visitor, scope = visitor_of(request), scope_of(one.standing)
    if scope is Scope.NOTHING:
        return await shown(request, one, Notice(words=in_language(visitor.language).amend.too_late, is_fault=True), 409)
    _, rules = await asyncio.to_thread(parts_of(request).rules)
    wanted = (scope is Scope.PAPERS and papers_for(rules, one.content.applicant.requester)) or list(PAPERS)
    values = {
        "one": one,
        "scope": scope.value,
        "typed": {name: line(fields, name) for name in (*_PLAIN, "requester", "purpose", "document")},
        "chosen_uses": fields.get("use", ()),
        "kept": [number_of(place) for place in fields.get("kept", ())],
        "ticked": fields.get("paper", ()),
        "evidence": one.content.applicant.evidence,
        "papers": {paper: PAPERS[paper] for paper in wanted if paper is not Paper.IDENTITY},
        "papers_named": PAPERS,
        "purposes": PURPOSES,
        "requesters": REQUESTERS,
        "documents": DOCUMENTS,
        "uses": USES,
        "notice": None if fault is None else fault_notice(fault, visitor),
    }
    return page(request, "window_amend.html", status=200 if fault is None else 400, values=values)


def _fields_of(one: Request) -> Fields:
    """Return what is on record as the form shows it; of a number nothing but its digest is kept."""
    who, content = one.content.applicant, one.content
    return {
        "requester": (who.requester.value,),
        "name": (who.name,),
        "phone": (who.phone,),
        "organ": (who.organ,),
        "on_behalf_of": (who.on_behalf_of,),
        "case_ref": (content.case_ref if who.requester in WITH_CASE else "",),
        "purpose": (content.purpose.value,),
        "purpose_note": (content.purpose_note,),
        "document": (Document.RESIDENT.value,),
        "use": tuple(use.value for use in content.uses),
        "kept": tuple(str(place) for place, _ in enumerate(who.evidence)),
    }
