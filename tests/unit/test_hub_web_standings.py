"""Every state and step of a request has its words on the page, and a usual step is one that may be taken."""

from hub.web.request_lookups import SITE_OUTCOMES, SITE_TONES, STATE_TONES
from hub.web.request_pieces import BY_OTHER_MEANS
from hub.web.standings import ADVICE, EFFECTS, MEANINGS, TONES, USUAL
from hub.window.states import TABLE, State, Step
from protocol.lookups import LookupState, SiteOutcome


def test_every_state_says_what_it_means_and_what_comes_next() -> None:
    assert [set(words) for words in (TONES, MEANINGS, ADVICE)] == [set(State)] * 3


def test_every_step_with_a_button_says_what_it_does() -> None:
    offered = set(TABLE) - BY_OTHER_MEANS

    assert offered - set(EFFECTS) == set()
    assert Step.DRAFT not in offered


def test_the_usual_step_of_a_state_may_be_taken_in_it() -> None:
    assert [state for state, step in USUAL.items() if state not in TABLE[step].origins] == []


def test_every_outcome_of_a_lookup_has_words_and_a_colour() -> None:
    assert (set(SITE_OUTCOMES), set(SITE_TONES), set(STATE_TONES)) == (
        set(SiteOutcome),
        set(SiteOutcome),
        set(LookupState),
    )
