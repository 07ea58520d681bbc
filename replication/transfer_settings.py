"""What the checks of a transfer work with beside our own program: ``[transfers]`` in ``node.toml`` and ``hub.toml``."""

import msgspec

from protocol.errors import BadSetting
from protocol.wording import Text
from replication.checks.virus_scanner import scanner_address


class TransferSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename="kebab"):
    """How packages are checked at this end."""

    scanner: str = ""
    """Where clamd listens, as ``tcp:127.0.0.1:3310``; empty: there is none, and its rule has not run."""


EXAMPLES = {"transfers.scanner": 'scanner = "tcp:127.0.0.1:3310"'}
"""Every setting of this table with a line that would be right."""


def fault_of(settings: TransferSettings) -> tuple[str, Text] | None:
    """Return the first setting that makes no sense, and why; None if all do."""
    try:
        if settings.scanner:
            scanner_address(settings.scanner)
    except BadSetting as error:
        return "transfers.scanner", error.reason
    return None
