"""The audit log, for the auditor; looking at it is in the log too."""

from litestar import get, post

from hub import audit
from hub.audit import ACTIONS, OUTCOMES, Action, AuditEntry, Outcome
from hub.staff.accounts import folded_login
from hub.staff.roles import Permission
from hub.web.admission import NEEDS
from hub.web.answers import Notice, Page, page
from hub.web.asking import AnyRequest
from hub.web.audit_words import detail_in_words, object_in_words
from hub.web.backstage import backstage_of
from hub.web.forms import clean
from hub.web.visitors import visitor_of
from hub.web.words import in_language
from hub.window import audit_heads, audit_search
from protocol.audit_chain import AuditLine
from protocol.wording import Text

LINES_A_PAGE = 50
"""Lines of one page."""

CASE_CHARS_MAX = 64
"""Characters of a case number, or of an id."""

SITE_CHARS_MAX = 20
"""Characters of a site code."""


_OPT = {NEEDS: Permission.READ_AUDIT}


@get("/audit", opt=_OPT)
async def show_audit(request: AnyRequest) -> Page:
    """Show lines, the newest first."""
    return await _shown(request, None)


@post("/audit/verify", opt=_OPT, status_code=200)
async def do_verify(request: AnyRequest) -> Page:
    """Check every line against the one before."""
    backstage, visitor = backstage_of(request), visitor_of(request)
    verdict = await audit.LOG.verify(backstage.database)
    words = in_language(visitor.language).audit
    others = await backstage.database.read(audit_heads.contradictions)
    if verdict.is_whole and others:
        first = others[0]
        told = words.contradicted.format(site=first.site, seq=first.seq, count=len(others))
        return await _shown(request, Notice(words=told, is_fault=True))
    if verdict.is_whole:
        told = words.whole.format(lines=verdict.lines, seq=verdict.head.seq, digest=verdict.head.digest)
        return await _shown(request, Notice(words=told))
    return await _shown(request, Notice(words=words.broken.format(seq=verdict.broken_at), is_fault=True))


async def _shown(request: AnyRequest, notice: Notice | None) -> Page:
    backstage, visitor = backstage_of(request), visitor_of(request)
    asked = request.query_params
    who, action = folded_login(clean(asked.get("who", ""))), asked.get("action", "")
    action = action if action in tuple(Action) else ""
    before = asked.get("before", "")
    before_seq = int(before) if before.isascii() and before.isdecimal() and len(before) < 19 else None
    case, site = clean(asked.get("case", ""))[:CASE_CHARS_MAX], clean(asked.get("site", ""))[:SITE_CHARS_MAX]
    found = await backstage.database.read(
        lambda connection: audit_search.lines_of(
            connection, case=case, site=site, before_seq=before_seq, who=who, action=action, limit=LINES_A_PAGE + 1
        )
    )
    if before_seq is None and notice is None:
        # Once for a look, not for each page of it.
        entry = AuditEntry(who=visitor.login, action=Action.AUDIT_READ, origin=visitor.origin)
        await backstage.database.write(lambda connection: audit.append(connection, entry, backstage.clock_ms()))
    values = {
        "lines": found[:LINES_A_PAGE],
        "older_than": found[LINES_A_PAGE - 1].seq if len(found) > LINES_A_PAGE else None,
        "is_newest": before_seq is None,
        "who": who,
        "action": action,
        "case": case,
        "site": site,
        "actions": ACTIONS,
        "notice": notice,
        "action_of": _action_of,
        "outcome_of": _outcome_of,
        "detail_of": detail_in_words,
        "object_of": object_in_words,
    }
    return page(request, "audit.html", values=values)


def _action_of(line: AuditLine) -> Text:
    # A line may have been written by a later version.
    return ACTIONS[Action(line.action)] if line.action in tuple(Action) else Text(zh=line.action, en=line.action)


def _outcome_of(line: AuditLine) -> Text:
    known = line.outcome in tuple(Outcome)
    return OUTCOMES[Outcome(line.outcome)] if known else Text(zh=line.outcome, en=line.outcome)
