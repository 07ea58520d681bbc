"""The own account: password, one-time codes, where one is signed in, language and theme."""

import segno
from litestar import get, post
from litestar.response import Redirect
from markupsafe import Markup
from sqlalchemy import Connection

from hub import audit
from hub.audit import Action, AuditEntry, Outcome
from hub.staff import accounts, lockouts, one_time_codes, sessions
from hub.staff.accounts import Account, Secrets
from hub.staff.passwords import checked_password
from hub.staff.roles import ROLES
from hub.staff.sessions import Session
from hub.web.admission import ATTEMPT, NEEDS, Door
from hub.web.answers import Notice, Page, away_to, fault_notice, page
from hub.web.asking import AnyRequest
from hub.web.backstage import Backstage, backstage_of
from hub.web.faults import SignInNeeded
from hub.web.forms import line_of, secret_of
from hub.web.visitors import Visitor, visitor_of
from hub.web.words import in_language
from hub.web.words.fields import AccountWords
from protocol.errors import BadValue

_OPT = {NEEDS: Door.SIGNED_IN}


@get("/account", opt=_OPT)
async def show_account(request: AnyRequest) -> Page:
    """Show the account."""
    words = in_language(visitor_of(request).language).account
    done = {
        "changed": words.changed,
        "added": words.codes_added,
        "removed": words.codes_removed,
        "ended": words.session_ended,
    }
    told = done.get(request.query_params.get("done", ""))
    return await _shown(request, None if told is None else Notice(words=told))


@post("/account/password", opt={NEEDS: Door.SIGNED_IN, ATTEMPT: True}, status_code=200)
async def do_change_password(request: AnyRequest) -> Page | Redirect:
    """Change the password; every other session ends."""
    backstage, visitor = backstage_of(request), visitor_of(request)
    account, session = _own(visitor)
    words = in_language(visitor.language)
    old, new = await secret_of(request, "old"), await secret_of(request, "new")
    if new != await secret_of(request, "again"):
        return await _shown(request, Notice(words=words.set_up.differ, hint=words.set_up.differ_hint, is_fault=True))
    refusal = await _check_password(backstage, account, old, words.account)
    if refusal is not None:
        await _note(backstage, visitor, Action.PASSWORD_CHANGED, Outcome.REFUSED)
        return await _shown(request, refusal)
    try:
        sealed = await backstage.sealer.sealed(checked_password(new, login=account.login, name=account.name))
    except BadValue as error:
        return await _shown(request, fault_notice(error, visitor))
    now_ms = backstage.clock_ms()

    def change(connection: Connection) -> None:
        accounts.set_password(connection, account.id, sealed, now_ms)
        sessions.end_all(connection, account.id, but=session)
        audit.append(connection, _entry(visitor, Action.PASSWORD_CHANGED), now_ms)

    await backstage.database.write(change)
    return away_to("/account", done="changed")


@post("/account/codes/begin", opt=_OPT, status_code=200)
async def do_begin_codes(request: AnyRequest) -> Redirect:
    """Offer the secret of one-time codes; they are on only once a code has proved it."""
    backstage, visitor = backstage_of(request), visitor_of(request)
    account, session = _own(visitor)
    if not account.has_totp:
        secret = one_time_codes.new_secret()
        await backstage.database.write(lambda connection: sessions.offer_totp(connection, session, secret))
    return away_to("/account")


@post("/account/codes/confirm", opt={NEEDS: Door.SIGNED_IN, ATTEMPT: True}, status_code=200)
async def do_confirm_codes(request: AnyRequest) -> Page | Redirect:
    """Turn one-time codes on, if the code is that of the offered secret."""
    backstage, visitor = backstage_of(request), visitor_of(request)
    account, session = _own(visitor)
    now_ms, offered = backstage.clock_ms(), session.totp_offer
    code = await line_of(request, "code")
    step = one_time_codes.step_of(offered, code, now_ms) if offered and not account.has_totp else None
    if step is None:
        words = in_language(visitor.language).sign_in
        return await _shown(request, Notice(words=words.code_wrong, hint=words.code_wrong_hint, is_fault=True))

    def turn_on(connection: Connection) -> None:
        accounts.set_totp(connection, account.id, offered, step)
        sessions.offer_totp(connection, session, "")
        sessions.end_all(connection, account.id, but=session)
        audit.append(connection, _entry(visitor, Action.TOTP_ADDED), now_ms)

    await backstage.database.write(turn_on)
    return away_to("/account", done="added")


@post("/account/codes/end", opt={NEEDS: Door.SIGNED_IN, ATTEMPT: True}, status_code=200)
async def do_end_codes(request: AnyRequest) -> Page | Redirect:
    """Turn one-time codes off; this needs the password."""
    backstage, visitor = backstage_of(request), visitor_of(request)
    account, _ = _own(visitor)
    words = in_language(visitor.language).account
    refusal = await _check_password(backstage, account, await secret_of(request, "old"), words)
    if refusal is not None:
        await _note(backstage, visitor, Action.TOTP_REMOVED, Outcome.REFUSED)
        return await _shown(request, refusal)
    now_ms = backstage.clock_ms()

    def turn_off(connection: Connection) -> None:
        accounts.set_totp(connection, account.id, "")
        audit.append(connection, _entry(visitor, Action.TOTP_REMOVED), now_ms)

    await backstage.database.write(turn_off)
    return away_to("/account", done="removed")


@post("/account/sessions/end", opt=_OPT, status_code=200)
async def do_end_session(request: AnyRequest) -> Redirect:
    """End one of the own sessions, or all but this one."""
    backstage, visitor = backstage_of(request), visitor_of(request)
    account, session = _own(visitor)
    number, now_ms = await line_of(request, "number"), backstage.clock_ms()

    def end(connection: Connection) -> None:
        if not number:
            sessions.end_all(connection, account.id, but=session)
        for one in sessions.of_account(connection, account.id):
            if one.number == number and one.digest != session.digest:
                sessions.end(connection, one)
        audit.append(connection, _entry(visitor, Action.SESSION_ENDED), now_ms)

    await backstage.database.write(end)
    return away_to("/account", done="ended")


async def _check_password(backstage: Backstage, account: Account, password: str, words: AccountWords) -> Notice | None:
    """Return why the present password does not open a change; None if it does. Failures count as those of sign-in."""
    now_ms = backstage.clock_ms()

    def begin(connection: Connection) -> tuple[int, Secrets]:
        wait_ms = lockouts.begin_attempt(connection, account.login, now_ms)
        return wait_ms, accounts.secrets_of(connection, account.id)

    wait_ms, known = await backstage.database.write(begin)
    if wait_ms == 0 and await backstage.sealer.opens(known.sealed_password, password):
        await backstage.database.write(lambda connection: lockouts.forgive(connection, account.login))
        return None
    return Notice(words=words.old_wrong, hint=words.old_wrong_hint, is_fault=True)


async def _shown(request: AnyRequest, notice: Notice | None) -> Page:
    backstage, visitor = backstage_of(request), visitor_of(request)
    account, session = _own(visitor)
    others = await backstage.database.read(lambda connection: sessions.of_account(connection, account.id))
    offered = "" if account.has_totp else session.totp_offer
    values = {
        "account": account,
        "role_words": ROLES,
        "sessions": [one for one in others if not sessions.is_over(one, backstage.clock_ms(), _idle_s(backstage))],
        "here": session.digest,
        "offered": " ".join(offered[at : at + 4] for at in range(0, len(offered), 4)),
        "picture": _picture(one_time_codes.address_of(offered, account.login)) if offered else "",
        "notice": notice,
    }
    return page(request, "account.html", status=400 if notice is not None and notice.is_fault else 200, values=values)


def _idle_s(backstage: Backstage) -> float:
    return backstage.settings.idle_minutes * 60


def _picture(address: str) -> Markup:
    # Made by a library from text that it encodes as squares: there is nothing of the text in it.
    return Markup(segno.make(address, error="m").svg_inline(border=4, dark="#000", light="#fff", omitsize=True))  # noqa: S704


def _own(visitor: Visitor) -> tuple[Account, Session]:
    if visitor.account is None or visitor.session is None:
        raise SignInNeeded("/account", was_signed_in=False)
    return visitor.account, visitor.session


def _entry(visitor: Visitor, action: Action, outcome: Outcome = Outcome.DONE) -> AuditEntry:
    login = visitor.login
    return AuditEntry(who=login, action=action, object=login, outcome=outcome, origin=visitor.origin)


async def _note(backstage: Backstage, visitor: Visitor, action: Action, outcome: Outcome) -> None:
    entry, now_ms = _entry(visitor, action, outcome), backstage.clock_ms()
    await backstage.database.write(lambda connection: audit.append(connection, entry, now_ms))
