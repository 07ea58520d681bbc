"""A found answer as the command line shows it: its lines, its tables, and the words around them."""

from collections.abc import Sequence
from uuid import UUID

import msgspec

from hub.commands.fields import ACCESS, OUTCOMES, field_word
from hub.commands.fitting import Rows
from hub.commands.listing import joined, moment, on_terminal, show_table, table
from hub.decisions.duplicates import Likeness
from hub.searching.facets import Facet, Facets
from hub.searching.gathering import Gathering, SiteReport, Summary
from hub.searching.search import Query
from protocol.calls import Match, Outcome
from protocol.plans import MEANINGS, StageName
from protocol.records import Record
from protocol.vocabularies import AccessStatus
from protocol.wording import Count, Text
from replication.command_line import say, worded

_HEADERS = (
    Text(zh="日期", en="date"),
    Text(zh="题名", en="title"),
    Text(zh="档号", en="reference code"),
    Text(zh="站点", en="site"),
    Text(zh="开放", en="access"),
    Text(zh="命中", en="found in"),
    Text(zh="来源", en="source"),
    Text(zh="相似", en="alike"),
)
_SITE_HEADERS = (
    Text(zh="代码", en="site"),
    Text(zh="名称", en="name"),
    Text(zh="结果", en="outcome"),
    Text(zh="站点命中", en="hits there"),
    Text(zh="副本命中", en="hits in the copy"),
    Text(zh="截至", en="as of"),
    Text(zh="毫秒", en="ms"),
)


class HitLine(msgspec.Struct, frozen=True, kw_only=True):
    """One found record: what a list shows of it, and the whole of it."""

    site: str
    site_name: str
    record_id: UUID
    ref_code: str
    title: str
    date: str
    access_status: AccessStatus
    live: bool
    """The site itself said so just now; False for the hub's copy."""
    seq: int
    matches: tuple[Match, ...]
    likeness: Likeness
    record: Record
    stage: StageName | None = None
    """The rank in which it was found (since 1.2)."""
    means: Text | None = None
    """What that rank means."""
    group: int = -1
    """Number of its group in the index's answer: an item and its volume, alike records; -1 for live hits alone."""


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """What the command prints as JSON."""

    query: Query
    total: int
    exact: bool
    complete: bool
    """Every expected site in question answered live (promise 10)."""
    outcomes: dict[Outcome, int]
    hits: list[HitLine]
    sites: list[SiteReport]
    stages: dict[StageName, Text]
    """The ranks in which hits are shown, and what each means."""
    facets: Facets | None = None
    cursor: str = ""
    """For ``--after``: where the next page of the index begins; empty at the end."""
    was_cut: bool = False
    """The time was over: there may be more than was found."""
    is_upper_bound: bool = False
    """There may be fewer than ``total``."""
    first_ms: float
    """Milliseconds until the first results could be shown."""
    took_ms: float


def lines_of(gathering: Gathering) -> list[HitLine]:
    """Return the newest hits as a list shows them."""
    names = {site: report.name for site, report in gathering.reports.items()}
    return [
        HitLine(
            site=hit.site,
            site_name=names.get(hit.site, ""),
            record_id=hit.record.record_id,
            ref_code=hit.record.ref_code,
            title=hit.record.title,
            date=hit.record.date_edtf or hit.record.date_raw or str(hit.record.filing_year or ""),
            access_status=hit.record.access_status,
            live=hit.live,
            seq=hit.seq,
            matches=hit.matches,
            likeness=hit.likeness,
            record=hit.record,
            stage=hit.stage,
            means=MEANINGS[hit.stage] if hit.stage is not None else None,
            group=hit.group,
        )
        for hit in gathering.newest()
    ]


def hits_table(gathering: Gathering) -> Rows:
    """Return the hits gathered so far as a table."""
    return table(_HEADERS, [_cells(hit) for hit in lines_of(gathering)])


def show(answer: Answer, *, live: bool, hits: bool) -> None:
    """Print an answer; ``hits`` unless they were drawn already."""
    if hits:
        show_table(_HEADERS, [_cells(hit) for hit in answer.hits])
    told = [report for report in answer.sites if live or report.index_total or report.rebuilding]
    if on_terminal():
        # On a screen those who have something to say; the numbers of the others stand in the last line.
        unsaid = Outcome.NOTHING if live else Outcome.INDEX_ONLY
        told = [one for one in told if one.outcome is not unsaid or one.rebuilding or one.waiting]
    if told:
        show_table(_SITE_HEADERS, [_site_cells(report) for report in told])
    if answer.facets is not None:
        _print_facets(answer.facets)
    say(statement(answer))
    if answer.was_cut:
        say(_CUT)
    if answer.cursor:
        say(Text(zh=f"下一页：--after {answer.cursor}", en=f"next page: --after {answer.cursor}"))
    if not on_terminal():
        return
    if not live:
        say(_FROM_COPY_ONLY)
    say(
        Text(
            zh=f"首批结果 {answer.first_ms} 毫秒，全部 {answer.took_ms} 毫秒",
            en=f"first results after {answer.first_ms} ms, all after {answer.took_ms} ms",
        )
    )


def statement(summary: Summary | Answer) -> Text:
    """Say how complete an answer is (promise 10)."""
    zh = "，".join(f"{OUTCOMES[outcome].zh} {count}" for outcome, count in summary.outcomes.items())
    en = ", ".join(f"{OUTCOMES[outcome].en} {count}" for outcome, count in summary.outcomes.items())
    total_zh = f"共 {summary.total} 条" if summary.exact else f"多于 {summary.total} 条"
    total_en = (
        f"{Count(summary.total):record|records}"
        if summary.exact
        else f"more than {Count(summary.total):record|records}"
    )
    if isinstance(summary, Answer) and (summary.was_cut or summary.is_upper_bound) and not summary.exact:
        total_zh = f"{'至多' if summary.is_upper_bound else '至少'} {summary.total} 条"
        total_en = f"{'at most' if summary.is_upper_bound else 'at least'} {Count(summary.total):record|records}"
    if summary.complete:
        return Text(zh=f"{total_zh}；结果完整：{zh}", en=f"{total_en}; complete: {en}")
    return Text(zh=f"{total_zh}；结果不完整：{zh}", en=f"{total_en}; partial: {en}")


def _cells(hit: HitLine) -> Sequence[str]:
    matched = [
        worded(field_word(match.field)) + (worded(_VARIANT) if match.how == "variant" else "") for match in hit.matches
    ]
    like = hit.likeness
    alike = f"{like.count}{'+' if like.at_least else ''}" if like.count else ""
    return (
        hit.date,
        hit.title,
        hit.ref_code,
        f"{hit.site_name} {hit.site}".strip(),
        worded(ACCESS[hit.access_status]),
        joined([*matched, *([rank] if (rank := _rank(hit.stage)) else [])]),
        worded(_FROM_SITE if hit.live else _FROM_COPY),
        f"{alike} @ {', '.join(like.sites[:3])}{'…' if len(like.sites) > 3 else ''}" if alike else "",
    )


_FROM_COPY_ONLY = Text(
    zh="以上为县级副本；加 --live 同时询问各站点。", en="This is the county's copy; --live asks the sites as well."
)
_CUT = Text(
    zh="检索用时已到上限，结果可能不全；请增加检索词或缩小范围。",
    en="The search was cut when its time was over, and may lack entries: add words, or narrow it.",
)
_FACETS = {
    "site": Text(zh="站点", en="site"),
    "year": Text(zh="年份", en="year"),
    "fonds": Text(zh="全宗", en="fonds"),
    "kind": Text(zh="类别", en="kind"),
    "access": Text(zh="开放", en="access"),
    "level": Text(zh="层级", en="level"),
}
FACET_VALUES_PRINTED = 8
"""Values of one facet that stand in its line."""


def _print_facets(facets: Facets) -> None:
    for name, word in _FACETS.items():
        facet: Facet = getattr(facets, name)
        shown = facet.values[:FACET_VALUES_PRINTED]
        more = len(facet.values) - len(shown) + facet.more
        zh = "，".join(f"{one.value or '—'} {one.count}" for one in shown) + (f"，另 {more} 项" if more else "")
        en = ", ".join(f"{one.value or '—'} {one.count}" for one in shown) + (f", {more} more" if more else "")
        say(Text(zh=f"{word.zh}：{zh}", en=f"{word.en}: {en}"))


def _rank(stage: StageName | None) -> str:
    return worded(MEANINGS[stage]) if stage in _TOLD_RANKS else ""


_TOLD_RANKS = frozenset(StageName) - {StageName.JOINED, StageName.TITLE, StageName.PARTIES, StageName.ANYWHERE}
"""Ranks that the fields of a hit do not say by themselves."""
_VARIANT = Text(zh="（异体）", en=" (variant)")
_FROM_SITE = Text(zh="站点", en="site")
_FROM_COPY = Text(zh="副本", en="copy")


def _site_cells(report: SiteReport) -> Sequence[str]:
    words, why = OUTCOMES[report.outcome], report.reason
    return (
        report.site,
        report.name,
        worded(Text(zh=f"{words.zh}：{why.zh}", en=f"{words.en}: {why.en}") if why is not None else words),
        "—" if report.live_total is None else str(report.live_total),
        "—" if report.index_total is None else str(report.index_total),
        f"{moment(report.copied_at_ms)} @{report.seq}" if report.live_total is None else f"@{report.seq}",
        f"{report.took_ms:.0f}" if report.took_ms else "",
    )
