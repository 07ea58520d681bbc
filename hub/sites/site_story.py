"""What happened between a site and the hub, newest first: turns of contact, alarms, installations, comparisons.

Pure: everything comes from what is stored already.
"""

from collections.abc import Iterable, Iterator, Sequence

import msgspec

from hub.alarm.alarms import KINDS, Alarm
from hub.membership.keyring import EnrolledNode
from hub.repair.comparisons import Sameness
from hub.sites.board import SiteState
from hub.sites.contacts import CONTACTS, Contact, Turn
from hub.sites.plain_words import Tone
from protocol.wording import Text

_TONES = {
    Contact.HEARD: Tone.GOOD,
    Contact.CLOSED: Tone.AWAY,
    Contact.SILENT: Tone.WATCH,
    Contact.COURIER: Tone.CALM,
    Contact.UNWATCHED: Tone.AWAY,
}


class Happening(msgspec.Struct, frozen=True, kw_only=True):
    """One line of the story."""

    at_ms: int
    tone: Tone
    words: Text
    detail: Text = Text(zh="", en="")


def story_of(
    turns: Sequence[Turn], alarms: Iterable[Alarm], nodes: Iterable[EnrolledNode], line: SiteState
) -> list[Happening]:
    """Return everything that is known of a site, the newest first."""
    found = [
        *(Happening(at_ms=one.since_ms, tone=_TONES[one.contact], words=CONTACTS[one.contact]) for one in turns),
        *(happening for one in alarms for happening in _of_alarm(one)),
        *(happening for one in nodes for happening in _of_node(one)),
        *_of_line(line),
    ]
    return sorted(found, key=lambda one: -one.at_ms)


def _of_alarm(one: Alarm) -> Iterator[Happening]:
    what = KINDS[one.kind]
    first = one.evidence[0] if one.evidence else Text(zh="", en="")
    yield Happening(
        at_ms=one.opened_at_ms,
        tone=Tone.BAD,
        words=Text(zh=f"告警：{what.zh}", en=f"alarm: {what.en}"),
        detail=first,
    )
    if one.acknowledged_at_ms is not None:
        yield Happening(
            at_ms=one.acknowledged_at_ms,
            tone=Tone.CALM,
            words=Text(zh=f"{one.acknowledged_by} 负责处理", en=f"{one.acknowledged_by} looks after it"),
            detail=what,
        )
    if one.closed_at_ms is not None:
        closed = Text(zh=f"告警解除：{what.zh}", en=f"alarm over: {what.en}")
        yield Happening(at_ms=one.closed_at_ms, tone=Tone.GOOD, words=closed)


def _of_node(one: EnrolledNode) -> Iterator[Happening]:
    named = Text(zh=one.name, en=one.name)
    yield Happening(
        at_ms=one.enrolled_at_ms, tone=Tone.CALM, words=Text(zh="电脑登记", en="an installation joined"), detail=named
    )
    if one.revoked_at_ms is not None:
        because = Text(zh=one.revoked_because or "", en=one.revoked_because or "")
        yield Happening(
            at_ms=one.revoked_at_ms, tone=Tone.WATCH, words=Text(zh="密钥停用", en="a key was revoked"), detail=because
        )


def _of_line(line: SiteState) -> Iterator[Happening]:
    if line.moved_at_ms:
        yield Happening(
            at_ms=line.moved_at_ms,
            tone=Tone.CALM,
            words=Text(zh="最近一次并入变更", en="changes applied last"),
            detail=Text(zh=f"并入到 {line.applied:,}", en=f"up to {line.applied:,}"),
        )
    compared = line.comparison
    if compared is not None and compared.state is not Sameness.NOT_COMPARABLE:
        is_equal = compared.state is Sameness.EQUAL
        yield Happening(
            at_ms=compared.compared_at_ms,
            tone=Tone.GOOD if is_equal else Tone.BAD,
            words=Text(zh="摘要核对一致", en="digests found equal")
            if is_equal
            else Text(zh="摘要核对不一致", en="digests found different"),
        )
    if line.courier_at_ms:
        yield Happening(at_ms=line.courier_at_ms, tone=Tone.CALM, words=Text(zh="收取信使包", en="a bundle was taken"))
