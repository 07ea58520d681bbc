"""The golden messages of protocol 1.4 about lookups: the call, its answer, the letters, and a statement."""

from uuid import UUID

import msgspec

from protocol.audit_chain import AuditHead
from protocol.audit_letters import AuditHeadTold
from protocol.calls import Answer, LookedUp, LookedUpHit, Lookup, Outcome, WordReading
from protocol.completeness import HoldingLine, QuestionLine, SiteLine, Statement
from protocol.lookup_cases import LookupCase
from protocol.lookups import LookupAnswered, LookupState, Route, SiteOutcome
from protocol.wording import Text
from tests.golden.messages import SITE

HEAD = AuditHead(seq=12, digest="5f" * 32)
CASE = LookupCase(
    request_id=UUID(int=11), case_ref="（2026）安调字第12号", purpose="land_and_forest", requester="mediation"
)
LOOKED_UP = LookedUp(
    total=3,
    hits=(
        LookedUpHit(
            record=msgspec.Raw(
                '{"record_id":"00000000-0000-0000-0000-000000000001","repository_id":"330523108204","title":"＊＊合同"}'.encode()
            ),
            seq=7,
            stage="words",
            treatment="mask",
        ),
    ),
    withheld=1,
    policy="county-default-1",
    head=HEAD,
)

LOOKUP_MESSAGES: dict[str, msgspec.Struct] = {
    "question-lookup": Lookup(
        asker="hub",
        question="q1",
        query="山林",
        language="山林 承包",
        readings=(WordReading(word="山林", text="林地", kind="synonym", zh="近义", en="equal"),),
        with_matches=False,
        lookup_id=UUID(int=5),
        case=CASE,
        asked_at_ms=1_790_000_000_000,
        expires_at_ms=1_791_000_000_000,
        head=HEAD,
    ),
    "answer-lookup": Answer(
        site=SITE,
        epoch="5f3a9c01d2e4b687",
        seq=7,
        took_ms=1.5,
        question_digest="ab" * 16,
        outcome=Outcome.ANSWERED,
        body=LOOKED_UP,
    ),
    "letter-lookup-answered": LookupAnswered(
        lookup_id=UUID(int=5),
        question_digest="ab" * 16,
        outcome=Outcome.ANSWERED,
        body=LOOKED_UP,
        epoch="5f3a9c01d2e4b687",
        seq=7,
        answered_at_ms=1_790_000_000_000,
    ),
    "letter-audit-head": AuditHeadTold(head=HEAD, places=(3, 9), digests=(AuditHead(seq=4, digest="a0" * 32),)),
    "statement-completeness": Statement(
        statement_id="00000000-0000-0000-0000-000000000009",
        county="330523000000",
        county_name="某县档案馆",
        request_id=str(UUID(int=11)),
        request_number="CD2026-000123",
        case_ref=CASE.case_ref,
        purpose=CASE.purpose,
        made_at_ms=1_790_000_000_000,
        made_by="lin.min",
        questions=(
            QuestionLine(
                lookup_id=str(UUID(int=5)),
                words="山林 承包",
                state=LookupState.NOT_FOUND,
                found=0,
                asked_at_ms=1_790_000_000_000,
                expires_at_ms=1_791_000_000_000,
                sites=(
                    SiteLine(
                        site=SITE,
                        name="某村档案室",
                        route=Route.LIKELY,
                        why=Text(zh="属于所问地点", en="at the places named"),
                        outcome=SiteOutcome.NOTHING,
                        total=0,
                        answered_at_ms=1_790_000_000_100,
                        epoch="5f3a9c01d2e4b687",
                        seq=7,
                        holdings=(
                            HoldingLine(
                                fonds_no="Z109",
                                livelihood_kind="forest_contracts",
                                level="item",
                                entries=3,
                                year_from=1986,
                                year_to=2014,
                            ),
                        ),
                    ),
                ),
            ),
        ),
    ),
}
"""By the name of the file in ``v1.4``."""
