"""A statement of completeness has one form of bytes, and no other bytes are believed."""

from uuid import UUID

import pytest
from hypothesis import find, given, settings
from hypothesis import strategies as st

from protocol.completeness import (
    HoldingLine,
    QuestionLine,
    SiteLine,
    Statement,
    canonical,
    signed_bytes,
    tally,
    verified_statement,
)
from protocol.errors import BadValue
from protocol.lookups import LookupState, Route, SiteOutcome, state_of
from protocol.wording import Text
from replication.keys import Identity, new_seed, verified

HUB, OTHER = Identity(new_seed(b"h" * 32)), Identity(new_seed(b"o" * 32))
ASKED = [one for one in SiteOutcome if one is not SiteOutcome.NOT_ASKED]
SPOKE = (SiteOutcome.ANSWERED, SiteOutcome.NOTHING)
WHY = Text(zh="线索", en="clue")


@st.composite
def statements(draw: st.DrawFn, *, is_quiet: bool = False) -> Statement:
    """What a hub may say of a request; of a quiet one hardly a site was silent, or kept something back."""
    outcomes_asked = [*SPOKE * 12, *ASKED] if is_quiet else ASKED
    questions = []
    for number in range(draw(st.integers(1, 2))):
        sites = []
        for place in range(draw(st.integers(0, 4))):
            asked = draw(st.booleans())
            outcome = draw(st.sampled_from(outcomes_asked)) if asked else SiteOutcome.NOT_ASKED
            sites.append(
                SiteLine(
                    site=f"3305231082{place:02d}",
                    name=draw(st.text(max_size=6)),
                    route=Route.LIKELY if asked else Route.NOT_ASKED,
                    why=WHY,
                    outcome=outcome,
                    withheld=draw(st.sampled_from((0,) * 12 + (1, 2)) if is_quiet else st.integers(0, 2)),
                    holdings=(HoldingLine(fonds_no="J001", livelihood_kind="", level="item", entries=3),),
                )
            )
        found = 0 if is_quiet else draw(st.integers(0, 2))
        outcomes = [one.outcome for one in sites]
        questions.append(
            QuestionLine(
                lookup_id=str(UUID(int=number)),
                words=draw(st.text(max_size=8)),
                state=state_of(outcomes, hits=found, is_live=SiteOutcome.WAITING in outcomes),
                found=found,
                asked_at_ms=1,
                expires_at_ms=2,
                sites=tuple(sites),
            )
        )
    return Statement(
        statement_id="s",
        county="330523000000",
        county_name="某县档案馆",
        request_id="r",
        case_ref="案",
        purpose="marriage",
        made_at_ms=1,
        made_by="lin.min",
        questions=tuple(questions),
    )


def signed(statement: Statement) -> bytes:
    return signed_bytes(statement, HUB.public_key, HUB.sign)


@given(statements())
def test_what_was_signed_is_read_back_and_believed(statement: Statement) -> None:
    read, key = verified_statement(signed(statement), verified, (HUB.public_key,))

    assert (read, key, canonical(read)) == (statement, HUB.public_key, canonical(statement))


@settings(max_examples=200)
@given(statements(), st.data())
def test_no_single_byte_can_be_changed(statement: Statement, data: st.DataObject) -> None:
    raw = bytearray(signed(statement))
    at = data.draw(st.integers(0, len(raw) - 1))
    raw[at] ^= data.draw(st.integers(1, 255))
    try:
        read, key = verified_statement(bytes(raw), verified, (HUB.public_key,))
    except BadValue:
        return
    # Hexadecimal digits of the signature have two cases, blanks around the whole say nothing.
    assert (read, key) == (statement, HUB.public_key)


@given(statements())
def test_another_key_is_not_believed(statement: Statement) -> None:
    forged = signed_bytes(statement, OTHER.public_key, OTHER.sign)
    with pytest.raises(BadValue, match="another key"):
        verified_statement(forged, verified, (HUB.public_key,))


@settings(max_examples=300)
@given(st.one_of(statements(), statements(is_quiet=True)))
def test_nothing_is_proved_while_somebody_was_silent_or_kept_something_back(statement: Statement) -> None:
    """Promise 10: "not found" is said only where everybody who was asked spoke, and told all."""
    lines = [line for question in statement.questions for line in question.sites]
    has_nothing = all(question.state is LookupState.NOT_FOUND for question in statement.questions)
    all_spoke = {line.outcome for line in lines} <= {*SPOKE, SiteOutcome.NOT_ASKED}
    told_all = sum(line.withheld for line in lines) == 0

    assert tally(statement).is_proof == (has_nothing and all_spoke and told_all)


def test_a_quiet_statement_proves_that_there_is_nothing() -> None:
    assert find(statements(is_quiet=True), lambda statement: tally(statement).is_proof).questions[0].found == 0
