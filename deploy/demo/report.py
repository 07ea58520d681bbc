"""What came of a demonstration: figures for a machine to check, and a table for people."""

from collections.abc import Mapping
from pathlib import Path

import msgspec

from deploy.demo.foundation import Options
from deploy.demo.look import Look, SiteLook
from deploy.demo.manifest import Counts, SiteManifest, total
from hub.commands.fields import OUTCOMES
from hub.repair.comparisons import Sameness
from protocol.calls import Outcome
from protocol.wording import Text

EQUAL = Sameness.EQUAL.value
"""What is said of a site whose digests are the same at both ends."""


class SiteReport(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One site's part."""

    site: str
    name: str
    files: int
    records: int
    withheld: int
    rejected: int
    warned: int
    events: int
    applied: int
    digests: str
    """`equal`, or why that cannot be said."""
    as_planted: bool | None = None
    """Whether every planted row had the fate that was foreseen; None for files from outside."""
    fault: str = ""
    """Why its node ended, where it did."""


class LiveSample(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One live search over all sites."""

    query: str
    hits: int
    sites_by_outcome: dict[str, int]
    took_ms: float


class Report(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A whole demonstration."""

    home: str
    seed: int
    processes: int
    sites: int
    files: int
    files_unreadable: int | None
    rows: int
    """Rows that are entries: taken, kept at home, or rejected."""
    rows_taken: int
    """Rows that became records, those that stay at home included."""
    rows_withheld: int
    rows_rejected: int
    rows_warned: int
    expected: Counts | None
    as_planted: bool | None
    events: int
    applied: int
    prepared_s: float
    """Seconds for writing the catalogues and enrolling the nodes."""
    settled_s: float | None
    """Seconds from the start of the nodes until every event was applied; None if that did not happen."""
    verified_s: float | None
    """Seconds from the start of the nodes until the digests of both ends were found equal at every site."""
    rows_per_s: float | None
    digests_equal: int
    settled: bool
    live: LiveSample | None = None
    sites_detail: tuple[SiteReport, ...] = ()


class Times(msgspec.Struct, frozen=True, kw_only=True):
    """How long the stages took."""

    prepared_s: float
    settled_s: float | None
    verified_s: float | None


def as_planted(seen: SiteLook, manifest: SiteManifest) -> bool | None:
    """Tell whether a site dealt with its rows as was foreseen."""
    counts = manifest.counts
    if counts is None:
        return None
    return (seen.records, seen.withheld, seen.rejected) == (counts.taken, counts.withheld, counts.rejected)


class Observed(msgspec.Struct, frozen=True, kw_only=True):
    """What was seen of a demonstration, by site code where it concerns sites."""

    manifests: Mapping[str, SiteManifest]
    look: Look
    digests: Mapping[str, str]
    faults: Mapping[str, str]
    times: Times
    live: LiveSample | None = None


def make_report(options: Options, home: Path, names: Mapping[str, str], observed: Observed) -> Report:
    """Put the figures together; `names` are the sites that take part."""
    details = tuple(_site_report(code, name, observed) for code, name in names.items())
    manifests, times = observed.manifests, observed.times
    rows = sum(site.records + site.withheld + site.rejected for site in details)
    expected = total(manifests.values())
    equal = sum(site.digests == EQUAL for site in details)
    return Report(
        home=str(home),
        seed=options.seed,
        processes=options.processes,
        sites=len(details),
        files=sum(site.files for site in details),
        files_unreadable=sum(manifest.unreadable_files for manifest in manifests.values()) if expected else None,
        rows=rows,
        rows_taken=sum(site.records + site.withheld for site in details),
        rows_withheld=sum(site.withheld for site in details),
        rows_rejected=sum(site.rejected for site in details),
        rows_warned=sum(site.warned for site in details),
        expected=expected,
        as_planted=None if expected is None else all(site.as_planted for site in details),
        events=sum(site.events for site in details),
        applied=sum(site.applied for site in details),
        prepared_s=round(times.prepared_s, 2),
        settled_s=None if times.settled_s is None else round(times.settled_s, 2),
        verified_s=None if times.verified_s is None else round(times.verified_s, 2),
        rows_per_s=round(rows / times.settled_s, 1) if times.settled_s else None,
        digests_equal=equal,
        settled=times.settled_s is not None and equal == len(details),
        live=observed.live,
        sites_detail=details,
    )


def _site_report(code: str, name: str, observed: Observed) -> SiteReport:
    seen = observed.look.sites.get(code, SiteLook(site=code))
    manifest = observed.manifests.get(code)
    return SiteReport(
        site=code,
        name=name,
        files=seen.files,
        records=seen.records,
        withheld=seen.withheld,
        rejected=seen.rejected,
        warned=seen.warned,
        events=seen.seq,
        applied=seen.applied,
        digests=observed.digests.get(code, "unknown"),
        as_planted=None if manifest is None else as_planted(seen, manifest),
        fault=observed.faults.get(code, ""),
    )


def summary_lines(report: Report, language: str) -> list[tuple[Text, str]]:
    """Return the lines of the summary: what, and how much."""
    return [
        (Text(zh="站点", en="Sites"), f"{report.sites}"),
        (Text(zh="目录文件", en="Catalogue files"), _files(report)),
        (Text(zh="收录条目", en="Rows taken"), f"{report.rows_taken:,}"),
        (Text(zh="其中涉密留存本站", en="of these kept at home (secret)"), f"{report.rows_withheld:,}"),
        (Text(zh="退回的行", en="Rows rejected"), f"{report.rows_rejected:,}"),
        (Text(zh="与埋设的结果一致", en="As planted"), _yes_no(report.as_planted)),
        (Text(zh="事件（生成 / 县级已入库）", en="Events minted / applied"), f"{report.events:,} / {report.applied:,}"),
        (Text(zh="准备用时", en="Prepared in"), f"{report.prepared_s:.1f} s"),
        (Text(zh="节点启动至全部入库", en="Settled after"), _seconds(report.settled_s)),
        (Text(zh="每秒行数", en="Rows a second"), "—" if report.rows_per_s is None else f"{report.rows_per_s:,.0f}"),
        (Text(zh="两端摘要相等", en="Digests equal"), f"{report.digests_equal} / {report.sites}"),
        *([(Text(zh="实时检索", en="Live search"), live)] if (live := _live(report.live, language)) else []),
    ]


def _files(report: Report) -> str:
    return f"{report.files:,}" + (f"（✗ {report.files_unreadable}）" if report.files_unreadable else "")


def _yes_no(answer: bool | None) -> str:  # noqa: FBT001 - the answer itself
    return "—" if answer is None else "✓" if answer else "✗"


def _seconds(seconds: float | None) -> str:
    return "—" if seconds is None else f"{seconds:.1f} s"


def _live(sample: LiveSample | None, language: str) -> str:
    if sample is None:
        return ""
    outcomes = " · ".join(
        f"{OUTCOMES[Outcome(outcome)].in_language(language)} {count}"
        for outcome, count in sorted(sample.sites_by_outcome.items())
    )
    return f"{sample.query}: {sample.hits:,} ({outcomes}), {sample.took_ms:.0f} ms"
