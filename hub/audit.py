"""The audit log: who did what to which object, when, from where, with what outcome; each line seals the one before.

The chain's rule is that of ``protocol.audit_chain``. Lines are written in the transaction of what they tell. What the
chain cannot show is the loss of its newest lines: therefore the sites keep heads of it (``hub.window.audit_heads``),
and a verification takes a head that somebody has written down.
"""

from collections.abc import Collection, Sequence
from enum import StrEnum
from typing import Final

import msgspec
from sqlalchemy import Connection, exists, or_, select

from hub.staff.account_tables import audit_line
from protocol.audit_chain import AuditLine
from protocol.identity_numbers import mask_identity_numbers
from protocol.wording import Text
from replication.audit_log import AuditLog, line_of

DETAIL_CHARS_MAX = 500
"""Characters of a line's object, origin and detail."""


class Action(StrEnum):
    """What was done."""

    SIGN_IN = "sign_in"
    SIGN_OUT = "sign_out"
    SECOND_FACTOR = "second_factor"
    LINK_ISSUED = "link_issued"
    LINK_USED = "link_used"
    PASSWORD_CHANGED = "password_changed"  # noqa: S105 - the name of an action
    TOTP_ADDED = "totp_added"
    TOTP_REMOVED = "totp_removed"
    SESSION_ENDED = "session_ended"
    ACCOUNT_ADDED = "account_added"
    ACCOUNT_LOCKED = "account_locked"
    ACCOUNT_UNLOCKED = "account_unlocked"
    ACCOUNT_RESET = "account_reset"
    ROLES_CHANGED = "roles_changed"
    ACCOUNT_LINKED = "account_linked"
    ACCOUNT_UNLINKED = "account_unlinked"
    ACCESS_REFUSED = "access_refused"
    ALARM_ATTENDED = "alarm_attended"
    AUDIT_READ = "audit_read"
    TOKEN_ADDED = "token_added"  # noqa: S105 - the name of an action
    TOKEN_REVOKED = "token_revoked"  # noqa: S105 - as above
    DECIDED = "decided"
    UNDECIDED = "undecided"
    REDRIVEN = "redriven"
    VERIFY_ASKED = "verify_asked"
    BASELINE_ASKED = "baseline_asked"
    RETELLING_ASKED = "retelling_asked"
    KEY_REVOKED = "key_revoked"
    CODE_ISSUED = "code_issued"
    CODE_VOIDED = "code_voided"
    BRAKE_DECIDED = "brake_decided"
    ENTRIES_LISTED = "entries_listed"
    ENTRY_READ = "entry_read"
    TOLD_APART = "told_apart"
    BROUGHT_TOGETHER = "brought_together"
    CATALOGUE_EXPORTED = "catalogue_exported"
    REQUEST_STEPPED = "request_stepped"
    REQUEST_READ = "request_read"
    CASE_CHANGED = "case_changed"
    CASE_READ = "case_read"
    RESEARCH_EXPORTED = "research_exported"
    TABLE_TAKEN = "table_taken"
    LOOKUP_ASKED = "lookup_asked"
    LOOKUP_WIDENED = "lookup_widened"
    LOOKUP_ANSWERED = "lookup_answered"
    LOOKUP_EXPIRED = "lookup_expired"
    STATEMENT_MADE = "statement_made"
    COPY_ORDERED = "copy_ordered"
    COPY_WITHDRAWN = "copy_withdrawn"
    CERTIFICATE_ISSUED = "certificate_issued"
    CERTIFICATE_REVOKED = "certificate_revoked"
    AUDIT_SETTLED = "audit_settled"
    REQUESTS_DISPOSED = "requests_disposed"
    PAPERS_DISPOSED = "papers_disposed"
    REQUEST_HELD = "request_held"
    TRANSFER_RULED = "transfer_ruled"
    TRANSFER_DECIDED = "transfer_decided"
    TRANSFER_SIGNED = "transfer_signed"
    TRANSFER_CANCELLED = "transfer_cancelled"
    HANDOVER_EXPORTED = "handover_exported"
    PLAN_CHANGED = "plan_changed"
    FIXITY_ORDERED = "fixity_ordered"
    COPY_NOTED = "copy_noted"
    CHANGE_PROPOSED = "change_proposed"
    PROPOSAL_WITHDRAWN = "proposal_withdrawn"
    PROPOSAL_DECIDED = "proposal_decided"


ACTIONS = {
    Action.SIGN_IN: Text(zh="登录", en="sign-in"),
    Action.SIGN_OUT: Text(zh="退出", en="sign-out"),
    Action.SECOND_FACTOR: Text(zh="动态口令", en="one-time code"),
    Action.LINK_ISSUED: Text(zh="发出设置链接", en="set-up link issued"),
    Action.LINK_USED: Text(zh="使用设置链接", en="set-up link used"),
    Action.PASSWORD_CHANGED: Text(zh="修改密码", en="password changed"),
    Action.TOTP_ADDED: Text(zh="启用动态口令", en="one-time codes turned on"),
    Action.TOTP_REMOVED: Text(zh="停用动态口令", en="one-time codes turned off"),
    Action.SESSION_ENDED: Text(zh="结束会话", en="session ended"),
    Action.ACCOUNT_ADDED: Text(zh="新增账户", en="account added"),
    Action.ACCOUNT_LOCKED: Text(zh="停用账户", en="account locked"),
    Action.ACCOUNT_UNLOCKED: Text(zh="启用账户", en="account unlocked"),
    Action.ACCOUNT_RESET: Text(zh="重置账户", en="account reset"),
    Action.ROLES_CHANGED: Text(zh="变更角色", en="roles changed"),
    Action.ACCOUNT_LINKED: Text(zh="关联统一身份", en="subject of a provider linked"),
    Action.ACCOUNT_UNLINKED: Text(zh="解除统一身份", en="subject of a provider unlinked"),
    Action.ACCESS_REFUSED: Text(zh="拒绝访问", en="access refused"),
    Action.ALARM_ATTENDED: Text(zh="认领告警", en="alarm attended"),
    Action.AUDIT_READ: Text(zh="查看审计", en="audit log read"),
    Action.TOKEN_ADDED: Text(zh="新增接口令牌", en="token added"),
    Action.TOKEN_REVOKED: Text(zh="撤销接口令牌", en="token revoked"),
    Action.DECIDED: Text(zh="作出决定", en="decided"),
    Action.UNDECIDED: Text(zh="撤销决定", en="decision undone"),
    Action.REDRIVEN: Text(zh="重试隔离内容", en="quarantine tried again"),
    Action.VERIFY_ASKED: Text(zh="要求核对", en="comparison asked for"),
    Action.BASELINE_ASKED: Text(zh="要求重新上报", en="baseline asked for"),
    Action.RETELLING_ASKED: Text(zh="要求重报条目", en="record asked for again"),
    Action.KEY_REVOKED: Text(zh="停用密钥", en="key revoked"),
    Action.CODE_ISSUED: Text(zh="签发登记码", en="enrolment code issued"),
    Action.CODE_VOIDED: Text(zh="作废登记码", en="enrolment code voided"),
    Action.BRAKE_DECIDED: Text(zh="裁定制动", en="held change decided"),
    Action.ENTRIES_LISTED: Text(zh="列出控制条目", en="restricted entries listed"),
    Action.ENTRY_READ: Text(zh="查看未开放条目", en="entry that is not open read"),
    Action.TOLD_APART: Text(zh="判定不是同一件", en="told apart"),
    Action.BROUGHT_TOGETHER: Text(zh="撤销不同判定", en="brought together again"),
    Action.CATALOGUE_EXPORTED: Text(zh="导出目录", en="catalogue exported"),
    Action.REQUEST_STEPPED: Text(zh="办理查档申请", en="request worked on"),
    Action.REQUEST_READ: Text(zh="查看查档申请", en="request read"),
    Action.CASE_CHANGED: Text(zh="登记调解案件", en="mediation case changed"),
    Action.CASE_READ: Text(zh="查看调解案件", en="mediation case read"),
    Action.RESEARCH_EXPORTED: Text(zh="导出专题查档", en="research request exported"),
    Action.TABLE_TAKEN: Text(zh="启用县里的表", en="county's table taken into force"),
    Action.LOOKUP_ASKED: Text(zh="向站点提问", en="sites asked"),
    Action.LOOKUP_WIDENED: Text(zh="扩大查询范围", en="more sites asked"),
    Action.LOOKUP_ANSWERED: Text(zh="站点答复", en="site answered"),
    Action.LOOKUP_EXPIRED: Text(zh="提问到期", en="question expired"),
    Action.STATEMENT_MADE: Text(zh="出具查询范围说明", en="statement of completeness made"),
    Action.COPY_ORDERED: Text(zh="调取复制件", en="copy ordered"),
    Action.COPY_WITHDRAWN: Text(zh="撤回调取", en="order for a copy withdrawn"),
    Action.CERTIFICATE_ISSUED: Text(zh="出具证明", en="certificate issued"),
    Action.CERTIFICATE_REVOKED: Text(zh="撤销证明", en="certificate revoked"),
    Action.AUDIT_SETTLED: Text(zh="查明日志矛盾", en="contradiction of a log settled"),
    Action.REQUESTS_DISPOSED: Text(zh="清除个人信息", en="personal data disposed of"),
    Action.PAPERS_DISPOSED: Text(zh="清除证明留底", en="papers of certificates disposed of"),
    Action.REQUEST_HELD: Text(zh="暂缓清除", en="request held or released"),
    Action.TRANSFER_RULED: Text(zh="移交条目裁定", en="items of a transfer ruled on"),
    Action.TRANSFER_DECIDED: Text(zh="移交批次审定", en="round of a transfer decided"),
    Action.TRANSFER_SIGNED: Text(zh="签署交接文据", en="handover certificate signed"),
    Action.TRANSFER_CANCELLED: Text(zh="取消移交", en="transfer cancelled"),
    Action.HANDOVER_EXPORTED: Text(zh="导出交接文据", en="handover papers exported"),
    Action.PLAN_CHANGED: Text(zh="变更接收计划", en="receiving plan changed"),
    Action.FIXITY_ORDERED: Text(zh="要求核验全部馆藏", en="all held files to be read"),
    Action.COPY_NOTED: Text(zh="注明副本已核验", en="copy noted as verified"),
    Action.CHANGE_PROPOSED: Text(zh="提出修改建议", en="change proposed"),
    Action.PROPOSAL_WITHDRAWN: Text(zh="撤回修改建议", en="proposal taken back"),
    Action.PROPOSAL_DECIDED: Text(zh="所有者决定建议", en="proposal decided by the owner"),
}


class Outcome(StrEnum):
    """How it went."""

    DONE = "done"
    REFUSED = "refused"


OUTCOMES = {
    Outcome.DONE: Text(zh="成功", en="done"),
    Outcome.REFUSED: Text(zh="拒绝", en="refused"),
}


class AuditEntry(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be written."""

    who: str
    """Login of the person; ``cli:USER`` for a command; empty for a stranger."""
    action: Action
    object: str = ""
    outcome: Outcome = Outcome.DONE
    origin: str = ""
    """Address that it came from."""
    detail: str = ""


LOG: Final = AuditLog(audit_line)


def append(connection: Connection, entry: AuditEntry, now_ms: int) -> AuditLine:
    """Write a line, in the transaction of what it tells."""
    return append_all(connection, [entry], now_ms)[0]


def append_all(connection: Connection, entries: Sequence[AuditEntry], now_ms: int) -> list[AuditLine]:
    """Write lines, in the transaction of what they tell; a hundred cost little more than one.

    A line is never taken back, so no identity number that somebody typed into a reason gets into one.
    """
    return LOG.append_all(
        connection,
        [
            AuditLine(
                seq=0,
                at_ms=now_ms,
                who=entry.who,
                action=entry.action.value,
                object=entry.object[:DETAIL_CHARS_MAX],
                outcome=entry.outcome.value,
                origin=entry.origin[:DETAIL_CHARS_MAX],
                detail=mask_identity_numbers(entry.detail)[0][:DETAIL_CHARS_MAX],
                digest="",
            )
            for entry in entries
        ],
    )


def says(connection: Connection, entry: AuditEntry, *, since_ms: int) -> bool:
    """Tell whether such a line, whatever its outcome and detail, was written after a moment."""
    such = (
        (audit_line.c.at_ms > since_ms)
        & (audit_line.c.who == entry.who)
        & (audit_line.c.action == entry.action.value)
        & (audit_line.c.object == entry.object)
        & (audit_line.c.origin == entry.origin)
    )
    return bool(connection.execute(select(exists().where(such))).scalar_one())


def listed(
    connection: Connection,
    *,
    before_seq: int | None = None,
    who: str = "",
    action: str = "",
    about: Collection[str] = (),
    origin: str = "",
    limit: int,
) -> list[AuditLine]:
    """Return lines, the newest first, those before a number if one is given.

    One of ``about`` stands in the line's object or detail: the number of a case or request, or an id. ``origin`` is
    where it came from: for lookups the site that answered.
    """
    statement = select(audit_line).order_by(audit_line.c.seq.desc()).limit(limit)
    if before_seq is not None:
        statement = statement.where(audit_line.c.seq < before_seq)
    if who:
        statement = statement.where(audit_line.c.who == who)
    if action:
        statement = statement.where(audit_line.c.action == action)
    if about:
        columns = (audit_line.c.object, audit_line.c.detail)
        statement = statement.where(or_(*(one.contains(name, autoescape=True) for one in columns for name in about)))
    if origin:
        statement = statement.where(audit_line.c.origin == origin)
    return [line_of(row) for row in connection.execute(statement)]
