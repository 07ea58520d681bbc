"""Looking: work that is looked after again and again, where a store or a line that is away only puts it off."""

from collections.abc import Awaitable, Callable

import structlog

from protocol.errors import Retryable

log = structlog.get_logger(__name__)


async def look_for_ever(
    look: Callable[[], Awaitable[object]], every_s: float, postponed: str, *, sleep: Callable[[float], Awaitable[None]]
) -> None:
    """Look, rest, and look again; a look that cannot be done now is done at the next.

    Args:
        look: does what is due; raises ``Retryable`` if it cannot now.
        every_s: seconds of rest between two looks.
        postponed: the event that the log tells of such a look.
        sleep: how it rests.

    """
    while True:
        try:
            await look()
        except Retryable as error:
            log.warning(postponed, reason=error.reason.en)
        await sleep(every_s)
