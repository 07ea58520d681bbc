"""One entry of the catalogue: what its owner says, where every value came from, where it lies, what is like it."""

from collections.abc import Callable, Mapping
from uuid import UUID

import msgspec
from litestar import get, post
from litestar.params import FromPath
from litestar.response import Redirect
from sqlalchemy import Connection

from hub import audit
from hub.audit import Action, AuditEntry, Outcome
from hub.commands.fields import ACCESS, cause_words
from hub.decisions import duplicate_rulings, proposals
from hub.decisions.duplicates import Alike
from hub.decisions.proposals import Proposal
from hub.disclosure.guarding import GUARDED, is_noted
from hub.entry_views import EntryView, RecordView, view_of
from hub.membership import keyring
from hub.staff.administration import Actor
from hub.staff.roles import Permission
from hub.web.admission import NEEDS
from hub.web.answers import Notice, Page, away_to, page
from hub.web.asking import AnyRequest, id_of
from hub.web.backstage import Backstage, backstage_of
from hub.web.entry_facts import FieldDifference, changed_fields, differences_between, name_of, sections_of, shown
from hub.web.faults import Forbidden, Missing
from hub.web.forms import clean, line_of
from hub.web.pages.deciding import actor_of
from hub.web.sightings import note_listed
from hub.web.visitors import Visitor, visitor_of
from hub.web.words import in_language
from protocol.errors import BadValue, Refused
from protocol.limits import PROPOSAL_REASON_CHARS_MAX, PROPOSED_VALUE_CHARS_MAX
from protocol.proposals import FIELD_WORDS, ProposedField
from protocol.vocabularies import AccessStatus
from protocol.wording import Text

LONG_FIELDS = (ProposedField.TITLE.value, ProposedField.SCOPE.value, ProposedField.NOTE.value)
"""Fields that are written in more than one line."""


class AlikeLine(msgspec.Struct, frozen=True, kw_only=True):
    """An entry that may be the same document, as far as its reader may see it."""

    like: Alike
    site_name: str
    is_guarded: bool
    evidence: tuple[Text, ...]
    differences: list[FieldDifference]

    @property
    def path(self) -> str:
        """Address of the entry."""
        return f"/catalogue/{self.like.site}/{self.like.record.record_id}"


@get("/catalogue/{site:str}/{record:str}", opt={NEEDS: Permission.SEARCH_CATALOGUE})
async def show_entry(request: AnyRequest, site: FromPath[str], record: FromPath[str]) -> Page:
    """Show an entry.

    Raises:
        Missing: the hub knows none of this name.
        Forbidden: the visitor may not read it; this is in the audit log, as is every reading of what is not open.

    """
    words = in_language(visitor_of(request).language)
    done = {
        "apart": words.entry.apart_done,
        "together": words.entry.together_done,
        "proposed": words.proposals.proposed_done,
        "withdrawn": words.proposals.withdrawn_done,
        "decided": words.proposals.decided_meanwhile,
    }
    told = done.get(request.query_params.get("done", ""))
    return await entry_page(request, site, id_of(record), None if told is None else Notice(words=told))


async def entry_page(
    request: AnyRequest, site: str, record_id: UUID, notice: Notice | None, typed: Mapping[str, str] | None = None
) -> Page:
    """Return the page of an entry.

    Args:
        request: who asks.
        site: whose entry it is.
        record_id: its record.
        notice: what is to be said at its top.
        typed: what stood in the form of a proposal that could not be sent.

    Raises:
        Missing: the hub knows none of this name.
        Forbidden: the visitor may not read it.

    """
    backstage, visitor = backstage_of(request), visitor_of(request)
    try:
        looked_up = await backstage.database.read(lambda connection: _looked_up(connection, site, record_id))
    except Refused as error:
        raise Missing from error
    view = looked_up.view
    entry = next((one for one in view.entries if one.site == site), None)
    if entry is None:
        raise Missing
    await _note_reading(backstage, visitor, entry, view.record_id)
    await note_listed(
        backstage, actor_of(request), f"{entry.site}/{view.record_id}", _restricted_beside(entry, visitor)
    )
    values = _values(entry, view, looked_up.sites, visitor) | _proposing(entry, looked_up.proposals, visitor, typed)
    status = 400 if notice is not None and notice.is_fault else 200
    return page(request, "entry.html", status=status, values=values | {"notice": notice})


@post("/catalogue/{site:str}/{record:str}/apart", opt={NEEDS: Permission.DECIDE}, status_code=200)
async def do_tell_apart(request: AnyRequest, site: FromPath[str], record: FromPath[str]) -> Redirect:
    """Note that two entries are different things."""
    return await _decided(request, site, record, duplicate_rulings.tell_apart, "apart")


@post("/catalogue/{site:str}/{record:str}/together", opt={NEEDS: Permission.DECIDE}, status_code=200)
async def do_bring_together(request: AnyRequest, site: FromPath[str], record: FromPath[str]) -> Redirect:
    """Take such a decision back."""
    return await _decided(request, site, record, duplicate_rulings.bring_together, "together")


Decide = Callable[[Connection, Actor, UUID, UUID, int], bool]


async def _decided(request: AnyRequest, site: str, record: str, decide: Decide, done: str) -> Redirect:
    backstage, actor = backstage_of(request), actor_of(request)
    one, other, now_ms = id_of(record), id_of(await line_of(request, "other")), backstage.clock_ms()

    def step(connection: Connection) -> None:
        for named in (one, other):
            view_of(connection, named)
        decide(connection, actor, one, other, now_ms)

    try:
        await backstage.database.write(step)
    except (Refused, BadValue) as error:
        raise Missing from error
    return away_to(f"/catalogue/{site}/{one}", done=done)


class _LookedUp(msgspec.Struct, frozen=True, kw_only=True):
    sites: dict[str, str]
    view: RecordView
    proposals: list[Proposal]


def _looked_up(connection: Connection, site: str, record_id: UUID) -> _LookedUp:
    return _LookedUp(
        sites=keyring.site_names(connection),
        view=view_of(connection, record_id),
        proposals=proposals.of_record(connection, site, record_id),
    )


async def _note_reading(backstage: Backstage, visitor: Visitor, entry: EntryView, record_id: UUID) -> None:
    if not is_noted(entry.access_status):
        return
    is_refused = _is_hidden(entry.access_status, visitor)
    noted = AuditEntry(
        who=visitor.login,
        action=Action.ENTRY_READ,
        object=f"{entry.site}/{record_id}",
        outcome=Outcome.REFUSED if is_refused else Outcome.DONE,
        origin=visitor.origin,
        detail=entry.access_status.value,
    )
    await backstage.database.write(lambda connection: audit.append(connection, noted, backstage.clock_ms()))
    if is_refused:
        raise Forbidden


def _restricted_beside(entry: EntryView, visitor: Visitor) -> list[UUID]:
    """Return the restricted entries whose titles stand on an entry's page: its volume, its contents, what is alike."""
    beside = [(one.record_id, one.access_status) for one in entry.contents.first]
    beside += [(like.record.record_id, like.record.access_status) for like in entry.alike]
    if entry.volume is not None and entry.volume.is_listed:
        beside.append((entry.volume.record_id, entry.volume.access_status))
    return [named for named, status in beside if status in GUARDED and not _is_hidden(status, visitor)]


def _is_hidden(status: AccessStatus, visitor: Visitor) -> bool:
    return status in GUARDED and not visitor.may(Permission.READ_RESTRICTED)


def _values(entry: EntryView, view: RecordView, sites: Mapping[str, str], visitor: Visitor) -> dict[str, object]:
    record = entry.record
    custody = (("owner", entry.owner), ("custodian", entry.custodian), ("releaser", entry.releaser))
    return {
        "entry": entry,
        "record_id": view.record_id,
        "record": record,
        "site_name": sites.get(entry.site, "") or entry.site,
        "access": ACCESS[entry.access_status],
        "cause": cause_words(entry.withdrawn) if entry.withdrawn else None,
        "sections": sections_of(entry, record, sites) if record is not None else [],
        "custody": [(name_of(field), shown(code, sites)) for field, code in custody],
        "hides_volume": entry.volume is not None and _is_hidden(entry.volume.access_status, visitor),
        "hidden": {one.record_id for one in entry.contents.first if _is_hidden(one.access_status, visitor)},
        "access_words": ACCESS,
        "steps": [
            (step, cause_words(step.what) if step.kind == "withdrawn" else None, changed_fields(step.what))
            for step in reversed(entry.history)
        ],
        "alike": [_alike_line(entry, like, sites, visitor) for like in entry.alike],
        "decisions": view.decisions,
        "others": [one for one in view.entries if one.site != entry.site],
        "may_tell_apart": visitor.may(Permission.DECIDE),
    }


def _proposing(
    entry: EntryView, known: list[Proposal], visitor: Visitor, typed: Mapping[str, str] | None
) -> dict[str, object]:
    """Return the fields that can be proposed otherwise, and what was proposed before."""
    said = {} if entry.record is None else proposals.offered(entry.record)
    return {
        "offered": [
            (field.value, FIELD_WORDS[field], clean(text), (typed or {}).get(field.value, clean(text)))
            for field, text in said.items()
            # What is longer than a form takes would be cut by it, and look like a change.
            if len(text) <= PROPOSED_VALUE_CHARS_MAX
        ],
        "typed": typed,
        "long_fields": LONG_FIELDS,
        "proposals": known,
        "proposal_states": proposals.STATES,
        "value_chars": PROPOSED_VALUE_CHARS_MAX,
        "reason_chars": PROPOSAL_REASON_CHARS_MAX,
        "may_propose": visitor.may(Permission.PROPOSE_CHANGES),
        "may_decide": visitor.may(Permission.DECIDE),
    }


def _alike_line(entry: EntryView, like: Alike, sites: Mapping[str, str], visitor: Visitor) -> AlikeLine:
    is_guarded = _is_hidden(like.record.access_status, visitor)
    record = entry.record
    return AlikeLine(
        like=like,
        site_name=sites.get(like.site, "") or like.site,
        is_guarded=is_guarded,
        evidence=tuple(name_of(proof.value) for proof in like.evidence),
        differences=[] if is_guarded or record is None else differences_between(record, like.record, sites),
    )
