"""Which entries are guarded: a review has closed them, or put their opening off.

Who may not read them is told that there is one, where, and who to ask, but neither title nor code: a bare empty answer
would be a lie (promise 10), and a title may name a person. What nobody has reviewed yet is open to the staff, and each
reading of it is noted, as with everything that is not open.
"""

from typing import Final

from protocol.vocabularies import AccessStatus

GUARDED: Final = frozenset((AccessStatus.RESTRICTED, AccessStatus.DEFERRED))
"""Only who may read restricted entries sees what these say."""


def is_noted(status: AccessStatus) -> bool:
    """Tell whether each reading of an entry is written into the audit log."""
    return status is not AccessStatus.OPEN
