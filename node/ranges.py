"""Answering for missing events: the site sends them again over the stream, and says up to where."""

from collections.abc import Awaitable, Callable

from protocol.calls import FetchRange, Outcome, Range, Refusal
from replication import outbox
from replication.database import Database
from replication.publisher import Publisher


def range_handler(
    database: Database, publisher: Publisher
) -> Callable[[FetchRange], Awaitable[tuple[Outcome, Range | Refusal]]]:
    """Return what answers ``FetchRange``."""

    async def answer(question: FetchRange) -> tuple[Outcome, Range | Refusal]:
        here = await database.read(outbox.head)
        if here is None or here.epoch != question.epoch or question.after > here.seq:
            return Outcome.REFUSED, Refusal(
                reason_zh="本站没有该纪元的这段历史。", reason_en="this site has no such part of that epoch"
            )
        up_to = await publisher.send_range(question.after)
        return Outcome.ANSWERED, Range(after=question.after, up_to=up_to)

    return answer
