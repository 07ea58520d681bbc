"""Re-driving: what an older version set aside is applied by this one, at its place, and nothing is lost on the way."""

from collections.abc import AsyncIterator

import msgspec
import pytest
from sqlalchemy import Connection

from hub.repair.redriving import Redriven, Redriver
from protocol.codec import encode_event, encode_record
from protocol.events import AccessChanged, Event, WithdrawalCause
from protocol.frames import Frame
from protocol.sites import Site
from protocol.vocabularies import AccessStatus
from protocol.wording import Text
from replication import quarantine
from replication.acceptance import SpoiltEvent
from replication.inbox import Inbox
from replication.quarantine import WHOLE_FRAME_SEQ, Quarantined
from replication.seal import seal
from tests.builders import identity
from tests.catalogue import VILLAGE, accepted, access_changed, described, fictitious, record_id, withdrawn
from tests.hubs import Hub
from tests.stores import Store

WORDS = Text(zh="旧版不认识", en="unknown to the version of then")


class Aside(Hub):
    """A catalogue with a quarantine, and whose keys are trusted."""

    keys: frozenset[str] = frozenset({identity(1).public_key})

    def redriver(self) -> Redriver:
        def keys_of(_: Site) -> frozenset[str]:
            return self.keys

        return Redriver(self.database, self.application, Inbox(self.database, self.application, keys_of, lambda: 1))

    async def put(self, seq: int, fault: str, content: bytes, epoch: str = "e1") -> None:
        spoilt = SpoiltEvent(seq=seq, fault=fault, reason=WORDS, hint=WORDS, content=content)
        await self.database.write(lambda c: quarantine.set_aside(c, VILLAGE.code, epoch, spoilt, 0))

    async def event(self, event: Event, epoch: str = "e1") -> None:
        """Set an event aside as a version did that did not know its kind."""
        await self.put(event.seq, "unknown_kind", encode_event(event), epoch)

    async def held(self) -> list[Quarantined]:
        return await self.database.read(quarantine.listed)

    async def outcomes(self) -> list[Redriven]:
        return [one.outcome for one in await self.redriver().retry()]


@pytest.fixture
async def hub(store: Store) -> AsyncIterator[Aside]:
    async with store.opened() as database:
        yield Aside(database)


async def test_what_this_version_understands_is_applied_and_leaves(hub: Aside) -> None:
    await hub.tell(described(1, fictitious(1)))
    await hub.event(described(2, fictitious(2, title="补入的条目")))

    assert await hub.outcomes() == [Redriven.APPLIED]
    assert (await hub.titles("补入"), await hub.held()) == (["补入的条目"], [])


async def test_a_late_event_changes_nothing_that_came_after_it(hub: Aside) -> None:
    """Set aside at 2, withdrawn at 3: promise 7 holds however late 2 is read."""
    await hub.tell(described(1, fictitious(1)), withdrawn(3, record_id(1), WithdrawalCause.OWNER_DECISION))
    await hub.event(described(2, fictitious(1, title="迟到的改动")))

    assert await hub.outcomes() == [Redriven.APPLIED]
    assert (await hub.one(1)).held.withdrawn == WithdrawalCause.OWNER_DECISION


async def test_what_is_still_unknown_stays_with_its_reason_and_stops_nothing(hub: Aside) -> None:
    await hub.tell(described(1, fictitious(1)))
    await hub.put(2, "unknown_kind", b'{"kind":"of_tomorrow","seq":2,"previous":1,"at_ms":0}')
    await hub.event(described(3, fictitious(3)))
    attempts = await hub.redriver().retry()

    assert [one.outcome for one in attempts] == [Redriven.KEPT, Redriven.APPLIED]
    assert "of_tomorrow" in attempts[0].reason.en
    assert [one.seq for one in await hub.held()] == [2]


async def test_one_can_be_tried_without_the_others(hub: Aside) -> None:
    await hub.tell(described(1, fictitious(1)))
    await hub.event(described(2, fictitious(2)))
    await hub.event(described(3, fictitious(3)))
    newest, oldest = await hub.held()
    attempts = await hub.redriver().retry([newest.id])

    assert [one.id for one in attempts] == [newest.id]
    assert [one.id for one in await hub.held()] == [oldest.id]


async def test_more_than_a_page_is_tried_in_order(hub: Aside) -> None:
    await hub.tell(described(1, fictitious(1)))
    for seq in range(2, 130):
        await hub.event(described(seq, fictitious(2, title=f"第{seq}版")))

    assert await hub.outcomes() == [Redriven.APPLIED] * 128
    assert await hub.titles("第129版") == ["第129版"]


async def test_a_record_that_could_not_be_read_is_read_again(hub: Aside) -> None:
    """Only its access status was known; the description comes with the upgrade and keeps that status."""
    unreadable = access_changed(1, fictitious(1), AccessStatus.RESTRICTED, raw=b'{"record_id":7}')
    await hub.tell(unreadable)
    whole = msgspec.structs.replace(fictitious(1, title="关于水库的协议"), access_status=AccessStatus.RESTRICTED)
    await hub.put(1, "unreadable_record", encode_record(whole))

    assert await hub.outcomes() == [Redriven.APPLIED]
    assert (await hub.one(1)).held.access_status is AccessStatus.RESTRICTED
    assert await hub.titles("水库") == ["关于水库的协议"]


def of_tomorrow(seq: int, number: int, title: str = "明日的题名") -> AccessChanged:
    """A change of access to a status that this version does not know, as the newer node wrote it."""
    event = access_changed(seq, fictitious(number, title=title), AccessStatus.DEFERRED)
    raw = bytes(event.record).replace(b'"deferred"', b'"sealed_by_court"')
    return msgspec.structs.replace(event, access_status="sealed_by_court", record=msgspec.Raw(raw))


async def test_a_closing_that_an_older_hub_set_aside_closes_now_and_stays_until_it_can_be_read(hub: Aside) -> None:
    await hub.tell(described(1, fictitious(1, access_status=AccessStatus.OPEN)))
    await hub.put(2, "bad_event", encode_event(of_tomorrow(2, 1)))

    assert await hub.outcomes() == [Redriven.KEPT]
    assert (await hub.one(1)).held.access_status is AccessStatus.RESTRICTED
    assert [bytes(one.content) for one in await hub.held()] == [encode_event(of_tomorrow(2, 1))]


async def test_an_upgrade_makes_exact_what_was_closed_without_being_understood(hub: Aside) -> None:
    """The same event in a word that is known: what the upgraded reader finds in its quarantine."""
    await hub.tell(described(1, fictitious(1, access_status=AccessStatus.OPEN)))
    frame = accepted([of_tomorrow(2, 1)])
    await hub.apply(frame)
    (spoilt,) = frame.spoilt
    known = spoilt.content.replace(b"sealed_by_court", b"deferred")
    await hub.put(2, spoilt.fault, known)

    assert (await hub.one(1)).held.access_status is AccessStatus.RESTRICTED
    assert await hub.outcomes() == [Redriven.APPLIED]
    assert (await hub.one(1)).held.access_status is AccessStatus.DEFERRED
    assert (await hub.titles("明日的题名"), await hub.held()) == (["明日的题名"], [])


async def test_a_record_that_contradicts_its_closing_is_not_opened_by_trying_again(hub: Aside) -> None:
    """The record alone says open; only the event says that it was closed."""
    still_open = encode_record(fictitious(1, access_status=AccessStatus.OPEN))
    await hub.tell(described(1, fictitious(1, access_status=AccessStatus.OPEN)))
    frame = accepted([access_changed(2, fictitious(1), AccessStatus.RESTRICTED, raw=still_open)])
    await hub.apply(frame)
    (spoilt,) = frame.spoilt
    await hub.put(2, spoilt.fault, spoilt.content)

    assert await hub.outcomes() == [Redriven.KEPT]
    assert (await hub.one(1)).held.access_status is AccessStatus.RESTRICTED


async def test_a_withdrawal_that_an_older_hub_set_aside_withdraws_now(hub: Aside) -> None:
    await hub.tell(described(1, fictitious(1)))
    await hub.put(2, "bad_event", encode_event(withdrawn(2, record_id(1), "court_order")))

    assert (await hub.outcomes(), await hub.held()) == ([Redriven.APPLIED], [])
    assert (await hub.one(1)).held.withdrawn == "court_order"


async def test_a_secret_record_is_never_brought_back(hub: Aside) -> None:
    await hub.tell(described(1, fictitious(1)))
    await hub.put(2, "must_not_travel", b"")

    assert (await hub.outcomes(), len(await hub.held())) == ([Redriven.KEPT], 1)


async def test_an_event_of_an_epoch_that_the_hub_does_not_know_stays(hub: Aside) -> None:
    """Numbered only now it would count as the newest, and an old word would overrule the present ones."""
    await hub.tell(described(5, fictitious(1, title="现在的题名")))
    await hub.event(described(1, fictitious(1, title="旧题名")), epoch="e0")

    assert await hub.outcomes() == [Redriven.KEPT]
    assert await hub.titles("现在的题名") == ["现在的题名"]


def sealed(*events: Event) -> bytes:
    frame = Frame(
        site=VILLAGE.code,
        node=identity(1).public_key,
        epoch="e1",
        previous=events[0].seq - 1,
        last=events[-1].seq,
        events=tuple(msgspec.Raw(encode_event(event)) for event in events),
    )
    return seal(frame, identity(1))


async def test_a_frame_is_applied_once_its_key_is_trusted(hub: Aside) -> None:
    content = sealed(described(1, fictitious(1, title="关于茶园的合同")))
    hub.keys = frozenset()
    await hub.put(WHOLE_FRAME_SEQ, "bad_frame:0123", content, "")
    refused = await hub.outcomes()
    hub.keys = frozenset({identity(1).public_key})

    assert (refused, await hub.outcomes()) == ([Redriven.KEPT], [Redriven.APPLIED])
    assert (await hub.titles("茶园"), await hub.held()) == (["关于茶园的合同"], [])


async def test_a_frame_whose_place_is_applied_already_is_let_go(hub: Aside) -> None:
    content = sealed(described(1, fictitious(1)))
    for fault in ("bad_frame:0123", "bad_frame:4567"):
        await hub.put(WHOLE_FRAME_SEQ, fault, content, "")

    assert await hub.outcomes() == [Redriven.APPLIED, Redriven.OVERTAKEN]
    assert await hub.held() == []


async def test_what_is_applied_and_what_leaves_is_one_transaction(hub: Aside, monkeypatch: pytest.MonkeyPatch) -> None:
    await hub.tell(described(1, fictitious(1)))
    await hub.event(described(2, fictitious(2, title="补入的条目")))

    def cut(_connection: Connection, _quarantined: Quarantined) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as power:
        power.setattr(quarantine, "release", cut)
        with pytest.raises(KeyboardInterrupt):
            await hub.outcomes()
    assert (await hub.titles("补入"), len(await hub.held())) == ([], 1)
    assert await hub.outcomes() == [Redriven.APPLIED]


async def test_the_word_that_there_was_more_is_taken_back_when_everything_is_tried_again(hub: Aside) -> None:
    await hub.put(WHOLE_FRAME_SEQ, quarantine.NOT_KEPT, b"", epoch="")
    assert await hub.outcomes() == [Redriven.OVERTAKEN]
    assert await hub.held() == []
