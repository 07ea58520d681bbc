"""The states of a request 查档申请 and every step between them: a table, and nothing is allowed that is not in it.

A step leads from some states to one. Three kinds of steps are special: those that leave the state as it is (a longer
term, a pause), the answer to a question back to the applicant, which leads back to where the question was asked, and
those that need a state in the request's past (nothing is sought anew that was never accepted).
"""

from enum import StrEnum
from typing import Final

import msgspec

from protocol.wording import Text


class State(StrEnum):
    """Where a request stands."""

    DRAFTED = "drafted"
    SUBMITTED = "submitted"
    IDENTITY_CHECKED = "identity_checked"
    ACCEPTED = "accepted"
    REFUSED = "refused"
    ROUTED = "routed"
    SEARCHING = "searching"
    FOUND = "found"
    NOT_FOUND = "not_found"
    PARTIAL = "partial"
    """Something was found, and not everything could be asked yet."""
    ACCESS_REVIEW = "access_review"
    APPROVED = "approved"
    DENIED = "denied"
    CERTIFYING = "certifying"
    ISSUED = "issued"
    DELIVERED = "delivered"
    CLOSED = "closed"
    WITHDRAWN = "withdrawn"
    EXPIRED = "expired"
    SUPPLEMENT_REQUESTED = "supplement_requested"


class Step(StrEnum):
    """What is done to a request."""

    DRAFT = "draft"
    """Its first step; made by ``requests.drafted`` alone."""
    AMEND = "amend"
    SUBMIT = "submit"
    CHECK_IDENTITY = "check_identity"
    ACCEPT = "accept"
    REFUSE = "refuse"
    ROUTE = "route"
    SEARCH = "search"
    FIND = "find"
    FIND_PART = "find_part"
    FIND_NOTHING = "find_nothing"
    REVIEW_ACCESS = "review_access"
    APPROVE = "approve"
    DENY = "deny"
    CERTIFY = "certify"
    ISSUE = "issue"
    CERTIFY_AGAIN = "certify_again"
    """A certificate is replaced, or was spoilt on its way out of the printer."""
    DELIVER = "deliver"
    CLOSE = "close"
    REOPEN = "reopen"
    WITHDRAW = "withdraw"
    EXPIRE = "expire"
    ASK_SUPPLEMENT = "ask_supplement"
    SUPPLEMENT = "supplement"
    EXTEND = "extend"
    PAUSE = "pause"
    RESUME = "resume"
    LINK_CASE = "link_case"


class Duty(StrEnum):
    """Who takes a step."""

    CLERK = "clerk"
    """Who works requests at the window."""
    REVIEWER = "reviewer"
    """Who approves access; never the one who accepted the same request."""


class Back(msgspec.Struct, frozen=True):
    """Stands for the state that the request was in before."""


class Allowed(msgspec.Struct, frozen=True, kw_only=True):
    """One row of the table: from where a step leads to where, and what it takes."""

    origins: frozenset[State]
    target: State | Back | None
    """None: the state stays as it is."""
    needs_reason: bool = False
    needs_days: bool = False
    needs_past: State | None = None
    """A state that the request must have been in."""
    duty: Duty = Duty.CLERK


STATES: Final = {
    State.DRAFTED: Text(zh="草稿", en="drafted"),
    State.SUBMITTED: Text(zh="已提交", en="submitted"),
    State.IDENTITY_CHECKED: Text(zh="身份已核验", en="identity checked"),
    State.ACCEPTED: Text(zh="已受理", en="accepted"),
    State.REFUSED: Text(zh="不予受理", en="refused"),
    State.ROUTED: Text(zh="已分送", en="routed"),
    State.SEARCHING: Text(zh="查找中", en="searching"),
    State.FOUND: Text(zh="已查到", en="found"),
    State.NOT_FOUND: Text(zh="未查到", en="not found"),
    State.PARTIAL: Text(zh="部分查到", en="partly found"),
    State.ACCESS_REVIEW: Text(zh="利用审核中", en="access under review"),
    State.APPROVED: Text(zh="同意利用", en="approved"),
    State.DENIED: Text(zh="不同意利用", en="denied"),
    State.CERTIFYING: Text(zh="出证中", en="certifying"),
    State.ISSUED: Text(zh="已出证", en="issued"),
    State.DELIVERED: Text(zh="已交付", en="delivered"),
    State.CLOSED: Text(zh="已办结", en="closed"),
    State.WITHDRAWN: Text(zh="已撤回", en="withdrawn"),
    State.EXPIRED: Text(zh="已失效", en="expired"),
    State.SUPPLEMENT_REQUESTED: Text(zh="待补充材料", en="waiting for more papers"),
}

STEPS: Final = {
    Step.DRAFT: Text(zh="登记草稿", en="draft"),
    Step.AMEND: Text(zh="修改", en="amend"),
    Step.SUBMIT: Text(zh="提交", en="submit"),
    Step.CHECK_IDENTITY: Text(zh="核验身份", en="check the identity"),
    Step.ACCEPT: Text(zh="受理", en="accept"),
    Step.REFUSE: Text(zh="不予受理", en="refuse"),
    Step.ROUTE: Text(zh="分送各馆室", en="route to the holders"),
    Step.SEARCH: Text(zh="开始查找", en="begin the search"),
    Step.FIND: Text(zh="记为查到", en="record as found"),
    Step.FIND_PART: Text(zh="记为部分查到", en="record as partly found"),
    Step.FIND_NOTHING: Text(zh="记为未查到", en="record as not found"),
    Step.REVIEW_ACCESS: Text(zh="提请利用审核", en="put access to review"),
    Step.APPROVE: Text(zh="同意利用", en="approve"),
    Step.DENY: Text(zh="不同意利用", en="deny"),
    Step.CERTIFY: Text(zh="开始出证", en="begin the certificate"),
    Step.ISSUE: Text(zh="记为已出证", en="record as issued"),
    Step.CERTIFY_AGAIN: Text(zh="重新出证", en="certify again"),
    Step.DELIVER: Text(zh="交付", en="deliver"),
    Step.CLOSE: Text(zh="办结", en="close"),
    Step.REOPEN: Text(zh="重新查找", en="search again"),
    Step.WITHDRAW: Text(zh="撤回", en="withdraw"),
    Step.EXPIRE: Text(zh="到期失效", en="expire"),
    Step.ASK_SUPPLEMENT: Text(zh="要求补充材料", en="ask for more papers"),
    Step.SUPPLEMENT: Text(zh="材料已补充", en="papers were brought"),
    Step.EXTEND: Text(zh="延长期限", en="extend the term"),
    Step.PAUSE: Text(zh="暂停计时", en="stop the clock"),
    Step.RESUME: Text(zh="恢复计时", en="start the clock again"),
    Step.LINK_CASE: Text(zh="关联调解案件", en="link to a mediation case"),
}

ENDED: Final = frozenset((State.REFUSED, State.DENIED, State.CLOSED, State.WITHDRAWN, State.EXPIRED))
"""Nothing more is owed to the applicant."""

WORKING: Final = frozenset(State) - ENDED - {State.DRAFTED, State.DELIVERED, State.SUPPLEMENT_REQUESTED}
"""Somebody at the county has something to do."""

_BEFORE_ISSUE: Final = frozenset(State) - ENDED - {State.ISSUED, State.DELIVERED}
_FINDINGS: Final = frozenset((State.FOUND, State.PARTIAL, State.NOT_FOUND))


def _from(*origins: State) -> frozenset[State]:
    return frozenset(origins)


TABLE: Final[dict[Step, Allowed]] = {
    Step.AMEND: Allowed(
        # How much may be changed is said by ``amendments.scope_of``: after the identity was checked only papers.
        origins=_FINDINGS
        | {State.DRAFTED, State.SUBMITTED, State.IDENTITY_CHECKED, State.ACCEPTED, State.SUPPLEMENT_REQUESTED},
        target=None,
    ),
    Step.SUBMIT: Allowed(origins=_from(State.DRAFTED), target=State.SUBMITTED),
    Step.CHECK_IDENTITY: Allowed(origins=_from(State.SUBMITTED), target=State.IDENTITY_CHECKED),
    Step.ACCEPT: Allowed(origins=_from(State.IDENTITY_CHECKED), target=State.ACCEPTED),
    Step.REFUSE: Allowed(
        origins=_from(State.SUBMITTED, State.IDENTITY_CHECKED), target=State.REFUSED, needs_reason=True
    ),
    Step.ROUTE: Allowed(origins=_FINDINGS | {State.ACCEPTED, State.SEARCHING}, target=State.ROUTED),
    Step.SEARCH: Allowed(origins=_from(State.ROUTED), target=State.SEARCHING),
    Step.FIND: Allowed(origins=_from(State.SEARCHING, State.PARTIAL, State.NOT_FOUND), target=State.FOUND),
    Step.FIND_PART: Allowed(origins=_from(State.SEARCHING, State.NOT_FOUND), target=State.PARTIAL),
    Step.FIND_NOTHING: Allowed(
        # A clerk may see that what came up is somebody else of the same name.
        origins=_from(State.SEARCHING, State.FOUND, State.PARTIAL),
        target=State.NOT_FOUND,
    ),
    Step.REVIEW_ACCESS: Allowed(origins=_from(State.FOUND, State.PARTIAL), target=State.ACCESS_REVIEW),
    Step.APPROVE: Allowed(origins=_from(State.ACCESS_REVIEW), target=State.APPROVED, duty=Duty.REVIEWER),
    Step.DENY: Allowed(origins=_from(State.ACCESS_REVIEW), target=State.DENIED, needs_reason=True, duty=Duty.REVIEWER),
    # Of nothing found there is a statement as well 查无此档证明.
    Step.CERTIFY: Allowed(origins=_from(State.APPROVED, State.NOT_FOUND), target=State.CERTIFYING),
    Step.ISSUE: Allowed(origins=_from(State.CERTIFYING), target=State.ISSUED),
    Step.CERTIFY_AGAIN: Allowed(
        origins=_from(State.ISSUED, State.DELIVERED),
        target=State.CERTIFYING,
        needs_reason=True,
        needs_past=State.CERTIFYING,
    ),
    # Whoever came to look, or to be told that there is nothing, needs no certificate.
    Step.DELIVER: Allowed(origins=_from(State.ISSUED, State.APPROVED, State.NOT_FOUND), target=State.DELIVERED),
    Step.CLOSE: Allowed(origins=_from(State.DELIVERED, State.REFUSED, State.DENIED), target=State.CLOSED),
    Step.REOPEN: Allowed(
        # An answer that comes late, for example from a village that was offline.
        origins=_from(State.DELIVERED, State.CLOSED, State.DENIED),
        target=State.SEARCHING,
        needs_reason=True,
        needs_past=State.ROUTED,
    ),
    Step.WITHDRAW: Allowed(origins=_BEFORE_ISSUE, target=State.WITHDRAWN, needs_reason=True),
    Step.EXPIRE: Allowed(
        origins=_from(State.DRAFTED, State.SUPPLEMENT_REQUESTED, State.APPROVED, State.ISSUED),
        target=State.EXPIRED,
        needs_reason=True,
    ),
    Step.ASK_SUPPLEMENT: Allowed(
        origins=_FINDINGS | {State.SUBMITTED, State.IDENTITY_CHECKED, State.ACCEPTED, State.ACCESS_REVIEW},
        target=State.SUPPLEMENT_REQUESTED,
        needs_reason=True,
    ),
    Step.SUPPLEMENT: Allowed(origins=_from(State.SUPPLEMENT_REQUESTED), target=Back()),
    Step.EXTEND: Allowed(origins=WORKING, target=None, needs_reason=True, needs_days=True),
    Step.PAUSE: Allowed(origins=WORKING, target=None, needs_reason=True),
    Step.RESUME: Allowed(origins=WORKING, target=None),
    Step.LINK_CASE: Allowed(origins=frozenset(State), target=None),
}
"""Every step that is allowed; ``Step.DRAFT`` makes a request and is no step of one."""
