"""Builders of fictitious catalogue entries and of the frames that carry them, as an accepted frame reaches a sink."""

import datetime
import random
from collections.abc import Sequence
from uuid import UUID

import msgspec

from protocol.codec import encode_event, encode_record
from protocol.events import AccessChanged, BaselineMarked, BaselinePhase, Described, Event, WithdrawalCause, Withdrawn
from protocol.frames import Frame
from protocol.records import Record
from protocol.retention import PERMANENT
from protocol.sites import Site, parse_site
from protocol.vocabularies import AccessStatus
from replication.acceptance import AcceptedFrame

VILLAGE = parse_site("330523108204")
OTHER_VILLAGE = parse_site("330523108205")

PLACES = ("上石村", "下溪村", "大塘村", "青岭村", "双桥村", "老坞村", "西坑村", "金洋村", "龙源村", "前湾村")
TOPICS = (
    "林地承包合同",
    "宅基地审批",
    "土地承包经营权",
    "山林权属纠纷",
    "农村饮用水工程",
    "危房改造补助",
    "茶园改造",
    "毛竹林承包",
)
ACTS = ("签订", "审批", "变更", "调整", "申请", "核实", "登记", "公示")
KINDS = ("通知", "批复", "请示", "报告", "决定", "会议纪要", "证明", "公告")
SURNAMES = "甲乙丙丁戊己庚辛壬癸"


def record_id(number: int) -> UUID:
    """The id of the fictitious record of this number."""
    return UUID(bytes=random.Random(number).randbytes(16), version=4)


def fictitious(number: int, **changes: object) -> Record:
    """A whole record, the same for the same number; about 25 characters of title, 500 bytes of JSON."""
    r = random.Random(number)
    year, place = 1950 + int(75 * r.random() ** 0.6), r.choice(PLACES)
    day = datetime.date(year, r.randint(1, 12), r.randint(1, 28))
    who = f"{place}村民{r.choice(SURNAMES)}某{r.choice(SURNAMES)}"
    title = f"关于{who}{r.choice(TOPICS)}{r.choice(ACTS)}的{r.choice(KINDS)}"
    plain = Record(
        record_id=record_id(number),
        repository_id=VILLAGE.code,
        title=title,
        ref_code=f"J001-WS·{year}·Y-{number % 10_000:04d}",
        ref_code_as_given=f"J001—WS•{year}•Y—{number % 10_000:04d}",
        fonds_no="J001",
        category_code="WS",
        filing_year=year,
        item_no=f"{number % 10_000:04d}",
        retention=PERMANENT,
        retention_as_given="永久",
        responsible_parties=(f"{place}村民委员会",),
        doc_no=f"石政〔{year}〕{r.randint(1, 199)}号",
        doc_no_as_given=f"石政[{year}]{r.randint(1, 199)}号",
        date_raw=day.strftime("%Y%m%d"),
        date_edtf=day.isoformat(),
        date_earliest=day,
        date_latest=day,
        page_count=r.randint(1, 60),
        changed_by="import",
        changed_at_ms=1_790_000_000_000,
    )
    return msgspec.structs.replace(plain, **changes)


def described(seq: int, record: Record, at_ms: int = 0) -> Described:
    """The event that describes a record."""
    return Described(
        seq=seq, previous=seq - 1, at_ms=at_ms or seq, actor="import", record=msgspec.Raw(encode_record(record))
    )


def withdrawn(seq: int, record: UUID, cause: str = WithdrawalCause.ROW_VANISHED) -> Withdrawn:
    """The event that withdraws a record."""
    return Withdrawn(seq=seq, previous=seq - 1, at_ms=seq, record_id=record, cause=cause)


def access_changed(seq: int, record: Record, status: AccessStatus, raw: bytes | None = None) -> AccessChanged:
    """The event that opens or closes a record."""
    whole = encode_record(msgspec.structs.replace(record, access_status=status)) if raw is None else raw
    return AccessChanged(
        seq=seq,
        previous=seq - 1,
        at_ms=seq,
        record_id=record.record_id,
        access_status=status,
        record=msgspec.Raw(whole),
    )


def marked(seq: int, phase: BaselinePhase, *, count: int = 0, digest: str = "", cause: str = "") -> BaselineMarked:
    """One end of a baseline."""
    return BaselineMarked(
        seq=seq, previous=seq - 1, at_ms=seq, phase=phase, record_count=count, digest=digest, cause=cause
    )


def accepted(events: Sequence[Event], site: Site = VILLAGE, epoch: str = "e1") -> AcceptedFrame:
    """A frame as it reaches a sink."""
    frame = Frame(
        site=site.code,
        node="U-NODE",
        epoch=epoch,
        previous=events[0].seq - 1,
        last=events[-1].seq,
        events=tuple(msgspec.Raw(encode_event(event)) for event in events),
    )
    return AcceptedFrame(site=site, frame=frame, digest="", events=list(events))
