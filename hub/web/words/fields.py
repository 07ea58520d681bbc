"""The console's words: which there are. Each language gives all of them, so mypy and the start find what is missing.

``{name}`` in a word is filled in by the page; a test proves that both languages name the same.
"""

import msgspec

from hub.web.words.amend import AmendWords
from hub.web.words.brakes import BrakesWords
from hub.web.words.cases import CasesWords
from hub.web.words.catalogue import CatalogueWords
from hub.web.words.codes import CodesWords
from hub.web.words.copies import CopiesWords
from hub.web.words.counter import CounterWords, PaperWords
from hub.web.words.decisions import DecisionsWords
from hub.web.words.entry import EntryWords
from hub.web.words.export import ExportWords
from hub.web.words.keeping import KeepingWords
from hub.web.words.lookup import LookupWords
from hub.web.words.outside import OutsideWords
from hub.web.words.pictures import PictureWords
from hub.web.words.proposals import ProposalsWords
from hub.web.words.request import RequestWords
from hub.web.words.site_quality import ContactWords, QualityWords
from hub.web.words.tending import EnrolmentWords, OrdersWords
from hub.web.words.tokens import TokensWords
from hub.web.words.transfers import TransfersWords
from hub.web.words.window import WindowWords


class FrameWords(msgspec.Struct, frozen=True, kw_only=True):
    """What stands around every page."""

    product: str
    skip: str
    today: str
    catalogue: str
    sites: str
    decisions: str
    transfers: str
    window: str
    users: str
    audit: str
    account: str
    main_menu: str
    sign_out: str
    other_language: str
    appearance: str
    theme_auto: str
    theme_light: str
    theme_dark: str
    apply: str
    language: str
    live: str
    live_lost: str
    as_of: str
    broker_away: str
    footer: str
    back: str
    none: str
    copy: str
    copied: str


class SignInWords(msgspec.Struct, frozen=True, kw_only=True):
    """Signing in."""

    title: str
    lead: str
    login: str
    password: str
    submit: str
    wrong: str
    wrong_hint: str
    wait: str
    wait_hint: str
    idle: str
    left: str
    code_title: str
    code_lead: str
    code: str
    code_submit: str
    code_wrong: str
    code_wrong_hint: str
    code_over: str


class SetUpWords(msgspec.Struct, frozen=True, kw_only=True):
    """One-time links: the first administrator, and a new password."""

    first_title: str
    first_lead: str
    login: str
    login_hint: str
    name: str
    title: str
    lead: str
    password: str
    password_hint: str
    again: str
    submit: str
    differ: str
    differ_hint: str
    void: str
    void_lead: str
    done: str


class AccountWords(msgspec.Struct, frozen=True, kw_only=True):
    """The own account."""

    title: str
    who: str
    login: str
    name: str
    roles: str
    since: str
    password_title: str
    password_set: str
    old: str
    new: str
    again: str
    change: str
    changed: str
    old_wrong: str
    old_wrong_hint: str
    codes_title: str
    codes_on: str
    codes_off: str
    codes_begin: str
    codes_end: str
    codes_scan: str
    codes_key: str
    codes_picture: str
    codes_prove: str
    codes_confirm: str
    codes_added: str
    codes_removed: str
    sessions_title: str
    session_agent: str
    session_origin: str
    session_begun: str
    session_used: str
    session_here: str
    session_end: str
    sessions_end_all: str
    session_ended: str
    look_title: str


class UsersWords(msgspec.Struct, frozen=True, kw_only=True):
    """Accounts, for the administrator."""

    title: str
    lead: str
    login: str
    name: str
    roles: str
    state: str
    codes: str
    last: str
    never: str
    active: str
    locked: str
    no_password: str
    codes_on: str
    codes_off: str
    add_title: str
    add: str
    add_hint: str
    link_title: str
    link_lead: str
    manage: str
    open: str
    roles_save: str
    roles_saved: str
    reset_title: str
    reset_lead: str
    reset: str
    reset_sure: str
    lock_title: str
    lock_lead: str
    lock: str
    lock_sure: str
    unlock: str
    lock_done: str
    unlock_done: str
    oneself: str


class AuditWords(msgspec.Struct, frozen=True, kw_only=True):
    """The audit log, for the auditor."""

    title: str
    lead: str
    seq: str
    at: str
    who: str
    action: str
    object: str
    outcome: str
    origin: str
    detail: str
    stranger: str
    verify: str
    whole: str
    broken: str
    contradicted: str
    filter_who: str
    filter_action: str
    filter_case: str
    filter_site: str
    every: str
    filter: str
    older: str
    newest: str
    empty: str


class TodayWords(msgspec.Struct, frozen=True, kw_only=True):
    """The first page."""

    title: str
    needs: str
    nothing: str
    since: str
    attended: str
    more: str
    states: str
    pulse: str
    per_minute: str
    applied: str
    records: str
    waiting: str
    sites_count: str
    latest: str
    measured: str
    hub: str


class SitesWords(msgspec.Struct, frozen=True, kw_only=True):
    """The board and the page of one site."""

    title: str
    every: str
    find: str
    county: str
    nobody: str
    none_yet: str
    has_alarm: str
    records: str
    state: str
    cause: str
    facts: str
    seen: str
    never: str
    position: str
    lag: str
    lag_value: str
    moved: str
    site_records: str
    withheld: str
    compared: str
    compared_equal: str
    compared_differs: str
    compared_not: str
    compared_past: str
    files: str
    rejected_rows: str
    warned: str
    brakes: str
    quarantined: str
    disk: str
    courier: str
    outbox: str
    alarms: str
    no_alarms: str
    of_county: str
    of_county_lead: str
    evidence: str
    opened: str
    closed: str
    still_open: str
    keeper: str
    note: str
    attend: str
    attend_done: str
    nodes: str
    key: str
    enrolled: str
    revoked: str
    good: str
    no_nodes: str
    aside: str
    reason: str
    hint: str
    at: str


class FaultWords(msgspec.Struct, frozen=True, kw_only=True):
    """When a page cannot be shown."""

    missing: str
    missing_lead: str
    forbidden: str
    forbidden_lead: str
    stale: str
    stale_lead: str
    wrong: str
    wrong_lead: str
    too_large: str
    too_many: str
    too_many_lead: str
    away: str
    away_lead: str
    broken: str
    broken_lead: str


class Words(msgspec.Struct, frozen=True, kw_only=True):
    """Every word of the console in one language."""

    frame: FrameWords
    sign_in: SignInWords
    set_up: SetUpWords
    account: AccountWords
    users: UsersWords
    audit: AuditWords
    outside: OutsideWords
    tokens: TokensWords
    transfers: TransfersWords
    keeping: KeepingWords
    codes: CodesWords
    today: TodayWords
    sites: SitesWords
    decisions: DecisionsWords
    orders: OrdersWords
    brakes: BrakesWords
    proposals: ProposalsWords
    enrolment: EnrolmentWords
    contact: ContactWords
    quality: QualityWords
    catalogue: CatalogueWords
    entry: EntryWords
    export: ExportWords
    pictures: PictureWords
    window: WindowWords
    request: RequestWords
    lookup: LookupWords
    amend: AmendWords
    copies: CopiesWords
    cases: CasesWords
    counter: CounterWords
    paper: PaperWords
    faults: FaultWords
