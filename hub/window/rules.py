"""Who may see what, and on which evidence 利用规则: rows of a table that the county edits, and the decision they make.

A row names requesters, access statuses and relations to the record, and says for each use whether it is allowed, put to
a person, or refused. The first row that fits decides, as one reads a sheet. A table in which some combination fits no
row is refused when it is loaded (``rule_table``); should one ever be met all the same, it goes to a person.

Whether a record is open, and whether this person may see it, are two questions: a closed marriage file is still its
parties' own. The holder decides over both again before anything leaves it (promise 8).
"""

import datetime
from collections.abc import Collection, Iterator, Sequence
from enum import StrEnum
from itertools import product
from typing import Final

import msgspec

from hub.window.applicants import PAPERS, Evidence, Paper, Requester
from hub.window.requests import USES, Use
from protocol.vocabularies import AccessStatus
from protocol.wording import Text


class Relation(StrEnum):
    """What the record has to do with the one who asks, or for whom it is asked."""

    SUBJECT = "subject"
    """It is about the applicant; or the principal, the ward, the deceased."""
    CASE = "case"
    """It bears on the case."""
    CREATOR = "creator"
    """The asking unit made it or transferred it."""
    NONE = "none"


RELATIONS: Final = {
    Relation.SUBJECT: Text(zh="当事人", en="subject"),
    Relation.CASE: Text(zh="与案件有关", en="bears on the case"),
    Relation.CREATOR: Text(zh="本单位形成或移交", en="made or transferred by the unit"),
    Relation.NONE: Text(zh="无特定关系", en="none"),
}


class Say(StrEnum):
    """What a row says of one use."""

    YES = "yes"
    REFER = "refer"
    """A person decides."""
    NO = "no"


SAYS: Final = {
    Say.YES: Text(zh="可", en="yes"),
    Say.REFER: Text(zh="审核", en="refer"),
    Say.NO: Text(zh="否", en="no"),
}


class Outcome(StrEnum):
    """What a decision comes to for all that is wanted."""

    ALLOW = "allow"
    MISSING = "missing"
    """It would be allowed or referred, and papers are missing, expired or mere copies."""
    REFER = "refer"
    DENY = "deny"


OUTCOMES: Final = {
    Outcome.ALLOW: Text(zh="可以利用", en="allowed"),
    Outcome.MISSING: Text(zh="缺少证明材料", en="papers are missing"),
    Outcome.REFER: Text(zh="转人工审核", en="a person decides"),
    Outcome.DENY: Text(zh="不能利用", en="not allowed"),
}


class Rule(msgspec.Struct, frozen=True, kw_only=True):
    """One row."""

    id: str
    requesters: frozenset[Requester]
    statuses: frozenset[AccessStatus]
    relations: frozenset[Relation]
    says: dict[Use, Say]
    evidence: tuple[tuple[Paper, ...], ...]
    """Sets of papers, any one of which is enough; empty only where nothing is allowed."""
    basis: str = ""
    """Law or local rule, in the county's words."""

    def fits(self, requester: Requester, status: AccessStatus, relation: Relation) -> bool:
        """Tell whether the row is about this combination."""
        return requester in self.requesters and status in self.statuses and relation in self.relations


class Rules(msgspec.Struct, frozen=True, kw_only=True):
    """A whole table, in its order."""

    rows: tuple[Rule, ...]

    def deciding(self, requester: Requester, status: AccessStatus, relation: Relation) -> Rule | None:
        """Return the first row that fits; None in a gap."""
        return next((row for row in self.rows if row.fits(requester, status, relation)), None)


class Facts(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be decided."""

    requester: Requester
    status: AccessStatus
    relation: Relation
    wanted: tuple[Use, ...]
    evidence: tuple[Evidence, ...]
    today: datetime.date


class NotGood(msgspec.Struct, frozen=True, kw_only=True):
    """A paper that was shown and does not count."""

    paper: Paper
    why: Text


class Decision(msgspec.Struct, frozen=True, kw_only=True):
    """What the rules decide, and by which of them."""

    outcome: Outcome
    rule: str
    """Id of the row; empty if none fits."""
    version: int
    """Of the table."""
    allowed: tuple[Use, ...]
    referred: tuple[Use, ...]
    refused: tuple[Use, ...]
    missing: tuple[Paper, ...]
    not_good: tuple[NotGood, ...]
    basis: str
    reason: Text

    @property
    def named(self) -> str:
        """Rule and version, as the history of a request names them."""
        return f"{self.rule or '-'}@{self.version}"


COPIES_COUNT: Final = frozenset((Paper.PRINCIPAL_COPIES,))
"""Of every other paper the original is shown."""


def combinations() -> Iterator[tuple[Requester, AccessStatus, Relation]]:
    """Yield every combination that a table must decide."""
    yield from product(Requester, AccessStatus, Relation)


def gaps(rows: Sequence[Rule]) -> list[tuple[Requester, AccessStatus, Relation]]:
    """Return the combinations that no row decides."""
    return [one for one in combinations() if not any(row.fits(*one) for row in rows)]


def idle(rows: Sequence[Rule]) -> list[Rule]:
    """Return the rows that never decide, because those before them fit wherever they do."""
    table = Rules(rows=tuple(rows))
    deciding = {row.id for one in combinations() if (row := table.deciding(*one)) is not None}
    return [row for row in rows if row.id not in deciding]


def decide(rules: Rules, version: int, facts: Facts) -> Decision:
    """Return what the table decides on some facts; what it does not decide is put to a person, never allowed."""
    row = rules.deciding(facts.requester, facts.status, facts.relation)
    if row is None:
        return _undecided(version, facts)
    said = {use: row.says.get(use, Say.REFER) for use in facts.wanted}
    by_say = {say: tuple(use for use in facts.wanted if said[use] is say) for say in Say}
    not_good = _not_good(facts)
    good = {one.kind for one in facts.evidence if _why_not(one, facts.today) is None}
    missing = _missing(row, good) if by_say[Say.YES] or by_say[Say.REFER] else ()
    outcome = _outcome(by_say, missing)
    return Decision(
        outcome=outcome,
        rule=row.id,
        version=version,
        allowed=by_say[Say.YES],
        referred=by_say[Say.REFER],
        refused=by_say[Say.NO],
        missing=missing,
        not_good=not_good if missing else (),
        basis=row.basis,
        reason=_reason(outcome, row, version, by_say, missing),
    )


def _undecided(version: int, facts: Facts) -> Decision:
    return Decision(
        outcome=Outcome.REFER,
        rule="",
        version=version,
        allowed=(),
        referred=facts.wanted,
        refused=(),
        missing=(),
        not_good=(),
        basis="",
        reason=Text(
            zh=f"第 {version} 版规则没有规定这种情形，由审核员决定。",
            en=f"version {version} of the rules does not decide this: a reviewer does.",
        ),
    )


def _outcome(by_say: dict[Say, tuple[Use, ...]], missing: Collection[Paper]) -> Outcome:
    if not by_say[Say.YES] and not by_say[Say.REFER]:
        return Outcome.DENY
    if missing:
        return Outcome.MISSING
    # Where a part is allowed and a part refused, a person decides whether the part is given.
    return Outcome.REFER if by_say[Say.REFER] or by_say[Say.NO] else Outcome.ALLOW


def _missing(row: Rule, good: Collection[Paper]) -> tuple[Paper, ...]:
    """Return what is missing of the set that is nearest to complete."""
    lacking = [tuple(paper for paper in some if paper not in good) for some in row.evidence]
    return min(lacking, key=len, default=())


def _not_good(facts: Facts) -> tuple[NotGood, ...]:
    return tuple(
        NotGood(paper=one.kind, why=why) for one in facts.evidence if (why := _why_not(one, facts.today)) is not None
    )


def _why_not(one: Evidence, today: datetime.date) -> Text | None:
    if one.is_expired(today):
        return Text(zh=f"已于 {one.valid_until} 到期", en=f"expired on {one.valid_until}")
    if not one.is_original and one.kind not in COPIES_COUNT:
        return Text(zh="不是原件", en="not the original")
    return None


def _reason(
    outcome: Outcome, row: Rule, version: int, by_say: dict[Say, tuple[Use, ...]], missing: Sequence[Paper]
) -> Text:
    parts_zh = [f"规则 {row.id}（第 {version} 版）：{OUTCOMES[outcome].zh}"]
    parts_en = [f"rule {row.id} (version {version}): {OUTCOMES[outcome].en}"]
    if missing:
        parts_zh.append(f"还需要{'、'.join(PAPERS[one].zh for one in missing)}")
        parts_en.append(f"needed still: {', '.join(PAPERS[one].en for one in missing)}")
    words = {Say.YES: ("可", "allowed"), Say.REFER: ("须审核", "to be decided"), Say.NO: ("不可", "refused")}
    for say, (zh, en) in words.items():
        if by_say[say]:
            parts_zh.append(f"{zh}{'、'.join(USES[use].zh for use in by_say[say])}")
            parts_en.append(f"{en}: {', '.join(USES[use].en for use in by_say[say])}")
    if row.basis:
        parts_zh.append(f"依据：{row.basis}")
        parts_en.append(f"basis, in the county's own words: {row.basis}")
    return Text(zh="；".join(parts_zh) + "。", en="; ".join(parts_en) + ".")
