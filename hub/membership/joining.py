"""Joining: how far a new installation has come, from its code to the first proof that both ends hold the same. Pure."""

from enum import StrEnum

import msgspec

from hub.membership.codes import OpenCode
from hub.membership.keyring import EnrolledNode
from hub.sites.board import SiteState, Word


class Step(StrEnum):
    """What happens when a site joins, in order."""

    CODE = "code"
    ADMITTED = "admitted"
    HEARD = "heard"
    TOLD = "told"
    PROVED = "proved"


class Standing(StrEnum):
    """Where a step stands."""

    DONE = "done"
    NOW = "now"
    TO_COME = "to_come"


class Joining(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of a site that joins."""

    code: OpenCode | None = None
    """A code that nobody has used; it is for the installation to come."""
    node: EnrolledNode | None = None
    """The latest installation that may speak for the site."""
    line: SiteState | None = None

    @property
    def has_begun(self) -> bool:
        """True once there is a code, or an installation."""
        return self.code is not None or self.node is not None

    def steps(self) -> dict[Step, Standing]:
        """Return every step with its standing: all before the present one are done, all behind it are to come."""
        done = self._done() if self.has_begun else 0
        standings = [Standing.DONE] * done + [Standing.NOW] * (done < len(Step)) + [Standing.TO_COME] * len(Step)
        return dict(zip(Step, standings, strict=False))

    def _done(self) -> int:
        """Return how many steps are done."""
        node, line = self.node, self.line
        if self.code is not None or node is None:
            return 1
        if line is None or line.seen_at_ms is None or line.seen_at_ms < node.enrolled_at_ms:
            return 2
        if line.lag or line.importing or line.word in (Word.BEHIND, Word.REBUILDING):
            return 3
        return 5 if line.word is Word.IN_SYNC else 4
