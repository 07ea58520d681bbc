"""What was asked for a request and what was said, as its page shows it: questions, holders' answers, entries.

A title is shown as its holder let it be told; nothing is put back from the hub's own copy.
"""

from collections.abc import Sequence
from typing import Final
from uuid import UUID

import msgspec
from sqlalchemy import Connection

from hub.commands.fields import ACCESS
from hub.search import Query
from hub.web.hits import Stretch, date_of, stretches
from hub.web.outcomes import OutcomeCount
from hub.window import lookup_reading
from hub.window import access_book
from hub.window.lookup_views import HITS_SHOWN_MAX, HitView, LookupOrder, LookupView, SiteView
from hub.window.lookups import expiry_of
from hub.window.requests import Question, Request
from protocol.lookup_cases import LookupCase
from protocol.lookup_policy import Treatment
from protocol.lookups import LOOKUP_STATES, OPEN_OUTCOMES, LookupState, Route, SiteOutcome
from protocol.vocabularies import LIVELIHOOD_KINDS
from protocol.wording import Text

SITE_OUTCOMES: Final = {
    SiteOutcome.ANSWERED: Text(zh="有", en="has it"),
    SiteOutcome.NOTHING: Text(zh="没有", en="has nothing"),
    SiteOutcome.REFUSED: Text(zh="拒绝答复", en="refused"),
    SiteOutcome.FAILED: Text(zh="答复出错", en="failed"),
    SiteOutcome.WAITING: Text(zh="正在问", en="being asked"),
    SiteOutcome.PENDING: Text(zh="离线，等待答复", en="offline, will answer"),
    SiteOutcome.EXPIRED: Text(zh="逾期未答复", en="never answered"),
    SiteOutcome.NOT_ASKED: Text(zh="没有问", en="not asked"),
}

SITE_TONES: Final = {
    SiteOutcome.ANSWERED: "good",
    SiteOutcome.NOTHING: "calm",
    SiteOutcome.REFUSED: "bad",
    SiteOutcome.FAILED: "bad",
    SiteOutcome.WAITING: "calm",
    SiteOutcome.PENDING: "watch",
    SiteOutcome.EXPIRED: "bad",
    SiteOutcome.NOT_ASKED: "away",
}

STATE_TONES: Final = {
    LookupState.SEARCHING: "calm",
    LookupState.WAITING: "watch",
    LookupState.PARTIAL: "watch",
    LookupState.FOUND: "good",
    LookupState.NOT_FOUND: "calm",
    LookupState.INCONCLUSIVE: "watch",
}
