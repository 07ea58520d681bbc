"""What became of a question at each site, as a page lists it."""

import msgspec

from hub.searching.gathering import Gathering, SiteFacts
from hub.searching.search import Query
from hub.web.outcomes import outcomes_of
from protocol.calls import Answer, Hits, Outcome
from protocol.sites import parse_site
from replication.asking import SiteAnswer

READY, READING = parse_site("330523108201"), parse_site("330523108202")


def test_a_site_that_has_nothing_but_is_still_indexing_is_listed_with_its_reason() -> None:
    """Its "nothing" is one of before the entries that it has just read; that of the other is simply counted."""
    gathering = Gathering(Query(words="林地"), [SiteFacts(site=one.code, expected=True) for one in (READY, READING)])
    said = Answer(
        site=READY.code, epoch="e1", seq=9, took_ms=1, question_digest="", outcome=Outcome.NOTHING, body=Hits(total=0)
    )
    gathering.take_answer(SiteAnswer(site=READY, outcome=Outcome.NOTHING, answer=said))
    waiting = msgspec.structs.replace(said, site=READING.code, body=Hits(total=0, waiting=4_000))
    gathering.take_answer(SiteAnswer(site=READING, outcome=Outcome.NOTHING, answer=waiting))
    outcomes = outcomes_of(gathering)

    assert [line.report.site for line in outcomes.lines] == [READING.code]
    assert outcomes.lines[0].report.reason is not None
    assert outcomes.nothing == 1
