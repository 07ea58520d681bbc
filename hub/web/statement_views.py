"""A statement of completeness as it is printed: who was asked, what was said, what it covers and lacks. Pure."""

from collections import Counter
from collections.abc import Sequence
from typing import Final

import msgspec

from hub.window.statement_words import SITE_OUTCOMES, moment
from protocol.certificates import CertificateContents, SearchedPlace
from protocol.completeness import QuestionLine, SiteLine, Statement
from protocol.lookups import LOOKUP_STATES, SiteOutcome
from protocol.vocabularies import LIVELIHOOD_KINDS
from protocol.wording import Count, Text

NOTHING: Final = Text(zh="", en="")


class SiteSaid(msgspec.Struct, frozen=True, kw_only=True):
    """One holder's line."""

    site: str
    name: str
    outcome: Text
    total: int | None
    reason: Text | None
    covered: Text
    lacks: Text
    as_of: str


class QuestionSaid(msgspec.Struct, frozen=True, kw_only=True):
    """One question's part."""

    question: QuestionLine
    state: Text
    kind: Text | None
    asked: tuple[SiteSaid, ...]
    left_out: tuple[tuple[Text, int], ...]
    """Reasons for which holders were not asked, and how many each."""


def questions_said(statement: Statement) -> list[QuestionSaid]:
    """Return a statement's questions as they are printed."""
    return [_question(one) for one in statement.questions]


def contents_of(statement: Statement, digest: str) -> CertificateContents:
    """Return what a statement of no record says, in Chinese as it is handed over."""
    asked = [site for one in questions_said(statement) for site in one.asked]
    return CertificateContents(
        question="；".join(one.words for one in statement.questions),
        places=tuple(
            SearchedPlace(
                site=one.site,
                name=one.name,
                outcome=one.outcome.zh,
                covered=one.covered.zh,
                as_of=one.as_of,
                lacks=one.lacks.zh,
            )
            for one in asked
        ),
        completeness=digest,
    )


def _question(one: QuestionLine) -> QuestionSaid:
    kind = LIVELIHOOD_KINDS.get(one.livelihood_kind)
    others = [site for site in one.sites if site.outcome is SiteOutcome.NOT_ASKED]
    reasons = Counter((site.why.zh, site.why.en) for site in others)
    return QuestionSaid(
        question=one,
        state=LOOKUP_STATES[one.state],
        kind=None if kind is None else Text(zh=kind.zh, en=kind.en),
        asked=tuple(_site(site) for site in one.sites if site.outcome is not SiteOutcome.NOT_ASKED),
        left_out=tuple((Text(zh=zh, en=en), count) for (zh, en), count in sorted(reasons.items())),
    )


def _site(one: SiteLine) -> SiteSaid:
    return SiteSaid(
        site=one.site,
        name=one.name or one.site,
        outcome=SITE_OUTCOMES[one.outcome],
        total=one.total,
        reason=one.reason,
        covered=_covered(one),
        lacks=_joined(_lacks(one)),
        as_of=moment(one.answered_at_ms or one.copied_at_ms),
    )


def _covered(one: SiteLine) -> Text:
    if not one.holdings:
        return Text(zh="没有目录", en="no catalogue")
    fonds = len({held.fonds_no for held in one.holdings})
    entries = sum(held.entries for held in one.holdings)
    years = [year for held in one.holdings for year in (held.year_from, held.year_to) if year is not None]
    span = f"{min(years)}–{max(years)}" if years else ""
    return Text(
        zh=f"{fonds} 个全宗 {entries:,} 条 {span}".strip(),
        en=f"{fonds} fonds, {Count(entries):,entry|entries} {span}".strip(),
    )


def _lacks(one: SiteLine) -> list[Text]:
    found = []
    if one.volumes_only:
        found.append(Text(zh="只著录到案卷", en="described to volumes only"))
    if one.rejected_rows:
        found.append(Text(zh=f"{one.rejected_rows} 行未收", en=f"{Count(one.rejected_rows):row|rows} rejected"))
    if one.unread_folders:
        found.append(
            Text(zh=f"{one.unread_folders} 个目录读不到", en=f"{Count(one.unread_folders):folder|folders} unread")
        )
    if one.rebuilding:
        found.append(Text(zh="副本重建中", en="its copy is being rebuilt"))
    return found


def _joined(parts: Sequence[Text]) -> Text:
    return Text(zh="，".join(one.zh for one in parts), en=", ".join(one.en for one in parts)) if parts else NOTHING
