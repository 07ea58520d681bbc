"""The error tree.

    DanglianError              carries a reason and a hint, each in Chinese and English
    ├── Retryable              the same call may succeed later: try again with a pause
    │   ├── LinkDown           the broker or the other end cannot be reached now
    │   ├── CallTimeout        nobody answered within the call's deadline
    │   ├── NotYet             a site's rules allow it later, at a time that is named
    │   └── StorageFull        the disk has no room; nothing was written
    └── Permanent              the same input will fail again: set it aside and tell somebody
        ├── BadValue           one value (a code, date, setting) cannot be read
        ├── BadQuery           a search query cannot be understood; it says where
        ├── BadFile            one catalogue file cannot be read as a whole
        ├── BadFrame           a frame is damaged, foreign, forged or too large
        ├── BadBundle          a courier bundle is damaged, incomplete, foreign or out of order
        ├── BadFiles           some files of a consignment are not what its list says; the others are here
        ├── UnknownKind        a newer partner sent something this version does not know
        ├── BadSetting         a configuration file is wrong or incomplete
        ├── Refused            the other end understood and said no
        └── BrokenStore        the local database is damaged or not ours

Every error says what happened (``reason``) and what the operator may do next (``hint``).
Foreign exceptions are translated into this tree once, at the edge where they arise.
"""

from protocol.wording import Text

NO_HINT = Text(zh="请联系县档案馆系统管理员。", en="Ask the county archive's system administrator.")


class DanglianError(Exception):
    """Root of all errors that Danglian raises on purpose; callers catch one of its two branches."""

    def __init__(self, reason: Text, hint: Text = NO_HINT) -> None:
        super().__init__(reason.en)
        self.reason = reason
        self.hint = hint


class Retryable(DanglianError):
    """The same call may succeed later: the caller pauses (``replication.retry``) and tries again."""


class LinkDown(Retryable):
    """The broker or the other end cannot be reached now; work waits in the outbox."""


class CallTimeout(Retryable):
    """Nobody answered within the call's deadline; the caller reports the site as late and may ask again."""


class NotYet(Retryable):
    """The other end's rules allow it later; ``not_before_ms`` is that moment by its clock, 0 where it is not known."""

    def __init__(self, not_before_ms: int, reason: Text, hint: Text = NO_HINT) -> None:
        super().__init__(reason, hint)
        self.not_before_ms = not_before_ms


class StorageFull(Retryable):
    """The disk has no room; nothing was written, and the work is tried again when there is room."""


class Permanent(DanglianError):
    """The same input will fail again: the caller sets it aside with its reason and goes on with the rest."""


class BadValue(Permanent):
    """One value (a code, a date, a number) cannot be read; the caller rejects its row."""


class BadQuery(Permanent):
    """A search query cannot be understood; nothing was searched.

    ``start`` and ``end`` are the place in the query as typed, in characters, so that it can be underlined; the hint
    says what to write instead, and ``instead`` is the whole query written so, where that can be said.
    """

    def __init__(self, start: int, end: int, reason: Text, hint: Text, *, instead: str = "") -> None:
        super().__init__(reason, hint)
        self.start = start
        self.end = end
        self.instead = instead


class BadFile(Permanent):
    """A catalogue file cannot be read as a whole; the caller marks the file and waits for it to change."""


class BadFrame(Permanent):
    """A frame is damaged, foreign, forged or too large; the caller quarantines it."""


class BadBundle(Permanent):
    """A courier bundle is damaged, incomplete, foreign or out of order; nothing of it was taken.

    ``fault`` is one word for programs (``protocol.bundles.BundleFault``); reason and hint are for people.
    """

    def __init__(self, fault: str, reason: Text, hint: Text = NO_HINT) -> None:
        super().__init__(reason, hint)
        self.fault = fault


class BadFiles(Permanent):
    """Some files of a consignment are not what its list says, and all others have arrived.

    ``faults`` are path and one word each (``protocol.consignments.FileFault``); reason and hint are for people.
    """

    def __init__(self, faults: tuple[tuple[str, str], ...], reason: Text, hint: Text = NO_HINT) -> None:
        super().__init__(reason, hint)
        self.faults = faults


class UnknownKind(Permanent):
    """A newer partner sent a kind that this version does not know; the caller quarantines it until an upgrade."""


class BadSetting(Permanent):
    """A configuration file is wrong or incomplete; the program stops and names the setting."""


class Refused(Permanent):
    """The other end understood and said no; the caller shows its reason."""


class BrokenStore(Permanent):
    """The local database is damaged or is not ours; the program stops before it makes things worse."""
