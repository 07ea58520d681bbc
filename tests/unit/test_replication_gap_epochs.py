"""Gaps in several epochs of one site: each is asked for by itself."""

from collections.abc import Callable

from protocol.beats import Receipt
from protocol.calls import Answer, FetchRange, Outcome, QuestionHead, Range, Refusal
from protocol.sites import Site
from replication.asking import SiteAnswer
from replication.gaps import GAP_PATIENCE_S, GAP_PAUSE_S, GapCloser
from replication.inbox import Gap, Taken
from tests.builders import VILLAGE


class LivingEpoch:
    """A site that lives in one epoch, up to a position, and refuses questions for any other."""

    def __init__(self, epoch: str, up_to: int) -> None:
        self.epoch = epoch
        self.up_to = up_to
        self.asked: list[tuple[str, int]] = []

    async def ask_one(self, compose: Callable[[str, str], QuestionHead], site: Site, deadline_s: float) -> SiteAnswer:
        question = compose("hub", "q1")
        assert isinstance(question, FetchRange)
        self.asked.append((question.epoch, question.after))
        assert deadline_s > 0
        refused = Refusal(reason_zh="没有", reason_en="not here")
        is_mine = question.epoch == self.epoch
        outcome, body = Outcome.ANSWERED if is_mine else Outcome.REFUSED, Range(after=question.after, up_to=self.up_to)
        answer = Answer(
            site=site.code,
            epoch=self.epoch,
            seq=self.up_to,
            took_ms=0.0,
            question_digest="",
            outcome=outcome,
            body=body if is_mine else refused,
        )
        return SiteAnswer(site=site, outcome=outcome, answer=answer)


def showing(*gaps: tuple[str, int]) -> Taken:
    """Return what a batch of frames shows that misses something in some epochs."""
    missing = [Gap(site=VILLAGE, epoch=epoch, after=after) for epoch, after in gaps]
    return Taken(receipts={VILLAGE.code: Receipt(site=VILLAGE.code, epoch="living", applied=0)}, gaps=missing)


async def test_gaps_in_two_epochs_of_a_site_are_both_asked_for() -> None:
    """Which of the two lives is not known here: the one of a copy that is gone must not hide the other."""
    site = LivingEpoch("living", 9)
    times = iter([0.0, GAP_PATIENCE_S, GAP_PATIENCE_S + GAP_PAUSE_S])
    closer = GapCloser(site, lambda: next(times))  # type: ignore[arg-type]
    closer.note(showing(("living", 3), ("dead", 0)))
    await closer.step()
    await closer.step()
    assert sorted(site.asked) == [("dead", 0), ("living", 3), ("living", 3)]


async def test_a_batch_without_gaps_closes_all_of_a_site() -> None:
    closer = GapCloser(LivingEpoch("living", 9))  # type: ignore[arg-type]
    closer.note(showing(("living", 3), ("dead", 0)))
    closer.note(showing())
    assert closer.sites == frozenset()
