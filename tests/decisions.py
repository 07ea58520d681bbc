"""A fictitious county in which something waits in every decision queue."""

from collections.abc import Sequence

import msgspec
from sqlalchemy import Connection, insert

from hub.application import Application
from hub.tables import conflict
from protocol.codec import encode_event, encode_record
from protocol.records import Record
from protocol.sites import parse_site
from protocol.wording import Text
from replication import quarantine
from replication.acceptance import SpoiltEvent, whole
from replication.digests import record_digest
from tests.catalogue import accepted, described, fictitious
from tests.consoles import fill_county

SITE = "330599001203"
OTHER_SITE = "330599001204"
HELD = fictitious(1, repository_id=SITE, title="关于上石村山林承包合同的批复", ref_code="J001-WS·1986·Y-0001")
OFFERED = msgspec.structs.replace(HELD, title="关于上石村山林承包合同的批复（修订）")
NOTICE = fictitious(2, repository_id=SITE, title="关于做好防汛工作的通知", doc_no="石政〔2014〕7号", fonds_no="J002")
SAME_NOTICE = fictitious(
    3,
    repository_id=OTHER_SITE,
    title="关于做好防汛工作的通知",
    doc_no="石政〔2014〕7号",
    ref_code="J090-WS·2014·D30-0009",
)
LATE = fictitious(4, repository_id=SITE, title="桃林村机耕路硬化工程合同")


def fill_queues(connection: Connection, now_ms: int) -> None:
    """Fill a store with the county of ``consoles`` and with what waits for a decision."""
    fill_county(connection, now_ms)
    sink = Application(lambda: now_ms)
    _tell(connection, sink, SITE, [HELD, NOTICE])
    _tell(connection, sink, OTHER_SITE, [SAME_NOTICE])
    connection.execute(
        insert(conflict).values(
            record_id=HELD.record_id.bytes,
            site=SITE,
            epoch=1,
            seq=1,
            held_digest=record_digest(encode_record(HELD)),
            offered_digest=record_digest(encode_record(OFFERED)),
            noted_at_ms=now_ms - 3_600_000,
        )
    )
    for spoilt in (_unknown_kind(), _good_meanwhile()):
        quarantine.set_aside(connection, SITE, "e1", spoilt, now_ms - 7_200_000)


def _tell(connection: Connection, sink: Application, site: str, records: Sequence[Record]) -> None:
    events = [described(at, one) for at, one in enumerate(records, 1)]
    frame = accepted(events, parse_site(site))
    frame.prepared = whole(sink.preparing(frame))
    sink.apply(connection, [frame])


def _unknown_kind() -> SpoiltEvent:
    return SpoiltEvent(
        seq=90,
        fault="unknown_kind",
        reason=Text(zh="未知的事件种类：lent", en="unknown kind of event: lent"),
        hint=Text(zh="请升级县级枢纽。", en="Upgrade the hub."),
        content=b'{"kind":"lent","seq":90,"previous":89,"at_ms":0}',
    )


def _good_meanwhile() -> SpoiltEvent:
    """An event that an older hub could not read, and this one can."""
    return SpoiltEvent(
        seq=91,
        fault="unknown_kind",
        reason=Text(zh="未知的事件种类：described", en="unknown kind of event: described"),
        hint=Text(zh="请升级县级枢纽。", en="Upgrade the hub."),
        content=encode_event(described(91, LATE)),
    )
