"""What the rules ask for, for whoever asks: which papers may be needed, and the rows in words. Pure."""

from collections.abc import Sequence

import msgspec

from hub.window.applicants import PAPERS, Paper, Requester
from hub.window.rules import RELATIONS, SAYS, Relation, Rule, Rules
from protocol.vocabularies import AccessStatus
from protocol.wording import Text


class EvidenceLine(msgspec.Struct, frozen=True, kw_only=True):
    """What one row asks of somebody."""

    about: Text
    papers: Text
    says: tuple[Text, ...]
    rule: str


def papers_for(rules: Rules, requester: Requester) -> tuple[Paper, ...]:
    """Return the papers that some row asks of a requester, beside the identity document."""
    named = {paper for row in rules.rows if requester in row.requesters for one in row.evidence for paper in one}
    return tuple(paper for paper in Paper if paper in named and paper is not Paper.IDENTITY)


def lines_for(rules: Rules, requester: Requester) -> tuple[EvidenceLine, ...]:
    """Return what the rules ask of a requester, row by row; rows that allow nothing are left out."""
    return tuple(
        EvidenceLine(about=_about(row), papers=papers_in_words(row.evidence), says=_says(row), rule=row.id)
        for row in rules.rows
        if requester in row.requesters and row.evidence
    )


def papers_in_words(sets: Sequence[Sequence[Paper]]) -> Text:
    """Return sets of papers, any one of which is enough."""
    return Text(
        zh="；或 ".join("、".join(PAPERS[paper].zh for paper in one) for one in sets),
        en="; or ".join(", ".join(PAPERS[paper].en for paper in one) for one in sets),
    )


def _about(row: Rule) -> Text:
    if row.statuses == {AccessStatus.OPEN}:
        return Text(zh="已开放的档案", en="records that are open")
    relations = [one for one in Relation if one in row.relations]
    if len(relations) == len(Relation):
        return Text(zh="未开放的档案", en="records that are not open")
    return Text(
        zh=f"未开放的档案（{'、'.join(RELATIONS[one].zh for one in relations)}）",
        en=f"records that are not open ({', '.join(RELATIONS[one].en for one in relations)})",
    )


def _says(row: Rule) -> tuple[Text, ...]:
    return tuple(SAYS[say] for say in row.says.values())
