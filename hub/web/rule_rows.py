"""The rules of access as a page shows them, in words. Pure."""

from collections.abc import Collection
from typing import Final, TypeVar

import msgspec

from hub.commands.fields import ACCESS
from hub.web.evidence_words import papers_in_words
from hub.window.applicants import REQUESTERS, Requester
from hub.window.requests import Use
from hub.window.rules import RELATIONS, SAYS, Relation, Rule, Rules, Say
from protocol.vocabularies import AccessStatus
from protocol.wording import Text

TONES: Final = {Say.YES: "good", Say.REFER: "watch", Say.NO: "bad"}
EVERYTHING: Final = Text(zh="任意", en="any")

W = TypeVar("W", Requester, AccessStatus, Relation)


class SaidOf(msgspec.Struct, frozen=True, kw_only=True):
    """What a row says of one use."""

    words: Text
    tone: str


class RuleRow(msgspec.Struct, frozen=True, kw_only=True):
    """One row."""

    id: str
    who: Text
    about: Text
    relation: Text
    says: tuple[SaidOf, ...]
    papers: Text
    basis: str


def rows_of(rules: Rules) -> list[RuleRow]:
    """Return the rows in their order."""
    return [_row(one) for one in rules.rows]


def _row(one: Rule) -> RuleRow:
    said = [one.says.get(use, Say.REFER) for use in Use]
    return RuleRow(
        id=one.id,
        who=_named(one.requesters, REQUESTERS),
        about=_named(one.statuses, ACCESS),
        relation=_named(one.relations, RELATIONS),
        says=tuple(SaidOf(words=SAYS[say], tone=TONES[say]) for say in said),
        papers=papers_in_words(one.evidence),
        basis=one.basis,
    )


def _named(some: Collection[W], words: dict[W, Text]) -> Text:
    kept = [text for value, text in words.items() if value in some]
    if len(kept) == len(words):
        return EVERYTHING
    return Text(zh="、".join(one.zh for one in kept), en=", ".join(one.en for one in kept))
