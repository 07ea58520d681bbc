"""The checks of a round's package, run by the giver before it sends and by the receiver before it decides.

The rules are those of ``replication.checks``; beside them stands what only a transfer asks for: that every item comes
with its opening opinion, disclosure attribute and secrecy state (``protocol.attached_opinions``), and that the items in
the package are those of the log.
"""

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import msgspec

from protocol.attached_opinions import missing_opinions
from protocol.check_results import CheckResult, Outcome, Standing
from protocol.check_rules import Phase
from protocol.package_entries import PackageEntry
from protocol.transfer_folds import Transfer
from protocol.wording import Text
from replication.packages.bag_checking import check_bag
from replication.packages.official_layout import read_entries
from replication.transfer_rounds import Fault, fault_of

OPINIONS = "opinions_attached"
"""Rule: opening opinion, disclosure attribute and secrecy state are attached."""

PACKAGE = "package_structure"
"""Rule: the package is a whole bag in the official layout."""


class Checked(msgspec.Struct, frozen=True, kw_only=True):
    """What the checks of one package came to."""

    standing: Standing
    faults: tuple[Fault, ...]
    """What is not in order, that of mandatory rules first."""
    entries: tuple[PackageEntry, ...]
    report: Path | None = None
    """File with every result."""

    @property
    def items_open(self) -> int:
        """Items with a mandatory rule that did not pass."""
        return len({fault.ref_code for fault in self.faults if fault.is_mandatory and fault.ref_code})


def payload_of(package: Path) -> Path:
    """Return the folder of a package that is in the official layout."""
    return package / "data"


def opinion_results(entries: Iterable[PackageEntry], now: Transfer, phase: Phase, now_ms: int) -> Iterator[CheckResult]:
    """Yield what each entry says, or lacks, of what has to be attached to it."""
    for entry in entries:
        missing = missing_opinions(
            now.nature,
            access_status=entry.access_status,
            access_reason=entry.access_reason,
            disclosure=entry.disclosure,
            secrecy=entry.secrecy,
        )
        evidence = (
            Text(zh="；".join(one.zh for one in missing), en="; ".join(one.en for one in missing))
            if missing
            else Text(zh="意见齐全", en="all opinions are attached")
        )
        yield CheckResult(
            rule=OPINIONS,
            phase=phase,
            entry=entry.ref_code,
            outcome=Outcome.FAILED if missing else Outcome.PASSED,
            evidence=evidence,
            checked_at_ms=now_ms,
        )


def checked(
    package: Path, now: Transfer, phase: Phase, now_ms: int, told: Callable[[int], None] = lambda _more: None
) -> Checked:
    """Run every check on a package.

    Raises:
        BadFile: its catalogue cannot be read.

    """
    verdict = check_bag(package, told)
    entries = tuple(read_entries(payload_of(package)))
    results = [
        *(
            CheckResult(
                rule=PACKAGE,
                phase=phase,
                path=fault.path,
                outcome=Outcome.FAILED,
                evidence=fault.text,
                remedy=fault.remedy,
                checked_at_ms=now_ms,
            )
            for fault in verdict.faults
            if not fault.is_warning
        ),
        *opinion_results(entries, now, phase, now_ms),
    ]
    faults = tuple(
        fault_of(one, is_mandatory=True)
        for one in results
        if one.outcome not in (Outcome.PASSED, Outcome.NOT_APPLICABLE)
    )
    return Checked(standing=Standing.FAILED if faults else Standing.PASSED, faults=faults, entries=entries)
