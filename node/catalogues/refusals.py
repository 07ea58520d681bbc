"""Why a whole file is set aside: a finding of the registry, with what was seen in this file."""

from protocol.errors import BadFile
from protocol.findings import rule
from protocol.wording import Text


class UnreadableFile(BadFile):
    """A catalogue file that cannot be read as a whole; ``finding`` is its code in the registry."""

    def __init__(self, code: str, seen: Text | None = None, hint: Text | None = None) -> None:
        known = rule(code)
        reason = known.reason
        if seen is not None:
            reason = Text(zh=f"{reason.zh}{seen.zh}", en=f"{reason.en} {seen.en}")
        super().__init__(reason, hint or known.remedy)
        self.finding = code
