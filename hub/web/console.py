"""The console as an application: its pages, who may see them, and what stands around every answer."""

import asyncio
from collections.abc import Callable
from functools import cache

from litestar import Litestar
from litestar.middleware import DefineMiddleware
from litestar.types import ASGIApp

from hub.alarm.metrics import Times
from hub.searching.search import Names
from hub.staff.passwords import Sealer
from hub.web.admission import admitted, genuine
from hub.web.alike_pairs import AlikeLook
from hub.web.api.application import divided, interface
from hub.web.asked_words import AskedWords
from hub.web.backstage import Backstage, standing_on
from hub.web.exporting import Exports
from hub.web.forms import FORM_BYTES_MAX
from hub.web.headers import with_headers
from hub.web.live import Live
from hub.web.pages import (
    account,
    archive_codes,
    audit,
    brakes,
    catalogue,
    conflicts,
    duplicates,
    enrolling,
    entries,
    exports,
    faults,
    files,
    keeping,
    live_search,
    preferences,
    proposals,
    quarantine,
    receiving,
    receiving_plan,
    rulings,
    scans,
    set_up,
    sign_in,
    sign_in_outside,
    site_files,
    sites,
    streams,
    tending,
    today,
    tokens,
    transfer_papers,
    transfer_stream,
    transfers,
    users,
    window_amend,
    window_begin,
    window_cases,
    window_copies,
    window_counter,
    window_desk,
    window_lookups,
    window_papers,
    window_request,
    window_research,
    window_rules,
)
from hub.web.pictures import Spreads
from hub.web.pieces import PieceMaker
from hub.web.reach import Reach
from hub.web.rendering import printer
from hub.web.tallies import Tallies
from hub.web.throttling import ATTEMPTS_A_MINUTE, ATTEMPTS_BURST, REQUESTS_A_MINUTE, REQUESTS_BURST, Throttle
from hub.web.turns import taking_turns, with_turns
from hub.web.visitors import Recognition
from hub.web_settings import WebSettings, WebTls
from replication.database import Database
from replication.precedence import Precedence

HANDLERS = (
    *(files.show_file, preferences.do_prefer),
    *(sign_in.show_sign_in, sign_in.do_sign_in, sign_in.show_code, sign_in.do_code, sign_in.do_sign_out),
    *(sign_in_outside.do_go, sign_in_outside.come_back),
    *(set_up.show_set_up, set_up.do_set_up),
    *(account.show_account, account.do_change_password, account.do_begin_codes, account.do_confirm_codes),
    *(account.do_end_codes, account.do_end_session),
    *(users.show_users, users.do_add_user, users.show_user, users.do_set_roles, users.do_lock, users.do_unlock),
    *(tokens.show_tokens, tokens.do_add_token, tokens.do_revoke_token),
    *(users.do_reset, users.do_link, users.do_unlink, audit.show_audit, audit.do_verify),
    *(
        today.show_root,
        today.show_today,
        today.go_to_need,
        today.go_to_alike,
        sites.show_sites,
        sites.show_site,
        sites.do_attend,
    ),
    site_files.show_files,
    *(rulings.show_rulings, rulings.do_undo, quarantine.show_quarantine, quarantine.show_quarantined),
    *(quarantine.do_retry_shown, quarantine.do_retry, quarantine.do_drop),
    *(archive_codes.show_codes, archive_codes.do_set_rule),
    *(duplicates.show_duplicates, duplicates.do_decide_pair),
    *(conflicts.show_conflicts, conflicts.show_conflict, conflicts.do_settle, conflicts.do_ask_again),
    *(proposals.do_propose, proposals.show_proposals, proposals.do_withdraw),
    *(transfers.show_transfers, transfers.show_transfer, transfers.show_items, transfers.show_item),
    *(receiving_plan.show_plan, receiving_plan.do_make_plan, receiving_plan.do_agree, receiving_plan.do_retract),
    *(keeping.show_keeping, keeping.do_order_reading, keeping.do_note_copy),
    *(transfers.show_certificate, transfer_papers.fetch_papers, transfer_stream.stream_transfer, scans.show_scan),
    *(receiving.do_rule, receiving.do_return_faults, receiving.do_decide, receiving.do_send_back),
    *(receiving.do_sign, receiving.do_count, receiving.do_cancel),
    *(brakes.show_brakes, brakes.do_decide_brake),
    *(tending.do_verify_site, tending.do_ask_baseline, tending.do_revoke),
    *(enrolling.show_enrolment, enrolling.do_issue_code, enrolling.do_void_code, streams.stream_joining),
    *(catalogue.show_catalogue, catalogue.do_ask, live_search.stream_search),
    *(entries.show_entry, entries.do_tell_apart, entries.do_bring_together),
    *(exports.do_export, exports.show_export, exports.fetch_export, exports.stream_export),
    *(window_desk.show_desk, window_desk.find_request, window_desk.do_discard, window_begin.show_new),
    *(window_begin.show_who, window_begin.show_question, window_begin.do_keep, window_begin.do_who),
    *(window_counter.show_counter, window_counter.stream_counter, window_papers.show_form, window_papers.show_receipt),
    *(window_papers.show_statement, window_papers.do_no_record),
    *(window_lookups.do_search, window_lookups.do_widen, window_lookups.do_review, window_lookups.stream_request),
    *(window_copies.show_order, window_copies.do_order, window_copies.do_withdraw, window_copies.do_print),
    *(window_copies.do_spoil, window_copies.do_receive, window_copies.do_revoke, window_copies.fetch_certificate),
    *(window_cases.show_cases, window_cases.show_new_case, window_cases.show_report, window_cases.show_case),
    *(window_cases.do_save_case, window_cases.do_add_document, window_cases.do_drop_document, window_cases.do_link),
    *(window_amend.show_amend, window_amend.do_amend, window_rules.show_rules),
    *(window_research.show_research, window_research.do_plan, window_research.do_part, window_research.do_line),
    *(window_research.do_source, window_research.do_correct_line, window_research.do_drop_line),
    window_research.do_export_research,
    *(window_begin.do_question, window_request.show_request, window_request.do_step),
    *(streams.stream_today, streams.stream_sites, streams.stream_site),
)
"""Every route of the console."""


def backstage_for(
    database: Database,
    settings: WebSettings,
    county: str,
    *,
    clock_ms: Callable[[], int],
    is_linked: Callable[[], bool],
    sealer: Sealer | None = None,
    reach: Reach | None = None,
    names: Callable[[], Names | None] = lambda: None,
) -> Backstage:
    """Return what the pages stand on; nothing is opened or started."""
    alike = AlikeLook(database, clock_ms)
    live = Live(database, clock_ms, alike.newest)
    return Backstage(
        database=database,
        settings=settings,
        county=county,
        sealer=sealer or Sealer(),
        printer=printer(),
        live=live,
        pieces=PieceMaker(printer(), live.pulse),
        requests=Throttle(REQUESTS_BURST, REQUESTS_A_MINUTE, clock_ms),
        attempts=Throttle(ATTEMPTS_BURST, ATTEMPTS_A_MINUTE, clock_ms),
        streams=set(),
        closing=asyncio.Event(),
        clock_ms=clock_ms,
        is_linked=is_linked,
        reach=reach or Reach(),
        asked=AskedWords(),
        tallies=Tallies(clock_ms),
        exports=Exports(database, clock_ms, names),
        spreads=Spreads(database, clock_ms),
        alike=alike,
        times=Times(),
        names=names,
    )


def console(backstage: Backstage, precedence: Precedence) -> ASGIApp:
    """Return the application; who waits for one of its pages has precedence."""
    is_trusted_tls = backstage.settings.tls in (WebTls.FILES, WebTls.PROXY)
    app = standing_on(backstage, with_turns(divided(interface(), routed()), precedence))
    return with_headers(app, is_trusted_tls=is_trusted_tls)


@cache
def routed() -> Litestar:
    """Return the routes of the pages, without what stands around every answer: made once in a process."""
    return Litestar(
        route_handlers=HANDLERS,
        guards=[admitted],
        before_request=genuine,
        middleware=[DefineMiddleware(taking_turns), DefineMiddleware(Recognition)],
        exception_handlers=faults.handlers(),
        request_max_body_size=FORM_BYTES_MAX,
        openapi_config=None,
        logging_config=None,
        debug=False,
    )
