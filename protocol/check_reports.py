"""The report of one run of the checks: who ran what when, and every result, as JSON lines.

The first line is the head, every further line one result, the last line the end with the verdict and the number of
results: a report that was cut is seen to be cut, and a report of a hundred thousand files is never whole in memory.
"""

from uuid import UUID

import msgspec

from protocol.check_results import Verdict
from protocol.check_rules import Phase


class ReportHead(msgspec.Struct, frozen=True, kw_only=True, tag="head"):
    """What was checked, where, and with which table of rules."""

    report_id: UUID
    package: str
    """Digest that stands for the package: of a bag, of its tag manifest; empty where there is none."""
    phase: Phase
    checked_by: str
    """Site code of who ran the checks; ``hub`` for the county archive."""
    rules_digest: str
    """SHA-256 of the table of rules: two reports can be compared if they used the same."""
    program: str
    started_at_ms: int


class ReportEnd(msgspec.Struct, frozen=True, kw_only=True, tag="end"):
    """How it came out; a report without its end was cut."""

    results: int
    results_digest: str
    """SHA-256 of the lines between head and end."""
    verdict: Verdict
    ended_at_ms: int


class CheckReport(msgspec.Struct, frozen=True, kw_only=True):
    """A report without its single results: what is stored in a table and shown in a list."""

    head: ReportHead
    end: ReportEnd
