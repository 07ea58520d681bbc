"""A statement of completeness in words, for paper and screen, in one language; values in, lines out."""

from typing import Final

from protocol.completeness import HoldingLine, QuestionLine, SiteLine, Statement, tally
from protocol.county_time import minute
from protocol.lookups import LOOKUP_STATES, SiteOutcome
from protocol.vocabularies import LIVELIHOOD_KINDS
from protocol.wording import Count, Text

SITE_OUTCOMES: Final = {
    SiteOutcome.ANSWERED: Text(zh="查到", en="found"),
    SiteOutcome.NOTHING: Text(zh="无", en="nothing"),
    SiteOutcome.REFUSED: Text(zh="按规定不予提供", en="refused"),
    SiteOutcome.FAILED: Text(zh="未能答复", en="failed"),
    SiteOutcome.WAITING: Text(zh="正在查询", en="being asked"),
    SiteOutcome.PENDING: Text(zh="尚未答复（已书面提问）", en="not yet (asked by letter)"),
    SiteOutcome.EXPIRED: Text(zh="到期未答复", en="no answer until the end"),
    SiteOutcome.NOT_ASKED: Text(zh="未提问", en="not asked"),
}
"""What became of a question at a site, in words."""

HOLDINGS_SHOWN: Final = 6
"""Holdings of one site that a printed line names; the signed file has more."""


def in_words(statement: Statement, language: str) -> list[str]:
    """Return the lines of a printed statement."""
    said = tally(statement)
    lines = [
        _in(language, "查询范围说明", "Statement of completeness"),
        f"{statement.county_name} ({statement.county}) · {moment(statement.made_at_ms)}",
        _in(
            language,
            f"编号 {statement.statement_id} · 申请 {statement.request_number or statement.request_id}"
            f" · 案号 {statement.case_ref}",
            f"No. {statement.statement_id} · request {statement.request_number or statement.request_id}"
            f" · case {statement.case_ref}",
        ),
        "",
        verdict(statement).in_language(language),
        _in(language, f"共提问 {said.asked} 站次：", f"{Count(said.asked):site was|sites were} asked: ")
        + "、".join(f"{SITE_OUTCOMES[one].in_language(language)} {many}" for one, many in said.outcomes.items()),
    ]
    for number, question in enumerate(statement.questions, 1):
        lines += ["", *_question(number, question, language)]
    return lines


def verdict(statement: Statement) -> Text:
    """Say what the statement proves."""
    if tally(statement).is_proof:
        return Text(
            zh="结论：所问站点均已答复，均未查到。说明只及于下列站点、全宗、年份和种类。",
            en="Every site that was asked has answered, and none has it. This covers the sites, fonds, years and kinds"
            " below, and nothing else.",
        )
    if any(question.found for question in statement.questions):
        return Text(zh="结论：已查到档案，见各问题。", en="Records were found; see each question.")
    return Text(
        zh="结论：未查到，但有站点未答复、不予提供或未提问，不能据此认定没有。",
        en="Nothing was found, but some sites have not answered, refused or were not asked: no proof that there is"
        " none.",
    )


def moment(at_ms: int | None) -> str:
    """Return a moment in the county's time; a dash where there is none."""
    return minute(at_ms) if at_ms else "—"


def _question(number: int, question: QuestionLine, language: str) -> list[str]:
    asked = [
        part
        for part in (
            question.words,
            f"{question.period_from}–{question.period_to}" if question.period_from or question.period_to else "",
            _kind(question.livelihood_kind, language),
            "、".join(question.places),
            question.fonds_no,
        )
        if part
    ]
    lines = [
        f"{number}. " + " · ".join(asked),
        f"   {LOOKUP_STATES[question.state].in_language(language)} ({question.found})"
        + (_in(language, "；已到期", "; its time is over") if question.is_expired else "")
        + _in(language, f"；提问 {moment(question.asked_at_ms)}", f"; asked {moment(question.asked_at_ms)}"),
    ]
    if question.widened_because:
        lines.append(_in(language, "   扩大查询：", "   widened: ") + question.widened_because)
    asked_sites = [one for one in question.sites if one.outcome is not SiteOutcome.NOT_ASKED]
    others = [one for one in question.sites if one.outcome is SiteOutcome.NOT_ASKED]
    lines += [line for one in asked_sites for line in _site(one, language)]
    if others:
        lines.append(_in(language, f"   未提问 {len(others)} 站：", f"   not asked, {Count(len(others)):site|sites}:"))
        reasons: dict[str, int] = {}
        for one in others:
            why = one.why.in_language(language)
            reasons[why] = reasons.get(why, 0) + 1
        lines += [f"     {why}: {count}" for why, count in sorted(reasons.items())]
    return lines


def _site(one: SiteLine, language: str) -> list[str]:
    said = SITE_OUTCOMES[one.outcome].in_language(language)
    facts = [said if one.total is None else f"{said} ({one.total})"]
    if one.withheld:
        facts.append(_in(language, f"不予提供 {one.withheld} 条", f"{one.withheld} not told"))
    if one.reason is not None:
        facts.append(one.reason.in_language(language))
    if one.answered_at_ms is not None:
        facts.append(_in(language, "答复 ", "answered ") + moment(one.answered_at_ms))
    else:
        copied = moment(one.copied_at_ms)
        facts.append(_in(language, f"县级目录副本截至 {copied}", f"the county's copy is of {copied}"))
    if one.index_total is not None and one.total is None:
        facts.append(_in(language, f"副本中 {one.index_total} 条", f"{one.index_total} in the copy"))
    lines = [f"   {one.name or one.site} ({one.site}): " + "; ".join(facts)]
    if gaps := _gaps(one, language):
        lines.append("     " + _in(language, "未编目：", "not catalogued: ") + "; ".join(gaps))
    held = [_holding(line, language) for line in one.holdings[:HOLDINGS_SHOWN]]
    more = len(one.holdings) - len(held) + one.holdings_left_out
    if held:
        tail = _in(language, f"；另有 {more} 项", f"; {more} more") if more else ""
        lines.append("     " + _in(language, "馆藏：", "holds: ") + "; ".join(held) + tail)
    return lines


def _gaps(one: SiteLine, language: str) -> list[str]:
    gaps = []
    if not one.holdings:
        gaps.append(_in(language, "没有已编目的档案", "nothing of it is catalogued"))
    if one.rejected_rows:
        gaps.append(
            _in(
                language,
                f"{one.rejected_rows} 行目录未能读入",
                f"{Count(one.rejected_rows):row|rows} could not be read",
            )
        )
    if one.unread_folders:
        gaps.append(
            _in(language, f"{one.unread_folders} 个目录夹读不到", f"{Count(one.unread_folders):folder|folders} unread")
        )
    if one.volumes_only:
        gaps.append(_in(language, "只著录到案卷", "described to the volume only"))
    if one.rebuilding:
        gaps.append(_in(language, "目录副本重建中", "its copy was being rebuilt"))
    return gaps


def _holding(line: HoldingLine, language: str) -> str:
    years = f"{line.year_from}–{line.year_to}" if line.year_from is not None else _in(language, "无日期", "undated")
    kind = _kind(line.livelihood_kind, language)
    return " ".join(part for part in (line.fonds_no or "—", kind, years, f"×{line.entries}") if part)


def _kind(kind: str, language: str) -> str:
    known = LIVELIHOOD_KINDS.get(kind)
    return kind if known is None else (known.en if language == "en" else known.zh)


def _in(language: str, zh: str, en: str) -> str:
    return en if language == "en" else zh
