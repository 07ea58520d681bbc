"""The golden messages of protocol 1.0: one value of every kind that travels, and the file that freezes its bytes.

The files are never changed: they are what version 1.0 says. A change of the protocol adds new messages beside them.
"""

import datetime
import uuid
from typing import Any

import msgspec

from protocol.beats import Beat, Receipt, Want
from protocol.calls import (
    Answer,
    AskHealth,
    CompareDigests,
    DigestLine,
    Digests,
    FetchRange,
    Found,
    GetRecord,
    Health,
    Hit,
    Hits,
    Match,
    Outcome,
    Range,
    Refusal,
    Search,
)
from protocol.codec import encode_event, encode_record
from protocol.events import AccessChanged, BaselineMarked, BaselinePhase, Described, WithdrawalCause, Withdrawn
from protocol.frames import Frame
from protocol.records import Alias, Attachment, Record
from protocol.retention import Retention, RetentionKind
from protocol.rhythms import OfficeHours, Rhythm
from protocol.vocabularies import AccessStatus, Disclosure, Form, Level, Secrecy
from tests.builders import identity

SITE = "330523108204"
RECORD_ID = uuid.UUID("0192f0c1-2d3e-7f40-8a5b-6c7d8e9fa0b1")

RECORD = Record(
    record_id=RECORD_ID,
    repository_id=SITE,
    level=Level.ITEM,
    title="[村委会关于山林承包合同的决定]",
    title_is_supplied=True,
    parent_id=uuid.UUID("0192f0c1-2d3e-7f40-8a5b-000000000001"),
    ref_code="Z109-WS·2011·Y-BGS-0001",
    ref_code_as_given="Z109—WS・2011・Y—BGS—0001 ",
    code_profile="town-2011",
    aliases=(Alias(code="001-2-15", scheme="旧号", assigner=SITE, valid_to="2010"),),
    fonds_no="Z109",
    category_code="WS",
    sub_codes=("2011", "Y"),
    filing_year=2011,
    org_or_subject="BGS",
    item_no="0001",
    retention=Retention(kind=RetentionKind.PERMANENT),
    retention_as_given="永久",
    responsible_parties=("某村民委员会", "某镇人民政府"),
    doc_no="某政发〔2011〕3号",
    doc_no_as_given="某政发[2011]003号",
    date_raw="2011年3月",
    date_edtf="2011-03",
    date_earliest=datetime.date(2011, 3, 1),
    date_latest=datetime.date(2011, 3, 31),
    secrecy=Secrecy.INTERNAL,
    access_status=AccessStatus.RESTRICTED,
    access_reason="personal",
    reviewed_on=datetime.date(2022, 5, 1),
    review_by=datetime.date(2032, 5, 1),
    disclosure=Disclosure.ON_REQUEST,
    page_count=4,
    extent="4 页",
    carrier="纸质",
    form=Form.DIGITISED,
    scope="四至与承包期",
    note="另见 1986 年合同",
    attachments=(
        Attachment(
            file_id=uuid.UUID(int=7), name="0001.pdf", size_bytes=1234, mime="application/pdf", digest="ab", pages=4
        ),
    ),
    owner="330523108204",
    custodian="330523108000",
    releaser="330523108204",
    livelihood_kind="forest_contract",
    person_keys=("9f86d081",),
    version=2,
    previous_digest="0123456789abcdef",
    changed_by="import",
    changed_at_ms=1_700_000_000_000,
    reason="re-described",
)

DESCRIBED = Described(
    seq=1, previous=0, at_ms=1_700_000_000_000, actor="import", record=msgspec.Raw(encode_record(RECORD))
)
WITHDRAWN = Withdrawn(
    seq=2, previous=1, at_ms=1_700_000_000_001, record_id=RECORD_ID, cause=WithdrawalCause.ROW_VANISHED
)
ACCESS_CHANGED = AccessChanged(
    seq=3,
    previous=2,
    at_ms=1_700_000_000_002,
    record_id=RECORD_ID,
    access_status=AccessStatus.OPEN,
    record=msgspec.Raw(encode_record(RECORD)),
)
BASELINE_MARKED = BaselineMarked(
    seq=4,
    previous=3,
    at_ms=1_700_000_000_003,
    phase=BaselinePhase.END,
    cause="restored",
    record_count=1,
    digest="1-0000000000000000-0000000000000001",
)
EVENTS = (DESCRIBED, WITHDRAWN, ACCESS_CHANGED, BASELINE_MARKED)

FRAME = Frame(
    site=SITE,
    node=identity(1).public_key,
    epoch="5f3a9c01d2e4b687",
    previous=0,
    last=4,
    retires=("00112233445566aa",),
    events=tuple(msgspec.Raw(encode_event(event)) for event in EVENTS),
)

_ASKED: dict[str, Any] = {"asker": "hub", "question": "00ff"}
_ANSWERED: dict[str, Any] = {
    "site": SITE,
    "epoch": "5f3a9c01d2e4b687",
    "seq": 4,
    "took_ms": 1.5,
    "question_digest": "00112233445566778899aabbccddeeff",
}

MESSAGES: dict[str, msgspec.Struct] = {
    "record": RECORD,
    "event-described": DESCRIBED,
    "event-withdrawn": WITHDRAWN,
    "event-access-changed": ACCESS_CHANGED,
    "event-baseline-marked": BASELINE_MARKED,
    "frame": FRAME,
    "question-search": Search(
        **_ASKED,
        query="山林承包",
        limit=50,
        date_from=datetime.date(1980, 1, 1),
        date_to=datetime.date(1989, 12, 31),
        fonds_no="Z109",
        livelihood_kind="forest_contract",
        access_status=AccessStatus.OPEN,
        level=Level.VOLUME,
    ),
    "question-get": GetRecord(**_ASKED, record_id=RECORD_ID),
    "question-digest": CompareDigests(**_ASKED, fonds_no="Z109", bucket=177, after=RECORD_ID),
    "question-range": FetchRange(**_ASKED, epoch="5f3a9c01d2e4b687", after=17),
    "question-health": AskHealth(**_ASKED),
    "answer-search": Answer(
        **_ANSWERED,
        outcome=Outcome.ANSWERED,
        body=Hits(
            total=3,
            hits=(
                Hit(record=msgspec.Raw(encode_record(RECORD)), seq=1, matches=(Match(field="title", how="literal"),)),
            ),
        ),
    ),
    "answer-get": Answer(
        **_ANSWERED, outcome=Outcome.ANSWERED, body=Found(record=msgspec.Raw(encode_record(RECORD)), seq=1)
    ),
    "answer-digest": Answer(
        **_ANSWERED,
        outcome=Outcome.ANSWERED,
        body=Digests(lines=(DigestLine(part="Z109", count=2, digest="2-00-01"),), more=True),
    ),
    "answer-range": Answer(**_ANSWERED, outcome=Outcome.ANSWERED, body=Range(after=17, up_to=40)),
    "answer-health": Answer(
        **_ANSWERED,
        outcome=Outcome.ANSWERED,
        body=Health(
            version="0.1.0",
            records=2000,
            withheld=3,
            rejected=7,
            outbox_frames=1,
            brakes_held=1,
            disk_free_bytes=10_000_000_000,
        ),
    ),
    "answer-refusal": Answer(
        **_ANSWERED, outcome=Outcome.REFUSED, body=Refusal(reason_zh="本站不提供", reason_en="not provided here")
    ),
    "beat": Beat(
        site=SITE,
        node=identity(1).public_key,
        epoch="5f3a9c01d2e4b687",
        seq=4,
        published=4,
        outbox_frames=1,
        records=1,
        withheld=1,
        rejected=2,
        warned=3,
        files=1,
        brakes_held=1,
        importing=True,
        disk_free_bytes=10_000_000_000,
        software="0.1.0",
        started_at_ms=1_700_000_000_000,
        at_ms=1_700_000_030_000,
    ),
    "receipt": Receipt(
        site=SITE,
        epoch="5f3a9c01d2e4b687",
        applied=4,
        chain="00" * 32,
        want=Want.BASELINE,
        at_ms=1_700_000_031_000,
    ),
}

LATER_MESSAGES: dict[str, msgspec.Struct] = {
    "beat": msgspec.structs.replace(
        MESSAGES["beat"],
        rhythm=Rhythm(
            hours=(OfficeHours(days=(1, 2, 3, 4, 5), opens=540, closes=690),),
            time_zone="Asia/Urumqi",
            heartbeat_s=10.0,
        ),
        folders_unread=1,
        faults=("link_lost", "publish_denied"),
    ),
}
"""What version 1.1 adds to messages of 1.0, each with its file in ``v1.1``."""
