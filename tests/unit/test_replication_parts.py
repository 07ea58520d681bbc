"""Parts of the stream: every site is in exactly one, and its reader is given its frames."""

from hypothesis import given
from hypothesis import strategies as st

from protocol.sites import Site
from protocol.subjects import events
from replication.parts import PARTS_MAX, TOWNS, part_of, plan_of, reader_of, subjects_of
from replication.streams import EVENTS, HUB_CONSUMER

PARTS = st.integers(min_value=1, max_value=PARTS_MAX)
SITES = st.builds(
    Site,
    county=st.from_regex(r"[0-9]{6}", fullmatch=True),
    town=st.from_regex(r"[0-9]{3}", fullmatch=True),
    village=st.from_regex(r"[0-9]{3}", fullmatch=True),
    suffix=st.sampled_from(["", "W01", "E0007"]),
)


def hears(pattern: str, subject: str) -> bool:
    """Tell whether a subject is one of a pattern's, as the broker reads it."""
    wanted, tokens = pattern.split("."), subject.split(".")
    return len(tokens) >= len(wanted) and all(
        want in ("*", ">", token) for want, token in zip(wanted, tokens, strict=False)
    )


@given(site=SITES, parts=PARTS)
def test_a_site_is_heard_by_the_reader_of_its_part_and_by_no_other(site: Site, parts: int) -> None:
    hearing = [
        part for part in range(parts) if any(hears(pattern, events(site)) for pattern in subjects_of(part, parts))
    ]
    assert hearing == [part_of(site, parts)]


@given(parts=PARTS)
def test_no_two_filters_overlap(parts: int) -> None:
    """The broker refuses a reader whose filters do, and two readers would be given the same frame."""
    named = [pattern for part in range(parts) for pattern in subjects_of(part, parts)]
    assert len(named) == len(set(named)) == TOWNS


def test_an_undivided_stream_keeps_its_reader() -> None:
    assert (reader_of(0, 1), plan_of(0, 1, EVENTS)) == (HUB_CONSUMER, EVENTS)


def test_another_number_of_parts_has_other_readers() -> None:
    assert not {reader_of(part, 4) for part in range(4)} & {reader_of(part, 8) for part in range(8)}
