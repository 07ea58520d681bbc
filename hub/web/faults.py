"""What goes wrong on the way to a page, as errors; ``hub.web.pages.faults`` turns them into pages."""

from typing import Final

PLACES_NAMED: Final = 6
"""Places in the code that a log names of an error, the innermost last."""


def places_of(error: BaseException) -> list[str]:
    """Return where in the code an error came from; never its words, which may hold what somebody typed."""
    places: list[str] = []
    trace = error.__traceback__
    while trace is not None:
        places.append(f"{trace.tb_frame.f_globals.get('__name__', '?')}:{trace.tb_lineno}")
        trace = trace.tb_next
    return places[-PLACES_NAMED:]


class WebFault(Exception):
    """Root of what a page is shown for."""


class SignInNeeded(WebFault):
    """Nobody is signed in; ``path`` is where the visitor wanted to go."""

    def __init__(self, path: str, *, was_signed_in: bool) -> None:
        super().__init__(path)
        self.path = path
        self.was_signed_in = was_signed_in


class CodeNeeded(WebFault):
    """The password was right, and the one-time code is still to come."""


class Forbidden(WebFault):
    """The visitor's roles do not allow this."""


class Stale(WebFault):
    """A form without the token of its visitor, or from another page."""


class TooMany(WebFault):
    """Too many requests; ``wait_s`` is how many seconds to wait."""

    def __init__(self, wait_s: int) -> None:
        super().__init__(str(wait_s))
        self.wait_s = wait_s


class Missing(WebFault):
    """There is no such page, or no such thing."""
