"""Roles: what a person at the county may do, and which roles one person never holds together.

Reviewer, administrator and auditor are separated (三员分立): who makes accounts does not read the log of what was done
with them, and who reads it can change nothing.
"""

from collections.abc import Collection
from enum import StrEnum

from protocol.errors import BadValue
from protocol.wording import Text


class Role(StrEnum):
    """What somebody is at the county archive."""

    CLERK = "clerk"
    ARCHIVIST = "archivist"
    REVIEWER = "reviewer"
    ADMINISTRATOR = "administrator"
    AUDITOR = "auditor"


ROLES = {
    Role.CLERK: Text(zh="窗口人员", en="clerk"),
    Role.ARCHIVIST: Text(zh="档案员", en="archivist"),
    Role.REVIEWER: Text(zh="审核员", en="reviewer"),
    Role.ADMINISTRATOR: Text(zh="系统管理员", en="administrator"),
    Role.AUDITOR: Text(zh="审计员", en="auditor"),
}

SEPARATED = frozenset((Role.REVIEWER, Role.ADMINISTRATOR, Role.AUDITOR))
"""Nobody holds two of these."""


class Permission(StrEnum):
    """One thing that may be done."""

    SEE_SITES = "see_sites"
    ATTEND_ALARMS = "attend_alarms"
    MANAGE_ACCOUNTS = "manage_accounts"
    READ_AUDIT = "read_audit"
    DECIDE = "decide"
    """Decide on what waits in the queues; whoever may, sees entries that are not open."""
    TEND_SITES = "tend_sites"
    """Have a site compared, or ask it to describe everything again."""
    ADMIT_SITES = "admit_sites"
    """Issue codes, revoke keys."""
    SEARCH_CATALOGUE = "search_catalogue"
    READ_RESTRICTED = "read_restricted"
    """Entries that a review has closed or put off; whoever may not sees that there is one, and where."""
    EXPORT_CATALOGUE = "export_catalogue"
    WORK_REQUESTS = "work_requests"
    """Take requests at the window, and bring them to their end."""
    APPROVE_ACCESS = "approve_access"
    """Decide what an applicant may see where the rules refer to a person; never on a request one accepted oneself."""
    RECEIVE_TRANSFERS = "receive_transfers"
    """Rule on the items of transfers, decide and sign for the archive, change the receiving plan."""
    PROPOSE_CHANGES = "propose_changes"
    """Write to a record's owner what it should say otherwise; nobody at the county changes a record."""


_CATALOGUE = frozenset(
    (
        Permission.SEARCH_CATALOGUE,
        Permission.READ_RESTRICTED,
        Permission.EXPORT_CATALOGUE,
        Permission.PROPOSE_CHANGES,
    )
)

GRANTED: dict[Role, frozenset[Permission]] = {
    Role.CLERK: frozenset(
        (
            *(Permission.SEE_SITES, Permission.SEARCH_CATALOGUE),
            *(Permission.WORK_REQUESTS, Permission.PROPOSE_CHANGES),
        )
    ),
    Role.ARCHIVIST: frozenset(
        (
            *(Permission.SEE_SITES, Permission.ATTEND_ALARMS, Permission.DECIDE, Permission.TEND_SITES),
            Permission.WORK_REQUESTS,
            Permission.RECEIVE_TRANSFERS,
        )
    )
    | _CATALOGUE,
    Role.REVIEWER: frozenset((Permission.SEE_SITES, Permission.APPROVE_ACCESS)) | _CATALOGUE,
    Role.ADMINISTRATOR: frozenset(
        (
            *(Permission.SEE_SITES, Permission.ATTEND_ALARMS, Permission.MANAGE_ACCOUNTS),
            *(Permission.TEND_SITES, Permission.ADMIT_SITES),
        )
    ),
    Role.AUDITOR: frozenset((Permission.SEE_SITES, Permission.READ_AUDIT)),
}


def permissions_of(roles: Collection[Role]) -> frozenset[Permission]:
    """Return everything that the holder of these roles may do."""
    return frozenset(permission for role in roles for permission in GRANTED[role])


def checked_roles(roles: Collection[Role]) -> tuple[Role, ...]:
    """Return the roles in their usual order.

    Raises:
        BadValue: there is none, or two that are separated.

    """
    kept = tuple(role for role in Role if role in roles)
    if not kept:
        raise BadValue(
            Text(zh="没有选择角色。", en="no role is named"),
            Text(zh="请至少选择一个角色。", en="Choose one role at least."),
        )
    together = [ROLES[role] for role in kept if role in SEPARATED]
    if len(together) > 1:
        raise BadValue(
            Text(
                zh=f"{'、'.join(role.zh for role in together)}不能由同一人担任。",
                en=f"nobody may be {' and '.join(role.en for role in together)} at once",
            ),
            Text(
                zh="审核员、系统管理员、审计员三者分立，请分给不同的人。",
                en="Reviewer, administrator and auditor are separated: give them to different persons.",
            ),
        )
    return kept
