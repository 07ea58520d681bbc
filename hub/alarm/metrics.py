"""Figures for a monitor in the text format of Prometheus (0.0.4): counts, lags and times, never persons or content.

Pure. Names end in their unit; a moment is told in seconds since 1970, so that the monitor computes how long ago it was.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Final

import msgspec

from hub.alarm.alarms import AlarmKind
from hub.sites.board import SiteState, Word
from hub.sites.outlook import Outlook

CONTENT_TYPE: Final = "text/plain; version=0.0.4"
"""Media type of the text."""

BOUNDS_S: Final = (0.01, 0.025, 0.05, 0.1, 0.3, 1.0, 3.0, 10.0)
"""Seconds that part answers of the interface by how long they took."""


class Took(msgspec.Struct, kw_only=True):
    """How long the answers of one operation took."""

    counts: list[int] = msgspec.field(default_factory=lambda: [0] * (len(BOUNDS_S) + 1))
    """Answers up to each bound, and those beyond the last; each is counted once."""
    sum_s: float = 0.0

    def note(self, took_s: float) -> None:
        """Count one answer."""
        place = next((at for at, bound in enumerate(BOUNDS_S) if took_s <= bound), len(BOUNDS_S))
        self.counts[place] += 1
        self.sum_s += took_s


class Times:
    """How long answers took, by operation and status, since the console was started."""

    def __init__(self) -> None:
        self.taken: dict[tuple[str, int], Took] = {}

    def note(self, operation: str, status: int, took_s: float) -> None:
        """Count one answer; there are as many operations as the program has."""
        self.taken.setdefault((operation, status), Took()).note(took_s)


def told(outlook: Outlook, times: Times, *, is_linked: bool) -> str:
    """Return all figures of one moment."""
    lines: list[str] = []
    report, counted = outlook.counted.report, outlook.counted
    states = Counter(one.word for one in outlook.sites)
    alarms = Counter(one.kind for one in outlook.alarms)
    _gauge(lines, "danglian_sites", "Sites by their state.", {f'state="{word}"': states[word] for word in Word})
    _gauge(lines, "danglian_alarms", "Open alarms by kind.", {f'kind="{kind}"': alarms[kind] for kind in AlarmKind})
    _gauge(lines, "danglian_records", "Records that sites say they publish.", {"": outlook.records})
    _gauge(lines, "danglian_lag_changes", "Changes made at sites and not applied here.", {"": outlook.lag})
    _gauge(lines, "danglian_conflicts", "Events that contradict what is held.", {"": sum(outlook.conflicts.values())})
    _gauge(lines, "danglian_quarantined", "Things in quarantine.", {"": counted.quarantined})
    _gauge(lines, "danglian_broker_connected", "1 if the hub reaches its broker.", {"": int(is_linked)})
    if report is not None:
        _gauge(lines, "danglian_disk_free_bytes", "Free bytes at the hub.", {"": report.disk_free_bytes})
        _gauge(lines, "danglian_waiting_frames", "Frames that wait to be applied.", {"": report.broker.pending or 0})
        _gauge(lines, "danglian_hub_report_seconds", "When the hub last reported.", {"": counted.reported_at_ms / 1000})
    if counted.reindexing is not None:
        done, total = counted.reindexing
        _gauge(lines, "danglian_index_rebuilt_ratio", "How much of the index is rebuilt.", {"": done / max(1, total)})
    _by_site(lines, outlook.sites)
    _answers(lines, times)
    return "\n".join(lines) + "\n"


def _by_site(lines: list[str], sites: Iterable[SiteState]) -> None:
    some = list(sites)
    named = {f'site="{one.site}"': one for one in some}
    seen = {label: one.seen_at_ms / 1000 for label, one in named.items() if one.seen_at_ms is not None}
    _gauge(
        lines, "danglian_site_lag_changes", "Changes of a site not applied here.", {k: v.lag for k, v in named.items()}
    )
    _gauge(lines, "danglian_site_records", "Records a site publishes.", {k: v.records for k, v in named.items()})
    _gauge(lines, "danglian_site_rejected_rows", "Rows a site rejected.", {k: v.rejected for k, v in named.items()})
    _gauge(lines, "danglian_site_seen_seconds", "When a site was last heard.", seen)


def _answers(lines: list[str], times: Times) -> None:
    name = "danglian_answer_seconds"
    lines += [f"# HELP {name} How long answers of the interface took.", f"# TYPE {name} histogram"]
    for (operation, status), took in sorted(times.taken.items()):
        labels, total = f'operation="{operation}",status="{status}"', 0
        for bound, count in zip((*map(str, BOUNDS_S), "+Inf"), took.counts, strict=True):
            total += count
            lines.append(f'{name}_bucket{{{labels},le="{bound}"}} {total}')
        lines += [f"{name}_sum{{{labels}}} {took.sum_s:.6f}", f"{name}_count{{{labels}}} {total}"]


def _gauge(lines: list[str], name: str, words: str, values: Mapping[str, float]) -> None:
    lines += [f"# HELP {name} {words}", f"# TYPE {name} gauge"]
    lines += [
        f"{name}{{{labels}}} {value:.15g}" if labels else f"{name} {value:.15g}" for labels, value in values.items()
    ]
