"""The merged answer does not depend on the order in which the sites answer."""

from random import Random

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from hub.searching.gathering import Gathering, SiteFacts
from hub.searching.search import Found, Page, Query
from protocol.calls import Answer, Hit, Hits, Outcome
from protocol.codec import encode_record
from protocol.sites import parse_site
from replication.asking import SiteAnswer
from tests.catalogue import fictitious

SITES = tuple(parse_site(f"33052310820{number}") for number in range(5))


def answer(index: int, numbers: list[int], more: int, outcome: Outcome) -> SiteAnswer:
    site = SITES[index]
    if outcome in (Outcome.LATE, Outcome.OFFLINE):
        return SiteAnswer(site=site, outcome=outcome)
    hits = tuple(Hit(record=msgspec.Raw(encode_record(fictitious(number))), seq=number) for number in numbers)
    said = Answer(
        site=site.code,
        epoch="e1",
        seq=99,
        took_ms=1.0,
        question_digest="",
        outcome=Outcome.ANSWERED if hits else Outcome.NOTHING,
        body=Hits(total=len(hits) + more, hits=hits),
    )
    return SiteAnswer(site=site, outcome=said.outcome, answer=said)


records = st.lists(st.integers(1, 12), max_size=5, unique=True)
outcomes = st.sampled_from([Outcome.ANSWERED, Outcome.ANSWERED, Outcome.LATE, Outcome.OFFLINE])
answers = st.tuples(*(st.builds(answer, st.just(i), records, st.integers(0, 2), outcomes) for i in range(len(SITES))))
copies = st.lists(st.tuples(st.integers(0, len(SITES) - 1), st.integers(1, 12)), max_size=8, unique=True)


def gathered(copied: list[tuple[int, int]], heard: list[SiteAnswer]) -> Gathering:
    gathering = Gathering(Query(words="村民"), [SiteFacts(site=site.code, expected=True) for site in SITES])
    hits = tuple(
        Found(site=SITES[index].code, epoch="e1", seq=number, record=fictitious(number)) for index, number in copied
    )
    gathering.take_index(Page(total=len(hits), exact=True, hits=hits))
    for one in heard:
        gathering.take_answer(one)
    return gathering


@given(copies, answers, st.randoms(use_true_random=False))
def test_order_of_answers_makes_no_difference(
    copied: list[tuple[int, int]], heard: tuple[SiteAnswer, ...], random: Random
) -> None:
    shuffled = list(heard)
    random.shuffle(shuffled)
    one, other = gathered(copied, list(heard)), gathered(copied, shuffled)

    assert other.newest(100) == one.newest(100)
    assert other.summary() == one.summary()


@given(copies, answers)
def test_every_site_has_exactly_one_outcome_and_only_answers_complete(
    copied: list[tuple[int, int]], heard: tuple[SiteAnswer, ...]
) -> None:
    gathering = gathered(copied, list(heard))
    summary = gathering.summary()

    assert sum(summary.outcomes.values()) == len(SITES)
    assert summary.complete == all(one.outcome in (Outcome.ANSWERED, Outcome.NOTHING) for one in heard)


@given(copies, answers)
def test_no_record_of_a_site_is_shown_twice(copied: list[tuple[int, int]], heard: tuple[SiteAnswer, ...]) -> None:
    shown = [(hit.site, hit.record.record_id) for hit in gathered(copied, list(heard)).newest(100)]

    assert len(set(shown)) == len(shown)
