"""The golden messages that came after protocol 1.0: one value of every kind and field that travels since."""

import uuid

import msgspec

from protocol.calls import Answer, CompareDigests, Outcome, Redescribe, Redescribed
from protocol.events import WithdrawalCause, Withdrawn
from protocol.rhythms import OfficeHours, Rhythm
from tests.golden.messages import MESSAGES, RECORD_ID, SITE

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
    "beat-goodbye": msgspec.structs.replace(MESSAGES["beat"], stopping=True),
    "question-search-bare": msgspec.structs.replace(MESSAGES["question-search"], with_matches=False),
    "frame-ends": msgspec.structs.replace(
        MESSAGES["frame"],
        ends=((0, "0123456789abcdef"), (4, "fedcba9876543210")),
    ),
    "receipt-window": msgspec.structs.replace(MESSAGES["receipt"], window_frames=16),
    "event-withdrawn-not-held": Withdrawn(
        seq=5, previous=4, at_ms=1_700_000_000_000, actor="import", record_id=RECORD_ID, cause=WithdrawalCause.NOT_HELD
    ),
    "question-redescribe": Redescribe(
        asker="hub",
        question="q1",
        epoch="5f3a9c01d2e4b687",
        seq=4,
        record_ids=(RECORD_ID, uuid.UUID("0192f0c1-2d3e-7f40-8a5b-6c7d8e9fa0b2")),
    ),
    "question-digest-anew": CompareDigests(
        asker="hub", question="q1", fonds_no="J001", bucket=3, after=RECORD_ID, until=255, anew=True
    ),
    "answer-redescribed": Answer(
        site=SITE,
        epoch="5f3a9c01d2e4b687",
        seq=6,
        took_ms=1.5,
        question_digest="ab" * 16,
        outcome=Outcome.ANSWERED,
        body=Redescribed(described=1, withdrawn=1, up_to=6),
    ),
}
"""By the name of the file in ``v1.1``."""
