"""What a request holds, and where its history says that it stands."""

import pytest

from hub.window.applicants import Requester
from hub.window.applicants import kept as kept_applicant
from hub.window.contents import content_of, looked_for
from hub.window.requests import (
    EXTENDED_DAYS_MAX,
    PERSONS_MAX,
    QUESTIONS_MAX,
    TEXT_CHARS_MAX,
    Move,
    Purpose,
    Question,
    Use,
    digest_of,
    first_line,
    fold,
    only_adds_papers,
    stepped,
)
from hub.window.states import State, Step
from protocol.errors import BadValue, Refused
from tests.window import KEY, MONDAY, NUMBER, TO_FOUND, draft, given, history, identity, uuid


def question(text: str = "林地承包合同", **changes: object) -> Question:
    return Question(question_id=uuid(5), text=text, **changes)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"applicant": given(Requester.MEDIATION, organ="某镇调委会")}, "案号"),
        ({"applicant": given(Requester.LAWYER), "case_ref": " \t"}, "案号"),
        ({"purpose": Purpose.OTHER}, "其他"),
        ({"purpose": Purpose.OFFICIAL}, "不符"),
        ({"applicant": given(Requester.UNIT, organ="某局"), "purpose": Purpose.MARRIAGE}, "不符"),
        ({"questions": ()}, "问题"),
        ({"questions": (question(),) * (QUESTIONS_MAX + 1)}, "问题"),
        ({"questions": (question("  "),)}, "空"),
        ({"questions": (question("长" * (TEXT_CHARS_MAX + 1)),)}, "过长"),
        ({"questions": (question(persons=("甲",) * (PERSONS_MAX + 1)),)}, "人"),
        ({"questions": (question(year_from=1986, year_to=1978),)}, "年份"),
    ],
)
def test_what_a_request_lacks_is_said(changes: dict[str, object], said: str) -> None:
    with pytest.raises(BadValue) as refused:
        content_of(draft(**changes), KEY)  # type: ignore[arg-type]

    assert said in refused.value.reason.zh


def test_uses_are_kept_in_their_order_and_viewing_is_the_least() -> None:
    kept = [content_of(draft(uses=uses), KEY).uses for uses in ((Use.CERTIFIED, Use.VIEW), ())]

    assert kept == [(Use.VIEW, Use.CERTIFIED), (Use.VIEW,)]


def test_the_same_draft_has_the_same_digest_and_another_has_not() -> None:
    one, same, other = (
        digest_of(content_of(draft(purpose=purpose), KEY))
        for purpose in (Purpose.MARRIAGE, Purpose.MARRIAGE, Purpose.HOUSING)
    )

    assert (one == same, one == other) == (True, False)


def test_papers_may_be_added_and_nothing_else_changed() -> None:
    known = content_of(draft(), KEY)
    more = content_of(draft(applicant=given(papers=(identity(), identity("330523900101001")))), KEY)
    less = content_of(draft(applicant=given(papers=())), KEY)
    renamed = content_of(draft(applicant=given(name="乙某")), KEY)

    assert [only_adds_papers(known, one) for one in (known, more, less, renamed)] == [True, True, False, False]


def test_papers_bring_a_request_back_to_where_they_were_asked_for() -> None:
    lines = history(*[(step, MONDAY) for step in (*TO_FOUND, Step.ASK_SUPPLEMENT, Step.SUPPLEMENT)])

    assert [line.state for line in lines[-2:]] == [State.SUPPLEMENT_REQUESTED, State.FOUND]


def test_a_pause_lasts_until_it_ends_or_the_state_changes() -> None:
    steps = [*TO_FOUND[:5], Step.PAUSE]
    paused = [fold(history(*[(step, MONDAY) for step in (*steps, *more)])).paused_for for more in ((), (Step.RESUME,))]
    found = fold(history(*[(step, MONDAY) for step in (*steps, Step.FIND)]))

    assert (paused, found.paused_for) == (["理由", ""], "")


@pytest.mark.parametrize("step", [Step.PAUSE, Step.RESUME])
def test_a_clock_is_not_stopped_twice_nor_started_while_it_goes(step: Step) -> None:
    steps = [*TO_FOUND[:5], *([Step.PAUSE] if step is Step.PAUSE else [])]
    standing = fold(history(*[(one, MONDAY) for one in steps]))

    with pytest.raises(Refused):
        stepped(standing, Move(step=step, who="lin.min", at_ms=0, reason="另一理由"))


@pytest.mark.parametrize("step", [Step.APPROVE, Step.DENY])
def test_who_accepted_a_request_does_not_decide_on_it(step: Step) -> None:
    standing = fold(history(*[(one, MONDAY) for one in (*TO_FOUND, Step.REVIEW_ACCESS)]))
    own = Move(step=step, who="lin.min", at_ms=0, reason="理由")

    with pytest.raises(Refused) as refused:
        stepped(standing, own)
    others = stepped(standing, Move(step=step, who="wu.hai", at_ms=0, reason="理由"))
    by_rule = stepped(standing, Move(step=step, who="lin.min", at_ms=0, reason="理由", rule="R04@2"))

    assert ("受理人" in refused.value.reason.zh, others.who, by_rule.rule) == (True, "wu.hai", "R04@2")


@pytest.mark.parametrize("days", [0, -1, EXTENDED_DAYS_MAX + 1])
def test_a_term_is_extended_by_some_days_and_not_by_any(days: int) -> None:
    standing = fold(history((Step.SUBMIT, MONDAY)))

    with pytest.raises(BadValue):
        stepped(standing, Move(step=Step.EXTEND, who="lin.min", at_ms=0, reason="卷多", days=days))


@pytest.mark.parametrize("reason", ["", " ", "\n\t"])
def test_a_refusal_says_why(reason: str) -> None:
    standing = fold(history((Step.SUBMIT, MONDAY)))

    with pytest.raises(BadValue):
        stepped(standing, Move(step=Step.REFUSE, who="lin.min", at_ms=0, reason=reason))


def test_a_history_of_one_line_is_a_draft() -> None:
    standing = fold([first_line("lin.min", 5)])

    assert (standing.state, standing.seq, standing.since_ms, standing.past) == (State.DRAFTED, 1, 5, frozenset())


def test_numbers_typed_into_a_question_become_keys() -> None:
    """No site that is asked reads the number."""
    (kept,) = content_of(
        draft(questions=(question(f"查{NUMBER}的结婚登记", persons=(f"甲某{NUMBER}",)),)), KEY
    ).questions

    assert (kept.text, kept.persons) == ("查330523********0015的结婚登记", ("甲某330523********0015",))
    assert kept.person_keys == (kept_applicant(given(), KEY).identity_key,)


def test_no_number_is_looked_for_whole_or_masked() -> None:
    """No catalogue has it: among the words it would find nothing, and the statement would say that there is nothing."""
    (kept,) = content_of(draft(questions=(question(f"查{NUMBER}的结婚登记", persons=("甲某",)),)), KEY).questions

    assert looked_for(kept.text, kept.persons) == "查 的结婚登记 甲某"
    assert looked_for(f"{NUMBER} 甲某 330523900101001") == "甲某"


def test_a_question_of_nothing_but_a_number_is_refused() -> None:
    with pytest.raises(BadValue, match="nothing but identity numbers"):
        content_of(draft(questions=(question(f"（{NUMBER}）", persons=()),)), KEY)


def test_a_number_in_a_reason_is_masked() -> None:
    standing = fold(history((Step.SUBMIT, MONDAY)))
    line = stepped(standing, Move(step=Step.REFUSE, who="lin.min", at_ms=0, reason=f"{NUMBER} 与本人不符"))

    assert line.reason == "330523********0015 与本人不符"
