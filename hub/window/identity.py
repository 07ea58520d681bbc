"""Checking who somebody is: which papers suffice for it, and how well a request's applicant is known.

That the papers show who stands at the window is one question; whether they give a right to a record is another, which
the rules decide (``rules``).
"""

import datetime

from hub.window.applicants import ORGANS, PAPERS, Applicant, Evidence, Paper, Requester
from protocol.wording import Text


def proving(requester: Requester) -> frozenset[Paper]:
    """Return the papers any one of which says who it is."""
    if requester in ORGANS:
        return frozenset((Paper.UNIT_LETTER, Paper.WORK_CARD, Paper.IDENTITY))
    if requester is Requester.LAWYER:
        return frozenset((Paper.LAWYER_CARD, Paper.IDENTITY))
    return frozenset((Paper.IDENTITY,))


def fault_of(applicant: Applicant, today: datetime.date) -> Text | None:
    """Return why the papers do not say who it is; None if one of them does."""
    wanted = proving(applicant.requester)
    shown = [one for one in applicant.evidence if one.kind in wanted]
    if any(one.is_original and not one.is_expired(today) for one in shown):
        return None
    if not shown:
        zh = "或".join(PAPERS[one].zh for one in Paper if one in wanted)
        en = " or ".join(PAPERS[one].en for one in Paper if one in wanted)
        return Text(zh=f"没有出示{zh}。", en=f"no {en} was shown")
    return _why_not(shown[0], today)


def _why_not(paper: Evidence, today: datetime.date) -> Text:
    name = PAPERS[paper.kind]
    if paper.is_expired(today):
        return Text(zh=f"{name.zh}已于 {paper.valid_until} 到期。", en=f"the {name.en} expired on {paper.valid_until}")
    return Text(zh=f"出示的{name.zh}不是原件。", en=f"the {name.en} that was shown is not the original")
